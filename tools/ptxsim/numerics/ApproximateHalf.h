// The approximate functions of f16 and bf16: ex2 and tanh.
//
// Source: PTX ISA 9.0, section 9.7.4. Results are the f32 ones rounded, which
// is well within the errors stated there.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_APPROXIMATEHALF_H
#define TCC_TOOLS_PTXSIM_NUMERICS_APPROXIMATEHALF_H

#include "tools/ptxsim/numerics/Approximate.h"
#include "tools/ptxsim/numerics/HalfArithmetic.h"

namespace ptxsim::numerics {

/// `ex2.approx.f16` without and `ex2.approx.ftz.bf16` with Ftz.
template <class H, bool Ftz = false>
inline uint16_t exp2Half(uint16_t x) {
  return flushHalf<H, Ftz>(
      H::narrow(exp2Unflushed(H::widen(flushHalf<H, Ftz>(x)))));
}

/// `tanh.approx`.
template <class H>
inline uint16_t tanhHalf(uint16_t x) {
  return H::narrow(tanhApproximate(H::widen(x)));
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_APPROXIMATEHALF_H
