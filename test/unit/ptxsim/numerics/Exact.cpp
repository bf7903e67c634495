// Exact sums and products, and rounding by its definition.

#include "test/unit/ptxsim/numerics/Exact.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ptxsim::numerics::test {

/// Splits a finite value into an integer of 53 bits and the exponent of its
/// last bit.
static uint64_t splitMantissa(double value, int &exponent) {
  double fraction = std::frexp(std::fabs(value), &exponent);
  exponent -= 53;
  return uint64_t(std::ldexp(fraction, 53));
}

void Exact::place(unsigned __int128 mantissa, int exponent) {
  int position = exponent - unitExponent;
  int shift = position % 64;
  unsigned __int128 low = mantissa << shift;
  limbs[position / 64] = uint64_t(low);
  limbs[position / 64 + 1] = uint64_t(low >> 64);
  if (shift != 0)
    limbs[position / 64 + 2] = uint64_t(mantissa >> (128 - shift));
}

Exact Exact::of(double value) { return product(value, 1); }

Exact Exact::product(double a, double b) {
  int exponentA, exponentB;
  unsigned __int128 mantissa = splitMantissa(a, exponentA);
  mantissa *= splitMantissa(b, exponentB);
  Exact result;
  result.negative = std::signbit(a) != std::signbit(b);
  if (mantissa != 0)
    result.place(mantissa, exponentA + exponentB);
  return result;
}

Exact Exact::negated() const {
  Exact result = *this;
  result.negative = !negative;
  return result;
}

bool Exact::isZero() const {
  return std::all_of(limbs.begin(), limbs.end(),
                     [](uint64_t limb) { return limb == 0; });
}

int Exact::compareMagnitude(const Exact &other) const {
  for (size_t i = limbs.size(); i-- != 0;)
    if (limbs[i] != other.limbs[i])
      return limbs[i] < other.limbs[i] ? -1 : 1;
  return 0;
}

Exact Exact::plus(const Exact &other) const {
  const Exact &large = compareMagnitude(other) < 0 ? other : *this;
  const Exact &small = compareMagnitude(other) < 0 ? *this : other;
  Exact result = large;
  uint64_t carry = 0;
  for (size_t i = 0; i != limbs.size(); ++i) {
    __int128 digit = negative == other.negative
                         ? (__int128)large.limbs[i] + small.limbs[i] + carry
                         : (__int128)large.limbs[i] - small.limbs[i] - carry;
    result.limbs[i] = uint64_t(digit);
    carry = uint64_t(digit >> 64) & 1;
  }
  return result;
}

int Exact::compare(const Exact &other) const {
  Exact difference = plus(other.negated());
  return difference.isZero() ? 0 : difference.negative ? -1 : 1;
}

bool Exact::bit(int position) const {
  return limbs[position / 64] >> (position % 64) & 1;
}

double Exact::round(int precision, int least, double greatest,
                    Rounding mode) const {
  int limb = int(limbs.size()) - 1;
  while (limb >= 0 && limbs[limb] == 0)
    --limb;
  if (limb < 0)
    return 0;
  int top = 64 * limb + 63;
  while (!bit(top))
    --top;
  int last = std::max(top - precision + 1, least - unitExponent);
  uint64_t kept = 0;
  for (int i = top; i >= last; --i)
    kept = kept << 1 | bit(i);
  bool half = bit(last - 1), rest = false;
  for (int i = 0; i < (last - 1) / 64; ++i)
    rest |= limbs[i] != 0;
  for (int i = (last - 1) / 64 * 64; i < last - 1; ++i)
    rest |= bit(i);

  bool outward = mode == (negative ? Rounding::Down : Rounding::Up);
  if (mode == Rounding::Nearest)
    kept += half && (rest || kept & 1);
  else if (mode == Rounding::NearestAway)
    kept += half;
  else if (outward)
    kept += half || rest;
  double result = std::ldexp(double(kept), last + unitExponent);
  bool staysFinite =
      mode == Rounding::Zero ||
      ((mode == Rounding::Down || mode == Rounding::Up) && !outward);
  if (result > greatest)
    result = staysFinite ? greatest : std::numeric_limits<double>::infinity();
  return negative ? -result : result;
}

double roundToF32(const Exact &value, Rounding mode) {
  return value.round(24, -149, std::numeric_limits<float>::max(), mode);
}
double roundToF64(const Exact &value, Rounding mode) {
  return value.round(53, -1074, std::numeric_limits<double>::max(), mode);
}
double roundToF16(const Exact &value, Rounding mode) {
  return value.round(11, -24, 65504, mode);
}
double roundToBF16(const Exact &value, Rounding mode) {
  return value.round(8, -133, std::ldexp(255, 120), mode);
}

Table::Table(unsigned exponentBits, unsigned mantissaBits, bool hasInfinity)
    : exponentBits(exponentBits), mantissaBits(mantissaBits),
      bits(1 + exponentBits + mantissaBits), hasInfinity(hasInfinity) {
  for (uint32_t code = 0; std::isfinite(valueOf(code)); ++code)
    positive.push_back(valueOf(code));
}

double Table::valueOf(uint32_t code) const {
  uint32_t mantissa = code & ((1u << mantissaBits) - 1);
  uint32_t exponent = code >> mantissaBits & ((1u << exponentBits) - 1);
  int bias = (1 << (exponentBits - 1)) - 1;
  bool allOnes = exponent == (1u << exponentBits) - 1;
  double value = std::ldexp(mantissa, 1 - bias - int(mantissaBits));
  if (exponent != 0)
    value = std::ldexp(mantissa + (1u << mantissaBits),
                       int(exponent) - bias - int(mantissaBits));
  if (hasInfinity && allOnes)
    value = mantissa ? std::nan("") : std::numeric_limits<double>::infinity();
  if (!hasInfinity && allOnes && mantissa == (1u << mantissaBits) - 1)
    value = std::nan("");
  return code >> (bits - 1) ? -value : value;
}

uint32_t Table::round(double value, Rounding mode, bool finite) const {
  uint32_t sign = std::signbit(value) ? 1u << (bits - 1) : 0;
  double magnitude = std::fabs(value);
  uint32_t most = uint32_t(positive.size()) - 1;
  if (std::isinf(value))
    return sign | (finite ? most : most + 1);
  // The neighbours; above the largest stands the next power of two.
  uint32_t above =
      uint32_t(std::lower_bound(positive.begin(), positive.end(), magnitude) -
               positive.begin());
  if (above <= most && positive[above] == magnitude)
    return sign | above;
  uint32_t below = above - 1;
  double ceiling =
      above <= most ? positive[above] : 2 * positive[most] - positive[most - 1];
  double toBelow = magnitude - positive[below];
  double toAbove = ceiling - magnitude;
  uint32_t even = below & 1 ? above : below;
  uint32_t outward =
      sign ? uint32_t(mode == Rounding::Down) : uint32_t(mode == Rounding::Up);
  uint32_t code = below + outward;
  if (mode == Rounding::Nearest || mode == Rounding::NearestAway) {
    code = toBelow < toAbove ? below : above;
    if (toBelow == toAbove)
      code = mode == Rounding::Nearest ? even : above;
  }
  return sign | (finite ? std::min(code, most) : code);
}

uint64_t Random::next() {
  // SplitMix64 (Steele, Lea, Flood 2014).
  uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

float Random::nextF32() {
  uint64_t bits = next();
  if (bits >> 32 & 1)
    return floatOf(uint32_t(bits));
  uint32_t exponent = 115 + uint32_t(bits >> 33) % 25;
  return floatOf((uint32_t(bits) & 0x807FFFFF) | exponent << 23);
}

double Random::nextF64() {
  uint64_t bits = next();
  uint64_t choice = next();
  if (choice & 1)
    return doubleOf(bits);
  uint64_t exponent = 1010 + (choice >> 1) % 27;
  return doubleOf((bits & 0x800FFFFFFFFFFFFF) | exponent << 52);
}

std::vector<float> specialF32() {
  std::vector<float> values;
  for (uint32_t bits :
       {0x00000000u, 0x00000001u, 0x00000002u, 0x00400000u, 0x007FFFFFu,
        0x00800000u, 0x00800001u, 0x00FFFFFFu, 0x01000000u, 0x0C800000u,
        0x1F800000u, 0x33800000u, 0x33800001u, 0x34000000u, 0x3F000000u,
        0x3F7FFFFFu, 0x3F800000u, 0x3F800001u, 0x3FC00000u, 0x40000000u,
        0x4B7FFFFFu, 0x4B800000u, 0x5F800000u, 0x7E800000u, 0x7F000000u,
        0x7F7FFFFEu, 0x7F7FFFFFu, 0x7F800000u, 0x7F800001u, 0x7FC00000u}) {
    values.push_back(floatOf(bits));
    values.push_back(floatOf(bits | signF32));
  }
  return values;
}

std::vector<double> specialF64() {
  std::vector<double> values;
  for (uint64_t bits :
       {uint64_t(0),         uint64_t(1),         0x0008000000000000u,
        0x000FFFFFFFFFFFFFu, 0x0010000000000000u, 0x0010000000000001u,
        0x1FF0000000000000u, 0x3CA0000000000000u, 0x3CA0000000000001u,
        0x3FE0000000000000u, 0x3FEFFFFFFFFFFFFFu, 0x3FF0000000000000u,
        0x3FF0000000000001u, 0x4000000000000000u, 0x433FFFFFFFFFFFFFu,
        0x5FE0000000000000u, 0x7FE0000000000000u, 0x7FEFFFFFFFFFFFFFu,
        0x7FF0000000000000u, 0x7FF8000000000000u}) {
    values.push_back(doubleOf(bits));
    values.push_back(doubleOf(bits | signF64));
  }
  return values;
}

} // namespace ptxsim::numerics::test
