// The shadow of a warp's register file.

#include "tools/ptxsim/checks/RegisterShadow.h"

#include <algorithm>

using namespace ptxsim;

static constexpr uint32_t line = WarpChecks::line;

void WarpChecks::reserve(uint64_t registerBytes) {
  if (registerBytes <= bytes && shadow != nullptr)
    return;
  std::vector<uint8_t> larger(registerBytes + 2 * line, 0);
  uint64_t address = reinterpret_cast<uint64_t>(larger.data());
  uint8_t *start = larger.data() + (line - address % line) % line;
  if (shadow != nullptr)
    std::memcpy(start, shadow, bytes);
  storage = std::move(larger);
  shadow = start;
  bytes = registerBytes;
  // Eight more, since the bytes of a wide register are read together.
  dirty.resize(bytes / line + 9, 0);
  computed.resize(bytes / line + 9, 0);
}

void WarpChecks::reserveLocal(uint64_t localBytes) {
  uint64_t size = localBytes / 8 + 16;
  if (localWritten.size() >= size)
    return;
  localWritten.resize(size, 0);
  localComputed.resize(size, 0);
}

void WarpChecks::setDirty(uint64_t index, bool isDirty) {
  if (bool(dirty[index]) == isDirty)
    return;
  dirty[index] = isDirty;
  uint32_t &count = dirtyCounts[index % 64];
  count += isDirty ? 1 : -1;
  dirtyLines += isDirty ? 1 : -1;
  uint64_t bit = uint64_t(1) << (index % 64);
  dirtyNumbers = count != 0 ? dirtyNumbers | bit : dirtyNumbers & ~bit;
}

void WarpChecks::clear() {
  for (size_t i = 0; dirtyLines != 0 && i < dirty.size(); ++i) {
    if (!dirty[i])
      continue;
    std::memset(shadow + i * line, 0, line);
    computed[i] = 0;
    setDirty(i, false);
  }
  carry = 0;
  origins.clear();
}

/// Returns a bit for each byte of a line that is not 0.
static uint64_t nonzeroBytes(const uint8_t *bytes) {
  constexpr uint64_t sevens = 0x7f7f7f7f7f7f7f7f;
  uint64_t result = 0;
  for (int i = 0; i < 8; ++i) {
    uint64_t word;
    std::memcpy(&word, bytes + 8 * i, sizeof(word));
    // The top bit of each byte, then all eight of them in the top byte.
    uint64_t tops = (((word & sevens) + sevens) | word) & ~sevens;
    result |= (tops >> 7) * 0x0102040810204080 >> 56 << (8 * i);
  }
  return result;
}

/// Returns a bit for each byte of a line that belongs to one of `lanes`, for a
/// register that begins `before` bytes before the line, or after it if negative.
static uint64_t bytesOfLanes(LaneMask lanes, uint32_t bytes, int64_t before) {
  uint64_t result = 0;
  for (uint32_t i = 0; i < line; ++i) {
    int64_t at = before + int64_t(i);
    if (at >= 0 && at < 32 * int64_t(bytes) && lanes >> (at / bytes) & 1)
      result |= uint64_t(1) << i;
  }
  return result;
}

void ptxsim::readShadow(const Warp &warp, Slot slot, uint32_t bytes,
                        LaneBytes &bits) {
  if (slot < 0)
    std::memset(bits.bytes, 0, sizeof(bits.bytes));
  else
    std::memcpy(bits.bytes, warp.checks->shadow + warp.now.frame + slot,
                fileBytes(bytes));
}

static void readComputedAt(const WarpChecks &checks, uint64_t offset,
                           uint32_t size, LaneBytes &computed) {
  for (uint32_t i = 0; i < size; ++i) {
    uint64_t at = offset + i;
    bool isSet = checks.computed[at / line] >> (at % line) & 1;
    computed.bytes[i] = isSet ? 0xff : 0;
  }
}

void ptxsim::readComputed(const Warp &warp, Slot slot, uint32_t bytes,
                          LaneBytes &computed) {
  std::memset(computed.bytes, 0, sizeof(computed.bytes));
  if (slot >= 0)
    readComputedAt(*warp.checks, warp.now.frame + uint64_t(slot),
                   fileBytes(bytes), computed);
}

void ptxsim::copyShadow(WarpChecks &checks, uint64_t to, uint64_t from,
                        uint32_t bytes, LaneMask lanes) {
  if (!mayBeUndefined(checks, from, bytes) && !mayBeUndefined(checks, to, bytes))
    return;
  LaneBytes bits, computed;
  std::memcpy(bits.bytes, checks.shadow + from, fileBytes(bytes));
  readComputedAt(checks, from, fileBytes(bytes), computed);
  auto found = checks.origins.find(from);
  UndefinedOrigin origin;
  if (found != checks.origins.end())
    origin = found->second;
  writeShadow(checks, to, bytes, lanes, bits, &computed, origin);
}

template <typename T> static LaneMask lanesNotZero(const LaneBytes &bits) {
  const T *lanes = bits.as<T>();
  LaneMask result = 0;
  for (int lane = 0; lane < 32; ++lane)
    result |= LaneMask(lanes[lane] != 0) << lane;
  return result;
}

LaneMask ptxsim::undefinedLanes(const LaneBytes &bits, uint32_t bytes) {
  switch (bytes) {
  case 0:
    return *bits.as<LaneMask>();
  case 1:
    return lanesNotZero<uint8_t>(bits);
  case 2:
    return lanesNotZero<uint16_t>(bits);
  case 4:
    return lanesNotZero<uint32_t>(bits);
  case 8:
    return lanesNotZero<uint64_t>(bits);
  }
  return lanesNotZero<unsigned __int128>(bits);
}

LaneMask ptxsim::undefinedLanes(const Warp &warp, Slot slot, uint32_t bytes) {
  if (!mayBeUndefined(warp, slot, bytes))
    return 0;
  LaneBytes bits;
  readShadow(warp, slot, bytes, bits);
  return undefinedLanes(bits, bytes);
}

/// Brings what is kept of the lines of a register up to date with its shadow.
static void updateLines(WarpChecks &checks, uint64_t offset, uint32_t size) {
  for (uint64_t i = offset / line; i <= (offset + size - 1) / line; ++i) {
    uint64_t undefined = nonzeroBytes(checks.shadow + i * line);
    checks.computed[i] &= undefined;
    checks.setDirty(i, undefined != 0);
  }
}

/// Replaces what is kept of how the bytes of some lanes became undefined.
static void writeComputed(WarpChecks &checks, uint64_t offset, uint32_t bytes,
                          LaneMask lanes, const LaneBytes *computed) {
  for (uint64_t i = offset / line; i <= (offset + 32 * bytes - 1) / line; ++i) {
    int64_t before = int64_t(i * line) - int64_t(offset);
    uint64_t changed = bytesOfLanes(lanes, bytes, before), value = 0;
    for (uint32_t b = 0; computed != nullptr && b < line; ++b)
      if (changed >> b & 1 && computed->bytes[before + int64_t(b)] != 0)
        value |= uint64_t(1) << b;
    checks.computed[i] = (checks.computed[i] & ~changed) | value;
  }
}

void ptxsim::writeShadow(WarpChecks &checks, uint64_t offset, uint32_t bytes,
                         LaneMask lanes, const LaneBytes &bits,
                         const LaneBytes *computed,
                         const UndefinedOrigin &origin) {
  uint8_t *shadow = checks.shadow + offset;
  if (bytes == 0) {
    LaneMask mask;
    std::memcpy(&mask, shadow, sizeof(mask));
    mask = (mask & ~lanes) | (*bits.as<LaneMask>() & lanes);
    std::memcpy(shadow, &mask, sizeof(mask));
  } else {
    forLanes(lanes, [&](int lane) {
      std::memcpy(shadow + size_t(lane) * bytes,
                  bits.bytes + size_t(lane) * bytes, bytes);
    });
    writeComputed(checks, offset, bytes, lanes, computed);
  }
  updateLines(checks, offset, fileBytes(bytes));
  if ((undefinedLanes(bits, bytes) & lanes) != 0)
    checks.origins[offset] = origin;
}

void ptxsim::setUndefined(const Warp &warp, Slot slot, uint32_t bytes,
                          LaneMask undefined, LaneMask lanes,
                          const UndefinedOrigin &origin) {
  if ((undefined & lanes) == 0) {
    setDefined(warp, slot, bytes, lanes);
    return;
  }
  LaneBytes bits;
  if (bytes == 0)
    *bits.as<LaneMask>() = undefined;
  forLanes(undefined, [&](int lane) {
    std::memset(bits.bytes + size_t(lane) * bytes, 0xff, bytes);
  });
  writeShadow(warp, slot, bytes, lanes, bits, &bits, origin);
}

void ptxsim::setDefined(const Warp &warp, Slot slot, uint32_t bytes,
                        LaneMask lanes) {
  if (!mayBeUndefined(warp, slot, bytes))
    return;
  uint64_t offset = warp.now.frame + uint64_t(slot);
  uint8_t *shadow = warp.checks->shadow + offset;
  if (bytes == 0) {
    LaneMask mask;
    std::memcpy(&mask, shadow, sizeof(mask));
    mask &= ~lanes;
    std::memcpy(shadow, &mask, sizeof(mask));
  } else if (lanes == ~LaneMask(0)) {
    std::memset(shadow, 0, 32 * bytes);
  } else {
    forLanes(lanes, [&](int lane) {
      std::memset(shadow + size_t(lane) * bytes, 0, bytes);
    });
  }
  updateLines(*warp.checks, offset, fileBytes(bytes));
}

UndefinedOrigin ptxsim::originOf(const Warp &warp, Slot slot) {
  auto found = warp.checks->origins.find(warp.now.frame + uint64_t(slot));
  return found == warp.checks->origins.end() ? UndefinedOrigin()
                                             : found->second;
}
