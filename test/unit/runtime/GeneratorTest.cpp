// Requests from prompt to end, with the model that counts: after a comes b, …
// after g the end, after the end a.

#include "runtime/core/Generator.h"

#include "runtime/core/Executable.h"
#include "runtime/cpu/CpuDevice.h"
#include "test/unit/runtime/TinyModel.h"

#include <gtest/gtest.h>
#include <map>

using namespace tcc;
using namespace tcc::rt;

using Tokens = std::vector<int32_t>;

namespace {
/// Remembers everything.
class Recorder : public GenerationListener {
public:
  bool onToken(size_t request, int32_t token) override {
    events.push_back({request, token});
    tokens[request].push_back(token);
    return static_cast<int64_t>(tokens[request].size()) < stopAfter;
  }
  Status onLogits(size_t request, int64_t position,
                  const float *logits) override {
    positions[request].push_back(position);
    // The model gives 1 to the next token and 0 to all others.
    for (int i = 0; i < 8; ++i)
      if (logits[i] == 1)
        best[request].push_back(i);
    return {};
  }
  void onProgress(int64_t done, int64_t total) override {
    progress.push_back({done, total});
  }

  int64_t stopAfter = 1000;
  std::vector<std::pair<size_t, int32_t>> events;
  std::map<size_t, Tokens> tokens, best;
  std::map<size_t, std::vector<int64_t>> positions;
  std::vector<std::pair<int64_t, int64_t>> progress;
};

class GeneratorTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(
        Executable::load(writeTemporary("tcc-generator.bin", tinyFile()),
                         CpuDevice::targetKind, model)
            .ok());
    ASSERT_TRUE(model->prepare(device).ok());
  }

  Status run(const std::vector<Tokens> &prompts) {
    Requirements needed;
    if (Status status = planRequests(model->plan(), prompts, options, {}, needed);
        !status.ok())
      return status;
    if (!generator)
      if (Status status =
              Generator::create(model->program(), needed, device, generator);
          !status.ok())
        return status;
    recorder = Recorder();
    recorder.stopAfter = stopAfter;
    return generator->run(prompts, options, recorder);
  }

  std::unique_ptr<Executable> model;
  CpuDevice device{1};
  GenerationOptions options;
  std::unique_ptr<Generator> generator;
  Recorder recorder;
  int64_t stopAfter = 1000;
};
} // namespace

TEST_F(GeneratorTest, Counts) {
  options.maxTokens = 5;
  ASSERT_TRUE(run({{0, 3}}).ok());
  EXPECT_EQ(recorder.tokens[0], Tokens({4, 5, 6, 7, 0}));
}

TEST_F(GeneratorTest, StopsAtEndIdsAndReportsThem) {
  options.maxTokens = 20;
  options.endIds = {7, 6};
  ASSERT_TRUE(run({{3}, {7}}).ok());
  EXPECT_EQ(recorder.tokens[0], Tokens({4, 5, 6}));
  EXPECT_EQ(recorder.tokens[1], Tokens({0, 1, 2, 3, 4, 5, 6}));
}

TEST_F(GeneratorTest, StopsWhenTheListenerSaysSo) {
  options.maxTokens = 20;
  stopAfter = 3;
  ASSERT_TRUE(run({{3}, {0}}).ok());
  EXPECT_EQ(recorder.tokens[0], Tokens({4, 5, 6}));
  EXPECT_EQ(recorder.tokens[1], Tokens({1, 2, 3}));
}

TEST_F(GeneratorTest, LogitsAreThoseOfEachTokenThatWasFed) {
  options.maxTokens = 3;
  options.allLogits = true;
  ASSERT_TRUE(run({{0, 3, 2}, {6}}).ok());
  EXPECT_EQ(recorder.positions[0], (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(recorder.best[0], Tokens({1, 4, 3, 4, 5}));
  EXPECT_EQ(recorder.best[1], Tokens({7, 0, 1}));
}

TEST_F(GeneratorTest, WithoutThemOnlyThoseThatChooseTokens) {
  options.maxTokens = 3;
  ASSERT_TRUE(run({{0, 3, 2}}).ok());
  EXPECT_EQ(recorder.positions[0], (std::vector<int64_t>{2, 3, 4}));
  options.maxTokens = 0;
  generator.reset();
  ASSERT_TRUE(run({{0, 3, 2}}).ok());
  EXPECT_TRUE(recorder.positions.empty());
  EXPECT_TRUE(recorder.tokens.empty());
}

TEST_F(GeneratorTest, PrefillOnlyGivesAllLogits) {
  options.maxTokens = 0;
  options.allLogits = true;
  ASSERT_TRUE(run({{0, 3, 2}, {1}}).ok());
  EXPECT_EQ(recorder.best[0], Tokens({1, 4, 3}));
  EXPECT_EQ(recorder.best[1], Tokens({2}));
  EXPECT_TRUE(recorder.tokens.empty());
}

// Prompts are cut at the tokens of a step, and there may be more requests than
// those.
TEST_F(GeneratorTest, EachRequestGetsWhatItWouldAlone) {
  std::vector<Tokens> prompts = {
      {0}, {1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, {6, 6}, {3}, {2, 1, 0}};
  options.maxTokens = 6;
  options.endIds = {7};
  for (int64_t stepTokens : {1, 2, 3, 7, 512})
    for (bool promptsFirst : {false, true})
      for (bool allLogits : {false, true}) {
        options.stepTokens = stepTokens;
        options.promptsFirst = promptsFirst;
        options.allLogits = allLogits;
        generator.reset();
        ASSERT_TRUE(run(prompts).ok());
        Recorder together = recorder;
        for (size_t i = 0; i < prompts.size(); ++i) {
          generator.reset();
          ASSERT_TRUE(run({prompts[i]}).ok());
          EXPECT_EQ(together.tokens[i], recorder.tokens[0]);
          EXPECT_EQ(together.positions[i], recorder.positions[0]);
          EXPECT_EQ(together.best[i], recorder.best[0]);
        }
      }
}

// Steps of three tokens, and one beside them as there are two forms: the first
// request goes on while the second is read, unless prompts come first.
TEST_F(GeneratorTest, LongPromptsHoldNobodyUp) {
  options.maxTokens = 4;
  options.stepTokens = 3;
  std::vector<Tokens> prompts = {{0}, {0, 0, 0, 0, 0, 0, 0}};
  ASSERT_TRUE(run(prompts).ok());
  EXPECT_EQ(recorder.events[1], (std::pair<size_t, int32_t>{0, 2}));
  EXPECT_EQ(recorder.events[2], (std::pair<size_t, int32_t>{0, 3}));
  generator.reset();
  options.promptsFirst = true;
  ASSERT_TRUE(run(prompts).ok());
  EXPECT_EQ(recorder.events[1], (std::pair<size_t, int32_t>{1, 1}));
  EXPECT_EQ(recorder.events[2], (std::pair<size_t, int32_t>{0, 2}));
  EXPECT_EQ(recorder.progress[0], (std::pair<int64_t, int64_t>{4, 8}));
  EXPECT_EQ(recorder.progress[2], (std::pair<int64_t, int64_t>{8, 8}));
}

TEST_F(GeneratorTest, RunsAgain) {
  options.maxTokens = 4;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(run({{0, 1, 2, 3, 4}, {5}}).ok());
    EXPECT_EQ(recorder.tokens[0], Tokens({5, 6, 7, 0}));
    EXPECT_EQ(recorder.tokens[1], Tokens({6, 7, 0, 1}));
  }
}

TEST_F(GeneratorTest, CanBeInterruptedAndRunAgain) {
  std::atomic<bool> cancelled{true};
  options.maxTokens = 4;
  options.cancelled = &cancelled;
  EXPECT_EQ(run({{0}}).code(), Status::Code::Interrupted);
  EXPECT_TRUE(recorder.tokens.empty());
  cancelled = false;
  ASSERT_TRUE(run({{0}}).ok());
  EXPECT_EQ(recorder.tokens[0], Tokens({1, 2, 3, 4}));
}
