// Runs a warp.

#ifndef TCC_TOOLS_PTXSIM_CORE_INTERPRETER_H
#define TCC_TOOLS_PTXSIM_CORE_INTERPRETER_H

#include "tools/ptxsim/core/Block.h"

namespace ptxsim {

/// Why a slice of a warp ended.
enum class SliceEnd : uint8_t {
  Budget,  ///< It could go on.
  Blocked, ///< All its groups wait.
  Exited,  ///< No lane is left.
  Stopped, ///< A fault.
};

/// Runs `warp` for up to `budget` ops.
SliceEnd runSlice(Warp &warp, uint32_t budget);

/// Makes the lanes of the running group that are not in `taken` go on at the
/// next op, and those in `taken` at `target`. Returns what a handler returns.
Next branch(Warp &warp, LaneMask taken, const Op *target);

/// Ends the lanes of `lanes` of the running group. Returns what a handler
/// returns.
Next exitLanes(Warp &warp, LaneMask lanes);

/// Calls `body(group)` for every group of the warp that has lanes.
template <typename Body> inline void forGroups(const Warp &warp, Body body) {
  if (warp.now.mask != 0)
    body(warp.now);
  for (const Group &group : warp.groups)
    body(group);
}

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_INTERPRETER_H
