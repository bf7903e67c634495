// Where the histories of global memory are kept.
//
// A history is twice as large as the word that it is of. Mostly a warp, or a copy,
// accesses some words behind each other at once; then one stamp stands for the
// writes, or the reads, of a group of words, with the pattern in which lanes go on
// from word to word. Only other groups are expanded: those of writes and those of
// reads each on their own, and for good.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_GLOBALHISTORIES_H
#define TCC_TOOLS_PTXSIM_CHECKS_GLOBALHISTORIES_H

#include "tools/ptxsim/checks/GlobalStamps.h"

#include <atomic>
#include <cstdint>

namespace ptxsim {

/// Of a word of eight bytes.
struct GlobalHistory {
  GlobalStamp write;
  GlobalStamp read;
};

/// How the lane grows from word to word.
enum class LanePattern : uint8_t { Same, Words, Pairs, Halves };

inline unsigned laneStep(LanePattern pattern, unsigned word) {
  switch (pattern) {
  case LanePattern::Same:
    return 0;
  case LanePattern::Words: // One lane for each word.
    return word;
  case LanePattern::Pairs: // One for two words.
    return word / 2;
  case LanePattern::Halves: // Two for one word; the stamp has the last one.
    return 2 * word;
  }
  return 0;
}

/// The stamp of a word of a group that is alike.
inline GlobalStamp alikeStamp(GlobalStamp first, LanePattern pattern,
                              unsigned word) {
  first.lane = (first.lane + laneStep(pattern, word)) & 31;
  return first;
}

/// The writes and the reads of a group whose words only differ in lanes.
struct AlikeHistory {
  GlobalHistory first; ///< Of the first word.
  LanePattern ofWrite, ofRead;
};

/// The histories of a part of global memory; at first there was no access.
class GlobalChunk {
public:
  static constexpr uint64_t bytes = uint64_t(1) << 20, words = bytes / 8;
  static constexpr unsigned groupWords = 16;
  static constexpr uint64_t groupBytes = 8 * groupWords;
  static constexpr unsigned groups = bytes / groupBytes;

  GlobalChunk();
  ~GlobalChunk();
  GlobalChunk(const GlobalChunk &) = delete;
  GlobalChunk &operator=(const GlobalChunk &) = delete;

  /// Of a group, either the writes (0) or the reads (1).
  enum Side { Writes, Reads };

  /// Copies the histories of some words of a group, as they are in memory. Of those
  /// of split words the write is `splitStamp`.
  void load(unsigned group, unsigned first, unsigned count,
            GlobalHistory *histories) const;

  /// Changes the writes, or the reads, of words to those of `histories`. The lanes
  /// of a whole group may have a pattern.
  void store(unsigned group, unsigned first, unsigned count,
             const GlobalHistory *histories, Side side, LanePattern pattern);

  /// Of one word; that of a split one is for splitWord alone.
  GlobalStamp stampAt(unsigned group, unsigned word, Side side) const {
    uint8_t state = states[group].load(std::memory_order_acquire);
    if (isExpanded(state, side))
      return readStamp(stamps[side][group * groupWords + word]);
    GlobalStamp first = firstOf(group, side, state);
    return isExpanded(state, side)
               ? readStamp(stamps[side][group * groupWords + word])
               : alikeStamp(first, patternOf(state, side), word);
  }
  void setStamp(unsigned group, unsigned word, Side side, GlobalStamp stamp) {
    if (!isExpanded(states[group].load(std::memory_order_acquire), side))
      expand(group, side);
    writeStamp(stamps[side][group * groupWords + word], stamp);
  }

  /// Puts `stamp` in place of the writes, or the reads, of `count` groups,
  /// while nobody else accesses them: up to the first that has some expanded,
  /// or an access by a warp from `rival` on that it might race with.
  ///
  /// \returns how many were changed.
  unsigned replace(unsigned group, unsigned count, Side side, GlobalStamp stamp,
                   uint64_t rival);

  /// Forgets the accesses of `count` words.
  void clear(unsigned first, unsigned count);

  /// Looks at a group that is not expanded while others may change it.
  ///
  /// \returns false if it is expanded or does change.
  bool peek(unsigned group, AlikeHistory &alike) const {
    uint8_t state = states[group].load(std::memory_order_acquire);
    alike = alikeOf(group, state);
    return !(state & (expandedBoth | isLocked));
  }

  /// Lets `change(AlikeHistory &)` change the histories of a group, unless some of
  /// it is expanded.
  ///
  /// \returns what `change` does; if that is false nothing is changed.
  template <typename Change> bool changeAlike(unsigned group, Change change) {
    if (states[group].load(std::memory_order_relaxed) & expandedBoth)
      return false;
    uint8_t state = lock(group);
    if (state & expandedBoth) {
      unlock(group, state);
      return false;
    }
    AlikeHistory alike = alikeOf(group, state);
    bool good = change(alike);
    if (good) {
      writeStamp(firsts[group].write, alike.first.write);
      writeStamp(firsts[group].read, alike.first.read);
      state = uint8_t(uint8_t(alike.ofWrite) | uint8_t(alike.ofRead) << 2);
    }
    unlock(group, state);
    return good;
  }

  using Word = SplitWord<globalLayout, GlobalSlots>;
  /// A word of a group with what is remembered of it if several wrote it.
  Word splitWord(unsigned group, unsigned word) {
    return Word(GlobalSlots(StampDictionary(dictionary),
                            cells + group * groupWords + word, words));
  }

private:
  // A state: two patterns of two bits each, two bits that say what is expanded,
  // and one for a lock.
  static constexpr uint8_t expandedFirst = 16, expandedBoth = 48, isLocked = 64;

  AlikeHistory alikeOf(unsigned group, uint8_t state) const {
    GlobalHistory first = {readStamp(firsts[group].write),
                           readStamp(firsts[group].read)};
    return {first, patternOf(state, Writes), patternOf(state, Reads)};
  }
  static LanePattern patternOf(uint8_t state, Side side) {
    return LanePattern(state >> (2 * side) & 3);
  }
  static bool isExpanded(uint8_t state, Side side) {
    return state & (expandedFirst << side);
  }

  /// Locks a group and returns its state.
  uint8_t lock(unsigned group) {
    std::atomic<uint8_t> &state = states[group];
    uint8_t before = state.load(std::memory_order_acquire);
    do
      before &= uint8_t(~isLocked);
    while (!state.compare_exchange_weak(before, before | isLocked,
                                        std::memory_order_acquire));
    return before;
  }
  void unlock(unsigned group, uint8_t state) {
    states[group].store(state, std::memory_order_release);
  }

  bool storeAlike(unsigned group, const GlobalHistory *histories, Side side,
                  LanePattern pattern);
  GlobalStamp *expand(unsigned group, Side side);

  /// The first stamp of a side and the state, both of the same time.
  GlobalStamp firstOf(unsigned group, Side side, uint8_t &state) const {
    uint8_t now = states[group].load(std::memory_order_acquire);
    GlobalStamp first;
    do {
      state = now;
      first = readStamp(side == Writes ? firsts[group].write
                                       : firsts[group].read);
      std::atomic_thread_fence(std::memory_order_acquire);
      now = states[group].load(std::memory_order_acquire);
    } while (now != state || now & isLocked);
    return first;
  }

  std::atomic<uint8_t> states[groups] = {};
  GlobalHistory firsts[groups] = {};
  /// Writes and reads; they take memory where groups are expanded.
  GlobalStamp *stamps[2] = {};
  /// The same where words are split.
  uint64_t *cells = nullptr, *dictionary = nullptr;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_GLOBALHISTORIES_H
