// Weights, and the ops that read them by rows.

#include "compiler/interpreter/Interpretations.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// get_weight
//===----------------------------------------------------------------------===//

namespace {
/// Tensors of a checkpoint on top of each other.
class WeightRows : public Rows {
public:
  struct Part {
    std::string tensor;
    RankedTensorType type;
  };

  WeightRows(RankedTensorType type, SmallVector<Part> parts,
             const WeightSource &source)
      : Rows(type.getShape()), parts(std::move(parts)), source(source) {}

  void read(int64_t first, int64_t count, double *result) const override {
    if (shape.size() == 1)
      return readVector(result);
    int64_t begin = 0;
    for (const Part &part : parts) {
      int64_t end = begin + part.type.getDimSize(0);
      int64_t from = std::max(first, begin), to = std::min(first + count, end);
      if (from < to)
        source.read(part.tensor, part.type, from - begin, to - from,
                    result + (from - first) * shape.back());
      begin = end;
    }
  }

private:
  void readVector(double *result) const {
    for (const Part &part : parts) {
      source.read(part.tensor, part.type, 0, 1, result);
      result += part.type.getDimSize(0);
    }
  }

  SmallVector<Part> parts;
  const WeightSource &source;
};
} // namespace

/// Whether `layer` is in one of the ranges (first, count) of `ranges`.
static bool hasLayer(ArrayRef<int64_t> ranges, int64_t layer) {
  for (; ranges.size() >= 2; ranges = ranges.drop_front(2))
    if (layer >= ranges[0] && layer - ranges[0] < ranges[1])
      return true;
  return false;
}

/// The name of the tensor that `weight` stands for in `layer`.
static FailureOr<std::string> tensorOf(GetWeightOp op, WeightOp weight,
                                       Execution &execution) {
  StringRef name = weight.getTensor();
  if (!op.getLayer())
    return name.str();
  int64_t layer = execution.getInteger(op.getLayer());
  if (!weight.getLayers() || !hasLayer(*weight.getLayers(), layer))
    return op.emitOpError("expected a layer of '@")
           << weight.getSymName() << "', got " << layer;
  auto [head, tail] = name.split("{layer}");
  return (head + Twine(layer) + tail).str();
}

static LogicalResult interpretGetWeight(GetWeightOp op, Execution &execution) {
  SmallVector<WeightRows::Part> parts;
  for (auto symbol : op.getWeights().getAsRange<FlatSymbolRefAttr>()) {
    auto weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, symbol);
    FailureOr<std::string> tensor = tensorOf(op, weight, execution);
    if (failed(tensor))
      return failure();
    auto type = cast<RankedTensorType>(weight.getType());
    if (failed(execution.getWeights().check(
            *tensor, type, [&] { return op.emitOpError(); })))
      return failure();
    parts.push_back({*tensor, type});
  }
  auto rows = std::make_shared<WeightRows>(op.getType(), std::move(parts),
                                           execution.getWeights());
  execution.setValue(op.getResult(), {nullptr, std::move(rows)});
  return success();
}

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

/// Independent partial sums. Their number and order are fixed, so that the sum
/// of a row does not depend on where the row stands.
static constexpr int64_t lanes = 8;

/// The sum of products of `left` and `right`, both [size].
static double dot(const double *left, const double *right, int64_t size) {
  double partial[lanes] = {};
  int64_t k = 0;
  for (; k + lanes <= size; k += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      partial[lane] += left[k + lane] * right[k + lane];
  double sum = 0;
  for (double lane : partial)
    sum += lane;
  for (; k < size; ++k)
    sum += left[k] * right[k];
  return sum;
}

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
  attach<GetWeightOp, interpretGetWeight>(context);
  attach<EmbeddingOp, interpretEmbedding>(context);
  attach<LinearOp, interpretLinear>(context);
}
