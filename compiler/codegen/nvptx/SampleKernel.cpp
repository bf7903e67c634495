// Chooses a token for each row of logits: one cluster of blocks for a row.
//
// Nothing is sorted. What top-k and top-p keep are the logits from some place
// on in the order "greatest first, of equal ones the lowest id". That order is
// the one of integers, ranks: the bits of the logit above those of the id. The
// rank of the last one that is kept is found digit by digit, from the highest:
// of 16 values of a digit the greatest is taken from which on there is still
// enough. Each time what there is from 15 ranks on is summed up over all logits
// in an order that is always the same. Such sums never fall as a rank does,
// since rounding is monotone, so that one digit fits to the next.
//
// What is summed up are exponentials in f64, in the operations of
// tcc::rt::portableExp, or ones.

#include "compiler/codegen/nvptx/Hopper.h"
#include "compiler/codegen/nvptx/Kernels.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

/// Bits of a digit of a rank, and its values but 0.
static constexpr int64_t digitBits = 4, digits = (1 << digitBits) - 1;

/// Places of the parameters of a row.
enum Parameter : int64_t { Temperature, TopK, TopP, MinP, Uniform };

namespace {
/// Emits the work of one thread for rows. A team is the threads of a cluster.
class Sampling {
public:
  Sampling(Emitter &emitter, kernel::SampleOp op, const KernelFrame &frame);

  void emit(Value tile);

private:
  using Join = llvm::function_ref<Value(Value, Value)>;
  using IdBody =
      llvm::function_ref<SmallVector<Value>(Value id, Value logit, ValueRange)>;

  Type f64() { return builder.getF64Type(); }
  Value number(double value);
  Value toNumber(Value integer);
  Value toInteger(Value number);
  Value compare(CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(builder, location, predicate, a, b);
  }
  Value isAtLeast(Value a, Value b) {
    return emitter.compare(CmpIPredicate::sge, a, b);
  }
  Value shiftLeft(Value value, Value bits) {
    return builder.createOrFold<arith::ShLIOp>(location, value, bits);
  }
  Value parameter(Parameter place);

  Value move(Value value, llvm::function_ref<Value(Value)> moveWord);
  Value joinWarp(Value value, Join join);
  Value sumBelow(Value value);
  void waitForTeam();
  void sendParts(ValueRange values);
  void joinParts(int64_t count, Join join);
  SmallVector<Value> joinTeam(ValueRange values, Join join);
  SmallVector<Value> sumTeam(ValueRange values);

  Value firstId();
  Value endOfIds();
  SmallVector<Value> overIds(ValueRange initial, IdBody body);
  Value loadLogit(Value id);
  Value rankOf(Value id, Value logit);
  Value idOf(Value rank);
  Value exponential(Value x);
  Value invert(Value positive);
  Value overTemperature(Value logit);
  Value weightOf(Value logit);
  Value keptWeight(Value id, Value logit, Value leastWeight);

  Value findGreatest();
  Value damageOf(Value id);
  SmallVector<Value> sumDigits(Value place, Value shift, bool isCount);
  Value findLast(Value wanted, bool isCount);
  Value sumKept(Value leastWeight);
  void filter();
  std::pair<Value, Value> findSlot(Value limit);
  Value scanSlot(Value sum, Value limit);
  void draw();

  Emitter &emitter;
  OpBuilder &builder;
  const Location location;
  Hopper hopper;
  kernel::SampleOp op;
  const KernelFrame &frame;
  int64_t vocabulary, cluster, warps;
  int64_t slots;   ///< Warps of a team.
  int64_t slotIds; ///< Ids of a warp; they lie together.
  int64_t idBits;  ///< The low bits of a rank; above them are 32 of a logit.
  Value parts;     ///< [digits][slots] f64, shared: what each warp has.
  Value totals;    ///< [digits] f64, shared: what the team has.
  Value lane, warp;
  Value slot; ///< The number of the warp in the team.

  // Of the row:
  Value logits, parameters, target;
  Value temperature, reciprocal; ///< Of it.
  Value greatest;                ///< Of all logits over the temperature.
  Value least;                   ///< The least rank that top-k and top-p keep.
};
} // namespace

Sampling::Sampling(Emitter &emitter, kernel::SampleOp op,
                   const KernelFrame &frame)
    : emitter(emitter), builder(emitter.builder), location(emitter.location),
      hopper(emitter), op(op), frame(frame),
      vocabulary(columnsOf(op.getLogits())),
      cluster(op.getConfiguration().getCluster()),
      warps(emitter.threads / warpLanes), slots(cluster * warps),
      slotIds(llvm::divideCeil(vocabulary, slots * warpLanes) * warpLanes),
      idBits(kernel::roundUp(llvm::Log2_64_Ceil(static_cast<uint64_t>(
                                 std::max<int64_t>(vocabulary, 2))),
                             digitBits)) {
  parts = emitter.sharedMemory(digits * slots * 8);
  totals = emitter.sharedMemory(digits * 8);
  lane = emitter.laneNumber();
  warp = emitter.warpNumber();
  slot = warp;
  if (cluster > 1)
    slot = emitter.add(emitter.multiply(hopper.clusterRank(), warps), warp);
}

//===----------------------------------------------------------------------===//
// Numbers of f64
//===----------------------------------------------------------------------===//

Value Sampling::number(double value) {
  return arith::ConstantOp::create(builder, location,
                                   builder.getF64FloatAttr(value));
}

/// An integer below 2^53 as f64, which is exact, and back.
Value Sampling::toNumber(Value integer) {
  return arith::SIToFPOp::create(builder, location, f64(), integer);
}

Value Sampling::toInteger(Value number) {
  return arith::FPToSIOp::create(builder, location, emitter.i64(), number);
}

Value Sampling::parameter(Parameter place) {
  return emitter.load(f64(), emitter.offset(parameters, place * 8), 8);
}

/// tcc::rt::portableExp of `x`, which is at most 0 or NaN, bit for bit.
Value Sampling::exponential(Value x) {
  constexpr double ln2High = 0x1.62e42fee00000p-1,
                   ln2Low = 0x1.a39ef35793c76p-33, lowest = -708;
  constexpr int degree = 14;
  Value isLow = compare(CmpFPredicate::ULT, x, number(lowest));
  x = emitter.select(isLow, number(lowest), x);
  Value scaled = emitter.addFloats(
      emitter.multiplyFloats(x, number(0x1.71547652b82fep+0)), number(0.5));
  Value k = math::FloorOp::create(builder, location, scaled);
  Value rest =
      emitter.subtractFloats(x, emitter.multiplyFloats(k, number(ln2High)));
  rest =
      emitter.subtractFloats(rest, emitter.multiplyFloats(k, number(ln2Low)));
  double factorial = 1;
  for (int i = 2; i <= degree; ++i)
    factorial *= i;
  Value sum = number(1 / factorial);
  for (int i = degree; i > 0; --i) {
    factorial /= i;
    sum = emitter.addFloats(emitter.multiplyFloats(sum, rest),
                            number(1 / factorial));
  }
  // 2^k is a normal number, and so is the product, which is therefore exact.
  Value bits = shiftLeft(emitter.add(toInteger(k), 1023), emitter.integer(52));
  Value power = arith::BitcastOp::create(builder, location, f64(), bits);
  return emitter.select(isLow, number(0), emitter.multiplyFloats(sum, power));
}

//===----------------------------------------------------------------------===//
// Teams
//===----------------------------------------------------------------------===//

/// What `moveWord` makes of both halves of `value`, f64.
Value Sampling::move(Value value, llvm::function_ref<Value(Value)> moveWord) {
  constexpr int64_t wordBits = 32;
  Value bits =
      arith::BitcastOp::create(builder, location, emitter.i64(), value);
  Value high = arith::ShRUIOp::create(builder, location, bits,
                                      emitter.integer(wordBits));
  auto moveHalf = [&](Value half) -> Value {
    return arith::ExtUIOp::create(builder, location, emitter.i64(),
                                  moveWord(emitter.narrow(half)));
  };
  Value low = moveHalf(bits);
  high = shiftLeft(moveHalf(high), emitter.integer(wordBits));
  return arith::BitcastOp::create(builder, location, f64(),
                                  emitter.either(high, low));
}

/// What the lanes of a warp have, joined pairwise in a fixed order, in all.
Value Sampling::joinWarp(Value value, Join join) {
  for (int64_t distance = warpLanes / 2; distance > 0; distance /= 2)
    value = join(value, move(value, [&](Value word) {
                   return emitter.exchange(word, distance);
                 }));
  return value;
}

/// The sum of `value` of the lanes up to this one.
Value Sampling::sumBelow(Value value) {
  for (int64_t distance = 1; distance < warpLanes; distance *= 2) {
    Value isIn = isAtLeast(lane, emitter.integer(distance));
    Value from = emitter.select(
        isIn, emitter.subtract(lane, emitter.integer(distance)), lane);
    Value other =
        move(value, [&](Value word) { return emitter.fromLane(word, from); });
    value = emitter.select(isIn, emitter.addFloats(value, other), value);
  }
  return value;
}

void Sampling::waitForTeam() {
  cluster == 1 ? emitter.barrier() : hopper.clusterBarrier();
}

/// Writes `values`, those of the warp, to the parts of each block: a lane to a
/// block.
void Sampling::sendParts(ValueRange values) {
  // LLVM takes the address of a block out of the branch, where lanes that send
  // nothing need a block too; it does not know that both numbers are the
  // lane's.
  Value number = emitter.modulo(emitter.threadNumber(), warpLanes);
  Value isSender =
      emitter.compare(CmpIPredicate::slt, number, emitter.integer(cluster));
  Value rank = emitter.minimum(lane, emitter.integer(cluster - 1));
  emitter.when(isSender, [&] {
    Value there = cluster == 1 ? parts : hopper.inBlock(parts, rank);
    there = emitter.offset(there, emitter.multiply(slot, 8));
    for (auto [i, value] : llvm::enumerate(values))
      emitter.store(
          value, emitter.offset(there, static_cast<int64_t>(i) * slots * 8), 8);
  });
}

/// Joins what is in the first `count` rows of the parts: a warp for a row.
/// Nothing that is joined is below 0.
void Sampling::joinParts(int64_t count, Join join) {
  emitter.loop(warp, emitter.integer(count), warps, [&](Value row) {
    Value from = emitter.offset(parts, emitter.multiply(row, slots * 8));
    Value joined = number(0);
    for (int64_t first = 0; first < slots; first += warpLanes) {
      Value place = emitter.add(lane, first), last = emitter.integer(slots - 1);
      Value isIn = isAtLeast(last, place);
      Value part = emitter.load(
          f64(),
          emitter.offset(from,
                         emitter.multiply(emitter.minimum(place, last), 8)),
          8);
      joined = join(joined, emitter.select(isIn, part, number(0)));
    }
    joined = joinWarp(joined, join);
    emitter.when(
        emitter.compare(CmpIPredicate::eq, lane, emitter.integer(0)), [&] {
          emitter.store(joined,
                        emitter.offset(totals, emitter.multiply(row, 8)), 8);
        });
  });
}

/// What all threads of the team have, joined in a fixed order, in all of them.
/// The first row of parts stays until the next call.
SmallVector<Value> Sampling::joinTeam(ValueRange values, Join join) {
  SmallVector<Value> ofWarp = llvm::map_to_vector(
      values, [&](Value value) { return joinWarp(value, join); });
  sendParts(ofWarp);
  waitForTeam();
  joinParts(static_cast<int64_t>(values.size()), join);
  waitForTeam(); // All parts are read.
  SmallVector<Value> joined;
  for (size_t i = 0; i < values.size(); ++i)
    joined.push_back(emitter.load(
        f64(), emitter.offset(totals, static_cast<int64_t>(i) * 8), 8));
  return joined;
}

SmallVector<Value> Sampling::sumTeam(ValueRange values) {
  return joinTeam(values,
                  [&](Value a, Value b) { return emitter.addFloats(a, b); });
}

//===----------------------------------------------------------------------===//
// Logits
//===----------------------------------------------------------------------===//

/// The ids of the warp lie from the first to before the end.
Value Sampling::firstId() { return emitter.multiply(slot, slotIds); }

Value Sampling::endOfIds() {
  return emitter.minimum(emitter.add(firstId(), slotIds),
                         emitter.integer(vocabulary));
}

/// Calls `body` for the ids of this thread, with values that it replaces.
SmallVector<Value> Sampling::overIds(ValueRange initial, IdBody body) {
  return emitter.loop(emitter.add(firstId(), lane), endOfIds(), warpLanes,
                      initial, [&](Value id, ValueRange values) {
                        return body(id, loadLogit(id), values);
                      });
}

Value Sampling::loadLogit(Value id) {
  return emitter.loadElement(emitter.f32(), logits, id);
}

/// A number that is the greater the earlier `id` comes. Logits that are equal,
/// as 0 and -0 are, have equal bits.
Value Sampling::rankOf(Value id, Value logit) {
  logit = emitter.addFloats(logit, emitter.scalar(0.0f));
  Value bits =
      arith::BitcastOp::create(builder, location, emitter.i32(), logit);
  Value sign =
      arith::ShRSIOp::create(builder, location, bits, emitter.word(31));
  Value key =
      emitter.exclusive(bits, emitter.either(sign, emitter.word(INT32_MIN)));
  Value wide = arith::ExtUIOp::create(builder, location, emitter.i64(), key);
  return emitter.either(
      shiftLeft(wide, emitter.integer(idBits)),
      emitter.subtract(emitter.integer((int64_t(1) << idBits) - 1), id));
}

Value Sampling::idOf(Value rank) {
  Value mask = emitter.integer((int64_t(1) << idBits) - 1);
  return emitter.subtract(mask, emitter.both(rank, mask));
}

/// One over the temperature, within a unit in the last place, by the method of
/// Newton. Divisions and ptxas' reciprocals of f64 are calls, around which it
/// spills registers.
Value Sampling::invert(Value positive) {
  // Off by an eighth at most: this turns the exponent around, and the mantissa
  // nearly so. Each step squares what it is off by.
  constexpr int64_t turned = 0x7FDE623822FC16E6;
  constexpr int steps = 6;
  Value bits =
      arith::BitcastOp::create(builder, location, emitter.i64(), positive);
  Value inverse =
      arith::BitcastOp::create(builder, location, f64(),
                               emitter.subtract(emitter.integer(turned), bits));
  Value negated = arith::NegFOp::create(builder, location, positive);
  for (int step = 0; step < steps; ++step)
    inverse = emitter.multiplyAdd(
        emitter.multiplyAdd(negated, inverse, number(1)), inverse, inverse);
  return inverse;
}

/// The logit over the temperature, correctly rounded, or NaN for -infinity.
///
/// The product with the reciprocal is off by a few units in the last place; its
/// remainder, which is exact, times the reciprocal puts it right (Markstein
/// 1990, "Computation of elementary functions on the IBM RISC System/6000
/// processor", IBM J. Res. Dev. 34, section 3).
Value Sampling::overTemperature(Value logit) {
  Value wide = arith::ExtFOp::create(builder, location, f64(), logit);
  Value negated = arith::NegFOp::create(builder, location, temperature);
  Value quotient = emitter.multiplyFloats(wide, reciprocal);
  for (int correction = 0; correction < 2; ++correction)
    quotient = emitter.multiplyAdd(emitter.multiplyAdd(negated, quotient, wide),
                                   reciprocal, quotient);
  return quotient;
}

Value Sampling::weightOf(Value logit) {
  return exponential(emitter.subtractFloats(overTemperature(logit), greatest));
}

/// The weight of `id` if it is kept and not below `leastWeight`, else 0.
Value Sampling::keptWeight(Value id, Value logit, Value leastWeight) {
  return emitter.evaluate(
      isAtLeast(rankOf(id, logit), least),
      [&]() -> Value {
        Value weight = weightOf(logit);
        return emitter.select(compare(CmpFPredicate::OGE, weight, leastWeight),
                              weight, number(0));
      },
      [&] { return number(0); });
}

//===----------------------------------------------------------------------===//
// Steps of the definition
//===----------------------------------------------------------------------===//

/// The greatest rank. Logits that are NaN or infinity have one beyond all
/// others.
Value Sampling::findGreatest() {
  Value infinity = emitter.scalar(std::numeric_limits<float>::infinity());
  Value beyond = emitter.integer(int64_t(1) << (32 + idBits));
  Value ofThread = overIds(
      {emitter.integer(0)},
      [&](Value id, Value logit, ValueRange values) -> SmallVector<Value> {
        Value rank = rankOf(id, logit);
        Value position =
            emitter.subtract(emitter.integer((int64_t(1) << idBits) - 1), id);
        Value isDamaged = compare(CmpFPredicate::UGE, logit, infinity);
        rank =
            emitter.select(isDamaged, emitter.either(beyond, position), rank);
        return {arith::MaxSIOp::create(builder, location, rank, values[0])};
      })[0];
  Value greatestOfTeam =
      joinTeam(toNumber(ofThread), [&](Value a, Value b) -> Value {
        return arith::MaxNumFOp::create(builder, location, a, b);
      })[0];
  return toInteger(greatestOfTeam);
}

/// The result for a row whose first logit that is NaN or infinity is `id`.
Value Sampling::damageOf(Value id) {
  Value logit = loadLogit(id);
  Value first = emitter.select(compare(CmpFPredicate::UNO, logit, logit),
                               emitter.integer(-1), emitter.integer(-2));
  return emitter.subtract(first, emitter.multiply(id, 2));
}

/// For each value of the digit of ranks that begins with bit `shift`, but for
/// 0, the sum of what is kept from there on; above the digit ranks are as
/// `place`.
SmallVector<Value> Sampling::sumDigits(Value place, Value shift, bool isCount) {
  SmallVector<Value> none(digits, number(0));
  Value unit = shiftLeft(emitter.integer(1), shift);
  Value first = arith::MaxSIOp::create(builder, location,
                                       emitter.add(place, unit), least);
  SmallVector<Value> sums =
      overIds(none, [&](Value id, Value logit, ValueRange values) {
        Value rank = rankOf(id, logit);
        return emitter.evaluate(
            isAtLeast(rank, first),
            [&] {
              Value weight = isCount ? number(1) : weightOf(logit);
              Value begin = place;
              SmallVector<Value> more;
              for (Value value : values) {
                begin = emitter.add(begin, unit);
                Value added = emitter.addFloats(value, weight);
                more.push_back(
                    emitter.select(isAtLeast(rank, begin), added, value));
              }
              return more;
            },
            [&] { return SmallVector<Value>(values); });
      });
  return sumTeam(sums);
}

/// The greatest rank from which on what is kept sums up to `wanted`.
Value Sampling::findLast(Value wanted, bool isCount) {
  int64_t rankDigits = (32 + idBits) / digitBits;
  return emitter.loop(
      emitter.integer(0), emitter.integer(rankDigits), 1, {emitter.integer(0)},
      [&](Value digit, ValueRange values) -> SmallVector<Value> {
        Value shift = emitter.multiply(
            emitter.subtract(emitter.integer(rankDigits - 1), digit),
            digitBits);
        SmallVector<Value> sums = sumDigits(values[0], shift, isCount);
        Value reached = emitter.integer(0);
        for (Value sum : sums)
          reached = emitter.select(compare(CmpFPredicate::OGE, sum, wanted),
                                   emitter.add(reached, 1), reached);
        return {emitter.add(values[0], shiftLeft(reached, shift))};
      })[0];
}

/// The sum of the weights of all that is kept and not below `leastWeight`.
Value Sampling::sumKept(Value leastWeight) {
  Value ofThread = overIds(
      number(0),
      [&](Value id, Value logit, ValueRange values) -> SmallVector<Value> {
        return {
            emitter.addFloats(values[0], keptWeight(id, logit, leastWeight))};
      })[0];
  return sumTeam(ofThread)[0];
}

/// Sets what top-k and top-p keep.
void Sampling::filter() {
  least = emitter.integer(0);
  Value topK = parameter(TopK), topP = parameter(TopP);
  Value isSome = emitter.both(compare(CmpFPredicate::OGT, topK, number(0)),
                              compare(CmpFPredicate::OLT, topK,
                                      number(static_cast<double>(vocabulary))));
  least = emitter.evaluate(
      isSome, [&] { return findLast(topK, /*isCount=*/true); },
      [&] { return emitter.integer(0); });
  Value byCount = least;
  least = emitter.evaluate(
      compare(CmpFPredicate::OLT, topP, number(1)),
      [&]() -> Value {
        Value wanted = emitter.multiplyFloats(topP, sumKept(number(0)));
        return arith::MaxSIOp::create(
            builder, location, findLast(wanted, /*isCount=*/false), byCount);
      },
      [&] { return byCount; });
}

/// The slot in which sums of slots first exceed `limit`, or the last one that
/// has anything, and the sum of those before it.
std::pair<Value, Value> Sampling::findSlot(Value limit) {
  Value none = emitter.integer(slots);
  SmallVector<Value> found = emitter.loop(
      emitter.integer(0), emitter.integer(slots), 1,
      {number(0), none, number(0)},
      [&](Value place, ValueRange values) -> SmallVector<Value> {
        Value part = emitter.load(
            f64(), emitter.offset(parts, emitter.multiply(place, 8)), 8);
        Value sum = emitter.addFloats(values[0], part);
        // What was found before its sum exceeded the limit gives way.
        Value goesOn = compare(CmpFPredicate::OLE, values[0], limit);
        Value isBetter =
            emitter.both(goesOn, compare(CmpFPredicate::OGT, part, number(0)));
        return {sum, emitter.select(isBetter, place, values[1]),
                emitter.select(isBetter, values[0], values[2])};
      });
  return {found[1], found[2]};
}

/// The id of the warp with which sums, that of the ids before is `sum`, first
/// exceed `limit`, or its last one that has a weight. For all lanes.
Value Sampling::scanSlot(Value sum, Value limit) {
  Value none = emitter.word(INT32_MAX), end = endOfIds();
  Value leastWeight = parameter(MinP);
  auto joinIds = [&](Value id, bool isLeast) {
    for (int64_t distance = warpLanes / 2; distance > 0; distance /= 2) {
      Value other = emitter.exchange(id, distance);
      id = isLeast ? Value(arith::MinSIOp::create(builder, location, id, other))
                   : arith::MaxSIOp::create(builder, location, id, other);
    }
    return id;
  };
  SmallVector<Value> found = emitter.loopWhile(
      {firstId(), sum, none, emitter.word(-1)},
      [&](ValueRange values) {
        return emitter.both(
            emitter.compare(CmpIPredicate::slt, values[0], end),
            emitter.compare(CmpIPredicate::eq, values[2], none));
      },
      [&](ValueRange values) -> SmallVector<Value> {
        Value id = emitter.add(values[0], lane);
        Value isIn = emitter.compare(CmpIPredicate::slt, id, end);
        Value weight = emitter.evaluate(
            isIn, [&] { return keptWeight(id, loadLogit(id), leastWeight); },
            [&] { return number(0); });
        Value before = values[1];
        Value upTo = emitter.addFloats(before, sumBelow(weight));
        Value hasWeight = compare(CmpFPredicate::OGT, weight, number(0));
        Value exceeds =
            emitter.both(hasWeight, compare(CmpFPredicate::OGT, upTo, limit));
        Value first =
            joinIds(emitter.select(exceeds, emitter.narrow(id), none), true);
        Value last = joinIds(
            emitter.select(hasWeight, emitter.narrow(id), values[3]), false);
        Value next = move(upTo, [&](Value word) {
          return emitter.fromLane(word, emitter.integer(warpLanes - 1));
        });
        return {emitter.add(values[0], warpLanes), next, first, last};
      });
  return emitter.select(emitter.compare(CmpIPredicate::eq, found[2], none),
                        found[3], found[2]);
}

void Sampling::draw() {
  Value limit =
      emitter.multiplyFloats(parameter(Uniform), sumKept(parameter(MinP)));
  std::pair<Value, Value> owner = findSlot(limit);
  emitter.when(emitter.compare(CmpIPredicate::eq, slot, owner.first), [&] {
    Value token = scanSlot(owner.second, limit);
    emitter.when(emitter.compare(CmpIPredicate::eq, lane, emitter.integer(0)),
                 [&] { emitter.store(token, target, 4); });
  });
  waitForTeam(); // The parts are read.
}

void Sampling::emit(Value tile) {
  Value row = emitter.divide(tile, cluster);
  logits = emitRow(emitter, op.getLogits().getType(), frame.operands[0], row);
  parameters =
      emitRow(emitter, op.getParameters().getType(), frame.operands[1], row);
  target = emitter.offset(frame.operands[2], emitter.multiply(row, 4));
  temperature = parameter(Temperature);
  Value rank = findGreatest(), id = idOf(rank), logit = loadLogit(id);
  Value isDamaged =
      isAtLeast(rank, emitter.integer(int64_t(1) << (32 + idBits)));
  Value isLost =
      compare(CmpFPredicate::OEQ, logit,
              emitter.scalar(-std::numeric_limits<float>::infinity()));
  Value isCertain =
      emitter.either(compare(CmpFPredicate::OEQ, temperature, number(0)),
                     emitter.either(isDamaged, isLost));
  emitter.when(
      isCertain,
      [&] {
        Value thread = emitter.either(slot, lane);
        emitter.when(
            emitter.compare(CmpIPredicate::eq, thread, emitter.integer(0)),
            [&] {
              Value token =
                  emitter.select(isLost, emitter.integer(INT32_MIN), id);
              token = emitter.select(isDamaged, damageOf(id), token);
              emitter.store(emitter.narrow(token), target, 4);
            });
      },
      [&] {
        reciprocal = invert(temperature);
        greatest = overTemperature(logit);
        filter();
        draw();
      });
}

LaunchShape nvptx::shapeOf(kernel::SampleOp op) {
  LaunchShape shape;
  shape.threads = op.getConfiguration().getThreads();
  shape.cluster = op.getConfiguration().getCluster();
  return shape;
}

void nvptx::emitKernel(Emitter &emitter, kernel::SampleOp op,
                       const KernelFrame &frame) {
  Sampling code(emitter, op, frame);
  frame.forTiles(emitter, [&](Value tile) { code.emit(tile); });
}
