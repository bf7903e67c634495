// Instructions as a whole, labels, scopes and the directives between them.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

TEST(Statement, AnInstructionHasWordsTextAndPlace) {
  std::unique_ptr<Module> module = parseBody(
      "  @!%p1 cp.async.bulk.tensor.2d.shared::cluster.global\n"
      "    .mbarrier::complete_tx::bytes [%rd1], [%rd2, {%r1, 5}], [%rd3] ;\n"
      "ret;");
  const Function &kernel = lastFunction(*module);
  ASSERT_EQ(kernel.instructions.size(), 2U);
  const Instruction &copy = kernel.instructions[0];
  EXPECT_EQ(copy.opcode, "cp");
  std::string words;
  for (uint32_t i = 0; i < copy.wordCount; ++i)
    words += std::string(kernel.words[copy.firstWord + i]) + " ";
  EXPECT_EQ(words, "async bulk tensor 2d shared::cluster global "
                   "mbarrier::complete_tx::bytes ");
  EXPECT_EQ(copy.text, "@!%p1 cp.async.bulk.tensor.2d.shared::cluster.global\n"
                       "    .mbarrier::complete_tx::bytes [%rd1], [%rd2, "
                       "{%r1, 5}], [%rd3]");
  EXPECT_EQ(copy.location.line, 7U);
  EXPECT_EQ(copy.location.column, 3U);
  EXPECT_TRUE(copy.guardNegated);
  EXPECT_EQ(kernel.registers[copy.guard].name, "%p1");
  EXPECT_EQ(operandsOf(*module, kernel, copy),
            "[%rd1], tensor([%rd2], {%r1, 5}), [%rd3]");
  const Instruction &last = kernel.instructions[1];
  EXPECT_EQ(last.guard, -1);
  EXPECT_EQ(last.wordCount, 0U);
  EXPECT_EQ(last.operandCount, 0U);
  EXPECT_EQ(last.text, "ret");
}

TEST(Statement, NamesMayBeThoseOfInstructions) {
  EXPECT_EQ(operandsOf(".reg .b32 add; add.u32 add, add, add;"),
            "add, add, add");
  EXPECT_EQ(operandsOf("k: bra k;"), "label 0");
}

/// The targets of the branches of a body, in their order.
static std::string targetsOf(const std::string &statements) {
  std::unique_ptr<Module> module = parseBody(statements);
  const Function &kernel = lastFunction(*module);
  std::string result;
  for (const Instruction &instruction : kernel.instructions)
    if (instruction.opcode == "bra")
      result +=
          std::to_string(kernel.elements[instruction.firstOperand].index) + " ";
  return result;
}

TEST(Statement, LabelsAreKnownBeforeTheyStand) {
  EXPECT_EQ(targetsOf("bra L; ret; L: M: bra M; @%p1 bra.uni L;"), "2 2 2 ");
  // At the end there is no instruction.
  EXPECT_EQ(targetsOf("bra L; L:"), "1 ");
}

TEST(Statement, TheInnermostLabelIsMeant) {
  EXPECT_EQ(targetsOf("{ W: bra W; } { W: bra W; bra D; D: }"), "0 1 3 ");
  EXPECT_EQ(targetsOf("L: { bra L; { bra L; } L: } bra L; { bra L; }"),
            "2 2 0 0 ");
  EXPECT_EQ(targetsOf("{ { bra L; } { bra L; L: } } L: bra L;"), "2 2 2 ");
  // In two functions.
  std::unique_ptr<Module> module =
      parseModule(".func f() { bra L; L: ret; } .func g() { L: ret; bra L; }");
  EXPECT_EQ(module->functions[0].elements[0].index, 1U);
  EXPECT_EQ(module->functions[1].elements[0].index, 0U);
}

TEST(Statement, RefusesUnknownLabels) {
  EXPECT_EQ(errorsOfBody("bra L; { bra LOOPY; }\nLOOP:"),
            "7:5: expected a label of this scope or one around it, got 'L'\n"
            "7:14: expected a label of this scope or one around it, got "
            "'LOOPY'; did you mean 'LOOP'?");
  EXPECT_EQ(errorsOfBody("bra L; { L: }"),
            "7:5: expected a label of this scope or one around it, got 'L', "
            "which is a label of another scope");
  EXPECT_EQ(errorsOfBody("L: ret;\nL: ret;"),
            "8:1: expected a new name, got 'L', which is declared in line 7");
  EXPECT_EQ(errorsOfBody("bra %rd1;"),
            "7:5: expected a label of this scope or one around it, got '%rd1'");
  EXPECT_EQ(errorsOfBody("bra 5;"), "7:5: expected a label, got '5'");
  EXPECT_EQ(errorsOfBody("L: bra L+4;"),
            "7:9: expected ';' after the instruction, got '+'");
  EXPECT_EQ(errorsOfBody("L: mov.u64 %rd1, L;"),
            "7:18: expected a declared name, got 'L'");
}

TEST(Statement, ReadsBranchTables) {
  std::unique_ptr<Module> module =
      parseBody("t: .branchtargets L1, M<3>, L1; brx.idx.uni %r1, t;\n"
                "M0: ret; M1: ret; M2: L1: ret;");
  const Function &kernel = lastFunction(*module);
  EXPECT_EQ(operandsOf(*module, kernel, kernel.instructions[0]),
            "%r1, table 0");
  ASSERT_EQ(kernel.branchTargets.size(), 1U);
  EXPECT_EQ(kernel.branchTargets[0].targets,
            (std::vector<uint32_t>{3, 1, 2, 3, 3}));
  // A table of an inner scope, and one that a scope hides.
  module = parseBody("t: .branchtargets L; { t: .branchtargets L, L;\n"
                     "L: brx.idx %r1, t; } L: brx.idx %r1, t;");
  const Function &nested = lastFunction(*module);
  EXPECT_EQ(operandsOf(*module, nested, nested.instructions[0]),
            "%r1, table 1");
  EXPECT_EQ(operandsOf(*module, nested, nested.instructions[1]),
            "%r1, table 0");
  EXPECT_EQ(nested.branchTargets[0].targets[0], 1U);
  EXPECT_EQ(nested.branchTargets[1].targets[0], 0U);
}

TEST(Statement, RefusesBadBranchTables) {
  const std::pair<const char *, const char *> cases[] = {
      {"t: .branchtargets 5;", "7:19: expected a label, got '5'"},
      {"t: .branchtargets L; ",
       "7:19: expected a label of this scope or one around it, got 'L'"},
      {"L: t: .branchtargets L M;",
       "7:24: expected ',' or ';' after a label, got 'M'"},
      {"L: t: .branchtargets L; t: .branchtargets L;",
       "7:25: expected a new name, got 't', which is declared in line 7"},
      {"t: .branchtargets L<2>; L0:",
       "7:19: expected a label of this scope or one around it, got 'L1'"},
      {"t: .branchtargets L<0>;",
       "7:21: expected a number of labels from 1 to 65536, got '0'"},
      {"t: .branchtargets L<70000>;",
       "7:21: expected a number of labels from 1 to 65536, got '70000'"},
      {"t: .branchtargets L<2;",
       "7:22: expected '>' after the number of labels, got ';'"},
      // A table stands before its branch.
      {"L: brx.idx %r1, t; t: .branchtargets L;",
       "7:17: expected a declared name, got 't'"},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(errorsOfBody(text), error) << text;
}

TEST(Statement, RefusesBadStatements) {
  const std::pair<const char *, const char *> cases[] = {
      {";", "7:1: expected an instruction, a label or a directive, got ';'"},
      {"5;", "7:1: expected an instruction, a label or a directive, got '5'"},
      {"@%p1;", "7:5: expected an instruction after the guard, got ';'"},
      {"@%p1 L: ret;", "7:7: expected an operand, got ':'"},
      {"@5 ret;", "7:2: expected a predicate after '@', got '5'"},
      {"@%r1 ret;", "7:2: expected a predicate after '@', got '%r1'"},
      {"@a ret;", "7:2: expected a predicate after '@', got 'a'"},
      {"@%p9 ret;", "7:2: expected a declared name, got '%p9'; the registers "
                    "%p<8> end before it"},
      {"ret", "8:1: expected an operand or ';', got '}'"},
      {"add.u32 %r1, %r2 %r3;",
       "7:18: expected ',' or ';' after an operand, got '%r3'"},
      {"add.u32 %r1,;", "7:13: expected an operand, got ';'"},
      {".foo;", "7:1: expected a state space, a type or an attribute, got "
                "'.foo'"},
      {".maxnreg 4;", "7:1: expected a state space, a type or an attribute, "
                      "got '.maxnreg'"},
      {".pragma 5;", "7:9: expected a string after '.pragma', got '5'"},
      {".loc x;", "7:6: expected the number of a file, got 'x'"},
      {".loc 1;", "7:7: expected a line, got ';'"},
      {".loc 1 2 3, x y;",
       "7:13: expected 'function_name' or 'inlined_at', got 'x'"},
      {".loc 1 2 3, 5;",
       "7:13: expected 'function_name' or 'inlined_at', got '5'"},
      {".loc 1 2 3, function_name 5;", "7:27: expected a label, got '5'"},
      {".loc 1 2 3, function_name x+y;", "7:29: expected an offset, got 'y'"},
      {".loc 1 2 3, inlined_at 1 2;", "7:27: expected a column, got ';'"},
  };
  for (const auto &[text, error] : cases)
    EXPECT_EQ(errorsOfBody(text), error) << text;
}

TEST(Statement, KeepsPlacesOfTheSource) {
  std::unique_ptr<Module> module =
      parseBody("mov.b32 %r1, 0; .loc 1 20 3\nmov.b32 %r1, 1; mov.b32 %r1, 2;\n"
                ".loc 2 30 1, function_name $L__info+16, inlined_at 1 21 5\n"
                "$L__tmp0:\nmov.b32 %r1, 3;\n.file 3 \"x.h\"\n.loc 3 40\nret;");
  std::string places;
  for (const Instruction &instruction : lastFunction(*module).instructions)
    places += std::to_string(instruction.sourceFile) + ":" +
              std::to_string(instruction.sourceLine) + " ";
  EXPECT_EQ(places, "0:0 1:20 1:20 2:30 3:40 ");
  // The next function begins without one.
  module = parseModule(".func f() { .loc 1 2 3 ret; } .func g() { ret; }");
  EXPECT_EQ(module->functions[1].instructions[0].sourceLine, 0U);
}

TEST(Statement, APragmaSaysWhichBytesAreUsed) {
  std::unique_ptr<Module> module =
      parseBody(".pragma \"used_bytes_mask  0xfff\";\n"
                "ld.v4.u32 {%r1, %r2, %r3, _}, [%rd1]; ret;\n"
                ".pragma \"nounroll\", \"x\"; ret;");
  const Function &kernel = lastFunction(*module);
  EXPECT_EQ(kernel.instructions[0].usedBytes, 0xFFFU);
  EXPECT_EQ(kernel.instructions[1].usedBytes, ~uint64_t(0));
  EXPECT_EQ(kernel.instructions[2].usedBytes, ~uint64_t(0));
  EXPECT_EQ(errorsOfBody(".pragma \"used_bytes_mask x\";"),
            "7:9: expected a number after 'used_bytes_mask', got "
            "'\"used_bytes_mask x\"'");
  // Not into the next function.
  module = parseModule(".func f() { .pragma \"used_bytes_mask 1\"; }"
                       " .func g() { ret; }");
  EXPECT_EQ(module->functions[1].instructions[0].usedBytes, ~uint64_t(0));
}

TEST(Statement, AFunctionMayBeEmptyOrEndInALabel) {
  EXPECT_EQ(errorsOf(".entry k() { } .entry l() { { } L: }"), "");
}

TEST(Statement, LimitsTheDepthOfScopes) {
  // The body is the first.
  EXPECT_EQ(
      errorsOfBody(std::string(255, '{') + "ret;" + std::string(255, '}')), "");
  EXPECT_EQ(errorsOfBody(std::string(256, '{') + "ret;" +
                         std::string(256, '}') + "\nfoo"),
            "7:256: expected at most 256 nested scopes, got more\n"
            "9:1: expected an operand or ';', got '}'");
  EXPECT_EQ(errorsOfBody(std::string(100000, '{')),
            "7:256: expected at most 256 nested scopes, got more\n"
            "4:52: expected '}' at the end of 'k', got the end of the text");
}

TEST(Statement, TakesTimeThatIsLinear) {
  // Quadratic, each of these takes minutes.
  constexpr int count = 100000;
  std::string branches, labels, scopes, ranges;
  for (int i = 0; i < count; ++i) {
    std::string number = std::to_string(i);
    branches += "bra L" + number + ";\n";
    labels += "L" + number + ":\n";
    scopes += "{ .reg .b32 x; L: bra L; bra E; mov.b32 x, %r1; }\n";
    ranges += "{ .reg .b32 %r<4>; mov.b32 %r1, %r7; }\n";
  }
  EXPECT_EQ(errorsOfBody(branches + labels), "");
  EXPECT_EQ(errorsOfBody(labels + branches), "");
  EXPECT_EQ(errorsOfBody(scopes + "E: ret;"), "");
  EXPECT_EQ(errorsOfBody(ranges), "");
  std::string nested;
  for (int i = 0; i < 255; ++i)
    nested += "{ .reg .b32 %r<3>;\n";
  for (int i = 0; i < count; ++i)
    nested += "mov.b32 %r7, %r1; bra L;\n";
  EXPECT_EQ(errorsOfBody(nested + std::string(255, '}') + " L:"), "");
}
