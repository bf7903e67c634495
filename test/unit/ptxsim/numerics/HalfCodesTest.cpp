// Conversions of all 65,536 codes of f16, bf16, s16 and u16.

#include "tools/ptxsim/numerics/Convert.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace ptxsim::numerics;
using ptxsim::numerics::test::Table;

namespace {

template <class Half>
class HalfCodesTest : public testing::Test {
protected:
  using H = Half;
  static constexpr bool isF16 = std::is_same_v<Half, F16>;

  const Table table{isF16 ? 5u : 8u, isF16 ? 10u : 7u, true};
};
using Halves = testing::Types<F16, BF16>;
TYPED_TEST_SUITE(HalfCodesTest, Halves);

template <class Integer>
class IntegerCodesTest : public testing::Test {};
using Integers = testing::Types<int16_t, uint16_t>;
TYPED_TEST_SUITE(IntegerCodesTest, Integers);

/// Calls `function` with each of the four modes as a constant.
template <class Function>
void forModes(Function function) {
  function(std::integral_constant<Rounding, Rounding::Nearest>());
  function(std::integral_constant<Rounding, Rounding::Zero>());
  function(std::integral_constant<Rounding, Rounding::Down>());
  function(std::integral_constant<Rounding, Rounding::Up>());
}

/// Calls `function` with no clamp and with each clamp.
template <class Function>
void forClamps(Function function) {
  function(std::integral_constant<Clamp, Clamp::None>());
  function(std::integral_constant<Clamp, Clamp::Saturate>());
  function(std::integral_constant<Clamp, Clamp::Relu>());
}

template <class Function>
void forIntegerTypes(Function function) {
  function(int8_t());
  function(uint8_t());
  function(int16_t());
  function(uint16_t());
  function(int32_t());
  function(uint32_t());
  function(int64_t());
  function(uint64_t());
}

/// Rounds any value but NaN to an integer, by quotient and remainder in units
/// of 2^-80.
double integralOf(double value, Rounding mode) {
  double magnitude = std::fabs(value);
  if (magnitude >= 0x1p11) // The last bit of f16 and of bf16 is 1 or more.
    return value;
  // What is closer to 0 rounds as this does.
  if (magnitude != 0)
    magnitude = std::fmax(magnitude, 0x1p-60);
  using Wide = unsigned __int128;
  Wide units = Wide(magnitude * 0x1p80);
  Wide one = Wide(1) << 80, whole = units / one, rest = units % one;
  bool negative = std::signbit(value);
  if (mode == Rounding::Nearest)
    whole += rest > one / 2 || (rest == one / 2 && whole % 2 == 1);
  else if (mode == (negative ? Rounding::Down : Rounding::Up))
    whole += rest != 0;
  return std::copysign(double(uint64_t(whole)), value);
}

/// Clamps any value but NaN to the range of `Integer`.
template <class Integer>
Integer saturated(double integral) {
  using Limits = std::numeric_limits<Integer>;
  long double value = integral; // Holds all of 64 bits.
  if (value >= (long double)(Limits::max()))
    return Limits::max();
  if (value <= (long double)(Limits::min()))
    return Limits::min();
  return Integer(value);
}

/// What `.sat` or `.relu` leaves of any value but NaN; no -0.
double clamped(double value, Clamp clamp) {
  if (clamp == Clamp::None || value > 0)
    return clamp == Clamp::Saturate && value > 1 ? 1 : value;
  return 0;
}

/// The code of a result by the table.
uint32_t codeOf(const Table &table, double value, Rounding mode, Clamp clamp) {
  constexpr uint32_t nan = 0x7FFF;
  if (std::isnan(value))
    return clamp == Clamp::Saturate ? 0 : nan;
  return table.round(clamped(value, clamp), mode, false);
}

TYPED_TEST(HalfCodesTest, to_integers) {
  for (uint32_t code = 0; code != 65536; ++code) {
    double value = this->table.valueOf(code);
    forModes([&](auto mode) {
      double integral = std::isnan(value) ? value : integralOf(value, mode);
      forIntegerTypes([&](auto zero) {
        using To = decltype(zero);
        To nan = sizeof(To) == 8 ? To(uint64_t(1) << 63) : To(0);
        To expected = std::isnan(value) ? nan : saturated<To>(integral);
        ASSERT_EQ((toIntegerHalf<To, mode, TypeParam>(uint16_t(code))),
                  expected)
            << value << " in mode " << int(mode.value);
      });
    });
    if (this->HasFatalFailure())
      return;
  }
}

TYPED_TEST(HalfCodesTest, to_integral_values) {
  for (uint32_t code = 0; code != 65536; ++code) {
    double value = this->table.valueOf(code);
    forModes([&](auto mode) {
      double integral = std::isnan(value) ? value : integralOf(value, mode);
      forClamps([&](auto clamp) {
        ASSERT_EQ((integralHalf<TypeParam, mode, clamp>(uint16_t(code))),
                  codeOf(this->table, integral, Rounding::Nearest, clamp))
            << value << " in mode " << int(mode.value);
      });
    });
    if (this->HasFatalFailure())
      return;
  }
}

TYPED_TEST(HalfCodesTest, to_both_halves) {
  const Table f16(5, 10, true), bf16(8, 7, true);
  for (uint32_t code = 0; code != 65536; ++code) {
    double value = this->table.valueOf(code);
    forModes([&](auto mode) {
      forClamps([&](auto clamp) {
        ASSERT_EQ((halfToHalf<F16, TypeParam, mode, clamp>(uint16_t(code))),
                  codeOf(f16, value, mode, clamp))
            << value << " in mode " << int(mode.value);
        ASSERT_EQ((halfToHalf<BF16, TypeParam, mode, clamp>(uint16_t(code))),
                  codeOf(bf16, value, mode, clamp))
            << value << " in mode " << int(mode.value);
      });
    });
    if (this->HasFatalFailure())
      return;
  }
}

TYPED_TEST(HalfCodesTest, to_f32_and_f64) {
  for (uint32_t code = 0; code != 65536; ++code) {
    double value = this->table.valueOf(code);
    double flushed =
        std::fabs(value) < 0x1p-126 ? std::copysign(0, value) : value;
    forClamps([&](auto clamp) {
      uint16_t half = uint16_t(code);
      uint32_t plain = bitsOf(halfToF32<TypeParam, clamp>(half));
      uint32_t ftz = bitsOf(halfToF32<TypeParam, clamp, true>(half));
      uint64_t wide = bitsOf(halfToF64<TypeParam, clamp>(half));
      if (std::isnan(value)) {
        bool isZero = clamp == Clamp::Saturate;
        ASSERT_EQ(plain, isZero ? 0 : 0x7FFFFFFFu);
        ASSERT_EQ(ftz, isZero ? 0 : 0x7FFFFFFFu);
        ASSERT_EQ(wide, isZero ? 0 : 0x7FFFFFFFE0000000u);
        return;
      }
      ASSERT_EQ(plain, bitsOf(float(clamped(value, clamp)))) << value;
      ASSERT_EQ(ftz, bitsOf(float(clamped(flushed, clamp)))) << value;
      ASSERT_EQ(wide, bitsOf(clamped(value, clamp))) << value;
    });
    if (this->HasFatalFailure())
      return;
  }
}

// From each value, from the middle to the next and from between;
// HalfFromF64Test and FormatsTest look closer, without a clamp.
TYPED_TEST(HalfCodesTest, from_f32_and_f64) {
  for (uint32_t code = 0; code != 65536; ++code) {
    double value = this->table.valueOf(code);
    double next = this->table.valueOf((code + 1) & 0xFFFF);
    bool isLast = !std::isfinite(value) || !std::isfinite(next);
    double step = isLast ? 0 : next - value;
    for (double part : {0.0, 0.25, 0.5, 0.75}) {
      double x = std::isnan(value) ? value : value + part * step;
      forModes([&](auto mode) {
        forClamps([&](auto clamp) {
          uint32_t expected = codeOf(this->table, x, mode, clamp);
          ASSERT_EQ((f32ToHalf<TypeParam, mode, clamp>(float(x))), expected)
              << x << " in mode " << int(mode.value);
          ASSERT_EQ((f64ToHalf<TypeParam, mode, clamp>(x)), expected)
              << x << " in mode " << int(mode.value);
        });
      });
      if (this->HasFatalFailure())
        return;
    }
  }
}

TEST(HalfCodesTest, f16_to_bytes) {
  const Table f16(5, 10, true), e4m3(4, 3, false), e5m2(5, 2, true);
  auto expected = [](const Table &to, double value, Clamp clamp) -> uint32_t {
    if (std::isnan(value))
      return 0x7F;
    return to.round(clamped(value, clamp), Rounding::Nearest, true);
  };
  for (uint32_t code = 0; code != 65536; ++code) {
    double value = f16.valueOf(code);
    uint16_t half = uint16_t(code);
    ASSERT_EQ((f16ToF8<E4M3>(half)), expected(e4m3, value, Clamp::None));
    ASSERT_EQ((f16ToF8<E5M2>(half)), expected(e5m2, value, Clamp::None));
    ASSERT_EQ((f16ToF8<E4M3, Clamp::Relu>(half)),
              expected(e4m3, value, Clamp::Relu));
    ASSERT_EQ((f16ToF8<E5M2, Clamp::Relu>(half)),
              expected(e5m2, value, Clamp::Relu));
  }
}

TYPED_TEST(IntegerCodesTest, to_floats) {
  const Table f16(5, 10, true), bf16(8, 7, true);
  for (uint32_t code = 0; code != 65536; ++code) {
    TypeParam value = TypeParam(code);
    forModes([&](auto mode) {
      // f32 and f64 hold each integer of 16 bits.
      ASSERT_EQ(bitsOf(integerToF32<mode>(value)), bitsOf(float(value)));
      ASSERT_EQ(bitsOf(integerToF64<mode>(value)), bitsOf(double(value)));
      ASSERT_EQ((integerToHalf<F16, mode>(value)),
                f16.round(value, mode, false))
          << value << " in mode " << int(mode.value);
      ASSERT_EQ((integerToHalf<BF16, mode>(value)),
                bf16.round(value, mode, false))
          << value << " in mode " << int(mode.value);
    });
    if (this->HasFatalFailure())
      return;
  }
}

TYPED_TEST(IntegerCodesTest, to_integers) {
  for (uint32_t code = 0; code != 65536; ++code) {
    TypeParam value = TypeParam(code);
    forIntegerTypes([&](auto zero) {
      using To = decltype(zero);
      // The low bits of the value extended by its sign.
      int64_t wide = std::is_signed_v<TypeParam> && code >= 32768
                         ? int64_t(code) - 65536
                         : int64_t(code);
      To cut;
      std::memcpy(&cut, &wide, sizeof cut);
      ASSERT_EQ((convertInteger<To>(value)), cut);
      ASSERT_EQ((convertInteger<To, true>(value)), saturated<To>(double(wide)));
    });
    if (this->HasFatalFailure())
      return;
  }
}

} // namespace
