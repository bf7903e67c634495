// Launching kernels.

#include "tools/ptxsim/cudart/Registry.h"

#include <vector>

namespace ptxsim::cudart {

/// What `<<<grid, block, shared, stream>>>` says, for the call that follows it.
struct Configuration {
  dim3 grid, block;
  size_t shared;
  CUstream stream;
};

static std::vector<Configuration> &configurations() {
  // Never freed, since a thread may launch while it ends.
  static thread_local auto *stack = new std::vector<Configuration>;
  return *stack;
}

#define CUDART_ENTRY extern "C" __attribute__((visibility("default")))

CUDART_ENTRY unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block,
                                                  size_t shared,
                                                  CUstream stream) {
  configurations().push_back({grid, block, shared, stream});
  return 0;
}

CUDART_API __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared,
                                      void *stream) {
  if (configurations().empty())
    return record(cudaErrorMissingConfiguration);
  Configuration last = configurations().back();
  configurations().pop_back();
  return callAlone([&]() -> Code {
    *grid = last.grid;
    *block = last.block;
    *shared = last.shared;
    *static_cast<CUstream *>(stream) = last.stream;
    return cudaSuccess;
  });
}

/// True if the device can have such a grid at all. The runtime has an error of
/// its own for those that it cannot.
static bool isPossible(dim3 grid, dim3 block) {
  return grid.x != 0 && grid.y != 0 && grid.z != 0 && block.x != 0 &&
         block.y != 0 && block.z != 0 && grid.x <= 0x7fffffff &&
         grid.y <= 65535 && grid.z <= 65535 && block.x <= 1024 &&
         block.y <= 1024 && block.z <= 64 &&
         uint64_t(block.x) * block.y * block.z <= 1024;
}

static Code launch(CUfunction function, const cudaLaunchConfig_t &config,
                   void **parameters) {
  if (!isPossible(config.gridDim, config.blockDim))
    return cudaErrorInvalidConfiguration;
  if (config.dynamicSmemBytes > UINT32_MAX)
    return cudaErrorInvalidValue;
  CUlaunchConfig launch = {config.gridDim.x,
                           config.gridDim.y,
                           config.gridDim.z,
                           config.blockDim.x,
                           config.blockDim.y,
                           config.blockDim.z,
                           static_cast<unsigned>(config.dynamicSmemBytes),
                           resolve(config.stream),
                           config.attrs,
                           config.numAttrs};
  return cuLaunchKernelEx(&launch, function, parameters, nullptr);
}

CUDART_STREAM_API(cudaLaunchKernelExC, cudaLaunchKernelExC_ptsz,
                  (const cudaLaunchConfig_t *config, const void *function,
                   void **parameters),
                  (config, function, parameters)) {
  return callContext([&]() -> Code {
    if (!config)
      return cudaErrorInvalidValue;
    CUfunction handle = nullptr;
    Code code = findFunction(function, handle);
    return code == cudaSuccess ? launch(handle, *config, parameters) : code;
  });
}

CUDART_STREAM_API(cudaLaunchKernel, cudaLaunchKernel_ptsz,
                  (const void *function, dim3 grid, dim3 block,
                   void **parameters, size_t shared, CUstream stream),
                  (function, grid, block, parameters, shared, stream)) {
  cudaLaunchConfig_t config = {grid, block, shared, stream, nullptr, 0};
  return cudaLaunchKernelExC(&config, function, parameters);
}

CUDART_STREAM_API(cudaLaunchCooperativeKernel, cudaLaunchCooperativeKernel_ptsz,
                  (const void *function, dim3 grid, dim3 block,
                   void **parameters, size_t shared, CUstream stream),
                  (function, grid, block, parameters, shared, stream)) {
  CUlaunchAttribute attribute = {};
  attribute.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
  attribute.value.cooperative = 1;
  cudaLaunchConfig_t config = {grid, block, shared, stream, &attribute, 1};
  return cudaLaunchKernelExC(&config, function, parameters);
}

// Code of nvcc gets the handle of a kernel once and launches that. The handle
// must not need the driver, which may not work yet: it is the address itself.

CUDART_API __cudaGetKernel(void **kernel, const void *function) {
  return callAlone([&]() -> Code {
    *kernel = const_cast<void *>(function);
    return cudaSuccess;
  });
}

CUDART_STREAM_API(__cudaLaunchKernel, __cudaLaunchKernel_ptsz,
                  (void *kernel, dim3 grid, dim3 block, void **parameters,
                   size_t shared, CUstream stream),
                  (kernel, grid, block, parameters, shared, stream)) {
  cudaLaunchConfig_t config = {grid, block, shared, stream, nullptr, 0};
  return cudaLaunchKernelExC(&config, kernel, parameters);
}

CUDART_API cudaGetKernel(CUkernel *result, const void *function) {
  return callContext([&]() -> Code {
    return result ? findKernel(function, *result) : cudaErrorInvalidValue;
  });
}

CUDART_API cudaGetFuncBySymbol(CUfunction *result, const void *function) {
  return callContext([&]() -> Code {
    return result ? findFunction(function, *result) : cudaErrorInvalidValue;
  });
}

CUDART_STREAM_API(cudaLaunchHostFunc, cudaLaunchHostFunc_ptsz,
                  (CUstream stream, CUhostFn function, void *data),
                  (stream, function, data)) {
  return callContext([&]() -> Code {
    return cuLaunchHostFunc(resolve(stream), function, data);
  });
}

} // namespace ptxsim::cudart
