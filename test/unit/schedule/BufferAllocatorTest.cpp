// Places buffers and checks the definition: what lives at once does not overlap.

#include "compiler/schedule/BufferAllocator.h"

#include <gtest/gtest.h>
#include <random>

using namespace mlir::tcc;

TEST(BufferAllocator, SharesMemoryOfBuffersThatLiveOneAfterAnother) {
  int64_t total = 0;
  std::vector<int64_t> offsets =
      allocateBuffers({{100, 0, 1}, {100, 2, 3}, {100, 1, 2}}, total);
  EXPECT_EQ(offsets[0], offsets[1]);
  EXPECT_NE(offsets[0], offsets[2]);
  EXPECT_EQ(total, 256);
}

TEST(BufferAllocator, NothingToPlaceNeedsNoMemory) {
  int64_t total = 1;
  EXPECT_TRUE(allocateBuffers({}, total).empty());
  EXPECT_EQ(total, 0);
}

TEST(BufferAllocator, NeverOverlapsWhatLivesAtOnce) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> buffers;
    for (int i = 0; i < 20; ++i) {
      int64_t first = random() % 30;
      buffers.push_back({static_cast<int64_t>(1 + random() % 500), first,
                         first + static_cast<int64_t>(random() % 10)});
    }
    int64_t total = 0;
    std::vector<int64_t> offsets = allocateBuffers(buffers, total);
    for (size_t a = 0; a < buffers.size(); ++a) {
      EXPECT_EQ(offsets[a] % 64, 0);
      EXPECT_LE(offsets[a] + buffers[a].bytes, total);
      for (size_t b = 0; b < a; ++b) {
        bool meet = buffers[a].first <= buffers[b].last &&
                    buffers[b].first <= buffers[a].last;
        bool overlap = offsets[a] < offsets[b] + buffers[b].bytes &&
                       offsets[b] < offsets[a] + buffers[a].bytes;
        EXPECT_FALSE(meet && overlap) << "buffers " << a << " and " << b;
      }
    }
  }
}
