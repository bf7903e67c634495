// Exact sums and products of doubles, and rounding by its definition: what the
// tests of ptxsim/numerics compare with.

#ifndef TCC_TEST_UNIT_PTXSIM_NUMERICS_EXACT_H
#define TCC_TEST_UNIT_PTXSIM_NUMERICS_EXACT_H

#include "tools/ptxsim/numerics/Bits.h"

#include <array>
#include <cstdint>
#include <vector>

namespace ptxsim::numerics::test {

/// A dyadic number in fixed point that holds any sum of products of two finite
/// doubles.
class Exact {
public:
  static Exact of(double value);
  static Exact product(double a, double b);

  Exact plus(const Exact &other) const;
  Exact negated() const;
  bool isZero() const;
  bool isNegative() const { return negative && !isZero(); }

  /// Returns -1, 0 or 1 as `*this` is less than, equal to or above `other`.
  int compare(const Exact &other) const;

  /// Rounds to `precision` bits, of which the last is worth 2^`least` or more,
  /// and to at most `greatest`. Zero is +0.
  double round(int precision, int least, double greatest, Rounding mode) const;

private:
  static constexpr int unitExponent = -2304; ///< Of limbs[0], bit 0.

  void place(unsigned __int128 mantissa, int exponent);
  bool bit(int position) const;
  int compareMagnitude(const Exact &other) const;

  bool negative = false;
  std::array<uint64_t, 72> limbs = {};
};

double roundToF32(const Exact &value, Rounding mode);
double roundToF64(const Exact &value, Rounding mode);
double roundToF16(const Exact &value, Rounding mode);
double roundToBF16(const Exact &value, Rounding mode);

/// All values of a format of at most 19 bits, decoded by the formula of its
/// definition, and the search for the one that a number rounds to.
class Table {
public:
  /// `hasInfinity` is false for e4m3, whose one NaN is the code of all ones.
  Table(unsigned exponentBits, unsigned mantissaBits, bool hasInfinity);

  /// Returns the value of a code; NaN for those of NaN.
  double valueOf(uint32_t code) const;

  /// Returns the code that `value`, no NaN, rounds to; with `finite` the
  /// largest value is the limit.
  uint32_t round(double value, Rounding mode, bool finite) const;

  uint32_t codes() const { return 1u << bits; }

private:
  unsigned exponentBits, mantissaBits, bits;
  bool hasInfinity;
  std::vector<double> positive; ///< By code, the finite ones.
};

/// Numbers that look random, the same in every run.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next();
  /// Any f32, one in two with an exponent within 12 of that of 1.
  float nextF32();
  double nextF64();

private:
  uint64_t state;
};

/// Zeros, subnormals, powers of two, the largest, infinities and NaN, of both
/// signs.
std::vector<float> specialF32();
std::vector<double> specialF64();

} // namespace ptxsim::numerics::test

#endif // TCC_TEST_UNIT_PTXSIM_NUMERICS_EXACT_H
