// Decides which work runs when, as PTXSIM_SCHEDULE says.
//
// There is no thread that executes work in the background: whoever calls the
// driver executes it, one step after the other, with the driver locked. So a
// program of one host thread runs in the same way each time. Two helper threads
// exist where they must: one runs functions of the host, which may block, and
// one executes work when the program has stopped calling.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_SCHEDULER_H
#define TCC_TOOLS_PTXSIM_DRIVER_SCHEDULER_H

#include "tools/ptxsim/driver/FairMutex.h"
#include "tools/ptxsim/driver/HostRunner.h"
#include "tools/ptxsim/driver/Task.h"
#include "tools/ptxsim/driver/WorkOrders.h"

#include <map>
#include <random>
#include <set>
#include <thread>

namespace ptxsim::driver {

/// Guarded by the driver's lock.
class Scheduler {
public:
  explicit Scheduler(Driver &driver);
  ~Scheduler();

  /// Adds a task that waits for `dependencies`. It runs when the schedule says.
  std::shared_ptr<Task> submit(std::shared_ptr<Context> context, WorkRef work,
                               std::vector<Dependency> dependencies,
                               int priority = 0);

  /// Executes work until `tasks` have come as far as `kind` says; may unlock
  /// meanwhile.
  void wait(Lock &lock, const std::vector<std::shared_ptr<Task>> &tasks,
            EdgeKind kind = EdgeKind::Full);

  /// Executes work until nothing of `context` is pending.
  void waitForContext(Lock &lock, const Context &context);

  /// Executes work for a query of `tasks` and says whether they were done
  /// before.
  bool query(Lock &lock, const std::vector<std::shared_ptr<Task>> &tasks);

  /// Executes what the schedule wants executed in a call of the driver.
  void advance(Lock &lock);

  /// Drops what waits in `context`, with its error as result.
  void cancel(Context &context);

  /// Marks that a thread called the driver.
  void noteCall();

  HostRunner &hostRunner() { return host; }

  /// Notes that the host knows that `task` is as far as `kind` says.
  void noteKnown(const Task &task, EdgeKind kind = EdgeKind::Full);

  /// True if nothing but `task` was submitted and is not done.
  bool isAlone(const Task &task) const;

  /// Ends the helper threads, without the lock; nothing runs afterwards.
  void stop();

private:
  /// Ready tasks in the order in which they run: by priority, then by age.
  using Key = std::pair<int, uint64_t>;
  enum class Step : uint8_t { Progress, Stalled, Idle };

  bool matters(const Dependency &dependency) const;
  void forgetOrdered();
  Step step(Lock &lock, uint64_t need);
  Step runRunning(Lock &lock);
  std::shared_ptr<Task> pick(uint64_t need);
  void start(Lock &lock, const std::shared_ptr<Task> &task);
  bool update(const std::shared_ptr<Task> &task);
  void finish(const std::shared_ptr<Task> &task);
  void notify(const std::shared_ptr<Task> &task);
  void markNeeded(const std::vector<std::shared_ptr<Task>> &tasks);
  void awaitHost(Lock &lock, const Task &task);
  bool stall(Lock &lock, Clock::time_point since);
  void failStalled();
  void drainBacklog(Lock &lock);
  void watch();

  Driver &driver;
  HostRunner host;
  std::map<uint64_t, std::shared_ptr<Task>> pending; ///< By serial.
  std::map<Key, std::shared_ptr<Task>> ready;
  std::vector<std::shared_ptr<Task>> running;
  WorkOrders orders;
  std::mt19937_64 random;
  uint64_t nextSerial = 1;
  uint64_t lastNeed = 0;
  std::condition_variable_any changed;

  std::thread watchdog;
  std::mutex watchMutex;
  std::condition_variable watchWake;
  bool stopping = false;
  std::atomic<uint64_t> calls{0};
  std::atomic<int64_t> lastCall{0}; ///< Ticks of Clock.
  uint64_t waits = 0; ///< Calls by which the program may learn what is done.
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_SCHEDULER_H
