// Live ranges against those of sets of registers for each op.

#include "tools/ptxsim/machine/LiveRanges.h"

#include "gtest/gtest.h"

#include <random>
#include <set>

using namespace ptxsim;

namespace {

/// A function whose blocks have one op for each use.
struct Function {
  std::vector<BasicBlock> blocks;
  std::vector<FirstUse> uses; ///< By block.
  uint32_t registers = 0;

  /// The ranges of what the text names alone.
  std::vector<LiveRange> named() const {
    std::vector<LiveRange> result(registers);
    std::vector<uint32_t> ops(blocks.size(), 0);
    for (const FirstUse &use : uses)
      result[use.reg].include(blocks[use.block].begin + ops[use.block]++);
    return result;
  }
};

/// Adds a block that begins with these uses; it has one op at least.
void addBlock(Function &function, const std::vector<FirstUse> &uses,
              std::vector<uint32_t> successors) {
  uint32_t begin = function.blocks.empty() ? 0 : function.blocks.back().end;
  uint32_t block = uint32_t(function.blocks.size());
  uint32_t size = std::max(uint32_t(uses.size()), 1u);
  function.blocks.push_back({begin, begin + size, std::move(successors)});
  for (const FirstUse &use : uses)
    function.uses.push_back({use.reg, block, use.reads});
}

uint32_t near(uint32_t block, uint32_t blocks, std::mt19937 &random) {
  int64_t target = int64_t(block) + int64_t(random() % 9) - 4;
  return uint32_t(std::clamp<int64_t>(target, 0, blocks - 1));
}

Function randomFunction(std::mt19937 &random) {
  Function result;
  uint32_t blocks = 1 + random() % 30;
  result.registers = 1 + random() % 1200;
  bool isWild = random() % 2;
  for (uint32_t b = 0; b < blocks; ++b) {
    std::set<uint32_t> names;
    for (uint32_t i = random() % 100; i-- > 0;)
      names.insert(random() % result.registers);
    std::vector<FirstUse> uses;
    for (uint32_t reg : names)
      uses.push_back({reg, b, random() % 2 == 0});
    std::vector<uint32_t> successors;
    if (b + 1 < blocks && random() % 8)
      successors.push_back(b + 1);
    for (uint32_t i = random() % 3; i-- > 0;)
      successors.push_back(isWild ? uint32_t(random() % blocks)
                                  : near(b, blocks, random));
    addBlock(result, uses, successors);
  }
  return result;
}

/// What `live` of a block before and after it are, by the equations.
std::vector<LiveRange> expectedRanges(const Function &function) {
  const std::vector<BasicBlock> &blocks = function.blocks;
  std::vector<std::set<uint32_t>> in(blocks.size()), out(blocks.size());
  std::vector<std::set<uint32_t>> written(blocks.size());
  for (const FirstUse &use : function.uses)
    (use.reads ? in : written)[use.block].insert(use.reg);
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t b = 0; b < blocks.size(); ++b)
      for (uint32_t successor : blocks[b].successors)
        for (uint32_t reg : in[successor]) {
          changed |= out[b].insert(reg).second;
          if (!written[b].count(reg))
            changed |= in[b].insert(reg).second;
        }
  }
  std::vector<LiveRange> result = function.named();
  for (uint32_t b = 0; b < blocks.size(); ++b) {
    for (uint32_t reg : in[b])
      result[reg].include(blocks[b].begin);
    for (uint32_t reg : out[b])
      result[reg].include(blocks[b].end - 1);
  }
  for (uint32_t reg : in[0])
    result[reg].atEntry = true;
  return result;
}

TEST(LiveRanges, AreThoseOfTheEquations) {
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    Function function = randomFunction(random);
    std::vector<LiveRange> want = expectedRanges(function);
    std::vector<LiveRange> got = function.named();
    extendLiveRanges(function.blocks, function.uses, got);
    for (uint32_t reg = 0; reg < function.registers; ++reg) {
      ASSERT_EQ(got[reg].begin, want[reg].begin) << i << " register " << reg;
      ASSERT_EQ(got[reg].end, want[reg].end) << i << " register " << reg;
      ASSERT_EQ(got[reg].atEntry, want[reg].atEntry) << i << " " << reg;
    }
  }
}

TEST(LiveRanges, HoldTheRightOnesWhereStepsRunOut) {
  std::mt19937 random(2);
  for (int i = 0; i < 100; ++i) {
    Function function = randomFunction(random);
    std::vector<LiveRange> want = expectedRanges(function);
    std::vector<LiveRange> got = function.named();
    extendLiveRanges(function.blocks, function.uses, got, random() % 100);
    for (uint32_t reg = 0; reg < function.registers; ++reg) {
      ASSERT_LE(got[reg].begin, want[reg].begin);
      ASSERT_GE(got[reg].end, want[reg].end);
      ASSERT_GE(got[reg].atEntry, want[reg].atEntry);
    }
  }
}

/// A block that joins edges is no place in the text.
TEST(LiveRanges, GoThroughBlocksWithoutOps) {
  Function function;
  function.registers = 2;
  addBlock(function, {}, {2});
  function.blocks.push_back({1, 1, {3, 4}});
  addBlock(function, {{1, 2, false}, {0, 2, false}}, {1});
  addBlock(function, {}, {});
  addBlock(function, {{0, 4, true}}, {});
  std::vector<LiveRange> got = function.named();
  extendLiveRanges(function.blocks, function.uses, got);
  EXPECT_EQ(got[0].begin, 2u);
  EXPECT_EQ(got[0].end, 4u);
  EXPECT_FALSE(got[0].atEntry);
}

/// Registers that all live through all of a long function: as sets for each
/// block they would take 2.5 GB.
TEST(LiveRanges, TakeLittleForLongFunctions) {
  constexpr uint32_t count = 100000;
  Function function;
  function.registers = count;
  for (uint32_t b = 0; b < count; ++b)
    addBlock(function, {{b, b, false}}, {b + 1});
  std::vector<FirstUse> reads;
  for (uint32_t reg = 0; reg < count; ++reg)
    reads.push_back({reg, count, true});
  addBlock(function, reads, {});
  std::vector<LiveRange> got = function.named();
  extendLiveRanges(function.blocks, function.uses, got);
  for (uint32_t reg = 0; reg < count; ++reg) {
    ASSERT_LE(got[reg].begin, reg);
    ASSERT_GE(got[reg].end, count + reg);
  }
}

} // namespace
