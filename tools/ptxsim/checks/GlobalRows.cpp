// Comparing accesses of global memory, many words at once.

#include "tools/ptxsim/checks/GlobalRaces.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;

GlobalRaces::Row::Row(const GlobalAccessor &by, uint32_t number,
                      unsigned laneShift)
    : by(by), before((by.epoch - 1) / eraEpochs * eraEpochs) {
  accessor.actor = number;
  accessor.epoch = by.epoch - before;
  accessor.op = by.op & ((1 << globalLayout.opBits) - 1);
  accessor.laneShift = laneShift;
  accessor.strength = by.strength;
  accessor.async = by.isBulk;
  accessor.isWarp = !by.async && !by.readsOnly;
  accessor.many = by.many;
  accessor.keepsOthers = true;
  setLane(by.lane, by.laneSync);
}

void GlobalRaces::Row::setLane(uint32_t lane, Epoch laneSync) {
  accessor.lane = lane;
  accessor.laneSync = laneSync - std::min(laneSync, before);
}

/// What `by` knows of those who read a row.
RowKnowledge GlobalRaces::knownOfReaders(const uint64_t *stamps, unsigned count,
                                         const GlobalAccessor &by) const {
  return knowledgeOf<globalLayout>(
      stamps, count, [&](uint64_t number, bool isBulk) {
        return knownOf(uint32_t(number), isBulk, by);
      });
}

/// The same of those who wrote it. Reads through the async proxy only know of what
/// that may see.
RowKnowledge GlobalRaces::knownOfWriters(const uint64_t *stamps, unsigned count,
                                         bool isWrite,
                                         const GlobalAccessor &by) const {
  return knowledgeOf<globalLayout>(
      stamps, count, [&](uint64_t number, bool isBulk) {
        if (isForbidden(eraOf(uint32_t(number)).warp, by))
          return uint64_t(0);
        uint64_t known = knownOf(uint32_t(number), isBulk, by);
        return by.async && !isWrite && !isBulk
                   ? std::min(known, proxiedOf(uint32_t(number), by))
                   : known;
      });
}

/// True if something is known of who accessed the first and the last word.
static bool isOf(const RowKnowledge &knowledge, const uint64_t *stamps,
                 unsigned words) {
  constexpr uint64_t who = RowStep<globalLayout, 1>::who;
  return (stamps[0] & who) == knowledge.who[0] &&
         (stamps[2 * (words - 1)] & who) == knowledge.who[1];
}

void GlobalRaces::learnReaders(const uint64_t *stamps, unsigned words,
                               Row &row) const {
  if (!isOf(row.readers, stamps, words))
    row.readers = knownOfReaders(stamps, words, row.by);
}

/// Finds out what is known of those who accessed some words.
void GlobalRaces::learn(const uint64_t *stamps, unsigned words, bool isWrite,
                        Row &row) const {
  if (!isOf(row.writers, stamps, words))
    row.writers = knownOfWriters(stamps, words, isWrite, row.by);
  learnReaders(stamps + 1, words, row);
}

/// Tries to compare the words of a whole group that is not expanded.
template <unsigned Sharers, bool IsWrite>
bool GlobalRaces::accessAlike(GlobalChunk &chunk, unsigned group,
                              LanePattern pattern, Row &row) const {
  const RowAccessor &by = row.accessor;
  uint64_t lane = by.lane + Sharers - 1; // Of the first word.
  auto decide = [&](const AlikeHistory &alike) {
    RowDifferences differences = {};
    std::memcpy(differences.first, &alike.first, sizeof(alike.first));
    differences.fromLanes[0] =
        pattern != alike.ofWrite || alike.first.write.lane != lane;
    differences.fromLanes[1] =
        pattern != alike.ofRead || alike.first.read.lane != lane;
    learn(differences.first, 1, IsWrite, row);
    return decideAlike<globalLayout, Sharers, IsWrite>(differences, by,
                                                       row.writers, row.readers);
  };
  // What others have read is read by many: nothing is to be written then.
  AlikeHistory alike;
  if (!IsWrite && chunk.peek(group, alike) && alike.first.read.epoch != 0 &&
      alike.first.read.number != by.actor &&
      decide(alike).kind == RowOutcome::Kept)
    return true;
  return chunk.changeAlike(group, [&](AlikeHistory &now) {
    RowOutcome outcome = decide(now);
    if (outcome.kind != RowOutcome::Changed)
      return outcome.kind == RowOutcome::Kept;
    uint64_t stamp = outcome.after | lane << globalLayout.laneAt();
    std::memcpy(IsWrite ? &now.first.write : &now.first.read, &stamp,
                sizeof(stamp));
    (IsWrite ? now.ofWrite : now.ofRead) = pattern;
    return true;
  });
}

/// Tries to compare words of one group at once; of `Sharers` lanes each, or
/// 1 << laneShift words of each lane.
template <unsigned Sharers, bool IsWrite>
bool GlobalRaces::accessPart(uint64_t address, unsigned words, Row &row) {
  GlobalChunk &chunk = chunkOf(address);
  auto word = unsigned(address % GlobalChunk::bytes / 8);
  unsigned group = word / GlobalChunk::groupWords;
  LanePattern pattern = Sharers == 2                  ? LanePattern::Halves
                        : row.accessor.laneShift == 0 ? LanePattern::Words
                        : row.accessor.laneShift == 1 ? LanePattern::Pairs
                                                      : LanePattern::Same;
  if (Sharers <= 2 && words == GlobalChunk::groupWords &&
      accessAlike<Sharers, IsWrite>(chunk, group, pattern, row))
    return true;
  GlobalHistory histories[GlobalChunk::groupWords];
  uint64_t stamps[2 * GlobalChunk::groupWords];
  unsigned first = word % GlobalChunk::groupWords;
  uint64_t bytes = words * sizeof(GlobalHistory);
  chunk.load(group, first, words, histories);
  std::memcpy(stamps, histories, bytes);
  learn(stamps, words, IsWrite, row);
  auto learnReader = [&](uint64_t stamp, RowKnowledge &readers) {
    RowKnowledge one = knownOfReaders(&stamp, 1, row.by);
    readers.who[1] = one.who[1];
    readers.known[1] = one.known[1];
    std::swap(readers.who[0], readers.who[1]);
    std::swap(readers.known[0], readers.known[1]);
  };
  if (!accessRow<globalLayout, Sharers, IsWrite>(stamps, words, row.accessor,
                                                 row.writers, row.readers,
                                                 learnReader))
    return false;
  if (std::memcmp(stamps, histories, bytes) == 0)
    return true; // Others may share it.
  std::memcpy(histories, stamps, bytes);
  chunk.store(group, first, words, histories,
              IsWrite ? GlobalChunk::Writes : GlobalChunk::Reads, pattern);
  return true;
}

bool GlobalRaces::accessPart(uint64_t address, unsigned words, unsigned sharers,
                             bool isWrite, Row &row) {
  switch (sharers) {
  case 1:
    return isWrite ? accessPart<1, true>(address, words, row)
                   : accessPart<1, false>(address, words, row);
  case 2:
    return isWrite ? accessPart<2, true>(address, words, row)
                   : accessPart<2, false>(address, words, row);
  case 4:
    return isWrite ? accessPart<4, true>(address, words, row)
                   : accessPart<4, false>(address, words, row);
  default:
    return isWrite ? accessPart<8, true>(address, words, row)
                   : accessPart<8, false>(address, words, row);
  }
}

/// The bytes from `address` to the end of its group.
static uint64_t restOfGroup(uint64_t address) {
  return GlobalChunk::groupBytes - address % GlobalChunk::groupBytes;
}

LaneMask GlobalRaces::accessLanes(uint64_t address, uint64_t bytes, bool isWrite,
                                  const GlobalAccessor &by) {
  uint32_t number = numberOf(by.warp, by.epoch);
  if (!fits(number))
    return 0;
  if (address % 8 != 0 || (bytes & (bytes - 1)) != 0)
    return ~LaneMask(0);
  unsigned sharers = bytes >= 8 ? 1 : 8 / unsigned(bytes);
  unsigned shift = bytes >= 8 ? unsigned(__builtin_ctzll(bytes)) - 3 : 0;
  Row row(by, number, shift);
  LaneMask left = 0;
  for (uint64_t at = 0; at < 32 * bytes;) {
    uint64_t part = std::min(32 * bytes - at, restOfGroup(address + at));
    uint64_t first = at / bytes, last = (at + part - 1) / bytes;
    row.accessor.lane = by.lane + first;
    if (!accessPart(address + at, unsigned(part / 8), sharers, isWrite, row))
      left |= ~LaneMask(0) << first & ~LaneMask(0) >> (31 - last);
    at += part;
  }
  return left;
}

GlobalRaces::Place GlobalRaces::placeIn(GlobalChunk &chunk, uint64_t address) {
  auto word = unsigned(address % GlobalChunk::bytes / 8);
  return {chunk, word / GlobalChunk::groupWords, word % GlobalChunk::groupWords};
}

GlobalRaces::Place GlobalRaces::findPlace(uint64_t address) {
  return placeIn(chunkOf(address), address);
}

/// The same; lanes mostly access one chunk.
GlobalRaces::Place GlobalRaces::findPlace(uint64_t address, Row &row) {
  uint64_t number = address / GlobalChunk::bytes;
  if (row.chunk == nullptr || row.chunkNumber != number) {
    row.chunk = &chunkOf(address);
    row.chunkNumber = number;
  }
  return placeIn(*row.chunk, address);
}

/// Tries to compare the words of one lane.
template <bool IsWrite, unsigned Words>
bool GlobalRaces::accessSpot(uint64_t address, uint64_t mask, Row &row) {
  constexpr auto side = IsWrite ? GlobalChunk::Writes : GlobalChunk::Reads;
  using Step = RowStep<globalLayout, 1>;
  constexpr uint64_t bytes = Step::ones(globalLayout.maskBits)
                             << globalLayout.maskAt();
  constexpr uint64_t alike = Step::kind | bytes;
  Place place = findPlace(address, row);
  GlobalHistory before[Words];
  uint64_t stamps[2 * Words], old[2 * Words];
  for (unsigned i = 0; i < Words; ++i)
    before[i] = {withoutSlots(place.at(i, GlobalChunk::Writes)),
                 place.at(i, GlobalChunk::Reads)};
  std::memcpy(stamps, before, sizeof(stamps));
  if (!IsWrite && Words == 1 && stamps[0] == 0 && row.kept != 0 &&
      (stamps[1] & alike) == row.kept)
    return true;
  std::memcpy(old, before, sizeof(old));
  auto access = [&]() __attribute__((always_inline)) {
    return ptxsim::accessSpot<globalLayout, IsWrite>(
        stamps, Words, mask, row.accessor, row.writers, row.readers);
  };
  // What is known of the words of one lane mostly helps the next one.
  if (!access()) {
    learn(stamps, Words, IsWrite, row);
    if (!access())
      return false;
  }
  for (unsigned i = 0; i < Words; ++i) {
    uint64_t at = 2 * i + unsigned(side);
    GlobalStamp stamp;
    std::memcpy(&stamp, stamps + at, sizeof(stamp));
    if (stamps[at] != old[at]) // Others may share it.
      place.set(i, side, stamp);
    else if (!IsWrite && (stamps[at] & bytes) == bytes &&
             !Step::isOf(stamps[at], row.accessor))
      row.kept = stamps[at] & alike;
  }
  return true;
}

template <bool IsWrite>
bool GlobalRaces::accessSpot(uint64_t address, const RowSpot &spot, Row &row) {
  return spot.words == 1 ? accessSpot<IsWrite, 1>(address, spot.mask, row)
                         : accessSpot<IsWrite, 2>(address, spot.mask, row);
}

bool GlobalRaces::accessEach(const uint64_t *addresses, LaneMask lanes,
                             uint64_t bytes, bool isWrite,
                             const WarpClock &clock, GlobalAccessor by,
                             Fault &fault, int &lane) {
  uint32_t number = numberOf(by.warp, by.epoch);
  if (!fits(number))
    return true;
  Row row(by, number, 31);
  for (; lanes != 0; lanes &= lanes - 1) {
    lane = __builtin_ctz(lanes);
    by.lane = uint32_t(lane);
    by.laneSync = clock.laneSync[lane];
    uint64_t address = addresses[lane];
    RowSpot spot(address, bytes, 8);
    row.setLane(by.lane, by.laneSync);
    if (spot.isWhole && spot.words <= 2 &&
        (isWrite ? accessSpot<true>(address, spot, row)
                 : accessSpot<false>(address, spot, row)))
      continue;
    if (!accessWords(address, bytes, isWrite, row, fault))
      return false;
  }
  return true;
}

/// Ranges from how many bytes are worth the trouble of a row.
static constexpr uint64_t rowBytes = 64;

bool GlobalRaces::access(uint64_t address, uint64_t bytes, bool isWrite,
                         const GlobalAccessor &by, Fault &fault) {
  uint32_t number = numberOf(by.warp, by.epoch);
  if (!fits(number))
    return true;
  Row row(by, number, 31);
  if (bytes < rowBytes || (address | bytes) % 8 != 0)
    return accessWords(address, bytes, isWrite, row, fault);
  for (uint64_t end = address + bytes, part; address < end; address += part) {
    part = std::min(end - address, restOfGroup(address));
    if (!accessPart(address, unsigned(part / 8), 1, isWrite, row) &&
        !accessWords(address, part, isWrite, row, fault))
      return false;
  }
  return true;
}
