// Adding nodes to graphs.

#include "tools/ptxsim/driver/GraphEdges.h"
#include "tools/ptxsim/driver/GraphParams.h"

namespace ptxsim::driver {

/// Says where a new node goes.
struct NewNode {
  const char *name; ///< Of the call.
  CUgraphNode *result;
  CUgraph graph;
  const CUgraphNode *dependencies;
  const CUgraphEdgeData *data;
  size_t count;
};

static CUresult add(const NewNode &place, CUgraphNodeParams &parameters) {
  return withDriver(place.name, [&](Call &call) -> CUresult {
    std::shared_ptr<Graph> graph;
    CUresult result = findGraph(call, place.graph, graph);
    if (result == CUDA_SUCCESS && !place.result)
      result = CUDA_ERROR_INVALID_VALUE;
    std::vector<NodeDependency> dependencies;
    if (result == CUDA_SUCCESS)
      result = readDependencies(call, *graph, place.dependencies, place.data,
                                place.count, dependencies);
    NodeContents contents;
    if (result == CUDA_SUCCESS)
      result = makeContents(call, place.name, nullptr, parameters, contents);
    if (result != CUDA_SUCCESS)
      return result;
    if (contents.child == graph)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<GraphNode> node =
        addNode(graph, nullptr, nullptr, std::move(dependencies));
    setContents(call, *node, std::move(contents));
    if (node->child)
      graph->depth = std::max(graph->depth, node->child->depth + 1);
    publish(call.driver, graph);
    *place.result = node->handle;
    return CUDA_SUCCESS;
  });
}

static CUgraphNodeParams ofType(CUgraphNodeType type) {
  CUgraphNodeParams parameters;
  __builtin_memset(&parameters, 0, sizeof(parameters));
  parameters.type = type;
  return parameters;
}

PTXSIM_API cuGraphAddKernelNode_v2(CUgraphNode *result, CUgraph graph,
                                   const CUgraphNode *dependencies,
                                   size_t count,
                                   const CUDA_KERNEL_NODE_PARAMS_v2 *kernel) {
  if (!isReadable(kernel))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_KERNEL);
  parameters.kernel = *kernel;
  return add(
      {"cuGraphAddKernelNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddKernelNode(CUgraphNode *result, CUgraph graph,
                                const CUgraphNode *dependencies, size_t count,
                                const CUDA_KERNEL_NODE_PARAMS_v1 *kernel) {
  if (!isReadable(kernel))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_KERNEL);
  __builtin_memcpy(&parameters.kernel, kernel, sizeof(*kernel));
  return add(
      {"cuGraphAddKernelNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddMemcpyNode(CUgraphNode *result, CUgraph graph,
                                const CUgraphNode *dependencies, size_t count,
                                const CUDA_MEMCPY3D *copy, CUcontext context) {
  if (!isReadable(copy))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_MEMCPY);
  parameters.memcpy.copyCtx = context;
  parameters.memcpy.copyParams = *copy;
  return add(
      {"cuGraphAddMemcpyNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddMemsetNode(CUgraphNode *result, CUgraph graph,
                                const CUgraphNode *dependencies, size_t count,
                                const CUDA_MEMSET_NODE_PARAMS_v1 *set,
                                CUcontext context) {
  if (!isReadable(set))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_MEMSET);
  __builtin_memcpy(&parameters.memset, set, sizeof(*set));
  parameters.memset.ctx = context;
  return add(
      {"cuGraphAddMemsetNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddHostNode(CUgraphNode *result, CUgraph graph,
                              const CUgraphNode *dependencies, size_t count,
                              const CUDA_HOST_NODE_PARAMS *host) {
  if (!isReadable(host))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_HOST);
  parameters.host = *host;
  return add(
      {"cuGraphAddHostNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddChildGraphNode(CUgraphNode *result, CUgraph graph,
                                    const CUgraphNode *dependencies,
                                    size_t count, CUgraph child) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_GRAPH);
  parameters.graph.graph = child;
  return add(
      {"cuGraphAddChildGraphNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddEmptyNode(CUgraphNode *result, CUgraph graph,
                               const CUgraphNode *dependencies, size_t count) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_EMPTY);
  return add(
      {"cuGraphAddEmptyNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddEventRecordNode(CUgraphNode *result, CUgraph graph,
                                     const CUgraphNode *dependencies,
                                     size_t count, CUevent event) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_EVENT_RECORD);
  parameters.eventRecord.event = event;
  return add({"cuGraphAddEventRecordNode", result, graph, dependencies, nullptr,
              count},
             parameters);
}

PTXSIM_API cuGraphAddEventWaitNode(CUgraphNode *result, CUgraph graph,
                                   const CUgraphNode *dependencies,
                                   size_t count, CUevent event) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_WAIT_EVENT);
  parameters.eventWait.event = event;
  return add(
      {"cuGraphAddEventWaitNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddMemAllocNode(CUgraphNode *result, CUgraph graph,
                                  const CUgraphNode *dependencies, size_t count,
                                  CUDA_MEM_ALLOC_NODE_PARAMS *alloc) {
  if (!isReadable(alloc))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_MEM_ALLOC);
  parameters.alloc = *alloc;
  CUresult added = add(
      {"cuGraphAddMemAllocNode", result, graph, dependencies, nullptr, count},
      parameters);
  return added == CUDA_SUCCESS ? giveResult(&alloc->dptr, parameters.alloc.dptr)
                               : added;
}

PTXSIM_API cuGraphAddMemFreeNode(CUgraphNode *result, CUgraph graph,
                                 const CUgraphNode *dependencies, size_t count,
                                 CUdeviceptr address) {
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_MEM_FREE);
  parameters.free.dptr = address;
  return add(
      {"cuGraphAddMemFreeNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API
cuGraphAddBatchMemOpNode(CUgraphNode *result, CUgraph graph,
                         const CUgraphNode *dependencies, size_t count,
                         const CUDA_BATCH_MEM_OP_NODE_PARAMS *operations) {
  if (!isReadable(operations))
    return CUDA_ERROR_INVALID_VALUE;
  CUgraphNodeParams parameters = ofType(CU_GRAPH_NODE_TYPE_BATCH_MEM_OP);
  parameters.memOp = *operations;
  return add(
      {"cuGraphAddBatchMemOpNode", result, graph, dependencies, nullptr, count},
      parameters);
}

PTXSIM_API cuGraphAddNode(CUgraphNode *result, CUgraph graph,
                          const CUgraphNode *dependencies, size_t count,
                          CUgraphNodeParams *parameters) {
  return parameters ? add({"cuGraphAddNode", result, graph, dependencies,
                           nullptr, count},
                          *parameters)
                    : CUDA_ERROR_INVALID_VALUE;
}

PTXSIM_API cuGraphAddNode_v2(CUgraphNode *result, CUgraph graph,
                             const CUgraphNode *dependencies,
                             const CUgraphEdgeData *data, size_t count,
                             CUgraphNodeParams *parameters) {
  return parameters
             ? add({"cuGraphAddNode", result, graph, dependencies, data, count},
                   *parameters)
             : CUDA_ERROR_INVALID_VALUE;
}

} // namespace ptxsim::driver
