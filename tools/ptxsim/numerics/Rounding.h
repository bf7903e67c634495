// Directed rounding of values that are known exactly, as the sum of two f64 or
// as a quotient or root with its residual.
//
// x86 rounds in one mode at a time, and changing it costs more than an
// addition, so f32 results are rounded to nearest and then corrected by one
// unit: f64 holds products of f32 exactly, and the sign of what is left says
// where the exact result lies. f64 has nothing wider and does change the mode.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_ROUNDING_H
#define TCC_TOOLS_PTXSIM_NUMERICS_ROUNDING_H

#include "tools/ptxsim/numerics/Bits.h"

namespace ptxsim::numerics {

/// A value as the unevaluated sum of two floats of which `low` is at most half
/// a unit of `high`.
template <class Float>
struct ExactSum {
  Float high;
  Float low; ///< NaN if `high` is not finite.
};

/// Adds without error (Knuth's TwoSum; Handbook of Floating-Point Arithmetic,
/// 2nd edition, algorithm 4.4).
template <class Float>
inline ExactSum<Float> addExact(Float a, Float b) {
  Float sum = a + b;
  Float rest = sum - a;
  return {sum, (a - (sum - rest)) + (b - rest)};
}

/// Corrects `nearest`, a result rounded to nearest, to the mode R. The exact
/// result is above or below it, or neither if it is exact.
template <Rounding R>
inline float correct(float nearest, bool above, bool below) {
  uint32_t bits = bitsOf(nearest);
  uint32_t negative = bits >> 31;
  // Steps in magnitude: the sign of `nearest` is that of the exact result.
  uint32_t outward = negative ? below : above;
  uint32_t inward = negative ? above : below;
  if constexpr (R == Rounding::Zero)
    return floatOf(bits - inward);
  if constexpr (R == Rounding::Down)
    return floatOf(bits + (negative ? outward : -inward));
  if constexpr (R == Rounding::Up)
    return floatOf(bits + (negative ? -inward : outward));
  if constexpr (R == Rounding::Odd)
    return floatOf(bits & 1 ? bits : bits + outward - inward);
  return nearest;
}

/// Rounds `sum` to f32.
template <Rounding R>
inline float roundToF32(ExactSum<float> sum) {
  return correct<R>(sum.high, sum.low > 0, sum.low < 0);
}

/// Rounds `sum` to f32.
template <Rounding R>
inline float roundToF32(ExactSum<double> sum) {
  float nearest = float(sum.high);
  double back = nearest;
  bool above = back < sum.high || (back == sum.high && sum.low > 0);
  bool below = back > sum.high || (back == sum.high && sum.low < 0);
  return correct<R>(nearest, above, below);
}

/// Rounds `value` to f32.
template <Rounding R>
inline float roundToF32(double value) {
  if constexpr (R == Rounding::Nearest)
    return float(value);
  return roundToF32<R>(ExactSum<double>{value, 0});
}

/// The bits of MXCSR for a mode, all exceptions masked.
template <Rounding R>
constexpr uint32_t mxcsrOf() {
  constexpr uint32_t mode = R == Rounding::Down   ? 1
                            : R == Rounding::Up   ? 2
                            : R == Rounding::Zero ? 3
                                                  : 0;
  return 0x1F80 | mode << 13;
}

// Each of the following is one piece of assembly, since the compiler may move
// an operation of its own across a change of the mode.

template <Rounding R>
inline double addRounded(double a, double b) {
  const uint32_t wanted = mxcsrOf<R>();
  uint32_t before;
  double result;
  asm("vstmxcsr %[before]\n\tvldmxcsr %[wanted]\n\t"
      "vaddsd %[b], %[a], %[result]\n\tvldmxcsr %[before]"
      : [result] "=&x"(result), [before] "=m"(before)
      : [a] "x"(a), [b] "x"(b), [wanted] "m"(wanted));
  return result;
}

template <Rounding R>
inline double mulRounded(double a, double b) {
  const uint32_t wanted = mxcsrOf<R>();
  uint32_t before;
  double result;
  asm("vstmxcsr %[before]\n\tvldmxcsr %[wanted]\n\t"
      "vmulsd %[b], %[a], %[result]\n\tvldmxcsr %[before]"
      : [result] "=&x"(result), [before] "=m"(before)
      : [a] "x"(a), [b] "x"(b), [wanted] "m"(wanted));
  return result;
}

template <Rounding R>
inline double divRounded(double a, double b) {
  const uint32_t wanted = mxcsrOf<R>();
  uint32_t before;
  double result;
  asm("vstmxcsr %[before]\n\tvldmxcsr %[wanted]\n\t"
      "vdivsd %[b], %[a], %[result]\n\tvldmxcsr %[before]"
      : [result] "=&x"(result), [before] "=m"(before)
      : [a] "x"(a), [b] "x"(b), [wanted] "m"(wanted));
  return result;
}

template <Rounding R>
inline double sqrtRounded(double a) {
  const uint32_t wanted = mxcsrOf<R>();
  uint32_t before;
  double result;
  asm("vstmxcsr %[before]\n\tvldmxcsr %[wanted]\n\t"
      "vsqrtsd %[a], %[a], %[result]\n\tvldmxcsr %[before]"
      : [result] "=&x"(result), [before] "=m"(before)
      : [a] "x"(a), [wanted] "m"(wanted));
  return result;
}

template <Rounding R>
inline double fmaRounded(double a, double b, double c) {
  const uint32_t wanted = mxcsrOf<R>();
  uint32_t before;
  asm("vstmxcsr %[before]\n\tvldmxcsr %[wanted]\n\t"
      "vfmadd231sd %[b], %[a], %[c]\n\tvldmxcsr %[before]"
      : [c] "+&x"(c), [before] "=m"(before)
      : [a] "x"(a), [b] "x"(b), [wanted] "m"(wanted));
  return c;
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_ROUNDING_H
