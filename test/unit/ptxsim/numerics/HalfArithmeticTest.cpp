// f16 and bf16 arithmetic against exact results.

#include "tools/ptxsim/numerics/HalfArithmetic.h"
#include "tools/ptxsim/numerics/ApproximateHalf.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace ptxsim::numerics;
using ptxsim::numerics::test::Exact;
using ptxsim::numerics::test::Random;
using ptxsim::numerics::test::Table;

namespace {

template <class H>
struct HalfArithmeticTest : testing::Test {
  static constexpr bool isF16 = std::is_same_v<H, F16>;
  Table table = isF16 ? Table(5, 10, true) : Table(8, 7, true);

  /// Rounds a * b + c by definition.
  uint16_t expected(uint16_t a, uint16_t b, uint16_t c, bool isSum) const {
    double x = table.valueOf(a), y = table.valueOf(b), z = table.valueOf(c);
    double special = x * y + (isSum ? z : 0);
    if (std::isnan(special))
      return 0x7FFF;
    if (std::isinf(special))
      return H::infinity | (special < 0 ? 0x8000 : 0);
    Exact exact = Exact::product(x, y).plus(Exact::of(isSum ? z : 0));
    bool negative = std::signbit(x) != std::signbit(y);
    if (exact.isZero())
      return negative && (!isSum || std::signbit(z)) ? 0x8000 : 0;
    double rounded = isF16 ? test::roundToF16(exact, Rounding::Nearest)
                           : test::roundToBF16(exact, Rounding::Nearest);
    uint32_t magnitude =
        table.round(std::fabs(rounded), Rounding::Nearest, false);
    return uint16_t(magnitude | (exact.isNegative() ? 0x8000 : 0));
  }
};

using Halves = testing::Types<F16, BF16>;
TYPED_TEST_SUITE(HalfArithmeticTest, Halves);

/// An operand: any code, or one near 1, or a special one.
uint16_t nextHalf(Random &random, uint16_t one) {
  uint64_t bits = random.next();
  switch (bits >> 32 & 3) {
  case 0:
    return uint16_t(one + (bits & 0xFFF) - 0x800) | uint16_t(bits & 0x8000);
  case 1:
    return uint16_t(bits & 0x83FF); // Zeros, small and subnormal ones.
  default:
    return uint16_t(bits);
  }
}

} // namespace

TYPED_TEST(HalfArithmeticTest, rounds_once) {
  Random random(5);
  for (int i = 0; i != 50000; ++i) {
    uint16_t a = nextHalf(random, TypeParam::one);
    uint16_t b = nextHalf(random, TypeParam::one);
    uint16_t c = nextHalf(random, TypeParam::one);
    uint16_t one = TypeParam::one;
    ASSERT_EQ(addHalf<TypeParam>(a, b), this->expected(a, one, b, true));
    ASSERT_EQ(subHalf<TypeParam>(a, b),
              this->expected(a, one, b ^ 0x8000, true));
    ASSERT_EQ(mulHalf<TypeParam>(a, b), this->expected(a, b, 0, false));
    ASSERT_EQ(fmaHalf<TypeParam>(a, b, c), this->expected(a, b, c, true))
        << a << " * " << b << " + " << c;
  }
}

// A product in the middle of two values and an addend far below it.
TYPED_TEST(HalfArithmeticTest, fma_sees_far_below_a_middle) {
  uint16_t one = TypeParam::one;
  bool isF16 = std::is_same_v<TypeParam, F16>;
  uint16_t b = isF16 ? 0x5BF8 : 0x437E;
  for (uint16_t a = one; a != one + (isF16 ? 0x400 : 0x80); ++a)
    for (uint16_t c : {0x0001, 0x8001, 0x0000})
      ASSERT_EQ(fmaHalf<TypeParam>(a, b, c), this->expected(a, b, c, true));
}

TYPED_TEST(HalfArithmeticTest, saturates) {
  uint16_t one = TypeParam::one, negative = TypeParam::one | 0x8000;
  constexpr Clamp sat = Clamp::Saturate, relu = Clamp::Relu;
  EXPECT_EQ((addHalf<TypeParam, false, sat>(one, one)), one);
  EXPECT_EQ((addHalf<TypeParam, false, sat>(negative, 0)), 0);
  EXPECT_EQ((mulHalf<TypeParam, false, sat>(0x8000, one)), 0);
  EXPECT_EQ((mulHalf<TypeParam, false, sat>(0, TypeParam::infinity)), 0);
  EXPECT_EQ((fmaHalf<TypeParam, false, sat>(TypeParam::infinity, one, 0)), one);
  EXPECT_EQ((fmaHalf<TypeParam, false, relu>(negative, one, 0)), 0);
  EXPECT_EQ((fmaHalf<TypeParam, false, relu>(0x8000, one, 0x8000)), 0);
  EXPECT_EQ((fmaHalf<TypeParam, false, relu>(0, TypeParam::infinity, 0)),
            0x7FFF);
  EXPECT_EQ((fmaHalf<TypeParam, false, relu>(one, one, one)),
            addHalf<TypeParam>(one, one));
}

TEST(HalfArithmeticTest, ftz) {
  EXPECT_EQ((addHalf<F16, true>(0x03FF, 0x8400)), 0x8400);
  EXPECT_EQ((addHalf<F16, false>(0x03FF, 0x8400)), 0x8001);
  EXPECT_EQ((subHalf<F16, true>(0x0400, 0x0600)), 0x8000);
  EXPECT_EQ((mulHalf<F16, true>(0x83FF, 0x7800)), 0x8000);
  EXPECT_EQ((mulHalf<F16, true>(0x0400, 0x3800)), 0x0000);
  EXPECT_EQ((fmaHalf<F16, true>(0x3C00, 0x3C00, 0x03FF)), 0x3C00);
  EXPECT_EQ((negHalf<F16, true>(0x03FF)), 0x8000);
  EXPECT_EQ((absHalf<F16, true>(0x83FF)), 0x0000);
}

TEST(HalfArithmeticTest, signs) {
  EXPECT_EQ(negHalf<F16>(0x3C00), 0xBC00);
  EXPECT_EQ(negHalf<BF16>(0x0001), 0x8001);
  EXPECT_EQ(absHalf<BF16>(0xBF80), 0x3F80);
}

TEST(HalfArithmeticTest, out_of_bounds) {
  EXPECT_EQ((fmaHalfInBounds<F16>(0x7FF7, 0x3C00, 0x3C00)), 0x0000);
  EXPECT_EQ((fmaHalfInBounds<BF16>(0x3F80, 0x7FF7, 0x3F80)), 0x0000);
  EXPECT_EQ((fmaHalfInBounds<F16>(0x3C00, 0x3C00, 0x7FF7)), 0x7FFF);
  EXPECT_EQ((fmaHalfInBounds<F16>(0x3C00, 0x3C00, 0x3C00)), 0x4000);
  EXPECT_EQ((fmaHalfInBounds<F16, Clamp::Relu>(0x3C00, 0xBC00, 0)), 0x0000);
}

TEST(HalfArithmeticTest, packed_halves_are_independent) {
  EXPECT_EQ(mapHalves(addHalf<F16>, 0x3C004000u, 0x3C00C000u), 0x40000000u);
  EXPECT_EQ(mapHalves(fmaHalf<BF16>, 0x3F80BF80u, 0x40004000u, 0x00003F80u),
            0x4000BF80u);
}

// The bounds of the manual over all inputs: 2^-9.9 and 2^-7 relative for ex2,
// 2^-10.987 and 2^-8 absolute for tanh.
TYPED_TEST(HalfArithmeticTest, approximations_within_the_bounds) {
  bool isF16 = this->isF16;
  double leastNormal = isF16 ? 0x1p-14 : 0x1p-126;
  double most = this->table.valueOf(TypeParam::infinity - 1);
  for (uint32_t code = 0; code != 65536; ++code) {
    double x = this->table.valueOf(code);
    uint16_t power = exp2Half<TypeParam, !HalfArithmeticTest<TypeParam>::isF16>(
        uint16_t(code));
    uint16_t tangent = tanhHalf<TypeParam>(uint16_t(code));
    if (std::isnan(x)) {
      ASSERT_EQ(power, 0x7FFF);
      ASSERT_EQ(tangent, 0x7FFF);
      continue;
    }
    double expected = std::exp2(x), actual = this->table.valueOf(power);
    if (expected >= leastNormal && expected <= most)
      ASSERT_LE(std::fabs(actual - expected),
                expected * std::exp2(isF16 ? -9.9 : -7));
    else if (expected > most)
      ASSERT_GE(actual, most);
    else
      ASSERT_LE(actual, leastNormal);
    ASSERT_LE(std::fabs(this->table.valueOf(tangent) - std::tanh(x)),
              std::exp2(isF16 ? -10.987 : -8));
  }
  EXPECT_EQ(exp2Half<TypeParam>(TypeParam::infinity), TypeParam::infinity);
  EXPECT_EQ(exp2Half<TypeParam>(TypeParam::infinity | 0x8000), 0);
  EXPECT_EQ(exp2Half<TypeParam>(0x8000), TypeParam::one);
  EXPECT_EQ(exp2Half<TypeParam>(0x0001), TypeParam::one);
  EXPECT_EQ(tanhHalf<TypeParam>(TypeParam::infinity), TypeParam::one);
  EXPECT_EQ(tanhHalf<TypeParam>(0x8000), 0x8000);
  EXPECT_EQ(tanhHalf<TypeParam>(0x0001), 0x0001);
}
