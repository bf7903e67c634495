// Arithmetic of f16 and bf16 in 16-bit registers; H is F16 or BF16.
//
// Source: PTX ISA 9.0, section 9.7.4. Every operation rounds once, to nearest.
// For the packed types use `mapHalves`.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_HALFARITHMETIC_H
#define TCC_TOOLS_PTXSIM_NUMERICS_HALFARITHMETIC_H

#include "tools/ptxsim/numerics/FloatArithmetic.h"
#include "tools/ptxsim/numerics/Formats.h"

namespace ptxsim::numerics {

inline bool isNanHalf(uint16_t bits, uint16_t infinity) {
  return (bits & 0x7FFF) > infinity;
}

/// With `.ftz`: returns subnormals as zeros of the same sign.
template <class H, bool Ftz>
inline uint16_t flushHalf(uint16_t bits) {
  if constexpr (!Ftz)
    return bits;
  return (bits & H::infinity) ? bits : uint16_t(bits & signHalf);
}

/// Rounds, flushes and clamps a result that has enough bits for one rounding.
template <class H, bool Ftz, Clamp C>
inline uint16_t finishHalf(float value) {
  uint16_t bits = flushHalf<H, Ftz>(H::narrow(value));
  bool isNan = isNanHalf(bits, H::infinity);
  bool isNegative = bits & signHalf;
  if constexpr (C == Clamp::Saturate) {
    // Codes of positive values are in the order of the values.
    uint16_t most = bits < H::one ? bits : H::one;
    return isNan || isNegative ? 0 : most;
  }
  if constexpr (C == Clamp::Relu)
    return isNegative ? 0 : bits; // A canonical NaN has no sign.
  return bits;
}

// Sums and products of two values with 11 bits or less: rounding to 24 bits
// first changes nothing (2p + 2 bits are enough; Figueroa, "When is double
// rounding innocuous?").

template <class H, bool Ftz = false, Clamp C = Clamp::None>
inline uint16_t addHalf(uint16_t a, uint16_t b) {
  return finishHalf<H, Ftz, C>(H::widen(flushHalf<H, Ftz>(a)) +
                               H::widen(flushHalf<H, Ftz>(b)));
}

template <class H, bool Ftz = false, Clamp C = Clamp::None>
inline uint16_t subHalf(uint16_t a, uint16_t b) {
  return finishHalf<H, Ftz, C>(H::widen(flushHalf<H, Ftz>(a)) -
                               H::widen(flushHalf<H, Ftz>(b)));
}

template <class H, bool Ftz = false, Clamp C = Clamp::None>
inline uint16_t mulHalf(uint16_t a, uint16_t b) {
  return finishHalf<H, Ftz, C>(H::widen(flushHalf<H, Ftz>(a)) *
                               H::widen(flushHalf<H, Ftz>(b)));
}

/// A sum with a product may lie beside the middle of two values by less than 24
/// bits show, hence the rounding to odd.
template <class H, bool Ftz = false, Clamp C = Clamp::None>
inline uint16_t fmaHalf(uint16_t a, uint16_t b, uint16_t c) {
  using Product = typename H::Product;
  Product product = Product(H::widen(flushHalf<H, Ftz>(a))) *
                    Product(H::widen(flushHalf<H, Ftz>(b)));
  Product addend = H::widen(flushHalf<H, Ftz>(c));
  return finishHalf<H, Ftz, C>(
      roundToF32<Rounding::Odd>(addExact(product, addend)));
}

/// `fma.oob`: +0 if a factor is the NaN that stands for out of bounds.
template <class H, Clamp C = Clamp::None>
inline uint16_t fmaHalfInBounds(uint16_t a, uint16_t b, uint16_t c) {
  bool isOutside = (a == outOfBoundsNanHalf) | (b == outOfBoundsNanHalf);
  return isOutside ? 0 : fmaHalf<H, false, C>(a, b, c);
}

/// `neg`, `abs`: of the sign bit alone, also of NaN.
template <class H, bool Ftz = false>
inline uint16_t negHalf(uint16_t a) {
  return flushHalf<H, Ftz>(a) ^ signHalf;
}

template <class H, bool Ftz = false>
inline uint16_t absHalf(uint16_t a) {
  return flushHalf<H, Ftz>(a) & 0x7FFF;
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_HALFARITHMETIC_H
