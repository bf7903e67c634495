// The header of a module and its statements outside of functions.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

static std::unique_ptr<Module> parseHeader(const std::string &text) {
  std::vector<Diagnostic> diagnostics;
  return parse(text, "t", diagnostics);
}

TEST(Module, ReadsTheHeader) {
  std::unique_ptr<Module> module =
      parseHeader(".version 8.4\n.target sm_90a, debug\n.address_size 64\n");
  ASSERT_TRUE(module);
  EXPECT_EQ(module->name, "t");
  EXPECT_EQ(module->versionMajor, 8U);
  EXPECT_EQ(module->versionMinor, 4U);
  EXPECT_EQ(module->target, "sm_90a");
  EXPECT_TRUE(module->debug);
  module = parseHeader("// c\n.version 8.0 .target sm_90, texmode_independent");
  ASSERT_TRUE(module);
  EXPECT_FALSE(module->debug);
  EXPECT_EQ(module->target, "sm_90");
}

TEST(Module, AcceptsWhatRunsOnSm90a) {
  for (const char *target : {"sm_20", "sm_52", "sm_70", "sm_80", "sm_86",
                             "sm_89", "sm_90", "sm_90a"})
    EXPECT_EQ(errorsOfText(std::string(".version 8.0 .target ") + target), "");
  for (const char *target :
       {"sm_80a", "sm_90b", "sm_91", "sm_100", "sm_100a", "sm_120f", "sm_",
        "sm_9", "sm_19", "sm_90000000000000000000", "compute_90", "foo"})
    EXPECT_EQ(errorsOfText(std::string(".version 9.0 .target ") + target),
              "1:22: expected the target sm_90a, or sm_90 or an older one "
              "without a letter, got '" +
                  std::string(target) + "'");
}

TEST(Module, AcceptsAnotherTargetLater) {
  EXPECT_EQ(errorsOf(".target sm_80\n.target sm_100"),
            "5:9: expected the target sm_90a, or sm_90 or an older one without "
            "a letter, got 'sm_100'");
}

TEST(Module, RefusesOtherHeaders) {
  EXPECT_EQ(errorsOfText(""),
            "1:1: expected '.version' at the beginning, got the end of the "
            "text");
  EXPECT_EQ(errorsOfText(".target sm_90 .version 9.0"),
            "1:1: expected '.version' at the beginning, got '.target'");
  EXPECT_EQ(errorsOfText(".version 7.8 .target sm_90"),
            "1:10: expected a version from 8.0 to 9.0, got '7.8'");
  EXPECT_EQ(errorsOfText(".version 9.1 .target sm_90"),
            "1:10: expected a version from 8.0 to 9.0, got '9.1'");
  for (const char *version : {"9", "9.", "9.x", "a", "9.0.1", ".9", "99999.0"})
    EXPECT_EQ(errorsOfText(std::string(".version ") + version + " "),
              "1:10: expected a version such as 9.0, got '" +
                  std::string(version) + "'");
  EXPECT_EQ(errorsOfText(".version 9.0 .entry k"),
            "1:14: expected '.target' after '.version', got '.entry'");
  EXPECT_EQ(errorsOfText(".version 9.0 .target 90"),
            "1:22: expected a target such as sm_90a, got '90'");
  EXPECT_EQ(errorsOfText(".version 9.0 .target sm_90 .address_size 32"),
            "1:42: expected an address size of 64, got '32'");
}

/// The errors of `body` in a module of another version.
static std::string errorsOfVersion(const char *version,
                                   const std::string &body) {
  return errorsOfText(".version " + std::string(version) +
                      " .target sm_90a\n" + body);
}

TEST(Module, RefusesWhatIsNewer) {
  struct {
    const char *body, *last, *first, *place, *feature;
  } const cases[] = {
      {".entry k() .blocksareclusters .reqntid 1 .reqnctapercluster 1 { ret; }",
       "8.8", "9.0", "2:12", ".blocksareclusters"},
      {".func f() .abi_preserve 10 { ret; }", "8.8", "9.0", "2:11",
       ".abi_preserve"},
      {".func f() .abi_preserve_control 10 { ret; }", "8.8", "9.0", "2:11",
       ".abi_preserve_control"},
      {".entry k() { .pragma \"used_bytes_mask 15\"; ret; }", "8.2", "8.3",
       "2:22", "the pragma 'used_bytes_mask'"},
      {".pragma \"enable_smem_spilling\";", "8.6", "8.7", "2:9",
       "the pragma 'enable_smem_spilling'"},
      {".entry k() { .pragma \"frequency 3\"; ret; }", "8.8", "9.0", "2:22",
       "the pragma 'frequency'"},
      {".entry k() { .reg .b128 %q; ret; }", "8.2", "8.3", "2:19",
       "the type .b128"},
      {".global .b128 q;", "8.2", "8.3", "2:9", "the type .b128"},
      {".entry k() { .reg .b32 %r; mov.u32 %r, %aggr_smem_size; }", "8.0",
       "8.1", "2:40", "%aggr_smem_size"}};
  for (const auto &it : cases) {
    EXPECT_EQ(errorsOfVersion(it.first, it.body), "");
    EXPECT_EQ(errorsOfVersion(it.last, it.body),
              std::string(it.place) + ": expected .version " + it.first +
                  " or later for " + it.feature + ", got " + it.last);
  }
  EXPECT_EQ(errorsOfVersion("8.0", ".pragma \"nounroll\";"), "");
}

TEST(Module, RefusesOtherStatements) {
  EXPECT_EQ(errorsOf("foo"), "4:1: expected a directive, got 'foo'");
  EXPECT_EQ(errorsOf(".foo x;"), "4:1: expected a state space, a type or an "
                                 "attribute, got '.foo'");
  EXPECT_EQ(errorsOf("}"), "4:1: expected a directive, got '}'");
}

TEST(Module, KeepsFiles) {
  std::unique_ptr<Module> module =
      parseModule(".file 1 \"a b.cu\"\n.file 20 \"/x/y.h\", 123, 0x45\n");
  ASSERT_EQ(module->files.size(), 2U);
  EXPECT_EQ(module->files[0].number, 1U);
  EXPECT_EQ(module->files[0].path, "a b.cu");
  EXPECT_EQ(module->files[1].number, 20U);
  EXPECT_EQ(module->files[1].path, "/x/y.h");
  EXPECT_EQ(errorsOf(".file x"), "4:7: expected the number of a file, got 'x'");
  EXPECT_EQ(errorsOf(".file 1 a;"),
            "4:9: expected the path of the file in quotes, got 'a'");
  EXPECT_EQ(errorsOf(".file 1 \"a\", b;"), "4:14: expected a number, got 'b'");
}

TEST(Module, SkipsSectionsAndPragmas) {
  std::unique_ptr<Module> module = parseModule(R"(.pragma "nounroll", "x";
.section .debug_abbrev
{
.b8 1 // }
.b32 .debug_info, 5
$L__info: .b64 $L__func0
{ }
}
.section .debug_loc { }
.global .u32 x;
)");
  EXPECT_EQ(module->variables.size(), 1U);
  EXPECT_EQ(errorsOf(".pragma 5;"),
            "4:9: expected a string after '.pragma', got '5'");
  EXPECT_EQ(errorsOf(".pragma \"a\""),
            "4:12: expected ';' after '.pragma', got the end of the text");
  EXPECT_EQ(errorsOf(".section 5 { }"),
            "4:10: expected the name of a section, got '5'");
  EXPECT_EQ(errorsOf(".section .debug_x;"),
            "4:18: expected '{' after the name of a section, got ';'");
  EXPECT_EQ(errorsOf(".section .debug_x\n{ .b8 1\n{ } "),
            "5:1: expected '}' at the end of a section, got the end of the "
            "text");
}

TEST(Module, ResolvesAliases) {
  std::unique_ptr<Module> module = parseModule(R"(
.func f(.param .b32 x) { ret; }
.func a(.param .b32 x);
.func b(.param .b32 x);
.global .u64 p = a;
.entry k() { .param .b32 x; call a, (x); call b, (x); ret; }
.alias a, f;
.alias b, a;
)");
  const Function &kernel = lastFunction(*module);
  ASSERT_EQ(kernel.instructions.size(), 3U);
  for (int i : {0, 1})
    EXPECT_EQ(operandsOf(*module, kernel, kernel.instructions[i]),
              "{}, function f, {local x}, _");
  ASSERT_EQ(module->functions.size(), 4U);
  EXPECT_EQ(module->functions[0].aliasOf, -1);
  EXPECT_EQ(module->functions[1].aliasOf, 0);
  EXPECT_EQ(module->functions[2].aliasOf, 0);
  EXPECT_EQ(module->variables[0].relocations[0].index, 0U);
}

TEST(Module, RefusesBadAliases) {
  const std::string functions =
      ".func f() { ret; } .func a(); .func b();"
      " .entry k() { ret; } .func c(.param .b32 x);\n";
  EXPECT_EQ(errorsOf(functions + ".alias f, a;"),
            "5:8: expected a function without a body as alias, got 'f'");
  EXPECT_EQ(errorsOf(functions + ".alias a, f; .alias a, f;"),
            "5:21: expected a function without a body as alias, got 'a'");
  EXPECT_EQ(errorsOf(functions + ".alias a, k;"),
            "5:11: expected a function, got 'k'");
  EXPECT_EQ(errorsOf(functions + ".alias a, g;"),
            "5:11: expected a declared name, got 'g'");
  EXPECT_EQ(errorsOf(functions + ".alias a f;"),
            "5:10: expected ',' after the alias, got 'f'");
  EXPECT_EQ(errorsOf(functions + ".alias a, f"),
            "5:12: expected ';' after '.alias', got the end of the text");
  EXPECT_EQ(errorsOf(functions + ".alias c, f;"),
            "4:68: expected 0 parameters of 'c' as of 'f', got 1");
  EXPECT_EQ(errorsOf(functions + ".alias a, f; .func a() { ret; }"),
            "5:20: expected no body of 'a', which is an alias, got one");
  // An alias of what becomes an alias only later.
  EXPECT_EQ(errorsOf(functions + ".alias a, b; .alias b, f;"),
            "4:26: expected the alias of a function, got that of the alias "
            "'b'");
  EXPECT_EQ(errorsOf(".func a(); .func b(); .func f() { ret; }\n"
                     ".alias b, a; .alias a, f;"),
            "4:18: expected the alias of a function, got that of the alias "
            "'a'");
  EXPECT_EQ(errorsOf(functions + ".alias a, a;"),
            "4:26: expected the alias of a function, got that of the alias "
            "'a'");
}
