// The counters of one grid while it runs.
//
// Grids that are counted run on one thread, their resident clusters interleaved,
// so that the caches see accesses in an order that is the same in every run.

#ifndef TCC_TOOLS_PTXSIM_COUNT_COUNTERS_H
#define TCC_TOOLS_PTXSIM_COUNT_COUNTERS_H

#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Async.h"
#include "tools/ptxsim/count/Banks.h"
#include "tools/ptxsim/count/Counts.h"
#include "tools/ptxsim/count/L1Cache.h"
#include "tools/ptxsim/count/L2Cache.h"
#include "tools/ptxsim/count/Lines.h"
#include "tools/ptxsim/count/TouchedSectors.h"

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace ptxsim {

struct BoxTransfer;
enum class AsyncKind : uint8_t;
enum class BulkDirection : uint8_t;

/// Waits at one barrier that have ended.
struct BarrierCounts {
  uint64_t waits = 0, notReady = 0, opsMeanwhile = 0;

  BarrierCounts &operator+=(const BarrierCounts &other) {
    waits += other.waits;
    notReady += other.notReady;
    opsMeanwhile += other.opsMeanwhile;
    return *this;
  }
};

/// By barrier: the shared offset of an mbarrier, below them all the number of a
/// named barrier, or Counters::clusterBarrier.
using BarrierWaits = std::map<uint32_t, BarrierCounts>;

/// What is counted of one op.
struct OpCounts {
  /// Everything but the first four, which every op has.
  struct Detail {
    Counts counts;
    BarrierWaits barriers;
    bool bypassesL1 = false;
    bool allocates = true; ///< In L1.
    bool isAbi = false;    ///< A parameter of a call: in registers on hardware.
  };
  uint64_t issued = 0, predicatedOff = 0, activeLanes = 0, lanes = 0;
  Detail *detail = nullptr; ///< Made when needed.
};

class Counters {
public:
  /// \param l2 is shared by all grids of the engine.
  /// \param l1Bytes of L1 that a block has.
  Counters(const Memory &memory, L2Cache &l2, uint64_t l1Bytes);

  /// The ops of a function, by Code::index.
  struct CodeCounts {
    const Code *code = nullptr; ///< Null if it never ran.
    std::vector<OpCounts> ops;
  };
  const std::vector<CodeCounts> &codes() const { return functions; }

  //===--------------------------------------------------------------------===//
  // Execution
  //===--------------------------------------------------------------------===//

  /// Notes that the running group executes `op`, or tries again to.
  void issue(Warp &warp, const Op &op, LaneMask mask);
  /// Notes that it passes `op` with a false guard.
  void pass(Warp &warp, const Op &op);
  /// Notes that what was issued last has to wait.
  void wait(Warp &warp);
  /// Notes that it did not find what it looks for.
  void notReady() {
    if (!isRetry)
      ++detail()[Count::NotReady];
  }
  /// Notes an arrival at a barrier of `block`, which completes `generation` if it
  /// is the last one; and that the op issued last found it complete.
  void arrive(const Block &block, uint32_t barrier, uint64_t generation);
  void leave(const Block &block, uint32_t barrier, uint64_t generation);
  /// In BarrierWaits.
  static constexpr uint32_t clusterBarrier = 16;
  /// Notes that some lanes branch.
  void diverge() { ++detail()[Count::Divergences]; }

  //===--------------------------------------------------------------------===//
  // Accesses of the op that was issued last
  //===--------------------------------------------------------------------===//

  void access(const Warp &warp, const Access &access);
  /// ldmatrix and stmatrix: 16 bytes of each lane.
  void rows(const Warp &warp, const Access &access);
  /// wmma.load and wmma.store: an element of each lane in each part.
  void fragment(const Warp &warp, const std::vector<Access> &parts);
  /// cp.async: `sourceBytes` are read of each lane, 0 for none.
  void copyLanes(const Warp &warp, const Access &target,
                 const uint64_t *sources, const uint32_t *sourceBytes);
  void bulkCopy(const BulkCount &copy, uint64_t global);
  void boxCopy(const BoxTransfer &transfer, BulkDirection direction,
               uint32_t deliveries);
  void storeAsync(uint32_t bytes);
  /// A fence or an acquire that reaches beyond the block.
  void fence(const Warp &warp) { stateOf(*warp.block).l1.clear(); }

  //===--------------------------------------------------------------------===//
  // Asynchronous work
  //===--------------------------------------------------------------------===//

  /// Notes that work of `group`, of which `kind` says what waits for it, begins.
  void beginGroup(const Warp &warp, AsyncKind kind, uint64_t group);
  /// Notes that the groups up to `group` are waited for.
  void waitGroup(const Warp &warp, AsyncKind kind, uint64_t group);
  /// The same of work that ends in the mbarrier at `offset` of `block`.
  void beginPhase(Block &block, uint32_t offset, uint64_t phase);
  void waitPhase(Block &block, uint32_t offset, uint64_t phase);
  /// Notes that a wait made work complete that was not.
  void pending() { ++detail()[Count::Pending]; }

private:
  /// Work that a warp has begun and not waited for.
  struct Begun {
    uint64_t group = 0;
    uint64_t tick = 0;
  };
  struct Phase {
    uint64_t phase = 0;
    uint64_t tick = 0;
  };
  /// What is known of a block while it runs.
  struct BlockState {
    uint64_t serial = 0; ///< Of the block in the grid, from 1.
    uint64_t ticks = 1;  ///< Issue slots so far.
    L1Cache l1;
    std::vector<std::array<std::deque<Begun>, 3>> begun; ///< By warp and kind.
    std::unordered_map<uint32_t, Phase> phases; ///< By offset of the mbarrier.
    /// When somebody last arrived at a barrier, in even and odd generations.
    std::unordered_map<uint32_t, std::array<uint64_t, 2>> arrivals;
  };
  /// What an access does to L2.
  enum class Traffic : uint8_t { Read, Write, Change };
  /// Lanes of an access, by where their addresses are.
  struct Spaces {
    LaneMask shared = 0, local = 0, constant = 0, global = 0;
  };

  OpCounts &countsOf(const Warp &warp, const Op &op);
  OpCounts::Detail &detailOf(OpCounts &counts, const Code &code, const Op &op);
  Counts &detail();
  BlockState &stateOf(const Block &block);
  Spaces spacesOf(const Access &access) const;
  void global(const Warp &warp, const Access &access, LaneMask mask);
  void loadOrStore(const Warp &warp, AccessKind kind, bool strong,
                   const RequestLines &lines, uint64_t bytes);
  uint32_t sharedOffset(const Access &access, int lane) const;
  LaneMask ownShared(const Warp &warp, const Access &access, LaneMask mask,
                     uint32_t *offsets);
  void shared(const Warp &warp, const Access &access, LaneMask mask);
  void sharedRequest(AccessKind kind, uint64_t bytes, Wavefronts wavefronts);
  void local(const Access &access, LaneMask mask);
  void constant(const Access &access, LaneMask mask);
  void request(Count first, const RequestLines &lines, uint64_t bytes);
  void load(const Block &block, const RequestLines &lines, bool strong);
  void bulk(const BulkCount &copy);
  void move(const LineAccess &line, Traffic traffic);
  L2Counts accessL2(const LineAccess &line, bool isWrite);
  void moveBulk(const LineAccess &line, Traffic traffic);
  bool isHost(uint64_t address);
  void sinceIssue(const BlockState &state, uint64_t tick);

  const Memory &memory;
  L2Cache &l2;
  const uint64_t l1Bytes;
  TouchedSectors touched;
  std::vector<CodeCounts> functions;
  std::deque<OpCounts::Detail> details;
  std::unordered_map<const Block *, BlockState> blocks;
  const Block *lastBlock = nullptr;
  BlockState *lastState = nullptr;

  // The op that was issued last.
  OpCounts *current = nullptr;
  const Code *currentCode = nullptr;
  const Op *currentOp = nullptr;
  bool isRetry = false;     ///< It waited before,
  uint64_t retriedTick = 0; ///< since then.
  bool hasWaited = false;   ///< waitPhase was told of it,
  bool hasLeft = false;     ///< and leave.

  /// A range of addresses that are all of the host, or all of the device.
  struct KnownRange {
    uint64_t begin = 0, end = 0;
    bool isHost = false;
  };
  KnownRange ranges[64];
  uint64_t generation = 0;
};

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_COUNT_COUNTERS_H
