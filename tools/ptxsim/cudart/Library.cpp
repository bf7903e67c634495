// Libraries, and functions of the driver by name.

#include "tools/ptxsim/cudart/Runtime.h"

namespace ptxsim::cudart {

CUDART_API cudaLibraryLoadData(CUlibrary *result, const void *image,
                               CUjit_option *jitOptions, void **jitValues,
                               unsigned jitCount, CUlibraryOption *options,
                               void **values, unsigned count) {
  return callContext([&]() -> Code {
    return cuLibraryLoadData(result, image, jitOptions, jitValues, jitCount,
                             options, values, count);
  });
}

CUDART_API cudaLibraryLoadFromFile(CUlibrary *result, const char *path,
                                   CUjit_option *jitOptions, void **jitValues,
                                   unsigned jitCount, CUlibraryOption *options,
                                   void **values, unsigned count) {
  return callContext([&]() -> Code {
    return cuLibraryLoadFromFile(result, path, jitOptions, jitValues, jitCount,
                                 options, values, count);
  });
}

CUDART_API cudaLibraryUnload(CUlibrary library) {
  return callContext([&]() -> Code { return cuLibraryUnload(library); });
}

CUDART_API cudaLibraryGetKernel(CUkernel *result, CUlibrary library,
                                const char *name) {
  return callContext(
      [&]() -> Code { return cuLibraryGetKernel(result, library, name); });
}

CUDART_API cudaLibraryGetKernelCount(unsigned *result, CUlibrary library) {
  return callContext(
      [&]() -> Code { return cuLibraryGetKernelCount(result, library); });
}

CUDART_API cudaLibraryEnumerateKernels(CUkernel *result, unsigned count,
                                       CUlibrary library) {
  return callContext([&]() -> Code {
    return cuLibraryEnumerateKernels(result, count, library);
  });
}

CUDART_API cudaLibraryGetGlobal(void **result, size_t *bytes, CUlibrary library,
                                const char *name) {
  return callContext([&]() -> Code {
    CUdeviceptr address = 0;
    Code code = cuLibraryGetGlobal(&address, bytes, library, name);
    if (code == cudaSuccess && result)
      *result = toPointer(address);
    return code;
  });
}

CUDART_API cudaLibraryGetManaged(void **result, size_t *bytes,
                                 CUlibrary library, const char *name) {
  return callContext([&]() -> Code {
    CUdeviceptr address = 0;
    Code code = cuLibraryGetManaged(&address, bytes, library, name);
    if (code == cudaSuccess && result)
      *result = toPointer(address);
    return code;
  });
}

/// Looks a function of the driver up. `status` may be null.
static Code findEntryPoint(const char *name, void **result, unsigned version,
                           uint64_t flags, uint32_t *status) {
  if (!name || !result)
    return cudaErrorInvalidValue;
  uint32_t found = 0;
  if (flags == 0 && PerThreadDefault::isActive())
    flags = 2;
  Code code = cuGetProcAddress_v2(name, result, static_cast<int>(version),
                                  flags, &found);
  if (code != cudaSuccess)
    return code;
  if (status)
    *status = found;
  return *result || status ? cudaSuccess : cudaErrorSymbolNotFound;
}

CUDART_STREAM_API(cudaGetDriverEntryPointByVersion,
                  cudaGetDriverEntryPointByVersion_ptsz,
                  (const char *name, void **result, unsigned version,
                   unsigned long long flags, uint32_t *status),
                  (name, result, version, flags, status)) {
  return callDriver([&]() -> Code {
    return findEntryPoint(name, result, version, flags, status);
  });
}

CUDART_STREAM_API(cudaGetDriverEntryPoint, cudaGetDriverEntryPoint_ptsz,
                  (const char *name, void **result, unsigned long long flags,
                   uint32_t *status),
                  (name, result, flags, status)) {
  return callDriver([&]() -> Code {
    return findEntryPoint(name, result, driverVersion, flags, status);
  });
}

} // namespace ptxsim::cudart
