// Asynchronous work: when it begins, what it accesses, when it is waited for.

#include "tools/ptxsim/core/Observe.h"

#include "tools/ptxsim/checks/GlobalRaces.h"
#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/core/Warpgroups.h"
#include "tools/ptxsim/count/Counters.h"

using namespace ptxsim;

/// The actor of a warp's asynchronous work of one kind. A wgmma is that of its
/// four warps: each of them may wait for it.
static Actor actorOf(ClusterRaces &races, const Warp &any, AsyncKind kind) {
  const Warp &warp = kind == AsyncKind::Warpgroup
                         ? any.block->warps[any.index / 4 * 4]
                         : any;
  WarpClock &clock = races.clockOf(warp);
  Actor &actor = kind == AsyncKind::Copies ? clock.copies
                 : kind == AsyncKind::Bulk ? clock.bulk
                                           : clock.warpgroup;
  ActorInfo::Kind which = kind == AsyncKind::Copies ? ActorInfo::Kind::Copies
                          : kind == AsyncKind::Bulk ? ActorInfo::Kind::Bulk
                                                    : ActorInfo::Kind::Warpgroup;
  if (actor == 0)
    actor = races.newActor({which, warp.block, warp.index});
  return actor;
}

void ptxsim::observeLaneCopies(Warp &warp, const Access &target,
                               const uint64_t *sources,
                               const uint32_t *sourceBytes) {
  if (Counters *counters = warp.worker->counters)
    counters->copyLanes(warp, target, sources, sourceBytes);
}

void ptxsim::observeBulkCopy(Warp &warp, const BulkCount &copy,
                             uint64_t global) {
  if (Counters *counters = warp.worker->counters)
    counters->bulkCopy(copy, global);
}

void ptxsim::observeBoxCopy(Warp &warp, const BoxTransfer &transfer,
                            BulkDirection direction, uint32_t deliveries) {
  if (Counters *counters = warp.worker->counters)
    counters->boxCopy(transfer, direction, deliveries);
}

void ptxsim::observeStoreAsync(Warp &warp, uint32_t bytes) {
  if (Counters *counters = warp.worker->counters)
    counters->storeAsync(bytes);
}

void ptxsim::observePhaseIssue(Warp &warp, Block &block, uint32_t offset) {
  Counters *counters = warp.worker->counters;
  auto barrier = block.mbarriers.find(offset);
  if (counters != nullptr && barrier != block.mbarriers.end())
    counters->beginPhase(block, offset, barrier->second.phase);
}

void ptxsim::observePending(Worker &worker) {
  if (worker.counters != nullptr)
    worker.counters->pending();
}

void ptxsim::observeIssue(Warp &warp, AsyncOperation &operation, AsyncKind kind,
                          uint64_t group) {
  if (Counters *counters = warp.worker->counters)
    counters->beginGroup(warp, kind, group);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  operation.knowledge = races->snapshot(races->clockOf(warp));
  operation.warpEpoch = operation.knowledge->known[races->clockOf(warp).actor];
  if (kind == AsyncKind::MBarrier)
    return;
  operation.actor = actorOf(*races, warp, kind);
  operation.epoch = Epoch(group);
}

/// Who an asynchronous operation is. One that ends in an mbarrier belongs to the
/// phase of the mbarrier; false if there is none, which its completion will say.
static bool findAccessor(ClusterRaces &races, const AsyncOperation &operation,
                         AsyncKind kind, Block *barrierBlock,
                         uint32_t barrierOffset, Accessor &by) {
  by.actor = operation.actor;
  by.epoch = operation.epoch;
  by.knowledge = operation.knowledge.get();
  by.lane = operation.origin.lane < 0 ? 0 : uint32_t(operation.origin.lane);
  by.op = operation.origin.code->numberOf(*operation.origin.op);
  by.async = kind != AsyncKind::Copies;
  by.fencesWrites = operation.fencesWrites;
  if (barrierBlock == nullptr)
    return true;
  auto barrier = barrierBlock->mbarriers.find(barrierOffset);
  if (barrier == barrierBlock->mbarriers.end())
    return false;
  BlockRaces::MBarrierClock &clock =
      races.mbarrier(*barrierBlock, barrierOffset);
  by.actor = clock.actor;
  by.epoch = clock.lastCopy = clock.epochOf(barrier->second.phase + 1);
  return true;
}

static bool accessShared(Worker &worker, AsyncOperation &operation,
                         AsyncKind kind, Block &block, uint32_t offset,
                         uint32_t bytes, bool isWrite, Block *barrierBlock,
                         uint32_t barrierOffset, bool strong) {
  if (operation.knowledge == nullptr)
    return true;
  ClusterRaces &races = *block.cluster->races;
  if (isWrite)
    races.racesOf(block).layouts.forget(offset, bytes);
  Accessor by;
  by.strength = strong ? StrongForAll : Weak;
  Fault fault;
  if (!findAccessor(races, operation, kind, barrierBlock, barrierOffset, by) ||
      races.accessLater(block, offset, bytes, isWrite, by, fault))
    return true;
  return worker.stopAt(operation.origin, std::move(fault));
}

bool ptxsim::observeAsyncRead(Worker &worker, AsyncOperation &operation,
                              AsyncKind kind, Block &block, uint32_t offset,
                              uint32_t bytes, Block *barrierBlock,
                              uint32_t barrierOffset) {
  return accessShared(worker, operation, kind, block, offset, bytes, false,
                      barrierBlock, barrierOffset, false);
}

bool ptxsim::observeMatrixReads(Worker &worker, AsyncOperation &operation,
                                Block &block,
                                const std::vector<uint32_t> &chunks) {
  if (operation.knowledge == nullptr)
    return true;
  ClusterRaces &races = *block.cluster->races;
  Accessor by;
  findAccessor(races, operation, AsyncKind::Warpgroup, nullptr, 0, by);
  Fault fault;
  return races.readChunks(block, chunks, by, fault) ||
         worker.stopAt(operation.origin, std::move(fault));
}

/// Notes bytes that come in at an mbarrier, perhaps the last ones it waits for.
static void arriveAsync(Counters &counters, Block &block, uint32_t offset) {
  auto barrier = block.mbarriers.find(offset);
  if (barrier != block.mbarriers.end())
    counters.arrive(block, offset, barrier->second.phase + 1);
}

bool ptxsim::observeAsyncWrite(Worker &worker, AsyncOperation &operation,
                               AsyncKind kind, Block &block, uint32_t offset,
                               uint32_t bytes, Block *barrierBlock,
                               uint32_t barrierOffset, bool strong) {
  if (worker.counters != nullptr && barrierBlock != nullptr)
    arriveAsync(*worker.counters, *barrierBlock, barrierOffset);
  return accessShared(worker, operation, kind, block, offset, bytes, true,
                      barrierBlock, barrierOffset, strong);
}

bool ptxsim::observeAsyncGlobal(Worker &worker, AsyncOperation &operation,
                                uint64_t address, uint64_t bytes, bool isWrite,
                                bool strong) {
  if (operation.knowledge == nullptr)
    return true;
  const Origin &origin = operation.origin;
  ClusterRaces &races = *origin.block->cluster->races;
  const WarpClock &clock = races.clockOf(origin.block->warps[origin.warp]);
  GlobalAccessor by;
  by.cluster = &races;
  by.knowledge = operation.knowledge.get();
  by.warp = races.firstWarp + clock.actor;
  by.async = operation.actor == 0 || operation.actor != clock.copies;
  by.isBulk = isWrite && operation.actor != 0 && operation.actor == clock.bulk;
  by.epoch = by.isBulk ? operation.epoch : operation.warpEpoch;
  by.op = origin.code->numberOf(*origin.op);
  by.lane = origin.lane < 0 ? 0 : uint32_t(origin.lane);
  by.many = true;
  by.strength = strong ? StrongForAll : Weak;
  Fault fault;
  if (origin.block->cluster->grid->globalRaces->access(address, bytes, isWrite,
                                                       by, fault))
    return true;
  return worker.stopAt(origin, std::move(fault));
}

void ptxsim::observeGroupWait(Warp &warp, AsyncKind kind, uint64_t group,
                              bool onlyRead) {
  if (Counters *counters = warp.worker->counters)
    counters->waitGroup(warp, kind, group);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &clock = races->clockOf(warp);
  clock.knowledge.known.set(actorOf(*races, warp, kind), Epoch(group));
  if (kind != AsyncKind::Bulk || onlyRead)
    return;
  if (clock.bulkWrites == 0)
    clock.bulkWrites = races->newActor(
        {ActorInfo::Kind::Bulk, warp.block, warp.index});
  clock.knowledge.known.set(clock.bulkWrites, Epoch(group));
}

void ptxsim::observeCopiesArrival(Warp &warp, Block &block, uint32_t offset,
                                  MBarrier &barrier, uint64_t group) {
  if (Counters *counters = warp.worker->counters)
    counters->arrive(block, offset, barrier.phase + 1);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  BlockRaces::MBarrierClock &clock = races->mbarrier(block, offset);
  Actor actor = actorOf(*races, warp, AsyncKind::Copies);
  for (SyncClock *each : {&clock.clock, &clock.ofBlock[warp.block->rank]})
    each->arriving(barrier.phase + 1).known.set(actor, Epoch(group));
}
