// Pools of memory.

#include "tools/ptxsim/cudart/Runtime.h"

namespace ptxsim::cudart {

CUDART_API cudaMemPoolTrimTo(CUmemoryPool pool, size_t bytes) {
  return callDriver([&]() -> Code { return cuMemPoolTrimTo(pool, bytes); });
}

CUDART_API cudaMemPoolSetAttribute(CUmemoryPool pool,
                                   CUmemPool_attribute attribute, void *value) {
  return callDriver(
      [&]() -> Code { return cuMemPoolSetAttribute(pool, attribute, value); });
}

CUDART_API cudaMemPoolGetAttribute(CUmemoryPool pool,
                                   CUmemPool_attribute attribute, void *value) {
  return callDriver(
      [&]() -> Code { return cuMemPoolGetAttribute(pool, attribute, value); });
}

CUDART_API cudaMemPoolSetAccess(CUmemoryPool pool,
                                const CUmemAccessDesc *accesses, size_t count) {
  return callDriver(
      [&]() -> Code { return cuMemPoolSetAccess(pool, accesses, count); });
}

CUDART_API cudaMemPoolGetAccess(uint32_t *result, CUmemoryPool pool,
                                CUmemLocation *location) {
  return callDriver(
      [&]() -> Code { return cuMemPoolGetAccess(result, pool, location); });
}

CUDART_API cudaMemPoolCreate(CUmemoryPool *result,
                             const CUmemPoolProps *properties) {
  return callDriver(
      [&]() -> Code { return cuMemPoolCreate(result, properties); });
}

CUDART_API cudaMemPoolDestroy(CUmemoryPool pool) {
  return callDriver([&]() -> Code { return cuMemPoolDestroy(pool); });
}

CUDART_API cudaDeviceGetDefaultMemPool(CUmemoryPool *result, int device) {
  return callDriver(
      [&]() -> Code { return cuDeviceGetDefaultMemPool(result, device); });
}

CUDART_API cudaDeviceGetMemPool(CUmemoryPool *result, int device) {
  return callDriver(
      [&]() -> Code { return cuDeviceGetMemPool(result, device); });
}

CUDART_API cudaDeviceSetMemPool(int device, CUmemoryPool pool) {
  return callDriver([&]() -> Code { return cuDeviceSetMemPool(device, pool); });
}

CUDART_API cudaMemGetDefaultMemPool(CUmemoryPool *result,
                                    CUmemLocation *location,
                                    CUmemAllocationType type) {
  return callDriver(
      [&]() -> Code { return cuMemGetDefaultMemPool(result, location, type); });
}

CUDART_API cudaMemGetMemPool(CUmemoryPool *result, CUmemLocation *location,
                             CUmemAllocationType type) {
  return callDriver(
      [&]() -> Code { return cuMemGetMemPool(result, location, type); });
}

CUDART_API cudaMemSetMemPool(CUmemLocation *location, CUmemAllocationType type,
                             CUmemoryPool pool) {
  return callDriver(
      [&]() -> Code { return cuMemSetMemPool(location, type, pool); });
}

CUDART_API cudaDeviceGraphMemTrim(int device) {
  return callDriver([&]() -> Code { return cuDeviceGraphMemTrim(device); });
}

CUDART_API cudaDeviceGetGraphMemAttribute(int device,
                                          CUgraphMem_attribute attribute,
                                          void *value) {
  return callDriver([&]() -> Code {
    return cuDeviceGetGraphMemAttribute(device, attribute, value);
  });
}

CUDART_API cudaDeviceSetGraphMemAttribute(int device,
                                          CUgraphMem_attribute attribute,
                                          void *value) {
  return callDriver([&]() -> Code {
    return cuDeviceSetGraphMemAttribute(device, attribute, value);
  });
}

} // namespace ptxsim::cudart
