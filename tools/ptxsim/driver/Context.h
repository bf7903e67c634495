// Contexts: making and ending them.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_CONTEXT_H
#define TCC_TOOLS_PTXSIM_DRIVER_CONTEXT_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

/// Makes a context with its default stream.
std::shared_ptr<Context> createContext(Driver &driver, unsigned flags,
                                       unsigned version);

/// Waits for the work of `context` and ends all that belongs to it.
void destroyContext(Call &call, const std::shared_ptr<Context> &context);

/// Returns the primary context, made if it is not active.
std::shared_ptr<Context> activatePrimary(Driver &driver);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_CONTEXT_H
