// The device as the runtime sees it.

#include "tools/ptxsim/cudart/Runtime.h"

namespace ptxsim::cudart {

CUDART_API cudaDeviceReset() {
  return callDriver([]() -> Code { return resetDevice(); });
}

CUDART_API cudaDeviceSynchronize() {
  return callContext([]() -> Code { return cuCtxSynchronize(); });
}

CUDART_API cudaGetDeviceCount(int *result) {
  return callDriver([&]() -> Code { return cuDeviceGetCount(result); });
}

CUDART_API cudaGetDevice(int *result) {
  return callDriver([&]() -> Code {
    if (!result)
      return cudaErrorInvalidValue;
    *result = 0;
    return cudaSuccess;
  });
}

CUDART_API cudaSetDevice(int device) {
  return callContext([&]() -> Code {
    return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
  });
}

CUDART_API cudaInitDevice(int device, unsigned flags, unsigned) {
  return callDriver([&]() -> Code {
    return device == 0 ? cuDevicePrimaryCtxSetFlags_v2(0, flags)
                       : static_cast<CUresult>(cudaErrorInvalidDevice);
  });
}

CUDART_API cudaSetValidDevices(int *devices, int count) {
  return callDriver([&]() -> Code {
    if (count < 0 || (count != 0 && !devices))
      return cudaErrorInvalidValue;
    for (int i = 0; i < count; ++i)
      if (devices[i] != 0)
        return cudaErrorInvalidDevice;
    return cudaSuccess;
  });
}

CUDART_API cudaSetDeviceFlags(unsigned flags) {
  return callDriver(
      [&]() -> Code { return cuDevicePrimaryCtxSetFlags_v2(0, flags); });
}

CUDART_API cudaGetDeviceFlags(unsigned *result) {
  return callDriver([&]() -> Code {
    int active = 0;
    return cuDevicePrimaryCtxGetState(0, result, &active);
  });
}

CUDART_API cudaDeviceGetAttribute(int *result, int attribute, int device) {
  return callDriver([&]() -> Code {
    return cuDeviceGetAttribute(result, attribute, device);
  });
}

CUDART_API cudaDeviceSetLimit(CUlimit limit, size_t value) {
  return callContext([&]() -> Code { return cuCtxSetLimit(limit, value); });
}

CUDART_API cudaDeviceGetLimit(size_t *result, CUlimit limit) {
  return callContext([&]() -> Code { return cuCtxGetLimit(result, limit); });
}

CUDART_API cudaDeviceGetCacheConfig(CUfunc_cache *result) {
  return callContext([&]() -> Code { return cuCtxGetCacheConfig(result); });
}

CUDART_API cudaDeviceSetCacheConfig(CUfunc_cache config) {
  return callContext([&]() -> Code { return cuCtxSetCacheConfig(config); });
}

CUDART_API cudaDeviceGetSharedMemConfig(CUsharedconfig *result) {
  return callContext([&]() -> Code { return cuCtxGetSharedMemConfig(result); });
}

CUDART_API cudaDeviceSetSharedMemConfig(CUsharedconfig config) {
  return callContext([&]() -> Code { return cuCtxSetSharedMemConfig(config); });
}

CUDART_API cudaDeviceGetStreamPriorityRange(int *least, int *greatest) {
  return callContext(
      [&]() -> Code { return cuCtxGetStreamPriorityRange(least, greatest); });
}

CUDART_API cudaCtxResetPersistingL2Cache() {
  return callContext([]() -> Code { return cuCtxResetPersistingL2Cache(); });
}

CUDART_API cudaDeviceGetByPCIBusId(int *result, const char *text) {
  return callDriver(
      [&]() -> Code { return cuDeviceGetByPCIBusId(result, text); });
}

CUDART_API cudaDeviceGetPCIBusId(char *result, int length, int device) {
  return callDriver(
      [&]() -> Code { return cuDeviceGetPCIBusId(result, length, device); });
}

CUDART_API cudaDeviceCanAccessPeer(int *result, int device, int peer) {
  return callDriver(
      [&]() -> Code { return cuDeviceCanAccessPeer(result, device, peer); });
}

CUDART_API cudaDeviceGetP2PAttribute(int *result, uint32_t attribute,
                                     int device, int peer) {
  return callDriver([&]() -> Code {
    return cuDeviceGetP2PAttribute(result, attribute, device, peer);
  });
}

CUDART_API cudaDeviceEnablePeerAccess(int, unsigned) {
  // There is no other device that could be a peer.
  return callContext([]() -> Code { return cudaErrorInvalidDevice; });
}

CUDART_API cudaDeviceDisablePeerAccess(int) {
  return callContext([]() -> Code { return cudaErrorInvalidDevice; });
}

CUDART_API cudaDeviceGetTexture1DLinearMaxWidth(
    size_t *result, const cudaChannelFormatDesc *format, int device) {
  return callDriver([&]() -> Code {
    if (!format)
      return cudaErrorInvalidValue;
    return cuDeviceGetTexture1DLinearMaxWidth(result, 0, 1, device);
  });
}

CUDART_API cudaDriverGetVersion(int *result) {
  return record(cuDriverGetVersion(result));
}

CUDART_API cudaRuntimeGetVersion(int *result) {
  return callAlone([&]() -> Code {
    if (!result)
      return cudaErrorInvalidValue;
    *result = driverVersion;
    return cudaSuccess;
  });
}

CUDART_API cudaProfilerStart() {
  return callContext([]() -> Code { return cuProfilerStart(); });
}

CUDART_API cudaProfilerStop() {
  return callContext([]() -> Code { return cuProfilerStop(); });
}

extern "C" __attribute__((visibility("default"))) cudaChannelFormatDesc
cudaCreateChannelDesc(int x, int y, int z, int w, uint32_t kind) {
  return {x, y, z, w, kind};
}

CUDART_API cudaGetExportTable(const void **table, const CUuuid *) {
  // Private tables are what NVIDIA's own libraries talk through.
  return callAlone([&]() -> Code {
    if (table)
      *table = nullptr;
    return cudaErrorNotSupported;
  });
}

} // namespace ptxsim::cudart
