// Rules that execute the op itself, on shadows or on other values of undefined
// bits.
//
// A move applied to the shadows of its sources gives the shadow of its result,
// whatever it does with the bits. Where each bit of a result depends on single bits
// of the sources, such a bit is undefined if it differs between any two choices of
// the undefined bits.

#include "tools/ptxsim/checks/UndefinedRules.h"

#include <algorithm>

using namespace ptxsim;

namespace {
/// Executes a copy of an op on planes of its own, one for each slot, of which the
/// destinations come first.
class Replay {
public:
  explicit Replay(const CarriedOp &carried) : carried(carried), op(carried.op) {
    for (unsigned i = 0; i < count; ++i)
      if (carried.op.slots[i] != -1)
        op.slots[i] = Slot(i * sizeof(LaneBytes));
    op.guard = -1;
  }

  static constexpr unsigned count = 8;
  LaneBytes planes[count];

  /// True if slot `i` is used.
  bool has(unsigned i) const { return carried.op.slots[i] != -1; }
  uint32_t bytesAt(unsigned i) const {
    const RegisterOperand *source = carried.source(carried.op.slots[i]);
    return source == nullptr ? 0 : source->bytes;
  }

  /// Fills the plane of a source with its values.
  void takeValues(unsigned i);
  void takeShadow(unsigned i) {
    readShadow(carried.warp, carried.op.slots[i], bytesAt(i), planes[i]);
  }

  void run() {
    Warp &warp = carried.warp;
    uint8_t *bases[2] = {warp.bases[0], warp.bases[1]};
    warp.bases[0] = planes[0].bytes;
    carried.op.handler(warp, op, carried.mask);
    warp.bases[0] = bases[0];
    warp.bases[1] = bases[1];
  }

private:
  const CarriedOp &carried;
  Op op;
};
} // namespace

void Replay::takeValues(unsigned i) {
  Slot slot = carried.op.slots[i];
  if (slot >= 0) {
    std::memcpy(planes[i].bytes, carried.warp.at<uint8_t>(slot),
                fileBytes(bytesAt(i)));
    return;
  }
  const Code &code = *carried.warp.now.code;
  const uint8_t *from = carried.warp.at<uint8_t>(slot);
  const uint8_t *end =
      code.constantStorage.data() + code.constantStorage.size();
  std::memcpy(planes[i].bytes, from,
              std::min(sizeof(LaneBytes), size_t(end - from)));
}

void ptxsim::carryMoved(const CarriedOp &carried) {
  unsigned first = carried.info.destinations;
  unsigned moved = std::min(first + carried.info.detail, Replay::count);
  Replay bits(carried), computed(carried);
  LaneMask unsure = 0; // Of lanes whose other sources are undefined.
  for (unsigned i = first; i < Replay::count; ++i) {
    if (!bits.has(i))
      continue;
    Slot slot = carried.op.slots[i];
    if (i < moved) {
      bits.takeShadow(i);
      readComputed(carried.warp, slot, bits.bytesAt(i), computed.planes[i]);
      continue;
    }
    bits.takeValues(i);
    computed.takeValues(i);
    const RegisterOperand *source = carried.source(slot);
    if (source != nullptr)
      unsure |= undefinedLanes(carried.warp, slot, source->bytes);
  }
  bits.run();
  computed.run();
  for (unsigned i = 0; i < first; ++i) {
    const RegisterOperand &to = carried.destinations[i];
    forLanes(unsure & carried.mask, [&](int lane) {
      size_t offset = size_t(lane) * to.bytes;
      std::memset(bits.planes[i].bytes + offset, 0xff, to.bytes);
      std::memset(computed.planes[i].bytes + offset, 0xff, to.bytes);
    });
    writeShadow(carried.warp, to.slot, to.bytes, carried.mask, bits.planes[i],
                &computed.planes[i], carried.origin);
  }
}

void ptxsim::carryBits(const CarriedOp &carried) {
  unsigned first = carried.info.destinations;
  Replay replay(carried);
  LaneBytes values[Replay::count], shadows[Replay::count];
  std::vector<unsigned> unsure; // Slots with undefined bits; three at most.
  for (unsigned i = first; i < Replay::count; ++i) {
    if (!replay.has(i))
      continue;
    replay.takeShadow(i);
    shadows[i] = replay.planes[i];
    replay.takeValues(i);
    values[i] = replay.planes[i];
    if (undefinedLanes(shadows[i], replay.bytesAt(i)) != 0)
      unsure.push_back(i);
  }
  LaneBytes base, differences;
  for (unsigned choice = 0; choice < 1u << unsure.size(); ++choice) {
    for (size_t u = 0; u < unsure.size(); ++u) {
      unsigned i = unsure[u];
      for (size_t b = 0; b < sizeof(LaneBytes); ++b)
        replay.planes[i].bytes[b] = uint8_t(
            choice >> u & 1 ? values[i].bytes[b] | shadows[i].bytes[b]
                            : values[i].bytes[b] & ~shadows[i].bytes[b]);
    }
    replay.run();
    if (choice == 0)
      base = replay.planes[0];
    for (size_t b = 0; b < sizeof(LaneBytes); ++b)
      differences.bytes[b] |= base.bytes[b] ^ replay.planes[0].bytes[b];
  }
  const RegisterOperand &to = carried.destinations[0];
  writeShadow(carried.warp, to.slot, to.bytes, carried.mask, differences,
              &differences, carried.origin);
}

//===----------------------------------------------------------------------===//
// setp
//===----------------------------------------------------------------------===//

namespace {
/// The values that one side of a comparison may have.
struct Possible {
  uint64_t value = 0, undefined = 0;

  /// The least and the greatest one; of signed numbers the sign decides first.
  uint64_t least(uint64_t sign) const {
    return (value & ~undefined) | (undefined & sign);
  }
  uint64_t greatest(uint64_t sign) const {
    return (value | undefined) & ~(undefined & sign);
  }
};
} // namespace

static uint64_t laneOf(const LaneBytes &bits, uint32_t bytes, int lane) {
  uint64_t result = 0;
  std::memcpy(&result, bits.bytes + size_t(lane) * bytes,
              std::min<size_t>(bytes, sizeof(result)));
  return result;
}

/// True if the outcome depends on undefined bits. Both sides are of `bytes` bytes.
static bool isUnsure(uint8_t detail, uint32_t bytes, Possible a, Possible b) {
  uint64_t undefined = a.undefined | b.undefined;
  if (undefined == 0)
    return false;
  if ((detail & compareKind) == compareEqual)
    return ((a.value ^ b.value) & ~undefined) == 0;
  uint64_t top = uint64_t(1) << (8 * bytes - 1);
  uint64_t sign = detail & compareSigned ? top : 0;
  if (detail & compareSwapped)
    std::swap(a, b);
  // With the sign inverted, signed numbers compare as unsigned ones.
  uint64_t aLeast = a.least(sign) ^ sign, aGreatest = a.greatest(sign) ^ sign;
  uint64_t bLeast = b.least(sign) ^ sign, bGreatest = b.greatest(sign) ^ sign;
  if (detail & compareOrEqual)
    return (aGreatest <= bLeast) != (aLeast <= bGreatest);
  return (aGreatest < bLeast) != (aLeast < bGreatest);
}

/// Finds the lanes whose comparison depends on undefined bits, of the lower and the
/// upper halves if they are compared apart.
static void compareSides(const CarriedOp &carried, const Replay &values,
                         unsigned first, LaneMask (&unsure)[2]) {
  uint8_t detail = carried.info.detail;
  uint32_t bytes = std::max(values.bytesAt(first), values.bytesAt(first + 1));
  if (bytes == 0)
    return; // Both are numbers.
  LaneBytes shadows[2];
  for (unsigned side = 0; side < 2; ++side)
    readShadow(carried.warp, carried.op.slots[first + side], bytes, shadows[side]);
  for (int lane = 0; lane < 32; ++lane) {
    Possible sides[2];
    for (unsigned side = 0; side < 2; ++side)
      sides[side] = {laneOf(values.planes[first + side], bytes, lane),
                     laneOf(shadows[side], bytes, lane)};
    uint64_t undefined = sides[0].undefined | sides[1].undefined;
    bool low = undefined != 0, high = low;
    if ((detail & compareKind) == compareHalves) {
      low = (undefined & 0xffff) != 0;
      high = undefined >> 16 != 0;
    } else if ((detail & compareKind) != compareAny) {
      low = high = isUnsure(detail, bytes, sides[0], sides[1]);
    }
    unsure[0] |= LaneMask(low) << lane;
    unsure[1] |= LaneMask(high) << lane;
  }
}

/// The lanes in which a combination of two truths is undefined, of which those of
/// `unsure` and `otherUnsure` are.
static LaneMask combineUnsure(uint8_t detail, LaneMask truth, LaneMask unsure,
                              LaneMask other, LaneMask otherUnsure) {
  LaneMask any = unsure | otherUnsure;
  switch (detail & (combineAnd | combineOr)) {
  case combineAnd:
    return any & ~(~unsure & ~truth) & ~(~otherUnsure & ~other);
  case combineOr:
    return any & ~(~unsure & truth) & ~(~otherUnsure & other);
  }
  return any;
}

void ptxsim::carryCompared(const CarriedOp &carried) {
  uint8_t detail = carried.info.detail;
  unsigned first = detail & compareSingle ? 1 : 2, combined = first + 2;
  Replay values(carried);
  values.takeValues(first);
  values.takeValues(first + 1);
  LaneMask unsure[2] = {0, 0};
  compareSides(carried, values, first, unsure);
  bool combines = (detail & (combineAnd | combineOr)) != 0;
  LaneMask other = 0, otherUnsure = 0;
  if (combines) {
    values.takeValues(combined);
    other = *values.planes[combined].as<LaneMask>();
    const RegisterOperand *source = carried.source(carried.op.slots[combined]);
    if (source != nullptr)
      otherUnsure = undefinedLanes(carried.warp, source->slot, 0);
    // With the neutral element, the comparison alone comes out.
    bool isAnd = (detail & (combineAnd | combineOr)) == combineAnd;
    *values.planes[combined].as<LaneMask>() = isAnd ? ~LaneMask(0) : 0;
  }
  values.run();
  unsigned results = detail & compareSingle ? 1 : 2;
  for (unsigned i = 0; i < results; ++i) {
    if (!values.has(i))
      continue;
    LaneMask truth = *values.planes[i].as<LaneMask>();
    LaneMask undefined =
        combineUnsure(detail, truth, unsure[i], other, otherUnsure);
    setUndefined(carried.warp, carried.op.slots[i], 0, undefined, carried.mask,
                 carried.origin);
  }
}
