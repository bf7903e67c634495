// Races: two accesses of the same bytes, one of them a write, that nothing
// orders.
//
// Every word of shared memory remembers its last write and one of its last
// reads: by whom, in which epoch, at which instruction. An access is compared with
// them by vector clocks, so that a race is found in whichever order the two
// accesses happen to be executed. What orders: barriers, mbarriers, releases and
// acquires, fences with strong accesses, waits for asynchronous groups. Accesses
// of the async proxy (bulk copies, wgmma) also need a proxy fence after generic
// writes.
//
// What is not seen: of several unordered readers only the last is remembered, and
// what one lane has learnt counts for its warp.
//
// Source: PTX ISA 9.0, chapter 8 (memory consistency model), section 9.7.13.5.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_RACES_H
#define TCC_TOOLS_PTXSIM_CHECKS_RACES_H

#include "tools/ptxsim/checks/ReleaseSequence.h"
#include "tools/ptxsim/checks/SplitWords.h"
#include "tools/ptxsim/checks/TileLayouts.h"
#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Async.h"
#include "tools/ptxsim/numerics/Bits.h"

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace ptxsim {

class TensorMaps;

/// One access, packed into 64 bits.
struct Stamp {
  uint64_t actor : 13;
  uint64_t epoch : 19; ///< 0 if there was no access.
  uint64_t op : 18;    ///< By Code::numberOf, for messages.
  uint64_t lane : 5;
  uint64_t mask : 4;   ///< Bytes of the word.
  uint64_t lanes : 1;  ///< Several lanes, each all the bytes of another.
  uint64_t parts : 1;  ///< Several lanes, each its own bytes.
  uint64_t strength : 2;
  uint64_t async : 1;  ///< By the async proxy.
};
static_assert(sizeof(Stamp) == 8, "a stamp is a word");

/// That of Stamp.
inline constexpr StampLayout sharedLayout = {13, 19, 18, 4};

/// The last accesses of a word of four bytes.
struct WordHistory {
  Stamp write;
  Stamp read;
};

/// Who accesses, for one or more words.
struct Accessor {
  Actor actor = 0;
  Epoch epoch = 0;
  const Knowledge *knowledge = nullptr;
  Epoch laneSync = 0; ///< When the lane of a warp last met the others.
  bool isWarp = false;
  uint32_t lane = 0;
  uint32_t op = 0;
  Strength strength = Weak;
  Repeats repeats = 0;
  bool async = false; ///< Through the async proxy.
  bool leavesStamp = true; ///< Else it is compared, but not remembered.
  /// Its writes need generic writes to be fenced, too.
  bool fencesWrites = false;
};

/// Who accesses some words, each lane 1 << `laneShift` of them.
RowAccessor rowOf(const Accessor &by, uint32_t laneShift);
/// False if a stamp cannot or need not hold who accesses.
bool fits(const Accessor &by);

/// What a warp knows and how far it is.
struct WarpClock {
  Actor actor = 0;
  Epoch epoch = 1;
  Knowledge knowledge;
  /// Knowledge at the last fence of at least each scope: what strong writes show.
  std::shared_ptr<const Knowledge> fenced[scopes];
  /// Seen by strong reads; known after the next fence of at least that scope.
  Knowledge pending[scopes];
  Epoch laneSync[32] = {};
  Actor copies = 0, bulk = 0, warpgroup = 0; ///< Actors; 0 until needed.
  Actor bulkWrites = 0; ///< The same for what bulk copies write.
  uint32_t lastFlag = 0; ///< What its last flag said, as of ReadFlags.
};

/// What an actor is, for messages.
struct ActorInfo {
  enum class Kind : uint8_t { Warp, Copies, Bulk, Warpgroup, MBarrier };
  Kind kind = Kind::Warp;
  const Block *block = nullptr;
  uint32_t warp = 0;
};

/// The knowledge that a barrier collects and hands out, for an even and an odd
/// generation.
struct SyncClock {
  Knowledge collected[2];
  uint64_t generation[2] = {0, 0};

  /// Where those who arrive for `number` leave what they know.
  Knowledge &arriving(uint64_t number) {
    uint64_t &held = generation[number & 1];
    if (held != number)
      collected[number & 1].clear();
    held = number;
    return collected[number & 1];
  }

  /// Adds what was left for `number`.
  void learn(uint64_t number, Knowledge &result) const {
    if (generation[number & 1] == number)
      result.join(collected[number & 1]);
  }
};

struct BlockRaces {
  std::vector<WordHistory> words;
  TileLayouts layouts; ///< Of what copies have brought to these words.
  std::vector<uint64_t> slots; ///< Of split words; empty until there are some.

  using Slots = WideSlots<sharedLayout>;
  static bool isSplit(const Stamp &stamp) {
    return Slots::isSplit(numerics::bitCast<uint64_t>(stamp));
  }
  SplitWord<sharedLayout, Slots> splitWord(uint32_t index) {
    return SplitWord<sharedLayout, Slots>(
        Slots(slots.empty() ? nullptr : &slots[index], words.size()));
  }
  /// Calls `visit` with the last writes of a word, until one says no.
  ///
  /// \returns false if one did.
  template <typename Visit> bool forWrites(uint32_t index, Visit visit) {
    return splitWord(index).forWrites(
        numerics::bitCast<uint64_t>(words[index].write),
        [&](uint64_t stamp) { return visit(numerics::bitCast<Stamp>(stamp)); });
  }
  /// Remembers an access of the bytes of `mask` of a word.
  void remember(uint32_t index, const RowAccessor &by, uint64_t mask,
                bool isWrite);

  SyncClock barriers[16];
  struct MBarrierClock {
    SyncClock clock; ///< Of arrivals that show what they know to the cluster.
    /// Of arrivals that show it to their own block, by its rank.
    std::vector<SyncClock> ofBlock;
    Actor actor = 0; ///< Of the asynchronous work that ends in it.
    /// Its epochs are phases. Those of another object at the same address go on
    /// behind the last one of the object before: nobody knows them yet.
    Epoch before = 0, last = 0;
    Epoch lastCopy = 0; ///< The last one of a copy.

    Epoch epochOf(uint64_t phase) {
      last = std::max(last, before + Epoch(phase));
      return before + Epoch(phase);
    }
    /// Begins a new object.
    void renew() {
      clock = SyncClock();
      ofBlock.assign(ofBlock.size(), SyncClock());
      before = last;
    }
  };
  std::unordered_map<uint32_t, MBarrierClock> mbarriers; ///< By shared address.
  /// Knowledge released through strong accesses of a shared address: by address,
  /// and for the cluster 0, for a block 1 + its rank. And what fence.sc before them
  /// have shown.
  struct Released {
    ReleaseSequence<Knowledge> sequence, shown;
  };
  std::map<std::pair<uint32_t, uint32_t>, Released> released;
  Knowledge exited; ///< What the warps knew that have exited.
};

/// Race detection in a cluster.
class ClusterRaces {
public:
  explicit ClusterRaces(Cluster &cluster);

  WarpClock &clockOf(const Warp &warp);
  BlockRaces &racesOf(const Block &block);
  Actor newActor(ActorInfo info);

  /// Adds what a warp knows and did to `result`, and begins a new epoch.
  void release(WarpClock &clock, Knowledge &result);
  void acquire(WarpClock &clock, const Knowledge &from);

  /// What the warp knows and did until now.
  std::shared_ptr<const Knowledge> snapshot(WarpClock &clock);

  /// The clock of the mbarrier at a shared address.
  BlockRaces::MBarrierClock &mbarrier(const Block &block, uint32_t offset);

  /// Who a lane of a warp is at an op.
  Accessor accessor(const Warp &warp, const Op &op, int lane);

  /// Compares an access of `[offset, offset + bytes)` with those before it and
  /// remembers it.
  ///
  /// \returns false and a fault without a place if it is a race.
  bool access(Block &block, uint32_t offset, uint32_t bytes, bool isWrite,
              const Accessor &by, Fault &fault);

  /// The same for all lanes of a warp at once, `bytes` each, one behind the other
  /// from `offset`. `by` is the first of them, `laneSync` the least of all.
  ///
  /// \returns false if they must be looked at one by one.
  bool accessLanes(Block &block, uint32_t offset, uint32_t bytes, bool isWrite,
                   const Accessor &by);

  /// The same for lanes wherever their `offsets` are; `lane` is the one that races.
  bool accessEach(Block &block, const uint64_t *offsets, LaneMask lanes,
                  uint32_t bytes, bool isWrite, const WarpClock &clock,
                  Accessor by, Fault &fault, int &lane);

  /// The same for an asynchronous operation, which also may not outlive the
  /// block.
  bool accessLater(Block &block, uint32_t offset, uint32_t bytes, bool isWrite,
                   const Accessor &by, Fault &fault);

  /// The same for reads of many chunks of 16 bytes.
  bool readChunks(Block &block, const std::vector<uint32_t> &chunks,
                  const Accessor &by, Fault &fault);

  /// Notes that a warp exits. The last one of a block takes its shared memory
  /// with it: whatever others and asynchronous operations do there must come
  /// before.
  ///
  /// \returns false and a fault without a place if something may come later.
  bool exit(const Block &block, const WarpClock &clock, bool isLast,
            Fault &fault);

  /// Says in a fault where an access was, and whose it is.
  void noteOther(const Block &block, uint32_t offset, const Stamp &stamp,
                 bool stampIsWrite, Fault &fault) const;

  SyncClock cluster; ///< barrier.cluster
  std::shared_ptr<TensorMaps> tensorMaps; ///< That it has acquired.

  /// The number of the cluster's first warp among all that are known.
  uint32_t firstWarp = 0;
  /// As that of GridRun.
  uint32_t firstRival = 0;
  /// True if this is one of the cluster's warps; `actor` is then its actor.
  bool ownWarp(uint32_t number, Actor &actor) const {
    actor = number - firstWarp;
    return actor < warps.size();
  }
  uint32_t warpCount() const { return uint32_t(warps.size()); }
  bool hasOneBlock() const { return blocks.size() == 1; }
  /// The bulkWrites of a warp of the cluster.
  Actor bulkWritesOf(Actor warp) const { return warps[warp].bulkWrites; }

private:
  void describe(const Block &block, uint32_t offset, const Stamp &stamp,
                bool isWrite, bool stampIsWrite, bool onlyProxy,
                const Accessor &by, Fault &fault);
  bool mayOutlive(const Block &block, const Knowledge &exited,
                  const Stamp &stamp) const;
  bool areStrong(const Stamp &stamp, const Accessor &by) const;
  bool isOrdered(const Stamp &stamp, const Accessor &by, bool &needsProxy) const;
  bool mayFollow(const Stamp &stamp, uint32_t mask, bool isWrite,
                 bool stampIsWrite, const Accessor &by, bool &onlyProxy) const;

  /// The same as access, word by word.
  bool accessPart(Block &block, uint32_t offset, uint32_t bytes, bool isWrite,
                  const Accessor &by, Fault &fault);
  bool accessWords(WordHistory *words, uint32_t count, uint32_t sharers,
                   uint32_t laneShift, bool isWrite, const Accessor &by);

  std::vector<WarpClock> warps;
  std::vector<BlockRaces> blocks;
  std::vector<ActorInfo> actors;
  uint32_t warpsPerBlock = 0;
};

/// The histories of a warp's cluster; null if races are not looked for.
inline ClusterRaces *racesOf(const Warp &warp) {
  return warp.block->cluster->races.get();
}

/// Of lanes the first two and the last. Where lanes access the same bytes, they
/// say all that the others do.
inline LaneMask endsOf(LaneMask lanes) {
  LaneMask first = lanes & -lanes, rest = lanes ^ first;
  return rest == 0 ? lanes
                   : first | (rest & -rest) | 1u << (31 - __builtin_clz(rest));
}

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_RACES_H
