// The life of an mbarrier.

#include "tools/ptxsim/core/MBarriers.h"

#include <cstdio>
#include <cstring>

using namespace ptxsim;

uint64_t ptxsim::mbarrierWord(const MBarrier &barrier) {
  return barrier.phase << 63 | uint64_t(barrier.expected) << 40 |
         uint64_t(barrier.pending) << 20 |
         (uint64_t(barrier.transaction) & 0xfffff);
}

/// Bits of a state: a shared address is a multiple of 8 below 2^18.
static constexpr unsigned phaseShift = 40, pendingShift = 20, placeBits = 15;
static constexpr uint64_t phaseMask = (1 << 23) - 1;

static uint64_t placeOf(const Block &block, uint32_t offset) {
  return uint64_t(block.rank) << placeBits | offset / 8;
}

uint64_t ptxsim::mbarrierState(const Block &block, uint32_t offset,
                               const MBarrier &barrier) {
  return barrier.phase << 63 |
         (barrier.phase & phaseMask) << phaseShift |
         uint64_t(barrier.pending) << pendingShift | placeOf(block, offset);
}

uint32_t ptxsim::pendingOf(uint64_t state) {
  return uint32_t(state >> pendingShift) & mbarrierCountLimit;
}

static std::string hex(uint32_t value) {
  char text[16];
  snprintf(text, sizeof(text), "0x%x", value);
  return text;
}

std::string ptxsim::describe(uint32_t offset, const MBarrier &barrier) {
  std::string result = "mbarrier at shared address " + hex(offset) + ": phase " +
                       std::to_string(barrier.phase) + ", " +
                       std::to_string(barrier.pending) + " of " +
                       std::to_string(barrier.expected) +
                       " arrivals are missing";
  if (barrier.transaction > 0)
    result += " and " + std::to_string(barrier.transaction) + " bytes";
  if (barrier.transaction < 0)
    result += ", and " + std::to_string(-barrier.transaction) +
              " bytes more have come than were expected";
  return result;
}

bool ptxsim::checkMBarrierState(const Block &block, uint32_t offset,
                                const MBarrier &barrier, uint64_t state,
                                Fault &fault) {
  uint64_t place = state & ((1 << pendingShift) - 1);
  uint64_t age = (barrier.phase - (state >> phaseShift)) & phaseMask;
  if (place == placeOf(block, offset) && age <= 1)
    return true;
  fault.code = FaultCode::LaunchFailed;
  fault.check = "mbarrier state";
  fault.address = describe(offset, barrier);
  if (place != placeOf(block, offset)) {
    fault.message =
        "expected a state of this mbarrier, got one of the mbarrier at shared "
        "address " +
        hex(uint32_t(place % (1 << placeBits)) * 8) + " of block rank " +
        std::to_string(place >> placeBits);
    fault.advice = "wait for the mbarrier that gave the state";
    return false;
  }
  fault.message = "expected a state of phase " + std::to_string(barrier.phase) +
                  " or of the one before, got one of phase " +
                  std::to_string(state >> phaseShift & phaseMask);
  fault.advice = "wait with the state of the last arrival, and see to it that the "
                 "phase after it cannot complete before";
  return false;
}

/// Writes the word and completes the phase if nothing is missing.
static void update(Block &block, uint32_t offset, MBarrier &barrier) {
  if (barrier.pending == 0 && barrier.transaction == 0) {
    ++barrier.phase;
    barrier.pending = barrier.expected;
    ++block.cluster->progress;
  }
  barrier.bits = mbarrierWord(barrier);
  std::memcpy(block.shared + offset, &barrier.bits, sizeof(barrier.bits));
}

MBarrier *ptxsim::findMBarrier(Block &block, uint32_t offset, Fault &fault) {
  auto entry = block.mbarriers.find(offset);
  fault.code = FaultCode::LaunchFailed;
  fault.check = "mbarrier";
  if (entry == block.mbarriers.end()) {
    fault.message = "expected an mbarrier object, got memory that mbarrier.init "
                    "has not been executed on";
    fault.address = "shared address " + hex(offset);
    fault.advice = "initialise it, and let the others see that by a barrier "
                   "before they use it";
    return nullptr;
  }
  uint64_t bits;
  std::memcpy(&bits, block.shared + offset, sizeof(bits));
  if (bits == entry->second.bits)
    return &entry->second;
  fault.message = "expected an mbarrier object, got one that an ordinary store or "
                  "copy has overwritten";
  fault.address = "shared address " + hex(offset);
  fault.advice = "execute mbarrier.inval before the memory is used otherwise";
  return nullptr;
}

bool ptxsim::initialiseMBarrier(Block &block, uint32_t offset, uint32_t count,
                                const Warp &warp, const Op &op, Fault &fault) {
  fault.code = FaultCode::LaunchFailed;
  fault.check = "mbarrier";
  fault.address = "shared address " + hex(offset);
  if (count == 0 || count > mbarrierCountLimit) {
    fault.message = "expected a count from 1 to " +
                    std::to_string(mbarrierCountLimit) + ", got " +
                    std::to_string(count);
    fault.advice = "give the number of arrivals that complete a phase";
    return false;
  }
  MBarrier &barrier = block.mbarriers[offset];
  barrier = MBarrier();
  barrier.expected = barrier.pending = count;
  barrier.initialised = &op;
  barrier.code = warp.now.code;
  update(block, offset, barrier);
  ++block.cluster->progress;
  return true;
}

bool ptxsim::arriveMBarrier(Block &block, uint32_t offset, MBarrier &barrier,
                            uint32_t count, bool drop, Fault &fault) {
  if (count == 0 || count > barrier.pending) {
    fault.code = FaultCode::LaunchFailed;
    fault.check = "mbarrier arrivals";
    fault.message = "expected at most " + std::to_string(barrier.pending) +
                    " more arrivals in this phase, got " + std::to_string(count);
    fault.address = describe(offset, barrier);
    fault.advice = "compare the count of mbarrier.init with the threads that "
                   "arrive in a phase";
    return false;
  }
  barrier.pending -= count;
  if (drop)
    barrier.expected -= count;
  ++block.cluster->progress;
  update(block, offset, barrier);
  return true;
}

void ptxsim::incrementMBarrier(Block &block, uint32_t offset,
                               MBarrier &barrier) {
  ++barrier.pending;
  update(block, offset, barrier);
}

bool ptxsim::expectMBarrier(Block &block, uint32_t offset, MBarrier &barrier,
                            int64_t bytes, Fault &fault) {
  int64_t sum = barrier.transaction + bytes;
  if (sum > int64_t(mbarrierCountLimit) || sum < -int64_t(mbarrierCountLimit)) {
    fault.code = FaultCode::LaunchFailed;
    fault.check = "mbarrier transaction bytes";
    fault.message = "expected between -1048575 and 1048575 bytes in a phase, got " +
                    std::to_string(sum);
    fault.address = describe(offset, barrier);
    fault.advice = "expect no more bytes in a phase than its copies bring";
    return false;
  }
  barrier.transaction = sum;
  update(block, offset, barrier);
  return true;
}
