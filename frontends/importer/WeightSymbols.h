// The weights of a model as symbols, and the kinds of its layers.

#ifndef TCC_FRONTENDS_IMPORTER_WEIGHTSYMBOLS_H
#define TCC_FRONTENDS_IMPORTER_WEIGHTSYMBOLS_H

#include "dialects/transformer/Transformer.h"
#include "frontends/model/Architecture.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::tcc {

/// Layers that have the same weights in the same storage, and so share one
/// body.
struct LayerKind {
  std::string name;                  ///< Such as `layer_bf16`.
  llvm::SmallVector<int64_t> layers; ///< Pairs of first and count, ascending.
};

/// Layers of one kind that follow each other.
struct LayerRun {
  size_t kind; ///< Into the list of kinds.
  int64_t first, count;
};

/// What layers are made of, as an architecture says it.
struct LayerParts {
  /// Names of tensors behind `model.layers.N.`. Those that a layer does not
  /// have are left out; `{expert}` stands for the numbers of a stack of
  /// matrices.
  llvm::ArrayRef<llvm::StringRef> names;

  /// How the names of kinds begin, by a layer of the kind.
  llvm::function_ref<llvm::StringRef(int64_t layer)> kindPrefix;

  int64_t experts = 0; ///< Matrices in every stack.
};

/// Finds the tensors of a description and makes symbols of them.
class WeightSymbols {
public:
  WeightSymbols(const ::tcc::schema::ModelT &model, const LayerParts &parts);

  /// The value of the weight `symbol`, which is not of a layer: embed_tokens,
  /// norm, lm_head, or, of multi-token prediction, enorm, hnorm, eh_proj and
  /// shared_head.norm.
  Value get(ImplicitLocOpBuilder &builder, llvm::StringRef symbol) const;

  /// The value of `part` in `layer`, which is one of `kind`; null if they do
  /// not have it, such as a bias.
  Value get(ImplicitLocOpBuilder &builder, const LayerKind &kind,
            llvm::StringRef part, Value layer) const;

  /// What linear layers and the attention multiply: f32 if every linear weight
  /// is f32, else bf16.
  Type operandType(MLIRContext *context) const;

  /// Declares every weight of the model at the insertion point of `builder`.
  void declare(ImplicitLocOpBuilder &builder) const;

  llvm::ArrayRef<LayerKind> kinds() const { return layerKinds; }
  llvm::ArrayRef<LayerRun> runs() const { return layerRuns; }

  /// The kind of the layer of multi-token prediction, into the list of kinds.
  size_t predictionKind() const { return layerOfPrediction; }

private:
  using Tensor = const ::tcc::schema::TensorT *;

  void classifyLayers(const LayerParts &parts);
  size_t kindOf(int64_t layer, const LayerParts &parts,
                llvm::StringMap<size_t> &known);
  std::string kindName(int64_t layer, const LayerParts &parts) const;
  Tensor find(llvm::StringRef part, int64_t layer) const;
  std::string globalTensor(llvm::StringRef symbol) const;
  RankedTensorType typeOf(llvm::StringRef part, Tensor tensor,
                          MLIRContext *context) const;
  void declareOne(ImplicitLocOpBuilder &builder, llvm::StringRef symbol,
                  llvm::StringRef name, Tensor tensor,
                  DenseI64ArrayAttr layers) const;

  llvm::StringMap<Tensor> tensors;
  llvm::SmallVector<llvm::StringRef> layerParts;
  int64_t experts;
  std::vector<LayerKind> layerKinds;
  std::vector<LayerRun> layerRuns;
  ::tcc::DecoderSizes sizes;
  size_t layerOfPrediction = 0;
};

} // namespace mlir::tcc

#endif // TCC_FRONTENDS_IMPORTER_WEIGHTSYMBOLS_H
