// Embedding and linear layers: of tokens, of experts and of heads.

#include "compiler/interpreter/Dot.h"
#include "compiler/interpreter/Interpretations.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// embedding
//===----------------------------------------------------------------------===//

static LogicalResult interpretEmbedding(EmbeddingOp op, Execution &execution) {
  const Tensor &tokens = execution.get(op.getTokens());
  std::shared_ptr<const Rows> table = execution.getRows(op.getTable());
  Shapes sizes(op);
  if (failed(sizes.bind("tokens", "T", tokens.shape)) ||
      failed(sizes.bind("table", "VN", table->getShape())) ||
      failed(verifyIndices(op, "tokens", tokens.values, sizes['V'])))
    return failure();
  FailureOr<Tensor> result = execution.allocate(op, {sizes['T'], sizes['N']});
  if (failed(result))
    return failure();
  double *row = result->values.data();
  for (double token : tokens.values) {
    table->read(static_cast<int64_t>(token), 1, row);
    row += sizes['N'];
  }
  return execution.set(op->getResult(0), std::move(*result));
}

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

/// Rows of the weight that are decoded at a time: with K of some thousands they
/// stay in the second-level cache while all tokens pass.
static constexpr int64_t panelRows = 32;

namespace {
/// The operands of one linear layer.
struct Linear {
  const Tensor &input;            ///< [T, K]
  const Rows &weight;             ///< [N, K]
  ArrayRef<double> bias;          ///< [N], or empty
  int64_t tokens, columns, depth; ///< T, N, K

  /// Computes columns [first, first + count) of `result` [T, N].
  void computePanel(int64_t first, int64_t count, double *result) const {
    std::vector<double> panel(count * depth);
    weight.read(first, count, panel.data());
    for (int64_t t = 0; t < tokens; ++t)
      for (int64_t n = 0; n < count; ++n) {
        double sum = dot(input.values.data() + t * depth,
                         panel.data() + n * depth, depth);
        double shift = bias.empty() ? 0 : bias[first + n];
        result[t * columns + first + n] = sum + shift;
      }
  }
};
} // namespace

static LogicalResult interpretLinear(LinearOp op, Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  std::shared_ptr<const Rows> weight = execution.getRows(op.getWeight());
  ArrayRef<double> bias;
  Shapes sizes(op);
  if (failed(sizes.bind("input", "TK", input.shape)) ||
      failed(sizes.bind("weight", "NK", weight->getShape())))
    return failure();
  if (op.getBias()) {
    const Tensor &tensor = execution.get(op.getBias());
    if (failed(sizes.bind("bias", "N", tensor.shape)))
      return failure();
    bias = tensor.values;
  }
  int64_t columns = sizes['N'];
  FailureOr<Tensor> result = execution.allocate(op, {sizes['T'], columns});
  if (failed(result))
    return failure();

  Linear linear = {input, *weight, bias, sizes['T'], columns, sizes['K']};
  int64_t panels = (columns + panelRows - 1) / panelRows;
  parallelFor(op.getContext(), 0, panels, [&](int64_t panel) {
    int64_t first = panel * panelRows;
    linear.computePanel(first, std::min(panelRows, columns - first),
                        result->values.data());
  });
  return execution.set(op->getResult(0), std::move(*result));
}

//===----------------------------------------------------------------------===//
// Linear layers of experts
//===----------------------------------------------------------------------===//

/// Multiplies row `row` of `result` [rows, N]: by matrix `matrix` of `weight`
/// [E, N, K], from `input` [K].
static void multiply(const double *input, const Rows &weight, int64_t matrix,
                     double *result) {
  int64_t columns = weight.getShape()[1], depth = weight.getShape()[2];
  std::vector<double> rows(columns * depth);
  weight.read(matrix * columns, columns, rows.data());
  for (int64_t n = 0; n < columns; ++n)
    result[n] = dot(input, rows.data() + n * depth, depth);
}

static LogicalResult interpretExpertLinear(ExpertLinearOp op,
                                           Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  const Tensor &experts = execution.get(op.getExperts());
  std::shared_ptr<const Rows> weight = execution.getRows(op.getWeight());
  Shapes sizes(op);
  bool isShared = input.rank() == 2;
  if (failed(sizes.bind("input", isShared ? "TK" : "TJK", input.shape)) ||
      failed(sizes.bind("experts", "TJ", experts.shape)) ||
      failed(sizes.bind("weight", "ENK", weight->getShape())) ||
      failed(verifyIndices(op, "indices", experts.values, sizes['E'])))
    return failure();
  FailureOr<Tensor> result =
      execution.allocate(op, {sizes['T'], sizes['J'], sizes['N']});
  if (failed(result))
    return failure();
  parallelFor(op.getContext(), 0, experts.values.size(), [&](size_t pair) {
    int64_t row = isShared ? static_cast<int64_t>(pair) / sizes['J']
                           : static_cast<int64_t>(pair);
    multiply(input.values.data() + row * sizes['K'], *weight,
             static_cast<int64_t>(experts.values[pair]),
             result->values.data() + pair * sizes['N']);
  });
  return execution.set(op->getResult(0), std::move(*result));
}

static LogicalResult interpretGroupedLinear(GroupedLinearOp op,
                                            Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  const Tensor &offsets = execution.get(op.getOffsets());
  std::shared_ptr<const Rows> weight = execution.getRows(op.getWeight());
  Shapes sizes(op);
  if (failed(sizes.bind("input", "MK", input.shape)) ||
      failed(sizes.bind("weight", "ENK", weight->getShape())))
    return failure();
  bool ascends = std::is_sorted(offsets.values.begin(), offsets.values.end());
  if (offsets.columns() != sizes['E'] + 1 || !ascends ||
      offsets.values.front() != 0 ||
      offsets.values.back() != static_cast<double>(sizes['M']))
    return op.emitOpError("expected ascending offsets from 0 to ")
           << sizes['M'] << " of " << sizes['E'] << " experts";
  FailureOr<Tensor> result = execution.allocate(op, {sizes['M'], sizes['N']});
  if (failed(result))
    return failure();
  parallelFor(op.getContext(), 0, sizes['E'], [&](size_t expert) {
    auto first = static_cast<int64_t>(offsets.values[expert]);
    auto end = static_cast<int64_t>(offsets.values[expert + 1]);
    for (int64_t m = first; m < end; ++m)
      multiply(input.values.data() + m * sizes['K'], *weight,
               static_cast<int64_t>(expert),
               result->values.data() + m * sizes['N']);
  });
  return execution.set(op->getResult(0), std::move(*result));
}

//===----------------------------------------------------------------------===//
// head_linear
//===----------------------------------------------------------------------===//

static LogicalResult interpretHeadLinear(HeadLinearOp op,
                                         Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  const Tensor &weight = execution.get(op.getWeight());
  Shapes sizes(op);
  if (failed(sizes.bind("input", "THK", input.shape)) ||
      failed(sizes.bind("weight", op.getTransposed() ? "HKN" : "HNK",
                        weight.shape)))
    return failure();
  int64_t T = sizes['T'], H = sizes['H'], N = sizes['N'], K = sizes['K'];
  FailureOr<Tensor> result = execution.allocate(op, {T, H, N});
  if (failed(result))
    return failure();
  int64_t rowStride = op.getTransposed() ? 1 : K;
  int64_t columnStride = op.getTransposed() ? N : 1;
  parallelFor(op.getContext(), 0, T * H, [&](size_t row) {
    const double *x = input.values.data() + row * K;
    const double *matrix =
        weight.values.data() + static_cast<int64_t>(row) % H * N * K;
    for (int64_t n = 0; n < N; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k)
        sum += x[k] * matrix[n * rowStride + k * columnStride];
      result->values[row * N + n] = sum;
    }
  });
  return execution.set(op->getResult(0), std::move(*result));
}

void tcc::attachLinearInterpretations(MLIRContext *context) {
  attach<EmbeddingOp, interpretEmbedding>(context);
  attach<LinearOp, interpretLinear>(context);
  attach<ExpertLinearOp, interpretExpertLinear>(context);
  attach<GroupedLinearOp, interpretGroupedLinear>(context);
  attach<HeadLinearOp, interpretHeadLinear>(context);
}
