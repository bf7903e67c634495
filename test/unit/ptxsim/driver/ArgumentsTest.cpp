// Arguments and values of ptx-run.

#include "tools/ptxsim/run/Arguments.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace ptxrun;

/// Reads `text` as a value of `name` and prints it.
static std::string roundTrip(const char *name, const char *text) {
  ValueType type;
  std::vector<uint8_t> bytes;
  if (!findType(name, type) || !appendValue(text, type, bytes))
    return "error";
  EXPECT_EQ(bytes.size(), type.bytes);
  return printValue(bytes.data(), type);
}

TEST(Values, Integers) {
  EXPECT_EQ(roundTrip("u32", "4294967295"), "4294967295");
  EXPECT_EQ(roundTrip("u32", "4294967296"), "error");
  EXPECT_EQ(roundTrip("u32", "-1"), "4294967295");
  EXPECT_EQ(roundTrip("s32", "-2147483648"), "-2147483648");
  EXPECT_EQ(roundTrip("s32", "-2147483649"), "error");
  EXPECT_EQ(roundTrip("s8", "0xff"), "-1");
  EXPECT_EQ(roundTrip("b16", "10"), "0x000a");
  EXPECT_EQ(roundTrip("u64", "18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(roundTrip("u64", "18446744073709551616"), "error");
  EXPECT_EQ(roundTrip("s64", "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(roundTrip("u32", ""), "error");
  EXPECT_EQ(roundTrip("u32", "5x"), "error");
  EXPECT_EQ(roundTrip("u32", "--5"), "error");
  EXPECT_EQ(roundTrip("u128", "5"), "error");
}

TEST(Values, Floats) {
  EXPECT_EQ(roundTrip("f32", "0.1"), "0.1");
  EXPECT_EQ(roundTrip("f64", "0.1"), "0.1");
  EXPECT_EQ(roundTrip("f32", "0f3F800000"), "1");
  EXPECT_EQ(roundTrip("f32", "0x40490fdb"), "3.1415927");
  EXPECT_EQ(roundTrip("f64", "0d400921FB54442D18"), "3.141592653589793");
  EXPECT_EQ(roundTrip("f32", "-0"), "-0");
  EXPECT_EQ(roundTrip("f32", "1e39"), "inf");
  EXPECT_EQ(roundTrip("f32", "-inf"), "-inf");
  EXPECT_EQ(roundTrip("f32", "nan"), "nan");
  EXPECT_EQ(roundTrip("f32", "1.5e-45"), "1e-45");
  EXPECT_EQ(roundTrip("f32", "one"), "error");
  EXPECT_EQ(roundTrip("f16", "65504"), "65504");
  EXPECT_EQ(roundTrip("f16", "65519"), "65504");
  EXPECT_EQ(roundTrip("f16", "65520"), "inf");
  EXPECT_EQ(roundTrip("f16", "2049"), "2048"); // A tie goes to the even one.
  EXPECT_EQ(roundTrip("f16", "2051"), "2052");
  EXPECT_EQ(roundTrip("f16", "0x0001"), "5.9604645e-08");
  EXPECT_EQ(roundTrip("bf16", "1.00390625"), "1");
  EXPECT_EQ(roundTrip("bf16", "3.14159"), "3.140625");
  EXPECT_EQ(roundTrip("e4m3", "448"), "448");
  EXPECT_EQ(roundTrip("e4m3", "0x7f"), "nan");
  EXPECT_EQ(roundTrip("e4m3", "0x01"), "0.001953125");
  EXPECT_EQ(roundTrip("e5m2", "0x7c"), "inf");
  EXPECT_EQ(roundTrip("e5m2", "57344"), "57344");
}

/// Half precision by the compiler agrees on every value.
TEST(Values, AgreeOnAllHalves) {
  ValueType half, single;
  ASSERT_TRUE(findType("f16", half));
  ASSERT_TRUE(findType("f32", single));
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    std::vector<uint8_t> bytes = {static_cast<uint8_t>(bits),
                                  static_cast<uint8_t>(bits >> 8)};
    std::string text = printValue(bytes.data(), half);
    std::vector<uint8_t> again;
    ASSERT_TRUE(appendValue(text, half, again));
    if (text.find("nan") == std::string::npos)
      EXPECT_EQ(again, bytes) << text;
  }
}

/// Reads `text` as the only argument of a command line.
static bool readArgument(const std::string &text, Argument &argument,
                         std::string &message) {
  Options options;
  if (!readOptions({"a.ptx", text}, options, message))
    return false;
  argument = options.arguments.at(0);
  return true;
}

static std::string messageOf(const std::string &text) {
  Argument argument;
  std::string message;
  return readArgument(text, argument, message) ? "" : message;
}

TEST(Arguments, Buffers) {
  Argument argument;
  std::string message;
  ASSERT_TRUE(readArgument("in:u16[3]=1,2,0x300", argument, message));
  EXPECT_TRUE(argument.isBuffer && argument.isCopiedIn && !argument.isCopiedOut);
  EXPECT_EQ(argument.bytes, (std::vector<uint8_t>{1, 0, 2, 0, 0, 3}));
  argument = {};
  ASSERT_TRUE(readArgument("inout:f32[3]=iota", argument, message));
  EXPECT_TRUE(argument.isCopiedOut);
  EXPECT_EQ(argument.bytes[10], 0u);
  EXPECT_EQ(argument.bytes[11], 0x40u);
  argument = {};
  ASSERT_TRUE(readArgument("in:s8[2]=fill:-3", argument, message));
  EXPECT_EQ(argument.bytes, (std::vector<uint8_t>{0xfd, 0xfd}));
  argument = {};
  ASSERT_TRUE(readArgument("out:f64[7]", argument, message));
  EXPECT_EQ(argument.count, 7u);
  EXPECT_TRUE(argument.bytes.empty());
  argument = {};
  ASSERT_TRUE(readArgument("bytes:00ffA1", argument, message));
  EXPECT_EQ(argument.bytes, (std::vector<uint8_t>{0, 0xff, 0xa1}));
}

TEST(Arguments, RandomNumbersAreTheSame) {
  Argument first, second, other;
  std::string message;
  ASSERT_TRUE(readArgument("in:f32[100]=random:5", first, message));
  ASSERT_TRUE(readArgument("in:f32[100]=random:5", second, message));
  ASSERT_TRUE(readArgument("in:f32[100]=random:6", other, message));
  EXPECT_EQ(first.bytes, second.bytes);
  EXPECT_NE(first.bytes, other.bytes);
  for (int i = 0; i < 100; ++i) {
    float value;
    std::memcpy(&value, first.bytes.data() + 4 * i, 4);
    EXPECT_LE(std::fabs(value), 1.0f);
  }
}

TEST(Arguments, SayWhatIsWrong) {
  EXPECT_EQ(messageOf("in:u32[2]=1"),
            "argument 'in:u32[2]=1': expected 2 values, got '1'");
  EXPECT_EQ(messageOf("in:u32[2]"),
            "argument 'in:u32[2]': expected =VALUES behind ], got ''");
  EXPECT_EQ(messageOf("out:u32[2]=1,2"),
            "argument 'out:u32[2]=1,2': expected nothing behind ], got "
            "'=1,2'");
  EXPECT_EQ(messageOf("in:u33[2]=1,2"),
            "argument 'in:u33[2]=1,2': expected a type, got 'u33'");
  EXPECT_EQ(messageOf("in:u32[0]=1"),
            "argument 'in:u32[0]=1': expected a number of elements from 1, got "
            "'0'");
  EXPECT_EQ(messageOf("u8:256"),
            "argument 'u8:256': expected a number of its type, got '256'");
  EXPECT_EQ(messageOf("huh"), "argument 'huh': expected in, out, inout, bytes "
                              "or a type, got 'huh'");
  EXPECT_NE(messageOf("bytes:0"), "");
  EXPECT_NE(messageOf("bytes:0g"), "");
  EXPECT_NE(messageOf("in:u32[9999999999]=iota"), "");
}

TEST(Arguments, CommandLines) {
  Options options;
  std::string message;
  ASSERT_TRUE(readOptions({"a.ptx", "--kernel", "k", "--grid", "2,3", "--block",
                           "32", "--cluster", "2", "--shared", "65536",
                           "--cooperative", "u32:1"},
                          options, message))
      << message;
  EXPECT_EQ(options.grid, (std::array<unsigned, 3>{2, 3, 1}));
  EXPECT_EQ(options.block, (std::array<unsigned, 3>{32, 1, 1}));
  EXPECT_EQ(options.cluster->at(0), 2u);
  EXPECT_EQ(options.sharedBytes, 65536u);
  EXPECT_TRUE(options.cooperative);
  EXPECT_EQ(options.arguments.size(), 1u);
  Options none;
  EXPECT_FALSE(readOptions({"--grid"}, none, message));
  EXPECT_EQ(message, "--grid: expected a value, got ''");
  EXPECT_FALSE(readOptions({"--grid", "1,2,3,4"}, none, message));
  EXPECT_EQ(message, "--grid: expected X[,Y[,Z]], got '1,2,3,4'");
  EXPECT_FALSE(readOptions({"--loud", "1"}, none, message));
  EXPECT_EQ(message, "ptx-run: expected an option of the usage text, got "
                     "'--loud'");
  EXPECT_FALSE(readOptions({}, none, message));
  EXPECT_EQ(message, "ptx-run: expected a PTX file, got ''");
}
