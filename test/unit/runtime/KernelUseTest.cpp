// What launches are said to move and compute.

#include "runtime/core/KernelUse.h"

#include "runtime/core/Executor.h"

#include <gtest/gtest.h>

using namespace tcc::rt;

/// Three tokens of a sequence that had four, in expanded form, one of another
/// that had nine, and two of one that had none.
static Step someStep() {
  Step step;
  step.tokens = {1, 1, 1, 1, 1, 1};
  step.positions = {4, 5, 6, 9, 0, 1};
  step.sequences = {0, 0, 0, 1, 2, 2};
  step.logitRows = {2, 5};
  step.expandedSequences = 1;
  return step;
}

TEST(KernelUse, CountsRowsOfEachKind) {
  StepCounts counts = countRows(someStep());
  auto of = [&](Rows rows) { return counts[static_cast<size_t>(rows)]; };
  EXPECT_EQ(of(Rows::Tokens).rows, 6);
  EXPECT_EQ(of(Rows::Tokens).positions, 7 + 10 + 2);
  EXPECT_EQ(of(Rows::Tokens).pairs, 5 + 6 + 7 + 10 + 1 + 2);
  EXPECT_EQ(of(Rows::Expanded).rows, 3);
  EXPECT_EQ(of(Rows::Expanded).positions, 7);
  EXPECT_EQ(of(Rows::Expanded).pairs, 5 + 6 + 7);
  EXPECT_EQ(of(Rows::Absorbed).rows, 3);
  EXPECT_EQ(of(Rows::Absorbed).positions, 10 + 2);
  EXPECT_EQ(of(Rows::Absorbed).pairs, 10 + 1 + 2);
  EXPECT_EQ(of(Rows::LogitRows).rows, 2);
}

TEST(KernelUse, AddsLaunches) {
  StepCounts counts = countRows(someStep());
  KernelPlan kernel;
  KernelUse use;
  addLaunch(kernel, counts, use);
  EXPECT_EQ(use.launches, 1);
  EXPECT_EQ(use.bytes, 0);
  kernel.work = {Rows::Expanded, 1000, 100, 10, 20, 2};
  addLaunch(kernel, counts, use);
  addLaunch(kernel, counts, use);
  EXPECT_EQ(use.launches, 3);
  EXPECT_EQ(use.bytes, 2 * (1000 + 3 * 100 + 7 * 10));
  EXPECT_EQ(use.flops, 2 * (3 * 20 + 18 * 2));
}
