#include "frontends/importer/LayerBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

RankedTensorType mlir::tcc::tensorLike(Value value, ArrayRef<int64_t> shape) {
  return cast<RankedTensorType>(value.getType()).clone(shape);
}

RankedTensorType mlir::tcc::tensorLike(Value value, Type element) {
  return cast<RankedTensorType>(value.getType()).clone(element);
}

Value mlir::tcc::buildNorm(ImplicitLocOpBuilder &builder, Value input,
                           Value weight, double epsilon, Type operandType) {
  return RMSNormOp::create(builder, tensorLike(input, operandType), input,
                           weight, builder.getF64FloatAttr(epsilon));
}

Value mlir::tcc::buildRounding(ImplicitLocOpBuilder &builder, Value input,
                               Type operandType) {
  if (operandType.isF32())
    return input;
  return arith::TruncFOp::create(builder, tensorLike(input, operandType),
                                 input);
}

Value mlir::tcc::buildLinear(ImplicitLocOpBuilder &builder, Value input,
                             Value weight, Value bias) {
  int64_t columns = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  auto type = RankedTensorType::get({ShapedType::kDynamic, columns},
                                    builder.getF32Type());
  return LinearOp::create(builder, type, input, weight, bias);
}

Value LayerBuilder::weight(StringRef part) {
  return weights.get(builder, kind, part, layer);
}

Value LayerBuilder::linear(Value input, const std::string &projection) {
  Value matrix = weight(projection + ".weight");
  return buildLinear(builder, input, matrix, weight(projection + ".bias"));
}

Value LayerBuilder::norm(Value input, StringRef part) {
  return buildNorm(builder, input, weight(part), sizes.normEpsilon,
                   operandType);
}

Value LayerBuilder::add(Value left, Value right) {
  return arith::AddFOp::create(builder, left, right);
}

void LayerBuilder::countTokens(Value stream) {
  tokens = tensor::DimOp::create(builder, stream, 0);
}

Value LayerBuilder::splitHeads(Value input, int64_t count, int64_t size) {
  RankedTensorType type =
      tensorLike(input, {ShapedType::kDynamic, count, size});
  SmallVector<OpFoldResult> shape = {tokens, builder.getIndexAttr(count),
                                     builder.getIndexAttr(size)};
  SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
  return tensor::ExpandShapeOp::create(builder, type, input, groups, shape);
}

Value LayerBuilder::mergeHeads(Value input) {
  auto type = cast<RankedTensorType>(input.getType());
  int64_t columns = type.getDimSize(1) * type.getDimSize(2);
  SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
  return tensor::CollapseShapeOp::create(
      builder, tensorLike(input, {ShapedType::kDynamic, columns}), input,
      groups);
}

Value LayerBuilder::rotate(Value input,
                           const ::tcc::schema::RotaryEmbeddingT &rotary) {
  return RotaryEmbeddingOp::create(
      builder, tensorLike(input, operandType), input, positions,
      builder.getDenseF64ArrayAttr(rotary.inverse_frequencies),
      builder.getF64FloatAttr(rotary.multiplier),
      rotary.interleaved ? builder.getUnitAttr() : UnitAttr());
}

Value LayerBuilder::repeatHeads(Value input, int64_t count) {
  auto type = cast<RankedTensorType>(input.getType());
  int64_t times = count / type.getDimSize(1);
  if (times == 1)
    return input;
  RankedTensorType repeated =
      tensorLike(input, {ShapedType::kDynamic, count, type.getDimSize(2)});
  return RepeatHeadsOp::create(builder, repeated, input, times);
}

Value LayerBuilder::attention(Value query, Value key, Value value,
                              double scale) {
  int64_t heads = cast<RankedTensorType>(query.getType()).getDimSize(1);
  auto scoresType =
      RankedTensorType::get({heads, ShapedType::kDynamic, ShapedType::kDynamic},
                            builder.getF32Type());
  Value scores =
      EinsumOp::create(builder, scoresType, "thd,shd->hts", query, key);
  scores = ScaleOp::create(builder, scores, APFloat(scale));
  scores = CausalMaskOp::create(builder, scores, positions, positions);
  Value probabilities =
      SoftmaxOp::create(builder, tensorLike(scores, operandType), scores);
  return EinsumOp::create(builder, value.getType(), "hts,she->the",
                          probabilities, value);
}

Value LayerBuilder::gatedMlp(Value input, const std::string &prefix) {
  Value gate = linear(input, prefix + "gate_proj");
  Value up = linear(input, prefix + "up_proj");
  gate = SiluOp::create(builder, gate.getType(), gate);
  Value gated = arith::MulFOp::create(builder, gate, up);
  return linear(round(gated), prefix + "down_proj");
}

func::FuncOp LayerBuilder::build() {
  auto stream = RankedTensorType::get({ShapedType::kDynamic, sizes.hidden},
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
  positions = body->getArgument(1);
  layer = body->getArgument(2);
  Value sum = addMlp(addAttention(body->getArgument(0)));
  func::ReturnOp::create(builder, sum);
  return func;
}
