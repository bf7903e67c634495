// Who waits where for what, when nothing can go on.

#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Interpreter.h"
#include "tools/ptxsim/core/MBarriers.h"
#include "tools/ptxsim/core/Warpgroups.h"
#include "tools/ptxsim/machine/Scheduler.h"

#include <cstdio>
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

static bool isPolling(const Group &group, const Warp &warp) {
  return group.state == Group::State::Ready &&
         warp.polls > warp.pollsAtProgress;
}

/// The look at memory that a polling group repeats; null if it only sleeps.
static const Poll *pollOf(const Group &group, const Warp &warp) {
  const Poll &poll = warp.lastPoll;
  return isPolling(group, warp) && poll.op != nullptr &&
                 poll.number > warp.pollsAtProgress && poll.lanes & group.mask
             ? &poll
             : nullptr;
}

static std::string hex(uint64_t value) {
  char text[24];
  snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
  return text;
}

/// "shared address 0x400 of block rank 0, which holds 0"
static std::string describePoll(const Poll &poll, const Warp &warp) {
  std::string result = describeGlobal(warp.worker->memory, poll.address);
  for (const Block &block : warp.block->cluster->blocks)
    if (poll.pointer >= block.shared &&
        poll.pointer < block.shared + block.sharedBytes)
      result = "shared address " + hex(uint64_t(poll.pointer - block.shared)) +
               " of block rank " + std::to_string(block.rank);
  if (poll.bytes != 0)
    result += ", which holds " + (poll.value < 1000000
                                      ? std::to_string(poll.value)
                                      : hex(poll.value));
  return result;
}

static std::string stateOf(const Group &group, const Warp &warp) {
  if (group.state == Group::State::Converging)
    return "waits for the other lanes of its warp (" +
           std::to_string(__builtin_popcount(group.mask)) + " of " +
           std::to_string(__builtin_popcount(warp.live)) + " are there)";
  if (group.state == Group::State::Waiting)
    return "waits";
  return isPolling(group, warp) ? "polls" : "repeats itself";
}

/// The op of a group that says most: where it is, or where it looks at memory.
static const Op &opOf(const Group &group, const Warp &warp) {
  const Poll *poll = pollOf(group, warp);
  return poll != nullptr ? *poll->op : *group.pc;
}

static Warp viewOf(const Group &group, const Warp &warp) {
  Warp view;
  view.block = warp.block;
  view.index = warp.index;
  const Poll *poll = pollOf(group, warp);
  view.now.code = poll != nullptr ? poll->code : group.code;
  return view;
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

namespace {
/// The warps that are at one place, by their blocks.
struct Waiters {
  std::vector<std::pair<const Block *, std::vector<uint32_t>>> blocks;

  void add(const Warp &warp) {
    if (blocks.empty() || blocks.back().first != warp.block)
      blocks.push_back({warp.block, {}});
    std::vector<uint32_t> &warps = blocks.back().second;
    if (warps.empty() || warps.back() != warp.index)
      warps.push_back(warp.index);
  }
};

/// Everybody who cannot go on, by place and what is waited for.
struct Standstill {
  std::map<std::string, Waiters> places;
  bool anyPolls = false, anyRepeats = false, anyWaits = false;

  void add(Block &block);
};
} // namespace

void Standstill::add(Block &block) {
  for (Warp &warp : block.warps)
    forGroups(warp, [&](const Group &group) {
      Place place =
          Worker::placeOf(viewOf(group, warp), opOf(group, warp), -1);
      std::string text = stateOf(group, warp) + " at line " +
                         std::to_string(place.line) + ": " + place.text;
      if (const Poll *poll = pollOf(group, warp))
        text += "; looks at " + describePoll(*poll, warp);
      places[text].add(warp);
      bool polls = isPolling(group, warp);
      anyPolls |= polls;
      anyRepeats |= group.state == Group::State::Ready && !polls;
      anyWaits |= group.state != Group::State::Ready;
    });
}

static std::string textOf(const std::array<uint32_t, 3> &index) {
  return "(" + std::to_string(index[0]) + ", " + std::to_string(index[1]) +
         ", " + std::to_string(index[2]) + ")";
}

/// "block (0, 0, 0), warp 0-3", or of several blocks how many.
static std::string describeWaiters(const Waiters &waiters) {
  const auto &[first, warps] = waiters.blocks.front();
  if (waiters.blocks.size() == 1)
    return "block " + textOf(first->index) + ", warp " + ranges(warps);
  size_t count = 0;
  for (const auto &entry : waiters.blocks)
    count += entry.second.size();
  return std::to_string(count) + " warps of " +
         std::to_string(waiters.blocks.size()) + " blocks, " +
         textOf(first->index) + " to " +
         textOf(waiters.blocks.back().first->index) + ": each";
}

/// How many notes there are of places, and of barriers and their like.
static constexpr size_t mostPlaces = 12, mostDetails = 24;

/// Adds one note for each place at which warps are.
static void describePlaces(const Standstill &standstill, Fault &fault) {
  for (const auto &[text, waiters] : standstill.places) {
    if (fault.notes.size() == mostPlaces) {
      fault.notes.push_back("others are at " +
                            std::to_string(standstill.places.size() -
                                           mostPlaces) +
                            " more places or look at other addresses");
      return;
    }
    fault.notes.push_back(describeWaiters(waiters) + " " + text);
  }
}

/// Notes what the barriers of a block wait for.
static void describeBarriers(const Block &block, Fault &fault) {
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

/// Notes which blocks have not begun because those that have do not end.
static void describeAbsent(const Cluster &any, const AbsentClusters &absent,
                           Fault &fault) {
  const LaunchParameters &launch = any.grid->launch;
  std::array<uint32_t, 3> index;
  uint64_t rest = absent.first, size = 1;
  for (size_t i = 0; i < 3; ++i) {
    uint32_t count = launch.grid[i] / launch.cluster[i];
    index[i] = uint32_t(rest % count) * launch.cluster[i];
    rest /= count;
    size *= launch.cluster[i];
  }
  uint64_t blocks = absent.count * size;
  fault.notes.push_back(
      "block " + textOf(index) +
      (blocks == 1 ? " is" : " and " + std::to_string(blocks - 1) +
                                 " after it are") +
      " not resident: " + std::to_string(absent.limit * size) +
      " blocks fit on the " + std::to_string(h100::multiprocessors) +
      " multiprocessors at once, and none of them has ended");
  fault.advice = "launch no more blocks than fit at once (a cooperative launch "
                 "sees to that), or let none wait for one with a higher number; "
                 "else ";
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

/// What to do, by how those wait who do.
static std::string adviceFor(const Standstill &standstill) {
  if (standstill.anyPolls && !standstill.anyRepeats && !standstill.anyWaits)
    return "look for the store or arrival there that never comes: all threads "
           "that are left wait";
  std::string result =
      "look for the arrival, copy or store that those who wait need";
  if (standstill.anyRepeats)
    result += "; memory that others change needs volatile or atomic loads";
  return result;
}

void ptxsim::reportDeadlock(const std::vector<RunningCluster *> &clusters,
                            const AbsentClusters &absent, Worker &worker) {
  Fault fault;
  fault.code = FaultCode::LaunchTimeout;
  fault.check = "deadlock";
  fault.message = "no thread can go on";
  Standstill standstill;
  Warp *first = nullptr;
  for (RunningCluster *cluster : clusters) {
    if (isLivelocked(*cluster) && fault.check == "deadlock")
      fault.check = "livelock";
    if (hasDiverged(*cluster)) {
      fault.check = "divergence at .aligned";
      fault.message = "expected all lanes of a warp at one aligned instruction";
    }
    for (Block &block : cluster->blocks) {
      standstill.add(block);
      for (Warp &warp : block.warps)
        if (first == nullptr && warp.live != 0)
          first = &warp;
    }
  }
  if (first == nullptr)
    return;
  describePlaces(standstill, fault);
  for (const RunningCluster *cluster : clusters)
    for (const Block &block : cluster->blocks)
      if (block.liveThreads != 0 && fault.notes.size() < mostDetails)
        describeBarriers(block, fault);
  if (absent.count != 0)
    describeAbsent(*clusters.front(), absent, fault);
  fault.advice += adviceFor(standstill);
  const Group &group = first->now.mask != 0 ? first->now : first->groups.front();
  if (const Poll *poll = pollOf(group, *first))
    fault.address = describePoll(*poll, *first);
  Warp view = viewOf(group, *first);
  worker.stop(view, opOf(group, *first), std::move(fault));
}
