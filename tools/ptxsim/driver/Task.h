// Work of the device: what it is, and one execution of it.
//
// A `Work` says what is to be done; it never changes once it was submitted, so
// that a stream, a node of a graph and an executable graph can share it. A
// `Task` is one execution: it waits for other tasks, runs and is done.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_TASK_H
#define TCC_TOOLS_PTXSIM_DRIVER_TASK_H

#include "tools/ptxsim/driver/Abi.h"
#include "tools/ptxsim/driver/AbiGraph.h"
#include "tools/ptxsim/machine/Engine.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace ptxsim::driver {

class Driver;
struct Context;
struct Task;

using Clock = std::chrono::steady_clock;

/// What a start or a poll of a task achieved.
enum class Progress : uint8_t {
  Done,
  InEngine, ///< A grid of it runs.
  InHost,   ///< A function of the host runs.
  Polling,  ///< It waits for a value in memory.
};

/// How far a task must be before another may start.
enum class EdgeKind : uint8_t {
  Full,      ///< Done.
  Triggered, ///< Its grid is triggered, see `Grid::isTriggered`.
  Started,   ///< Its grid is started.
};

struct Dependency {
  std::shared_ptr<Task> task;
  EdgeKind kind = EdgeKind::Full;
  bool isDirect = true; ///< A grid waits for it by griddepcontrol.wait.
};

class Work {
public:
  virtual ~Work() = default;
  virtual CUgraphNodeType type() const = 0;
  /// Begins what `task` is to do, with the driver locked. Sets `task.result` if
  /// it fails.
  virtual Progress start(Task &task, Driver &driver) const = 0;
  /// Looks whether it has gone on; for what `start` did not finish.
  virtual Progress poll(Task &, Driver &) const { return Progress::Done; }
  /// True if it is to be started even though the context has failed.
  virtual bool runsAfterFailure() const { return false; }
  /// Adds what a task must wait for that is submitted now.
  virtual void addDependencies(std::vector<Dependency> &) const {}
  /// True if the host may learn by it that what comes before it is done.
  virtual bool tellsHost() const { return false; }
  /// True if it may have waited for whatever has begun before it is done.
  virtual bool waitsForMemory() const { return false; }
  /// Notes that `task`, which is to do it, was submitted.
  virtual void noteSubmitted(const std::shared_ptr<Task> &) const {}
};

using WorkRef = std::shared_ptr<const Work>;

struct Task {
  enum class State : uint8_t { Waiting, Running, Done };

  uint64_t serial = 0;
  std::shared_ptr<Context> context;
  WorkRef work;
  int priority = 0; ///< Lower runs first.
  WorkOrder order;  ///< As far as it is known until the task starts.
  State state = State::Waiting;
  Progress progress = Progress::Done; ///< While it runs.
  bool isTriggered = false;
  CUresult result = CUDA_SUCCESS;
  Clock::time_point begun, finished;

  /// Grids that griddepcontrol.wait of this one's kernel waits for.
  std::vector<std::shared_ptr<Grid>> prerequisites;
  std::shared_ptr<Grid> grid;          ///< While and after its kernel runs.
  std::shared_ptr<void> progressState; ///< What `work` keeps between polls.

  // Of the scheduler.
  unsigned unmet = 0; ///< Dependencies that are not met.
  std::vector<Dependency> dependencies;
  std::vector<Dependency> dependents;
  uint64_t neededBy = 0; ///< The last wait that needs it.
  uint64_t submittedAt = 0; ///< After how many waits of the program.

  bool isDone() const { return state == State::Done; }
  /// True if what `kind` asks for has happened.
  bool has(EdgeKind kind) const;
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_TASK_H
