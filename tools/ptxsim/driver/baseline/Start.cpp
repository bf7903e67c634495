// cuInit, for any x86-64: what runs before it is known that the CPU has the
// instructions that everything else is compiled for.
//
// This folder uses nothing of the others' headers but declarations: an inline
// function that both define might be linked from their objects.

#include "tools/ptxsim/driver/Abi.h"
#include "tools/ptxsim/driver/baseline/Baseline.h"
#include "tools/ptxsim/driver/baseline/HostFaults.h"

#include <cstdio>

namespace ptxsim::driver {

PTXSIM_BASELINE_API cuInit(unsigned flags) {
  if (flags != 0)
    return CUDA_ERROR_INVALID_VALUE;
  if (!hasNeededInstructions()) {
    std::fputs(
        "ptxsim: expected a CPU with AVX2, FMA and BMI2 (x86-64-v3), got "
        "one without\n",
        stderr);
    return CUDA_ERROR_SYSTEM_NOT_READY;
  }
  return initialiseDriver();
}

PTXSIM_BASELINE_API cuDriverGetVersion(int *version) {
  return surviveCaller(__func__, [&] {
    if (!version)
      return CUDA_ERROR_INVALID_VALUE;
    *version = driverVersion;
    return CUDA_SUCCESS;
  });
}

bool hasNeededInstructions() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("f16c");
}

/// Ends the driver when the process ends, after the program's own destructors.
__attribute__((destructor)) static void end() {
  if (hasNeededInstructions())
    shutDownDriver();
}

} // namespace ptxsim::driver
