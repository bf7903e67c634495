// The approximate functions of f32 and f64 against the bounds of the manual,
// over a sample of all arguments, and their special values.

#include "tools/ptxsim/numerics/Approximate.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>

using namespace ptxsim::numerics;

/// Calls `check` with every 1999th f32 (a prime, so that all exponents and both
/// signs come up with many mantissas) in [-limit, limit].
template <class Check>
static void forSampledF32(float limit, Check check) {
  for (uint64_t bits = 0; bits <= 0xFFFFFFFF; bits += 1999) {
    float x = floatOf(uint32_t(bits));
    if (std::fabs(x) <= limit)
      check(x);
    if (testing::Test::HasFatalFailure())
      return;
  }
}

/// Returns what one unit in the last place of an f32 near `value` is worth.
static double unitOf(double value) {
  int exponent;
  std::frexp(value, &exponent);
  return std::ldexp(1.0, std::max(exponent, -125) - 24);
}

static bool overflows(double value) {
  return std::fabs(value) >= 0x1.ffffffp127;
}

/// Checks an error of at most `units` units in the last place.
static void expectUnits(float actual, double expected, double units, float x) {
  if (overflows(expected)) {
    ASSERT_GE(std::fabs(actual), 0x1.fffffcp127f) << x;
    return;
  }
  ASSERT_LE(std::fabs(actual - expected), units * unitOf(expected)) << x;
}

/// Checks an error relative to a normal result, or in units of a subnormal one.
static void expectRelative(float actual, double expected, double bound,
                           float x) {
  if (std::fabs(expected) < 0x1p-126 || overflows(expected))
    return expectUnits(actual, expected, 1, x);
  ASSERT_LE(std::fabs(actual - expected), bound * std::fabs(expected)) << x;
}

TEST(ApproximateTest, ex2) {
  forSampledF32(INFINITY, [](float x) {
    expectUnits(exp2Approximate(x), std::exp2(double(x)), 2, x);
  });
  EXPECT_EQ(exp2Approximate(-0.0f), 1.0f);
  EXPECT_EQ(exp2Approximate(INFINITY), INFINITY);
  EXPECT_EQ(bitsOf(exp2Approximate(-INFINITY)), 0u);
  EXPECT_EQ(bitsOf(exp2Approximate(-NAN)), 0x7FFFFFFFu);
  EXPECT_EQ(exp2Approximate(-149.0f), 0x1p-149f);
  EXPECT_EQ(exp2Approximate<true>(-127.0f), 0.0f);
  EXPECT_EQ(exp2Approximate<true>(-126.0f), 0x1p-126f);
  EXPECT_EQ(exp2Approximate<true>(0x1p-130f), 1.0f);
  EXPECT_EQ(exp2Approximate(128.0f), INFINITY);
  for (int i = -126; i != 128; ++i)
    EXPECT_EQ(exp2Approximate(float(i)), std::ldexp(1.0f, i));
}

TEST(ApproximateTest, lg2) {
  forSampledF32(INFINITY, [](float x) {
    if (x <= 0 || std::isinf(x))
      return;
    double expected = std::log2(double(x));
    float actual = log2Approximate(x);
    if (x > 0.5f && x < 2.0f)
      ASSERT_LE(std::fabs(actual - expected), 0x1p-22) << x;
    else
      expectRelative(actual, expected, 0x1p-22, x);
  });
  EXPECT_EQ(bitsOf(log2Approximate(1.0f)), 0u);
  EXPECT_EQ(log2Approximate(0.0f), -INFINITY);
  EXPECT_EQ(log2Approximate(-0.0f), -INFINITY);
  EXPECT_EQ(log2Approximate(INFINITY), INFINITY);
  EXPECT_EQ(bitsOf(log2Approximate(-INFINITY)), 0x7FFFFFFFu);
  EXPECT_EQ(bitsOf(log2Approximate(-0x1p-149f)), 0x7FFFFFFFu);
  EXPECT_EQ(bitsOf(log2Approximate(NAN)), 0x7FFFFFFFu);
  EXPECT_EQ(log2Approximate(0x1p-149f), -149.0f);
  EXPECT_EQ(log2Approximate<true>(-0x1p-149f), -INFINITY);
  for (int i = -149; i != 128; ++i)
    EXPECT_EQ(log2Approximate(std::ldexp(1.0f, i)), float(i));
}

TEST(ApproximateTest, rcp_and_roots) {
  forSampledF32(INFINITY, [](float x) {
    expectUnits(rcpApproximate(x), 1.0 / x, 1, x);
    if (x <= 0)
      return;
    expectRelative(rsqrtApproximate(x), 1.0 / std::sqrt(double(x)),
                   std::exp2(-22.9), x);
    expectRelative(sqrtApproximate(x), std::sqrt(double(x)), 0x1p-23, x);
  });
  EXPECT_EQ(rcpApproximate(-0.0f), -INFINITY);
  EXPECT_EQ(bitsOf(rcpApproximate(-INFINITY)), 0x80000000u);
  EXPECT_EQ(rcpApproximate<true>(-0x1p-127f), -INFINITY);
  EXPECT_EQ(bitsOf(rcpApproximate<true>(-0x1p127f)), 0x80000000u);
  EXPECT_EQ(rsqrtApproximate(-0.0f), -INFINITY);
  EXPECT_EQ(rsqrtApproximate(0.0f), INFINITY);
  EXPECT_EQ(rsqrtApproximate(INFINITY), 0.0f);
  EXPECT_EQ(bitsOf(rsqrtApproximate(-1.0f)), 0x7FFFFFFFu);
  EXPECT_EQ(rsqrtApproximate<true>(-0x1p-130f), -INFINITY);
  EXPECT_EQ(bitsOf(sqrtApproximate(-0.0f)), 0x80000000u);
  EXPECT_EQ(bitsOf(sqrtApproximate(-1.0f)), 0x7FFFFFFFu);
}

TEST(ApproximateTest, division) {
  test::Random random(10);
  for (int i = 0; i != 300000; ++i) {
    float a = random.nextF32(), b = random.nextF32();
    if (!std::isfinite(a) || !std::isfinite(b) || b == 0)
      continue;
    double expected = double(a) / b;
    expectUnits(divFull(a, b), expected, 2, b);
    if (std::fabs(b) >= 0x1p-126f && std::fabs(b) <= 0x1p126f)
      expectUnits(divApproximate(a, b), expected, 2, b);
    ASSERT_FALSE(HasFatalFailure());
  }
  // Beyond 2^126 the reciprocal is zero.
  EXPECT_EQ(bitsOf(divApproximate(1e30f, -0x1.8p126f)), 0x80000000u);
  EXPECT_EQ(bitsOf(divApproximate(INFINITY, 0x1p127f)), 0x7FFFFFFFu);
  EXPECT_EQ(divApproximate(INFINITY, 0x1p126f), INFINITY);
  EXPECT_EQ(divApproximate(1.0f, INFINITY), 0.0f);
  EXPECT_EQ(divFull(0x1p120f, 0x1p127f), 0x1p-7f);
  EXPECT_EQ(divApproximate<true>(1.0f, 0x1p-130f), INFINITY);
  EXPECT_EQ(divFull<true>(0x1p-130f, 0x1p-130f) == 1.0f, false);
}

TEST(ApproximateTest, sin_and_cos) {
  const float pi = 3.14159265f;
  forSampledF32(100 * pi, [&](float x) {
    double bound = std::fabs(x) <= 2 * pi ? std::exp2(-20.5) : std::exp2(-14.7);
    ASSERT_LE(std::fabs(sinApproximate(x) - std::sin(double(x))), bound) << x;
    ASSERT_LE(std::fabs(cosApproximate(x) - std::cos(double(x))), bound) << x;
  });
  for (float x : {0x1p31f, -0x1.23456p60f, 0x1.fffffep127f}) {
    EXPECT_LE(std::fabs(sinApproximate(x)), 1.0f);
    EXPECT_LE(std::fabs(cosApproximate(x)), 1.0f);
  }
  EXPECT_EQ(bitsOf(sinApproximate(-0.0f)), 0x80000000u);
  EXPECT_EQ(bitsOf(sinApproximate(0.0f)), 0u);
  EXPECT_EQ(sinApproximate(0x1p-140f), 0x1p-140f);
  EXPECT_EQ(bitsOf(sinApproximate<true>(-0x1p-140f)), 0x80000000u);
  EXPECT_EQ(cosApproximate(-0.0f), 1.0f);
  EXPECT_EQ(bitsOf(sinApproximate(-INFINITY)), 0x7FFFFFFFu);
  EXPECT_EQ(bitsOf(cosApproximate(INFINITY)), 0x7FFFFFFFu);
  EXPECT_EQ(bitsOf(cosApproximate(NAN)), 0x7FFFFFFFu);
}

TEST(ApproximateTest, tanh) {
  forSampledF32(INFINITY, [](float x) {
    expectRelative(tanhApproximate(x), std::tanh(double(x)), 0x1p-11, x);
    ASSERT_LE(std::fabs(tanhApproximate(x)), 1.0f) << x;
  });
  EXPECT_EQ(tanhApproximate(INFINITY), 1.0f);
  EXPECT_EQ(tanhApproximate(-INFINITY), -1.0f);
  EXPECT_EQ(bitsOf(tanhApproximate(-0.0f)), 0x80000000u);
  EXPECT_EQ(tanhApproximate(0x1p-149f), 0x1p-149f);
  EXPECT_EQ(bitsOf(tanhApproximate(-NAN)), 0x7FFFFFFFu);
}

TEST(ApproximateTest, f64) {
  test::Random random(11);
  for (int i = 0; i != 100000; ++i) {
    double x = random.nextF64();
    if (!std::isnormal(x))
      continue;
    double reciprocal = rcpApproximateF64(x);
    ASSERT_EQ(uint32_t(bitsOf(reciprocal)), 0u);
    if (std::isnormal(1 / x))
      ASSERT_LE(std::fabs(reciprocal * x - 1), 0x1p-19) << x;
    else
      ASSERT_EQ(reciprocal, 0.0);
    double root = rsqrtApproximateFtzF64(std::fabs(x));
    ASSERT_EQ(uint32_t(bitsOf(root)), 0u);
    ASSERT_LE(std::fabs(root * root * std::fabs(x) - 1), 0x1p-18) << x;
    double precise = rsqrtApproximateF64(std::fabs(x));
    ASSERT_LE(std::fabs(precise * precise * std::fabs(x) - 1), 0x1p-50) << x;
  }
  EXPECT_EQ(rcpApproximateF64(0x1p-1030), INFINITY);
  EXPECT_EQ(rcpApproximateF64(-0x1p-1030), -INFINITY);
  EXPECT_EQ(rcpApproximateF64(-0.0), -INFINITY);
  EXPECT_EQ(bitsOf(rcpApproximateF64(-INFINITY)), 0x8000000000000000u);
  EXPECT_EQ(bitsOf(rcpApproximateF64(std::nan(""))), 0x7FFFFFFF00000000u);
  EXPECT_EQ(rsqrtApproximateFtzF64(-0x1p-1030), -INFINITY);
  EXPECT_EQ(rsqrtApproximateFtzF64(INFINITY), 0.0);
  EXPECT_EQ(bitsOf(rsqrtApproximateFtzF64(-1.0)), 0x7FFFFFFF00000000u);
  EXPECT_TRUE(std::isnan(rsqrtApproximateF64(-1.0)));
  EXPECT_EQ(rsqrtApproximateF64(-0.0), -INFINITY);
  EXPECT_EQ(rsqrtApproximateF64(0x1p-1074), 0x1p537);
}
