// The pages that sequences hold, and where they lie.

#include "runtime/core/KVCache.h"

#include "runtime/cpu/CpuDevice.h"

#include <cstring>
#include <gtest/gtest.h>
#include <set>

using namespace tcc;
using namespace tcc::rt;

/// Two caches with pages of 4 positions: 3 layers of 64 bytes, 2 of 128.
static Plan twoCaches() {
  Plan plan;
  plan.caches = {{3, 4, 64, false}, {2, 4, 128, true}};
  return plan;
}

static CpuDevice device(1);

static std::unique_ptr<KVCache> create(int64_t pages) {
  std::unique_ptr<KVCache> cache;
  Status status = KVCache::create(device, twoCaches(), pages, cache);
  EXPECT_TRUE(status.ok()) << status.message();
  return cache;
}

TEST(KVCache, CountsTheBytesOfAllLayers) {
  EXPECT_EQ(KVCache::bytesFor(twoCaches(), 5), 5 * (3 * 64 + 2 * 128));
  EXPECT_EQ(KVCache::bytesFor(twoCaches(), int64_t(1) << 60), INT64_MAX);
  EXPECT_EQ(KVCache::bytesFor(Plan(), 5), 0);
}

TEST(KVCache, GrowsByWholePagesFromTheLowest) {
  std::unique_ptr<KVCache> cache = create(4);
  PageList list, other;
  ASSERT_TRUE(cache->grow(list, 4).ok());
  EXPECT_EQ(list, PageList({0}));
  ASSERT_TRUE(cache->grow(list, 5).ok());
  EXPECT_EQ(list, PageList({0, 1}));
  ASSERT_TRUE(cache->grow(other, 1).ok());
  EXPECT_EQ(other, PageList({2}));
  ASSERT_TRUE(cache->grow(list, 3).ok()); // It holds them already.
  EXPECT_EQ(list, PageList({0, 1}));
  EXPECT_EQ(cache->freePages(), 1);
}

TEST(KVCache, GivesTheSamePagesAgain) {
  std::unique_ptr<KVCache> cache = create(4);
  PageList list;
  ASSERT_TRUE(cache->grow(list, 12).ok());
  cache->release(list);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(cache->freePages(), 4);
  ASSERT_TRUE(cache->grow(list, 12).ok());
  EXPECT_EQ(list, PageList({0, 1, 2}));
}

TEST(KVCache, SaysThatNoPageIsLeft) {
  std::unique_ptr<KVCache> cache = create(2);
  PageList list;
  Status status = cache->grow(list, 9);
  EXPECT_EQ(status.code(), Status::Code::Internal);
  EXPECT_EQ(status.message(), "the key/value cache has no page left of 2");
}

// Layers and pages do not overlap, and fill all of the memory.
TEST(KVCache, PlacesEachPageOfEachLayerApart) {
  constexpr int64_t pages = 5;
  std::unique_ptr<KVCache> cache = create(pages);
  Plan plan = twoCaches();
  std::set<std::pair<uint8_t *, uint8_t *>> ranges;
  for (size_t c = 0; c < plan.caches.size(); ++c)
    for (int64_t l = 0; l < plan.caches[c].layers; ++l)
      for (int64_t p = 0; p < pages; ++p) {
        int64_t bytes = plan.caches[c].pageBytes;
        auto *begin = cache->layer(c, l) + p * bytes;
        ranges.insert({begin, begin + bytes});
      }
  ASSERT_EQ(ranges.size(), 5u * pages);
  uint8_t *end = ranges.begin()->first;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(end) % 64, 0u);
  for (const auto &range : ranges) {
    EXPECT_EQ(range.first, end);
    end = range.second;
  }
  EXPECT_EQ(end - ranges.begin()->first, KVCache::bytesFor(plan, pages));
}

// What lies beyond the end of a sequence must be finite: an old page may hold
// anything.
TEST(KVCache, ZeroesPagesThatWereUsed) {
  std::unique_ptr<KVCache> cache = create(3);
  PageList first, second;
  ASSERT_TRUE(cache->grow(first, 4).ok());
  ASSERT_TRUE(cache->grow(second, 4).ok());
  Plan plan = twoCaches();
  for (size_t c = 0; c < plan.caches.size(); ++c)
    for (int64_t l = 0; l < plan.caches[c].layers; ++l)
      memset(cache->layer(c, l), 0xff,
             static_cast<size_t>(2 * plan.caches[c].pageBytes));
  cache->release(first);
  ASSERT_TRUE(cache->grow(first, 4).ok());
  EXPECT_EQ(first, PageList({0}));
  for (size_t c = 0; c < plan.caches.size(); ++c)
    for (int64_t l = 0; l < plan.caches[c].layers; ++l) {
      auto *page = cache->layer(c, l);
      for (int64_t i = 0; i < plan.caches[c].pageBytes; ++i) {
        ASSERT_EQ(page[i], 0) << "cache " << c << ", layer " << l;
        ASSERT_EQ(page[plan.caches[c].pageBytes + i], 0xff);
      }
    }
}

TEST(KVCache, SaysWhatItCannotReserve) {
  std::unique_ptr<KVCache> cache;
  Plan plan;
  plan.caches = {{65536, 4, int64_t(1) << 40, false}};
  Status status = KVCache::create(device, plan, 1 << 20, cache);
  EXPECT_EQ(status.code(), Status::Code::OutOfMemory);
  EXPECT_EQ(
      status.message(),
      "memory: cannot reserve 9223372036854775807 bytes for the key/value "
      "cache; lower --max-tokens or raise the limit of address space "
      "(ulimit -v)");
}
