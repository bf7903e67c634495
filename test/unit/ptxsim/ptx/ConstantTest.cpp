// Numbers and constant expressions.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

/// What `expression` is as the operand of an instruction.
static std::string valueOf(const std::string &expression) {
  std::string operands = operandsOf("mov.b64 %rd1, " + expression + ";");
  return operands.substr(std::min<size_t>(operands.size(), 6));
}

static std::string errorOf(const std::string &expression) {
  std::string error = errorsOfBody("mov.b64 %rd1, " + expression + ";");
  return error.substr(std::min(error.size(), error.find(": ") + 2));
}

TEST(Constant, ReadsIntegers) {
  EXPECT_EQ(valueOf("0"), "0");
  EXPECT_EQ(valueOf("42"), "42");
  EXPECT_EQ(valueOf("-1"), "-1");
  EXPECT_EQ(valueOf("42U"), "0x2AU");
  EXPECT_EQ(valueOf("0x1F"), "31");
  EXPECT_EQ(valueOf("0XaBU"), "0xABU");
  EXPECT_EQ(valueOf("017"), "15");
  EXPECT_EQ(valueOf("017U"), "0xFU");
  EXPECT_EQ(valueOf("0b101"), "5");
  EXPECT_EQ(valueOf("0B11U"), "0x3U");
  EXPECT_EQ(valueOf("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(valueOf("9223372036854775808"), "0x8000000000000000U");
  EXPECT_EQ(valueOf("18446744073709551615"), "0xFFFFFFFFFFFFFFFFU");
  EXPECT_EQ(valueOf("WARP_SZ"), "32");
}

TEST(Constant, ReadsFloats) {
  EXPECT_EQ(valueOf("1.5"), "f64 1.500000");
  EXPECT_EQ(valueOf("-1.5"), "f64 -1.500000");
  EXPECT_EQ(valueOf(".5"), "f64 0.500000");
  EXPECT_EQ(valueOf(".05"), "f64 0.050000");
  EXPECT_EQ(valueOf("(.9)"), "f64 0.900000");
  EXPECT_EQ(valueOf("1."), "f64 1.000000");
  EXPECT_EQ(valueOf("1.e2"), "f64 100.000000");
  EXPECT_EQ(valueOf(".25e+1"), "f64 2.500000");
  EXPECT_EQ(valueOf("5E-1"), "f64 0.500000");
  EXPECT_EQ(valueOf("0.1e1"), "f64 1.000000");
  EXPECT_EQ(valueOf("0f3FC00000"), "f32 0x3FC00000");
  EXPECT_EQ(valueOf("0F7fc00000"), "f32 0x7FC00000");
  EXPECT_EQ(valueOf("0d3FF8000000000000"), "f64 1.500000");
  EXPECT_EQ(valueOf("0DBFF8000000000000"), "f64 -1.500000");
}

TEST(Constant, RefusesBadNumbers) {
  EXPECT_EQ(errorOf("08"), "expected octal digits after '0', got '08'");
  EXPECT_EQ(errorOf("0x"), "expected hexadecimal digits after '0x', got '0x'");
  EXPECT_EQ(errorOf("0x1G"),
            "expected hexadecimal digits after '0x', got '0x1G'");
  EXPECT_EQ(errorOf("0b12"), "expected binary digits after '0b', got '0b12'");
  EXPECT_EQ(errorOf("12abc"), "expected a number, got '12abc'");
  EXPECT_EQ(errorOf("1u"), "expected a number, got '1u'");
  EXPECT_EQ(errorOf("18446744073709551616"),
            "expected an integer of at most 64 bits, got "
            "'18446744073709551616'");
  EXPECT_EQ(errorOf("1.0f"), "expected a number, got '1.0f'");
  EXPECT_EQ(errorOf("1.5.2"), "expected a number, got '1.5.2'");
  EXPECT_EQ(errorOf("1e400"),
            "expected a number in the range of an f64, got '1e400'");
  EXPECT_EQ(errorOf("0f3F80"),
            "expected 8 hexadecimal digits after '0f', got '0f3F80'");
  EXPECT_EQ(errorOf("0f3F80000Z"),
            "expected 8 hexadecimal digits after '0f', got '0f3F80000Z'");
  EXPECT_EQ(errorOf("0d3F800000"),
            "expected 16 hexadecimal digits after '0d', got '0d3F800000'");
}

TEST(Constant, EvaluatesOperators) {
  EXPECT_EQ(valueOf("2 + 3 * 4"), "14");
  EXPECT_EQ(valueOf("(2 + 3) * 4"), "20");
  EXPECT_EQ(valueOf("7 - 2 - 1"), "4");
  EXPECT_EQ(valueOf("-7 / 2"), "-3");
  EXPECT_EQ(valueOf("-7 % 3"), "-1");
  EXPECT_EQ(valueOf("1 << 4 | 3"), "19");
  EXPECT_EQ(valueOf("6 & 3 ^ 1"), "3");
  EXPECT_EQ(valueOf("-16 >> 2"), "-4");
  EXPECT_EQ(valueOf("-1 >> 64"), "-1");
  EXPECT_EQ(valueOf("0 >> 2"), "0");
  EXPECT_EQ(valueOf("1 << 64"), "0");
  EXPECT_EQ(valueOf("1 << 63 >> 63"), "-1");
  EXPECT_EQ(valueOf("3 < 4"), "1");
  EXPECT_EQ(valueOf("3 < 3"), "0");
  EXPECT_EQ(valueOf("3 > 3"), "0");
  EXPECT_EQ(valueOf("3 >= 4"), "0");
  EXPECT_EQ(valueOf("3 >= 3"), "1");
  EXPECT_EQ(valueOf("3 != 4"), "1");
  EXPECT_EQ(valueOf("3 <= 3 == 1"), "1");
  EXPECT_EQ(valueOf("3 != 3 || 2 && 1"), "1");
  EXPECT_EQ(valueOf("2 && 0"), "0");
  EXPECT_EQ(valueOf("0 || 0"), "0");
  EXPECT_EQ(valueOf("3 > 2 ? 5 : 6"), "5");
  EXPECT_EQ(valueOf("0 ? 1 : 0 ? 2 : 3"), "3");
  EXPECT_EQ(valueOf("!0 + !7"), "1");
  EXPECT_EQ(valueOf("!!7"), "1");
  EXPECT_EQ(valueOf("~5"), "-6");
  EXPECT_EQ(valueOf("- - +5"), "5");
  EXPECT_EQ(valueOf("WARP_SZ*2"), "64");
}

TEST(Constant, ConvertsAsTheManualSays) {
  EXPECT_EQ(valueOf("-1 < 1"), "1");
  EXPECT_EQ(valueOf("-1 < 1U"), "0");
  EXPECT_EQ(valueOf("-1 + 1U"), "0x0U");
  EXPECT_EQ(valueOf("(.u64) -1 >> 60"), "0xFU");
  EXPECT_EQ(valueOf("(.s64) 5U"), "5");
  EXPECT_EQ(valueOf("(.u64) -8 / 2"), "0x7FFFFFFFFFFFFFFCU");
  EXPECT_EQ(valueOf("18446744073709551615 % 10"), "0x5U");
  // The one quotient that does not fit.
  EXPECT_EQ(valueOf("(1 << 63) / -1"), "-9223372036854775808");
  EXPECT_EQ(valueOf("(1 << 63) % -1"), "0");
  EXPECT_EQ(valueOf("1 ? 5 : 6U"), "0x5U");
}

TEST(Constant, EvaluatesFloats) {
  EXPECT_EQ(valueOf("1.0 + 2.5 * 2.0"), "f64 6.000000");
  EXPECT_EQ(valueOf("-1.0 / 4.0 - 1.0"), "f64 -1.250000");
  EXPECT_EQ(valueOf("1.0 / 3.0 < 2.0"), "1");
}

TEST(Constant, RefusesBadExpressions) {
  EXPECT_EQ(errorOf("5 / 0"), "expected a divisor other than 0 at '/', got 0");
  EXPECT_EQ(errorOf("5U % 0"), "expected a divisor other than 0 at '%', got 0");
  EXPECT_EQ(errorOf("1 / 3.0"),
            "expected two integers or two floats at '/', got one of each");
  EXPECT_EQ(errorOf("1.0 % 3.0"), "expected integers at '%', got floats");
  EXPECT_EQ(errorOf("1.0 << 3.0"), "expected integers at '<<', got floats");
  EXPECT_EQ(errorOf("~1.0"), "expected an integer at '~', got a float");
  EXPECT_EQ(errorOf("!1.0"), "expected an integer at '!', got a float");
  EXPECT_EQ(errorOf("-0f3F800000"),
            "expected no '0f' or '0d' number at '-', got one");
  EXPECT_EQ(errorOf("1.0 + 0d3FF8000000000000"),
            "expected no '0f' or '0d' number at '+', got one");
  EXPECT_EQ(errorOf("1.0 ? 2 : 3"),
            "expected an integer before '?', got a float");
  EXPECT_EQ(errorOf("1 ? 2.0 : 3.0"), "expected integers at ':', got floats");
  EXPECT_EQ(errorOf("1 ? 2"), "expected ':' of '?', got ';'");
  EXPECT_EQ(errorOf("(1"),
            "expected ')' at the end of the expression, got ';'");
  EXPECT_EQ(errorOf("(.u64) 1.0"),
            "expected an integer after the cast to '.u64', got a float");
  EXPECT_EQ(errorOf("(.u32) 1"), "expected a constant, got '.u32'");
  EXPECT_EQ(errorOf("(.u64 1"), "expected ')' after the type, got '1'");
  EXPECT_EQ(errorOf("1 +"), "expected a constant, got ';'");
  EXPECT_EQ(errorOf("--%r1"), "expected a constant, got '%r1'");
  EXPECT_EQ(errorOf("!+"), "expected a constant, got ';'");
  EXPECT_EQ(errorOf("![%rd1]"),
            "expected a predicate or a constant after '!', got '['");
}

TEST(Constant, LimitsTheDepthOfExpressions) {
  std::string nested = std::string(64, '(') + "1" + std::string(64, ')');
  EXPECT_EQ(valueOf(nested), "1");
  EXPECT_EQ(valueOf(std::string(64, '~') + "1"), "1");
  std::string choices;
  for (int i = 0; i < 64; ++i)
    choices += "0 ? 2 : ";
  EXPECT_EQ(valueOf(choices + "1"), "1");
  for (const char *deeper : {"(", "~", "1 ? 2 : "}) {
    std::string text;
    for (int i = 0; i < 100000; ++i)
      text += deeper;
    EXPECT_EQ(errorOf(text + "1"),
              "expected an expression of at most 64 levels, got more");
  }
  // Operators of one level need none.
  std::string sum = "1";
  for (int i = 0; i < 100000; ++i)
    sum += " + 1";
  EXPECT_EQ(valueOf(sum), "100001");
}
