// Undefined bits on their way through registers.

#include "tools/ptxsim/checks/Undefined.h"

#include "tools/ptxsim/checks/UndefinedRules.h"
#include "tools/ptxsim/machine/WrittenBits.h"

#include <algorithm>

using namespace ptxsim;

//===----------------------------------------------------------------------===//
// The beginning of a function
//===----------------------------------------------------------------------===//

/// Marks the registers that hold nothing when `code` begins, and its variables.
static void markEntry(Warp &warp, const Code &code, uint32_t frame,
                      uint32_t local, LaneMask lanes) {
  WarpChecks &checks = *warp.checks;
  for (const RegisterOperand &operand : code.undefined) {
    UndefinedOrigin origin;
    origin.kind = UndefinedOrigin::Kind::Register;
    origin.code = &code;
    origin.reg = operand.reg;
    origin.isWritten = operand.isWritten;
    LaneBytes bits;
    std::memset(bits.bytes, 0xff, sizeof(bits.bytes));
    writeShadow(checks, frame + uint64_t(operand.slot), operand.bytes, lanes, bits,
                operand.isWritten ? nullptr : &bits, origin);
  }
  if (code.localBytes != 0)
    allocateUndefined(warp, local, code.localBytes, lanes);
}

void ptxsim::beginUndefined(Warp &warp) {
  WarpChecks &checks = *warp.checks;
  checks.reserve(warp.registerBytes);
  checks.clear();
  markEntry(warp, *warp.now.code, warp.now.frame, warp.now.local, warp.now.mask);
}

void ptxsim::enterUndefined(Warp &warp, const Code &code, uint32_t frame,
                            uint32_t local, LaneMask lanes) {
  warp.checks->reserve(warp.registerBytes);
  markEntry(warp, code, frame, local, lanes);
}

void ptxsim::allocateUndefined(Warp &warp, uint32_t first, uint32_t bytes,
                               LaneMask lanes) {
  WarpChecks &checks = *warp.checks;
  checks.reserveLocal(warp.localStorage.size());
  forLanes(lanes, [&](int lane) {
    uint64_t offset = uint64_t(lane) * warp.localLimit + first;
    clearBits(checks.localWritten.data(), offset, bytes);
    clearBits(checks.localComputed.data(), offset, bytes);
  });
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

/// The lanes in which some source has an undefined bit.
static LaneMask undefinedSources(const CarriedOp &carried) {
  LaneMask result = 0;
  for (uint32_t i = 0; i < carried.sourceCount; ++i)
    result |= undefinedLanes(carried.warp, carried.sources[i].slot,
                             carried.sources[i].bytes);
  return result & carried.mask;
}

static void setResults(const CarriedOp &carried, LaneMask undefined,
                       LaneMask lanes) {
  for (uint32_t i = 0; i < carried.info.destinations; ++i)
    setUndefined(carried.warp, carried.destinations[i].slot,
                 carried.destinations[i].bytes, undefined, lanes, carried.origin);
}

static void carryAll(const CarriedOp &carried) {
  setResults(carried, undefinedSources(carried), carried.mask);
}

static uint64_t laneOf(const LaneBytes &bits, uint32_t bytes, int lane) {
  uint64_t result = 0;
  std::memcpy(&result, bits.bytes + size_t(lane) * bytes,
              std::min<size_t>(bytes, sizeof(result)));
  return result;
}

static void setLane(LaneBytes &bits, uint32_t bytes, int lane, uint64_t value) {
  std::memcpy(bits.bytes + size_t(lane) * bytes, &value,
              std::min<size_t>(bytes, sizeof(value)));
}

/// A carry makes all bits from the lowest undefined one on undefined.
static void carrySum(const CarriedOp &carried) {
  uint64_t lanes[32] = {};
  LaneBytes bits;
  for (uint32_t i = 0; i < carried.sourceCount; ++i) {
    const RegisterOperand &source = carried.sources[i];
    readShadow(carried.warp, source.slot, source.bytes, bits);
    for (int lane = 0; lane < 32; ++lane)
      lanes[lane] |= laneOf(bits, source.bytes, lane);
  }
  const RegisterOperand &to = carried.destinations[0];
  for (int lane = 0; lane < 32; ++lane)
    setLane(bits, to.bytes, lane, lanes[lane] | (0 - lanes[lane]));
  writeShadow(carried.warp, to.slot, to.bytes, carried.mask, bits, &bits,
              carried.origin);
}

/// Makes each half of the result undefined of which a lane of `halves` is not 0;
/// bit 0 is the lower half.
static void setHalves(const CarriedOp &carried, const uint8_t *halves) {
  const RegisterOperand &to = carried.destinations[0];
  LaneBytes bits;
  for (int lane = 0; lane < 32; ++lane)
    for (uint32_t half = 0; half < 2; ++half)
      if (halves[lane] >> half & 1)
        std::memset(bits.bytes + size_t(lane) * to.bytes + half * (to.bytes / 2),
                    0xff, to.bytes / 2);
  writeShadow(carried.warp, to.slot, to.bytes, carried.mask, bits, &bits,
              carried.origin);
}

static void carryHalves(const CarriedOp &carried) {
  uint8_t halves[32] = {};
  for (uint32_t i = 0; i < carried.sourceCount; ++i) {
    const RegisterOperand &source = carried.sources[i];
    LaneBytes bits;
    readShadow(carried.warp, source.slot, source.bytes, bits);
    uint32_t bytes = source.bytes / 2;
    for (int lane = 0; lane < 32; ++lane)
      if (bytes == 0)
        halves[lane] |= *bits.as<LaneMask>() >> lane & 1 ? 3 : 0;
      else
        halves[lane] |= uint8_t((laneOf(bits, bytes, 2 * lane) != 0) |
                                (laneOf(bits, bytes, 2 * lane + 1) != 0) << 1);
  }
  setHalves(carried, halves);
}

static void carryJoined(const CarriedOp &carried) {
  uint8_t halves[32] = {};
  for (uint32_t half = 0; half < 2; ++half) {
    const RegisterOperand *source = carried.source(carried.op.slots[2 - half]);
    if (source == nullptr)
      continue;
    LaneMask lanes = undefinedLanes(carried.warp, source->slot, source->bytes);
    for (int lane = 0; lane < 32; ++lane)
      halves[lane] |= uint8_t((lanes >> lane & 1) << half);
  }
  setHalves(carried, halves);
}

static void carryFlag(const CarriedOp &carried) {
  LaneMask &flag = carried.warp.checks->carry;
  LaneMask undefined = undefinedSources(carried);
  if (carried.info.detail & 1)
    undefined |= flag & carried.mask;
  setResults(carried, undefined, carried.mask);
  if (carried.info.detail & 2)
    flag = (flag & ~carried.mask) | undefined;
}

static void carryByRule(const CarriedOp &carried) {
  switch (TransferRule(carried.info.transfer)) {
  case TransferRule::All:
    return carryAll(carried);
  case TransferRule::Sum:
    return carrySum(carried);
  case TransferRule::Halves:
    return carryHalves(carried);
  case TransferRule::Join:
    return carryJoined(carried);
  case TransferRule::Move:
    return carryMoved(carried);
  case TransferRule::Bits:
    return carryBits(carried);
  case TransferRule::Compare:
    return carryCompared(carried);
  case TransferRule::Carry:
    return carryFlag(carried);
  case TransferRule::Defined:
    return setResults(carried, 0, carried.mask);
  case TransferRule::Handler:
    return;
  }
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// True for ops that do nothing but write registers. Under an undefined guard
/// these are a choice between two values rather than a decision.
static bool onlyWritesRegisters(const Op &op) {
  switch (op.opClass) {
  case OpClass::Move:
  case OpClass::Integer:
  case OpClass::Float:
  case OpClass::Double:
  case OpClass::Half:
  case OpClass::Convert:
  case OpClass::Special:
  case OpClass::Predicate:
    return true;
  default:
    return false;
  }
}

/// The lanes of `lanes` for which the guard of an op is undefined.
static LaneMask undefinedGuard(const Warp &warp, const Op &op, LaneMask lanes) {
  if (op.guard < 0)
    return 0;
  return undefinedLanes(warp, op.guard, 0) & lanes;
}

bool ptxsim::checkGuard(Warp &warp, const Op &op) {
  LaneMask undefined = undefinedGuard(warp, op, warp.now.mask);
  if (undefined == 0)
    return true;
  const Code &code = *warp.now.code;
  const OpInfo &info = code.infos[size_t(&op - code.ops.data())];
  const RegisterOperand *sources = code.operands.data() + info.firstSource;
  if (onlyWritesRegisters(op)) {
    UndefinedOrigin origin = originOf(warp, op.guard);
    for (uint32_t i = 0; i < info.destinations; ++i) {
      const RegisterOperand &to = sources[info.sources + i];
      setUndefined(warp, to.slot, to.bytes, undefined, undefined, origin);
    }
    return true;
  }
  UndefinedUse use = useOf(warp, sources[info.sources - 1], "the guard");
  return reportUndefined(warp, op, __builtin_ctz(undefined), use);
}

/// What an operand is used for, of an op that demands that it is defined.
static std::string roleOf(const Op &op, bool isPredicate) {
  if (isPredicate)
    return "the predicate";
  switch (op.opClass) {
  case OpClass::Load:
  case OpClass::Store:
  case OpClass::Atomic:
  case OpClass::Matrix:
    return "the address";
  case OpClass::AsyncCopy:
    return "the operand of an asynchronous copy";
  case OpClass::Barrier:
    return "the operand of a barrier";
  case OpClass::Collective:
    return "the member mask";
  case OpClass::Control:
    return "the target of a jump";
  case OpClass::Warpgroup:
    return "the descriptor";
  default:
    return "the operand";
  }
}

/// Reports an operand that must be defined and is not.
static bool checkOperand(Warp &warp, const Op &op, const RegisterOperand &operand,
                         LaneMask mask) {
  LaneMask undefined = undefinedLanes(warp, operand.slot, operand.bytes) & mask;
  if (undefined == 0)
    return true;
  UndefinedUse use = useOf(warp, operand, roleOf(op, operand.bytes == 0));
  return reportUndefined(warp, op, __builtin_ctz(undefined), use);
}

bool ptxsim::carryUndefined(Warp &warp, const Op &op, const OpInfo &info,
                            LaneMask mask) {
  const RegisterOperand *sources =
      warp.now.code->operands.data() + info.firstSource;
  uint32_t count = info.sources - (op.guard >= 0);
  const RegisterOperand *undefined = nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    if (!mayBeUndefined(warp, sources[i].slot, sources[i].bytes))
      continue;
    if (sources[i].mustBeDefined && !checkOperand(warp, op, sources[i], mask))
      return false;
    if (undefined == nullptr &&
        (undefinedLanes(warp, sources[i].slot, sources[i].bytes) & mask) != 0)
      undefined = &sources[i];
  }
  TransferRule rule = TransferRule(info.transfer);
  const RegisterOperand *destinations = sources + info.sources;
  if (undefined != nullptr || rule == TransferRule::Carry) {
    CarriedOp carried{warp,  op,           info, mask, sources,
                      count, destinations, {}};
    if (undefined != nullptr)
      carried.origin = originOf(warp, undefined->slot);
    carryByRule(carried);
  } else if (rule != TransferRule::Handler) {
    for (uint32_t i = 0; i < info.destinations; ++i)
      setDefined(warp, destinations[i].slot, destinations[i].bytes, mask);
  }
  LaneMask unsure = undefinedGuard(warp, op, mask);
  if (unsure != 0 && onlyWritesRegisters(op))
    for (uint32_t i = 0; i < info.destinations; ++i)
      setUndefined(warp, destinations[i].slot, destinations[i].bytes, unsure,
                   unsure, originOf(warp, op.guard));
  return true;
}

//===----------------------------------------------------------------------===//
// Values that lanes exchange
//===----------------------------------------------------------------------===//

/// The register operand of `op` in `slot`, of which only the slot is known.
static uint32_t bytesOf(const Warp &warp, const Op &op, Slot slot) {
  const Code &code = *warp.now.code;
  const OpInfo &info = code.infos[size_t(&op - code.ops.data())];
  for (uint32_t i = 0; i < uint32_t(info.sources) + info.destinations; ++i)
    if (code.operands[info.firstSource + i].slot == slot)
      return code.operands[info.firstSource + i].bytes;
  return 4;
}

uint64_t ptxsim::broughtUndefined(const Warp &warp, const Op &op, Slot slot,
                                  int lane) {
  uint32_t bytes = slot < 0 ? 4 : bytesOf(warp, op, slot);
  if (!mayBeUndefined(warp, slot, bytes))
    return 0;
  LaneBytes bits;
  readShadow(warp, slot, bytes, bits);
  if (bytes == 0)
    return *bits.as<LaneMask>() >> lane & 1;
  uint64_t undefined = laneOf(bits, bytes, lane);
  if (undefined >> 32 != 0)
    undefined = broughtBits;
  readComputed(warp, slot, bytes, bits);
  return undefined | (laneOf(bits, bytes, lane) != 0 ? broughtComputed : 0);
}

void ptxsim::takeUndefined(Warp &warp, const Op &op, Slot slot, Slot source,
                           LaneMask lanes, const uint64_t *brought) {
  uint32_t bytes = bytesOf(warp, op, slot);
  LaneBytes bits, computed;
  LaneMask absent = 0;
  forLanes(lanes, [&](int lane) {
    uint64_t undefined = brought[lane] & broughtBits;
    if (brought[lane] == broughtNothing)
      absent |= LaneMask(1) << lane;
    if (bytes == 0)
      *bits.as<LaneMask>() |= LaneMask(undefined != 0) << lane;
    else
      setLane(bits, bytes, lane, undefined);
    if (brought[lane] & broughtComputed)
      std::memset(computed.bytes + size_t(lane) * bytes, 0xff, bytes);
  });
  if ((undefinedLanes(bits, bytes) & lanes) == 0)
    return setDefined(warp, slot, bytes, lanes);
  UndefinedOrigin origin = originOf(warp, source);
  if (absent != 0) {
    origin.kind = UndefinedOrigin::Kind::Lane;
    origin.code = warp.now.code;
    origin.op = &op;
  }
  writeShadow(warp, slot, bytes, lanes, bits, &computed, origin);
}
