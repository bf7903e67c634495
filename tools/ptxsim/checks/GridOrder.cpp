// Keeping what is known of grids and transfers.

#include "tools/ptxsim/checks/GridOrder.h"

#include "tools/ptxsim/core/Block.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

using namespace ptxsim;

/// Grids and transfers that are kept at most while all are needed; then the
/// older half of those that have ended is forgotten.
static constexpr size_t maxKnown = 4096;

static bool waitsFor(const KnownGrid &grid, const KnownGrid &before) {
  return std::find(grid.prerequisites.begin(), grid.prerequisites.end(),
                   before.firstWarp) != grid.prerequisites.end();
}

bool KnownGrid::mayOverlap(const KnownGrid &before) const {
  return before.triggers && waitsFor(*this, before);
}

/// Makes room for one more.
static void forgetOldest(std::vector<std::unique_ptr<KnownGrid>> &grids) {
  if (grids.size() < maxKnown)
    return;
  auto half = grids.begin() + maxKnown / 2;
  grids.erase(std::remove_if(grids.begin(), half,
                             [](const auto &known) { return !known->runs; }),
              half);
}

KnownGrid &GridOrder::add(const GridRun &grid, uint32_t warps,
                          const std::vector<const GridRun *> &prerequisites,
                          std::weak_ptr<const void> lifetime) {
  forgetOldest(grids);
  auto added = std::make_unique<KnownGrid>();
  added->grid = &grid;
  added->runs = true;
  added->firstWarp = grid.firstWarp;
  added->warps = warps;
  added->warpsPerBlock = grid.launch.warpsPerBlock();
  added->warpsPerCluster = grid.launch.warpsPerCluster();
  added->program = grid.program;
  added->lifetime = std::move(lifetime);
  added->name = "the grid '" + grid.kernelName + "'";
  added->order = grid.launch.order;
  for (const GridRun *before : prerequisites)
    if (findGrid(*before) != nullptr)
      added->prerequisites.push_back(before->firstWarp);
  grids.push_back(std::move(added));
  ++running;
  return *grids.back();
}

KnownGrid &GridOrder::add(const HostTransfer &transfer, uint32_t warp) {
  forgetOldest(grids);
  auto added = std::make_unique<KnownGrid>();
  added->firstWarp = warp;
  added->name = transfer.name;
  added->order = transfer.order;
  added->isSignal = transfer.isSignal();
  added->isValue = transfer.isValue;
  grids.push_back(std::move(added));
  return *grids.back();
}

KnownGrid *GridOrder::findGrid(const GridRun &grid) const {
  KnownGrid *known = find(grid.firstWarp);
  return known != nullptr && known->grid == &grid ? known : nullptr;
}

void GridOrder::noteTrigger(const GridRun &grid, bool hasWaited) {
  KnownGrid *known = findGrid(grid);
  if (known == nullptr)
    return;
  known->triggers = true;
  if (!hasWaited)
    known->triggersEarly = true;
}

void GridOrder::noteWait(const GridRun &grid) {
  if (KnownGrid *known = findGrid(grid))
    known->waits = true;
}

namespace {
/// Grids to look at, and whether those before them have been waited for: each once,
/// for graphs may lead to one on many ways.
class Ways {
public:
  Ways(const KnownGrid &grid, bool hasWaited) { add(grid, hasWaited); }

  void add(const KnownGrid &grid, bool hasWaited) {
    if (seen.emplace(&grid, hasWaited).second)
      open.emplace_back(&grid, hasWaited);
  }
  bool next(const KnownGrid *&grid, bool &hasWaited) {
    if (open.empty())
      return false;
    std::tie(grid, hasWaited) = open.back();
    open.pop_back();
    return true;
  }

private:
  std::vector<std::pair<const KnownGrid *, bool>> open;
  std::set<std::pair<const KnownGrid *, bool>> seen;
};
} // namespace

bool GridOrder::mayRunBeside(const KnownGrid &grid, const KnownGrid &before,
                             bool hasWaited) const {
  Ways ways(grid, hasWaited);
  const KnownGrid *from;
  while (ways.next(from, hasWaited))
    for (uint32_t number : from->prerequisites) {
      const KnownGrid *next = find(number);
      if (next == nullptr || next->firstWarp < before.firstWarp)
        continue;
      bool isOver = hasWaited || !next->triggers;
      if (next == &before && !isOver)
        return true;
      if (next != &before && !(isOver && next->isSettled))
        ways.add(*next, next->waits && (isOver || !next->triggersEarly));
    }
  return false;
}

void GridOrder::noteEnd(const GridRun &grid) {
  KnownGrid *known = findGrid(grid);
  if (known == nullptr)
    return;
  known->runs = false;
  known->isSettled = std::all_of(
      known->prerequisites.begin(), known->prerequisites.end(),
      [&](uint32_t number) {
        const KnownGrid *before = find(number);
        return before == nullptr || ((known->waits || !before->triggers) &&
                                     before->isSettled);
      });
  --running;
  ++endCount;
}

void GridOrder::forget(const Clock &before) {
  auto isOver = [&](const std::unique_ptr<KnownGrid> &known) {
    return !known->runs && known->order.position <= before[known->order.chain];
  };
  grids.erase(std::remove_if(grids.begin(), grids.end(), isOver), grids.end());
}

KnownGrid *GridOrder::find(uint32_t warp) const {
  auto behind = std::upper_bound(grids.begin(), grids.end(), warp,
                                 [](uint32_t number, const auto &known) {
                                   return number < known->firstWarp;
                                 });
  if (behind == grids.begin())
    return nullptr;
  KnownGrid *known = std::prev(behind)->get();
  return known->has(warp) ? known : nullptr;
}

uint32_t GridOrder::oldestBeside(const KnownGrid &grid, bool hasWaited) const {
  uint32_t oldest = grid.firstWarp;
  Ways ways(grid, hasWaited);
  const KnownGrid *from;
  while (ways.next(from, hasWaited)) {
    oldest = std::min(oldest, from->firstWarp);
    for (uint32_t number : from->prerequisites) {
      const KnownGrid *next = find(number);
      if (next == nullptr)
        continue;
      // What one that still runs will do is not known.
      bool isOver = hasWaited || (!next->runs && !next->triggers);
      if (isOver && next->isSettled)
        oldest = std::min(oldest, number);
      else
        ways.add(*next, !next->runs && next->waits &&
                            (isOver || !next->triggersEarly));
    }
  }
  return oldest;
}

uint32_t GridOrder::firstRival(const KnownGrid &own) const {
  uint32_t oldest = oldestBeside(own, false);
  for (const auto &known : grids)
    if (known.get() == &own || known->firstWarp >= oldest ||
        !known->order.isBefore(own.order))
      return known->firstWarp;
  return own.firstWarp;
}

static uint64_t lookUp(const RemoteClock &clock, uint32_t key) {
  auto known = clock.find(key);
  return known == clock.end() ? 0 : known->second;
}

/// What does not count before a fence.sc.
static constexpr uint32_t notKnown = remoteShown | remoteSeen;

static bool isFlagged(uint32_t key, uint32_t flag) {
  return key != gridsBefore && (key & flag) != 0;
}

static bool isBefore(const KnownGrid &theirs, const KnownGrid &later) {
  return theirs.order.isBefore(later.order) ||
         later.heard[theirs.order.chain] >= theirs.order.position;
}

/// True if who has learnt `remote` comes after a grid of which it has learnt
/// something, or that it waits for, and that came after `theirs`.
static bool knowsLater(const GridOrder &order, const RemoteClock &remote,
                       const KnownGrid &theirs, const KnownGrid &mine) {
  auto isBetween = [&](uint32_t warp) {
    const KnownGrid *between = order.find(warp);
    return between != nullptr &&
           (between->meetsHost || isBefore(theirs, *between));
  };
  for (auto [key, epoch] : remote)
    if (key != gridsBefore && !isFlagged(key, remoteWork | notKnown) &&
        isBetween(key & (remoteBulk - 1)))
      return true;
  return std::any_of(mine.prerequisites.begin(), mine.prerequisites.end(),
                     isBetween);
}

uint64_t GridOrder::knownOf(uint32_t warp, uint32_t own, uint64_t known,
                            const RemoteClock *remote) const {
  const KnownGrid *theirs = find(warp), *mine = find(own);
  if (theirs == mine)
    return known;
  if (theirs == nullptr || mine == nullptr)
    return allEpochs;
  if (remote != nullptr && lookUp(*remote, remoteWork | theirs->order.chain) >=
                               theirs->order.position)
    return allEpochs;
  bool hasWaited = remote != nullptr && remote->count(gridsBefore) != 0;
  if (mayRunBeside(*mine, *theirs, hasWaited) ||
      mayRunBeside(*theirs, *mine, false))
    return known;
  if (mine->mayOverlap(*theirs))
    return allEpochs;
  if (theirs->order.isBefore(mine->order) ||
      mine->order.isBefore(theirs->order))
    return allEpochs;
  if (theirs->meetsHost || mine->meetsHost)
    return allEpochs;
  return remote != nullptr && knowsLater(*this, *remote, *theirs, *mine)
             ? allEpochs
             : known;
}

bool GridOrder::isPresent(uint32_t warp, uint32_t own) const {
  const KnownGrid *theirs = find(warp), *mine = find(own);
  if (theirs == nullptr || mine == nullptr)
    return false;
  return theirs == mine || theirs->runs || waitsFor(*mine, *theirs);
}

bool GridOrder::isSignal(uint32_t warp, bool isStrong, uint32_t own,
                         bool ownIsStrong) {
  KnownGrid *theirs = find(warp), *mine = find(own);
  if (theirs == nullptr || mine == nullptr || theirs == mine)
    return false;
  if (theirs->isValue && mine->isValue)
    return true;
  // Of the two, what a small transfer is a signal to or from.
  bool isOther = theirs->isTransfer() ? theirs->isValue : isStrong;
  bool isOwn = mine->isTransfer() ? mine->isValue : ownIsStrong;
  if (mine->isSignal && isOther)
    noteMeeting(*theirs);
  else if (theirs->isSignal && isOwn)
    noteMeeting(*mine);
  else
    return false;
  return true;
}

void GridOrder::noteMeeting(KnownGrid &grid) {
  if (grid.meetsHost.exchange(true))
    return;
  std::lock_guard<std::mutex> lock(mutex);
  meetings.push_back(grid.order);
}

std::vector<WorkOrder> GridOrder::takeMeetings() {
  std::lock_guard<std::mutex> lock(mutex);
  return std::exchange(meetings, {});
}

static void addWorks(Clock &clock, const KnownGrid &grid) {
  clock.join(grid.order.before);
  clock.join(grid.heard);
  clock.set(grid.order.chain, grid.order.position);
}

GridOrder::Released GridOrder::fold(const Released &clock, Clock &works) const {
  auto rest = std::make_shared<RemoteClock>();
  for (auto [key, epoch] : *clock) {
    if (isFlagged(key, remoteWork)) {
      works.set(key & ~remoteWork, epoch);
      continue;
    }
    const KnownGrid *known = find(key & (remoteBulk - 1));
    if (key == gridsBefore ||
        (known != nullptr && (known->runs || isFlagged(key, notKnown))))
      rest->emplace(key, epoch);
    else if (known != nullptr)
      addWorks(works, *known);
  }
  return rest->size() == clock->size() ? clock : rest;
}

GridOrder::Released GridOrder::hear(const GridRun &grid, const Clock &works,
                                    const Released &clock) {
  KnownGrid *own = findGrid(grid);
  if (own == nullptr)
    return clock;
  if (running > 1 && clock != nullptr)
    for (auto [key, epoch] : *clock) {
      if (key == gridsBefore || isFlagged(key, notKnown))
        continue;
      const KnownGrid *other = find(key & (remoteBulk - 1));
      if (isFlagged(key, remoteWork))
        own->heard.set(key & ~remoteWork, epoch);
      else if (other != nullptr && other != own)
        addWorks(own->heard, *other);
    }
  std::shared_ptr<RemoteClock> result;
  for (Actor chain = 0; chain < works.size(); ++chain) {
    if (works[chain] <= own->order.before[chain])
      continue; // The host has seen to it.
    if (result == nullptr)
      result = clock == nullptr ? std::make_shared<RemoteClock>()
                                : std::make_shared<RemoteClock>(*clock);
    own->heard.set(chain, works[chain]);
    Epoch &position = (*result)[remoteWork | chain];
    position = std::max(position, works[chain]);
  }
  return result == nullptr ? clock : result;
}
