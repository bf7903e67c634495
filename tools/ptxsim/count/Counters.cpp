// Counts executions, waits and asynchronous work.

#include "tools/ptxsim/count/Counters.h"

#include "tools/ptxsim/core/Observe.h"

#include <algorithm>

using namespace ptxsim;

Counters::Counters(const Memory &memory, L2Cache &l2, uint64_t l1Bytes)
    : memory(memory), l2(l2), l1Bytes(l1Bytes) {}

OpCounts &Counters::countsOf(const Warp &warp, const Op &op) {
  const Code &code = *warp.now.code;
  if (code.index >= functions.size())
    functions.resize(code.index + 1);
  CodeCounts &function = functions[code.index];
  if (function.code == nullptr) {
    function.code = &code;
    function.ops.resize(code.ops.size());
  }
  return function.ops[size_t(&op - code.ops.data())];
}

/// What the words of an instruction say of its way through the caches.
static void readWords(const ptx::Function &function,
                      const ptx::Instruction &instruction,
                      OpCounts::Detail &detail) {
  const std::string_view *words = function.words.data() + instruction.firstWord;
  auto has = [&](std::string_view word) {
    const std::string_view *end = words + instruction.wordCount;
    return std::find(words, end, word) != end;
  };
  detail.bypassesL1 = has("cg") || has("cv");
  detail.allocates = !has("L1::no_allocate");
  detail.isAbi = has("param") || has("param::func");
}

OpCounts::Detail &Counters::detailOf(OpCounts &counts, const Code &code,
                                     const Op &op) {
  if (counts.detail != nullptr)
    return *counts.detail;
  details.emplace_back();
  counts.detail = &details.back();
  uint32_t index = code.infos[size_t(&op - code.ops.data())].instruction;
  if (index < code.function->instructions.size())
    readWords(*code.function, code.function->instructions[index],
              *counts.detail);
  return *counts.detail;
}

Counts &Counters::detail() {
  return detailOf(*current, *currentCode, *currentOp).counts;
}

Counters::BlockState &Counters::stateOf(const Block &block) {
  uint64_t serial = block.linear + 1;
  if (&block == lastBlock && lastState->serial == serial)
    return *lastState;
  BlockState &state = blocks[&block];
  if (state.serial != serial) {
    state = BlockState();
    state.serial = serial;
    state.l1 = L1Cache(l1Bytes);
    state.begun.resize(block.warps.size());
  }
  lastBlock = &block;
  lastState = &state;
  return state;
}

void Counters::issue(Warp &warp, const Op &op, LaneMask mask) {
  if (op.flags & opHelper)
    return;
  current = &countsOf(warp, op);
  currentCode = warp.now.code;
  currentOp = &op;
  hasWaited = hasLeft = false;
  BlockState &state = stateOf(*warp.block);
  uint64_t &waitTick = warp.now.waitTick;
  isRetry = waitTick != 0;
  if (isRetry) {
    detail()[Count::OpsMeanwhile] += state.ticks - waitTick;
    retriedTick = waitTick;
    waitTick = 0;
    return;
  }
  ++state.ticks;
  ++current->issued;
  current->activeLanes += uint64_t(__builtin_popcount(warp.now.mask));
  current->lanes += uint64_t(__builtin_popcount(mask));
}

void Counters::pass(Warp &warp, const Op &op) {
  if (op.flags & opHelper)
    return;
  OpCounts &counts = countsOf(warp, op);
  ++stateOf(*warp.block).ticks;
  ++counts.predicatedOff;
  counts.activeLanes += uint64_t(__builtin_popcount(warp.now.mask));
}

void Counters::wait(Warp &warp) {
  notReady();
  uint64_t now = stateOf(*warp.block).ticks;
  if (isRetry) // In vain: the whole time counts when it is tried next.
    detail()[Count::OpsMeanwhile] -= now - retriedTick;
  warp.now.waitTick = isRetry ? retriedTick : now;
}

void Counters::arrive(const Block &block, uint32_t barrier,
                      uint64_t generation) {
  BlockState &state = stateOf(block);
  state.arrivals[barrier][generation & 1] = state.ticks;
}

void Counters::leave(const Block &block, uint32_t barrier,
                     uint64_t generation) {
  if (hasLeft)
    return;
  hasLeft = true;
  BarrierCounts &waits =
      detailOf(*current, *currentCode, *currentOp).barriers[barrier];
  ++waits.waits;
  if (!isRetry)
    return;
  BlockState &state = stateOf(block);
  // Others run on for a while before one that waits is tried again.
  uint64_t ready = state.arrivals[barrier][generation & 1];
  if (ready < retriedTick)
    ready = state.ticks;
  detail()[Count::OpsMeanwhile] -= state.ticks - ready;
  ++waits.notReady;
  waits.opsMeanwhile += ready - retriedTick;
}

//===----------------------------------------------------------------------===//
// Asynchronous work
//===----------------------------------------------------------------------===//

/// Adds a wait for what began at `tick`.
void Counters::sinceIssue(const BlockState &state, uint64_t tick) {
  Counts &counts = detail();
  ++counts[Count::Outstanding];
  // Up to when the warp came, without the wait itself.
  uint64_t came = (isRetry ? retriedTick : state.ticks) - 1;
  counts[Count::OpsSinceIssue] += came > tick ? came - tick : 0;
}

void Counters::beginGroup(const Warp &warp, AsyncKind kind, uint64_t group) {
  if (kind == AsyncKind::MBarrier)
    return;
  BlockState &state = stateOf(*warp.block);
  std::deque<Begun> &begun = state.begun[warp.index][unsigned(kind)];
  if (begun.empty() || begun.back().group != group)
    begun.push_back({group, 0});
  if (begun.size() > AsyncQueue::maxPending)
    begun.pop_front(); // Done, though nobody waits for it.
  begun.back().tick = state.ticks;
}

void Counters::waitGroup(const Warp &warp, AsyncKind kind, uint64_t group) {
  if (kind == AsyncKind::MBarrier)
    return;
  BlockState &state = stateOf(*warp.block);
  std::deque<Begun> &begun = state.begun[warp.index][unsigned(kind)];
  uint64_t latest = 0;
  for (; !begun.empty() && begun.front().group <= group; begun.pop_front())
    latest = begun.front().tick;
  if (latest != 0)
    sinceIssue(state, latest);
}

void Counters::beginPhase(Block &block, uint32_t offset, uint64_t phase) {
  BlockState &state = stateOf(block);
  state.phases[offset] = {phase, state.ticks};
}

void Counters::waitPhase(Block &block, uint32_t offset, uint64_t phase) {
  if (hasWaited)
    return;
  hasWaited = true;
  BlockState &state = stateOf(block);
  auto known = state.phases.find(offset);
  if (known != state.phases.end() && known->second.phase == phase)
    sinceIssue(state, known->second.tick);
}
