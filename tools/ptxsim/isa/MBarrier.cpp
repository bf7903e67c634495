// mbarrier instructions.
//
// Source: PTX ISA 9.0, sections 9.7.13.15.9 to 9.7.13.15.18.

#include "tools/ptxsim/core/MBarriers.h"

#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

// Op::modifiers.
static constexpr uint32_t spaceBits = 15;
static constexpr uint32_t drops = 16;
static constexpr uint32_t expects = 32;
static constexpr uint32_t noState = 64; ///< Cannot or does not return a state.
static constexpr uint32_t isParity = 128;
static constexpr uint32_t isTest = 256; ///< Does not wait.
static constexpr uint32_t hasCount = 512;
static constexpr uint32_t isRelaxed = 1024;
static constexpr uint32_t completes = 2048;
static constexpr uint32_t isOfBlock = 4096; ///< Says .cta.
static constexpr uint32_t keepsPhase = 8192; ///< .noComplete
static constexpr uint32_t isOfCluster = 16384; ///< Says .cluster.

namespace {
/// The object that one lane names.
struct Target {
  Block *block = nullptr;
  uint32_t offset = 0;

  bool operator==(const Target &other) const {
    return block == other.block && offset == other.offset;
  }
};
} // namespace

/// Resolves the address in `slot` for the lanes of `mask`.
static bool resolveTargets(Warp &warp, const Op &op, Slot slot, LaneMask mask,
                           Target *targets) {
  Access access;
  access.space = Space(op.modifiers & spaceBits);
  access.kind = AccessKind::Atomic;
  access.bytes = access.alignment = 8;
  access.mask = mask;
  if (!resolve(warp, op, slot, access))
    return false;
  uint64_t window = warp.worker->memory.sharedWindow();
  bool good = true;
  forLanes(mask, [&](int lane) {
    uint64_t address = access.addresses[lane];
    if (access.space == Space::Generic)
      address -= window;
    Target &target = targets[lane];
    if (address < Memory::windowBytes) {
      target.block =
          blockOfShared(*warp.block, uint32_t(address), target.offset);
    } else if (good) {
      Fault fault;
      fault.code = FaultCode::InvalidAddressSpace;
      fault.check = "mbarrier";
      fault.message = "expected an address of shared memory";
      fault.advice = "declare mbarriers in .shared memory";
      warp.worker->stop(warp, op, std::move(fault), lane);
      good = false;
    }
  });
  return good;
}

/// The lanes of `mask` that name the same object.
static LaneMask lanesOf(const Target *targets, LaneMask mask,
                        const Target &target) {
  LaneMask lanes = 0;
  forLanes(mask, [&](int lane) {
    lanes |= LaneMask(targets[lane] == target) << lane;
  });
  return lanes;
}

/// Calls `body(lane, target, barrier, fault)` for each lane; a false result is
/// noted as a fault of the lane.
template <typename Body>
static Next forBarriers(Warp &warp, const Op &op, Slot slot, LaneMask mask,
                        Body body) {
  Target targets[32];
  if (!resolveTargets(warp, op, slot, mask, targets))
    return Next::Stop;
  LaneMask used = 0;
  Fault fault;
  for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    const Target &target = targets[lane];
    MBarrier *barrier = findMBarrier(*target.block, target.offset, fault);
    if (barrier != nullptr && warp.worker->observes && !(used >> lane & 1)) {
      LaneMask lanes = lanesOf(targets, rest, target);
      if (!observeMBarrierUse(warp, op, *target.block, target.offset, lanes))
        return Next::Stop;
      used |= lanes;
    }
    if (barrier == nullptr || !body(lane, targets[lane], *barrier, fault))
      return warp.worker->stop(warp, op, std::move(fault), lane);
  }
  return Next::Advance;
}

static MBarrierOrder orderOf(const Op &op) {
  return op.modifiers & isRelaxed   ? MBarrierOrder::None
         : op.modifiers & isOfBlock   ? MBarrierOrder::Block
         : op.modifiers & isOfCluster ? MBarrierOrder::NamedCluster
                                      : MBarrierOrder::Cluster;
}

/// slots: address, count
static Next initialise(Warp &warp, const Op &op, LaneMask mask) {
  Target targets[32];
  if (!resolveTargets(warp, op, op.slots[0], mask, targets))
    return Next::Stop;
  for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    Fault fault;
    if (warp.worker->observes &&
        !observeMBarrierInit(warp, op, *targets[lane].block, targets[lane].offset,
                             lane))
      return Next::Stop;
    if (!initialiseMBarrier(*targets[lane].block, targets[lane].offset,
                            warp.at<uint32_t>(op.slots[1])[lane], warp, op,
                            fault))
      return warp.worker->stop(warp, op, std::move(fault), lane);
  }
  return Next::Advance;
}

static Next invalidate(Warp &warp, const Op &op, LaneMask mask) {
  return forBarriers(warp, op, op.slots[0], mask,
                     [&](int lane, Target target, MBarrier &, Fault &) {
                       if (warp.worker->observes &&
                           !observeMBarrierInval(warp, op, *target.block,
                                                 target.offset, lane))
                         return false;
                       target.block->mbarriers.erase(target.offset);
                       return true;
                     });
}

static bool failCompletion(const Target &target, const MBarrier &barrier,
                           Fault &fault) {
  fault.code = FaultCode::LaunchFailed;
  fault.check = "mbarrier arrivals";
  fault.message = "expected fewer than " + std::to_string(barrier.pending) +
                  " arrivals with .noComplete, which must not complete the phase";
  fault.address = describe(target.offset, barrier);
  fault.advice = "leave out .noComplete";
  return false;
}

/// slots: [state,] address [, count or bytes]
static Next arrive(Warp &warp, const Op &op, LaneMask mask) {
  unsigned first = op.modifiers & noState ? 0 : 1;
  const uint32_t *operand = op.modifiers & (hasCount | expects)
                                ? warp.at<uint32_t>(op.slots[first + 1])
                                : nullptr;
  return forBarriers(
      warp, op, op.slots[first], mask,
      [&](int lane, Target target, MBarrier &barrier, Fault &fault) {
        if (first == 1)
          warp.at<uint64_t>(op.slots[0])[lane] =
              mbarrierState(*target.block, target.offset, barrier);
        if (warp.worker->observes)
          observeMBarrierArrival(warp, *target.block, target.offset, barrier,
                                 orderOf(op));
        if (op.modifiers & expects &&
            !expectMBarrier(*target.block, target.offset, barrier, operand[lane],
                            fault))
          return false;
        uint32_t count = op.modifiers & hasCount ? operand[lane] : 1;
        if (op.modifiers & keepsPhase && count == barrier.pending &&
            barrier.transaction == 0)
          return failCompletion(target, barrier, fault);
        return arriveMBarrier(*target.block, target.offset, barrier, count,
                              op.modifiers & drops, fault);
      });
}

/// slots: address, bytes
static Next expect(Warp &warp, const Op &op, LaneMask mask) {
  const uint32_t *bytes = warp.at<uint32_t>(op.slots[1]);
  return forBarriers(
      warp, op, op.slots[0], mask,
      [&](int lane, Target target, MBarrier &barrier, Fault &fault) {
        int64_t change = op.modifiers & completes ? -int64_t(bytes[lane])
                                                  : int64_t(bytes[lane]);
        return expectMBarrier(*target.block, target.offset, barrier, change,
                              fault);
      });
}

/// True if a try comes back without having seen the end of the phase, although it
/// is there, or could wait longer. Under the lazy schedule every first one does.
static bool givesUp(Warp &warp) {
  Cluster &cluster = *warp.block->cluster;
  switch (cluster.grid->options->schedule.kind) {
  case Schedule::Kind::Eager:
    return false;
  case Schedule::Kind::Lazy:
    return warp.now.hasGivenUp = !warp.now.hasGivenUp;
  case Schedule::Kind::Random:
    return cluster.random() % 2 == 0;
  }
  return false;
}

/// Finds the lanes whose phase is over, those of them who may not know it, and
/// the last object that a lane looked at.
static Next lookAt(Warp &warp, const Op &op, LaneMask mask, LaneMask &done,
                   LaneMask &unseen, Target &awaited) {
  Target last;
  bool isLastUnseen = false;
  bool isChecked = warp.block->cluster->races != nullptr;
  return forBarriers(
      warp, op, op.slots[1], mask,
      [&](int lane, Target target, MBarrier &barrier, Fault &fault) {
        uint64_t parity;
        if (op.modifiers & isParity) {
          parity = warp.at<uint32_t>(op.slots[2])[lane];
          if (parity > 1) {
            fault.code = FaultCode::LaunchFailed;
            fault.check = "mbarrier parity";
            fault.message = "expected 0 or 1, got " + std::to_string(parity);
            fault.advice = "give the lowest bit of the phase's number";
            return false;
          }
        } else {
          uint64_t state = warp.at<uint64_t>(op.slots[2])[lane];
          if (isChecked && !checkMBarrierState(*target.block, target.offset,
                                               barrier, state, fault))
            return false;
          parity = state >> 63;
        }
        awaited = target;
        // Parity p is done when the phase that now runs has the other one.
        if ((barrier.phase & 1) == parity)
          return true;
        done |= LaneMask(1) << lane;
        if (!(target == last))
          isLastUnseen =
              mayBeUnseen(warp, *target.block, target.offset, barrier);
        last = target;
        unseen |= LaneMask(isLastUnseen) << lane;
        return true;
      });
}

/// slots: p, address, parity or state [, time limit]
static Next wait(Warp &warp, const Op &op, LaneMask mask) {
  LaneMask done = 0, unseen = 0;
  Target awaited;
  Next next = lookAt(warp, op, mask, done, unseen, awaited);
  if (next != Next::Advance)
    return next;
  Group &now = warp.now;
  bool isFirst = !now.mayExpire && !now.expired;
  bool waits = !(op.modifiers & isTest) && done == 0 && mask == now.mask;
  if (isFirst && (waits || unseen != 0) && givesUp(warp)) {
    done &= ~unseen;
    waits = false;
  }
  if (waits && !now.expired) {
    now.mayExpire = true;
    return Next::Wait;
  }
  now.mayExpire = now.expired = false;
  now.hasGivenUp &= done == 0;
  if (done != mask) {
    if (warp.worker->counters != nullptr)
      observeNotReady(warp);
    notePoll(warp, op, mask, awaited.offset,
             awaited.block->shared + awaited.offset, 0);
    now.turns += 16;
  }
  warp.setPredicate(op.slots[0], done, mask);
  if (!warp.worker->observes || done == 0)
    return Next::Advance;
  Target last; // One lane learns for its warp.
  return forBarriers(warp, op, op.slots[1], done,
                     [&](int, Target target, MBarrier &barrier, Fault &) {
                       if (!(target == last))
                         observeMBarrierWait(warp, *target.block, target.offset,
                                             barrier, orderOf(op));
                       last = target;
                       return true;
                     });
}

/// slots: d, state
static Next pendingCount(Warp &warp, const Op &op, LaneMask mask) {
  const uint64_t *state = warp.at<uint64_t>(op.slots[1]);
  uint32_t *target = warp.at<uint32_t>(op.slots[0]);
  forLanes(mask, [&](int lane) {
    target[lane] = pendingOf(state[lane]);
  });
  return Next::Advance;
}

static void noteModifiers(const Match &match, Op &op) {
  op.modifiers = uint32_t(match.space);
  auto note = [&](std::string_view word, uint32_t bit) {
    if (match.has(word))
      op.modifiers |= bit;
  };
  note("arrive_drop", drops);
  note("expect_tx", expects);
  note("parity", isParity);
  note("test_wait", isTest);
  note("relaxed", isRelaxed);
  note("complete_tx", completes);
  note("cta", isOfBlock);
  note("cluster", isOfCluster);
}

static Handler selectInit(const Match &match, Op &op) {
  noteModifiers(match, op);
  return initialise;
}
static Handler selectInval(const Match &match, Op &op) {
  noteModifiers(match, op);
  return invalidate;
}
static Handler selectExpect(const Match &match, Op &op) {
  noteModifiers(match, op);
  if (std::string message = checkOrderAndScope(match); !message.empty())
    return match.refuse(std::move(message));
  return expect;
}
static Handler selectWait(const Match &match, Op &op) {
  noteModifiers(match, op);
  if (std::string message = checkOrderAndScope(match); !message.empty())
    return match.refuse(std::move(message));
  return wait;
}
static Handler selectPending(const Match &, Op &) { return pendingCount; }

static Handler selectArrive(const Match &match, Op &op) {
  noteModifiers(match, op);
  if (std::string message = checkOrderAndScope(match); !message.empty())
    return match.refuse(std::move(message));
  char first = match.form->operands[0];
  if (first != '=')
    op.modifiers |= noState;
  if (!match.has("expect_tx") && match.instruction->operandCount > 2)
    op.modifiers |= hasCount;
  if (match.has("noComplete"))
    op.modifiers |= keepsPhase;
  return arrive;
}

static constexpr OpClass kind = OpClass::Barrier;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_SHARED "?.(shared|shared::cta).b64"
#define PTXSIM_ANY_SHARED "?.(shared|shared::cta|shared::cluster).b64"
#define PTXSIM_ORDER " ?.(release|relaxed)?.(cta|cluster)"
#define PTXSIM_WAIT_ORDER "?.(acquire|relaxed)?.(cta|cluster)"
/// An object of this block gives its state, one of another block none.
#define PTXSIM_ARRIVE(syntax, operands)                                        \
  {syntax PTXSIM_ORDER PTXSIM_SHARED, "=b64 " operands, selectArrive, kind, 0, \
   own},                                                                       \
  {                                                                            \
    syntax PTXSIM_ORDER ".shared::cluster.b64", "_ " operands, selectArrive,   \
        kind, 0, own                                                           \
  }
#define PTXSIM_ONE_WAIT(syntax, operands)                                      \
  {syntax PTXSIM_WAIT_ORDER PTXSIM_SHARED, operands, selectWait, kind, 0, own}

static const Form forms[] = {
    {"mbarrier.init " PTXSIM_SHARED, "[a] u32", selectInit, kind, 0, own},
    {"mbarrier.inval " PTXSIM_SHARED, "[a]", selectInval, kind, 0, own},
    PTXSIM_ARRIVE("mbarrier.arrive", "[a] u32?"),
    PTXSIM_ARRIVE("mbarrier.arrive.expect_tx", "[a] u32"),
    PTXSIM_ARRIVE("mbarrier.arrive_drop", "[a] u32?"),
    PTXSIM_ARRIVE("mbarrier.arrive_drop.expect_tx", "[a] u32"),
    {"mbarrier.(arrive|arrive_drop) .noComplete?.release?.cta" PTXSIM_SHARED,
     "=b64 [a] u32", selectArrive, kind, 0, own},
    {"mbarrier.(expect_tx|complete_tx) ?.relaxed?.(cta|cluster)" PTXSIM_ANY_SHARED,
     "[a] u32", selectExpect, kind, 0, own},
    PTXSIM_ONE_WAIT("mbarrier.test_wait .parity", "=p [a] u32"),
    PTXSIM_ONE_WAIT("mbarrier.try_wait .parity", "=p [a] u32 u32?"),
    PTXSIM_ONE_WAIT("mbarrier.test_wait ", "=p [a] b64"),
    PTXSIM_ONE_WAIT("mbarrier.try_wait ", "=p [a] b64 u32?"),
    {"mbarrier.pending_count.b64", "=u32 b64", selectPending, kind},
};

Family isa::mbarrierFamily() { return {forms, std::size(forms)}; }
