#include "frontends/importer/DecoderBuilder.h"

#include "frontends/importer/LayerBuilder.h"
#include "frontends/model/Architecture.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;
using ::tcc::DecoderSizes;
using ::tcc::schema::ModelT;

namespace {
/// Writes all functions but the bodies of layers.
class DecoderBuilder {
public:
  DecoderBuilder(ImplicitLocOpBuilder &builder, const DecoderSizes &sizes,
                 const WeightSymbols &weights)
      : builder(builder), sizes(sizes), weights(weights),
        operandType(weights.operandType(builder.getContext())) {}

  func::FuncOp declare(StringRef name, ArrayRef<Type> arguments, Type result);
  func::FuncOp declareForward();
  func::FuncOp buildState(ArrayRef<func::FuncOp> layers);
  void buildForward(func::FuncOp forward, ArrayRef<func::FuncOp> layers);
  void buildPrediction(ArrayRef<func::FuncOp> layers);

private:
  RankedTensorType rows(int64_t columns, Type element);
  RankedTensorType integers();
  Block *begin(func::FuncOp function);
  Value embed(Value tokens);
  Value norm(Value input, StringRef symbol);
  Value head(Value normed);
  Value run(const LayerRun &run, func::FuncOp layer, Value stream,
            Value positions);
  Value state(Value tokens, Value positions, ArrayRef<func::FuncOp> layers);

  ImplicitLocOpBuilder &builder;
  const DecoderSizes &sizes;
  const WeightSymbols &weights;
  Type operandType;
};
} // namespace

RankedTensorType DecoderBuilder::rows(int64_t columns, Type element) {
  return RankedTensorType::get({ShapedType::kDynamic, columns}, element);
}

RankedTensorType DecoderBuilder::integers() {
  return RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
}

func::FuncOp DecoderBuilder::declare(StringRef name, ArrayRef<Type> arguments,
                                     Type result) {
  return func::FuncOp::create(builder, name,
                              builder.getFunctionType(arguments, result));
}

Block *DecoderBuilder::begin(func::FuncOp function) {
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  return body;
}

Value DecoderBuilder::embed(Value tokens) {
  Value table = weights.get(builder, "embed_tokens");
  return EmbeddingOp::create(builder, rows(sizes.hidden, builder.getF32Type()),
                             tokens, table);
}

Value DecoderBuilder::norm(Value input, StringRef symbol) {
  return buildNorm(builder, input, weights.get(builder, symbol),
                   sizes.normEpsilon, operandType);
}

Value DecoderBuilder::head(Value normed) {
  Value matrix = weights.get(builder, sizes.tiedEmbeddings ? "embed_tokens"
                                                           : "lm_head");
  return buildLinear(builder, normed, matrix, {});
}

/// Calls `layer` once for each layer of `run`; returns the residual stream.
Value DecoderBuilder::run(const LayerRun &run, func::FuncOp layer, Value stream,
                          Value positions) {
  Value first = arith::ConstantIndexOp::create(builder, run.first);
  Value end = arith::ConstantIndexOp::create(builder, run.first + run.count);
  Value step = arith::ConstantIndexOp::create(builder, 1);
  auto loop = scf::ForOp::create(
      builder, first, end, step, stream,
      [&](OpBuilder &nested, Location loc, Value number, ValueRange carried) {
        auto call = func::CallOp::create(
            nested, loc, layer, ValueRange{carried[0], positions, number});
        scf::YieldOp::create(nested, loc, call.getResults());
      });
  return loop.getResult(0);
}

/// Embedding, layers and last norm.
Value DecoderBuilder::state(Value tokens, Value positions,
                            ArrayRef<func::FuncOp> layers) {
  Value stream = embed(tokens);
  for (const LayerRun &layerRun : weights.runs())
    stream = run(layerRun, layers[layerRun.kind], stream, positions);
  return norm(stream, "norm");
}

func::FuncOp DecoderBuilder::declareForward() {
  return declare("forward", {integers(), integers()},
                 rows(sizes.vocabulary, builder.getF32Type()));
}

/// Writes @state.
func::FuncOp DecoderBuilder::buildState(ArrayRef<func::FuncOp> layers) {
  func::FuncOp function = declare("state", {integers(), integers()},
                                  rows(sizes.hidden, operandType));
  function.setPrivate();
  OpBuilder::InsertionGuard guard(builder);
  Block *body = begin(function);
  Value result = state(body->getArgument(0), body->getArgument(1), layers);
  func::ReturnOp::create(builder, result);
  return function;
}

/// Fills the body of @forward. The state is a function of its own if there is a
/// module for prediction, which needs it too.
void DecoderBuilder::buildForward(func::FuncOp forward,
                                  ArrayRef<func::FuncOp> layers) {
  func::FuncOp function;
  if (sizes.predictionLayers)
    function = buildState(layers);
  Block *body = begin(forward);
  Value result;
  if (function)
    result = func::CallOp::create(builder, function, body->getArguments())
                 .getResult(0);
  else
    result = state(body->getArgument(0), body->getArgument(1), layers);
  func::ReturnOp::create(builder, head(result));
}

/// Writes @predict. The order of what eh_proj reads is that of checkpoints.
void DecoderBuilder::buildPrediction(ArrayRef<func::FuncOp> layers) {
  func::FuncOp predict = declare(
      "predict", {rows(sizes.hidden, operandType), integers(), integers()},
      rows(sizes.vocabulary, builder.getF32Type()));
  Block *body = begin(predict);
  Value positions = body->getArgument(2);
  Value embedded = norm(embed(body->getArgument(1)), "enorm");
  Value normed = norm(body->getArgument(0), "hnorm");
  Value both = tensor::ConcatOp::create(builder, /*dim=*/1,
                                        ValueRange{embedded, normed});
  Value matrix = weights.get(builder, "eh_proj");
  Value stream = buildLinear(builder, both, matrix, {});
  Value number = arith::ConstantIndexOp::create(builder, sizes.layers);
  stream = func::CallOp::create(builder, layers[weights.predictionKind()],
                                ValueRange{stream, positions, number})
               .getResult(0);
  func::ReturnOp::create(builder,
                         head(norm(stream, "shared_head.norm")));
}

OwningOpRef<ModuleOp> mlir::tcc::buildDecoder(const ModelT &model,
                                              const LayerParts &parts,
                                              BuildLayer buildLayer,
                                              MLIRContext &context) {
  context
      .loadDialect<TransformerDialect, arith::ArithDialect, func::FuncDialect,
                   scf::SCFDialect, tensor::TensorDialect>();
  Location loc = NameLoc::get(
      StringAttr::get(&context, model.name.empty() ? "model" : model.name));
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  ImplicitLocOpBuilder builder(loc, &context);
  builder.setInsertionPointToStart(module->getBody());
  WeightSymbols weights(model, parts);
  weights.declare(builder);

  DecoderSizes sizes = ::tcc::decoderSizes(model);
  DecoderBuilder decoder(builder, sizes, weights);
  func::FuncOp forward = decoder.declareForward();
  SmallVector<func::FuncOp> layers;
  for (const LayerKind &kind : weights.kinds())
    layers.push_back(buildLayer(builder, weights, kind));
  decoder.buildForward(forward, layers);
  if (sizes.predictionLayers) {
    builder.setInsertionPointToEnd(module->getBody());
    decoder.buildPrediction(layers);
  }
  return module;
}
