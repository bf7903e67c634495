// The one device.

#include "tools/ptxsim/driver/Driver.h"

#include <cstring>

namespace ptxsim {

PTXSIM_API cuDeviceGet(CUdevice *result, int ordinal) {
  return withDriver([&](Call &) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    if (ordinal != 0)
      return CUDA_ERROR_INVALID_DEVICE;
    *result = 0;
    return CUDA_SUCCESS;
  });
}

PTXSIM_API cuDeviceGetCount(int *result) {
  return withDriver([&](Call &) -> CUresult {
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    *result = 1;
    return CUDA_SUCCESS;
  });
}

} // namespace ptxsim
