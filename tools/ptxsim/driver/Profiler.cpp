// Calls for profilers, of which there is none.

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

PTXSIM_API cuProfilerStart() {
  return withContext([](Call &) -> CUresult { return CUDA_SUCCESS; });
}

PTXSIM_API cuProfilerStop() {
  return withContext([](Call &) -> CUresult { return CUDA_SUCCESS; });
}

} // namespace ptxsim::driver
