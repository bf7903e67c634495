// Histories of global memory that several threads change at once.
//
// Compiled with the thread sanitizer where the build has no other one: it sees
// whether the lock of a group keeps threads apart.

#include "tools/ptxsim/checks/GlobalHistories.h"

#include "gtest/gtest.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using namespace ptxsim;

static constexpr unsigned threads = 4, groups = 3, rounds = 20000;
static constexpr unsigned words = GlobalChunk::groupWords;

/// A stamp of which every part follows from two numbers.
static GlobalStamp stampOf(uint64_t number, uint64_t op) {
  GlobalStamp stamp = {};
  stamp.number = number;
  stamp.op = op & 0xfff;
  stamp.epoch = 1 + (number * 7 + stamp.op * 13) % 1000;
  stamp.mask = 0xff;
  stamp.parts = number % 2; // So that short stamps differ, too.
  return stamp;
}

/// True if a stamp was written as a whole.
static bool isWhole(const GlobalStamp &stamp) {
  if (stamp.epoch == 0)
    return stamp.number == 0 && stamp.op == 0;
  if (stamp.number == nobody<globalLayout>)
    return std::memcmp(&stamp, &splitStamp<globalLayout>, sizeof(stamp)) == 0;
  GlobalStamp expected = stampOf(stamp.number, stamp.op);
  return stamp.epoch == expected.epoch && stamp.parts >= expected.parts;
}

namespace {
/// What the threads share.
struct Shared {
  GlobalChunk chunk;
  /// Changed under the lock of a group and nowhere else.
  uint64_t changes[groups] = {};
};

/// One thread, which does everything to a few groups.
class Changer {
public:
  Changer(Shared &shared, unsigned number)
      : shared(shared), number(number), random(number) {}

  void run() {
    for (unsigned i = 0; i < rounds; ++i)
      step(random() % groups, GlobalChunk::Side(random() % 2), i);
  }
  uint64_t changed[groups] = {};
  unsigned splits = 0;
  bool good = true;

private:
  void step(unsigned group, GlobalChunk::Side side, unsigned op);
  void change(unsigned group, unsigned op);
  void fill(unsigned group, GlobalChunk::Side side, unsigned op);
  void look(unsigned group, GlobalChunk::Side side);
  void lookAtWrites(unsigned group, unsigned word);
  void split(unsigned group, unsigned word, unsigned op);

  Shared &shared;
  unsigned number;
  std::mt19937 random;
};
} // namespace

void Changer::change(unsigned group, unsigned op) {
  shared.chunk.changeAlike(group, [&](AlikeHistory &alike) {
    good &= isWhole(alike.first.write) && isWhole(alike.first.read);
    alike.first.write = stampOf(number, op);
    alike.ofWrite = LanePattern(op & 3);
    ++shared.changes[group];
    ++changed[group];
    return op % 5 != 0;
  });
}

void Changer::fill(unsigned group, GlobalChunk::Side side, unsigned op) {
  LanePattern pattern = LanePattern(op & 3);
  GlobalHistory histories[words];
  for (unsigned i = 0; i < words; ++i)
    histories[i].write = histories[i].read =
        alikeStamp(stampOf(number, op), pattern, i);
  shared.chunk.store(group, 0, words, histories, side, pattern);
}

void Changer::look(unsigned group, GlobalChunk::Side side) {
  GlobalHistory histories[words];
  shared.chunk.load(group, 0, words, histories);
  for (const GlobalHistory &history : histories)
    good &= isWhole(history.write) && isWhole(history.read);
  lookAtWrites(group, random() % words);
  AlikeHistory alike;
  if (shared.chunk.peek(group, alike))
    good &= isWhole(alike.first.write) && isWhole(alike.first.read);
}

static uint64_t bitsOf(const GlobalStamp &stamp) {
  uint64_t bits;
  std::memcpy(&bits, &stamp, sizeof(bits));
  return bits;
}

static GlobalStamp stampFrom(uint64_t bits) {
  GlobalStamp stamp;
  std::memcpy(&stamp, &bits, sizeof(stamp));
  return stamp;
}

void Changer::lookAtWrites(unsigned group, unsigned word) {
  GlobalStamp stamp = shared.chunk.stampAt(group, word, GlobalChunk::Writes);
  shared.chunk.splitWord(group, word).forWrites(
      bitsOf(stamp), [&](uint64_t write) {
        good &= isWhole(stampFrom(write));
        splits += bitsOf(stamp) != write;
        return true;
      });
}

/// Writes one byte.
void Changer::split(unsigned group, unsigned word, unsigned op) {
  RowAccessor by;
  GlobalStamp stamp = stampOf(number, op);
  by.actor = stamp.number;
  by.epoch = stamp.epoch;
  by.op = stamp.op;
  by.many = stamp.parts;
  uint64_t before =
      bitsOf(shared.chunk.stampAt(group, word, GlobalChunk::Writes));
  uint64_t after = shared.chunk.splitWord(group, word)
                       .write(before, by, 1 << random() % 8);
  shared.chunk.setStamp(group, word, GlobalChunk::Writes, stampFrom(after));
}

void Changer::step(unsigned group, GlobalChunk::Side side, unsigned op) {
  switch (random() % 5) {
  case 0:
    return change(group, op);
  case 1:
    return fill(group, side, op);
  case 2:
    return look(group, side);
  case 3: // Of two groups the words go their own ways after a while.
    if (group == 2 && op > rounds / 2)
      split(group, random() % words, op);
    return;
  default:
    if (group != 0 && op > rounds / 2)
      shared.chunk.setStamp(group, random() % words, side, stampOf(number, op));
  }
}

TEST(GlobalHistories, ThreadsChangeThemOneAfterTheOther) {
  auto shared = std::make_unique<Shared>();
  std::vector<Changer> changers;
  for (unsigned i = 0; i < threads; ++i)
    changers.emplace_back(*shared, i + 1);
  std::vector<std::thread> running;
  for (Changer &changer : changers)
    running.emplace_back([&changer] { changer.run(); });
  for (std::thread &thread : running)
    thread.join();
  for (unsigned group = 0; group < groups; ++group) {
    uint64_t changed = 0;
    for (const Changer &changer : changers)
      changed += changer.changed[group];
    EXPECT_EQ(shared->changes[group], changed);
    EXPECT_GT(changed, 100u);
  }
  // Whoever comes first finds few words that several wrote.
  unsigned splits = 0;
  for (const Changer &changer : changers) {
    EXPECT_TRUE(changer.good);
    splits += changer.splits;
  }
  EXPECT_GT(splits, 100u);
}

// Two want the same places, mostly at once.
TEST(GlobalHistories, ThreadsShareADictionary) {
  constexpr unsigned together = 32, each = StampDictionary::entries / 4;
  std::vector<uint64_t> entries(StampDictionary::entries), shortened[2];
  std::atomic<unsigned> begun{0};
  auto stampAt = [](unsigned thread, unsigned i) {
    return bitsOf(stampOf(thread * StampDictionary::entries + i, i));
  };
  auto fill = [&](unsigned thread) {
    StampDictionary dictionary(entries.data());
    for (unsigned i = 0; i < each; ++i) {
      if (i % together == 0) {
        ++begun;
        for (unsigned spins = 1; begun < 2 * (1 + i / together); ++spins)
          if (spins % 1000 == 0)
            std::this_thread::yield();
      }
      shortened[thread].push_back(dictionary.shorten(stampAt(thread, i)));
    }
  };
  std::thread other(fill, 1);
  fill(0);
  other.join();
  StampDictionary dictionary(entries.data());
  for (unsigned thread = 0; thread < 2; ++thread)
    for (unsigned i = 0; i < each; ++i)
      EXPECT_EQ(dictionary.lengthen(shortened[thread][i]), stampAt(thread, i));
}
