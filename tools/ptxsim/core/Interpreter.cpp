// Runs a warp: one group of lanes after another, op by op.

#include "tools/ptxsim/core/Interpreter.h"

#include "tools/ptxsim/core/Observe.h"

#include <algorithm>

using namespace ptxsim;

/// Backward branches after which a group lets the others run.
static constexpr uint32_t turnsBeforeOthers = 4096;

/// True if `group` should run before `other`: it has turned less in loops, is
/// deeper in calls, or is earlier in the text.
static bool isBefore(const Group &group, const Group &other) {
  uint32_t turns = group.turns / turnsBeforeOthers;
  uint32_t otherTurns = other.turns / turnsBeforeOthers;
  if (turns != otherTurns)
    return turns < otherTurns;
  if (group.calls.size() != other.calls.size())
    return group.calls.size() > other.calls.size();
  if (group.code != other.code)
    return group.code->index < other.code->index;
  return group.pc < other.pc;
}

static bool atSamePlace(const Group &a, const Group &b) {
  return a.pc == b.pc && a.frame == b.frame && a.local == b.local &&
         a.calls == b.calls;
}

/// True if two groups may become one: neither is in the middle of waiting.
static bool canJoin(const Group &a, const Group &b) {
  return a.state != Group::State::Waiting &&
         b.state != Group::State::Waiting && a.ticket == 0 && b.ticket == 0 &&
         atSamePlace(a, b);
}

/// Joins groups that are at one place, and lets those go on at an aligned op
/// that have all lanes.
static void joinGroups(Warp &warp) {
  std::vector<Group> &groups = warp.groups;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (size_t j = groups.size(); --j > i;) {
      if (!canJoin(groups[i], groups[j]))
        continue;
      groups[i].mask |= groups[j].mask;
      groups[i].turns = std::max(groups[i].turns, groups[j].turns);
      groups[i].stack = std::max(groups[i].stack, groups[j].stack);
      groups[j] = std::move(groups.back());
      groups.pop_back();
    }
    if (groups[i].state == Group::State::Converging &&
        groups[i].mask == warp.live)
      groups[i].state = Group::State::Ready;
  }
}

/// True if a group can run, or can be tried again.
static bool isRunnable(const Warp &warp, const Group &group) {
  switch (group.state) {
  case Group::State::Ready:
    return true;
  case Group::State::Converging:
    return false;
  case Group::State::Waiting:
    if (group.wakeTime != 0)
      return group.expired || warp.block->cluster->time() >= group.wakeTime;
    return group.expired || group.waitsForGrid || group.seen != warp.block->cluster->progress;
  }
  return false;
}

/// Puts the running group back among the others.
static void park(Warp &warp) {
  if (warp.now.mask != 0)
    warp.groups.push_back(std::move(warp.now));
  warp.now = Group();
}

/// Chooses the group to run.
///
/// \returns false if none can run.
static bool choose(Warp &warp) {
  joinGroups(warp);
  Group *best = nullptr;
  for (Group &group : warp.groups) {
    if (!isRunnable(warp, group))
      continue;
    if (best == nullptr || isBefore(group, *best))
      best = &group;
  }
  if (best == nullptr)
    return false;
  warp.now = std::move(*best);
  if (best != &warp.groups.back())
    *best = std::move(warp.groups.back());
  warp.groups.pop_back();
  warp.now.state = Group::State::Ready;
  warp.enter();
  return true;
}

/// The place at which the running group has to look at the others: the earliest
/// of those that it may join or should let go first.
static const Op *findWatch(const Warp &warp) {
  const Op *watch = nullptr;
  for (const Group &group : warp.groups) {
    if (group.state == Group::State::Waiting || group.code != warp.now.code ||
        group.calls.size() != warp.now.calls.size() ||
        group.turns / turnsBeforeOthers > warp.now.turns / turnsBeforeOthers)
      continue;
    if (watch == nullptr || group.pc < watch)
      watch = group.pc;
  }
  return watch;
}

/// Handles an aligned op that not all lanes have reached: those of `mask` wait
/// at it, the rest of the group goes on.
static void converge(Warp &warp, LaneMask mask) {
  Group waiting = warp.now;
  waiting.mask = mask;
  waiting.state = Group::State::Converging;
  warp.now.mask &= ~mask;
  ++warp.now.pc;
  warp.groups.push_back(std::move(waiting));
  if (warp.now.mask == 0)
    warp.now = Group();
}

Next ptxsim::branch(Warp &warp, LaneMask taken, const Op *target) {
  Group &now = warp.now;
  if (target <= now.pc)
    ++now.turns;
  if (taken != now.mask) {
    if (warp.worker->counters != nullptr)
      observeDivergence(warp);
    Group rest = now;
    rest.mask &= ~taken;
    ++rest.pc;
    warp.groups.push_back(std::move(rest));
    now.mask = taken;
  }
  now.pc = target;
  return Next::Jump;
}

Next ptxsim::exitLanes(Warp &warp, LaneMask lanes) {
  Block &block = *warp.block;
  unsigned count = unsigned(__builtin_popcount(lanes));
  if (warp.worker->observes && !observeExit(warp, lanes))
    return Next::Stop;
  warp.live &= ~lanes;
  warp.now.mask &= ~lanes;
  block.liveThreads -= count;
  block.cluster->liveThreads -= count;
  block.liveWarps -= warp.live == 0;
  block.cluster->barrier.arrived -=
      uint32_t(__builtin_popcount(warp.clusterArrived & lanes));
  warp.clusterArrived &= ~lanes;
  ++block.cluster->progress;
  ++warp.now.pc;
  if (warp.now.mask == 0)
    warp.now = Group();
  return Next::Jump;
}

namespace {
/// One slice. `Observed` if checks or counters look at every op.
template <bool Observed> class Slice {
public:
  Slice(Warp &warp, uint32_t budget)
      : warp(warp), budget(budget),
        looksAtAll(warp.warpgroupRegisters != nullptr ||
                   warp.worker->counters != nullptr) {}

  SliceEnd run() {
    uint32_t whole = budget;
    SliceEnd end = loop();
    uint64_t executed = whole - budget;
    warp.executed += executed;
    warp.block->cluster->executed += executed;
    return end;
  }

private:
  SliceEnd loop();
  /// Runs the group until something else than the next op has to be decided.
  Next runGroup();
  /// The lanes that execute `op`.
  LaneMask activeLanes(const Op &op) const {
    LaneMask mask = warp.now.mask;
    if (op.guard == -1)
      return mask;
    LaneMask guard = warp.predicate(op.guard);
    return mask & (op.flags & opGuardNegated ? ~guard : guard);
  }

  /// True if somebody wants to see `op`.
  bool isSeen(const Op &op) const {
    return Observed && (looksAtAll || mayTouchUndefined(warp, op));
  }

  Warp &warp;
  uint32_t budget;
  const bool looksAtAll;
};
} // namespace

/// True if `op` demands lanes of the warp that have exited or never were. Threads
/// that have exited are not missed at barriers.
static inline bool missesLanes(const Warp &warp, const Op &op, LaneMask mask) {
  if (op.opClass == OpClass::Matrix)
    return mask != ~LaneMask(0);
  return op.flags & opAligned && mask != warp.started &&
         op.opClass != OpClass::Barrier;
}

static Next stopPartialWarp(Warp &warp, const Op &op, LaneMask mask) {
  bool isMatrix = op.opClass == OpClass::Matrix;
  Fault fault;
  fault.code = FaultCode::IllegalInstruction;
  fault.check = "divergence at .aligned";
  fault.message =
      (isMatrix ? std::string("expected all 32 lanes of a warp at a matrix instruction")
                : "expected all " + std::to_string(__builtin_popcount(warp.started)) +
                      " lanes of the warp at this instruction") +
      ", got " + std::to_string(__builtin_popcount(mask)) +
      " while the others have exited" + (isMatrix ? " or never were" : "");
  fault.advice = "let whole warps execute it, and lanes exit behind it";
  return warp.worker->stop(warp, op, std::move(fault), __builtin_ctz(mask));
}

template <bool Observed> Next Slice<Observed>::runGroup() {
  const Op *watch = findWatch(warp);
  bool alone = warp.groups.empty();
  const Op *&pc = warp.now.pc;
  while (budget > 0) {
    const Op &op = *pc;
    bool seen = isSeen(op);
    if (seen && !observeGuard(warp, op))
      return Next::Stop;
    LaneMask mask = activeLanes(op);
    --budget;
    if (mask == 0) {
      if constexpr (Observed)
        observePass(warp, op);
      ++pc;
    } else {
      if (op.flags & opAligned && mask != warp.live) {
        converge(warp, mask);
        return Next::Jump;
      }
      if (missesLanes(warp, op, mask))
        return stopPartialWarp(warp, op, mask);
      if (seen && !observe(warp, op, mask))
        return Next::Stop;
      Next next = op.handler(warp, op, mask);
      if (next == Next::Jump) {
        if (!alone || !warp.groups.empty() || warp.now.mask == 0)
          return next;
        continue;
      }
      if (next != Next::Advance)
        return next;
      ++pc;
    }
    if (watch != nullptr && pc >= watch)
      return Next::Jump;
  }
  return Next::Advance;
}

template <bool Observed> SliceEnd Slice<Observed>::loop() {
  for (;;) {
    if (warp.live == 0)
      return SliceEnd::Exited;
    // A group that is alone goes on; of several the right one is chosen.
    if (!warp.groups.empty() || warp.now.mask == 0) {
      park(warp);
      if (!choose(warp))
        return SliceEnd::Blocked;
    }
    switch (runGroup()) {
    case Next::Advance:
      return SliceEnd::Budget;
    case Next::Jump:
      break;
    case Next::Yield:
      ++warp.now.pc;
      return SliceEnd::Budget;
    case Next::Wait:
      if constexpr (Observed)
        observeWait(warp);
      warp.now.state = Group::State::Waiting;
      warp.now.seen = warp.block->cluster->progress;
      park(warp);
      break;
    case Next::Stop:
      return SliceEnd::Stopped;
    }
    if (budget == 0)
      return SliceEnd::Budget;
  }
}

SliceEnd ptxsim::runSlice(Warp &warp, uint32_t budget) {
  if (warp.now.mask != 0)
    warp.enter();
  if (warp.checks != nullptr || warp.warpgroupRegisters != nullptr ||
      warp.worker->counters != nullptr)
    return Slice<true>(warp, budget).run();
  return Slice<false>(warp, budget).run();
}
