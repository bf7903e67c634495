// The weights of a Llama as symbols, and the kinds of its layers.

#ifndef TCC_FRONTENDS_LLAMA_LLAMAWEIGHTS_H
#define TCC_FRONTENDS_LLAMA_LLAMAWEIGHTS_H

#include "dialects/transformer/Transformer.h"
#include "frontends/model/Model_generated.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::tcc {

/// Layers whose weights agree in storage, and so share one body.
struct LayerKind {
  std::string name;                  ///< Such as `layer_bf16`.
  llvm::SmallVector<int64_t> layers; ///< Pairs of first and count, ascending.
};

/// Layers of one kind that follow each other.
struct LayerRun {
  size_t kind; ///< Into the list of kinds.
  int64_t first, count;
};

/// Finds the tensors of a description and makes symbols of them.
class LlamaWeights {
public:
  explicit LlamaWeights(const ::tcc::schema::ModelT &model);

  /// Whether there is a tensor of the full name `name`, such as a bias.
  bool has(llvm::StringRef name) const { return tensors.count(name) != 0; }

  /// The type of a tensor by its full name, which must be present.
  RankedTensorType typeOf(llvm::StringRef name, MLIRContext *context) const;

  /// What linear layers and the attention multiply: f32 if every linear weight
  /// is f32, else bf16.
  Type operandType(MLIRContext *context) const;

  /// Declares every weight of the model at the insertion point of `builder`.
  void declare(ImplicitLocOpBuilder &builder) const;

  llvm::ArrayRef<LayerKind> kinds() const { return layerKinds; }
  llvm::ArrayRef<LayerRun> runs() const { return layerRuns; }

private:
  void classifyLayers(int64_t layers);
  size_t kindOf(int64_t layer, llvm::StringMap<size_t> &known);
  std::vector<const ::tcc::schema::TensorT *> tensorsOf(int64_t layer) const;
  std::string kindName(int64_t layer) const;

  llvm::StringMap<const ::tcc::schema::TensorT *> tensors;
  std::vector<LayerKind> layerKinds;
  std::vector<LayerRun> layerRuns;
};

/// The full name of a tensor of a layer: `part` is such as
/// `self_attn.q_proj.weight`, `layer` a number or `{layer}`.
std::string layerTensor(llvm::StringRef part, llvm::StringRef layer);

/// The symbol of a tensor of a layer of `kind`, such as `layer_bf16.q_proj`.
std::string layerSymbol(const LayerKind &kind, llvm::StringRef part);

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_LLAMA_LLAMAWEIGHTS_H
