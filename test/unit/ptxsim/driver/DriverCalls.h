// The functions of the driver that the tests call.

#ifndef TCC_TEST_UNIT_PTXSIM_DRIVER_DRIVERCALLS_H
#define TCC_TEST_UNIT_PTXSIM_DRIVER_DRIVERCALLS_H

#include "tools/ptxsim/driver/AbiGraph.h"

namespace ptxsim {

extern "C" {
CUresult cuCtxCreate_v2(CUcontext *result, unsigned flags, CUdevice device);
CUresult cuCtxCreate_v4(CUcontext *result, CUctxCreateParams *parameters,
                        unsigned flags, CUdevice device);
CUresult cuCtxDestroy_v2(CUcontext handle);
CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned flags);
CUresult cuCtxGetApiVersion(CUcontext handle, unsigned *result);
CUresult cuCtxGetCacheConfig(CUfunc_cache *result);
CUresult cuCtxGetCurrent(CUcontext *result);
CUresult cuCtxGetLimit(size_t *result, CUlimit limit);
CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest);
CUresult cuCtxPopCurrent_v2(CUcontext *result);
CUresult cuCtxPushCurrent_v2(CUcontext handle);
CUresult cuCtxSetCacheConfig(CUfunc_cache config);
CUresult cuCtxSetCurrent(CUcontext handle);
CUresult cuCtxSetLimit(CUlimit limit, size_t value);
CUresult cuCtxSynchronize();
CUresult cuDeviceCanAccessPeer(int *result, CUdevice device, CUdevice peer);
CUresult cuDeviceComputeCapability(int *major, int *minor, CUdevice device);
CUresult cuDeviceGet(CUdevice *result, int ordinal);
CUresult cuDeviceGetAttribute(int *result, int attribute, CUdevice device);
CUresult cuDeviceGetByPCIBusId(CUdevice *result, const char *text);
CUresult cuDeviceGetCount(int *result);
CUresult cuDeviceGetDefaultMemPool(CUmemoryPool *result, CUdevice device);
CUresult cuDeviceGetGraphMemAttribute(CUdevice device,
                                      CUgraphMem_attribute attribute,
                                      void *value);
CUresult cuDeviceGetMemPool(CUmemoryPool *result, CUdevice device);
CUresult cuDeviceGetName(char *result, int length, CUdevice device);
CUresult cuDeviceGetPCIBusId(char *result, int length, CUdevice device);
CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags,
                                    int *active);
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device);
CUresult cuDevicePrimaryCtxReset_v2(CUdevice device);
CUresult cuDevicePrimaryCtxRetain(CUcontext *result, CUdevice device);
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
CUresult cuGetErrorName(CUresult result, const char **name);
CUresult cuGetErrorString(CUresult result, const char **meaning);
CUresult cuGetProcAddress_v2(const char *name, void **function, int version,
                             uint64_t flags, uint32_t *status);
CUresult
cuGraphAddBatchMemOpNode(CUgraphNode *result, CUgraph graph,
                         const CUgraphNode *dependencies, size_t count,
                         const CUDA_BATCH_MEM_OP_NODE_PARAMS *operations);
CUresult cuGraphAddChildGraphNode(CUgraphNode *result, CUgraph graph,
                                  const CUgraphNode *dependencies, size_t count,
                                  CUgraph child);
CUresult cuGraphAddDependencies(CUgraph graph, const CUgraphNode *from,
                                const CUgraphNode *to, size_t count);
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
CUresult cuGraphExecDestroy(CUgraphExec handle);
CUresult
cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node,
                                  const CUDA_KERNEL_NODE_PARAMS_v2 *kernel);
CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_MEMCPY3D *copy,
                                        CUcontext context);
CUresult cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph,
                              CUgraphExecUpdateResultInfo *info);
CUresult cuGraphGetEdges(CUgraph graph, CUgraphNode *from, CUgraphNode *to,
                         size_t *count);
CUresult cuGraphGetEdges_v2(CUgraph graph, CUgraphNode *from, CUgraphNode *to,
                            CUgraphEdgeData *data, size_t *count);
CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode *result, size_t *count);
CUresult cuGraphGetRootNodes(CUgraph handle, CUgraphNode *result,
                             size_t *count);
CUresult cuGraphInstantiateWithFlags(CUgraphExec *result, CUgraph graph,
                                     unsigned long long flags);
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
CUresult cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D *result);
CUresult cuGraphMemcpyNodeSetParams(CUgraphNode node,
                                    const CUDA_MEMCPY3D *copy);
CUresult cuGraphNodeFindInClone(CUgraphNode *result, CUgraphNode handle,
                                CUgraph clone);
CUresult cuGraphNodeGetDependencies(CUgraphNode node, CUgraphNode *result,
                                    size_t *count);
CUresult cuGraphNodeGetDependentNodes(CUgraphNode node, CUgraphNode *result,
                                      size_t *count);
CUresult cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode original,
                               unsigned *enabled);
CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType *result);
CUresult cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode original,
                               unsigned enabled);
CUresult cuGraphNodeSetParams(CUgraphNode node, CUgraphNodeParams *parameters);
CUresult cuGraphRemoveDependencies(CUgraph graph, const CUgraphNode *from,
                                   const CUgraphNode *to, size_t count);
CUresult cuGraphRetainUserObject(CUgraph graphHandle, CUuserObject handle,
                                 unsigned count, unsigned flags);
CUresult cuInit(unsigned flags);
CUresult cuKernelGetFunction(CUfunction *result, CUkernel handle);
CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value,
                              CUkernel handle, CUdevice device);
CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned gridX,
                                   unsigned gridY, unsigned gridZ,
                                   unsigned blockX, unsigned blockY,
                                   unsigned blockZ, unsigned sharedBytes,
                                   CUstream stream, void **parameters);
CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void *data);
CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY,
                        unsigned gridZ, unsigned blockX, unsigned blockY,
                        unsigned blockZ, unsigned sharedBytes, CUstream stream,
                        void **parameters, void **extra);
CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function,
                          void **parameters, void **extra);
CUresult cuLaunchKernel_ptsz(CUfunction function, unsigned gridX,
                             unsigned gridY, unsigned gridZ, unsigned blockX,
                             unsigned blockY, unsigned blockZ,
                             unsigned sharedBytes, CUstream stream,
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
CUresult cuLibraryGetModule(CUmodule *result, CUlibrary handle);
CUresult cuLibraryLoadData(CUlibrary *result, const void *image,
                           CUjit_option *jitOptions, void **jitValues,
                           unsigned jitCount, CUlibraryOption *, void **,
                           unsigned);
CUresult cuLibraryUnload(CUlibrary handle);
CUresult cuLinkAddData_v2(CUlinkState handle, CUjitInputType type, void *data,
                          size_t bytes, const char *, unsigned, CUjit_option *,
                          void **);
CUresult cuLinkComplete(CUlinkState handle, void **image, size_t *bytes);
CUresult cuLinkCreate_v2(unsigned optionCount, CUjit_option *options,
                         void **values, CUlinkState *result);
CUresult cuLinkDestroy(CUlinkState handle);
CUresult cuMemAdvise(CUdeviceptr address, size_t bytes, uint32_t advice,
                     CUdevice);
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
CUresult cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes,
                                 CUdeviceptr address);
CUresult cuMemGetInfo_v2(size_t *free, size_t *total);
CUresult cuMemHostAlloc(void **result, size_t bytes, unsigned flags);
CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *result, void *pointer,
                                      unsigned flags);
CUresult cuMemHostGetFlags(unsigned *result, void *pointer);
CUresult cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags);
CUresult cuMemHostUnregister(void *pointer);
CUresult cuMemPoolCreate(CUmemoryPool *result,
                         const CUmemPoolProps *properties);
CUresult cuMemPoolDestroy(CUmemoryPool handle);
CUresult cuMemPoolGetAttribute(CUmemoryPool handle,
                               CUmemPool_attribute attribute, void *value);
CUresult cuMemPoolSetAttribute(CUmemoryPool handle,
                               CUmemPool_attribute attribute, void *value);
CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t);
CUresult cuMemPrefetchAsync(CUdeviceptr address, size_t bytes, CUdevice device,
                            CUstream stream);
CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes);
CUresult cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D *rows);
CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *rows);
CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D *box);
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                              CUstream stream);
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes);
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes,
                              CUstream stream);
CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes);
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes,
                              CUstream stream);
CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes);
CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext toContext, CUdeviceptr from,
                      CUcontext fromContext, size_t bytes);
CUresult cuMemsetD16_v2(CUdeviceptr address, unsigned short value,
                        size_t count);
CUresult cuMemsetD2D32_v2(CUdeviceptr address, size_t pitch, unsigned value,
                          size_t width, size_t height);
CUresult cuMemsetD32Async(CUdeviceptr address, unsigned value, size_t count,
                          CUstream stream);
CUresult cuMemsetD32_v2(CUdeviceptr address, unsigned value, size_t count);
CUresult cuMemsetD8_v2(CUdeviceptr address, unsigned char value, size_t count);
CUresult cuModuleEnumerateFunctions(CUfunction *result, unsigned count,
                                    CUmodule handle);
CUresult cuModuleGetFunction(CUfunction *result, CUmodule handle,
                             const char *name);
CUresult cuModuleGetFunctionCount(unsigned *result, CUmodule handle);
CUresult cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes,
                              CUmodule handle, const char *name);
CUresult cuModuleLoad(CUmodule *result, const char *path);
CUresult cuModuleLoadData(CUmodule *result, const void *image);
CUresult cuModuleLoadDataEx(CUmodule *result, const void *image,
                            unsigned optionCount, CUjit_option *options,
                            void **values);
CUresult cuModuleUnload(CUmodule handle);
CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t *result,
                                                 CUfunction handle, int blocks,
                                                 int threads);
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *result,
                                                     CUfunction function,
                                                     int threads,
                                                     size_t dynamicBytes);
CUresult cuOccupancyMaxActiveClusters(int *result, CUfunction function,
                                      const CUlaunchConfig *config);
CUresult cuOccupancyMaxPotentialBlockSize(int *grid, int *block,
                                          CUfunction function,
                                          CUoccupancyB2DSize toBytes,
                                          size_t dynamicBytes, int limit);
CUresult cuOccupancyMaxPotentialClusterSize(int *result, CUfunction function,
                                            const CUlaunchConfig *config);
CUresult cuPointerGetAttribute(void *result, CUpointer_attribute attribute,
                               CUdeviceptr address);
CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute *attributes,
                                void **results, CUdeviceptr address);
CUresult cuStreamAddCallback(CUstream handle, CUstreamCallback callback,
                             void *data, unsigned flags);
CUresult cuStreamBatchMemOp_v2(CUstream stream, unsigned count,
                               CUstreamBatchMemOpParams *operations,
                               unsigned flags);
CUresult cuStreamBeginCapture(CUstream handle);
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
CUresult cuStreamGetCaptureInfo_v2(CUstream stream,
                                   CUstreamCaptureStatus *status, uint64_t *id,
                                   CUgraph *graph, const CUgraphNode **nodes,
                                   size_t *count);
CUresult cuStreamGetCtx(CUstream handle, CUcontext *result);
CUresult cuStreamGetFlags(CUstream handle, unsigned *result);
CUresult cuStreamGetId(CUstream handle, unsigned long long *result);
CUresult cuStreamGetId_ptsz(CUstream handle, unsigned long long *result);
CUresult cuStreamGetPriority(CUstream handle, int *result);
CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *result);
CUresult cuStreamQuery(CUstream handle);
CUresult cuStreamSetAttribute(CUstream handle, CUlaunchAttributeID id,
                              const CUlaunchAttributeValue *value);
CUresult cuStreamSynchronize(CUstream handle);
CUresult cuStreamUpdateCaptureDependencies(CUstream stream, CUgraphNode *nodes,
                                           size_t count, unsigned flags);
CUresult cuStreamWaitEvent(CUstream streamHandle, CUevent handle,
                           unsigned flags);
CUresult cuStreamWaitValue32_v2(CUstream stream, CUdeviceptr address,
                                uint32_t value, unsigned flags);
CUresult cuStreamWriteValue32_v2(CUstream stream, CUdeviceptr address,
                                 uint32_t value, unsigned flags);
CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode);
CUresult cuUserObjectCreate(CUuserObject *result, void *pointer,
                            CUhostFn destroy, unsigned references,
                            unsigned flags);
CUresult cuUserObjectRelease(CUuserObject handle, unsigned count);
}

} // namespace ptxsim

#endif // TCC_TEST_UNIT_PTXSIM_DRIVER_DRIVERCALLS_H
