// The model of L1, and the sectors that a launch touches.

#include "tools/ptxsim/count/L1Cache.h"
#include "tools/ptxsim/count/TouchedSectors.h"

#include <gtest/gtest.h>

using namespace ptxsim;

namespace {

TEST(L1Cache, KeepsWhatIsReadUntilCleared) {
  L1Cache cache(2048);
  EXPECT_EQ(cache.read(9, 0b0110, true), 0u);
  EXPECT_EQ(cache.read(9, 0b1100, true), 0b0100u);
  EXPECT_EQ(cache.read(9, 0b1111, true), 0b1110u);
  cache.clear();
  EXPECT_EQ(cache.read(9, 0b1111, true), 0u);
}

TEST(L1Cache, KeepsNothingThatDoesNotAllocate) {
  L1Cache cache(2048);
  EXPECT_EQ(cache.read(9, 1, false), 0u);
  EXPECT_EQ(cache.read(9, 1, true), 0u);
  EXPECT_EQ(cache.read(9, 1, false), 1u);
}

TEST(L1Cache, HasItsSize) {
  L1Cache cache(2048); // 16 lines.
  for (uint64_t line = 0; line < 17; ++line)
    cache.read(line, 1, true);
  EXPECT_EQ(cache.read(0, 1, true), 0u);
  EXPECT_EQ(cache.read(16, 1, true), 1u);
}

TEST(L1Cache, MayBeNone) {
  L1Cache cache(100);
  EXPECT_EQ(cache.read(1, 1, true), 0u);
  EXPECT_EQ(cache.read(1, 1, true), 0u);
}

TEST(L1Cache, HasWhatSharedMemoryLeaves) {
  // 4 blocks of 20 KB need 80 KB; the next size is 100 KB, of 256.
  EXPECT_EQ(l1BytesOfBlock(4, 20 * 1024), 156 * 1024 / 4u);
  EXPECT_EQ(l1BytesOfBlock(1, 1024), 248 * 1024u);
  EXPECT_EQ(l1BytesOfBlock(1, 228 * 1024), 28 * 1024u);
  EXPECT_EQ(l1BytesOfBlock(0, 1024), 256 * 1024u);
}

TEST(TouchedSectors, CountsEachOnce) {
  TouchedSectors touched;
  EXPECT_EQ(touched.read(10, 0b0011), 2u);
  EXPECT_EQ(touched.read(10, 0b0110), 1u);
  EXPECT_EQ(touched.write(10, 0b1100), 2u);
  EXPECT_EQ(touched.write(10, 0b1111), 2u);
  // What the launch has written itself need not be read.
  EXPECT_EQ(touched.write(11, 0b0001), 1u);
  EXPECT_EQ(touched.read(11, 0b0011), 1u);
}

TEST(TouchedSectors, KeepsPagesApart) {
  TouchedSectors touched;
  for (uint64_t line = 0; line < 100000; line += 63)
    EXPECT_EQ(touched.read(line, 1), 1u) << line;
  for (uint64_t line = 0; line < 100000; line += 63)
    EXPECT_EQ(touched.read(line, 1), 0u) << line;
}

} // namespace
