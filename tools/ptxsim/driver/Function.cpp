// Functions: attributes, names and parameters.

#include "tools/ptxsim/driver/Function.h"

#include "tools/ptxsim/driver/Module.h"

namespace ptxsim::driver {

/// A cluster size that the kernel or the program fixed, else 0.
static int requiredCluster(const KernelAttributes &attributes,
                           const FunctionSettings &settings, int axis) {
  uint32_t size = attributes.requiredCluster[0] != 0
                      ? std::max(attributes.requiredCluster[axis], 1u)
                      : settings.cluster[axis];
  return static_cast<int>(size);
}

/// More than any kernel can run with is told as the largest number.
static int toInt(uint64_t bytes) {
  return static_cast<int>(std::min<uint64_t>(bytes, INT32_MAX));
}

CUresult getAttribute(const KernelAttributes &attributes,
                      const FunctionSettings &settings, int ptxVersion,
                      CUfunction_attribute attribute, int &value) {
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    value = static_cast<int>(attributes.maxThreads);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
    value = toInt(attributes.sharedBytes);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
    value = static_cast<int>(attributes.constantBytes);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
    value = toInt(attributes.localBytes);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_NUM_REGS:
    value = static_cast<int>(attributes.registers);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_PTX_VERSION:
    value = ptxVersion;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
    value = 90;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
    value = 0;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    value = static_cast<int>(settings.maxDynamicShared);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    value = settings.carveout;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET:
    value = attributes.explicitCluster || attributes.requiredCluster[0] != 0;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
    value =
        requiredCluster(attributes, settings,
                        attribute - CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
    value = settings.nonPortableCluster;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    value = static_cast<int>(settings.clusterPolicy);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_MAX:
    break;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

static CUresult setCluster(const KernelAttributes &attributes,
                           FunctionSettings &settings, int axis, int value) {
  // What the text fixes cannot be changed.
  if (value < 0 || attributes.requiredCluster[0] != 0)
    return CUDA_ERROR_INVALID_VALUE;
  settings.cluster[axis] = static_cast<uint32_t>(value);
  return CUDA_SUCCESS;
}

CUresult setAttribute(const KernelAttributes &attributes,
                      FunctionSettings &settings,
                      CUfunction_attribute attribute, int value) {
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    if (value < 0 || uint64_t(value) + attributes.sharedBytes >
                         h100::sharedBytesPerBlockOptIn)
      return CUDA_ERROR_INVALID_VALUE;
    settings.maxDynamicShared = static_cast<uint32_t>(value);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    if (value < -1 || value > 100)
      return CUDA_ERROR_INVALID_VALUE;
    settings.carveout = value;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
  case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
    return setCluster(attributes, settings,
                      attribute - CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH,
                      value);
  case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
    if (value != 0 && value != 1)
      return CUDA_ERROR_INVALID_VALUE;
    settings.nonPortableCluster = value;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    if (value < 0 || value > 2)
      return CUDA_ERROR_INVALID_VALUE;
    settings.clusterPolicy = static_cast<uint32_t>(value);
    return CUDA_SUCCESS;
  default:
    return CUDA_ERROR_INVALID_VALUE;
  }
}

PTXSIM_API cuFuncGetAttribute(int *result, CUfunction_attribute attribute,
                              CUfunction handle) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found != CUDA_SUCCESS)
      return found;
    return getAttribute(attributesOf(*function->kernel), *function->settings,
                        function->module.lock()->ptxVersion, attribute,
                        *result);
  });
}

PTXSIM_API cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute,
                              int value) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found != CUDA_SUCCESS)
      return found;
    return setAttribute(attributesOf(*function->kernel), *function->settings,
                        attribute, value);
  });
}

PTXSIM_API cuFuncSetCacheConfig(CUfunction handle, CUfunc_cache config) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found != CUDA_SUCCESS)
      return found;
    return config <= CU_FUNC_CACHE_PREFER_EQUAL ? CUDA_SUCCESS
                                                : CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_API cuFuncSetSharedMemConfig(CUfunction handle, CUsharedconfig config) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found != CUDA_SUCCESS)
      return found;
    return config <= CU_SHARED_MEM_CONFIG_EIGHT_BYTE_BANK_SIZE
               ? CUDA_SUCCESS
               : CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_API cuFuncGetModule(CUmodule *result, CUfunction handle) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found == CUDA_SUCCESS)
      *result = function->module.lock()->handle;
    return found;
  });
}

PTXSIM_API cuFuncGetName(const char **result, CUfunction handle) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found == CUDA_SUCCESS)
      *result = nameOf(*function->kernel).c_str();
    return found;
  });
}

PTXSIM_API cuFuncGetParamInfo(CUfunction handle, size_t index, size_t *offset,
                              size_t *bytes) {
  return withContext([&](Call &call) -> CUresult {
    if (!offset)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found != CUDA_SUCCESS)
      return found;
    const KernelAttributes &attributes = attributesOf(*function->kernel);
    if (index >= attributes.parameters.size())
      return CUDA_ERROR_INVALID_VALUE;
    *offset = attributes.parameters[index].offset;
    if (bytes)
      *bytes = attributes.parameters[index].bytes;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuFuncIsLoaded(CUfunctionLoadingState *result, CUfunction handle) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<Function> function;
    CUresult found = findFunction(call, handle, function);
    if (found == CUDA_SUCCESS)
      *result = CU_FUNCTION_LOADING_STATE_LOADED;
    return found;
  });
}

PTXSIM_API cuFuncLoad(CUfunction handle) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Function> function;
    return findFunction(call, handle, function);
  });
}

} // namespace ptxsim::driver
