// When asynchronous work is done.

#include "tools/ptxsim/core/Async.h"

#include "tools/ptxsim/checks/Races.h"
#include "tools/ptxsim/checks/RegisterShadow.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/core/Warpgroups.h"

#include <algorithm>

using namespace ptxsim;

Warp::Warp() = default;
Warp::~Warp() = default;
Warp::Warp(Warp &&) = default;
Warp &Warp::operator=(Warp &&) = default;

void Warp::reset() {
  Warp fresh;
  fresh.registerStorage = std::move(registerStorage);
  fresh.registers = registers;
  fresh.registerBytes = registerBytes;
  fresh.localStorage = std::move(localStorage);
  fresh.checks = std::move(checks);
  fresh.groups = std::move(groups);
  fresh.groups.clear();
  *this = std::move(fresh);
}

Block::Block() = default;
Block::~Block() = default;
Block::Block(Block &&) = default;
Block &Block::operator=(Block &&) = default;

Cluster::Cluster() = default;
Cluster::~Cluster() = default;

void AsyncGroups::add(std::shared_ptr<AsyncOperation> operation,
                      LaneMask lanes) {
  dropDone();
  if (items.size() >= mostItems) {
    items.erase(std::remove_if(
                    items.begin(), items.end(),
                    [](const Item &item) { return item.operation->isDone; }),
                items.end());
    mostItems = std::max<size_t>(64, 2 * items.size());
  }
  // Lanes that have committed equally often share an item.
  while (lanes != 0) {
    uint64_t group = committed[__builtin_ctz(lanes)] + 1;
    LaneMask same = 0;
    forLanes(lanes, [&](int lane) {
      if (committed[lane] + 1 == group)
        same |= LaneMask(1) << lane;
    });
    items.push_back({operation, same, group});
    lanes &= ~same;
  }
}

void AsyncGroups::commit(LaneMask lanes) {
  forLanes(lanes, [&](int lane) { ++committed[lane]; });
}

void AsyncGroups::dropDone() {
  while (!items.empty() && items.front().operation->isDone)
    items.pop_front();
}

AsyncState &ptxsim::asyncOf(Warp &warp) {
  if (warp.async == nullptr)
    warp.async = std::make_unique<AsyncState>();
  return *warp.async;
}

bool AsyncQueue::read(AsyncOperation &operation, Worker &worker) {
  if (operation.isRead)
    return true;
  operation.isRead = true;
  return operation.read(worker);
}

bool AsyncQueue::finish(AsyncOperation &operation, Worker &worker) {
  if (!read(operation, worker))
    return false;
  if (operation.isDone)
    return true;
  operation.isDone = true;
  donePending += operation.isQueued;
  ++cluster.progress;
  return operation.write(worker);
}

/// Reads what an operation copies, which it may write much later. What others
/// have read so is written if there is too much of it.
bool AsyncQueue::readEarly(const std::shared_ptr<AsyncOperation> &operation,
                           Worker &worker) {
  if (operation->isRead)
    return true;
  while (!readOnes.empty() && readOnes.front()->isDone)
    readOnes.pop_front();
  if (readOnes.size() == maxRead) {
    std::shared_ptr<AsyncOperation> oldest = std::move(readOnes.front());
    readOnes.pop_front();
    if (!finish(*oldest, worker))
      return false;
  }
  readOnes.push_back(operation);
  return read(*operation, worker);
}

void AsyncQueue::dropDone() {
  if (donePending == 0)
    return;
  donePending = 0;
  pending.erase(std::remove_if(pending.begin(), pending.end(),
                               [](const auto &operation) {
                                 return operation->isDone;
                               }),
                pending.end());
}

bool AsyncQueue::add(std::shared_ptr<AsyncOperation> operation,
                     Worker &worker) {
  if (cluster.grid->options->schedule.kind == Schedule::Kind::Eager)
    return finish(*operation, worker);
  if (pending.size() >= mostPending) {
    dropDone();
    if (pending.size() == maxPending)
      for (size_t i = 0; i < maxPending / 2; ++i)
        if (!finish(*pending[i], worker))
          return false;
    dropDone();
    mostPending = std::clamp<size_t>(2 * pending.size(), 64, maxPending);
  }
  operation->isQueued = true;
  pending.push_back(std::move(operation));
  return true;
}

bool AsyncQueue::completeOne(Worker &worker) {
  dropDone();
  if (pending.empty())
    return false;
  size_t chosen = 0;
  if (cluster.grid->options->schedule.kind == Schedule::Kind::Random)
    chosen = cluster.random() % pending.size();
  std::shared_ptr<AsyncOperation> operation = pending[chosen];
  pending.erase(pending.begin() + ptrdiff_t(chosen));
  operation->isQueued = false;
  finish(*operation, worker);
  return true;
}

void AsyncQueue::completeSome(Worker &worker) {
  if (cluster.grid->options->schedule.kind != Schedule::Kind::Random)
    return;
  while (!pending.empty() && cluster.random() % 4 == 0)
    completeOne(worker);
}

bool AsyncQueue::wait(AsyncGroups &groups, LaneMask lanes, uint64_t keep,
                      bool onlyRead, Worker &worker) {
  bool wasPending = false;
  for (AsyncGroups::Item &item : groups.items) {
    bool needed = false;
    forLanes(item.lanes & lanes, [&](int lane) {
      needed |= item.group <= groups.committed[lane] &&
                item.group + keep <= groups.committed[lane];
    });
    if (!needed)
      continue;
    const AsyncOperation &operation = *item.operation;
    wasPending |= !(onlyRead ? operation.isRead : operation.isDone);
    if (!(onlyRead ? readEarly(item.operation, worker)
                   : finish(*item.operation, worker)))
      return false;
  }
  if (wasPending && worker.counters != nullptr)
    observePending(worker);
  groups.dropDone();
  return true;
}
