// The state of the runtime.

#include "tools/ptxsim/cudart/Runtime.h"

#include <atomic>
#include <mutex>

namespace ptxsim::cudart {

static thread_local cudaError_t threadError = cudaSuccess;
static thread_local bool perThreadDefault = false;

/// Counts contexts of the device that were ended, from 1.
static std::atomic<uint64_t> contextNumber{1};
/// The context that the thread got from the runtime last, by its number.
static thread_local uint64_t boundNumber = 0;

cudaError_t record(Code code) {
  // The driver knows two results that the runtime does not.
  if (code == CUDA_ERROR_CONTEXT_ALREADY_CURRENT ||
      code == CUDA_ERROR_KEY_ROTATION)
    code = cudaErrorUnknown;
  if (code != cudaSuccess)
    threadError = static_cast<cudaError_t>(code);
  return static_cast<cudaError_t>(code);
}

using Survive = Code (*)(const char *, Code (*)(void *), void *);

/// Asks the driver; another one than ours has no such function.
static Survive findSurvive() {
  void *function = nullptr;
  cuGetProcAddress_v2("ptxsimSurvive", &function, driverVersion, 0, nullptr);
  return reinterpret_cast<Survive>(function);
}

Code survive(const char *name, Code (*body)(void *), void *argument) {
  static const Survive function = findSurvive();
  return function ? function(name, body, argument) : body(argument);
}

static std::atomic<bool> isInitialised{false};

/// Returns the error of a kernel that the thread's context keeps.
static Code contextError() {
  if (!isInitialised.load(std::memory_order_acquire))
    return cudaSuccess;
  CUdevice device = 0;
  CUresult result = cuCtxGetDevice(&device);
  bool hasNone = result == CUDA_ERROR_INVALID_CONTEXT ||
                 result == CUDA_ERROR_CONTEXT_IS_DESTROYED;
  return hasNone ? CUDA_SUCCESS : result;
}

cudaError_t lastError(bool forget) {
  if (threadError == cudaSuccess)
    record(contextError());
  cudaError_t error = threadError;
  if (forget)
    threadError = cudaSuccess;
  return error;
}

Code initialise() {
  if (isInitialised.load(std::memory_order_acquire))
    return cudaSuccess;
  CUresult result = cuInit(0);
  if (result == CUDA_SUCCESS)
    isInitialised.store(true, std::memory_order_release);
  return result;
}

/// Returns the context of the device, which the runtime retains once.
static Code primaryContext(CUcontext &context) {
  static std::mutex mutex;
  static uint64_t retainedNumber = 0;
  static CUcontext retained = nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  if (retainedNumber != contextNumber) {
    CUresult result = cuDevicePrimaryCtxRetain(&retained, 0);
    if (result != CUDA_SUCCESS)
      return result;
    retainedNumber = contextNumber;
  }
  context = retained;
  return cudaSuccess;
}

Code prepare() {
  Code code = initialise();
  if (code != cudaSuccess)
    return code;
  // A context that the program made current itself stays.
  CUcontext current = nullptr;
  CUresult found = cuCtxGetCurrent(&current);
  if (found != CUDA_SUCCESS)
    return found;
  bool isStale = boundNumber != 0 && boundNumber != contextNumber;
  if (current && !isStale)
    return cudaSuccess;
  code = primaryContext(current);
  if (code != cudaSuccess)
    return code;
  boundNumber = contextNumber;
  return cuCtxSetCurrent(current);
}

Code resetDevice() {
  ++contextNumber;
  CUresult result = cuDevicePrimaryCtxReset_v2(0);
  boundNumber = 0;
  return result == CUDA_SUCCESS ? cuCtxSetCurrent(nullptr) : result;
}

PerThreadDefault::PerThreadDefault() : before(perThreadDefault) {
  perThreadDefault = true;
}
PerThreadDefault::~PerThreadDefault() { perThreadDefault = before; }
bool PerThreadDefault::isActive() { return perThreadDefault; }

CUstream resolve(CUstream stream) {
  if (stream)
    return stream;
  return reinterpret_cast<CUstream>(perThreadDefault ? streamPerThread
                                                     : streamLegacy);
}

} // namespace ptxsim::cudart
