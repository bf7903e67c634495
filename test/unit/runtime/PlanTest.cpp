// The bounds of expressions, compared with every step there is.

#include "runtime/core/Plan.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace tcc::rt;

/// Calls `use` with the sizes of every step up to `limits`.
template <typename Use>
static void forEveryStep(const StepLimits &limits, Use use) {
  for (int64_t tokens = 1; tokens <= limits.tokens; ++tokens)
    for (int64_t sequences = 1; sequences <= std::min(tokens, limits.sequences);
         ++sequences)
      for (int64_t rows = 0; rows <= std::min(tokens, limits.logitRows); ++rows)
        for (int64_t expanded = 0; expanded <= sequences; ++expanded)
          for (int64_t expandedTokens = expanded; expandedTokens <= tokens;
               ++expandedTokens)
            use(StepSizes{tokens, sequences, rows, expandedTokens, expanded});
}

TEST(Expression, BoundsHoldForEveryStep) {
  std::mt19937 random(1);
  auto between = [&](int64_t least, int64_t greatest) {
    return std::uniform_int_distribution<int64_t>(least, greatest)(random);
  };
  for (int i = 0; i < 1000; ++i) {
    StepLimits limits = {between(1, 8), between(1, 8), between(0, 8)};
    limits.sequences = std::min(limits.sequences, limits.tokens);
    limits.logitRows = std::min(limits.logitRows, limits.tokens);
    Expression expression = {between(-50, 50), between(-9, 9), between(-9, 9),
                             between(-9, 9),   between(-9, 9), between(-9, 9),
                             between(-9, 9)};
    int64_t least = INT64_MAX, greatest = INT64_MIN;
    forEveryStep(limits, [&](const StepSizes &sizes) {
      least = std::min(least, expression.evaluate(sizes));
      greatest = std::max(greatest, expression.evaluate(sizes));
    });
    ASSERT_EQ(minimum(expression, limits), least);
    ASSERT_EQ(maximum(expression, limits), greatest);
  }
}

// -fsanitize=undefined sees it if these overflow.
TEST(Expression, GreatestCoefficientsDoNotOverflow) {
  constexpr int64_t limit = coefficientLimit;
  Expression most = {limit, limit, limit, limit, limit, limit, limit};
  int64_t value = limit * (1 + 5 * largestStep.tokens);
  EXPECT_EQ(maximum(most, largestStep), value);
  EXPECT_EQ(minimum(most - most, largestStep), 0);
  EXPECT_EQ(minimum(Expression() - most - most - most, largestStep),
            -3 * value);
}

TEST(Expression, CountsTheTokensOfBothForms) {
  Expression expression = {1, 0, 0, 0, 10, 100, 1000};
  EXPECT_EQ(expression.evaluate({7, 4, 0, 0, 0}), 701);
  EXPECT_EQ(expression.evaluate({7, 4, 0, 5, 2}), 2251);
}

// 3 (n P + n (n + 1) / 2) > 40 P.
TEST(Expansion, IsCheaperWhereItSavesMoreThanItCosts) {
  Expansion expansion = {3, 40, 512};
  EXPECT_TRUE(expansion.isCheaper(1, 0)); // Nothing to expand.
  EXPECT_FALSE(expansion.isCheaper(1, 1));
  EXPECT_FALSE(expansion.isCheaper(13, 1000)); // 39273 against 40000
  EXPECT_TRUE(expansion.isCheaper(14, 1000));  // 42315 against 40000
  EXPECT_FALSE(expansion.isCheaper(13, 273));  // 10920 against 10920
  EXPECT_TRUE(expansion.isCheaper(13, 272));   // 10881 against 10880
  EXPECT_FALSE(expansion.isCheaper(0, 1));
  EXPECT_FALSE((Expansion{0, 0}).isCheaper(512, 0));
  EXPECT_FALSE((Expansion{0, 1}).isCheaper(512, 9));
  // Neither side overflows.
  constexpr int64_t most = INT32_MAX;
  Expansion huge = {coefficientLimit, coefficientLimit};
  EXPECT_TRUE(huge.isCheaper(most, most));
  EXPECT_TRUE(huge.isCheaper(1, most));
}

TEST(Plan, CountsTheBytesOfAPage) {
  Plan plan;
  EXPECT_EQ(plan.pageTokens(), 0);
  EXPECT_EQ(plan.pageBytesOfAllLayers(), 0);
  plan.caches = {{3, 4, 64, false}, {2, 4, 128, true}};
  EXPECT_EQ(plan.pageTokens(), 4);
  EXPECT_EQ(plan.pageBytesOfAllLayers(), 3 * 64 + 2 * 128);
}
