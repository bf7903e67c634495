// Setting memory to a value: cuMemset*.

#include "tools/ptxsim/driver/Set.h"

#include "tools/ptxsim/driver/Capture.h"
#include "tools/ptxsim/driver/Stream.h"

#include <cstring>

namespace ptxsim::driver {

CopyShape SetWork::shape() const {
  CopyShape shape;
  shape.destination.address = address;
  shape.destination.pitch = pitch;
  shape.width = width * elementBytes;
  shape.height = height;
  return shape;
}

/// Fills `count` elements from `address` on.
static void fill(uint64_t address, uint32_t value, unsigned elementBytes,
                 uint64_t count) {
  auto *bytes = reinterpret_cast<uint8_t *>(address);
  if (elementBytes == 1) {
    std::memset(bytes, static_cast<int>(value), count);
    return;
  }
  for (uint64_t i = 0; i < count; ++i)
    std::memcpy(bytes + i * elementBytes, &value, elementBytes);
}

Progress SetWork::start(Task &task, Driver &driver) const {
  CopyShape covered = shape();
  if (covered.isEmpty() ||
      !isStillThere(task, driver, covered.destination, covered))
    return Progress::Done;
  HostTransfer transfer;
  transfer.name = "a set";
  transfer.order = task.order;
  transfer.width = covered.width;
  transfer.height = height;
  if (kind != MemoryKind::Pinned && kind != MemoryKind::Registered)
    transfer.sides.push_back({address, pitch, 0, true});
  if (!isOrdered(task, driver, transfer))
    return Progress::Done;
  for (uint64_t row = 0; row < height; ++row) {
    uint64_t begin = address + row * pitch;
    fill(begin, value, elementBytes, width);
    driver.engine().noteHostWrite(begin, covered.width);
  }
  return Progress::Done;
}

CUresult resolveSet(Call &call, const char *name, SetWork &work) {
  if (work.elementBytes != 1 && work.elementBytes != 2 &&
      work.elementBytes != 4)
    return CUDA_ERROR_INVALID_VALUE;
  if (work.width > UINT64_MAX / 4)
    return CUDA_ERROR_INVALID_VALUE;
  CopyShape covered = work.shape();
  if (covered.isEmpty())
    return CUDA_SUCCESS;
  if (work.height > 1 && work.pitch < covered.width)
    return CUDA_ERROR_INVALID_VALUE;
  if (work.address % work.elementBytes != 0 ||
      (work.height > 1 && work.pitch % work.elementBytes != 0))
    return CUDA_ERROR_INVALID_VALUE;
  CopySide side = covered.destination;
  CUresult result = resolveSide(call, name, Where::Device, covered, side);
  work.kind = side.kind;
  return result;
}

static CUresult set(const char *name, SetWork work, CUstream handle,
                    CopyMode mode) {
  return withContext(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult result = findOwnStream(call, handle, stream);
    if (result == CUDA_SUCCESS)
      result = resolveSet(call, name, work);
    if (result != CUDA_SUCCESS || work.shape().isEmpty())
      return result;
    if (mode == CopyMode::Sync && stream->capture)
      return checkNotCapturing(*stream);
    Submitted submitted;
    result =
        submitWork(call, stream, std::make_shared<SetWork>(work), submitted);
    // Only memory that the host reads directly keeps it waiting.
    bool waits =
        mode == CopyMode::Sync && (work.kind == MemoryKind::Pinned ||
                                   work.kind == MemoryKind::Registered ||
                                   work.kind == MemoryKind::Managed);
    if (result != CUDA_SUCCESS || !waits)
      return result;
    call.scheduler().wait(call.lock, {submitted.task});
    return stream->context->error;
  });
}

/// Describes elements in a row.
static SetWork flat(CUdeviceptr address, uint32_t value, unsigned elementBytes,
                    uint64_t count) {
  SetWork work;
  work.address = address;
  work.value = value;
  work.elementBytes = elementBytes;
  work.width = count;
  return work;
}

static SetWork rows(CUdeviceptr address, uint64_t pitch, uint32_t value,
                    unsigned elementBytes, uint64_t width, uint64_t height) {
  SetWork work = flat(address, value, elementBytes, width);
  work.pitch = pitch;
  work.height = height;
  return work;
}

/// Defines the four forms of one size of element: in a row and in rows, and
/// each of them for a stream.
#define PTXSIM_SETS(BITS, TYPE)                                                \
  PTXSIM_STREAM_API(cuMemsetD##BITS##_v2, cuMemsetD##BITS##_v2_ptds,           \
                    (CUdeviceptr address, TYPE value, size_t count),           \
                    (address, value, count)) {                                 \
    return set("cuMemsetD" #BITS, flat(address, value, BITS / 8, count),       \
               nullptr, CopyMode::Sync);                                       \
  }                                                                            \
  PTXSIM_STREAM_API(                                                           \
      cuMemsetD##BITS##Async, cuMemsetD##BITS##Async_ptsz,                     \
      (CUdeviceptr address, TYPE value, size_t count, CUstream stream),        \
      (address, value, count, stream)) {                                       \
    return set("cuMemsetD" #BITS "Async",                                      \
               flat(address, value, BITS / 8, count), stream,                  \
               CopyMode::Async);                                               \
  }                                                                            \
  PTXSIM_STREAM_API(cuMemsetD2D##BITS##_v2, cuMemsetD2D##BITS##_v2_ptds,       \
                    (CUdeviceptr address, size_t pitch, TYPE value,            \
                     size_t width, size_t height),                             \
                    (address, pitch, value, width, height)) {                  \
    return set("cuMemsetD2D" #BITS,                                            \
               rows(address, pitch, value, BITS / 8, width, height), nullptr,  \
               CopyMode::Sync);                                                \
  }                                                                            \
  PTXSIM_STREAM_API(cuMemsetD2D##BITS##Async, cuMemsetD2D##BITS##Async_ptsz,   \
                    (CUdeviceptr address, size_t pitch, TYPE value,            \
                     size_t width, size_t height, CUstream stream),            \
                    (address, pitch, value, width, height, stream)) {          \
    return set("cuMemsetD2D" #BITS "Async",                                    \
               rows(address, pitch, value, BITS / 8, width, height), stream,   \
               CopyMode::Async);                                               \
  }

PTXSIM_SETS(8, unsigned char)
PTXSIM_SETS(16, unsigned short)
PTXSIM_SETS(32, unsigned)

} // namespace ptxsim::driver
