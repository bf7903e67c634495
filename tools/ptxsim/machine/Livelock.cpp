// Three ways in which a warp is known to go on for ever unless somebody else
// changes memory: it polls; no end can be reached from where it is; or it is in
// a state in which it was before. For the last one a state is marked and
// compared with those after it, and another one is marked each time twice as
// many rounds later, so that a circle of any length is found (Brent's method).
//
// Only called when nothing has been written, arrived or completed for long, so
// that the state of a warp is in its registers and its local memory. That no end
// can be reached is also seen of loops that write; of others it cannot be told
// whether they will end.

#include "tools/ptxsim/machine/Livelock.h"

#include <string_view>

using namespace ptxsim;

/// Ops of a warp without any event before it is concluded that it polls for ever,
/// and before it is asked whether it repeats itself exactly.
static constexpr uint64_t patience = 1000000, patienceOfCircles = 50000;
/// Looks at memory in that time after which a warp counts as polling.
static constexpr uint64_t manyPolls = 1000;

static uint64_t warpCount(const Cluster &cluster) {
  uint64_t warps = 0;
  for (const Block &block : cluster.blocks)
    for (const Warp &warp : block.warps)
      warps += warp.live != 0;
  return warps;
}

static bool isQuiet(const RunningCluster &cluster, uint64_t ops) {
  return cluster.executed - cluster.quietSince > warpCount(cluster) * ops;
}

static bool isReady(const Warp &warp) {
  bool ready = warp.now.mask != 0;
  for (const Group &group : warp.groups)
    ready |= group.state == Group::State::Ready;
  return ready;
}

/// True if no group of the warp waits for its turn.
static bool isConverged(const Warp &warp) {
  unsigned ready = warp.now.mask != 0;
  for (const Group &group : warp.groups)
    ready += group.state == Group::State::Ready;
  return ready <= 1;
}

bool ptxsim::isLivelocked(RunningCluster &cluster) {
  if (cluster.isEndless)
    return true;
  if (!isQuiet(cluster, patienceOfCircles))
    return false;
  bool isLong = isQuiet(cluster, patience);
  for (const Block &block : cluster.blocks)
    for (const Warp &warp : block.warps)
      if (isReady(warp) && !cluster.circleOf(warp).found &&
          (!isLong || warp.polls < warp.pollsAtProgress + manyPolls))
        return false;
  return true;
}

/// Adds the ops to which control may go after `op`; false if the function or
/// the kernel may end there.
static bool addNext(const Code &code, uint32_t op,
                    std::vector<uint32_t> &next) {
  const Op &executed = code.ops[op];
  const OpInfo &info = code.infos[op];
  if (info.instruction >= code.function->instructions.size())
    return false;
  std::string_view opcode =
      code.function->instructions[info.instruction].opcode;
  bool helps = executed.flags & opHelper;
  if (!helps && (opcode == "ret" || opcode == "exit" || opcode == "trap" ||
                 opcode == "call"))
    return false;
  bool jumps = !helps && (opcode == "bra" || opcode == "brx");
  if (jumps && opcode == "bra")
    next.push_back(uint32_t(executed.immediate));
  if (jumps && opcode == "brx")
    next.insert(next.end(), code.tables[executed.immediate].begin(),
                code.tables[executed.immediate].end());
  if (!jumps || executed.guard >= 0)
    next.push_back(op + 1);
  return true;
}

/// True if a group can reach an end of its function. A call counts as one.
static bool hasWayOut(const Group &group) {
  const Code &code = *group.code;
  std::vector<bool> seen(code.ops.size());
  std::vector<uint32_t> worklist{uint32_t(group.pc - code.ops.data())};
  while (!worklist.empty()) {
    uint32_t op = worklist.back();
    worklist.pop_back();
    if (op >= code.ops.size())
      return true;
    if (seen[op])
      continue;
    seen[op] = true;
    if (!addNext(code, op, worklist))
      return true;
  }
  return false;
}

/// Runs `body` for each group of a warp.
template <typename Body>
static void forEachGroup(const Warp &warp, Body body) {
  if (warp.now.mask != 0)
    body(warp.now);
  for (const Group &group : warp.groups)
    body(group);
}

static void addToHash(uint64_t &hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 29;
}

static void addToHash(uint64_t &hash, const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i + 8 <= count; i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes + i, sizeof(word));
    addToHash(hash, word);
  }
}

/// A number of the state of a warp, that is, of all that decides what it does.
static uint64_t stateOf(const Warp &warp) {
  uint64_t hash = warp.carry;
  forEachGroup(warp, [&](const Group &group) {
    addToHash(hash, reinterpret_cast<uint64_t>(group.pc));
    addToHash(hash, group.mask);
    addToHash(hash, uint64_t(group.state));
    addToHash(hash, group.frame);
    for (const CallFrame &call : group.calls)
      addToHash(hash, reinterpret_cast<uint64_t>(call.op));
  });
  addToHash(hash, warp.registers, warp.registerBytes);
  addToHash(hash, warp.localStorage.data(), warp.localStorage.size());
  return hash;
}

static bool isGathering(const Warp &warp) {
  for (const Gathering &gathering : warp.gatherings)
    if (gathering.members != 0)
      return true;
  return false;
}

static bool hasWayOut(const Warp &warp) {
  bool result = false;
  forEachGroup(warp, [&](const Group &group) { result |= hasWayOut(group); });
  return result;
}

static void seekCircle(const Warp &warp, CircleSearch &circle, bool isLong) {
  // A warp that has missed its turn does not repeat itself.
  if (circle.found || isGathering(warp) || warp.executed == circle.executed)
    return;
  circle.executed = warp.executed;
  uint64_t state = stateOf(warp);
  if (circle.span != 0 && state == circle.mark) {
    circle.found = true;
    return;
  }
  if (++circle.age < circle.span)
    return;
  circle.mark = state;
  circle.age = 0;
  circle.span = std::max(1u, 2 * circle.span);
  circle.found = isLong && !hasWayOut(warp);
}

void ptxsim::seekCircles(RunningCluster &cluster) {
  if (!isQuiet(cluster, patienceOfCircles))
    return;
  // Groups of a warp take turns after some time only.
  bool isLong = isQuiet(cluster, patience);
  for (const Block &block : cluster.blocks)
    for (const Warp &warp : block.warps)
      if (warp.live != 0 && isReady(warp) && (isLong || isConverged(warp)))
        seekCircle(warp, cluster.circleOf(warp), isLong);
}

bool ptxsim::hasNoEnd(RunningCluster &cluster) {
  if (cluster.isEndless)
    return true;
  if (cluster.executed < cluster.nextLookForEnd)
    return false;
  cluster.nextLookForEnd = cluster.executed + RunningCluster::opsBetweenLooks;
  std::vector<const Warp *> running;
  for (const Block &block : cluster.blocks)
    for (const Warp &warp : block.warps)
      if (warp.live != 0 && isReady(warp))
        running.push_back(&warp);
  for (const Warp *warp : running)
    if (hasWayOut(*warp))
      return false;
  for (const Warp *warp : running)
    cluster.circleOf(*warp).found = true;
  return cluster.isEndless = !running.empty();
}
