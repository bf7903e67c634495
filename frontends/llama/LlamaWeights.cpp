#include "frontends/llama/LlamaWeights.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;
using ::tcc::schema::ModelT;
using ::tcc::schema::Storage;
using ::tcc::schema::TensorT;

/// The tensors of a layer, without their prefix. Biases may be absent.
static constexpr StringRef layerParts[] = {
    "input_layernorm.weight",  "self_attn.q_proj.weight",
    "self_attn.k_proj.weight", "self_attn.v_proj.weight",
    "self_attn.o_proj.weight", "post_attention_layernorm.weight",
    "mlp.gate_proj.weight",    "mlp.up_proj.weight",
    "mlp.down_proj.weight",    "self_attn.q_proj.bias",
    "self_attn.k_proj.bias",   "self_attn.v_proj.bias",
    "self_attn.o_proj.bias",   "mlp.gate_proj.bias",
    "mlp.up_proj.bias",        "mlp.down_proj.bias",
};

static bool isLinearWeight(StringRef name) {
  return name.ends_with("_proj.weight") || name == "lm_head.weight";
}

std::string mlir::tcc::layerTensor(StringRef part, StringRef layer) {
  return ("model.layers." + layer + "." + part).str();
}

std::string mlir::tcc::layerSymbol(const LayerKind &kind, StringRef part) {
  part.consume_front("self_attn.");
  part.consume_front("mlp.");
  part.consume_back(".weight");
  return (kind.name + "." + part).str();
}

LlamaWeights::LlamaWeights(const ModelT &model) {
  for (const std::unique_ptr<TensorT> &tensor : model.tensors)
    tensors[tensor->name] = tensor.get();
  classifyLayers(model.architecture.AsLlama()->layers);
}

std::vector<const TensorT *> LlamaWeights::tensorsOf(int64_t layer) const {
  std::vector<const TensorT *> result;
  for (StringRef part : layerParts)
    if (const TensorT *tensor =
            tensors.lookup(layerTensor(part, std::to_string(layer))))
      result.push_back(tensor);
  return result;
}

/// The storages of the linear weights of `layer`, each once: `layer_q4_1_q8_0`.
std::string LlamaWeights::kindName(int64_t layer) const {
  SetVector<Storage> storages;
  for (const TensorT *tensor : tensorsOf(layer))
    if (isLinearWeight(tensor->name))
      storages.insert(tensor->storage);
  std::string name = "layer";
  for (Storage storage : storages)
    name += "_" + StringRef(EnumNameStorage(storage)).lower();
  return name;
}

size_t LlamaWeights::kindOf(int64_t layer, llvm::StringMap<size_t> &known) {
  std::string storages;
  for (const TensorT *tensor : tensorsOf(layer))
    storages += EnumNameStorage(tensor->storage) + std::string(" ");
  auto [kind, isNew] = known.try_emplace(storages, layerKinds.size());
  if (!isNew)
    return kind->second;

  // Kinds may have the same storages in other places.
  std::string name = kindName(layer), unique = name;
  for (size_t i = 2; llvm::any_of(
           layerKinds,
           [&](const LayerKind &other) { return other.name == unique; });
       ++i)
    unique = name + "." + std::to_string(i);
  layerKinds.push_back({unique, {}});
  return kind->second;
}

void LlamaWeights::classifyLayers(int64_t layers) {
  llvm::StringMap<size_t> known;
  for (int64_t layer = 0; layer < layers; ++layer) {
    size_t kind = kindOf(layer, known);
    if (layerRuns.empty() || layerRuns.back().kind != kind)
      layerRuns.push_back({kind, layer, 0});
    ++layerRuns.back().count;
  }
  for (const LayerRun &run : layerRuns)
    layerKinds[run.kind].layers.append({run.first, run.count});
}

/// The element type of a tensor in `storage`.
static Type elementType(Storage storage, MLIRContext *context) {
  switch (storage) {
  case Storage::F32:
    return Float32Type::get(context);
  case Storage::F16:
    return Float16Type::get(context);
  case Storage::BF16:
    return BFloat16Type::get(context);
  case Storage::Q8_0:
    return BlockType::get(context, BlockFormat::Q8_0);
  case Storage::Q4_0:
    return BlockType::get(context, BlockFormat::Q4_0);
  case Storage::Q4_1:
    return BlockType::get(context, BlockFormat::Q4_1);
  }
  llvm_unreachable("the reader of model.fbs checks every storage");
}

RankedTensorType LlamaWeights::typeOf(StringRef name,
                                      MLIRContext *context) const {
  const TensorT *tensor = tensors.lookup(name);
  assert(tensor && "the reader of checkpoints has every tensor of a Llama");
  return RankedTensorType::get(tensor->shape,
                               elementType(tensor->storage, context));
}

Type LlamaWeights::operandType(MLIRContext *context) const {
  bool tied = !has("lm_head.weight");
  bool full = llvm::all_of(tensors, [&](const auto &entry) {
    bool isOperand = isLinearWeight(entry.first()) ||
                     (tied && entry.first() == "model.embed_tokens.weight");
    return !isOperand || entry.second->storage == Storage::F32;
  });
  return full ? Type(Float32Type::get(context)) : BFloat16Type::get(context);
}

void LlamaWeights::declare(ImplicitLocOpBuilder &builder) const {
  auto declareOne = [&](StringRef symbol, StringRef tensor, StringRef first,
                        DenseI64ArrayAttr layers) {
    if (has(first))
      WeightOp::create(builder, symbol, tensor, layers,
                       typeOf(first, builder.getContext()), StringAttr(),
                       SplitAttr());
  };
  auto declareGlobal = [&](StringRef symbol, StringRef tensor) {
    declareOne(symbol, tensor, tensor, {});
  };

  declareGlobal("embed_tokens", "model.embed_tokens.weight");
  for (const LayerKind &kind : layerKinds)
    for (StringRef part : layerParts)
      declareOne(layerSymbol(kind, part), layerTensor(part, "{layer}"),
                 layerTensor(part, std::to_string(kind.layers.front())),
                 builder.getDenseI64ArrayAttr(kind.layers));
  declareGlobal("norm", "model.norm.weight");
  declareGlobal("lm_head", "lm_head.weight");
}
