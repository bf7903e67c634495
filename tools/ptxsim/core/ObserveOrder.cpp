// What orders threads: barriers, mbarriers, fences, the ends of grids.

#include "tools/ptxsim/core/Observe.h"

#include "tools/ptxsim/checks/GlobalRaces.h"
#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/checks/WarpgroupMembers.h"
#include "tools/ptxsim/core/MBarriers.h"
#include "tools/ptxsim/count/Counters.h"

using namespace ptxsim;

/// Lets lanes that have met know each other's accesses.
static void meet(WarpClock &clock, LaneMask lanes) {
  ++clock.epoch;
  forLanes(lanes, [&](int lane) { clock.laneSync[lane] = clock.epoch; });
}

void ptxsim::observeWarpBarrier(Warp &warp, LaneMask lanes) {
  if (ClusterRaces *races = racesOf(warp))
    meet(races->clockOf(warp), lanes);
}

void ptxsim::observeBarrierArrival(Warp &warp, NamedBarrier &barrier, bool) {
  size_t index = size_t(&barrier - warp.block->barriers.data());
  if (Counters *counters = warp.worker->counters)
    counters->arrive(*warp.block, uint32_t(index), barrier.generation + 1);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  SyncClock &clock = races->racesOf(*warp.block).barriers[index];
  races->release(races->clockOf(warp), clock.arriving(barrier.generation + 1));
}

void ptxsim::observeBarrierLeave(Warp &warp, NamedBarrier &barrier,
                                 uint64_t generation) {
  size_t index = size_t(&barrier - warp.block->barriers.data());
  if (Counters *counters = warp.worker->counters)
    counters->leave(*warp.block, uint32_t(index), generation);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  SyncClock &clock = races->racesOf(*warp.block).barriers[index];
  WarpClock &own = races->clockOf(warp);
  races->acquire(own, clock.collected[generation & 1]);
  meet(own, warp.now.mask);
}

void ptxsim::observeClusterArrival(Warp &warp, bool releases) {
  uint64_t generation = warp.block->cluster->barrier.generation + 1;
  if (Counters *counters = warp.worker->counters)
    for (const Block &block : warp.block->cluster->blocks)
      counters->arrive(block, Counters::clusterBarrier, generation);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  Knowledge &arriving = races->cluster.arriving(generation);
  if (releases)
    races->release(races->clockOf(warp), arriving);
  else if (auto fenced = races->clockOf(warp).fenced[clusterScope])
    arriving.join(*fenced);
}

void ptxsim::observeClusterLeave(Warp &warp) {
  uint64_t generation = warp.clusterGeneration[__builtin_ctz(warp.now.mask)];
  if (Counters *counters = warp.worker->counters) {
    counters->leave(*warp.block, Counters::clusterBarrier, generation);
    counters->fence(warp);
  }
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &own = races->clockOf(warp);
  races->acquire(own, races->cluster.collected[generation & 1]);
  meet(own, warp.now.mask);
}

void ptxsim::observeGridTrigger(Warp &warp) {
  GridRun *grid = warp.block->cluster->grid;
  if (grid->globalRaces == nullptr)
    return;
  ClusterRaces *races = racesOf(warp);
  bool hasWaited = races != nullptr &&
                   races->clockOf(warp).knowledge.remote.count(gridsBefore) != 0;
  grid->globalRaces->noteTrigger(grid, hasWaited);
}

void ptxsim::observeGridWait(Warp &warp) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &clock = races->clockOf(warp);
  clock.knowledge.remote[gridsBefore] = 1;
  GridRun *grid = warp.block->cluster->grid;
  grid->globalRaces->noteWait(grid);
}

bool ptxsim::observeRegisterChange(Warp &warp, const Op &op,
                                   uint32_t registers, bool increases) {
  Fault fault;
  if (racesOf(warp) == nullptr ||
      changeRegisters(warp, op, registers, increases, fault))
    return true;
  warp.worker->stop(warp, op, std::move(fault), -1);
  return false;
}

bool ptxsim::observeExit(Warp &warp, LaneMask lanes) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr || (warp.live & ~lanes) != 0)
    return true;
  bool isLast =
      warp.block->liveThreads == uint32_t(__builtin_popcount(lanes));
  Fault fault;
  if (leaveWarpgroup(warp, fault) &&
      races->exit(*warp.block, races->clockOf(warp), isLast, fault))
    return true;
  warp.worker->stop(warp, *warp.now.pc, std::move(fault), -1);
  return false;
}

//===----------------------------------------------------------------------===//
// mbarriers
//===----------------------------------------------------------------------===//

/// Checks that the object at `offset` is initialised for, or idle before, `warp`.
static bool accessMBarrier(Warp &warp, const Op &op, Block &block,
                           uint32_t offset, int lane, bool isWrite,
                           bool leavesStamp = true) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return true;
  Accessor by = races->accessor(warp, op, lane);
  by.strength = isWrite ? Weak : StrongForAll;
  by.leavesStamp = leavesStamp;
  Fault fault;
  if (races->access(block, offset, 8, isWrite, by, fault))
    return true;
  fault.notes.push_back("the access is that of an mbarrier object");
  if (!isWrite && &block != warp.block)
    fault.advice = "execute fence.mbarrier_init.release.cluster after "
                   "mbarrier.init, then a barrier of the cluster";
  warp.worker->stop(warp, op, std::move(fault), lane);
  return false;
}

bool ptxsim::observeMBarrierInit(Warp &warp, const Op &op, Block &block,
                                 uint32_t offset, int lane) {
  if (racesOf(warp) != nullptr && block.mbarriers.count(offset) != 0) {
    Fault fault;
    fault.code = FaultCode::LaunchFailed;
    fault.check = "mbarrier";
    fault.message = "expected memory without an mbarrier object, got one that is "
                    "in use";
    fault.advice = "initialise it by one thread, and execute mbarrier.inval "
                   "before it is initialised again";
    warp.worker->stop(warp, op, std::move(fault), lane);
    return false;
  }
  defineMemory(block, nullptr, block.shared + offset, 8);
  if (ClusterRaces *races = racesOf(warp))
    races->mbarrier(block, offset).renew();
  return accessMBarrier(warp, op, block, offset, lane, true);
}

bool ptxsim::observeMBarrierInval(Warp &warp, const Op &op, Block &block,
                                  uint32_t offset, int lane) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return true;
  const BlockRaces::MBarrierClock &clock = races->mbarrier(block, offset);
  if (races->clockOf(warp).knowledge.known[clock.actor] < clock.lastCopy) {
    Fault fault;
    fault.code = FaultCode::LaunchFailed;
    fault.check = "mbarrier";
    fault.message = "expected mbarrier.inval after the copies that end in the "
                    "mbarrier, got one that comes before a copy is waited for";
    fault.address = describe(offset, block.mbarriers.at(offset));
    fault.advice = "wait for the last phase, and let this thread know by a "
                   "barrier";
    warp.worker->stop(warp, op, std::move(fault), lane);
    return false;
  }
  return accessMBarrier(warp, op, block, offset, lane, true);
}

bool ptxsim::observeMBarrierUse(Warp &warp, const Op &op, Block &block,
                                uint32_t offset, LaneMask lanes) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return true;
  const Epoch *laneSync = races->clockOf(warp).laneSync;
  LaneMask ends = endsOf(lanes);
  int first = __builtin_ctz(lanes);
  for (; lanes != 0; lanes &= lanes - 1) {
    int lane = __builtin_ctz(lanes);
    bool counts = ends >> lane & 1 || laneSync[lane] != laneSync[first];
    if (counts && !accessMBarrier(warp, op, block, offset, lane, false))
      return false;
  }
  return true;
}

// The bytes come later, but before whoever waits for them goes on: no access is
// left for others to be ordered with.
bool ptxsim::observeMBarrierSignal(Warp &warp, const Op &op, Block &block,
                                   uint32_t offset, int lane) {
  return accessMBarrier(warp, op, block, offset, lane, false, false);
}

void ptxsim::observeMBarrierArrival(Warp &warp, Block &block, uint32_t offset,
                                    MBarrier &barrier, MBarrierOrder order) {
  if (Counters *counters = warp.worker->counters)
    counters->arrive(block, offset, barrier.phase + 1);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &own = races->clockOf(warp);
  std::shared_ptr<const Knowledge> released;
  if (order != MBarrierOrder::None)
    released = races->snapshot(own);
  BlockRaces::MBarrierClock &clock = races->mbarrier(block, offset);
  auto arrive = [&](SyncClock &at, unsigned scope) {
    const auto &mine = released != nullptr ? released : own.fenced[scope];
    if (mine != nullptr)
      at.arriving(barrier.phase + 1).join(*mine);
  };
  arrive(clock.ofBlock[warp.block->rank], blockScope);
  if (order != MBarrierOrder::Block)
    arrive(clock.clock, clusterScope);
}

bool ptxsim::mayBeUnseen(Warp &warp, Block &block, uint32_t offset,
                         const MBarrier &barrier) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr || barrier.phase == 0 ||
      barrier.phaseOfCopy != barrier.phase)
    return false;
  BlockRaces::MBarrierClock &clock = races->mbarrier(block, offset);
  const WarpClock &own = races->clockOf(warp);
  return std::max(own.knowledge.known[clock.actor],
                  own.pending[blockScope].known[clock.actor]) <
         clock.epochOf(barrier.phase);
}

void ptxsim::observeMBarrierWait(Warp &warp, Block &block, uint32_t offset,
                                 MBarrier &barrier, MBarrierOrder order) {
  if (Counters *counters = warp.worker->counters) {
    counters->waitPhase(block, offset, barrier.phase - 1);
    counters->leave(block, offset, barrier.phase);
    if (order == MBarrierOrder::NamedCluster)
      counters->fence(warp);
  }
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  BlockRaces::MBarrierClock &clock = races->mbarrier(block, offset);
  WarpClock &own = races->clockOf(warp);
  auto seen = [&](unsigned scope) -> Knowledge & {
    return order == MBarrierOrder::None ? own.pending[scope] : own.knowledge;
  };
  clock.ofBlock[warp.block->rank].learn(barrier.phase, seen(blockScope));
  if (order != MBarrierOrder::Block)
    clock.clock.learn(barrier.phase, seen(clusterScope));
  seen(blockScope).known.set(clock.actor, clock.epochOf(barrier.phase));
}

//===----------------------------------------------------------------------===//
// Fences
//===----------------------------------------------------------------------===//

void ptxsim::observeFence(Warp &warp, LaneMask, FenceKind kind,
                          bool isSequential) {
  Counters *counters = warp.worker->counters;
  if (counters != nullptr && kind >= FenceKind::Cluster)
    counters->fence(warp);
  if (kind == FenceKind::System)
    observeHost(warp);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &clock = races->clockOf(warp);
  unsigned end = std::min(unsigned(kind) + 1, scopes);
  for (unsigned scope = 0; scope < end; ++scope) {
    races->acquire(clock, clock.pending[scope]);
    clock.pending[scope].clear();
  }
  if (isSequential)
    passFences(clock.knowledge, end);
  auto now = races->snapshot(clock);
  if (isSequential) {
    auto shown = std::make_shared<Knowledge>(*now);
    shown->fences.reset();
    clock.knowledge.fences = showFences(now->fences, shown, end);
    auto withFences = std::make_shared<Knowledge>(*now);
    withFences->fences = clock.knowledge.fences;
    now = std::move(withFences);
  }
  for (unsigned scope = 0; scope < end; ++scope)
    clock.fenced[scope] = now;
}

/// Shows the async proxy all that a warp knows of global memory.
static void showGlobal(WarpClock &clock) {
  Knowledge &knowledge = clock.knowledge;
  knowledge.proxiedGlobal.join(knowledge.known);
  knowledge.proxiedGlobal.set(clock.actor, clock.epoch);
  RemoteClock shown;
  for (auto [key, epoch] : knowledge.remote)
    if (key < remoteBulk)
      shown[key | remoteProxied] = epoch;
  join(knowledge.remote, shown);
}

void ptxsim::observeProxyFence(Warp &warp, LaneMask, bool ofShared,
                               bool ofGlobal) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &clock = races->clockOf(warp);
  if (ofShared) {
    clock.knowledge.proxied.join(clock.knowledge.known);
    clock.knowledge.proxied.set(clock.actor, clock.epoch);
  }
  if (ofGlobal)
    showGlobal(clock);
  ++clock.epoch;
}
