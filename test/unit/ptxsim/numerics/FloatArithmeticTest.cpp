// f32 and f64 arithmetic against exact results, in all rounding modes.

#include "tools/ptxsim/numerics/FloatArithmetic.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <cmath>
#include <gtest/gtest.h>

namespace num = ptxsim::numerics;
using ptxsim::numerics::bitsOf;
using ptxsim::numerics::Clamp;
using ptxsim::numerics::floatOf;
using ptxsim::numerics::Rounding;
using ptxsim::numerics::test::Exact;
using ptxsim::numerics::test::Random;
using ptxsim::numerics::test::roundToF32;
using ptxsim::numerics::test::roundToF64;
using ptxsim::numerics::test::specialF32;
using ptxsim::numerics::test::specialF64;

/// Rounds a * b + c by definition, for finite operands. `sum` says whether an
/// exact zero has the sign of a sum or of a product.
template <class Float>
static Float expectedFma(Float a, Float b, Float c, Rounding mode, bool sum) {
  Exact exact = Exact::product(a, b).plus(Exact::of(c));
  bool negative = std::signbit(a) != std::signbit(b);
  if (exact.isZero()) {
    if (sum && negative != std::signbit(c))
      negative = mode == Rounding::Down;
    return negative ? Float(-0.0) : Float(0.0);
  }
  double rounded =
      sizeof(Float) == 4 ? roundToF32(exact, mode) : roundToF64(exact, mode);
  return std::copysign(Float(rounded),
                       exact.isNegative() ? Float(-1) : Float(1));
}

static void expectSame(float actual, float expected) {
  if (std::isnan(expected))
    ASSERT_EQ(bitsOf(actual), 0x7FFFFFFFu);
  else
    ASSERT_EQ(bitsOf(actual), bitsOf(expected)) << actual << " " << expected;
}

static void expectSame(double actual, double expected) {
  if (std::isnan(expected))
    ASSERT_TRUE(std::isnan(actual));
  else
    ASSERT_EQ(bitsOf(actual), bitsOf(expected)) << actual << " " << expected;
}

template <Rounding R, class Float>
static void checkFma(Float a, Float b, Float c) {
  bool finite = std::isfinite(a) && std::isfinite(b) && std::isfinite(c);
  expectSame(num::fma<R>(a, b, c),
             finite ? expectedFma(a, b, c, R, true) : std::fma(a, b, c));
}

template <Rounding R, class Float>
static void checkTwoOperands(Float a, Float b) {
  bool finite = std::isfinite(a) && std::isfinite(b);
  expectSame(num::add<R>(a, b),
             finite ? expectedFma(a, Float(1), b, R, true) : a + b);
  expectSame(num::sub<R>(a, b),
             finite ? expectedFma(a, Float(1), -b, R, true) : a - b);
  expectSame(num::mul<R>(a, b),
             finite ? expectedFma(a, b, Float(0), R, false) : a * b);
}

/// Checks that `quotient` is the neighbour of a / b that the mode asks for,
/// by multiplying back.
template <Rounding R, class Float>
static void checkDiv(Float a, Float b) {
  Float quotient = num::div<R>(a, b);
  if (!std::isfinite(a) || !std::isfinite(b) || b == 0)
    return expectSame(quotient, a / b);
  // All in magnitudes; the sign follows from those of the operands.
  bool negative = std::signbit(a) != std::signbit(b);
  ASSERT_EQ(std::signbit(quotient), negative);
  Float magnitude = std::fabs(quotient);
  Exact dividend = Exact::of(std::fabs(a));
  auto times = [&](double x) { return Exact::product(x, std::fabs(b)); };
  Float most = std::numeric_limits<Float>::max();
  bool outward = R == (negative ? Rounding::Down : Rounding::Up);
  if (std::isinf(magnitude)) {
    ASSERT_TRUE(R == Rounding::Nearest || outward);
    ASSERT_LT(times(most).compare(dividend), 0);
    return;
  }
  Float below = std::nextafter(magnitude, Float(0));
  Float above = std::nextafter(magnitude, Float(INFINITY));
  if (R == Rounding::Nearest) {
    // Twice the quotient lies between twice the value and its neighbours.
    Exact twice = dividend.plus(dividend);
    ASSERT_LE(times(below).plus(times(magnitude)).compare(twice), 0);
    if (std::isfinite(above))
      ASSERT_GE(times(above).plus(times(magnitude)).compare(twice), 0);
  } else if (outward) {
    ASSERT_GE(times(magnitude).compare(dividend), 0);
    if (magnitude != 0)
      ASSERT_LT(times(below).compare(dividend), 0);
  } else {
    ASSERT_LE(times(magnitude).compare(dividend), 0);
    if (std::isfinite(above))
      ASSERT_GT(times(above).compare(dividend), 0);
  }
}

template <Rounding R, class Float>
static void checkSqrt(Float a) {
  Float root = num::sqrt<R>(a);
  if (!std::isfinite(a) || a <= 0)
    return expectSame(root, std::sqrt(a));
  Exact radicand = Exact::of(a);
  auto square = [](double x) { return Exact::product(x, x); };
  Float below = std::nextafter(root, Float(0));
  Float above = std::nextafter(root, Float(INFINITY));
  if (R == Rounding::Nearest)
    return expectSame(root, std::sqrt(a));
  if (R == Rounding::Up) {
    ASSERT_GE(square(root).compare(radicand), 0);
    ASSERT_LT(square(below).compare(radicand), 0);
    return;
  }
  ASSERT_LE(square(root).compare(radicand), 0);
  ASSERT_GT(square(above).compare(radicand), 0);
}

template <class Float>
static void checkPair(Float a, Float b) {
  checkTwoOperands<Rounding::Nearest>(a, b);
  checkTwoOperands<Rounding::Zero>(a, b);
  checkTwoOperands<Rounding::Down>(a, b);
  checkTwoOperands<Rounding::Up>(a, b);
  checkDiv<Rounding::Nearest>(a, b);
  checkDiv<Rounding::Zero>(a, b);
  checkDiv<Rounding::Down>(a, b);
  checkDiv<Rounding::Up>(a, b);
}

template <class Float>
static void checkTriple(Float a, Float b, Float c) {
  checkFma<Rounding::Nearest>(a, b, c);
  checkFma<Rounding::Zero>(a, b, c);
  checkFma<Rounding::Down>(a, b, c);
  checkFma<Rounding::Up>(a, b, c);
}

template <class Float>
static void checkRoot(Float a) {
  checkSqrt<Rounding::Nearest>(a);
  checkSqrt<Rounding::Zero>(a);
  checkSqrt<Rounding::Down>(a);
  checkSqrt<Rounding::Up>(a);
}

TEST(FloatArithmeticTest, f32_special_operands) {
  std::vector<float> values = specialF32();
  for (float a : values) {
    checkRoot(a);
    for (float b : values) {
      checkPair(a, b);
      checkTriple(a, b, values[bitsOf(a) % 7]);
      checkTriple(a, b, -a * b);
      if (HasFatalFailure())
        FAIL() << a << " and " << b;
    }
  }
}

TEST(FloatArithmeticTest, f32_random_operands) {
  Random random(3);
  for (int i = 0; i != 20000; ++i) {
    float a = random.nextF32(), b = random.nextF32(), c = random.nextF32();
    checkPair(a, b);
    checkTriple(a, b, c);
    checkTriple(a, b, -a * b); // What is left is tiny.
    checkRoot(std::fabs(a));
    ASSERT_FALSE(HasFatalFailure()) << a << ", " << b << ", " << c;
  }
}

TEST(FloatArithmeticTest, f64_special_operands) {
  std::vector<double> values = specialF64();
  for (double a : values) {
    checkRoot(a);
    for (double b : values) {
      checkPair(a, b);
      checkTriple(a, b, values[bitsOf(a) % 7]);
      checkTriple(a, b, -a * b);
      if (HasFatalFailure())
        FAIL() << a << " and " << b;
    }
  }
}

TEST(FloatArithmeticTest, f64_random_operands) {
  Random random(4);
  for (int i = 0; i != 20000; ++i) {
    double a = random.nextF64(), b = random.nextF64(), c = random.nextF64();
    checkPair(a, b);
    checkTriple(a, b, c);
    checkTriple(a, b, -a * b);
    checkRoot(std::fabs(a));
    ASSERT_FALSE(HasFatalFailure()) << a << ", " << b << ", " << c;
  }
}

TEST(FloatArithmeticTest, f64_nans_are_those_of_the_hardware) {
  volatile double zero = 0, infinity = INFINITY; // Not folded by LLVM.
  EXPECT_EQ(bitsOf(num::mul<Rounding::Nearest>(zero, infinity)),
            0xFFF8000000000000u);
  EXPECT_EQ(bitsOf(num::sub<Rounding::Zero>(infinity, infinity)),
            0xFFF8000000000000u);
}

TEST(FloatArithmeticTest, modes_are_restored) {
  float third = num::div(1.0f, 3.0f);
  num::div<Rounding::Up>(1.0, 3.0);
  volatile double one = 1, three = 3;
  EXPECT_EQ(one / three, 1.0 / 3.0);
  EXPECT_EQ(num::div(1.0f, 3.0f), third);
}

// Operands and results flush with their sign.
TEST(FloatArithmeticTest, ftz) {
  constexpr Rounding rn = Rounding::Nearest;
  float subnormal = 0x1p-127f;
  auto bits = [](float value) { return bitsOf(value); };
  EXPECT_EQ(bits(num::add<rn, true>(subnormal, -0x1p-126f)), 0x80800000u);
  EXPECT_EQ(bits(num::add<rn, false>(subnormal, -0x1p-126f)), 0x80400000u);
  EXPECT_EQ(bits(num::add<rn, true>(0x1.8p-126f, -0x1p-126f)), 0u);
  EXPECT_EQ(bits(num::sub<rn, true>(0x1p-126f, 0x1.8p-126f)), 0x80000000u);
  EXPECT_EQ(bits(num::mul<rn, true>(-0x1p-100f, 0x1p-27f)), 0x80000000u);
  EXPECT_EQ(bits(num::mul<rn, true>(-subnormal, 0x1p20f)), 0x80000000u);
  EXPECT_EQ(bits(num::fma<rn, true>(subnormal, 0x1p60f, 1.0f)), 0x3F800000u);
  EXPECT_EQ(bits(num::fma<rn, true>(1.0f, 0x1p-100f, -subnormal)),
            bitsOf(0x1p-100f));
  EXPECT_EQ(bits(num::fma<rn, true>(0x1p-64f, 0x1p-63f, 0.0f)), 0u);
  EXPECT_EQ(bits(num::fma<Rounding::Up, true>(0x1p-64f, 0x1p-63f, 0.0f)), 0u);
  EXPECT_EQ(bits(num::div<rn, true>(1.0f, -subnormal)), 0xFF800000u);
  EXPECT_EQ(bits(num::div<rn, true>(subnormal, subnormal)), 0x7FFFFFFFu);
  EXPECT_EQ(bits(num::rcp<rn, true>(0x1.8p126f)), 0u);
  EXPECT_EQ(bits(num::rcp<rn, false>(0x1p127f)), 0x00400000u);
  EXPECT_EQ(bits(num::sqrt<rn, true>(-subnormal)), 0x80000000u);
  EXPECT_EQ(bits(num::sqrt<rn, false>(-subnormal)), 0x7FFFFFFFu);
}

TEST(FloatArithmeticTest, sat) {
  constexpr Rounding rn = Rounding::Nearest;
  constexpr Clamp sat = Clamp::Saturate;
  EXPECT_EQ(bitsOf(num::add<rn, false, sat>(0.75f, 0.5f)), 0x3F800000u);
  EXPECT_EQ(bitsOf(num::add<rn, false, sat>(0.25f, 0.5f)), 0x3F400000u);
  EXPECT_EQ(bitsOf(num::sub<rn, false, sat>(0.25f, 0.5f)), 0u);
  EXPECT_EQ(bitsOf(num::mul<rn, false, sat>(-0.0f, 0.5f)), 0u);
  EXPECT_EQ(bitsOf(num::mul<rn, false, sat>(0.0f, INFINITY)), 0u);
  EXPECT_EQ(bitsOf(num::fma<rn, false, sat>(INFINITY, 1.0f, 0.0f)),
            0x3F800000u);
  EXPECT_EQ(bitsOf(num::fma<rn, false, sat>(NAN, 1.0f, 0.0f)), 0u);
  EXPECT_EQ(bitsOf(num::fma<Rounding::Down, false, sat>(1.0f, 2.0f, 0.0f)),
            0x3F800000u);
}
