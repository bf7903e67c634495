// Ops that work on each row by itself: norms, activation functions, softmax,
// selection.

#include "compiler/interpreter/Interpretations.h"
#include "compiler/interpreter/Softmax.h"
#include "dialects/transformer/Transformer.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

/// The norm of every row of `input`; `weight` has one element for each column.
static FailureOr<Tensor> normalise(Operation *op, const Tensor &input,
                                   const Tensor &weight, double epsilon,
                                   Execution &execution) {
  int64_t columns = input.columns();
  if (weight.rank() != 1 || weight.columns() != columns)
    return op->emitOpError("expected a weight of ")
           << columns << " elements, got shape [" << ArrayRef(weight.shape)
           << "]";
  FailureOr<Tensor> result = execution.allocate(op, input.shape);
  if (failed(result))
    return failure();
  for (int64_t row = 0; row < input.rows(); ++row) {
    const double *x = input.values.data() + row * columns;
    double squares = 0;
    for (int64_t i = 0; i < columns; ++i)
      squares += x[i] * x[i];
    double root = std::sqrt(squares / static_cast<double>(columns) + epsilon);
    for (int64_t i = 0; i < columns; ++i)
      result->values[row * columns + i] = weight.values[i] * x[i] / root;
  }
  return result;
}

static LogicalResult interpretRMSNorm(RMSNormOp op, Execution &execution) {
  FailureOr<Tensor> result = normalise(
      op, execution.get(op.getInput()), execution.get(op.getWeight()),
      op.getEpsilon().convertToDouble(), execution);
  if (failed(result))
    return failure();
  return execution.set(op->getResult(0), std::move(*result));
}

static LogicalResult interpretResidualRMSNorm(ResidualRMSNormOp op,
                                              Execution &execution) {
  Tensor sum = execution.get(op.getInput());
  const Tensor &residual = execution.get(op.getResidual());
  if (failed(verifySameShape(op, "operands", sum, residual)))
    return failure();
  for (auto [element, other] : llvm::zip_equal(sum.values, residual.values))
    element += other;
  // The norm reads the sum as it was rounded.
  if (failed(execution.set(cast<OpResult>(op.getSum()), std::move(sum))))
    return failure();
  FailureOr<Tensor> result = normalise(
      op, execution.get(op.getSum()), execution.get(op.getWeight()),
      op.getEpsilon().convertToDouble(), execution);
  if (failed(result))
    return failure();
  return execution.set(cast<OpResult>(op.getResult()), std::move(*result));
}

//===----------------------------------------------------------------------===//
// Activation functions
//===----------------------------------------------------------------------===//

/// x / (1 + exp(-x)). The limit is written out, as -inf / inf is no number.
static double silu(double x) {
  return x == -std::numeric_limits<double>::infinity()
             ? 0
             : x / (1 + std::exp(-x));
}

static LogicalResult interpretSilu(SiluOp op, Execution &execution) {
  Tensor result = execution.get(op.getInput());
  for (double &element : result.values)
    element = silu(element);
  return execution.set(op->getResult(0), std::move(result));
}

static LogicalResult interpretScale(ScaleOp op, Execution &execution) {
  Tensor result = execution.get(op.getInput());
  double factor = op.getFactor().convertToDouble();
  for (double &element : result.values)
    element *= factor;
  return execution.set(op->getResult(0), std::move(result));
}

static LogicalResult interpretSwiglu(SwigluOp op, Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  int64_t rows = input.rows(), columns = input.columns() / 2;
  if (input.rank() != 2 || input.columns() % 2 != 0)
    return op.emitOpError("expected an even number of columns, got shape [")
           << ArrayRef(input.shape) << "]";
  FailureOr<Tensor> result = execution.allocate(op, {rows, columns});
  if (failed(result))
    return failure();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < columns; ++i) {
      const double *gate = input.values.data() + row * 2 * columns;
      result->values[row * columns + i] = silu(gate[i]) * gate[columns + i];
    }
  return execution.set(op->getResult(0), std::move(*result));
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static LogicalResult interpretSoftmax(SoftmaxOp op, Execution &execution) {
  Tensor result = execution.get(op.getInput());
  int64_t columns = result.columns();
  for (int64_t row = 0; row < result.rows(); ++row)
    softmax(MutableArrayRef(result.values).slice(row * columns, columns));
  return execution.set(op->getResult(0), std::move(result));
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

static LogicalResult interpretGatherRows(GatherRowsOp op,
                                         Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  const Tensor &rows = execution.get(op.getRows());
  Shapes sizes(op);
  SmallVector<int64_t> shape(input.shape);
  if (failed(sizes.bind("rows", "R", rows.shape)) ||
      failed(verifyIndices(op, "rows", rows.values, shape.front())))
    return failure();
  shape.front() = sizes['R'];
  FailureOr<Tensor> result = execution.allocate(op, shape);
  if (failed(result))
    return failure();
  int64_t width = sizes['R'] == 0
                      ? 0
                      : static_cast<int64_t>(result->values.size()) / sizes['R'];
  for (int64_t r = 0; r < sizes['R']; ++r)
    std::copy_n(input.values.begin() +
                    static_cast<int64_t>(rows.values[r]) * width,
                width, result->values.begin() + r * width);
  return execution.set(op->getResult(0), std::move(*result));
}

void tcc::attachRowInterpretations(MLIRContext *context) {
  attach<RMSNormOp, interpretRMSNorm>(context);
  attach<ResidualRMSNormOp, interpretResidualRMSNorm>(context);
  attach<SiluOp, interpretSilu>(context);
  attach<ScaleOp, interpretScale>(context);
  attach<SwigluOp, interpretSwiglu>(context);
  attach<SoftmaxOp, interpretSoftmax>(context);
  attach<GatherRowsOp, interpretGatherRows>(context);
}
