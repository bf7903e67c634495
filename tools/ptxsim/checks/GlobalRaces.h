// Races in global memory.
//
// As in shared memory, but words are of eight bytes and the actors are all
// warps that run, whatever their cluster. Warps of one cluster compare by its
// clocks; those of different clusters only know of each other what has been
// released and acquired through strong accesses of global memory. Everything a
// grid did is ordered before what is launched after it, but for a programmatic
// dependent launch: until griddepcontrol.wait it is unordered with the grids
// before it that have let it begin, even if those happened to end earlier. So
// histories live until a grid is launched that begins after all of them.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_GLOBALRACES_H
#define TCC_TOOLS_PTXSIM_CHECKS_GLOBALRACES_H

#include "tools/ptxsim/checks/GlobalHistories.h"
#include "tools/ptxsim/checks/RaceRows.h"
#include "tools/ptxsim/checks/Races.h"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace ptxsim {

/// That of GlobalStamp; its bit async is isBulk.
inline constexpr StampLayout globalLayout = {21, 14, 12, 8};

/// Most warps that a stamp can number.
constexpr uint32_t maxWarps = 1 << globalLayout.actorBits;

/// Who accesses global memory.
struct GlobalAccessor {
  ClusterRaces *cluster = nullptr;
  const Knowledge *knowledge = nullptr;
  uint32_t warp = 0; ///< Among all that run.
  Epoch epoch = 0;
  Epoch laneSync = 0;
  uint32_t lane = 0;
  uint32_t op = 0;
  bool strong = false;
  bool many = false; ///< All lanes of a warp at once, for copies.
  bool async = false; ///< Through the async proxy.
  bool isBulk = false; ///< As that of a stamp.
};

/// In a RemoteClock the warp that stands for all the grids that
/// griddepcontrol.wait waits for.
constexpr uint32_t gridsBefore = ~0u;

/// Thread-safe: histories are words that are read and written whole.
class GlobalRaces {
public:
  /// Numbers the warps of a grid, `warps` in all, which may begin before
  /// `prerequisites` end. `lifetime` is that of its code.
  uint32_t addGrid(const GridRun *grid, uint32_t warps,
                   const std::vector<const GridRun *> &prerequisites,
                   std::weak_ptr<const void> lifetime);
  /// Notes that a grid lets the next one begin. Without that it need not wait.
  void noteTrigger(const GridRun *grid);
  /// Notes that a grid has ended.
  void removeGrid(const GridRun *grid);

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

  /// The last writes of the words of a tensor map by grids that are known;
  /// epochs are 0 where there are none.
  using MapWrites = std::array<GlobalStamp, 16>;
  MapWrites mapWrites(uint64_t address);
  /// Notes that what a warp wrote is to be visible to copies that use it as a
  /// tensor map.
  void releaseMaps(uint32_t warp, Epoch epoch);
  /// True if a write has been released so and comes before `by`.
  bool isReleased(const GlobalStamp &write, const GlobalAccessor &by);

  /// Says what a race is; `stamp` is the earlier access.
  void describe(uint64_t address, const GlobalStamp &stamp, bool isWrite,
                bool stampIsWrite, const GlobalAccessor &by, Fault &fault);

  /// What has been released through a strong access of an address.
  void release(uint64_t address, const RemoteClock &clock);
  void acquire(uint64_t address, RemoteClock &clock);

private:
  /// A grid that runs, or has ended but may be a prerequisite.
  struct KnownGrid {
    const GridRun *grid = nullptr; ///< Only an identity once it has ended.
    bool runs = true;
    bool triggers = false; ///< griddepcontrol.launch_dependents
    uint32_t firstWarp = 0, warps = 0;
    uint32_t warpsPerBlock = 1, warpsPerCluster = 1;
    const Code *entry = nullptr;
    std::weak_ptr<const void> lifetime;  ///< Of `entry`.
    std::vector<uint32_t> prerequisites; ///< Their first warps.

    bool has(uint32_t warp) const { return warp - firstWarp < warps; }
    bool mayOverlap(const KnownGrid &before) const;
  };

  static uint64_t nextGeneration();
  void forgetAll();
  const KnownGrid *gridOf(uint32_t warp) const;
  GlobalChunk &chunkOf(uint64_t address);
  GlobalHistory historyOf(uint64_t address);
  void setHistory(uint64_t address, const GlobalHistory &history, bool isWrite);
  struct Row;
  void learn(const uint64_t *stamps, unsigned words, bool isWrite,
             Row &row) const;
  template <unsigned Sharers, bool IsWrite>
  bool accessAlike(GlobalChunk &chunk, unsigned group, LanePattern pattern,
                   Row &row) const;
  struct Place;
  Place findPlace(uint64_t address);
  template <bool IsWrite, unsigned Words>
  bool accessSpot(uint64_t address, uint64_t mask, Row &row);
  template <bool IsWrite>
  bool accessSpot(uint64_t address, const RowSpot &spot, Row &row);
  template <unsigned Sharers, bool IsWrite>
  bool accessPart(uint64_t address, unsigned words, Row &row);
  bool accessPart(uint64_t address, unsigned words, unsigned sharers,
                  bool isWrite, Row &row);
  bool accessWords(uint64_t address, uint64_t bytes, bool isWrite,
                   const GlobalAccessor &by, Fault &fault);
  RowKnowledge knownOfRow(const uint64_t *stamps, unsigned count,
                          bool needsProxy, const GlobalAccessor &by) const;
  bool keeps(const GlobalStamp &read, const GlobalAccessor &by,
             uint32_t mask) const;
  /// Up to which epoch what `warp` did, or what its bulk copies wrote, comes
  /// before `by`.
  uint64_t knownOf(uint32_t warp, bool ofBulk, const GlobalAccessor &by) const;
  /// Up to which epoch the async proxy may see what `warp` wrote.
  uint64_t proxiedOf(uint32_t warp, const GlobalAccessor &by) const;
  /// True if the access of `stamp` comes before `by` or cannot race with it.
  /// `needsProxy` is set if only a proxy fence is missing.
  bool isOrdered(const GlobalStamp &stamp, const GlobalAccessor &by,
                 bool &needsProxy) const;

  std::mutex mutex;
  std::unordered_map<uint64_t, std::unique_ptr<GlobalChunk>> chunks;
  std::unordered_map<uint64_t, RemoteClock> released;
  std::unordered_map<uint32_t, Epoch> mapReleases; ///< By warp.
  std::vector<KnownGrid> grids;
  /// Of the histories; no other object ever has the same number.
  std::atomic<uint64_t> generation{nextGeneration()};
  uint32_t nextWarp = 0;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_GLOBALRACES_H
