// Calls that are not supported: they say so, once.

#include "tools/ptxsim/cudart/Runtime.h"

#include <atomic>
#include <cstdio>

namespace ptxsim::cudart {

static cudaError_t refuse(const char *name, std::atomic<bool> &told) {
  if (!told.exchange(true))
    std::fprintf(stderr, "ptxsim: %s is not supported\n", name);
  return record(cudaErrorNotSupported);
}

// Their parameters do not matter: nothing looks at them.
#define PTXSIM_MISSING(NAME)                                                   \
  CUDART_API NAME() {                                                          \
    static std::atomic<bool> told{false};                                      \
    return refuse(#NAME, told);                                                \
  }
#include "tools/ptxsim/cudart/Missing.def"
#undef PTXSIM_MISSING

} // namespace ptxsim::cudart
