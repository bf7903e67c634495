// What a context knows of itself: flags, limits, preferences.

#include "tools/ptxsim/driver/Context.h"

namespace ptxsim::driver {

PTXSIM_API cuCtxGetDevice(CUdevice *result) {
  return withContext([&](Call &) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = 0;
    return CUDA_SUCCESS;
  });
}

/// Runs `body` with the context that `handle` means, null for the current one.
template <typename Body>
static CUresult withNamedContext(CUcontext handle, Body body,
                                 const char *name = __builtin_FUNCTION()) {
  if (!handle)
    return withContext(body);
  return withDriver(name, [&](Call &call) -> CUresult {
    call.context = call.driver.contexts.find(handle);
    if (!call.context)
      return call.driver.contexts.wasDestroyed(handle)
                 ? CUDA_ERROR_CONTEXT_IS_DESTROYED
                 : CUDA_ERROR_INVALID_CONTEXT;
    return call.context->error == CUDA_SUCCESS ? body(call)
                                               : call.context->error;
  });
}

PTXSIM_API cuCtxGetDevice_v2(CUdevice *result, CUcontext handle) {
  return withNamedContext(handle, [&](Call &) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = 0;
    return CUDA_SUCCESS;
  });
}

static CUresult synchronize(Call &call) {
  call.scheduler().waitForContext(call.lock, *call.context);
  return call.context->error;
}

PTXSIM_API cuCtxSynchronize() { return withContext(synchronize); }

PTXSIM_API cuCtxSynchronize_v2(CUcontext handle) {
  return withNamedContext(handle, synchronize);
}

PTXSIM_API cuCtxGetFlags(unsigned *result) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = call.context->flags;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxSetFlags(unsigned flags) {
  return withContext([&](Call &call) -> CUresult {
    if ((flags & ~CU_CTX_FLAGS_MASK) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    call.context->flags = flags;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxGetId(CUcontext handle, unsigned long long *result) {
  return withNamedContext(handle, [&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = call.context->id;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxGetApiVersion(CUcontext handle, unsigned *result) {
  return withNamedContext(handle, [&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = call.context->version;
    return CUDA_SUCCESS;
  });
}

/// Returns where `context` keeps a limit; null for those of other devices.
static uint64_t *findLimit(Context &context, CUlimit limit) {
  switch (limit) {
  case CU_LIMIT_STACK_SIZE:
    return &context.limits.stackBytes;
  case CU_LIMIT_PRINTF_FIFO_SIZE:
    return &context.limits.printfBytes;
  case CU_LIMIT_MALLOC_HEAP_SIZE:
    return &context.limits.heapBytes;
  case CU_LIMIT_DEV_RUNTIME_SYNC_DEPTH:
    return &context.syncDepth;
  case CU_LIMIT_DEV_RUNTIME_PENDING_LAUNCH_COUNT:
    return &context.pendingLaunches;
  case CU_LIMIT_MAX_L2_FETCH_GRANULARITY:
    return &context.fetchGranularity;
  case CU_LIMIT_PERSISTING_L2_CACHE_SIZE:
    return &context.persistingBytes;
  case CU_LIMIT_SHMEM_SIZE:
  case CU_LIMIT_CIG_ENABLED:
  case CU_LIMIT_CIG_SHMEM_FALLBACK_ENABLED:
    break;
  }
  return nullptr;
}

PTXSIM_API cuCtxSetLimit(CUlimit limit, size_t value) {
  return withContext([&](Call &call) -> CUresult {
    static constexpr uint64_t maxStackBytes = 512 * 1024;
    uint64_t *place = findLimit(*call.context, limit);
    if (!place)
      return CUDA_ERROR_UNSUPPORTED_LIMIT;
    if (limit == CU_LIMIT_STACK_SIZE && value > maxStackBytes)
      return CUDA_ERROR_INVALID_VALUE;
    if (limit == CU_LIMIT_MALLOC_HEAP_SIZE && value > Memory::capacity)
      return CUDA_ERROR_OUT_OF_MEMORY;
    if (limit == CU_LIMIT_PERSISTING_L2_CACHE_SIZE && value > 32768000)
      return CUDA_ERROR_INVALID_VALUE;
    *place = value;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxGetLimit(size_t *result, CUlimit limit) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    uint64_t *place = findLimit(*call.context, limit);
    if (!place)
      return CUDA_ERROR_UNSUPPORTED_LIMIT;
    *result = *place;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxGetCacheConfig(CUfunc_cache *result) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = call.context->cacheConfig;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxSetCacheConfig(CUfunc_cache config) {
  return withContext([&](Call &call) -> CUresult {
    if (config > CU_FUNC_CACHE_PREFER_EQUAL)
      return CUDA_ERROR_INVALID_VALUE;
    call.context->cacheConfig = config;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxGetSharedMemConfig(CUsharedconfig *result) {
  return withContext([&](Call &) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = CU_SHARED_MEM_CONFIG_FOUR_BYTE_BANK_SIZE;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxSetSharedMemConfig(CUsharedconfig config) {
  return withContext([&](Call &) -> CUresult {
    // Accepted and without effect since sm_50.
    return config <= CU_SHARED_MEM_CONFIG_EIGHT_BYTE_BANK_SIZE
               ? CUDA_SUCCESS
               : CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_API cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return withContext([&](Call &) -> CUresult {
    if (least)
      *least = 0;
    if (greatest)
      *greatest = -5;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuCtxResetPersistingL2Cache() {
  return withContext([](Call &) -> CUresult { return CUDA_SUCCESS; });
}

PTXSIM_API cuCtxEnablePeerAccess(CUcontext peer, unsigned flags) {
  return withContext([&](Call &call) -> CUresult {
    if (flags != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (!call.driver.contexts.find(peer))
      return CUDA_ERROR_INVALID_CONTEXT;
    return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
  });
}

PTXSIM_API cuCtxDisablePeerAccess(CUcontext peer) {
  return withContext([&](Call &call) -> CUresult {
    return call.driver.contexts.find(peer) ? CUDA_ERROR_PEER_ACCESS_NOT_ENABLED
                                           : CUDA_ERROR_INVALID_CONTEXT;
  });
}

} // namespace ptxsim::driver
