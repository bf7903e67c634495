// Executable graphs.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_GRAPHEXEC_H
#define TCC_TOOLS_PTXSIM_DRIVER_GRAPHEXEC_H

#include "tools/ptxsim/driver/Graph.h"

namespace ptxsim::driver {

/// Finds an executable graph.
CUresult findExec(Call &call, CUgraphExec handle,
                  std::shared_ptr<GraphExec> &exec);

/// Finds the node of an executable graph that was made from `original`.
std::shared_ptr<GraphNode> findExecNode(const Graph &graph,
                                        CUgraphNode original);

/// Makes the tasks of `graph`. They wait for `before`; what follows them waits
/// for the task that is returned. `launch` is the number of the launch that
/// they are part of; 0 for a new one.
std::shared_ptr<Task> submitGraph(Call &call,
                                  const std::shared_ptr<Context> &context,
                                  const Graph &graph,
                                  std::vector<Dependency> before,
                                  uint64_t launch = 0);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_GRAPHEXEC_H
