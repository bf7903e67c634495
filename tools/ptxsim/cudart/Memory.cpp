// Memory: allocating, freeing, looking at addresses.

#include "tools/ptxsim/cudart/Runtime.h"

#include <cstring>

namespace ptxsim::cudart {

/// Runs `body(address)` for an allocation of `bytes`; one of nothing is null.
template <typename Body>
static cudaError_t allocate(void **result, size_t bytes, Body body) {
  return callContext([&]() -> Code {
    if (!result)
      return cudaErrorInvalidValue;
    *result = nullptr;
    CUdeviceptr address = 0;
    Code code = bytes == 0 ? static_cast<Code>(cudaSuccess) : body(address);
    if (code == cudaSuccess)
      *result = toPointer(address);
    return code;
  });
}

CUDART_API cudaMalloc(void **result, size_t bytes) {
  return allocate(result, bytes, [&](CUdeviceptr &address) -> Code {
    return cuMemAlloc_v2(&address, bytes);
  });
}

CUDART_API cudaMallocManaged(void **result, size_t bytes, unsigned flags) {
  return callContext([&]() -> Code {
    // Unlike others, this one refuses to allocate nothing.
    if (!result || bytes == 0)
      return cudaErrorInvalidValue;
    CUdeviceptr address = 0;
    Code code = cuMemAllocManaged(&address, bytes, flags);
    if (code == cudaSuccess)
      *result = toPointer(address);
    return code;
  });
}

CUDART_STREAM_API(cudaMallocAsync, cudaMallocAsync_ptsz,
                  (void **result, size_t bytes, CUstream stream),
                  (result, bytes, stream)) {
  return allocate(result, bytes, [&](CUdeviceptr &address) -> Code {
    return cuMemAllocAsync(&address, bytes, resolve(stream));
  });
}

CUDART_STREAM_API(cudaMallocFromPoolAsync, cudaMallocFromPoolAsync_ptsz,
                  (void **result, size_t bytes, CUmemoryPool pool,
                   CUstream stream),
                  (result, bytes, pool, stream)) {
  return allocate(result, bytes, [&](CUdeviceptr &address) -> Code {
    return cuMemAllocFromPoolAsync(&address, bytes, pool, resolve(stream));
  });
}

CUDART_API cudaFree(void *pointer) {
  return callContext(
      [&]() -> Code { return cuMemFree_v2(toAddress(pointer)); });
}

CUDART_STREAM_API(cudaFreeAsync, cudaFreeAsync_ptsz,
                  (void *pointer, CUstream stream), (pointer, stream)) {
  return callContext([&]() -> Code {
    return cuMemFreeAsync(toAddress(pointer), resolve(stream));
  });
}

CUDART_API cudaMallocPitch(void **result, size_t *pitch, size_t width,
                           size_t height) {
  return callContext([&]() -> Code {
    if (!result || !pitch)
      return cudaErrorInvalidValue;
    *result = nullptr;
    *pitch = 0;
    if (width == 0 || height == 0)
      return cudaSuccess;
    CUdeviceptr address = 0;
    Code code = cuMemAllocPitch_v2(&address, pitch, width, height, 4);
    if (code == cudaSuccess)
      *result = toPointer(address);
    return code;
  });
}

CUDART_API cudaMalloc3D(cudaPitchedPtr *result, cudaExtent extent) {
  size_t rows = 0;
  cudaError_t begun = callAlone([&]() -> Code {
    if (!result || __builtin_mul_overflow(extent.height, extent.depth, &rows))
      return cudaErrorInvalidValue;
    result->xsize = extent.width;
    result->ysize = extent.height;
    return cudaSuccess;
  });
  return begun == cudaSuccess
             ? cudaMallocPitch(&result->ptr, &result->pitch, extent.width, rows)
             : begun;
}

CUDART_API cudaHostAlloc(void **result, size_t bytes, unsigned flags) {
  return allocate(result, bytes, [&](CUdeviceptr &address) -> Code {
    void *pointer = nullptr;
    Code code = cuMemHostAlloc(&pointer, bytes, flags);
    address = toAddress(pointer);
    return code;
  });
}

CUDART_API cudaMallocHost(void **result, size_t bytes) {
  return cudaHostAlloc(result, bytes, 0);
}

CUDART_API cudaFreeHost(void *pointer) {
  return callContext([&]() -> Code { return cuMemFreeHost(pointer); });
}

CUDART_API cudaHostRegister(void *pointer, size_t bytes, unsigned flags) {
  return callContext(
      [&]() -> Code { return cuMemHostRegister_v2(pointer, bytes, flags); });
}

CUDART_API cudaHostUnregister(void *pointer) {
  return callContext([&]() -> Code { return cuMemHostUnregister(pointer); });
}

CUDART_API cudaHostGetDevicePointer(void **result, void *pointer,
                                    unsigned flags) {
  return callContext([&]() -> Code {
    CUdeviceptr address = 0;
    if (!result)
      return cudaErrorInvalidValue;
    Code code = cuMemHostGetDevicePointer_v2(&address, pointer, flags);
    if (code == cudaSuccess)
      *result = toPointer(address);
    return code;
  });
}

CUDART_API cudaHostGetFlags(unsigned *result, void *pointer) {
  return callContext(
      [&]() -> Code { return cuMemHostGetFlags(result, pointer); });
}

CUDART_API cudaMemGetInfo(size_t *free, size_t *total) {
  return callContext([&]() -> Code { return cuMemGetInfo_v2(free, total); });
}

CUDART_API cudaPointerGetAttributes(cudaPointerAttributes *result,
                                    const void *pointer) {
  return callContext([&]() -> Code {
    if (!result)
      return cudaErrorInvalidValue;
    std::memset(result, 0, sizeof(*result));
    uint32_t type = 0;
    int device = deviceInvalid;
    uint64_t deviceAddress = 0, hostAddress = 0;
    bool isManaged = false;
    CUpointer_attribute attributes[] = {
        CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL,
        CU_POINTER_ATTRIBUTE_DEVICE_POINTER, CU_POINTER_ATTRIBUTE_HOST_POINTER,
        CU_POINTER_ATTRIBUTE_IS_MANAGED};
    void *values[] = {&type, &device, &deviceAddress, &hostAddress, &isManaged};
    Code code =
        cuPointerGetAttributes(5, attributes, values, toAddress(pointer));
    if (code != cudaSuccess)
      return code;
    result->device = device;
    result->devicePointer = toPointer(deviceAddress);
    result->hostPointer = toPointer(hostAddress);
    result->type = isManaged                      ? cudaMemoryTypeManaged
                   : type == CU_MEMORYTYPE_DEVICE ? cudaMemoryTypeDevice
                   : type == CU_MEMORYTYPE_HOST   ? cudaMemoryTypeHost
                                                  : cudaMemoryTypeUnregistered;
    return cudaSuccess;
  });
}

CUDART_API cudaMemAdvise(const void *pointer, size_t bytes, uint32_t advice,
                         CUmemLocation location) {
  return callContext([&]() -> Code {
    return cuMemAdvise_v2(toAddress(pointer), bytes, advice, location);
  });
}

CUDART_API cudaMemRangeGetAttribute(void *data, size_t dataBytes,
                                    uint32_t attribute, const void *pointer,
                                    size_t bytes) {
  return callContext([&]() -> Code {
    return cuMemRangeGetAttribute(data, dataBytes, attribute,
                                  toAddress(pointer), bytes);
  });
}

CUDART_API cudaMemRangeGetAttributes(void **data, size_t *dataBytes,
                                     uint32_t *attributes, size_t count,
                                     const void *pointer, size_t bytes) {
  return callContext([&]() -> Code {
    return cuMemRangeGetAttributes(data, dataBytes, attributes, count,
                                   toAddress(pointer), bytes);
  });
}

CUDART_STREAM_API(cudaMemPrefetchAsync, cudaMemPrefetchAsync_ptsz,
                  (const void *pointer, size_t bytes, CUmemLocation location,
                   unsigned flags, CUstream stream),
                  (pointer, bytes, location, flags, stream)) {
  return callContext([&]() -> Code {
    return cuMemPrefetchAsync_v2(toAddress(pointer), bytes, location, flags,
                                 resolve(stream));
  });
}

} // namespace ptxsim::cudart
