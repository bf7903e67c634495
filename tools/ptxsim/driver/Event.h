// Events.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_EVENT_H
#define TCC_TOOLS_PTXSIM_DRIVER_EVENT_H

#include "tools/ptxsim/driver/Stream.h"

namespace ptxsim::driver {

/// Records an event: what waits for the event waits for the task.
class RecordWork : public Work {
public:
  explicit RecordWork(std::shared_ptr<Event> event) : event(std::move(event)) {}
  CUgraphNodeType type() const override {
    return CU_GRAPH_NODE_TYPE_EVENT_RECORD;
  }
  Progress start(Task &, Driver &) const override { return Progress::Done; }
  void noteSubmitted(const std::shared_ptr<Task> &task) const override;

  std::shared_ptr<Event> event;
};

/// Waits for an event as it was recorded last when the task is submitted.
class WaitWork : public Work {
public:
  explicit WaitWork(std::shared_ptr<Event> event) : event(std::move(event)) {}
  CUgraphNodeType type() const override {
    return CU_GRAPH_NODE_TYPE_WAIT_EVENT;
  }
  Progress start(Task &, Driver &) const override { return Progress::Done; }
  void addDependencies(std::vector<Dependency> &dependencies) const override;

  std::shared_ptr<Event> event;
};

/// Finds an event.
CUresult findEvent(Call &call, CUevent handle, std::shared_ptr<Event> &event);

/// Notes that `event` is recorded by what `submitted` says, when that is as far
/// as `kind` says.
void noteRecorded(const Stream &stream, const Submitted &submitted,
                  EdgeKind kind, Event &event);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_EVENT_H
