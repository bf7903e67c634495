// Loading modules and running grids: all that the driver needs of the machine.
//
// The driver decides what may run when (streams, events, graphs); the engine
// runs the grids it was given, several at once if they are, until one ends.

#ifndef TCC_TOOLS_PTXSIM_MACHINE_ENGINE_H
#define TCC_TOOLS_PTXSIM_MACHINE_ENGINE_H

#include "tools/ptxsim/checks/WorkOrder.h"
#include "tools/ptxsim/machine/Fault.h"
#include "tools/ptxsim/machine/Memory.h"
#include "tools/ptxsim/ptx/Parser.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ptxsim {

struct Program; // The decoded functions of a module.

/// A parameter of a kernel.
struct ParameterLayout {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// What a compiler would report of a kernel.
struct KernelAttributes {
  uint32_t maxThreads = 1024;   ///< In a block: .maxntid, .reqntid or registers.
  uint32_t registers = 0;       ///< For a thread, as the occupancy counts them.
  /// For a thread at entry, where setmaxnreg begins; 0 if ptxas would ignore it
  /// because nothing in the text says how many there are.
  uint32_t registersToMove = 0;
  uint32_t barriers = 0;        ///< Up to the highest number in the text.
  uint64_t sharedBytes = 0;     ///< Static.
  uint64_t constantBytes = 0;
  uint64_t localBytes = 0;      ///< For a thread.
  uint32_t requiredCluster[3] = {0, 0, 0}; ///< 0 where not fixed.
  uint32_t requiredThreads[3] = {0, 0, 0}; ///< 0 where not fixed.
  uint32_t maxClusterRank = 0;
  bool explicitCluster = false; ///< Must be launched with a cluster.
  std::vector<ParameterLayout> parameters;
  uint64_t parameterBytes = 0;
};

/// A kernel of a loaded module; lives as long as its module.
class Kernel;

/// A variable of a loaded module.
struct ModuleVariable {
  std::string name;
  uint64_t address = 0;
  uint64_t bytes = 0;
  bool isManaged = false;
};

/// A module whose variables have addresses and initial values. Instructions are
/// checked when it is loaded and decoded when a kernel first runs.
class LoadedModule {
public:
  virtual ~LoadedModule() = default;
  /// Kernels in the order of the text.
  virtual std::vector<const Kernel *> kernels() const = 0;
  virtual const Kernel *findKernel(const std::string &name) const = 0;
  /// `.global` and `.const` variables of the module scope. A variable gets its
  /// memory here or when a kernel that refers to it is decoded.
  virtual bool findVariable(const std::string &name, ModuleVariable &result) = 0;
  /// Names of the variables, in the order of the text.
  virtual std::vector<std::string> variables() const = 0;
};

const std::string &nameOf(const Kernel &kernel);
const KernelAttributes &attributesOf(const Kernel &kernel);

/// How a kernel is launched. The driver has checked all but what depends on the
/// engine: sizes, that the grid is a multiple of the cluster, limits.
struct LaunchParameters {
  const Kernel *kernel = nullptr;
  std::array<uint32_t, 3> grid = {1, 1, 1};    ///< Blocks.
  std::array<uint32_t, 3> block = {1, 1, 1};   ///< Threads.
  std::array<uint32_t, 3> cluster = {1, 1, 1}; ///< Blocks.
  bool hasCluster = false;     ///< %is_explicit_cluster
  uint32_t dynamicSharedBytes = 0;
  bool cooperative = false;    ///< All blocks at once; %envreg1/2 are set.
  bool programmatic = false;   ///< griddepcontrol.wait waits.
  std::vector<uint8_t> parameters; ///< As laid out by KernelAttributes.
  uint64_t context = 0;
  uint64_t serial = 0; ///< %gridid, and "launch" in reports.
  WorkOrder order;     ///< What comes before it.

  uint32_t warpsPerBlock() const {
    return (block[0] * block[1] * block[2] + 32 - 1) / 32;
  }
  uint32_t warpsPerCluster() const {
    return cluster[0] * cluster[1] * cluster[2] * warpsPerBlock();
  }
};

/// Limits of a context that kernels feel.
struct Limits {
  uint64_t stackBytes = 1024;
  uint64_t printfBytes = 1 << 20;
  uint64_t heapBytes = 8 << 20;
};

/// One launch while it runs.
class Grid {
public:
  virtual ~Grid() = default;
  /// True if all its blocks have exited and its writes are performed, or it
  /// has failed.
  virtual bool isFinished() const = 0;
  /// True if every block has called griddepcontrol.launch_dependents or exited.
  virtual bool isTriggered() const = 0;
  /// Works that it came after by what it acquired; once it is finished.
  virtual Clock heard() const { return {}; }
  /// True if it may have waited for whatever the host knew; once it is
  /// finished.
  virtual bool meetsHost() const { return false; }
  /// What stopped it, if it has failed.
  virtual const Fault *fault() const = 0;
};

/// What became true when `Engine::run` returned.
enum class EngineEvent : uint8_t {
  Idle,      ///< No grid is unfinished.
  Finished,  ///< A grid finished or failed.
  Triggered, ///< A grid is triggered that was not before.
  Stalled,   ///< Every thread polls memory: only the host could change it.
};

/// When asynchronous work completes and warps take turns.
struct Schedule {
  enum class Kind : uint8_t { Eager, Lazy, Random };
  Kind kind = Kind::Eager;
  uint64_t seed = 0;
};

enum class CheckLevel : uint8_t {
  None,   ///< Only what would crash: addresses, alignment, barriers.
  Memory, ///< And reads of what nothing wrote.
  All,    ///< And races, proxies, wgmma registers, leaks.
};

struct EngineOptions {
  Schedule schedule;
  CheckLevel checks = CheckLevel::All;
  bool hopperTensor = false; ///< PTXSIM_TENSOR=hopper
  unsigned threads = 0;      ///< Host threads; 0 for one for each core.
  bool counts = false;       ///< Keep counters for PTXSIM_REPORT.
};

class Engine {
public:
  static std::unique_ptr<Engine> create(const EngineOptions &options);
  virtual ~Engine() = default;

  virtual const EngineOptions &options() const = 0;
  virtual Memory &memory() = 0;

  /// Checks every instruction of `module` and prepares it to run.
  ///
  /// \returns null if there is an error; `diagnostics` says which.
  virtual std::unique_ptr<LoadedModule>
  load(std::unique_ptr<ptx::Module> module, uint64_t context,
       std::vector<ptx::Diagnostic> &diagnostics) = 0;

  /// Lets the blocks of a new grid run from now on. Grids in `prerequisites`
  /// are those that griddepcontrol.wait waits for; they may have ended, though
  /// the program could not know.
  ///
  /// \returns null and a fault if the launch cannot be prepared.
  virtual std::shared_ptr<Grid>
  start(const LaunchParameters &parameters, const Limits &limits,
        std::vector<std::shared_ptr<Grid>> prerequisites, Fault &fault) = 0;

  /// Runs the started grids until something that the driver may act on. One
  /// caller at a time.
  virtual EngineEvent run() = 0;

  /// Fails the grids that were stalled when `run` last returned, with a report
  /// of who waits where for what: the driver knows that nobody can change the
  /// memory that they poll.
  virtual void failStalled() = 0;

  /// Notes that the host or a copy wrote or read `[address, address + bytes)`,
  /// for the checks of memory that nothing wrote. Cheap if checks are off.
  virtual void noteHostWrite(uint64_t address, uint64_t bytes) = 0;

  /// Copies what counts as written along with a device-to-device copy.
  virtual void noteCopy(uint64_t destination, uint64_t source,
                        uint64_t bytes) = 0;

  /// Compares a transfer, which happens now, with all that nothing orders with
  /// it.
  ///
  /// \returns false and a fault if it is a race.
  virtual bool compare(const HostTransfer &, Fault &) { return true; }

  /// Notes that all that has ended up to the positions of `before` comes before
  /// everything that is still to come.
  virtual void noteOrdered(const Clock &before) { (void)before; }

  /// Notes that memory is freed or given anew: what was done there is
  /// forgotten.
  virtual void noteRenewed(uint64_t address, uint64_t bytes) {
    (void)address, (void)bytes;
  }

  /// Returns the orders of the grids of which the host may have learnt
  /// something while they run, since the last call.
  virtual std::vector<WorkOrder> takeMeetings() { return {}; }

  /// Returns the JSON of what was counted of the grids that have ended; empty if
  /// there are none, or nothing is counted. Not while `run` runs.
  virtual std::string report() const { return ""; }
};

/// Limits of an H100 SXM5, for the attributes and for occupancy.
namespace h100 {
constexpr uint32_t multiprocessors = 132;
constexpr uint32_t warpSize = 32;
constexpr uint32_t threadsPerBlock = 1024;
constexpr uint32_t threadsPerMultiprocessor = 2048;
constexpr uint32_t blocksPerMultiprocessor = 32;
constexpr uint32_t registersPerMultiprocessor = 65536;
constexpr uint32_t barriersPerMultiprocessor = 64;
constexpr uint32_t registersPerThread = 255;
constexpr uint32_t sharedBytesPerMultiprocessor = 233472; ///< 228 KB
constexpr uint32_t sharedBytesPerBlockOptIn = 232448;     ///< 227 KB
constexpr uint32_t sharedBytesPerBlock = 49152;
constexpr uint32_t reservedSharedBytesPerBlock = 1024;
/// Those of the reserved bytes that cooperative groups may use, who find them by
/// %reserved_smem_offset_1 and need 288 (details/memory.h of the toolkit). The
/// hardware's driver chooses the place; beside it, accesses are reported.
constexpr uint32_t groupsSharedOffset = 512;
constexpr uint32_t groupsSharedBytes = 288;
constexpr uint32_t groupsBarrierBytes = 20;
constexpr uint32_t l2Bytes = 52428800; ///< 50 MB
constexpr uint32_t localBytesPerThread = 524288; ///< 512 KB
constexpr uint32_t portableClusterSize = 8;
constexpr uint32_t maxClusterSize = 16;
constexpr uint32_t parameterBytes = 32764;
constexpr uint32_t constantBytes = 65536;

/// Returns how many registers of a thread let a multiprocessor hold `warps`. Each
/// of its quarters runs every fourth warp and has a quarter of the registers, which
/// it gives out in units of 8 for each of the 32 lanes.
constexpr uint32_t registersByWarps(uint32_t warps) {
  return registersPerMultiprocessor / 4 / ((warps + 3) / 4) / (8 * warpSize) * 8;
}

/// Returns how many warps a multiprocessor has registers for.
constexpr uint32_t warpsByRegisters(uint32_t registersOfThread) {
  uint32_t registers = (registersOfThread + 7) / 8 * 8 * warpSize;
  return registersPerMultiprocessor / 4 / registers * 4;
}
} // namespace h100

/// How many blocks one multiprocessor holds at once, by each of its resources.
/// Source: cuda_occupancy.h of CUDA 13.0.
struct Occupancy {
  uint32_t byThreads = 0, byRegisters = 0, byShared = 0, byBlocks = 0,
           byBarriers = 0;
  uint32_t blocks() const {
    return std::min({byThreads, byRegisters, byShared, byBlocks, byBarriers});
  }
};

/// Of blocks of `threads` threads with `sharedBytes` of shared memory, static and
/// dynamic.
Occupancy occupancyOf(const KernelAttributes &attributes, uint32_t threads,
                      uint64_t sharedBytes);

/// Returns how many blocks of `threads` threads with `sharedBytes` of shared
/// memory, static and dynamic, one multiprocessor holds at once.
uint32_t blocksPerMultiprocessor(const KernelAttributes &attributes,
                                 uint32_t threads, uint64_t sharedBytes);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_MACHINE_ENGINE_H
