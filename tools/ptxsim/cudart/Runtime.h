// How calls of the runtime API enter the driver, and what the runtime adds to
// it: the last error, a context without asking, and what programs register.

#ifndef TCC_TOOLS_PTXSIM_CUDART_RUNTIME_H
#define TCC_TOOLS_PTXSIM_CUDART_RUNTIME_H

#include "tools/ptxsim/cudart/DriverApi.h"
#include "tools/ptxsim/cudart/RuntimeAbi.h"

/// Begins the definition of a function that programs call.
#define CUDART_API                                                             \
  extern "C" __attribute__((visibility("default"))) ::ptxsim::cudaError_t

/// Begins the definition of a function that takes a stream or means the null
/// stream, and defines its twin, for which that is the thread's.
#define CUDART_STREAM_API(NAME, TWIN, PARAMETERS, ARGUMENTS)                   \
  CUDART_API NAME PARAMETERS;                                                  \
  CUDART_API TWIN PARAMETERS {                                                 \
    ::ptxsim::cudart::PerThreadDefault scope;                                  \
    return NAME ARGUMENTS;                                                     \
  }                                                                            \
  CUDART_API NAME PARAMETERS

namespace ptxsim::cudart {

/// A result of either interface; most have the same number in both.
using Code = uint32_t;

/// Notes `code` as the last error of the thread unless it is none.
cudaError_t record(Code code);

/// Returns the last error of the thread, and forgets it if `forget`.
cudaError_t lastError(bool forget);

/// Initialises the driver, once.
Code initialise();

/// Makes sure that the thread has a context, that of the device if it has none.
Code prepare();

/// Ends the context of the device; threads get a new one with their next call.
Code resetDevice();

/// Runs `body(argument)` for the call `name`: if the caller gave it an address
/// that nothing is at, the driver says so, and the result is
/// cudaErrorInvalidValue.
Code survive(const char *name, Code (*body)(void *), void *argument);

/// Runs `body` for a call that needs no driver.
template <typename Body>
cudaError_t callAlone(Body body, const char *name = __builtin_FUNCTION()) {
  auto run = [](void *it) -> Code { return (*static_cast<Body *>(it))(); };
  return record(survive(name, run, &body));
}

/// Runs `body` for a call that needs the driver.
template <typename Body>
cudaError_t callDriver(Body body, const char *name = __builtin_FUNCTION()) {
  Code code = initialise();
  return code == CUDA_SUCCESS ? callAlone(body, name) : record(code);
}

/// Runs `body` for a call that needs a context.
template <typename Body>
cudaError_t callContext(Body body, const char *name = __builtin_FUNCTION()) {
  Code code = prepare();
  return code == CUDA_SUCCESS ? callAlone(body, name) : record(code);
}

/// Stands for the twin of a call: the null stream is the thread's while it
/// lives.
class PerThreadDefault {
public:
  PerThreadDefault();
  ~PerThreadDefault();
  static bool isActive();

private:
  bool before;
};

/// Returns the stream that a program means by `stream`.
CUstream resolve(CUstream stream);

/// Calls the form of a function of the driver for the null stream in use.
#define CUDART_CALL_TWIN(NAME, TWIN, ...)                                      \
  (::ptxsim::cudart::PerThreadDefault::isActive() ? TWIN(__VA_ARGS__)          \
                                                  : NAME(__VA_ARGS__))

inline CUdeviceptr toAddress(const void *pointer) {
  return reinterpret_cast<CUdeviceptr>(pointer);
}

inline void *toPointer(CUdeviceptr address) {
  return reinterpret_cast<void *>(address);
}

} // namespace ptxsim::cudart

#endif // TCC_TOOLS_PTXSIM_CUDART_RUNTIME_H
