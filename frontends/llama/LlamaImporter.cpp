#include "frontends/llama/LlamaImporter.h"

#include "frontends/llama/LlamaLayer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;
using ::tcc::schema::LlamaT;
using ::tcc::schema::ModelT;

/// The value of a weight that is not of a layer.
static Value getWeight(ImplicitLocOpBuilder &builder,
                       const LlamaWeights &weights, StringRef symbol,
                       StringRef tensor) {
  auto name = FlatSymbolRefAttr::get(builder.getContext(), symbol);
  return GetWeightOp::create(builder,
                             weights.typeOf(tensor, builder.getContext()),
                             builder.getArrayAttr(name), Value());
}

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
static void buildForward(ImplicitLocOpBuilder &builder, const LlamaT &llama,
                         const LlamaWeights &weights, func::FuncOp forward,
                         ArrayRef<func::FuncOp> layers) {
  Block *body = forward.addEntryBlock();
  builder.setInsertionPointToStart(body);
  Value tokens = body->getArgument(0), positions = body->getArgument(1);

  StringRef tableName = "model.embed_tokens.weight";
  Value table = getWeight(builder, weights, "embed_tokens", tableName);
  auto streamType = RankedTensorType::get(
      {ShapedType::kDynamic, llama.hidden_size}, builder.getF32Type());
  Value stream = EmbeddingOp::create(builder, streamType, tokens, table);

  for (const LayerRun &run : weights.runs())
    stream = buildRun(builder, run, layers[run.kind], stream, positions);

  Value normWeight = getWeight(builder, weights, "norm", "model.norm.weight");
  Value normed = buildNorm(builder, stream, normWeight, llama.norm_epsilon,
                           weights.operandType(builder.getContext()));
  Value head = llama.tied_embeddings
                   ? getWeight(builder, weights, "embed_tokens", tableName)
                   : getWeight(builder, weights, "lm_head", "lm_head.weight");
  Value logits = buildLinear(builder, normed, head, {});
  func::ReturnOp::create(builder, logits);
}

/// Declares @forward, without a body.
static func::FuncOp declareForward(ImplicitLocOpBuilder &builder,
                                   const LlamaT &llama) {
  auto tokens =
      RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  auto logits = RankedTensorType::get({ShapedType::kDynamic, llama.vocabulary},
                                      builder.getF32Type());
  return func::FuncOp::create(
      builder, "forward", builder.getFunctionType({tokens, tokens}, logits));
}

FailureOr<OwningOpRef<ModuleOp>> mlir::tcc::importLlama(const ModelT &model,
                                                        MLIRContext &context) {
  context
      .loadDialect<TransformerDialect, arith::ArithDialect, func::FuncDialect,
                   scf::SCFDialect, tensor::TensorDialect>();
  Location loc = NameLoc::get(
      StringAttr::get(&context, model.name.empty() ? "model" : model.name));
  const LlamaT *llama = model.architecture.AsLlama();
  if (!llama)
    return emitError(loc, "expected a description of a Llama");

  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  ImplicitLocOpBuilder builder(loc, &context);
  builder.setInsertionPointToStart(module->getBody());
  LlamaWeights weights(model);
  weights.declare(builder);

  func::FuncOp forward = declareForward(builder, *llama);
  SmallVector<func::FuncOp> layers;
  for (const LayerKind &kind : weights.kinds())
    layers.push_back(buildLayer(builder, *llama, weights, kind));
  buildForward(builder, *llama, weights, forward, layers);
  return module;
}
