// Streams: which one a handle means, and putting work into it.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_STREAM_H
#define TCC_TOOLS_PTXSIM_DRIVER_STREAM_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

/// Finds the stream that `handle` means for the calling thread.
CUresult findStream(Call &call, CUstream handle,
                    std::shared_ptr<Stream> &stream);

/// Likewise; it must belong to the current context.
CUresult findOwnStream(Call &call, CUstream handle,
                       std::shared_ptr<Stream> &stream);

/// What became of work that was put into a stream: a task, or a node if the
/// stream is under capture.
struct Submitted {
  std::shared_ptr<Task> task;
  std::shared_ptr<GraphNode> node;
};

/// Puts `work` behind what is in `stream`. It starts when what is before has
/// come as far as `kind` says.
CUresult submitWork(Call &call, const std::shared_ptr<Stream> &stream,
                    WorkRef work, Submitted &submitted,
                    EdgeKind kind = EdgeKind::Full, int priority = 0);

/// Likewise for who does not care what became of it.
CUresult submitWork(Call &call, const std::shared_ptr<Stream> &stream,
                    WorkRef work);

/// Returns what a task waits for that is put into `stream` now.
std::vector<Dependency> dependenciesIn(const Stream &stream, EdgeKind kind);

/// Makes what comes next in `stream` wait for `task`.
void setLast(Stream &stream, const std::shared_ptr<Task> &task, EdgeKind kind);

/// Returns what a wait for `stream` waits for.
std::vector<std::shared_ptr<Task>> tailOf(const Stream &stream);

/// Work that only orders other work.
class EmptyWork : public Work {
public:
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_EMPTY; }
  Progress start(Task &, Driver &) const override { return Progress::Done; }
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_STREAM_H
