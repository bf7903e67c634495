#include "runtime/cuda/Driver.h"

#include <dlfcn.h>

using namespace tcc;
using namespace tcc::rt::cuda;

static Status unavailable(const std::string &what) {
  return {Status::Code::DeviceUnavailable, what};
}

template <typename Call>
static bool find(void *library, const char *symbol, Call &call) {
  call = reinterpret_cast<Call>(dlsym(library, symbol));
  return call != nullptr;
}

std::string tcc::rt::cuda::nameOfVersion(int version) {
  return std::to_string(version / 1000) + "." +
         std::to_string(version % 1000 / 10);
}

Status Driver::open(const std::string &path, Driver &result) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return unavailable(std::string("cuda: expected NVIDIA's driver, got ") +
                       dlerror() + "; install the driver or use --device=cpu");
  Driver driver;
#define TCC_CUDA_CALL(name, symbol, ...)                                       \
  if (!find(library, symbol, driver.name))                                     \
    return unavailable(path + ": expected a driver of CUDA 12.0 or newer, "    \
                              "got one without " symbol);
  TCC_CUDA_CALLS(TCC_CUDA_CALL)
#undef TCC_CUDA_CALL
  if (Result code = driver.init(0); code != success)
    return driver.statusOf(code, "cuInit");
  result = driver;
  return {};
}

Status Driver::statusOf(Result result, const std::string &call) const {
  if (result == success)
    return {};
  const char *name = nullptr, *text = nullptr;
  (void)errorName(result, &name);
  (void)errorText(result, &text);
  std::string message = "cuda: " + call + ": " +
                        (name ? name : "error " + std::to_string(result)) +
                        (text ? std::string(": ") + text : "");
  return {result == outOfMemory ? Status::Code::OutOfMemory
                                : Status::Code::DeviceUnavailable,
          message};
}
