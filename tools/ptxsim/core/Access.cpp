// Checks addresses and turns them into pointers. Loops over lanes have pragmas for
// the reason that isa/Lanes.h gives.

#include "tools/ptxsim/core/Access.h"

#include <algorithm>
#include <cstdio>

using namespace ptxsim;
using ptx::Space;

static std::string hex(uint64_t value) {
  char text[32];
  snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
  return text;
}

static const char *nameOf(MemoryKind kind) {
  switch (kind) {
  case MemoryKind::Device:
    return "device memory";
  case MemoryKind::Pinned:
    return "pinned host memory";
  case MemoryKind::Managed:
    return "managed memory";
  case MemoryKind::Registered:
    return "registered host memory";
  case MemoryKind::Variable:
    return "the variable";
  case MemoryKind::Constant:
    return "the constant";
  case MemoryKind::Heap:
    return "the kernels' heap";
  }
  return "";
}

static std::string describe(const Allocation &allocation) {
  std::string result =
      std::to_string(allocation.bytes) + " bytes of " + nameOf(allocation.kind);
  if (!allocation.name.empty())
    result += " '" + allocation.name + "'";
  return result + " at " + hex(allocation.address) + " (allocation " +
         std::to_string(allocation.serial) + ")";
}

std::string ptxsim::describeGlobal(const Memory &memory, uint64_t address) {
  Allocation found, below, above;
  if (memory.find(address, found))
    return hex(address) + ", byte " + std::to_string(address - found.address) +
           " of " + describe(found);
  if (memory.findFreed(address, found))
    return hex(address) + ", byte " + std::to_string(address - found.address) +
           " of " + describe(found) + ", which is freed";
  memory.neighbours(address, below, above);
  std::string result = hex(address);
  if (below.bytes != 0)
    result += ", " + std::to_string(address - below.address - below.bytes) +
              " bytes past the end of " + describe(below);
  else if (above.bytes != 0)
    result += ", " + std::to_string(above.address - address) +
              " bytes before " + describe(above);
  return result;
}

Block *ptxsim::blockOfShared(Block &own, uint32_t address, uint32_t &offset) {
  uint32_t rank = address >> clusterRankShift;
  offset = address & ((1u << clusterRankShift) - 1);
  if (rank == 0)
    return &own;
  std::vector<Block> &blocks = own.cluster->blocks;
  return rank <= blocks.size() ? &blocks[rank - 1] : nullptr;
}

namespace {
/// Resolves the lanes of one access.
class Resolver {
public:
  Resolver(Warp &warp, const Op &op, Access &access)
      : warp(warp), op(op), access(access), block(*warp.block) {}

  bool run();

private:
  bool lane(int lane);
  bool global(int lane, uint64_t address);
  bool shared(int lane, uint64_t address, bool cluster);
  bool local(int lane, uint64_t address);
  bool parameter(int lane, uint64_t address);
  bool generic(int lane, uint64_t address);
  bool together();
  bool aligned();
  bool fail(int lane, FaultCode code, const char *check, std::string message,
            std::string address, std::string advice);

  Warp &warp;
  const Op &op;
  Access &access;
  Block &block;
};
} // namespace

bool Resolver::fail(int lane, FaultCode code, const char *check,
                    std::string message, std::string address,
                    std::string advice) {
  Fault fault;
  fault.code = code;
  fault.check = check;
  fault.message = std::move(message);
  fault.address = std::move(address);
  fault.advice = std::move(advice);
  warp.worker->stop(warp, op, std::move(fault), lane);
  return false;
}

/// True if `[address, address + bytes)` lies below `limit`.
static bool fits(uint64_t address, uint64_t bytes, uint64_t limit) {
  return address <= limit && bytes <= limit - address;
}

static std::string verb(AccessKind kind) {
  return kind == AccessKind::Read    ? "read"
         : kind == AccessKind::Write ? "written"
                                     : "changed atomically";
}

bool Resolver::global(int lane, uint64_t address) {
  const Range *range = warp.worker->findRange(address, access.bytes);
  if (range == nullptr) {
    Allocation freed;
    bool isFreed = warp.worker->memory.findFreed(address, freed);
    return fail(lane, FaultCode::IllegalAddress,
                isFreed ? "use after free" : "out of bounds",
                "expected " + std::to_string(access.bytes) +
                    " bytes that can be " + verb(access.kind) +
                    " in global memory",
                describeGlobal(warp.worker->memory, address),
                isFreed ? "free the memory after the kernel has ended"
                        : "compare the index with the size of the allocation");
  }
  if (!range->writable && access.kind != AccessKind::Read)
    return fail(lane, FaultCode::IllegalAddress, "constant memory written",
                "expected memory that can be written",
                describeGlobal(warp.worker->memory, address),
                "copy to the constant from the host");
  access.pointers[lane] = reinterpret_cast<uint8_t *>(address);
  return true;
}

/// True if `[offset, offset + bytes)` is what kernels may use of the reserved
/// bytes.
static bool isOfGroups(uint32_t offset, uint32_t bytes) {
  return offset >= h100::groupsSharedOffset &&
         offset - h100::groupsSharedOffset + bytes <= h100::groupsSharedBytes;
}

bool Resolver::shared(int lane, uint64_t address, bool cluster) {
  uint32_t offset = 0;
  Block *target = nullptr;
  if (address <= 0xffffffff)
    target = blockOfShared(block, uint32_t(address), offset);
  if (target != nullptr && target != &block && !cluster)
    target = nullptr;
  if (target == nullptr)
    return fail(lane, FaultCode::IllegalAddress, "out of bounds",
                "expected an address of shared memory of this " +
                    std::string(cluster ? "cluster" : "block"),
                hex(address), "use mapa to address another block");
  if ((offset < h100::reservedSharedBytesPerBlock &&
       !isOfGroups(offset, access.bytes)) ||
      offset + uint64_t(access.bytes) > target->sharedBytes)
    return fail(lane, FaultCode::IllegalAddress, "out of bounds",
                "expected " + std::to_string(access.bytes) + " bytes in shared memory of " +
                    std::to_string(target->sharedBytes -
                                   h100::reservedSharedBytesPerBlock) +
                    " bytes from " +
                    std::to_string(h100::reservedSharedBytesPerBlock),
                "shared address " + hex(offset),
                "compare the index with the size of the array, and the dynamic "
                "shared memory of the launch");
  if (target->liveThreads == 0)
    return fail(lane, FaultCode::LaunchFailed, "block has exited",
                "expected a block that still runs, got block rank " +
                    std::to_string(target->rank) + " of the cluster",
                "shared address " + hex(offset),
                "end with barrier.cluster so that no block exits while others "
                "use its shared memory");
  access.pointers[lane] = target->shared + offset;
  return true;
}

bool Resolver::local(int lane, uint64_t address) {
  // What lies above the frame of the running function holds nothing.
  uint64_t end = uint64_t(warp.now.local) + warp.now.code->localBytes +
                 warp.now.stack;
  if (!fits(address, access.bytes, end))
    return fail(lane, FaultCode::IllegalAddress, "out of bounds",
                "expected " + std::to_string(access.bytes) +
                    " bytes in local memory of " + std::to_string(end) +
                    " bytes in use",
                "local address " + hex(address),
                "compare the index with the size of the array");
  warp.reserveLocal();
  access.pointers[lane] =
      warp.localStorage.data() + size_t(lane) * warp.localLimit + address;
  return true;
}

bool Resolver::parameter(int lane, uint64_t address) {
  const std::vector<uint8_t> &bytes =
      block.cluster->grid->launch.parameters;
  if (access.kind != AccessKind::Read)
    return fail(lane, FaultCode::IllegalAddress, "parameter written",
                "expected memory that can be written",
                "parameter address " + hex(address),
                "parameters of a kernel are constant");
  if (!fits(address, access.bytes, bytes.size()))
    return fail(lane, FaultCode::IllegalAddress, "out of bounds",
                "expected " + std::to_string(access.bytes) + " bytes in the " +
                    std::to_string(bytes.size()) + " bytes of parameters",
                "parameter address " + hex(address),
                "compare the offset with the sizes of the parameters");
  access.pointers[lane] = const_cast<uint8_t *>(bytes.data()) + address;
  return true;
}

bool Resolver::generic(int lane, uint64_t address) {
  const Memory &memory = warp.worker->memory;
  uint64_t window = address - memory.sharedWindow();
  if (window >= 3 * Memory::windowBytes)
    return global(lane, address);
  if (window < Memory::windowBytes)
    return shared(lane, window, true);
  if (window < 2 * Memory::windowBytes)
    return local(lane, window - Memory::windowBytes);
  return parameter(lane, window - 2 * Memory::windowBytes);
}

bool Resolver::lane(int lane) {
  uint64_t address = access.addresses[lane];
  switch (access.space) {
  case Space::Global:
  case Space::Constant:
    return global(lane, address);
  case Space::Shared:
    return shared(lane, address, false);
  case Space::SharedCluster:
    return shared(lane, address, true);
  case Space::Local:
    return local(lane, address);
  case Space::Parameter:
    return parameter(lane, address);
  default:
    return generic(lane, address);
  }
}

/// The usual way: all lanes lie in one allocation, or in the shared memory of the
/// block. Lanes that do not take part get the pointer of one that does.
bool Resolver::together() {
  const Memory &memory = warp.worker->memory;
  uint64_t least = ~uint64_t(0), greatest = 0;
#pragma clang loop vectorize_width(8) unroll(disable)
  for (int lane = 0; lane < 32; ++lane) {
    least = std::min(least, access.addresses[lane]);
    greatest = std::max(greatest, access.addresses[lane]);
  }
  uint64_t bytes = greatest - least + access.bytes, base = 0;
  switch (access.space) {
  case Space::Generic:
    if (least - memory.sharedWindow() < 3 * Memory::windowBytes)
      return false;
    [[fallthrough]];
  case Space::Global:
  case Space::Constant: {
    const Range *range = warp.worker->findRange(least, bytes);
    if (range == nullptr || (!range->writable && access.kind != AccessKind::Read))
      return false;
    break;
  }
  case Space::Shared:
    if (least < h100::reservedSharedBytesPerBlock ||
        !fits(greatest, access.bytes, block.sharedBytes))
      return false;
    base = reinterpret_cast<uint64_t>(block.shared);
    break;
  default:
    return false;
  }
  uint64_t first = access.addresses[0], step = access.bytes, apart = 0;
#pragma clang loop vectorize_width(8) unroll(disable)
  for (int lane = 0; lane < 32; ++lane) {
    uint64_t address = access.addresses[lane];
    access.pointers[lane] = reinterpret_cast<uint8_t *>(base + address);
    apart |= address ^ (first + uint64_t(lane) * step);
  }
  access.contiguous = access.mask == ~LaneMask(0) && apart == 0;
  return true;
}

static std::string addressIn(Space space) {
  switch (space) {
  case Space::Shared:
  case Space::SharedCluster:
    return "shared address ";
  case Space::Local:
    return "local address ";
  case Space::Parameter:
    return "parameter address ";
  default:
    return "";
  }
}

bool Resolver::aligned() {
  uint64_t bits = 0;
#pragma clang loop vectorize_width(8) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    bits |= access.addresses[lane];
  if ((bits & (access.alignment - 1)) == 0)
    return true;
  int bad = -1;
  forLanes(access.mask, [&](int lane) {
    if (bad < 0 && (access.addresses[lane] & (access.alignment - 1)) != 0)
      bad = lane;
  });
  return fail(bad, FaultCode::MisalignedAddress, "misaligned",
              "expected an address that is a multiple of " +
                  std::to_string(access.alignment),
              addressIn(access.space) + hex(access.addresses[bad]),
              "align what is accessed, or access it in smaller parts");
}

bool Resolver::run() {
  // Lanes that do not take part count as the first one that does.
  if (access.mask != ~LaneMask(0)) {
    uint64_t first = access.addresses[__builtin_ctz(access.mask)];
#pragma clang loop vectorize_width(8) unroll(disable)
    for (int lane = 0; lane < 32; ++lane)
      access.addresses[lane] =
          access.mask >> lane & 1 ? access.addresses[lane] : first;
  }
  if (access.alignment > 1 && !aligned())
    return false;
  if (together())
    return true;
  for (LaneMask rest = access.mask; rest != 0; rest &= rest - 1)
    if (!lane(__builtin_ctz(rest)))
      return false;
  uint8_t *pointer = access.pointers[__builtin_ctz(access.mask)];
  for (int lane = 0; lane < 32; ++lane)
    if (!(access.mask >> lane & 1))
      access.pointers[lane] = pointer;
  return true;
}

bool ptxsim::resolveAddresses(Warp &warp, const Op &op, Access &access) {
  return Resolver(warp, op, access).run();
}

bool ptxsim::resolve(Warp &warp, const Op &op, Slot slot, Access &access) {
  uint64_t offset = op.immediate;
  if (op.flags & opFrameLocal)
    offset += warp.now.local;
  if (op.flags & opAddress64) {
    const uint64_t *base = warp.at<uint64_t>(slot);
#pragma clang loop vectorize_width(8) unroll(disable)
    for (int lane = 0; lane < 32; ++lane)
      access.addresses[lane] = base[lane] + offset;
  } else {
    const uint32_t *base = warp.at<uint32_t>(slot);
#pragma clang loop vectorize_width(16) unroll(disable)
    for (int lane = 0; lane < 32; ++lane)
      access.addresses[lane] = uint32_t(base[lane] + uint32_t(offset));
  }
  return resolveAddresses(warp, op, access);
}

uint8_t *ptxsim::resolveRange(Warp &warp, const Op &op, int lane, Space space,
                              AccessKind kind, uint64_t address, uint32_t bytes,
                              uint32_t alignment) {
  Access access;
  access.space = space;
  access.kind = kind;
  access.bytes = bytes;
  access.alignment = alignment;
  access.mask = LaneMask(1) << lane;
  access.addresses[lane] = address;
  return resolveAddresses(warp, op, access) ? access.pointers[lane] : nullptr;
}
