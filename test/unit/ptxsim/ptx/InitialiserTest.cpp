// Initial values of variables.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

/// The initial bytes of the last variable in hexadecimal, and its size.
static std::string initialOf(const std::string &declarations) {
  std::unique_ptr<Module> module = parseModule(declarations);
  if (module->variables.empty())
    return "no variable";
  const Variable &variable = module->variables.back();
  std::string result;
  for (uint8_t byte : variable.initial) {
    char text[3];
    std::snprintf(text, sizeof(text), "%02x", byte);
    result += text;
  }
  return result + "/" + std::to_string(variable.bytes);
}

/// The relocations of the last variable.
static std::string relocationsOf(const std::string &declarations) {
  std::unique_ptr<Module> module = parseModule(declarations);
  std::string result;
  if (module->variables.empty())
    return "no variable";
  for (const Relocation &entry : module->variables.back().relocations) {
    result += result.empty() ? "" : " ";
    result += std::to_string(entry.offset) + ":" + std::to_string(entry.bytes);
    if (entry.shift)
      result += ">>" + std::to_string(entry.shift);
    result += entry.isFunction ? "f" : entry.isGeneric ? "g" : "v";
    result += std::to_string(entry.index);
    if (entry.addend)
      result += "+" + std::to_string(entry.addend);
  }
  return result;
}

TEST(Initialiser, IntegersAreOfTheVariablesSize) {
  EXPECT_EQ(initialOf(".global .u32 x = 0x12345678;"), "78563412/4");
  EXPECT_EQ(initialOf(".global .s64 x = -2;"), "feffffffffffffff/8");
  EXPECT_EQ(initialOf(".global .b16 x = 0x3c00;"), "003c/2");
  EXPECT_EQ(initialOf(".global .u8 x = 0x1FF;"), "ff/1");
  EXPECT_EQ(initialOf(".global .b128 x = 5;"),
            "05000000000000000000000000000000/16");
  EXPECT_EQ(initialOf(".const .u32 x = (3 > 2) ? 5 : 6;"), "05000000/4");
  EXPECT_EQ(initialOf(".global .u32 x = WARP_SZ;"), "20000000/4");
  EXPECT_EQ(initialOf(".global .u32 x = !0;"), "01000000/4");
}

TEST(Initialiser, FloatsAreRoundedToTheVariablesSize) {
  EXPECT_EQ(initialOf(".global .f32 x = 1.5;"), "0000c03f/4");
  EXPECT_EQ(initialOf(".global .f32 x = 0f3FC00000;"), "0000c03f/4");
  EXPECT_EQ(initialOf(".global .f32 x = 0d3FF8000000000000;"), "0000c03f/4");
  EXPECT_EQ(initialOf(".global .f32 x = 0.1;"), "cdcccc3d/4");
  EXPECT_EQ(initialOf(".global .f64 x = -2.5e3;"), "000000000088a3c0/8");
  EXPECT_EQ(initialOf(".global .f64 x = 0d3FF8000000000000;"),
            "000000000000f83f/8");
  EXPECT_EQ(initialOf(".global .b32 x = 1.5;"), "0000c03f/4");
  EXPECT_EQ(initialOf(".global .b64 x = 1.5;"), "000000000000f83f/8");
  // A signalling NaN stays one.
  EXPECT_EQ(initialOf(".global .f32 x = 0f7F800001;"), "0100807f/4");
}

TEST(Initialiser, ListsNestAsTheDimensions) {
  EXPECT_EQ(initialOf(".global .u8 x[4] = {1, 2};"), "0102/4");
  EXPECT_EQ(initialOf(".global .u8 x[4] = {};"), "/4");
  EXPECT_EQ(initialOf(".global .u8 x[2][3] = {{1}, {2, 3, 4}};"),
            "010000020304/6");
  EXPECT_EQ(initialOf(".global .u8 x[2][2][2] = {{{1}, {2}}, {{3, 4}}};"),
            "010002000304/8");
  EXPECT_EQ(initialOf(".global .u8 x[2][2] = {{}, {7}};"), "000007/4");
  EXPECT_EQ(initialOf(".global .u8 x[] = {1, 2, 3};"), "010203/3");
  EXPECT_EQ(initialOf(".global .s16 x[][2] = {{-1, 0}, {5}};"),
            "ffff00000500/8");
  EXPECT_EQ(initialOf(".global .v2 .u8 x = {1, 2};"), "0102/2");
  EXPECT_EQ(initialOf(".global .v2 .u8 x[2] = {{1}, {2, 3}};"), "01000203/4");
  // Only what is written takes memory.
  EXPECT_EQ(initialOf(".global .u8 x[1099511627776] = {9};"),
            "09/1099511627776");
}

TEST(Initialiser, AddressesAreRelocations) {
  const std::string symbols = ".func f() { ret; } .global .u32 a, b[4];"
                              " .const .u32 c;\n";
  EXPECT_EQ(relocationsOf(symbols + ".global .u64 x = b;"), "0:8v1");
  EXPECT_EQ(relocationsOf(symbols + ".global .u32 x = b + 4*2;"), "0:4v1+8");
  std::string list =
      symbols + ".global .u64 x[5] = {f, a, 7, generic(b), generic(c)+-4};";
  EXPECT_EQ(relocationsOf(list), "0:8f0 8:8v0 24:8g1 32:8g2+-4");
  EXPECT_EQ(initialOf(list),
            std::string(32, '0') + "07" + std::string(14 + 32, '0') + "/40");
  // One byte of an address.
  list = symbols + ".global .u8 x[] = {0xFF(b), 0xFF00(b+4), 1, "
                   "0xFF00000000000000(generic(b)), 0xFF(generic(b)+4), "
                   "0xFF(f)};";
  EXPECT_EQ(relocationsOf(list), "0:1v1 1:1>>8v1+4 3:1>>56g1 4:1g1+4 5:1f0");
  EXPECT_EQ(initialOf(list), "000001000000/6");
}

using Case = std::pair<const char *, const char *>;

/// Expects the message, without its place, of each text.
template <size_t N>
static void expectErrors(const Case (&cases)[N]) {
  for (const auto &[text, error] : cases) {
    std::string errors = errorsOf(text);
    EXPECT_EQ(errors.substr(std::min(errors.size(), errors.find(": ") + 2)),
              error)
        << text;
  }
}

TEST(Initialiser, RefusesBadValues) {
  const Case cases[] = {
      {".global .u32 x = 1.5;", "expected an integer for '.u32', got a float"},
      {".global .b16 x = 1.5;", "expected an integer for '.b16', got a float"},
      {".global .f32 x = 1;",
       "expected a floating-point number of this size for '.f32', got an "
       "integer"},
      {".global .f64 x = 0f3F800000;",
       "expected a floating-point number of this size for '.f64', got a "
       "float"},
      {".global .b64 x = 0f3F800000;",
       "expected a number of this size for '.b64', got a float"},
      {".global .f16 x = 1.0;",
       "expected no initial value for '.f16', got a float"},
      {".global .f16x2 x = 1;",
       "expected no initial value for '.f16x2', got an integer"},
      {".global .u32 x = ;", "expected an initial value, got ';'"},
      {".global .u32 x = {1};", "expected an initial value, got '{'"},
      {".global .u32 x[2] = 1;",
       "expected '{' before the initial values of a dimension, got '1'"},
      {".global .u32 x[2][2] = {1, 2};",
       "expected '{' before the initial values of a dimension, got '1'"},
      {".global .u32 x[2] = {1, 2, 3};",
       "expected at most 2 initial values in this list, got '3'"},
      {".global .u32 x[2][2] = {{1, 2, 3}};",
       "expected at most 2 initial values in this list, got '3'"},
      {".global .u32 x[2][2] = {{1}, {2}, {3}};",
       "expected at most 2 initial values in this list, got '{'"},
      {".global .v2 .f32 x[2] = {1.0, 2.0};",
       "expected '{' before the initial values of a dimension, got '1.0'"},
      {".global .u32 x[2] = {1, 2,};", "expected an initial value, got '}'"},
      {".global .u32 x[2] = {1 2};",
       "expected ',' or '}' after an initial value, got '2'"},
      {".global .u32 x[2] = {1, 2;",
       "expected ',' or '}' after an initial value, got ';'"},
      {".global .u32 x[] = {};",
       "expected a number of elements of 'x', got none"},
      {".global .texref x = {1};",
       "expected no initial value of a texture, sampler or surface, got '{'"},
  };
  expectErrors(cases);
}

TEST(Initialiser, RefusesBadAddresses) {
  const Case cases[] = {
      {".global .u64 x = y;", "expected a declared name, got 'y'"},
      {".global .u64 x = x;", "expected a declared name, got 'x'"},
      {".global .f32 y; .global .f32 x = y;",
       "expected a number as value of '.f32', got 'y'"},
      {".global .u16 y; .global .u16 x = y;",
       "expected a number as value of '.u16', got 'y'"},
      {".shared .u32 y; .global .u64 x = y;",
       "expected a '.global' or '.const' variable of the module or a function, "
       "got 'y'"},
      {".func f() { ret; } .global .u64 x = generic(f);",
       "expected a '.global' or '.const' variable of the module, got 'f'"},
      {".func f() { ret; } .global .u64 x = f+4;",
       "expected no offset from a function, got '+'"},
      {".global .u32 y; .global .u64 x = y-4;",
       "expected ',', '=' or ';' after a variable, got '-'"},
      {".global .u32 y; .global .u64 x = y+1.5;",
       "expected an integer as offset, got a float"},
      {".global .u32 y; .global .u64 x = generic(y;",
       "expected ')' after the variable, got ';'"},
      {".global .u32 y; .global .u64 x = generic(5);",
       "expected the name of a variable, got '5'"},
      {".global .u32 y; .global .u8 x = 0x0F(y);",
       "expected 0xFF or a multiple of it by a power of 256 as mask, got "
       "another number"},
      {".global .u32 y; .global .u8 x = 0(y);",
       "expected 0xFF or a multiple of it by a power of 256 as mask, got "
       "another number"},
      {".global .u32 y; .global .u8 x = 0xFF0(y);",
       "expected 0xFF or a multiple of it by a power of 256 as mask, got "
       "another number"},
      {".global .u32 y; .global .u16 x = 0xFF(y);",
       "expected a mask in a variable of 8 bits, got it in '.u16'"},
      {".global .u32 y; .global .u8 x = 0xFF(y;",
       "expected ')' after the masked address, got ';'"},
      {".global .u8 x = 0xFF(5);",
       "expected the name of a variable or function, got '5'"},
  };
  expectErrors(cases);
}

TEST(Initialiser, MayNotNameWhatAFunctionHas) {
  EXPECT_EQ(errorsOfBody(".shared .u32 y; .const .u64 x = y;"),
            "7:33: expected a '.global' or '.const' variable of the module or "
            "a function, got 'y'");
  EXPECT_EQ(errorsOfBody(".const .u64 x = %r1;"),
            "7:17: expected a '.global' or '.const' variable of the module or "
            "a function, got '%r1'");
}

TEST(Initialiser, LimitsWhatIsNotWritten) {
  const std::string error = "expected at most 8388608 bytes that are not "
                            "written between initial values, got more";
  std::unique_ptr<Module> module =
      parseModule(".global .u8 x[2][8388609] = {{1}, {2}};");
  ASSERT_EQ(module->variables.size(), 1U);
  EXPECT_EQ(module->variables[0].initial.size(), 8388610U);
  EXPECT_EQ(errorsOf(".global .u8 x[2][8388610] = {{1}, {2}};"),
            "4:36: " + error);
  EXPECT_EQ(errorsOf(".global .u8 x[2][549755813888] = {{1}, {2}};"),
            "4:41: " + error);
  // In all variables together.
  EXPECT_EQ(errorsOf(".global .u8 x[2][5000000] = {{1}, {2}};\n"
                     ".global .u8 y[2][5000000] = {{1}, {2}};"),
            "5:36: " + error);
}

TEST(Initialiser, MayNestThousandsOfLists) {
  std::string text = ".global .u8 x[][2] = {";
  for (int i = 0; i < 50000; ++i)
    text += i ? ", {1, 2}" : "{1, 2}";
  EXPECT_EQ(initialOf(text + "};").size(), 200000U + 7);
  EXPECT_EQ(errorsOf(".global .u8 x[2] = " + std::string(100000, '{')),
            "4:21: expected an initial value, got '{'");
}
