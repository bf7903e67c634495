// Liveness, backwards from the reads, for some registers at a time.
//
// Only the ends of the ranges are kept, so that the memory for the sets of live
// registers does not grow with the product of blocks and registers. Registers
// are taken in the order of their first reads: those of one time are near each
// other, and only the blocks where they live are looked at.

#include "tools/ptxsim/machine/LiveRanges.h"

#include <queue>

using namespace ptxsim;

namespace {

/// One bit for each of the registers of one time.
struct alignas(64) Bits {
  static constexpr uint32_t size = 512;
  uint64_t words[size / 64] = {};

  void set(uint32_t bit) { words[bit / 64] |= uint64_t(1) << (bit % 64); }
  void add(const Bits &other) {
    for (uint32_t w = 0; w < size / 64; ++w)
      words[w] |= other.words[w];
  }
  /// Adds what is in `live` and not in `replaced`; false if it was there.
  bool add(const Bits &live, const Bits &replaced) {
    uint64_t fresh = 0;
    for (uint32_t w = 0; w < size / 64; ++w) {
      uint64_t added = live.words[w] & ~replaced.words[w] & ~words[w];
      words[w] |= added;
      fresh |= added;
    }
    return fresh != 0;
  }
};

class Solver {
public:
  Solver(const std::vector<BasicBlock> &blocks,
         const std::vector<FirstUse> &uses, std::vector<LiveRange> &ranges,
         uint64_t steps)
      : blocks(blocks), ranges(ranges), steps(steps), liveIn(blocks.size()),
        replaced(blocks.size()), isQueued(blocks.size(), false) {
    findPredecessors();
    groupUses(uses);
  }
  void run();

private:
  using Queue = std::priority_queue<uint32_t>;

  void findPredecessors();
  void groupUses(const std::vector<FirstUse> &uses);
  void start();
  bool solve();
  void enqueue(uint32_t block, Queue &queue);
  void touch(uint32_t block);
  void includeStarts();
  void includeEnds();
  void finish();
  template <class Function>
  void forFresh(const Bits &bits, Bits &seen, Function function);

  const std::vector<BasicBlock> &blocks;
  std::vector<LiveRange> &ranges;
  uint64_t steps;
  std::vector<uint32_t> predecessors, firstPredecessor; ///< By block.
  std::vector<uint32_t> carried;     ///< Registers that some block reads first.
  std::vector<FirstUse> carriedUses; ///< Their uses, by register.
  std::vector<uint32_t> firstUse;    ///< Of each in `carriedUses`.

  // Of the registers of one time.
  uint32_t first = 0, last = 0; ///< In `carried`.
  std::vector<Bits> liveIn, replaced;
  std::vector<bool> isQueued;
  Queue now, next; ///< What changed: of this sweep up the text, of the next.
  uint32_t lowest = 0, highest = 0; ///< Blocks that were looked at.
};
} // namespace

void Solver::findPredecessors() {
  firstPredecessor.assign(blocks.size() + 2, 0);
  for (const BasicBlock &block : blocks)
    for (uint32_t successor : block.successors)
      ++firstPredecessor[successor + 2];
  for (size_t b = 2; b < firstPredecessor.size(); ++b)
    firstPredecessor[b] += firstPredecessor[b - 1];
  predecessors.resize(firstPredecessor.back());
  for (uint32_t b = 0; b < blocks.size(); ++b)
    for (uint32_t successor : blocks[b].successors)
      predecessors[firstPredecessor[successor + 1]++] = b;
}

void Solver::groupUses(const std::vector<FirstUse> &uses) {
  std::vector<int32_t> numberOf(ranges.size(), -1);
  for (const FirstUse &use : uses) {
    if (!use.reads || numberOf[use.reg] >= 0)
      continue;
    numberOf[use.reg] = int32_t(carried.size());
    carried.push_back(use.reg);
  }
  firstUse.assign(carried.size() + 2, 0);
  for (const FirstUse &use : uses)
    if (numberOf[use.reg] >= 0)
      ++firstUse[size_t(numberOf[use.reg]) + 2];
  for (size_t i = 2; i < firstUse.size(); ++i)
    firstUse[i] += firstUse[i - 1];
  carriedUses.resize(firstUse.back());
  for (const FirstUse &use : uses)
    if (numberOf[use.reg] >= 0)
      carriedUses[firstUse[size_t(numberOf[use.reg]) + 1]++] = use;
}

void Solver::touch(uint32_t block) {
  lowest = std::min(lowest, block);
  highest = std::max(highest, block);
}

void Solver::enqueue(uint32_t block, Queue &queue) {
  if (!isQueued[block])
    queue.push(block);
  isQueued[block] = true;
}

void Solver::start() {
  lowest = ~0u;
  highest = 0;
  for (uint32_t i = first; i < last; ++i)
    for (uint32_t u = firstUse[i]; u < firstUse[i + 1]; ++u) {
      const FirstUse &use = carriedUses[u];
      (use.reads ? liveIn : replaced)[use.block].set(i - first);
      if (!use.reads)
        continue;
      touch(use.block);
      enqueue(use.block, now);
    }
}

/// Solves the equations of liveness, in sweeps up the text until nothing
/// changes. False if that takes too many steps.
bool Solver::solve() {
  while (!now.empty() || !next.empty()) {
    if (now.empty())
      std::swap(now, next);
    uint32_t block = now.top();
    now.pop();
    isQueued[block] = false;
    for (uint32_t i = firstPredecessor[block]; i < firstPredecessor[block + 1];
         ++i) {
      if (steps-- == 0)
        return false;
      uint32_t predecessor = predecessors[i];
      touch(predecessor);
      if (liveIn[predecessor].add(liveIn[block], replaced[predecessor]))
        enqueue(predecessor, predecessor < block ? now : next);
    }
  }
  uint64_t scanned = 2 * uint64_t(highest - lowest + 1);
  steps -= std::min(steps, scanned);
  return true;
}

/// Calls `function` for the ranges of the bits that are not in `seen`.
template <class Function>
void Solver::forFresh(const Bits &bits, Bits &seen, Function function) {
  for (uint32_t w = 0; w < Bits::size / 64; ++w) {
    uint64_t fresh = bits.words[w] & ~seen.words[w];
    seen.words[w] |= fresh;
    for (; fresh != 0; fresh &= fresh - 1)
      function(ranges[carried[first + 64 * w + __builtin_ctzll(fresh)]]);
  }
}

void Solver::includeStarts() {
  Bits seen;
  for (uint32_t b = lowest; b <= highest; ++b)
    if (blocks[b].begin != blocks[b].end)
      forFresh(liveIn[b], seen, [&](LiveRange &range) {
        range.include(blocks[b].begin);
        range.atEntry |= b == 0;
      });
}

void Solver::includeEnds() {
  Bits seen;
  for (uint32_t b = highest + 1; b-- > lowest;) {
    if (blocks[b].begin == blocks[b].end)
      continue;
    Bits liveOut;
    for (uint32_t successor : blocks[b].successors)
      liveOut.add(liveIn[successor]);
    forFresh(liveOut, seen,
             [&](LiveRange &range) { range.include(blocks[b].end - 1); });
  }
}

void Solver::finish() {
  std::fill(liveIn.begin() + lowest, liveIn.begin() + highest + 1, Bits());
  for (uint32_t u = firstUse[first]; u < firstUse[last]; ++u)
    replaced[carriedUses[u].block] = Bits();
}

void Solver::run() {
  for (; first < carried.size(); first = last) {
    last = std::min(first + Bits::size, uint32_t(carried.size()));
    start();
    if (!solve())
      break;
    includeStarts();
    includeEnds();
    finish();
  }
  uint32_t end = 0;
  for (const BasicBlock &block : blocks)
    end = std::max(end, block.end);
  for (uint32_t i = first; i < carried.size(); ++i) {
    LiveRange &range = ranges[carried[i]];
    range.include(0);
    range.include(end - 1);
    range.atEntry = true;
  }
}

void ptxsim::extendLiveRanges(const std::vector<BasicBlock> &blocks,
                              const std::vector<FirstUse> &uses,
                              std::vector<LiveRange> &ranges, uint64_t steps) {
  Solver(blocks, uses, ranges, steps).run();
}
