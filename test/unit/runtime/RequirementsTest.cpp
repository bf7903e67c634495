// What a run takes, for the plan of the tiny model: pages of four positions and
// 192 bytes, at most 32 positions, a vocabulary of 8.

#include "runtime/core/Requirements.h"

#include "runtime/core/Executable.h"
#include "runtime/core/Executor.h"
#include "test/unit/runtime/TinyModel.h"

#include <gtest/gtest.h>

using namespace tcc;
using namespace tcc::rt;

using Tokens = std::vector<int32_t>;

namespace {
class RequirementsTest : public testing::Test {
protected:
  void SetUp() override {
    std::unique_ptr<Executable> model;
    ASSERT_TRUE(
        Executable::load(writeTemporary("tcc-requirements.bin", tinyFile()),
                         schema::TargetKind::X86_64, model)
            .ok());
    tinyPlan = model->plan();
    tinyPlan.step.expansion.reset();
  }

  Status plan(const std::vector<Tokens> &prompts, Requirements &needed,
              int64_t available = INT64_MAX) {
    return planRequests(tinyPlan, prompts, options,
                        {1, available, 256, parameters}, needed);
  }

  std::string refused(Status::Code code, const std::vector<Tokens> &prompts) {
    Requirements needed;
    Status status = plan(prompts, needed);
    EXPECT_EQ(status.code(), code);
    return status.message();
  }

  Plan tinyPlan;
  GenerationOptions options;
  int64_t parameters = 0;
};
} // namespace

TEST_F(RequirementsTest, PlansPagesForAllThatIsFed) {
  options.maxTokens = 4;
  Requirements needed;
  ASSERT_TRUE(plan({{0}, {0, 0}}, needed).ok());
  // 4 and 5 positions in pages of 4: the last token is never fed.
  EXPECT_EQ(needed.pages, 3);
  EXPECT_EQ(needed.cacheBytes, 3 * 192);
  EXPECT_EQ(needed.limits.tokens, 3);
  EXPECT_EQ(needed.limits.sequences, 2);
  EXPECT_EQ(needed.limits.logitRows, 2);
  options.allLogits = true;
  options.maxTokens = 0;
  ASSERT_TRUE(plan({{0}, {0, 0}}, needed).ok());
  EXPECT_EQ(needed.pages, 2);
  EXPECT_EQ(needed.limits.logitRows, 3);
}

// Drafts lie within the tokens that are generated: they need no more pages.
TEST_F(RequirementsTest, PlansStepsThatVerifyDrafts) {
  options.maxTokens = 8;
  Requirements without, needed;
  ASSERT_TRUE(plan({{0}, {0, 0}}, without).ok());
  options.draftTokens = 3;
  ASSERT_TRUE(plan({{0}, {0, 0}}, needed).ok());
  EXPECT_EQ(needed.pages, without.pages);
  EXPECT_EQ(needed.limits.tokens, 8);
  EXPECT_EQ(needed.limits.logitRows, 8);
  // The prompt gives one token, and the first step behind it the last one.
  options.maxTokens = 3;
  ASSERT_TRUE(plan({{0}, {0, 0}}, needed).ok());
  EXPECT_EQ(needed.limits.tokens, 4);
  options.predictionLogits = true;
  ASSERT_TRUE(plan({Tokens(20)}, needed).ok());
  EXPECT_EQ(needed.limits.logitRows, 20);
}

// What two requests generate comes beside the chunk that the third one reads.
TEST_F(RequirementsTest, PlansStepsThatCutNoChunk) {
  options.maxTokens = 8;
  options.stepTokens = 6;
  Requirements needed;
  ASSERT_TRUE(plan({{0}, {0, 0}, Tokens(20)}, needed).ok());
  EXPECT_EQ(needed.limits.tokens, 6);
  tinyPlan.step.expansion = {1, 1, 4};
  ASSERT_TRUE(plan({{0}, {0, 0}, Tokens(20)}, needed).ok());
  EXPECT_EQ(needed.limits.tokens, 6 + 2);
  options.draftTokens = 3;
  ASSERT_TRUE(plan({{0}, {0, 0}, Tokens(20)}, needed).ok());
  EXPECT_EQ(needed.limits.tokens, 6 + 2 * 4);
  // As many as there is room for.
  options.draftTokens = 0;
  ASSERT_TRUE(plan(std::vector<Tokens>(1 << 20, {0}), needed).ok());
  EXPECT_EQ(needed.limits.tokens, 1 << 20);
}

TEST_F(RequirementsTest, PlansStatesAndDrafts) {
  options.maxTokens = 8;
  Requirements without, needed;
  ASSERT_TRUE(plan({Tokens(20), {0, 0}}, without).ok());
  options.predictionLogits = true;
  ASSERT_TRUE(plan({Tokens(20), {0, 0}}, needed).ok());
  EXPECT_EQ(needed.workBytes,
            Executor::bytesFor(tinyPlan, needed.limits, 1) + 22 * 4 * 4);
  options.predictionLogits = false;
  options.draftTokens = 3;
  ASSERT_TRUE(plan({Tokens(20), {0, 0}}, needed).ok());
  EXPECT_EQ(needed.workBytes,
            Executor::bytesFor(tinyPlan, needed.limits, 1) + 22 * 4 * 4);
  // The probabilities of 8 tokens for each draft.
  options.sampling.temperature = 1;
  int64_t greedy = needed.workBytes;
  ASSERT_TRUE(plan({Tokens(20), {0, 0}}, needed).ok());
  EXPECT_EQ(needed.workBytes, greedy + 2 * 3 * 8 * 16);
}

TEST_F(RequirementsTest, SaysWhatAModelWithoutPredictionLacks) {
  tinyPlan.prediction.reset();
  options.draftTokens = 1;
  EXPECT_EQ(refused(Status::Code::Usage, {{0}}),
            "--draft: expected a model with multi-token prediction, got one "
            "without");
  options.draftTokens = 0;
  options.predictionLogits = true;
  EXPECT_EQ(refused(Status::Code::Usage, {{0}}),
            "--mtp-logits: expected a model with multi-token prediction, got "
            "one without");
}

TEST_F(RequirementsTest, SaysWhichPromptIsWrong) {
  options.maxTokens = 4;
  EXPECT_EQ(refused(Status::Code::Usage, {}),
            "expected at least one prompt, got none");
  EXPECT_EQ(refused(Status::Code::Usage, {{}}),
            "prompt: expected at least one token, got none");
  EXPECT_EQ(refused(Status::Code::Usage, {{0}, {}}),
            "prompt 2: expected at least one token, got none");
  EXPECT_EQ(refused(Status::Code::BadData, {{0}, {0, 8}}),
            "prompt 2: expected ids from 0 to 7, got 8");
  EXPECT_EQ(refused(Status::Code::BadData, {{-1}}),
            "prompt: expected ids from 0 to 7, got -1");
}

TEST_F(RequirementsTest, HoldsTheContext) {
  options.maxTokens = 4;
  Requirements needed;
  EXPECT_TRUE(plan({Tokens(28)}, needed).ok());
  EXPECT_EQ(refused(Status::Code::Usage, {Tokens(29)}),
            "prompt: expected at most the 32 positions of the context, got 29 "
            "tokens and 4 to generate; shorten the prompt or lower "
            "--max-tokens");
  options.maxTokens = INT64_MAX;
  EXPECT_EQ(refused(Status::Code::Usage, {Tokens(1)}),
            "prompt: expected at most the 32 positions of the context, got 1 "
            "tokens and 9223372036854775807 to generate; shorten the prompt or "
            "lower --max-tokens");
  options.maxTokens = 4;
  options.context = 8;
  EXPECT_TRUE(plan({Tokens(4)}, needed).ok());
  EXPECT_EQ(refused(Status::Code::Usage, {Tokens(5)}),
            "prompt: expected at most the 8 positions of the context, got 5 "
            "tokens and 4 to generate; raise --context, up to 32");
  options.context = 33;
  EXPECT_EQ(
      refused(Status::Code::Usage, {Tokens(5)}),
      "--context: expected at most the 32 positions of the model, got 33");
}

TEST_F(RequirementsTest, HoldsTheMemory) {
  options.maxTokens = 16;
  Requirements needed;
  ASSERT_TRUE(plan({Tokens(16), Tokens(16)}, needed).ok());
  EXPECT_EQ(needed.cacheBytes, 2 * 8 * 192);
  int64_t all = 256 + needed.cacheBytes + needed.workBytes;
  EXPECT_TRUE(plan({Tokens(16), Tokens(16)}, needed, all).ok());
  // One byte less: seven pages of four positions for each.
  Status status = plan({Tokens(16), Tokens(16)}, needed, all - 1);
  EXPECT_EQ(status.code(), Status::Code::OutOfMemory);
  EXPECT_EQ(status.message(),
            "memory: expected room for weights (0 MB), key/value cache (0 MB) "
            "and buffers (0 MB), got 0 MB; at most 28 tokens of prompt and "
            "--max-tokens together, for each prompt or 1 of the 2 prompts at "
            "once would fit");
  for (int64_t available : {int64_t(0), int64_t(300)})
    EXPECT_EQ(
        plan({Tokens(16), Tokens(16)}, needed, available).message(),
        "memory: expected room for weights (0 MB), key/value cache (0 MB) "
        "and buffers (0 MB), got 0 MB; no context, no single prompt and no "
        "other type of weights would fit");
}

// Of several prompts the first ones that would fit are counted.
TEST_F(RequirementsTest, SaysHowManyPromptsWouldFit) {
  options.maxTokens = 16;
  std::vector<Tokens> prompts(9, Tokens(16));
  for (size_t count : {1, 2, 5, 8}) {
    Requirements needed;
    std::vector<Tokens> first(prompts.begin(),
                              prompts.begin() + static_cast<int64_t>(count));
    ASSERT_TRUE(plan(first, needed).ok());
    Status status =
        plan(prompts, needed, 256 + needed.cacheBytes + needed.workBytes);
    EXPECT_NE(
        status.message().find(std::to_string(count) + " of the 9 prompts"),
        std::string::npos)
        << status.message();
  }
}

// A million parameters take less in another type; the largest that fits is
// named.
TEST_F(RequirementsTest, SaysWhichTypeOfWeightsWouldFit) {
  parameters = 1000000;
  options.maxTokens = 16;
  Requirements needed;
  ASSERT_TRUE(plan({Tokens(16)}, needed).ok());
  auto messageFor = [&](int64_t weights) {
    return planRequests(tinyPlan, {Tokens(16)}, options,
                        {1, weights + needed.cacheBytes + needed.workBytes,
                         int64_t(4000000), parameters},
                        needed)
        .message();
  };
  auto adviceIn = [](const std::string &message) {
    return message.substr(message.find("; ") + 2);
  };
  EXPECT_EQ(adviceIn(messageFor(2000000)),
            "weights in BF16 (about 2 MB) would fit");
  EXPECT_EQ(adviceIn(messageFor(1999999)),
            "weights in Q8_0 (about 1 MB) would fit");
  EXPECT_EQ(adviceIn(messageFor(600000)),
            "weights in Q4_0 (about 0 MB) would fit");
  EXPECT_EQ(adviceIn(messageFor(100)),
            "no context, no single prompt and no other type of weights would "
            "fit");
}

// A plan whose steps need more than there are addresses: no sum overflows.
TEST_F(RequirementsTest, HoldsTheMemoryOfHugePlans) {
  Plan huge = tinyPlan;
  huge.step.arenaBytes = {0, coefficientLimit, coefficientLimit,
                          coefficientLimit};
  huge.step.sections[0].launches[0].scratch = huge.step.arenaBytes;
  Requirements needed;
  options.stepTokens = 1 << 20;
  options.maxTokens = 20;
  options.draftTokens = 16;
  huge.hiddenSize = huge.vocabulary = 1 << 24;
  options.sampling.temperature = 1;
  for (int64_t available : {int64_t(0), int64_t(1000), INT64_MAX})
    EXPECT_EQ(
        planRequests(huge, {Tokens(12)}, options,
                     {1 << 20, available, int64_t(1) << 40, int64_t(1) << 60},
                     needed)
            .code(),
        Status::Code::OutOfMemory);
}
