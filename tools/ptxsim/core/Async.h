// Asynchronous work: copies and matrix products that run beside the warps.
//
// An operation reads, then writes, then tells whoever waits. When it does so
// depends on the schedule: at once (eager), when a wait or a standstill leaves no
// choice (lazy), or at random in between. Operations of the groups that a thread
// commits (cp.async, bulk stores, wgmma) are forced by its waits; those that end
// in an mbarrier are chosen by the scheduler.

#ifndef TCC_TOOLS_PTXSIM_CORE_ASYNC_H
#define TCC_TOOLS_PTXSIM_CORE_ASYNC_H

#include "tools/ptxsim/core/Block.h"

#include <deque>

namespace ptxsim {

struct Knowledge;

class AsyncOperation {
public:
  virtual ~AsyncOperation() = default;

  /// Reads what it copies; afterwards its sources may change.
  ///
  /// \returns false after noting a fault.
  virtual bool read(Worker &worker) = 0;

  /// Writes, and tells the mbarrier if it ends in one.
  ///
  /// \returns false after noting a fault.
  virtual bool write(Worker &worker) = 0;

  Origin origin;
  std::shared_ptr<const Knowledge> knowledge; ///< When it began; for races.
  uint32_t actor = 0, epoch = 0; ///< Of its accesses; for races.
  uint32_t warpEpoch = 0;        ///< Of the warp that began it, then.
  /// A copy by a tensor map: generic writes must be fenced before it writes. Other
  /// copies are made by cuda::memcpy_async, which has no fence.
  bool fencesWrites = false;
  bool isRead = false;
  bool isDone = false;
  bool isQueued = false; ///< In AsyncQueue::pending.
};

/// What one warp has started and may wait for, of one kind.
struct AsyncGroups {
  struct Item {
    std::shared_ptr<AsyncOperation> operation;
    LaneMask lanes = 0;  ///< That started it.
    uint64_t group = 0;  ///< The number its commit will have.
  };
  std::deque<Item> items; ///< Oldest first; some may be done.
  uint64_t committed[32] = {}; ///< Groups that each lane has committed.

  void add(std::shared_ptr<AsyncOperation> operation, LaneMask lanes);
  void commit(LaneMask lanes);
  /// Drops those that are done at the beginning.
  void dropDone();

private:
  size_t mostItems = 64; ///< When those that are done are looked for.
};

struct AsyncState {
  AsyncGroups copies; ///< cp.async
  AsyncGroups bulk;   ///< cp.async.bulk with .bulk_group
};

/// The asynchronous state of a warp, made when it is first needed.
AsyncState &asyncOf(Warp &warp);

/// The pending operations of a cluster. However late they may complete, their
/// number is bounded, as it is on hardware.
class AsyncQueue {
public:
  /// Operations that are pending at most, and of these, how many have read what
  /// they copy.
  static constexpr size_t maxPending = 8192, maxRead = 64;

  explicit AsyncQueue(Cluster &cluster) : cluster(cluster) {}

  /// Takes an operation over; performs it at once if the schedule is eager.
  ///
  /// \returns false after noting a fault.
  bool add(std::shared_ptr<AsyncOperation> operation, Worker &worker);

  /// Completes one pending operation: the oldest, or a random one.
  ///
  /// \returns false if none is pending.
  bool completeOne(Worker &worker);

  /// Under a random schedule, completes some.
  void completeSome(Worker &worker);

  /// Performs all of `operation` now.
  ///
  /// \returns false after noting a fault.
  bool finish(AsyncOperation &operation, Worker &worker);

  /// Makes all groups but the latest `keep` of each lane of `lanes` done, or
  /// only read.
  ///
  /// \returns false after noting a fault.
  bool wait(AsyncGroups &groups, LaneMask lanes, uint64_t keep, bool onlyRead,
            Worker &worker);

private:
  bool read(AsyncOperation &operation, Worker &worker);
  bool readEarly(const std::shared_ptr<AsyncOperation> &operation,
                 Worker &worker);
  void dropDone();

  Cluster &cluster;
  std::deque<std::shared_ptr<AsyncOperation>> pending; ///< Oldest first.
  size_t donePending = 0;  ///< How many of them are done.
  size_t mostPending = 64; ///< When those are dropped.
  std::deque<std::shared_ptr<AsyncOperation>> readOnes; ///< Some may be done.
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_ASYNC_H
