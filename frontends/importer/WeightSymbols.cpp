#include "frontends/importer/WeightSymbols.h"

#include "frontends/model/Architecture.h"
#include "frontends/model/Scales.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;
using ::tcc::schema::ModelT;
using ::tcc::schema::Storage;
using ::tcc::schema::TensorT;

static constexpr StringRef headName = "lm_head.weight";
static constexpr StringRef predictionSymbols[] = {"enorm", "hnorm", "eh_proj",
                                                  "shared_head.norm"};

static bool isLinearWeight(StringRef name) {
  return name.ends_with("_proj.weight") ||
         name.ends_with("_proj_with_mqa.weight") || name == headName;
}

/// The full name of the tensor `part` of a layer: a number or `{layer}`.
static std::string layerTensor(StringRef part, StringRef layer) {
  return ("model.layers." + layer + "." + part).str();
}

/// The symbol of a tensor of a layer of `kind`: `layer_bf16.q_proj`, or that of
/// a stack: `expert_layer_bf16.experts.gate_proj`.
static std::string layerSymbol(const LayerKind &kind, StringRef part) {
  part.consume_front("self_attn.");
  part.consume_front("mlp.");
  part.consume_back(".weight");
  auto [head, tail] = part.split(".{expert}");
  return (kind.name + "." + head + tail).str();
}

WeightSymbols::WeightSymbols(const ModelT &model, const LayerParts &parts)
    : layerParts(parts.names), experts(parts.experts),
      sizes(::tcc::decoderSizes(model)) {
  for (const std::unique_ptr<TensorT> &tensor : model.tensors)
    tensors[tensor->name] = tensor.get();
  classifyLayers(parts);
}

/// The tensor `part` of `layer`, the first one of a stack, or null.
const TensorT *WeightSymbols::find(StringRef part, int64_t layer) const {
  std::string name = layerTensor(part, std::to_string(layer));
  auto [head, tail] = StringRef(name).split("{expert}");
  if (head.size() != name.size())
    name = (head + "0" + tail).str();
  return tensors.lookup(name);
}

/// The storages of the linear weights of `layer`, each once: `layer_q4_1_q8_0`.
std::string WeightSymbols::kindName(int64_t layer,
                                    const LayerParts &parts) const {
  SetVector<Storage> storages;
  for (StringRef part : layerParts)
    if (Tensor tensor = find(part, layer); tensor && isLinearWeight(part))
      storages.insert(tensor->storage);
  std::string name = parts.kindPrefix(layer).str();
  for (Storage storage : storages)
    name += "_" + StringRef(EnumNameStorage(storage)).lower();
  return name;
}

size_t WeightSymbols::kindOf(int64_t layer, const LayerParts &parts,
                             llvm::StringMap<size_t> &known) {
  std::string storages;
  for (StringRef part : layerParts) {
    Tensor tensor = find(part, layer);
    storages += tensor ? EnumNameStorage(tensor->storage) : "none";
    storages += ' ';
  }
  auto [kind, isNew] = known.try_emplace(storages, layerKinds.size());
  if (!isNew)
    return kind->second;

  // Kinds may have the same storages in other places.
  std::string name = kindName(layer, parts), unique = name;
  for (size_t i = 2; llvm::any_of(
           layerKinds,
           [&](const LayerKind &other) { return other.name == unique; });
       ++i)
    unique = name + "." + std::to_string(i);
  layerKinds.push_back({unique, {}});
  return kind->second;
}

void WeightSymbols::classifyLayers(const LayerParts &parts) {
  llvm::StringMap<size_t> known;
  for (int64_t layer = 0; layer < sizes.layers; ++layer) {
    size_t kind = kindOf(layer, parts, known);
    if (layerRuns.empty() || layerRuns.back().kind != kind)
      layerRuns.push_back({kind, layer, 0});
    ++layerRuns.back().count;
  }
  for (const LayerRun &run : layerRuns)
    layerKinds[run.kind].layers.append({run.first, run.count});
  if (!sizes.predictionLayers)
    return;
  layerOfPrediction = kindOf(sizes.layers, parts, known);
  layerKinds[layerOfPrediction].layers.append({sizes.layers, 1});
}

/// The full name of the tensor of a weight that is not of a layer.
std::string WeightSymbols::globalTensor(StringRef symbol) const {
  std::string part = (symbol + ".weight").str();
  if (llvm::is_contained(predictionSymbols, symbol))
    return layerTensor(part, std::to_string(sizes.layers));
  return part == headName ? part : "model." + part;
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
  case Storage::F8_E4M3:
    return ScaledType::get(context, Float8E4M3FNType::get(context),
                           ::tcc::scaleBlock, ::tcc::scaleBlock);
  }
  llvm_unreachable("the reader of model.fbs checks every storage");
}

/// The type of the weight whose only or first tensor is `tensor`.
RankedTensorType WeightSymbols::typeOf(StringRef part, Tensor tensor,
                                       MLIRContext *context) const {
  assert(tensor && "the reader of checkpoints has every tensor of a model");
  std::vector<int64_t> shape = tensor->shape;
  if (part.contains("{expert}"))
    shape.insert(shape.begin(), experts);
  return RankedTensorType::get(shape, elementType(tensor->storage, context));
}

Value WeightSymbols::get(ImplicitLocOpBuilder &builder,
                         StringRef symbol) const {
  std::string tensor = globalTensor(symbol);
  auto name = FlatSymbolRefAttr::get(builder.getContext(), symbol);
  RankedTensorType type =
      typeOf(tensor, tensors.lookup(tensor), builder.getContext());
  return GetWeightOp::create(builder, type, builder.getArrayAttr(name),
                             Value());
}

Value WeightSymbols::get(ImplicitLocOpBuilder &builder, const LayerKind &kind,
                         StringRef part, Value layer) const {
  Tensor tensor = find(part, kind.layers.front());
  if (!tensor)
    return {};
  auto symbol =
      FlatSymbolRefAttr::get(builder.getContext(), layerSymbol(kind, part));
  RankedTensorType type = typeOf(part, tensor, builder.getContext());
  return GetWeightOp::create(builder, type, builder.getArrayAttr(symbol),
                             layer);
}

Type WeightSymbols::operandType(MLIRContext *context) const {
  bool tied = !tensors.contains(headName);
  bool full = llvm::all_of(tensors, [&](const auto &entry) {
    bool isOperand = isLinearWeight(entry.first()) ||
                     (tied && entry.first() == globalTensor("embed_tokens"));
    return !isOperand || entry.second->storage == Storage::F32;
  });
  return full ? Type(Float32Type::get(context)) : BFloat16Type::get(context);
}

/// Declares `symbol` for the tensors called `name`, of which `tensor` is one.
void WeightSymbols::declareOne(ImplicitLocOpBuilder &builder, StringRef symbol,
                               StringRef name, Tensor tensor,
                               DenseI64ArrayAttr layers) const {
  if (!tensor)
    return;
  RankedTensorType type = typeOf(name, tensor, builder.getContext());
  StringAttr scales;
  if (isa<ScaledType>(type.getElementType()))
    scales = builder.getStringAttr(::tcc::scalesName(name.str()));
  WeightOp::create(builder, symbol, name, layers, type, scales,
                   /*halves=*/DenseI64ArrayAttr(), SplitAttr());
}

void WeightSymbols::declare(ImplicitLocOpBuilder &builder) const {
  auto declareGlobal = [&](StringRef symbol) {
    std::string name = globalTensor(symbol);
    declareOne(builder, symbol, name, tensors.lookup(name), {});
  };
  declareGlobal("embed_tokens");
  for (const LayerKind &kind : layerKinds)
    for (StringRef part : layerParts)
      declareOne(builder, layerSymbol(kind, part), layerTensor(part, "{layer}"),
                 find(part, kind.layers.front()),
                 builder.getDenseI64ArrayAttr(kind.layers));
  declareGlobal("norm");
  declareGlobal("lm_head");
  if (sizes.predictionLayers)
    for (StringRef symbol : predictionSymbols)
      declareGlobal(symbol);
}
