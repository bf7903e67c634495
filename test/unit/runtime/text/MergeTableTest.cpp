#include "runtime/text/MergeTable.h"

#include <chrono>
#include <gtest/gtest.h>
#include <map>
#include <random>

using namespace tcc::rt;

using Ids = std::vector<int32_t>;

static Ids merged(const MergeTable &table, Ids ids) {
  table.merge(ids);
  return ids;
}

TEST(MergeTable, LowestRankFirst) {
  MergeTable table(2);
  table.add(1, 2, /*rank=*/1, 10);
  table.add(2, 3, /*rank=*/0, 11);
  EXPECT_EQ(merged(table, {1, 2, 3}), (Ids{1, 11}));
  EXPECT_EQ(merged(table, {1, 2, 1}), (Ids{10, 1}));
}

TEST(MergeTable, LeftmostOfOneRank) {
  MergeTable table(1);
  table.add(1, 1, 0, 10);
  EXPECT_EQ(merged(table, {1, 1, 1}), (Ids{10, 1}));
  EXPECT_EQ(merged(table, {1, 1, 1, 1}), (Ids{10, 10}));
}

TEST(MergeTable, MergesWhatWasMerged) {
  MergeTable table(3);
  table.add(1, 2, 0, 10);
  table.add(10, 3, 1, 11);
  table.add(11, 11, 2, 12);
  EXPECT_EQ(merged(table, {1, 2, 3, 1, 2, 3}), (Ids{12}));
}

TEST(MergeTable, LaterOfTheSameSymbolsCounts) {
  MergeTable table(2);
  table.add(1, 2, 0, 10);
  table.add(1, 2, 1, 11);
  EXPECT_EQ(merged(table, {1, 2}), (Ids{11}));
}

TEST(MergeTable, NothingToMerge) {
  MergeTable empty;
  EXPECT_EQ(merged(empty, {}), Ids{});
  EXPECT_EQ(merged(empty, {5}), Ids{5});
  EXPECT_EQ(merged(empty, {5, 6}), (Ids{5, 6}));
}

// No file can choose symbols that meet in one place, where each merge would
// look at all others.
TEST(MergeTable, SymbolsThatAreAlikeInManyBits) {
  auto start = std::chrono::steady_clock::now();
  constexpr uint32_t count = 1 << 18;
  MergeTable table(count);
  for (uint32_t i = 0; i < count; ++i)
    table.add(i << 13, 0, i, 1);
  EXPECT_EQ(merged(table, {5 << 13, 0}), Ids{1});
  EXPECT_EQ(merged(table, {5, 0}), (Ids{5, 0}));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

/// The definition: look for the best pair in all of `ids`, again and again.
static Ids definition(const std::map<std::pair<int32_t, int32_t>,
                                     std::pair<uint32_t, uint32_t>> &merges,
                      Ids ids) {
  for (;;) {
    size_t best = ids.size();
    uint32_t bestRank = ~0u, result = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      auto entry = merges.find({ids[i], ids[i + 1]});
      if (entry != merges.end() && entry->second.first < bestRank) {
        best = i;
        bestRank = entry->second.first;
        result = entry->second.second;
      }
    }
    if (best == ids.size())
      return ids;
    ids[best] = static_cast<int32_t>(result);
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

// Each pair makes a symbol of its own, as in a vocabulary of texts.
TEST(MergeTable, MatchesTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::map<std::pair<int32_t, int32_t>, std::pair<uint32_t, uint32_t>> merges;
    MergeTable table(40);
    for (uint32_t rank = 0; rank < 40; ++rank) {
      auto symbols = static_cast<int32_t>(4 + rank);
      std::pair<int32_t, int32_t> pair(
          static_cast<int32_t>(random()) & 0x7FFFFFFF,
          static_cast<int32_t>(random()) & 0x7FFFFFFF);
      pair = {pair.first % symbols, pair.second % symbols};
      if (!merges.emplace(pair, std::make_pair(rank, 4 + rank)).second)
        continue;
      table.add(static_cast<uint32_t>(pair.first),
                static_cast<uint32_t>(pair.second), rank, 4 + rank);
    }
    Ids ids(1 + random() % 60);
    for (int32_t &id : ids)
      id = static_cast<int32_t>(random() % 4);
    EXPECT_EQ(merged(table, ids), definition(merges, ids)) << "round " << round;
  }
}
