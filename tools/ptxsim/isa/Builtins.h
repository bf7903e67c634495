// Functions that the hardware's runtime provides to kernels: vprintf, malloc,
// free, __assertfail.

#ifndef TCC_TOOLS_PTXSIM_ISA_BUILTINS_H
#define TCC_TOOLS_PTXSIM_ISA_BUILTINS_H

#include "tools/ptxsim/core/Op.h"

#include <string_view>

namespace ptxsim::isa {

/// Returns what executes the function, whose arguments are in its frame, or null
/// if there is no such function.
Handler builtin(std::string_view name);

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_ISA_BUILTINS_H
