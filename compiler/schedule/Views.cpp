#include "compiler/schedule/Views.h"

#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace mlir::tcc;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// Whether `expand` makes a stack of matrices of a matrix.
static bool isByHeads(tensor::ExpandShapeOp expand) {
  return expand.getSrcType().getRank() == 2 &&
         expand.getResultType().getRank() == 3 &&
         expand.getReassociationIndices().front().size() == 2;
}

/// Whether `slice` is the same rows of each matrix of a stack.
static bool isRows(tensor::ExtractSliceOp slice) {
  RankedTensorType source = slice.getSourceType(), type = slice.getType();
  return source.getRank() == 3 && type.getRank() == 3 &&
         type.hasStaticShape() && slice.hasUnitStride() &&
         isConstantIntValue(slice.getMixedOffsets()[0], 0) &&
         !slice.isDynamicOffset(1) &&
         isConstantIntValue(slice.getMixedOffsets()[2], 0) &&
         type.getDimSize(0) == source.getDimSize(0) &&
         type.getDimSize(2) == source.getDimSize(2);
}

WeightView tcc::findWeightView(Value value) {
  if (auto get = value.getDefiningOp<transformer::GetWeightOp>())
    return {get, {}};
  auto slice = value.getDefiningOp<tensor::ExtractSliceOp>();
  if (slice && !isRows(slice))
    return {};
  Value heads = slice ? slice.getSource() : value;
  auto expand = heads.getDefiningOp<tensor::ExpandShapeOp>();
  if (!expand || !isByHeads(expand))
    return {};
  int64_t of = expand.getResultType().getDimSize(1);
  int64_t first = slice ? slice.getStaticOffset(1) : 0;
  int64_t count = cast<RankedTensorType>(value.getType()).getDimSize(1);
  return {expand.getSrc().getDefiningOp<transformer::GetWeightOp>(),
          DenseI64ArrayAttr::get(value.getContext(), {first, count, of})};
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

StridedLayoutAttr tcc::contiguousLayout(RankedTensorType type) {
  SmallVector<int64_t> strides(type.getRank(), 1);
  for (int64_t i = type.getRank() - 1; i > 0; --i)
    strides[i - 1] = strides[i] * type.getDimSize(i);
  return StridedLayoutAttr::get(type.getContext(), 0, strides);
}

StridedLayoutAttr tcc::rowLayout(RankedTensorType type, int64_t alignment) {
  StridedLayoutAttr layout = contiguousLayout(type);
  SmallVector<int64_t> strides(layout.getStrides());
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  if (type.getRank() > 1 && alignment > 1)
    strides[0] = kernel::roundUp(strides[0] * bytes, alignment) / bytes;
  return StridedLayoutAttr::get(type.getContext(), 0, strides);
}

bool tcc::isView(Operation *op) {
  return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp,
             tensor::ExtractSliceOp>(op);
}

/// Strides of the dimensions into which `groups` part those of `strides`.
static SmallVector<int64_t> expand(ArrayRef<ReassociationIndices> groups,
                                   ArrayRef<int64_t> shape,
                                   ArrayRef<int64_t> strides) {
  SmallVector<int64_t> result(shape.size());
  for (auto [group, stride] : llvm::zip(groups, strides)) {
    int64_t next = stride;
    for (int64_t dimension : llvm::reverse(group)) {
      result[dimension] = next;
      next *= shape[dimension];
    }
  }
  return result;
}

/// Strides of the dimensions that `groups` join, or failure if the elements of
/// a group are not equally far apart.
static FailureOr<SmallVector<int64_t>>
collapse(ArrayRef<ReassociationIndices> groups, ArrayRef<int64_t> shape,
         ArrayRef<int64_t> strides) {
  SmallVector<int64_t> result;
  for (const ReassociationIndices &group : groups) {
    result.push_back(strides[group.back()]);
    int64_t next = strides[group.back()];
    for (int64_t dimension : llvm::reverse(group)) {
      if (strides[dimension] != next)
        return failure();
      next *= shape[dimension];
    }
  }
  return result;
}

FailureOr<StridedLayoutAttr> tcc::viewLayout(Operation *op,
                                             StridedLayoutAttr layout) {
  int64_t offset = layout.getOffset();
  SmallVector<int64_t> strides(layout.getStrides());
  auto shape = cast<RankedTensorType>(op->getOperand(0).getType()).getShape();
  if (auto view = dyn_cast<tensor::ExpandShapeOp>(op)) {
    strides = expand(view.getReassociationIndices(),
                     view.getResultType().getShape(), strides);
  } else if (auto view = dyn_cast<tensor::CollapseShapeOp>(op)) {
    FailureOr<SmallVector<int64_t>> joined =
        collapse(view.getReassociationIndices(), shape, strides);
    if (failed(joined))
      return op->emitOpError("cannot be scheduled: expected elements that are "
                             "equally far apart in their buffer");
    strides = *joined;
  } else {
    auto slice = cast<tensor::ExtractSliceOp>(op);
    if (!slice.hasUnitStride() ||
        slice.getType().getRank() != slice.getSourceType().getRank() ||
        llvm::any_of(slice.getStaticOffsets(), ShapedType::isDynamic) ||
        slice.getStaticOffset(0) != 0)
      return op->emitOpError(
          "cannot be scheduled: expected a part of all rows, "
          "at constant offsets");
    for (auto [at, stride] : llvm::zip(slice.getStaticOffsets(), strides))
      offset += at * stride;
  }
  return StridedLayoutAttr::get(op->getContext(), offset, strides);
}
