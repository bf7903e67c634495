// Attributes of kernels, and how many blocks run at once.

#include "tools/ptxsim/cudart/Registry.h"

#include <cstring>

namespace ptxsim::cudart {

/// Runs `body(function)` for a call that names a kernel.
template <typename Body>
static cudaError_t withFunction(const void *function, Body body) {
  return callContext([&]() -> Code {
    CUfunction handle = nullptr;
    Code code = findFunction(function, handle);
    return code == cudaSuccess ? static_cast<Code>(body(handle)) : code;
  });
}

CUDART_API cudaFuncGetAttributes(cudaFuncAttributes *result,
                                 const void *function) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    if (!result)
      return cudaErrorInvalidValue;
    std::memset(result, 0, sizeof(*result));
    int shared = 0, constants = 0, local = 0;
    const struct {
      CUfunction_attribute attribute;
      int *value;
    } values[] = {
        {CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, &shared},
        {CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES, &constants},
        {CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, &local},
        {CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, &result->maxThreadsPerBlock},
        {CU_FUNC_ATTRIBUTE_NUM_REGS, &result->numRegs},
        {CU_FUNC_ATTRIBUTE_PTX_VERSION, &result->ptxVersion},
        {CU_FUNC_ATTRIBUTE_BINARY_VERSION, &result->binaryVersion},
        {CU_FUNC_ATTRIBUTE_CACHE_MODE_CA, &result->cacheModeCA},
        {CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
         &result->maxDynamicSharedSizeBytes},
        {CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT,
         &result->preferredShmemCarveout},
        {CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET,
         &result->clusterDimMustBeSet},
        {CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH,
         &result->requiredClusterWidth},
        {CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT,
         &result->requiredClusterHeight},
        {CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH,
         &result->requiredClusterDepth},
        {CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE,
         &result->clusterSchedulingPolicyPreference},
        {CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED,
         &result->nonPortableClusterSizeAllowed},
    };
    for (const auto &entry : values) {
      Code code = cuFuncGetAttribute(entry.value, entry.attribute, handle);
      if (code != cudaSuccess)
        return code;
    }
    result->sharedSizeBytes = static_cast<size_t>(shared);
    result->constSizeBytes = static_cast<size_t>(constants);
    result->localSizeBytes = static_cast<size_t>(local);
    return cudaSuccess;
  });
}

CUDART_API cudaFuncSetAttribute(const void *function,
                                CUfunction_attribute attribute, int value) {
  // The numbers are those of the driver.
  return withFunction(function, [&](CUfunction handle) -> Code {
    return cuFuncSetAttribute(handle, attribute, value);
  });
}

CUDART_API cudaFuncSetCacheConfig(const void *function, CUfunc_cache config) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    return cuFuncSetCacheConfig(handle, config);
  });
}

CUDART_API cudaFuncSetSharedMemConfig(const void *function,
                                      CUsharedconfig config) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    return cuFuncSetSharedMemConfig(handle, config);
  });
}

CUDART_API cudaFuncGetName(const char **result, const void *function) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    return cuFuncGetName(result, handle);
  });
}

CUDART_API cudaFuncGetParamInfo(const void *function, size_t index,
                                size_t *offset, size_t *bytes) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    return cuFuncGetParamInfo(handle, index, offset, bytes);
  });
}

CUDART_API cudaKernelSetAttributeForDevice(CUkernel kernel,
                                           CUfunction_attribute attribute,
                                           int value, int device) {
  return callContext([&]() -> Code {
    return cuKernelSetAttribute(attribute, value, kernel, device);
  });
}

CUDART_API cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *result,
                                                         const void *function,
                                                         int threads,
                                                         size_t dynamicBytes) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(result, handle, threads,
                                                       dynamicBytes);
  });
}

CUDART_API cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *result, const void *function, int threads, size_t dynamicBytes,
    unsigned flags) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
        result, handle, threads, dynamicBytes, flags);
  });
}

CUDART_API cudaOccupancyAvailableDynamicSMemPerBlock(size_t *result,
                                                     const void *function,
                                                     int blocks, int threads) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    return cuOccupancyAvailableDynamicSMemPerBlock(result, handle, blocks,
                                                   threads);
  });
}

/// Describes a launch to the driver.
static CUlaunchConfig toDriver(const cudaLaunchConfig_t &config) {
  return {config.gridDim.x,
          config.gridDim.y,
          config.gridDim.z,
          config.blockDim.x,
          config.blockDim.y,
          config.blockDim.z,
          static_cast<unsigned>(config.dynamicSmemBytes),
          resolve(config.stream),
          config.attrs,
          config.numAttrs};
}

CUDART_API
cudaOccupancyMaxPotentialClusterSize(int *result, const void *function,
                                     const cudaLaunchConfig_t *config) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    if (!config)
      return cudaErrorInvalidValue;
    CUlaunchConfig launch = toDriver(*config);
    return cuOccupancyMaxPotentialClusterSize(result, handle, &launch);
  });
}

CUDART_API cudaOccupancyMaxActiveClusters(int *result, const void *function,
                                          const cudaLaunchConfig_t *config) {
  return withFunction(function, [&](CUfunction handle) -> Code {
    if (!config)
      return cudaErrorInvalidValue;
    CUlaunchConfig launch = toDriver(*config);
    return cuOccupancyMaxActiveClusters(result, handle, &launch);
  });
}

} // namespace ptxsim::cudart
