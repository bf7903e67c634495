// Pools of memory.

#include "tools/ptxsim/driver/Pool.h"

#include <cstring>

namespace ptxsim::driver {

const std::shared_ptr<Pool> &defaultPool(Driver &driver) {
  if (!driver.defaultPool) {
    driver.defaultPool = std::make_shared<Pool>();
    driver.pools.insert(driver.defaultPool);
    driver.currentPool = driver.defaultPool;
  }
  return driver.defaultPool;
}

const std::shared_ptr<Pool> &currentPool(Driver &driver) {
  defaultPool(driver);
  return driver.currentPool;
}

/// Runs `body(call, pool)` for a call that names a pool.
template <typename Body>
static CUresult withPool(CUmemoryPool handle, Body body,
                         const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Pool> pool = call.driver.pools.find(handle);
    return pool ? body(call, pool) : CUDA_ERROR_INVALID_VALUE;
  });
}

using PoolRef = const std::shared_ptr<Pool> &;

PTXSIM_API cuMemPoolCreate(CUmemoryPool *result,
                           const CUmemPoolProps *properties) {
  return withDriver([&](Call &call) -> CUresult {
    if (!result || !properties ||
        properties->allocType != CU_MEM_ALLOCATION_TYPE_PINNED)
      return CUDA_ERROR_INVALID_VALUE;
    if (properties->handleTypes != 0 ||
        properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE) {
      call.driver.complain(
          "cuMemPoolCreate: expected memory of the device that "
          "no other process shares, got another kind");
      return CUDA_ERROR_NOT_SUPPORTED;
    }
    if (properties->location.id != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    auto pool = std::make_shared<Pool>();
    pool->maxBytes = properties->maxSize;
    *result = call.driver.pools.insert(pool);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuMemPoolDestroy(CUmemoryPool handle) {
  return withPool(handle, [&](Call &call, PoolRef pool) -> CUresult {
    if (pool == defaultPool(call.driver))
      return CUDA_ERROR_INVALID_VALUE;
    if (call.driver.currentPool == pool)
      call.driver.currentPool = call.driver.defaultPool;
    call.driver.pools.erase(handle);
    return CUDA_SUCCESS;
  });
}

/// Returns where a pool keeps a flag; null if `attribute` is none.
static int *findFlag(Pool &pool, CUmemPool_attribute attribute) {
  if (attribute < CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES ||
      attribute > CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES)
    return nullptr;
  return &pool.reuse[attribute - 1];
}

/// Returns where a pool keeps a number of bytes; null if `attribute` is none.
static uint64_t *findBytes(Pool &pool, CUmemPool_attribute attribute) {
  switch (attribute) {
  case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
    return &pool.releaseThreshold;
  case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
  case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
    return &pool.used;
  case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
  case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
    return &pool.usedHigh;
  default:
    return nullptr;
  }
}

PTXSIM_API cuMemPoolGetAttribute(CUmemoryPool handle,
                                 CUmemPool_attribute attribute, void *value) {
  return withPool(handle, [&](Call &, PoolRef pool) -> CUresult {
    if (!value)
      return CUDA_ERROR_INVALID_VALUE;
    if (const int *flag = findFlag(*pool, attribute)) {
      std::memcpy(value, flag, sizeof(*flag));
      return CUDA_SUCCESS;
    }
    if (const uint64_t *bytes = findBytes(*pool, attribute)) {
      std::memcpy(value, bytes, sizeof(*bytes));
      return CUDA_SUCCESS;
    }
    return CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_API cuMemPoolSetAttribute(CUmemoryPool handle,
                                 CUmemPool_attribute attribute, void *value) {
  return withPool(handle, [&](Call &, PoolRef pool) -> CUresult {
    if (!value)
      return CUDA_ERROR_INVALID_VALUE;
    if (int *flag = findFlag(*pool, attribute)) {
      std::memcpy(flag, value, sizeof(*flag));
      return CUDA_SUCCESS;
    }
    uint64_t *bytes = findBytes(*pool, attribute);
    if (!bytes || bytes == &pool->used)
      return CUDA_ERROR_INVALID_VALUE;
    uint64_t wanted = 0;
    std::memcpy(&wanted, value, sizeof(wanted));
    // Of the highest uses only a reset is possible.
    if (bytes == &pool->usedHigh) {
      if (wanted != 0)
        return CUDA_ERROR_INVALID_VALUE;
      wanted = pool->used;
    }
    *bytes = wanted;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuMemPoolTrimTo(CUmemoryPool handle, size_t) {
  // Nothing is kept that could be given back.
  return withPool(handle, [](Call &, PoolRef) { return CUDA_SUCCESS; });
}

PTXSIM_API cuMemPoolSetAccess(CUmemoryPool handle,
                              const CUmemAccessDesc *accesses, size_t count) {
  return withPool(handle, [&](Call &, PoolRef) -> CUresult {
    if (count != 0 && !accesses)
      return CUDA_ERROR_INVALID_VALUE;
    for (size_t i = 0; i < count; ++i) {
      if (accesses[i].location.type == CU_MEM_LOCATION_TYPE_DEVICE &&
          accesses[i].location.id != 0)
        return CUDA_ERROR_INVALID_DEVICE;
      // The device's own access cannot be taken away.
      if (accesses[i].flags != 3)
        return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuMemPoolGetAccess(uint32_t *result, CUmemoryPool handle,
                              CUmemLocation *location) {
  return withPool(handle, [&](Call &, PoolRef) -> CUresult {
    if (!result || !location)
      return CUDA_ERROR_INVALID_VALUE;
    bool isOwn =
        location->type == CU_MEM_LOCATION_TYPE_DEVICE && location->id == 0;
    *result = isOwn ? 3 : 0;
    return CUDA_SUCCESS;
  });
}

/// Runs `body(call)` for a call that names the device and wants a pool.
template <typename Body>
static CUresult withDevicePool(CUdevice device, bool hasResult, Body body,
                               const char *name = __builtin_FUNCTION()) {
  return withDriver(name, [&](Call &call) -> CUresult {
    if (!hasResult)
      return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    return body(call);
  });
}

PTXSIM_API cuDeviceGetDefaultMemPool(CUmemoryPool *result, CUdevice device) {
  return withDevicePool(device, result, [&](Call &call) -> CUresult {
    *result = defaultPool(call.driver)->handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetMemPool(CUmemoryPool *result, CUdevice device) {
  return withDevicePool(device, result, [&](Call &call) -> CUresult {
    *result = currentPool(call.driver)->handle;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceSetMemPool(CUdevice device, CUmemoryPool handle) {
  return withDevicePool(device, true, [&](Call &call) -> CUresult {
    std::shared_ptr<Pool> pool = call.driver.pools.find(handle);
    if (!pool)
      return CUDA_ERROR_INVALID_VALUE;
    defaultPool(call.driver);
    call.driver.currentPool = pool;
    return CUDA_SUCCESS;
  });
}

/// Returns the device's pool for a place and kind that it serves.
static CUresult getPoolFor(CUmemoryPool *result, const CUmemLocation *location,
                           CUmemAllocationType type, bool isDefault,
                           const char *name = __builtin_FUNCTION()) {
  auto body = [&](Call &call) -> CUresult {
    if (location->type != CU_MEM_LOCATION_TYPE_DEVICE ||
        type != CU_MEM_ALLOCATION_TYPE_PINNED)
      return CUDA_ERROR_NOT_SUPPORTED;
    if (location->id != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    *result = isDefault ? defaultPool(call.driver)->handle
                        : currentPool(call.driver)->handle;
    return CUDA_SUCCESS;
  };
  return withDevicePool(0, result && location, body, name);
}

PTXSIM_API cuMemGetDefaultMemPool(CUmemoryPool *result, CUmemLocation *location,
                                  CUmemAllocationType type) {
  return getPoolFor(result, location, type, true);
}

PTXSIM_API cuMemGetMemPool(CUmemoryPool *result, CUmemLocation *location,
                           CUmemAllocationType type) {
  return getPoolFor(result, location, type, false);
}

PTXSIM_API cuMemSetMemPool(CUmemLocation *location, CUmemAllocationType type,
                           CUmemoryPool handle) {
  return withDevicePool(0, location, [&](Call &call) -> CUresult {
    std::shared_ptr<Pool> pool = call.driver.pools.find(handle);
    if (!pool)
      return CUDA_ERROR_INVALID_VALUE;
    if (location->type != CU_MEM_LOCATION_TYPE_DEVICE ||
        type != CU_MEM_ALLOCATION_TYPE_PINNED)
      return CUDA_ERROR_NOT_SUPPORTED;
    if (location->id != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    defaultPool(call.driver);
    call.driver.currentPool = pool;
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
