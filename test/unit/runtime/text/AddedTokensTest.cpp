// The results are those of AddedVocabulary in `tokenizers`; ids of whole texts
// are compared with the package in test/runtime/text/added.test.

#include "runtime/text/AddedTokens.h"

#include <chrono>
#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;

/// `text` cut at `tokens`: the parts, with the id before each added token.
static std::vector<std::string> cut(const std::vector<AddedToken> &tokens,
                                    const std::string &text) {
  AddedTokenSet set;
  for (const AddedToken &token : tokens)
    EXPECT_TRUE(set.add(token).ok());
  std::vector<Stretch> stretches;
  EXPECT_TRUE(set.split(text, stretches).ok());
  std::vector<std::string> parts;
  for (const Stretch &s : stretches)
    parts.push_back((s.id < 0 ? "" : std::to_string(s.id) + ":") +
                    text.substr(s.begin, s.end - s.begin));
  return parts;
}

using Parts = std::vector<std::string>;

TEST(AddedTokens, NoTokens) {
  EXPECT_TRUE(AddedTokenSet().empty());
  EXPECT_EQ(cut({}, ""), Parts{});
  EXPECT_EQ(cut({}, "abc"), Parts{"abc"});
}

TEST(AddedTokens, LeftmostThenLongest) {
  std::vector<AddedToken> tokens = {{"ab", 1}, {"abcd", 2}, {"bcde", 3}};
  EXPECT_EQ(cut(tokens, "xabcdex"), (Parts{"x", "2:abcd", "ex"}));
  EXPECT_EQ(cut(tokens, "abcabab"), (Parts{"1:ab", "c", "1:ab", "1:ab"}));
  EXPECT_EQ(cut(tokens, "abc"), (Parts{"1:ab", "c"}));
  EXPECT_EQ(cut(tokens, "xbcde"), (Parts{"x", "3:bcde"}));
}

TEST(AddedTokens, StripsWhiteSpace) {
  std::vector<AddedToken> left = {{"<l>", 1, true, false, false}};
  EXPECT_EQ(cut(left, "a \t\xE3\x80\x80<l> b"),
            (Parts{"a", "1: \t\xE3\x80\x80<l>", " b"}));
  EXPECT_EQ(cut(left, "  <l>"), Parts{"1:  <l>"});
  std::vector<AddedToken> right = {{"<r>", 1, false, true, false}};
  EXPECT_EQ(cut(right, "a <r>\n\xC2\xA0 b"),
            (Parts{"a ", "1:<r>\n\xC2\xA0 ", "b"}));
  EXPECT_EQ(cut(right, "<r>  "), Parts{"1:<r>  "});
}

// What one took to its right, the next cannot take to its left.
TEST(AddedTokens, StripsEachSpaceOnce) {
  std::vector<AddedToken> both = {{"<b>", 1, true, true, false}};
  EXPECT_EQ(cut(both, "<b> <b>"), (Parts{"1:<b> ", "1:<b>"}));
}

// A token of white space that was taken along is gone.
TEST(AddedTokens, TakenAlongAsWhiteSpace) {
  std::vector<AddedToken> lines = {{"\n\n", 1, true, true, false}};
  EXPECT_EQ(cut(lines, "a\n\n\n\n\nb"), (Parts{"a", "1:\n\n\n\n\n", "b"}));
}

// Each space is looked at a few times, not once for every token.
TEST(AddedTokens, StripsLongRuns) {
  std::vector<AddedToken> left = {{" ", 1, true, false, false}};
  std::vector<AddedToken> right = {{" ", 1, false, true, false},
                                   {"\t", 2, false, false, false}};
  std::string spaces(300000, ' '), both;
  for (int i = 0; i < 150000; ++i)
    both += " \t";
  auto start = std::chrono::steady_clock::now();
  for (const auto &[tokens, text] :
       {std::pair{left, spaces}, {right, spaces}, {right, both}}) {
    AddedTokenSet set;
    for (const AddedToken &token : tokens)
      ASSERT_TRUE(set.add(token).ok());
    std::vector<Stretch> stretches;
    ASSERT_TRUE(set.split(text, stretches).ok());
    EXPECT_EQ(stretches.size(), text.size());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(AddedTokens, SingleWord) {
  std::vector<AddedToken> word = {{"word", 1, false, false, true}};
  EXPECT_EQ(cut(word, "word"), Parts{"1:word"});
  EXPECT_EQ(cut(word, "a word."), (Parts{"a ", "1:word", "."}));
  // Letters, marks, decimals, connectors and joiners are parts of words, and so
  // is U+10D4A, a letter since Unicode 16.
  for (const char *character : {"s", "_", "1", "\xC3\xA9", "\xCC\x81",
                                "\xE2\x80\x8D", "\xF0\x90\xB5\x8A"}) {
    std::string after = "word" + std::string(character);
    EXPECT_EQ(cut(word, after), Parts{after});
    std::string before = character + std::string("word");
    EXPECT_EQ(cut(word, before), Parts{before});
  }
  // Other numbers, other signs and spaces are not.
  for (const char *character : {"-", " ", "\xC2\xBD", "\xF0\x9F\x91\x8D"})
    EXPECT_EQ(cut(word, "word" + std::string(character)),
              (Parts{"1:word", character}));
}

// The search goes on behind a match that was no word.
TEST(AddedTokens, NoWordThenWord) {
  std::vector<AddedToken> word = {{"aa", 1, false, false, true}};
  EXPECT_EQ(cut(word, "aaa aa"), (Parts{"aaa ", "1:aa"}));
}

TEST(AddedTokens, Messages) {
  AddedTokenSet set;
  EXPECT_EQ(set.add({"", 7}).message(),
            "expected a text that can be matched, got none");
  EXPECT_TRUE(set.add({"<x>", 7}).ok());
  EXPECT_EQ(set.add({"<x>", 8}).message(),
            "expected a text of its own, got that of token 7");
}
