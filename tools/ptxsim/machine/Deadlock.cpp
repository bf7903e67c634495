// Who waits where for what, when nothing can go on.

#include "tools/ptxsim/core/Interpreter.h"
#include "tools/ptxsim/core/MBarriers.h"
#include "tools/ptxsim/machine/Scheduler.h"

#include <map>

using namespace ptxsim;

/// "warps 0-3, 5" from a sorted list.
static std::string ranges(const std::vector<uint32_t> &numbers) {
  std::string result;
  for (size_t i = 0; i < numbers.size();) {
    size_t j = i;
    while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1)
      ++j;
    result += (i == 0 ? "" : ", ") + std::to_string(numbers[i]);
    if (j > i)
      result += "-" + std::to_string(numbers[j]);
    i = j + 1;
  }
  return result;
}

static std::string stateOf(const Group &group, const Warp &warp) {
  if (group.state == Group::State::Converging)
    return "waits for the other lanes of its warp (" +
           std::to_string(__builtin_popcount(group.mask)) + " of " +
           std::to_string(__builtin_popcount(warp.live)) + " are there)";
  if (group.state == Group::State::Waiting)
    return "waits";
  return warp.polls > warp.pollsAtProgress ? "polls" : "repeats itself";
}

/// Adds one note for each place at which warps of `block` are.
static void describeBlock(Block &block, Fault &fault) {
  std::map<std::string, std::vector<uint32_t>> places;
  for (Warp &warp : block.warps)
    forGroups(warp, [&](const Group &group) {
      Warp view;
      view.block = warp.block;
      view.index = warp.index;
      view.now.code = group.code;
      Place place = Worker::placeOf(view, *group.pc, -1);
      std::string text = stateOf(group, warp) + " at line " +
                         std::to_string(place.line) + ": " + place.text;
      std::vector<uint32_t> &warps = places[text];
      if (warps.empty() || warps.back() != warp.index)
        warps.push_back(warp.index);
    });
  for (const auto &[text, warps] : places)
    fault.notes.push_back("block (" + std::to_string(block.index[0]) + ", " +
                          std::to_string(block.index[1]) + ", " +
                          std::to_string(block.index[2]) + "), warp " +
                          ranges(warps) + " " + text);
  for (size_t i = 0; i < block.barriers.size(); ++i) {
    const NamedBarrier &barrier = block.barriers[i];
    if (barrier.arrived != 0)
      fault.notes.push_back("barrier " + std::to_string(i) + ": " +
                            std::to_string(barrier.arrived) + " of " +
                            std::to_string(barrier.expected) +
                            " threads have arrived");
  }
  std::map<uint32_t, const MBarrier *> sorted;
  for (const auto &[offset, barrier] : block.mbarriers)
    sorted[offset] = &barrier;
  for (const auto &[offset, barrier] : sorted)
    fault.notes.push_back(describe(offset, *barrier));
}

/// True if the lanes of a warp wait for each other at different aligned ops.
static bool hasDiverged(const Cluster &cluster) {
  for (const Block &block : cluster.blocks)
    for (const Warp &warp : block.warps) {
      unsigned converging = 0;
      for (const Group &group : warp.groups)
        converging += group.state == Group::State::Converging;
      if (converging > 1)
        return true;
    }
  return false;
}

void ptxsim::reportDeadlock(RunningCluster &cluster, Worker &worker) {
  Fault fault;
  fault.code = FaultCode::LaunchTimeout;
  fault.check = isLivelocked(cluster) ? "livelock" : "deadlock";
  fault.message = "no thread can go on";
  if (hasDiverged(cluster)) {
    fault.check = "divergence at .aligned";
    fault.message = "expected all lanes of a warp at one aligned instruction";
  }
  fault.advice =
      "look for the arrival, copy or store that those who wait "
      "need; memory that others change needs volatile or atomic loads";
  Warp *first = nullptr;
  for (Block &block : cluster.blocks) {
    if (block.liveThreads == 0)
      continue;
    describeBlock(block, fault);
    for (Warp &warp : block.warps)
      if (first == nullptr && warp.live != 0)
        first = &warp;
  }
  if (first == nullptr)
    return;
  const Group &group = first->now.mask != 0 ? first->now : first->groups.front();
  const Op &op = *group.pc;
  Warp view;
  view.block = first->block;
  view.index = first->index;
  view.now.code = group.code;
  worker.stop(view, op, std::move(fault));
}
