// Executable graphs: making, changing single nodes, destroying.

#include "tools/ptxsim/driver/GraphExec.h"

#include "tools/ptxsim/driver/GraphParams.h"

#include <cstring>

namespace ptxsim::driver {

CUresult findExec(Call &call, CUgraphExec handle,
                  std::shared_ptr<GraphExec> &exec) {
  exec = call.driver.execs.find(handle);
  return exec ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

std::shared_ptr<GraphNode> findExecNode(const Graph &graph,
                                        CUgraphNode original) {
  if (!original)
    return nullptr;
  for (const std::shared_ptr<GraphNode> &node : graph.nodes) {
    if (node->original == original)
      return node;
    if (node->child)
      if (std::shared_ptr<GraphNode> found =
              findExecNode(*node->child, original))
        return found;
  }
  return nullptr;
}

static CUresult instantiate(Call &call, CUgraphExec *result, CUgraph handle,
                            uint64_t flags) {
  constexpr uint64_t known = CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH |
                             CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD |
                             CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH |
                             CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;
  std::shared_ptr<Graph> graph;
  CUresult found = findGraph(call, handle, graph);
  if (found != CUDA_SUCCESS)
    return found;
  if (!result || (flags & ~known) != 0)
    return CUDA_ERROR_INVALID_VALUE;
  if (flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH) {
    call.driver.complain("cuGraphInstantiate: expected a graph that the host "
                         "launches, got CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_"
                         "LAUNCH");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  auto exec = std::make_shared<GraphExec>();
  exec->graph = cloneGraph(*graph);
  exec->flags = flags;
  *result = call.driver.execs.insert(exec);
  return CUDA_SUCCESS;
}

PTXSIM_API cuGraphInstantiateWithFlags(CUgraphExec *result, CUgraph graph,
                                       unsigned long long flags) {
  return withDriver([&](Call &call) -> CUresult {
    return instantiate(call, result, graph, flags);
  });
}

static CUresult instantiateLogged(CUgraphExec *result, CUgraph graph,
                                  CUgraphNode *errorNode, char *log,
                                  size_t logBytes,
                                  const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (errorNode)
      *errorNode = nullptr;
    if (log && logBytes != 0)
      *log = 0;
    return instantiate(call, result, graph, 0);
  });
}

PTXSIM_API cuGraphInstantiate(CUgraphExec *result, CUgraph graph,
                              CUgraphNode *errorNode, char *log,
                              size_t logBytes) {
  return instantiateLogged(result, graph, errorNode, log, logBytes);
}

PTXSIM_API cuGraphInstantiate_v2(CUgraphExec *result, CUgraph graph,
                                 CUgraphNode *errorNode, char *log,
                                 size_t logBytes) {
  return instantiateLogged(result, graph, errorNode, log, logBytes);
}

PTXSIM_STREAM_API(cuGraphInstantiateWithParams,
                  cuGraphInstantiateWithParams_ptsz,
                  (CUgraphExec * result, CUgraph graph,
                   CUDA_GRAPH_INSTANTIATE_PARAMS *parameters),
                  (result, graph, parameters)) {
  return withDriver([&](Call &call) -> CUresult {
    if (!parameters)
      return CUDA_ERROR_INVALID_VALUE;
    CUresult made = instantiate(call, result, graph, parameters->flags);
    parameters->hErrNode_out = nullptr;
    parameters->result_out = made == CUDA_SUCCESS
                                 ? CUDA_GRAPH_INSTANTIATE_SUCCESS
                                 : CUDA_GRAPH_INSTANTIATE_ERROR;
    return made;
  });
}

PTXSIM_API cuGraphExecDestroy(CUgraphExec handle) {
  return withDriver([&](Call &call) -> CUresult {
    std::shared_ptr<GraphExec> exec;
    CUresult found = findExec(call, handle, exec);
    if (found != CUDA_SUCCESS)
      return found;
    // Tasks that still wait hold what they need.
    releaseUserObjects(call, *exec->graph);
    call.driver.execs.erase(handle);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuGraphExecGetFlags(CUgraphExec handle, uint64_t *result) {
  return withDriver([&](Call &call) -> CUresult {
    std::shared_ptr<GraphExec> exec;
    CUresult found = findExec(call, handle, exec);
    if (found == CUDA_SUCCESS && !result)
      found = CUDA_ERROR_INVALID_VALUE;
    if (found == CUDA_SUCCESS)
      *result = exec->flags & ~uint64_t(CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD);
    return found;
  });
}

/// Runs `body(call, node)` with the twin of a node in an executable graph.
template <typename Body>
static CUresult withExecNode(CUgraphExec handle, CUgraphNode original,
                             Body body,
                             const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<GraphExec> exec;
    CUresult found = findExec(call, handle, exec);
    if (found != CUDA_SUCCESS)
      return found;
    std::shared_ptr<GraphNode> node = findExecNode(*exec->graph, original);
    return node ? body(call, node) : CUDA_ERROR_INVALID_VALUE;
  });
}

using NodeRef = const std::shared_ptr<GraphNode> &;

PTXSIM_API cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode original,
                                 unsigned enabled) {
  return withExecNode(exec, original, [&](Call &, NodeRef node) -> CUresult {
    if (node->type() > CU_GRAPH_NODE_TYPE_MEMSET)
      return CUDA_ERROR_INVALID_VALUE;
    node->isEnabled = enabled != 0;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode original,
                                 unsigned *enabled) {
  return withExecNode(exec, original, [&](Call &, NodeRef node) -> CUresult {
    if (!enabled || node->type() > CU_GRAPH_NODE_TYPE_MEMSET)
      return CUDA_ERROR_INVALID_VALUE;
    *enabled = node->isEnabled;
    return CUDA_SUCCESS;
  });
}

static CUresult set(const char *name, CUgraphExec exec, CUgraphNode original,
                    CUgraphNodeParams &parameters) {
  return withExecNode(exec, original, [&](Call &call, NodeRef node) {
    NodeContents contents;
    CUresult result =
        makeContents(call, name, node.get(), parameters, contents);
    if (result == CUDA_SUCCESS)
      setContents(call, *node, std::move(contents));
    return result;
  });
}

static CUgraphNodeParams ofType(CUgraphNodeType type) {
  CUgraphNodeParams parameters;
  std::memset(&parameters, 0, sizeof(parameters));
  parameters.type = type;
  return parameters;
}

PTXSIM_API
cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node,
                                  const CUDA_KERNEL_NODE_PARAMS_v2 *kernel) {
  if (!isReadable(kernel))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_KERNEL);
  parameters.kernel = *kernel;
  return set("cuGraphExecKernelNodeSetParams", exec, node, parameters);
}

PTXSIM_API
cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node,
                               const CUDA_KERNEL_NODE_PARAMS_v1 *kernel) {
  if (!isReadable(kernel))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_KERNEL);
  std::memcpy(&parameters.kernel, kernel, sizeof(*kernel));
  return set("cuGraphExecKernelNodeSetParams", exec, node, parameters);
}

PTXSIM_API cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                          const CUDA_MEMCPY3D *copy,
                                          CUcontext context) {
  if (!isReadable(copy))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_MEMCPY);
  parameters.memcpy.copyCtx = context;
  parameters.memcpy.copyParams = *copy;
  return set("cuGraphExecMemcpyNodeSetParams", exec, node, parameters);
}

PTXSIM_API
cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node,
                               const CUDA_MEMSET_NODE_PARAMS_v1 *value,
                               CUcontext context) {
  if (!isReadable(value))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_MEMSET);
  std::memcpy(&parameters.memset, value, sizeof(*value));
  parameters.memset.ctx = context;
  return set("cuGraphExecMemsetNodeSetParams", exec, node, parameters);
}

PTXSIM_API cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_HOST_NODE_PARAMS *host) {
  if (!isReadable(host))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_HOST);
  parameters.host = *host;
  return set("cuGraphExecHostNodeSetParams", exec, node, parameters);
}

PTXSIM_API cuGraphExecChildGraphNodeSetParams(CUgraphExec exec,
                                              CUgraphNode node, CUgraph child) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_GRAPH);
  parameters.graph.graph = child;
  return set("cuGraphExecChildGraphNodeSetParams", exec, node, parameters);
}

PTXSIM_API cuGraphExecEventRecordNodeSetEvent(CUgraphExec exec,
                                              CUgraphNode node, CUevent event) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_EVENT_RECORD);
  parameters.eventRecord.event = event;
  return set("cuGraphExecEventRecordNodeSetEvent", exec, node, parameters);
}

PTXSIM_API cuGraphExecEventWaitNodeSetEvent(CUgraphExec exec, CUgraphNode node,
                                            CUevent event) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_WAIT_EVENT);
  parameters.eventWait.event = event;
  return set("cuGraphExecEventWaitNodeSetEvent", exec, node, parameters);
}

PTXSIM_API cuGraphExecBatchMemOpNodeSetParams(
    CUgraphExec exec, CUgraphNode node,
    const CUDA_BATCH_MEM_OP_NODE_PARAMS *operations) {
  if (!isReadable(operations))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_BATCH_MEM_OP);
  parameters.memOp = *operations;
  return set("cuGraphExecBatchMemOpNodeSetParams", exec, node, parameters);
}

PTXSIM_API cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                    CUgraphNodeParams *parameters) {
  return parameters ? set("cuGraphExecNodeSetParams", exec, node, *parameters)
                    : CUDA_ERROR_INVALID_VALUE;
}

} // namespace ptxsim::driver
