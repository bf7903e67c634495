// Memory that streams allocate and free.

#include "tools/ptxsim/driver/Copy.h"
#include "tools/ptxsim/driver/Memory.h"
#include "tools/ptxsim/driver/Message.h"
#include "tools/ptxsim/driver/Pool.h"
#include "tools/ptxsim/driver/Stream.h"

namespace ptxsim::driver {

Progress AllocWork::start(Task &, Driver &driver) const {
  driver.engine().noteRenewed(memory->address, memory->bytes);
  return Progress::Done;
}

Progress FreeWork::start(Task &task, Driver &driver) const {
  Allocation allocation;
  if (driver.memory().find(address, allocation) &&
      allocation.address == address) {
    HostTransfer transfer;
    transfer.name = "a free";
    transfer.order = task.order;
    transfer.width = allocation.bytes;
    transfer.sides.push_back({address, 0, 0, true});
    transfer.isLast = true;
    if (isOrdered(task, driver, transfer))
      releaseAllocation(driver, address);
    return Progress::Done;
  }
  Fault fault;
  fault.code = FaultCode::IllegalAddress;
  fault.check = "double free";
  fault.message = "expected an allocation when the stream comes to free it, "
                  "got " +
                  hex(address) + describeFreed(driver, address);
  driver.complain(fault);
  task.result = CUDA_ERROR_ILLEGAL_ADDRESS;
  return Progress::Done;
}

CUresult makeAllocWork(Call &call, CUDA_MEM_ALLOC_NODE_PARAMS &parameters,
                       std::shared_ptr<AllocWork> &work) {
  auto memory = std::make_shared<GraphAllocation>(call.driver.memory());
  memory->bytes = parameters.bytesize;
  CUresult result = allocate(call, memory->bytes, MemoryKind::Device,
                             memory->address, "memory of a graph");
  if (result != CUDA_SUCCESS)
    return result;
  parameters.dptr = memory->address;
  // What the caller's arrays say is of no effect with one device.
  parameters.accessDescs = nullptr;
  parameters.accessDescCount = 0;
  work = std::make_shared<AllocWork>(std::move(memory), parameters);
  return CUDA_SUCCESS;
}

void makeLive(Driver &driver, const std::shared_ptr<GraphAllocation> &memory) {
  if (memory->isLive)
    return;
  memory->isLive = true;
  driver.graphMemory[memory->address] = memory;
  driver.graphMemoryUsed += memory->bytes;
  driver.graphMemoryHigh =
      std::max(driver.graphMemoryHigh, driver.graphMemoryUsed);
}

static CUresult allocateFrom(Call &call, CUdeviceptr *result, size_t bytes,
                             const std::shared_ptr<Pool> &pool,
                             CUstream handle) {
  std::shared_ptr<Stream> stream;
  CUresult found = findOwnStream(call, handle, stream);
  if (found != CUDA_SUCCESS)
    return found;
  if (!result || bytes == 0)
    return CUDA_ERROR_INVALID_VALUE;
  if (stream->capture) {
    CUDA_MEM_ALLOC_NODE_PARAMS parameters = {};
    parameters.poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    parameters.poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    parameters.bytesize = bytes;
    std::shared_ptr<AllocWork> work;
    CUresult made = makeAllocWork(call, parameters, work);
    if (made == CUDA_SUCCESS)
      made = submitWork(call, stream, work);
    if (made == CUDA_SUCCESS)
      *result = parameters.dptr;
    return made;
  }
  if (pool->maxBytes != 0 && bytes > pool->maxBytes - pool->used)
    return CUDA_ERROR_OUT_OF_MEMORY;
  uint64_t address = 0;
  CUresult made = allocate(call, bytes, MemoryKind::Device, address);
  if (made != CUDA_SUCCESS)
    return made;
  call.driver.extras[address].pool = pool;
  pool->used += bytes;
  pool->usedHigh = std::max(pool->usedHigh, pool->used);
  *result = address;
  return CUDA_SUCCESS;
}

PTXSIM_STREAM_API(cuMemAllocAsync, cuMemAllocAsync_ptsz,
                  (CUdeviceptr * result, size_t bytes, CUstream stream),
                  (result, bytes, stream)) {
  return withContext([&](Call &call) -> CUresult {
    return allocateFrom(call, result, bytes, currentPool(call.driver), stream);
  });
}

PTXSIM_STREAM_API(cuMemAllocFromPoolAsync, cuMemAllocFromPoolAsync_ptsz,
                  (CUdeviceptr * result, size_t bytes, CUmemoryPool handle,
                   CUstream stream),
                  (result, bytes, handle, stream)) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Pool> pool = call.driver.pools.find(handle);
    return pool ? allocateFrom(call, result, bytes, pool, stream)
                : CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_STREAM_API(cuMemFreeAsync, cuMemFreeAsync_ptsz,
                  (CUdeviceptr address, CUstream handle), (address, handle)) {
  return withContext([&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult result = findOwnStream(call, handle, stream);
    if (result != CUDA_SUCCESS || address == 0)
      return result;
    Allocation allocation;
    result = findAllocation(call, "cuMemFreeAsync", address,
                            {MemoryKind::Device}, allocation);
    if (result != CUDA_SUCCESS)
      return result;
    if (!stream->capture) {
      AllocationExtra &extra = call.driver.extras[address];
      if (extra.isBeingFreed) {
        call.driver.complain("cuMemFreeAsync: expected an allocation that no "
                             "stream frees, got " +
                             hex(address) + ", which was given to one already");
        return CUDA_ERROR_INVALID_VALUE;
      }
      extra.isBeingFreed = true;
    }
    return submitWork(call, stream, std::make_shared<FreeWork>(address));
  });
}

} // namespace ptxsim::driver
