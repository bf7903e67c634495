// Stamps of accesses of global memory, and how words that several wrote have room
// for theirs.
//
// Of two stamps in the place of one, each has 30 bits: a warp writes many words of
// a part of memory, so that all but the lane and the bytes stands in a dictionary
// of that part.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_GLOBALSTAMPS_H
#define TCC_TOOLS_PTXSIM_CHECKS_GLOBALSTAMPS_H

#include "tools/ptxsim/checks/SplitWords.h"

#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace ptxsim {

/// One access of global memory, packed into 64 bits.
struct GlobalStamp {
  uint64_t number : 21; ///< Of a warp among all that run and an era of it.
  uint64_t epoch : 13;  ///< 0 if there was no access; of bulk copies, a group.
  uint64_t op : 12;     ///< By Code::numberOf, as far as it fits.
  uint64_t lane : 5;
  uint64_t mask : 8;  ///< Bytes of the word.
  uint64_t lanes : 1; ///< As those of Stamp.
  uint64_t parts : 1;
  uint64_t strength : 2;
  uint64_t isBulk : 1; ///< A write by a bulk copy that ends in a group.
};
static_assert(sizeof(GlobalStamp) == 8, "a stamp is a word");

/// That of GlobalStamp; its bit async is isBulk.
inline constexpr StampLayout globalLayout = {21, 13, 12, 8};

/// Reads and writes words that other threads may access at once: each gets all of
/// one or of another.
inline uint64_t readWord(const uint64_t &from) {
  return __atomic_load_n(&from, __ATOMIC_RELAXED);
}
inline void writeWord(uint64_t &to, uint64_t word) {
  __atomic_store_n(&to, word, __ATOMIC_RELAXED);
}
inline GlobalStamp readStamp(const GlobalStamp &from) {
  uint64_t bits = readWord(reinterpret_cast<const uint64_t &>(from));
  GlobalStamp result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}
inline void writeStamp(GlobalStamp &to, GlobalStamp stamp) {
  uint64_t bits;
  std::memcpy(&bits, &stamp, sizeof(bits));
  writeWord(reinterpret_cast<uint64_t &>(to), bits);
}

/// Stamps of 30 bits. Entries are never changed once they are there, so that
/// threads need no lock.
class StampDictionary {
  static constexpr unsigned indexBits = 15, ownBits = 15, probes = 16;
  /// The lane, the bytes, and whether there are several lanes.
  static constexpr uint64_t own = ((uint64_t(1) << ownBits) - 1)
                                  << globalLayout.laneAt();

public:
  static constexpr unsigned shortBits = indexBits + ownBits;
  static constexpr uint64_t entries = uint64_t(1) << indexBits;

  /// At first all `words`, one for each entry, are 0.
  explicit StampDictionary(uint64_t *words) : words(words) {}

  /// Shortens the stamp of an access; 0 if there is no room for a new entry.
  uint64_t shorten(uint64_t stamp) {
    uint64_t entry = stamp & ~own;
    // Neighbours mostly have neighbouring numbers: so have their entries.
    uint64_t index = entry % entries, hash = entry;
    for (unsigned i = 0; i < probes; ++i) {
      if (holds(words[index], entry))
        return index | (stamp & own) >> globalLayout.laneAt() << indexBits;
      hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15;
      index = hash >> (64 - indexBits);
    }
    return 0;
  }

  /// The stamp again.
  uint64_t lengthen(uint64_t shortened) const {
    return readWord(words[shortened % entries]) |
           shortened >> indexBits << globalLayout.laneAt();
  }

private:
  /// True if a word has an entry or can be given it.
  static bool holds(uint64_t &word, uint64_t entry) {
    uint64_t before = readWord(word);
    return before == entry ||
           (before == 0 &&
            (__atomic_compare_exchange_n(&word, &before, entry, false,
                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
             before == entry));
  }

  uint64_t *words;
};

/// Slots of short stamps: two in the place of the stamp of the word, further ones
/// in cells of the same kind, the first at `cells`, each `stride` behind the last.
/// Other threads may access them at once: then some writes may be lost, but none
/// is made up. If the dictionary is full, only the last write is sure to stay.
class GlobalSlots {
  struct Cell {
    uint64_t first : StampDictionary::shortBits;
    uint64_t second : StampDictionary::shortBits;
    uint64_t hasMore : 1;
    uint64_t tag : 3;
  };
  static_assert(sizeof(Cell) == 8, "a cell is in the place of a stamp");
  /// In the place of the strength and isBulk: those of no access, since for bulk
  /// copies there are no blocks.
  static constexpr uint64_t tag = 4 | StrongInBlock;
  static constexpr unsigned tagAt = globalLayout.strengthAt();

public:
  static constexpr unsigned furtherCells = globalLayout.maskBits / 2 - 1;

  GlobalSlots(StampDictionary dictionary, uint64_t *cells, uint64_t stride)
      : dictionary(dictionary), cells(cells), stride(stride) {}

  /// As those of WideSlots.
  static bool isSplit(uint64_t stamp) { return stamp >> tagAt == tag; }

  unsigned get(uint64_t stamp, uint64_t *writes) const {
    unsigned count = 0;
    for (unsigned i = 0;; stamp = readWord(cells[i++ * stride])) {
      Cell cell;
      std::memcpy(&cell, &stamp, sizeof(cell));
      for (uint64_t slot : {cell.first, cell.second})
        if (slot != 0)
          writes[count++] = dictionary.lengthen(slot);
      if (!cell.hasMore || i == furtherCells)
        return count;
    }
  }

  uint64_t put(const uint64_t *writes, unsigned count) {
    uint64_t kept[globalLayout.maskBits] = {};
    unsigned slots = 0;
    for (unsigned i = 0; i < count; ++i)
      if (uint64_t slot = dictionary.shorten(writes[i]); slot != 0)
        kept[slots++] = slot;
      else if (i + 1 == count)
        slots = 0;
    uint64_t last = writes[count - 1];
    if (slots < 2)
      return last;
    for (unsigned i = (slots + 1) / 2; i-- > 0;) {
      Cell cell = {kept[2 * i], kept[2 * i + 1], 2 * i + 2 < slots, tag};
      std::memcpy(&last, &cell, sizeof(last));
      if (i != 0)
        writeWord(cells[(i - 1) * stride], last);
    }
    return last;
  }

private:
  StampDictionary dictionary;
  uint64_t *cells;
  uint64_t stride;
};

/// What is to be compared with others: that of a split word is no stamp.
inline GlobalStamp withoutSlots(GlobalStamp stamp) {
  uint64_t bits;
  std::memcpy(&bits, &stamp, sizeof(bits));
  if (GlobalSlots::isSplit(bits))
    std::memcpy(&stamp, &splitStamp<globalLayout>, sizeof(stamp));
  return stamp;
}

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_GLOBALSTAMPS_H
