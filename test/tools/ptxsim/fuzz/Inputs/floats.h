// What the floating-point instructions of PTX compute, for the differential
// fuzzer. f16, bf16 and f32 are computed as doubles that are rounded to odd,
// from where one more rounding to fewer than half their bits is right in every
// direction; f64 by the processor. Nothing of the simulator is used.

#ifndef PTXSIM_FUZZ_FLOATS_H
#define PTXSIM_FUZZ_FLOATS_H

#include "integers.h"

#include <cfenv>
#include <cmath>

/// A format below f64: its bits of mantissa, least exponent and largest number.
struct Format {
  int bits, mantissa, least;
  double largest;
  u32 nan;
};
inline constexpr Format f16{16, 10, -14, 65504.0, 0x7fff};
inline constexpr Format bf16{16, 7, -126, 0x1.FEp127, 0x7fff};
inline constexpr Format f32{32, 23, -126, 0x1.FFFFFEp127, 0x7fffffff};
inline constexpr Format tf32{32, 10, -126, 0x1.FFCp127, 0x7fffffff};
inline constexpr Format e4m3{8, 3, -6, 448.0, 0x7f};
inline constexpr Format e5m2{8, 2, -14, 57344.0, 0x7f};

constexpr int rn = FE_TONEAREST, rz = FE_TOWARDZERO, rm = FE_DOWNWARD,
              rp = FE_UPWARD;
constexpr int rna = -1; ///< To nearest, ties away from zero; `narrow` only.

/// Rounds in a direction while it lives.
struct Rounding {
  explicit Rounding(int mode) { std::fesetround(mode); }
  ~Rounding() { std::fesetround(FE_TONEAREST); }
};

inline double bitsToDouble(u64 bits) {
  double value;
  std::memcpy(&value, &bits, 8);
  return value;
}
inline u64 doubleToBits(double value) {
  u64 bits;
  std::memcpy(&bits, &value, 8);
  return bits;
}

/// Computes `body` towards zero and, if that is inexact, sets the last bit.
template <typename Body> double toOdd(int mode, Body body) {
  volatile double result;
  {
    Rounding towardsZero(rz);
    std::feclearexcept(FE_ALL_EXCEPT);
    result = body();
    if (std::fetestexcept(FE_INEXACT) && std::isfinite(result))
      return bitsToDouble(doubleToBits(result) | 1);
  }
  if (result == 0) { // The sign of a zero depends on the direction.
    Rounding rounding(mode == rna ? rn : mode);
    result = body();
  }
  return result;
}

/// Reads `bits`; subnormal numbers are zeros if `flushes`.
[[gnu::noinline]] inline double widen(const Format &format, u32 bits, bool flushes = false) {
  // tf32 lies in the upper bits of an f32.
  int mantissa = &format == &tf32 ? 23 : format.mantissa;
  u32 fraction = bits & ((1u << mantissa) - 1);
  int exponentBits = format.bits - 1 - mantissa;
  u32 exponent = bits >> mantissa & ((1u << exponentBits) - 1);
  double sign = bits >> (format.bits - 1) & 1 ? -1 : 1;
  if (format.bits == 8 && format.mantissa == 3) {
    if ((bits & 0x7f) == 0x7f)
      return NAN;
  } else if (exponent == (1u << exponentBits) - 1) {
    return fraction != 0 ? NAN : sign * INFINITY;
  }
  if (exponent == 0)
    return sign * (flushes ? 0 : std::ldexp(fraction, format.least - mantissa));
  return sign * std::ldexp(fraction + (1u << mantissa),
                           format.least - mantissa + int(exponent) - 1);
}

/// How a result becomes bits, beyond its rounding.
struct Finish {
  bool flushes = false; ///< .ftz
  bool sat = false;     ///< .sat: to [0, 1], NaN to 0.
  bool relu = false;    ///< Negative numbers to 0.
  bool finite = false;  ///< .satfinite
};
inline constexpr Finish plain{}, ftz{true}, sat{false, true},
    ftzSat{true, true}, relu{false, false, true}, ftzRelu{true, false, true},
    satfinite{false, false, false, true},
    satfiniteRelu{false, false, true, true};

[[gnu::noinline]] inline double roundToInteger(double x, int mode) {
  if (mode == rna)
    return std::round(x);
  Rounding rounding(mode);
  volatile double result = x;
  return std::nearbyint(result);
}

/// Rounds `value` to `format`.
[[gnu::noinline]] inline u32 narrow(const Format &format, double value, int mode = rn,
                  const Finish &finish = plain) {
  if (std::isnan(value))
    return finish.sat ? 0 : format.nan;
  if (finish.sat)
    value = value < 0 ? 0 : value > 1 ? 1 : value == 0 ? 0 : value;
  if (finish.relu && (value < 0 || value == 0))
    value = 0;
  u32 sign = std::signbit(value) ? 1u << (format.bits - 1) : 0;
  int mantissa = &format == &tf32 ? 23 : format.mantissa;
  u32 top = u32(1) << mantissa;
  int shift = mantissa - format.mantissa;
  // The bits of infinity, or of what is beyond the largest number of e4m3.
  u32 infinity = ((1u << (format.bits - 1 - mantissa)) - 1) << mantissa;
  u32 largest = format.bits == 8 && format.mantissa == 3 ? 0x7e
                : (infinity - 1) & ~((1u << shift) - 1);
  if (format.bits == 8 && format.mantissa == 3)
    infinity = format.nan;
  double magnitude = std::fabs(value);
  if (std::isinf(value))
    return sign | (finish.finite ? largest : infinity);
  if (magnitude == 0)
    return sign;
  int exponent = std::ilogb(magnitude);
  if (exponent < format.least)
    exponent = format.least;
  double units = std::ldexp(value, format.mantissa - exponent);
  double rounded = std::fabs(roundToInteger(units, mode));
  if (std::ldexp(rounded, exponent - format.mantissa) > format.largest) {
    bool staysFinite = mode == rz || (mode == rm && sign == 0) ||
                       (mode == rp && sign != 0) || finish.finite;
    return sign | (staysFinite ? largest : infinity);
  }
  u32 bits = u32(rounded) << shift;
  if (exponent > format.least || bits >= top)
    bits += u32(exponent - format.least) << mantissa;
  if (finish.flushes && bits < top)
    bits = 0;
  return sign | bits;
}

// Arithmetic of the formats below f64.
#define OPERAND(x) widen(format, x, finish.flushes)
[[gnu::noinline]] inline u32 addF(const Format &format, u32 a, u32 b, int mode,
                const Finish &finish) {
  volatile double x = OPERAND(a), y = OPERAND(b);
  return narrow(format, toOdd(mode, [&] { return x + y; }), mode, finish);
}
[[gnu::noinline]] inline u32 subF(const Format &format, u32 a, u32 b, int mode,
                const Finish &finish) {
  volatile double x = OPERAND(a), y = OPERAND(b);
  return narrow(format, toOdd(mode, [&] { return x - y; }), mode, finish);
}
[[gnu::noinline]] inline u32 mulF(const Format &format, u32 a, u32 b, int mode,
                const Finish &finish) {
  volatile double x = OPERAND(a), y = OPERAND(b);
  return narrow(format, toOdd(mode, [&] { return x * y; }), mode, finish);
}
[[gnu::noinline]] inline u32 fmaF(const Format &format, u32 a, u32 b, u32 c, int mode,
                const Finish &finish) {
  volatile double x = OPERAND(a), y = OPERAND(b), z = OPERAND(c);
  return narrow(format, toOdd(mode, [&] { return std::fma(x, y, z); }), mode,
                finish);
}
[[gnu::noinline]] inline u32 divF(const Format &format, u32 a, u32 b, int mode,
                const Finish &finish) {
  volatile double x = OPERAND(a), y = OPERAND(b);
  return narrow(format, toOdd(mode, [&] { return x / y; }), mode, finish);
}
[[gnu::noinline]] inline u32 sqrtF(const Format &format, u32 a, int mode, const Finish &finish) {
  volatile double x = OPERAND(a);
  return narrow(format, toOdd(mode, [&] { return std::sqrt(x); }), mode,
                finish);
}

/// `a < b` where -0 is less than +0.
inline bool isLess(double a, double b) {
  return a < b || (a == b && std::signbit(a) && !std::signbit(b));
}
/// min, or max if `isMax`, of numbers; `spreads` is .NaN.
inline double choose(double a, double b, bool isMax, bool spreads) {
  if (std::isnan(a) || std::isnan(b)) {
    if (spreads || (std::isnan(a) && std::isnan(b)))
      return NAN;
    return std::isnan(a) ? b : a;
  }
  return isLess(a, b) != isMax ? a : b;
}
[[gnu::noinline]] inline u32 chooseF(const Format &format, u32 a, u32 b, bool isMax, bool spreads,
                   const Finish &finish) {
  return narrow(format, choose(OPERAND(a), OPERAND(b), isMax, spreads), rn,
                finish);
}
/// .xorsign.abs: the sign is the product of both.
[[gnu::noinline]] inline u32 chooseXorsign(const Format &format, u32 a, u32 b, bool isMax,
                         bool spreads, const Finish &finish) {
  u32 sign = 1u << (format.bits - 1);
  u32 chosen = narrow(format,
                      choose(std::fabs(OPERAND(a)), std::fabs(OPERAND(b)),
                             isMax, spreads),
                      rn, finish);
  return chosen == format.nan ? chosen : (chosen & ~sign) | ((a ^ b) & sign);
}
/// abs and neg; a NaN becomes the one of the format.
inline u32 absF(const Format &format, u32 a, const Finish &finish) {
  return narrow(format, std::fabs(OPERAND(a)), rn, finish);
}
inline u32 negF(const Format &format, u32 a, const Finish &finish) {
  return narrow(format, -OPERAND(a), rn, finish);
}
#undef OPERAND

/// Applies `body` to both halves of words.
template <typename Body> u32 eachHalf(Body body) {
  return (body(0) & 0xffff) | body(16) << 16;
}

// Arithmetic of f64, whose NaNs all become one.
inline u64 canonical(double value) {
  return std::isnan(value) ? 0x7ff8000000000000 : doubleToBits(value);
}
template <typename Body> u64 inF64(int mode, Body body) {
  Rounding rounding(mode);
  volatile double result = body();
  return canonical(result);
}
[[gnu::noinline]] inline u64 addD(u64 a, u64 b, int mode) {
  volatile double x = bitsToDouble(a), y = bitsToDouble(b);
  return inF64(mode, [&] { return x + y; });
}
[[gnu::noinline]] inline u64 subD(u64 a, u64 b, int mode) {
  volatile double x = bitsToDouble(a), y = bitsToDouble(b);
  return inF64(mode, [&] { return x - y; });
}
[[gnu::noinline]] inline u64 mulD(u64 a, u64 b, int mode) {
  volatile double x = bitsToDouble(a), y = bitsToDouble(b);
  return inF64(mode, [&] { return x * y; });
}
[[gnu::noinline]] inline u64 fmaD(u64 a, u64 b, u64 c, int mode) {
  volatile double x = bitsToDouble(a), y = bitsToDouble(b), z = bitsToDouble(c);
  return inF64(mode, [&] { return std::fma(x, y, z); });
}
[[gnu::noinline]] inline u64 divD(u64 a, u64 b, int mode) {
  volatile double x = bitsToDouble(a), y = bitsToDouble(b);
  return inF64(mode, [&] { return x / y; });
}
[[gnu::noinline]] inline u64 sqrtD(u64 a, int mode) {
  volatile double x = bitsToDouble(a);
  return inF64(mode, [&] { return std::sqrt(x); });
}
[[gnu::noinline]] inline u64 chooseD(u64 a, u64 b, bool isMax) {
  return canonical(choose(bitsToDouble(a), bitsToDouble(b), isMax, false));
}
inline u64 absD(u64 a) { return canonical(std::fabs(bitsToDouble(a))); }
inline u64 negD(u64 a) { return canonical(-bitsToDouble(a)); }

/// Comparisons of PTX, also those that hold if there is no order.
[[gnu::noinline]] inline bool compareF(const char *name, double a, double b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  if (!std::strcmp(name, "num"))
    return !unordered;
  if (!std::strcmp(name, "nan"))
    return unordered;
  if (unordered)
    return name[2] == 'u'; // equ, neu, ltu, …
  const char ordered[3] = {name[0], name[1], 0};
  return compare(ordered, a, b);
}

/// From a number to an integer: clamped, NaN as the manual's table has it.
template <typename T> T toInteger(double value, int mode, bool isF64) {
  if (std::isnan(value))
    return isF64 || bitsOf<T> == 64 ? T(u64(1) << (bitsOf<T> - 1)) : T(0);
  double whole = roundToInteger(value, mode);
  if (whole >= 0x1p100)
    return std::numeric_limits<T>::max();
  if (whole <= -0x1p100)
    return std::numeric_limits<T>::min();
  return clampTo<T>(wide(whole));
}
/// From an integer: exact up to 64 bits, then rounded once.
template <typename T> u32 fromInteger(const Format &format, T value, int mode,
                                      const Finish &finish) {
  volatile T x = value;
  return narrow(format, toOdd(mode, [&] { return double(x); }), mode, finish);
}
template <typename T> u64 integerToF64(T value, int mode) {
  volatile T x = value;
  return inF64(mode, [&] { return double(x); });
}

/// To a whole number in the same format.
inline double whole(double value, int mode) {
  return std::isnan(value) ? value
                           : std::copysign(roundToInteger(value, mode), value);
}

/// testp
inline bool testp(const char *name, double a, bool isSubnormal) {
  switch (name[0]) {
  case 'f':
    return std::isfinite(a);
  case 'i':
    return std::isinf(a);
  case 's':
    return isSubnormal;
  default:
    return name[3] == 'm' ? std::isfinite(a) && a != 0 && !isSubnormal
           : !std::strcmp(name, "number") ? !std::isnan(a)
                                          : std::isnan(a);
  }
}

#endif // PTXSIM_FUZZ_FLOATS_H
