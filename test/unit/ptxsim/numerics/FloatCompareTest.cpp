// Comparison, minimum and maximum, signs and classes.

#include "tools/ptxsim/numerics/FloatCompare.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace ptxsim::numerics;
using C = Comparison;

static const float nan1 = floatOf(0x7FC00001), nan2 = floatOf(0xFF800001);

/// The twelve ordered and unordered comparisons of (a, b) as bits, Eq first.
template <class T>
static uint32_t allComparisons(T a, T b) {
  uint32_t result = 0;
  result |= compare<C::Eq>(a, b) << 0 | compare<C::Ne>(a, b) << 1;
  result |= compare<C::Lt>(a, b) << 2 | compare<C::Le>(a, b) << 3;
  result |= compare<C::Gt>(a, b) << 4 | compare<C::Ge>(a, b) << 5;
  result |= compare<C::Equ>(a, b) << 6 | compare<C::Neu>(a, b) << 7;
  result |= compare<C::Ltu>(a, b) << 8 | compare<C::Leu>(a, b) << 9;
  result |= compare<C::Gtu>(a, b) << 10 | compare<C::Geu>(a, b) << 11;
  result |= compare<C::Num>(a, b) << 12 | compare<C::Nan>(a, b) << 13;
  return result;
}

TEST(FloatCompareTest, comparisons) {
  // From the top: nan, num, geu, gtu, leu, ltu, neu, equ, ge, gt, le, lt, ne,
  // eq.
  EXPECT_EQ(allComparisons(1.0f, 2.0f), 0b01'0011'1000'1110u);
  EXPECT_EQ(allComparisons(2.0, 1.0), 0b01'1100'1011'0010u);
  EXPECT_EQ(allComparisons(-0.0f, 0.0f), 0b01'1010'0110'1001u);
  EXPECT_EQ(allComparisons(nan1, 0.0f), 0b10'1111'1100'0000u);
  EXPECT_EQ(allComparisons(0.0f, nan2), 0b10'1111'1100'0000u);
  EXPECT_EQ(allComparisons(INFINITY, INFINITY), 0b01'1010'0110'1001u);
}

TEST(FloatCompareTest, flushed_and_half_comparisons) {
  EXPECT_TRUE((compareF32<C::Lt, false>(0.0f, 0x1p-130f)));
  EXPECT_FALSE((compareF32<C::Lt, true>(0.0f, 0x1p-130f)));
  EXPECT_TRUE((compareHalf<F16, C::Gt>(0x0001, 0x0000)));
  EXPECT_FALSE((compareHalf<F16, C::Gt, true>(0x0001, 0x0000)));
  EXPECT_TRUE((compareHalf<BF16, C::Eq>(0x8000, 0x0000)));
  EXPECT_TRUE((compareHalf<BF16, C::Neu>(0x7FFF, 0x7FFF)));
}

/// `min` and `max` as the manual writes them.
static float expectedMinMax(float a, float b, bool isMax, bool propagate,
                            bool xorSign) {
  bool sign = std::signbit(a) != std::signbit(b);
  if (xorSign) {
    a = std::fabs(a);
    b = std::fabs(b);
  }
  float d;
  if ((std::isnan(a) && std::isnan(b)) ||
      (propagate && (std::isnan(a) || std::isnan(b))))
    return floatOf(0x7FFFFFFF);
  if (std::isnan(a))
    d = b;
  else if (std::isnan(b))
    d = a;
  else if (a == b)
    d = std::signbit(a) == isMax ? b : a;
  else
    d = (a < b) == isMax ? b : a;
  return xorSign ? std::copysign(d, sign ? -1.0f : 1.0f) : d;
}

TEST(FloatCompareTest, minimum_and_maximum) {
  constexpr NanRule ignore = NanRule::Ignore, propagate = NanRule::Propagate;
  constexpr SignRule keep = SignRule::Keep, absolute = SignRule::XorOfAbsolute;
  for (float a : test::specialF32())
    for (float b : test::specialF32()) {
      auto expected = [&](bool isMax, bool propagates, bool xorSign) {
        return bitsOf(expectedMinMax(a, b, isMax, propagates, xorSign));
      };
      EXPECT_EQ(bitsOf(minMax<false>(a, b)), expected(false, false, false));
      EXPECT_EQ(bitsOf(minMax<true>(a, b)), expected(true, false, false));
      EXPECT_EQ(bitsOf(minMax<true, false, propagate>(a, b)),
                expected(true, true, false));
      EXPECT_EQ(bitsOf(minMax<false, false, ignore, absolute>(a, b)),
                expected(false, false, true));
      EXPECT_EQ(bitsOf(minMax<true, false, propagate, absolute>(a, b)),
                expected(true, true, true));
    }
  EXPECT_EQ(bitsOf(minMax<true, true, ignore, keep>(0x1p-130f, -1.0f)), 0u);
  EXPECT_EQ(bitsOf(minMax<false, true, ignore, keep>(-0x1p-130f, 1.0f)),
            0x80000000u);
}

TEST(FloatCompareTest, minimum_and_maximum_of_other_types) {
  EXPECT_EQ(minMax<false>(2.0, -3.0), -3.0);
  EXPECT_EQ(minMax<true>(2.0, std::nan("")), 2.0);
  EXPECT_TRUE(std::signbit(minMax<false>(0.0, -0.0)));
  EXPECT_FALSE(std::signbit(minMax<true>(-0.0, 0.0)));
  EXPECT_TRUE(std::isnan(minMax<true>(std::nan(""), std::nan(""))));
  EXPECT_EQ((minMaxHalf<F16, true>(0x3C00, 0xC000)), 0x3C00);
  EXPECT_EQ((minMaxHalf<BF16, false>(0x8000, 0x0000)), 0x8000);
  EXPECT_EQ((minMaxHalf<F16, false>(0x7E00, 0x3C00)), 0x3C00);
  EXPECT_EQ((minMaxHalf<BF16, false>(0x7F81, 0xFFFF)), 0x7FFF);
  EXPECT_EQ((minMaxHalf<F16, true, true>(0x0001, 0x8000)), 0x0000);
  EXPECT_EQ((minMaxHalf<F16, true, false, NanRule::Propagate>(0x3C00, 0x7C01)),
            0x7FFF);
  EXPECT_EQ(
      (minMaxHalf<BF16, true, false, NanRule::Ignore, SignRule::XorOfAbsolute>(
          0xC000, 0x3F80)),
      0xC000);
}

TEST(FloatCompareTest, signs) {
  EXPECT_EQ(bitsOf(neg(nan1)), 0xFFC00001u);
  EXPECT_EQ(bitsOf(neg<true>(0x1p-130f)), 0x80000000u);
  EXPECT_EQ(bitsOf(ptxsim::numerics::abs(-0.0f)), 0u);
  EXPECT_EQ(bitsOf(ptxsim::numerics::abs<true>(-0x1p-130f)), 0u);
  EXPECT_EQ(bitsOf(ptxsim::numerics::abs(-2.5)), bitsOf(2.5));
  EXPECT_EQ(bitsOf(neg(2.5)), bitsOf(-2.5));
  EXPECT_EQ(copySign(-1.0f, 3.0f), -3.0f);
  EXPECT_EQ(copySign(1.0, -3.0), 3.0);
}

template <class Float>
static uint32_t classesOf(Float value) {
  using F = FloatClass;
  return testFloat<F::Finite>(value) | testFloat<F::Infinite>(value) << 1 |
         testFloat<F::Number>(value) << 2 |
         testFloat<F::NotANumber>(value) << 3 |
         testFloat<F::Normal>(value) << 4 | testFloat<F::Subnormal>(value) << 5;
}

TEST(FloatCompareTest, classes) {
  auto expectClasses = [](auto value) {
    uint32_t expected = 0;
    switch (std::fpclassify(value)) {
    case FP_ZERO:
      expected = 0b000101;
      break;
    case FP_NORMAL:
      expected = 0b010101;
      break;
    case FP_SUBNORMAL:
      expected = 0b100101;
      break;
    case FP_INFINITE:
      expected = 0b000110;
      break;
    default:
      expected = 0b001000;
    }
    EXPECT_EQ(classesOf(value), expected) << value;
  };
  for (float value : test::specialF32())
    expectClasses(value);
  for (double value : test::specialF64())
    expectClasses(value);
}
