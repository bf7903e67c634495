// Barriers of a block and of a cluster.
//
// A warp that waits executes its barrier instruction again and again: the first
// time it arrives and notes the generation that it waits for as its ticket.
//
// Source: PTX ISA 9.0, sections 9.7.13.1 (bar, barrier), 9.7.13.4
// (barrier.cluster).

#include "tools/ptxsim/core/Interpreter.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

using namespace ptxsim;
using namespace ptxsim::isa;

namespace {
enum class Reduction { None, Popc, And, Or };
} // namespace

// Op::modifiers of a block barrier.
static constexpr uint32_t isArrive = 1;
static constexpr uint32_t hasCount = 2;
static constexpr uint32_t reductionShift = 2;

static Next fail(Warp &warp, const Op &op, const char *check,
                 std::string message, std::string advice, int lane) {
  Fault fault;
  fault.code = FaultCode::LaunchFailed;
  fault.check = check;
  fault.message = std::move(message);
  fault.advice = std::move(advice);
  return warp.worker->stop(warp, op, std::move(fault), lane);
}

/// Completes the generation if everybody has come.
static void tryComplete(Block &block, NamedBarrier &barrier) {
  uint32_t wanted =
      barrier.wholeBlock ? block.liveThreads : barrier.expected;
  if (barrier.arrived == 0 || barrier.arrived < wanted)
    return;
  uint64_t index = ++barrier.generation & 1;
  for (int i = 0; i < 3; ++i)
    barrier.result[index][i] = barrier.reduction[i];
  barrier.reduction[0] = barrier.reduction[2] = 0;
  barrier.reduction[1] = ~0u;
  barrier.arrived = barrier.expected = 0;
  barrier.warps = 0;
  ++block.cluster->progress;
}

/// The threads that a generation waits for, from an operand or the whole block.
static bool readCount(Warp &warp, const Op &op, int lane, uint32_t &count) {
  count = 0;
  if (!(op.modifiers & hasCount))
    return true;
  int slot = op.modifiers >> reductionShift ? 2 : 1;
  count = warp.at<uint32_t>(op.slots[slot])[lane];
  if (count != 0 && count % 32 == 0)
    return true;
  fail(warp, op, "barrier count",
       "expected a number of threads that is a positive multiple of 32, got " +
           std::to_string(count),
       "count whole warps", lane);
  return false;
}

/// Adds the lanes of `mask` to the barrier.
static Next arrive(Warp &warp, const Op &op, LaneMask mask,
                   NamedBarrier &barrier, uint32_t id) {
  Block &block = *warp.block;
  int lane = __builtin_ctz(mask);
  uint32_t count = 0;
  if (!readCount(warp, op, lane, count))
    return Next::Stop;
  bool whole = count == 0;
  if (barrier.arrived != 0 &&
      (barrier.wholeBlock != whole || (!whole && barrier.expected != count)))
    return fail(warp, op, "barrier count",
                "expected " +
                    (barrier.wholeBlock ? "all threads of the block"
                                        : std::to_string(barrier.expected) + " threads") +
                    " at barrier " + std::to_string(id) +
                    " as those who came before, got " +
                    (whole ? "all threads of the block"
                           : std::to_string(count) + " threads"),
                "give all participants of a barrier the same count", lane);
  // Aligned barriers with a count count whole warps.
  bool counted = op.flags & opAligned && !whole;
  uint32_t threads = counted ? 32 : uint32_t(__builtin_popcount(mask));
  if (!whole && barrier.arrived + threads > count)
    return fail(warp, op, "barrier count",
                "expected " + std::to_string(count) + " threads at barrier " +
                    std::to_string(id) + ", got " +
                    std::to_string(barrier.arrived + threads),
                "let no more warps come than the count says", lane);
  barrier.wholeBlock = whole;
  barrier.expected = whole ? block.liveThreads : count;
  barrier.arrived += threads;
  barrier.warps |= uint64_t(1) << (warp.index % 64);
  if (op.modifiers >> reductionShift) {
    int slot = op.modifiers & hasCount ? 3 : 2;
    LaneMask value = warp.predicate(op.slots[slot]) & mask;
    barrier.reduction[0] += uint32_t(__builtin_popcount(value));
    barrier.reduction[1] &= value == mask ? ~0u : 0;
    barrier.reduction[2] |= value != 0 ? ~0u : 0;
  }
  ++block.cluster->progress;
  return Next::Advance;
}

static void writeReduction(Warp &warp, const Op &op, LaneMask mask,
                           const uint32_t *result) {
  Reduction reduction = Reduction(op.modifiers >> reductionShift);
  if (reduction == Reduction::Popc)
    forLanes(mask, [&](int lane) {
      warp.at<uint32_t>(op.slots[0])[lane] = result[0];
    });
  else if (reduction != Reduction::None)
    warp.setPredicate(op.slots[0], result[reduction == Reduction::And ? 1 : 2],
                      mask);
}

static Next blockBarrier(Warp &warp, const Op &op, LaneMask mask) {
  Block &block = *warp.block;
  Group &now = warp.now;
  const uint32_t *ids =
      warp.at<uint32_t>(op.slots[op.modifiers >> reductionShift ? 1 : 0]);
  uint32_t id = ids[__builtin_ctz(mask)];
  LaneMask same = 0;
  forLanes(mask, [&](int lane) {
    if (ids[lane] == id)
      same |= LaneMask(1) << lane;
  });
  if (id >= block.barriers.size())
    return fail(warp, op, "barrier number",
                "expected a barrier from 0 to 15, got " + std::to_string(id),
                "a block has 16 barriers; use an mbarrier for more",
                __builtin_ctz(mask));
  if (same != mask && op.flags & opAligned)
    return fail(warp, op, "divergence at .aligned",
                "expected one barrier for the whole warp, got " +
                    std::to_string(id) + " and others",
                "compute the number from the warp, not from the lane",
                __builtin_ctz(mask & ~same));
  if (same != now.mask) {
    // Lanes of other barriers try again at this op, guarded ones go on.
    Group others = now;
    others.mask = mask & ~same;
    Group rest = now;
    rest.mask &= ~mask;
    ++rest.pc;
    if (others.mask != 0)
      warp.groups.push_back(std::move(others));
    if (rest.mask != 0)
      warp.groups.push_back(std::move(rest));
    now.mask = same;
  }
  NamedBarrier &barrier = block.barriers[id];
  if (now.ticket == 0) {
    uint64_t generation = barrier.generation + 1;
    Next next = arrive(warp, op, same, barrier, id);
    if (next != Next::Advance)
      return next;
    if (warp.worker->observes)
      observeBarrierArrival(warp, barrier, !(op.modifiers & isArrive));
    if (op.modifiers & isArrive) {
      tryComplete(block, barrier);
      ++now.pc;
      return Next::Jump;
    }
    now.ticket = generation;
  }
  tryComplete(block, barrier);
  if (barrier.generation < now.ticket)
    return Next::Wait;
  writeReduction(warp, op, same, barrier.result[now.ticket & 1]);
  if (warp.worker->observes)
    observeBarrierLeave(warp, barrier, now.ticket);
  now.ticket = 0;
  ++now.pc;
  return Next::Jump;
}

/// A number of threads that stands in the text must be one of whole warps.
static bool isCount(const ptx::Operand &operand) {
  return operand.kind != ptx::Operand::Kind::Integer ||
         (operand.bits != 0 && operand.bits % 32 == 0);
}

static Handler selectBarrier(const Match &match, Op &op) {
  Reduction reduction = match.has("popc")  ? Reduction::Popc
                        : match.has("and") ? Reduction::And
                        : match.has("or")  ? Reduction::Or
                                           : Reduction::None;
  op.modifiers = uint32_t(reduction) << reductionShift;
  if (match.has("arrive"))
    op.modifiers |= isArrive;
  uint32_t without = reduction == Reduction::None ? 1 : 3;
  if (match.instruction->operandCount > without) {
    op.modifiers |= hasCount;
    if (!isCount(match.operand(reduction == Reduction::None ? 1 : 2)))
      return match.refuse(
          "a number of threads that is a positive multiple of 32");
  }
  if (match.instruction->opcode == "bar" || match.has("aligned"))
    op.flags |= opAligned;
  return blockBarrier;
}

//===----------------------------------------------------------------------===//
// barrier.cluster
//===----------------------------------------------------------------------===//

static Next clusterArrive(Warp &warp, const Op &op, LaneMask mask) {
  Cluster &cluster = *warp.block->cluster;
  if (warp.clusterArrived & mask)
    return fail(warp, op, "cluster barrier",
                "expected barrier.cluster.wait between two arrivals of a thread",
                "wait before the next phase begins", __builtin_ctz(warp.clusterArrived & mask));
  warp.clusterArrived |= mask;
  forLanes(mask, [&](int lane) {
    warp.clusterGeneration[lane] = cluster.barrier.generation + 1;
  });
  cluster.barrier.arrived += uint32_t(__builtin_popcount(mask));
  ++cluster.progress;
  if (warp.worker->observes)
    observeClusterArrival(warp, !(op.modifiers & 1));
  return Next::Advance;
}

static Next clusterWait(Warp &warp, const Op &op, LaneMask mask) {
  Cluster &cluster = *warp.block->cluster;
  ClusterBarrier &barrier = cluster.barrier;
  if (LaneMask missing = mask & ~warp.clusterArrived)
    return fail(warp, op, "cluster barrier",
                "expected barrier.cluster.arrive before barrier.cluster.wait",
                "let each thread arrive before it waits", __builtin_ctz(missing));
  if (barrier.arrived >= cluster.liveThreads && barrier.arrived != 0) {
    barrier.arrived = 0;
    ++barrier.generation;
    ++cluster.progress;
  }
  bool complete = true;
  forLanes(mask, [&](int lane) {
    complete &= warp.clusterGeneration[lane] <= barrier.generation;
  });
  if (!complete) {
    if (mask != warp.now.mask) {
      Group rest = warp.now;
      rest.mask &= ~mask;
      ++rest.pc;
      warp.groups.push_back(std::move(rest));
      warp.now.mask = mask;
    }
    return Next::Wait;
  }
  warp.clusterArrived &= ~mask;
  if (warp.worker->observes)
    observeClusterLeave(warp);
  return Next::Advance;
}

static Handler selectClusterArrive(const Match &match, Op &op) {
  op.modifiers = match.has("relaxed");
  if (match.has("aligned"))
    op.flags |= opAligned;
  return clusterArrive;
}

static Handler selectClusterWait(const Match &match, Op &op) {
  if (match.has("aligned"))
    op.flags |= opAligned;
  return clusterWait;
}

static constexpr OpClass kind = OpClass::Barrier;

static const Form forms[] = {
    {"bar ?.cta.sync", "u32<16 u32?", selectBarrier, kind},
    {"bar ?.cta.arrive", "u32<16 u32", selectBarrier, kind},
    {"bar ?.cta.red.popc.u32", "=u32 u32<16 p", selectBarrier, kind},
    {"bar ?.cta.red.popc.u32", "=u32 u32<16 u32 p", selectBarrier, kind},
    {"bar ?.cta.red.(and|or).pred", "=p u32<16 p", selectBarrier, kind},
    {"bar ?.cta.red.(and|or).pred", "=p u32<16 u32 p", selectBarrier, kind},
    {"barrier?.cta.sync ?.aligned", "u32<16 u32?", selectBarrier, kind},
    {"barrier?.cta.arrive ?.aligned", "u32<16 u32", selectBarrier, kind},
    {"barrier?.cta.red .popc?.aligned.u32", "=u32 u32<16 p", selectBarrier, kind},
    {"barrier?.cta.red .popc?.aligned.u32", "=u32 u32<16 u32 p", selectBarrier,
     kind},
    {"barrier?.cta.red .(and|or)?.aligned.pred", "=p u32<16 p", selectBarrier,
     kind},
    {"barrier?.cta.red .(and|or)?.aligned.pred", "=p u32<16 u32 p",
     selectBarrier, kind},
    {"barrier.cluster.arrive ?.(release|relaxed)?.aligned", "",
     selectClusterArrive, kind},
    {"barrier.cluster.wait ?.acquire?.aligned", "", selectClusterWait, kind},
};

Family isa::barrierFamily() { return {forms, std::size(forms)}; }
