// Comparing accesses of shared memory.

#include "tools/ptxsim/checks/Races.h"

#include "tools/ptxsim/checks/RaceRows.h"
#include "tools/ptxsim/checks/TensorMaps.h"

#include <algorithm>
#include <cstdio>

using namespace ptxsim;

void BlockRaces::remember(uint32_t index, const RowAccessor &by, uint64_t mask,
                          bool isWrite) {
  using Step = RowStep<sharedLayout, 1>;
  Stamp &stamp = isWrite ? words[index].write : words[index].read;
  auto before = numerics::bitCast<uint64_t>(stamp);
  if (!isWrite || (!isSplit(stamp) && !Step::loses(before, by, mask))) {
    stamp = numerics::bitCast<Stamp>(Step::remember(before, by, by.lane, mask));
    return;
  }
  if (slots.empty())
    slots.resize(sizeof(uint32_t) * words.size());
  stamp = numerics::bitCast<Stamp>(splitWord(index).write(before, by, mask));
}

ClusterRaces::ClusterRaces(Cluster &cluster) {
  tensorMaps = std::make_shared<TensorMaps>();
  blocks.resize(cluster.blocks.size());
  firstRival = cluster.grid->firstRival;
  firstWarp = cluster.grid->firstWarp +
              uint32_t(std::min(cluster.linear, cluster.grid->numberedClusters)) *
                  cluster.grid->launch.warpsPerCluster();
  for (Block &block : cluster.blocks) {
    warpsPerBlock = uint32_t(block.warps.size());
    blocks[block.rank].words.resize((block.sharedBytes + 3) / 4);
    for (Warp &warp : block.warps) {
      warps.emplace_back();
      warps.back().actor = newActor({ActorInfo::Kind::Warp, &block, warp.index});
    }
  }
}

WarpClock &ClusterRaces::clockOf(const Warp &warp) {
  return warps[warp.block->rank * warpsPerBlock + warp.index];
}

BlockRaces &ClusterRaces::racesOf(const Block &block) {
  return blocks[block.rank];
}

Actor ClusterRaces::newActor(ActorInfo info) {
  actors.push_back(info);
  return Actor(actors.size() - 1);
}

BlockRaces::MBarrierClock &ClusterRaces::mbarrier(const Block &block,
                                                  uint32_t offset) {
  auto [entry, inserted] = racesOf(block).mbarriers.try_emplace(offset);
  if (inserted) {
    entry->second.actor =
        newActor({ActorInfo::Kind::MBarrier, &block, 0});
    entry->second.ofBlock.resize(blocks.size());
  }
  return entry->second;
}

void ClusterRaces::release(WarpClock &clock, Knowledge &result) {
  result.join(clock.knowledge);
  result.known.set(clock.actor, clock.epoch);
  ++clock.epoch;
}

void ClusterRaces::acquire(WarpClock &clock, const Knowledge &from) {
  clock.knowledge.join(from);
}

std::shared_ptr<const Knowledge> ClusterRaces::snapshot(WarpClock &clock) {
  auto copy = std::make_shared<Knowledge>(clock.knowledge);
  copy->known.set(clock.actor, clock.epoch);
  ++clock.epoch; // What it does from now on is not known.
  return copy;
}

Accessor ClusterRaces::accessor(const Warp &warp, const Op &op, int lane) {
  const WarpClock &clock = clockOf(warp);
  Accessor by;
  by.actor = clock.actor;
  by.epoch = clock.epoch;
  by.knowledge = &clock.knowledge;
  by.isWarp = true;
  by.lane = uint32_t(lane);
  by.laneSync = clock.laneSync[lane];
  by.op = warp.now.code->numberOf(op);
  return by;
}

/// True if both accesses are strong, each for the one who does the other.
bool ClusterRaces::areStrong(const Stamp &stamp, const Accessor &by) const {
  uint64_t least = std::min(uint64_t(stamp.strength), uint64_t(by.strength));
  return least > StrongInBlock ||
         (least == StrongInBlock &&
          actors[stamp.actor].block == actors[by.actor].block);
}

/// True if the access of `stamp` comes before `by` or cannot race with it.
/// `needsProxy` is set if only a proxy fence is missing.
bool ClusterRaces::isOrdered(const Stamp &stamp, const Accessor &by,
                             bool &needsProxy) const {
  if (areStrong(stamp, by))
    return true;
  if (by.isWarp && stamp.actor == by.actor &&
      ((stamp.lane == by.lane && !stamp.lanes) || stamp.parts ||
       stamp.epoch < by.laneSync || stamp.op == by.op))
    return true;
  if (by.knowledge->known[Actor(stamp.actor)] < stamp.epoch)
    return false;
  needsProxy = by.async && !stamp.async &&
               by.knowledge->proxied[Actor(stamp.actor)] < stamp.epoch;
  return !needsProxy;
}

static std::string hex(uint32_t value) {
  char text[16];
  snprintf(text, sizeof(text), "0x%x", value);
  return text;
}

void ClusterRaces::noteOther(const Block &block, uint32_t offset,
                             const Stamp &stamp, bool stampIsWrite,
                             Fault &fault) const {
  const ActorInfo &other = actors[stamp.actor];
  fault.address = "shared address " + hex(offset) + " of block rank " +
                  std::to_string(block.rank);
  std::string note =
      std::string("the other is a ") + (stampIsWrite ? "write" : "read");
  CodeSource *program = block.cluster->grid->program;
  if (const ptx::Instruction *instruction =
          program == nullptr ? nullptr : program->instructionOf(stamp.op))
    note += " at line " + std::to_string(instruction->location.line) + ": " +
            ptx::onOneLine(*instruction);
  if (other.kind == ActorInfo::Kind::MBarrier)
    note += ", a copy that ends in an mbarrier of block rank " +
            std::to_string(other.block->rank);
  else
    note += " by block rank " + std::to_string(other.block->rank) + ", warp " +
            std::to_string(other.warp) +
            (stamp.lanes || stamp.parts ? std::string(", several lanes")
                         : ", lane " + std::to_string(stamp.lane));
  fault.notes.push_back(std::move(note));
}

void ClusterRaces::describe(const Block &block, uint32_t offset,
                            const Stamp &stamp, bool isWrite, bool stampIsWrite,
                            bool onlyProxy, const Accessor &by, Fault &fault) {
  const ActorInfo &other = actors[stamp.actor];
  fault.code = FaultCode::LaunchFailed;
  fault.check = onlyProxy ? "missing proxy fence" : "race";
  fault.message =
      std::string("expected an order between this ") +
      (isWrite ? "write" : "read") + " and " +
      (other.kind == ActorInfo::Kind::Warp ? "a " : "an asynchronous ") +
      (stampIsWrite ? "write" : "read");
  if (onlyProxy)
    fault.message = std::string("expected fence.proxy.async between an ordinary "
                                "write and this ") +
                    (isWrite ? "write" : "read") + " by the async proxy";
  noteOther(block, offset, stamp, stampIsWrite, fault);
  if (onlyProxy)
    fault.advice = "let the writer execute fence.proxy.async, then a barrier, "
                   "then start the copy or wgmma";
  else if (stamp.strength != Weak && by.strength != Weak)
    fault.advice = "give both accesses a scope that holds both threads, as .cluster";
  else if (other.kind == ActorInfo::Kind::MBarrier)
    fault.advice = "wait for the mbarrier before the bytes are touched";
  else if (other.kind != ActorInfo::Kind::Warp)
    fault.advice = "wait for the group of the asynchronous operation, then let "
                   "the others know by a barrier";
  else
    fault.advice = "put a barrier between the two accesses";
}

/// True if an access may follow that of `stamp`.
bool ClusterRaces::mayFollow(const Stamp &stamp, uint32_t mask, bool isWrite,
                             bool stampIsWrite, const Accessor &by,
                             bool &onlyProxy) const {
  onlyProxy = false;
  if (stamp.epoch == 0 || (stamp.mask & mask) == 0 ||
      (stampIsWrite && !stamp.async && by.repeats >> by.lane & 1) ||
      isOrdered(stamp, by, onlyProxy))
    return true;
  // Only generic writes need to be fenced, and not for all writes.
  return onlyProxy && (!stampIsWrite || (isWrite && !by.fencesWrites));
}

/// Ranges from how many bytes are worth the trouble of a row, and how many make
/// one row: its histories are looked at twice and should stay in the cache.
static constexpr uint32_t rowBytes = 32, mostRowBytes = 1024;

bool ClusterRaces::access(Block &block, uint32_t offset, uint32_t bytes,
                          bool isWrite, const Accessor &by, Fault &fault) {
  std::vector<WordHistory> &words = racesOf(block).words;
  if (bytes < rowBytes || (offset | bytes) % 4 != 0)
    return accessPart(block, offset, bytes, isWrite, by, fault);
  auto *stamps = reinterpret_cast<uint64_t *>(&words[offset / 4]);
  RowPrecedent precedent(stamps);
  for (uint32_t at = 0; at < bytes; at += mostRowBytes) {
    uint32_t count = std::min(bytes - at, mostRowBytes) / 4;
    WordHistory *row = &words[(offset + at) / 4];
    stamps = reinterpret_cast<uint64_t *>(row);
    if (precedent.repeat(stamps, count))
      continue;
    RowPrecedent next(stamps);
    if (accessWords(row, count, 1, 31, isWrite, by)) {
      next.set(stamps);
      precedent = next;
    } else if (!accessPart(block, offset + at, 4 * count, isWrite, by, fault)) {
      return false;
    }
  }
  return true;
}

/// Cooperative groups let the lanes of a warp meet by a shuffle only between their
/// reads of one result and the write of the next, in the memory that is theirs.
bool ClusterRaces::accessPart(Block &block, uint32_t offset, uint32_t bytes,
                              bool isWrite, const Accessor &by, Fault &fault) {
  BlockRaces &races = racesOf(block);
  const RowAccessor row = rowOf(by, 31);
  uint32_t end = offset + bytes;
  for (uint32_t at = offset & ~3u; at < end; at += 4) {
    uint32_t mask = 15;
    if (at < offset)
      mask &= 15u << (offset - at);
    if (at + 4 > end)
      mask &= (1u << (end - at)) - 1;
    WordHistory &word = races.words[at / 4];
    bool onlyProxy = false;
    auto compare = [&](const Stamp &stamp, bool stampIsWrite) {
      bool reuses = isWrite && !stampIsWrite &&
                    at < h100::reservedSharedBytesPerBlock && by.isWarp &&
                    Actor(stamp.actor) == by.actor;
      if (reuses ||
          mayFollow(stamp, mask, isWrite, stampIsWrite, by, onlyProxy))
        return true;
      describe(block, at, stamp, isWrite, stampIsWrite, onlyProxy, by,
               fault);
      return false;
    };
    if (!races.forWrites(at / 4, [&](const Stamp &write) {
          return compare(write, true);
        }))
      return false;
    if (isWrite && !compare(word.read, false))
      return false;
    if (fits(by))
      races.remember(at / 4, row, mask, isWrite);
  }
  return true;
}

/// Says that an access comes after the exit of its block, or may do so.
static void describeExit(ActorInfo::Kind kind, bool isWrite, Fault &fault) {
  bool isWarp = kind == ActorInfo::Kind::Warp;
  fault.code = FaultCode::LaunchFailed;
  fault.check = "block has exited";
  fault.message = std::string("expected the block to exit after ") +
                  (isWarp ? "a " : "an asynchronous ") +
                  (isWrite ? "write" : "read") + " of its shared memory";
  fault.advice =
      isWarp ? "end with barrier.cluster so that no block exits while others "
               "use its shared memory"
      : kind == ActorInfo::Kind::MBarrier
          ? "wait for the mbarrier of the copy before the block exits"
          : "wait for the group of the asynchronous operation before the "
            "block exits (cp.async.bulk.wait_group.read is enough for a store)";
}

bool ClusterRaces::accessLater(Block &block, uint32_t offset, uint32_t bytes,
                               bool isWrite, const Accessor &by,
                               Fault &fault) {
  ActorInfo::Kind kind = actors[by.actor].kind;
  if (block.liveThreads != 0 || kind == ActorInfo::Kind::Copies)
    return access(block, offset, bytes, isWrite, by, fault);
  describeExit(kind, isWrite, fault);
  fault.address = "shared address " + hex(offset) + " of block rank " +
                  std::to_string(block.rank);
  return false;
}

/// True if an access to the shared memory of a block may be performed after its
/// exit. cp.async is not looked at: a thread takes its own copies with it.
bool ClusterRaces::mayOutlive(const Block &block, const Knowledge &exited,
                              const Stamp &stamp) const {
  if (stamp.epoch == 0 || exited.known[Actor(stamp.actor)] >= stamp.epoch)
    return false;
  const ActorInfo &other = actors[stamp.actor];
  return other.kind != ActorInfo::Kind::Copies &&
         (other.kind != ActorInfo::Kind::Warp || other.block != &block);
}

static bool isSameTime(const Stamp &a, const Stamp &b) {
  return a.actor == b.actor && a.epoch == b.epoch &&
         !BlockRaces::isSplit(a);
}

bool ClusterRaces::exit(const Block &block, const WarpClock &clock, bool isLast,
                        Fault &fault) {
  BlockRaces &races = racesOf(block);
  races.exited.join(clock.knowledge);
  // Only warps of other blocks and asynchronous work can be late.
  if (!isLast || (blocks.size() == 1 && actors.size() == warps.size()))
    return true;
  WordHistory early = {}; // One of whose accesses none is late.
  for (size_t i = 0; i < races.words.size(); ++i) {
    const WordHistory &word = races.words[i];
    if (isSameTime(word.write, early.write) && isSameTime(word.read, early.read))
      continue;
    early = word;
    Stamp stamp = {};
    auto isEarly = [&](const Stamp &each) {
      stamp = each;
      return !mayOutlive(block, races.exited, each);
    };
    bool isWrite = !races.forWrites(uint32_t(i), isEarly);
    if (!isWrite && isEarly(word.read))
      continue;
    describeExit(actors[stamp.actor].kind, isWrite, fault);
    noteOther(block, uint32_t(i * 4), stamp, isWrite, fault);
    return false;
  }
  return true;
}
