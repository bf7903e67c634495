// Hands what happens on to the checks that are on.

#include "tools/ptxsim/core/Observe.h"

#include "tools/ptxsim/checks/GlobalRaces.h"
#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Warpgroups.h"
#include "tools/ptxsim/count/Counters.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;

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
         observeWarpgroupRegisters(warp, op, info, mask);
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
  by.op = warp.now.code->numberOf(op);
  return by;
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

static unsigned scopeOf(const Access &access) {
  return std::min(unsigned(access.scope), deviceScope);
}

/// The least of 32 epochs; unlike std::min_element it becomes vectors.
static Epoch leastOf(const Epoch (&epochs)[32]) {
  Epoch least = epochs[0];
#pragma clang loop vectorize_width(8) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    least = std::min(least, epochs[lane]);
  return least;
}

/// The lanes whose `sources` are what their memory holds.
static Repeats repeatsOf(const Warp &warp, const Op &op, const Access &access,
                         const Slot *sources) {
  uint32_t bytes = access.bytes / op.count;
  Repeats result = 0;
  forLanes(access.mask, [&](int lane) {
    bool same = true;
    for (uint32_t i = 0; i < op.count; ++i)
      same &= std::memcmp(access.pointers[lane] + i * bytes,
                          warp.at<uint8_t>(sources[i]) + uint32_t(lane) * bytes,
                          bytes) == 0;
    result |= Repeats(same) << lane;
  });
  return result;
}

/// Compares an access with those before it. A store has `sources`.
static bool checkRaces(Warp &warp, const Op &op, const Access &access,
                       bool isWrite, const Slot *sources = nullptr) {
  ClusterRaces *races = racesOf(warp);
  if (races == nullptr || access.space == ptx::Space::Local ||
      access.space == ptx::Space::Parameter)
    return true;
  GlobalRaces &global = *warp.block->cluster->grid->globalRaces;
  const WarpClock &clock = races->clockOf(warp);
  Accessor by = races->accessor(warp, op, 0);
  GlobalAccessor globalBy = globalAccessor(warp, op, *races);
  globalBy.strength =
      access.strong ? Strength(StrongInBlock + scopeOf(access)) : Weak;
  globalBy.readsOnly = access.nonCoherent;
  by.strength = access.strong && races->hasOneBlock() ? StrongForAll
                                                      : globalBy.strength;
  bool isShared = access.space == ptx::Space::Shared;
  LaneMask lanes = ~LaneMask(0);
  if (access.contiguous) { // All lanes are in one memory.
    by.laneSync = globalBy.laneSync = leastOf(clock.laneSync);
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
  int lane = -1;
  auto check = [&](Fault &fault) {
    if (isShared)
      return races->accessEach(*warp.block, access.addresses, lanes,
                               access.bytes, isWrite, clock, by, fault, lane);
    if (access.space == ptx::Space::Global)
      return global.accessEach(access.addresses, lanes, access.bytes, isWrite,
                               clock, globalBy, fault, lane);
    for (LaneMask rest = lanes; rest != 0; rest &= rest - 1) {
      lane = __builtin_ctz(rest);
      if (!checkLane(warp, access, lane, isWrite, *races, global, by, globalBy,
                     fault))
        return false;
    }
    return true;
  };
  Fault fault;
  if (check(fault))
    return true;
  by.repeats = globalBy.repeats =
      sources == nullptr ? 0 : repeatsOf(warp, op, access, sources);
  if (by.repeats >> lane & 1) {
    lanes &= ~LaneMask(0) << lane; // Those before are remembered.
    fault = Fault();
    if (check(fault))
      return true;
  }
  warp.worker->stop(warp, op, std::move(fault), lane);
  return false;
}

/// What a warp shows to other clusters but for fences: what it knows of its own and
/// of others.
static RemoteClock shownOf(const ClusterRaces &races,
                           const Knowledge &knowledge) {
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

/// All that a warp shows to other clusters.
static RemoteClock shown(const ClusterRaces &races, const Knowledge &knowledge) {
  RemoteClock result = shownOf(races, knowledge);
  auto add = [&](const std::shared_ptr<const Knowledge> &fenced, uint32_t flag) {
    if (fenced == nullptr)
      return;
    for (auto [key, epoch] : shownOf(races, *fenced))
      if (key < remoteWork)
        result[key | flag] = epoch;
  };
  if (const FenceOrder *fences = knowledge.fences.get()) {
    add(fences->shown[deviceScope], remoteShown);
    add(fences->seen[deviceScope], remoteSeen);
  }
  return result;
}

static void learn(ClusterRaces &races, const RemoteClock &released,
                  Knowledge &knowledge);

/// Adds what was released of fences.
static void learnFences(ClusterRaces &races, const RemoteClock &released,
                        FenceOrderPointer &fences) {
  FenceOrder order;
  auto take = [&](uint32_t flag, std::shared_ptr<const Knowledge> &result) {
    RemoteClock part;
    for (auto [key, epoch] : released)
      if (key != gridsBefore && key & flag)
        part[key & ~flag] = epoch;
    if (part.empty())
      return;
    auto knowledge = std::make_shared<Knowledge>();
    learn(races, part, *knowledge);
    result = std::move(knowledge);
  };
  take(remoteShown, order.shown[deviceScope]);
  take(remoteSeen, order.seen[deviceScope]);
  joinFences(fences, std::make_shared<FenceOrder>(order));
}

/// Adds what was released through global memory to what is known.
static void learn(ClusterRaces &races, const RemoteClock &released,
                  Knowledge &knowledge) {
  bool anyFence = false;
  for (auto [key, epoch] : released) {
    Actor actor = 0;
    if (key != gridsBefore && key & (remoteShown | remoteSeen)) {
      anyFence = true;
      continue;
    }
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
  if (anyFence)
    learnFences(races, released, knowledge.fences);
}

void ptxsim::observeHost(Warp &warp) {
  GridRun &grid = *warp.block->cluster->grid;
  if (grid.globalRaces != nullptr && !grid.meetsHost.exchange(true))
    grid.globalRaces->noteMeeting(&grid);
}

namespace {
/// What a strong access orders: releases are kept by address and by those for
/// whom they are meant, acquires take them; without these words the fences before
/// and after count. The scopes of all of them matter: an access of the scope of
/// the device is also one of its block for those who only look there.
class Synchronisation {
public:
  Synchronisation(Warp &warp, const Op &op, const Access &access)
      : warp(warp), races(*racesOf(warp)), clock(races.clockOf(warp)),
        grid(*warp.block->cluster->grid), global(*grid.globalRaces),
        access(access), bytes(access.bytes / op.count) {}

  /// Notes whether the host may see the access.
  void noteHost() {
    forLanes(access.mask, [&](int lane) {
      uint32_t offset = 0;
      if (grid.meetsHost || sharedOf(warp, access, lane, offset) != nullptr)
        return;
      const Range *range =
          warp.worker->findRange(access.addresses[lane], access.bytes);
      if (range != nullptr && range->ofHost)
        observeHost(warp);
    });
  }

  void acquire() {
    forLanes(access.mask, [&](int lane) {
      uint32_t offset = 0;
      Block *block = sharedOf(warp, access, lane, offset);
      forScopes([&](unsigned scope) {
        Knowledge &knowledge =
            access.acquires ? clock.knowledge : clock.pending[scope];
        if (block != nullptr)
          acquireShared(*block, offset, scope, knowledge);
        else
          acquireGlobal(access.addresses[lane], scope, knowledge);
      });
    });
  }

  void release(bool isAtomic) {
    StrongWrite write = {races.firstWarp + clock.actor, bytes, isAtomic};
    std::shared_ptr<const Knowledge> now;
    if (access.releases)
      now = races.snapshot(clock);
    const FenceOrderPointer fences = clock.knowledge.fences;
    forLanes(access.mask, [&](int lane) {
      uint32_t offset = 0;
      Block *block = sharedOf(warp, access, lane, offset);
      forScopes([&](unsigned scope) {
        const auto &knowledge = now != nullptr ? now : clock.fenced[scope];
        const auto fenced = fences == nullptr ? nullptr : fences->shown[scope];
        if (block != nullptr) {
          releaseShared(*block, {offset, domainInCluster(scope)}, write,
                        knowledge, fenced);
          return;
        }
        uint64_t address = access.addresses[lane];
        global.release(address, domain(scope), write, remoteOf(knowledge));
        if (fenced != nullptr || global.hasShown())
          global.release(address, domain(scope) | GlobalRaces::shownDomain, write,
                         remoteOf(fenced));
      });
    });
  }

  /// Lets a store say which reads are over: those before the last barrier.
  void sayReads() {
    if (scopeOf(access) != deviceScope)
      return;
    bool isSaid = false;
    uint32_t number = 0;
    forGlobal([&](uint64_t address) {
      if (!isSaid)
        number = saidNow();
      isSaid = true;
      global.readFlags().put(address, number);
    });
  }

  /// Hears what flags say about reads.
  void hearReads() {
    const ReadFlags &flags = global.readFlags();
    if (!flags.any() || scopeOf(access) != deviceScope)
      return;
    SeenFlags heard;
    forGlobal([&](uint64_t address) {
      if (uint32_t number = flags.at(address))
        heard.numbers.push_back(number);
    });
    std::sort(heard.numbers.begin(), heard.numbers.end());
    heard.numbers.erase(
        std::unique(heard.numbers.begin(), heard.numbers.end()),
        heard.numbers.end());
    clock.knowledge.seen.join(heard);
  }

private:
  uint32_t saidNow() {
    SeenFlags &seen = clock.knowledge.seen;
    std::vector<Epoch> epochs(races.warpCount());
    for (Actor actor = 0; actor < races.warpCount(); ++actor)
      epochs[actor] = clock.knowledge.known[actor];
    uint32_t number = global.readFlags().add(races.firstWarp, std::move(epochs),
                                             seen, clock.lastFlag);
    if (number != 0)
      seen.numbers = {number}; // It tells of all that was seen.
    return clock.lastFlag = number;
  }

  /// Calls `visit` with the addresses of global memory.
  template <typename Visit> void forGlobal(Visit visit) const {
    forLanes(access.mask, [&](int lane) {
      uint32_t offset = 0;
      if (sharedOf(warp, access, lane, offset) == nullptr)
        visit(access.addresses[lane]);
    });
  }

  /// Calls `visit` with the scopes that the access has. That of a cluster of one
  /// block is that of the block.
  template <typename Visit> void forScopes(Visit visit) const {
    for (unsigned scope = 0; scope <= scopeOf(access); ++scope)
      if (scope != clusterScope || !races.hasOneBlock())
        visit(scope);
  }

  void acquireShared(const Block &block, uint32_t offset, unsigned scope,
                     Knowledge &knowledge) {
    auto &released = races.racesOf(block).released;
    auto found = released.find({offset, domainInCluster(scope)});
    if (found == released.end())
      return;
    if (auto all = found->second.sequence.read(bytes))
      knowledge.join(*all);
    seeFences(clock.knowledge.fences, scope, found->second.shown.read(bytes));
  }

  void acquireGlobal(uint64_t address, unsigned scope, Knowledge &knowledge) {
    uint32_t whom = domain(scope);
    if (auto released = global.acquire(address, whom, bytes, grid))
      learn(races, *released, knowledge);
    auto fenced = global.acquire(address, whom | GlobalRaces::shownDomain, bytes,
                                 grid);
    if (fenced == nullptr)
      return;
    auto seen = std::make_shared<Knowledge>();
    learn(races, *fenced, *seen);
    seeFences(clock.knowledge.fences, scope, std::move(seen));
  }

  void releaseShared(const Block &block, std::pair<uint32_t, uint32_t> place,
                     const StrongWrite &write,
                     const std::shared_ptr<const Knowledge> &knowledge,
                     const std::shared_ptr<const Knowledge> &fenced) {
    auto &all = races.racesOf(block).released;
    if (knowledge == nullptr && fenced == nullptr && all.count(place) == 0)
      return;
    BlockRaces::Released &released = all[place];
    released.sequence.add(write, knowledge);
    released.shown.add(write, fenced);
  }

  /// As other clusters take it; the last ones are kept, for lanes and scopes mostly
  /// have the same.
  GlobalRaces::Released remoteOf(const std::shared_ptr<const Knowledge> &knowledge) {
    if (knowledge == nullptr)
      return nullptr;
    for (const Converted &each : converted)
      if (each.from == knowledge)
        return each.to;
    Converted &oldest = converted[next++ % 2];
    oldest = {knowledge,
              std::make_shared<RemoteClock>(shown(races, *knowledge))};
    return oldest.to;
  }

  /// For whom a release of shared memory is meant: 0 is the cluster.
  uint32_t domainInCluster(unsigned scope) const {
    return scope == blockScope ? 1 + warp.block->rank : 0;
  }
  /// The same of global memory: 0 are all.
  uint32_t domain(unsigned scope) const {
    return scope == blockScope
               ? 1 + 2 * (races.firstWarp + clock.actor - warp.index)
           : scope == clusterScope ? 2 + 2 * races.firstWarp
                                   : 0;
  }

  Warp &warp;
  ClusterRaces &races;
  WarpClock &clock;
  const GridRun &grid;
  GlobalRaces &global;
  const Access &access;
  uint32_t bytes; ///< Of an element.
  struct Converted {
    std::shared_ptr<const Knowledge> from;
    GlobalRaces::Released to;
  };
  Converted converted[2];
  unsigned next = 0;
};
} // namespace

static void synchronise(Warp &warp, const Op &op, const Access &access,
                        bool reads, bool writes) {
  if (racesOf(warp) == nullptr || !access.strong ||
      access.space == ptx::Space::Local)
    return;
  Synchronisation synchronisation(warp, op, access);
  synchronisation.noteHost();
  if (reads) {
    synchronisation.acquire();
    synchronisation.hearReads();
  }
  if (writes)
    synchronisation.release(reads);
  if (writes && !reads)
    synchronisation.sayReads();
}

bool ptxsim::observeLoad(Warp &warp, const Op &op, const Access &access) {
  count(warp, access);
  if (!checkRaces(warp, op, access, false))
    return false;
  if (warp.checks != nullptr)
    loadUndefined(warp, op, access);
  synchronise(warp, op, access, true, false);
  return true;
}

bool ptxsim::observeStore(Warp &warp, const Op &op, const Access &access,
                          const Slot *sources) {
  count(warp, access);
  if (!checkRaces(warp, op, access, true, sources))
    return false;
  if (warp.checks != nullptr && !storeUndefined(warp, op, access, sources))
    return false;
  synchronise(warp, op, access, false, true);
  return true;
}

bool ptxsim::observeAtomic(Warp &warp, const Op &op, const Access &access) {
  count(warp, access);
  if (!checkRaces(warp, op, access, true))
    return false;
  if (warp.checks != nullptr && !atomicUndefined(warp, op, access))
    return false;
  synchronise(warp, op, access, true, true);
  return true;
}

static void countRows(Warp &warp, const Access &access) {
  if (Counters *counters = warp.worker->counters)
    counters->rows(warp, access);
}

bool ptxsim::observeMatrixLoad(Warp &warp, const Op &op, const Access &access) {
  countRows(warp, access);
  return checkRaces(warp, op, access, false);
}

bool ptxsim::observeMatrixStore(Warp &warp, const Op &op,
                                const Access &access) {
  countRows(warp, access);
  return checkRaces(warp, op, access, true);
}

bool ptxsim::observeElements(Warp &warp, const Op &op, const Access &access) {
  return checkRaces(warp, op, access, access.kind == AccessKind::Write);
}

void ptxsim::observeFragment(Warp &warp, const std::vector<Access> &parts) {
  warp.worker->counters->fragment(warp, parts);
}
