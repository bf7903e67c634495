// mbarrier objects: the state of a phase and what completes it.
//
// The 64 bits in shared memory are ours to choose; a program only copies them.
// They hold the parity and what is pending, so that an object that an ordinary
// store has overwritten is recognised. Everything else is beside it in the block.
// The state that mbarrier.arrive returns says of which phase and object it is.
//
// Source: PTX ISA 9.0, section 9.7.13.15.

#ifndef TCC_TOOLS_PTXSIM_CORE_MBARRIERS_H
#define TCC_TOOLS_PTXSIM_CORE_MBARRIERS_H

#include "tools/ptxsim/core/Block.h"

namespace ptxsim {

constexpr uint32_t mbarrierCountLimit = (1u << 20) - 1;

/// The word of a barrier as it is now.
uint64_t mbarrierWord(const MBarrier &barrier);

/// The state of the barrier at `offset` of `block` for mbarrier.arrive: bit 63 is
/// the parity; below it the phase, the pending arrivals, and which object it is.
uint64_t mbarrierState(const Block &block, uint32_t offset,
                       const MBarrier &barrier);

/// The pending arrivals in a state.
uint32_t pendingOf(uint64_t state);

/// Checks that `state` is that of the present phase of the barrier or of the one
/// before.
///
/// \returns false and a fault if it is not.
bool checkMBarrierState(const Block &block, uint32_t offset,
                        const MBarrier &barrier, uint64_t state, Fault &fault);

/// Finds the barrier at `offset` of `block`.
///
/// \returns null and a fault if there is none or it was overwritten.
MBarrier *findMBarrier(Block &block, uint32_t offset, Fault &fault);

/// Begins a barrier of `count` arrivals.
///
/// \returns false and a fault if the count is out of range.
bool initialiseMBarrier(Block &block, uint32_t offset, uint32_t count,
                        const Warp &warp, const Op &op, Fault &fault);

/// Makes `count` arrivals, and expects as many fewer in later phases if they
/// drop out.
///
/// \returns false and a fault if more arrive than are pending.
bool arriveMBarrier(Block &block, uint32_t offset, MBarrier &barrier,
                    uint32_t count, bool drop, Fault &fault);

/// Adds one to the arrivals that the present phase waits for.
void incrementMBarrier(Block &block, uint32_t offset, MBarrier &barrier);

/// Adds `bytes` to those that the phase waits for; negative ones have come.
///
/// \returns false and a fault if the sum is out of range.
bool expectMBarrier(Block &block, uint32_t offset, MBarrier &barrier,
                    int64_t bytes, Fault &fault);

/// "mbarrier at shared address 0x400: phase 3, 1 of 2 arrivals and 512 bytes are
/// missing"
std::string describe(uint32_t offset, const MBarrier &barrier);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_MBARRIERS_H
