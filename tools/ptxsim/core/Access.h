// Addresses of the lanes of an access, checked and turned into host pointers.

#ifndef TCC_TOOLS_PTXSIM_CORE_ACCESS_H
#define TCC_TOOLS_PTXSIM_CORE_ACCESS_H

#include "tools/ptxsim/core/Block.h"

#include <algorithm>
#include <cstring>

namespace ptxsim {

enum class AccessKind : uint8_t { Read, Write, Atomic };

/// One memory instruction of a warp.
struct Access {
  ptx::Space space = ptx::Space::Generic;
  AccessKind kind = AccessKind::Read;
  uint32_t bytes = 4;     ///< Of a lane, all elements together.
  uint32_t alignment = 4; ///< That the instruction demands.
  bool strong = false;    ///< volatile, relaxed, acquire, …: not a data race.
  bool acquires = false;    ///< Others' releases of this memory are seen,
  bool releases = false;    ///< and what was done before is shown,
  uint8_t scope = 2;        ///< within block, cluster, device or system.
  bool nonCoherent = false; ///< ld.global.nc: nobody may write it meanwhile.
  LaneMask mask = 0;
  /// As the program has them. Lanes that do not take part repeat one that does,
  /// here and in `pointers`, once the access is resolved.
  uint64_t addresses[32];
  uint8_t *pointers[32]; ///< On the host.
  /// True if the pointers of all lanes follow each other, `bytes` apart.
  bool contiguous = false;
};

/// Computes addresses and pointers of the lanes of `access.mask` for the first
/// address of `op`, whose base is in `slot`.
///
/// \returns false after noting a fault: out of bounds, not aligned, the wrong
///          space, or memory that may not be written.
bool resolve(Warp &warp, const Op &op, Slot slot, Access &access);

/// The first address of `op`, whose base is in `slot`, of one lane.
inline uint64_t addressOfLane(const Warp &warp, const Op &op, Slot slot,
                              int lane) {
  uint64_t offset = op.immediate;
  if (op.flags & opFrameLocal)
    offset += warp.now.local;
  if (op.flags & opAddress64)
    return warp.at<uint64_t>(slot)[lane] + offset;
  return uint32_t(warp.at<uint32_t>(slot)[lane] + uint32_t(offset));
}

/// Notes that lanes look at memory that others may change.
inline void notePoll(Warp &warp, const Op &op, LaneMask lanes, uint64_t address,
                     const uint8_t *pointer, uint32_t bytes) {
  Poll &poll = warp.lastPoll;
  poll.op = &op;
  poll.code = warp.now.code;
  poll.lanes = lanes;
  poll.address = address;
  poll.pointer = pointer;
  poll.bytes = std::min<uint32_t>(bytes, sizeof(poll.value));
  poll.value = 0;
  std::memcpy(&poll.value, pointer, poll.bytes);
  poll.number = ++warp.polls;
}

/// The same of an access that is resolved.
inline void notePoll(Warp &warp, const Op &op, const Access &access) {
  int first = __builtin_ctz(access.mask);
  notePoll(warp, op, access.mask, access.addresses[first],
           access.pointers[first], access.bytes);
}

/// Resolves one range of one lane, in the way of `resolve`.
///
/// \returns null after noting a fault.
uint8_t *resolveRange(Warp &warp, const Op &op, int lane, ptx::Space space,
                      AccessKind kind, uint64_t address, uint32_t bytes,
                      uint32_t alignment);

/// The same for addresses that are already in `access.addresses`.
bool resolveAddresses(Warp &warp, const Op &op, Access &access);

/// Shared addresses of the cluster: those of one's own block are small numbers,
/// those that mapa makes carry the block's rank.
constexpr uint32_t clusterRankShift = 24;
constexpr uint32_t clusterAddress(uint32_t rank, uint32_t offset) {
  return (rank + 1) << clusterRankShift | offset;
}

/// Finds the block and offset of an address in the window of shared memory.
///
/// \returns null if there is no such block.
Block *blockOfShared(Block &own, uint32_t address, uint32_t &offset);

/// "0x7f…: 4 bytes past the end of 400 bytes of device memory at 0x7f…".
std::string describeGlobal(const Memory &memory, uint64_t address);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_ACCESS_H
