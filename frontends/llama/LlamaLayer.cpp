#include "frontends/llama/LlamaLayer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;
using ::tcc::schema::LlamaT;

/// The type of `value` with other dimensions or another element type.
static RankedTensorType tensorLike(Value value, ArrayRef<int64_t> shape) {
  return cast<RankedTensorType>(value.getType()).clone(shape);
}

static RankedTensorType tensorLike(Value value, Type element) {
  return cast<RankedTensorType>(value.getType()).clone(element);
}

Value mlir::tcc::buildNorm(ImplicitLocOpBuilder &builder, Value input,
                           Value weight, double epsilon, Type operandType) {
  return RMSNormOp::create(builder, tensorLike(input, operandType), input,
                           weight, builder.getF64FloatAttr(epsilon));
}

Value mlir::tcc::buildLinear(ImplicitLocOpBuilder &builder, Value input,
                             Value weight, Value bias) {
  int64_t columns = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  auto type = RankedTensorType::get({ShapedType::kDynamic, columns},
                                    builder.getF32Type());
  return LinearOp::create(builder, type, input, weight, bias);
}

namespace {
/// Writes the body of one kind of layer.
class LayerBuilder {
public:
  LayerBuilder(ImplicitLocOpBuilder &builder, const LlamaT &llama,
               const LlamaWeights &weights, const LayerKind &kind)
      : builder(builder), llama(llama), weights(weights), kind(kind),
        operandType(weights.operandType(builder.getContext())) {}

  func::FuncOp build();

private:
  Value weight(StringRef part);
  Value linear(Value input, const std::string &projection);
  Value norm(Value input, StringRef part);
  Value round(Value input);
  Value heads(Value input, int64_t count);
  Value rotate(Value input);
  Value repeat(Value input);
  Value attention(Value query, Value key, Value value);
  Value attentionBlock(Value input);
  Value mlpBlock(Value input);

  ImplicitLocOpBuilder &builder;
  const LlamaT &llama;
  const LlamaWeights &weights;
  const LayerKind &kind;
  Type operandType;
  Value positions, layer;
  Value tokens; ///< How many there are.
};
} // namespace

/// The value of the tensor `part` of the layer at hand, or null if it is
/// absent.
Value LayerBuilder::weight(StringRef part) {
  std::string first = layerTensor(part, std::to_string(kind.layers.front()));
  if (!weights.has(first))
    return {};
  auto symbol =
      FlatSymbolRefAttr::get(builder.getContext(), layerSymbol(kind, part));
  return GetWeightOp::create(builder,
                             weights.typeOf(first, builder.getContext()),
                             builder.getArrayAttr(symbol), layer);
}

Value LayerBuilder::linear(Value input, const std::string &projection) {
  Value matrix = weight(projection + ".weight");
  return buildLinear(builder, input, matrix, weight(projection + ".bias"));
}

Value LayerBuilder::norm(Value input, StringRef part) {
  return buildNorm(builder, input, weight(part), llama.norm_epsilon,
                   operandType);
}

/// Rounds an f32 tensor to the operand type.
Value LayerBuilder::round(Value input) {
  if (operandType.isF32())
    return input;
  return arith::TruncFOp::create(builder, tensorLike(input, operandType),
                                 input);
}

/// Splits the columns of `input` [T, count * D] into heads [T, count, D].
Value LayerBuilder::heads(Value input, int64_t count) {
  RankedTensorType type =
      tensorLike(input, {ShapedType::kDynamic, count, llama.head_size});
  SmallVector<OpFoldResult> shape = {tokens, builder.getIndexAttr(count),
                                     builder.getIndexAttr(llama.head_size)};
  SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
  return tensor::ExpandShapeOp::create(builder, type, input, groups, shape);
}

Value LayerBuilder::rotate(Value input) {
  const ::tcc::schema::RotaryEmbeddingT &rotary = *llama.rotary;
  return RotaryEmbeddingOp::create(
      builder, tensorLike(input, operandType), input, positions,
      builder.getDenseF64ArrayAttr(rotary.inverse_frequencies),
      builder.getF64FloatAttr(rotary.multiplier),
      rotary.interleaved ? builder.getUnitAttr() : UnitAttr());
}

/// Repeats key or value heads until there is one for each query head.
Value LayerBuilder::repeat(Value input) {
  int64_t times = llama.query_heads / llama.key_value_heads;
  if (times == 1)
    return input;
  RankedTensorType type = tensorLike(
      input, {ShapedType::kDynamic, llama.query_heads, llama.head_size});
  return RepeatHeadsOp::create(builder, type, input, times);
}

/// Causal attention of [T, H, D] over keys and values [T, G, D], to [T, H, D].
Value LayerBuilder::attention(Value query, Value key, Value value) {
  auto scoresType = RankedTensorType::get(
      {llama.query_heads, ShapedType::kDynamic, ShapedType::kDynamic},
      builder.getF32Type());
  key = repeat(key);
  value = repeat(value);
  Value scores =
      EinsumOp::create(builder, scoresType, "thd,shd->hts", query, key);
  scores = ScaleOp::create(builder, scores,
                           APFloat(1.0 / std::sqrt(double(llama.head_size))));
  scores = CausalMaskOp::create(builder, scores, positions, positions);
  Value probabilities =
      SoftmaxOp::create(builder, tensorLike(scores, operandType), scores);
  return EinsumOp::create(builder, query.getType(), "hts,she->the",
                          probabilities, value);
}

/// The attention of a layer, without its residual addition: [T, N] to [T, N].
Value LayerBuilder::attentionBlock(Value input) {
  Value normed = norm(input, "input_layernorm.weight");
  Value query = linear(normed, "self_attn.q_proj");
  Value key = linear(normed, "self_attn.k_proj");
  Value value = linear(normed, "self_attn.v_proj");

  tokens = tensor::DimOp::create(builder, input, 0);
  query = rotate(heads(query, llama.query_heads));
  key = rotate(heads(key, llama.key_value_heads));
  value = round(heads(value, llama.key_value_heads));
  Value mixed = attention(query, key, value);

  int64_t columns = int64_t(llama.query_heads) * llama.head_size;
  SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
  mixed = tensor::CollapseShapeOp::create(
      builder, tensorLike(mixed, {ShapedType::kDynamic, columns}), mixed,
      groups);
  return linear(mixed, "self_attn.o_proj");
}

/// The gated MLP of a layer, without its residual addition: [T, N] to [T, N].
Value LayerBuilder::mlpBlock(Value input) {
  Value normed = norm(input, "post_attention_layernorm.weight");
  Value gate = linear(normed, "mlp.gate_proj");
  Value up = linear(normed, "mlp.up_proj");
  gate = SiluOp::create(builder, gate.getType(), gate);
  Value gated = arith::MulFOp::create(builder, gate, up);
  return linear(round(gated), "mlp.down_proj");
}

func::FuncOp LayerBuilder::build() {
  auto stream = RankedTensorType::get({ShapedType::kDynamic, llama.hidden_size},
                                      builder.getF32Type());
  auto tokens =
      RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  auto func = func::FuncOp::create(
      builder, kind.name,
      builder.getFunctionType({stream, tokens, builder.getIndexType()},
                              stream));
  func.setPrivate();

  OpBuilder::InsertionGuard guard(builder);
  Block *body = func.addEntryBlock();
  builder.setInsertionPointToStart(body);
  Value input = body->getArgument(0);
  positions = body->getArgument(1);
  layer = body->getArgument(2);

  Value sum = arith::AddFOp::create(builder, input, attentionBlock(input));
  sum = arith::AddFOp::create(builder, sum, mlpBlock(sum));
  func::ReturnOp::create(builder, sum);
  return func;
}

func::FuncOp mlir::tcc::buildLayer(ImplicitLocOpBuilder &builder,
                                   const LlamaT &llama,
                                   const LlamaWeights &weights,
                                   const LayerKind &kind) {
  return LayerBuilder(builder, llama, weights, kind).build();
}
