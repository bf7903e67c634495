// What the router of a mixture of experts decides, and where tokens go and come
// back from.

#include "compiler/interpreter/Interpretations.h"
#include "compiler/interpreter/Softmax.h"
#include "dialects/transformer/Transformer.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

static LogicalResult interpretSigmoid(SigmoidOp op, Execution &execution) {
  Tensor result = execution.get(op.getInput());
  for (double &element : result.values)
    element = sigmoid(element);
  return execution.set(op->getResult(0), std::move(result));
}

/// Divides each of `row` by their sum and `epsilon`.
static void divideBySum(MutableArrayRef<double> row, double epsilon) {
  double sum = epsilon;
  for (double element : row)
    sum += element;
  for (double &element : row)
    element /= sum;
}

static MutableArrayRef<double> rowOf(Tensor &tensor, int64_t row) {
  return MutableArrayRef(tensor.values)
      .slice(row * tensor.columns(), tensor.columns());
}

static LogicalResult interpretSumNorm(SumNormOp op, Execution &execution) {
  Tensor result = execution.get(op.getInput());
  for (int64_t row = 0; row < result.rows() && result.columns() > 0; ++row)
    divideBySum(rowOf(result, row), op.getEpsilon().convertToDouble());
  return execution.set(op->getResult(0), std::move(result));
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

/// The places of the `count` largest of `values`, the largest first; of equal
/// ones the lowest first, and NaN last.
static std::vector<int64_t> largestOf(ArrayRef<double> values, int64_t count) {
  std::vector<int64_t> places(values.size());
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
    bool isNumber = !std::isnan(values[a]),
         otherIsNumber = !std::isnan(values[b]);
    if (isNumber != otherIsNumber)
      return isNumber;
    if (isNumber && values[a] != values[b])
      return values[a] > values[b];
    return a < b;
  });
  places.resize(count);
  return places;
}

namespace {
/// Groups of experts, of which some are kept.
struct Groups {
  int64_t count, keep, top;
};
} // namespace

/// The `chosen` best experts by `biased` scores, within the best groups.
static std::vector<int64_t>
selectExperts(ArrayRef<double> biased, const Groups &groups, int64_t chosen) {
  int64_t size = static_cast<int64_t>(biased.size()) / groups.count;
  std::vector<double> values;
  for (int64_t group = 0; group < groups.count; ++group) {
    ArrayRef<double> members = biased.slice(group * size, size);
    double sum = 0;
    for (int64_t member : largestOf(members, groups.top))
      sum += members[member];
    values.push_back(sum);
  }
  std::vector<int64_t> kept = largestOf(values, groups.keep);
  std::sort(kept.begin(), kept.end());

  std::vector<int64_t> candidates;
  std::vector<double> scores;
  for (int64_t group : kept)
    for (int64_t expert = group * size; expert < (group + 1) * size; ++expert) {
      candidates.push_back(expert);
      scores.push_back(biased[expert]);
    }
  std::vector<int64_t> experts;
  for (int64_t place : largestOf(scores, chosen))
    experts.push_back(candidates[place]);
  return experts;
}

/// The experts of every token, [T, J], by `scores` [T, E] and the bias of `op`.
template <typename OpT>
static FailureOr<Tensor> selectAll(OpT op, const Tensor &scores, int64_t chosen,
                                   Execution &execution) {
  std::vector<double> bias(scores.columns(), 0);
  if (op.getBias())
    bias = execution.get(op.getBias()).values;
  Groups groups = {static_cast<int64_t>(op.getGroups()),
                   static_cast<int64_t>(op.getKeep()),
                   static_cast<int64_t>(op.getTop())};
  FailureOr<Tensor> result = execution.allocate(op, {scores.rows(), chosen});
  if (failed(result))
    return failure();
  for (int64_t t = 0; t < scores.rows(); ++t) {
    std::vector<double> biased;
    for (int64_t e = 0; e < scores.columns(); ++e)
      biased.push_back(scores.values[t * scores.columns() + e] + bias[e]);
    std::vector<int64_t> experts = selectExperts(biased, groups, chosen);
    std::copy(experts.begin(), experts.end(), rowOf(*result, t).begin());
  }
  return result;
}

static LogicalResult interpretSelectExperts(SelectExpertsOp op,
                                            Execution &execution) {
  FailureOr<Tensor> result = selectAll(op, execution.get(op.getScores()),
                                       op.getType().getDimSize(1), execution);
  if (failed(result))
    return failure();
  return execution.set(op->getResult(0), std::move(*result));
}

static LogicalResult interpretGatherColumns(GatherColumnsOp op,
                                            Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  const Tensor &columns = execution.get(op.getColumns());
  Shapes sizes(op);
  if (failed(sizes.bind("input", "TE", input.shape)) ||
      failed(sizes.bind("columns", "TJ", columns.shape)) ||
      failed(verifyIndices(op, "indices", columns.values, sizes['E'])))
    return failure();
  Tensor result = columns;
  for (int64_t t = 0; t < sizes['T']; ++t)
    for (double &element : rowOf(result, t))
      element = input.values[t * sizes['E'] + static_cast<int64_t>(element)];
  return execution.set(op->getResult(0), std::move(result));
}

static LogicalResult interpretRoute(RouteOp op, Execution &execution) {
  Tensor scores = execution.get(op.getLogits());
  for (int64_t t = 0; t < scores.rows(); ++t) {
    if (op.getScoring() == Scoring::Softmax)
      softmax(rowOf(scores, t));
    else
      for (double &score : rowOf(scores, t))
        score = sigmoid(score);
  }
  FailureOr<Tensor> experts =
      selectAll(op, scores, op.getExperts().getType().getDimSize(1), execution);
  if (failed(experts))
    return failure();
  Tensor weights = *experts;
  for (int64_t t = 0; t < scores.rows(); ++t) {
    MutableArrayRef<double> row = rowOf(weights, t);
    for (double &weight : row)
      weight = rowOf(scores, t)[static_cast<int64_t>(weight)];
    if (op.getNormalize())
      divideBySum(row, op.getNormalize()->convertToDouble());
    for (double &weight : row)
      weight *= op.getScale().convertToDouble();
  }
  if (failed(
          execution.set(cast<OpResult>(op.getExperts()), std::move(*experts))))
    return failure();
  return execution.set(cast<OpResult>(op.getWeights()), std::move(weights));
}

//===----------------------------------------------------------------------===//
// Dispatch and combine
//===----------------------------------------------------------------------===//

static LogicalResult interpretDispatch(DispatchOp op, Execution &execution) {
  const Tensor &experts = execution.get(op.getExperts());
  int64_t count = op.getOffsets().getType().getDimSize(0) - 1;
  if (failed(verifyIndices(op, "indices", experts.values, count)))
    return failure();
  int64_t choices = experts.columns();
  Tensor rows({static_cast<int64_t>(experts.values.size())}, {});
  Tensor places(experts.shape, std::vector<double>(experts.values.size()));
  Tensor offsets({count + 1}, {0});
  // For each expert the pairs in their order: stable by construction.
  for (int64_t expert = 0; expert < count; ++expert) {
    for (size_t pair = 0; pair < experts.values.size(); ++pair) {
      if (experts.values[pair] != static_cast<double>(expert))
        continue;
      places.values[pair] = static_cast<double>(rows.values.size());
      rows.values.push_back(
          static_cast<double>(static_cast<int64_t>(pair) / choices));
    }
    offsets.values.push_back(static_cast<double>(rows.values.size()));
  }
  if (failed(execution.set(cast<OpResult>(op.getRows()), std::move(rows))) ||
      failed(execution.set(cast<OpResult>(op.getPlaces()), std::move(places))))
    return failure();
  return execution.set(cast<OpResult>(op.getOffsets()), std::move(offsets));
}

static LogicalResult interpretCombine(CombineOp op, Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  const Tensor &places = execution.get(op.getPlaces());
  const Tensor &weights = execution.get(op.getWeights());
  Shapes sizes(op);
  if (failed(sizes.bind("input", "MN", input.shape)) ||
      failed(sizes.bind("places", "TJ", places.shape)) ||
      failed(sizes.bind("weights", "TJ", weights.shape)) ||
      failed(verifyIndices(op, "indices", places.values, sizes['M'])))
    return failure();
  FailureOr<Tensor> result = execution.allocate(op, {sizes['T'], sizes['N']});
  if (failed(result))
    return failure();
  for (int64_t t = 0; t < sizes['T']; ++t)
    for (int64_t n = 0; n < sizes['N']; ++n) {
      double sum = 0;
      for (int64_t pair = t * sizes['J']; pair < (t + 1) * sizes['J']; ++pair)
        sum +=
            weights.values[pair] *
            input
                .values[static_cast<int64_t>(places.values[pair]) * sizes['N'] +
                        n];
      result->values[t * sizes['N'] + n] = sum;
    }
  return execution.set(op->getResult(0), std::move(*result));
}

void tcc::attachRoutingInterpretations(MLIRContext *context) {
  attach<SigmoidOp, interpretSigmoid>(context);
  attach<SumNormOp, interpretSumNorm>(context);
  attach<SelectExpertsOp, interpretSelectExperts>(context);
  attach<GatherColumnsOp, interpretGatherColumns>(context);
  attach<RouteOp, interpretRoute>(context);
  attach<DispatchOp, interpretDispatch>(context);
  attach<CombineOp, interpretCombine>(context);
}
