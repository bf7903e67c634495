// Libraries: modules that no context owns.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_LIBRARY_H
#define TCC_TOOLS_PTXSIM_DRIVER_LIBRARY_H

#include "tools/ptxsim/driver/Module.h"

namespace ptxsim::driver {

/// Returns the module of `library` in `context`, loaded if it is not yet.
CUresult moduleInContext(Driver &driver,
                         const std::shared_ptr<Library> &library,
                         const std::shared_ptr<Context> &context,
                         std::shared_ptr<Module> &module);

/// Returns the function of `kernel` in `context`.
CUresult functionInContext(Driver &driver, const LibraryKernel &kernel,
                           const std::shared_ptr<Context> &context,
                           std::shared_ptr<Function> &function);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_LIBRARY_H
