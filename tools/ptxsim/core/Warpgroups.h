// wgmma in flight: what the four warps of a warpgroup have begun and not yet
// waited for.
//
// Each warp executes wgmma.mma_async for itself; the product begins when all four
// have executed the same one and committed it. Registers belong to it until then.
// A register that is copied by mov while its product is in flight hands that on:
// compilers hoist such copies above the wait (ptxas joins the two registers), so
// the copy gets the value when the product is done, and is itself in flight until
// then: only another mov or, as a sum, a later product may take it.

#ifndef TCC_TOOLS_PTXSIM_CORE_WARPGROUPS_H
#define TCC_TOOLS_PTXSIM_CORE_WARPGROUPS_H

#include "tools/ptxsim/checks/WarpgroupMembers.h"
#include "tools/ptxsim/core/Async.h"
#include "tools/ptxsim/tensor/WarpgroupMultiply.h"

#include <deque>

namespace ptxsim {

/// One wgmma.mma_async.
struct WarpgroupInstruction {
  const Op *op = nullptr;
  const Code *code = nullptr;
  WarpgroupShape shape;
  WarpgroupStep step;   ///< Without the planes of registers.
  uint32_t frame[4] = {}; ///< Of each warp: where its registers are.
  uint32_t arrived = 0;   ///< Warps that have executed it, a bit each.
  std::shared_ptr<const Knowledge> knowledgeOf[4]; ///< Of each warp, then.
};

/// What is committed together.
class WarpgroupWork : public AsyncOperation {
public:
  Block *block = nullptr;
  uint32_t firstWarp = 0;
  uint64_t number = 0; ///< Groups are counted from 1.
  std::deque<WarpgroupInstruction> instructions;
  uint32_t committed = 0; ///< Warps, a bit each.

  bool read(Worker &) override { return true; }
  bool write(Worker &worker) override;
};

struct Warpgroup {
  std::deque<std::shared_ptr<WarpgroupWork>> works; ///< Not all done.
  uint64_t firstNumber = 1; ///< Of works.front().
  uint64_t committed[4] = {0, 0, 0, 0}; ///< Groups of each warp.
  uint32_t issued[4] = {0, 0, 0, 0};    ///< Instructions in its open group.
  RegisterChange change; ///< setmaxnreg
};

/// The warpgroup of a warp, made when it is first needed.
Warpgroup &warpgroupOf(Warp &warp);

/// The registers of one warp, in lines of 64 bytes of its file.
struct WarpgroupRegisters {
  enum : uint8_t {
    accumulates = 1, ///< Accumulator of a product in flight.
    isRead = 2,      ///< Operand A of a product in flight.
    isWritten = 4,   ///< By an ordinary instruction since the last fence.
    isCopy = 8,      ///< Some lanes are copies of a register in flight.
  };
  std::vector<uint8_t> lines;
  bool anyFence = false;
  uint32_t inFlight = 0; ///< Lines that a product uses.
  /// A copy in flight, of the sum that a group has made with its first `steps`
  /// products; it is made when they are done.
  struct Copy {
    uint32_t from, to, bytes; ///< Bytes of one lane.
    LaneMask lanes;           ///< That nothing else has overwritten.
    uint64_t group;
    uint32_t steps;
  };
  std::vector<Copy> copies;
  /// Which group uses a line; 0 for none.
  std::vector<uint64_t> groupOfLine;

  void reserve(uint64_t registerBytes) {
    if (lines.size() < registerBytes / 64 + 1) {
      lines.resize(registerBytes / 64 + 1, 0);
      groupOfLine.resize(lines.size(), 0);
    }
  }

  /// Notes that the group with a number uses a line.
  void take(uint32_t line, uint64_t group) {
    inFlight += groupOfLine[line] == 0;
    groupOfLine[line] = group;
  }
};

/// Where a slot is in the register file of a warp.
inline uint32_t fileOffset(const Warp &warp, Slot slot) {
  return warp.now.frame + uint32_t(slot);
}

/// Checks the registers of an ordinary instruction against products in flight
/// and notes what it writes in the lanes of `mask`.
///
/// \returns false after noting a fault.
bool observeWarpgroupRegisters(Warp &warp, const Op &op, const OpInfo &info,
                               LaneMask mask);

/// Checks that a register of A is no copy of a sum in flight.
///
/// \returns false after noting a fault.
bool observeCopyAsOperand(Warp &warp, const Op &op, Slot slot);

/// Ends the use of the registers of a warp by the groups up to `group`.
void releaseRegisters(Warp &warp, uint64_t group);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_WARPGROUPS_H
