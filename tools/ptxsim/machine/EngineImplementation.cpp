// Runs grids: in parallel where blocks cannot tell each other anything, else
// interleaved as if all resident blocks ran at once.

#include "tools/ptxsim/checks/GlobalRaces.h"
#include "tools/ptxsim/count/Report.h"
#include "tools/ptxsim/machine/Program.h"
#include "tools/ptxsim/machine/Scheduler.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <thread>

using namespace ptxsim;

namespace {
/// A grid that was started.
class StartedGrid : public Grid {
public:
  bool isFinished() const override { return finished; }
  bool isTriggered() const override { return finished || triggered; }
  Clock heard() const override { return run.heard; }
  bool meetsHost() const override { return run.meetsHost; }
  const Fault *fault() const override { return failure.get(); }

  GridRun run;
  KernelProgram *program = nullptr;
  uint64_t clusters = 0;     ///< In all: may be more than 2^32.
  uint64_t nextCluster = 0;  ///< The first that was not admitted yet.
  uint64_t doneClusters = 0;
  uint32_t residentLimit = 1; ///< Clusters at once.
  std::vector<std::unique_ptr<RunningCluster>> resident;
  std::vector<std::unique_ptr<RunningCluster>> spare;
  std::unique_ptr<Fault> failure;
  std::atomic<bool> finished{false};
  bool triggered = false;
  bool reportedTrigger = false;
  Occupancy occupancy;
  uint64_t l1Bytes = 0; ///< Of a block.
  std::unique_ptr<Counters> counters; ///< Null if nothing is counted.
};

class EngineImplementation : public Engine {
public:
  explicit EngineImplementation(const EngineOptions &options)
      : settings(options), worker(store) {
    if (options.checks != CheckLevel::None)
      store.trackWrites();
    if (!options.counts)
      return;
    counted = std::make_unique<CountReport>();
    l2 = std::make_unique<L2Cache>(h100::l2Bytes);
  }

  const EngineOptions &options() const override { return settings; }
  Memory &memory() override { return store; }
  std::unique_ptr<LoadedModule>
  load(std::unique_ptr<ptx::Module> module, uint64_t context,
       std::vector<ptx::Diagnostic> &diagnostics) override;
  std::shared_ptr<Grid> start(const LaunchParameters &parameters,
                              const Limits &limits,
                              std::vector<std::shared_ptr<Grid>> prerequisites,
                              Fault &fault) override;
  EngineEvent run() override;
  void failStalled() override;
  void noteHostWrite(uint64_t address, uint64_t bytes) override {
    store.noteWritten(address, bytes);
    ++happened;
  }
  void noteCopy(uint64_t destination, uint64_t source,
                uint64_t bytes) override {
    store.noteCopied(destination, source, bytes);
    ++happened;
  }
  bool compare(const HostTransfer &transfer, Fault &fault) override {
    return settings.checks != CheckLevel::All ||
           races.transfer(transfer, store, fault);
  }
  void noteOrdered(const Clock &before) override { races.forget(before); }
  void noteRenewed(uint64_t address, uint64_t bytes) override {
    races.forgetRange(address, bytes);
  }
  std::vector<WorkOrder> takeMeetings() override {
    return races.takeMeetings();
  }
  std::string report() const override {
    return counted == nullptr || counted->isEmpty() ? ""
                                                    : counted->json(settings);
  }

private:
  bool makeWorkspace(GridRun &run, Fault &fault);
  bool prepare(StartedGrid &grid, const Limits &limits, Fault &fault);
  void prepareRaces(StartedGrid &grid);
  void prepareCounters(StartedGrid &grid) const;
  bool runsInParallel(const StartedGrid &grid) const;
  void runInParallel(StartedGrid &grid);
  void admit(StartedGrid &grid);
  bool round(StartedGrid &grid);
  void finish(StartedGrid &grid, std::unique_ptr<Fault> fault);
  void noteTrigger(StartedGrid &grid) const;

  EngineOptions settings;
  Memory store;
  GlobalRaces races;
  Worker worker;
  std::deque<std::shared_ptr<StartedGrid>> grids; ///< Not finished.
  uint64_t time = 0; ///< %globaltimer, in ns.
  uint64_t happened = 0; ///< As RunningCluster::outside.
  std::unique_ptr<CountReport> counted; ///< Null if nothing is counted, as
  std::unique_ptr<L2Cache> l2;          ///< this.
};
} // namespace

std::unique_ptr<Engine> Engine::create(const EngineOptions &options) {
  return std::make_unique<EngineImplementation>(options);
}

std::unique_ptr<LoadedModule>
EngineImplementation::load(std::unique_ptr<ptx::Module> module,
                           uint64_t context,
                           std::vector<ptx::Diagnostic> &diagnostics) {
  if (!checkModule(*module, diagnostics))
    return nullptr;
  return std::make_unique<LoadedProgram>(std::move(module), store, context);
}

Occupancy ptxsim::occupancyOf(const KernelAttributes &attributes,
                              uint32_t threads, uint64_t sharedBytes) {
  uint32_t warps = (threads + 31) / 32;
  if (warps == 0 || threads > h100::threadsPerBlock)
    return {};
  Occupancy result;
  result.byThreads = h100::threadsPerMultiprocessor / 32 / warps;
  result.byBlocks = h100::blocksPerMultiprocessor;
  result.byBarriers = attributes.barriers == 0
                          ? result.byBlocks
                          : h100::barriersPerMultiprocessor / attributes.barriers;
  result.byRegisters =
      attributes.registers == 0
          ? result.byThreads
          : h100::warpsByRegisters(attributes.registers) / warps;
  uint64_t shared =
      (sharedBytes + h100::reservedSharedBytesPerBlock + 127) / 128 * 128;
  result.byShared = uint32_t(h100::sharedBytesPerMultiprocessor / shared);
  return result;
}

uint32_t ptxsim::blocksPerMultiprocessor(const KernelAttributes &attributes,
                                         uint32_t threads,
                                         uint64_t sharedBytes) {
  return occupancyOf(attributes, threads, sharedBytes).blocks();
}

/// Gives a cooperative launch the words at %envreg1/2 with which its blocks wait
/// for each other: a size that nothing reads, and a counter.
bool EngineImplementation::makeWorkspace(GridRun &run, Fault &fault) {
  constexpr uint64_t bytes = 8;
  run.workspace = store.allocate(bytes, 256, MemoryKind::Variable,
                                 run.launch.context, "grid workspace");
  if (run.workspace == 0) {
    fault.message = "expected memory for a cooperative launch, got none";
    return false;
  }
  std::memset(reinterpret_cast<void *>(run.workspace), 0, bytes);
  store.noteWritten(run.workspace, bytes);
  return true;
}

bool EngineImplementation::prepare(StartedGrid &grid, const Limits &limits,
                                   Fault &fault) {
  const LaunchParameters &launch = grid.run.launch;
  const Kernel &kernel = *launch.kernel;
  GridRun &run = grid.run;
  run.kernelName = kernel.name;
  run.module = &kernel.owner.module();
  fault.place.kernel = kernel.name;
  fault.place.module = run.module->name;
  grid.program = kernel.program(fault.message);
  if (grid.program == nullptr)
    return false;
  const KernelProgram &program = *grid.program;
  const KernelAttributes &attributes = kernel.attributes();
  run.limits = limits;
  run.entry = program.entryCode();
  run.program = grid.program;
  run.memory = &store;
  run.options = &settings;
  run.staticSharedBytes = uint32_t(program.staticSharedBytes);
  run.dynamicSharedOffset = program.dynamicSharedOffset;
  run.sharedBytes = program.dynamicSharedOffset + launch.dynamicSharedBytes;
  run.registersPerThread = attributes.registersToMove;
  run.registers = attributes.registers;
  run.localLimit = uint32_t(std::min<uint64_t>(
      program.localBytes + limits.stackBytes, h100::localBytesPerThread));
  run.localLimit = (run.localLimit + 15) / 16 * 16;
  run.startTime = time;
  if (run.entry->localBytes > run.localLimit) {
    fault.message = "expected at most " + std::to_string(run.localLimit) +
                    " bytes of local memory of a thread, got " +
                    std::to_string(run.entry->localBytes);
    return false;
  }
  if (run.sharedBytes > h100::sharedBytesPerMultiprocessor) {
    fault.message = "expected at most " +
                    std::to_string(h100::sharedBytesPerBlockOptIn) +
                    " bytes of shared memory, got " +
                    std::to_string(run.sharedBytes -
                                   h100::reservedSharedBytesPerBlock);
    return false;
  }
  uint32_t threads = launch.block[0] * launch.block[1] * launch.block[2];
  uint32_t blocks = launch.cluster[0] * launch.cluster[1] * launch.cluster[2];
  grid.occupancy = occupancyOf(
      attributes, threads,
      run.sharedBytes - h100::reservedSharedBytesPerBlock);
  uint32_t fit = grid.occupancy.blocks();
  grid.residentLimit = std::max(1u, fit * h100::multiprocessors / blocks);
  grid.clusters = uint64_t(launch.grid[0] / launch.cluster[0]) *
                  (launch.grid[1] / launch.cluster[1]) *
                  (launch.grid[2] / launch.cluster[2]);
  if (launch.cooperative && !makeWorkspace(run, fault))
    return false;
  if (settings.checks == CheckLevel::All)
    prepareRaces(grid);
  if (counted != nullptr)
    prepareCounters(grid);
  return true;
}

void EngineImplementation::prepareRaces(StartedGrid &grid) {
  grid.run.globalRaces = &races;
  std::vector<const GridRun *> before;
  for (const std::shared_ptr<Grid> &prerequisite : grid.run.prerequisites)
    before.push_back(&static_cast<StartedGrid &>(*prerequisite).run);
  races.addGrid(grid.run, grid.clusters, before, grid.program->lifetime());
}

void EngineImplementation::prepareCounters(StartedGrid &grid) const {
  const std::array<uint32_t, 3> &size = grid.run.launch.grid;
  uint64_t blocks = uint64_t(size[0]) * size[1] * size[2];
  uint64_t spread =
      (blocks + h100::multiprocessors - 1) / h100::multiprocessors;
  grid.l1Bytes = l1BytesOfBlock(
      std::min<uint64_t>(grid.occupancy.blocks(), spread), grid.run.sharedBytes);
  grid.counters = std::make_unique<Counters>(store, *l2, grid.l1Bytes);
}

std::shared_ptr<Grid>
EngineImplementation::start(const LaunchParameters &parameters,
                            const Limits &limits,
                            std::vector<std::shared_ptr<Grid>> prerequisites,
                            Fault &fault) {
  auto grid = std::make_shared<StartedGrid>();
  grid->run.launch = parameters;
  grid->run.prerequisites = std::move(prerequisites);
  if (!prepare(*grid, limits, fault))
    return nullptr;
  grids.push_back(grid);
  return grid;
}

void EngineImplementation::finish(StartedGrid &grid,
                                  std::unique_ptr<Fault> fault) {
  grid.failure = std::move(fault);
  if (grid.counters != nullptr)
    counted->add(grid.run, *grid.counters, grid.occupancy, grid.l1Bytes,
                 grid.failure != nullptr);
  grid.counters = nullptr;
  worker.counters = nullptr;
  grid.resident.clear();
  grid.spare.clear();
  races.removeGrid(grid.run);
  grid.run.prerequisites.clear(); // Else a chain of launches would keep all.
  if (grid.run.workspace != 0)
    store.free(grid.run.workspace);
  grid.finished = true;
}

bool EngineImplementation::runsInParallel(const StartedGrid &grid) const {
  return !grid.program->communicates && !grid.run.launch.cooperative &&
         grids.size() == 1 &&
         std::all_of(grid.run.prerequisites.begin(),
                     grid.run.prerequisites.end(),
                     [](const auto &before) { return before->isFinished(); }) &&
         settings.threads != 1 && !settings.counts;
}

/// Every thread runs one cluster after another. Not if something is counted:
/// the caches must see accesses in the order of clusters that run at once.
void EngineImplementation::runInParallel(StartedGrid &grid) {
  unsigned count = settings.threads != 0
                       ? settings.threads
                       : std::max(1u, std::thread::hardware_concurrency());
  count = unsigned(std::min<uint64_t>(count, grid.clusters));
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  std::unique_ptr<Fault> first;
  uint64_t firstCluster = ~uint64_t(0);
  std::atomic<uint64_t> longest{0};
  auto body = [&] {
    Worker own(store);
    RunningCluster cluster;
    for (;;) {
      uint64_t linear = next.fetch_add(1);
      if (linear >= grid.clusters)
        return;
      startCluster(cluster, grid.run, linear, own);
      RoundEnd end;
      do
        end = runRound(cluster, own);
      while (end == RoundEnd::Running);
      if (end == RoundEnd::Blocked)
        reportDeadlock({&cluster}, {}, own);
      uint64_t known = longest;
      while (cluster.time() > known &&
             !longest.compare_exchange_weak(known, cluster.time())) {
      }
      if (own.fault == nullptr)
        continue;
      std::lock_guard<std::mutex> lock(mutex);
      if (linear < firstCluster) {
        firstCluster = linear;
        first = std::move(own.fault);
      }
      next = grid.clusters; // Those before it are running; no further ones.
      return;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < count; ++i)
    threads.emplace_back(body);
  body();
  for (std::thread &thread : threads)
    thread.join();
  time += longest;
  finish(grid, std::move(first));
}

/// Starts clusters as long as there is room for them.
void EngineImplementation::admit(StartedGrid &grid) {
  while (grid.nextCluster < grid.clusters &&
         grid.resident.size() < grid.residentLimit) {
    std::unique_ptr<RunningCluster> cluster;
    if (grid.spare.empty()) {
      cluster = std::make_unique<RunningCluster>();
    } else {
      cluster = std::move(grid.spare.back());
      grid.spare.pop_back();
    }
    startCluster(*cluster, grid.run, grid.nextCluster++, worker);
    grid.resident.push_back(std::move(cluster));
  }
}

void EngineImplementation::noteTrigger(StartedGrid &grid) const {
  if (grid.triggered || grid.nextCluster < grid.clusters)
    return;
  for (const std::unique_ptr<RunningCluster> &cluster : grid.resident)
    for (const Block &block : cluster->blocks)
      if (!block.triggered && block.liveThreads != 0)
        return;
  grid.triggered = true;
}

/// One round of every resident cluster.
///
/// \returns true if any of them did something.
bool EngineImplementation::round(StartedGrid &grid) {
  worker.counters = grid.counters.get();
  admit(grid);
  bool active = false;
  uint64_t longest = 0;
  for (std::unique_ptr<RunningCluster> &cluster : grid.resident) {
    uint64_t before = cluster->time();
    uint64_t events = cluster->progress + cluster->changes;
    cluster->outside = happened;
    switch (runRound(*cluster, worker)) {
    case RoundEnd::Running:
      active = true;
      happened += cluster->progress + cluster->changes - events;
      break;
    case RoundEnd::Blocked: // Whatever a loop without end does is no event.
      break;
    case RoundEnd::Finished:
      active = true;
      ++happened;
      ++grid.doneClusters;
      grid.spare.push_back(std::move(cluster));
      break;
    case RoundEnd::Stopped:
      finish(grid, std::move(worker.fault));
      return true;
    }
    if (cluster != nullptr)
      longest = std::max(longest, cluster->time() - before);
  }
  time += longest;
  grid.resident.erase(
      std::remove(grid.resident.begin(), grid.resident.end(), nullptr),
      grid.resident.end());
  if (grid.doneClusters == grid.clusters)
    finish(grid, nullptr);
  return active;
}

EngineEvent EngineImplementation::run() {
  for (;;) {
    if (grids.empty())
      return EngineEvent::Idle;
    if (grids.front()->nextCluster == 0 && runsInParallel(*grids.front())) {
      runInParallel(*grids.front());
      grids.pop_front();
      return EngineEvent::Finished;
    }
    bool active = false;
    for (size_t i = 0; i < grids.size(); ++i) {
      StartedGrid &grid = *grids[i];
      active |= round(grid);
      if (grid.finished) {
        grids.erase(grids.begin() + ptrdiff_t(i));
        return EngineEvent::Finished;
      }
      noteTrigger(grid);
      if (grid.triggered && !grid.reportedTrigger) {
        grid.reportedTrigger = true;
        return EngineEvent::Triggered;
      }
    }
    if (!active)
      return EngineEvent::Stalled;
  }
}

void EngineImplementation::failStalled() {
  while (!grids.empty()) {
    StartedGrid &grid = *grids.front();
    std::vector<RunningCluster *> clusters;
    for (const std::unique_ptr<RunningCluster> &cluster : grid.resident)
      clusters.push_back(cluster.get());
    reportDeadlock(clusters,
                   {grid.nextCluster, grid.clusters - grid.nextCluster,
                    grid.residentLimit},
                   worker);
    finish(grid, std::move(worker.fault));
    grids.pop_front();
  }
}
