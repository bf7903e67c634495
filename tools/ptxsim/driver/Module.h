// Modules from PTX text and fat binaries.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_MODULE_H
#define TCC_TOOLS_PTXSIM_DRIVER_MODULE_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim {

/// The PTX text of an image, or why there is none.
struct ImageText {
  CUresult result = CUDA_SUCCESS;
  std::string text;
  std::string message; ///< If there is none.
};

/// Gets the text out of what cuModuleLoadData takes: a text, a fat binary or
/// the wrapper of one. `image` is not null.
ImageText readImage(const void *image);

/// Loads `text`, called `name` in messages, for the current context. Errors go
/// to `log`.
CUresult loadModule(Call &call, std::string text, const std::string &name,
                    std::shared_ptr<Module> &module, std::string &log);

/// Returns the function of `kernel`, which belongs to `module`.
std::shared_ptr<Function> functionOf(Driver &driver,
                                     const std::shared_ptr<Module> &module,
                                     const Kernel &kernel);

/// Frees `module`, its functions and its variables.
void unloadModule(Call &call, const std::shared_ptr<Module> &module);

/// Finds a function of the current context.
CUresult findFunction(Call &call, CUfunction handle,
                      std::shared_ptr<Function> &function);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_DRIVER_MODULE_H
