// NVIDIA's driver, opened at run time: the binary starts on a machine without
// it.
//
// Only the calls that the runtime makes are here, declared by hand after the
// CUDA Driver API reference 13.0, so that nothing of the CUDA Toolkit is needed
// to build.

#ifndef TCC_RUNTIME_CUDA_DRIVER_H
#define TCC_RUNTIME_CUDA_DRIVER_H

#include "runtime/support/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace tcc::rt::cuda {

/// Results, handles and numbers as the driver has them.
using Result = int;
using Device = int;
using Address = uint64_t;
using Context = struct ContextObject *;
using Module = struct ModuleObject *;
using Function = struct FunctionObject *;
using Stream = struct StreamObject *;
using Event = struct EventObject *;
using Graph = struct GraphObject *;
using GraphExec = struct GraphExecObject *;

constexpr Result success = 0, outOfMemory = 2, noDevice = 100,
                 noBinaryForGpu = 209, unsupportedPtxVersion = 222,
                 graphUpdateFailed = 910;

/// Attributes of devices and functions that are asked for.
enum DeviceAttribute : int {
  ClockRate = 13, ///< In kHz, as MemoryClockRate.
  MultiprocessorCount = 16,
  MemoryClockRate = 36,
  MemoryBusWidth = 37, ///< In bits.
  ComputeCapabilityMajor = 75,
  ComputeCapabilityMinor = 76,
  SharedMemoryOptIn = 97,
};
enum FunctionAttribute : int { MaxDynamicSharedMemory = 8 };
/// Whose calls a capture forbids.
enum class CaptureMode : int { Global, ThreadLocal, Relaxed };
/// Why a graph could not be updated.
struct GraphUpdateInfo {
  int result;
  void *node, *from;
};
/// Options of the driver's compiler.
enum class JitOption : int { ErrorLog = 5, ErrorLogBytes = 6 };

/// What a tensor map holds, and how: the numbers of cuTensorMapEncodeTiled.
struct alignas(128) TensorMap {
  uint8_t bytes[128];
};
enum class TensorMapType : unsigned { I32 = 3, F16 = 6, F32 = 7, BF16 = 9 };
enum class TensorMapSwizzle : unsigned { None, Bytes32, Bytes64, Bytes128 };
enum class TensorMapPromotion : unsigned { None, Bytes64, Bytes128, Bytes256 };

/// How a kernel is launched, as cuLaunchKernelEx reads it.
enum class LaunchAttributeId : unsigned {
  ClusterDimension = 4,
  ProgrammaticStreamSerialization = 6
};
struct LaunchAttribute {
  LaunchAttributeId id;
  unsigned padding;
  union {
    unsigned char bytes[64];
    unsigned cluster[3];
    int isAllowed;
  } value;
};
struct LaunchConfig {
  unsigned grid[3], block[3];
  unsigned sharedBytes;
  Stream stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

/// Every call: its name here, the symbol in the library, its parameters.
#define TCC_CUDA_CALLS(CALL)                                                   \
  CALL(init, "cuInit", unsigned flags)                                         \
  CALL(driverVersion, "cuDriverGetVersion", int *version)                      \
  CALL(errorName, "cuGetErrorName", Result result, const char **name)          \
  CALL(errorText, "cuGetErrorString", Result result, const char **text)        \
  CALL(deviceCount, "cuDeviceGetCount", int *count)                            \
  CALL(deviceGet, "cuDeviceGet", Device *device, int ordinal)                  \
  CALL(deviceName, "cuDeviceGetName", char *name, int bytes, Device device)    \
  CALL(deviceAttribute, "cuDeviceGetAttribute", int *value,                    \
       DeviceAttribute attribute, Device device)                               \
  CALL(retainContext, "cuDevicePrimaryCtxRetain", Context *context,            \
       Device device)                                                          \
  CALL(releaseContext, "cuDevicePrimaryCtxRelease_v2", Device device)          \
  CALL(setContext, "cuCtxSetCurrent", Context context)                         \
  CALL(loadModule, "cuModuleLoadDataEx", Module *module, const void *image,    \
       unsigned optionCount, JitOption *options, void **values)                \
  CALL(unloadModule, "cuModuleUnload", Module module)                          \
  CALL(getFunction, "cuModuleGetFunction", Function *function, Module module,  \
       const char *name)                                                       \
  CALL(setFunctionAttribute, "cuFuncSetAttribute", Function function,          \
       FunctionAttribute attribute, int value)                                 \
  CALL(allocate, "cuMemAlloc_v2", Address *address, size_t bytes)              \
  CALL(free, "cuMemFree_v2", Address address)                                  \
  CALL(memoryInfo, "cuMemGetInfo_v2", size_t *free, size_t *total)             \
  CALL(allocateHost, "cuMemHostAlloc", void **memory, size_t bytes,            \
       unsigned flags)                                                         \
  CALL(freeHost, "cuMemFreeHost", void *memory)                                \
  CALL(copyToDevice, "cuMemcpyHtoDAsync_v2", Address to, const void *from,     \
       size_t bytes, Stream stream)                                            \
  CALL(copyToHost, "cuMemcpyDtoHAsync_v2", void *to, Address from,             \
       size_t bytes, Stream stream)                                            \
  CALL(setBytes, "cuMemsetD8Async", Address address, unsigned char value,      \
       size_t bytes, Stream stream)                                            \
  CALL(createStream, "cuStreamCreate", Stream *stream, unsigned flags)         \
  CALL(destroyStream, "cuStreamDestroy_v2", Stream stream)                     \
  CALL(waitForStream, "cuStreamSynchronize", Stream stream)                    \
  CALL(beginCapture, "cuStreamBeginCapture_v2", Stream stream,                 \
       CaptureMode mode)                                                       \
  CALL(endCapture, "cuStreamEndCapture", Stream stream, Graph *graph)          \
  CALL(destroyGraph, "cuGraphDestroy", Graph graph)                            \
  CALL(instantiateGraph, "cuGraphInstantiateWithFlags", GraphExec *exec,       \
       Graph graph, unsigned long long flags)                                  \
  CALL(updateGraphExec, "cuGraphExecUpdate_v2", GraphExec exec, Graph graph,   \
       GraphUpdateInfo *info)                                                  \
  CALL(destroyGraphExec, "cuGraphExecDestroy", GraphExec exec)                 \
  CALL(launchGraph, "cuGraphLaunch", GraphExec exec, Stream stream)            \
  CALL(createEvent, "cuEventCreate", Event *event, unsigned flags)             \
  CALL(destroyEvent, "cuEventDestroy_v2", Event event)                         \
  CALL(recordEvent, "cuEventRecord", Event event, Stream stream)               \
  CALL(waitForEvent, "cuEventSynchronize", Event event)                        \
  CALL(elapsedTime, "cuEventElapsedTime", float *milliseconds, Event start,    \
       Event end)                                                              \
  CALL(launchKernelEx, "cuLaunchKernelEx", const LaunchConfig *config,         \
       Function function, void **parameters, void **extra)                     \
  CALL(encodeTensorMap, "cuTensorMapEncodeTiled", TensorMap *map,              \
       TensorMapType type, unsigned rank, void *address,                       \
       const uint64_t *dimensions, const uint64_t *strides,                    \
       const uint32_t *box, const uint32_t *elementSteps, unsigned interleave, \
       TensorMapSwizzle swizzle, TensorMapPromotion promotion, unsigned fill)

/// "12.4" of 12040.
std::string nameOfVersion(int version);

/// The driver's calls. One is opened for a process and stays open: libraries
/// that start threads cannot be closed safely.
struct Driver {
#define TCC_CUDA_CALL(name, symbol, ...) Result (*name)(__VA_ARGS__) = nullptr;
  TCC_CUDA_CALLS(TCC_CUDA_CALL)
#undef TCC_CUDA_CALL

  /// Opens the library `path` and initialises it.
  ///
  /// \returns DeviceUnavailable if there is none, it lacks a call or finds no
  ///          device; the message names the library and says what to do.
  static Status open(const std::string &path, Driver &result);

  /// What `result` of `call` means: "cuMemAlloc: CUDA_ERROR_…: …". OutOfMemory
  /// for memory, else DeviceUnavailable.
  Status statusOf(Result result, const std::string &call) const;
};

} // namespace tcc::rt::cuda

#endif // TCC_RUNTIME_CUDA_DRIVER_H
