// Comparing the accesses of all lanes of a warp at once.
//
// Where each lane accesses the bytes behind those of the lane before, the
// histories of the words are a row, and mostly they are alike: the same warp wrote
// them at the same time. Vectors find that out, and one comparison does for all.
// Otherwise it takes one comparison for each word, but still only what is known of
// the actors of the first and the last one. If that is not enough to say yes, the
// caller looks at one lane after another, which finds the same or a race.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_RACEROWS_H
#define TCC_TOOLS_PTXSIM_CHECKS_RACEROWS_H

#include <cstdint>

namespace ptxsim {

/// How far a strong access is strong, by its scope. Two that are strong for each
/// other do not race (PTX ISA 9.0, 8.7.1 "Morally strong operations").
enum Strength : uint8_t { Weak, StrongInBlock, StrongInCluster, StrongForAll };

/// Lanes that write what is there already. That is no race with who wrote it: many
/// programs set a flag so, or write what several warps hold.
using Repeats = uint32_t;

/// How a stamp is packed: actor, epoch, op, lane, mask, the bits lanes and parts,
/// strength, and the bit async.
struct StampLayout {
  unsigned actorBits, epochBits, opBits, maskBits;

  constexpr unsigned epochAt() const { return actorBits; }
  constexpr unsigned opAt() const { return actorBits + epochBits; }
  constexpr unsigned laneAt() const { return opAt() + opBits; }
  constexpr unsigned maskAt() const { return laneAt() + 5; }
  constexpr unsigned lanesAt() const { return maskAt() + maskBits; }
  constexpr unsigned partsAt() const { return lanesAt() + 1; }
  constexpr unsigned strengthAt() const { return lanesAt() + 2; }
  constexpr unsigned asyncAt() const { return strengthAt() + 2; }
};

/// Who accesses a row.
struct RowAccessor {
  uint64_t actor = 0, epoch = 0, op = 0;
  uint64_t lane = 0;      ///< Of the first word.
  uint64_t laneShift = 0; ///< Word i is of lane `lane + (i >> laneShift)`.
  uint64_t laneSync = 0;  ///< The least of all its lanes.
  uint64_t strength = Weak, async = 0;
  uint64_t isWarp = 0;
  uint64_t many = 0; ///< All lanes of the warp at once.
  /// A read leaves the stamp of another warp's read that is not before it: one is
  /// as good as the other, and what blocks share is then not written again and
  /// again by several host threads.
  bool keepsOthers = false;
};

/// Up to which epoch what two actors did comes before the access.
struct RowKnowledge {
  /// Actor and the bit async, as in stamps; no stamp has all bits.
  uint64_t who[2] = {~uint64_t(0), ~uint64_t(0)};
  uint64_t known[2] = {0, 0};
};

/// One step of a row: of `Sharers` lanes that share a word, or of one lane that
/// has one or more words of its own.
template <StampLayout const &L, unsigned Sharers> struct RowStep {
  static constexpr uint64_t ones(unsigned bits) {
    return (uint64_t(1) << bits) - 1;
  }
  static constexpr uint64_t strength = uint64_t(3) << L.strengthAt();
  static constexpr uint64_t async = uint64_t(1) << L.asyncAt();
  static constexpr uint64_t who = ones(L.actorBits) | async;
  /// What stamps that can be joined have in common.
  static constexpr uint64_t kind = who | ones(L.epochBits) << L.epochAt() | strength;

  static constexpr uint64_t field(uint64_t stamp, unsigned at, unsigned bits) {
    return stamp >> at & ones(bits);
  }
  static constexpr uint64_t maskOf(unsigned sharer) {
    constexpr unsigned bits = L.maskBits / Sharers;
    return ones(bits) << (sharer * bits);
  }
  static constexpr uint64_t laneOf(const RowAccessor &by, uint64_t word,
                                   unsigned sharer) {
    return Sharers == 1 ? by.lane + (word >> by.laneShift)
                        : by.lane + word * Sharers + sharer;
  }

  static bool isOf(uint64_t stamp, const RowAccessor &by) {
    return field(stamp, 0, L.actorBits) == by.actor;
  }

  /// 1 if `by` may come after `stamp`, else 0.
  static uint64_t mayFollow(uint64_t stamp, const RowAccessor &by,
                            const RowKnowledge &knowledge, uint64_t lane,
                            uint64_t mask) {
    uint64_t epoch = field(stamp, L.epochAt(), L.epochBits);
    uint64_t free = uint64_t(epoch == 0) |
                    uint64_t((field(stamp, L.maskAt(), L.maskBits) & mask) == 0) |
                    uint64_t((field(stamp, L.strengthAt(), 2) & by.strength) ==
                             StrongForAll);
    uint64_t own = uint64_t((stamp & who) == by.actor) & by.isWarp;
    own &= (uint64_t(field(stamp, L.laneAt(), 5) == lane) &
            ~field(stamp, L.lanesAt(), 1)) |
           field(stamp, L.partsAt(), 1) | uint64_t(epoch < by.laneSync) | by.many |
           uint64_t(field(stamp, L.opAt(), L.opBits) == by.op);
    uint64_t before = 0;
    for (unsigned i = 0; i < 2; ++i)
      before |= uint64_t((stamp & who) == knowledge.who[i]) &
                uint64_t(epoch <= knowledge.known[i]);
    return (free | own | before) & 1;
  }

  /// True if a read leaves `stamp`, that of a read, as it is.
  static bool keeps(uint64_t stamp, const RowAccessor &by,
                    const RowKnowledge &readers, uint64_t mask) {
    uint64_t epoch = field(stamp, L.epochAt(), L.epochBits);
    if (!by.keepsOthers || epoch == 0 || isOf(stamp, by) ||
        (field(stamp, L.maskAt(), L.maskBits) & mask) != mask ||
        field(stamp, L.strengthAt(), 2) > by.strength)
      return false;
    for (unsigned i = 0; i < 2; ++i)
      if ((stamp & who) == readers.who[i])
        return epoch > readers.known[i];
    return false;
  }

  /// True if `keeps` knows enough of the actor of `stamp`.
  static bool isKnown(uint64_t stamp, const RowAccessor &by,
                      const RowKnowledge &readers) {
    return !by.keepsOthers || isOf(stamp, by) ||
           field(stamp, L.epochAt(), L.epochBits) == 0 ||
           (stamp & who) == readers.who[0] || (stamp & who) == readers.who[1];
  }

  /// 1 if the stamp after a write would no longer tell of other bytes, else 0.
  static uint64_t loses(uint64_t stamp, const RowAccessor &by, uint64_t mask) {
    return uint64_t(((stamp ^ fresh(by)) & kind) != 0) &
           uint64_t((field(stamp, L.maskAt(), L.maskBits) & ~mask) != 0);
  }

  /// What stamps of an access have in common.
  static uint64_t fresh(const RowAccessor &by) {
    return by.actor | by.epoch << L.epochAt() | by.op << L.opAt() |
           by.strength << L.strengthAt() | by.async << L.asyncAt();
  }

  /// The stamp after the access.
  static uint64_t remember(uint64_t stamp, const RowAccessor &by, uint64_t lane,
                           uint64_t mask) {
    uint64_t same = uint64_t(((stamp ^ fresh(by)) & kind) == 0);
    uint64_t had = field(stamp, L.maskAt(), L.maskBits);
    uint64_t other = same & uint64_t(field(stamp, L.laneAt(), 5) != lane);
    uint64_t overlaps = uint64_t((had & mask) != 0);
    uint64_t lanes = same & (field(stamp, L.lanesAt(), 1) | (other & overlaps));
    uint64_t parts =
        (same & (field(stamp, L.partsAt(), 1) | (other & (overlaps ^ 1)))) |
        by.many;
    uint64_t bytes = mask | (had & (0 - same));
    return fresh(by) | lane << L.laneAt() | bytes << L.maskAt() |
           lanes << L.lanesAt() | parts << L.partsAt();
  }
};

/// Fills in what is known of those of the first and the last of `words` stamps;
/// `known(actor, isAsync)` says it.
template <StampLayout const &L, typename Known>
RowKnowledge knowledgeOf(const uint64_t *stamps, unsigned words, Known known) {
  RowKnowledge result;
  for (unsigned i = 0; i < 2; ++i) {
    uint64_t who = stamps[i == 0 ? 0 : 2 * (words - 1)] & RowStep<L, 1>::who;
    bool isKnown = i == 1 && who == result.who[0];
    result.known[i] = isKnown ? result.known[0]
                              : known(who & RowStep<L, 1>::ones(L.actorBits),
                                      (who & RowStep<L, 1>::async) != 0);
    result.who[i] = who;
  }
  return result;
}

/// Four words at once: their writes and reads in turn.
using StampVector [[gnu::vector_size(64)]] = uint64_t;

/// What became of one word. Others with the same history go the same way, if
/// they are of the same lane, accessor and knowledge.
class RowPrecedent {
public:
  RowPrecedent() = default;
  /// Words whose writes only differ in bits that do not matter go the same way, too.
  explicit RowPrecedent(const uint64_t *stamps,
                        uint64_t whatMatters = ~uint64_t(0))
      : before{stamps[0], stamps[1]}, after{stamps[0], stamps[1]},
        matters{whatMatters, ~uint64_t(0)} {}

  /// Notes the stamps after the access.
  void set(const uint64_t *stamps) {
    after[0] = stamps[0];
    after[1] = stamps[1];
    isKnown = true;
  }

  /// Remembers an access of words, a multiple of four, that all have this history.
  ///
  /// \returns false if nothing was remembered because not all do.
  bool repeat(uint64_t *stamps, unsigned words) const {
    StampVector old, fresh, relevant, vector, differences = {};
    for (unsigned i = 0; i < 8; ++i) {
      old[i] = before[i % 2];
      relevant[i] = matters[i % 2];
      fresh[i] = after[i % 2] & matters[i % 2];
    }
    if (!isKnown || words % 4 != 0)
      return false;
    for (unsigned i = 0; i < 2 * words; i += 8) {
      __builtin_memcpy(&vector, stamps + i, sizeof(vector));
      differences |= (vector ^ old) & relevant;
    }
    uint64_t any = 0;
    for (unsigned i = 0; i < 8; ++i)
      any |= differences[i];
    for (unsigned i = 0; i < 2 * words && any == 0; i += 8) {
      __builtin_memcpy(&vector, stamps + i, sizeof(vector));
      vector = (vector & ~relevant) | fresh;
      __builtin_memcpy(stamps + i, &vector, sizeof(vector));
    }
    return any == 0;
  }

private:
  uint64_t before[2] = {}, after[2] = {}, matters[2] = {};
  bool isKnown = false;
};

/// In which bits the stamps of a row differ from the first one and, in the field
/// of the lane, from the lanes that access the words now: of writes and of reads.
struct RowDifferences {
  uint64_t first[2], fromFirst[2], fromLanes[2];
};

/// The lanes of four words in the places of stamps, and what to add for the next
/// four; of a word that lanes share, the last one.
template <StampLayout const &L, unsigned Sharers> struct RowLanes {
  explicit RowLanes(const RowAccessor &by) {
    for (unsigned i = 0; i < 8; ++i)
      lanes[i] = RowStep<L, Sharers>::laneOf(by, i / 2, Sharers - 1)
                 << L.laneAt();
    step = RowStep<L, Sharers>::laneOf(by, 4, Sharers - 1) << L.laneAt();
    step -= lanes[0];
  }
  StampVector lanes;
  uint64_t step;
};

template <StampLayout const &L, unsigned Sharers>
RowDifferences compareRow(const uint64_t *stamps, unsigned words,
                          const RowLanes<L, Sharers> &row) {
  StampVector first = {}, fromFirst = {}, fromLanes = {}, lanes = row.lanes;
  for (unsigned i = 0; i < 8; ++i)
    first[i] = stamps[i % 2];
  for (unsigned i = 0; i < 2 * words; i += 8, lanes += row.step) {
    StampVector vector;
    __builtin_memcpy(&vector, stamps + i, sizeof(vector));
    fromFirst |= vector ^ first;
    fromLanes |= vector ^ lanes;
  }
  RowDifferences result = {};
  for (unsigned i = 0; i < 8; ++i) {
    result.first[i % 2] = stamps[i % 2];
    result.fromFirst[i % 2] |= fromFirst[i];
    result.fromLanes[i % 2] |= fromLanes[i] & uint64_t(31) << L.laneAt();
  }
  return result;
}

/// What becomes of the stamps of a row: of the writes, or of the reads.
struct RowOutcome {
  enum { Unsure, Kept, Changed } kind;
  uint64_t after = 0; ///< But for the lane.
};

/// Of the usual rows: all stamps are alike but for lane and op.
template <StampLayout const &L, unsigned Sharers, bool IsWrite>
RowOutcome decideAlike(const RowDifferences &differences, const RowAccessor &by,
                       const RowKnowledge &writers,
                       const RowKnowledge &readers) {
  using Step = RowStep<L, Sharers>;
  constexpr uint64_t lane = uint64_t(31) << L.laneAt();
  constexpr uint64_t op = Step::ones(L.opBits) << L.opAt();
  constexpr uint64_t bytes = Step::ones(L.maskBits) << L.maskAt();
  constexpr uint64_t lanes = uint64_t(1) << L.lanesAt();
  constexpr uint64_t parts = uint64_t(1) << L.partsAt();
  auto isGood = [&](unsigned which, const RowKnowledge &knowledge) {
    if (differences.fromFirst[which] & ~(lane | op))
      return false;
    uint64_t stamp = differences.first[which];
    // That all lanes are those of the stamps, or all ops the same, is looked at
    // here; the rest is the same for all words.
    bool ownLanes = Sharers == 1 && differences.fromLanes[which] == 0;
    uint64_t own = stamp >> L.laneAt() & 31;
    stamp = differences.fromFirst[which] & op && (stamp & op) >> L.opAt() == by.op
                ? stamp ^ op
                : stamp;
    return Step::mayFollow(stamp, by, knowledge, ownLanes ? own : own ^ 1,
                           Step::ones(L.maskBits)) != 0;
  };
  if (!isGood(0, writers) || (IsWrite && !isGood(1, readers)))
    return {RowOutcome::Unsure};
  constexpr unsigned target = IsWrite ? 0 : 1;
  uint64_t before = differences.first[target];
  uint64_t after = Step::fresh(by) | bytes | by.many << L.partsAt();
  if (differences.fromFirst[target] & Step::kind)
    return {RowOutcome::Unsure}; // Some are of this epoch, others not.
  if (!IsWrite && by.keepsOthers) {
    if (differences.fromFirst[target] & bytes)
      return {RowOutcome::Unsure};
    if (Step::keeps(before, by, readers, Step::ones(L.maskBits)))
      return {RowOutcome::Kept};
    for (unsigned sharer = 0; sharer < Sharers; ++sharer)
      if (Step::keeps(before, by, readers, Step::maskOf(sharer)))
        return {RowOutcome::Unsure};
  }
  if (((before ^ after) & Step::kind) != 0) {
    after |= Sharers == 1 ? 0 : parts;
  } else {
    if (differences.fromFirst[target] & ~(lane | op) || (before & bytes) != bytes)
      return {RowOutcome::Unsure};
    if (Sharers == 1 && differences.fromLanes[target] != 0)
      return {RowOutcome::Unsure};
    after |= (before & (lanes | parts)) | (Sharers == 1 ? 0 : lanes);
  }
  return {RowOutcome::Changed, after};
}

/// \returns false if nothing was remembered because this is no usual row.
template <StampLayout const &L, unsigned Sharers, bool IsWrite>
bool accessAlike(uint64_t *stamps, unsigned words, const RowAccessor &by,
                 const RowKnowledge &writers, const RowKnowledge &readers) {
  RowLanes<L, Sharers> row(by);
  RowOutcome outcome = decideAlike<L, Sharers, IsWrite>(
      compareRow<L, Sharers>(stamps, words, row), by, writers, readers);
  if (outcome.kind != RowOutcome::Changed)
    return outcome.kind == RowOutcome::Kept;
  constexpr unsigned target = IsWrite ? 0 : 1;
  StampVector keep = {}, fresh = {};
  for (unsigned i = 0; i < 8; ++i) {
    keep[i] = i % 2 == target ? 0 : ~uint64_t(0);
    fresh[i] = i % 2 == target ? outcome.after : 0;
  }
  for (unsigned i = 0; i < 2 * words; i += 8, row.lanes += row.step) {
    StampVector vector;
    __builtin_memcpy(&vector, stamps + i, sizeof(vector));
    vector = (vector & keep) | fresh | (row.lanes & ~keep);
    __builtin_memcpy(stamps + i, &vector, sizeof(vector));
  }
  return true;
}

/// Compares an access of `words` words with those before it and remembers it.
/// `stamps` holds the last write and the last read of each word. For another
/// reader than two `learnReader(stamp, readers)` changes one of them.
///
/// \returns false if nothing was remembered because not all words are sure to be
///          free of races.
template <StampLayout const &L, unsigned Sharers, bool IsWrite, typename Learn>
bool accessRow(uint64_t *stamps, unsigned words, const RowAccessor &by,
               const RowKnowledge &writers, RowKnowledge readers,
               Learn learnReader) {
  using Step = RowStep<L, Sharers>;
  const RowAccessor me = by;
  const RowKnowledge afterWrites = writers;
  if (words % 4 == 0 && accessAlike<L, Sharers, IsWrite>(stamps, words, by,
                                                         writers, readers))
    return true;
  uint64_t good = 1;
  for (uint64_t i = 0; i < words; ++i) {
    uint64_t write = stamps[2 * i], read = stamps[2 * i + 1];
    for (unsigned sharer = 0; sharer < Sharers; ++sharer) {
      uint64_t lane = Step::laneOf(me, i, sharer), mask = Step::maskOf(sharer);
      good &= Step::mayFollow(write, me, afterWrites, lane, mask);
      if (IsWrite)
        good &= Step::mayFollow(read, me, readers, lane, mask);
    }
  }
  if (!good)
    return false;
  for (uint64_t i = 0; i < words; ++i) {
    uint64_t write = stamps[2 * i], read = stamps[2 * i + 1];
    for (unsigned sharer = 0; sharer < Sharers; ++sharer) {
      uint64_t &stamp = IsWrite ? write : read;
      if (!IsWrite && !Step::isKnown(stamp, me, readers))
        learnReader(stamp, readers);
      if (IsWrite || !Step::keeps(stamp, me, readers, Step::maskOf(sharer)))
        stamp = Step::remember(stamp, me, Step::laneOf(me, i, sharer),
                               Step::maskOf(sharer));
    }
    stamps[2 * i] = write;
    stamps[2 * i + 1] = read;
  }
  return true;
}

/// The same for the words of one lane, of which it accesses the bytes of `mask`.
template <StampLayout const &L, bool IsWrite>
[[gnu::always_inline]] inline bool
accessSpot(uint64_t *stamps, unsigned words, uint64_t mask,
                const RowAccessor &by, const RowKnowledge &writers,
                const RowKnowledge &readers) {
  using Step = RowStep<L, 1>;
  uint64_t good = 1;
  for (unsigned i = 0; i < words; ++i) {
    good &= Step::mayFollow(stamps[2 * i], by, writers, by.lane, mask);
    if (IsWrite)
      good &= Step::mayFollow(stamps[2 * i + 1], by, readers, by.lane, mask) &
              (Step::loses(stamps[2 * i], by, mask) ^ 1);
    else
      good &= Step::isKnown(stamps[2 * i + 1], by, readers);
  }
  if (!good)
    return false;
  for (unsigned i = 0; i < words; ++i) {
    uint64_t &stamp = stamps[2 * i + (IsWrite ? 0 : 1)];
    if (IsWrite || !Step::keeps(stamp, by, readers, mask))
      stamp = Step::remember(stamp, by, by.lane, mask);
  }
  return true;
}

/// The words of `wordBytes` that one lane accesses, and which bytes of them.
struct RowSpot {
  RowSpot(uint64_t address, uint64_t bytes, uint64_t wordBytes)
      : words(unsigned((bytes + wordBytes - 1) / wordBytes)),
        mask(((uint64_t(1) << (bytes < wordBytes ? bytes : wordBytes)) - 1)
             << address % wordBytes),
        isWhole((bytes & (bytes - 1)) == 0 && address % bytes == 0) {}
  unsigned words;
  uint64_t mask;
  bool isWhole; ///< Else it is more than this says.
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_RACEROWS_H
