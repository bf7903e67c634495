// Undefined bytes of memory beside loads and stores: asynchronous copies, calls,
// and what the simulator itself reads and writes.

#include "tools/ptxsim/checks/Undefined.h"

#include "tools/ptxsim/machine/WrittenBits.h"

#include <algorithm>

using namespace ptxsim;
using ptx::Space;

/// True if some of `bytes` bytes at `pointer` was written.
static bool isSomeWritten(const ShadowRegion &region, const uint8_t *pointer,
                          uint64_t bytes) {
  if (region.written == nullptr)
    return true;
  uint64_t index = region.index(pointer);
  for (uint64_t i = 0; i < bytes; i += 32) {
    unsigned part = unsigned(std::min<uint64_t>(bytes - i, 32));
    if (bitsAt(region.written, index + i, part) != 0)
      return true;
  }
  return false;
}

void ptxsim::defineMemory(const Block &block, const Warp *warp,
                          const uint8_t *pointer, uint64_t bytes) {
  ShadowRegion region = regionOf(block, warp, pointer);
  if (region.written == nullptr)
    return;
  setBits(region.written, region.index(pointer), bytes);
}

/// The address of a byte as the program has it, for a message.
static uint64_t programAddress(const ShadowRegion &region, const Warp &warp,
                               const uint8_t *pointer) {
  switch (region.space) {
  case Space::Shared:
    return region.index(pointer);
  case Space::Local:
    return region.index(pointer) % std::max(warp.localLimit, 1u);
  default:
    return uint64_t(pointer);
  }
}

bool ptxsim::checkMemory(Warp &warp, const Op &op, int lane,
                         const uint8_t *pointer, uint64_t bytes,
                         const std::string &what) {
  ShadowRegion region = regionOf(*warp.block, &warp, pointer);
  if (isSomeWritten(region, pointer, bytes))
    return true;
  UndefinedUse use;
  use.what = what;
  use.origin.kind = UndefinedOrigin::Kind::Memory;
  use.origin.space = region.space;
  use.origin.op = &op;
  use.origin.code = warp.now.code;
  use.origin.address = programAddress(region, warp, pointer);
  return reportUndefined(warp, op, lane, use);
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Makes bitmaps for `more` bytes after those that are there, which are defined
/// if there were none until now. New bytes are undefined.
void CarriedBytes::makeRoom(uint64_t more) {
  bool isFirst = written.empty();
  written.resize(bitmapBytes(bytes + more), 0);
  computed.resize(bitmapBytes(bytes + more), 0);
  if (isFirst)
    setBits(written.data(), 0, bytes);
}

void CarriedBytes::read(const Block &block, const uint8_t *pointer,
                        uint64_t count) {
  ShadowRegion region = regionOf(block, nullptr, pointer);
  uint64_t index = region.index(pointer);
  bool isDefined = region.written == nullptr ||
                   areBitsSet(region.written, index, count);
  if (!isDefined || !written.empty())
    makeRoom(count);
  if (!isDefined) {
    copyBits(written.data(), bytes, region.written, index, count);
    if (region.computed != nullptr)
      copyBits(computed.data(), bytes, region.computed, index, count);
  } else if (!written.empty()) {
    setBits(written.data(), bytes, count);
  }
  bytes += count;
}

void CarriedBytes::readRegister(const Warp &warp, Slot slot, uint32_t count,
                                int lane) {
  if (mayBeUndefined(warp, slot, count) || !written.empty())
    makeRoom(count);
  if (!written.empty()) {
    LaneBytes bits, parts;
    readShadow(warp, slot, count, bits);
    readComputed(warp, slot, count, parts);
    for (uint32_t i = 0; i < count; ++i) {
      bool isUndefined = bits.bytes[size_t(lane) * count + i] == 0xff;
      putBits(written.data(), bytes + i, 1, !isUndefined);
      putBits(computed.data(), bytes + i, 1,
              isUndefined && parts.bytes[size_t(lane) * count + i] != 0);
    }
  }
  bytes += count;
}

void CarriedBytes::write(const Block &block, uint8_t *pointer, uint64_t count,
                         uint64_t offset) const {
  ShadowRegion region = regionOf(block, nullptr, pointer);
  if (region.written == nullptr)
    return;
  uint64_t index = region.index(pointer), carried = 0;
  if (!written.empty() && offset < bytes &&
      keepsUndefined(block, region, pointer)) {
    carried = std::min(count, bytes - offset);
    copyBits(region.written, index, written.data(), offset, carried);
    if (region.computed != nullptr)
      copyBits(region.computed, index, computed.data(), offset, carried);
  }
  setBits(region.written, index + carried, count - carried);
}

void CarriedBytes::reduce(const Block &block, uint8_t *pointer, uint64_t count,
                          uint64_t offset) const {
  ShadowRegion region = regionOf(block, nullptr, pointer);
  if (region.written == nullptr || written.empty() ||
      !keepsUndefined(block, region, pointer))
    return;
  uint64_t index = region.index(pointer);
  for (uint64_t i = 0; i < count && offset + i < bytes; ++i)
    if (bitsAt(written.data(), offset + i, 1) == 0)
      clearBits(region.written, index + i, 1);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// True if all lanes of a passed value are defined.
static bool isDefined(const Warp &warp, const PassedPlace &place,
                      LaneMask lanes) {
  const WarpChecks &checks = *warp.checks;
  if (place.isConstant)
    return true;
  if (place.inRegisters)
    return !mayBeUndefined(checks, place.offset, place.bytes);
  bool all = true;
  forLanes(lanes, [&](int lane) {
    uint64_t first = uint64_t(lane) * warp.localLimit + place.offset;
    all = all && areBitsSet(checks.localWritten.data(), first, place.bytes);
  });
  return all;
}

/// Reads which bytes of a lane's value are undefined, as bytes of a shadow, and
/// which are computed.
static void readPassed(const Warp &warp, const PassedPlace &place, int lane,
                       uint64_t byte, uint8_t &undefined, uint8_t &computed) {
  const WarpChecks &checks = *warp.checks;
  undefined = computed = 0;
  if (place.isConstant || byte >= place.bytes)
    return;
  if (!place.inRegisters) {
    uint64_t index = uint64_t(lane) * warp.localLimit + place.offset + byte;
    if (bitsAt(checks.localWritten.data(), index, 1) == 0)
      undefined = 0xff;
    if (bitsAt(checks.localComputed.data(), index, 1) != 0)
      computed = undefined;
    return;
  }
  uint64_t offset = place.offset + uint64_t(lane) * place.bytes + byte;
  undefined = checks.shadow[offset];
  uint64_t line = checks.computed[offset / WarpChecks::line];
  computed = line >> (offset % WarpChecks::line) & 1 ? undefined : 0;
}

static void passToLocal(Warp &warp, const PassedPlace &from,
                        const PassedPlace &to, LaneMask lanes) {
  WarpChecks &checks = *warp.checks;
  bool isAllDefined = isDefined(warp, from, lanes);
  uint64_t bytes = isAllDefined ? 0 : std::min(from.bytes, to.bytes);
  forLanes(lanes, [&](int lane) {
    uint64_t index = uint64_t(lane) * warp.localLimit + to.offset;
    setBits(checks.localWritten.data(), index, to.bytes);
    clearBits(checks.localComputed.data(), index, to.bytes);
    for (uint64_t i = 0; i < bytes; ++i) {
      uint8_t undefined, computed;
      readPassed(warp, from, lane, i, undefined, computed);
      putBits(checks.localWritten.data(), index + i, 1, undefined != 0xff);
      putBits(checks.localComputed.data(), index + i, 1, computed == 0xff);
    }
  });
}

static void passToRegister(Warp &warp, const PassedPlace &from,
                           const PassedPlace &to, LaneMask lanes) {
  LaneBytes bits, computed;
  UndefinedOrigin origin;
  if (from.inRegisters) {
    auto found = warp.checks->origins.find(from.offset);
    if (found != warp.checks->origins.end())
      origin = found->second;
  }
  if (to.bytes == 0 && from.inRegisters && !from.isConstant)
    std::memcpy(bits.bytes, warp.checks->shadow + from.offset, 4);
  forLanes(lanes, [&](int lane) {
    size_t first = size_t(lane) * to.bytes;
    for (uint64_t i = 0; i < to.bytes; ++i)
      readPassed(warp, from, lane, i, bits.bytes[first + i],
                 computed.bytes[first + i]);
  });
  writeShadow(*warp.checks, to.offset, to.bytes, lanes, bits, &computed, origin);
}

void ptxsim::passUndefined(Warp &warp, const PassedPlace &from,
                           const PassedPlace &to, LaneMask lanes) {
  warp.checks->reserveLocal(warp.localStorage.size());
  bool wasDefined = !to.inRegisters ||
                    !mayBeUndefined(*warp.checks, to.offset, to.bytes);
  if (to.inRegisters && wasDefined && isDefined(warp, from, lanes))
    return;
  if (to.inRegisters)
    passToRegister(warp, from, to, lanes);
  else
    passToLocal(warp, from, to, lanes);
}
