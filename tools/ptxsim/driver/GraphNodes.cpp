// Getting and setting the parameters of nodes.

#include "tools/ptxsim/driver/GraphParams.h"

namespace ptxsim::driver {

/// Runs `body(parameters)` with the parameters of a node of one kind.
template <typename Body>
static CUresult get(CUgraphNode handle, CUgraphNodeType type, bool hasResult,
                    Body body, const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<GraphNode> node;
    CUresult found = findNode(call, handle, node);
    if (found != CUDA_SUCCESS)
      return found;
    if (!hasResult || node->type() != type)
      return CUDA_ERROR_INVALID_VALUE;
    body(readParams(*node));
    return CUDA_SUCCESS;
  });
}

static CUresult set(const char *name, CUgraphNode handle,
                    CUgraphNodeParams &parameters) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<GraphNode> node;
    CUresult result = findNode(call, handle, node);
    // A graph within a node is changed by its own nodes.
    if (result == CUDA_SUCCESS && node->type() == CU_GRAPH_NODE_TYPE_GRAPH)
      result = CUDA_ERROR_INVALID_VALUE;
    NodeContents contents;
    if (result == CUDA_SUCCESS)
      result = makeContents(call, name, node.get(), parameters, contents);
    if (result == CUDA_SUCCESS)
      setContents(call, *node, std::move(contents));
    return result;
  });
}

using Params = const CUgraphNodeParams &;

static CUgraphNodeParams ofType(CUgraphNodeType type) {
  CUgraphNodeParams parameters;
  __builtin_memset(&parameters, 0, sizeof(parameters));
  parameters.type = type;
  return parameters;
}

PTXSIM_API cuGraphKernelNodeGetParams_v2(CUgraphNode node,
                                         CUDA_KERNEL_NODE_PARAMS_v2 *result) {
  return get(node, CU_GRAPH_NODE_TYPE_KERNEL, result,
             [&](Params parameters) { *result = parameters.kernel; });
}

PTXSIM_API cuGraphKernelNodeGetParams(CUgraphNode node,
                                      CUDA_KERNEL_NODE_PARAMS_v1 *result) {
  return get(node, CU_GRAPH_NODE_TYPE_KERNEL, result, [&](Params parameters) {
    __builtin_memcpy(result, &parameters.kernel, sizeof(*result));
  });
}

PTXSIM_API
cuGraphKernelNodeSetParams_v2(CUgraphNode node,
                              const CUDA_KERNEL_NODE_PARAMS_v2 *kernel) {
  if (!isReadable(kernel))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_KERNEL);
  parameters.kernel = *kernel;
  return set("cuGraphKernelNodeSetParams", node, parameters);
}

PTXSIM_API
cuGraphKernelNodeSetParams(CUgraphNode node,
                           const CUDA_KERNEL_NODE_PARAMS_v1 *kernel) {
  if (!isReadable(kernel))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_KERNEL);
  __builtin_memcpy(&parameters.kernel, kernel, sizeof(*kernel));
  return set("cuGraphKernelNodeSetParams", node, parameters);
}

PTXSIM_API cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D *result) {
  return get(node, CU_GRAPH_NODE_TYPE_MEMCPY, result, [&](Params parameters) {
    *result = parameters.memcpy.copyParams;
  });
}

PTXSIM_API cuGraphMemcpyNodeSetParams(CUgraphNode node,
                                      const CUDA_MEMCPY3D *copy) {
  if (!isReadable(copy))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_MEMCPY);
  parameters.memcpy.copyParams = *copy;
  return set("cuGraphMemcpyNodeSetParams", node, parameters);
}

PTXSIM_API cuGraphMemsetNodeGetParams(CUgraphNode node,
                                      CUDA_MEMSET_NODE_PARAMS_v1 *result) {
  return get(node, CU_GRAPH_NODE_TYPE_MEMSET, result, [&](Params parameters) {
    __builtin_memcpy(result, &parameters.memset, sizeof(*result));
  });
}

PTXSIM_API cuGraphMemsetNodeSetParams(CUgraphNode node,
                                      const CUDA_MEMSET_NODE_PARAMS_v1 *value) {
  if (!isReadable(value))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_MEMSET);
  __builtin_memcpy(&parameters.memset, value, sizeof(*value));
  return set("cuGraphMemsetNodeSetParams", node, parameters);
}

PTXSIM_API cuGraphHostNodeGetParams(CUgraphNode node,
                                    CUDA_HOST_NODE_PARAMS *result) {
  return get(node, CU_GRAPH_NODE_TYPE_HOST, result,
             [&](Params parameters) { *result = parameters.host; });
}

PTXSIM_API cuGraphHostNodeSetParams(CUgraphNode node,
                                    const CUDA_HOST_NODE_PARAMS *host) {
  if (!isReadable(host))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_HOST);
  parameters.host = *host;
  return set("cuGraphHostNodeSetParams", node, parameters);
}

PTXSIM_API cuGraphChildGraphNodeGetGraph(CUgraphNode node, CUgraph *result) {
  return get(node, CU_GRAPH_NODE_TYPE_GRAPH, result,
             [&](Params parameters) { *result = parameters.graph.graph; });
}

PTXSIM_API cuGraphEventRecordNodeGetEvent(CUgraphNode node, CUevent *result) {
  return get(
      node, CU_GRAPH_NODE_TYPE_EVENT_RECORD, result,
      [&](Params parameters) { *result = parameters.eventRecord.event; });
}

PTXSIM_API cuGraphEventRecordNodeSetEvent(CUgraphNode node, CUevent event) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_EVENT_RECORD);
  parameters.eventRecord.event = event;
  return set("cuGraphEventRecordNodeSetEvent", node, parameters);
}

PTXSIM_API cuGraphEventWaitNodeGetEvent(CUgraphNode node, CUevent *result) {
  return get(node, CU_GRAPH_NODE_TYPE_WAIT_EVENT, result,
             [&](Params parameters) { *result = parameters.eventWait.event; });
}

PTXSIM_API cuGraphEventWaitNodeSetEvent(CUgraphNode node, CUevent event) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_WAIT_EVENT);
  parameters.eventWait.event = event;
  return set("cuGraphEventWaitNodeSetEvent", node, parameters);
}

PTXSIM_API cuGraphMemAllocNodeGetParams(CUgraphNode node,
                                        CUDA_MEM_ALLOC_NODE_PARAMS *result) {
  return get(node, CU_GRAPH_NODE_TYPE_MEM_ALLOC, result,
             [&](Params parameters) { *result = parameters.alloc; });
}

PTXSIM_API cuGraphMemFreeNodeGetParams(CUgraphNode node, CUdeviceptr *result) {
  return get(node, CU_GRAPH_NODE_TYPE_MEM_FREE, result,
             [&](Params parameters) { *result = parameters.free.dptr; });
}

PTXSIM_API
cuGraphBatchMemOpNodeGetParams(CUgraphNode node,
                               CUDA_BATCH_MEM_OP_NODE_PARAMS *result) {
  return get(node, CU_GRAPH_NODE_TYPE_BATCH_MEM_OP, result,
             [&](Params parameters) { *result = parameters.memOp; });
}

PTXSIM_API
cuGraphBatchMemOpNodeSetParams(
    CUgraphNode node, const CUDA_BATCH_MEM_OP_NODE_PARAMS *operations) {
  if (!isReadable(operations))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_BATCH_MEM_OP);
  parameters.memOp = *operations;
  return set("cuGraphBatchMemOpNodeSetParams", node, parameters);
}

PTXSIM_API cuGraphNodeSetParams(CUgraphNode node,
                                CUgraphNodeParams *parameters) {
  return parameters ? set("cuGraphNodeSetParams", node, *parameters)
                    : CUDA_ERROR_INVALID_VALUE;
}

} // namespace ptxsim::driver
