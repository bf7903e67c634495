// Accesses that are compared many at once give what they give one by one.

#include "tools/ptxsim/checks/GlobalRaces.h"
#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/machine/Memory.h"

#include "gtest/gtest.h"

#include <cstring>
#include <random>

using namespace ptxsim;

namespace {
constexpr uint32_t sharedBytes = 1 << 12;

/// A cluster of one block of four warps, and random accesses of it.
class RaceRows : public testing::Test {
protected:
  RaceRows() {
    cluster.grid = &grid;
    grid.memory = &memory;
    grid.entry = &code;
    cluster.blocks.resize(1);
    block().cluster = &cluster;
    block().sharedBytes = sharedBytes;
    block().liveThreads = 128;
    block().warps.resize(4);
    for (uint32_t i = 0; i < 4; ++i) {
      block().warps[i].block = &block();
      block().warps[i].index = i;
    }
  }

  Block &block() { return cluster.blocks[0]; }
  uint32_t below(uint32_t end) { return uint32_t(random() % end); }
  bool flip() { return below(2) != 0; }

  Stamp randomStamp() {
    Stamp stamp = {};
    stamp.actor = below(4);
    stamp.epoch = below(5);
    stamp.op = below(3);
    stamp.lane = below(32);
    stamp.mask = flip() ? 15 : below(16);
    stamp.strength = std::max(below(16), 12u) - 12;
    stamp.lanes = flip();
    stamp.parts = flip();
    stamp.async = below(4) == 0;
    return stamp;
  }

  /// Words of which many have the same history.
  std::vector<WordHistory> randomWords() {
    std::vector<WordHistory> words(sharedBytes / 4);
    WordHistory word = {};
    uint32_t often = 1 + below(64);
    bool areLanesMixed = flip();
    for (size_t i = 0; i < words.size(); ++i) {
      if (below(often) == 0)
        word = {randomStamp(), randomStamp()};
      words[i] = word;
      if (areLanesMixed && flip())
        words[i].write.lane = words[i].read.lane = i % 32;
    }
    return words;
  }

  Knowledge randomKnowledge(Epoch begin = 0) {
    Knowledge knowledge;
    for (Actor actor = 0; actor < 8; ++actor) {
      knowledge.known.set(actor, begin + below(8));
      knowledge.proxied.set(actor, begin + below(8));
      knowledge.proxiedGlobal.set(actor, begin + below(8));
    }
    return knowledge;
  }

  Accessor randomAccessor(const Knowledge &knowledge) {
    Accessor by;
    by.actor = below(4);
    by.epoch = 1 + below(5);
    by.knowledge = &knowledge;
    by.op = below(3);
    by.strength = Strength(std::max(below(16), 12u) - 12);
    by.isWarp = flip();
    by.async = !by.isWarp && flip();
    return by;
  }

  std::mt19937_64 random{7};
  Memory memory;
  Code code;
  GridRun grid;
  Cluster cluster;
};
} // namespace

static bool areSame(const std::vector<WordHistory> &a,
                    const std::vector<WordHistory> &b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(WordHistory)) == 0;
}

TEST_F(RaceRows, lanesOfOneRow) {
  ClusterRaces races(cluster);
  std::vector<WordHistory> &words = races.racesOf(block()).words;
  unsigned good = 0, trials = 20000;
  for (unsigned trial = 0; trial < trials; ++trial) {
    std::vector<WordHistory> before = words = randomWords();
    Knowledge knowledge = randomKnowledge();
    Accessor by = randomAccessor(knowledge);
    Epoch laneSync[32];
    by.laneSync = below(5);
    for (Epoch &sync : laneSync)
      sync = by.laneSync + below(2);
    uint32_t bytes = 1u << below(5), offset = 4 * below(64);
    bool isWrite = flip();
    bool result = races.accessLanes(block(), offset, bytes, isWrite, by);
    std::vector<WordHistory> after = words;
    if (!result) {
      EXPECT_TRUE(areSame(before, after));
      continue;
    }
    ++good;
    words = before;
    Fault fault;
    for (uint32_t lane = 0; lane < 32; ++lane) {
      by.lane = lane;
      by.laneSync = laneSync[lane];
      EXPECT_TRUE(races.access(block(), offset + lane * bytes, bytes, isWrite,
                               by, fault));
    }
    EXPECT_TRUE(areSame(words, after));
  }
  EXPECT_GT(good, trials / 20);
  EXPECT_LT(good, trials * 19 / 20);
}

TEST_F(RaceRows, lanesAnywhere) {
  ClusterRaces races(cluster);
  std::vector<WordHistory> &words = races.racesOf(block()).words;
  unsigned good = 0, trials = 20000;
  for (unsigned trial = 0; trial < trials; ++trial) {
    std::vector<WordHistory> before = words = randomWords();
    WarpClock clock;
    clock.knowledge = randomKnowledge();
    for (Epoch &sync : clock.laneSync)
      sync = below(6);
    Accessor by = randomAccessor(clock.knowledge);
    by.isWarp = true;
    by.async = false;
    uint32_t bytes = 1u << below(5);
    uint64_t offsets[32];
    for (uint64_t &offset : offsets)
      offset = bytes * below(sharedBytes / bytes);
    LaneMask lanes = uint32_t(random()) & uint32_t(random());
    bool isWrite = flip();
    Fault fault;
    int lane = -1;
    bool result = races.accessEach(block(), offsets, lanes, bytes, isWrite,
                                   clock, by, fault, lane);
    std::vector<WordHistory> after = words;
    words = before;
    bool expected = true;
    int first = -1;
    forLanes(lanes, [&](int i) {
      if (!expected)
        return;
      first = i;
      by.lane = uint32_t(i);
      by.laneSync = clock.laneSync[i];
      expected = races.access(block(), uint32_t(offsets[i]), bytes, isWrite, by,
                              fault);
    });
    EXPECT_EQ(expected, result);
    EXPECT_EQ(first, lane);
    EXPECT_TRUE(areSame(words, after));
    good += result;
  }
  EXPECT_GT(good, trials / 20);
  EXPECT_LT(good, trials * 19 / 20);
}

TEST_F(RaceRows, chunksOfMatrices) {
  ClusterRaces races(cluster);
  std::vector<WordHistory> &words = races.racesOf(block()).words;
  unsigned good = 0, trials = 20000;
  for (unsigned trial = 0; trial < trials; ++trial) {
    std::vector<WordHistory> before = words = randomWords();
    Knowledge knowledge = randomKnowledge();
    Accessor by = randomAccessor(knowledge);
    by.isWarp = false;
    by.async = true;
    std::vector<uint32_t> chunks(1 + below(16));
    for (uint32_t &chunk : chunks)
      chunk = 16 * below(sharedBytes / 16);
    for (size_t i = 1; i < chunks.size(); i += 2)
      if (flip())
        chunks[i] = chunks[i - 1] ^ 16;
    Fault fault;
    bool result = races.readChunks(block(), chunks, by, fault);
    std::vector<WordHistory> after = words;
    words = before;
    bool expected = true;
    for (uint32_t chunk : chunks)
      expected = expected && races.access(block(), chunk, 16, false, by, fault);
    EXPECT_EQ(expected, result);
    if (result) // Two chunks of a pair may be looked at in either order.
      EXPECT_TRUE(areSame(words, after));
    good += result;
  }
  EXPECT_GT(good, trials / 20);
  EXPECT_LT(good, trials * 19 / 20);
}

// Long ranges are split, and words like those before them are not compared again.
TEST_F(RaceRows, longRanges) {
  ClusterRaces races(cluster);
  std::vector<WordHistory> &words = races.racesOf(block()).words;
  unsigned good = 0, trials = 5000;
  for (unsigned trial = 0; trial < trials; ++trial) {
    std::vector<WordHistory> before = words = randomWords();
    if (flip())
      before = words = std::vector<WordHistory>(words.size(), words[below(9)]);
    Knowledge knowledge = randomKnowledge();
    Accessor by = randomAccessor(knowledge);
    uint32_t offset = 4 * below(sharedBytes / 4);
    uint32_t bytes = 4 * below((sharedBytes - offset) / 4);
    bool isWrite = flip();
    Fault fault;
    bool result = races.access(block(), offset, bytes, isWrite, by, fault);
    std::vector<WordHistory> after = words;
    words = before;
    bool expected = true;
    for (uint32_t at = 0; at < bytes && expected; at += 4)
      expected = races.access(block(), offset + at, 4, isWrite, by, fault);
    EXPECT_EQ(expected, result);
    EXPECT_TRUE(areSame(words, after));
    good += result;
  }
  EXPECT_GT(good, trials / 20);
  EXPECT_LT(good, trials * 19 / 20);
}

// Two histories of global memory see the same accesses, one of them lane by lane.
TEST_F(RaceRows, globalMemory) {
  ClusterRaces races(cluster);
  for (const Warp &warp : block().warps)
    if (warp.index != 3)
      races.clockOf(warp).bulkWrites = races.newActor({});
  unsigned good = 0, rows = 0, copies = 0, trials = 1000;
  for (unsigned trial = 0; trial < trials; ++trial) {
    GlobalRaces together, apart;
    grid.globalRaces = &together;
    together.addGrid(grid, 8, {}, {});
    apart.addGrid(grid, 8, {}, {});
    bool result = true;
    Epoch begin = flip() ? 0 : eraEpochs - 3; // There the second era begins.
    for (unsigned access = 0; access < 30 && result; ++access) {
      WarpClock clock;
      clock.knowledge = randomKnowledge(begin);
      for (uint32_t kind : {0u, remoteBulk, remoteProxied})
        if (flip())
          clock.knowledge.remote[(4 + below(4)) | kind] = begin + below(8);
      for (Epoch &sync : clock.laneSync)
        sync = begin + below(3);
      GlobalAccessor by;
      by.cluster = &races;
      by.knowledge = &clock.knowledge;
      by.warp = below(8);
      by.epoch = begin + 1 + below(5);
      by.op = below(3);
      by.strength = flip() ? StrongForAll : Strength(below(3));
      by.many = below(4) == 0;
      uint32_t bytes = 1u << below(5);
      bool isWrite = below(8) == 0, isRow = flip();
      by.async = flip();
      by.isBulk = by.async && isWrite && flip() &&
                  (by.strength == Weak || by.strength == StrongForAll);
      uint64_t addresses[32];
      uint64_t base = (uint64_t(1) << 20) + 16 * below(512);
      for (uint64_t lane = 0; lane < 32; ++lane)
        addresses[lane] = isRow ? base + lane * bytes
                                : base + bytes * below(1 << 8);
      Fault fault;
      int lane = -1;
      LaneMask left = ~LaneMask(0);
      if (isRow) {
        by.laneSync =
            *std::min_element(clock.laneSync, std::end(clock.laneSync));
        left = together.accessLanes(addresses[0], bytes, isWrite, by);
        rows += left == 0;
        copies += left == 0 && by.async;
      }
      result = together.accessEach(addresses, left, bytes, isWrite, clock, by,
                                   fault, lane);
      bool expected = true;
      for (uint32_t i = 0; i < 32 && expected; ++i) {
        by.lane = i;
        by.laneSync = clock.laneSync[i];
        expected = apart.access(addresses[i], bytes, isWrite, by, fault);
      }
      EXPECT_EQ(expected, result);
      for (uint64_t at = base; at < base + 512 && result; at += 128) {
        GlobalRaces::MapWrites a = together.mapWrites(at, by),
                               b = apart.mapWrites(at, by);
        EXPECT_EQ(std::memcmp(a.data(), b.data(), sizeof(a)), 0);
      }
    }
    good += result;
  }
  EXPECT_GT(rows, trials);
  EXPECT_GT(copies, trials / 4);
  EXPECT_GT(good, trials / 20);
  EXPECT_LT(good, trials * 19 / 20);
}

// A copy may overwrite what no proxy fence shows it, but not what others may
// still read.
TEST_F(RaceRows, readBeforeCopy) {
  ClusterRaces races(cluster);
  GlobalRaces global;
  grid.globalRaces = &global;
  global.addGrid(grid, 4, {}, {});
  constexpr uint64_t address = 1 << 20;
  auto access = [&](uint32_t warp, const Knowledge &knowledge, bool isWrite) {
    GlobalAccessor by;
    by.cluster = &races;
    by.knowledge = &knowledge;
    by.warp = warp;
    by.epoch = 1;
    by.async = warp == 2;
    Fault fault;
    return global.access(address, 8, isWrite, by, fault);
  };
  Knowledge knowledge;
  EXPECT_TRUE(access(0, knowledge, true));
  knowledge.known.set(0, 1);
  EXPECT_TRUE(access(1, knowledge, false));
  EXPECT_FALSE(access(2, knowledge, true));
  knowledge.known.set(1, 1);
  EXPECT_TRUE(access(2, knowledge, true));
}

// Groups keep what is stored in them, whether it is alike or not.
TEST_F(RaceRows, globalHistories) {
  constexpr unsigned words = GlobalChunk::groupWords, groups = 8;
  auto chunk = std::make_unique<GlobalChunk>();
  std::vector<GlobalHistory> expected(groups * words);
  for (unsigned trial = 0; trial < 5000; ++trial) {
    unsigned group = trial / 20 % groups, first = 0, count = words;
    if (below(8) == 0) {
      first = below(words);
      count = 1 + below(words - first);
    }
    auto pattern = LanePattern(below(4));
    auto side = flip() ? GlobalChunk::Writes : GlobalChunk::Reads;
    GlobalHistory histories[words] = {};
    GlobalStamp stamp = {};
    stamp.epoch = 1 + below(9);
    stamp.lane = below(2);
    bool isMixed = below(8) == 0;
    for (unsigned i = 0; i < count; ++i) {
      GlobalStamp &to = side == GlobalChunk::Writes ? histories[i].write
                                                    : histories[i].read;
      to = stamp;
      unsigned steps[] = {0, i, i / 2, 2 * i};
      to.lane = (stamp.lane + (isMixed ? below(2) : steps[int(pattern)])) & 31;
      GlobalHistory &known = expected[group * words + first + i];
      (side == GlobalChunk::Writes ? known.write : known.read) = to;
    }
    chunk->store(group, first, count, histories, side, pattern);
    GlobalHistory loaded[words];
    chunk->load(group, 0, words, loaded);
    EXPECT_EQ(std::memcmp(loaded, &expected[group * words], sizeof(loaded)), 0);
    if (trial % 160 == 159) { // Groups do not shrink.
      chunk = std::make_unique<GlobalChunk>();
      expected.assign(groups * words, GlobalHistory());
    }
  }
}
