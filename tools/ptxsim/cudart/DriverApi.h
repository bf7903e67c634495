// The functions of the driver that the runtime calls.

#ifndef TCC_TOOLS_PTXSIM_CUDART_DRIVERAPI_H
#define TCC_TOOLS_PTXSIM_CUDART_DRIVERAPI_H

#include "tools/ptxsim/driver/AbiGraph.h"

namespace ptxsim {

extern "C" {
CUresult cuCtxGetCacheConfig(CUfunc_cache *result);
CUresult cuCtxGetCurrent(CUcontext *result);
CUresult cuCtxGetDevice(CUdevice *result);
CUresult cuCtxGetLimit(size_t *result, CUlimit limit);
CUresult cuCtxGetSharedMemConfig(CUsharedconfig *result);
CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest);
CUresult cuCtxResetPersistingL2Cache();
CUresult cuCtxSetCacheConfig(CUfunc_cache config);
CUresult cuCtxSetCurrent(CUcontext handle);
CUresult cuCtxSetLimit(CUlimit limit, size_t value);
CUresult cuCtxSetSharedMemConfig(CUsharedconfig config);
CUresult cuCtxSynchronize();
CUresult cuDeviceCanAccessPeer(int *result, CUdevice device, CUdevice peer);
CUresult cuDeviceGetAttribute(int *result, int attribute, CUdevice device);
CUresult cuDeviceGetByPCIBusId(CUdevice *result, const char *text);
CUresult cuDeviceGetCount(int *result);
CUresult cuDeviceGetDefaultMemPool(CUmemoryPool *result, CUdevice device);
CUresult cuDeviceGetGraphMemAttribute(CUdevice device,
                                      CUgraphMem_attribute attribute,
                                      void *value);
CUresult cuDeviceGetMemPool(CUmemoryPool *result, CUdevice device);
CUresult cuDeviceGetName(char *result, int length, CUdevice device);
CUresult cuDeviceGetP2PAttribute(int *result, uint32_t, CUdevice device,
                                 CUdevice);
CUresult cuDeviceGetPCIBusId(char *result, int length, CUdevice device);
CUresult cuDeviceGetTexture1DLinearMaxWidth(size_t *result, uint32_t, unsigned,
                                            CUdevice device);
CUresult cuDeviceGetUuid_v2(CUuuid *result, CUdevice device);
CUresult cuDeviceGraphMemTrim(CUdevice device);
CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags,
                                    int *active);
CUresult cuDevicePrimaryCtxReset_v2(CUdevice device);
CUresult cuDevicePrimaryCtxRetain(CUcontext *result, CUdevice device);
CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags);
CUresult cuDeviceSetGraphMemAttribute(CUdevice device,
                                      CUgraphMem_attribute attribute,
                                      void *value);
CUresult cuDeviceSetMemPool(CUdevice device, CUmemoryPool handle);
CUresult cuDeviceTotalMem_v2(size_t *result, CUdevice device);
CUresult cuDriverGetVersion(int *version);
CUresult cuEventCreate(CUevent *result, unsigned flags);
CUresult cuEventDestroy_v2(CUevent handle);
CUresult cuEventElapsedTime_v2(float *result, CUevent first, CUevent second);
CUresult cuEventQuery(CUevent handle);
CUresult cuEventRecord(CUevent event, CUstream stream);
CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned flags);
CUresult cuEventSynchronize(CUevent handle);
CUresult cuFuncGetAttribute(int *result, CUfunction_attribute attribute,
                            CUfunction handle);
CUresult cuFuncGetModule(CUmodule *result, CUfunction handle);
CUresult cuFuncGetName(const char **result, CUfunction handle);
CUresult cuFuncGetParamInfo(CUfunction handle, size_t index, size_t *offset,
                            size_t *bytes);
CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute,
                            int value);
CUresult cuFuncSetCacheConfig(CUfunction handle, CUfunc_cache config);
CUresult cuFuncSetSharedMemConfig(CUfunction handle, CUsharedconfig config);
CUresult cuGetProcAddress_v2(const char *name, void **function, int version,
                             uint64_t flags, uint32_t *status);
CUresult cuGraphAddChildGraphNode(CUgraphNode *result, CUgraph graph,
                                  const CUgraphNode *dependencies, size_t count,
                                  CUgraph child);
CUresult cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode *from,
                                   const CUgraphNode *to,
                                   const CUgraphEdgeData *data, size_t count);
CUresult cuGraphAddEmptyNode(CUgraphNode *result, CUgraph graph,
                             const CUgraphNode *dependencies, size_t count);
CUresult cuGraphAddEventRecordNode(CUgraphNode *result, CUgraph graph,
                                   const CUgraphNode *dependencies,
                                   size_t count, CUevent event);
CUresult cuGraphAddEventWaitNode(CUgraphNode *result, CUgraph graph,
                                 const CUgraphNode *dependencies, size_t count,
                                 CUevent event);
CUresult cuGraphAddHostNode(CUgraphNode *result, CUgraph graph,
                            const CUgraphNode *dependencies, size_t count,
                            const CUDA_HOST_NODE_PARAMS *host);
CUresult cuGraphAddKernelNode_v2(CUgraphNode *result, CUgraph graph,
                                 const CUgraphNode *dependencies, size_t count,
                                 const CUDA_KERNEL_NODE_PARAMS_v2 *kernel);
CUresult cuGraphAddMemAllocNode(CUgraphNode *result, CUgraph graph,
                                const CUgraphNode *dependencies, size_t count,
                                CUDA_MEM_ALLOC_NODE_PARAMS *alloc);
CUresult cuGraphAddMemFreeNode(CUgraphNode *result, CUgraph graph,
                               const CUgraphNode *dependencies, size_t count,
                               CUdeviceptr address);
CUresult cuGraphAddMemcpyNode(CUgraphNode *result, CUgraph graph,
                              const CUgraphNode *dependencies, size_t count,
                              const CUDA_MEMCPY3D *copy, CUcontext context);
CUresult cuGraphAddMemsetNode(CUgraphNode *result, CUgraph graph,
                              const CUgraphNode *dependencies, size_t count,
                              const CUDA_MEMSET_NODE_PARAMS_v1 *set,
                              CUcontext context);
CUresult cuGraphAddNode_v2(CUgraphNode *result, CUgraph graph,
                           const CUgraphNode *dependencies,
                           const CUgraphEdgeData *data, size_t count,
                           CUgraphNodeParams *parameters);
CUresult cuGraphChildGraphNodeGetGraph(CUgraphNode node, CUgraph *result);
CUresult cuGraphClone(CUgraph *result, CUgraph handle);
CUresult cuGraphCreate(CUgraph *result, unsigned flags);
CUresult cuGraphDebugDotPrint(CUgraph handle, const char *path, unsigned);
CUresult cuGraphDestroy(CUgraph handle);
CUresult cuGraphDestroyNode(CUgraphNode handle);
CUresult cuGraphEventRecordNodeGetEvent(CUgraphNode node, CUevent *result);
CUresult cuGraphEventRecordNodeSetEvent(CUgraphNode node, CUevent event);
CUresult cuGraphEventWaitNodeGetEvent(CUgraphNode node, CUevent *result);
CUresult cuGraphEventWaitNodeSetEvent(CUgraphNode node, CUevent event);
CUresult cuGraphExecChildGraphNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                            CUgraph child);
CUresult cuGraphExecDestroy(CUgraphExec handle);
CUresult cuGraphExecEventRecordNodeSetEvent(CUgraphExec exec, CUgraphNode node,
                                            CUevent event);
CUresult cuGraphExecEventWaitNodeSetEvent(CUgraphExec exec, CUgraphNode node,
                                          CUevent event);
CUresult cuGraphExecGetFlags(CUgraphExec handle, uint64_t *result);
CUresult cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                      const CUDA_HOST_NODE_PARAMS *host);
CUresult
cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node,
                                  const CUDA_KERNEL_NODE_PARAMS_v2 *kernel);
CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_MEMCPY3D *copy,
                                        CUcontext context);
CUresult cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_MEMSET_NODE_PARAMS_v1 *value,
                                        CUcontext context);
CUresult cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                  CUgraphNodeParams *parameters);
CUresult cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph,
                              CUgraphExecUpdateResultInfo *info);
CUresult cuGraphGetEdges_v2(CUgraph graph, CUgraphNode *from, CUgraphNode *to,
                            CUgraphEdgeData *data, size_t *count);
CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode *result, size_t *count);
CUresult cuGraphGetRootNodes(CUgraph handle, CUgraphNode *result,
                             size_t *count);
CUresult cuGraphHostNodeGetParams(CUgraphNode node,
                                  CUDA_HOST_NODE_PARAMS *result);
CUresult cuGraphHostNodeSetParams(CUgraphNode node,
                                  const CUDA_HOST_NODE_PARAMS *host);
CUresult cuGraphInstantiateWithFlags(CUgraphExec *result, CUgraph graph,
                                     unsigned long long flags);
CUresult
cuGraphInstantiateWithParams(CUgraphExec *result, CUgraph graph,
                             CUDA_GRAPH_INSTANTIATE_PARAMS *parameters);
CUresult cuGraphKernelNodeCopyAttributes(CUgraphNode destination,
                                         CUgraphNode source);
CUresult cuGraphKernelNodeGetAttribute(CUgraphNode handle,
                                       CUlaunchAttributeID id,
                                       CUlaunchAttributeValue *value);
CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode node,
                                       CUDA_KERNEL_NODE_PARAMS_v2 *result);
CUresult cuGraphKernelNodeSetAttribute(CUgraphNode handle,
                                       CUlaunchAttributeID id,
                                       const CUlaunchAttributeValue *value);
CUresult
cuGraphKernelNodeSetParams_v2(CUgraphNode node,
                              const CUDA_KERNEL_NODE_PARAMS_v2 *kernel);
CUresult cuGraphLaunch(CUgraphExec handle, CUstream streamHandle);
CUresult cuGraphMemAllocNodeGetParams(CUgraphNode node,
                                      CUDA_MEM_ALLOC_NODE_PARAMS *result);
CUresult cuGraphMemFreeNodeGetParams(CUgraphNode node, CUdeviceptr *result);
CUresult cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D *result);
CUresult cuGraphMemcpyNodeSetParams(CUgraphNode node,
                                    const CUDA_MEMCPY3D *copy);
CUresult cuGraphMemsetNodeGetParams(CUgraphNode node,
                                    CUDA_MEMSET_NODE_PARAMS_v1 *result);
CUresult cuGraphMemsetNodeSetParams(CUgraphNode node,
                                    const CUDA_MEMSET_NODE_PARAMS_v1 *value);
CUresult cuGraphNodeFindInClone(CUgraphNode *result, CUgraphNode handle,
                                CUgraph clone);
CUresult cuGraphNodeGetDependencies_v2(CUgraphNode node, CUgraphNode *result,
                                       CUgraphEdgeData *data, size_t *count);
CUresult cuGraphNodeGetDependentNodes_v2(CUgraphNode node, CUgraphNode *result,
                                         CUgraphEdgeData *data, size_t *count);
CUresult cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode original,
                               unsigned *enabled);
CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType *result);
CUresult cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode original,
                               unsigned enabled);
CUresult cuGraphNodeSetParams(CUgraphNode node, CUgraphNodeParams *parameters);
CUresult cuGraphReleaseUserObject(CUgraph graphHandle, CUuserObject handle,
                                  unsigned count);
CUresult cuGraphRemoveDependencies_v2(CUgraph graph, const CUgraphNode *from,
                                      const CUgraphNode *to,
                                      const CUgraphEdgeData *data,
                                      size_t count);
CUresult cuGraphRetainUserObject(CUgraph graphHandle, CUuserObject handle,
                                 unsigned count, unsigned flags);
CUresult cuGraphUpload(CUgraphExec handle, CUstream streamHandle);
CUresult cuInit(unsigned flags);
CUresult cuKernelGetFunction(CUfunction *result, CUkernel handle);
CUresult cuKernelGetLibrary(CUlibrary *result, CUkernel handle);
CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value,
                              CUkernel handle, CUdevice device);
CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void *data);
CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function,
                          void **parameters, void **extra);
CUresult cuLibraryEnumerateKernels(CUkernel *result, unsigned count,
                                   CUlibrary handle);
CUresult cuLibraryGetGlobal(CUdeviceptr *address, size_t *bytes,
                            CUlibrary handle, const char *name);
CUresult cuLibraryGetKernel(CUkernel *result, CUlibrary handle,
                            const char *name);
CUresult cuLibraryGetKernelCount(unsigned *result, CUlibrary handle);
CUresult cuLibraryGetManaged(CUdeviceptr *address, size_t *bytes,
                             CUlibrary handle, const char *name);
CUresult cuLibraryLoadData(CUlibrary *result, const void *image,
                           CUjit_option *jitOptions, void **jitValues,
                           unsigned jitCount, CUlibraryOption *, void **,
                           unsigned);
CUresult cuLibraryLoadFromFile(CUlibrary *result, const char *path,
                               CUjit_option *jitOptions, void **jitValues,
                               unsigned jitCount, CUlibraryOption *, void **,
                               unsigned);
CUresult cuLibraryUnload(CUlibrary handle);
CUresult cuMemAdvise_v2(CUdeviceptr address, size_t bytes, uint32_t advice,
                        CUmemLocation);
CUresult cuMemAllocAsync(CUdeviceptr *result, size_t bytes, CUstream stream);
CUresult cuMemAllocFromPoolAsync(CUdeviceptr *result, size_t bytes,
                                 CUmemoryPool handle, CUstream stream);
CUresult cuMemAllocManaged(CUdeviceptr *result, size_t bytes, unsigned flags);
CUresult cuMemAllocPitch_v2(CUdeviceptr *result, size_t *pitch, size_t width,
                            size_t height, unsigned elementBytes);
CUresult cuMemAlloc_v2(CUdeviceptr *result, size_t bytes);
CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle);
CUresult cuMemFreeHost(void *pointer);
CUresult cuMemFree_v2(CUdeviceptr address);
CUresult cuMemGetDefaultMemPool(CUmemoryPool *result, CUmemLocation *location,
                                CUmemAllocationType type);
CUresult cuMemGetInfo_v2(size_t *free, size_t *total);
CUresult cuMemGetMemPool(CUmemoryPool *result, CUmemLocation *location,
                         CUmemAllocationType type);
CUresult cuMemHostAlloc(void **result, size_t bytes, unsigned flags);
CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *result, void *pointer,
                                      unsigned flags);
CUresult cuMemHostGetFlags(unsigned *result, void *pointer);
CUresult cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags);
CUresult cuMemHostUnregister(void *pointer);
CUresult cuMemPoolCreate(CUmemoryPool *result,
                         const CUmemPoolProps *properties);
CUresult cuMemPoolDestroy(CUmemoryPool handle);
CUresult cuMemPoolGetAccess(uint32_t *result, CUmemoryPool handle,
                            CUmemLocation *location);
CUresult cuMemPoolGetAttribute(CUmemoryPool handle,
                               CUmemPool_attribute attribute, void *value);
CUresult cuMemPoolSetAccess(CUmemoryPool handle,
                            const CUmemAccessDesc *accesses, size_t count);
CUresult cuMemPoolSetAttribute(CUmemoryPool handle,
                               CUmemPool_attribute attribute, void *value);
CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t);
CUresult cuMemPrefetchAsync_v2(CUdeviceptr address, size_t bytes,
                               CUmemLocation location, unsigned flags,
                               CUstream stream);
CUresult cuMemRangeGetAttribute(void *data, size_t dataBytes,
                                uint32_t attribute, CUdeviceptr address,
                                size_t bytes);
CUresult cuMemRangeGetAttributes(void **data, size_t *dataBytes,
                                 uint32_t *attributes, size_t count,
                                 CUdeviceptr address, size_t bytes);
CUresult cuMemSetMemPool(CUmemLocation *location, CUmemAllocationType type,
                         CUmemoryPool handle);
CUresult cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D *box, CUstream stream);
CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D *box);
CUresult cuMemcpy3D_v2_ptds(const CUDA_MEMCPY3D *box);
CUresult cuMemcpyBatchAsync_v2(CUdeviceptr *to, CUdeviceptr *from,
                               size_t *bytes, size_t count, void *attributes,
                               size_t *attributeIndices, size_t attributeCount,
                               CUstream stream);
CUresult cuMemsetD2D8Async(CUdeviceptr address, size_t pitch,
                           unsigned char value, size_t width, size_t height,
                           CUstream stream);
CUresult cuMemsetD2D8_v2(CUdeviceptr address, size_t pitch, unsigned char value,
                         size_t width, size_t height);
CUresult cuMemsetD2D8_v2_ptds(CUdeviceptr address, size_t pitch,
                              unsigned char value, size_t width, size_t height);
CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t *result,
                                                 CUfunction handle, int blocks,
                                                 int threads);
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *result,
                                                     CUfunction function,
                                                     int threads,
                                                     size_t dynamicBytes);
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *result, CUfunction function, int threads, size_t dynamicBytes,
    unsigned flags);
CUresult cuOccupancyMaxActiveClusters(int *result, CUfunction function,
                                      const CUlaunchConfig *config);
CUresult cuOccupancyMaxPotentialClusterSize(int *result, CUfunction function,
                                            const CUlaunchConfig *config);
CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute *attributes,
                                void **results, CUdeviceptr address);
CUresult cuProfilerStart();
CUresult cuProfilerStop();
CUresult cuStreamAddCallback(CUstream handle, CUstreamCallback callback,
                             void *data, unsigned flags);
CUresult cuStreamAttachMemAsync(CUstream handle, CUdeviceptr address,
                                size_t bytes, unsigned flags);
CUresult cuStreamBeginCaptureToGraph(CUstream handle, CUgraph graphHandle,
                                     const CUgraphNode *nodes,
                                     const CUgraphEdgeData *data, size_t count,
                                     CUstreamCaptureMode mode);
CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode);
CUresult cuStreamCopyAttributes(CUstream destination, CUstream source);
CUresult cuStreamCreate(CUstream *result, unsigned flags);
CUresult cuStreamCreateWithPriority(CUstream *result, unsigned flags,
                                    int priority);
CUresult cuStreamDestroy_v2(CUstream handle);
CUresult cuStreamEndCapture(CUstream handle, CUgraph *result);
CUresult cuStreamGetAttribute(CUstream handle, CUlaunchAttributeID id,
                              CUlaunchAttributeValue *value);
CUresult cuStreamGetCaptureInfo_v3(CUstream stream,
                                   CUstreamCaptureStatus *status, uint64_t *id,
                                   CUgraph *graph, const CUgraphNode **nodes,
                                   const CUgraphEdgeData **data, size_t *count);
CUresult cuStreamGetDevice(CUstream handle, CUdevice *result);
CUresult cuStreamGetFlags(CUstream handle, unsigned *result);
CUresult cuStreamGetId(CUstream handle, unsigned long long *result);
CUresult cuStreamGetPriority(CUstream handle, int *result);
CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *result);
CUresult cuStreamQuery(CUstream handle);
CUresult cuStreamSetAttribute(CUstream handle, CUlaunchAttributeID id,
                              const CUlaunchAttributeValue *value);
CUresult cuStreamSynchronize(CUstream handle);
CUresult cuStreamUpdateCaptureDependencies_v2(CUstream stream,
                                              CUgraphNode *nodes,
                                              const CUgraphEdgeData *data,
                                              size_t count, unsigned flags);
CUresult cuStreamWaitEvent(CUstream streamHandle, CUevent handle,
                           unsigned flags);
CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode);
CUresult cuUserObjectCreate(CUuserObject *result, void *pointer,
                            CUhostFn destroy, unsigned references,
                            unsigned flags);
CUresult cuUserObjectRelease(CUuserObject handle, unsigned count);
CUresult cuUserObjectRetain(CUuserObject handle, unsigned count);
}

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CUDART_DRIVERAPI_H
