// Conversions among integers and between integers and floats. HalfCodesTest.cpp
// has all codes of 16 bits.

#include "tools/ptxsim/numerics/Convert.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace ptxsim::numerics;
using ptxsim::numerics::test::Exact;
using ptxsim::numerics::test::Random;

/// Values of an integer type near its ends, near powers of two, and random.
template <class T>
static std::vector<T> integers() {
  std::vector<T> values;
  Random random(6);
  for (unsigned bit = 0; bit != 8 * sizeof(T); ++bit)
    for (int64_t offset : {-2, -1, 0, 1, 2}) {
      values.push_back(T((uint64_t(1) << bit) + uint64_t(offset)));
      values.push_back(T(uint64_t(offset) - (uint64_t(1) << bit)));
    }
  for (int i = 0; i != 2000; ++i)
    values.push_back(T(random.next() >> (random.next() % 64)));
  return values;
}

template <class To, class From>
static void checkIntegers() {
  constexpr To least = std::numeric_limits<To>::min();
  constexpr To most = std::numeric_limits<To>::max();
  for (From value : integers<From>()) {
    __int128 wide = value;
    __int128 clamped = wide < least ? least : wide > most ? most : wide;
    ASSERT_EQ(convertInteger<To>(value), To(value));
    ASSERT_EQ((convertInteger<To, true>(value)), To(clamped));
  }
}

template <class To>
static void checkIntegersTo() {
  checkIntegers<To, uint8_t>();
  checkIntegers<To, int8_t>();
  checkIntegers<To, uint16_t>();
  checkIntegers<To, int16_t>();
  checkIntegers<To, uint32_t>();
  checkIntegers<To, int32_t>();
  checkIntegers<To, uint64_t>();
  checkIntegers<To, int64_t>();
}

TEST(ConvertTest, integers_to_integers) {
  checkIntegersTo<uint8_t>();
  checkIntegersTo<int8_t>();
  checkIntegersTo<uint16_t>();
  checkIntegersTo<int16_t>();
  checkIntegersTo<uint32_t>();
  checkIntegersTo<int32_t>();
  checkIntegersTo<uint64_t>();
  checkIntegersTo<int64_t>();
}

/// Rounds to an integer by definition, clamped to the range of To.
template <class To>
static To expectedInteger(double value, Rounding mode) {
  constexpr bool isSigned = std::is_signed_v<To>;
  constexpr unsigned bits = 8 * sizeof(To);
  constexpr __int128 most = ((__int128)1 << (isSigned ? bits - 1 : bits)) - 1;
  constexpr __int128 least = isSigned ? -most - 1 : 0;
  if (value >= 0x1p100)
    return To(most);
  if (value <= -0x1p100)
    return To(least);
  __int128 whole = (__int128)value; // Towards zero.
  double rest = std::fabs(value - double(whole));
  if (std::fabs(value) >= 0x1p53)
    rest = 0;
  bool negative = value < 0;
  bool outward = (mode == Rounding::Up && !negative && rest > 0) ||
                 (mode == Rounding::Down && negative && rest > 0) ||
                 (mode == Rounding::Nearest &&
                  (rest > 0.5 || (rest == 0.5 && whole % 2 != 0)));
  if (outward)
    whole += negative ? -1 : 1;
  return To(whole > most ? most : whole < least ? least : whole);
}

/// Floats at and around integers and halves, and at the ends of each range.
template <class Float>
static std::vector<Float> floatsNearIntegers() {
  std::vector<Float> values = {INFINITY, -INFINITY, Float(1e-40)};
  Random random(7);
  for (int exponent = -2; exponent != 66; ++exponent)
    for (double offset : {-1.0, -0.5, 0.0, 0.5, 1.0, 1.5}) {
      Float value = Float(std::ldexp(1.0, exponent) + offset);
      for (Float x : {value, std::nextafter(value, Float(0)),
                      std::nextafter(value, Float(INFINITY))}) {
        values.push_back(x);
        values.push_back(-x);
      }
    }
  for (int i = 0; i != 3000; ++i)
    values.push_back(Float(double(int64_t(random.next())) *
                           std::ldexp(1.0, -int(random.next() % 70))));
  return values;
}

template <class To, class Float>
static void checkToInteger() {
  for (Float x : floatsNearIntegers<Float>()) {
    ASSERT_EQ((toInteger<To, Rounding::Nearest>(x)),
              expectedInteger<To>(x, Rounding::Nearest))
        << x;
    ASSERT_EQ((toInteger<To, Rounding::Zero>(x)),
              expectedInteger<To>(x, Rounding::Zero))
        << x;
    ASSERT_EQ((toInteger<To, Rounding::Down>(x)),
              expectedInteger<To>(x, Rounding::Down))
        << x;
    ASSERT_EQ((toInteger<To, Rounding::Up>(x)),
              expectedInteger<To>(x, Rounding::Up))
        << x;
  }
}

template <class Float>
static void checkToIntegers() {
  checkToInteger<uint8_t, Float>();
  checkToInteger<int8_t, Float>();
  checkToInteger<uint16_t, Float>();
  checkToInteger<int16_t, Float>();
  checkToInteger<uint32_t, Float>();
  checkToInteger<int32_t, Float>();
  checkToInteger<uint64_t, Float>();
  checkToInteger<int64_t, Float>();
}

TEST(ConvertTest, f32_to_integers) { checkToIntegers<float>(); }
TEST(ConvertTest, f64_to_integers) { checkToIntegers<double>(); }

// PTX ISA 9.0, section 9.7.9.21, "Integer notes".
TEST(ConvertTest, nan_to_integers) {
  constexpr Rounding rzi = Rounding::Zero;
  EXPECT_EQ((toInteger<int32_t, rzi>(NAN)), 0);
  EXPECT_EQ((toInteger<uint32_t, rzi>(NAN)), 0u);
  EXPECT_EQ((toInteger<int8_t, rzi>(NAN)), 0);
  EXPECT_EQ((toInteger<int64_t, rzi>(NAN)), INT64_MIN);
  EXPECT_EQ((toInteger<uint64_t, rzi>(NAN)), 0x8000000000000000u);
  EXPECT_EQ((toInteger<int32_t, rzi>(std::nan(""))), INT32_MIN);
  EXPECT_EQ((toInteger<uint32_t, rzi>(std::nan(""))), 0x80000000u);
  EXPECT_EQ((toInteger<uint8_t, rzi>(std::nan(""))), 0x80u);
}

TEST(ConvertTest, flushed_f32_to_integers) {
  EXPECT_EQ((toIntegerF32<int32_t, Rounding::Up, false>(0x1p-130f)), 1);
  EXPECT_EQ((toIntegerF32<int32_t, Rounding::Up, true>(0x1p-130f)), 0);
}

/// An integer of up to 64 bits without error.
template <class From>
static Exact exactOf(From value) {
  __int128 wide = value;
  double high = double(int64_t(wide >> 32));
  return Exact::product(high, 0x1p32)
      .plus(Exact::of(double(uint32_t(uint64_t(value)))));
}

template <Rounding R, class From>
static void checkFromInteger(From value) {
  Exact exact = exactOf(value);
  ASSERT_EQ(double(integerToF32<R>(value)), test::roundToF32(exact, R))
      << value;
  ASSERT_EQ(integerToF64<R>(value), test::roundToF64(exact, R)) << value;
  ASSERT_EQ(double(F16::widen(integerToHalf<F16, R>(value))),
            test::roundToF16(exact, R))
      << value;
  ASSERT_EQ(double(BF16::widen(integerToHalf<BF16, R>(value))),
            test::roundToBF16(exact, R))
      << value;
}

template <class From>
static void checkFromIntegers() {
  for (From value : integers<From>()) {
    checkFromInteger<Rounding::Nearest>(value);
    checkFromInteger<Rounding::Zero>(value);
    checkFromInteger<Rounding::Down>(value);
    checkFromInteger<Rounding::Up>(value);
  }
}

TEST(ConvertTest, integers_to_floats) {
  checkFromIntegers<uint8_t>();
  checkFromIntegers<int8_t>();
  checkFromIntegers<uint16_t>();
  checkFromIntegers<int16_t>();
  checkFromIntegers<uint32_t>();
  checkFromIntegers<int32_t>();
  checkFromIntegers<uint64_t>();
  checkFromIntegers<int64_t>();
}

// Beside the middle of two f16 by less than f32 or f64 shows.
TEST(ConvertTest, integers_round_once) {
  uint64_t middle = (uint64_t(0x801) << 52); // Between two f16-like mantissas.
  EXPECT_EQ(
      (integerToHalf<BF16, Rounding::Nearest>((uint64_t(0x101) << 55) + 1)),
      BF16::narrow(float(uint64_t(0x102) << 55)));
  EXPECT_EQ((integerToF32<Rounding::Nearest>((uint64_t(0x1000001) << 39) + 1)),
            float(uint64_t(0x1000002) << 39));
  EXPECT_EQ((integerToF64<Rounding::Down>(middle + 1)), double(middle));
  EXPECT_EQ((integerToF64<Rounding::Up>(middle + 1)),
            std::nextafter(double(middle), INFINITY));
}

TEST(ConvertTest, floats_to_integral_floats) {
  EXPECT_EQ((integralF32<Rounding::Nearest>(2.5f)), 2.0f);
  EXPECT_EQ((integralF32<Rounding::Zero>(-2.5f)), -2.0f);
  EXPECT_EQ((integralF32<Rounding::Down>(-2.5f)), -3.0f);
  EXPECT_EQ((integralF32<Rounding::Up>(2.25f)), 3.0f);
  EXPECT_EQ(bitsOf(integralF32<Rounding::Nearest>(-0.25f)), 0x80000000u);
  EXPECT_EQ((integralF32<Rounding::Up, true>(0x1p-130f)), 0.0f);
  EXPECT_EQ((integralF32<Rounding::Up, false, Clamp::Saturate>(4.25f)), 1.0f);
  EXPECT_EQ(bitsOf(integralF32<Rounding::Up>(-NAN)), 0x7FFFFFFFu);
  EXPECT_EQ((integralF64<Rounding::Nearest>(-3.5)), -4.0);
  EXPECT_EQ((integralHalf<F16, Rounding::Nearest>(0x4100)), 0x4000);
  EXPECT_EQ((integralHalf<BF16, Rounding::Up>(0x4010)), 0x4040);
}
