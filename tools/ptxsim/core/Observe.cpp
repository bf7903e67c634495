// Hands what happens on to the checks that are on.

#include "tools/ptxsim/core/Observe.h"

#include "tools/ptxsim/checks/GlobalRaces.h"
#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Warpgroups.h"
#include "tools/ptxsim/count/Counters.h"

using namespace ptxsim;

static ClusterRaces *racesOf(const Warp &warp) {
  return warp.block->cluster->races.get();
}

bool ptxsim::observeGuard(Warp &warp, const Op &op) {
  return op.guard < 0 || !mayTouchUndefined(warp, op) || checkGuard(warp, op);
}

bool ptxsim::observe(Warp &warp, const Op &op, LaneMask mask) {
  if (Counters *counters = warp.worker->counters)
    counters->issue(warp, op, mask);
  const OpInfo &info =
      warp.now.code->infos[size_t(&op - warp.now.code->ops.data())];
  if (mayTouchUndefined(warp, op) && !carryUndefined(warp, op, info, mask))
    return false;
  return warp.warpgroupRegisters == nullptr ||
         op.opClass == OpClass::Warpgroup ||
         observeWarpgroupRegisters(warp, op, info);
}

void ptxsim::observePass(Warp &warp, const Op &op) {
  if (Counters *counters = warp.worker->counters)
    counters->pass(warp, op);
}

void ptxsim::observeWait(Warp &warp) {
  if (Counters *counters = warp.worker->counters)
    counters->wait(warp);
}

void ptxsim::observeNotReady(Warp &warp) {
  if (Counters *counters = warp.worker->counters)
    counters->notReady();
}

void ptxsim::observeDivergence(Warp &warp) {
  if (Counters *counters = warp.worker->counters)
    counters->diverge();
}

static void count(Warp &warp, const Access &access) {
  if (Counters *counters = warp.worker->counters)
    counters->access(warp, access);
}

/// Finds the shared memory that a lane accesses.
///
/// \returns null if it accesses another space.
static Block *sharedOf(const Warp &warp, const Access &access, int lane,
                       uint32_t &offset) {
  uint64_t address = access.addresses[lane];
  switch (access.space) {
  case ptx::Space::Shared:
  case ptx::Space::SharedCluster:
    break;
  case ptx::Space::Generic:
    address -= warp.worker->memory.sharedWindow();
    if (address >= Memory::windowBytes)
      return nullptr;
    break;
  default:
    return nullptr;
  }
  return blockOfShared(*warp.block, uint32_t(address), offset);
}

/// Who a warp is to global memory.
static GlobalAccessor globalAccessor(const Warp &warp, const Op &op,
                                     ClusterRaces &races) {
  const WarpClock &clock = races.clockOf(warp);
  GlobalAccessor by;
  by.cluster = &races;
  by.knowledge = &clock.knowledge;
  by.warp = races.firstWarp + clock.actor;
  by.epoch = clock.epoch;
  by.op = uint32_t(&op - warp.now.code->ops.data());
  return by;
}

/// Of lanes the first two and the last. Where lanes access the same bytes, they
/// say all that the others do.
static LaneMask endsOf(LaneMask lanes) {
  LaneMask first = lanes & -lanes, rest = lanes ^ first;
  return rest == 0 ? lanes
                   : first | (rest & -rest) | 1u << (31 - __builtin_clz(rest));
}

/// The lanes whose accesses say all that those of `access` do: where all lanes
/// access the same bytes, not all of them.
static LaneMask lanesThatCount(const Access &access) {
  uint64_t apart = 0;
#pragma clang loop vectorize_width(8) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    apart |= access.addresses[lane] ^ access.addresses[0];
  return apart != 0 ? access.mask : endsOf(access.mask);
}

/// Lanes in the shared memory of any block, in global and in other memory.
static bool checkLane(Warp &warp, const Access &access, int lane, bool isWrite,
                      ClusterRaces &races, GlobalRaces &global, Accessor &by,
                      GlobalAccessor &globalBy, Fault &fault) {
  const WarpClock &clock = races.clockOf(warp);
  uint32_t offset = 0;
  if (Block *block = sharedOf(warp, access, lane, offset)) {
    by.lane = uint32_t(lane);
    by.laneSync = clock.laneSync[lane];
    return races.access(*block, offset, access.bytes, isWrite, by, fault);
  }
  if (access.addresses[lane] - warp.worker->memory.sharedWindow() <
          3 * Memory::windowBytes &&
      access.space == ptx::Space::Generic)
    return true;
  globalBy.lane = uint32_t(lane);
  globalBy.laneSync = clock.laneSync[lane];
  return global.access(access.addresses[lane], access.bytes, isWrite, globalBy,
                       fault);
}

/// Compares an access with those before it.
static bool checkRaces(Warp &warp, const Op &op, const Access &access,
                       bool isWrite) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr || access.space == ptx::Space::Local ||
      access.space == ptx::Space::Parameter)
    return true;
  GlobalRaces &global = *warp.block->cluster->grid->globalRaces;
  const WarpClock &clock = races->clockOf(warp);
  Accessor by = races->accessor(warp, op, 0);
  by.strong = access.strong;
  GlobalAccessor globalBy = globalAccessor(warp, op, *races);
  globalBy.strong = access.strong;
  bool isShared = access.space == ptx::Space::Shared;
  LaneMask lanes = ~LaneMask(0);
  if (access.contiguous) { // All lanes are in one memory.
    by.laneSync = globalBy.laneSync =
        *std::min_element(std::begin(clock.laneSync), std::end(clock.laneSync));
    if (!isShared)
      lanes = global.accessLanes(access.addresses[0], access.bytes, isWrite,
                                 globalBy);
    else if (races->accessLanes(*warp.block, uint32_t(access.addresses[0]),
                                access.bytes, isWrite, by))
      return true;
    if (lanes == 0)
      return true;
  }
  lanes &= lanesThatCount(access);
  Fault fault;
  int lane = -1;
  bool good = true;
  if (isShared)
    good = races->accessEach(*warp.block, access.addresses, lanes, access.bytes,
                             isWrite, clock, by, fault, lane);
  else if (access.space == ptx::Space::Global)
    good = global.accessEach(access.addresses, lanes, access.bytes, isWrite,
                             clock, globalBy, fault, lane);
  else
    for (; good && lanes != 0; lanes &= lanes - 1) {
      lane = __builtin_ctz(lanes);
      good = checkLane(warp, access, lane, isWrite, *races, global, by, globalBy,
                       fault);
    }
  if (!good)
    warp.worker->stop(warp, op, std::move(fault), lane);
  return good;
}

/// What a warp shows to other clusters: what it knows of its own and of others.
static RemoteClock shown(const ClusterRaces &races, const Knowledge &knowledge) {
  RemoteClock result = knowledge.remote;
  auto show = [&](uint32_t key, Epoch epoch) {
    if (epoch != 0)
      result[key] = epoch;
  };
  for (Actor actor = 0; actor < races.warpCount(); ++actor) {
    uint32_t warp = races.firstWarp + actor;
    show(warp, knowledge.known[actor]);
    show(warp | remoteProxied, knowledge.proxiedGlobal[actor]);
    if (Actor writes = races.bulkWritesOf(actor))
      show(warp | remoteBulk, knowledge.known[writes]);
  }
  return result;
}

/// Adds what was released through global memory to what is known.
static void learn(ClusterRaces &races, const RemoteClock &released,
                  Knowledge &knowledge) {
  for (auto [key, epoch] : released) {
    Actor actor = 0;
    if (key == gridsBefore ||
        !races.ownWarp(key & ~(remoteBulk | remoteProxied), actor))
      knowledge.remote[key] = std::max(knowledge.remote[key], epoch);
    else if (key & remoteProxied)
      knowledge.proxiedGlobal.set(actor, epoch);
    else if (key & remoteBulk)
      knowledge.known.set(races.bulkWritesOf(actor), epoch);
    else
      knowledge.known.set(actor, epoch);
  }
}

/// The part of `synchronise` for an address of global memory.
static void synchroniseGlobal(Warp &warp, ClusterRaces &races, uint64_t address,
                              const Access &access, bool reads, bool writes) {
  GlobalRaces &global = *warp.block->cluster->grid->globalRaces;
  WarpClock &clock = races.clockOf(warp);
  if (reads) {
    RemoteClock released;
    global.acquire(address, released);
    if (!released.empty())
      learn(races, released, access.acquires ? clock.knowledge : clock.pending);
    clock.snapshot = nullptr;
  }
  if (!writes)
    return;
  Knowledge mine;
  if (access.releases)
    races.release(clock, mine);
  global.release(address, shown(races, access.releases ? mine : clock.fenced));
}

/// Orders what strong accesses order: releases are kept by address, acquires
/// take them; without these words the fences before and after count.
static void synchronise(Warp &warp, const Access &access, bool reads,
                        bool writes) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr || !access.strong || access.space == ptx::Space::Local)
    return;
  WarpClock &clock = races->clockOf(warp);
  forLanes(access.mask, [&](int lane) {
    uint32_t offset = 0;
    Block *block = sharedOf(warp, access, lane, offset);
    if (block == nullptr) {
      synchroniseGlobal(warp, *races, access.addresses[lane], access, reads,
                        writes);
      return;
    }
    Knowledge &released = races->racesOf(*block).released[offset];
    if (reads && access.acquires)
      races->acquire(clock, released);
    else if (reads)
      clock.pending.join(released);
    if (writes && access.releases)
      races->release(clock, released);
    else if (writes)
      released.join(clock.fenced);
  });
}

bool ptxsim::observeLoad(Warp &warp, const Op &op, const Access &access) {
  count(warp, access);
  if (!checkRaces(warp, op, access, false))
    return false;
  if (warp.checks != nullptr)
    loadUndefined(warp, op, access);
  synchronise(warp, access, true, false);
  return true;
}

bool ptxsim::observeStore(Warp &warp, const Op &op, const Access &access,
                          const Slot *sources) {
  count(warp, access);
  if (!checkRaces(warp, op, access, true))
    return false;
  if (warp.checks != nullptr && !storeUndefined(warp, op, access, sources))
    return false;
  synchronise(warp, access, false, true);
  return true;
}

bool ptxsim::observeAtomic(Warp &warp, const Op &op, const Access &access) {
  count(warp, access);
  if (!checkRaces(warp, op, access, true))
    return false;
  if (warp.checks != nullptr && !atomicUndefined(warp, op, access))
    return false;
  synchronise(warp, access, true, true);
  return true;
}

bool ptxsim::observeMatrixLoad(Warp &warp, const Op &op, const Access &access,
                               unsigned) {
  count(warp, access);
  return checkRaces(warp, op, access, false);
}

bool ptxsim::observeMatrixStore(Warp &warp, const Op &op, const Access &access,
                                unsigned) {
  count(warp, access);
  return checkRaces(warp, op, access, true);
}

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
  else
    arriving.join(races->clockOf(warp).fenced);
}

void ptxsim::observeClusterLeave(Warp &warp) {
  uint64_t generation = warp.clusterGeneration[__builtin_ctz(warp.now.mask)];
  if (Counters *counters = warp.worker->counters)
    counters->leave(*warp.block, Counters::clusterBarrier, generation);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &own = races->clockOf(warp);
  races->acquire(own, races->cluster.collected[generation & 1]);
  meet(own, warp.now.mask);
}

void ptxsim::observeGridTrigger(Warp &warp) {
  GridRun *grid = warp.block->cluster->grid;
  if (grid->globalRaces != nullptr)
    grid->globalRaces->noteTrigger(grid);
}

void ptxsim::observeGridWait(Warp &warp) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &clock = races->clockOf(warp);
  clock.knowledge.remote[gridsBefore] = 1;
  clock.snapshot = nullptr;
}

bool ptxsim::observeExit(Warp &warp, LaneMask lanes) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr || (warp.live & ~lanes) != 0)
    return true;
  bool isLast =
      warp.block->liveThreads == uint32_t(__builtin_popcount(lanes));
  Fault fault;
  if (races->exit(*warp.block, races->clockOf(warp), isLast, fault))
    return true;
  warp.worker->stop(warp, *warp.now.pc, std::move(fault), -1);
  return false;
}

//===----------------------------------------------------------------------===//
// mbarriers
//===----------------------------------------------------------------------===//

/// Checks that the object at `offset` is initialised for, or idle before, `warp`.
static bool accessMBarrier(Warp &warp, const Op &op, Block &block,
                           uint32_t offset, int lane, bool isWrite) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return true;
  Accessor by = races->accessor(warp, op, lane);
  by.strong = !isWrite;
  Fault fault;
  if (races->access(block, offset, 8, isWrite, by, fault))
    return true;
  fault.notes.push_back("the access is that of an mbarrier object");
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
  return accessMBarrier(warp, op, block, offset, lane, true);
}

bool ptxsim::observeMBarrierInval(Warp &warp, const Op &op, Block &block,
                                  uint32_t offset, int lane) {
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

void ptxsim::observeMBarrierArrival(Warp &warp, Block &block, uint32_t offset,
                                    MBarrier &barrier, MBarrierOrder order) {
  if (Counters *counters = warp.worker->counters)
    counters->arrive(block, offset, barrier.phase + 1);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  Knowledge mine;
  if (order == MBarrierOrder::None)
    mine = races->clockOf(warp).fenced;
  else
    races->release(races->clockOf(warp), mine);
  BlockRaces::MBarrierClock &clock = races->mbarrier(block, offset);
  uint64_t phase = barrier.phase + 1;
  clock.ofBlock[warp.block->rank].arriving(phase).join(mine);
  if (order != MBarrierOrder::Block)
    clock.clock.arriving(phase).join(mine);
}

bool ptxsim::mayBeUnseen(Warp &warp, Block &block, uint32_t offset,
                         const MBarrier &barrier) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr || barrier.phase == 0 ||
      barrier.phaseOfCopy != barrier.phase)
    return false;
  Actor actor = races->mbarrier(block, offset).actor;
  const WarpClock &own = races->clockOf(warp);
  return std::max(own.knowledge.known[actor], own.pending.known[actor]) <
         Epoch(barrier.phase);
}

void ptxsim::observeMBarrierWait(Warp &warp, Block &block, uint32_t offset,
                                 MBarrier &barrier, MBarrierOrder order) {
  if (Counters *counters = warp.worker->counters) {
    counters->waitPhase(block, offset, barrier.phase - 1);
    counters->leave(block, offset, barrier.phase);
  }
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  BlockRaces::MBarrierClock &clock = races->mbarrier(block, offset);
  WarpClock &own = races->clockOf(warp);
  Knowledge &seen = order == MBarrierOrder::None ? own.pending : own.knowledge;
  clock.ofBlock[warp.block->rank].learn(barrier.phase, seen);
  if (order != MBarrierOrder::Block)
    clock.clock.learn(barrier.phase, seen);
  seen.known.set(clock.actor, Epoch(barrier.phase));
  if (order != MBarrierOrder::None)
    own.snapshot = nullptr;
}

//===----------------------------------------------------------------------===//
// Fences
//===----------------------------------------------------------------------===//

void ptxsim::observeFence(Warp &warp, LaneMask, FenceKind kind) {
  Counters *counters = warp.worker->counters;
  if (counters != nullptr && kind >= FenceKind::Device)
    counters->fence(warp);
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr)
    return;
  WarpClock &clock = races->clockOf(warp);
  races->acquire(clock, clock.pending);
  clock.pending.clear();
  races->release(clock, clock.fenced);
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
  clock.snapshot = nullptr;
}

//===----------------------------------------------------------------------===//
// Asynchronous work
//===----------------------------------------------------------------------===//

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
    actor = races.newActor({which, warp.block, warp.index, warp.now.code});
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
  by.op = uint32_t(operation.origin.op - operation.origin.code->ops.data());
  by.async = kind != AsyncKind::Copies;
  if (barrierBlock == nullptr)
    return true;
  auto barrier = barrierBlock->mbarriers.find(barrierOffset);
  if (barrier == barrierBlock->mbarriers.end())
    return false;
  by.actor = races.mbarrier(*barrierBlock, barrierOffset).actor;
  by.epoch = Epoch(barrier->second.phase + 1);
  races.setCode(by.actor, operation.origin.code);
  return true;
}

bool ptxsim::observeAsyncRead(Worker &worker, AsyncOperation &operation,
                              AsyncKind kind, Block &block, uint32_t offset,
                              uint32_t bytes, Block *barrierBlock,
                              uint32_t barrierOffset) {
  if (operation.knowledge == nullptr)
    return true;
  ClusterRaces &races = *block.cluster->races;
  Accessor by;
  Fault fault;
  if (!findAccessor(races, operation, kind, barrierBlock, barrierOffset, by) ||
      races.accessLater(block, offset, bytes, false, by, fault))
    return true;
  return worker.stopAt(operation.origin, std::move(fault));
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
                               uint32_t barrierOffset) {
  if (worker.counters != nullptr && barrierBlock != nullptr)
    arriveAsync(*worker.counters, *barrierBlock, barrierOffset);
  if (operation.knowledge == nullptr)
    return true;
  ClusterRaces &races = *block.cluster->races;
  Accessor by;
  Fault fault;
  if (!findAccessor(races, operation, kind, barrierBlock, barrierOffset, by) ||
      races.accessLater(block, offset, bytes, true, by, fault))
    return true;
  return worker.stopAt(operation.origin, std::move(fault));
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
  by.op = uint32_t(origin.op - origin.code->ops.data());
  by.lane = origin.lane < 0 ? 0 : uint32_t(origin.lane);
  by.many = true;
  by.strong = strong;
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
  clock.snapshot = nullptr;
  if (kind != AsyncKind::Bulk || onlyRead)
    return;
  if (clock.bulkWrites == 0)
    clock.bulkWrites = races->newActor(
        {ActorInfo::Kind::Bulk, warp.block, warp.index, warp.now.code});
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
