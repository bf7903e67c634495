// Waits for and writes of values in memory by streams.

#include "tools/ptxsim/driver/StreamMemory.h"

#include "tools/ptxsim/driver/Message.h"
#include "tools/ptxsim/driver/Stream.h"

#include <algorithm>
#include <atomic>

namespace ptxsim::driver {

static unsigned bytesOf(CUstreamBatchMemOpType type) {
  return type == CU_STREAM_MEM_OP_WAIT_VALUE_64 ||
                 type == CU_STREAM_MEM_OP_WRITE_VALUE_64
             ? 8
             : 4;
}

/// True if `value` in memory is what `wanted` asks for.
template <typename T>
static bool matches(T value, T wanted, unsigned flags) {
  switch (flags & ~CU_STREAM_WAIT_VALUE_FLUSH) {
  case CU_STREAM_WAIT_VALUE_GEQ:
    // By difference, so that counters may wrap around.
    return static_cast<std::make_signed_t<T>>(value - wanted) >= 0;
  case CU_STREAM_WAIT_VALUE_EQ:
    return value == wanted;
  case CU_STREAM_WAIT_VALUE_AND:
    return (value & wanted) != 0;
  default:
    return static_cast<T>(~(value | wanted)) != 0;
  }
}

/// Does one operation; false if it waits.
static bool perform(const CUstreamBatchMemOpParams &operation, Driver &driver) {
  const auto &value = operation.waitValue;
  auto *word = reinterpret_cast<uint32_t *>(value.address);
  auto *wide = reinterpret_cast<uint64_t *>(value.address);
  switch (operation.operation) {
  case CU_STREAM_MEM_OP_WAIT_VALUE_32:
    return matches(__atomic_load_n(word, __ATOMIC_ACQUIRE), value.value,
                   value.flags);
  case CU_STREAM_MEM_OP_WAIT_VALUE_64:
    return matches(__atomic_load_n(wide, __ATOMIC_ACQUIRE), value.value64,
                   value.flags);
  case CU_STREAM_MEM_OP_WRITE_VALUE_32:
    __atomic_store_n(word, value.value, __ATOMIC_RELEASE);
    driver.engine().noteHostWrite(value.address, 4);
    return true;
  case CU_STREAM_MEM_OP_WRITE_VALUE_64:
    __atomic_store_n(wide, value.value64, __ATOMIC_RELEASE);
    driver.engine().noteHostWrite(value.address, 8);
    return true;
  case CU_STREAM_MEM_OP_BARRIER:
  case CU_STREAM_MEM_OP_FLUSH_REMOTE_WRITES:
    return true;
  }
  return true;
}

static bool hasAddress(CUstreamBatchMemOpType type) {
  return type != CU_STREAM_MEM_OP_BARRIER &&
         type != CU_STREAM_MEM_OP_FLUSH_REMOTE_WRITES;
}

static bool isWait(CUstreamBatchMemOpType type) {
  return type == CU_STREAM_MEM_OP_WAIT_VALUE_32 ||
         type == CU_STREAM_MEM_OP_WAIT_VALUE_64;
}

bool MemOpWork::waitsForMemory() const {
  return std::any_of(operations.begin(), operations.end(),
                     [](auto &each) { return isWait(each.operation); });
}

/// Compares a write of a value with what nothing orders with it.
static bool compareWrite(const CUstreamBatchMemOpParams &operation, Task &task,
                         Driver &driver) {
  HostTransfer transfer;
  transfer.name = "a value that a stream writes";
  transfer.order = task.order;
  transfer.width = bytesOf(operation.operation);
  transfer.sides.push_back({operation.waitValue.address, 0, 0, true});
  transfer.isValue = true;
  Fault fault;
  if (!hasAddress(operation.operation) || isWait(operation.operation) ||
      driver.engine().compare(transfer, fault))
    return true;
  driver.complain(fault);
  task.result = CUDA_ERROR_LAUNCH_FAILED;
  return false;
}

Progress MemOpWork::poll(Task &task, Driver &driver) const {
  auto &next = *std::static_pointer_cast<size_t>(task.progressState);
  for (; next < operations.size(); ++next) {
    const CUstreamBatchMemOpParams &operation = operations[next];
    uint64_t address = operation.waitValue.address;
    if (hasAddress(operation.operation) &&
        !driver.memory().contains(address, bytesOf(operation.operation))) {
      Fault fault;
      fault.code = FaultCode::IllegalAddress;
      fault.check = "use after free";
      fault.message = "expected memory that is allocated when a stream waits "
                      "for or writes a value, got " +
                      hex(address) + describeFreed(driver, address);
      driver.complain(fault);
      task.result = CUDA_ERROR_ILLEGAL_ADDRESS;
      return Progress::Done;
    }
    if (!compareWrite(operation, task, driver))
      return Progress::Done;
    if (!perform(operation, driver))
      return Progress::Polling;
  }
  return Progress::Done;
}

Progress MemOpWork::start(Task &task, Driver &driver) const {
  task.progressState = std::make_shared<size_t>(0);
  return poll(task, driver);
}

static bool isKnown(CUstreamBatchMemOpType type) {
  return type >= CU_STREAM_MEM_OP_WAIT_VALUE_32 &&
         type <= CU_STREAM_MEM_OP_BARRIER;
}

CUresult makeMemOpWork(Call &call, unsigned count,
                       const CUstreamBatchMemOpParams *operations,
                       unsigned flags, std::shared_ptr<MemOpWork> &work) {
  static constexpr unsigned maxOperations = 256;
  if (flags != 0 || count > maxOperations || (count != 0 && !operations))
    return CUDA_ERROR_INVALID_VALUE;
  work = std::make_shared<MemOpWork>();
  work->operations.assign(operations, operations + count);
  for (const CUstreamBatchMemOpParams &operation : work->operations) {
    if (!isKnown(operation.operation))
      return CUDA_ERROR_INVALID_VALUE;
    if (!hasAddress(operation.operation))
      continue;
    uint64_t address = operation.waitValue.address;
    unsigned bytes = bytesOf(operation.operation);
    Allocation allocation;
    if (address % bytes != 0 ||
        !call.driver.memory().contains(address, bytes) ||
        !call.driver.memory().find(address, allocation))
      return CUDA_ERROR_INVALID_VALUE;
    work->writesHost |=
        !isWait(operation.operation) && isOfHost(allocation.kind);
  }
  return CUDA_SUCCESS;
}

static CUresult submit(CUstream handle, unsigned count,
                       const CUstreamBatchMemOpParams *operations,
                       unsigned flags,
                       const char *name = __builtin_FUNCTION()) {
  return withContext(name, [&](Call &call) -> CUresult {
    std::shared_ptr<Stream> stream;
    CUresult result = findStream(call, handle, stream);
    std::shared_ptr<MemOpWork> work;
    if (result == CUDA_SUCCESS)
      result = makeMemOpWork(call, count, operations, flags, work);
    return result == CUDA_SUCCESS ? submitWork(call, stream, work) : result;
  });
}

static CUresult submitOne(CUstream handle, CUstreamBatchMemOpType type,
                          CUdeviceptr address, uint64_t value, unsigned flags,
                          const char *name = __builtin_FUNCTION()) {
  CUstreamBatchMemOpParams operation = {};
  operation.waitValue.operation = type;
  operation.waitValue.address = address;
  operation.waitValue.value64 = value;
  operation.waitValue.flags = flags;
  return submit(handle, 1, &operation, 0, name);
}

/// Defines one call with its versions and their twins.
#define PTXSIM_VALUE(NAME, BITS, TYPE)                                         \
  PTXSIM_STREAM_API(NAME##BITS##_v2, NAME##BITS##_v2_ptsz,                     \
                    (CUstream stream, CUdeviceptr address,                     \
                     uint##BITS##_t value, unsigned flags),                    \
                    (stream, address, value, flags)) {                         \
    return submitOne(stream, TYPE, address, value, flags);                     \
  }                                                                            \
  PTXSIM_STREAM_API(NAME##BITS, NAME##BITS##_ptsz,                             \
                    (CUstream stream, CUdeviceptr address,                     \
                     uint##BITS##_t value, unsigned flags),                    \
                    (stream, address, value, flags)) {                         \
    return submitOne(stream, TYPE, address, value, flags);                     \
  }

PTXSIM_VALUE(cuStreamWaitValue, 32, CU_STREAM_MEM_OP_WAIT_VALUE_32)
PTXSIM_VALUE(cuStreamWaitValue, 64, CU_STREAM_MEM_OP_WAIT_VALUE_64)
PTXSIM_VALUE(cuStreamWriteValue, 32, CU_STREAM_MEM_OP_WRITE_VALUE_32)
PTXSIM_VALUE(cuStreamWriteValue, 64, CU_STREAM_MEM_OP_WRITE_VALUE_64)

PTXSIM_STREAM_API(cuStreamBatchMemOp_v2, cuStreamBatchMemOp_v2_ptsz,
                  (CUstream stream, unsigned count,
                   CUstreamBatchMemOpParams *operations, unsigned flags),
                  (stream, count, operations, flags)) {
  return submit(stream, count, operations, flags);
}

PTXSIM_STREAM_API(cuStreamBatchMemOp, cuStreamBatchMemOp_ptsz,
                  (CUstream stream, unsigned count,
                   CUstreamBatchMemOpParams *operations, unsigned flags),
                  (stream, count, operations, flags)) {
  return submit(stream, count, operations, flags);
}

} // namespace ptxsim::driver
