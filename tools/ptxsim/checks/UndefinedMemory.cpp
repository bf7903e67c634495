// Undefined bytes on their way into registers and back.

#include "tools/ptxsim/checks/Undefined.h"

#include "tools/ptxsim/machine/WrittenBits.h"

using namespace ptxsim;
using ptx::Space;

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

static ShadowRegion sharedRegion(const Block &block) {
  ShadowRegion region;
  region.space = Space::Shared;
  region.begin = block.shared;
  region.bytes = block.sharedBytes;
  if (!block.sharedWritten.empty()) {
    region.written = const_cast<uint8_t *>(block.sharedWritten.data());
    region.computed = const_cast<uint8_t *>(block.sharedComputed.data());
  }
  return region;
}

static ShadowRegion localRegion(const Warp &warp) {
  ShadowRegion region;
  region.space = Space::Local;
  region.begin = warp.localStorage.data();
  region.bytes = warp.localStorage.size();
  if (warp.checks != nullptr) {
    warp.checks->reserveLocal(region.bytes);
    region.written = warp.checks->localWritten.data();
    region.computed = warp.checks->localComputed.data();
  }
  return region;
}

static ShadowRegion globalRegion(const Memory &memory) {
  ShadowRegion region;
  region.begin = reinterpret_cast<const uint8_t *>(memory.trackedBegin());
  region.bytes = memory.trackedBytes();
  region.written = memory.writtenBits();
  return region;
}

ShadowRegion ptxsim::regionOf(const Block &block, const Warp *warp,
                              const uint8_t *pointer) {
  ShadowRegion region = sharedRegion(block);
  if (region.contains(pointer))
    return region;
  region = globalRegion(*block.cluster->grid->memory);
  if (region.contains(pointer))
    return region;
  if (warp != nullptr) {
    region = localRegion(*warp);
    if (region.contains(pointer))
      return region;
  }
  for (const Block &other : block.cluster->blocks) {
    region = sharedRegion(other);
    if (region.contains(pointer))
      return region;
  }
  const std::vector<uint8_t> &parameters =
      block.cluster->grid->launch.parameters;
  region = ShadowRegion();
  region.begin = parameters.data();
  region.bytes = parameters.size();
  region.space = Space::Parameter;
  if (region.contains(pointer))
    return region;
  region.begin = pointer; // Registered memory of the host.
  region.bytes = 1;
  region.space = Space::Global;
  return region;
}

bool ptxsim::keepsUndefined(const Block &block, const ShadowRegion &region,
                           const uint8_t *pointer) {
  if (region.written == nullptr || region.space != Space::Global)
    return region.written != nullptr;
  Allocation allocation;
  if (!block.cluster->grid->memory->find(uint64_t(pointer), allocation))
    return false;
  return allocation.kind == MemoryKind::Device ||
         allocation.kind == MemoryKind::Variable ||
         allocation.kind == MemoryKind::Heap;
}

/// Bits of the bytes of a lane's access.
static constexpr uint32_t allBytes(uint32_t bytes) {
  return uint32_t((uint64_t(1) << bytes) - 1);
}

namespace {
/// The regions that the lanes of an access are in, which are mostly one.
class LaneRegions {
public:
  LaneRegions(const Warp &warp, const Access &access)
      : warp(warp), access(access) {}

  const ShadowRegion &at(int lane) {
    if (!region.contains(access.pointers[lane]))
      region = regionOf(*warp.block, &warp, access.pointers[lane]);
    return region;
  }

private:
  const Warp &warp;
  const Access &access;
  ShadowRegion region;
};
} // namespace

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

/// The bytes of a lane's access that were written.
static uint32_t writtenBytes(const ShadowRegion &region, const Access &access,
                             int lane) {
  if (region.written == nullptr)
    return allBytes(access.bytes);
  return bitsAt(region.written, region.index(access.pointers[lane]),
                access.bytes);
}

/// Notes that the bytes of a lane's access are written. Accesses are aligned and
/// of a power of two of bytes, so that up to eight lie in one byte of the map.
static void defineLane(const ShadowRegion &region, const Access &access,
                       int lane) {
  if (region.written == nullptr)
    return;
  uint64_t index = region.index(access.pointers[lane]);
  unsigned shift = index % 8;
  if (shift + access.bytes > 8) {
    setBits(region.written, index, access.bytes);
    return;
  }
  uint8_t mask = uint8_t(allBytes(access.bytes) << shift);
  uint8_t *byte = region.written + index / 8;
  if ((*byte & mask) != mask)
    __atomic_fetch_or(byte, mask, __ATOMIC_RELAXED);
}

static bool isAllWritten(const Warp &warp, const Access &access) {
  LaneRegions regions(warp, access);
  if (access.contiguous) {
    const ShadowRegion &region = regions.at(0);
    return region.written == nullptr ||
           areBitsSet(region.written, region.index(access.pointers[0]),
                      32 * uint64_t(access.bytes));
  }
  uint32_t wanted = allBytes(access.bytes);
  for (LaneMask rest = access.mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    if (writtenBytes(regions.at(lane), access, lane) != wanted)
      return false;
  }
  return true;
}

static UndefinedOrigin memoryOrigin(const Warp &warp, const Op &op,
                                    Space space, uint64_t address) {
  UndefinedOrigin origin;
  origin.kind = UndefinedOrigin::Kind::Memory;
  origin.space = space;
  origin.code = warp.now.code;
  origin.op = &op;
  origin.address = address;
  return origin;
}

/// Spreads a bit for each byte of a lane to bytes of 0 or 0xff.
static void spread(uint32_t mask, uint8_t *bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i)
    bytes[i] = mask >> i & 1 ? 0xff : 0;
}

/// Loads into the shadows of `count` registers of `size` bytes.
static void loadShadows(Warp &warp, const Op &op, const Access &access,
                        const Slot *slots, uint32_t count, uint64_t used) {
  uint32_t size = access.bytes / count;
  LaneRegions regions(warp, access);
  for (uint32_t element = 0; element < count; ++element) {
    LaneBytes bits, computed;
    UndefinedOrigin origin;
    forLanes(access.mask, [&](int lane) {
      const ShadowRegion &region = regions.at(lane);
      uint32_t undefined = ~writtenBytes(region, access, lane) & uint32_t(used);
      undefined = undefined >> (element * size) & allBytes(size);
      if (undefined == 0)
        return;
      spread(undefined, bits.bytes + size_t(lane) * size, size);
      uint64_t byte = element * size + uint32_t(__builtin_ctz(undefined));
      if (origin.op == nullptr)
        origin = memoryOrigin(warp, op, region.space,
                              access.addresses[lane] + byte);
      if (region.computed != nullptr)
        spread(bitsAt(region.computed,
                      region.index(access.pointers[lane]) + element * size, size),
               computed.bytes + size_t(lane) * size, size);
    });
    writeShadow(warp, slots[element], size, access.mask, bits, &computed, origin);
  }
}

static const ptx::Instruction *instructionOf(const Warp &warp, const Op &op) {
  const Code &code = *warp.now.code;
  uint32_t index = code.infos[size_t(&op - code.ops.data())].instruction;
  const auto &all = code.function->instructions;
  return index < all.size() ? &all[index] : nullptr;
}

void ptxsim::loadUndefined(Warp &warp, const Op &op, const Access &access) {
  if (isAllWritten(warp, access))
    return;
  const ptx::Instruction *instruction = instructionOf(warp, op);
  loadShadows(warp, op, access, op.slots, op.count,
              instruction == nullptr ? ~uint64_t(0) : instruction->usedBytes);
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

namespace {
/// The bytes of one lane's value, a bit each.
struct UndefinedBytes {
  uint32_t undefined = 0; ///< No bit of them is defined.
  uint32_t computed = 0;
};
} // namespace

/// Reads `count` registers of `size` bytes as one lane's value.
static UndefinedBytes valueOf(const Warp &warp, const Slot *slots,
                              uint32_t count, uint32_t size, int lane) {
  UndefinedBytes result;
  const WarpChecks &checks = *warp.checks;
  for (uint32_t element = 0; element < count; ++element) {
    if (!mayBeUndefined(warp, slots[element], size))
      continue;
    uint64_t offset =
        warp.now.frame + uint64_t(slots[element]) + size_t(lane) * size;
    for (uint32_t i = 0; i < size; ++i) {
      uint32_t bit = 1u << (element * size + i);
      if (checks.shadow[offset + i] != 0xff)
        continue;
      result.undefined |= bit;
      uint64_t line = checks.computed[(offset + i) / WarpChecks::line];
      if (line >> ((offset + i) % WarpChecks::line) & 1)
        result.computed |= bit;
    }
  }
  return result;
}

/// Notes what a lane writes.
static void putBytes(const Block &block, const ShadowRegion &region,
                     const uint8_t *pointer, uint32_t bytes,
                     UndefinedBytes value) {
  if (region.written == nullptr)
    return;
  if (value.undefined != 0 && !keepsUndefined(block, region, pointer))
    value = UndefinedBytes();
  uint64_t index = region.index(pointer);
  putBits(region.written, index, bytes, ~value.undefined & allBytes(bytes));
  if (region.computed != nullptr)
    putBits(region.computed, index, bytes, value.computed);
}

static void defineLanes(const Warp &warp, const Access &access) {
  LaneRegions regions(warp, access);
  if (access.contiguous) {
    const ShadowRegion &region = regions.at(0);
    if (region.written != nullptr)
      setBits(region.written, region.index(access.pointers[0]),
              32 * uint64_t(access.bytes));
    return;
  }
  forLanes(access.mask,
           [&](int lane) { defineLane(regions.at(lane), access, lane); });
}

/// The operand of `op` in `slot`.
static RegisterOperand operandOf(const Warp &warp, const Op &op, Slot slot) {
  const Code &code = *warp.now.code;
  const OpInfo &info = code.infos[size_t(&op - code.ops.data())];
  for (uint32_t i = 0; i < info.sources; ++i)
    if (code.operands[info.firstSource + i].slot == slot)
      return code.operands[info.firstSource + i];
  return {slot, 4};
}

static bool reportStored(Warp &warp, const Op &op, int lane, Slot slot) {
  UndefinedUse use = useOf(warp, operandOf(warp, op, slot),
                           "the value that is stored to global memory");
  return reportUndefined(warp, op, lane, use);
}

bool ptxsim::storeUndefined(Warp &warp, const Op &op, const Access &access,
                            const Slot *sources) {
  uint32_t size = access.bytes / op.count;
  bool unsure = false;
  for (uint32_t element = 0; element < op.count; ++element)
    unsure |= mayBeUndefined(warp, sources[element], size);
  if (!unsure) {
    defineLanes(warp, access);
    return true;
  }
  LaneRegions regions(warp, access);
  for (LaneMask rest = access.mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    const ShadowRegion &region = regions.at(lane);
    UndefinedBytes value = valueOf(warp, sources, op.count, size, lane);
    if (region.space == Space::Global && value.computed == allBytes(access.bytes))
      return reportStored(warp, op, lane, sources[0]);
    putBytes(*warp.block, region, access.pointers[lane], access.bytes, value);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

namespace {
/// One atomic instruction whose memory or operands have undefined bytes. Lanes
/// follow each other: what one writes, the next one reads.
class UndefinedAtomic {
public:
  UndefinedAtomic(Warp &warp, const Op &op, const Access &access);
  bool run();

private:
  enum class Kind { Exchange, CompareAndSwap, Other };

  bool lane(int lane, const ShadowRegion &region);
  bool reportMemory(int lane, const ShadowRegion &region);

  Warp &warp;
  const Op &op;
  const Access &access;
  Kind kind = Kind::Other;
  const Slot *slots;
  uint32_t first = 0; ///< Slot of the address.
  uint32_t size;      ///< Of an element.
  uint32_t old[32];   ///< Bytes of what lanes have read, undefined.
};
} // namespace

UndefinedAtomic::UndefinedAtomic(Warp &warp, const Op &op, const Access &access)
    : warp(warp), op(op), access(access), slots(warp.slotsOf(op)),
      size(access.bytes / op.count) {
  const Code &code = *warp.now.code;
  if (code.infos[size_t(&op - code.ops.data())].destinations != 0)
    first = op.count;
  const ptx::Instruction &instruction = *instructionOf(warp, op);
  for (uint32_t i = 0; i < instruction.wordCount; ++i) {
    std::string_view word = code.function->words[instruction.firstWord + i];
    if (word == "exch")
      kind = Kind::Exchange;
    if (word == "cas")
      kind = Kind::CompareAndSwap;
  }
}

bool UndefinedAtomic::reportMemory(int lane, const ShadowRegion &region) {
  UndefinedUse use;
  use.what = "the memory that an atomic changes";
  use.origin = memoryOrigin(warp, op, region.space, access.addresses[lane]);
  return reportUndefined(warp, op, lane, use);
}

/// A compare-and-swap of memory of which only some bytes are defined is how
/// compilers change single bytes: what it has compared counts as defined.
bool UndefinedAtomic::lane(int lane, const ShadowRegion &region) {
  uint32_t all = allBytes(access.bytes);
  uint32_t missing = ~writtenBytes(region, access, lane) & all;
  UndefinedBytes value = valueOf(warp, slots + first + 1, op.count, size, lane);
  bool isGlobal = region.space == Space::Global;
  old[lane] = missing;
  switch (kind) {
  case Kind::Exchange:
    if (isGlobal && value.computed == all)
      return reportStored(warp, op, lane, slots[first + 1]);
    break;
  case Kind::CompareAndSwap:
    if (missing == all)
      return reportMemory(lane, region);
    if (value.undefined == all) {
      UndefinedUse use = useOf(warp, operandOf(warp, op, slots[first + 1]),
                               "the value that an atomic compares");
      return reportUndefined(warp, op, lane, use);
    }
    setDefined(warp, slots[first + 1], size, LaneMask(1) << lane);
    value = UndefinedBytes();
    old[lane] = 0;
    break;
  case Kind::Other:
    for (uint32_t element = 0; element < op.count; ++element) {
      uint32_t whole = allBytes(size) << (element * size);
      if ((missing & whole) == whole)
        return reportMemory(lane, region);
    }
    if (isGlobal && value.undefined == all)
      return reportStored(warp, op, lane, slots[first + 1]);
    value.undefined |= missing;
    value.computed = value.undefined;
    break;
  }
  putBytes(*warp.block, region, access.pointers[lane], access.bytes, value);
  return true;
}

bool UndefinedAtomic::run() {
  LaneRegions regions(warp, access);
  for (LaneMask rest = access.mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    if (!this->lane(lane, regions.at(lane)))
      return false;
  }
  for (uint32_t element = 0; element < first; ++element) {
    LaneBytes bits;
    forLanes(access.mask, [&](int lane) {
      spread(old[lane] >> (element * size), bits.bytes + size_t(lane) * size,
             size);
    });
    if (undefinedLanes(bits, size) == 0)
      setDefined(warp, slots[element], size, access.mask);
    else
      writeShadow(warp, slots[element], size, access.mask, bits, nullptr,
                  memoryOrigin(warp, op, access.space, access.addresses[0]));
  }
  return true;
}

bool ptxsim::atomicUndefined(Warp &warp, const Op &op, const Access &access) {
  const Code &code = *warp.now.code;
  const OpInfo &info = code.infos[size_t(&op - code.ops.data())];
  const RegisterOperand *operands = code.operands.data() + info.firstSource;
  bool unsure = !isAllWritten(warp, access);
  for (uint32_t i = 0; i < uint32_t(info.sources) + info.destinations; ++i)
    unsure |= mayBeUndefined(warp, operands[i].slot, operands[i].bytes);
  return !unsure || UndefinedAtomic(warp, op, access).run();
}
