// The approximate functions of f32 and f64: ex2, lg2, rcp, rsqrt, sqrt, div,
// sin, cos, tanh.
//
// The bounds are those of PTX ISA 9.0, section 9.7.3; results are closer than
// they ask for, so a program that needs an error of hardware's is not found.
// Polynomials are minimax (Remez) for the relative error of the result, their
// arguments reduced so that no step needs more than f32. The errors given were
// measured over all 2^32 arguments against f64.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_APPROXIMATE_H
#define TCC_TOOLS_PTXSIM_NUMERICS_APPROXIMATE_H

#include "tools/ptxsim/numerics/FloatArithmetic.h"
#include "tools/ptxsim/numerics/FloatCompare.h"

namespace ptxsim::numerics {

/// Evaluates a polynomial, highest coefficient first.
template <class Float, class... Rest>
inline Float polynomial(Float x, Float highest, Rest... coefficients) {
  Float value = highest;
  ((value = __builtin_elementwise_fma(value, x, Float(coefficients))), ...);
  return value;
}

/// Returns 2^exponent for an exponent of a normal f32.
inline float powerOfTwo(int32_t exponent) {
  return floatOf(uint32_t(exponent + 127) << 23);
}

/// Computes 2^x without `.ftz`.
inline float exp2Unflushed(float x) {
  // 1.5 * 2^23: adding it rounds to an integer, which its low bits then hold.
  constexpr float shifter = 12582912.0f;
  x = x > 160.0f ? 160.0f : x;
  x = x < -160.0f ? -160.0f : x;
  float shifted = x + shifter;
  int32_t whole = int32_t(bitsOf(shifted) - bitsOf(shifter));
  float part = x - (shifted - shifter);
  float power =
      polynomial(part, 0.000155946777837667308f, 0.0013406644139605307f,
                 0.00961769297264598297f, 0.0555031055040398979f,
                 0.240226527829012395f, 0.69314721496829822f, 1.0f);
  // In two steps: the whole factor may be no f32, and only the second product
  // can round.
  int32_t half = whole >> 1;
  return power * powerOfTwo(half) * powerOfTwo(whole - half);
}

/// `ex2.approx`: at most 2 units in the last place; here 1.02.
template <bool Ftz = false>
inline float exp2Approximate(float x) {
  return finish<Ftz>(exp2Unflushed(x));
}

/// `lg2.approx`: an absolute error of 2^-22 for arguments in (0.5, 2), else a
/// relative one; here a relative one of 2^-22.9 for all.
template <bool Ftz = false>
inline float log2Approximate(float x) {
  x = flush<Ftz>(x);
  bool isSmall = abs(x) < 0x1p-126f;
  float scaled = isSmall ? x * 0x1p24f : x;
  uint32_t bits = bitsOf(scaled);
  // The exponent that leaves a mantissa in [sqrt(1/2), sqrt(2)).
  int32_t exponent = int32_t(bits - 0x3F3504F3) >> 23;
  float t = floatOf(bits - (uint32_t(exponent) << 23)) - 1.0f;
  float slope = polynomial(t, -0.109949478630868162f, 0.186175053386470703f,
                           -0.191062831362227033f, 0.204600613927029293f,
                           -0.239617394607929984f, 0.288567408250435742f,
                           -0.360696649728445182f, 0.48089824106600287f,
                           -0.72134735149755895f, 1.44269504082987552f);
  float whole = float(exponent - (isSmall ? 24 : 0));
  float result = __builtin_elementwise_fma(t, slope, whole);
  result = x == __builtin_inff() ? x : result;
  result = x < 0 ? __builtin_nanf("") : result;
  result = x == 0 ? -__builtin_inff() : result;
  return finish<Ftz>(isNan(x) ? x : result);
}

/// `rcp.approx`: at most 1 unit; here rounded to nearest.
template <bool Ftz = false>
inline float rcpApproximate(float x) {
  return rcp<Rounding::Nearest, Ftz>(x);
}

/// `rsqrt.approx`: a relative error of 2^-22.9; here 2^-23.4.
template <bool Ftz = false>
inline float rsqrtApproximate(float x) {
  return finish<Ftz>(1.0f / __builtin_elementwise_sqrt(flush<Ftz>(x)));
}

/// `sqrt.approx`: a relative error of 2^-23; here rounded to nearest.
template <bool Ftz = false>
inline float sqrtApproximate(float x) {
  return sqrt<Rounding::Nearest, Ftz>(x);
}

/// `div.approx`: at most 2 units for divisors in [2^-126, 2^126]. It multiplies
/// by a reciprocal, which is 0 for larger ones.
template <bool Ftz = false>
inline float divApproximate(float a, float b) {
  a = flush<Ftz>(a);
  b = flush<Ftz>(b);
  bool isLarge = abs(b) > 0x1p126f && abs(b) < __builtin_inff();
  float zero = floatOf(bitsOf(b) & signF32);
  float quotient = isLarge ? a * zero : a / b;
  return finish<Ftz>(quotient);
}

/// `div.full`: at most 2 units; here rounded to nearest.
template <bool Ftz = false>
inline float divFull(float a, float b) {
  return div<Rounding::Nearest, Ftz>(a, b);
}

/// An angle as a number of right angles and the rest, in [-pi/4, pi/4].
struct Angle {
  uint32_t quadrant; ///< Modulo 4 in the lower bits.
  float rest;
};

/// Reduces an angle by right angles. Beyond 2^31 of them, where an f32 no
/// longer tells them apart well, the rest is of no use but in range.
inline Angle reduceAngle(float x) {
  constexpr double rightAngle = 0x1.921fb54442d18p+0;
  constexpr double rightAngleLow = 0x1.1a62633145c07p-54;
  constexpr double shifter = 0x1.8p52;
  double wide = x;
  double shifted =
      __builtin_elementwise_fma(wide, 0x1.45f306dc9c883p-1, shifter);
  double turns = shifted - shifter;
  double rest = __builtin_elementwise_fma(-turns, rightAngle, wide);
  rest = __builtin_elementwise_fma(-turns, rightAngleLow, rest);
  rest = rest > 0.7853982 ? 0.7853982 : rest;
  rest = rest < -0.7853982 ? -0.7853982 : rest;
  return {uint32_t(bitsOf(shifted)), float(rest)};
}

/// Returns sin(x + shift * pi/2).
inline float sinOfQuadrant(float x, uint32_t shift) {
  Angle angle = reduceAngle(x);
  uint32_t quadrant = angle.quadrant + shift;
  float r = angle.rest;
  float z = r * r;
  float sine = polynomial(z, -0.000195172668409025048f, 0.00833217791635838148f,
                          -0.166666549401994891f);
  sine = __builtin_elementwise_fma(r * z, sine, r);
  float cosine =
      polynomial(z, 0.00002443841553779554f, -0.00138873672129400567f,
                 0.0416666468605255029f, -0.5f, 1.0f);
  float result = quadrant & 1 ? cosine : sine;
  result = floatOf(bitsOf(result) ^ (quadrant & 2) << 30);
  return x - x == 0 ? result : x - x; // NaN of infinities
}

/// `sin.approx`: an absolute error of 2^-20.5 in [-2 pi, 2 pi] and of 2^-14.7
/// in [-100 pi, 100 pi]; here 2^-23.7 for angles below 2^31.
template <bool Ftz = false>
inline float sinApproximate(float x) {
  x = flush<Ftz>(x);
  float result = sinOfQuadrant(x, 0);
  return finish<Ftz>(x == 0 ? x : result); // Of -0 as well.
}

/// `cos.approx`: with the errors of `sin.approx`.
template <bool Ftz = false>
inline float cosApproximate(float x) {
  return finish<Ftz>(sinOfQuadrant(flush<Ftz>(x), 1));
}

/// `tanh.approx`: a relative error of 2^-11; here 2^-22.3.
inline float tanhApproximate(float x) {
  float magnitude = abs(x);
  float z = x * x;
  float series = polynomial(z, -0.00584334623047666746f, 0.020755519731116463f,
                            -0.0537731559546607743f, 0.133318160697321226f,
                            -0.333332947323091115f);
  float small = __builtin_elementwise_fma(magnitude * z, series, magnitude);
  // 1 - 2 / (e^2x + 1), which is 1 from 10 on.
  float limited = magnitude > 10.0f ? 10.0f : magnitude;
  float power = exp2Unflushed(limited * 2.8853900817779268f);
  float large = 1.0f - 2.0f / (power + 1.0f);
  float result = magnitude < 0.6f ? small : large;
  uint32_t sign = bitsOf(x) & signF32;
  return canonical(isNan(x) ? x : floatOf(bitsOf(result) | sign));
}

//===----------------------------------------------------------------------===//
// f64

/// Keeps the upper 32 bits, which are all that the gross approximations have.
inline double upperWord(double x) {
  return doubleOf(bitsOf(x) & 0xFFFFFFFF00000000);
}

/// Returns a subnormal f64 as a zero of its sign.
inline double flushF64(double x) {
  return abs(x) < 0x1p-1022 ? doubleOf(bitsOf(x) & signF64) : x;
}

/// Rounds to the upper 32 bits and flushes; NaN becomes the one of the manual.
inline double roundToUpperWord(double x) {
  uint64_t bits = bitsOf(flushF64(x));
  bool isFinite = abs(x) < __builtin_inf();
  double result = upperWord(doubleOf(isFinite ? bits + 0x80000000 : bits));
  return isNan(x) ? doubleOf(0x7FFFFFFF00000000) : result;
}

/// `rcp.approx.ftz.f64`: of the upper word, as upper word.
inline double rcpApproximateF64(double x) {
  return roundToUpperWord(1.0 / flushF64(upperWord(x)));
}

/// `rsqrt.approx.ftz.f64`: of the upper word, as upper word.
inline double rsqrtApproximateFtzF64(double x) {
  return roundToUpperWord(1.0 /
                          __builtin_elementwise_sqrt(flushF64(upperWord(x))));
}

/// `rsqrt.approx.f64`.
inline double rsqrtApproximateF64(double x) {
  return 1.0 / __builtin_elementwise_sqrt(x);
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_APPROXIMATE_H
