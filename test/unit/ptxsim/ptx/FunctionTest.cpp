// Headers of functions.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

TEST(Function, ReadsTheDirectivesOfAnEntry) {
  std::unique_ptr<Module> module = parseModule(R"(
.visible .entry k()
.maxntid 128 .minnctapersm 2 .maxnreg 168 .maxclusterrank 8
.pragma "nounroll";
{ ret; }
.weak .entry l() .reqntid 4, 2 .explicitcluster .reqnctapercluster 2, 1, 1
.blocksareclusters { }
)");
  ASSERT_EQ(module->functions.size(), 2U);
  const Function &k = module->functions[0], &l = module->functions[1];
  using Extents = std::array<uint32_t, 3>;
  EXPECT_TRUE(k.isEntry && k.isVisible && k.isDefined);
  EXPECT_FALSE(k.isWeak || k.isExternal || k.explicitCluster ||
               k.blocksAreClusters);
  EXPECT_EQ(k.name, "k");
  EXPECT_EQ(k.location.line, 5U);
  EXPECT_EQ(k.maxThreads, (Extents{128, 1, 1}));
  EXPECT_EQ(k.requiredThreads, (Extents{0, 0, 0}));
  EXPECT_EQ(k.minBlocks, 2U);
  EXPECT_EQ(k.maxRegisters, 168U);
  EXPECT_EQ(k.maxClusterRank, 8U);
  EXPECT_TRUE(l.isWeak && l.explicitCluster && l.blocksAreClusters);
  EXPECT_EQ(l.requiredThreads, (Extents{4, 2, 1}));
  EXPECT_EQ(l.requiredCluster, (Extents{2, 1, 1}));
  EXPECT_EQ(l.instructions.size(), 0U);
}

TEST(Function, ReadsParameters) {
  std::unique_ptr<Module> module = parseModule(R"(
.entry k(.param .u64 a, .param .u64 .ptr .global .align 16 b,
         .param .align 128 .b8 map[3584], .param .f32 c, .param .u8 d,
         .param .b64 .ptr e, .param .v4 .f32 f) { ret; }
)");
  const std::vector<Variable> &parameters = lastFunction(*module).parameters;
  ASSERT_EQ(parameters.size(), 7U);
  const uint64_t bytes[] = {8, 8, 3584, 4, 1, 8, 16};
  const uint32_t alignments[] = {8, 8, 128, 4, 1, 8, 16};
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(parameters[i].bytes, bytes[i]) << i;
    EXPECT_EQ(parameters[i].alignment, alignments[i]) << i;
    EXPECT_EQ(parameters[i].space, Space::Parameter) << i;
    EXPECT_EQ(parameters[i].isPointer, i == 1 || i == 5) << i;
    EXPECT_EQ(parameters[i].registerIndex, -1) << i;
  }
  EXPECT_EQ(parameters[1].pointerSpace, Space::Global);
  EXPECT_EQ(parameters[5].pointerSpace, Space::Generic);
  EXPECT_EQ(parameters[2].type, Type::B8);
}

TEST(Function, ReadsResultsAndRegisterParameters) {
  std::unique_ptr<Module> module = parseModule(R"(
.func (.reg .b32 r, .reg .pred q) f (.reg .u32 x, .param .b64 y,
                                     .param .align 8 .b8 rest[])
{ mov.b32 r, x; ret; }
.func g { ret; }
.extern .func (.param .align 16 .b8 _[32]) h ();
)");
  ASSERT_EQ(module->functions.size(), 3U);
  const Function &f = module->functions[0];
  EXPECT_EQ(registersOf(f), "r:b32 q:pred x:u32");
  EXPECT_EQ(f.results[0].registerIndex, 0);
  EXPECT_EQ(f.results[1].registerIndex, 1);
  EXPECT_EQ(f.parameters[0].registerIndex, 2);
  EXPECT_EQ(f.parameters[1].registerIndex, -1);
  EXPECT_EQ(f.parameters[2].bytes, 0U);
  EXPECT_EQ(operandsOf(*module, f, f.instructions[0]), "r, x");
  EXPECT_TRUE(module->functions[1].isDefined);
  EXPECT_FALSE(module->functions[2].isDefined);
  EXPECT_TRUE(module->functions[2].isExternal);
  EXPECT_EQ(module->functions[2].results[0].bytes, 32U);
}

TEST(Function, IsOneWithItsDeclarations) {
  std::unique_ptr<Module> module = parseModule(R"(
.weak .func (.param .b32 r) f (.param .b32 x) .noreturn;
.func (.param .b32 r) f (.param .b32 y);
.func g() { .param .b32 x; call (x), f, (x); }
.func .attribute(.unified(1, 2)) (.param .b32 r) f (.param .b32 z)
{ st.param.b32 [r], 0; ret; }
.func (.param .b32 r) f (.param .b32 x);
)");
  ASSERT_EQ(module->functions.size(), 2U);
  const Function &f = module->functions[0];
  EXPECT_TRUE(f.isDefined && f.isWeak && f.noReturn);
  EXPECT_EQ(f.parameters[0].name, "z");
  EXPECT_EQ(f.location.line, 8U);
  EXPECT_EQ(operandsOf(*module, f, f.instructions[0]), "[result r], 0");
}

TEST(Function, RefusesAnotherInterface) {
  const std::pair<const char *, const char *> cases[] = {
      {".func f(.param .b32 x) { ret; }\n.func f(.param .b32 x) { ret; }",
       "5:7: expected a new name, got 'f', which is declared in line 4"},
      {".global .u32 f;\n.func f() { ret; }",
       "5:7: expected a new name, got 'f', which is declared in line 4"},
      {".func f(.param .b32 x);\n.func f(.param .b64 x) { ret; }",
       "5:21: expected parameter 1 of 'f' as in its declaration, got another "
       "type"},
      {".func f(.param .b8 x[4]);\n.func f(.param .b8 x[8]) { ret; }",
       "5:20: expected parameter 1 of 'f' as in its declaration, got another "
       "type"},
      {".func f(.param .b32 x);\n.func f(.reg .b32 x) { ret; }",
       "5:19: expected parameter 1 of 'f' as in its declaration, got another "
       "type"},
      {".func f(.param .b32 x);\n.func f() { ret; }",
       "5:7: expected 1 parameters of 'f' as in its declaration, got 0"},
      {".func (.param .b32 x) f();\n.func f() { ret; }",
       "5:7: expected 1 results of 'f' as in its declaration, got 0"},
      {".func f();\n.entry f() { ret; }",
       "5:8: expected 'f' as '.func' as in its declaration, got '.entry'"},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(errorsOf(text), error) << text;
}

TEST(Function, RefusesBadHeaders) {
  const std::pair<const char *, const char *> cases[] = {
      {".entry (", "4:8: expected the name of the function, got '('"},
      {".func (.param .b32 r);",
       "4:22: expected the name of the function, got ';'"},
      {".entry k(x) { ret; }", "4:10: expected a parameter that begins with "
                               "'.param' or '.reg', got 'x'"},
      {".entry k(.reg .b32 x) { ret; }",
       "4:10: expected a parameter in '.param', got '.reg'"},
      {".func k(.global .b32 x) { ret; }",
       "4:9: expected a parameter in '.param' or '.reg', got '.global'"},
      {".entry k(.b32 x) { ret; }",
       "4:10: expected a state space in the declaration of 'x', got none"},
      {".entry k(.param x) { ret; }",
       "4:17: expected a type before the name, got 'x'"},
      {".entry k(.param .b33 x) { ret; }",
       "4:17: expected a type or an attribute of the parameter, got '.b33'"},
      {".entry k(.param .b32) { ret; }",
       "4:21: expected the name of a parameter, got ')'"},
      {".entry k(.param .b64 .ptr .global .shared x) { ret; }",
       "4:35: expected one state space, got '.shared'"},
      {".entry k(.param .b8 x[]) { ret; }",
       "4:21: expected a number of elements of 'x', got none"},
      {".func k(.reg .v2 .b32 x) { ret; }",
       "4:9: expected a scalar as parameter in '.reg', got a vector"},
      {".entry k(.param .b32 x y) { ret; }",
       "4:24: expected ',' or ')' after a parameter, got 'y'"},
      {".entry k(.param .b32 x, .param .b32 x) { ret; }",
       "4:37: expected a new name, got 'x', which is declared in line 4"},
      {".entry k() foo { ret; }",
       "4:12: expected '{', ';' or a directive of the function, got 'foo'"},
      {".entry k() .foo { ret; }",
       "4:12: expected '{', ';' or a directive of the kernel, got '.foo'"},
      {".entry k() .maxntid { ret; }", "4:21: expected a number, got '{'"},
      {".entry k() .maxntid 1, 2, 3, 4 { ret; }",
       "4:30: expected at most 3 extents, got '4'"},
      {".entry k() .maxnreg 4294967296 { ret; }",
       "4:21: expected a number from 1 to 2147483647, got '4294967296'"},
      {".entry k() .pragma x { ret; }",
       "4:20: expected a string after '.pragma', got 'x'"},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(errorsOf(text), error) << text;
}
