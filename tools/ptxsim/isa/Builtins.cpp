// The functions that kernels find without defining them.

#include "tools/ptxsim/isa/Builtins.h"

using namespace ptxsim;

Handler isa::builtin(std::string_view) { return nullptr; }
