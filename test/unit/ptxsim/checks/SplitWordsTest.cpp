// Short stamps of the writers of one word tell what whole ones do.

#include "tools/ptxsim/checks/GlobalHistories.h"

#include "gtest/gtest.h"

#include <cstring>
#include <memory>
#include <random>
#include <vector>

using namespace ptxsim;

namespace {
using WideWord = SplitWord<globalLayout, WideSlots<globalLayout>>;
using Stamps = std::vector<uint64_t>;

/// Random writes of some words.
class SplitWords : public testing::Test {
protected:
  uint64_t below(uint64_t end) { return random() % end; }
  bool flip() { return below(2) != 0; }

  RowAccessor randomAccessor() {
    RowAccessor by;
    by.actor = below(40);
    by.epoch = 1 + below(3);
    by.op = below(3);
    by.lane = below(32);
    by.strength = below(4);
    by.many = flip();
    by.async = (by.strength == Weak || by.strength == StrongForAll) && flip();
    return by;
  }

  template <typename Word> static Stamps writesOf(const Word &word, uint64_t stamp) {
    Stamps result;
    word.forWrites(stamp, [&](uint64_t write) {
      result.push_back(write);
      return true;
    });
    return result;
  }

  std::mt19937_64 random{5};
  std::unique_ptr<GlobalChunk> chunk = std::make_unique<GlobalChunk>();
};
} // namespace

TEST_F(SplitWords, shortAreWide) {
  constexpr unsigned words = 64, most = globalLayout.maskBits;
  Stamps slots(most * words), wide(words), compact(words);
  unsigned counts[most + 1] = {};
  for (unsigned trial = 0; trial < 200000; ++trial) {
    unsigned word = unsigned(below(words));
    WideWord expected(WideSlots<globalLayout>(&slots[word], words));
    GlobalChunk::Word actual = chunk->splitWord(word / GlobalChunk::groupWords,
                                                 word % GlobalChunk::groupWords);
    RowAccessor by = randomAccessor();
    uint64_t bytes = uint64_t(1) << below(4);
    uint64_t mask = ((1 << bytes) - 1) << bytes * below(8 / bytes);
    wide[word] = expected.write(wide[word], by, mask);
    compact[word] = actual.write(compact[word], by, mask);
    Stamps writes = writesOf(expected, wide[word]);
    EXPECT_EQ(writesOf(actual, compact[word]), writes);
    EXPECT_EQ(GlobalSlots::isSplit(compact[word]), writes.size() > 1);
    ++counts[writes.size()];
  }
  for (unsigned count = 1; count <= most; ++count)
    EXPECT_GT(counts[count], 0u) << count;
}

// Two of each word write while there is room; later on, whoever has an entry.
TEST_F(SplitWords, fullDictionary) {
  constexpr uint64_t words = StampDictionary::entries;
  auto write = [&](uint64_t word, uint64_t &stamp, uint64_t actor, uint64_t mask) {
    RowAccessor by;
    by.actor = actor;
    by.epoch = 1;
    by.lane = actor % 32;
    stamp = chunk->splitWord(unsigned(word / GlobalChunk::groupWords),
                             unsigned(word % GlobalChunk::groupWords))
                .write(stamp, by, mask);
    return RowStep<globalLayout, 1>::remember(0, by, by.lane, mask);
  };
  for (uint64_t word = 0; word < words; ++word) {
    GlobalChunk::Word split = chunk->splitWord(0, 0);
    uint64_t stamp = 0;
    uint64_t first = write(word, stamp, 2 * word, 0x0f);
    EXPECT_EQ(writesOf(split, stamp), Stamps({first}));
    uint64_t second = write(word, stamp, 2 * word + 1, 0xf0);
    EXPECT_EQ(writesOf(split, stamp), 2 * word < StampDictionary::entries
                                          ? Stamps({first, second})
                                          : Stamps({second}));
  }
  uint64_t stamp = 0;
  uint64_t first = write(0, stamp, 5, 0x01), second = write(0, stamp, 6, 0x02),
           third = write(0, stamp, 7, 0x04);
  EXPECT_EQ(writesOf(chunk->splitWord(0, 0), stamp),
            Stamps({first, second, third}));
  third = write(0, stamp, words + 1, 0x04);
  EXPECT_EQ(writesOf(chunk->splitWord(0, 0), stamp), Stamps({third}));
}

// Rows have nothing to do with slots.
TEST_F(SplitWords, rowsSeeNobody) {
  RowAccessor by = randomAccessor();
  by.actor = 1;
  GlobalChunk::Word word = chunk->splitWord(3, 5);
  uint64_t stamp = word.write(0, by, 0x0f);
  by.actor = 2;
  stamp = word.write(stamp, by, 0xf0);
  GlobalStamp bits;
  std::memcpy(&bits, &stamp, sizeof(bits));
  chunk->setStamp(3, 5, GlobalChunk::Writes, bits);
  GlobalHistory histories[2];
  chunk->load(3, 4, 2, histories);
  EXPECT_EQ(histories[0].write.epoch, 0u);
  EXPECT_EQ(std::memcmp(&histories[1].write, &splitStamp<globalLayout>, 8), 0);
  bits = chunk->stampAt(3, 5, GlobalChunk::Writes);
  EXPECT_EQ(std::memcmp(&bits, &stamp, sizeof(stamp)), 0);
}
