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

  func::FuncOp declareForward();
  void buildForward(func::FuncOp forward, ArrayRef<func::FuncOp> layers);
  void buildPrediction(ArrayRef<func::FuncOp> layers);

private:
  func::FuncOp declare(StringRef name, ArrayRef<Type> arguments);
  RankedTensorType rows(int64_t columns);
  RankedTensorType integers();
  Block *begin(func::FuncOp function);
  Value embed(Value tokens);
  Value norm(Value input, StringRef symbol, Type element);
  Value head(Value normed);
  Value run(const LayerRun &run, func::FuncOp layer, Value stream,
            Value positions);
  void end(Value stream, StringRef lastNorm);

  ImplicitLocOpBuilder &builder;
  const DecoderSizes &sizes;
  const WeightSymbols &weights;
  Type operandType;
};
} // namespace

RankedTensorType DecoderBuilder::rows(int64_t columns) {
  return RankedTensorType::get({ShapedType::kDynamic, columns},
                               builder.getF32Type());
}

RankedTensorType DecoderBuilder::integers() {
  return RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
}

/// Declares a function that returns logits and, if a prediction reads them,
/// states.
func::FuncOp DecoderBuilder::declare(StringRef name, ArrayRef<Type> arguments) {
  SmallVector<Type> results = {rows(sizes.vocabulary)};
  if (sizes.predictionLayers)
    results.push_back(rows(sizes.hidden));
  return func::FuncOp::create(builder, name,
                              builder.getFunctionType(arguments, results));
}

Block *DecoderBuilder::begin(func::FuncOp function) {
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  return body;
}

Value DecoderBuilder::embed(Value tokens) {
  Value table = weights.get(builder, "embed_tokens");
  return EmbeddingOp::create(builder, rows(sizes.hidden), tokens, table);
}

Value DecoderBuilder::norm(Value input, StringRef symbol, Type element) {
  return buildNorm(builder, input, weights.get(builder, symbol),
                   sizes.normEpsilon, element);
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

func::FuncOp DecoderBuilder::declareForward() {
  return declare("forward", {integers(), integers()});
}

/// Returns logits and, if a prediction reads them, the states that `lastNorm`
/// gives.
void DecoderBuilder::end(Value stream, StringRef lastNorm) {
  if (!sizes.predictionLayers) {
    Value normed = norm(stream, lastNorm, operandType);
    func::ReturnOp::create(builder, head(normed));
    return;
  }
  Value states = norm(stream, lastNorm, builder.getF32Type());
  Value logits = head(buildRounding(builder, states, operandType));
  func::ReturnOp::create(builder, ValueRange{logits, states});
}

/// Fills the body of @forward.
void DecoderBuilder::buildForward(func::FuncOp forward,
                                  ArrayRef<func::FuncOp> layers) {
  Block *body = begin(forward);
  Value stream = embed(body->getArgument(0)), positions = body->getArgument(1);
  for (const LayerRun &layerRun : weights.runs())
    stream = run(layerRun, layers[layerRun.kind], stream, positions);
  end(stream, "norm");
}

/// Writes @predict. The order of what eh_proj reads is that of checkpoints.
void DecoderBuilder::buildPrediction(ArrayRef<func::FuncOp> layers) {
  func::FuncOp predict =
      declare("predict", {rows(sizes.hidden), integers(), integers()});
  Block *body = begin(predict);
  Value positions = body->getArgument(2);
  Value embedded = norm(embed(body->getArgument(1)), "enorm", operandType);
  Value normed = norm(body->getArgument(0), "hnorm", operandType);
  Value both = tensor::ConcatOp::create(builder, /*dim=*/1,
                                        ValueRange{embedded, normed});
  Value matrix = weights.get(builder, "eh_proj");
  Value stream = buildLinear(builder, both, matrix, {});
  Value number = arith::ConstantIndexOp::create(builder, sizes.layers);
  stream = func::CallOp::create(builder, layers[weights.predictionKind()],
                                ValueRange{stream, positions, number})
               .getResult(0);
  end(stream, "shared_head.norm");
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
