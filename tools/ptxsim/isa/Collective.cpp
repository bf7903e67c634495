// What the lanes of a warp do together: shuffles, votes, matches, reductions.
//
// An instruction names the lanes that take part. They need not be in one group:
// diverged lanes may execute it at different places. A group that comes leaves its
// values in a Gathering of the warp and waits until all members that have not
// exited have come.
//
// Source: PTX ISA 9.0, sections 9.7.9.6 (shfl.sync), 9.7.13.6 to 9.7.13.14.

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Interpreter.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <algorithm>

using namespace ptxsim;
using namespace ptxsim::isa;

namespace {
/// The lanes for which an instruction can be completed now.
struct Complete {
  LaneMask lanes = 0;
  LaneMask present = 0; ///< Those that have brought values.
  uint64_t values[32];
  uint64_t undefined[32]; ///< Their undefined bits, if they are checked.
  uint32_t members[32]; ///< Of each lane.

  /// The undefined bits of `member`, as `lane` sees them.
  uint64_t undefinedOf(int member, int lane) const {
    LaneMask known = present & members[lane];
    return known >> member & 1 ? undefined[member] : broughtNothing;
  }
};
} // namespace

static Next notAMember(Warp &warp, const Op &op, int lane, uint32_t members) {
  Fault fault;
  fault.code = FaultCode::IllegalInstruction;
  fault.check = "lane not in its member mask";
  char text[16];
  snprintf(text, sizeof(text), "0x%08x", members);
  fault.message = "expected a member mask with the executing lane, got " +
                  std::string(text);
  fault.advice = "name all lanes that execute the instruction, and no others";
  return warp.worker->stop(warp, op, std::move(fault), lane);
}

/// True if every lane's members are in the group or have exited.
static bool allHere(const Warp &warp, LaneMask mask, const uint32_t *members) {
  uint32_t all = 0;
  forLanes(mask, [&](int lane) { all |= members[lane]; });
  if ((all & warp.live & ~mask) != 0)
    return false;
  // Lanes of the group that a mask names must have the same mask.
  for (LaneMask rest = mask; rest != 0; rest &= rest - 1) {
    uint32_t wanted = members[__builtin_ctz(rest)];
    bool same = true;
    forLanes(wanted & mask, [&](int lane) { same &= members[lane] == wanted; });
    if (!same)
      return false;
  }
  return true;
}

/// Leaves the values of the group for the others, or takes those of all if they
/// have come. The running group is cut down to lanes of one member mask.
static Next meetOthers(Warp &warp, const Op &op, LaneMask mask,
                       Complete &complete) {
  Group &now = warp.now;
  uint32_t members = complete.members[__builtin_ctz(mask)];
  LaneMask lanes = 0;
  forLanes(mask, [&](int lane) {
    if (complete.members[lane] == members)
      lanes |= LaneMask(1) << lane;
  });
  if (lanes != now.mask) {
    Group rest = now;
    rest.mask &= ~lanes;
    warp.groups.push_back(std::move(rest));
    now.mask = lanes;
  }
  if (now.ticket == 0) {
    size_t index = 0;
    while (index < warp.gatherings.size() &&
           !(warp.gatherings[index].members == members &&
             warp.gatherings[index].kind == op.handler &&
             (warp.gatherings[index].arrived & lanes) == 0))
      ++index;
    if (index == warp.gatherings.size()) {
      index = size_t(std::find_if(warp.gatherings.begin(), warp.gatherings.end(),
                                  [](const Gathering &gathering) {
                                    return gathering.members == 0;
                                  }) -
                     warp.gatherings.begin());
      if (index == warp.gatherings.size())
        warp.gatherings.emplace_back();
      warp.gatherings[index] = Gathering();
      warp.gatherings[index].members = members;
      warp.gatherings[index].kind = op.handler;
    }
    Gathering &gathering = warp.gatherings[index];
    forLanes(lanes, [&](int lane) {
      gathering.values[lane] = complete.values[lane];
      if (warp.checks != nullptr)
        gathering.undefined[lane] = complete.undefined[lane];
    });
    gathering.arrived |= lanes;
    now.ticket = index + 1;
    ++warp.block->cluster->progress;
  }
  Gathering &gathering = warp.gatherings[now.ticket - 1];
  if ((members & warp.live & ~gathering.arrived) != 0)
    return Next::Wait;
  complete.lanes = lanes;
  complete.present = gathering.arrived;
  std::copy(std::begin(gathering.undefined), std::end(gathering.undefined),
            complete.undefined);
  std::copy(std::begin(gathering.values), std::end(gathering.values),
            complete.values);
  gathering.left |= lanes;
  if ((gathering.left | ~warp.live) == ~LaneMask(0) ||
      gathering.left == gathering.arrived)
    gathering.members = 0;
  now.ticket = 0;
  return Next::Advance;
}

/// What a lane brings that is undefined.
template <typename Body>
static uint64_t broughtBy(const Warp &warp, const Op &op, int lane) {
  if (Body::valueSlot < 0 || warp.checks->isClean())
    return 0;
  return broughtUndefined(warp, op, op.slots[Body::valueSlot], lane);
}

/// The undefined bits of all members of `lane`.
static uint64_t undefinedOfMembers(const Warp &warp, const Complete &complete,
                                   int lane) {
  uint64_t result = 0;
  forLanes(complete.members[lane] & warp.live,
           [&](int member) { result |= complete.undefinedOf(member, lane); });
  return result;
}

/// Gives the lanes the undefined bits `of(lane)` of what they take to slot `to`
/// of what others have brought in slot `from`.
template <typename Of>
static void carryTo(Warp &warp, const Op &op, Slot to, Slot from,
                    const Complete &complete, Of of) {
  uint64_t undefined[32], any = 0;
  forLanes(complete.lanes, [&](int lane) {
    undefined[lane] = of(lane);
    any |= undefined[lane];
  });
  if (to != -1 && (any != 0 || !warp.checks->isClean()))
    takeUndefined(warp, op, to, from, complete.lanes, undefined);
}

/// A result of which every bit depends on all of what the members brought.
static void carryWhole(Warp &warp, const Op &op, Slot to, Slot from,
                       const Complete &complete) {
  carryTo(warp, op, to, from, complete, [&](int lane) {
    return undefinedOfMembers(warp, complete, lane) == 0
               ? 0
               : broughtBits | broughtComputed;
  });
}

/// Executes a collective: `Body::value(warp, op, lane)` is what a lane brings,
/// `Body::finish(warp, op, complete)` what the lanes take away, and slot
/// `Body::memberSlot` holds the member mask. For the checks, `Body::valueSlot` is
/// where the values are, or -1, and `Body::carry` carries undefined bits.
template <typename Body>
static Next collective(Warp &warp, const Op &op, LaneMask mask) {
  Complete complete;
  const uint32_t *members = warp.at<uint32_t>(op.slots[Body::memberSlot]);
  std::copy(members, members + 32, complete.members);
  int outside = -1;
  forLanes(mask, [&](int lane) {
    if ((members[lane] >> lane & 1) == 0 && outside < 0)
      outside = lane;
    complete.values[lane] = Body::value(warp, op, lane);
    if (warp.checks != nullptr)
      complete.undefined[lane] = broughtBy<Body>(warp, op, lane);
  });
  if (outside >= 0)
    return notAMember(warp, op, outside, members[outside]);
  complete.lanes = complete.present = mask;
  if (warp.now.ticket != 0 || !allHere(warp, mask, members)) {
    // Lanes of the group whose guard is false go on.
    if (mask != warp.now.mask) {
      Group rest = warp.now;
      rest.mask &= ~mask;
      ++rest.pc;
      warp.groups.push_back(std::move(rest));
      warp.now.mask = mask;
    }
    Next next = meetOthers(warp, op, mask, complete);
    if (next != Next::Advance)
      return next;
    Body::finish(warp, op, complete);
    if (warp.checks != nullptr)
      Body::carry(warp, op, complete);
    ++warp.now.pc;
    return Next::Jump;
  }
  Body::finish(warp, op, complete);
  if (warp.checks != nullptr)
    Body::carry(warp, op, complete);
  return Next::Advance;
}

namespace {
enum class ShuffleMode { Up, Down, Butterfly, Index };

/// slots: d, p, a, b, c, members
template <ShuffleMode M> struct Shuffle {
  static constexpr int memberSlot = 5, valueSlot = 2;
  static uint64_t value(const Warp &warp, const Op &op, int lane) {
    return warp.at<uint32_t>(op.slots[2])[lane];
  }

  /// The lane that lane `lane` reads; false if it is out of its segment.
  static bool source(int lane, uint32_t b, uint32_t c, int &result) {
    int segment = int(c >> 8 & 31), limit = int(c & 31), by = int(b & 31);
    int last = (lane & segment) | (limit & ~segment);
    bool inside = false;
    switch (M) {
    case ShuffleMode::Up:
      result = lane - by;
      inside = result >= last;
      break;
    case ShuffleMode::Down:
      result = lane + by;
      inside = result <= last;
      break;
    case ShuffleMode::Butterfly:
      result = lane ^ by;
      inside = result <= last;
      break;
    case ShuffleMode::Index:
      result = (lane & segment) | (by & ~segment & 31);
      inside = result <= last;
      break;
    }
    if (!inside)
      result = lane;
    return inside;
  }

  static void finish(Warp &warp, const Op &op, const Complete &complete) {
    const uint32_t *b = warp.at<uint32_t>(op.slots[3]);
    const uint32_t *c = warp.at<uint32_t>(op.slots[4]);
    uint32_t results[32];
    LaneMask inside = 0;
    forLanes(complete.lanes, [&](int lane) {
      int from = lane;
      if (source(lane, b[lane], c[lane], from))
        inside |= LaneMask(1) << lane;
      results[lane] = uint32_t(complete.values[from & 31]);
    });
    writeLanes(warp.at<uint32_t>(op.slots[0]), results, complete.lanes);
    if (op.slots[1] != -1)
      warp.setPredicate(op.slots[1], inside, complete.lanes);
  }

  /// A lane takes the bits of the lane that it reads; which one must be defined.
  static void carry(Warp &warp, const Op &op, const Complete &complete) {
    const uint32_t *b = warp.at<uint32_t>(op.slots[3]);
    const uint32_t *c = warp.at<uint32_t>(op.slots[4]);
    LaneMask unsure = undefinedLanes(warp, op.slots[3], 4) |
                      undefinedLanes(warp, op.slots[4], 4);
    auto whether = [&](int lane) {
      return unsure >> lane & 1 ? broughtBits | broughtComputed : 0;
    };
    carryTo(warp, op, op.slots[1], op.slots[3], complete, whether);
    carryTo(warp, op, op.slots[0], op.slots[2], complete, [&](int lane) {
      int from = lane;
      source(lane, b[lane], c[lane], from);
      uint64_t whole = whether(lane);
      return whole != 0 ? whole : complete.undefinedOf(from & 31, lane);
    });
  }
};

/// The bits that the members of `lane` brought.
LaneMask trueMembers(const Complete &complete, int lane) {
  LaneMask result = 0;
  forLanes(complete.members[lane], [&](int member) {
    if (complete.values[member] & 1)
      result |= LaneMask(1) << member;
  });
  return result;
}

enum class VoteMode { All, Any, Uniform, Ballot };

/// slots: d, a, members
template <VoteMode M> struct Vote {
  static constexpr int memberSlot = 2, valueSlot = 1;
  static uint64_t value(const Warp &warp, const Op &op, int lane) {
    return warp.predicate(op.slots[1]) >> lane & 1;
  }
  static void finish(Warp &warp, const Op &op, const Complete &complete) {
    LaneMask result = 0;
    uint32_t ballots[32];
    forLanes(complete.lanes, [&](int lane) {
      LaneMask members = complete.members[lane] & warp.live;
      LaneMask yes = trueMembers(complete, lane) & members;
      ballots[lane] = yes;
      bool vote = M == VoteMode::All   ? yes == members
                  : M == VoteMode::Any ? yes != 0
                                       : yes == members || yes == 0;
      result |= LaneMask(vote) << lane;
    });
    if (M == VoteMode::Ballot)
      writeLanes(warp.at<uint32_t>(op.slots[0]), ballots, complete.lanes);
    else
      warp.setPredicate(op.slots[0], result, complete.lanes);
  }

  /// A vote may be decided by lanes that are defined.
  static void carry(Warp &warp, const Op &op, const Complete &complete) {
    carryTo(warp, op, op.slots[0], op.slots[1], complete, [&](int lane) {
      LaneMask members = complete.members[lane] & warp.live, unsure = 0;
      forLanes(members, [&](int member) {
        if (complete.undefinedOf(member, lane) != 0)
          unsure |= LaneMask(1) << member;
      });
      LaneMask yes = trueMembers(complete, lane) & members & ~unsure;
      LaneMask no = members & ~unsure & ~yes;
      if (M == VoteMode::Ballot)
        return unsure == 0 ? 0 : unsure | broughtComputed;
      bool decided = M == VoteMode::All   ? no != 0
                     : M == VoteMode::Any ? yes != 0
                                          : yes != 0 && no != 0;
      return unsure == 0 || decided ? 0 : broughtBits | broughtComputed;
    });
  }
};

/// slots: d, a, members
template <typename T> struct MatchAny {
  static constexpr int memberSlot = 2, valueSlot = 1;
  static uint64_t value(const Warp &warp, const Op &op, int lane) {
    return warp.at<T>(op.slots[1])[lane];
  }
  static void finish(Warp &warp, const Op &op, const Complete &complete) {
    forLanes(complete.lanes, [&](int lane) {
      LaneMask same = 0;
      forLanes(complete.members[lane] & warp.live, [&](int member) {
        if (complete.values[member] == complete.values[lane])
          same |= LaneMask(1) << member;
      });
      warp.at<uint32_t>(op.slots[0])[lane] = same;
    });
  }
  static void carry(Warp &warp, const Op &op, const Complete &complete) {
    carryWhole(warp, op, op.slots[0], op.slots[1], complete);
  }
};

/// slots: d, p, a, members
template <typename T> struct MatchAll {
  static constexpr int memberSlot = 3, valueSlot = 2;
  static uint64_t value(const Warp &warp, const Op &op, int lane) {
    return warp.at<T>(op.slots[2])[lane];
  }
  static void finish(Warp &warp, const Op &op, const Complete &complete) {
    LaneMask all = 0;
    forLanes(complete.lanes, [&](int lane) {
      LaneMask members = complete.members[lane] & warp.live;
      bool same = true;
      forLanes(members, [&](int member) {
        same &= complete.values[member] == complete.values[lane];
      });
      warp.at<uint32_t>(op.slots[0])[lane] = same ? members : 0;
      all |= LaneMask(same) << lane;
    });
    if (op.slots[1] != -1)
      warp.setPredicate(op.slots[1], all, complete.lanes);
  }
  static void carry(Warp &warp, const Op &op, const Complete &complete) {
    carryWhole(warp, op, op.slots[0], op.slots[2], complete);
    carryWhole(warp, op, op.slots[1], op.slots[2], complete);
  }
};

/// slots: d, a, members
template <typename T, T (*Combine)(T, T)> struct Reduce {
  static constexpr int memberSlot = 2, valueSlot = 1;
  static uint64_t value(const Warp &warp, const Op &op, int lane) {
    return warp.at<uint32_t>(op.slots[1])[lane];
  }
  static void finish(Warp &warp, const Op &op, const Complete &complete) {
    forLanes(complete.lanes, [&](int lane) {
      LaneMask members = complete.members[lane] & warp.live;
      T total = T(complete.values[__builtin_ctz(members)]);
      forLanes(members & (members - 1), [&](int member) {
        total = Combine(total, T(complete.values[member]));
      });
      warp.at<uint32_t>(op.slots[0])[lane] = uint32_t(total);
    });
  }
  static void carry(Warp &warp, const Op &op, const Complete &complete) {
    carryWhole(warp, op, op.slots[0], op.slots[1], complete);
  }
};

/// slots: d, p, members. The lowest member is elected.
struct Elect {
  static constexpr int memberSlot = 2, valueSlot = -1;
  static uint64_t value(const Warp &, const Op &, int) { return 0; }
  static void finish(Warp &warp, const Op &op, const Complete &complete) {
    LaneMask elected = 0;
    forLanes(complete.lanes, [&](int lane) {
      uint32_t first =
          uint32_t(__builtin_ctz(complete.members[lane] & warp.live));
      warp.at<uint32_t>(op.slots[0])[lane] = first;
      elected |= LaneMask(first == uint32_t(lane)) << lane;
    });
    if (op.slots[1] != -1)
      warp.setPredicate(op.slots[1], elected, complete.lanes);
  }
  static void carry(Warp &, const Op &, const Complete &) {}
};

/// slots: members
struct WarpBarrier {
  static constexpr int memberSlot = 0, valueSlot = -1;
  static uint64_t value(const Warp &, const Op &, int) { return 0; }
  static void finish(Warp &warp, const Op &, const Complete &complete) {
    if (warp.worker->observes)
      observeWarpBarrier(warp, complete.lanes);
  }
  static void carry(Warp &, const Op &, const Complete &) {}
};
} // namespace

template <typename T> static T sum(T a, T b) { return T(uint32_t(a) + uint32_t(b)); }
template <typename T> static T least(T a, T b) { return std::min(a, b); }
template <typename T> static T greatest(T a, T b) { return std::max(a, b); }
static uint32_t both(uint32_t a, uint32_t b) { return a & b; }
static uint32_t either(uint32_t a, uint32_t b) { return a | b; }
static uint32_t different(uint32_t a, uint32_t b) { return a ^ b; }

static Next readActiveMask(Warp &warp, const Op &op, LaneMask mask) {
  uint32_t *target = warp.at<uint32_t>(op.slots[0]);
  forLanes(mask, [&](int lane) { target[lane] = mask; });
  return Next::Advance;
}

template <typename Body> static Handler always(const Match &, Op &) {
  return collective<Body>;
}
static Handler selectActiveMask(const Match &, Op &) { return readActiveMask; }

template <typename T> static Handler selectReduce(const Match &match, Op &) {
  if (match.has("add"))
    return collective<Reduce<T, sum<T>>>;
  return match.has("min") ? collective<Reduce<T, least<T>>>
                          : collective<Reduce<T, greatest<T>>>;
}

static constexpr OpClass kind = OpClass::Collective;
static constexpr Transfer own = Transfer::Own;

static const Form forms[] = {
    {"shfl .sync.up.b32", "=b32|p b32 b32 b32 u32",
     always<Shuffle<ShuffleMode::Up>>, kind, 0, own},
    {"shfl .sync.down.b32", "=b32|p b32 b32 b32 u32",
     always<Shuffle<ShuffleMode::Down>>, kind, 0, own},
    {"shfl .sync.bfly.b32", "=b32|p b32 b32 b32 u32",
     always<Shuffle<ShuffleMode::Butterfly>>, kind, 0, own},
    {"shfl .sync.idx.b32", "=b32|p b32 b32 b32 u32",
     always<Shuffle<ShuffleMode::Index>>, kind, 0, own},
    // In any order: CUB still writes that before ISA 6.0, vote.ballot.sync.
    {"vote .sync.all.pred", "=p p u32", always<Vote<VoteMode::All>>, kind},
    {"vote .sync.any.pred", "=p p u32", always<Vote<VoteMode::Any>>, kind},
    {"vote .sync.uni.pred", "=p p u32", always<Vote<VoteMode::Uniform>>, kind},
    {"vote .sync.ballot.b32", "=b32 p u32", always<Vote<VoteMode::Ballot>>, kind},
    {"match .any.sync.b32", "=u32 b32 u32", always<MatchAny<uint32_t>>, kind},
    {"match .any.sync.b64", "=u32 b64 u32", always<MatchAny<uint64_t>>, kind},
    {"match .all.sync.b32", "=u32|p b32 u32", always<MatchAll<uint32_t>>, kind},
    {"match .all.sync.b64", "=u32|p b64 u32", always<MatchAll<uint64_t>>, kind},
    {"redux .sync.(add|min|max).u32", "=u32 u32 u32", selectReduce<uint32_t>, kind},
    {"redux .sync.(add|min|max).s32", "=u32 u32 u32", selectReduce<int32_t>, kind},
    {"redux .sync.and.b32", "=u32 u32 u32", always<Reduce<uint32_t, both>>, kind},
    {"redux .sync.or.b32", "=u32 u32 u32", always<Reduce<uint32_t, either>>, kind},
    {"redux .sync.xor.b32", "=u32 u32 u32", always<Reduce<uint32_t, different>>,
     kind},
    {"elect.sync", "=u32&p u32", always<Elect>, kind},
    {"activemask.b32", "=b32", selectActiveMask, kind},
    {"bar.warp.sync", "u32", always<WarpBarrier>, OpClass::Barrier},
};

Family isa::collectiveFamily() { return {forms, std::size(forms)}; }
