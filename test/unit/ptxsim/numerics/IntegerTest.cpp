// Integer arithmetic and bit operations against loops over bits.

#include "tools/ptxsim/numerics/IntegerArithmetic.h"
#include "tools/ptxsim/numerics/IntegerBits.h"

#include "test/unit/ptxsim/numerics/Exact.h"

#include <gtest/gtest.h>

namespace num = ptxsim::numerics;
using namespace ptxsim::numerics;
using ptxsim::numerics::test::Random;

/// Operands of 64 bits: small, near the ends of 8 to 64 bits, and random.
static std::vector<uint64_t> operands() {
  std::vector<uint64_t> values;
  for (unsigned bit : {0, 1, 4, 5, 7, 8, 15, 16, 23, 24, 31, 32, 33, 47, 63})
    for (uint64_t offset : {uint64_t(-1), uint64_t(0), uint64_t(1)})
      values.push_back((uint64_t(1) << bit) + offset);
  values.push_back(~uint64_t(0));
  values.push_back(0xFFFFFFFF80000000);
  Random random(8);
  for (int i = 0; i != 40; ++i)
    values.push_back(random.next());
  return values;
}

template <class T>
static void checkMulHigh(uint64_t x, uint64_t y) {
  T a = T(x), b = T(y);
  using Wide =
      std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
  auto product = (unsigned __int128)((Wide)a * (Wide)b);
  ASSERT_EQ(mulHigh(a, b), T(uint64_t(product >> (8 * sizeof(T)))));
}

TEST(IntegerTest, mul_high) {
  for (uint64_t x : operands())
    for (uint64_t y : operands()) {
      checkMulHigh<uint16_t>(x, y);
      checkMulHigh<int16_t>(x, y);
      checkMulHigh<uint32_t>(x, y);
      checkMulHigh<int32_t>(x, y);
      checkMulHigh<uint64_t>(x, y);
      checkMulHigh<int64_t>(x, y);
    }
}

TEST(IntegerTest, mul24) {
  auto signExtended = [](uint64_t x) {
    return x & 0x800000 ? int64_t(x & 0xFFFFFF) - 0x1000000
                        : int64_t(x & 0xFFFFFF);
  };
  for (uint64_t x : operands())
    for (uint64_t y : operands()) {
      uint64_t product = (x & 0xFFFFFF) * (y & 0xFFFFFF);
      int64_t signedProduct = signExtended(x) * signExtended(y);
      ASSERT_EQ(num::mul24<false>(uint32_t(x), uint32_t(y)), uint32_t(product));
      ASSERT_EQ(num::mul24<true>(uint32_t(x), uint32_t(y)),
                uint32_t(product >> 16));
      ASSERT_EQ(num::mul24<false>(int32_t(x), int32_t(y)),
                int32_t(signedProduct));
      ASSERT_EQ(num::mul24<true>(int32_t(x), int32_t(y)),
                int32_t(signedProduct >> 16));
      __int128 sum = (signedProduct >> 16) + int64_t(int32_t(x >> 7));
      __int128 clamped = sum < INT32_MIN   ? INT32_MIN
                         : sum > INT32_MAX ? INT32_MAX
                                           : sum;
      ASSERT_EQ(mad24HighSaturated(int32_t(x), int32_t(y), int32_t(x >> 7)),
                int32_t(clamped));
    }
}

template <class T>
static void checkCarry(uint64_t x, uint64_t y) {
  constexpr unsigned bits = 8 * sizeof(T);
  for (uint32_t before : {0u, 1u}) {
    T a = T(x), b = T(y);
    uint32_t carry = before;
    unsigned __int128 sum = (unsigned __int128)a + b + before;
    ASSERT_EQ(addWithCarry(a, b, carry), T(sum));
    ASSERT_EQ(carry, uint32_t(sum >> bits) & 1);
  }
}

TEST(IntegerTest, carries) {
  for (uint64_t x : operands())
    for (uint64_t y : operands()) {
      checkCarry<uint32_t>(x, y);
      checkCarry<uint64_t>(x, y);
    }
}

TEST(IntegerTest, saturates) {
  for (uint64_t x : operands())
    for (uint64_t y : operands()) {
      int32_t a = int32_t(x), b = int32_t(y), c = int32_t(x >> 16);
      auto clamped = [](int64_t v) {
        return int32_t(
            std::min<int64_t>(std::max<int64_t>(v, INT32_MIN), INT32_MAX));
      };
      ASSERT_EQ(addSaturated(a, b), clamped(int64_t(a) + b));
      ASSERT_EQ(subSaturated(a, b), clamped(int64_t(a) - b));
      ASSERT_EQ(madHighSaturated(a, b, c), clamped((int64_t(a) * b >> 32) + c));
    }
}

template <class T>
static void checkDivision(uint64_t x, uint64_t y) {
  T a = T(x), b = T(y);
  T quotient = divide(a, b), rest = num::remainder(a, b);
  if (b == 0) {
    ASSERT_EQ(quotient, T(-1));
    ASSERT_EQ(rest, T(-1));
    return;
  }
  __int128 exact = (__int128)a / b;
  ASSERT_EQ(quotient, T(exact));
  ASSERT_EQ(rest, T((__int128)a - exact * b));
  ASSERT_EQ(absoluteDifference(a, b),
            std::make_unsigned_t<T>(a < b ? (__int128)b - a : (__int128)a - b));
  ASSERT_EQ(sad(a, b, a),
            T(std::make_unsigned_t<T>(absoluteDifference(a, b) +
                                      std::make_unsigned_t<T>(a))));
  ASSERT_EQ(absInteger(a), T(a < 0 ? -(__int128)a : (__int128)a));
  ASSERT_EQ(negInteger(a), T(-(__int128)a));
}

TEST(IntegerTest, division) {
  std::vector<uint64_t> values = operands();
  values.push_back(0x80000000);
  values.push_back(0x8000);
  values.push_back(0);
  for (uint64_t x : values)
    for (uint64_t y : values) {
      checkDivision<uint16_t>(x, y);
      checkDivision<int16_t>(x, y);
      checkDivision<uint32_t>(x, y);
      checkDivision<int32_t>(x, y);
      checkDivision<uint64_t>(x, y);
      checkDivision<int64_t>(x, y);
    }
}

TEST(IntegerTest, dot_products) {
  // Bytes -1, 2, -128, 127 as signed, 255, 2, 128, 127 as unsigned.
  uint32_t a = 0x7F8002FF, b = 0x8001FF7F;
  EXPECT_EQ((dp4a<int8_t, int8_t>(a, b, 10)),
            uint32_t(10 + -1 * 127 + 2 * -1 + -128 * 1 + 127 * -128));
  EXPECT_EQ((dp4a<uint8_t, int8_t>(a, b, 10)),
            uint32_t(10 + 255 * 127 + 2 * -1 + 128 * 1 + 127 * -128));
  EXPECT_EQ((dp4a<uint8_t, uint8_t>(a, b, 10)),
            10u + 255 * 127 + 2 * 255 + 128 * 1 + 127 * 128);
  uint32_t halves = 0x8000FFFF; // -1 and -32768, or 65535 and 32768
  EXPECT_EQ((dp2a<int16_t, int8_t, false>(halves, b, 10)),
            uint32_t(10 + -1 * 127 + -32768 * -1));
  EXPECT_EQ((dp2a<int16_t, int8_t, true>(halves, b, 10)),
            uint32_t(10 + -1 * 1 + -32768 * -128));
  EXPECT_EQ((dp2a<uint16_t, uint8_t, true>(halves, b, 10)),
            10u + 65535 * 1 + 32768 * 128);
}

//===----------------------------------------------------------------------===//
// Bits

static const uint32_t amounts[] = {
    0, 1, 5, 15, 16, 31, 32, 33, 47, 63, 64, 65, 127, 255, 256 + 3, 0xFFFFFFFF};

/// Returns bit `i` of `value`, or `beyond` where it has none.
template <class T>
static bool bitOf(T value, uint64_t i, bool beyond = false) {
  return i < 8 * sizeof(T) ? uint64_t(value) >> i & 1 : beyond;
}

/// Makes a value of its bits.
template <class T, class Bit>
static T fromBits(Bit bit) {
  uint64_t result = 0;
  for (uint64_t i = 0; i != 8 * sizeof(T); ++i)
    result |= uint64_t(bit(i)) << i;
  return T(result);
}

template <class T>
static void checkShifts(uint64_t x, uint64_t amount) {
  T a = T(x);
  bool sign = std::is_signed_v<T> && a < 0;
  ASSERT_EQ(shiftLeft(a, uint32_t(amount)), fromBits<T>([&](uint64_t i) {
              return i >= amount && bitOf(a, i - amount);
            }));
  ASSERT_EQ(shiftRight(a, uint32_t(amount)), fromBits<T>([&](uint64_t i) {
              return bitOf(a, i + amount, sign);
            }));
}

TEST(IntegerTest, shifts) {
  for (uint64_t x : operands())
    for (uint64_t amount : amounts) {
      checkShifts<uint16_t>(x, amount);
      checkShifts<int16_t>(x, amount);
      checkShifts<uint32_t>(x, amount);
      checkShifts<int32_t>(x, amount);
      checkShifts<uint64_t>(x, amount);
      checkShifts<int64_t>(x, amount);
    }
}

TEST(IntegerTest, funnel_shifts) {
  for (uint64_t x : operands())
    for (uint32_t amount : amounts) {
      uint32_t low = uint32_t(x), high = uint32_t(x >> 32);
      uint64_t clamped = std::min(amount, 32u), wrapped = amount % 32;
      for (bool clamp : {false, true}) {
        uint64_t n = clamp ? clamped : wrapped;
        uint32_t left = fromBits<uint32_t>(
            [&](uint64_t i) { return bitOf(x, i + 32 - n); });
        uint32_t right =
            fromBits<uint32_t>([&](uint64_t i) { return bitOf(x, i + n); });
        ASSERT_EQ(clamp ? funnelLeft<true>(low, high, amount)
                        : funnelLeft<false>(low, high, amount),
                  left);
        ASSERT_EQ(clamp ? funnelRight<true>(low, high, amount)
                        : funnelRight<false>(low, high, amount),
                  right);
      }
    }
}

TEST(IntegerTest, lop3) {
  Random random(9);
  for (uint32_t table = 0; table != 256; ++table) {
    uint32_t a = uint32_t(random.next()), b = uint32_t(random.next()),
             c = uint32_t(random.next());
    ASSERT_EQ(
        num::lop3(a, b, c, uint8_t(table)), fromBits<uint32_t>([&](uint64_t i) {
          uint32_t entry = bitOf(a, i) * 4 + bitOf(b, i) * 2 + bitOf(c, i);
          return table >> entry & 1;
        }));
  }
}

template <class T>
static void checkCounts(uint64_t x) {
  constexpr uint32_t width = 8 * sizeof(T);
  T a = T(x);
  uint32_t ones = 0, leading = 0;
  while (leading != width && !bitOf(a, width - 1 - leading))
    ++leading;
  for (uint32_t i = 0; i != width; ++i)
    ones += bitOf(a, i);
  ASSERT_EQ(popCount(a), ones);
  ASSERT_EQ(countLeadingZeros(a), leading);
  ASSERT_EQ(reverseBits(a),
            fromBits<T>([&](uint64_t i) { return bitOf(a, width - 1 - i); }));
}

/// bfind as the manual writes it.
template <class T>
static void checkFind(uint64_t x) {
  constexpr int msb = 8 * sizeof(T) - 1;
  T a = T(x);
  std::make_unsigned_t<T> bits = std::make_unsigned_t<T>(a < 0 ? ~a : a);
  uint32_t found = 0xFFFFFFFF;
  for (int i = msb; i >= 0 && found == 0xFFFFFFFF; --i)
    if (bitOf(bits, i))
      found = uint32_t(i);
  uint32_t shift = found == 0xFFFFFFFF ? found : uint32_t(msb) - found;
  ASSERT_EQ((findBit<T, false>(a)), found);
  ASSERT_EQ((findBit<T, true>(a)), shift);
}

TEST(IntegerTest, counts) {
  std::vector<uint64_t> values = operands();
  values.push_back(0);
  for (uint64_t x : values) {
    checkCounts<uint32_t>(x);
    checkCounts<uint64_t>(x);
    checkFind<uint32_t>(x);
    checkFind<int32_t>(x);
    checkFind<uint64_t>(x);
    checkFind<int64_t>(x);
  }
}

/// bfe and bfi as the manual writes them.
template <class T>
static void checkFields(uint64_t x, uint64_t y, uint32_t c, uint32_t d) {
  constexpr uint32_t msb = 8 * sizeof(T) - 1;
  T a = T(x);
  uint32_t position = c & 0xFF, length = d & 0xFF;
  bool sign = std::is_signed_v<T> && length != 0 &&
              bitOf(a, std::min(position + length - 1, msb));
  ASSERT_EQ(extractField(a, c, d), fromBits<T>([&](uint64_t i) {
              return i < length && position + i <= msb ? bitOf(a, position + i)
                                                       : sign;
            }))
      << position << " " << length;
  using U = std::make_unsigned_t<T>;
  U base = U(y);
  ASSERT_EQ(insertField(U(a), base, c, d), fromBits<U>([&](uint64_t i) {
              return i >= position && i - position < length
                         ? bitOf(U(a), i - position)
                         : bitOf(base, i);
            }))
      << position << " " << length;
}

TEST(IntegerTest, fields) {
  for (uint64_t x : operands())
    for (uint32_t position : amounts)
      for (uint32_t length : amounts) {
        checkFields<uint32_t>(x, ~x * 5, position, length);
        checkFields<int32_t>(x, ~x * 5, position, length);
        checkFields<uint64_t>(x, ~x * 5, position, length);
        checkFields<int64_t>(x, ~x * 5, position, length);
      }
}

TEST(IntegerTest, extension_and_masks) {
  for (uint64_t x : operands())
    for (uint32_t amount : amounts)
      for (bool clamp : {false, true}) {
        uint32_t n = clamp ? std::min(amount, 32u) : amount % 32;
        uint32_t a = uint32_t(x);
        bool sign = n != 0 && bitOf(a, n - 1);
        uint32_t zeros = fromBits<uint32_t>(
            [&](uint64_t i) { return i < n && bitOf(a, i); });
        uint32_t signs = fromBits<uint32_t>(
            [&](uint64_t i) { return i < n ? bitOf(a, i) : sign; });
        ASSERT_EQ((clamp ? extendField<uint32_t, true>(a, amount)
                         : extendField<uint32_t, false>(a, amount)),
                  zeros);
        ASSERT_EQ(
            uint32_t(clamp ? extendField<int32_t, true>(int32_t(a), amount)
                           : extendField<int32_t, false>(int32_t(a), amount)),
            signs);
      }
  for (uint32_t position : amounts)
    for (uint32_t length : amounts)
      for (bool clamp : {false, true}) {
        uint64_t from = clamp ? std::min(position, 32u) : position % 32;
        uint64_t ones = clamp ? std::min(length, 32u) : length % 32;
        ASSERT_EQ(clamp ? makeMask<true>(position, length)
                        : makeMask<false>(position, length),
                  fromBits<uint32_t>([&](uint64_t i) {
                    return i >= from && i < from + ones;
                  }));
      }
}

TEST(IntegerTest, find_nth_set) {
  uint32_t mask = 0b1011'0000'0000'0000'0000'0000'0001'0110;
  uint32_t none = 0xFFFFFFFF;
  EXPECT_EQ(findNthSet(mask, 0, 1), 1u);
  EXPECT_EQ(findNthSet(mask, 1, 1), 1u);
  EXPECT_EQ(findNthSet(mask, 0, 3), 4u);
  EXPECT_EQ(findNthSet(mask, 2, 3), 28u);
  EXPECT_EQ(findNthSet(mask, 0, 6), 31u);
  EXPECT_EQ(findNthSet(mask, 0, 7), none);
  EXPECT_EQ(findNthSet(mask, 31, -1), 31u);
  EXPECT_EQ(findNthSet(mask, 30, -3), 4u);
  EXPECT_EQ(findNthSet(mask, 4, -4), none);
  EXPECT_EQ(findNthSet(mask, 4, 0), 4u);
  EXPECT_EQ(findNthSet(mask, 3, 0), none);
  EXPECT_EQ(findNthSet(mask, 0, INT32_MIN), none);
  EXPECT_EQ(findNthSet(mask, 32, 1), none);
}

// The bytes of b:a are 77 66 55 44 33 22 11 80 from 7 to 0; rows as in PTX ISA
// 9.0, section 9.7.9.7.
TEST(IntegerTest, permutes_bytes) {
  uint32_t a = 0x33221180, b = 0x77665544;
  EXPECT_EQ(permuteBytes<Permute::Index>(a, b, 0x7531), 0x77553311u);
  EXPECT_EQ(permuteBytes<Permute::Index>(a, b, 0xFFFF0246), 0x80224466u);
  EXPECT_EQ(permuteBytes<Permute::Index>(a, b, 0x8F9A), 0xFF000000u);
  const uint32_t f4e[] = {0x33221180, 0x44332211, 0x55443322, 0x66554433};
  const uint32_t b4e[] = {0x55667780, 0x66778011, 0x77801122, 0x80112233};
  const uint32_t rc8[] = {0x80808080, 0x11111111, 0x22222222, 0x33333333};
  const uint32_t ecl[] = {0x33221180, 0x33221111, 0x33222222, 0x33333333};
  const uint32_t ecr[] = {0x80808080, 0x11111180, 0x22221180, 0x33221180};
  const uint32_t rc16[] = {0x11801180, 0x33223322, 0x11801180, 0x33223322};
  for (uint32_t s = 0; s != 4; ++s) {
    uint32_t selector = s | 0xFFFFFFF0; // Only two bits count.
    EXPECT_EQ(permuteBytes<Permute::F4E>(a, b, selector), f4e[s]);
    EXPECT_EQ(permuteBytes<Permute::B4E>(a, b, selector), b4e[s]);
    EXPECT_EQ(permuteBytes<Permute::Rc8>(a, b, selector), rc8[s]);
    EXPECT_EQ(permuteBytes<Permute::Ecl>(a, b, selector), ecl[s]);
    EXPECT_EQ(permuteBytes<Permute::Ecr>(a, b, selector), ecr[s]);
    EXPECT_EQ(permuteBytes<Permute::Rc16>(a, b, selector), rc16[s]);
  }
}
