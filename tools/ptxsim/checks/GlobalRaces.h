// Races in global memory.
//
// As in shared memory, but words are of eight bytes and the actors are all
// warps that run, whatever their cluster. Warps of one cluster compare by its
// clocks; those of different clusters only know of each other what has been
// released and acquired through strong accesses of global memory. How grids,
// copies and sets are ordered by the host says GridOrder.h: grids are unordered
// whenever they might run at once, even if one happened to end earlier. So
// histories live until everything that is still to come begins after all of
// them.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_GLOBALRACES_H
#define TCC_TOOLS_PTXSIM_CHECKS_GLOBALRACES_H

#include "tools/ptxsim/checks/GlobalHistories.h"
#include "tools/ptxsim/checks/GridOrder.h"
#include "tools/ptxsim/checks/RaceRows.h"
#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/checks/ReadFlags.h"

#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace ptxsim {

/// Most warps, and eras of them, that stamps can number: all but nobody.
constexpr uint32_t maxWarps = nobody<globalLayout>;

/// How many epochs of a warp a stamp can tell apart. The next ones are another
/// era, which has a number of its own.
constexpr Epoch eraEpochs = (1 << globalLayout.epochBits) - 1;

/// Who accesses global memory.
struct GlobalAccessor {
  ClusterRaces *cluster = nullptr; ///< Null for transfers, as is `knowledge`.
  const Knowledge *knowledge = nullptr;
  uint32_t warp = 0; ///< Among all that run.
  Epoch epoch = 0;
  Epoch laneSync = 0;
  uint32_t lane = 0;
  uint32_t op = 0;
  Strength strength = Weak;
  Repeats repeats = 0;
  bool many = false; ///< All lanes of a warp at once, for copies.
  bool async = false; ///< Through the async proxy.
  bool isBulk = false; ///< As that of a stamp.
  bool readsOnly = false; ///< ld.global.nc: no warp of the grid may have written.
};

/// Thread-safe: histories are words that are read and written whole.
class GlobalRaces {
public:
  /// Numbers the warps of the clusters of a grid, as far as stamps can tell them
  /// apart. It may begin before `prerequisites` end; `lifetime` is that of its
  /// code.
  void addGrid(GridRun &grid, uint64_t clusters,
               const std::vector<const GridRun *> &prerequisites,
               std::weak_ptr<const void> lifetime);
  /// Notes that a grid lets the next one begin, perhaps before it has waited.
  /// Without that the next one need not wait.
  void noteTrigger(const GridRun *grid, bool hasWaited);
  /// Notes that a grid has waited for those before.
  void noteWait(const GridRun *grid);
  /// Notes that a grid has ended.
  void removeGrid(GridRun &grid);
  /// Notes that the warps of a grid and the host may signal each other.
  void noteMeeting(const GridRun *grid);
  std::vector<WorkOrder> takeMeetings() { return order.takeMeetings(); }
  /// Notes that all that ended up to the positions of `before` comes before
  /// everything that is still to come.
  void forget(const Clock &before);

  /// Compares a transfer, which happens now, with what was before and remembers
  /// it.
  ///
  /// \returns false and a fault without a place if it is a race.
  bool transfer(const HostTransfer &transfer, const Memory &memory,
                Fault &fault);

  /// Notes that memory is freed or given anew, while no grid makes a step.
  void forgetRange(uint64_t address, uint64_t bytes);

  /// Compares an access with those before it and remembers it.
  ///
  /// \returns false and a fault without a place if it is a race.
  bool access(uint64_t address, uint64_t bytes, bool isWrite,
              const GlobalAccessor &by, Fault &fault);

  /// The same for all lanes of a warp at once, `bytes` each, one behind the other
  /// from `address`. `by` is the first of them, its `laneSync` the least of all.
  ///
  /// \returns the lanes that must be looked at one by one.
  LaneMask accessLanes(uint64_t address, uint64_t bytes, bool isWrite,
                   const GlobalAccessor &by);

  /// The same for lanes wherever their addresses are; `lane` is the one that
  /// races.
  bool accessEach(const uint64_t *addresses, LaneMask lanes, uint64_t bytes,
                  bool isWrite, const WarpClock &clock, GlobalAccessor by,
                  Fault &fault, int &lane);

  /// The last writes of the words of a tensor map by grids that may run beside
  /// `by`; epochs are 0 where there are none.
  using MapWrites = std::array<GlobalStamp, 16>;
  MapWrites mapWrites(uint64_t address, const GlobalAccessor &by);
  /// Notes that what a warp wrote is to be visible to copies that use it as a
  /// tensor map.
  void releaseMaps(uint32_t warp, Epoch epoch);
  /// True if a write has been released so and comes before `by`.
  bool isReleased(const GlobalStamp &write, const GlobalAccessor &by);

  /// Says what a race is; `stamp` is the earlier access.
  void describe(uint64_t address, const GlobalStamp &stamp, bool isWrite,
                bool stampIsWrite, const GlobalAccessor &by, Fault &fault);

  /// What has been released through a strong access of an address for those of a
  /// domain: a block, a cluster, all.
  /// A write may release nothing.
  using Released = std::shared_ptr<const RemoteClock>;
  void release(uint64_t address, uint32_t domain, const StrongWrite &write,
               const Released &clock);
  /// Null if there is nothing that `grid` does not come after anyway.
  ReadFlags &readFlags() { return flags; }
  Released acquire(uint64_t address, uint32_t domain, uint32_t bytes,
                   const GridRun &grid);
  /// Added to a domain: what fence.sc before the writes have shown.
  static constexpr uint32_t shownDomain = 1u << 31;
  /// True if something was shown so.
  bool hasShown() const { return anyShown; }

private:
  /// What has been released through an address for all: by warps that run, and
  /// of grids that have ended as works.
  struct ReleasedToAll {
    ReleaseSequence<RemoteClock> sequence;
    Clock works;
    uint64_t ends = 0; ///< How many had ended when it was folded.
  };
  /// A transfer as who accesses; warps below `firstRival` come before it.
  struct Sender {
    GlobalAccessor accessor;
    uint32_t firstRival = 0;
  };

  /// Some epochs of a warp, which stamps count from 1.
  struct Era {
    uint32_t warp;
    Epoch before; ///< The last epoch before it.
  };
  Era eraOf(uint32_t number) const;
  /// The number of the era of an epoch; maxWarps if there are no more.
  uint32_t numberOf(uint32_t warp, Epoch epoch);

  static uint64_t nextGeneration();
  void forgetAll();
  void makeRoom(uint64_t warps);
  ReleasedToAll &releasedAt(uint64_t address, uint32_t bytes);
  bool transferWords(uint64_t address, uint64_t bytes, bool isWrite,
                     const Sender &by, Fault &fault);
  bool transferBytes(uint64_t address, uint64_t bytes, bool isWrite,
                     const Sender &by, Fault &fault);
  bool transferSide(const HostTransfer &transfer, const TransferSide &side,
                    const Sender &by, Fault &fault);
  static void describeUnordered(const KnownGrid &own, const KnownGrid &theirs,
                                bool isWrite, bool stampIsWrite, Fault &fault);
  GlobalChunk &chunkOf(uint64_t address);

  /// Who accesses some words behind each other, and what is known of those before.
  struct Row {
    Row(const GlobalAccessor &by, uint32_t number, unsigned laneShift);
    /// Goes on with another lane.
    void setLane(uint32_t lane, Epoch laneSync);

    const GlobalAccessor &by;
    Epoch before; ///< As that of the era.
    RowAccessor accessor;
    RowKnowledge writers, readers;
    GlobalChunk *chunk = nullptr; ///< That of the last word.
    uint64_t chunkNumber = 0;
    /// The stamp of a read that stayed, but for lane and op: others go the same way.
    uint64_t kept = 0;
  };
  /// False if a stamp cannot hold who accesses: then nothing is said.
  static bool fits(uint32_t number) { return number < maxWarps; }

  void learnReaders(const uint64_t *stamps, unsigned words, Row &row) const;
  void learn(const uint64_t *stamps, unsigned words, bool isWrite,
             Row &row) const;
  template <unsigned Sharers, bool IsWrite>
  bool accessAlike(GlobalChunk &chunk, unsigned group, LanePattern pattern,
                   Row &row) const;
  /// Where the history of a word is.
  struct Place {
    GlobalChunk &chunk;
    unsigned group, word;

    GlobalStamp at(unsigned i, GlobalChunk::Side side) const {
      return chunk.stampAt(group, word + i, side);
    }
    void set(unsigned i, GlobalChunk::Side side, GlobalStamp stamp) const {
      chunk.setStamp(group, word + i, side, stamp);
    }
  };
  static Place placeIn(GlobalChunk &chunk, uint64_t address);
  Place findPlace(uint64_t address);
  Place findPlace(uint64_t address, Row &row);
  template <bool IsWrite, unsigned Words>
  bool accessSpot(uint64_t address, uint64_t mask, Row &row);
  template <bool IsWrite>
  bool accessSpot(uint64_t address, const RowSpot &spot, Row &row);
  template <unsigned Sharers, bool IsWrite>
  bool accessPart(uint64_t address, unsigned words, Row &row);
  bool accessPart(uint64_t address, unsigned words, unsigned sharers,
                  bool isWrite, Row &row);
  bool accessWords(uint64_t address, uint64_t bytes, bool isWrite,
                   Row &row, Fault &fault);
  void remember(const Place &place, uint64_t mask, bool isWrite, Row &row) const;
  /// True if the access of `stamp` comes before all that `by` and those of its
  /// grid do.
  bool isPast(const GlobalStamp &stamp, const GlobalAccessor &by) const;
  RowKnowledge knownOfReaders(const uint64_t *stamps, unsigned count,
                              const GlobalAccessor &by) const;
  RowKnowledge knownOfWriters(const uint64_t *stamps, unsigned count,
                              bool isWrite, const GlobalAccessor &by) const;
  /// Up to which epoch of an era what its warp did, or what its bulk copies wrote,
  /// comes before `by`.
  uint64_t knownOf(uint32_t number, bool ofBulk, const GlobalAccessor &by) const;
  /// Up to which epoch of an era the async proxy may see what its warp wrote.
  uint64_t proxiedOf(uint32_t number, const GlobalAccessor &by) const;
  /// The same with epochs of the warp.
  uint64_t warpKnown(uint32_t warp, bool ofBulk, const GlobalAccessor &by) const;
  uint64_t warpProxied(uint32_t warp, const GlobalAccessor &by) const;
  bool areStrong(const GlobalStamp &stamp, const GlobalAccessor &by) const;
  /// True if `by` reads what nobody of its grid may write, but this warp is one.
  bool isForbidden(uint32_t warp, const GlobalAccessor &by) const;
  /// True if the access of `stamp` comes before `by` or cannot race with it.
  /// `needsProxy` is set if only a proxy fence is missing.
  bool isOrdered(const GlobalStamp &stamp, const GlobalAccessor &by,
                 bool &needsProxy);
  /// True if `by` has seen a flag that says that the read of `stamp` is over.
  bool isReadOver(const GlobalStamp &stamp, const GlobalAccessor &by) const;

  mutable std::mutex mutex;
  std::unordered_map<uint64_t, std::unique_ptr<GlobalChunk>> chunks;
  std::unordered_map<uint64_t, ReleasedToAll> released;
  /// The same for a block or a cluster, and what was shown, until grids have ended.
  std::map<std::pair<uint64_t, uint32_t>, ReleaseSequence<RemoteClock>>
      releasedWithin;
  std::atomic<bool> anyShown{false};
  std::unordered_map<uint32_t, Epoch> mapReleases; ///< By warp.
  ReadFlags flags;
  GridOrder order;
  const Memory *memory = nullptr; ///< For messages.
  /// Of the histories; no other object ever has the same number.
  std::atomic<uint64_t> generation{nextGeneration()};
  uint32_t nextWarp = 0;
  /// Numbers of eras but the first of each warp go down from maxWarps.
  std::vector<Era> eras;
  std::map<std::pair<uint32_t, Epoch>, uint32_t> eraNumbers;
  std::atomic<uint32_t> firstEra{maxWarps};
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_GLOBALRACES_H
