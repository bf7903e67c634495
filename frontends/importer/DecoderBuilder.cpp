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

/// Calls `layer` once for each layer of `run`; returns the residual stream.
static Value buildRun(ImplicitLocOpBuilder &builder, const LayerRun &run,
                      func::FuncOp layer, Value stream, Value positions) {
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

/// Fills the body of @forward: embedding, layers, last norm, logits.
static void buildForward(ImplicitLocOpBuilder &builder,
                         const DecoderSizes &sizes,
                         const WeightSymbols &weights, func::FuncOp forward,
                         ArrayRef<func::FuncOp> layers) {
  Block *body = forward.addEntryBlock();
  builder.setInsertionPointToStart(body);
  Value tokens = body->getArgument(0), positions = body->getArgument(1);

  StringRef tableName = "model.embed_tokens.weight";
  Value table = weights.get(builder, "embed_tokens", tableName);
  auto streamType = RankedTensorType::get({ShapedType::kDynamic, sizes.hidden},
                                          builder.getF32Type());
  Value stream = EmbeddingOp::create(builder, streamType, tokens, table);

  for (const LayerRun &run : weights.runs())
    stream = buildRun(builder, run, layers[run.kind], stream, positions);

  Value normWeight = weights.get(builder, "norm", "model.norm.weight");
  Value normed = buildNorm(builder, stream, normWeight, sizes.normEpsilon,
                           weights.operandType(builder.getContext()));
  Value head = sizes.tiedEmbeddings
                   ? weights.get(builder, "embed_tokens", tableName)
                   : weights.get(builder, "lm_head", "lm_head.weight");
  Value logits = buildLinear(builder, normed, head, {});
  func::ReturnOp::create(builder, logits);
}

/// Declares @forward, without a body.
static func::FuncOp declareForward(ImplicitLocOpBuilder &builder,
                                   const DecoderSizes &sizes) {
  auto tokens =
      RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  auto logits = RankedTensorType::get({ShapedType::kDynamic, sizes.vocabulary},
                                      builder.getF32Type());
  return func::FuncOp::create(
      builder, "forward", builder.getFunctionType({tokens, tokens}, logits));
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
  func::FuncOp forward = declareForward(builder, sizes);
  SmallVector<func::FuncOp> layers;
  for (const LayerKind &kind : weights.kinds())
    layers.push_back(buildLayer(builder, weights, kind));
  buildForward(builder, sizes, weights, forward, layers);
  return module;
}
