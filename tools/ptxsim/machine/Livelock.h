// Loops without end: telling that nothing will ever happen although warps run.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_LIVELOCK_H
#define TCC_TOOLS_PTXSIM_MACHINE_LIVELOCK_H

#include "tools/ptxsim/core/Async.h"

namespace ptxsim {

/// What tells that a warp repeats itself.
struct CircleSearch {
  uint64_t executed = 0; ///< By the warp when it was last looked at.
  uint64_t mark = 0;  ///< Of a state that it was in since something happened.
  uint32_t age = 0;   ///< Rounds since then.
  uint32_t span = 0;  ///< Rounds after which another state is marked.
  bool found = false; ///< It can only go on as it does.
};

/// A cluster and the search for a livelock in it.
class RunningCluster : public Cluster {
public:
  CircleSearch &circleOf(const Warp &warp) {
    size_t warps = blocks[0].warps.size();
    circles.resize(blocks.size() * warps);
    return circles[warp.block->rank * warps + warp.index];
  }
  /// What has happened in other clusters and by the host, as a number that grows.
  uint64_t outside = 0;
  uint64_t lastEvents = 0; ///< All that had happened when something last did,
  uint64_t quietSince = 0; ///< and what the cluster had executed then.

  /// Begins anew, since something has happened.
  void forgetCircles() { circles.clear(); }

  /// Executed ops after which it is next asked whether it can end.
  static constexpr uint64_t opsBetweenLooks = 4000000;
  uint64_t nextLookForEnd = 0;
  bool isEndless = false; ///< It cannot.

private:
  std::vector<CircleSearch> circles; ///< One for each warp, once needed.
};

/// True if what runs has only looked at memory again and again since something
/// last happened, or can only repeat itself.
bool isLivelocked(RunningCluster &cluster);

/// Looks for warps that repeat themselves, at the end of a round in which
/// nothing happened but that ops were executed.
void seekCircles(RunningCluster &cluster);

/// True if no warp that runs can reach an end of its function, whatever it and
/// others write. Asked at times only.
bool hasNoEnd(RunningCluster &cluster);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_LIVELOCK_H
