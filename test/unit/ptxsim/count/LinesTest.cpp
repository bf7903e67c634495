// Which lines and sectors accesses touch.

#include "tools/ptxsim/count/Lines.h"

#include <gtest/gtest.h>

#include <vector>

using namespace ptxsim;

namespace {

TEST(Lines, SplitRanges) {
  std::vector<LineAccess> lines;
  forEachLine(120, 140, [&](const LineAccess &line) { lines.push_back(line); });
  // Bytes 120 to 259: the end of line 0, line 1, and 4 bytes of line 2.
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].line, 0u);
  EXPECT_EQ(lines[0].bytes[3], 0xff000000u);
  EXPECT_EQ(lines[0].sectors(), 0b1000u);
  EXPECT_EQ(lines[1].sectors(), 0b1111u);
  EXPECT_EQ(lines[1].bytes[0], 0xffffffffu);
  EXPECT_EQ(lines[2].bytes[0], 0xfu);
  EXPECT_EQ(lines[2].sectors(), 0b0001u);
}

TEST(Lines, NothingHasNoLines) {
  forEachLine(77, 0, [](const LineAccess &) { FAIL(); });
}

TEST(Lines, JoinLanesOfARequest) {
  RequestLines lines;
  lines.add(256, 4);
  lines.add(0, 16);
  lines.add(260, 4);
  lines.add(16, 16);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines.begin()[0].line, 2u);
  EXPECT_EQ(lines.begin()[0].bytes[0], 0xffu);
  EXPECT_EQ(lines.begin()[1].bytes[0], 0xffffffffu);
}

} // namespace
