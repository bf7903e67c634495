// Allocating and freeing memory of the device.

#include "tools/ptxsim/driver/Memory.h"

#include "tools/ptxsim/driver/Capture.h"
#include "tools/ptxsim/driver/Message.h"

namespace ptxsim::driver {

CUresult allocate(Call &call, uint64_t bytes, MemoryKind kind,
                  uint64_t &address, const char *name) {
  if (bytes == 0)
    return CUDA_ERROR_INVALID_VALUE;
  address =
      call.driver.memory().allocate(bytes, 512, kind, call.context->id, name);
  if (address == 0)
    return CUDA_ERROR_OUT_OF_MEMORY;
  call.driver.engine().noteRenewed(address, bytes);
  return CUDA_SUCCESS;
}

CUresult findAllocation(Call &call, const char *name, uint64_t address,
                        std::initializer_list<MemoryKind> kinds,
                        Allocation &allocation) {
  if (call.driver.memory().find(address, allocation) &&
      allocation.address == address)
    for (MemoryKind kind : kinds)
      if (allocation.kind == kind)
        return CUDA_SUCCESS;
  call.driver.complain(std::string(name) +
                       ": expected the address of an allocation, got " +
                       hex(address) + describeFreed(call.driver, address));
  return CUDA_ERROR_INVALID_VALUE;
}

void releaseAllocation(Driver &driver, uint64_t address) {
  auto graphMemory = driver.graphMemory.find(address);
  if (graphMemory != driver.graphMemory.end()) {
    graphMemory->second->isLive = false;
    driver.graphMemoryUsed -= graphMemory->second->bytes;
    driver.graphMemory.erase(graphMemory);
    return;
  }
  auto extra = driver.extras.find(address);
  Allocation allocation;
  if (driver.memory().find(address, allocation))
    driver.engine().noteRenewed(address, allocation.bytes);
  if (extra != driver.extras.end()) {
    if (extra->second.pool)
      extra->second.pool->used -= allocation.bytes;
    driver.extras.erase(extra);
  }
  driver.memory().free(address);
}

PTXSIM_API cuMemAlloc_v2(CUdeviceptr *result, size_t bytes) {
  return withContext([&](Call &call) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    uint64_t address = 0;
    CUresult made = result ? allocate(call, bytes, MemoryKind::Device, address)
                           : CUDA_ERROR_INVALID_VALUE;
    if (made == CUDA_SUCCESS)
      *result = address;
    return made;
  });
}

PTXSIM_API cuMemAllocPitch_v2(CUdeviceptr *result, size_t *pitch, size_t width,
                              size_t height, unsigned elementBytes) {
  return withContext([&](Call &call) -> CUresult {
    static constexpr uint64_t pitchAlignment = 512;
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    if (!result || !pitch || width > Memory::capacity ||
        (elementBytes != 4 && elementBytes != 8 && elementBytes != 16))
      return CUDA_ERROR_INVALID_VALUE;
    uint64_t rowBytes =
        (width + pitchAlignment - 1) / pitchAlignment * pitchAlignment;
    uint64_t bytes = 0, address = 0;
    if (__builtin_mul_overflow(rowBytes, height, &bytes))
      return CUDA_ERROR_OUT_OF_MEMORY;
    CUresult made = allocate(call, bytes, MemoryKind::Device, address);
    if (made != CUDA_SUCCESS)
      return made;
    *result = address;
    *pitch = rowBytes;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuMemAllocManaged(CUdeviceptr *result, size_t bytes,
                             unsigned flags) {
  return withContext([&](Call &call) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS)
      return allowed;
    if (!result || (flags != memAttachGlobal && flags != memAttachHost))
      return CUDA_ERROR_INVALID_VALUE;
    uint64_t address = 0;
    CUresult made = allocate(call, bytes, MemoryKind::Managed, address);
    if (made == CUDA_SUCCESS)
      *result = address;
    return made;
  });
}

PTXSIM_API cuMemFree_v2(CUdeviceptr address) {
  return withContext([&](Call &call) -> CUresult {
    CUresult allowed = checkUnsafe(call);
    if (allowed != CUDA_SUCCESS || address == 0)
      return allowed;
    Allocation allocation;
    CUresult found =
        findAllocation(call, "cuMemFree", address,
                       {MemoryKind::Device, MemoryKind::Managed}, allocation);
    if (found != CUDA_SUCCESS)
      return found;
    // As on hardware, what is queued may still use the memory.
    call.scheduler().waitForContext(call.lock, *call.context);
    releaseAllocation(call.driver, address);
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

PTXSIM_API cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes,
                                   CUdeviceptr address) {
  return withContext([&](Call &call) -> CUresult {
    Allocation allocation;
    if (!call.driver.memory().find(address, allocation))
      return CUDA_ERROR_NOT_FOUND;
    if (base)
      *base = allocation.address;
    if (bytes)
      *bytes = allocation.bytes;
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim::driver
