// The small number formats of PTX (f16, bf16, tf32, e4m3, e5m2) and their
// conversions from and to f32.
//
// Source: PTX ISA 9.0, sections 5.2.3 (alternate floating-point formats) and
// 9.7.9 (cvt). Widening is exact. Narrowing from f64 goes through f32 rounded
// to odd, which rounds once.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_FORMATS_H
#define TCC_TOOLS_PTXSIM_NUMERICS_FORMATS_H

#include "tools/ptxsim/numerics/Bits.h"
#include "tools/ptxsim/numerics/Rounding.h"

namespace ptxsim::numerics {

/// How an f32 becomes a format of fewer bits: the layout, and the codes that do
/// not follow from it.
template <unsigned ExponentBits, unsigned MantissaBits, uint32_t MaxFinite,
          uint32_t Infinity, uint32_t Nan>
struct Layout {
  static constexpr unsigned mantissaBits = MantissaBits;
  static constexpr unsigned bits = 1 + ExponentBits + MantissaBits;
  static constexpr uint32_t sign = 1u << (bits - 1);
  static constexpr uint32_t maxFinite = MaxFinite;
  static constexpr uint32_t infinity = Infinity;
  static constexpr uint32_t nan = Nan;
  /// What an f32 has in its exponent for the least normal value.
  static constexpr uint32_t leastExponent =
      127 - ((1u << (ExponentBits - 1)) - 1) + 1;
};

using F16Layout = Layout<5, 10, 0x7BFF, 0x7C00, canonicalNanHalf>;
using BF16Layout = Layout<8, 7, 0x7F7F, 0x7F80, canonicalNanHalf>;
/// A tf32 is the upper 19 bits of an f32. Its NaN is not narrowed.
using TF32Layout = Layout<8, 10, 0x3FBFF, 0x3FC00, 0x3FFFF>;
/// e4m3 has no infinity: what is too large is NaN unless it saturates.
using E4M3Layout = Layout<4, 3, 0x7E, 0x7F, canonicalNanF8>;
using E5M2Layout = Layout<5, 2, 0x7B, 0x7C, canonicalNanF8>;

/// Returns whether a value that is too large rounds to infinity.
template <Rounding R>
inline bool overflowsToInfinity(bool negative) {
  if constexpr (R == Rounding::Zero)
    return false;
  if constexpr (R == Rounding::Down)
    return negative;
  if constexpr (R == Rounding::Up)
    return !negative;
  return true;
}

/// Shifts `value` right by `shift` bits, 1 to 31, and rounds in the mode R as
/// the magnitude of a number of this sign. `value` is below 2^31.
template <Rounding R>
inline uint32_t shiftRounded(uint32_t value, uint32_t shift, bool negative) {
  uint32_t kept = value >> shift;
  uint32_t half = 1u << (shift - 1);
  uint32_t rest = value & (half + half - 1);
  if constexpr (R == Rounding::Nearest)
    return (value + (half - 1) + (kept & 1)) >> shift;
  if constexpr (R == Rounding::NearestAway)
    return (value + half) >> shift;
  if constexpr (R == Rounding::Down)
    return kept + (negative && rest != 0);
  if constexpr (R == Rounding::Up)
    return kept + (!negative && rest != 0);
  return kept;
}

/// Narrows an f32 to layout L. With SatFinite, infinities and what is too large
/// become the largest finite value. NaN is always L's NaN.
template <class L, Rounding R, bool SatFinite = false>
inline uint32_t narrow(float value) {
  static_assert(R != Rounding::Odd, "odd is for what is rounded once more");
  constexpr uint32_t shift = 23 - L::mantissaBits;
  uint32_t bits = bitsOf(value);
  bool negative = bits >> 31;
  uint32_t magnitude = bits & 0x7FFFFFFF;

  // A normal result: the exponent moves along with the mantissa, and a carry
  // of the rounding runs into it.
  uint32_t rebased = magnitude - ((L::leastExponent - 1) << 23);
  uint32_t rounded = shiftRounded<R>(rebased, shift, negative);
  if constexpr (L::leastExponent > 1) {
    uint32_t exponent = magnitude >> 23;
    uint32_t distance = L::leastExponent - exponent;
    uint32_t far = distance < 31 - shift ? distance : 31 - shift;
    uint32_t mantissa = (magnitude & 0x7FFFFF) | (exponent ? 0x800000 : 0);
    uint32_t small = shiftRounded<R>(mantissa, shift + far, negative);
    rounded = exponent < L::leastExponent ? small : rounded;
  }
  bool wasInfinite = magnitude == 0x7F800000;
  bool toInfinity =
      !SatFinite && (wasInfinite || overflowsToInfinity<R>(negative));
  uint32_t large = toInfinity ? L::infinity : L::maxFinite;
  rounded = rounded > L::maxFinite ? large : rounded;
  rounded |= negative ? L::sign : 0;
  return magnitude > 0x7F800000 ? L::nan : rounded;
}

/// f16 as a format of 16-bit registers.
struct F16 {
  /// Exact; a NaN need not be canonical.
  static float widen(uint16_t bits) { return float(bitCast<_Float16>(bits)); }

  template <Rounding R = Rounding::Nearest, bool SatFinite = false>
  static uint16_t narrow(float value) {
    if constexpr (R != Rounding::Nearest || SatFinite)
      return uint16_t(numerics::narrow<F16Layout, R, SatFinite>(value));
    uint16_t bits = bitCast<uint16_t>(_Float16(value)); // One F16C instruction.
    return isNan(value) ? canonicalNanHalf : bits;
  }

  static constexpr uint16_t infinity = 0x7C00;
  static constexpr uint16_t one = 0x3C00;
  /// What holds any product of two values exactly.
  using Product = float;
};

/// bf16 as a format of 16-bit registers.
struct BF16 {
  static float widen(uint16_t bits) { return floatOf(uint32_t(bits) << 16); }

  template <Rounding R = Rounding::Nearest, bool SatFinite = false>
  static uint16_t narrow(float value) {
    return uint16_t(numerics::narrow<BF16Layout, R, SatFinite>(value));
  }

  static constexpr uint16_t infinity = 0x7F80;
  static constexpr uint16_t one = 0x3F80;
  using Product = double; ///< The range of f32 does not suffice.
};

/// e4m3 as bytes.
struct E4M3 {
  static float widen(uint8_t bits) {
    // As f16 the exponent is 8 too small.
    uint16_t half = uint16_t((bits & 0x7F) << 7);
    uint32_t magnitude = bitsOf(F16::widen(half) * 256.0f);
    magnitude = (bits & 0x7F) == 0x7F ? canonicalNanF32 : magnitude;
    return floatOf(magnitude | uint32_t(bits & 0x80) << 24);
  }

  template <Rounding R = Rounding::Nearest, bool SatFinite = true>
  static uint8_t narrow(float value) {
    return uint8_t(numerics::narrow<E4M3Layout, R, SatFinite>(value));
  }
};

/// e5m2 as bytes: the upper half of an f16.
struct E5M2 {
  static float widen(uint8_t bits) {
    return F16::widen(uint16_t(uint16_t(bits) << 8));
  }

  template <Rounding R = Rounding::Nearest, bool SatFinite = true>
  static uint8_t narrow(float value) {
    return uint8_t(numerics::narrow<E5M2Layout, R, SatFinite>(value));
  }
};

/// Rounds an f32 to tf32; the lower 13 bits of the result are zero, except in
/// the canonical NaN.
template <Rounding R, bool SatFinite = false>
inline uint32_t roundToTF32(float value) {
  uint32_t bits = numerics::narrow<TF32Layout, R, SatFinite>(value) << 13;
  return isNan(value) ? canonicalNanF32 : bits;
}

/// What the tensor core reads of a 32-bit register that holds a tf32.
inline float truncateToTF32(uint32_t bits) {
  return floatOf(bits & ~uint32_t(0x1FFF));
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_FORMATS_H
