// What the memory of the process may be used for.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_BASELINE_HOSTMAPS_H
#define TCC_TOOLS_PTXSIM_DRIVER_BASELINE_HOSTMAPS_H

#include <cstdint>

namespace ptxsim::driver {

/// True if a function may begin at `address`. A jump elsewhere is no fault that
/// can be survived: it comes later, on a thread of its own.
bool isExecutable(uint64_t address);

/// True if all of `[address, address + bytes)` may be written. Takes as long as
/// copying a megabyte, so it is for what nobody would write by mistake only.
bool isWritable(uint64_t address, uint64_t bytes);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_BASELINE_HOSTMAPS_H
