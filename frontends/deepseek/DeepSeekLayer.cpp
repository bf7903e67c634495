#include "frontends/deepseek/DeepSeekLayer.h"

#include "frontends/model/DeepSeekTensors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

Value DeepSeekLayer::columns(Value input, int64_t first, int64_t count) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = count;
  SmallVector<OpFoldResult> offsets(shape.size(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(shape.size(), builder.getIndexAttr(1));
  SmallVector<OpFoldResult> lengths = {tokens};
  for (int64_t size : ArrayRef(shape).drop_front())
    lengths.push_back(builder.getIndexAttr(size));
  offsets.back() = builder.getIndexAttr(first);
  return tensor::ExtractSliceOp::create(builder, tensorLike(input, shape),
                                        input, offsets, lengths, strides);
}

/// Puts the elements of two tensors [T, H, D] and [T, H, E] beside each other.
Value DeepSeekLayer::concatenate(Value left, Value right) {
  return tensor::ConcatOp::create(builder, /*dim=*/2, ValueRange{left, right});
}

Value DeepSeekLayer::latentNorm(Value input, StringRef part) {
  return buildNorm(builder, input, weight(part), deepSeek.latent_norm_epsilon,
                   operandType);
}

/// Queries [T, H, plain + rotary].
Value DeepSeekLayer::query(Value normed) {
  Value flat;
  if (deepSeek.query_rank) {
    Value low = linear(normed, "self_attn.q_a_proj");
    low = latentNorm(low, "self_attn.q_a_layernorm.weight");
    flat = linear(low, "self_attn.q_b_proj");
  } else {
    flat = linear(normed, "self_attn.q_proj");
  }
  int64_t plain = deepSeek.plain_size, rotary = deepSeek.rotary_size;
  Value heads = splitHeads(flat, deepSeek.heads, plain + rotary);
  Value rotated = rotate(columns(heads, plain, rotary), *deepSeek.rotary);
  return concatenate(round(columns(heads, 0, plain)), rotated);
}

/// Keys [T, H, plain + rotary], of which all heads share what is rotated, and
/// values [T, H, E].
std::pair<Value, Value> DeepSeekLayer::keyAndValue(Value normed) {
  int64_t latentSize = deepSeek.latent_size, rotary = deepSeek.rotary_size;
  int64_t plain = deepSeek.plain_size, valueSize = deepSeek.value_size;
  Value low = linear(normed, "self_attn.kv_a_proj_with_mqa");
  Value latent = latentNorm(columns(low, 0, latentSize),
                            "self_attn.kv_a_layernorm.weight");
  Value shared = splitHeads(columns(low, latentSize, rotary), 1, rotary);
  Value rotated = repeatHeads(rotate(shared, *deepSeek.rotary), deepSeek.heads);

  Value flat = linear(latent, "self_attn.kv_b_proj");
  Value heads = splitHeads(flat, deepSeek.heads, plain + valueSize);
  Value key = concatenate(round(columns(heads, 0, plain)), rotated);
  return {key, round(columns(heads, plain, valueSize))};
}

Value DeepSeekLayer::addAttention(Value stream) {
  countTokens(stream);
  Value normed = norm(stream, "input_layernorm.weight");
  Value queries = query(normed);
  auto [keys, values] = keyAndValue(normed);
  Value mixed = attention(queries, keys, values, deepSeek.softmax_scale);
  return add(stream, linear(mergeHeads(mixed), "self_attn.o_proj"));
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

Value DeepSeekLayer::score(Value logits) {
  if (deepSeek.scoring == ::tcc::schema::Scoring::Sigmoid)
    return SigmoidOp::create(builder, logits.getType(), logits);
  return SoftmaxOp::create(builder, logits.getType(), logits);
}

/// The bias [E] that helps to choose experts, in f32, or null.
Value DeepSeekLayer::selectionBias() {
  if (!deepSeek.selection_bias)
    return {};
  Value bias = weight("mlp.gate.e_score_correction_bias");
  RankedTensorType wide = tensorLike(bias, builder.getF32Type());
  if (bias.getType() == wide)
    return bias;
  return arith::ExtFOp::create(builder, wide, bias);
}

Value DeepSeekLayer::weigh(Value scores, Value experts) {
  RankedTensorType type =
      tensorLike(scores, {ShapedType::kDynamic, deepSeek.experts_per_token});
  Value chosen = GatherColumnsOp::create(builder, type, scores, experts);
  // The constant of every published implementation.
  if (deepSeek.normalised)
    chosen = SumNormOp::create(builder, type, chosen, APFloat(1e-20));
  if (deepSeek.weight_scale == 1)
    return chosen;
  return ScaleOp::create(builder, chosen, APFloat(deepSeek.weight_scale));
}

/// Multiplies `input` [T, K] or [T, J, K] by the matrix of each chosen expert,
/// to [T, J, N].
Value DeepSeekLayer::expertLinear(Value input, Value experts,
                                  StringRef projection) {
  Value stack =
      weight(("mlp.experts.{expert}." + projection + ".weight").str());
  int64_t columns = cast<RankedTensorType>(stack.getType()).getDimSize(1);
  auto type = RankedTensorType::get(
      {ShapedType::kDynamic, deepSeek.experts_per_token, columns},
      builder.getF32Type());
  return ExpertLinearOp::create(builder, type, input, experts, stack);
}

Value DeepSeekLayer::mixExperts(Value input, Value experts,
                                Value expertWeights) {
  Value gate = expertLinear(input, experts, "gate_proj");
  Value up = expertLinear(input, experts, "up_proj");
  gate = SiluOp::create(builder, gate.getType(), gate);
  Value gated = arith::MulFOp::create(builder, gate, up);
  Value down = expertLinear(round(gated), experts, "down_proj");
  RankedTensorType type =
      tensorLike(expertWeights, {ShapedType::kDynamic, sizes.hidden});
  return EinsumOp::create(builder, type, "tj,tjn->tn", expertWeights, down);
}

Value DeepSeekLayer::addMlp(Value stream) {
  StringRef normName = "post_attention_layernorm.weight";
  if (!::tcc::hasExperts(deepSeek, kind.layers.front()))
    return add(stream, gatedMlp(norm(stream, normName), "mlp."));

  // The router reads the norm in f32.
  Value wide = buildNorm(builder, stream, weight(normName), sizes.normEpsilon,
                         builder.getF32Type());
  Value normed = round(wide);
  Value scores = score(linear(wide, "mlp.gate"));
  auto chosenType = RankedTensorType::get(
      {ShapedType::kDynamic, deepSeek.experts_per_token}, builder.getI32Type());
  Value experts = SelectExpertsOp::create(
      builder, chosenType, scores, selectionBias(), deepSeek.groups,
      deepSeek.kept_groups, deepSeek.group_top);
  Value mixed = mixExperts(normed, experts, weigh(scores, experts));
  Value sum = add(stream, mixed);
  if (!deepSeek.shared_experts)
    return sum;
  return add(sum, gatedMlp(normed, "mlp.shared_experts."));
}
