// Turns of the warps of a cluster.

#include "tools/ptxsim/machine/Scheduler.h"

#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Interpreter.h"
#include "tools/ptxsim/core/Warpgroups.h"
#include "tools/ptxsim/machine/WrittenBits.h"

#include <algorithm>
#include <cstring>
#include <numeric>

using namespace ptxsim;

/// Ops of a warp before the next one has its turn.
static constexpr uint32_t sliceOps = 512;
/// Ops without any event after which lazy work is done: somebody polls for it.
static constexpr uint64_t patience = 20000;
/// How often everybody who waits with a time limit is told that it is over,
/// with nothing happening in between, before it counts as a deadlock.
static constexpr uint32_t patientRounds = 16;
/// What memory holds before anything is written.
static constexpr uint8_t poison = 0xa5;

static uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t x = (a ^ (b + 0x9e3779b97f4a7c15 + (a << 6) + (a >> 2))) *
               0xbf58476d1ce4e5b9;
  return x ^ (x >> 31);
}

static void startWarp(Warp &warp, Block &block, uint32_t index,
                      uint32_t threads, Worker &worker) {
  GridRun &grid = *block.cluster->grid;
  const Code &entry = *grid.entry;
  warp.reset();
  warp.index = index;
  warp.block = &block;
  warp.worker = &worker;
  uint32_t lanes = std::min(threads - index * 32, 32u);
  warp.live = lanes == 32 ? ~0u : (1u << lanes) - 1;
  warp.started = warp.live;
  if (grid.program->usesWarpgroups() &&
      (grid.options->checks == CheckLevel::All ||
       grid.options->schedule.kind != Schedule::Kind::Eager))
    warp.warpgroupRegisters = std::make_unique<WarpgroupRegisters>();
  warp.registersPerThread = grid.registersPerThread;
  warp.reserveRegisters(entry.frameBytes);
  std::memset(warp.registers, poison, entry.frameBytes);
  warp.localLimit = grid.localLimit;
  if (entry.localBytes != 0)
    warp.reserveLocal();
  warp.now.pc = entry.ops.data();
  warp.now.code = &entry;
  warp.now.mask = warp.live;
  warp.enter();
  if (grid.options->checks == CheckLevel::None)
    return;
  if (warp.checks == nullptr)
    warp.checks = std::make_unique<WarpChecks>();
  beginUndefined(warp);
}

static void startBlock(Block &block, Cluster &cluster, uint32_t rank,
                       Worker &worker) {
  GridRun &grid = *cluster.grid;
  const LaunchParameters &launch = grid.launch;
  const std::array<uint32_t, 3> &size = launch.cluster;
  uint32_t inside[3] = {rank % size[0], rank / size[0] % size[1],
                        rank / size[0] / size[1]};
  block.cluster = &cluster;
  block.rank = rank;
  for (int i = 0; i < 3; ++i)
    block.index[size_t(i)] =
        cluster.index[size_t(i)] * size[size_t(i)] + inside[i];
  block.linear =
      block.index[0] +
      launch.grid[0] *
          (block.index[1] + uint64_t(launch.grid[1]) * block.index[2]);
  block.sharedBytes = grid.sharedBytes;
  block.sharedStorage.resize(grid.sharedBytes + 128);
  uint64_t address = reinterpret_cast<uint64_t>(block.sharedStorage.data());
  block.shared = block.sharedStorage.data() + (128 - address % 128) % 128;
  std::memset(block.shared, poison, block.sharedBytes);
  uint32_t threads = launch.block[0] * launch.block[1] * launch.block[2];
  block.liveThreads = threads;
  block.liveWarps = (threads + 31) / 32;
  block.barriers.fill(NamedBarrier());
  block.mbarriers.clear();
  block.warpgroups.clear();
  block.freeRegisters = 0;
  block.triggered = false;
  if (grid.options->checks != CheckLevel::None) {
    block.sharedWritten.assign(bitmapBytes(block.sharedBytes), 0);
    block.sharedComputed.assign(bitmapBytes(block.sharedBytes), 0);
    // The barriers of cooperative groups hold anything, and each warp clears the
    // bit that is its own before it looks.
    setBits(block.sharedWritten.data(), h100::groupsSharedOffset,
            h100::groupsBarrierBytes);
  }
  block.warps.resize(block.liveWarps);
  for (uint32_t i = 0; i < block.liveWarps; ++i)
    startWarp(block.warps[i], block, i, threads, worker);
}

void ptxsim::startCluster(RunningCluster &cluster, GridRun &grid,
                          uint64_t linear, Worker &worker) {
  const LaunchParameters &launch = grid.launch;
  cluster.grid = &grid;
  cluster.linear = linear;
  std::array<uint32_t, 3> counts;
  for (size_t i = 0; i < 3; ++i)
    counts[i] = launch.grid[i] / launch.cluster[i];
  cluster.index = {uint32_t(linear % counts[0]),
                   uint32_t(linear / counts[0] % counts[1]),
                   uint32_t(linear / counts[0] / counts[1])};
  cluster.barrier = ClusterBarrier();
  cluster.progress = 1;
  cluster.changes = 0;
  cluster.executed = cluster.skipped = 0;
  cluster.lastProgress = cluster.lastExecuted = 0;
  cluster.lastEvents = cluster.quietSince = 0;
  cluster.expirations = 0;
  cluster.nextLookForEnd = RunningCluster::opsBetweenLooks;
  cluster.isEndless = false;
  cluster.random.seed(mix(mix(grid.options->schedule.seed, launch.serial), linear));
  cluster.async = std::make_unique<AsyncQueue>(cluster);
  cluster.blocks.resize(launch.cluster[0] * launch.cluster[1] * launch.cluster[2]);
  cluster.liveThreads = 0;
  for (uint32_t rank = 0; rank < cluster.blocks.size(); ++rank) {
    startBlock(cluster.blocks[rank], cluster, rank, worker);
    cluster.liveThreads += cluster.blocks[rank].liveThreads;
  }
  cluster.races = nullptr;
  if (grid.options->checks == CheckLevel::All)
    cluster.races = std::make_unique<ClusterRaces>(cluster);
  worker.observes = grid.options->checks != CheckLevel::None ||
                    worker.counters != nullptr;
}

/// The warps of the cluster in the order of their turns.
static void orderWarps(Cluster &cluster, std::vector<Warp *> &order) {
  order.clear();
  for (Block &block : cluster.blocks)
    for (Warp &warp : block.warps)
      if (warp.live != 0)
        order.push_back(&warp);
  if (cluster.grid->options->schedule.kind == Schedule::Kind::Random)
    std::shuffle(order.begin(), order.end(), cluster.random);
}

/// Lets time pass until the first sleeper wakes.
static bool wakeSleeper(Cluster &cluster, const std::vector<Warp *> &warps) {
  uint64_t first = ~uint64_t(0);
  for (Warp *warp : warps)
    for (Group &group : warp->groups)
      if (group.state == Group::State::Waiting && group.wakeTime != 0)
        first = std::min(first, group.wakeTime);
  if (first == ~uint64_t(0))
    return false;
  uint64_t now = cluster.time();
  if (first > now)
    cluster.skipped += first - now;
  for (Warp *warp : warps)
    for (Group &group : warp->groups)
      if (group.state == Group::State::Waiting && group.wakeTime != 0 &&
          group.wakeTime <= first)
        group.expired = true;
  return true;
}

/// Tells those who wait with a time limit that it is over.
static bool expireWaits(Cluster &cluster, const std::vector<Warp *> &warps) {
  if (cluster.expirations >= patientRounds)
    return false;
  bool any = false;
  for (Warp *warp : warps)
    for (Group &group : warp->groups)
      if (group.state == Group::State::Waiting && group.mayExpire) {
        group.expired = true;
        any = true;
      }
  cluster.expirations += any;
  return any;
}

/// Notes when something last happened, for the judgement that nothing does.
static void noteProgress(RunningCluster &cluster) {
  uint64_t now = cluster.progress + cluster.changes;
  if (now != cluster.lastProgress) {
    cluster.lastProgress = now;
    cluster.lastExecuted = cluster.executed;
    cluster.expirations = 0;
  }
  if (now + cluster.outside == cluster.lastEvents)
    return;
  cluster.lastEvents = now + cluster.outside;
  cluster.quietSince = cluster.executed;
  for (Block &block : cluster.blocks)
    for (Warp &warp : block.warps)
      warp.pollsAtProgress = warp.polls;
  cluster.forgetCircles();
}

/// Lets a warp fall behind now and then.
static bool missesTurn(RunningCluster &cluster, Warp &warp) {
  if (warp.missedTurns == 0 && cluster.random() % 64 == 0)
    warp.missedTurns = uint32_t(cluster.random() % 64);
  if (warp.missedTurns == 0)
    return false;
  --warp.missedTurns;
  return true;
}

RoundEnd ptxsim::runRound(RunningCluster &cluster, Worker &worker) {
  std::vector<Warp *> &order = worker.order;
  orderWarps(cluster, order);
  bool random = cluster.grid->options->schedule.kind == Schedule::Kind::Random;
  uint64_t progressBefore = cluster.progress;
  bool ran = false, missed = false;
  for (Warp *warp : order) {
    if (random && missesTurn(cluster, *warp)) {
      missed = true;
      continue;
    }
    uint32_t budget = random ? 1 + uint32_t(cluster.random() % sliceOps) : sliceOps;
    uint64_t before = warp->executed;
    SliceEnd end = runSlice(*warp, budget);
    if (end == SliceEnd::Stopped || worker.fault != nullptr)
      return RoundEnd::Stopped;
    ran |= end == SliceEnd::Budget || warp->executed != before;
    if (random)
      cluster.async->completeSome(worker);
  }
  if (worker.fault != nullptr)
    return RoundEnd::Stopped;
  noteProgress(cluster);
  if (cluster.liveThreads == 0) {
    while (cluster.async->completeOne(worker))
      if (worker.fault != nullptr)
        return RoundEnd::Stopped;
    return RoundEnd::Finished;
  }
  if (!ran && missed) {
    for (Warp *warp : order)
      warp->missedTurns = 0;
    return RoundEnd::Running;
  }
  if (ran && hasNoEnd(cluster))
    return RoundEnd::Blocked;
  bool tired = cluster.executed - cluster.lastExecuted > patience;
  if (ran && !tired)
    return RoundEnd::Running;
  if (cluster.async->completeOne(worker))
    return worker.fault != nullptr ? RoundEnd::Stopped : RoundEnd::Running;
  if (ran) {
    seekCircles(cluster);
    return isLivelocked(cluster) ? RoundEnd::Blocked : RoundEnd::Running;
  }
  if (cluster.progress != progressBefore)
    return RoundEnd::Running;
  if (wakeSleeper(cluster, order) || expireWaits(cluster, order))
    return RoundEnd::Running;
  return RoundEnd::Blocked;
}
