// cuGetProcAddress.

#include "tools/ptxsim/driver/baseline/Baseline.h"
#include "tools/ptxsim/driver/baseline/HostFaults.h"

#include <cstring>

namespace ptxsim::driver {

/// What our runtime asks for under a name that no function of CUDA has.
static CUresult survive(const char *name, uint32_t (*body)(void *),
                        void *argument) {
  return surviveCaller(name,
                       [&] { return static_cast<CUresult>(body(argument)); });
}

static CUresult getProcAddress(const char *name, void **function, int version,
                               uint64_t flags, uint32_t *status) {
  constexpr uint64_t legacy = 1, perThread = 2;
  if (!name || !function || (flags & ~(legacy | perThread)) != 0 ||
      flags == (legacy | perThread) || version > driverVersion)
    return CUDA_ERROR_INVALID_VALUE;
  if (std::strcmp(name, "ptxsimSurvive") == 0) {
    *function = reinterpret_cast<void *>(survive);
    return CUDA_SUCCESS;
  }
  SearchResult result =
      findEntryPoint(name, version, flags == perThread, *function);
  if (status)
    *status = static_cast<uint32_t>(result);
  return CUDA_SUCCESS;
}

PTXSIM_BASELINE_API cuGetProcAddress_v2(const char *name, void **function,
                                        int version, uint64_t flags,
                                        uint32_t *status) {
  return surviveCaller(__func__, [&] {
    return getProcAddress(name, function, version, flags, status);
  });
}

PTXSIM_BASELINE_API cuGetProcAddress(const char *name, void **function,
                                     int version, uint64_t flags) {
  return surviveCaller(__func__, [&] {
    CUresult result = getProcAddress(name, function, version, flags, nullptr);
    return result == CUDA_SUCCESS && !*function ? CUDA_ERROR_NOT_FOUND : result;
  });
}

} // namespace ptxsim::driver
