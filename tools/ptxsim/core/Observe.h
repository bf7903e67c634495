// What looks at every op before it is executed: the checks of registers and the
// counters. Only called where one of them is on.

#ifndef TCC_TOOLS_PTXSIM_CORE_OBSERVE_H
#define TCC_TOOLS_PTXSIM_CORE_OBSERVE_H

#include "tools/ptxsim/checks/RegisterShadow.h"
#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Async.h"

namespace ptxsim {

struct BoxTransfer;
struct BulkCount;
struct WarpgroupStep;
enum class BulkDirection : uint8_t;

/// True if the registers of `op` may be undefined.
inline bool mayTouchUndefined(const Warp &warp, const Op &op) {
  const WarpChecks *checks = warp.checks.get();
  if (checks == nullptr || checks->isClean())
    return false;
  const Code &code = *warp.now.code;
  return checks->mayTouch(code.infos[size_t(&op - code.ops.data())].lines,
                          warp.now.frame);
}

/// Checks that the guard of `op` is defined.
///
/// \returns false after noting a fault.
bool observeGuard(Warp &warp, const Op &op);

/// Checks the registers of `op` for the lanes of `mask`, carries undefined bits
/// from its sources to its destinations, and counts it.
///
/// \returns false after noting a fault.
bool observe(Warp &warp, const Op &op, LaneMask mask);

/// Counts that the running group passes `op`, whose guard is false in all lanes.
void observePass(Warp &warp, const Op &op);

/// Counts that the op that was observed last has to wait, that it did not find
/// what it looks for and goes on, and that only some lanes take its branch.
void observeWait(Warp &warp);
void observeNotReady(Warp &warp);
void observeDivergence(Warp &warp);

/// Checks and counts a load whose addresses are resolved, before it happens.
///
/// \returns false after noting a fault.
bool observeLoad(Warp &warp, const Op &op, const Access &access);

/// The same for a store of Op::count elements from `sources`.
bool observeStore(Warp &warp, const Op &op, const Access &access,
                  const Slot *sources);

/// Notes that the lanes have met at bar.warp.sync.
void observeWarpBarrier(Warp &warp, LaneMask lanes);

/// Notes that the running group has come to a barrier of its block, which it
/// waits at or only signals.
void observeBarrierArrival(Warp &warp, NamedBarrier &barrier, bool waits);

/// Notes that the running group goes on after `generation` of a barrier.
void observeBarrierLeave(Warp &warp, NamedBarrier &barrier,
                         uint64_t generation);

/// The same for barrier.cluster; an arrival may be relaxed.
void observeClusterArrival(Warp &warp, bool releases);
void observeClusterLeave(Warp &warp);

/// Notes that lanes let the next grid begin, and that griddepcontrol.wait goes
/// on.
void observeGridTrigger(Warp &warp);
void observeGridWait(Warp &warp);

/// Notes that a warp begins a setmaxnreg.
///
/// \returns false after noting a fault.
bool observeRegisterChange(Warp &warp, const Op &op, uint32_t registers,
                           bool increases);

/// Notes that lanes of the running group exit at its op.
///
/// \returns false after noting a fault.
bool observeExit(Warp &warp, LaneMask lanes);

/// Whom an arrival shows what was done before, and from whom a wait learns.
enum class MBarrierOrder : uint8_t {
  None,   ///< .relaxed
  Block,  ///< .cta
  Cluster, ///< No scope is taken for this one, too.
  NamedCluster ///< It is named: an acquire empties L1.
};

/// mbarriers: begin, end, arrivals and waits that have come back true. A phase
/// that a copy has completed may be unseen by those whom nobody has told so.
///
/// \returns false after noting a fault.
bool observeMBarrierInit(Warp &warp, const Op &op, Block &block,
                         uint32_t offset, int lane);
bool observeMBarrierInval(Warp &warp, const Op &op, Block &block,
                          uint32_t offset, int lane);
bool observeMBarrierUse(Warp &warp, const Op &op, Block &block,
                        uint32_t offset, LaneMask lanes);
/// Checks that the object that asynchronous work of a lane ends in is
/// initialised for the lane when it begins the work.
bool observeMBarrierSignal(Warp &warp, const Op &op, Block &block,
                           uint32_t offset, int lane);
void observeMBarrierArrival(Warp &warp, Block &block, uint32_t offset,
                            MBarrier &barrier, MBarrierOrder order);
bool mayBeUnseen(Warp &warp, Block &block, uint32_t offset,
                 const MBarrier &barrier);
void observeMBarrierWait(Warp &warp, Block &block, uint32_t offset,
                         MBarrier &barrier, MBarrierOrder order);

/// Atomics, before they happen.
///
/// \returns false after noting a fault.
bool observeAtomic(Warp &warp, const Op &op, const Access &access);

/// Fences: how far they order, whether each other, and whether they order proxies.
enum class FenceKind : uint8_t { Block, Cluster, Device, System };
void observeFence(Warp &warp, LaneMask lanes, FenceKind kind,
                  bool isSequential = false);
/// That the host and the grid may see what the other one does: by a strong
/// access of memory of the host, or a fence of the system.
void observeHost(Warp &warp);
void observeProxyFence(Warp &warp, LaneMask lanes, bool ofShared,
                       bool ofGlobal);

/// Tensor maps: use by a copy, change by tensormap.replace, copy from shared to
/// global memory with a release, and the fences that make changes visible to
/// copies.
///
/// \returns false after noting a fault.
bool observeTensorMap(Warp &warp, const Op &op, int lane, const uint8_t *map);
bool observeTensorMapChange(Warp &warp, const Op &op, int lane, uint8_t *map);
bool observeTensorMapCopy(Warp &warp, const Op &op, int lane, uint8_t *target,
                          const uint8_t *source);
void observeTensorMapAcquire(Warp &warp, const Op &op, const uint8_t *map);
void observeTensorMapRelease(Warp &warp);

/// Checks and counts the rows that ldmatrix and stmatrix access, one of each
/// lane.
///
/// \returns false after noting a fault.
bool observeMatrixLoad(Warp &warp, const Op &op, const Access &access);
bool observeMatrixStore(Warp &warp, const Op &op, const Access &access);

/// Checks an element of each lane that wmma.load and wmma.store access.
///
/// \returns false after noting a fault.
bool observeElements(Warp &warp, const Op &op, const Access &access);
/// Counts all that one of them accesses.
void observeFragment(Warp &warp, const std::vector<Access> &parts);

/// Counts what cp.async of the lanes of `target.mask` reads, `sourceBytes` of
/// each lane, and writes.
void observeLaneCopies(Warp &warp, const Access &target,
                       const uint64_t *sources, const uint32_t *sourceBytes);

/// Counts a bulk operation whose bytes in global memory, if any, begin at
/// `global`; one with a tensor map; and st.async or red.async of a lane.
void observeBulkCopy(Warp &warp, const BulkCount &copy, uint64_t global);
void observeBoxCopy(Warp &warp, const BoxTransfer &transfer,
                    BulkDirection direction, uint32_t deliveries);
void observeStoreAsync(Warp &warp, uint32_t bytes);

/// Notes that asynchronous work begins that completes the present phase of the
/// mbarrier at `offset` of `block`; and that a wait makes work complete that is
/// not.
void observePhaseIssue(Warp &warp, Block &block, uint32_t offset);
void observePending(Worker &worker);

/// Kinds of asynchronous work, by what waits for it.
enum class AsyncKind : uint8_t { Copies, Bulk, Warpgroup, MBarrier };

/// Notes what the warp knows when it begins `operation`, which ends in `group`
/// or in an mbarrier.
void observeIssue(Warp &warp, AsyncOperation &operation, AsyncKind kind,
                  uint64_t group);

/// Checks what an asynchronous operation reads or writes in shared memory. One
/// that ends in an mbarrier names it; reductions are strong.
///
/// \returns false after noting a fault.
bool observeAsyncRead(Worker &worker, AsyncOperation &operation, AsyncKind kind,
                      Block &block, uint32_t offset, uint32_t bytes,
                      Block *barrierBlock = nullptr, uint32_t barrierOffset = 0);
bool observeAsyncWrite(Worker &worker, AsyncOperation &operation,
                       AsyncKind kind, Block &block, uint32_t offset,
                       uint32_t bytes, Block *barrierBlock,
                       uint32_t barrierOffset, bool strong = false);

/// Checks what a wgmma reads: chunks of 16 bytes of its block's shared memory.
///
/// \returns false after noting a fault.
bool observeMatrixReads(Worker &worker, AsyncOperation &operation, Block &block,
                        const std::vector<uint32_t> &chunks);

/// Checks that the swizzles of its descriptors are those of the copies that
/// brought the chunks.
///
/// \returns false after noting a fault.
bool observeDescriptors(Worker &worker, AsyncOperation &operation, Block &block,
                        const WarpgroupStep &step,
                        const std::vector<uint32_t> &chunks);

/// Notes how a load by a tensor map has laid out its tile, and checks that a
/// store or reduction reads it so.
///
/// \returns false after noting a fault.
void observeTileWrite(Block &block, const BoxTransfer &transfer);
bool observeTileRead(Worker &worker, AsyncOperation &operation, Block &block,
                     const BoxTransfer &transfer);

/// Checks what it accesses in global memory, where its accesses count as those of
/// the warp when it began it.
///
/// \returns false after noting a fault.
bool observeAsyncGlobal(Worker &worker, AsyncOperation &operation,
                        uint64_t address, uint64_t bytes, bool isWrite,
                        bool strong = false);

/// Notes that cp.async.mbarrier.arrive has arrived for the copies of the warp up
/// to `group`.
void observeCopiesArrival(Warp &warp, Block &block, uint32_t offset,
                          MBarrier &barrier, uint64_t group);

/// Notes that the groups of the warp up to `group` are done.
void observeGroupWait(Warp &warp, AsyncKind kind, uint64_t group,
                      bool onlyRead = false);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_OBSERVE_H
