#include "runtime/text/Pattern.h"

#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;

using Spans = std::vector<std::pair<size_t, size_t>>;

/// The matches of `source` in `text`.
static Spans matches(const std::string &source, std::string_view text) {
  Pattern pattern;
  Status status = Pattern::compile("p", source, pattern);
  Spans spans;
  if (status.ok())
    status = Matcher(pattern).forEachMatch(text, [&](size_t begin, size_t end) {
      spans.emplace_back(begin, end);
    });
  EXPECT_TRUE(status.ok()) << status.message();
  return spans;
}

static std::string compileMessage(const std::string &source) {
  Pattern pattern;
  Status status = Pattern::compile("t.bin: step 3", source, pattern);
  EXPECT_EQ(status.exitCode(), 65);
  return status.message();
}

TEST(Pattern, CountsBytesFromLeftToRight) {
  EXPECT_EQ(matches("b+", "abbcb"), (Spans{{1, 3}, {4, 5}}));
  EXPECT_EQ(matches("\\p{L}", "\xC3\xA9 x"), (Spans{{0, 2}, {3, 4}}));
  EXPECT_EQ(matches("x", ""), Spans{});
}

// As in Oniguruma's iteration, which `tokenizers` uses.
TEST(Pattern, EmptyMatchesDoNotTouch) {
  EXPECT_EQ(matches("a*", "baac"), (Spans{{0, 0}, {1, 3}, {4, 4}}));
  EXPECT_EQ(matches("(?=x)", "xx"), (Spans{{0, 0}, {1, 1}}));
  EXPECT_EQ(matches("", "\xE2\x82\xAC"), (Spans{{0, 0}, {3, 3}}));
}

TEST(Pattern, NewlineIsLineFeed) {
  EXPECT_EQ(matches(".", "\r\n\xE2\x80\xA8"), (Spans{{0, 1}, {2, 5}}));
}

// PCRE2's alternatives go from left to right, and a lookahead takes nothing.
TEST(Pattern, WhiteSpaceBeforeAWord) {
  EXPECT_EQ(matches(" ?[a-z]+|\\s+(?!\\S)|\\s+", "a   b  "),
            (Spans{{0, 1}, {1, 3}, {3, 5}, {5, 7}}));
}

TEST(Pattern, NoExpression) {
  EXPECT_EQ(
      compileMessage("(a"),
      "t.bin: step 3: expected a regular expression, got '(a': missing closing "
      "parenthesis at byte 2; use a model with another tokenizer");
  EXPECT_EQ(compileMessage("\x1B[31m(\n"),
            "t.bin: step 3: expected a regular expression, got "
            "'\\x1b[31m(\\x0a': missing terminating ] for character class at "
            "byte 7; use a model with another tokenizer");
}

TEST(Pattern, TooLong) {
  EXPECT_EQ(compileMessage(std::string((1 << 20) + 1, 'a')),
            "t.bin: step 3: expected a pattern of at most 1048576 bytes, got "
            "1048577; use a model with another tokenizer");
}

TEST(Pattern, EndlessBacktracking) {
  Pattern pattern;
  ASSERT_TRUE(Pattern::compile("t.bin: step 3", "(?:a|a)+[bc]", pattern).ok());
  Status status = Matcher(pattern).forEachMatch(std::string(60, 'a'),
                                                [](size_t, size_t) {});
  EXPECT_EQ(status.exitCode(), 65);
  EXPECT_EQ(
      status.message(),
      "t.bin: step 3: expected a pattern that matches within its limits, "
      "got the error 'match limit exceeded' in a piece of 60 bytes; split "
      "the text or simplify the pattern");
}

// The steps of all matches in a text are limited, not only those of one.
TEST(Pattern, ManyLongMatches) {
  Pattern pattern;
  ASSERT_TRUE(Pattern::compile("p", "(?:a|a){16}b|a", pattern).ok());
  Matcher matcher(pattern);
  size_t matches = 0;
  auto count = [&](size_t, size_t) { ++matches; };
  Status status = matcher.forEachMatch(std::string(1000, 'a'), count);
  EXPECT_EQ(status.exitCode(), 65);
  EXPECT_LT(matches, 100u);
  EXPECT_TRUE(matcher.forEachMatch("aaa-b", count).ok());
}

// A match that takes long may start anywhere, and matches follow it.
TEST(Pattern, LongMatchAfterOthers) {
  std::string text = std::string(3000, '-') + std::string(3000, ' ');
  EXPECT_EQ(matches("\\s*\\n|\\s+(?!\\S)|\\s+|x", text + "x-x"),
            (Spans{{3000, 5999}, {5999, 6000}, {6000, 6001}, {6002, 6003}}));
  EXPECT_EQ(matches("\\s*\\n", text + "x \n"), (Spans{{6001, 6003}}));
}

// A run of white space goes back over all of it once.
TEST(Pattern, LongRuns) {
  std::string text(1 << 24, ' ');
  EXPECT_EQ(matches("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", text + "x"),
            (Spans{{0, text.size() - 1}, {text.size() - 1, text.size()}}));
}
