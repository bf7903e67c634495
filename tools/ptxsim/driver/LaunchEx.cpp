// Launches with attributes, and cooperative ones.

#include "tools/ptxsim/driver/LaunchEx.h"

#include "tools/ptxsim/driver/Module.h"

namespace ptxsim::driver {

CUresult applyAttribute(Driver &driver, const char *name,
                        const CUlaunchAttribute &attribute,
                        LaunchRequest &request) {
  const CUlaunchAttributeValue &value = attribute.value;
  switch (attribute.id) {
  case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
    request.cluster = {value.clusterDim.x, value.clusterDim.y,
                       value.clusterDim.z};
    return CUDA_SUCCESS;
  case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
    request.cooperative = value.cooperative != 0;
    return CUDA_SUCCESS;
  case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
    request.programmatic = value.programmaticStreamSerializationAllowed != 0;
    return CUDA_SUCCESS;
  case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT:
    request.events.push_back({value.programmaticEvent.event,
                              value.programmaticEvent.triggerAtBlockStart
                                  ? EdgeKind::Started
                                  : EdgeKind::Triggered});
    return (value.programmaticEvent.flags & eventExternal) == 0
               ? CUDA_SUCCESS
               : CUDA_ERROR_INVALID_VALUE;
  case CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT:
    request.events.push_back(
        {value.launchCompletionEvent.event, EdgeKind::Started});
    return (value.launchCompletionEvent.flags & eventExternal) == 0
               ? CUDA_SUCCESS
               : CUDA_ERROR_INVALID_VALUE;
  case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    request.priority = value.priority;
    return CUDA_SUCCESS;
  case CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE:
    if (!value.deviceUpdatableKernelNode.deviceUpdatable)
      return CUDA_SUCCESS;
    driver.complain(std::string(name) +
                    ": kernel nodes that kernels update are not supported");
    return CUDA_ERROR_NOT_SUPPORTED;
  case CU_LAUNCH_ATTRIBUTE_IGNORE:
  case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
  case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
  case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
  case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
  case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
  case CU_LAUNCH_ATTRIBUTE_PREFERRED_CLUSTER_DIMENSION:
  case CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
  case CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING:
    // Hints about speed, which change no result.
    return CUDA_SUCCESS;
  }
  driver.complain(std::string(name) +
                  ": expected an attribute of launches that CUDA 13.0 has, got "
                  "the number " +
                  std::to_string(attribute.id));
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult applyAttributes(Driver &driver, const char *name,
                         const CUlaunchConfig &config, LaunchRequest &request) {
  if (config.numAttrs != 0 && !config.attrs)
    return CUDA_ERROR_INVALID_VALUE;
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    CUresult result = applyAttribute(driver, name, config.attrs[i], request);
    if (result != CUDA_SUCCESS)
      return result;
  }
  return CUDA_SUCCESS;
}

PTXSIM_STREAM_API(cuLaunchKernelEx, cuLaunchKernelEx_ptsz,
                  (const CUlaunchConfig *config, CUfunction function,
                   void **parameters, void **extra),
                  (config, function, parameters, extra)) {
  return withContext([&](Call &call) -> CUresult {
    if (!config)
      return CUDA_ERROR_INVALID_VALUE;
    LaunchRequest request;
    CUresult result = findFunction(call, function, request.function);
    if (result == CUDA_SUCCESS)
      result =
          applyAttributes(call.driver, "cuLaunchKernelEx", *config, request);
    if (result != CUDA_SUCCESS)
      return result;
    request.grid = {config->gridDimX, config->gridDimY, config->gridDimZ};
    request.block = {config->blockDimX, config->blockDimY, config->blockDimZ};
    request.sharedBytes = config->sharedMemBytes;
    request.parameters = parameters;
    request.extra = extra;
    return submitLaunch(call, "cuLaunchKernelEx", request, config->hStream);
  });
}

PTXSIM_STREAM_API(cuLaunchCooperativeKernel, cuLaunchCooperativeKernel_ptsz,
                  (CUfunction function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, CUstream stream,
                   void **parameters),
                  (function, gridX, gridY, gridZ, blockX, blockY, blockZ,
                   sharedBytes, stream, parameters)) {
  return withContext([&](Call &call) -> CUresult {
    LaunchRequest request;
    CUresult result = findFunction(call, function, request.function);
    if (result != CUDA_SUCCESS)
      return result;
    request.grid = {gridX, gridY, gridZ};
    request.block = {blockX, blockY, blockZ};
    request.sharedBytes = sharedBytes;
    request.cooperative = true;
    request.parameters = parameters;
    return submitLaunch(call, "cuLaunchCooperativeKernel", request, stream);
  });
}

} // namespace ptxsim::driver
