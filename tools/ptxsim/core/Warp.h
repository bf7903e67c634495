// A warp: 32 lanes, the groups into which they have diverged, and their
// registers.
//
// Lanes that are at the same op with the same calls below them form a group. One
// group runs at a time. Of several, the one deepest in calls and then earliest in
// the text runs first, which brings lanes together again where paths join; a
// group that turns in a loop lets the others run after a while, so that lanes may
// wait for each other (Volta's independent thread scheduling).

#ifndef TCC_TOOLS_PTXSIM_CORE_WARP_H
#define TCC_TOOLS_PTXSIM_CORE_WARP_H

#include "tools/ptxsim/core/Op.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace ptxsim {

struct AsyncState;
struct Block;
struct WarpChecks;
struct WarpgroupRegisters;
class Worker;

/// Where a call returns to, and what it restores.
struct CallFrame {
  const Code *code = nullptr;
  const Op *op = nullptr; ///< The call.
  uint32_t frame = 0;     ///< Offset of the caller's registers.
  uint32_t local = 0;     ///< Offset of the caller's local variables.
  uint32_t stack = 0;     ///< Bytes that it has from alloca.

  bool operator==(const CallFrame &other) const {
    return op == other.op && frame == other.frame && local == other.local &&
           stack == other.stack;
  }
};

/// Lanes that are at one place.
struct Group {
  enum class State : uint8_t {
    Ready,
    Converging, ///< At an aligned op; waits for the other lanes.
    Waiting,    ///< Its op answered Wait.
  };
  const Op *pc = nullptr;
  const Code *code = nullptr;
  LaneMask mask = 0;
  uint32_t frame = 0; ///< Offset of its registers in the warp's.
  uint32_t local = 0; ///< Offset of its variables in a lane's local memory.
  uint32_t stack = 0; ///< Bytes behind the variables that alloca gave.
  State state = State::Ready;
  bool waitsForGrid = false; ///< griddepcontrol.wait
  bool mayExpire = false; ///< The op it waits at has a time limit.
  bool expired = false; ///< The op it waits at shall answer that time is up.
  uint32_t turns = 0;   ///< Backward branches since others ran.
  bool hasGivenUp = false; ///< Its last try_wait came back without a result.
  uint64_t ticket = 0;  ///< What a waiting op has noted; 0 when it begins.
  uint64_t seen = 0;    ///< Progress of the cluster when it last waited.
  uint64_t wakeTime = 0; ///< nanosleep: not before; 0 for at once.
  uint64_t waitTick = 0; ///< When it began to wait, for counters; else 0.
  std::vector<CallFrame> calls;
};

/// What lanes have brought to a shuffle or vote that waits for other lanes.
struct Gathering {
  LaneMask members = 0; ///< 0 for a free entry.
  LaneMask arrived = 0;
  LaneMask left = 0; ///< Those that have taken their result.
  Handler kind = nullptr;
  uint64_t values[32] = {};
  uint64_t undefined[32] = {}; ///< Their undefined bits; see checks.
};

/// A look at memory that others may change.
struct Poll {
  const Op *op = nullptr; ///< Null if there was none.
  const Code *code = nullptr;
  LaneMask lanes = 0;
  uint64_t address = 0; ///< That of the first lane, as the program has it,
  const uint8_t *pointer = nullptr; ///< on the host,
  uint64_t value = 0;               ///< and what it held, of `bytes`,
  uint32_t bytes = 0;               ///< or 0 for an object of which nobody reads them.
  uint64_t number = 0;              ///< Warp::polls with it.
};

struct Warp {
  uint8_t *bases[2] = {nullptr, nullptr}; ///< The frame and the constants.
  Group now;              ///< The running group; its mask is 0 if none runs.
  LaneMask live = 0;      ///< Lanes that have not exited.
  Worker *worker = nullptr;
  Block *block = nullptr;
  std::unique_ptr<WarpChecks> checks; ///< Null if values are not checked.
  std::vector<Group> groups;    ///< The groups that do not run.
  std::vector<Gathering> gatherings;

  uint32_t index = 0;    ///< In its block.
  LaneMask started = 0;  ///< Lanes that exist.
  LaneMask carry = 0;    ///< The flag of add.cc and its like, of each lane.
  uint32_t missedTurns = 0; ///< That it shall miss under a random schedule.
  uint64_t executed = 0; ///< Ops, for %clock.
  uint64_t polls = 0;    ///< Looks at memory that others may change.
  uint64_t pollsAtProgress = 0; ///< When something last happened.
  Poll lastPoll;
  uint32_t registersPerThread = 0; ///< setmaxnreg
  LaneMask triggered = 0; ///< griddepcontrol.launch_dependents
  LaneMask clusterArrived = 0;     ///< Between barrier.cluster.arrive and .wait.
  uint64_t clusterGeneration[32] = {}; ///< That each of them waits for.

  std::vector<uint8_t> registerStorage;
  uint8_t *registers = nullptr; ///< 64-byte aligned.
  uint64_t registerBytes = 0;
  std::vector<uint8_t> localStorage; ///< 32 times `localLimit` bytes.
  uint32_t localLimit = 0;           ///< Of one lane.

  std::unique_ptr<AsyncState> async; ///< Null until needed.
  /// Registers that wgmma uses; null if nobody looks.
  std::unique_ptr<WarpgroupRegisters> warpgroupRegisters;

  Warp();
  ~Warp();
  Warp(Warp &&);
  Warp &operator=(Warp &&);

  /// Forgets everything but its memory, for another block.
  void reset();

  /// Makes room for `bytes` of registers, keeping what is there.
  void reserveRegisters(uint64_t bytes) {
    if (bytes > registerBytes || registers == nullptr) {
      std::vector<uint8_t> larger(bytes + 64);
      uint64_t address = reinterpret_cast<uint64_t>(larger.data());
      uint8_t *start = larger.data() + (64 - address % 64) % 64;
      if (registers != nullptr)
        std::memcpy(start, registers, registerBytes);
      registerStorage = std::move(larger);
      registers = start;
      registerBytes = bytes;
    }
  }

  /// Makes the lanes' local memory, if it is not there yet.
  void reserveLocal() {
    if (localStorage.size() < size_t(localLimit) * 32)
      localStorage.resize(size_t(localLimit) * 32, 0xa5);
  }

  /// The 32 lanes of an operand.
  template <typename T> T *at(Slot slot) const {
    return reinterpret_cast<T *>(bases[slot < 0] + (slot & 0x7fffffff));
  }

  /// A predicate operand.
  LaneMask predicate(Slot slot) const { return *at<LaneMask>(slot); }

  /// Writes the lanes of `lanes` in a predicate.
  void setPredicate(Slot slot, LaneMask value, LaneMask lanes) const {
    LaneMask &target = *at<LaneMask>(slot);
    target = (target & ~lanes) | (value & lanes);
  }

  /// The operands of an op, wherever they are.
  const Slot *slotsOf(const Op &op) const {
    return op.list == 0 ? op.slots : now.code->lists.data() + op.list;
  }

  /// Points `bases` at the frame and the constants of `now`.
  void enter() {
    bases[0] = registers + now.frame;
    bases[1] = now.code->constants;
  }
};

/// Runs `body(lane)` for each lane of `mask`, in order.
template <typename Body> inline void forLanes(LaneMask mask, Body body) {
  for (; mask != 0; mask &= mask - 1)
    body(__builtin_ctz(mask));
}

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_WARP_H
