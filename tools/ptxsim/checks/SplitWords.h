// Words of which several wrote different bytes.
//
// A history has room for one write. If others wrote other bytes of the word, it is
// split: its stamp only says so, and their stamps are in slots of the word.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_SPLITWORDS_H
#define TCC_TOOLS_PTXSIM_CHECKS_SPLITWORDS_H

#include "tools/ptxsim/checks/RaceRows.h"

namespace ptxsim {

/// The actor of the stamp of split words, of whom nothing is ever known.
template <StampLayout const &L>
inline constexpr uint64_t nobody = RowStep<L, 1>::ones(L.actorBits);

/// The stamp of split words where they are compared with others.
template <StampLayout const &L>
inline constexpr uint64_t splitStamp =
    nobody<L> | RowStep<L, 1>::ones(L.epochBits) << L.epochAt() |
    RowStep<L, 1>::ones(L.maskBits) << L.maskAt();

/// Slots that hold a stamp each: the first at `slots`, each `stride` behind the
/// last.
template <StampLayout const &L> class WideSlots {
  using Step = RowStep<L, 1>;

public:
  WideSlots(uint64_t *slots, uint64_t stride) : slots(slots), stride(stride) {}

  /// True if `stamp` is that of a split word.
  static bool isSplit(uint64_t stamp) {
    return (stamp & Step::ones(L.actorBits)) == nobody<L>;
  }

  /// Copies the stamps of the writes of a split word, the last one last, and
  /// returns how many there are: at most one for each byte.
  unsigned get(uint64_t stamp, uint64_t *writes) const {
    auto count = unsigned(Step::field(stamp, L.opAt(), L.opBits));
    for (unsigned i = 0; i < count; ++i)
      writes[i] = slots[i * stride];
    return count;
  }

  /// Remembers such writes and returns the stamp of the word.
  uint64_t put(const uint64_t *writes, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      slots[i * stride] = writes[i];
    return splitStamp<L> | uint64_t(count) << L.opAt();
  }

private:
  uint64_t *slots;
  uint64_t stride;
};

/// The writes of one word. Slots are those above or have the same functions.
template <StampLayout const &L, typename Slots> class SplitWord {
  using Step = RowStep<L, 1>;
  static constexpr unsigned most = L.maskBits;

public:
  explicit SplitWord(Slots slots) : slots(slots) {}

  static bool isSplit(uint64_t stamp) { return Slots::isSplit(stamp); }

  /// Calls `visit` with the stamps of the writes, the last one last, until one
  /// says no.
  ///
  /// \returns false if one did.
  template <typename Visit> bool forWrites(uint64_t stamp, Visit visit) const {
    if (!isSplit(stamp))
      return visit(stamp);
    uint64_t writes[most];
    unsigned count = slots.get(stamp, writes);
    for (unsigned i = 0; i < count; ++i)
      if (!visit(writes[i]))
        return false;
    return true;
  }

  /// Remembers a write of the bytes of `mask`.
  ///
  /// \returns the stamp of the word after it.
  uint64_t write(uint64_t stamp, const RowAccessor &by, uint64_t mask) {
    uint64_t joined = 0, writes[most];
    unsigned count = 0;
    forWrites(stamp, [&](uint64_t other) {
      if (isSame(other, by))
        joined = other;
      else if (uint64_t left = other & ~(mask << L.maskAt());
               hasBytes(left) && count + 1 < most)
        writes[count++] = left;
      return true;
    });
    uint64_t result = Step::remember(joined, by, by.lane, mask);
    if (count == 0)
      return result;
    writes[count++] = result;
    return slots.put(writes, count);
  }

private:
  static bool hasBytes(uint64_t stamp) {
    return Step::field(stamp, L.epochAt(), L.epochBits) != 0 &&
           Step::field(stamp, L.maskAt(), L.maskBits) != 0;
  }
  static bool isSame(uint64_t stamp, const RowAccessor &by) {
    return ((stamp ^ Step::fresh(by)) & Step::kind) == 0;
  }

  Slots slots;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_SPLITWORDS_H
