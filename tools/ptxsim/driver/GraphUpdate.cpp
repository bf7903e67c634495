// Updating a whole executable graph.

#include "tools/ptxsim/driver/GraphExec.h"
#include "tools/ptxsim/driver/Launch.h"
#include "tools/ptxsim/driver/Pool.h"

#include <unordered_map>

namespace ptxsim::driver {

namespace {

/// Compares a graph with an executable one, node by node in the order of their
/// creation, and finds out what an update would change.
class GraphComparer {
public:
  CUgraphExecUpdateResult compare(const Graph &old, const Graph &next);

  CUgraphNode errorNode = nullptr, errorFrom = nullptr;

private:
  CUgraphExecUpdateResult fail(CUgraphExecUpdateResult result,
                               const GraphNode *node,
                               const GraphNode *from = nullptr);
  CUgraphExecUpdateResult compareNodes(const GraphNode &old,
                                       const GraphNode &next);
  CUgraphExecUpdateResult compareEdges(const GraphNode &old,
                                       const GraphNode &next);

  std::unordered_map<const GraphNode *, const GraphNode *> pairs;
};

} // namespace

CUgraphExecUpdateResult GraphComparer::fail(CUgraphExecUpdateResult result,
                                            const GraphNode *node,
                                            const GraphNode *from) {
  errorNode = node ? node->handle : nullptr;
  errorFrom = from ? from->handle : nullptr;
  return result;
}

CUgraphExecUpdateResult GraphComparer::compareEdges(const GraphNode &old,
                                                    const GraphNode &next) {
  for (const NodeDependency &dependency : next.dependencies) {
    bool isFound = false;
    for (const NodeDependency &other : old.dependencies)
      isFound |= pairs[dependency.node.get()] == other.node.get() &&
                 kindOf(dependency.data) == kindOf(other.data);
    if (!isFound)
      return fail(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, &next,
                  dependency.node.get());
  }
  if (old.dependencies.size() != next.dependencies.size())
    return fail(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, &next);
  return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

CUgraphExecUpdateResult GraphComparer::compareNodes(const GraphNode &old,
                                                    const GraphNode &next) {
  if (old.type() != next.type())
    return fail(CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED, &next);
  if (old.context != next.context)
    return fail(next.type() == CU_GRAPH_NODE_TYPE_KERNEL
                    ? CU_GRAPH_EXEC_UPDATE_ERROR_UNSUPPORTED_FUNCTION_CHANGE
                    : CU_GRAPH_EXEC_UPDATE_ERROR_PARAMETERS_CHANGED,
                &next);
  // Memory that was given away stays where it is.
  if (next.type() == CU_GRAPH_NODE_TYPE_MEM_ALLOC &&
      static_cast<const AllocWork &>(*old.work).memory !=
          static_cast<const AllocWork &>(*next.work).memory)
    return fail(CU_GRAPH_EXEC_UPDATE_ERROR_PARAMETERS_CHANGED, &next);
  if (next.type() == CU_GRAPH_NODE_TYPE_KERNEL &&
      static_cast<const KernelWork &>(*old.work).launch.cooperative !=
          static_cast<const KernelWork &>(*next.work).launch.cooperative)
    return fail(CU_GRAPH_EXEC_UPDATE_ERROR_ATTRIBUTES_CHANGED, &next);
  return next.child ? compare(*old.child, *next.child)
                    : CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

CUgraphExecUpdateResult GraphComparer::compare(const Graph &old,
                                               const Graph &next) {
  for (size_t i = 0; i < next.nodes.size(); ++i) {
    if (i >= old.nodes.size())
      return fail(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED,
                  next.nodes[i].get());
    pairs[next.nodes[i].get()] = old.nodes[i].get();
  }
  if (old.nodes.size() != next.nodes.size())
    return fail(CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, nullptr);
  for (size_t i = 0; i < next.nodes.size(); ++i) {
    CUgraphExecUpdateResult result =
        compareEdges(*old.nodes[i], *next.nodes[i]);
    if (result == CU_GRAPH_EXEC_UPDATE_SUCCESS)
      result = compareNodes(*old.nodes[i], *next.nodes[i]);
    if (result != CU_GRAPH_EXEC_UPDATE_SUCCESS)
      return result;
  }
  return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

/// Takes over what the nodes of `next` do.
static void takeOver(Graph &old, const Graph &next) {
  for (size_t i = 0; i < next.nodes.size(); ++i) {
    GraphNode &to = *old.nodes[i];
    const GraphNode &from = *next.nodes[i];
    to.work = from.work;
    to.priority = from.priority;
    to.attributes = from.attributes;
    if (to.child)
      takeOver(*to.child, *from.child);
  }
}

static CUresult update(CUgraphExec handle, CUgraph graphHandle,
                       CUgraphExecUpdateResultInfo *info,
                       const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<GraphExec> exec;
    CUresult found = findExec(call, handle, exec);
    std::shared_ptr<Graph> graph;
    if (found == CUDA_SUCCESS)
      found = findGraph(call, graphHandle, graph);
    if (found == CUDA_SUCCESS && !info)
      found = CUDA_ERROR_INVALID_VALUE;
    if (found != CUDA_SUCCESS)
      return found;
    GraphComparer comparer;
    info->result = comparer.compare(*exec->graph, *graph);
    info->errorNode = comparer.errorNode;
    info->errorFromNode = comparer.errorFrom;
    if (info->result != CU_GRAPH_EXEC_UPDATE_SUCCESS)
      return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
    takeOver(*exec->graph, *graph);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph,
                                CUgraphExecUpdateResultInfo *info) {
  return update(exec, graph, info);
}

PTXSIM_API cuGraphExecUpdate(CUgraphExec exec, CUgraph graph,
                             CUgraphNode *errorNode,
                             CUgraphExecUpdateResult *result) {
  CUgraphExecUpdateResultInfo info = {};
  CUresult updated = update(exec, graph, errorNode && result ? &info : nullptr);
  if (errorNode && result &&
      (giveResult(errorNode, info.errorNode) != CUDA_SUCCESS ||
       giveResult(result, info.result) != CUDA_SUCCESS))
    return CUDA_ERROR_INVALID_VALUE;
  return updated;
}

} // namespace ptxsim::driver
