// `tensor`: views, slices and concatenation.

#include "compiler/interpreter/Interpretations.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tcc;

/// The integers that `mixed` stands for.
static SmallVector<int64_t> integersOf(ArrayRef<OpFoldResult> mixed,
                                       Execution &execution) {
  return llvm::map_to_vector(mixed, [&](OpFoldResult entry) {
    if (auto value = dyn_cast<Value>(entry))
      return execution.getInteger(value);
    return *getConstantIntValue(entry);
  });
}

/// Gives the elements of `source` the shape `shape`.
static LogicalResult reshape(Operation *op, Value source,
                             ArrayRef<int64_t> shape, Execution &execution) {
  const Tensor &input = execution.get(source);
  FailureOr<Tensor> result = execution.allocate(op, shape);
  if (failed(result))
    return failure();
  if (result->values.size() != input.values.size())
    return op->emitOpError("expected a shape of ")
           << input.values.size() << " elements, got [" << shape << "]";
  result->values = input.values;
  return execution.set(op->getResult(0), std::move(*result));
}

static LogicalResult interpretExpand(tensor::ExpandShapeOp op,
                                     Execution &execution) {
  return reshape(op, op.getSrc(),
                 integersOf(op.getMixedOutputShape(), execution), execution);
}

static LogicalResult interpretCollapse(tensor::CollapseShapeOp op,
                                       Execution &execution) {
  const Tensor &source = execution.get(op.getSrc());
  SmallVector<int64_t> shape;
  int64_t next = 0;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    int64_t size = 1;
    for (int64_t dimension : group) {
      // The verifier of tensor lets others pass.
      if (dimension != next++ || next > source.rank())
        return op.emitOpError("expected groups of the dimensions 0 to ")
               << source.rank() - 1 << " in their order, got " << dimension;
      size *= source.shape[dimension];
    }
    shape.push_back(size);
  }
  return reshape(op, op.getSrc(), shape, execution);
}

static LogicalResult interpretCast(tensor::CastOp op, Execution &execution) {
  if (!isa<RankedTensorType>(op.getType()))
    return op.emitOpError("expected a ranked result, got ") << op.getType();
  return execution.set(op->getResult(0), execution.get(op.getSource()));
}

static LogicalResult interpretDim(tensor::DimOp op, Execution &execution) {
  int64_t index = execution.getInteger(op.getIndex());
  const Tensor &source = execution.get(op.getSource());
  if (index < 0 || index >= source.rank())
    return op.emitOpError("expected a dimension below ")
           << source.rank() << ", got " << index;
  return execution.set(op->getResult(0),
                       Tensor({}, {double(source.shape[index])}));
}

static LogicalResult interpretEmpty(tensor::EmptyOp op, Execution &execution) {
  FailureOr<Tensor> result =
      execution.allocate(op, integersOf(op.getMixedSizes(), execution));
  if (failed(result))
    return failure();
  return execution.set(op->getResult(0), std::move(*result));
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

namespace {
/// A regular selection of the elements of a tensor.
struct Slice {
  SmallVector<int64_t> offsets, sizes, strides;

  /// The place in a tensor of `shape` of the element that is number `i` of the
  /// slice in row-major order.
  int64_t place(int64_t i, ArrayRef<int64_t> shape) const {
    int64_t result = 0, weight = 1;
    for (int64_t d = static_cast<int64_t>(shape.size()) - 1; d >= 0; --d) {
      result += (offsets[d] + i % sizes[d] * strides[d]) * weight;
      i /= sizes[d];
      weight *= shape[d];
    }
    return result;
  }
};
} // namespace

/// The slice that `op` selects of a tensor of `shape`, if it lies inside.
static FailureOr<Slice> sliceOf(OffsetSizeAndStrideOpInterface op,
                                ArrayRef<int64_t> shape, Execution &execution) {
  Slice slice = {integersOf(op.getMixedOffsets(), execution),
                 integersOf(op.getMixedSizes(), execution),
                 integersOf(op.getMixedStrides(), execution)};
  for (auto [offset, size, stride, limit] : llvm::zip_equal(
           slice.offsets, slice.sizes, slice.strides, shape)) {
    int64_t last;
    bool overflows = llvm::MulOverflow(size - 1, stride, last) ||
                     llvm::AddOverflow(last, offset, last);
    bool inside = !overflows && offset >= 0 && offset < limit && last >= 0 &&
                  last < limit;
    if (size < 0 || (size > 0 && !inside))
      return op->emitOpError("expected a slice within ")
             << limit << " elements, got offset " << offset << ", size " << size
             << " and stride " << stride;
  }
  return slice;
}

static LogicalResult interpretExtractSlice(tensor::ExtractSliceOp op,
                                           Execution &execution) {
  const Tensor &source = execution.get(op.getSource());
  FailureOr<Slice> slice = sliceOf(op, source.shape, execution);
  if (failed(slice))
    return failure();
  SmallVector<int64_t> shape;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (auto [dimension, size] : llvm::enumerate(slice->sizes))
    if (!dropped.test(dimension))
      shape.push_back(size);
  FailureOr<Tensor> result = execution.allocate(op, shape);
  if (failed(result))
    return failure();
  for (size_t i = 0; i < result->values.size(); ++i)
    result->values[i] = source.values[slice->place(i, source.shape)];
  return execution.set(op->getResult(0), std::move(*result));
}

static LogicalResult interpretInsertSlice(tensor::InsertSliceOp op,
                                          Execution &execution) {
  const Tensor &source = execution.get(op.getSource());
  Tensor result = execution.get(op.getDest());
  FailureOr<Slice> slice = sliceOf(op, result.shape, execution);
  if (failed(slice))
    return failure();
  int64_t elements = 1;
  for (int64_t size : slice->sizes)
    elements *= size;
  if (elements != static_cast<int64_t>(source.values.size()))
    return op.emitOpError("expected a source of ")
           << elements << " elements, got " << source.values.size();
  for (int64_t i = 0; i < elements; ++i)
    result.values[slice->place(i, result.shape)] = source.values[i];
  return execution.set(op->getResult(0), std::move(result));
}

/// Copies `source` into `result`, at `offset` of dimension `d`.
static void copyInto(const Tensor &source, Tensor &result, int64_t d,
                     int64_t offset) {
  int64_t inner = 1;
  for (int64_t size : ArrayRef(source.shape).drop_front(d + 1))
    inner *= size;
  int64_t chunk = inner * source.shape[d], stride = inner * result.shape[d];
  if (chunk == 0)
    return;
  int64_t outer = static_cast<int64_t>(source.values.size()) / chunk;
  for (int64_t i = 0; i < outer; ++i)
    std::copy_n(source.values.begin() + i * chunk, chunk,
                result.values.begin() + i * stride + offset * inner);
}

static LogicalResult interpretConcat(tensor::ConcatOp op,
                                     Execution &execution) {
  int64_t dimension = static_cast<int64_t>(op.getDim());
  SmallVector<int64_t> shape(execution.get(op.getInputs().front()).shape);
  shape[dimension] = 0;
  for (Value value : op.getInputs()) {
    SmallVector<int64_t> other(execution.get(value).shape);
    shape[dimension] += other[dimension];
    other[dimension] = shape[dimension];
    if (other != shape)
      return op.emitOpError("expected inputs that agree in all dimensions but ")
             << dimension << ", got one of shape ["
             << ArrayRef(execution.get(value).shape) << "]";
  }
  FailureOr<Tensor> result = execution.allocate(op, shape);
  if (failed(result))
    return failure();
  int64_t offset = 0;
  for (Value value : op.getInputs()) {
    const Tensor &input = execution.get(value);
    copyInto(input, *result, dimension, offset);
    offset += input.shape[dimension];
  }
  return execution.set(op->getResult(0), std::move(*result));
}

void tcc::attachTensorInterpretations(MLIRContext *context) {
  attach<tensor::ExpandShapeOp, interpretExpand>(context);
  attach<tensor::CollapseShapeOp, interpretCollapse>(context);
  attach<tensor::CastOp, interpretCast>(context);
  attach<tensor::DimOp, interpretDim>(context);
  attach<tensor::EmptyOp, interpretEmpty>(context);
  attach<tensor::ExtractSliceOp, interpretExtractSlice>(context);
  attach<tensor::InsertSliceOp, interpretInsertSlice>(context);
  attach<tensor::ConcatOp, interpretConcat>(context);
}
