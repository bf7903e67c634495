// Copies: resolving addresses and moving bytes.

#include "tools/ptxsim/driver/Copy.h"

#include "tools/ptxsim/driver/Message.h"
#include "tools/ptxsim/driver/Stream.h"

#include <cstring>

namespace ptxsim {

/// Computes the bytes from the first to the last that `side` covers.
///
/// \returns false if they are more than an address can tell.
static bool extentOf(const CopySide &side, const CopyShape &shape,
                     uint64_t &bytes) {
  uint64_t rows = 0, layers = 0;
  return !__builtin_mul_overflow(shape.height - 1, side.pitch, &rows) &&
         !__builtin_mul_overflow(shape.depth - 1, side.slice, &layers) &&
         !__builtin_add_overflow(rows, layers, &bytes) &&
         !__builtin_add_overflow(bytes, shape.width, &bytes);
}

CUresult resolveSide(Call &call, const char *name, Where where,
                     const CopyShape &shape, CopySide &side) {
  uint64_t bytes = 0;
  if (!extentOf(side, shape, bytes))
    return CUDA_ERROR_INVALID_VALUE;
  Allocation allocation;
  if (!call.driver.memory().find(side.address, allocation)) {
    side.isPageable = where != Where::Device;
    if (side.isPageable && side.address != 0)
      return CUDA_SUCCESS;
    call.driver.complain(std::string(name) +
                         ": expected an address of device memory, got " +
                         hex(side.address) +
                         describeFreed(call.driver, side.address));
    return CUDA_ERROR_INVALID_VALUE;
  }
  side.isPageable = false;
  side.kind = allocation.kind;
  uint64_t room = allocation.address + allocation.bytes - side.address;
  if (bytes <= room)
    return CUDA_SUCCESS;
  call.driver.complain(std::string(name) + ": expected at most " +
                       std::to_string(room) + " bytes from " +
                       hex(side.address) + " to the end of its allocation, got " +
                       std::to_string(bytes));
  return CUDA_ERROR_INVALID_VALUE;
}

/// Fails `task` if `side` is no longer allocated.
static bool isStillThere(Task &task, Driver &driver, const CopySide &side,
                         const CopyShape &shape) {
  uint64_t bytes = 0;
  if (side.isPageable ||
      (extentOf(side, shape, bytes) &&
       driver.memory().contains(side.address, bytes)))
    return true;
  Fault fault;
  fault.code = FaultCode::IllegalAddress;
  fault.check = "use after free";
  fault.message = "expected memory that is allocated when a copy runs, got " +
                  hex(side.address) + describeFreed(driver, side.address);
  fault.advice = "free memory only when the stream has done the copy";
  driver.complain(fault);
  task.result = CUDA_ERROR_ILLEGAL_ADDRESS;
  return false;
}

/// True if what the memory holds may count as not written.
static bool isTracked(const CopySide &side) {
  return !side.isPageable && side.kind != MemoryKind::Pinned &&
         side.kind != MemoryKind::Registered;
}

static void copyRow(Driver &driver, const CopyShape &shape,
                    uint64_t destination, uint64_t source, const void *bytes) {
  std::memmove(reinterpret_cast<void *>(destination), bytes, shape.width);
  if (shape.destination.isPageable)
    return;
  if (isTracked(shape.source))
    driver.engine().noteCopy(destination, source, shape.width);
  else
    driver.engine().noteHostWrite(destination, shape.width);
}

Progress CopyWork::start(Task &task, Driver &driver) const {
  if (shape.isEmpty() ||
      !isStillThere(task, driver, shape.destination, shape) ||
      !isStillThere(task, driver, shape.source, shape))
    return Progress::Done;
  const uint8_t *next = staged.data();
  for (uint64_t layer = 0; layer < shape.depth; ++layer)
    for (uint64_t row = 0; row < shape.height; ++row) {
      const CopySide &to = shape.destination, &from = shape.source;
      uint64_t destination = to.address + layer * to.slice + row * to.pitch;
      uint64_t source = from.address + layer * from.slice + row * from.pitch;
      copyRow(driver, shape, destination, source,
              staged.empty() ? reinterpret_cast<const void *>(source) : next);
      next += staged.empty() ? 0 : shape.width;
    }
  return Progress::Done;
}

/// Takes the bytes of a pageable source now: the caller may change them as soon
/// as the call returns.
static void stage(CopyWork &work) {
  const CopyShape &shape = work.shape;
  work.staged.reserve(shape.width * shape.height * shape.depth);
  for (uint64_t layer = 0; layer < shape.depth; ++layer)
    for (uint64_t row = 0; row < shape.height; ++row) {
      auto *begin = reinterpret_cast<const uint8_t *>(
          shape.source.address + layer * shape.source.slice +
          row * shape.source.pitch);
      work.staged.insert(work.staged.end(), begin, begin + shape.width);
    }
}

/// True if the call returns before the copy is done.
static bool returnsEarly(const CopyShape &shape, CopyMode mode) {
  bool onDevice = isTracked(shape.destination) && isTracked(shape.source);
  // A copy from device to device does not keep the host waiting either way,
  // one to pageable memory always does.
  return mode == CopyMode::Sync ? onDevice : !shape.destination.isPageable;
}

CUresult submitCopy(Call &call, const char *name, CopyShape shape,
                    Where destination, Where source, CUstream handle,
                    CopyMode mode) {
  std::shared_ptr<Stream> stream;
  CUresult result = findOwnStream(call, handle, stream);
  if (result != CUDA_SUCCESS || shape.isEmpty())
    return result;
  result = resolveSide(call, name, destination, shape, shape.destination);
  if (result == CUDA_SUCCESS)
    result = resolveSide(call, name, source, shape, shape.source);
  if (result != CUDA_SUCCESS)
    return result;
  bool early = returnsEarly(shape, mode);
  auto work = std::make_shared<CopyWork>(shape);
  if (early && shape.source.isPageable)
    stage(*work);
  std::shared_ptr<Task> task = enqueue(call, *stream, std::move(work));
  if (early)
    return CUDA_SUCCESS;
  call.scheduler().wait(call.lock, {task});
  return stream->context->error;
}

/// A copy of bytes in a row.
static CopyShape flat(uint64_t destination, uint64_t source, uint64_t bytes) {
  CopyShape shape;
  shape.destination.address = destination;
  shape.source.address = source;
  shape.width = bytes;
  return shape;
}

static uint64_t addressOf(const void *pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

PTXSIM_STREAM_API(cuMemcpyHtoD_v2, cuMemcpyHtoD_v2_ptds,
                  (CUdeviceptr destination, const void *source, size_t bytes),
                  (destination, source, bytes)) {
  return withContext([&](Call &call) -> CUresult {
    return submitCopy(call, "cuMemcpyHtoD",
                      flat(destination, addressOf(source), bytes),
                      Where::Device, Where::Either, nullptr, CopyMode::Sync);
  });
}

PTXSIM_STREAM_API(cuMemcpyDtoH_v2, cuMemcpyDtoH_v2_ptds,
                  (void *destination, CUdeviceptr source, size_t bytes),
                  (destination, source, bytes)) {
  return withContext([&](Call &call) -> CUresult {
    return submitCopy(call, "cuMemcpyDtoH",
                      flat(addressOf(destination), source, bytes),
                      Where::Either, Where::Device, nullptr, CopyMode::Sync);
  });
}

} // namespace ptxsim
