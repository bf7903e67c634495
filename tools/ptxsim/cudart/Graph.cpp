// Graphs and executable graphs.

#include "tools/ptxsim/cudart/GraphParams.h"

namespace ptxsim::cudart {

CUDART_API cudaGraphCreate(CUgraph *result, unsigned flags) {
  return callContext([&]() -> Code { return cuGraphCreate(result, flags); });
}

CUDART_API cudaGraphDestroy(CUgraph graph) {
  return callContext([&]() -> Code { return cuGraphDestroy(graph); });
}

CUDART_API cudaGraphClone(CUgraph *result, CUgraph graph) {
  return callContext([&]() -> Code { return cuGraphClone(result, graph); });
}

CUDART_API cudaGraphNodeFindInClone(CUgraphNode *result, CUgraphNode node,
                                    CUgraph clone) {
  return callContext(
      [&]() -> Code { return cuGraphNodeFindInClone(result, node, clone); });
}

CUDART_API cudaGraphGetNodes(CUgraph graph, CUgraphNode *nodes, size_t *count) {
  return callContext(
      [&]() -> Code { return cuGraphGetNodes(graph, nodes, count); });
}

CUDART_API cudaGraphGetRootNodes(CUgraph graph, CUgraphNode *nodes,
                                 size_t *count) {
  return callContext(
      [&]() -> Code { return cuGraphGetRootNodes(graph, nodes, count); });
}

CUDART_API cudaGraphGetEdges(CUgraph graph, CUgraphNode *from, CUgraphNode *to,
                             CUgraphEdgeData *data, size_t *count) {
  return callContext([&]() -> Code {
    return cuGraphGetEdges_v2(graph, from, to, data, count);
  });
}

CUDART_API cudaGraphNodeGetDependencies(CUgraphNode node, CUgraphNode *result,
                                        CUgraphEdgeData *data, size_t *count) {
  return callContext([&]() -> Code {
    return cuGraphNodeGetDependencies_v2(node, result, data, count);
  });
}

CUDART_API cudaGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode *result,
                                          CUgraphEdgeData *data,
                                          size_t *count) {
  return callContext([&]() -> Code {
    return cuGraphNodeGetDependentNodes_v2(node, result, data, count);
  });
}

CUDART_API cudaGraphAddDependencies(CUgraph graph, const CUgraphNode *from,
                                    const CUgraphNode *to,
                                    const CUgraphEdgeData *data, size_t count) {
  return callContext([&]() -> Code {
    return cuGraphAddDependencies_v2(graph, from, to, data, count);
  });
}

CUDART_API cudaGraphRemoveDependencies(CUgraph graph, const CUgraphNode *from,
                                       const CUgraphNode *to,
                                       const CUgraphEdgeData *data,
                                       size_t count) {
  return callContext([&]() -> Code {
    return cuGraphRemoveDependencies_v2(graph, from, to, data, count);
  });
}

CUDART_API cudaGraphDestroyNode(CUgraphNode node) {
  return callContext([&]() -> Code { return cuGraphDestroyNode(node); });
}

CUDART_API cudaGraphDebugDotPrint(CUgraph graph, const char *path,
                                  unsigned flags) {
  return callContext(
      [&]() -> Code { return cuGraphDebugDotPrint(graph, path, flags); });
}

CUDART_API cudaGraphInstantiate(CUgraphExec *result, CUgraph graph,
                                unsigned long long flags) {
  return callContext([&]() -> Code {
    return cuGraphInstantiateWithFlags(result, graph, flags);
  });
}

CUDART_API cudaGraphInstantiateWithFlags(CUgraphExec *result, CUgraph graph,
                                         unsigned long long flags) {
  return cudaGraphInstantiate(result, graph, flags);
}

CUDART_STREAM_API(cudaGraphInstantiateWithParams,
                  cudaGraphInstantiateWithParams_ptsz,
                  (CUgraphExec * result, CUgraph graph,
                   CUDA_GRAPH_INSTANTIATE_PARAMS *parameters),
                  (result, graph, parameters)) {
  return callContext([&]() -> Code {
    return cuGraphInstantiateWithParams(result, graph, parameters);
  });
}

CUDART_API cudaGraphExecDestroy(CUgraphExec exec) {
  return callContext([&]() -> Code { return cuGraphExecDestroy(exec); });
}

CUDART_API cudaGraphExecGetFlags(CUgraphExec exec, uint64_t *result) {
  return callContext(
      [&]() -> Code { return cuGraphExecGetFlags(exec, result); });
}

CUDART_STREAM_API(cudaGraphLaunch, cudaGraphLaunch_ptsz,
                  (CUgraphExec exec, CUstream stream), (exec, stream)) {
  return callContext(
      [&]() -> Code { return cuGraphLaunch(exec, resolve(stream)); });
}

CUDART_STREAM_API(cudaGraphUpload, cudaGraphUpload_ptsz,
                  (CUgraphExec exec, CUstream stream), (exec, stream)) {
  return callContext(
      [&]() -> Code { return cuGraphUpload(exec, resolve(stream)); });
}

CUDART_API cudaGraphExecUpdate(CUgraphExec exec, CUgraph graph,
                               CUgraphExecUpdateResultInfo *info) {
  return callContext(
      [&]() -> Code { return cuGraphExecUpdate_v2(exec, graph, info); });
}

CUDART_API cudaGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode node,
                                   unsigned enabled) {
  return callContext(
      [&]() -> Code { return cuGraphNodeSetEnabled(exec, node, enabled); });
}

CUDART_API cudaGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode node,
                                   unsigned *enabled) {
  return callContext(
      [&]() -> Code { return cuGraphNodeGetEnabled(exec, node, enabled); });
}

CUDART_API
cudaGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                 const cudaKernelNodeParams *parameters) {
  return callContext([&]() -> Code {
    CUDA_KERNEL_NODE_PARAMS_v2 kernel;
    Code code = parameters ? toDriver(*parameters, kernel)
                           : static_cast<Code>(cudaErrorInvalidValue);
    return code == cudaSuccess
               ? cuGraphExecKernelNodeSetParams_v2(exec, node, &kernel)
               : code;
  });
}

/// Changes a copy to what `describe(box)` describes.
template <typename Body>
static cudaError_t setCopy(CUgraphExec exec, CUgraphNode node, Body describe) {
  return callContext([&]() -> Code {
    CUDA_MEMCPY3D box;
    Code code = describe(box);
    return code == cudaSuccess ? cuGraphExecMemcpyNodeSetParams(
                                     exec, node, &box, currentContext())
                               : code;
  });
}

CUDART_API cudaGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                            const cudaMemcpy3DParms *copy) {
  if (!copy)
    return record(cudaErrorInvalidValue);
  return setCopy(exec, node,
                 [&](CUDA_MEMCPY3D &box) { return toDriver(*copy, box); });
}

CUDART_API cudaGraphExecMemcpyNodeSetParams1D(CUgraphExec exec,
                                              CUgraphNode node, void *to,
                                              const void *from, size_t bytes,
                                              cudaMemcpyKind kind) {
  return setCopy(exec, node, [&](CUDA_MEMCPY3D &box) {
    return toDriver({to, 0, from, 0, bytes, 1}, kind, box);
  });
}

CUDART_API cudaGraphExecMemcpyNodeSetParamsToSymbol(
    CUgraphExec exec, CUgraphNode node, const void *symbol, const void *from,
    size_t bytes, size_t offset, cudaMemcpyKind kind) {
  return setCopy(exec, node, [&](CUDA_MEMCPY3D &box) {
    return symbolCopy(symbol, from, bytes, offset, kind, true, box);
  });
}

CUDART_API cudaGraphExecMemcpyNodeSetParamsFromSymbol(
    CUgraphExec exec, CUgraphNode node, void *to, const void *symbol,
    size_t bytes, size_t offset, cudaMemcpyKind kind) {
  return setCopy(exec, node, [&](CUDA_MEMCPY3D &box) {
    return symbolCopy(symbol, to, bytes, offset, kind, false, box);
  });
}

CUDART_API
cudaGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                 const cudaMemsetParams *parameters) {
  return callContext([&]() -> Code {
    if (!parameters)
      return cudaErrorInvalidValue;
    CUDA_MEMSET_NODE_PARAMS_v1 set = toDriver(*parameters);
    return cuGraphExecMemsetNodeSetParams(exec, node, &set, currentContext());
  });
}

CUDART_API cudaGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode handle,
                                      cudaGraphNodeParams *parameters) {
  return callContext([&]() -> Code {
    CUgraphNodeParams node;
    Code code = parameters ? toDriver(*parameters, node)
                           : static_cast<Code>(cudaErrorInvalidValue);
    return code == cudaSuccess ? cuGraphExecNodeSetParams(exec, handle, &node)
                               : code;
  });
}

/// Defines a call that hands a node of an executable graph and one more thing
/// on.
#define CUDART_EXEC_CALL(NAME, DRIVER, TYPE)                                   \
  CUDART_API NAME(CUgraphExec exec, CUgraphNode node, TYPE value) {            \
    return callContext([&]() -> Code { return DRIVER(exec, node, value); });   \
  }

CUDART_EXEC_CALL(cudaGraphExecHostNodeSetParams, cuGraphExecHostNodeSetParams,
                 const CUDA_HOST_NODE_PARAMS *)
CUDART_EXEC_CALL(cudaGraphExecChildGraphNodeSetParams,
                 cuGraphExecChildGraphNodeSetParams, CUgraph)
CUDART_EXEC_CALL(cudaGraphExecEventRecordNodeSetEvent,
                 cuGraphExecEventRecordNodeSetEvent, CUevent)
CUDART_EXEC_CALL(cudaGraphExecEventWaitNodeSetEvent,
                 cuGraphExecEventWaitNodeSetEvent, CUevent)

CUDART_API cudaUserObjectCreate(CUuserObject *result, void *pointer,
                                CUhostFn destroy, unsigned references,
                                unsigned flags) {
  return callContext([&]() -> Code {
    return cuUserObjectCreate(result, pointer, destroy, references, flags);
  });
}

CUDART_API cudaUserObjectRetain(CUuserObject object, unsigned count) {
  return callContext(
      [&]() -> Code { return cuUserObjectRetain(object, count); });
}

CUDART_API cudaUserObjectRelease(CUuserObject object, unsigned count) {
  return callContext(
      [&]() -> Code { return cuUserObjectRelease(object, count); });
}

CUDART_API cudaGraphRetainUserObject(CUgraph graph, CUuserObject object,
                                     unsigned count, unsigned flags) {
  return callContext([&]() -> Code {
    return cuGraphRetainUserObject(graph, object, count, flags);
  });
}

CUDART_API cudaGraphReleaseUserObject(CUgraph graph, CUuserObject object,
                                      unsigned count) {
  return callContext(
      [&]() -> Code { return cuGraphReleaseUserObject(graph, object, count); });
}

} // namespace ptxsim::cudart
