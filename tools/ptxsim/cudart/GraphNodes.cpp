// Nodes of graphs: adding them, their parameters.

#include "tools/ptxsim/cudart/GraphParams.h"

namespace ptxsim::cudart {

/// The parameters that every call has which adds a node.
#define CUDART_NEW_NODE                                                        \
  CUgraphNode *result, CUgraph graph, const CUgraphNode *dependencies,         \
      size_t count

CUDART_API cudaGraphAddKernelNode(CUDART_NEW_NODE,
                                  const cudaKernelNodeParams *parameters) {
  return callContext([&]() -> Code {
    CUDA_KERNEL_NODE_PARAMS_v2 kernel;
    Code code = parameters ? toDriver(*parameters, kernel)
                           : static_cast<Code>(cudaErrorInvalidValue);
    return code == cudaSuccess
               ? cuGraphAddKernelNode_v2(result, graph, dependencies, count,
                                         &kernel)
               : code;
  });
}

CUDART_API cudaGraphKernelNodeGetParams(CUgraphNode node,
                                        cudaKernelNodeParams *result) {
  return callContext([&]() -> Code {
    CUDA_KERNEL_NODE_PARAMS_v2 kernel;
    if (!result)
      return cudaErrorInvalidValue;
    Code code = cuGraphKernelNodeGetParams_v2(node, &kernel);
    if (code == cudaSuccess)
      *result = toRuntime(kernel);
    return code;
  });
}

CUDART_API
cudaGraphKernelNodeSetParams(CUgraphNode node,
                             const cudaKernelNodeParams *parameters) {
  return callContext([&]() -> Code {
    CUDA_KERNEL_NODE_PARAMS_v2 kernel;
    Code code = parameters ? toDriver(*parameters, kernel)
                           : static_cast<Code>(cudaErrorInvalidValue);
    return code == cudaSuccess ? cuGraphKernelNodeSetParams_v2(node, &kernel)
                               : code;
  });
}

CUDART_API cudaGraphKernelNodeCopyAttributes(CUgraphNode destination,
                                             CUgraphNode source) {
  return callContext([&]() -> Code {
    return cuGraphKernelNodeCopyAttributes(destination, source);
  });
}

CUDART_API cudaGraphKernelNodeGetAttribute(CUgraphNode node,
                                           CUlaunchAttributeID id,
                                           CUlaunchAttributeValue *value) {
  return callContext(
      [&]() -> Code { return cuGraphKernelNodeGetAttribute(node, id, value); });
}

CUDART_API
cudaGraphKernelNodeSetAttribute(CUgraphNode node, CUlaunchAttributeID id,
                                const CUlaunchAttributeValue *value) {
  return callContext(
      [&]() -> Code { return cuGraphKernelNodeSetAttribute(node, id, value); });
}

/// Adds a copy that `describe(box)` describes.
template <typename Body>
static cudaError_t addCopy(CUDART_NEW_NODE, Body describe) {
  return callContext([&]() -> Code {
    CUDA_MEMCPY3D box;
    Code code = describe(box);
    return code == cudaSuccess
               ? cuGraphAddMemcpyNode(result, graph, dependencies, count, &box,
                                      currentContext())
               : code;
  });
}

/// Changes a copy to what `describe(box)` describes.
template <typename Body>
static cudaError_t setCopy(CUgraphNode node, Body describe) {
  return callContext([&]() -> Code {
    CUDA_MEMCPY3D box;
    Code code = describe(box);
    return code == cudaSuccess ? cuGraphMemcpyNodeSetParams(node, &box) : code;
  });
}

CUDART_API cudaGraphAddMemcpyNode(CUDART_NEW_NODE,
                                  const cudaMemcpy3DParms *copy) {
  if (!copy)
    return record(cudaErrorInvalidValue);
  return addCopy(result, graph, dependencies, count,
                 [&](CUDA_MEMCPY3D &box) { return toDriver(*copy, box); });
}

CUDART_API cudaGraphAddMemcpyNode1D(CUDART_NEW_NODE, void *to, const void *from,
                                    size_t bytes, cudaMemcpyKind kind) {
  return addCopy(result, graph, dependencies, count, [&](CUDA_MEMCPY3D &box) {
    return toDriver({to, 0, from, 0, bytes, 1}, kind, box);
  });
}

CUDART_API cudaGraphAddMemcpyNodeToSymbol(CUDART_NEW_NODE, const void *symbol,
                                          const void *from, size_t bytes,
                                          size_t offset, cudaMemcpyKind kind) {
  return addCopy(result, graph, dependencies, count, [&](CUDA_MEMCPY3D &box) {
    return symbolCopy(symbol, from, bytes, offset, kind, true, box);
  });
}

CUDART_API cudaGraphAddMemcpyNodeFromSymbol(CUDART_NEW_NODE, void *to,
                                            const void *symbol, size_t bytes,
                                            size_t offset,
                                            cudaMemcpyKind kind) {
  return addCopy(result, graph, dependencies, count, [&](CUDA_MEMCPY3D &box) {
    return symbolCopy(symbol, to, bytes, offset, kind, false, box);
  });
}

CUDART_API cudaGraphMemcpyNodeGetParams(CUgraphNode node,
                                        cudaMemcpy3DParms *result) {
  return callContext([&]() -> Code {
    CUDA_MEMCPY3D box;
    if (!result)
      return cudaErrorInvalidValue;
    Code code = cuGraphMemcpyNodeGetParams(node, &box);
    if (code == cudaSuccess)
      *result = toRuntime(box);
    return code;
  });
}

CUDART_API cudaGraphMemcpyNodeSetParams(CUgraphNode node,
                                        const cudaMemcpy3DParms *copy) {
  if (!copy)
    return record(cudaErrorInvalidValue);
  return setCopy(node,
                 [&](CUDA_MEMCPY3D &box) { return toDriver(*copy, box); });
}

CUDART_API cudaGraphMemcpyNodeSetParams1D(CUgraphNode node, void *to,
                                          const void *from, size_t bytes,
                                          cudaMemcpyKind kind) {
  return setCopy(node, [&](CUDA_MEMCPY3D &box) {
    return toDriver({to, 0, from, 0, bytes, 1}, kind, box);
  });
}

CUDART_API cudaGraphMemcpyNodeSetParamsToSymbol(CUgraphNode node,
                                                const void *symbol,
                                                const void *from, size_t bytes,
                                                size_t offset,
                                                cudaMemcpyKind kind) {
  return setCopy(node, [&](CUDA_MEMCPY3D &box) {
    return symbolCopy(symbol, from, bytes, offset, kind, true, box);
  });
}

CUDART_API cudaGraphMemcpyNodeSetParamsFromSymbol(CUgraphNode node, void *to,
                                                  const void *symbol,
                                                  size_t bytes, size_t offset,
                                                  cudaMemcpyKind kind) {
  return setCopy(node, [&](CUDA_MEMCPY3D &box) {
    return symbolCopy(symbol, to, bytes, offset, kind, false, box);
  });
}

CUDART_API cudaGraphAddMemsetNode(CUDART_NEW_NODE,
                                  const cudaMemsetParams *parameters) {
  return callContext([&]() -> Code {
    if (!parameters)
      return cudaErrorInvalidValue;
    CUDA_MEMSET_NODE_PARAMS_v1 set = toDriver(*parameters);
    return cuGraphAddMemsetNode(result, graph, dependencies, count, &set,
                                currentContext());
  });
}

CUDART_API cudaGraphMemsetNodeGetParams(CUgraphNode node,
                                        cudaMemsetParams *result) {
  return callContext([&]() -> Code {
    CUDA_MEMSET_NODE_PARAMS_v1 set;
    if (!result)
      return cudaErrorInvalidValue;
    Code code = cuGraphMemsetNodeGetParams(node, &set);
    if (code == cudaSuccess)
      *result = {toPointer(set.dst), set.pitch, set.value,
                 set.elementSize,    set.width, set.height};
    return code;
  });
}

CUDART_API cudaGraphMemsetNodeSetParams(CUgraphNode node,
                                        const cudaMemsetParams *parameters) {
  return callContext([&]() -> Code {
    if (!parameters)
      return cudaErrorInvalidValue;
    CUDA_MEMSET_NODE_PARAMS_v1 set = toDriver(*parameters);
    return cuGraphMemsetNodeSetParams(node, &set);
  });
}

CUDART_API cudaGraphAddHostNode(CUDART_NEW_NODE,
                                const CUDA_HOST_NODE_PARAMS *host) {
  return callContext([&]() -> Code {
    return cuGraphAddHostNode(result, graph, dependencies, count, host);
  });
}

CUDART_API cudaGraphAddChildGraphNode(CUDART_NEW_NODE, CUgraph child) {
  return callContext([&]() -> Code {
    return cuGraphAddChildGraphNode(result, graph, dependencies, count, child);
  });
}

CUDART_API cudaGraphAddEmptyNode(CUDART_NEW_NODE) {
  return callContext([&]() -> Code {
    return cuGraphAddEmptyNode(result, graph, dependencies, count);
  });
}

CUDART_API cudaGraphAddEventRecordNode(CUDART_NEW_NODE, CUevent event) {
  return callContext([&]() -> Code {
    return cuGraphAddEventRecordNode(result, graph, dependencies, count, event);
  });
}

CUDART_API cudaGraphAddEventWaitNode(CUDART_NEW_NODE, CUevent event) {
  return callContext([&]() -> Code {
    return cuGraphAddEventWaitNode(result, graph, dependencies, count, event);
  });
}

CUDART_API cudaGraphAddMemAllocNode(CUDART_NEW_NODE,
                                    CUDA_MEM_ALLOC_NODE_PARAMS *alloc) {
  return callContext([&]() -> Code {
    return cuGraphAddMemAllocNode(result, graph, dependencies, count, alloc);
  });
}

CUDART_API cudaGraphAddMemFreeNode(CUDART_NEW_NODE, void *pointer) {
  return callContext([&]() -> Code {
    return cuGraphAddMemFreeNode(result, graph, dependencies, count,
                                 toAddress(pointer));
  });
}

CUDART_API cudaGraphMemFreeNodeGetParams(CUgraphNode node, void *result) {
  return callContext([&]() -> Code {
    return cuGraphMemFreeNodeGetParams(node,
                                       static_cast<CUdeviceptr *>(result));
  });
}

CUDART_API cudaGraphAddNode(CUgraphNode *result, CUgraph graph,
                            const CUgraphNode *dependencies,
                            const CUgraphEdgeData *data, size_t count,
                            cudaGraphNodeParams *parameters) {
  return callContext([&]() -> Code {
    CUgraphNodeParams node;
    Code code = parameters ? toDriver(*parameters, node)
                           : static_cast<Code>(cudaErrorInvalidValue);
    if (code == cudaSuccess)
      code = cuGraphAddNode_v2(result, graph, dependencies, data, count, &node);
    if (code == cudaSuccess && node.type == CU_GRAPH_NODE_TYPE_MEM_ALLOC)
      parameters->alloc.dptr = node.alloc.dptr;
    return code;
  });
}

CUDART_API cudaGraphNodeSetParams(CUgraphNode handle,
                                  cudaGraphNodeParams *parameters) {
  return callContext([&]() -> Code {
    CUgraphNodeParams node;
    Code code = parameters ? toDriver(*parameters, node)
                           : static_cast<Code>(cudaErrorInvalidValue);
    return code == cudaSuccess ? cuGraphNodeSetParams(handle, &node) : code;
  });
}

/// Defines a call that hands a node and one more thing on.
#define CUDART_NODE_CALL(NAME, DRIVER, TYPE)                                   \
  CUDART_API NAME(CUgraphNode node, TYPE value) {                              \
    return callContext([&]() -> Code { return DRIVER(node, value); });         \
  }

CUDART_NODE_CALL(cudaGraphHostNodeGetParams, cuGraphHostNodeGetParams,
                 CUDA_HOST_NODE_PARAMS *)
CUDART_NODE_CALL(cudaGraphHostNodeSetParams, cuGraphHostNodeSetParams,
                 const CUDA_HOST_NODE_PARAMS *)
CUDART_NODE_CALL(cudaGraphChildGraphNodeGetGraph, cuGraphChildGraphNodeGetGraph,
                 CUgraph *)
CUDART_NODE_CALL(cudaGraphEventRecordNodeGetEvent,
                 cuGraphEventRecordNodeGetEvent, CUevent *)
CUDART_NODE_CALL(cudaGraphEventRecordNodeSetEvent,
                 cuGraphEventRecordNodeSetEvent, CUevent)
CUDART_NODE_CALL(cudaGraphEventWaitNodeGetEvent, cuGraphEventWaitNodeGetEvent,
                 CUevent *)
CUDART_NODE_CALL(cudaGraphEventWaitNodeSetEvent, cuGraphEventWaitNodeSetEvent,
                 CUevent)
CUDART_NODE_CALL(cudaGraphMemAllocNodeGetParams, cuGraphMemAllocNodeGetParams,
                 CUDA_MEM_ALLOC_NODE_PARAMS *)
CUDART_NODE_CALL(cudaGraphNodeGetType, cuGraphNodeGetType, CUgraphNodeType *)

} // namespace ptxsim::cudart
