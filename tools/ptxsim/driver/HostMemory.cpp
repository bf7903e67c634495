// Memory of the host that kernels can address: pinned and registered.

#include "tools/ptxsim/driver/Capture.h"
#include "tools/ptxsim/driver/Memory.h"
#include "tools/ptxsim/driver/Message.h"

namespace ptxsim::driver {

static CUresult allocatePinned(void **result, size_t bytes, unsigned flags,
                               const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    constexpr unsigned known =
        hostAllocPortable | hostAllocDeviceMap | hostAllocWriteCombined;
    if (!result || (flags & ~known) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    uint64_t address = 0;
    CUresult made = allocate(call, bytes, MemoryKind::Pinned, address);
    if (made != CUDA_SUCCESS)
      return made;
    call.driver.extras[address].hostFlags = flags;
    *result = reinterpret_cast<void *>(address);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuMemAllocHost_v2(void **result, size_t bytes) {
  return allocatePinned(result, bytes, 0);
}

PTXSIM_API cuMemHostAlloc(void **result, size_t bytes, unsigned flags) {
  return allocatePinned(result, bytes, flags);
}

static uint64_t addressOf(const void *pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

PTXSIM_API cuMemFreeHost(void *pointer) {
  return withContext([&](Call &call) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS || !pointer)
      return allowed;
    Allocation allocation;
    CUresult found = findAllocation(call, "cuMemFreeHost", addressOf(pointer),
                                    {MemoryKind::Pinned}, allocation);
    if (found != CUDA_SUCCESS)
      return found;
    call.scheduler().waitForContext(call.lock, *call.context);
    releaseAllocation(call.driver, allocation.address);
    return CUDA_SUCCESS;
  });
}

/// Finds the pinned or registered allocation around `pointer`.
static CUresult findHost(Call &call, const void *pointer,
                         Allocation &allocation) {
  if (pointer && call.driver.memory().find(addressOf(pointer), allocation) &&
      (allocation.kind == MemoryKind::Pinned ||
       allocation.kind == MemoryKind::Registered))
    return CUDA_SUCCESS;
  return CUDA_ERROR_INVALID_VALUE;
}

PTXSIM_API cuMemHostGetDevicePointer_v2(CUdeviceptr *result, void *pointer,
                                        unsigned flags) {
  return withContext([&](Call &call) -> CUresult {
    if (!result || flags != 0)
      return CUDA_ERROR_INVALID_VALUE;
    Allocation allocation;
    CUresult found = findHost(call, pointer, allocation);
    if (found == CUDA_SUCCESS)
      *result = addressOf(pointer);
    return found;
  });
}

PTXSIM_API cuMemHostGetFlags(unsigned *result, void *pointer) {
  return withContext([&](Call &call) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    Allocation allocation;
    CUresult found = findHost(call, pointer, allocation);
    // With unified addressing everything is mapped.
    if (found == CUDA_SUCCESS)
      *result =
          call.driver.extras[allocation.address].hostFlags | hostAllocDeviceMap;
    return found;
  });
}

/// Touches every page, as the hardware's driver does when it locks them.
static void touchPages(void *pointer, size_t bytes) {
  constexpr uint64_t pageBytes = 4096;
  uint64_t last = addressOf(pointer) + (bytes - 1);
  auto touch = [](uint64_t address) {
    __atomic_fetch_or(reinterpret_cast<volatile uint8_t *>(address), 0,
                      __ATOMIC_RELAXED);
  };
  for (uint64_t page = addressOf(pointer); page < last; page += pageBytes)
    touch(page);
  touch(last);
}

static CUresult registerMemory(void *pointer, size_t bytes, unsigned flags,
                               const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    constexpr unsigned known =
        hostRegisterPortable | hostRegisterDeviceMap | hostRegisterReadOnly;
    if (flags & (hostRegisterIoMemory | hostRegisterReadOnly))
      return CUDA_ERROR_NOT_SUPPORTED;
    if (!pointer || bytes == 0 || bytes > UINT64_MAX - addressOf(pointer) ||
        (flags & ~known) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    touchPages(pointer, bytes);
    if (!call.driver.memory().registerHost(addressOf(pointer), bytes,
                                           call.context->id))
      return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    call.driver.extras[addressOf(pointer)].hostFlags = flags;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuMemHostRegister(void *pointer, size_t bytes, unsigned flags) {
  return registerMemory(pointer, bytes, flags);
}

PTXSIM_API cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags) {
  return registerMemory(pointer, bytes, flags);
}

PTXSIM_API cuMemHostUnregister(void *pointer) {
  return withContext([&](Call &call) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    Allocation allocation;
    if (findHost(call, pointer, allocation) != CUDA_SUCCESS ||
        allocation.kind != MemoryKind::Registered ||
        allocation.address != addressOf(pointer))
      return pointer ? CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED
                     : CUDA_ERROR_INVALID_VALUE;
    call.scheduler().waitForContext(call.lock, *call.context);
    releaseAllocation(call.driver, allocation.address);
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
