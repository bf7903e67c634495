// Keeping the histories of global memory.

#include "tools/ptxsim/checks/GlobalHistories.h"

#include <algorithm>
#include <initializer_list>
#include <new>

#include <sys/mman.h>

using namespace ptxsim;

/// Two stamps for each word, what split ones need, and their dictionary.
static constexpr size_t reserved =
    sizeof(uint64_t) * ((2 + GlobalSlots::furtherCells) * GlobalChunk::words +
                        StampDictionary::entries);

GlobalChunk::GlobalChunk() {
  void *place = mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED)
    throw std::bad_alloc();
  stamps[Writes] = static_cast<GlobalStamp *>(place);
  stamps[Reads] = stamps[Writes] + words;
  cells = static_cast<uint64_t *>(place) + 2 * words;
  dictionary = cells + GlobalSlots::furtherCells * words;
}

GlobalChunk::~GlobalChunk() { munmap(stamps[Writes], reserved); }

static GlobalStamp &sideOf(GlobalHistory &history, GlobalChunk::Side side) {
  return side == GlobalChunk::Writes ? history.write : history.read;
}
static const GlobalStamp &sideOf(const GlobalHistory &history,
                                 GlobalChunk::Side side) {
  return side == GlobalChunk::Writes ? history.write : history.read;
}

void GlobalChunk::load(unsigned group, unsigned first, unsigned count,
                       GlobalHistory *histories) const {
  for (Side side : {Writes, Reads}) {
    uint8_t state;
    GlobalStamp alike = firstOf(group, side, state);
    const GlobalStamp *from = stamps[side] + group * groupWords;
    for (unsigned i = 0; i < count; ++i)
      sideOf(histories[i], side) =
          isExpanded(state, side)
              ? withoutSlots(readStamp(from[first + i]))
              : alikeStamp(alike, patternOf(state, side), first + i);
  }
}

GlobalStamp *GlobalChunk::expand(unsigned group, Side side) {
  GlobalStamp *result = stamps[side] + group * groupWords;
  if (isExpanded(states[group].load(std::memory_order_acquire), side))
    return result;
  uint8_t state = lock(group);
  if (!isExpanded(state, side))
    for (unsigned i = 0; i < groupWords; ++i)
      writeStamp(result[i], alikeStamp(readStamp(sideOf(firsts[group], side)),
                                       patternOf(state, side), i));
  unlock(group, uint8_t(state | expandedFirst << side));
  return result;
}

static bool areSame(const GlobalStamp &a, const GlobalStamp &b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

/// The same as store for a whole group, if it is not expanded and need not be.
bool GlobalChunk::storeAlike(unsigned group, const GlobalHistory *histories,
                             Side side, LanePattern pattern) {
  if (isExpanded(states[group].load(std::memory_order_relaxed), side))
    return false;
  const GlobalStamp &first = sideOf(histories[0], side);
  for (unsigned i = 1; i < groupWords; ++i)
    if (!areSame(sideOf(histories[i], side), alikeStamp(first, pattern, i)))
      return false;
  uint8_t state = lock(group);
  bool good = !isExpanded(state, side);
  if (good) {
    writeStamp(sideOf(firsts[group], side), first);
    state = uint8_t((state & ~(3 << 2 * side)) | uint8_t(pattern) << 2 * side);
  }
  unlock(group, state);
  return good;
}

void GlobalChunk::store(unsigned group, unsigned first, unsigned count,
                        const GlobalHistory *histories, Side side,
                        LanePattern pattern) {
  if (count == groupWords && storeAlike(group, histories, side, pattern))
    return;
  GlobalStamp *to = expand(group, side) + first;
  for (unsigned i = 0; i < count; ++i)
    writeStamp(to[i], sideOf(histories[i], side));
}

unsigned GlobalChunk::replace(unsigned group, unsigned count, Side side,
                              GlobalStamp stamp, uint64_t rival) {
  for (unsigned done = 0; done < count; ++done, ++group) {
    uint8_t state = states[group].load(std::memory_order_relaxed);
    GlobalHistory &first = firsts[group];
    bool mayRace = (first.write.epoch != 0 && first.write.number >= rival) ||
                   (first.read.epoch != 0 && first.read.number >= rival);
    if ((state & expandedBoth) || mayRace)
      return done;
    sideOf(first, side) = stamp;
    states[group].store(uint8_t(state & ~(3 << 2 * side)),
                        std::memory_order_relaxed);
  }
  return count;
}

void GlobalChunk::clear(unsigned first, unsigned count) {
  static constexpr GlobalHistory none[groupWords] = {};
  for (unsigned end = first + count, part; first < end; first += part) {
    part = std::min(end - first, groupWords - first % groupWords);
    for (Side side : {Writes, Reads})
      store(first / groupWords, first % groupWords, part, none, side,
            LanePattern::Same);
  }
}
