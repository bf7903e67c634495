// Words for messages.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_MESSAGE_H
#define TCC_TOOLS_PTXSIM_DRIVER_MESSAGE_H

#include "tools/ptxsim/driver/Driver.h"

#include <string>

namespace ptxsim::driver {

/// Returns `value` as in "0x7f12".
std::string hex(uint64_t value);

/// Returns ", which was freed (…)" if `address` once was allocated, else "".
std::string describeFreed(Driver &driver, uint64_t address);

/// Returns "(1, 2, 3)".
std::string tuple(const std::array<uint32_t, 3> &values);

/// Returns the result of a call for a fault of a kernel.
CUresult resultOf(FaultCode code);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_MESSAGE_H
