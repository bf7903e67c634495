// Which grids, copies and sets come before which.
//
// The host orders them by streams, events, edges of graphs and waits: see
// WorkOrder. A programmatic dependent launch may begin before the grids that it
// waits for by griddepcontrol.wait have ended. Grids that run at once order
// themselves by releases and acquires of global memory; who acquires what a
// grid has released also comes after all that came before that grid. What a
// grid and the host tell each other while it runs cannot be seen: a grid that
// may do so is compared with none that the host does not order with it.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_GRIDORDER_H
#define TCC_TOOLS_PTXSIM_CHECKS_GRIDORDER_H

#include "tools/ptxsim/checks/WorkOrder.h"

#include <atomic>
#include <memory>
#include <mutex>

namespace ptxsim {

class CodeSource;
struct GridRun;
class Memory;

/// In a RemoteClock the warp that stands for all the grids that
/// griddepcontrol.wait waits for.
constexpr uint32_t gridsBefore = ~0u;

/// In a RemoteClock, added to the number of a chain: the position up to which
/// works of it come before.
constexpr uint32_t remoteWork = 1u << 26;

/// All that an actor ever did.
constexpr uint64_t allEpochs = ~uint64_t(0);

/// A grid or a transfer that runs, or may be unordered with what is to come.
struct KnownGrid {
  const GridRun *grid = nullptr; ///< Only an identity; null for transfers.
  bool runs = false;
  std::atomic<bool> triggers{false}; ///< griddepcontrol.launch_dependents
  std::atomic<bool> triggersEarly{false}; ///< Before it has waited.
  std::atomic<bool> waits{false}; ///< griddepcontrol.wait
  /// No grid that it may begin before the end of is left when it has ended.
  bool isSettled = false;
  std::atomic<bool> meetsHost{
      false}; ///< It and the host may signal each other.
  uint32_t firstWarp = 0, warps = 1;
  uint32_t warpsPerBlock = 1, warpsPerCluster = 1;
  CodeSource *program = nullptr;
  std::weak_ptr<const void> lifetime;  ///< Of the program.
  std::vector<uint32_t> prerequisites; ///< Their first warps.
  std::string name;                    ///< "the grid 'x'", "a copy", …
  WorkOrder order;
  Clock heard; ///< Of each chain, what it comes after by what it has acquired.
  bool isSignal = false; ///< So small a transfer that it may be a flag.
  bool isValue = false;  ///< As that of HostTransfer.

  bool has(uint32_t warp) const { return warp - firstWarp < warps; }
  bool isTransfer() const { return grid == nullptr; }
  /// True if it is launched so that it may begin before `before` ends.
  bool mayOverlap(const KnownGrid &before) const;
};

/// Grids and transfers by the numbers of their warps; a transfer has one. While
/// grids run, only what is atomic changes.
class GridOrder {
public:
  /// Adds a grid whose warps have the numbers from its `firstWarp` on, or a
  /// transfer. Numbers grow from one to the next.
  KnownGrid &add(const GridRun &grid, uint32_t warps,
                 const std::vector<const GridRun *> &prerequisites,
                 std::weak_ptr<const void> lifetime);
  KnownGrid &add(const HostTransfer &transfer, uint32_t warp);
  void noteTrigger(const GridRun &grid, bool hasWaited);
  void noteWait(const GridRun &grid);
  void noteEnd(const GridRun &grid);

  /// Forgets what has ended and comes before all that is still to come: up to
  /// the positions of `before`.
  void forget(const Clock &before);
  void clear() { grids.clear(); }
  bool isEmpty() const { return grids.empty(); }
  bool anyRuns() const { return running != 0; }

  /// Null if it was forgotten: then it comes before all others.
  KnownGrid *find(uint32_t warp) const;
  KnownGrid *findGrid(const GridRun &grid) const;

  /// True if `before` may still run while `grid` does, or, after its wait, does so
  /// since a grid between them has not waited.
  bool mayRunBeside(const KnownGrid &grid, const KnownGrid &before,
                    bool hasWaited) const;

  /// The first warp of the oldest grid that may run beside `grid`, or must be
  /// waited for.
  uint32_t oldestBeside(const KnownGrid &grid, bool hasWaited) const;

  /// The least number of a warp that need not come before all that `own` does.
  uint32_t firstRival(const KnownGrid &own) const;

  /// Up to which epoch what `warp` did comes before the warp `own`, which has
  /// learnt `known` of it; `remote` is all that it has learnt, null for
  /// transfers.
  uint64_t knownOf(uint32_t warp, uint32_t own, uint64_t known,
                   const RemoteClock *remote) const;

  /// True if the grid of `warp` runs, or may do so in another schedule, with
  /// `own`.
  bool isPresent(uint32_t warp, uint32_t own) const;

  /// True if two accesses are no race since they are signals: both values that
  /// streams write, or one of a small transfer and the other such a value or a
  /// strong access of a grid. That this one meets the host is noted.
  bool isSignal(uint32_t warp, bool isStrong, uint32_t own, bool ownIsStrong);

  /// Notes that a grid and the host may signal each other.
  void noteMeeting(KnownGrid &grid);
  /// The orders of the grids of which that was noted since the last call.
  std::vector<WorkOrder> takeMeetings();

  using Released = std::shared_ptr<const RemoteClock>;
  /// Moves what `clock` says of grids that have ended to `works`.
  Released fold(const Released &clock, Clock &works) const;
  /// Notes what a grid learns from what was released, and returns it.
  Released hear(const GridRun &grid, const Clock &works, const Released &clock);
  /// How many grids have ended.
  uint64_t ends() const { return endCount; }

private:
  std::vector<std::unique_ptr<KnownGrid>> grids; ///< By `firstWarp`.
  unsigned running = 0;
  uint64_t endCount = 0;
  std::mutex mutex; ///< Of `meetings`.
  std::vector<WorkOrder> meetings;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_GRIDORDER_H
