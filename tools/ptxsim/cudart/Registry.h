// What the code that nvcc makes registers before main: fat binaries and the
// kernels and variables in them.

#ifndef TCC_TOOLS_PTXSIM_CUDART_REGISTRY_H
#define TCC_TOOLS_PTXSIM_CUDART_REGISTRY_H

#include "tools/ptxsim/cudart/Runtime.h"

namespace ptxsim::cudart {

/// Finds the kernel that `function` stands for: the address of a function of
/// the host, or a handle of a kernel or function.
Code findKernel(const void *function, CUkernel &kernel);

/// Likewise in the current context.
Code findFunction(const void *function, CUfunction &result);

/// Returns the address of the host for a function of the current context, or
/// null.
const void *findHostFunction(CUfunction function);

/// Finds the variable that `symbol` stands for.
Code findVariable(const void *symbol, CUdeviceptr &address, size_t &bytes);

} // namespace ptxsim::cudart

#endif // TCC_TOOLS_PTXSIM_CUDART_REGISTRY_H
