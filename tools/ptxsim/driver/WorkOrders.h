// What comes before a task, by all that orders tasks: streams, events, edges of
// graphs, and waits of the host. Computed when it is submitted, so that it does
// not depend on the schedule. A thread that has waited orders what all threads
// submit afterwards.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_WORKORDERS_H
#define TCC_TOOLS_PTXSIM_DRIVER_WORKORDERS_H

#include "tools/ptxsim/driver/Task.h"

#include <utility>

namespace ptxsim::driver {

/// Guarded by the driver's lock.
class WorkOrders {
public:
  /// Gives a task that is submitted now its place.
  void place(Task &task, const std::vector<Dependency> &dependencies);

  /// Adds to what comes before a task that starts what its dependencies have
  /// learnt since they were submitted.
  void begin(Task &task);

  /// Adds what a task may have waited for by polling memory.
  void joinBegun(Task &task) const { task.order.before.join(begun); }

  /// Notes that the host knows what is done.
  void learn(const ptxsim::Clock &done);
  void learn(const WorkOrder &done);

  /// True if the host has learnt something since the last call.
  bool takeLearnt() { return std::exchange(hasLearnt, false); }

  /// What the host knows.
  const ptxsim::Clock &ofHost() const { return host; }

private:
  ptxsim::Clock host;
  ptxsim::Clock begun; ///< Tasks that run or are done.
  ptxsim::Clock last;  ///< Of each chain.
  bool hasLearnt = false;
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_WORKORDERS_H
