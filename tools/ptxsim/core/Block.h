// Blocks, clusters and grids while they run, and the host thread that runs them.

#ifndef TCC_TOOLS_PTXSIM_CORE_BLOCK_H
#define TCC_TOOLS_PTXSIM_CORE_BLOCK_H

#include "tools/ptxsim/core/Warp.h"
#include "tools/ptxsim/machine/Engine.h"

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

namespace ptxsim {

struct Cluster;
struct GridRun;
class AsyncQueue;
struct Warpgroup;
class WarpgroupMultiplier;
class ClusterRaces;
class GlobalRaces;
class Counters;

/// One of the 16 named barriers of a block.
struct NamedBarrier {
  uint32_t arrived = 0;    ///< Threads, of the present generation.
  uint32_t expected = 0;   ///< 0 until somebody arrives.
  bool wholeBlock = false; ///< No count was given: all that have not exited.
  uint64_t generation = 0; ///< Completed.
  uint64_t warps = 0;      ///< Those that wait or have arrived, one bit each.
  uint32_t reduction[3] = {0, 0xffffffff, 0}; ///< popc, and, or so far.
  uint32_t result[2][3] = {}; ///< Of the last even and odd generation.
};

/// An mbarrier object, beside its 64 bits in shared memory.
struct MBarrier {
  uint32_t expected = 0; ///< Arrivals of a phase.
  uint32_t pending = 0;  ///< Arrivals still missing in this one.
  int64_t transaction = 0; ///< Bytes expected less bytes come.
  uint64_t phase = 0;    ///< Completed phases.
  uint64_t bits = 0;     ///< As last written to shared memory.
  const Op *initialised = nullptr; ///< The mbarrier.init, for messages.
  const Code *code = nullptr;
  uint64_t phaseOfCopy = 0; ///< The last one that a copy completed.
};

struct Block {
  Block();
  ~Block();
  Block(Block &&);
  Block &operator=(Block &&);

  Cluster *cluster = nullptr;
  std::array<uint32_t, 3> index = {0, 0, 0}; ///< %ctaid
  uint64_t linear = 0;                       ///< In the grid, x fastest.
  uint32_t rank = 0;                         ///< In its cluster.
  uint8_t *shared = nullptr; ///< `sharedBytes`; addresses begin at 0.
  uint32_t sharedBytes = 0;  ///< With the reserved bytes at the beginning.
  std::vector<uint8_t> sharedStorage;
  /// A bit for each byte of shared memory: it was written, and what was written
  /// was computed from undefined values. Empty if nobody looks.
  std::vector<uint8_t> sharedWritten, sharedComputed;
  std::vector<Warp> warps;
  uint32_t liveThreads = 0;
  uint32_t liveWarps = 0;
  std::array<NamedBarrier, 16> barriers;
  std::unordered_map<uint32_t, MBarrier> mbarriers; ///< By shared address.
  std::vector<std::unique_ptr<Warpgroup>> warpgroups; ///< Made when needed.
  uint32_t freeRegisters = 0; ///< setmaxnreg gives back and takes from here.
  bool triggered = false;     ///< griddepcontrol.launch_dependents
};

/// barrier.cluster: all threads of all blocks.
struct ClusterBarrier {
  uint32_t arrived = 0;
  uint64_t generation = 0;
};

struct Cluster {
  GridRun *grid = nullptr;
  uint64_t linear = 0;
  std::array<uint32_t, 3> index = {0, 0, 0}; ///< %clusterid
  std::vector<Block> blocks;
  ClusterBarrier barrier;
  uint32_t liveThreads = 0;
  /// Counts everything a waiting group may wait for: arrivals, completions of
  /// asynchronous work, exits. A group is tried again only if it has changed.
  uint64_t progress = 1;
  uint64_t changes = 0;  ///< Writes to memory by warps.
  uint64_t executed = 0; ///< Ops of all its warps.
  uint64_t lastProgress = 0; ///< progress + changes when they last changed,
  uint64_t lastExecuted = 0; ///< and what was executed then.
  uint32_t expirations = 0;  ///< Time limits that were over since.
  uint64_t skipped = 0;  ///< Time in which everybody slept, in ns.
  std::mt19937_64 random;
  std::unique_ptr<AsyncQueue> async;
  std::unique_ptr<ClusterRaces> races; ///< Null if they are not looked for.

  Cluster();
  ~Cluster();
  Cluster(const Cluster &) = delete;
  Cluster &operator=(const Cluster &) = delete;
  /// Nanoseconds since it started: one for each op, and what it slept.
  uint64_t time() const { return executed + skipped; }
};

/// Where calls find functions.
class CodeSource {
public:
  virtual ~CodeSource() = default;
  /// The code of ptx::Module::functions[index], decoded when first asked for.
  ///
  /// \returns null and a message if there is none. Thread-safe.
  virtual const Code *codeOf(uint32_t index, std::string &message) = 0;
  /// The instruction of an op by its number, and how many there are.
  ///
  /// \returns null if it has none. Thread-safe.
  virtual const ptx::Instruction *instructionOf(uint32_t op) = 0;
  virtual uint32_t opCount() = 0;
  /// True if some of it is wgmma.
  virtual bool usesWarpgroups() const = 0;
};

/// Everything the threads of a grid share.
struct GridRun {
  LaunchParameters launch;
  Limits limits;
  std::string kernelName;
  const ptx::Module *module = nullptr;
  const Code *entry = nullptr;
  CodeSource *program = nullptr;
  Memory *memory = nullptr;
  const EngineOptions *options = nullptr;
  uint32_t staticSharedBytes = 0;
  uint32_t dynamicSharedOffset = 0; ///< Shared address of dynamic memory.
  uint32_t sharedBytes = 0;         ///< Of a block, all of it.
  uint32_t registersPerThread = 0;  ///< At entry; 0 to ignore setmaxnreg.
  uint32_t registers = 0;           ///< Of a thread, as occupancy counts them.
  uint32_t localLimit = 0;          ///< Bytes of local memory of a thread.
  uint64_t workspace = 0;           ///< %envreg1/2 of a cooperative launch.
  uint64_t startTime = 0;           ///< %globaltimer when it began, in ns.
  std::vector<std::shared_ptr<Grid>> prerequisites;
  GlobalRaces *globalRaces = nullptr; ///< Null if races are not looked for.
  uint32_t firstWarp = 0;             ///< Its number among all that are known.
  /// Clusters from this one on share numbers: nobody remembers what they do in
  /// global memory.
  uint64_t numberedClusters = 0;
  /// Warps with lower numbers than this come before all of the grid.
  uint32_t firstRival = 0;
  Clock heard; ///< When it has ended, as that of KnownGrid.
  /// It and the host may have signalled each other.
  std::atomic<bool> meetsHost{false};
  std::atomic<bool> stopped{false}; ///< A fault has been noted.
};

/// A range of addresses that an access may use: all of one live allocation.
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
  bool writable = true;
  bool ofHost = false; ///< The host may access it at the same time.
};

/// The instruction that began asynchronous work.
struct Origin {
  const Block *block = nullptr;
  const Code *code = nullptr;
  const Op *op = nullptr;
  uint32_t warp = 0;
  int lane = -1;

  static Origin of(const Warp &warp, const Op &op, int lane) {
    return {warp.block, warp.now.code, &op, warp.index, lane};
  }
};

/// What one host thread needs to run warps. Handlers reach it as `warp.worker`.
class Worker {
public:
  explicit Worker(Memory &memory);
  ~Worker();

  /// Performs wgmma; made when it is first needed.
  WarpgroupMultiplier &multiplier();

  /// Finds the allocation that contains `[address, address + bytes)`.
  ///
  /// \returns null if none does.
  const Range *findRange(uint64_t address, uint64_t bytes) {
    Range &entry = ranges[(address >> 12) % rangeEntries];
    if (address >= entry.begin && address < entry.end &&
        bytes <= entry.end - address && generation == memory.generation())
      return &entry;
    return findRangeSlowly(address, bytes);
  }

  /// Notes a fault of the group that runs in `warp`; the first one counts.
  ///
  /// \param lane -1 if it is no single lane.
  /// \returns Next::Stop.
  Next stop(Warp &warp, const Op &op, Fault fault, int lane = -1);

  /// Notes a fault of something that a warp began earlier.
  ///
  /// \returns false.
  bool stopAt(const Origin &origin, Fault fault);

  /// Fills in where a warp is.
  static Place placeOf(const Warp &warp, const Op &op, int lane);

  Memory &memory;
  std::vector<Warp *> order; ///< Scratch of the scheduler.
  std::unique_ptr<Fault> fault; ///< Of the grid that this thread runs.
  bool observes = false; ///< Checks or counters want to see every access.
  Counters *counters = nullptr; ///< Null if nothing is counted.

private:
  const Range *findRangeSlowly(uint64_t address, uint64_t bytes);

  std::unique_ptr<WarpgroupMultiplier> products;
  static constexpr unsigned rangeEntries = 64;
  Range ranges[rangeEntries];
  uint64_t generation = 0;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_BLOCK_H
