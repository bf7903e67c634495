// `cvt`: conversions among integers and floating-point values.
//
// Source: PTX ISA 9.0, section 9.7.9.21. A conversion to an integer always
// saturates to its range; `.ftz` concerns f32 alone.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_CONVERT_H
#define TCC_TOOLS_PTXSIM_NUMERICS_CONVERT_H

#include "tools/ptxsim/numerics/Formats.h"

#include <cstdint>
#include <limits>
#include <type_traits>

namespace ptxsim::numerics {

/// Converts among integers: truncates, extends by the sign of From, or with Sat
/// clamps to the range of To.
template <class To, bool Sat = false, class From>
inline To convertInteger(From value) {
  if constexpr (!Sat)
    return To(value);
  // All ranges fit into 65 bits, so one of two comparisons is idle.
  constexpr To least = std::numeric_limits<To>::min();
  constexpr To most = std::numeric_limits<To>::max();
  if constexpr (std::is_signed_v<From>) {
    if (value < 0) {
      if constexpr (std::is_unsigned_v<To>)
        return 0;
      else
        return int64_t(value) < int64_t(least) ? least : To(value);
    }
  }
  return uint64_t(value) > uint64_t(most) ? most : To(value);
}

/// `.rni`, `.rzi`, `.rmi`, `.rpi`: rounds to an integral value.
template <Rounding R, class Float>
inline Float roundIntegral(Float value) {
  if constexpr (R == Rounding::Zero)
    return __builtin_elementwise_trunc(value);
  if constexpr (R == Rounding::Down)
    return __builtin_elementwise_floor(value);
  if constexpr (R == Rounding::Up)
    return __builtin_elementwise_ceil(value);
  return __builtin_elementwise_roundeven(value);
}

/// Converts to an integer. NaN becomes 0, or the top bit alone if the source is
/// f64 or the result has 64 bits (section 9.7.9.21, "Integer notes").
template <class To, Rounding R, class Float>
inline To toInteger(Float value) {
  using Limits = std::numeric_limits<To>;
  constexpr bool nanIsTopBit = sizeof(To) == 8 || sizeof(Float) == 8;
  constexpr To ofNan =
      nanIsTopBit ? To(uint64_t(1) << (8 * sizeof(To) - 1)) : To(0);
  constexpr Float least = Float(Limits::min());
  // 2^n is exact where 2^n - 1 may not be.
  constexpr Float beyond = Float(Limits::max() / 2 + 1) * 2;
  Float integral = roundIntegral<R>(value);
  bool fits = (integral >= least) & (integral < beyond);
  Float safe = fits ? integral : Float(0);
  using Wide = std::conditional_t<(sizeof(To) < 4), int32_t, To>;
  To result = To(Wide(safe));
  result = integral >= beyond ? Limits::max() : result;
  result = integral < least ? Limits::min() : result;
  return isNan(value) ? ofNan : result;
}

template <class To, Rounding R, bool Ftz>
inline To toIntegerF32(float value) {
  return toInteger<To, R>(flush<Ftz>(value));
}

template <class To, Rounding R, class H>
inline To toIntegerHalf(uint16_t value) {
  return toInteger<To, R>(H::widen(value));
}

/// An integer as the sum of two f64.
inline ExactSum<double> exactSumOf(int64_t value) {
  return addExact(double(value >> 32) * 4294967296.0, double(uint32_t(value)));
}
inline ExactSum<double> exactSumOf(uint64_t value) {
  return addExact(double(uint32_t(value >> 32)) * 4294967296.0,
                  double(uint32_t(value)));
}

/// Converts an integer to f32.
template <Rounding R, class From>
inline float integerToF32(From value) {
  using Wide = std::conditional_t<std::is_signed_v<From>, int64_t, uint64_t>;
  if constexpr (R == Rounding::Nearest || sizeof(From) < 4)
    return float(value);
  else if constexpr (sizeof(From) == 4)
    return roundToF32<R>(double(value));
  else
    return roundToF32<R>(exactSumOf(Wide(value)));
}

/// Converts an integer to f64.
template <Rounding R, class From>
inline double integerToF64(From value) {
  if constexpr (R == Rounding::Nearest || sizeof(From) < 8)
    return double(value);
  uint64_t bits = uint64_t(value);
  double high = std::is_signed_v<From> ? double(int64_t(bits) >> 32)
                                       : double(uint32_t(bits >> 32));
  return addRounded<R>(high * 4294967296.0, double(uint32_t(bits)));
}

/// Converts an integer to f16 or bf16 with one rounding.
template <class H, Rounding R, class From>
inline uint16_t integerToHalf(From value) {
  return H::template narrow<R>(integerToF32<Rounding::Odd>(value));
}

/// Converts f32 to f16 or bf16.
template <class H, Rounding R = Rounding::Nearest, Clamp C = Clamp::None,
          bool Ftz = false, bool SatFinite = false>
inline uint16_t f32ToHalf(float value) {
  return H::template narrow<R, SatFinite>(clamp<C>(flush<Ftz>(value)));
}

/// Converts f16 or bf16 to f32.
template <class H, Clamp C = Clamp::None, bool Ftz = false>
inline float halfToF32(uint16_t bits) {
  return finish<Ftz, C>(H::widen(bits));
}

/// Converts f64 to f16 or bf16; through f32 rounded to odd, which rounds once.
template <class H, Rounding R = Rounding::Nearest, Clamp C = Clamp::None>
inline uint16_t f64ToHalf(double value) {
  return H::template narrow<R>(clamp<C>(roundToF32<Rounding::Odd>(value)));
}

/// Converts between f16 and bf16, or rounds within one of them.
template <class To, class From, Rounding R = Rounding::Nearest,
          Clamp C = Clamp::None>
inline uint16_t halfToHalf(uint16_t bits) {
  return To::template narrow<R>(clamp<C>(From::widen(bits)));
}

/// Converts f64 to f32; a NaN keeps the upper part of its payload, as ptxas
/// folds it.
template <Rounding R = Rounding::Nearest, Clamp C = Clamp::None,
          bool Ftz = false>
inline float f64ToF32(double value) {
  return clamp<C>(flush<Ftz>(roundToF32<R>(value)));
}

/// Converts f16 or bf16 to f64; a NaN is the canonical one of f32, widened.
template <class H, Clamp C = Clamp::None>
inline double halfToF64(uint16_t bits) {
  return clamp<C>(double(halfToF32<H>(bits)));
}

/// Converts f32 to f64; a NaN keeps its payload.
template <bool Ftz = false, Clamp C = Clamp::None>
inline double f32ToF64(float value) {
  return clamp<C>(double(flush<Ftz>(value)));
}

/// Rounds to an integral f64, or with `.sat` alone clamps.
template <Rounding R, Clamp C = Clamp::None>
inline double integralF64(double value) {
  return clamp<C>(roundIntegral<R>(value));
}

/// Rounds to an integral f32, f16 or bf16: `cvt.rni.f32.f32` and so on.
template <Rounding R, bool Ftz = false, Clamp C = Clamp::None>
inline float integralF32(float value) {
  return finish<Ftz, C>(roundIntegral<R>(flush<Ftz>(value)));
}
template <class H, Rounding R, Clamp C = Clamp::None>
inline uint16_t integralHalf(uint16_t bits) {
  return H::narrow(clamp<C>(roundIntegral<R>(H::widen(bits))));
}

/// Converts f32 to e4m3 or e5m2; always `.satfinite`.
template <class F8, Clamp C = Clamp::None>
inline uint8_t f32ToF8(float value) {
  return F8::narrow(clamp<C>(value));
}

/// Converts f16 to e4m3 or e5m2; always `.satfinite`.
template <class F8, Clamp C = Clamp::None>
inline uint8_t f16ToF8(uint16_t bits) {
  return F8::narrow(clamp<C>(F16::widen(bits)));
}

/// Converts e4m3 or e5m2 to f16, which is exact.
template <class F8, Clamp C = Clamp::None>
inline uint16_t f8ToF16(uint8_t bits) {
  return F16::narrow(clamp<C>(F8::widen(bits)));
}

/// Converts f32 to tf32.
template <Rounding R, Clamp C = Clamp::None, bool SatFinite = false>
inline uint32_t f32ToTF32(float value) {
  return roundToTF32<R, SatFinite>(clamp<C>(value));
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_CONVERT_H
