// Histories of global memory that several threads change at once.
//
// Compiled with the thread sanitizer where the build has no other one: it sees
// whether the lock of a group keeps threads apart.

#include "tools/ptxsim/checks/GlobalHistories.h"

#include "gtest/gtest.h"

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
  return stamp;
}

/// True if a stamp was written as a whole.
static bool isWhole(const GlobalStamp &stamp) {
  if (stamp.epoch == 0)
    return stamp.number == 0 && stamp.op == 0;
  return stamp.epoch == stampOf(stamp.number, stamp.op).epoch;
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
  bool good = true;

private:
  void step(unsigned group, GlobalChunk::Side side, unsigned op);
  void change(unsigned group, unsigned op);
  void fill(unsigned group, GlobalChunk::Side side, unsigned op);
  void look(unsigned group, GlobalChunk::Side side);

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
  good &= isWhole(shared.chunk.stampAt(group, random() % words, side));
  AlikeHistory alike;
  if (shared.chunk.peek(group, alike))
    good &= isWhole(alike.first.write) && isWhole(alike.first.read);
}

void Changer::step(unsigned group, GlobalChunk::Side side, unsigned op) {
  switch (random() % 4) {
  case 0:
    return change(group, op);
  case 1:
    return fill(group, side, op);
  case 2:
    return look(group, side);
  default:
    // Of two groups the words go their own ways after a while.
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
  for (const Changer &changer : changers)
    EXPECT_TRUE(changer.good);
}
