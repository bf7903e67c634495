// Comparing accesses of global memory.

#include "tools/ptxsim/checks/GlobalRaces.h"

#include <algorithm>

using namespace ptxsim;

uint64_t GlobalRaces::nextGeneration() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

bool GlobalRaces::KnownGrid::mayOverlap(const KnownGrid &before) const {
  return before.triggers &&
         std::find(prerequisites.begin(), prerequisites.end(),
                   before.firstWarp) != prerequisites.end();
}

void GlobalRaces::forgetAll() {
  generation = nextGeneration();
  chunks.clear();
  released.clear();
  mapReleases.clear();
  grids.clear();
  nextWarp = 0;
}

uint32_t GlobalRaces::addGrid(const GridRun *grid, uint32_t warps,
                              const std::vector<const GridRun *> &prerequisites,
                              std::weak_ptr<const void> lifetime) {
  std::lock_guard<std::mutex> lock(mutex);
  auto isNeeded = [&](const KnownGrid &known) {
    return known.runs || std::find(prerequisites.begin(), prerequisites.end(),
                                   known.grid) != prerequisites.end();
  };
  grids.erase(
      std::remove_if(grids.begin(), grids.end(),
                     [&](const KnownGrid &known) { return !isNeeded(known); }),
      grids.end());
  bool noneRuns =
      std::none_of(grids.begin(), grids.end(),
                   [](const KnownGrid &known) { return known.runs; });
  if (grids.empty() || (noneRuns && nextWarp > maxWarps / 2))
    forgetAll();
  KnownGrid added;
  added.grid = grid;
  added.firstWarp = nextWarp;
  added.warps = warps;
  const std::array<uint32_t, 3> &threads = grid->launch.block;
  const std::array<uint32_t, 3> &blocks = grid->launch.cluster;
  added.warpsPerBlock = (threads[0] * threads[1] * threads[2] + 31) / 32;
  added.warpsPerCluster =
      blocks[0] * blocks[1] * blocks[2] * added.warpsPerBlock;
  added.entry = grid->entry;
  added.lifetime = std::move(lifetime);
  for (const KnownGrid &known : grids)
    if (std::find(prerequisites.begin(), prerequisites.end(), known.grid) !=
        prerequisites.end())
      added.prerequisites.push_back(known.firstWarp);
  grids.push_back(std::move(added));
  nextWarp += warps;
  return grids.back().firstWarp;
}

void GlobalRaces::noteTrigger(const GridRun *grid) {
  std::lock_guard<std::mutex> lock(mutex);
  for (KnownGrid &known : grids)
    if (known.grid == grid && known.runs)
      known.triggers = true;
}

void GlobalRaces::removeGrid(const GridRun *grid) {
  std::lock_guard<std::mutex> lock(mutex);
  for (KnownGrid &known : grids)
    if (known.grid == grid)
      known.runs = false;
}

const GlobalRaces::KnownGrid *GlobalRaces::gridOf(uint32_t warp) const {
  for (const KnownGrid &known : grids)
    if (known.has(warp))
      return &known;
  return nullptr;
}

GlobalChunk &GlobalRaces::chunkOf(uint64_t address) {
  struct Last {
    uint64_t generation = 0, number = 0;
    GlobalChunk *chunk = nullptr;
  };
  static thread_local Last lasts[16];
  uint64_t number = address / GlobalChunk::bytes;
  Last &last = lasts[number % 16];
  uint64_t now = generation.load(std::memory_order_acquire);
  if (last.generation == now && last.number == number)
    return *last.chunk;
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<GlobalChunk> &chunk = chunks[number];
  if (chunk == nullptr)
    chunk.reset(new GlobalChunk());
  last = {now, number, chunk.get()};
  return *chunk;
}

bool GlobalRaces::isOrdered(const GlobalStamp &stamp, const GlobalAccessor &by,
                            bool &needsProxy) const {
  needsProxy = false;
  if (stamp.strong && by.strong)
    return true;
  // A bulk copy only comes after what its warp did before it began it.
  if (stamp.warp == by.warp && !stamp.isBulk && !by.async &&
      ((stamp.lane == by.lane && !stamp.lanes) || stamp.epoch < by.laneSync ||
       stamp.parts || stamp.op == (by.op & 0xfff) || by.many))
    return true;
  if (knownOf(uint32_t(stamp.warp), stamp.isBulk, by) < stamp.epoch)
    return false;
  needsProxy = by.async && !stamp.isBulk &&
               proxiedOf(uint32_t(stamp.warp), by) < stamp.epoch;
  return !needsProxy;
}

static uint64_t lookUp(const RemoteClock &clock, uint32_t key) {
  auto known = clock.find(key);
  return known == clock.end() ? 0 : known->second;
}

static constexpr uint64_t allEpochs = ~uint64_t(0);

uint64_t GlobalRaces::knownOf(uint32_t warp, bool ofBulk,
                              const GlobalAccessor &by) const {
  Actor actor = 0;
  if (by.cluster->ownWarp(warp, actor)) {
    Actor known = ofBulk ? by.cluster->bulkWritesOf(actor) : actor;
    return ofBulk && known == 0 ? 0 : by.knowledge->known[known];
  }
  const RemoteClock &remote = by.knowledge->remote;
  uint64_t known = lookUp(remote, ofBulk ? warp | remoteBulk : warp);
  // Those of different grids are ordered by the host, unless one of them may
  // begin before the other one ends.
  const KnownGrid *theirs = gridOf(warp);
  const KnownGrid *own = gridOf(by.warp);
  if (theirs == own)
    return known;
  if (theirs == nullptr || own == nullptr)
    return allEpochs;
  if (own->mayOverlap(*theirs))
    return remote.count(gridsBefore) != 0 ? allEpochs : known;
  return theirs->mayOverlap(*own) ? known : allEpochs;
}

uint64_t GlobalRaces::proxiedOf(uint32_t warp, const GlobalAccessor &by) const {
  Actor actor = 0;
  if (by.cluster->ownWarp(warp, actor))
    return by.knowledge->proxiedGlobal[actor];
  return gridOf(warp) == gridOf(by.warp)
             ? lookUp(by.knowledge->remote, warp | remoteProxied)
             : allEpochs;
}

/// Says where an op of a grid is, if its code still exists and a stamp can
/// tell.
static std::string placeOf(const Code *entry,
                           const std::weak_ptr<const void> &lifetime,
                           uint32_t op) {
  std::shared_ptr<const void> held = lifetime.lock();
  if (held == nullptr || op >= entry->ops.size() || entry->ops.size() > 0x1000)
    return "";
  uint32_t index = entry->infos[op].instruction;
  if (index >= entry->function->instructions.size())
    return "";
  const ptx::Instruction &instruction = entry->function->instructions[index];
  return " at line " + std::to_string(instruction.location.line) + ": " +
         ptx::onOneLine(instruction);
}

void GlobalRaces::describe(uint64_t address, const GlobalStamp &stamp,
                           bool isWrite, bool stampIsWrite,
                           const GlobalAccessor &by, Fault &fault) {
  fault.code = FaultCode::LaunchFailed;
  fault.check = "race";
  const char *verb = stampIsWrite ? "write" : "read";
  fault.message = std::string("expected an order between this ") +
                  (isWrite ? "write" : "read") + " and " +
                  (stamp.isBulk ? "an asynchronous " : "a ") + verb;
  std::lock_guard<std::mutex> lock(mutex);
  const KnownGrid *theirs = gridOf(uint32_t(stamp.warp));
  const KnownGrid *own = gridOf(by.warp);
  if (own != nullptr)
    fault.address = describeGlobal(*own->grid->memory, address);
  if (theirs != nullptr) {
    uint32_t number = uint32_t(stamp.warp) - theirs->firstWarp;
    fault.notes.push_back(
        std::string("the other is a ") + verb +
        placeOf(theirs->entry, theirs->lifetime, uint32_t(stamp.op)) + " by " +
        (theirs == own              ? ""
         : own->mayOverlap(*theirs) ? "the grid before this one, "
                                    : "the grid after this one, ") +
        "cluster " + std::to_string(number / theirs->warpsPerCluster) +
        ", block rank " +
        std::to_string(number % theirs->warpsPerCluster /
                       theirs->warpsPerBlock) +
        ", warp " + std::to_string(number % theirs->warpsPerBlock) +
        (stamp.lanes || stamp.parts ? std::string(", several lanes")
                                    : ", lane " + std::to_string(stamp.lane)));
  }
  Actor actor = 0;
  fault.advice =
      stamp.isBulk
          ? "wait for the group with cp.async.bulk.wait_group without .read, then "
            "let the others know"
      : theirs != own
          ? "let the later grid execute griddepcontrol.wait before it "
            "touches what the earlier one does"
      : by.cluster->ownWarp(uint32_t(stamp.warp), actor)
          ? "put a barrier between the two accesses"
          : "blocks are ordered only by a release and an acquire of a flag, or "
            "by a further launch";
}

static void describeProxy(Fault &fault) {
  fault.check = "missing proxy fence";
  fault.message = "expected fence.proxy.async between an ordinary write of global "
                  "memory and this read by the async proxy";
  fault.advice = "let the writer execute fence.proxy.async, then let the one who "
                 "starts the copy know";
}

/// Remembers an access in place of an earlier one, or joins it with that of
/// another lane of the same warp and epoch.
static void remember(GlobalStamp &place, const GlobalAccessor &by,
                     uint32_t mask) {
  GlobalStamp stamp = place;
  bool same = stamp.epoch != 0 && stamp.warp == by.warp &&
              stamp.epoch == by.epoch && bool(stamp.strong) == by.strong &&
              bool(stamp.isBulk) == by.isBulk;
  bool other = same && stamp.lane != by.lane;
  bool lanes = same && (stamp.lanes || (other && (stamp.mask & mask) != 0));
  bool parts = by.many ||
               (same && (stamp.parts || (other && (stamp.mask & mask) == 0)));
  uint32_t bytes = same ? uint32_t(stamp.mask) | mask : mask;
  stamp.warp = by.warp & (maxWarps - 1);
  stamp.epoch = by.epoch & 0x3fff;
  stamp.op = by.op & 0xfff;
  stamp.lane = by.lane & 31;
  stamp.mask = bytes & 0xff;
  stamp.strong = by.strong;
  stamp.lanes = lanes;
  stamp.parts = parts;
  stamp.isBulk = by.isBulk;
  place = stamp;
}

/// True if a read leaves the stamp of another one; see RowAccessor::keepsOthers.
bool GlobalRaces::keeps(const GlobalStamp &read, const GlobalAccessor &by,
                        uint32_t mask) const {
  return read.epoch != 0 && read.warp != by.warp && (read.mask & mask) == mask &&
         (!read.strong || by.strong) &&
         knownOf(uint32_t(read.warp), false, by) < read.epoch;
}

bool GlobalRaces::accessWords(uint64_t address, uint64_t bytes, bool isWrite,
                              const GlobalAccessor &by, Fault &fault) {
  uint64_t end = address + bytes;
  for (uint64_t at = address & ~uint64_t(7); at < end; at += 8) {
    uint32_t mask = 0xff;
    if (at < address)
      mask &= 0xffu << (address - at);
    if (at + 8 > end)
      mask &= (1u << (end - at)) - 1;
    GlobalHistory word = historyOf(at);
    bool needsProxy = false;
    GlobalStamp write = word.write;
    if (write.epoch != 0 && write.mask & mask &&
        !isOrdered(write, by, needsProxy) && !(needsProxy && isWrite)) {
      describe(at, write, isWrite, true, by, fault);
      if (needsProxy)
        describeProxy(fault);
      return false;
    }
    GlobalStamp read = word.read;
    if (isWrite && read.epoch != 0 && read.mask & mask &&
        !isOrdered(read, by, needsProxy) && !needsProxy) {
      describe(at, read, isWrite, false, by, fault);
      return false;
    }
    if (!isWrite && keeps(read, by, mask))
      continue;
    remember(isWrite ? word.write : word.read, by, mask);
    setHistory(at, word, isWrite);
  }
  return true;
}

void GlobalRaces::release(uint64_t address, const RemoteClock &clock) {
  std::lock_guard<std::mutex> lock(mutex);
  join(released[address], clock);
}

void GlobalRaces::acquire(uint64_t address, RemoteClock &clock) {
  std::lock_guard<std::mutex> lock(mutex);
  auto entry = released.find(address);
  if (entry != released.end())
    join(clock, entry->second);
}

GlobalRaces::MapWrites GlobalRaces::mapWrites(uint64_t address) {
  std::lock_guard<std::mutex> lock(mutex);
  MapWrites writes = {};
  for (size_t i = 0; i < writes.size(); ++i) {
    uint64_t at = address + 8 * i;
    auto chunk = chunks.find(at / GlobalChunk::bytes);
    if (chunk == chunks.end())
      continue;
    uint64_t word = at % GlobalChunk::bytes / 8;
    GlobalStamp write = chunk->second->stampAt(
        unsigned(word / GlobalChunk::groupWords), word % GlobalChunk::groupWords,
        GlobalChunk::Writes);
    if (write.epoch != 0 && gridOf(uint32_t(write.warp)) != nullptr)
      writes[i] = write;
  }
  return writes;
}

void GlobalRaces::releaseMaps(uint32_t warp, Epoch epoch) {
  std::lock_guard<std::mutex> lock(mutex);
  mapReleases[warp] = epoch;
}

bool GlobalRaces::isReleased(const GlobalStamp &write,
                             const GlobalAccessor &by) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto release = mapReleases.find(uint32_t(write.warp));
    if (release == mapReleases.end() || release->second < write.epoch)
      return false;
  }
  bool needsProxy = false;
  return isOrdered(write, by, needsProxy);
}
