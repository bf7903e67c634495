// Builds clusters and runs them round by round.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_SCHEDULER_H
#define TCC_TOOLS_PTXSIM_MACHINE_SCHEDULER_H

#include "tools/ptxsim/machine/Livelock.h"

namespace ptxsim {

/// What a round of a cluster has come to.
enum class RoundEnd : uint8_t {
  Running,  ///< Something was executed.
  Blocked,  ///< Nothing can go on unless another cluster or the host acts.
  Finished, ///< All threads have exited and all their work is done.
  Stopped,  ///< A fault, in `Worker::fault`.
};

/// Makes `cluster` the `linear`th of its grid, ready to start. Memory of an
/// earlier use is taken over.
void startCluster(RunningCluster &cluster, GridRun &grid, uint64_t linear,
                  Worker &worker);

/// Runs each warp for a slice.
RoundEnd runRound(RunningCluster &cluster, Worker &worker);

/// Clusters of a grid that have not begun.
struct AbsentClusters {
  uint64_t first = 0;
  uint64_t count = 0;
  uint64_t limit = 0; ///< As many fit at once.
};

/// Notes the fault of a grid in which nothing can go on any more: who waits where
/// for what. None if no cluster has threads.
void reportDeadlock(const std::vector<RunningCluster *> &clusters,
                    const AbsentClusters &absent, Worker &worker);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_SCHEDULER_H
