// What kernels are given, by kernels that look at it.

#include "runtime/core/Executor.h"

#include "runtime/cpu/CpuDevice.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <mutex>

using namespace tcc;
using namespace tcc::rt;

namespace {
/// One call of a kernel.
struct Call {
  std::vector<void *> arguments;
  std::vector<int64_t> sizes;
  int64_t begin, end;
  void *scratch;
};
} // namespace

static std::vector<Call> calls;
static std::mutex callsMutex;
static std::function<void(const Call &)> onCall;

/// Remembers its call. A launch here has `argumentCount` arguments.
static constexpr size_t argumentCount = 10;
static void remember(void *const *arguments, const int64_t *sizes,
                     int64_t begin, int64_t end, void *scratch) {
  std::lock_guard<std::mutex> lock(callsMutex);
  calls.push_back({std::vector<void *>(arguments, arguments + argumentCount),
                   std::vector<int64_t>(sizes, sizes + 6), begin, end,
                   scratch});
  if (onCall)
    onCall(calls.back());
}

/// A launch of `remember` with one argument of each kind.
static LaunchPlan launchOfAll() {
  LaunchPlan launch;
  for (uint8_t kind = 0; kind < argumentCount; ++kind)
    launch.arguments.push_back({static_cast<ArgumentKind>(kind), 0});
  launch.tiles = {0, 1, 0, 0};
  launch.scratch = {64, 0, 0, 0};
  return launch;
}

namespace {
/// A plan with two layers, from layer 3 on, of one launch.
class ExecutorTest : public testing::Test {
protected:
  void SetUp() override {
    calls.clear();
    onCall = nullptr;
    plan.vocabulary = 8;
    plan.maxPositions = 100;
    plan.hiddenSize = 2;
    plan.buffers = {{{64}, {0, 0, 0, 32}}, {{0}, {0, 8}}};
    plan.weights = {{3, 2, 128, 64, 50}, {0, 1, 0, 0, 100}};
    plan.caches = {{5, 4, 64, false}};
    plan.rotaryTables = {{{1.0, 0.25, 0}, 2.0}};
    plan.step.arenaBytes = {64, 0, 0, 32};
    plan.step.sections = {{true, 3, 2, {launchOfAll()}}};
    plan.step.states = 1;
    plan.step.expansion = {1, 1};
    plan.prediction = plan.step;
    plan.prediction->sections[0].layers = 1;
    plan.prediction->expansion.reset();
    weights.resize(256);
  }

  void start(int threads = 1, StepLimits limits = {64, 4, 4}) {
    program.plan = &plan;
    program.weights = weights.data();
    // What is on a device goes before it.
    executor.reset();
    cache.reset();
    device = std::make_unique<CpuDevice>(threads);
    device->start({remember});
    ASSERT_TRUE(KVCache::create(*device, plan, 16, cache).ok());
    ASSERT_TRUE(
        Executor::create(program, limits, *cache, *device, executor).ok());
    pages.assign(2, {});
    ASSERT_TRUE(cache->grow(pages[0], 9).ok());
    ASSERT_TRUE(cache->grow(pages[1], 3).ok());
    step = {{5, 6, 7}, {7, 8, 0},    {0, 0, 1}, {1, 2}, {&pages[0], &pages[1]},
            0,         /*states=*/{}, /*sampling=*/{}};
  }

  Status run(const Step &step, const std::atomic<bool> *cancelled = nullptr) {
    return executor->run(plan.step, step, cancelled);
  }

  std::string messageOf(const Step &wrong) {
    Status status = run(wrong);
    EXPECT_EQ(status.code(), Status::Code::Internal);
    EXPECT_TRUE(calls.empty());
    return status.message();
  }

  Plan plan;
  Program program;
  std::vector<uint8_t> weights;
  std::unique_ptr<CpuDevice> device;
  std::unique_ptr<KVCache> cache;
  std::unique_ptr<Executor> executor;
  std::vector<PageList> pages;
  Step step;
};
} // namespace

template <typename T>
static std::vector<T> valuesAt(void *data, size_t count) {
  const T *values = static_cast<const T *>(data);
  return {values, values + count};
}

TEST_F(ExecutorTest, GivesEachKindOfArgument) {
  onCall = [](const Call &call) {
    using I32 = std::vector<int32_t>;
    EXPECT_EQ(valuesAt<int32_t>(call.arguments[3], 3), I32({5, 6, 7}));
    EXPECT_EQ(valuesAt<int32_t>(call.arguments[4], 3), I32({7, 8, 0}));
    EXPECT_EQ(valuesAt<int32_t>(call.arguments[5], 3), I32({0, 0, 1}));
    EXPECT_EQ(valuesAt<int32_t>(call.arguments[6], 2), I32({1, 2}));
    // Rows as long as the longest list, filled up with zeros.
    EXPECT_EQ(valuesAt<int32_t>(call.arguments[7], 6), I32({0, 1, 2, 3, 0, 0}));
    std::vector<float> table = valuesAt<float>(call.arguments[8], 18);
    for (size_t t = 0; t < 3; ++t)
      for (size_t j = 0; j < 3; ++j) {
        double position = std::vector<double>{7, 8, 0}[t];
        double angle = position * std::vector<double>{1.0, 0.25, 0}[j];
        EXPECT_EQ(table[t * 6 + j * 2],
                  static_cast<float>(2 * std::cos(angle)));
        EXPECT_EQ(table[t * 6 + j * 2 + 1],
                  static_cast<float>(2 * std::sin(angle)));
      }
    EXPECT_EQ(reinterpret_cast<uintptr_t>(call.scratch) % 64, 0u);
  };
  start();
  ASSERT_TRUE(run(step).ok());
  ASSERT_EQ(calls.size(), 2u);
  for (size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i].sizes, (std::vector<int64_t>{3, 2, 2, 3, 0, 0}));
    EXPECT_EQ(calls[i].begin, 0);
    EXPECT_EQ(calls[i].end, 3);
    // The buffer is the one of the logits.
    EXPECT_EQ(calls[i].arguments[0],
              static_cast<const void *>(executor->logits(0)));
    EXPECT_EQ(calls[i].arguments[1], weights.data() + 128 + 64 * i);
    EXPECT_EQ(calls[i].arguments[2],
              cache->layer(0, 3 + static_cast<int64_t>(i)));
  }
  EXPECT_EQ(executor->logits(1) - executor->logits(0), 8);
  EXPECT_EQ(executor->logits(0) - executor->states(0), 16);
  EXPECT_EQ(executor->states(1) - executor->states(0), 2);
}

TEST_F(ExecutorTest, CountsWhatIsExpanded) {
  start();
  step.expandedSequences = 1;
  ASSERT_TRUE(run(step).ok());
  step.expandedSequences = 2;
  ASSERT_TRUE(run(step).ok());
  EXPECT_EQ(calls[0].sizes, (std::vector<int64_t>{3, 2, 2, 3, 2, 1}));
  EXPECT_EQ(calls[2].sizes, (std::vector<int64_t>{3, 2, 2, 3, 3, 2}));
}

TEST_F(ExecutorTest, GivesStatesToAPrediction) {
  onCall = [](const Call &call) {
    EXPECT_EQ(valuesAt<float>(call.arguments[9], 6),
              std::vector<float>({1, 2, 3, 4, 5, 6}));
  };
  start();
  step.states = {1, 2, 3, 4, 5, 6};
  ASSERT_TRUE(executor->run(*plan.prediction, step).ok());
  EXPECT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].arguments[0],
            static_cast<const void *>(executor->logits(0)));
}

// What reads sampling runs in steps that have it, whose results are the tokens.
TEST_F(ExecutorTest, SamplesWhereAStepSaysSo) {
  LaunchPlan sample = launchOfAll();
  sample.arguments[0] = {ArgumentKind::Sampling, 0};
  sample.arguments[1] = {ArgumentKind::Buffer, 2};
  sample.samples = true;
  plan.buffers.push_back({{64}, {0, 0, 0, 4}});
  plan.step.samples = 2;
  plan.step.sections[0].launches.push_back(sample);
  plan.step.sections[0].layers = 1;
  start();
  ASSERT_TRUE(run(step).ok());
  EXPECT_EQ(calls.size(), 1u);
  step.sampling = {{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}};
  onCall = [](const Call &call) {
    if (calls.size() != 3)
      return;
    EXPECT_EQ(valuesAt<double>(call.arguments[0], 10),
              std::vector<double>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
    static_cast<int32_t *>(call.arguments[1])[0] = 70;
    static_cast<int32_t *>(call.arguments[1])[1] = -5;
  };
  ASSERT_TRUE(run(step).ok());
  EXPECT_EQ(calls.size(), 3u);
  EXPECT_EQ(executor->sample(0), 70);
  EXPECT_EQ(executor->sample(1), -5);
  EXPECT_EQ(executor->states(1) - executor->states(0), 2);
  calls.clear();
  step.sampling.pop_back();
  EXPECT_EQ(messageOf(step),
            "step: expected sampling of each row of logits, where the plan has "
            "it, or none");
  step.sampling.resize(2);
  plan.step.samples.reset();
  EXPECT_EQ(messageOf(step),
            "step: expected sampling of each row of logits, where the plan has "
            "it, or none");
}

// A weight of one layer is the same in and outside a loop.
TEST_F(ExecutorTest, RunsLaunchesOutsideLoops) {
  plan.step.sections = {{false, 0, 1, {launchOfAll()}}};
  auto &arguments = plan.step.sections[0].launches[0].arguments;
  arguments.assign(argumentCount, {ArgumentKind::Tokens, 0});
  arguments[0] = {ArgumentKind::Weight, 1};
  start();
  ASSERT_TRUE(run(step).ok());
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].arguments[0], weights.data());
}

// From 32 tokens on ranges are handed out as threads are free.
TEST_F(ExecutorTest, GivesThreadsTilesAndScratchOfTheirOwn) {
  for (int64_t tokens : {31, 32}) {
    calls.clear();
    start(/*threads=*/3);
    Step large;
    large.pages = {&pages[0]};
    ASSERT_TRUE(cache->grow(pages[0], tokens).ok());
    for (int32_t t = 0; t < tokens; ++t) {
      large.tokens.push_back(1);
      large.positions.push_back(t);
      large.sequences.push_back(0);
    }
    ASSERT_TRUE(run(large).ok());
    std::vector<int> runs(static_cast<size_t>(tokens));
    std::vector<void *> scratches;
    for (const Call &call : calls) {
      scratches.push_back(call.scratch);
      for (int64_t tile = call.begin; tile < call.end; ++tile)
        ++runs[static_cast<size_t>(tile)];
    }
    EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(tokens), 2));
    std::sort(scratches.begin(), scratches.end());
    scratches.erase(std::unique(scratches.begin(), scratches.end()),
                    scratches.end());
    // A free thread may have run all of the small ranges.
    if (tokens < 32)
      EXPECT_EQ(scratches.size(), 3u);
    for (size_t i = 1; i < scratches.size(); ++i)
      EXPECT_GE(static_cast<uint8_t *>(scratches[i]) -
                    static_cast<uint8_t *>(scratches[i - 1]),
                4096);
  }
}

TEST_F(ExecutorTest, SkipsLaunchesWithoutTiles) {
  plan.step.sections[0].launches[0].tiles = {0, 0, 0, 1};
  start();
  step.logitRows.clear();
  ASSERT_TRUE(run(step).ok());
  EXPECT_TRUE(calls.empty());
}

TEST_F(ExecutorTest, StopsWhenCancelled) {
  std::atomic<bool> cancelled{false};
  onCall = [&](const Call &) { cancelled = true; };
  start();
  EXPECT_EQ(run(step, &cancelled).code(), Status::Code::Interrupted);
  EXPECT_EQ(calls.size(), 1u); // Not the second layer.
}

TEST_F(ExecutorTest, RefusesStepsThatBreakTheRules) {
  start();
  auto with = [&](const std::function<void(Step &)> &change) {
    Step wrong = step;
    change(wrong);
    return messageOf(wrong);
  };
  EXPECT_EQ(with([](Step &s) { s.clear(); }),
            "step: expected one position and one sequence a token");
  EXPECT_EQ(with([](Step &s) { s.positions.pop_back(); }),
            "step: expected one position and one sequence a token");
  EXPECT_EQ(with([](Step &s) { s.pages.pop_back(); }),
            "step: expected one position and one sequence a token");
  EXPECT_EQ(with([](Step &s) {
              s.sequences = {1, 1, 1};
            }),
            "step: expected ascending sequences");
  EXPECT_EQ(with([](Step &s) { s.positions[1] = 9; }),
            "step: expected positions ascending by 1");
  EXPECT_EQ(with([](Step &s) { s.positions[2] = 100; }),
            "step: position 100 is beyond the model's maximum");
  EXPECT_EQ(with([](Step &s) {
              s.logitRows = {2, 1};
            }),
            "step: expected ascending logit rows");
  EXPECT_EQ(with([](Step &s) { s.logitRows = {3}; }),
            "step: expected ascending logit rows");
  EXPECT_EQ(with([](Step &s) { s.positions[2] = 4; }),
            "step: a sequence has too few pages");
  EXPECT_EQ(with([](Step &s) { s.expandedSequences = 3; }),
            "step: expected no more sequences in expanded form than there are, "
            "and none where the plan has no such form");
  EXPECT_EQ(with([](Step &s) { s.states = {1, 2, 3, 4, 5, 6}; }),
            "step: expected a state a token of a prediction, and none "
            "otherwise");
  step.tokens[1] = 8;
  Status status = run(step);
  EXPECT_EQ(status.code(), Status::Code::BadData);
  EXPECT_EQ(status.message(), "token: expected an id from 0 to 7, got 8");
}

TEST_F(ExecutorTest, RefusesPredictionsThatBreakTheRules) {
  start();
  EXPECT_EQ(executor->run(*plan.prediction, step).message(),
            "step: expected a state a token of a prediction, and none "
            "otherwise");
  step.states = {1, 2, 3, 4, 5, 6};
  step.expandedSequences = 1;
  EXPECT_EQ(executor->run(*plan.prediction, step).message(),
            "step: expected no more sequences in expanded form than there are, "
            "and none where the plan has no such form");
}

TEST_F(ExecutorTest, RefusesStepsBeyondItsLimits) {
  start(1, {2, 2, 2});
  EXPECT_EQ(messageOf(step),
            "step: it is larger than the limits it was prepared for");
}

TEST_F(ExecutorTest, SaysWhatItNeeds) {
  // Scratch is rounded up to pages of memory for each thread.
  // Sizes and seven inputs, each of less than 256 bytes.
  int64_t inputs = 8 * 256;
  EXPECT_EQ(Executor::bytesFor(plan, {4, 2, 2}, 3),
            64 + 2 * 32 + 3 * 4096 + inputs);
  // 2 sequences of up to 100 pages.
  EXPECT_EQ(Executor::bytesFor(plan, {4, 2, 2, 100}, 3),
            64 + 2 * 32 + 3 * 4096 + inputs + 1024 - 256);
  // 40 bytes for each row of logits where a device chooses tokens.
  plan.step.samples = 0;
  EXPECT_EQ(Executor::bytesFor(plan, {8, 2, 7}, 3),
            64 + 7 * 32 + 3 * 4096 + inputs + 512);
  plan.step.samples.reset();
  // The larger of both steps.
  plan.prediction->arenaBytes.constant = 1000;
  plan.prediction->sections[0].launches[0].scratch.constant = 4097;
  EXPECT_EQ(Executor::bytesFor(plan, {4, 2, 2}, 3),
            1000 + 2 * 32 + 3 * 8192 + inputs);
  start();
  plan.step.arenaBytes = {0, coefficientLimit, coefficientLimit,
                          coefficientLimit};
  Status status =
      Executor::create(program, largestStep, *cache, *device, executor);
  EXPECT_EQ(status.code(), Status::Code::OutOfMemory);
  EXPECT_EQ(status.message(),
            "memory: cannot reserve 1729382256964804864 bytes for a step of "
            "1048576 tokens; use fewer --threads or raise the limit of address "
            "space (ulimit -v)");
  plan.step.sections[0].launches[0].scratch = plan.step.arenaBytes;
  EXPECT_EQ(Executor::bytesFor(plan, largestStep, 8), INT64_MAX);
}
