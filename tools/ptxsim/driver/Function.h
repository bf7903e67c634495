// Attributes of kernels.

#ifndef TCC_TOOLS_PTXSIM_DRIVER_FUNCTION_H
#define TCC_TOOLS_PTXSIM_DRIVER_FUNCTION_H

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

/// Reads an attribute of a kernel with `settings`, of a module of `ptxVersion`.
CUresult getAttribute(const KernelAttributes &attributes,
                      const FunctionSettings &settings, int ptxVersion,
                      CUfunction_attribute attribute, int &value);

/// Changes an attribute of a kernel with `settings`.
CUresult setAttribute(const KernelAttributes &attributes,
                      FunctionSettings &settings,
                      CUfunction_attribute attribute, int value);

} // namespace ptxsim::driver

#endif // TCC_TOOLS_PTXSIM_DRIVER_FUNCTION_H
