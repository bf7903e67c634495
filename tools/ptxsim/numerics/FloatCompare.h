// Comparison, minimum, maximum, sign operations and classes of floating-point
// values.
//
// Source: PTX ISA 9.0, sections 9.7.3, 9.7.4 and 9.7.6.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_FLOATCOMPARE_H
#define TCC_TOOLS_PTXSIM_NUMERICS_FLOATCOMPARE_H

#include "tools/ptxsim/numerics/Bits.h"
#include "tools/ptxsim/numerics/HalfArithmetic.h"

#include <type_traits>

namespace ptxsim::numerics {

/// Of `setp` and `set`. The names ending in u are true if an operand is NaN.
enum class Comparison : uint8_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Equ,
  Neu,
  Ltu,
  Leu,
  Gtu,
  Geu,
  Num, ///< Neither is NaN.
  Nan, ///< One is NaN.
};

/// Compares two numbers of one type; for integers only the first six exist, of
/// which `lo`, `ls`, `hi`, `hs` are the unsigned spellings.
template <Comparison C, class T>
inline bool compare(T a, T b) {
  switch (C) {
  case Comparison::Eq:
    return a == b;
  case Comparison::Ne:
    return (a < b) | (a > b);
  case Comparison::Lt:
    return a < b;
  case Comparison::Le:
    return a <= b;
  case Comparison::Gt:
    return a > b;
  case Comparison::Ge:
    return a >= b;
  case Comparison::Equ:
    return !((a < b) | (a > b));
  case Comparison::Neu:
    return a != b;
  case Comparison::Ltu:
    return !(a >= b);
  case Comparison::Leu:
    return !(a > b);
  case Comparison::Gtu:
    return !(a <= b);
  case Comparison::Geu:
    return !(a < b);
  case Comparison::Num:
    return (a == a) & (b == b);
  case Comparison::Nan:
    return (a != a) | (b != b);
  }
  return false;
}

template <Comparison C, bool Ftz>
inline bool compareF32(float a, float b) {
  return compare<C>(flush<Ftz>(a), flush<Ftz>(b));
}

template <class H, Comparison C, bool Ftz = false>
inline bool compareHalf(uint16_t a, uint16_t b) {
  return compare<C>(H::widen(flushHalf<H, Ftz>(a)),
                    H::widen(flushHalf<H, Ftz>(b)));
}

/// What `.NaN` and `.xorsign.abs` add to `min` and `max`.
enum class NanRule : uint8_t { Ignore, Propagate };
enum class SignRule : uint8_t { Keep, XorOfAbsolute };

/// Picks the smaller or larger of two floating-point values given as bits, with
/// -0 below +0. The result is NaN if both are, or one with `.NaN`.
template <class Bits, bool IsMax, NanRule N, SignRule S>
inline Bits minMaxBits(Bits a, Bits b, Bits infinity, Bits nan) {
  using Signed = std::make_signed_t<Bits>;
  constexpr Bits sign = Bits(Bits(1) << (8 * sizeof(Bits) - 1));
  constexpr Bits magnitude = Bits(~sign);
  Bits xorSign = Bits((a ^ b) & sign);
  if constexpr (S == SignRule::XorOfAbsolute) {
    a &= magnitude;
    b &= magnitude;
  }
  // Negative codes in reverse make the order of the values.
  Signed keyA = Signed(a & sign ? a ^ magnitude : a);
  Signed keyB = Signed(b & sign ? b ^ magnitude : b);
  bool takeA = IsMax ? keyA > keyB : keyA < keyB;
  Bits result = takeA ? a : b;
  if constexpr (S == SignRule::XorOfAbsolute)
    result |= xorSign;

  bool nanA = Bits(a & magnitude) > infinity;
  bool nanB = Bits(b & magnitude) > infinity;
  Bits other = nanA ? b : a;
  if constexpr (S == SignRule::XorOfAbsolute)
    other |= xorSign;
  result = (nanA | nanB) ? other : result;
  bool isNan = N == NanRule::Propagate ? nanA | nanB : nanA & nanB;
  return isNan ? nan : result;
}

template <bool IsMax, bool Ftz = false, NanRule N = NanRule::Ignore,
          SignRule S = SignRule::Keep>
inline float minMax(float a, float b) {
  return floatOf(minMaxBits<uint32_t, IsMax, N, S>(
      bitsOf(flush<Ftz>(a)), bitsOf(flush<Ftz>(b)), 0x7F800000,
      canonicalNanF32));
}

template <bool IsMax>
inline double minMax(double a, double b) {
  return doubleOf(minMaxBits<uint64_t, IsMax, NanRule::Ignore, SignRule::Keep>(
      bitsOf(a), bitsOf(b), 0x7FF0000000000000, 0x7FF8000000000000));
}

template <class H, bool IsMax, bool Ftz = false, NanRule N = NanRule::Ignore,
          SignRule S = SignRule::Keep>
inline uint16_t minMaxHalf(uint16_t a, uint16_t b) {
  return minMaxBits<uint16_t, IsMax, N, S>(flushHalf<H, Ftz>(a),
                                           flushHalf<H, Ftz>(b), H::infinity,
                                           canonicalNanHalf);
}

/// `neg`, `abs`: of the sign bit alone, also of NaN.
template <bool Ftz = false>
inline float neg(float a) {
  return floatOf(bitsOf(flush<Ftz>(a)) ^ signF32);
}
template <bool Ftz = false>
inline float abs(float a) {
  return floatOf(bitsOf(flush<Ftz>(a)) & ~signF32);
}
inline double neg(double a) { return doubleOf(bitsOf(a) ^ signF64); }
inline double abs(double a) { return doubleOf(bitsOf(a) & ~signF64); }

/// Returns `magnitude` with the sign of `sign`; `copysign d, sign, magnitude`.
inline float copySign(float sign, float magnitude) {
  return floatOf((bitsOf(sign) & signF32) | (bitsOf(magnitude) & ~signF32));
}
inline double copySign(double sign, double magnitude) {
  return doubleOf((bitsOf(sign) & signF64) | (bitsOf(magnitude) & ~signF64));
}

/// Of `testp`.
enum class FloatClass : uint8_t {
  Finite,
  Infinite,
  Number,
  NotANumber,
  Normal,
  Subnormal,
};

template <FloatClass C, class Bits>
inline bool isOfClass(Bits magnitude, Bits leastNormal, Bits infinity) {
  switch (C) {
  case FloatClass::Finite:
    return magnitude < infinity;
  case FloatClass::Infinite:
    return magnitude == infinity;
  case FloatClass::Number:
    return magnitude <= infinity;
  case FloatClass::NotANumber:
    return magnitude > infinity;
  case FloatClass::Normal:
    return (magnitude >= leastNormal) & (magnitude < infinity);
  case FloatClass::Subnormal:
    return (magnitude != 0) & (magnitude < leastNormal);
  }
  return false;
}

template <FloatClass C>
inline bool testFloat(float a) {
  return isOfClass<C, uint32_t>(bitsOf(a) & ~signF32, 0x00800000, 0x7F800000);
}
template <FloatClass C>
inline bool testFloat(double a) {
  return isOfClass<C, uint64_t>(bitsOf(a) & ~signF64, 0x0010000000000000,
                                0x7FF0000000000000);
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_FLOATCOMPARE_H
