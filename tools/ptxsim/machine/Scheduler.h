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

/// Notes the fault of a cluster in which nothing can go on any more: who waits
/// where for what.
void reportDeadlock(RunningCluster &cluster, Worker &worker);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_SCHEDULER_H
