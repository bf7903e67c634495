// Routers: the experts of each token, by repeated choice of the largest.

#include "compiler/codegen/x86/Kernels.h"

#include <limits>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

// Numbers are compared by keys, integers in the same order: so NaN has a place,
// and experts of dropped groups have one below it. There is no -0, since scores
// are not negative.
static constexpr int32_t droppedKey = std::numeric_limits<int32_t>::min();
static constexpr int32_t nanKey = droppedKey + 1;
static constexpr int32_t keyAboveAll = std::numeric_limits<int32_t>::max();

namespace {
/// One of several keys, both i32. Ranks count down from 0, so that of equal
/// keys the first has the largest rank.
struct Choice {
  Value key, rank;
};

/// Emits the work for one token.
class Route {
public:
  Route(Emitter &emitter, kernel::RouteOp op, const KernelFrame &frame)
      : emitter(emitter), op(op), frame(frame),
        experts(columnsOf(op.getLogits())),
        chosen(columnsOf(op.getExpertsInit())),
        groups(static_cast<int64_t>(op.getGroups())),
        lanes(emitter.target.lanes) {
    kernel::RouteScratch parts = op.getScratch();
    scores = emitter.offset(frame.scratch, parts.scores);
    keys = emitter.offset(frame.scratch, parts.keys);
    groupKeys = emitter.offset(frame.scratch, parts.groupKeys);
  }

  void emit(Value token);

private:
  using Body = llvm::function_ref<SmallVector<Value>(Value, Value, ValueRange)>;
  SmallVector<Value> overVectors(int64_t count, ValueRange initial, Body body);
  Value load(Value row, Value index, Value mask) {
    return emitter.loadFloats(
        emitter.f32(), emitter.offset(row, emitter.multiply(index, 4)), mask);
  }
  void store(Value value, Value row, Value index, Value mask) {
    emitter.storeFloats(emitter.bitcast(emitter.floats(), value), emitter.f32(),
                        emitter.offset(row, emitter.multiply(index, 4)), mask);
  }

  Value exponentials(Value logits);
  Value score(Value logits, Value index, Value mask, Value total);
  Value loadBias(Value index, Value mask);
  void makeKeys(Value logits);

  Value flipNegative(Value bits);
  Value keyOf(Value number);
  Value comesAfter(Value key, Value rank, Choice last);
  Choice beforeAll() { return {emitter.word(keyAboveAll), emitter.word(0)}; }
  Choice next(Value row, int64_t count, Choice last);

  Value membersOf(Value group) {
    return emitter.offset(keys, emitter.multiply(group, experts / groups * 4));
  }
  void valueGroup(Value group);
  void dropGroups();
  Value chooseExperts(Value chosenExperts, Value weights);
  void finishWeights(Value weights, Value sum);

  Emitter &emitter;
  kernel::RouteOp op;
  const KernelFrame &frame;
  int64_t experts, chosen, groups, lanes;
  Value scores, keys, groupKeys; ///< In scratch.
};
} // namespace

/// Calls `body` for each vector of `count` elements, with the index of its
/// first one, the mask of those that there are and the values that it replaces.
SmallVector<Value> Route::overVectors(int64_t count, ValueRange initial,
                                      Body body) {
  return emitter.loop(emitter.integer(0), emitter.integer(count), lanes,
                      initial, [&](Value index, ValueRange carried) {
                        Value left =
                            emitter.subtract(emitter.integer(count), index);
                        return body(index, emitter.firstLanes(left), carried);
                      });
}

/// Stores exp(logits - largest) as scores and returns their sum, in all lanes.
Value Route::exponentials(Value logits) {
  using Values = SmallVector<Value>;
  Value least = emitter.constant(-std::numeric_limits<float>::infinity());
  Value largest =
      overVectors(experts, {least},
                  [&](Value index, Value mask, ValueRange carried) -> Values {
                    Value logit =
                        emitter.select(mask, load(logits, index, mask), least);
                    return {emitter.maximum(carried[0], logit)};
                  })[0];
  Value shift =
      emitter.multiplyFloats(emitter.broadcast(emitter.maximumOfLanes(largest)),
                             emitter.constant(-1.0f));
  Value total =
      overVectors(experts, {emitter.constant(0.0f)},
                  [&](Value index, Value mask, ValueRange carried) -> Values {
                    Value power = emitter.exponential(
                        emitter.addFloats(load(logits, index, mask), shift));
                    store(power, scores, index, mask);
                    Value own =
                        emitter.select(mask, power, emitter.constant(0.0f));
                    return {emitter.addFloats(carried[0], own)};
                  })[0];
  return emitter.broadcast(emitter.sumOfLanes(total));
}

/// The sigmoid of the logits or, if there is a total, the softmax.
Value Route::score(Value logits, Value index, Value mask, Value total) {
  if (total)
    return emitter.divideFloats(load(scores, index, mask), total);
  Value negative = emitter.multiplyFloats(load(logits, index, mask),
                                          emitter.constant(-1.0f));
  Value one = emitter.constant(1.0f);
  return emitter.divideFloats(
      one, emitter.addFloats(one, emitter.exponential(negative)));
}

/// The biases from `index` on.
Value Route::loadBias(Value index, Value mask) {
  Type element = getElementTypeOrSelf(op.getBias());
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  return emitter.loadFloats(
      element,
      emitter.offset(frame.operands[1], emitter.multiply(index, bytes)), mask);
}

/// Stores the scores and, with the bias, their keys.
void Route::makeKeys(Value logits) {
  Value total;
  if (op.getScoring() == kernel::Scoring::Softmax)
    total = exponentials(logits);
  overVectors(experts, {}, [&](Value index, Value mask, ValueRange) {
    Value value = score(logits, index, mask, total);
    store(value, scores, index, mask);
    if (op.getBias())
      value = emitter.addFloats(value, loadBias(index, mask));
    store(keyOf(value), keys, index, mask);
    return SmallVector<Value>();
  });
}

/// Turns around the order of the bits of negative numbers, or back.
Value Route::flipNegative(Value bits) {
  Value isNegative =
      emitter.compare(arith::CmpIPredicate::slt, bits, emitter.constantBits(0));
  return emitter.select(
      isNegative, emitter.subtract(emitter.constantBits(0x7FFFFFFF), bits),
      bits);
}

Value Route::keyOf(Value number) {
  Value isNaN =
      arith::CmpFOp::create(emitter.builder, emitter.location,
                            arith::CmpFPredicate::UNO, number, number);
  return emitter.select(
      isNaN, emitter.constantBits(nanKey),
      flipNegative(emitter.bitcast(emitter.integers(), number)));
}

/// Whether a key is smaller than that of `last`, or is equal and has a later
/// place.
Value Route::comesAfter(Value key, Value rank, Choice last) {
  Value isSmaller = emitter.compare(arith::CmpIPredicate::slt, key, last.key);
  Value isEqual = emitter.compare(arith::CmpIPredicate::eq, key, last.key);
  Value isLater = emitter.compare(arith::CmpIPredicate::slt, rank, last.rank);
  return emitter.either(isSmaller, emitter.both(isEqual, isLater));
}

/// The largest of the `count` keys at `row` that come after `last`, the first
/// of equal ones.
Choice Route::next(Value row, int64_t count, Choice last) {
  Choice lastOfAll = {emitter.broadcast(last.key),
                      emitter.broadcast(last.rank)};
  Value none = emitter.constantBits(droppedKey);
  SmallVector<Value> best = overVectors(
      count, {none, none},
      [&](Value index, Value mask, ValueRange carried) -> SmallVector<Value> {
        Value key = emitter.bitcast(emitter.integers(), load(row, index, mask));
        Value first =
            emitter.narrow(emitter.subtract(emitter.integer(0), index));
        Value rank =
            emitter.subtract(emitter.broadcast(first), emitter.laneNumbers());
        Value isBetter =
            emitter.compare(arith::CmpIPredicate::sgt, key, carried[0]);
        isBetter = emitter.both(emitter.both(isBetter, mask),
                                comesAfter(key, rank, lastOfAll));
        return {emitter.select(isBetter, key, carried[0]),
                emitter.select(isBetter, rank, carried[1])};
      });
  Value key = emitter.maximumOfLanes(best[0]);
  Value isLargest = emitter.compare(arith::CmpIPredicate::eq, best[0],
                                    emitter.broadcast(key));
  return {key,
          emitter.maximumOfLanes(emitter.select(isLargest, best[1], none))};
}

/// Stores the key of the sum of the `top` largest numbers of a group.
void Route::valueGroup(Value group) {
  Choice start = beforeAll();
  Value sum = emitter.loop(
      emitter.integer(0), emitter.integer(static_cast<int64_t>(op.getTop())), 1,
      {start.key, start.rank, emitter.constant(0.0f)},
      [&](Value, ValueRange carried) -> SmallVector<Value> {
        Choice choice =
            next(membersOf(group), experts / groups, {carried[0], carried[1]});
        Value number = emitter.bitcast(
            emitter.floats(), flipNegative(emitter.broadcast(choice.key)));
        return {choice.key, choice.rank, emitter.addFloats(carried[2], number)};
      })[2];
  store(keyOf(sum), groupKeys, group, emitter.firstLanes(emitter.integer(1)));
}

/// Gives the experts of all groups but the best a key that is never chosen.
void Route::dropGroups() {
  Choice start = beforeAll();
  SmallVector<Value> last = emitter.loop(
      emitter.integer(0), emitter.integer(static_cast<int64_t>(op.getKeep())),
      1, {start.key, start.rank},
      [&](Value, ValueRange carried) -> SmallVector<Value> {
        Choice choice = next(groupKeys, groups, {carried[0], carried[1]});
        return {choice.key, choice.rank};
      });
  emitter.loop(
      emitter.integer(0), emitter.integer(groups), 1, [&](Value group) {
        Value key = emitter.load(
            emitter.i32(),
            emitter.offset(groupKeys, emitter.multiply(group, 4)), 4);
        Value rank =
            emitter.narrow(emitter.subtract(emitter.integer(0), group));
        emitter.when(comesAfter(key, rank, {last[0], last[1]}), [&] {
          overVectors(experts / groups, {},
                      [&](Value index, Value mask, ValueRange) {
                        store(emitter.constantBits(droppedKey),
                              membersOf(group), index, mask);
                        return SmallVector<Value>();
                      });
        });
      });
}

/// Stores the experts with the largest keys and their scores, whose sum it
/// returns.
Value Route::chooseExperts(Value chosenExperts, Value weights) {
  Choice start = beforeAll();
  return emitter.loop(
      emitter.integer(0), emitter.integer(chosen), 1,
      {start.key, start.rank, emitter.scalar(0)},
      [&](Value place, ValueRange carried) -> SmallVector<Value> {
        Choice choice = next(keys, experts, {carried[0], carried[1]});
        Value expert = emitter.subtract(emitter.word(0), choice.rank);
        Value at = emitter.multiply(place, 4);
        emitter.store(expert, emitter.offset(chosenExperts, at), 4);
        Value from = emitter.multiply(emitter.widen(expert), 4);
        Value weight =
            emitter.load(emitter.f32(), emitter.offset(scores, from), 4);
        emitter.store(weight, emitter.offset(weights, at), 4);
        return {choice.key, choice.rank, emitter.addFloats(carried[2], weight)};
      })[2];
}

void Route::finishWeights(Value weights, Value sum) {
  auto scalar = [&](const APFloat &value) {
    return emitter.scalar(static_cast<float>(value.convertToDouble()));
  };
  Value divisor;
  if (op.getNormalize())
    divisor = emitter.addFloats(sum, scalar(*op.getNormalize()));
  emitter.loop(
      emitter.integer(0), emitter.integer(chosen), 1, [&](Value place) {
        Value at = emitter.offset(weights, emitter.multiply(place, 4));
        Value weight = emitter.load(emitter.f32(), at, 4);
        if (divisor)
          weight = emitter.divideFloats(weight, divisor);
        emitter.store(emitter.multiplyFloats(weight, scalar(op.getScale())), at,
                      4);
      });
}

void Route::emit(Value token) {
  auto row = [&](size_t operand, int64_t columns) {
    return emitter.offset(frame.operands[operand],
                          emitter.multiply(token, columns * 4));
  };
  size_t inits = op.getBias() ? 2 : 1;
  makeKeys(row(0, experts));
  if (static_cast<int64_t>(op.getKeep()) < groups) {
    emitter.loop(emitter.integer(0), emitter.integer(groups), 1,
                 [&](Value group) { valueGroup(group); });
    dropGroups();
  }
  Value weights = row(inits + 1, chosen);
  finishWeights(weights, chooseExperts(row(inits, chosen), weights));
}

void x86::emitKernel(Emitter &emitter, kernel::RouteOp op,
                     const KernelFrame &frame) {
  Route code(emitter, op, frame);
  emitter.loop(frame.begin, frame.end, 1,
               [&](Value token) { code.emit(token); });
}
