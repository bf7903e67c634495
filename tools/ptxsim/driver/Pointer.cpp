// What is known of an address.

#include "tools/ptxsim/driver/Memory.h"
#include "tools/ptxsim/driver/Stream.h"

#include <cstring>

namespace ptxsim::driver {

static bool isHost(const Allocation &allocation) {
  return allocation.kind == MemoryKind::Pinned ||
         allocation.kind == MemoryKind::Registered;
}

/// Writes `value` as the type that an attribute has.
template <typename T>
static CUresult write(void *result, T value) {
  std::memcpy(result, &value, sizeof(value));
  return CUDA_SUCCESS;
}

/// Returns the context that owns an allocation; null if it is gone.
static CUcontext ownerOf(Driver &driver, const Allocation &allocation) {
  for (const std::shared_ptr<Context> &context : driver.contexts.all())
    if (context->id == allocation.context)
      return context->handle;
  return nullptr;
}

/// Reads an attribute that says where an allocation is.
static CUresult readRange(const Allocation &allocation, uint64_t address,
                          CUpointer_attribute attribute, void *result) {
  switch (attribute) {
  case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
    return write<uint64_t>(result, address);
  case CU_POINTER_ATTRIBUTE_HOST_POINTER:
    if (!isHost(allocation) && allocation.kind != MemoryKind::Managed)
      return CUDA_ERROR_INVALID_VALUE;
    return write<uint64_t>(result, address);
  case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
  case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR:
    return write<uint64_t>(result, allocation.address);
  case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
  case CU_POINTER_ATTRIBUTE_MAPPING_SIZE:
    return write<uint64_t>(result, allocation.bytes);
  case CU_POINTER_ATTRIBUTE_BUFFER_ID:
  case CU_POINTER_ATTRIBUTE_MEMORY_BLOCK_ID:
    return write<uint64_t>(result, allocation.serial);
  default:
    return CUDA_ERROR_INVALID_VALUE;
  }
}

static CUresult readAttribute(Driver &driver, const Allocation &allocation,
                              uint64_t address, CUpointer_attribute attribute,
                              void *result) {
  auto extra = driver.extras.find(allocation.address);
  bool hasExtra = extra != driver.extras.end();
  switch (attribute) {
  case CU_POINTER_ATTRIBUTE_CONTEXT:
    return write(result, ownerOf(driver, allocation));
  case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
    return write<uint32_t>(result, isHost(allocation) ? CU_MEMORYTYPE_HOST
                                                      : CU_MEMORYTYPE_DEVICE);
  case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    return write<bool>(result, allocation.kind == MemoryKind::Managed);
  case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
    return write<int>(result, 0);
  case CU_POINTER_ATTRIBUTE_MAPPED:
    return write<bool>(result, true);
  case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
    return write<bool>(result, hasExtra && extra->second.syncMemops);
  case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
    return write<uint32_t>(result, 3); // Reading and writing.
  case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
    return write(result, hasExtra && extra->second.pool
                             ? extra->second.pool->handle
                             : nullptr);
  case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
  case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
  case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE:
    return write<bool>(result, false);
  case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
    return write<uint64_t>(result, 0);
  default:
    return readRange(allocation, address, attribute, result);
  }
}

PTXSIM_API cuPointerGetAttribute(void *result, CUpointer_attribute attribute,
                                 CUdeviceptr address) {
  return withContext([&](Call &call) -> CUresult {
    Allocation allocation;
    if (!result || !call.driver.memory().find(address, allocation))
      return CUDA_ERROR_INVALID_VALUE;
    return readAttribute(call.driver, allocation, address, attribute, result);
  });
}

/// Returns the bytes of an attribute that a call for several ones clears when
/// the address means nothing.
static size_t bytesOf(CUpointer_attribute attribute) {
  switch (attribute) {
  case CU_POINTER_ATTRIBUTE_IS_MANAGED:
  case CU_POINTER_ATTRIBUTE_MAPPED:
  case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
  case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
  case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
  case CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE:
    return 1;
  case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
  case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
  case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
    return 4;
  default:
    return 8;
  }
}

PTXSIM_API cuPointerGetAttributes(unsigned count,
                                  CUpointer_attribute *attributes,
                                  void **results, CUdeviceptr address) {
  return withContext([&](Call &call) -> CUresult {
    if (count == 0 || !attributes || !results)
      return CUDA_ERROR_INVALID_VALUE;
    Allocation allocation;
    bool isKnown = call.driver.memory().find(address, allocation);
    for (unsigned i = 0; i < count; ++i) {
      if (!results[i])
        return CUDA_ERROR_INVALID_VALUE;
      if (isKnown && readAttribute(call.driver, allocation, address,
                                   attributes[i], results[i]) == CUDA_SUCCESS)
        continue;
      std::memset(results[i], 0, bytesOf(attributes[i]));
      if (attributes[i] == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
        write<int>(results[i], deviceInvalid);
      if (attributes[i] == CU_POINTER_ATTRIBUTE_HOST_POINTER && !isKnown)
        write<uint64_t>(results[i], address);
    }
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuPointerSetAttribute(const void *value,
                                 CUpointer_attribute attribute,
                                 CUdeviceptr address) {
  return withContext([&](Call &call) -> CUresult {
    Allocation allocation;
    if (!value || attribute != CU_POINTER_ATTRIBUTE_SYNC_MEMOPS ||
        !call.driver.memory().find(address, allocation))
      return CUDA_ERROR_INVALID_VALUE;
    call.driver.extras[allocation.address].syncMemops =
        *static_cast<const bool *>(value);
    return CUDA_SUCCESS;
  });
}

PTXSIM_STREAM_API(cuStreamAttachMemAsync, cuStreamAttachMemAsync_ptsz,
                  (CUstream handle, CUdeviceptr address, size_t bytes,
                   unsigned flags),
                  (handle, address, bytes, flags)) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult result = findStream(call, handle, stream);
    if (result != CUDA_SUCCESS)
      return result;
    Allocation allocation;
    if ((flags != memAttachGlobal && flags != memAttachHost &&
         flags != memAttachSingle) ||
        !call.driver.memory().find(address, allocation) ||
        (bytes != 0 && bytes != allocation.bytes))
      return CUDA_ERROR_INVALID_VALUE;
    return submitWork(call, stream, std::make_shared<EmptyWork>());
  });
}

} // namespace ptxsim::driver
