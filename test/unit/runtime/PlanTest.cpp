// The bounds of expressions, compared with every step there is.

#include "runtime/core/Plan.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace tcc::rt;

static std::pair<int64_t, int64_t> byTrying(const Expression &expression,
                                            const StepSizes &limits) {
  int64_t least = INT64_MAX, greatest = INT64_MIN;
  for (int64_t tokens = 1; tokens <= limits.tokens; ++tokens)
    for (int64_t sequences = 1; sequences <= std::min(tokens, limits.sequences);
         ++sequences)
      for (int64_t rows = 0; rows <= std::min(tokens, limits.logitRows);
           ++rows) {
        int64_t value = expression.evaluate({tokens, sequences, rows});
        least = std::min(least, value);
        greatest = std::max(greatest, value);
      }
  return {least, greatest};
}

TEST(Expression, BoundsHoldForEveryStep) {
  std::mt19937 random(1);
  auto between = [&](int64_t least, int64_t greatest) {
    return std::uniform_int_distribution<int64_t>(least, greatest)(random);
  };
  for (int i = 0; i < 2000; ++i) {
    StepSizes limits = {between(1, 12), between(1, 12), between(0, 12)};
    limits.sequences = std::min(limits.sequences, limits.tokens);
    limits.logitRows = std::min(limits.logitRows, limits.tokens);
    Expression expression = {between(-50, 50), between(-9, 9), between(-9, 9),
                             between(-9, 9)};
    auto [least, greatest] = byTrying(expression, limits);
    ASSERT_EQ(minimum(expression, limits), least);
    ASSERT_EQ(maximum(expression, limits), greatest);
  }
}

// -fsanitize=undefined sees it if these overflow.
TEST(Expression, GreatestCoefficientsDoNotOverflow) {
  Expression most = {coefficientLimit, coefficientLimit, coefficientLimit,
                     coefficientLimit};
  int64_t value = coefficientLimit * (1 + 3 * largestStep.tokens);
  EXPECT_EQ(maximum(most, largestStep), value);
  EXPECT_EQ(minimum(most - most, largestStep), 0);
  EXPECT_EQ(minimum(Expression() - most - most, largestStep), -2 * value);
}

TEST(Plan, CountsTheBytesOfAPage) {
  Plan plan;
  EXPECT_EQ(plan.pageTokens(), 0);
  EXPECT_EQ(plan.pageBytesOfAllLayers(), 0);
  plan.caches = {{3, 4, 64}, {2, 4, 128}};
  EXPECT_EQ(plan.pageTokens(), 4);
  EXPECT_EQ(plan.pageBytesOfAllLayers(), 3 * 64 + 2 * 128);
}
