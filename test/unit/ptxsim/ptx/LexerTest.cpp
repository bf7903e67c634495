// How text splits into tokens.

#include "tools/ptxsim/ptx/Lexer.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

/// The tokens with a letter for their kind before each, and blanks between.
static std::string tokensOf(const std::string &text) {
  static constexpr char letters[] = {'E', 'N', 'D', '#', 'S', 'P', 'B'};
  Lexer lexer(text);
  std::string result;
  for (Token token = lexer.next(); !token.isEnd(); token = lexer.next())
    (((result += result.empty() ? "" : " ") += letters[size_t(token.kind)]) +=
     ':') += token.text;
  return result;
}

TEST(Lexer, NamesBeginWithLettersDollarPercentAndUnderscore) {
  EXPECT_EQ(tokensOf("%r1 $L__BB0_2 _ _Z1fv a$b %"),
            "N:%r1 N:$L__BB0_2 N:_ N:_Z1fv N:a$b P:%");
  // Inside a name, '%' is an operator.
  EXPECT_EQ(tokensOf("a%b"), "N:a N:%b");
}

TEST(Lexer, WordsKeepTheirColons) {
  EXPECT_EQ(tokensOf("cp.async.bulk.shared::cluster.2d"),
            "N:cp D:.async D:.bulk D:.shared::cluster D:.2d");
  EXPECT_EQ(tokensOf(".mbarrier::complete_tx::bytes"),
            "D:.mbarrier::complete_tx::bytes");
  EXPECT_EQ(tokensOf("L:.reg"), "N:L P:: D:.reg");
  EXPECT_EQ(tokensOf(".a:: ."), "D:.a P:: P:: B:.");
}

TEST(Lexer, NumbersTakeAllThatFollowsThem) {
  EXPECT_EQ(tokensOf("1 0x1FU 1.5e-3 1E+5 0f3F800000 0x1e+5 08 1.0f 2;"),
            "#:1 #:0x1FU #:1.5e-3 #:1E+5 #:0f3F800000 #:0x1e P:+ #:5 #:08 "
            "#:1.0f #:2 P:;");
}

TEST(Lexer, OperatorsOfTwoCharactersAreOne) {
  EXPECT_EQ(tokensOf("<< >> <= >= == != && || < > ! & | -- ++"),
            "P:<< P:>> P:<= P:>= P:== P:!= P:&& P:|| P:< P:> P:! P:& P:| P:- "
            "P:- P:+ P:+");
}

TEST(Lexer, SkipsComments) {
  EXPECT_EQ(tokensOf("a // b \" /*\nc /* d \n // */ e /**/f//"),
            "N:a N:c N:e N:f");
  EXPECT_EQ(tokensOf("4 / 2 /"), "#:4 P:/ #:2 P:/");
}

TEST(Lexer, SkipsLineMarkers) {
  EXPECT_EQ(tokensOf("# 1 \"a.cu\"\nb # 2"), "N:b B:# #:2");
  EXPECT_EQ(tokensOf("#define x"), "B:# N:define N:x");
}

TEST(Lexer, StringsEndInTheirLine) {
  EXPECT_EQ(tokensOf("\"a \\\" b\" c"), "S:\"a \\\" b\" N:c");
  EXPECT_EQ(tokensOf("\"a\nb\""), "B:\" N:a N:b B:\"");
  EXPECT_EQ(tokensOf("\"a\\"), "B:\" N:a B:\\");
}

TEST(Lexer, AnUnclosedCommentEndsTheText) {
  EXPECT_EQ(tokensOf("a /* b\nc"), "N:a B:/*");
  EXPECT_EQ(tokensOf("a /*/"), "N:a B:/*");
}

TEST(Lexer, OtherBytesAreBad) {
  EXPECT_EQ(tokensOf(std::string("a\0b \x80 `", 7)),
            std::string("N:a B:\0 N:b B:\x80 B:`", 19));
}

TEST(Lexer, CountsLinesAndColumns) {
  Lexer lexer("a\n  b /*\n\n*/ c\r\n\td");
  const Location expected[] = {{1, 1}, {2, 3}, {4, 4}, {5, 2}};
  for (const Location &location : expected) {
    Token token = lexer.next();
    EXPECT_EQ(token.location.line, location.line) << token.text;
    EXPECT_EQ(token.location.column, location.column) << token.text;
  }
}

TEST(Lexer, RereadsAWordAsNumber) {
  std::string text = ".5e-3,";
  Lexer lexer(text);
  Token word = lexer.next();
  EXPECT_EQ(word.text, ".5e");
  EXPECT_EQ(lexer.rereadAsNumber(word).text, ".5e-3");
  EXPECT_TRUE(lexer.next().is(','));
}

TEST(Lexer, QuotesWhatCanBeRead) {
  EXPECT_EQ(quote("a"), "'a'");
  EXPECT_EQ(quote("a\n\x80"), "'a\\x0A\\x80'");
  EXPECT_EQ(quote(std::string(61, 'x')), "'" + std::string(60, 'x') + "…'");
}
