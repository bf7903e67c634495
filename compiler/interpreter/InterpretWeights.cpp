// The ops that read weights by rows.

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
      failed(sizes.bind("table", "VN", table->getShape())))
    return failure();
  FailureOr<Tensor> result = execution.allocate(op, {sizes['T'], sizes['N']});
  if (failed(result))
    return failure();
  double *row = result->values.data();
  for (double token : tokens.values) {
    if (!(token >= 0 && token < sizes['V']))
      return op.emitOpError("expected tokens of at least 0 and less than ")
             << sizes['V'] << ", got " << static_cast<int64_t>(token);
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
  const Tensor &input;        ///< [T, K]
  const Rows &weight;         ///< [N, K]
  ArrayRef<double> bias;      ///< [N], or empty
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

void tcc::attachWeightInterpretations(MLIRContext *context) {
  attach<EmbeddingOp, interpretEmbedding>(context);
  attach<LinearOp, interpretLinear>(context);
}
