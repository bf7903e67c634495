// Parameters of nodes, as programs give and get them.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_GRAPHPARAMS_H
#define TCC_TOOLS_PTXSIM_DRIVER_GRAPHPARAMS_H

#include "tools/ptxsim/driver/Graph.h"
#include "tools/ptxsim/driver/Launch.h"

namespace ptxsim::driver {

/// What a node is to do.
struct NodeContents {
  WorkRef work;
  std::shared_ptr<Graph> child;
  std::shared_ptr<Context> context;
};

/// Makes the contents of a node from parameters that any kind of node has.
/// `before` is what the node did until now; null for a new node. Complaints
/// begin with `name`. Memory that a node allocates is told in `parameters`.
CUresult makeContents(Call &call, const char *name, const GraphNode *before,
                      CUgraphNodeParams &parameters, NodeContents &contents);

/// Puts `contents` into `node`.
void setContents(Call &call, GraphNode &node, NodeContents contents);

/// Returns the parameters of `node`. Arrays in it live as long as the node does
/// the same.
CUgraphNodeParams readParams(const GraphNode &node);

/// A launch of a kernel as it was asked for, and what it points to.
struct StoredRequest {
  explicit StoredRequest(const KernelWork &work);
  StoredRequest(const StoredRequest &) = delete;

  LaunchRequest request;

private:
  size_t bytes;
  void *extra[5];
};

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_GRAPHPARAMS_H
