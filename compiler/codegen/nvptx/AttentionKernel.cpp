// Attention over the pages of one sequence.
//
// A block computes one key/value head of one token; each of its warps some of
// the query heads that share it. A warp goes from page to page: each lane has
// the scores of two keys, and then each lane has some columns of the values.

#include "compiler/codegen/nvptx/AttentionForms.h"

#include <cmath>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

namespace {
/// Emits one tile: one key/value head of one token.
class Attention {
public:
  Attention(Emitter &emitter, kernel::AttentionOp op, const KernelFrame &frame)
      : emitter(emitter), op(op), cache(op.getCache()), frame(frame),
        keysPerLane(llvm::divideCeil(cache.getPageTokens(), warpLanes)),
        valuesPerLane(llvm::divideCeil(cache.getValueSize(), warpLanes)) {
    int64_t warps = emitter.threads / warpLanes, bytes = cache.getKeySize() * 4;
    query = emitter.offset(emitter.sharedMemory(warps * bytes),
                           emitter.multiply(emitter.warpNumber(), bytes));
  }

  void emit(Value tile);

private:
  /// The running state of the softmax of one query: the largest score, the sum
  /// of powers, and the lane's columns of the weighted sum of values.
  using State = SmallVector<Value>;

  void emitHead(Value head);
  void loadQuery(Value head);
  State addPage(Value number, const State &state);
  Value scoreOf(Value page, Value slot);
  State addValues(Value page, Value count, ArrayRef<Value> weights,
                  State outputs);
  void storeOutput(Value head, const State &state);

  /// Bytes of the key of the head in a page before that of slot `slot`.
  Value keyAt(Value page, Value slot) {
    return emitter.offset(page,
                          emitter.multiply(slot, cache.getPaddedKeySize() *
                                                     cache.getElementBytes()));
  }

  Emitter &emitter;
  kernel::AttentionOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  int64_t keysPerLane, valuesPerLane;
  Value token, keyHead, position, sequence;
  Value query; ///< In shared memory, f32, of this warp.
};
} // namespace

/// Brings a query to shared memory, scaled so that a power of two is all that
/// is left of exp.
void Attention::loadQuery(Value head) {
  auto type = cast<ShapedType>(op.getQuery().getType());
  Type element = type.getElementType();
  int64_t size = type.getDimSize(2), bytes = type.getElementTypeBitWidth() / 8;
  Value row = emitRow(emitter, type, frame.operands[0], token);
  Value source = emitter.offset(row, emitter.multiply(head, size * bytes));
  double scale = op.getScale().convertToDouble() / std::log(2.0);
  emitter.forLanes(emitter.integer(size), [&](Value d) {
    Value value = emitter.loadElement(element, source, d);
    emitter.storeFloat(emitter.multiplyFloats(
                           value, emitter.scalar(static_cast<float>(scale))),
                       emitter.f32(),
                       emitter.offset(query, emitter.multiply(d, 4)));
  });
  emitter.warpBarrier();
}

/// The product of the query and the key in slot `slot` of the head in `page`.
Value Attention::scoreOf(Value page, Value slot) {
  Value key = keyAt(page, slot);
  Type element = cache.getElement();
  // Keys are padded with zeros to whole vectors of 16 bytes, queries are not.
  int64_t size = cache.getKeySize(), step = 16 / cache.getElementBytes();
  int64_t whole = size - size % step;
  auto product = [&](Value d, int64_t count, Value sum) {
    SmallVector<Value> keys = emitter.loadFloats(
        element,
        emitter.offset(key, emitter.multiply(d, cache.getElementBytes())),
        step);
    for (int64_t i = 0; i < count; ++i) {
      Value at = emitter.multiply(emitter.add(d, i), 4);
      sum = emitter.multiplyAdd(
          emitter.loadFloat(emitter.f32(), emitter.offset(query, at)), keys[i],
          sum);
    }
    return sum;
  };
  Value sum = emitter.loop(
      emitter.integer(0), emitter.integer(whole), step, {emitter.scalar(0.0f)},
      [&](Value d, ValueRange before) -> SmallVector<Value> {
        return {product(d, step, before[0])};
      })[0];
  return whole == size ? sum
                       : product(emitter.integer(whole), size - whole, sum);
}

/// Adds the values of the first `count` slots, weighted, to `outputs`.
Attention::State Attention::addValues(Value page, Value count,
                                      ArrayRef<Value> weights, State outputs) {
  Type element = cache.getElement();
  int64_t size = cache.getValueSize(), bytes = cache.getElementBytes();
  Value lane = emitter.laneNumber();
  for (size_t part = 0; part < weights.size(); ++part) {
    Value first = emitter.integer(static_cast<int64_t>(part) * warpLanes);
    Value end = emitter.minimum(emitter.subtract(count, first),
                                emitter.integer(warpLanes));
    outputs = emitter.loop(
        emitter.integer(0), end, 1, outputs,
        [&](Value slot, ValueRange before) -> SmallVector<Value> {
          Value factor = emitter.fromLane(weights[part], slot);
          Value row = emitter.offset(
              page, emitter.multiply(emitter.add(first, slot),
                                     cache.getPaddedValueSize() * bytes));
          SmallVector<Value> after;
          for (int64_t i = 0; i < valuesPerLane; ++i) {
            Value column = emitter.add(lane, i * warpLanes);
            // Lanes beyond the last column add that one again; nobody reads it.
            column = emitter.minimum(column, emitter.integer(size - 1));
            Value value = emitter.loadElement(element, row, column);
            after.push_back(emitter.multiplyAdd(
                factor, value, before[static_cast<size_t>(i)]));
          }
          return after;
        });
  }
  return outputs;
}

Attention::State Attention::addPage(Value number, const State &state) {
  Value page =
      emitPage(emitter, cache.getPageBytes(), frame.operands[4],
               frame.operands[3], frame.pageTableStride, sequence, number);
  Value keys =
      emitter.offset(page, emitter.multiply(keyHead, cache.getKeyBytes()));
  Value values = emitter.offset(
      page, emitter.add(emitter.multiply(keyHead, cache.getValueBytes()),
                        cache.getHeads() * cache.getKeyBytes()));
  Value left =
      emitter.subtract(emitter.add(position, 1),
                       emitter.multiply(number, cache.getPageTokens()));
  Value count = emitter.minimum(left, emitter.integer(cache.getPageTokens()));

  Value lowest = emitter.scalar(-INFINITY);
  SmallVector<Value> scores;
  Value largest = state[0];
  for (int64_t i = 0; i < keysPerLane; ++i) {
    Value slot = emitter.add(emitter.laneNumber(), i * warpLanes);
    Value isUsed = emitter.compare(arith::CmpIPredicate::slt, slot, count);
    Value score = emitter.evaluate(
        isUsed, [&] { return scoreOf(keys, slot); }, [&] { return lowest; });
    scores.push_back(score);
    largest = emitter.maximum(largest, score);
  }
  largest = emitter.maximumOfWarp(largest);
  Value factor = emitter.powerOfTwo(emitter.subtractFloats(state[0], largest));
  Value sum = emitter.scalar(0.0f);
  SmallVector<Value> weights;
  for (Value score : scores) {
    Value power = emitter.powerOfTwo(emitter.subtractFloats(score, largest));
    sum = emitter.addFloats(sum, power);
    weights.push_back(emitter.round(power, cache.getElement()));
  }
  sum = emitter.multiplyAdd(state[1], factor, emitter.sumOfWarp(sum));
  State outputs;
  for (Value output : ArrayRef(state).drop_front(2))
    outputs.push_back(emitter.multiplyFloats(output, factor));
  State after = {largest, sum};
  after.append(addValues(values, count, weights, outputs));
  return after;
}

void Attention::storeOutput(Value head, const State &state) {
  auto type = cast<ShapedType>(op.getInit().getType());
  Type element = type.getElementType();
  int64_t size = cache.getValueSize(),
          bytes = type.getElementTypeBitWidth() / 8;
  Value row = emitRow(emitter, type, frame.operands[5], token);
  Value target = emitter.offset(row, emitter.multiply(head, size * bytes));
  for (int64_t i = 0; i < valuesPerLane; ++i) {
    Value column = emitter.add(emitter.laneNumber(), i * warpLanes);
    Value isColumn = emitter.compare(arith::CmpIPredicate::slt, column,
                                     emitter.integer(size));
    emitter.when(isColumn, [&] {
      emitter.storeElement(
          emitter.divideFloats(state[2 + static_cast<size_t>(i)], state[1]),
          element, target, column);
    });
  }
}

void Attention::emitHead(Value head) {
  loadQuery(head);
  State state = {emitter.scalar(-INFINITY), emitter.scalar(0.0f)};
  state.append(static_cast<size_t>(valuesPerLane), emitter.scalar(0.0f));
  Value pages = emitter.add(emitter.divide(position, cache.getPageTokens()), 1);
  state = emitter.loop(emitter.integer(0), pages, 1, state,
                       [&](Value number, ValueRange before) {
                         return addPage(number, State(before));
                       });
  storeOutput(head, state);
  emitter.warpBarrier(); // The next query comes to the same place.
}

void Attention::emit(Value tile) {
  // Tile g * T + t: a key/value head of a token.
  keyHead = emitter.divide(tile, frame.rows);
  token = emitter.modulo(tile, frame.rows);
  position = emitter.loadIndex(frame.operands[1], token);
  sequence = emitter.loadIndex(frame.operands[2], token);
  emitter.loop(
      emitter.warpNumber(), emitter.integer(op.getGroup()),
      emitter.threads / warpLanes, [&](Value number) {
        emitHead(emitter.add(emitter.multiply(keyHead, op.getGroup()), number));
      });
}

/// Whether products of tensor cores take what `op` multiplies.
static bool fitsTensorCores(kernel::AttentionOp op) {
  constexpr int64_t largestSize = 256;
  kernel::CacheAttr cache = op.getCache();
  auto query = cast<ShapedType>(op.getQuery().getType());
  return cache.getElement().isBF16() && query.getElementType().isBF16() &&
         cache.getPaddedKeySize() <= largestSize &&
         cache.getPaddedValueSize() <= largestSize;
}

/// Whether the code for its kind computes `op`.
static bool hasCode(kernel::AttentionOp op) {
  switch (configurationOf(op).getKind()) {
  case kernel::GpuKind::Split:
    return fitsTensorCores(op) && hasSplitAttention(op);
  case kernel::GpuKind::Wgmma:
    return fitsTensorCores(op) && hasFlashAttention(op);
  default:
    return true;
  }
}

LogicalResult nvptx::verifyKernel(kernel::AttentionOp op) {
  if (hasCode(op))
    return success();
  return op.emitOpError("has no code for ")
         << configurationOf(op) << " with " << op.getCache()
         << " and a scale of " << op.getScaleAttr();
}

LaunchShape nvptx::shapeOf(kernel::AttentionOp op) {
  switch (configurationOf(op).getKind()) {
  case kernel::GpuKind::Split:
    return shapeOfSplitAttention(op);
  case kernel::GpuKind::Wgmma:
    return shapeOfFlashAttention(op);
  default:
    LaunchShape shape;
    shape.threads = configurationOf(op).getThreads();
    return shape;
  }
}

void nvptx::emitKernel(Emitter &emitter, kernel::AttentionOp op,
                       const KernelFrame &frame) {
  switch (configurationOf(op).getKind()) {
  case kernel::GpuKind::Split:
    return emitSplitAttention(emitter, op, frame);
  case kernel::GpuKind::Wgmma:
    return emitFlashAttention(emitter, op, frame);
  default:
    Attention code(emitter, op, frame);
    frame.forTiles(emitter, [&](Value tile) { code.emit(tile); });
  }
}
