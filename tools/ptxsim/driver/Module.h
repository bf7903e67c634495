// Modules: loading, finding what is in them, unloading.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_MODULE_H
#define TCC_TOOLS_PTXSIM_DRIVER_MODULE_H

#include "tools/ptxsim/driver/Driver.h"
#include "tools/ptxsim/driver/Image.h"
#include "tools/ptxsim/driver/JitOptions.h"

namespace ptxsim::driver {

/// Parses `text`, called `name` in messages. Errors go to `log`.
CUresult parseText(std::string text, const std::string &name, std::string &log,
                   std::unique_ptr<ptx::Module> &parsed);

/// Loads `parsed` into `context`. Errors go to `log`.
CUresult loadParsed(Driver &driver, std::unique_ptr<ptx::Module> parsed,
                    const std::shared_ptr<Context> &context,
                    std::shared_ptr<Module> &module, std::string &log);

/// Returns the function of `kernel`, which belongs to `module`.
std::shared_ptr<Function> functionOf(Driver &driver,
                                     const std::shared_ptr<Module> &module,
                                     const Kernel &kernel);

/// Frees `module`, its functions and its variables.
void unloadModule(Call &call, const std::shared_ptr<Module> &module);

/// Finds a function of the current context; `handle` may be that of a kernel of
/// a library, too.
CUresult findFunction(Call &call, CUfunction handle,
                      std::shared_ptr<Function> &function);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_MODULE_H
