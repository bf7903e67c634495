// Copies: resolving addresses and moving bytes.

#include "tools/ptxsim/driver/Copy.h"

#include "tools/ptxsim/driver/Capture.h"
#include "tools/ptxsim/driver/Message.h"
#include "tools/ptxsim/driver/Stream.h"

#include <algorithm>
#include <cstring>

namespace ptxsim::driver {

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
    call.driver.complain(
        std::string(name) + ": expected an address of device memory, got " +
        hex(side.address) + describeFreed(call.driver, side.address));
    return CUDA_ERROR_INVALID_VALUE;
  }
  side.isPageable = false;
  side.kind = allocation.kind;
  uint64_t room = allocation.address + allocation.bytes - side.address;
  if (bytes <= room)
    return CUDA_SUCCESS;
  // Memory of the host of which a part is registered is the host's all the
  // same.
  side.isPageable =
      where != Where::Device && allocation.kind == MemoryKind::Registered;
  if (side.isPageable)
    return CUDA_SUCCESS;
  call.driver.complain(
      std::string(name) + ": expected at most " + std::to_string(room) +
      " bytes from " + hex(side.address) +
      " to the end of its allocation, got " + std::to_string(bytes));
  return CUDA_ERROR_INVALID_VALUE;
}

bool isStillThere(Task &task, Driver &driver, const CopySide &side,
                  const CopyShape &shape) {
  uint64_t bytes = 0;
  if (side.isPageable || (extentOf(side, shape, bytes) &&
                          driver.memory().contains(side.address, bytes)))
    return true;
  Fault fault;
  fault.code = FaultCode::IllegalAddress;
  fault.check = "use after free";
  fault.message =
      "expected memory that is allocated when the stream comes to it, got " +
      hex(side.address) + describeFreed(driver, side.address);
  fault.advice = "free memory only when the stream has done its work";
  driver.complain(fault);
  task.result = CUDA_ERROR_ILLEGAL_ADDRESS;
  return false;
}

/// True if what the memory holds may count as not written.
static bool isTracked(const CopySide &side) {
  return !side.isPageable && side.kind != MemoryKind::Pinned &&
         side.kind != MemoryKind::Registered;
}

static void noteRow(Driver &driver, const CopyShape &shape,
                    uint64_t destination, uint64_t source) {
  if (shape.destination.isPageable)
    return;
  if (isTracked(shape.source))
    driver.engine().noteCopy(destination, source, shape.width);
  else
    driver.engine().noteHostWrite(destination, shape.width);
}

/// Returns where a row of `side` begins.
static uint64_t rowOf(const CopySide &side, uint64_t layer, uint64_t row) {
  return side.address + layer * side.slice + row * side.pitch;
}

/// Moves the bytes of a row, of which either side may be memory of the host.
///
/// \returns false with a complaint if nothing is at an address.
static bool moveRow(Driver &driver, const CopyWork &work, void *to,
                    const void *from) {
  const CopyShape &shape = work.shape;
  uint64_t address = 0;
  // A copy that begins at its end would only fail after it has spoilt a lot.
  constexpr uint64_t addresses = uint64_t(1) << 56;
  bool isPossible =
      shape.width < addresses &&
      std::max(reinterpret_cast<uint64_t>(to),
               reinterpret_cast<uint64_t>(from)) <= addresses - shape.width;
  if (isPossible &&
      surviveFaults([&] { std::memmove(to, from, shape.width); }, address))
    return true;
  driver.complain(std::string(work.name) +
                  ": expected memory of the host that can be read and written, "
                  "got " +
                  (address ? "nothing at " + hex(address)
                           : "an address that no memory can have") +
                  " in a copy from " + hex(shape.source.address) + " to " +
                  hex(shape.destination.address));
  return false;
}

bool isOrdered(Task &task, Driver &driver, const HostTransfer &transfer) {
  Fault fault;
  if (driver.engine().compare(transfer, fault))
    return true;
  driver.complain(fault);
  task.result = resultOf(fault.code);
  return false;
}

/// What a copy does to memory of the device; that of the host is not looked at.
static HostTransfer transferOf(const CopyShape &shape, const Task &task) {
  HostTransfer transfer;
  transfer.name = "a copy";
  transfer.order = task.order;
  transfer.width = shape.width;
  transfer.height = shape.height;
  transfer.depth = shape.depth;
  for (const CopySide *side : {&shape.source, &shape.destination})
    if (isTracked(*side))
      transfer.sides.push_back({side->address, side->pitch, side->slice,
                                side == &shape.destination});
  return transfer;
}

/// The host may poll a flag that is copied into its memory.
bool CopyWork::tellsHost() const {
  return !shape.destination.isPageable && isOfHost(shape.destination.kind) &&
         shape.width * shape.height * shape.depth <= HostTransfer::signalBytes;
}

Progress CopyWork::start(Task &task, Driver &driver) const {
  if (shape.isEmpty() ||
      !isStillThere(task, driver, shape.destination, shape) ||
      !isStillThere(task, driver, shape.source, shape))
    return Progress::Done;
  HostTransfer transfer = transferOf(shape, task);
  transfer.isLast = isAwaited && driver.scheduler.isAlone(task);
  if (!isOrdered(task, driver, transfer))
    return Progress::Done;
  const uint8_t *next = staged.data();
  for (uint64_t layer = 0; layer < shape.depth; ++layer)
    for (uint64_t row = 0; row < shape.height; ++row) {
      uint64_t destination = rowOf(shape.destination, layer, row);
      uint64_t source = rowOf(shape.source, layer, row);
      if (!moveRow(driver, *this, reinterpret_cast<void *>(destination),
                   staged.empty() ? reinterpret_cast<const void *>(source)
                                  : next)) {
        // Who waits for it gets the error, else the context does.
        task.result =
            isAwaited ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_ILLEGAL_ADDRESS;
        return Progress::Done;
      }
      noteRow(driver, shape, destination, source);
      next += staged.empty() ? 0 : shape.width;
    }
  return Progress::Done;
}

/// Takes the bytes of a pageable source now: the caller may change them as soon
/// as the call returns.
static CUresult stage(Driver &driver, CopyWork &work) {
  const CopyShape &shape = work.shape;
  work.staged.resize(shape.width * shape.height * shape.depth);
  uint8_t *next = work.staged.data();
  for (uint64_t layer = 0; layer < shape.depth; ++layer)
    for (uint64_t row = 0; row < shape.height; ++row) {
      auto *begin =
          reinterpret_cast<const void *>(rowOf(shape.source, layer, row));
      if (!moveRow(driver, work, next, begin))
        return CUDA_ERROR_INVALID_VALUE;
      next += shape.width;
    }
  return CUDA_SUCCESS;
}

/// True if the call returns before the copy is done.
static bool returnsEarly(const CopyShape &shape, CopyMode mode) {
  bool onDevice = isTracked(shape.destination) && isTracked(shape.source);
  // A copy from device to device does not keep the host waiting either way,
  // one to pageable memory always does.
  return mode == CopyMode::Sync ? onDevice : !shape.destination.isPageable;
}

CUresult resolveCopy(Call &call, const char *name, CopyRequest &request) {
  CopyShape &shape = request.shape;
  if (shape.isEmpty())
    return CUDA_SUCCESS;
  CUresult result =
      resolveSide(call, name, request.destination, shape, shape.destination);
  return result == CUDA_SUCCESS
             ? resolveSide(call, name, request.source, shape, shape.source)
             : result;
}

CUresult submitCopy(Call &call, const char *name, CopyRequest request,
                    CUstream handle, CopyMode mode) {
  std::shared_ptr<Stream> stream;
  CUresult result = findOwnStream(call, handle, stream);
  if (result == CUDA_SUCCESS)
    result = resolveCopy(call, name, request);
  if (result != CUDA_SUCCESS || request.shape.isEmpty())
    return result;
  if (mode == CopyMode::Sync && stream->capture)
    return checkNotCapturing(*stream);
  bool early = stream->capture || returnsEarly(request.shape, mode);
  auto work = std::make_shared<CopyWork>(name, request.shape);
  work->isAwaited = !early;
  if (early && !stream->capture && request.shape.source.isPageable)
    result = stage(call.driver, *work);
  Submitted submitted;
  if (result == CUDA_SUCCESS)
    result = submitWork(call, stream, std::move(work), submitted);
  if (early || result != CUDA_SUCCESS)
    return result;
  call.scheduler().wait(call.lock, {submitted.task});
  return stream->context->error != CUDA_SUCCESS ? stream->context->error
                                                : submitted.task->result;
}

/// Reads one side of a copy of a box.
static CUresult readSide(CUmemorytype type, const void *host,
                         CUdeviceptr device, const size_t (&origin)[3],
                         size_t pitch, size_t height, CopySide &side,
                         Where &where) {
  switch (type) {
  case CU_MEMORYTYPE_HOST:
    where = Where::Host;
    side.address = reinterpret_cast<uint64_t>(host);
    break;
  case CU_MEMORYTYPE_DEVICE:
    where = Where::Device;
    side.address = device;
    break;
  case CU_MEMORYTYPE_UNIFIED:
    where = Where::Either;
    side.address = device;
    break;
  case CU_MEMORYTYPE_ARRAY:
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  if (type < CU_MEMORYTYPE_HOST || type > CU_MEMORYTYPE_UNIFIED)
    return CUDA_ERROR_INVALID_VALUE;
  uint64_t layers = 0, rows = 0, offset = 0;
  side.pitch = pitch;
  if (__builtin_mul_overflow(pitch, height, &side.slice) ||
      __builtin_mul_overflow(side.slice, origin[2], &layers) ||
      __builtin_mul_overflow(pitch, origin[1], &rows) ||
      __builtin_add_overflow(layers, rows, &offset) ||
      __builtin_add_overflow(offset, origin[0], &offset) ||
      __builtin_add_overflow(side.address, offset, &side.address))
    return CUDA_ERROR_INVALID_VALUE;
  return CUDA_SUCCESS;
}

/// True if rows and layers of a side do not overlap each other.
static bool isSpaced(const CopyShape &shape, size_t pitch, size_t height,
                     const size_t (&origin)[3]) {
  if (shape.height > 1 || shape.depth > 1)
    if (pitch < shape.width || pitch - shape.width < origin[0])
      return false;
  return shape.depth <= 1 ||
         (height >= shape.height && height - shape.height >= origin[1]);
}

CUresult readCopy(Call &call, const char *name, const CUDA_MEMCPY3D &parameters,
                  CopyRequest &request) {
  const CUDA_MEMCPY3D &p = parameters;
  const size_t to[3] = {p.dstXInBytes, p.dstY, p.dstZ};
  const size_t from[3] = {p.srcXInBytes, p.srcY, p.srcZ};
  CopyShape &shape = request.shape;
  shape.width = p.WidthInBytes;
  shape.height = p.Height;
  shape.depth = p.Depth;
  CUresult result =
      readSide(p.dstMemoryType, p.dstHost, p.dstDevice, to, p.dstPitch,
               p.dstHeight, shape.destination, request.destination);
  if (result == CUDA_SUCCESS)
    result = readSide(p.srcMemoryType, p.srcHost, p.srcDevice, from, p.srcPitch,
                      p.srcHeight, shape.source, request.source);
  if (result == CUDA_ERROR_NOT_SUPPORTED)
    call.driver.complain(std::string(name) +
                         ": expected linear memory, got a CUDA array");
  if (result == CUDA_SUCCESS && !shape.isEmpty() &&
      (!isSpaced(shape, p.dstPitch, p.dstHeight, to) ||
       !isSpaced(shape, p.srcPitch, p.srcHeight, from)))
    return CUDA_ERROR_INVALID_VALUE;
  return result;
}

CUDA_MEMCPY3D describeCopy(const CopyShape &shape) {
  CUDA_MEMCPY3D result = {};
  auto typeOf = [](const CopySide &side) {
    return side.isPageable ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
  };
  const CopySide &to = shape.destination, &from = shape.source;
  result.dstMemoryType = typeOf(to);
  result.dstHost = reinterpret_cast<void *>(to.address);
  result.dstDevice = to.address;
  result.dstPitch = to.pitch;
  result.dstHeight = to.pitch == 0 ? 0 : to.slice / to.pitch;
  result.srcMemoryType = typeOf(from);
  result.srcHost = reinterpret_cast<const void *>(from.address);
  result.srcDevice = from.address;
  result.srcPitch = from.pitch;
  result.srcHeight = from.pitch == 0 ? 0 : from.slice / from.pitch;
  result.WidthInBytes = shape.width;
  result.Height = shape.height;
  result.Depth = shape.depth;
  return result;
}

} // namespace ptxsim::driver
