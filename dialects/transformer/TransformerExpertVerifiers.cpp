// Verifiers of the `transformer` ops of experts.
//
// Each check carries the number of the constraint it enforces in the op's
// description in TransformerExpertOps.td, and has a test of the same number in
// test/dialects/transformer/invalid-experts.mlir.

#include "dialects/transformer/Shapes.h"
#include "dialects/transformer/Transformer.h"

using namespace mlir;
using namespace mlir::tcc::transformer;

/// Verifies C1 to C3 of the ops that select experts, with the shapes of
/// `scores` [T, E] and `experts` [T, J].
template <typename OpT>
static LogicalResult verifySelection(OpT op, RankedTensorType scores,
                                     RankedTensorType experts) {
  RankedTensorType bias;
  if (op.getBias())
    bias = op.getBias().getType();
  if (scores.getRank() != 2 || experts.getRank() != 2 ||
      !agree(scores.getDimSize(0), experts.getDimSize(0)) ||
      scores.isDynamicDim(1) || experts.isDynamicDim(1) ||
      scores.getDimSize(1) < 1 || experts.getDimSize(1) < 1 ||
      (bias && bias.getShape() != scores.getShape().drop_front())) // C1
    return op.emitOpError("expected shapes TxE, E and TxJ, with E and J static "
                          "and positive, got ")
           << scores << " to " << experts;
  int64_t count = scores.getDimSize(1);
  auto groups = static_cast<int64_t>(op.getGroups());
  auto keep = static_cast<int64_t>(op.getKeep());
  auto top = static_cast<int64_t>(op.getTop());
  if (!canSelect(count, groups, keep, top)) // C2
    return op.emitOpError(
               "expected groups that divide the experts, of which some "
               "are kept by some of their experts, got ")
           << groups << ", " << keep << " and " << top << " for " << count
           << " experts";
  if (experts.getDimSize(1) > keep * (count / groups)) // C3
    return op.emitOpError("expected at most ")
           << keep * (count / groups) << " experts of a token, got "
           << experts.getDimSize(1);
  return success();
}

LogicalResult SelectExpertsOp::verify() {
  return verifySelection(*this, getScores().getType(), getType());
}

LogicalResult GatherColumnsOp::verify() {
  RankedTensorType input = getInput().getType();
  RankedTensorType columns = getColumns().getType(), result = getType();
  if (input.getRank() != 2 || columns.getRank() != 2 ||
      result.getElementType() != input.getElementType() ||
      !agree(result.getShape(), columns.getShape()) ||
      !agree(input.getDimSize(0), columns.getDimSize(0))) // C1
    return emitOpError(
               "expected a result of the selected elements of each row, "
               "got ")
           << input << " and " << columns << " to " << result;
  return success();
}

LogicalResult SumNormOp::verify() {
  if (!getEpsilon().isFinite() || getEpsilon().isNegative()) // C1
    return emitOpError("expected epsilon not to be negative, got ")
           << getEpsilon().convertToDouble();
  return success();
}

LogicalResult ExpertLinearOp::verify() {
  RankedTensorType input = getInput().getType(), weight = getWeight().getType();
  RankedTensorType experts = getExperts().getType(), result = getType();
  bool ranks = (input.getRank() == 2 || input.getRank() == 3) &&
               experts.getRank() == 2 && weight.getRank() == 3 &&
               result.getRank() == 3;
  if (!ranks || !agree(input.getDimSize(0), experts.getDimSize(0)) ||
      (input.getRank() == 3 &&
       !agree(input.getDimSize(1), experts.getDimSize(1))) ||
      !agree(input.getShape().back(), weight.getDimSize(2)) ||
      !agree(result.getShape(), {experts.getDimSize(0), experts.getDimSize(1),
                                 weight.getDimSize(1)})) // C1
    return emitOpError(
               "expected shapes TxK or TxJxK, TxJ, ExNxK and TxJxN, got ")
           << input << ", " << experts << ", " << weight << " and " << result;
  return success();
}

LogicalResult RouteOp::verify() {
  RankedTensorType experts = getExperts().getType();
  if (!agree(experts.getShape(), getWeights().getType().getShape())) // C1
    return emitOpError("expected experts and weights of one shape, got ")
           << experts << " and " << getWeights().getType();
  if (failed(verifySelection(*this, getLogits().getType(), experts)))
    return failure();
  if (getNormalize() &&
      (!getNormalize()->isFinite() || getNormalize()->isNegative())) // C4
    return emitOpError("expected normalize not to be negative, got ")
           << getNormalize()->convertToDouble();
  return success();
}

LogicalResult mlir::tcc::transformer::verifyDispatch(Operation *op,
                                                     ShapedType experts,
                                                     ShapedType rows,
                                                     ShapedType places,
                                                     ShapedType offsets) {
  if (experts.getRank() != 2 || !agree(experts.getShape(), places.getShape()) ||
      rows.getRank() != 1 || offsets.getRank() != 1 ||
      !offsets.hasStaticShape() || offsets.getDimSize(0) < 2)
    return op->emitOpError(
               "expected shapes TxJ to M, TxJ and a static E + 1, got ")
           << experts << " to " << rows << ", " << places << " and " << offsets;
  return success();
}

LogicalResult DispatchOp::verify() {
  return verifyDispatch(*this, getExperts().getType(), getRows().getType(),
                        getPlaces().getType(), getOffsets().getType()); // C1
}

LogicalResult GroupedLinearOp::verify() {
  RankedTensorType input = getInput().getType(), weight = getWeight().getType();
  RankedTensorType offsets = getOffsets().getType(), result = getType();
  if (input.getRank() != 2 || weight.getRank() != 3 || offsets.getRank() != 1 ||
      !agree(input.getDimSize(1), weight.getDimSize(2)) ||
      !agree(offsets.getDimSize(0), weight.getDimSize(0) + 1) ||
      !agree(result.getShape(),
             {input.getDimSize(0), weight.getDimSize(1)})) // C1
    return emitOpError("expected shapes MxK, ExNxK, E + 1 and MxN, got ")
           << input << ", " << weight << ", " << offsets << " and " << result;
  return success();
}

LogicalResult CombineOp::verify() {
  RankedTensorType input = getInput().getType(), places = getPlaces().getType();
  RankedTensorType weights = getWeights().getType(), result = getType();
  if (input.getRank() != 2 || places.getRank() != 2 ||
      !agree(places.getShape(), weights.getShape()) ||
      !agree(result.getShape(),
             {places.getDimSize(0), input.getDimSize(1)})) // C1
    return emitOpError("expected shapes MxN, TxJ, TxJ and TxN, got ")
           << input << ", " << places << ", " << weights << " and " << result;
  return success();
}
