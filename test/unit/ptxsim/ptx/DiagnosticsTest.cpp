// What errors look like, and where the parser goes on.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

static std::vector<Diagnostic> diagnosticsOf(const std::string &text) {
  std::vector<Diagnostic> diagnostics;
  EXPECT_EQ(parse(text, "t", diagnostics), nullptr);
  return diagnostics;
}

static const std::string header =
    ".version 9.0\n.target sm_90a\n.address_size 64\n";

TEST(Diagnostics, HaveAPlaceAndTheLine) {
  std::vector<Diagnostic> diagnostics =
      diagnosticsOf(header + ".entry k() {\n\t add.u32\t%r1, 1;  \r\n}");
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(render(diagnostics[0], "a/b.ptx"),
            "a/b.ptx:5:11: error: expected a declared name, got '%r1'\n"
            "  add.u32 %r1, 1;\n");
  // At the end there is no line.
  diagnostics = diagnosticsOf(header + ".entry");
  EXPECT_EQ(diagnostics[0].text, ".entry");
  EXPECT_EQ(diagnosticsOf("")[0].text, "");
}

TEST(Diagnostics, ShowAPartOfALongLine) {
  std::string name(1000, 'x');
  std::vector<Diagnostic> diagnostics = diagnosticsOf(
      header + ".entry k() { " + name + " " + name + ", é\x01; }");
  ASSERT_EQ(diagnostics.size(), 1U);
  EXPECT_EQ(diagnostics[0].message,
            "expected a declared name, got '" + std::string(60, 'x') + "…'");
  EXPECT_EQ(diagnostics[0].text,
            std::string(79, 'x') + " " + std::string(80, 'x') + "…");
  diagnostics = diagnosticsOf(header + ".entry k() { foo é\x01, \x02; }");
  EXPECT_EQ(diagnostics[0].text, ".entry k() { foo ???, ?; }");
  EXPECT_EQ(diagnostics[0].message, "expected an operand, got '\\xC3'");
}

TEST(Diagnostics, SuggestNearNames) {
  EXPECT_EQ(errorsOfBody(".shared .b8 buffer[4]; mov.u32 %r1, bufer;"),
            "7:37: expected a declared name, got 'bufer'; did you mean "
            "'buffer'?");
  EXPECT_EQ(errorsOfBody(".reg .b32 %threads; mov.u32 %r1, %theradz;"),
            "7:34: expected a declared name, got '%theradz'");
  EXPECT_EQ(errorsOfBody(".reg .b32 %threads; mov.u32 %r1, %theradss;"),
            "7:34: expected a declared name, got '%theradss'");
  EXPECT_EQ(errorsOfBody(".reg .b32 %threads; mov.u32 %r1, %threats;"),
            "7:34: expected a declared name, got '%threats'; did you mean "
            "'%threads'?");
  EXPECT_EQ(errorsOfBody("mov.u32 %r1, %r8;"),
            "7:14: expected a declared name, got '%r8'; the registers %r<8> "
            "end before it");
  EXPECT_EQ(errorsOfBody("mov.u32 %r1, %tidd.x; mov.u32 %r1, %tid.x;"),
            "7:14: expected a declared name, got '%tidd'; did you mean "
            "'%tid'?");
  // These are no members, whatever their number is modulo 2^32.
  for (const char *name : {"%r01", "%r4294967297", "%r"})
    EXPECT_EQ(errorsOfBody("mov.u32 %r2, " + std::string(name) + ";"),
              "7:14: expected a declared name, got '" + std::string(name) +
                  "'");
  // The nearest of several.
  EXPECT_EQ(errorsOfBody(".reg .b32 abcdefxx, abcdefgx, abcdxxxx;"
                         " mov.u32 %r1, abcdefgh;"),
            "7:54: expected a declared name, got 'abcdefgh'; did you mean "
            "'abcdefgx'?");
  EXPECT_EQ(errorsOfBody("mov.u32 %r1, 0; mov.u32 %q1, 0;"),
            "7:25: expected a declared name, got '%q1'");
  EXPECT_EQ(errorsOfBody(".reg .b32 firstSum; mov.u32 %r1, firsstSumm;"),
            "7:34: expected a declared name, got 'firsstSumm'; did you mean "
            "'firstSum'?");
  // Names of C++ are too long to compare.
  std::string name(128, 'x');
  EXPECT_EQ(errorsOfBody(".reg .b32 " + name + "; mov.u32 %r1, y" +
                         name.substr(1) + ";"),
            "7:154: expected a declared name, got 'y" + name.substr(0, 59) +
                "…'; did you mean '" + name.substr(0, 60) + "…'?");
  name += "x";
  EXPECT_EQ(errorsOfBody(".reg .b32 " + name + "; mov.u32 %r1, y" +
                         name.substr(1) + ";"),
            "7:155: expected a declared name, got 'y" + name.substr(0, 59) +
                "…'");
  // Nothing is near.
  EXPECT_EQ(errorsOfBody("mov.u32 %r1, completely;"),
            "7:14: expected a declared name, got 'completely'");
  EXPECT_EQ(errorsOfBody(".reg .b32 y; mov.u32 %r1, x;"),
            "7:27: expected a declared name, got 'x'");
}

TEST(Diagnostics, EndTheirStatement) {
  EXPECT_EQ(errorsOfBody("add.u32 %r1, nope, nope;\nmov.b64 {%r1, 5;\n"
                         "{ mov.b64 {%r1, [%r2], {, %rd1; }\nadd.u32 @;"),
            "7:14: expected a declared name, got 'nope'\n"
            "8:16: expected ',' or '}' in a vector, got ';'\n"
            "9:17: expected a register, a constant or '_' in a vector, got "
            "'['\n"
            "10:9: expected an operand, got '@'");
  // A statement that is not ended takes the next with it, not its scope.
  EXPECT_EQ(errorsOfBody("{ add.u32 %r1, 1 }\nadd.u32 @;"),
            "7:18: expected ',' or ';' after an operand, got '}'\n"
            "8:9: expected an operand, got '@'");
}

TEST(Diagnostics, EndTheirFunction) {
  EXPECT_EQ(errorsOf(".entry k(foo) .maxntid 5 { { ret; } nope; }\n"
                     ".global .u32 x = 1.5, y;\n"
                     ".global .u32 z[2] = {1, 2, {3}}; .global .foo w;\n"
                     ".entry l() { nope, nope; ret; }"),
            "4:10: expected a parameter that begins with '.param' or '.reg', "
            "got 'foo'\n"
            "5:18: expected an integer for '.u32', got a float\n"
            "6:28: expected at most 2 initial values in this list, got '{'\n"
            "6:42: expected a state space, a type or an attribute, got "
            "'.foo'\n"
            "7:18: expected an operand, got ','");
}

TEST(Diagnostics, OfADeclarationAreNotFollowedByThoseOfItsNames) {
  EXPECT_EQ(errorsOfBody(".reg .foo x, y;\nmov.b32 x, y; mov.b32 %r1, @;"),
            "7:6: expected a state space, a type or an attribute, got '.foo'\n"
            "8:28: expected an operand, got '@'");
  EXPECT_EQ(errorsOfBody("P: .callprototype 5;\ncall %rd1, P;"),
            "7:19: expected '_' in a prototype, got '5'");
  EXPECT_EQ(errorsOf(".func f(foo);\n.func g() { call f; }"),
            "4:9: expected a parameter that begins with '.param' or '.reg', "
            "got 'foo'");
  // But a function knows nothing of another's.
  EXPECT_EQ(errorsOf(".func f() { .reg .foo x; }\n.func g() { mov.b32 x, 0; }"),
            "4:18: expected a state space, a type or an attribute, got '.foo'\n"
            "5:21: expected a declared name, got 'x'");
}

TEST(Diagnostics, AreAtMostTwenty) {
  std::string statements;
  for (int i = 0; i < 1000; ++i)
    statements += "add.u32 @;\n";
  EXPECT_EQ(diagnosticsOf(header + ".entry k() {\n" + statements + "}").size(),
            20U);
  std::string bytes(100000, '\xFF');
  EXPECT_EQ(diagnosticsOf(bytes).size(), 1U);
  EXPECT_EQ(diagnosticsOf(header + bytes).size(), 1U);
  // Those that were there before do not count.
  std::vector<Diagnostic> diagnostics(25);
  EXPECT_EQ(parse("", "t", diagnostics), nullptr);
  EXPECT_EQ(diagnostics.size(), 26U);
}

TEST(Diagnostics, SayWhatIsNotClosed) {
  EXPECT_EQ(errorsOf("\n  /* a\n\nb"),
            "5:3: expected '*/' after '/*', got the end of the text");
  EXPECT_EQ(errorsOf(".pragma \"a\n"),
            "4:9: expected '\"' after '\"', got the end of the line");
  EXPECT_EQ(errorsOf(".entry k() {\n{ ret;\n}"),
            "4:12: expected '}' at the end of 'k', got the end of the text");
  EXPECT_EQ(errorsOf(".entry k() {\nret; /* a"),
            "5:6: expected '*/' after '/*', got the end of the text\n"
            "4:12: expected '}' at the end of 'k', got the end of the text");
}
