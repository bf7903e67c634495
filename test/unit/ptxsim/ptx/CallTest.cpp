// Calls, prototypes and call targets.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

static const char functions[] = R"(
.func (.param .b32 r) f (.param .b32 x, .param .b32 y) { ret; }
.func (.param .b32 r) f2 (.param .b32 x, .param .b32 y) { ret; }
.func g () { ret; }
.func (.reg .b32 r) h (.reg .b32 x) { ret; }
.global .u64 table[2] = {f, f2};
.func last () {
.reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .pred %p<2>; .param .b32 p, q;
)";

/// The operands of the last call of `statements`.
static std::string callOf(const std::string &statements) {
  std::unique_ptr<Module> module = parseModule(functions + statements + " }");
  const Function &function = lastFunction(*module);
  return function.instructions.empty()
             ? "no instruction"
             : operandsOf(*module, function, function.instructions.back());
}

static std::string errorOf(const std::string &statements) {
  return errorsOf(functions + statements + " }");
}

TEST(Call, HasFourOperands) {
  EXPECT_EQ(callOf("call g;"), "{}, function g, {}, _");
  EXPECT_EQ(callOf("call.uni g, ();"), "{}, function g, {}, _");
  EXPECT_EQ(callOf("@%p1 call.uni (p), f, (p, q);"),
            "{local p}, function f, {local p, local q}, _");
  EXPECT_EQ(callOf("call (_), f, (p, 5);"), "{_}, function f, {local p, 5}, _");
  EXPECT_EQ(callOf("call (%r1), h, (%r2);"), "{%r1}, function h, {%r2}, _");
  EXPECT_EQ(callOf("call (%r1), h, (0f3F800000);"),
            "{%r1}, function h, {f32 0x3F800000}, _");
}

TEST(Call, OfARegisterHasAnInterface) {
  EXPECT_EQ(callOf("P : .callprototype (.param .b32 _) _ (.param .b64 _,\n"
                   ".param .align 8 .b8 _[16]) .noreturn;\n"
                   ".param .align 8 .b8 a[16];\n"
                   "call (p), %rd1, (%rd2, a), P;"),
            "{local p}, %rd1, {%rd2, local a}, prototype 0");
  EXPECT_EQ(callOf("P: .callprototype _; call %rd1, P;"),
            "{}, %rd1, {}, prototype 0");
  EXPECT_EQ(callOf("P: .callprototype ()_ () .abi_preserve 3"
                   " .abi_preserve_control 4; call %rd1, (), P;"),
            "{}, %rd1, {}, prototype 0");
  EXPECT_EQ(callOf(".reg .v2 .b64 v; P: .callprototype _; call v.y, P;"),
            "{}, v.y, {}, prototype 0");
  EXPECT_EQ(callOf("T: .calltargets f, f2; call (p), %rd1, (p, q), T;"),
            "{local p}, %rd1, {local p, local q}, function f");
  EXPECT_EQ(callOf("call (p), %rd1, (p, q), table;"),
            "{local p}, %rd1, {local p, local q}, variable table");
}

TEST(Call, PrototypesDescribeParameters) {
  std::unique_ptr<Module> module = parseBody(
      "P: .callprototype (.param .b32 _) _ (.param .b64 _, .reg .f32 _,\n"
      ".param .align 8 .b8 _[]) .noreturn; { P: .callprototype _; }");
  const Function &kernel = lastFunction(*module);
  ASSERT_EQ(kernel.prototypes.size(), 2U);
  const Prototype &prototype = kernel.prototypes[0];
  ASSERT_EQ(prototype.results.size(), 1U);
  ASSERT_EQ(prototype.parameters.size(), 3U);
  EXPECT_EQ(prototype.results[0].bytes, 4U);
  EXPECT_EQ(prototype.parameters[0].bytes, 8U);
  EXPECT_EQ(prototype.parameters[1].space, Space::Register);
  EXPECT_EQ(prototype.parameters[2].bytes, 0U);
  EXPECT_EQ(prototype.parameters[2].alignment, 8U);
  EXPECT_TRUE(prototype.noReturn);
  EXPECT_FALSE(kernel.prototypes[1].noReturn);
}

TEST(Call, RefusesBadCalls) {
  const std::pair<const char *, const char *> cases[] = {
      {"call ;", "6: expected a function or a register to call, got ';'"},
      {"call nope;", "6: expected a declared name, got 'nope'"},
      {"call p;", "6: expected a function or a register to call, got 'p'"},
      {"call (p) f;", "10: expected ',' after the results of a call, got 'f'"},
      {"call (p, f;", "11: expected ',' or ')' in the list of a call, got ';'"},
      {"call (p), f, ([%rd1], q);",
       "15: expected a register, a '.param' variable or a constant in the list "
       "of a call, got '['"},
      {"call (p), f, (p, q), 5;",
       "22: expected a prototype or call targets, got '5'"},
      {"call (p), f, (p, q), p;", "22: expected a prototype or call targets, "
                                  "got 'p'"},
      {"call (p), f, (p, q) P;",
       "21: expected ';' after the instruction, got 'P'"},
      {"call f, (p, q);", "6: expected 1 result of the function, got 0"},
      {"call (p), f, (p);", "6: expected 2 arguments of the function, got 1"},
      {"call (p), f;", "6: expected 2 arguments of the function, got 0"},
      {"call (p), g;", "6: expected 0 results of the function, got 1"},
      {"call %rd1, (p);", "6: expected a prototype or call targets after the "
                          "arguments of an indirect call, got none"},
      {"call %rd1;", "6: expected a prototype or call targets after the "
                     "arguments of an indirect call, got none"},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(errorOf(text), "12:" + std::string(error)) << text;
}

TEST(Call, RefusesBadInterfaces) {
  const std::pair<const char *, const char *> cases[] = {
      {"P: .callprototype (.param .b32 _) _; call %rd1, P;",
       "43: expected 1 result of the function, got 0"},
      {"P: .callprototype _ (.param .b32 _); call %rd1, P;",
       "43: expected 1 argument of the function, got 0"},
      {"P: .callprototype;", "18: expected '_' in a prototype, got ';'"},
      {"P: .callprototype _ x;", "21: expected ';' after a prototype, got 'x'"},
      {"P: .callprototype _; P: .callprototype _;",
       "22: expected a new name, got 'P', which is declared in line 12"},
      {"T: .calltargets ;", "17: expected the name of a function, got ';'"},
      {"T: .calltargets p;", "17: expected a function, got 'p'"},
      {"T: .calltargets nope;", "17: expected a declared name, got 'nope'"},
      {"T: .calltargets f g;", "19: expected ';' after call targets, got 'g'"},
      {"T: .calltargets f; call %rd1, T;",
       "25: expected 1 result of the function, got 0"},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(errorOf(text), "12:" + std::string(error)) << text;
}
