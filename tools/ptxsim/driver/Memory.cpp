// Allocating and freeing memory.

#include "tools/ptxsim/driver/Message.h"

namespace ptxsim {

/// Allocates for the current context.
static CUresult allocate(Call &call, CUdeviceptr *result, uint64_t bytes,
                         MemoryKind kind) {
  if (!result || bytes == 0)
    return CUDA_ERROR_INVALID_VALUE;
  uint64_t address =
      call.driver.memory().allocate(bytes, 512, kind, call.context->id);
  if (address == 0)
    return CUDA_ERROR_OUT_OF_MEMORY;
  *result = address;
  return CUDA_SUCCESS;
}

PTXSIM_API cuMemAlloc_v2(CUdeviceptr *result, size_t bytes) {
  return withContext([&](Call &call) -> CUresult {
    return allocate(call, result, bytes, MemoryKind::Device);
  });
}

PTXSIM_API cuMemFree_v2(CUdeviceptr address) {
  return withContext([&](Call &call) -> CUresult {
    if (address == 0)
      return CUDA_SUCCESS;
    Allocation allocation;
    if (!call.driver.memory().find(address, allocation) ||
        allocation.address != address ||
        (allocation.kind != MemoryKind::Device &&
         allocation.kind != MemoryKind::Managed)) {
      call.driver.complain("cuMemFree: expected the address of an allocation, "
                           "got " +
                           hex(address) +
                           describeFreed(call.driver, address));
      return CUDA_ERROR_INVALID_VALUE;
    }
    // As on hardware, what is queued may still use the memory.
    call.scheduler().waitForContext(call.lock, *call.context);
    call.driver.memory().free(address);
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuMemGetInfo_v2(size_t *free, size_t *total) {
  return withContext([&](Call &call) -> CUresult {
    if (!free || !total)
      return CUDA_ERROR_INVALID_VALUE;
    *total = Memory::capacity;
    *free = Memory::capacity - call.driver.memory().used();
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim
