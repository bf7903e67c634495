// Who waits where for what, when nothing can go on.

#include "tools/ptxsim/core/Interpreter.h"
#include "tools/ptxsim/core/MBarriers.h"
#include "tools/ptxsim/core/Warpgroups.h"
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

/// Notes who has come to a barrier and who has not, and what to do about it.
static void describeBarrier(const Block &block, const NamedBarrier &barrier,
                            Fault &fault) {
  std::string name =
      "barrier " + std::to_string(&barrier - block.barriers.data());
  std::vector<uint32_t> missing, exited;
  for (const Warp &warp : block.warps)
    if (!(barrier.warps >> warp.index % 64 & 1))
      (warp.live != 0 ? missing : exited).push_back(warp.index);
  uint32_t wanted = barrier.wholeBlock ? block.liveThreads : barrier.expected;
  std::string note = name + ": " + std::to_string(barrier.arrived) + " of " +
                     std::to_string(wanted) + " threads have arrived";
  if (!missing.empty())
    note += ", warp " + ranges(missing) + " has not come";
  if (!exited.empty())
    note += ", warp " + ranges(exited) + " has exited";
  fault.notes.push_back(std::move(note));
  if (wanted > barrier.arrived && fault.advice.empty())
    fault.advice = "let " + std::to_string(wanted - barrier.arrived) +
                   " more threads come to " + name +
                   (barrier.wholeBlock ? "" : " or give it a lower count") +
                   "; else ";
}

/// Notes which warps have not committed a wgmma that others have.
static void describeWarpgroup(const Warpgroup &group, Fault &fault) {
  for (const std::shared_ptr<WarpgroupWork> &work : group.works) {
    std::vector<uint32_t> missing, committed;
    for (uint32_t i = 0; i < 4; ++i)
      (work->committed >> i & 1 ? committed : missing)
          .push_back(work->firstWarp + i);
    if (missing.empty() || committed.empty())
      continue;
    fault.notes.push_back("wgmma group " + std::to_string(work->number) +
                          ": warp " + ranges(committed) +
                          " has committed it, warp " + ranges(missing) +
                          " has not");
    if (fault.advice.empty())
      fault.advice = "let warp " + ranges(missing) +
                     " execute wgmma.commit_group; else ";
  }
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
  for (const auto &group : block.warpgroups)
    if (group != nullptr)
      describeWarpgroup(*group, fault);
  for (const NamedBarrier &barrier : block.barriers)
    if (barrier.arrived != 0)
      describeBarrier(block, barrier, fault);
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
  fault.advice += "look for the arrival, copy or store that those who wait need; "
                  "memory that others change needs volatile or atomic loads";
  const Group &group = first->now.mask != 0 ? first->now : first->groups.front();
  const Op &op = *group.pc;
  Warp view;
  view.block = first->block;
  view.index = first->index;
  view.now.code = group.code;
  worker.stop(view, op, std::move(fault));
}
