// The models of the caches, small enough to follow.

#include "tools/ptxsim/count/L1Cache.h"
#include "tools/ptxsim/count/L2Cache.h"
#include "tools/ptxsim/count/TouchedSectors.h"

#include <gtest/gtest.h>

using namespace ptxsim;

namespace {

constexpr uint64_t ways = L2Cache::ways;

/// A cache with one set.
L2Cache oneSet() { return L2Cache(ways * lineBytes); }

TEST(L2Cache, ReadsFetchWhatIsMissing) {
  L2Cache cache = oneSet();
  L2Result result = cache.read(5, 0b0011);
  EXPECT_EQ(result.hits, 0u);
  EXPECT_EQ(result.fetched, 2u);
  result = cache.read(5, 0b0111);
  EXPECT_EQ(result.hits, 2u);
  EXPECT_EQ(result.fetched, 1u);
  EXPECT_EQ(result.written, 0u);
}

TEST(L2Cache, LeastRecentlyUsedLineMakesRoom) {
  L2Cache cache = oneSet();
  for (uint64_t line = 0; line < ways; ++line)
    cache.read(line, 1);
  cache.read(0, 1); // So that line 1 is the oldest.
  cache.read(100, 1);
  EXPECT_EQ(cache.read(0, 1).hits, 1u);
  EXPECT_EQ(cache.read(1, 1).hits, 0u);
}

TEST(L2Cache, ChangedSectorsGoBack) {
  L2Cache cache = oneSet();
  const uint32_t bytes[4] = {~0u, 0xf, 0, 0};
  cache.write(0, bytes);
  EXPECT_EQ(cache.changedSectors(), 2u);
  uint32_t written = 0;
  for (uint64_t line = 1; line <= ways; ++line)
    written += cache.read(line, 1).written;
  EXPECT_EQ(written, 2u);
  EXPECT_EQ(cache.changedSectors(), 0u);
}

TEST(L2Cache, SectorsThatAreWrittenInPartAreFetched) {
  L2Cache cache = oneSet();
  const uint32_t first[4] = {0xffff, 0xffff, 0, 0};
  const uint32_t second[4] = {0xffff0000, 0, 0, 0};
  cache.write(7, first);
  cache.write(7, second);
  // Sector 0 is whole, half of sector 1 is in HBM only.
  L2Result result = cache.read(7, 0b11);
  EXPECT_EQ(result.hits, 1u);
  EXPECT_EQ(result.fetched, 1u);
  EXPECT_EQ(cache.read(7, 0b11).hits, 2u);
  EXPECT_EQ(cache.changedSectors(), 2u);
}

TEST(L2Cache, AtomicsReadAndChange) {
  L2Cache cache = oneSet();
  EXPECT_EQ(cache.change(3, 1).fetched, 1u);
  EXPECT_EQ(cache.change(3, 1).hits, 1u);
  EXPECT_EQ(cache.changedSectors(), 1u);
}

TEST(L2Cache, HoldsARangeOfItsSize) {
  constexpr uint64_t lines = 40 * ways;
  L2Cache cache(lines * lineBytes);
  for (uint64_t line = 0; line < lines; ++line)
    cache.read(1000 + line, 0b1111);
  uint32_t hits = 0;
  for (uint64_t line = 0; line < lines; ++line)
    hits += cache.read(1000 + line, 0b1111).hits;
  EXPECT_EQ(hits, 4 * lines);
}

TEST(L2Cache, StridesOfPowersOfTwoSpread) {
  constexpr uint64_t sets = 1024;
  L2Cache cache(sets * ways * lineBytes);
  for (uint64_t line = 0; line < 4 * ways; ++line)
    cache.read(line * sets, 1);
  uint32_t hits = 0;
  for (uint64_t line = 0; line < 4 * ways; ++line)
    hits += cache.read(line * sets, 1).hits;
  EXPECT_EQ(hits, 4 * ways);
}

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
