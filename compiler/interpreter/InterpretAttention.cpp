// Attention without a cache: its parts as the paper writes them, and fused.

#include "compiler/interpreter/Attend.h"
#include "compiler/interpreter/Interpretations.h"
#include "compiler/interpreter/Rounding.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/IR/Threading.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// rotary_embedding
//===----------------------------------------------------------------------===//

namespace {
/// Cosines and sines of one token.
struct Rotation {
  std::vector<double> cosines, sines;
};
} // namespace

static Rotation rotationOf(RotaryEmbeddingOp op, double position,
                           const Execution &execution) {
  // With roundings, both are f32 as the op says.
  Type type = execution.getOptions().round
                  ? Type(Float32Type::get(op.getContext()))
                  : Type(Float64Type::get(op.getContext()));
  double multiplier = op.getMultiplier().convertToDouble();
  Rotation rotation;
  for (double frequency : op.getFrequencies()) {
    double angle = position * frequency;
    rotation.cosines.push_back(roundTo(type, multiplier * std::cos(angle)));
    rotation.sines.push_back(roundTo(type, multiplier * std::sin(angle)));
  }
  return rotation;
}

/// Rotates one head `x` [D] by `rotation` into `result` [D].
static void rotate(const Rotation &rotation, bool interleaved, const double *x,
                   double *result) {
  int64_t pairs = static_cast<int64_t>(rotation.cosines.size());
  for (int64_t j = 0; j < pairs; ++j) {
    int64_t a = interleaved ? 2 * j : j;
    int64_t b = interleaved ? 2 * j + 1 : j + pairs;
    double c = rotation.cosines[j], s = rotation.sines[j];
    result[a] = x[a] * c - x[b] * s;
    result[b] = x[b] * c + x[a] * s;
  }
}

static LogicalResult interpretRotaryEmbedding(RotaryEmbeddingOp op,
                                              Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  const Tensor &positions = execution.get(op.getPositions());
  Shapes sizes(op);
  if (failed(sizes.bind("input", "THD", input.shape)) ||
      failed(sizes.bind("positions", "T", positions.shape)))
    return failure();
  int64_t size = sizes['D'];
  if (size != 2 * static_cast<int64_t>(op.getFrequencies().size()))
    return op.emitOpError("expected a head size of twice the frequencies, got ")
           << size;
  FailureOr<Tensor> result = execution.allocate(op, input.shape);
  if (failed(result))
    return failure();
  for (int64_t t = 0; t < sizes['T']; ++t) {
    Rotation rotation = rotationOf(op, positions.values[t], execution);
    for (int64_t h = 0; h < sizes['H']; ++h) {
      int64_t offset = (t * sizes['H'] + h) * size;
      rotate(rotation, op.getInterleaved(), input.values.data() + offset,
             result->values.data() + offset);
    }
  }
  return execution.set(op->getResult(0), std::move(*result));
}

//===----------------------------------------------------------------------===//
// repeat_heads, causal_mask
//===----------------------------------------------------------------------===//

static LogicalResult interpretRepeatHeads(RepeatHeadsOp op,
                                          Execution &execution) {
  const Tensor &input = execution.get(op.getInput());
  Shapes sizes(op);
  if (failed(sizes.bind("input", "SGD", input.shape)))
    return failure();
  int64_t times = op.getTimes(), size = sizes['D'];
  FailureOr<Tensor> result =
      execution.allocate(op, {sizes['S'], sizes['G'] * times, size});
  if (failed(result))
    return failure();
  for (int64_t row = 0; row < sizes['S'] * sizes['G'] * times; ++row)
    std::copy_n(input.values.begin() + row / times * size, size,
                result->values.begin() + row * size);
  return execution.set(op->getResult(0), std::move(*result));
}

static LogicalResult interpretCausalMask(CausalMaskOp op,
                                         Execution &execution) {
  Tensor result = execution.get(op.getScores());
  const Tensor &queries = execution.get(op.getQueryPositions());
  const Tensor &keys = execution.get(op.getKeyPositions());
  Shapes sizes(op);
  if (failed(sizes.bind("scores", "HTS", result.shape)) ||
      failed(sizes.bind("query_positions", "T", queries.shape)) ||
      failed(sizes.bind("key_positions", "S", keys.shape)))
    return failure();
  for (int64_t row = 0; row < result.rows(); ++row)
    for (int64_t s = 0; s < sizes['S']; ++s)
      if (keys.values[s] > queries.values[row % sizes['T']])
        result.values[row * sizes['S'] + s] =
            -std::numeric_limits<double>::infinity();
  return execution.set(op->getResult(0), std::move(result));
}

//===----------------------------------------------------------------------===//
// attention
//===----------------------------------------------------------------------===//

static LogicalResult bindAttention(AttentionOp op, Execution &execution,
                                   Shapes &sizes) {
  if (failed(sizes.bind("query", "THD", execution.get(op.getQuery()).shape)) ||
      failed(sizes.bind("key", "SGD", execution.get(op.getKey()).shape)) ||
      failed(sizes.bind("value", "SGE", execution.get(op.getValue()).shape)) ||
      failed(sizes.bind("query_positions", "T",
                        execution.get(op.getQueryPositions()).shape)) ||
      failed(sizes.bind("key_positions", "S",
                        execution.get(op.getKeyPositions()).shape)))
    return failure();
  if (sizes['G'] == 0 || sizes['H'] % sizes['G'] != 0)
    return op.emitOpError("expected the number of query heads to be a multiple "
                          "of the number of key/value heads, got ")
           << sizes['H'] << " and " << sizes['G'];
  return success();
}

static LogicalResult interpretAttention(AttentionOp op, Execution &execution) {
  Shapes sizes(op);
  if (failed(bindAttention(op, execution, sizes)))
    return failure();
  const double *query = execution.get(op.getQuery()).values.data();
  const double *key = execution.get(op.getKey()).values.data();
  const double *value = execution.get(op.getValue()).values.data();
  ArrayRef<double> queryPositions =
      execution.get(op.getQueryPositions()).values;
  ArrayRef<double> keyPositions = execution.get(op.getKeyPositions()).values;
  int64_t H = sizes['H'], G = sizes['G'], D = sizes['D'], E = sizes['E'];
  AttentionShape shape = {H, G, D, E, op.getScale().convertToDouble()};
  FailureOr<Tensor> result = execution.allocate(op, {sizes['T'], H, E});
  if (failed(result))
    return failure();
  parallelFor(op.getContext(), 0, sizes['T'], [&](int64_t t) {
    SmallVector<const double *> keys, values;
    for (int64_t s = 0; s < sizes['S']; ++s) {
      if (keyPositions[s] > queryPositions[t])
        continue;
      keys.push_back(key + s * G * D);
      values.push_back(value + s * G * E);
    }
    attend(shape, query + t * H * D, keys, values,
           result->values.data() + t * H * E);
  });
  return execution.set(op->getResult(0), std::move(*result));
}

void tcc::attachAttentionInterpretations(MLIRContext *context) {
  attach<RotaryEmbeddingOp, interpretRotaryEmbedding>(context);
  attach<RepeatHeadsOp, interpretRepeatHeads>(context);
  attach<CausalMaskOp, interpretCausalMask>(context);
  attach<AttentionOp, interpretAttention>(context);
}
