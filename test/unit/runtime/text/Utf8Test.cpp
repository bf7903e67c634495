#include "runtime/text/Utf8.h"

#include <gtest/gtest.h>

using namespace tcc::rt;

static const std::string bad = "\xEF\xBF\xBD";

// The cases are those of Unicode 15, tables 3-7 and 3-8; the results are those
// of bytes.decode("utf-8", errors="replace") in Python.
TEST(Utf8, ReplacesMaximalSubparts) {
  struct Case {
    std::string bytes, repaired;
  };
  for (const Case &c : {
           Case{"", ""},
           Case{"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x91\x8D", "a\xC3\xA9\xE2\x82\xAC"
                                                         "\xF0\x9F\x91\x8D"},
           Case{std::string("a\0b", 3), std::string("a\0b", 3)},
           Case{"\x80", bad},
           Case{"\xBF\xBF", bad + bad},
           Case{"\xC0\x80", bad + bad},           // Overlong.
           Case{"\xC1\xBF", bad + bad},           // Overlong.
           Case{"\xC2", bad},                     // The text ends.
           Case{"\xC2x", bad + "x"},              // Another one begins.
           Case{"\xE0\x9F\xBF", bad + bad + bad}, // Overlong.
           Case{"\xE0\xA0", bad},                 // One part, not two.
           Case{"\xE0\xA0x", bad + "x"},
           Case{"\xED\x9F\xBF", "\xED\x9F\xBF"},
           Case{"\xED\xA0\x80", bad + bad + bad},           // A surrogate.
           Case{"\xED\xB0\x80", bad + bad + bad},           // A surrogate.
           Case{"\xF0\x8F\xBF\xBF", bad + bad + bad + bad}, // Overlong.
           Case{"\xF0\x90\x80", bad},
           Case{"\xF0\x90\xC2\x80", bad + "\xC2\x80"},
           Case{"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
           Case{"\xF4\x90\x80\x80", bad + bad + bad + bad}, // Above U+10FFFF.
           Case{"\xF5", bad},
           Case{"\xFF\xFE", bad + bad},
           Case{"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64",
                "a" + bad + bad + bad + "b" + bad + "c" + bad + bad + "d"},
       }) {
    EXPECT_EQ(repairUtf8(c.bytes), c.repaired);
    EXPECT_EQ(isUtf8(c.bytes), c.bytes == c.repaired);
    EXPECT_TRUE(isUtf8(c.repaired));
  }
}

// What comes out does not depend on where the parts end, and is UTF-8 at any
// time.
TEST(Utf8, RepairsInParts) {
  std::string text =
      "a\xC3\xA9\xF0\x9F\x91\x8D\xE2\x82\xF0\x9F\x91\xE2\x82\xAC\xFF"
      "\xC3";
  std::string whole = repairUtf8(text);
  for (size_t first = 0; first <= text.size(); ++first)
    for (size_t second = first; second <= text.size(); ++second) {
      Utf8Repairer repairer;
      std::string result;
      for (std::string part :
           {text.substr(0, first), text.substr(first, second - first),
            text.substr(second)}) {
        repairer.append(part, result);
        EXPECT_TRUE(isUtf8(result)) << first << ", " << second;
      }
      repairer.finish(result);
      EXPECT_EQ(result, whole) << first << ", " << second;
    }
}

// A character is held back until its last byte, and no longer.
TEST(Utf8, HoldsBackWhatIsUncertain) {
  Utf8Repairer repairer;
  std::string result;
  repairer.append("x\xF0\x9F", result);
  EXPECT_EQ(result, "x");
  repairer.append("\x91", result);
  EXPECT_EQ(result, "x");
  repairer.append("\x8D", result);
  EXPECT_EQ(result, "x\xF0\x9F\x91\x8D");
  repairer.append("\xE2\x82", result);
  repairer.finish(result);
  EXPECT_EQ(result, "x\xF0\x9F\x91\x8D" + bad);
  repairer.finish(result);
  EXPECT_EQ(result, "x\xF0\x9F\x91\x8D" + bad);
}

TEST(Utf8, StepsOverCharacters) {
  for (auto [text, codePoint] : {std::pair<std::string, uint32_t>{"a", 0x61},
                                 {"\x7F", 0x7F},
                                 {"\xC2\x80", 0x80},
                                 {"\xDF\xBF", 0x7FF},
                                 {"\xE0\xA0\x80", 0x800},
                                 {"\xEF\xBF\xBF", 0xFFFF},
                                 {"\xF0\x90\x80\x80", 0x10000},
                                 {"\xF4\x8F\xBF\xBF", 0x10FFFF}}) {
    EXPECT_EQ(characterBytes(text[0]), text.size());
    EXPECT_EQ(firstCodePoint(text + "x"), codePoint);
    EXPECT_EQ(lastCharacter("x\xC3\xA9" + text), 3u);
    EXPECT_EQ(lastCharacter(text), 0u);
  }
}

// Unicode's White_Space has 25 characters; U+180E, U+200B and U+FEFF are not
// among them, nor are the separators U+001C to U+001F, which Python counts.
TEST(Utf8, WhiteSpace) {
  std::vector<uint32_t> found;
  for (uint32_t c = 0; c < 0x110000; ++c)
    if (isWhiteSpace(c))
      found.push_back(c);
  EXPECT_EQ(found, (std::vector<uint32_t>{
                       0x9,    0xA,    0xB,    0xC,    0xD,    0x20,   0x85,
                       0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
                       0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028,
                       0x2029, 0x202F, 0x205F, 0x3000}));
}
