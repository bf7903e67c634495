// The model of the L2 cache, by examples that are counted by hand.

#include "tools/ptxsim/count/L2Cache.h"

#include "gtest/gtest.h"

#include <algorithm>

using namespace ptxsim;

namespace {

void expectCounts(const L2Counts &counts, uint64_t hits, uint64_t misses,
                  uint64_t read, uint64_t written) {
  EXPECT_EQ(counts.sectorHits, hits);
  EXPECT_EQ(counts.sectorMisses, misses);
  EXPECT_EQ(counts.hbmReadBytes, read);
  EXPECT_EQ(counts.hbmWriteBytes, written);
}

TEST(L2Cache, FillsSectorsAlone) {
  L2Cache cache;
  expectCounts(cache.access(0x1000, 4, false), 0, 1, 32, 0);
  expectCounts(cache.access(0x1010, 16, false), 1, 0, 0, 0);
  // The next sector of the line was not filled.
  expectCounts(cache.access(0x1020, 4, false), 0, 1, 32, 0);
  expectCounts(cache.access(0x1000, 128, false), 2, 2, 64, 0);
  // Across lines and sectors: bytes 0x1078 to 0x1107.
  expectCounts(cache.access(0x1078, 144, false), 1, 5, 160, 0);
  expectCounts(cache.access(0x1000, 0, false), 0, 0, 0, 0);
}

/// Reads as much else as a cache of one set holds; checks what is fetched and
/// written back for the lines that were there.
static void expectEvicted(L2Cache &cache, uint64_t fetched, uint64_t written) {
  static uint64_t other = uint64_t(1) << 32;
  L2Counts counts;
  for (unsigned line = 0; line < L2Cache::ways; ++line, other += 128)
    counts += cache.access(other, 32, false);
  expectCounts(counts, 0, L2Cache::ways, L2Cache::ways * 32 + fetched, written);
}

TEST(L2Cache, WritesBackWhatIsDirty) {
  L2Cache cache(2048);
  // A whole sector needs no data from HBM.
  expectCounts(cache.access(0x2000, 64, true), 0, 2, 0, 0);
  expectCounts(cache.access(0x2000, 64, false), 2, 0, 0, 0);
  expectCounts(cache.access(0x2000, 32, true), 1, 0, 0, 0);
  expectCounts(cache.access(0x2040, 32, false), 0, 1, 32, 0);
  expectEvicted(cache, 0, 64);
  expectEvicted(cache, 0, 0);
  expectCounts(cache.access(0x2000, 32, false), 0, 1, 32, 0);
}

TEST(L2Cache, JoinsPartialWrites) {
  L2Cache cache(2048);
  expectCounts(cache.access(0x3000, 4, true), 0, 1, 0, 0);
  for (uint32_t i = 1; i < 8; ++i)
    expectCounts(cache.access(0x3000 + 4 * i, 4, true), 1, 0, 0, 0);
  // The sector is complete: nothing was fetched.
  expectCounts(cache.access(0x3000, 32, false), 1, 0, 0, 0);
  // One that is not is completed when it is read,
  expectCounts(cache.access(0x3020, 4, true), 0, 1, 0, 0);
  expectCounts(cache.access(0x3020, 4, false), 0, 1, 32, 0);
  // or when it is written back.
  expectCounts(cache.access(0x3040, 31, true), 0, 1, 0, 0);
  expectEvicted(cache, 32, 96);
  // A sector that is complete stays so.
  expectCounts(cache.access(0x3060, 32, false), 0, 1, 32, 0);
  expectCounts(cache.access(0x3060, 4, true), 1, 0, 0, 0);
  expectEvicted(cache, 0, 32);
  // What was there before does not count.
  expectCounts(cache.access(0x3040, 1, true), 0, 1, 0, 0);
  expectCounts(cache.access(0x305f, 1, true), 1, 0, 0, 0);
  expectEvicted(cache, 32, 32);
}

TEST(L2Cache, EvictsTheLeastRecentlyUsed) {
  L2Cache cache(2048); // One set of 16 lines.
  for (uint64_t line = 0; line < 16; ++line)
    expectCounts(cache.access(line * 128, 32, line == 3), 0, 1,
                 line == 3 ? 0 : 32, 0);
  // Lines 0 to 2 are used again, so that line 3 is next, and then line 4.
  for (uint64_t line = 0; line < 3; ++line)
    expectCounts(cache.access(line * 128, 32, false), 1, 0, 0, 0);
  expectCounts(cache.access(16 * 128, 32, false), 0, 1, 32, 32);
  expectCounts(cache.access(17 * 128, 32, false), 0, 1, 32, 0);
  expectCounts(cache.access(0, 32, false), 1, 0, 0, 0);
  expectCounts(cache.access(5 * 128, 32, false), 1, 0, 0, 0);
  expectCounts(cache.access(3 * 128, 32, false), 0, 1, 32, 0);
  // That took the place of line 6; line 4 takes that of line 7.
  expectCounts(cache.access(4 * 128, 32, false), 0, 1, 32, 0);
  expectCounts(cache.access(6 * 128, 32, false), 0, 1, 32, 0);
  expectCounts(cache.access(17 * 128, 32, false), 1, 0, 0, 0);
}

TEST(L2Cache, ForgetsBytesOfEvictedLines) {
  L2Cache cache(2048);
  cache.access(0, 16, true);
  for (uint64_t line = 1; line <= 16; ++line)
    cache.access(line * 128, 32, false);
  // Line 0 went with a fill and a write; its other half is not enough now.
  expectCounts(cache.access(16, 16, true), 0, 1, 0, 0);
  expectCounts(cache.access(0, 32, false), 0, 1, 32, 0);
}

TEST(L2Cache, HoldsItsCapacity) {
  L2Cache cache;
  const uint64_t base = 0x7f0000000000;
  const uint64_t all = L2Cache::h100Bytes / 32;
  expectCounts(cache.access(base, L2Cache::h100Bytes, false), 0, all, all * 32,
               0);
  expectCounts(cache.access(base, L2Cache::h100Bytes, false), all, 0, 0, 0);
  // One line more replaces one.
  expectCounts(cache.access(base + L2Cache::h100Bytes, 128, false), 0, 4, 128,
               0);
  expectCounts(cache.access(base, L2Cache::h100Bytes, false), all - 4 * 16,
               4 * 16, 4 * 16 * 32, 0);
}

/// Strides of a power of two use many sets.
TEST(L2Cache, SpreadsStrides) {
  for (uint64_t stride = 256; stride <= uint64_t(64) << 20; stride *= 2) {
    L2Cache cache;
    // A tenth of the lines at most, and less than 64 GiB.
    uint64_t count = std::min<uint64_t>(40000, (uint64_t(64) << 30) / stride);
    L2Counts first, second;
    for (uint64_t i = 0; i < count; ++i)
      first += cache.access(i * stride, 32, false);
    for (uint64_t i = 0; i < count; ++i)
      second += cache.access(i * stride, 32, false);
    EXPECT_EQ(first.sectorMisses, count);
    EXPECT_GT(second.sectorHits, count * 95 / 100) << stride;
  }
}

/// A copy of 200 MB: each byte comes and goes once.
TEST(L2Cache, CountsACopy) {
  L2Cache cache;
  const uint64_t bytes = uint64_t(200) << 20;
  L2Counts counts;
  for (uint64_t at = 0; at < bytes; at += 4096) {
    counts += cache.access(at, 4096, false);
    counts += cache.access(bytes + at, 4096, true);
  }
  expectCounts(counts, 0, bytes / 32 * 2, bytes, bytes - L2Cache::h100Bytes / 2);
  // Half of what is still there is to be written back.
  counts = cache.access(2 * bytes, L2Cache::h100Bytes, false);
  EXPECT_EQ(counts.hbmWriteBytes, L2Cache::h100Bytes / 2);
}

} // namespace
