// From where to where in a function each register is live.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_LIVERANGES_H
#define TCC_TOOLS_PTXSIM_MACHINE_LIVERANGES_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ptxsim {

/// Ops of which each but the last is followed by the next.
struct BasicBlock {
  uint32_t begin = 0, end = 0; ///< Equal in a block that only joins edges.
  std::vector<uint32_t> successors;
};

/// What a block does first with a register: reads it, or replaces its value.
struct FirstUse {
  uint32_t reg = 0;
  uint32_t block = 0;
  bool reads = false;
};

/// The least interval of ops that holds all those where a register is live.
struct LiveRange {
  uint32_t begin = ~0u, end = 0; ///< First and last op; unused if begin > end.
  bool atEntry = false;          ///< May be read before it is written.

  void include(uint32_t op) {
    begin = std::min(begin, op);
    end = std::max(end, op);
  }
};

/// Extends ranges, which hold all ops that name the register, to where values
/// are kept between blocks; the first block is the entry.
///
/// A step follows 512 registers along one edge. Registers that are left after
/// `steps` of them count as live everywhere: right, but they share no slots.
/// A function of 3 MB whose registers all live throughout takes half of them.
void extendLiveRanges(const std::vector<BasicBlock> &blocks,
                      const std::vector<FirstUse> &uses,
                      std::vector<LiveRange> &ranges,
                      uint64_t steps = uint64_t(1) << 24);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_LIVERANGES_H
