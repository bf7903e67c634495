// Declarations of variables and registers.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

static Variable variableOf(const std::string &declaration) {
  std::unique_ptr<Module> module = parseModule(declaration);
  EXPECT_EQ(module->variables.size(), 1U) << declaration;
  // The name points into the text, which goes with the module.
  Variable result =
      module->variables.empty() ? Variable() : module->variables[0];
  EXPECT_EQ(result.name, "x");
  return result;
}

TEST(Variable, HasSpaceTypeAlignmentAndSize) {
  Variable x = variableOf(".global .u32 x;");
  EXPECT_EQ(x.space, Space::Global);
  EXPECT_EQ(x.type, Type::U32);
  EXPECT_EQ(x.alignment, 4U);
  EXPECT_EQ(x.bytes, 4U);
  EXPECT_EQ(x.vectorSize, 1);
  EXPECT_EQ(x.location.line, 4U);
  EXPECT_EQ(x.location.column, 14U);
  EXPECT_FALSE(x.isExternal || x.isVisible || x.isWeak || x.isCommon ||
               x.isManaged || x.isOpaque);
  x = variableOf(".visible .const .align 16 .f64 x[3];");
  EXPECT_EQ(x.space, Space::Constant);
  EXPECT_EQ(x.alignment, 16U);
  EXPECT_EQ(x.bytes, 24U);
  EXPECT_TRUE(x.isVisible);
  x = variableOf(".shared .v4 .f32 x;");
  EXPECT_EQ(x.space, Space::Shared);
  EXPECT_EQ(x.bytes, 16U);
  EXPECT_EQ(x.alignment, 16U);
  EXPECT_EQ(x.vectorSize, 4);
  EXPECT_EQ(variableOf(".global .b128 x;").bytes, 16U);
  EXPECT_EQ(variableOf(".global .s16 x[2][3][5];").bytes, 60U);
  EXPECT_EQ(variableOf(".global .b8 x[WARP_SZ];").bytes, 32U);
  EXPECT_EQ(variableOf(".local .b8 x[4];").space, Space::Local);
  EXPECT_EQ(variableOf(".shared::cta .b8 x[4];").space, Space::Shared);
  EXPECT_EQ(variableOf(".global .b8 x[1099511627776];").bytes, uint64_t(1)
                                                                   << 40);
}

TEST(Variable, HasLinkageAndAttributes) {
  EXPECT_TRUE(variableOf(".weak .global .u32 x;").isWeak);
  EXPECT_TRUE(variableOf(".common .global .u32 x;").isCommon);
  EXPECT_TRUE(variableOf(".global .attribute(.managed) .u32 x;").isManaged);
  EXPECT_TRUE(variableOf(".global .align 8 .attribute(.unified(1, 0x2),"
                         " .managed) .u32 x;")
                  .isManaged);
  Variable x = variableOf(".extern .shared .align 1024 .b8 x[];");
  EXPECT_TRUE(x.isExternal);
  EXPECT_EQ(x.bytes, 0U);
  EXPECT_EQ(x.alignment, 1024U);
  EXPECT_EQ(variableOf(".extern .shared .b8 x[0];").bytes, 0U);
  EXPECT_TRUE(variableOf(".global .texref x;").isOpaque);
  EXPECT_TRUE(variableOf(".global .surfref x;").isOpaque);
  EXPECT_EQ(variableOf(".global .samplerref x;").bytes, 8U);
}

TEST(Variable, SharesItsTypeWithOthersOfTheList) {
  std::unique_ptr<Module> module =
      parseModule(".global .align 8 .u16 a, b[3] = {1, 2}, c = 7;");
  ASSERT_EQ(module->variables.size(), 3U);
  EXPECT_EQ(module->variables[1].bytes, 6U);
  EXPECT_EQ(module->variables[2].alignment, 8U);
  EXPECT_EQ(module->variables[2].initial.size(), 2U);
}

TEST(Variable, OfAFunctionBelongToIt) {
  std::unique_ptr<Module> module = parseBody(R"(
.local .align 8 .b8 depot[24]; .shared .u32 sh;
{ .param .b32 depot; st.param.b32 [depot+0], 1; }
st.local.u32 [depot+4], 1; .const .u32 c = 3; .extern .shared .b8 dyn[];
)");
  const Function &kernel = lastFunction(*module);
  ASSERT_EQ(kernel.variables.size(), 5U);
  EXPECT_EQ(kernel.variables[0].bytes, 24U);
  EXPECT_EQ(kernel.variables[2].space, Space::Parameter);
  EXPECT_EQ(kernel.variables[3].initial.size(), 4U);
  EXPECT_TRUE(kernel.variables[4].isExternal);
  ASSERT_EQ(kernel.instructions.size(), 2U);
  for (int i : {0, 1}) {
    const Operand &address =
        kernel.elements[kernel.instructions[i].firstOperand];
    EXPECT_EQ(kernel.elements[address.firstElement].index, i ? 0U : 2U);
  }
}

TEST(Variable, ADefinitionTakesThePlaceOfADeclaration) {
  std::unique_ptr<Module> module = parseModule(
      ".extern .global .u32 x[]; .extern .global .u32 x[]; .global .u32 y;\n"
      ".visible .global .u32 x[2] = {1, 2}; .extern .global .u32 x[2];");
  ASSERT_EQ(module->variables.size(), 2U);
  EXPECT_EQ(module->variables[0].bytes, 8U);
  EXPECT_FALSE(module->variables[0].isExternal);
  EXPECT_EQ(errorsOf(".extern .global .u32 x;\n.global .u64 x;"),
            "5:14: expected 'x' as in line 4, got another space, type or size");
  EXPECT_EQ(errorsOf(".extern .global .u32 x;\n.const .u32 x;"),
            "5:13: expected 'x' as in line 4, got another space, type or size");
  EXPECT_EQ(errorsOf(".extern .global .u32 x[2];\n.global .u32 x[3];"),
            "5:14: expected 'x' as in line 4, got another space, type or size");
  EXPECT_EQ(errorsOf(".global .u32 x;\n.global .u32 x;"),
            "5:14: expected a new name, got 'x', which is declared in line 4");
  EXPECT_EQ(errorsOf(".func x() { ret; }\n.global .u32 x;"),
            "5:14: expected a new name, got 'x', which is declared in line 4");
  EXPECT_EQ(errorsOfBody(".shared .u32 x;\n.shared .u32 x;"),
            "8:14: expected a new name, got 'x', which is declared in line 7");
}

TEST(Variable, RefusesBadDeclarations) {
  const std::pair<const char *, const char *> cases[] = {
      {".global .u32;", "4:13: expected the name of a variable, got ';'"},
      {".global x;", "4:9: expected a type before the name, got 'x'"},
      {".u32 x;", "4:1: expected a state space in the declaration of 'x', got "
                  "none"},
      {".global .u32 .u64 x;", "4:14: expected one type, got '.u64'"},
      {".global .const .u64 x;", "4:9: expected one state space, got '.const'"},
      {".global .bf16 x;", "4:9: expected a state space, a type or an "
                           "attribute, got '.bf16'"},
      {".global .pred x;", "4:1: expected predicates in '.reg', got '.global'"},
      {".global .v4 .f64 x;",
       "4:1: expected a vector of at most 128 bits, got 256"},
      {".global .v3 .f32 x;", "4:9: expected a state space, a type or an "
                              "attribute, got '.v3'"},
      {".global .align 3 .u32 x;",
       "4:16: expected a power of two as alignment, got 3"},
      {".global .align 0 .u32 x;",
       "4:16: expected an alignment from 1 to 1048576, got '0'"},
      {".global .align x .u32 x;", "4:16: expected an alignment, got 'x'"},
      {".global .attribute .u32 x;",
       "4:20: expected '(' after '.attribute', got '.u32'"},
      {".global .attribute(.foo) .u32 x;",
       "4:20: expected the attribute '.managed' or '.unified', got '.foo'"},
      {".global .attribute(.managed .u32 x;",
       "4:29: expected ')' after the attributes, got '.u32'"},
      {".global .attribute(.unified) .u32 x;",
       "4:28: expected '(' after '.unified', got ')'"},
      {".global .attribute(.unified(1)) .u32 x;",
       "4:30: expected ',' between the two numbers of '.unified', got ')'"},
      {".global .attribute(.unified(1, 2) .u32 x;",
       "4:35: expected ')' after the attributes, got '.u32'"},
      {".global .u32 x y;",
       "4:16: expected ',', '=' or ';' after a variable, got 'y'"},
      {".global .u32 x[];",
       "4:14: expected a number of elements of 'x', got none"},
      {".global .u32 x[0];",
       "4:14: expected a number of elements of 'x', got none"},
      {".global .u32 x[2][];", "4:19: expected a number of elements, got ']'"},
      {".global .u32 x[-1];", "4:16: expected a number of elements, got '-'"},
      {".global .u32 x[1.5];",
       "4:16: expected a number of elements, got '1.5'"},
      {".global .u32 x[1+2];",
       "4:17: expected ']' after the number of elements, got '+'"},
      {".global .u32 x[1", "4:17: expected ']' after the number of elements, "
                           "got the end of the text"},
      {".reg .u32 x;",
       "4:1: expected '.reg' in a function, got it in the module"},
      {".param .u32 x;",
       "4:1: expected '.param' in a function, got it in the module"},
      {".shared .u32 x = 1;", "4:16: expected no initial value of '.shared' "
                              "variables, got '='"},
      {".extern .global .u32 x = 1;",
       "4:24: expected no initial value of '.extern' variables, got '='"},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(errorsOf(text), error) << text;
}

TEST(Variable, LimitsSizes) {
  for (const char *dimensions :
       {"[274877906945]", "[1048576][1048576]",
        "[1099511627776][1099511627776][1099511627776]"})
    EXPECT_EQ(errorsOf(".global .u32 x" + std::string(dimensions) + ";"),
              "4:14: expected a variable of at most 1099511627776 bytes, got "
              "'x' with more");
  EXPECT_EQ(errorsOf(".global .u32 x[1099511627777];"),
            "4:16: expected a number of elements from 0 to 1099511627776, got "
            "'1099511627777'");
  std::string dimensions;
  for (int i = 0; i < 17; ++i)
    dimensions += "[1]";
  EXPECT_EQ(errorsOf(".global .u32 x" + dimensions + ";"),
            "4:65: expected at most 16 dimensions, got more");
}

TEST(Register, ExistsOnceItIsMentioned) {
  std::unique_ptr<Module> module = parseBody(
      ".reg .b32 x, %q<16777216>, y; .reg .b128 w; .reg .f16x2 h;\n"
      "mov.b32 %q16777215, x; mov.b32 %q0, x; mov.b128 w, w; mov.b32 h, h;");
  EXPECT_EQ(registersOf(lastFunction(*module)),
            "%q16777215:b32 x:b32 %q0:b32 w:b128 h:f16x2");
}

TEST(Register, OfAVectorAreSeveral) {
  std::unique_ptr<Module> module =
      parseBody(".reg .v4 .f32 v, u<3>; .reg .v2 .b64 w;\n"
                "ld.v4.f32 v, [%rd1]; add.f32 u2.x, v.w, v.g;\n"
                "mov.b64 %rd1, w.y; st.v2.b64 [%rd1], w;");
  const Function &kernel = lastFunction(*module);
  EXPECT_EQ(registersOf(kernel),
            "v:f32 v:f32 v:f32 v:f32 %rd1:b64 u2:f32 u2:f32 u2:f32 u2:f32 "
            "w:b64 w:b64");
  ASSERT_EQ(kernel.instructions.size(), 4U);
  const char *expected[] = {"{v.x, v.y, v.z, v.w}, [%rd1]", "u2.x, v.w, v.y",
                            "%rd1, w.y", "[%rd1], {w.x, w.y}"};
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(operandsOf(*module, kernel, kernel.instructions[i]), expected[i]);
}

TEST(Register, OfTheInnermostScopeIsMeant) {
  std::unique_ptr<Module> module = parseBody(R"(
.reg .b16 x;
mov.b32 %r5, x;
{ .reg .b64 x; .reg .b8 %r<4>;
  mov.b32 x, %r3; // Inner, inner.
  mov.b32 %r5, x; // Outer, since the inner range ends before it.
  { .reg .f32 %r5; mov.b32 %r5, %r3; }
}
mov.b32 %r3, %r5;
{ .reg .f64 %r<6>; mov.b32 %r3, %r5; }
{ .reg .f32 %r5; { .reg .b64 %q<4>; mov.b32 %r5, %q1; } }
)");
  const Function &kernel = lastFunction(*module);
  std::string types;
  for (const Instruction &instruction : kernel.instructions)
    for (uint32_t i = 0; i < 2; ++i)
      types += std::string(nameOf(
                   kernel
                       .registers[kernel.elements[instruction.firstOperand + i]
                                      .index]
                       .type)) +
               " ";
  EXPECT_EQ(types, "b32 b16 b64 b8 b32 b64 f32 b8 b32 b32 f64 f64 f32 b64 ");
}

TEST(Register, RefusesBadDeclarations) {
  const std::pair<const char *, const char *> cases[] = {
      {".reg .b32;", "7:10: expected the name of a register, got ';'"},
      {".reg .b32 x y;", "7:13: expected ',' or ';' after a register, got 'y'"},
      {".reg .b32 x[2];",
       "7:12: expected ',' or ';' after a register, got '['"},
      {".reg .b32 x<4000000000>;",
       "7:13: expected a number of registers from 0 to 16777216, got "
       "'4000000000'"},
      {".reg .b32 x<-1>;", "7:13: expected a number of registers, got '-'"},
      {".reg .b32 x<08>;", "7:13: expected octal digits after '0', got '08'"},
      {".reg .b32 x<2;",
       "7:14: expected '>' after the number of registers, got ';'"},
      {".reg .b32 %r<5>;",
       "7:11: expected a new name, got '%r', which is declared in line 5"},
      {".reg .b32 %r1;",
       "7:11: expected a new name, got '%r1', which is declared in line 5"},
      {"mov.b32 %r1, 0; .reg .b32 %r1;",
       "7:27: expected a new name, got '%r1', which is declared in line 5"},
      {".reg .b32 x, x;",
       "7:14: expected a new name, got 'x', which is declared in line 7"},
      {".reg .b32 a;",
       "7:11: expected a new name, got 'a', which is declared in line 4"},
      {".reg .tf32 x;", "7:6: expected a state space, a type or an attribute, "
                        "got '.tf32'"},
      {".reg .v4 .pred x; mov.pred x.x, x.y;", ""},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(errorsOfBody(text), error) << text;
}
