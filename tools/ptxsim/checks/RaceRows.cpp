// Comparing accesses of shared memory, many words at once.

#include "tools/ptxsim/checks/RaceRows.h"

#include "tools/ptxsim/checks/Races.h"

using namespace ptxsim;

static constexpr const StampLayout &layout = sharedLayout;

/// Here a read takes the place of any other.
static void learnNothing(uint64_t, RowKnowledge &) {}

template <unsigned Sharers>
static bool accessRowOf(uint64_t *stamps, uint32_t count, bool isWrite,
                        const RowAccessor &row, const RowKnowledge &writers,
                        const RowKnowledge &readers) {
  return isWrite ? accessRow<layout, Sharers, true>(stamps, count, row, writers,
                                                    readers, learnNothing)
                 : accessRow<layout, Sharers, false>(stamps, count, row, writers,
                                                     readers, learnNothing);
}

bool ptxsim::fits(const Accessor &by) {
  return by.leavesStamp && by.actor < nobody<layout> &&
         by.epoch < 1 << layout.epochBits;
}

RowAccessor ptxsim::rowOf(const Accessor &by, uint32_t laneShift) {
  RowAccessor row;
  row.actor = by.actor;
  row.epoch = by.epoch;
  row.op = by.op & ((1 << layout.opBits) - 1);
  row.lane = by.lane;
  row.laneShift = laneShift;
  row.laneSync = by.laneSync;
  row.strength = by.strength;
  row.async = by.async;
  row.isWarp = by.isWarp;
  return row;
}

/// What `by` knows of those who wrote, or read, a row. Where `needsProxy`, generic
/// writes must be fenced.
static RowKnowledge knownOf(const uint64_t *stamps, uint32_t count,
                            const Accessor &by, bool needsProxy) {
  const Knowledge &knowledge = *by.knowledge;
  return knowledgeOf<layout>(stamps, count, [&](uint64_t actor, bool isAsync) {
    Epoch known = knowledge.known[Actor(actor)];
    return uint64_t(needsProxy && !isAsync
                        ? std::min(known, knowledge.proxied[Actor(actor)])
                        : known);
  });
}

/// Tries to compare `count` words at once; of `sharers` lanes each, or 1 << shift
/// words of each lane.
bool ClusterRaces::accessWords(WordHistory *words, uint32_t count,
                               uint32_t sharers, uint32_t laneShift,
                               bool isWrite, const Accessor &by) {
  if (!fits(by))
    return false;
  RowAccessor row = rowOf(by, laneShift);
  auto *stamps = reinterpret_cast<uint64_t *>(words);
  RowKnowledge writers = knownOf(
      stamps, count, by, by.async && (!isWrite || by.fencesWrites));
  RowKnowledge readers =
      isWrite ? knownOf(stamps + 1, count, by, false) : RowKnowledge();
  switch (sharers) {
  case 1:
    return accessRowOf<1>(stamps, count, isWrite, row, writers, readers);
  case 2:
    return accessRowOf<2>(stamps, count, isWrite, row, writers, readers);
  default:
    return accessRowOf<4>(stamps, count, isWrite, row, writers, readers);
  }
}

bool ClusterRaces::accessLanes(Block &block, uint32_t offset, uint32_t bytes,
                               bool isWrite, const Accessor &by) {
  if (offset % 4 != 0 || (bytes & (bytes - 1)) != 0)
    return false;
  uint32_t sharers = bytes >= 4 ? 1 : 4 / bytes;
  return accessWords(&racesOf(block).words[offset / 4], 8 * bytes, sharers,
                     uint32_t(__builtin_ctz(bytes * sharers)) - 2, isWrite, by);
}

bool ClusterRaces::accessEach(Block &block, const uint64_t *offsets,
                              LaneMask lanes, uint32_t bytes, bool isWrite,
                              const WarpClock &clock, Accessor by, Fault &fault,
                              int &lane) {
  std::vector<WordHistory> &words = racesOf(block).words;
  RowAccessor row = rowOf(by, 31);
  RowKnowledge writers, readers;
  for (; lanes != 0; lanes &= lanes - 1) {
    lane = __builtin_ctz(lanes);
    by.lane = uint32_t(lane);
    by.laneSync = clock.laneSync[lane];
    uint32_t offset = uint32_t(offsets[lane]);
    RowSpot spot(offset, bytes, 4);
    if (spot.isWhole && fits(by)) {
      auto *stamps = reinterpret_cast<uint64_t *>(&words[offset / 4]);
      row.lane = by.lane;
      row.laneSync = by.laneSync;
      // What is known of the words of one lane mostly helps the next one.
      if (isWrite ? accessSpot<layout, true>(stamps, spot.words, spot.mask, row,
                                             writers, readers)
                  : accessSpot<layout, false>(stamps, spot.words, spot.mask, row,
                                              writers, readers))
        continue;
      writers = knownOf(stamps, spot.words, by, false);
      readers = knownOf(stamps + 1, spot.words, by, false);
    }
    if (!access(block, offset, bytes, isWrite, by, fault))
      return false;
  }
  return true;
}

bool ClusterRaces::readChunks(Block &block, const std::vector<uint32_t> &chunks,
                              const Accessor &by, Fault &fault) {
  std::vector<WordHistory> &words = racesOf(block).words;
  if (chunks.empty())
    return true;
  RowAccessor row = rowOf(by, 31);
  RowKnowledge writers;
  auto stampsAt = [&](uint32_t offset) {
    return reinterpret_cast<uint64_t *>(&words[offset / 4]);
  };
  // Only the lanes of a warp know each other by lane and op.
  constexpr uint64_t who = ~(uint64_t(31) << layout.laneAt() |
                             RowStep<layout, 1>::ones(layout.opBits)
                                 << layout.opAt());
  RowPrecedent precedents[4]; // Of as many writers: warps mostly take turns.
  for (size_t i = 0; i < chunks.size(); ++i) {
    uint32_t chunk = chunks[i], bytes = 16;
    if (i + 1 < chunks.size() && (chunk ^ chunks[i + 1]) == 16) {
      chunk = std::min(chunk, chunks[++i]); // Swizzles keep them together.
      bytes = 32;
    }
    uint64_t *stamps = stampsAt(chunk);
    RowPrecedent &precedent = precedents[stamps[0] % 4];
    if (precedent.repeat(stamps, bytes / 4))
      continue;
    if (block.liveThreads != 0 && fits(by)) {
      RowPrecedent next(stamps, who);
      // Who wrote this chunk probably wrote the next one.
      bool good =
          accessRow<layout, 1, false>(stamps, bytes / 4, row, writers, writers,
                                      learnNothing);
      if (!good) {
        writers = knownOf(stamps, bytes / 4, by, by.async);
        good = accessRow<layout, 1, false>(stamps, bytes / 4, row, writers,
                                           writers, learnNothing);
      }
      if (good) {
        next.set(stamps);
        precedent = next;
        continue;
      }
    }
    if (!accessLater(block, chunk, bytes, false, by, fault))
      return false;
  }
  return true;
}
