// Comparing accesses of global memory.

#include "tools/ptxsim/checks/GlobalRaces.h"

#include "tools/ptxsim/numerics/Bits.h"

#include <algorithm>

using namespace ptxsim;
using numerics::bitCast;

uint64_t GlobalRaces::nextGeneration() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

void GlobalRaces::forgetAll() {
  generation = nextGeneration();
  chunks.clear();
  released.clear();
  mapReleases.clear();
  order.clear();
  nextWarp = 0;
  eras.clear();
  eraNumbers.clear();
  firstEra = maxWarps;
}

/// Forgets everything if nothing of it matters, or if numbers for `warps`
/// further warps run short; and what can only matter to grids that run.
void GlobalRaces::makeRoom(uint64_t warps) {
  if (order.anyRuns())
    return;
  releasedWithin.clear();
  flags.clear();
  if (order.isEmpty() || nextWarp + warps > firstEra / 2)
    forgetAll();
}

void GlobalRaces::addGrid(GridRun &grid, uint64_t clusters,
                          const std::vector<const GridRun *> &prerequisites,
                          std::weak_ptr<const void> lifetime) {
  std::lock_guard<std::mutex> lock(mutex);
  uint64_t each = grid.launch.warpsPerCluster();
  makeRoom(clusters * each);
  memory = grid.memory;
  grid.firstWarp = nextWarp;
  uint64_t room = maxWarps - std::min(nextWarp, maxWarps);
  grid.numberedClusters = (room + each - 1) / each;
  // One more for all those without numbers of their own.
  auto warps =
      uint32_t(std::min(clusters, grid.numberedClusters + 1) * each);
  grid.firstRival = order.firstRival(
      order.add(grid, warps, prerequisites, std::move(lifetime)));
  nextWarp += warps;
}

void GlobalRaces::noteTrigger(const GridRun *grid, bool hasWaited) {
  std::lock_guard<std::mutex> lock(mutex);
  order.noteTrigger(*grid, hasWaited);
}

void GlobalRaces::noteWait(const GridRun *grid) {
  std::lock_guard<std::mutex> lock(mutex);
  order.noteWait(*grid);
}

void GlobalRaces::removeGrid(GridRun &grid) {
  std::lock_guard<std::mutex> lock(mutex);
  order.noteEnd(grid);
  const KnownGrid *known = order.findGrid(grid);
  if (known == nullptr)
    return;
  grid.heard = known->heard;
  if (known->meetsHost)
    grid.meetsHost = true;
}

void GlobalRaces::noteMeeting(const GridRun *grid) {
  if (KnownGrid *known = order.findGrid(*grid))
    order.noteMeeting(*known);
}

void GlobalRaces::forget(const Clock &before) {
  std::lock_guard<std::mutex> lock(mutex);
  order.forget(before);
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

GlobalRaces::Era GlobalRaces::eraOf(uint32_t number) const {
  if (number < firstEra.load(std::memory_order_acquire) || number >= maxWarps)
    return {number, 0};
  std::lock_guard<std::mutex> lock(mutex);
  return eras[maxWarps - 1 - number];
}

uint32_t GlobalRaces::numberOf(uint32_t warp, Epoch epoch) {
  if (epoch <= eraEpochs)
    return warp < firstEra.load(std::memory_order_acquire) ? warp : maxWarps;
  Epoch before = (epoch - 1) / eraEpochs * eraEpochs;
  struct Last {
    uint64_t generation = 0;
    uint32_t warp = 0, number = 0;
    Epoch before = 0;
  };
  static thread_local Last lasts[64];
  Last &last = lasts[warp % 64];
  uint64_t now = generation.load(std::memory_order_acquire);
  if (last.generation == now && last.warp == warp && last.before == before)
    return last.number;
  std::lock_guard<std::mutex> lock(mutex);
  auto [entry, isNew] = eraNumbers.try_emplace({warp, before}, maxWarps);
  if (isNew && nextWarp < firstEra) {
    eras.push_back({warp, before});
    entry->second = firstEra.fetch_sub(1, std::memory_order_release) - 1;
  }
  last = {now, warp, entry->second, before};
  return entry->second;
}

bool GlobalRaces::areStrong(const GlobalStamp &stamp,
                            const GlobalAccessor &by) const {
  uint64_t least = std::min(uint64_t(stamp.strength), uint64_t(by.strength));
  if (least == Weak || least == StrongForAll)
    return least == StrongForAll;
  uint32_t warp = eraOf(uint32_t(stamp.number)).warp;
  const KnownGrid *own = order.find(by.warp);
  if (own == nullptr || !own->has(warp))
    return false;
  uint32_t together =
      least == StrongInBlock ? own->warpsPerBlock : own->warpsPerCluster;
  return (warp - own->firstWarp) / together ==
         (by.warp - own->firstWarp) / together;
}

bool GlobalRaces::isForbidden(uint32_t warp, const GlobalAccessor &by) const {
  if (!by.readsOnly)
    return false;
  const KnownGrid *own = order.find(by.warp);
  return own != nullptr && own->has(warp);
}

bool GlobalRaces::isOrdered(const GlobalStamp &stamp, const GlobalAccessor &by,
                            bool &needsProxy) {
  needsProxy = false;
  if (areStrong(stamp, by))
    return true;
  bool isSameOp =
      stamp.op == (by.op & RowStep<globalLayout, 1>::ones(globalLayout.opBits));
  Era era = eraOf(uint32_t(stamp.number));
  uint64_t epoch = era.before + stamp.epoch;
  if (isForbidden(era.warp, by))
    return false;
  // A bulk copy only comes after what its warp did before it began it.
  if (era.warp == by.warp && !stamp.isBulk && !by.async &&
      ((stamp.lane == by.lane && !stamp.lanes) || epoch < by.laneSync ||
       stamp.parts || isSameOp || by.many))
    return true;
  // Lanes that begin one copy together: CUTLASS lets a whole warp store its tile.
  if (era.warp == by.warp && stamp.isBulk && by.isBulk && epoch == by.epoch &&
      isSameOp && (stamp.lanes || stamp.lane != by.lane))
    return true;
  if (warpKnown(era.warp, stamp.isBulk, by) < epoch)
    return order.isSignal(era.warp, stamp.strength != Weak, by.warp,
                          by.strength != Weak);
  needsProxy =
      by.async && !stamp.isBulk && warpProxied(era.warp, by) < epoch;
  return !needsProxy;
}

bool GlobalRaces::isReadOver(const GlobalStamp &stamp,
                             const GlobalAccessor &by) const {
  if (by.cluster == nullptr || stamp.isBulk || by.async)
    return false;
  const SeenFlags &seen = by.knowledge->seen;
  if (seen.numbers.empty())
    return false;
  Era era = eraOf(uint32_t(stamp.number));
  return flags.tells(seen, era.warp, era.before + Epoch(stamp.epoch));
}

static uint64_t lookUp(const RemoteClock &clock, uint32_t key) {
  auto known = clock.find(key);
  return known == clock.end() ? 0 : known->second;
}

/// Counts an epoch of a warp from the beginning of an era.
static uint64_t sinceBefore(uint64_t epoch, Epoch before) {
  return epoch == allEpochs ? epoch : epoch - std::min(epoch, uint64_t(before));
}

uint64_t GlobalRaces::knownOf(uint32_t number, bool ofBulk,
                              const GlobalAccessor &by) const {
  if (number == nobody<globalLayout>)
    return 0;
  Era era = eraOf(number);
  return sinceBefore(warpKnown(era.warp, ofBulk, by), era.before);
}

uint64_t GlobalRaces::proxiedOf(uint32_t number,
                                const GlobalAccessor &by) const {
  if (number == nobody<globalLayout>)
    return 0;
  Era era = eraOf(number);
  return sinceBefore(warpProxied(era.warp, by), era.before);
}

bool GlobalRaces::isPast(const GlobalStamp &stamp,
                         const GlobalAccessor &by) const {
  Era era = eraOf(uint32_t(stamp.number));
  const KnownGrid *own = order.find(by.warp);
  return own != nullptr && !own->has(era.warp) &&
         warpKnown(era.warp, stamp.isBulk, by) == allEpochs;
}

uint64_t GlobalRaces::warpKnown(uint32_t warp, bool ofBulk,
                                const GlobalAccessor &by) const {
  if (by.cluster == nullptr)
    return order.knownOf(warp, by.warp, 0, nullptr);
  Actor actor = 0;
  if (by.cluster->ownWarp(warp, actor)) {
    Actor known = ofBulk ? by.cluster->bulkWritesOf(actor) : actor;
    return ofBulk && known == 0 ? 0 : by.knowledge->known[known];
  }
  if (warp < by.cluster->firstRival)
    return allEpochs;
  const RemoteClock &remote = by.knowledge->remote;
  return order.knownOf(warp, by.warp,
                       lookUp(remote, ofBulk ? warp | remoteBulk : warp),
                       &remote);
}

uint64_t GlobalRaces::warpProxied(uint32_t warp,
                                  const GlobalAccessor &by) const {
  Actor actor = 0;
  if (by.cluster->ownWarp(warp, actor))
    return by.knowledge->proxiedGlobal[actor];
  if (warp < by.cluster->firstRival || order.find(warp) != order.find(by.warp))
    return allEpochs;
  return lookUp(by.knowledge->remote, warp | remoteProxied);
}

/// Says where an op of a grid is, if its program still exists and a stamp can
/// tell.
static std::string placeOf(const KnownGrid &grid, uint32_t op) {
  std::shared_ptr<const void> held = grid.lifetime.lock();
  if (held == nullptr || grid.program->opCount() > 1 << globalLayout.opBits)
    return "";
  const ptx::Instruction *instruction = grid.program->instructionOf(op);
  return instruction == nullptr
             ? ""
             : " at line " + std::to_string(instruction->location.line) + ": " +
                   ptx::onOneLine(*instruction);
}

/// Says who of a grid an access is of.
static std::string whoOf(const KnownGrid &theirs, const KnownGrid *own,
                         uint32_t warp, const GlobalStamp &stamp) {
  std::string grid = &theirs == own || own == nullptr ? ""
                     : own->mayOverlap(theirs) ? "the grid before this one, "
                     : theirs.mayOverlap(*own) ? "the grid after this one, "
                                               : theirs.name + ", ";
  uint32_t index = warp - theirs.firstWarp;
  return placeOf(theirs, uint32_t(stamp.op)) + " by " +
         grid + "cluster " + std::to_string(index / theirs.warpsPerCluster) +
         ", block rank " +
         std::to_string(index % theirs.warpsPerCluster / theirs.warpsPerBlock) +
         ", warp " + std::to_string(index % theirs.warpsPerBlock) +
         (stamp.lanes || stamp.parts ? std::string(", several lanes")
                                     : ", lane " + std::to_string(stamp.lane));
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
  uint32_t warp = eraOf(uint32_t(stamp.number)).warp;
  std::lock_guard<std::mutex> lock(mutex);
  const KnownGrid *theirs = order.find(warp);
  const KnownGrid *own = order.find(by.warp);
  if (memory != nullptr)
    fault.address = describeGlobal(*memory, address);
  if (theirs != nullptr && !theirs->isTransfer())
    fault.notes.push_back(std::string("the other is a ") + verb +
                          whoOf(*theirs, own, warp, stamp));
  if (theirs != own && own != nullptr && theirs != nullptr &&
      !order.mayRunBeside(*own, *theirs, false) &&
      !order.mayRunBeside(*theirs, *own, false)) {
    describeUnordered(*own, *theirs, isWrite, stampIsWrite, fault);
    return;
  }
  Actor actor = 0;
  fault.advice =
      stamp.strength != Weak && by.strength != Weak
          ? "give both accesses a scope that holds both threads, as .gpu"
      : stamp.isBulk
          ? "wait for the group with cp.async.bulk.wait_group without .read, then "
            "let the others know"
      : theirs != own && own != nullptr && theirs != nullptr &&
              !own->mayOverlap(*theirs) && !theirs->mayOverlap(*own)
          ? "let the later grid and all grids between the two execute "
            "griddepcontrol.wait, for a grid only waits for the one before it"
      : theirs != own
          ? "let the later grid execute griddepcontrol.wait before it "
            "touches what the earlier one does"
      : by.cluster->ownWarp(warp, actor)
          ? "put a barrier between the two accesses"
          : "blocks are ordered only by a release and an acquire of a flag, or "
            "by a further launch";
}

static void describeReadOnly(Fault &fault) {
  fault.check = "read-only";
  fault.message = "expected memory that nobody writes while the kernel runs, got some "
                  "that it has written";
  fault.advice = "read it without .nc (in CUDA C++ without __ldg, and not through "
                 "const __restrict__)";
}

static void describeProxy(Fault &fault) {
  fault.check = "missing proxy fence";
  fault.message = "expected fence.proxy.async between an ordinary write of global "
                  "memory and this read by the async proxy";
  fault.advice = "let the writer execute fence.proxy.async, then let the one who "
                 "starts the copy know";
}

void GlobalRaces::remember(const Place &place, uint64_t mask, bool isWrite,
                           Row &row) const {
  using Step = RowStep<globalLayout, 1>;
  GlobalChunk::Side side = isWrite ? GlobalChunk::Writes : GlobalChunk::Reads;
  const RowAccessor &by = row.accessor;
  GlobalStamp old = place.at(0, side);
  auto stamp = bitCast<uint64_t>(old);
  bool isSplit = GlobalSlots::isSplit(stamp);
  if (!isWrite) {
    learnReaders(&stamp, 1, row);
    if (Step::keeps(stamp, by, row.readers, mask))
      return;
    stamp = Step::remember(stamp, by, by.lane, mask);
  } else if (isSplit || (Step::loses(stamp, by, mask) && !isPast(old, row.by))) {
    stamp = place.chunk.splitWord(place.group, place.word).write(stamp, by, mask);
  } else {
    stamp = Step::remember(stamp, by, by.lane, mask);
  }
  place.set(0, side, bitCast<GlobalStamp>(stamp));
}

bool GlobalRaces::accessWords(uint64_t address, uint64_t bytes, bool isWrite,
                              Row &row, Fault &fault) {
  const GlobalAccessor &by = row.by;
  uint64_t end = address + bytes;
  for (uint64_t at = address & ~uint64_t(7); at < end; at += 8) {
    uint32_t mask = 0xff;
    if (at < address)
      mask &= 0xffu << (address - at);
    if (at + 8 > end)
      mask &= (1u << (end - at)) - 1;
    Place place = findPlace(at);
    auto compare = [&](const GlobalStamp &stamp, bool stampIsWrite) {
      bool needsProxy = false;
      if (stamp.epoch == 0 || !(stamp.mask & mask) ||
          (stampIsWrite && !stamp.isBulk && by.repeats >> by.lane & 1) ||
          isOrdered(stamp, by, needsProxy) ||
          (isWrite && !stampIsWrite && isReadOver(stamp, by)))
        return true;
      // Only reads through the async proxy need generic writes to be fenced.
      if (needsProxy && (isWrite || !stampIsWrite))
        return true;
      describe(at, stamp, isWrite, stampIsWrite, by, fault);
      if (needsProxy)
        describeProxy(fault);
      else if (isForbidden(eraOf(uint32_t(stamp.number)).warp, by))
        describeReadOnly(fault);
      return false;
    };
    auto write = bitCast<uint64_t>(place.at(0, GlobalChunk::Writes));
    if (!place.chunk.splitWord(place.group, place.word)
             .forWrites(write, [&](uint64_t stamp) {
               return compare(bitCast<GlobalStamp>(stamp), true);
             }))
      return false;
    if (isWrite && !compare(place.at(0, GlobalChunk::Reads), false))
      return false;
    remember(place, mask, isWrite, row);
  }
  return true;
}

GlobalRaces::ReleasedToAll &GlobalRaces::releasedAt(uint64_t address,
                                                    uint32_t bytes) {
  ReleasedToAll &result = released[address];
  Released clock = result.sequence.read(bytes);
  if (clock != nullptr && result.ends != order.ends())
    result.sequence.replace(order.fold(clock, result.works));
  result.ends = order.ends();
  return result;
}

void GlobalRaces::release(uint64_t address, uint32_t domain,
                          const StrongWrite &write, const Released &clock) {
  std::lock_guard<std::mutex> lock(mutex);
  if (domain != 0) {
    auto key = std::make_pair(address, domain);
    if (domain & shownDomain && clock != nullptr)
      anyShown = true;
    if (clock != nullptr || releasedWithin.count(key) != 0)
      releasedWithin[key].add(write, clock);
    return;
  }
  if (clock == nullptr && released.count(address) == 0)
    return;
  ReleasedToAll &all = releasedAt(address, write.bytes);
  if (!all.sequence.add(write, clock))
    all.works.clear();
}

GlobalRaces::Released GlobalRaces::acquire(uint64_t address, uint32_t domain,
                                           uint32_t bytes, const GridRun &grid) {
  if (domain & shownDomain && !anyShown)
    return nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  if (domain != 0) {
    auto entry = releasedWithin.find({address, domain});
    return entry == releasedWithin.end() ? nullptr : entry->second.read(bytes);
  }
  if (released.count(address) == 0)
    return nullptr;
  const ReleasedToAll &all = releasedAt(address, bytes);
  Released clock = all.sequence.read(bytes);
  return clock == nullptr ? nullptr : order.hear(grid, all.works, clock);
}

GlobalRaces::MapWrites GlobalRaces::mapWrites(uint64_t address,
                                              const GlobalAccessor &by) {
  MapWrites writes = {};
  for (size_t i = 0; i < writes.size(); ++i) {
    Place place = findPlace(address + 8 * i);
    GlobalStamp last = {};
    place.chunk.splitWord(place.group, place.word)
        .forWrites(bitCast<uint64_t>(place.at(0, GlobalChunk::Writes)),
                   [&](uint64_t write) {
                     last = bitCast<GlobalStamp>(write);
                     return true;
                   });
    if (last.epoch != 0 &&
        order.isPresent(eraOf(uint32_t(last.number)).warp, by.warp))
      writes[i] = last;
  }
  return writes;
}

void GlobalRaces::releaseMaps(uint32_t warp, Epoch epoch) {
  std::lock_guard<std::mutex> lock(mutex);
  mapReleases[warp] = epoch;
}

bool GlobalRaces::isReleased(const GlobalStamp &write,
                             const GlobalAccessor &by) {
  Era era = eraOf(uint32_t(write.number));
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto release = mapReleases.find(era.warp);
    if (release == mapReleases.end() ||
        release->second < era.before + write.epoch)
      return false;
  }
  bool needsProxy = false;
  return isOrdered(write, by, needsProxy);
}
