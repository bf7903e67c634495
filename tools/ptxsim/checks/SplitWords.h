// Words of which several wrote different bytes.
//
// A history has room for one write. If others wrote other bytes of the word, its
// stamp only says that it is split, and their stamps are in slots of the word.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_SPLITWORDS_H
#define TCC_TOOLS_PTXSIM_CHECKS_SPLITWORDS_H

#include "tools/ptxsim/checks/RaceRows.h"

namespace ptxsim {

/// One word and its slots: the first at `slots`, each `stride` behind the last.
/// There is one for each byte. Other threads may access them at once: then some
/// writes may be lost, but none is made up.
template <StampLayout const &L> class SplitWord {
  using Step = RowStep<L, 1>;

public:
  SplitWord(uint64_t *slots, uint64_t stride) : slots(slots), stride(stride) {}

  /// The actor of the stamp of split words, of whom nothing is ever known.
  static constexpr uint64_t nobody = Step::ones(L.actorBits);

  static bool isSplit(uint64_t stamp) {
    return (stamp & Step::ones(L.actorBits)) == nobody;
  }

  /// Calls `visit` with the stamps of the writes, the last one last, until one
  /// says no.
  ///
  /// \returns false if one did.
  template <typename Visit> bool forWrites(uint64_t stamp, Visit visit) const {
    if (!isSplit(stamp))
      return visit(stamp);
    for (uint64_t i = 0; i < countOf(stamp); ++i)
      if (!visit(__atomic_load_n(&slots[i * stride], __ATOMIC_RELAXED)))
        return false;
    return true;
  }

  /// Remembers a write of the bytes of `mask`.
  ///
  /// \returns the stamp of the word after it.
  uint64_t write(uint64_t stamp, const RowAccessor &by, uint64_t mask) {
    uint64_t joined = 0, count = 0;
    forWrites(stamp, [&](uint64_t other) {
      if (isSame(other, by))
        joined = other;
      else if (uint64_t left = other & ~(mask << L.maskAt()); hasBytes(left))
        put(count++, left);
      return true;
    });
    uint64_t result = Step::remember(joined, by, by.lane, mask);
    if (count == 0)
      return result;
    put(count++, result);
    return nobody | Step::ones(L.epochBits) << L.epochAt() |
           count << L.opAt() | Step::ones(L.maskBits) << L.maskAt();
  }

private:
  static uint64_t countOf(uint64_t stamp) {
    return Step::field(stamp, L.opAt(), L.opBits);
  }
  static bool hasBytes(uint64_t stamp) {
    return Step::field(stamp, L.epochAt(), L.epochBits) != 0 &&
           Step::field(stamp, L.maskAt(), L.maskBits) != 0;
  }
  static bool isSame(uint64_t stamp, const RowAccessor &by) {
    return ((stamp ^ Step::fresh(by)) & Step::kind) == 0;
  }

  void put(uint64_t index, uint64_t stamp) {
    __atomic_store_n(&slots[index * stride], stamp, __ATOMIC_RELAXED);
  }

  uint64_t *slots;
  uint64_t stride;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_SPLITWORDS_H
