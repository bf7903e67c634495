// Kernels of libraries.

#include "tools/ptxsim/driver/Context.h"
#include "tools/ptxsim/driver/Function.h"
#include "tools/ptxsim/driver/Library.h"

namespace ptxsim::driver {

using KernelRef = const std::shared_ptr<LibraryKernel> &;

/// Runs `body(call, kernel)` for a call that names a kernel.
template <typename Body>
static CUresult withKernel(CUkernel handle, bool hasResult, Body body,
                           const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (!hasResult)
      return CUDA_ERROR_INVALID_VALUE;
    std::shared_ptr<LibraryKernel> kernel = call.driver.kernels.find(handle);
    return kernel ? body(call, kernel) : CUDA_ERROR_INVALID_HANDLE;
  });
}

/// Finds the function of `kernel` where its attributes can be seen: in the
/// current context, or in the primary one if there is none.
static CUresult findAnyFunction(Call &call, const LibraryKernel &kernel,
                                std::shared_ptr<Function> &function) {
  CUresult result = findCurrent(call.driver, call.context);
  if (result == CUDA_ERROR_INVALID_CONTEXT)
    call.context = activatePrimary(call.driver);
  else if (result != CUDA_SUCCESS)
    return result;
  return functionInContext(call.driver, kernel, call.context, function);
}

PTXSIM_API cuKernelGetFunction(CUfunction *result, CUkernel handle) {
  return withKernel(handle, result, [&](Call &call, KernelRef kernel) {
    CUresult current = findCurrent(call.driver, call.context);
    if (current != CUDA_SUCCESS)
      return current;
    std::shared_ptr<Function> function;
    CUresult found =
        functionInContext(call.driver, *kernel, call.context, function);
    if (found == CUDA_SUCCESS)
      *result = function->handle;
    return found;
  });
}

PTXSIM_API cuKernelGetLibrary(CUlibrary *result, CUkernel handle) {
  return withKernel(handle, result, [&](Call &, KernelRef kernel) {
    *result = kernel->library.lock()->handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuKernelGetName(const char **result, CUkernel handle) {
  return withKernel(handle, result, [&](Call &, KernelRef kernel) {
    *result = kernel->name.c_str();
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuKernelGetAttribute(int *result, CUfunction_attribute attribute,
                                CUkernel handle, CUdevice device) {
  return withKernel(handle, result, [&](Call &call, KernelRef kernel) {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    std::shared_ptr<Function> function;
    CUresult found = findAnyFunction(call, *kernel, function);
    if (found != CUDA_SUCCESS)
      return found;
    return getAttribute(attributesOf(*function->kernel), *function->settings,
                        function->module.lock()->ptxVersion, attribute,
                        *result);
  });
}

PTXSIM_API cuKernelSetAttribute(CUfunction_attribute attribute, int value,
                                CUkernel handle, CUdevice device) {
  return withKernel(handle, true, [&](Call &call, KernelRef kernel) {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    std::shared_ptr<Function> function;
    CUresult found = findAnyFunction(call, *kernel, function);
    if (found != CUDA_SUCCESS)
      return found;
    return setAttribute(attributesOf(*function->kernel), *function->settings,
                        attribute, value);
  });
}

PTXSIM_API cuKernelSetCacheConfig(CUkernel handle, CUfunc_cache config,
                                  CUdevice device) {
  return withKernel(handle, true, [&](Call &, KernelRef) {
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    return config <= CU_FUNC_CACHE_PREFER_EQUAL ? CUDA_SUCCESS
                                                : CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_API cuKernelGetParamInfo(CUkernel handle, size_t index, size_t *offset,
                                size_t *bytes) {
  return withKernel(handle, offset, [&](Call &call, KernelRef kernel) {
    std::shared_ptr<Function> function;
    CUresult found = findAnyFunction(call, *kernel, function);
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

} // namespace ptxsim::driver
