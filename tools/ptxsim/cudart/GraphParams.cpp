// Parameters of nodes as the driver wants them, and back.

#include "tools/ptxsim/cudart/GraphParams.h"

#include <cstring>

namespace ptxsim::cudart {

Code toDriver(const cudaKernelNodeParams &parameters,
              CUDA_KERNEL_NODE_PARAMS_v2 &result) {
  std::memset(&result, 0, sizeof(result));
  result.gridDimX = parameters.gridDim.x;
  result.gridDimY = parameters.gridDim.y;
  result.gridDimZ = parameters.gridDim.z;
  result.blockDimX = parameters.blockDim.x;
  result.blockDimY = parameters.blockDim.y;
  result.blockDimZ = parameters.blockDim.z;
  result.sharedMemBytes = parameters.sharedMemBytes;
  result.kernelParams = parameters.kernelParams;
  result.extra = parameters.extra;
  return findFunction(parameters.func, result.func);
}

cudaKernelNodeParams toRuntime(const CUDA_KERNEL_NODE_PARAMS_v2 &parameters) {
  const void *host = findHostFunction(parameters.func);
  return {host ? const_cast<void *>(host)
               : static_cast<void *>(parameters.func),
          {parameters.gridDimX, parameters.gridDimY, parameters.gridDimZ},
          {parameters.blockDimX, parameters.blockDimY, parameters.blockDimZ},
          parameters.sharedMemBytes,
          parameters.kernelParams,
          parameters.extra};
}

Code toDriver(const cudaGraphNodeParams &parameters,
              CUgraphNodeParams &result) {
  std::memset(&result, 0, sizeof(result));
  result.type = parameters.type;
  switch (parameters.type) {
  case CU_GRAPH_NODE_TYPE_KERNEL:
    return toDriver(parameters.kernel, result.kernel);
  case CU_GRAPH_NODE_TYPE_MEMCPY:
    return toDriver(parameters.memcpy.copyParams, result.memcpy.copyParams);
  case CU_GRAPH_NODE_TYPE_MEMSET: {
    CUDA_MEMSET_NODE_PARAMS_v1 set = toDriver(parameters.memset);
    std::memcpy(&result.memset, &set, sizeof(set));
    return cudaSuccess;
  }
  default:
    // All others have the same layout in both interfaces.
    std::memcpy(&result, &parameters, sizeof(result));
    return cudaSuccess;
  }
}

Code symbolCopy(const void *symbol, const void *other, size_t bytes,
                size_t offset, cudaMemcpyKind kind, bool toSymbol,
                CUDA_MEMCPY3D &result) {
  CUdeviceptr address = 0;
  size_t size = 0;
  Code code = findVariable(symbol, address, size);
  if (code != cudaSuccess)
    return code;
  if (offset > size || bytes > size - offset)
    return cudaErrorInvalidValue;
  void *part = toPointer(address + offset);
  Rows rows = {toSymbol ? part : const_cast<void *>(other),
               0,
               toSymbol ? other : part,
               0,
               bytes,
               1};
  return toDriver(rows, kind, result);
}

CUcontext currentContext() {
  CUcontext context = nullptr;
  cuCtxGetCurrent(&context);
  return context;
}

} // namespace ptxsim::cudart
