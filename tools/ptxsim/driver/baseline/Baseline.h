// What the part for any x86-64 and the rest of the driver know of each other.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_BASELINE_BASELINE_H
#define TCC_TOOLS_PTXSIM_DRIVER_BASELINE_BASELINE_H

#include "tools/ptxsim/driver/Abi.h"

/// Begins the definition of a function that programs call.
#define PTXSIM_BASELINE_API                                                    \
  extern "C" __attribute__((visibility("default"))) ::ptxsim::CUresult

namespace ptxsim::driver {

/// True if the CPU has what the rest of the driver is compiled for.
bool hasNeededInstructions();

/// Makes the driver, once. Needs the instructions.
CUresult initialiseDriver();

/// Ends it, if there is one. Needs the instructions.
void shutDownDriver();

/// What became of a search for a function: CUdriverProcAddressQueryResult.
enum class SearchResult : uint32_t { Found = 0, NotFound = 1, TooOld = 2 };

/// Finds the newest version of a function that is not newer than `version`;
/// that for the streams of threads if `isPerThread` and there is one.
/// `function` is null if there is none.
SearchResult findEntryPoint(const char *name, int version, bool isPerThread,
                            void *&function);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_BASELINE_BASELINE_H
