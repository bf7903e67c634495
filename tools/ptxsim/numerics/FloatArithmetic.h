// Addition, multiplication, fma, division and roots of f32 and f64 in all
// rounding modes.
//
// Source: PTX ISA 9.0, section 9.7.3. `.ftz` flushes operands and results;
// `.sat` and the canonical NaN apply to f32 only.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_FLOATARITHMETIC_H
#define TCC_TOOLS_PTXSIM_NUMERICS_FLOATARITHMETIC_H

#include "tools/ptxsim/numerics/Bits.h"
#include "tools/ptxsim/numerics/Rounding.h"

namespace ptxsim::numerics {

/// Adds f64 that are f32 or products of two, and rounds to f32.
template <Rounding R>
inline float addToF32(double a, double b) {
  float result = roundToF32<R>(addExact(a, b));
  if constexpr (R == Rounding::Down) {
    // An exact zero is -0 unless both are +0; to nearest it is +0.
    uint32_t sign = uint32_t((bitsOf(a) | bitsOf(b)) >> 32) & signF32;
    result = a + b == 0 ? floatOf(sign) : result;
  }
  return result;
}

template <Rounding R = Rounding::Nearest, bool Ftz = false,
          Clamp C = Clamp::None>
inline float add(float a, float b) {
  a = flush<Ftz>(a);
  b = flush<Ftz>(b);
  if constexpr (R == Rounding::Nearest)
    return finish<Ftz, C>(a + b);
  return finish<Ftz, C>(addToF32<R>(a, b));
}

template <Rounding R = Rounding::Nearest, bool Ftz = false,
          Clamp C = Clamp::None>
inline float sub(float a, float b) {
  return add<R, Ftz, C>(a, -b);
}

template <Rounding R = Rounding::Nearest, bool Ftz = false,
          Clamp C = Clamp::None>
inline float mul(float a, float b) {
  a = flush<Ftz>(a);
  b = flush<Ftz>(b);
  if constexpr (R == Rounding::Nearest)
    return finish<Ftz, C>(a * b);
  return finish<Ftz, C>(roundToF32<R>(double(a) * double(b)));
}

template <Rounding R = Rounding::Nearest, bool Ftz = false,
          Clamp C = Clamp::None>
inline float fma(float a, float b, float c) {
  a = flush<Ftz>(a);
  b = flush<Ftz>(b);
  c = flush<Ftz>(c);
  if constexpr (R == Rounding::Nearest)
    return finish<Ftz, C>(__builtin_elementwise_fma(a, b, c));
  return finish<Ftz, C>(addToF32<R>(double(a) * double(b), c));
}

template <Rounding R = Rounding::Nearest, bool Ftz = false>
inline float div(float a, float b) {
  a = flush<Ftz>(a);
  b = flush<Ftz>(b);
  float nearest = a / b;
  if constexpr (R == Rounding::Nearest)
    return finish<Ftz>(nearest);
  // What is left of a has its exact sign: the product is exact, and nothing
  // near it underflows in f64.
  double rest =
      __builtin_elementwise_fma(-double(nearest), double(b), double(a));
  bool above = b > 0 ? rest > 0 : rest < 0;
  bool below = b > 0 ? rest < 0 : rest > 0;
  return finish<Ftz>(correct<R>(nearest, above, below));
}

template <Rounding R = Rounding::Nearest, bool Ftz = false>
inline float rcp(float a) {
  return div<R, Ftz>(1.0f, a);
}

template <Rounding R = Rounding::Nearest, bool Ftz = false>
inline float sqrt(float a) {
  a = flush<Ftz>(a);
  float nearest = __builtin_elementwise_sqrt(a);
  if constexpr (R == Rounding::Nearest)
    return finish<Ftz>(nearest);
  double root = nearest;
  double rest = __builtin_elementwise_fma(-root, root, double(a));
  return finish<Ftz>(correct<R>(nearest, rest > 0, rest < 0));
}

//===----------------------------------------------------------------------===//
// f64. An invalid operation gives x86's NaN, which is also NVIDIA's
// (0xFFF8000000000000); a NaN operand keeps its payload.

template <Rounding R = Rounding::Nearest>
inline double add(double a, double b) {
  if constexpr (R == Rounding::Nearest)
    return a + b;
  return addRounded<R>(a, b);
}

template <Rounding R = Rounding::Nearest>
inline double sub(double a, double b) {
  return add<R>(a, -b);
}

template <Rounding R = Rounding::Nearest>
inline double mul(double a, double b) {
  if constexpr (R == Rounding::Nearest)
    return a * b;
  return mulRounded<R>(a, b);
}

template <Rounding R = Rounding::Nearest>
inline double fma(double a, double b, double c) {
  if constexpr (R == Rounding::Nearest)
    return __builtin_elementwise_fma(a, b, c);
  return fmaRounded<R>(a, b, c);
}

template <Rounding R = Rounding::Nearest>
inline double div(double a, double b) {
  if constexpr (R == Rounding::Nearest)
    return a / b;
  return divRounded<R>(a, b);
}

template <Rounding R = Rounding::Nearest>
inline double rcp(double a) {
  return div<R>(1.0, a);
}

template <Rounding R = Rounding::Nearest>
inline double sqrt(double a) {
  if constexpr (R == Rounding::Nearest)
    return __builtin_elementwise_sqrt(a);
  return sqrtRounded<R>(a);
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_FLOATARITHMETIC_H
