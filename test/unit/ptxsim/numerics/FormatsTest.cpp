// Conversions between f32, f64 and the small formats, over all codes; those of
// f16 and bf16 without a code of more bits are in HalfCodesTest.cpp.

#include "tools/ptxsim/numerics/Convert.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace ptxsim::numerics;
using ptxsim::numerics::test::Random;
using ptxsim::numerics::test::Table;

namespace {

/// Adapts a format to the tests: how it narrows, and its table.
struct F16Case {
  static Table table() { return Table(5, 10, true); }
  static constexpr uint32_t nan = 0x7FFF;
  static float widen(uint32_t code) { return F16::widen(uint16_t(code)); }
  template <Rounding R, bool SatFinite>
  static uint32_t narrow(float value) {
    return F16::narrow<R, SatFinite>(value);
  }
};
struct BF16Case {
  static Table table() { return Table(8, 7, true); }
  static constexpr uint32_t nan = 0x7FFF;
  static float widen(uint32_t code) { return BF16::widen(uint16_t(code)); }
  template <Rounding R, bool SatFinite>
  static uint32_t narrow(float value) {
    return BF16::narrow<R, SatFinite>(value);
  }
};
struct E4M3Case {
  static Table table() { return Table(4, 3, false); }
  static constexpr uint32_t nan = 0x7F;
  static float widen(uint32_t code) { return E4M3::widen(uint8_t(code)); }
  template <Rounding R, bool SatFinite>
  static uint32_t narrow(float value) {
    return E4M3::narrow<R, SatFinite>(value);
  }
};
struct E5M2Case {
  static Table table() { return Table(5, 2, true); }
  static constexpr uint32_t nan = 0x7F;
  static float widen(uint32_t code) { return E5M2::widen(uint8_t(code)); }
  template <Rounding R, bool SatFinite>
  static uint32_t narrow(float value) {
    return E5M2::narrow<R, SatFinite>(value);
  }
};
struct TF32Case {
  static Table table() { return Table(8, 10, true); }
  static constexpr uint32_t nan = 0x7FFFFFFF >> 13;
  static float widen(uint32_t code) { return floatOf(code << 13); }
  template <Rounding R, bool SatFinite>
  static uint32_t narrow(float value) {
    uint32_t bits = roundToTF32<R, SatFinite>(value);
    if (!std::isnan(value))
      EXPECT_EQ(bits & 0x1FFF, 0u);
    return bits >> 13;
  }
};

template <class Format>
class FormatsTest : public testing::Test {};
using Formats = testing::Types<F16Case, BF16Case, E4M3Case, E5M2Case, TF32Case>;
TYPED_TEST_SUITE(FormatsTest, Formats);

} // namespace

template <class Format, Rounding R, bool SatFinite>
static void expectNarrow(const Table &table, float value) {
  if (std::isnan(value)) {
    EXPECT_EQ((Format::template narrow<R, SatFinite>(value)), Format::nan);
    return;
  }
  ASSERT_EQ((Format::template narrow<R, SatFinite>(value)),
            table.round(value, R, SatFinite))
      << value << " in mode " << int(R);
}

template <class Format>
static void expectNarrowInAllModes(const Table &table, float value) {
  for (float signedValue : {value, -value}) {
    expectNarrow<Format, Rounding::Nearest, false>(table, signedValue);
    expectNarrow<Format, Rounding::Nearest, true>(table, signedValue);
    expectNarrow<Format, Rounding::NearestAway, false>(table, signedValue);
    expectNarrow<Format, Rounding::NearestAway, true>(table, signedValue);
    expectNarrow<Format, Rounding::Zero, false>(table, signedValue);
    expectNarrow<Format, Rounding::Zero, true>(table, signedValue);
    expectNarrow<Format, Rounding::Down, false>(table, signedValue);
    expectNarrow<Format, Rounding::Up, false>(table, signedValue);
  }
}

TYPED_TEST(FormatsTest, widens_exactly) {
  Table table = TypeParam::table();
  for (uint32_t code = 0; code != table.codes(); ++code) {
    double expected = table.valueOf(code);
    float value = TypeParam::widen(code);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(value)) << code;
    else
      ASSERT_EQ(bitsOf(value), bitsOf(float(expected))) << code;
  }
}

// Every value, every middle between two, and the f32 on both sides of each.
TYPED_TEST(FormatsTest, narrows_at_the_boundaries) {
  Table table = TypeParam::table();
  uint32_t stride = table.codes() > 65536 ? 5 : 1;
  for (uint32_t code = 0; code < table.codes() / 2; code += stride) {
    float value = TypeParam::widen(code);
    if (!std::isfinite(value))
      break;
    double next = table.valueOf(code + 1);
    if (!std::isfinite(next)) // The middle to where infinity stands.
      next = 2 * double(value) - table.valueOf(code - 1);
    float middle = float((double(value) + next) / 2);
    for (float center : {value, middle}) {
      expectNarrowInAllModes<TypeParam>(table, center);
      expectNarrowInAllModes<TypeParam>(table, std::nextafter(center, 0.0f));
      expectNarrowInAllModes<TypeParam>(table,
                                        std::nextafter(center, INFINITY));
    }
    if (this->HasFatalFailure())
      return;
  }
}

TYPED_TEST(FormatsTest, narrows_random_values) {
  Table table = TypeParam::table();
  Random random(1);
  for (int i = 0; i != 200000 && !this->HasFatalFailure(); ++i)
    expectNarrowInAllModes<TypeParam>(table, random.nextF32());
}

TYPED_TEST(FormatsTest, narrows_special_values) {
  Table table = TypeParam::table();
  for (float value : test::specialF32())
    expectNarrowInAllModes<TypeParam>(table, value);
}

template <class Format>
class HalfFromF64Test : public testing::Test {};
using Halves = testing::Types<F16Case, BF16Case>;
TYPED_TEST_SUITE(HalfFromF64Test, Halves);

// Just beside a middle an f32 would already stand on it.
TYPED_TEST(HalfFromF64Test, rounds_once) {
  using H = std::conditional_t<std::is_same_v<TypeParam, F16Case>, F16, BF16>;
  Table table = TypeParam::table();
  for (uint32_t code = 0; code != table.codes() / 2; ++code) {
    double value = table.valueOf(code);
    double next = table.valueOf(code + 1);
    if (!std::isfinite(next))
      break;
    double middle = (value + next) / 2;
    for (double x :
         {middle, std::nextafter(middle, 0.0), std::nextafter(middle, INFINITY),
          value, std::nextafter(value, INFINITY), -middle,
          std::nextafter(-middle, 0.0)}) {
      ASSERT_EQ((f64ToHalf<H, Rounding::Nearest>(x)),
                table.round(x, Rounding::Nearest, false));
      ASSERT_EQ((f64ToHalf<H, Rounding::Zero>(x)),
                table.round(x, Rounding::Zero, false));
      ASSERT_EQ((f64ToHalf<H, Rounding::Down>(x)),
                table.round(x, Rounding::Down, false));
      ASSERT_EQ((f64ToHalf<H, Rounding::Up>(x)),
                table.round(x, Rounding::Up, false));
    }
  }
  for (double x : test::specialF64())
    if (!std::isnan(x))
      EXPECT_EQ((f64ToHalf<H>(x)), table.round(x, Rounding::Nearest, false));
    else
      EXPECT_EQ((f64ToHalf<H>(x)), TypeParam::nan);
}

TEST(FormatsTest, f64_to_f32_in_all_modes) {
  Random random(2);
  auto expectRounded = [](double x) {
    test::Exact exact = test::Exact::of(x);
    auto expected = [&](Rounding mode) {
      double value = test::roundToF32(exact, mode);
      return bitsOf(std::copysign(float(value), float(x)));
    };
    ASSERT_EQ(bitsOf(f64ToF32<Rounding::Nearest>(x)),
              expected(Rounding::Nearest));
    ASSERT_EQ(bitsOf(f64ToF32<Rounding::Zero>(x)), expected(Rounding::Zero));
    ASSERT_EQ(bitsOf(f64ToF32<Rounding::Down>(x)), expected(Rounding::Down));
    ASSERT_EQ(bitsOf(f64ToF32<Rounding::Up>(x)), expected(Rounding::Up));
  };
  for (double x : test::specialF64())
    if (std::isfinite(x))
      expectRounded(x);
  for (int i = 0; i != 20000; ++i) {
    float near = random.nextF32();
    if (!std::isfinite(near))
      continue;
    expectRounded(near);
    expectRounded(std::nextafter(double(near), 0.0));
    expectRounded((double(near) + std::nextafter(near, 0.0f)) / 2);
  }
  // As ptxas 13.0 folds them.
  volatile double payload = doubleOf(0xFFF2345678000001);
  EXPECT_EQ(bitsOf(f64ToF32<Rounding::Nearest>(payload)), 0xFFD1A2B3u);
  EXPECT_EQ(bitsOf(f64ToF32<Rounding::Zero>(payload)), 0xFFD1A2B3u);
  volatile float signalling = floatOf(0xFF800001);
  EXPECT_EQ(bitsOf(f32ToF64(signalling)), 0xFFF8000020000000u);
  EXPECT_EQ(bitsOf(f64ToF32(INFINITY)), 0x7F800000u);
  EXPECT_EQ(bitsOf(f64ToF32<Rounding::Zero>(-INFINITY)), 0xFF800000u);
}

TEST(FormatsTest, modifiers_of_narrowing) {
  // .relu: negative values and -0 to +0, NaN stays.
  EXPECT_EQ((f32ToHalf<F16, Rounding::Nearest, Clamp::Relu>(-1.5f)), 0x0000);
  EXPECT_EQ((f32ToHalf<F16, Rounding::Nearest, Clamp::Relu>(-0.0f)), 0x0000);
  EXPECT_EQ((f32ToHalf<F16, Rounding::Nearest, Clamp::Relu>(1.5f)), 0x3E00);
  EXPECT_EQ((f32ToHalf<BF16, Rounding::Nearest, Clamp::Relu>(-NAN)), 0x7FFF);
  EXPECT_EQ((f32ToF8<E4M3, Clamp::Relu>(-3.0f)), 0x00);
  EXPECT_EQ((f32ToF8<E4M3, Clamp::Relu>(NAN)), 0x7F);
  EXPECT_EQ((f32ToTF32<Rounding::Nearest, Clamp::Relu>(-3.0f)), 0u);
  // .sat: to [0, 1], NaN to +0.
  EXPECT_EQ((f32ToHalf<F16, Rounding::Nearest, Clamp::Saturate>(7.0f)), 0x3C00);
  EXPECT_EQ((f32ToHalf<F16, Rounding::Nearest, Clamp::Saturate>(NAN)), 0x0000);
  EXPECT_EQ((f64ToHalf<F16, Rounding::Nearest, Clamp::Saturate>(-7.0)), 0x0000);
  EXPECT_EQ((f64ToF32<Rounding::Nearest, Clamp::Saturate>(1e300)), 1.0f);
  EXPECT_EQ((f32ToF64<false, Clamp::Saturate>(-2.0f)), 0.0);
  // .satfinite of infinities.
  EXPECT_EQ(
      (f32ToHalf<F16, Rounding::Nearest, Clamp::None, false, true>(-INFINITY)),
      0xFBFF);
  EXPECT_EQ(f32ToF8<E4M3>(INFINITY), 0x7E);
  EXPECT_EQ(f32ToF8<E5M2>(-INFINITY), 0xFB);
  // .ftz concerns the f32 side only.
  EXPECT_EQ((f32ToHalf<BF16, Rounding::Up, Clamp::None, true>(0x1p-130f)), 0);
  EXPECT_EQ((f32ToHalf<BF16, Rounding::Up, Clamp::None, false>(0x1p-130f)),
            0x0008);
  EXPECT_EQ((f32ToHalf<F16, Rounding::Nearest, Clamp::None, true>(0x1p-20f)),
            0x0010);
  EXPECT_EQ((halfToF32<BF16, Clamp::None, true>(0x8008)), 0.0f);
  EXPECT_TRUE(std::signbit(halfToF32<BF16, Clamp::None, true>(0x8008)));
  EXPECT_EQ((halfToF32<BF16>(0x0008)), 0x1p-130f);
  EXPECT_EQ((f64ToF32<Rounding::Nearest, Clamp::None, true>(0x1p-130)), 0.0f);
  EXPECT_EQ(f32ToF64<true>(0x1p-130f), 0.0);
  EXPECT_EQ(f32ToF64(0x1p-130f), 0x1p-130);
}

TEST(FormatsTest, bytes_to_f16) {
  Table f16(5, 10, true), e4m3(4, 3, false), e5m2(5, 2, true);
  for (uint32_t code = 0; code != 256; ++code) {
    for (bool isE4M3 : {false, true}) {
      double value = (isE4M3 ? e4m3 : e5m2).valueOf(code);
      uint32_t expected = std::isnan(value)
                              ? 0x7FFF
                              : f16.round(value, Rounding::Nearest, false);
      ASSERT_EQ(isE4M3 ? f8ToF16<E4M3>(uint8_t(code))
                       : f8ToF16<E5M2>(uint8_t(code)),
                expected);
    }
  }
}

TEST(FormatsTest, tensor_core_reads_19_bits_of_tf32) {
  EXPECT_EQ(bitsOf(truncateToTF32(0x3F801FFF)), 0x3F800000u);
  EXPECT_EQ(bitsOf(truncateToTF32(0xBF803FFF)), 0xBF802000u);
}
