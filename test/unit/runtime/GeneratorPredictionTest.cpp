// Multi-token prediction and the two forms of attention, with a model whose
// kernels are functions of this file.
//
// Each position of its cache holds a hash of all tokens up to there, of which
// its logits are made: whatever a draft leaves behind would change them. The
// prediction computes the next hash from the state, which is the hash, and the
// next token; its cache holds a hash of its own, by which it errs now and then.

#include "runtime/core/Generator.h"

#include "runtime/cpu/CpuDevice.h"
#include "test/unit/runtime/SeparateDevice.h"

#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace tcc;
using namespace tcc::rt;

using Tokens = std::vector<int32_t>;

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static constexpr int64_t vocabulary = 8, pageTokens = 4;

/// What the kernels do, beside what is said above.
static struct {
  bool isBigram;  ///< Logits depend on the last token only.
  bool isPerfect; ///< The prediction never errs.
  bool isBroken;  ///< The prediction gives NaN.
  int64_t predictions, expandedPredictions;
  /// The forms in which each position was computed: 'X' and 'A'.
  std::map<int32_t, std::set<char>> forms;
  /// How many sequences and tokens each step had in expanded form.
  std::vector<std::pair<int64_t, int64_t>> expanded;
} fake;

/// A hash of 24 bits, which a float holds.
static uint32_t mix(uint32_t hash, uint32_t value) {
  hash = (hash * 31 + value + 1) * 0x9E3779B1;
  return (hash ^ hash >> 15) & 0xFFFFFF;
}

static float bigramLogit(int32_t token, int64_t next, int64_t shift) {
  return static_cast<float>((token * 5 + next * (3 + shift)) % 8) * 0.4F;
}

static void fillLogits(float *logits, uint32_t hash, int32_t token,
                       bool isPrediction) {
  for (int64_t v = 0; v < vocabulary; ++v) {
    auto value = static_cast<uint32_t>(v);
    logits[v] = fake.isBigram
                    ? bigramLogit(token, v, isPrediction ? 2 : 0)
                    : static_cast<float>(mix(hash, value) % 1000) / 300;
  }
}

namespace {
/// The arguments of both kernels, in this order.
struct Frame {
  const int32_t *tokens, *positions, *sequences, *logitRows, *pageTable;
  uint8_t *cache;
  float *states, *logits;
  const float *given; ///< States that a prediction reads.
  const int64_t *sizes;

  Frame(void *const *arguments, const int64_t *sizes)
      : tokens(static_cast<int32_t *>(arguments[0])),
        positions(static_cast<int32_t *>(arguments[1])),
        sequences(static_cast<int32_t *>(arguments[2])),
        logitRows(static_cast<int32_t *>(arguments[3])),
        pageTable(static_cast<int32_t *>(arguments[4])),
        cache(static_cast<uint8_t *>(arguments[5])),
        states(static_cast<float *>(arguments[6])),
        logits(static_cast<float *>(arguments[7])),
        given(static_cast<float *>(arguments[8])), sizes(sizes) {}

  /// What the cache holds for `position` of the sequence of token `t`.
  uint32_t &cached(int64_t t, int32_t position) const {
    int32_t page = pageTable[sequences[t] * sizes[3] + position / pageTokens];
    return reinterpret_cast<uint32_t *>(cache +
                                        page * 64)[position % pageTokens];
  }
  uint32_t before(int64_t t) const {
    return positions[t] == 0 ? 0 : cached(t, positions[t] - 1);
  }
  bool isExpanded(int64_t t) const { return sequences[t] < sizes[5]; }
};
} // namespace

static void checkForms(const Frame &frame) {
  for (int64_t t = 0; t < frame.sizes[0]; ++t) {
    EXPECT_EQ(frame.isExpanded(t), t < frame.sizes[4]);
    fake.forms[frame.positions[t]].insert(frame.isExpanded(t) ? 'X' : 'A');
  }
}

static void stepKernel(void *const *arguments, const int64_t *sizes, int64_t,
                       int64_t, void *) {
  Frame frame(arguments, sizes);
  checkForms(frame);
  fake.expanded.emplace_back(sizes[5], sizes[4]);
  int64_t row = 0;
  for (int64_t t = 0; t < sizes[0]; ++t) {
    // Both forms round differently.
    auto token = static_cast<uint32_t>(frame.tokens[t]);
    uint32_t hash = mix(frame.before(t), token + (frame.isExpanded(t) ? 8 : 0));
    frame.cached(t, frame.positions[t]) = hash;
    frame.states[t] = static_cast<float>(hash);
    if (row < sizes[2] && frame.logitRows[row] == t)
      fillLogits(frame.logits + vocabulary * row++, hash, frame.tokens[t],
                 false);
  }
}

static void predictionKernel(void *const *arguments, const int64_t *sizes,
                             int64_t, int64_t, void *) {
  Frame frame(arguments, sizes);
  ++fake.predictions;
  int64_t row = 0;
  for (int64_t t = 0; t < sizes[0]; ++t) {
    fake.expandedPredictions += frame.isExpanded(t);
    auto state = static_cast<uint32_t>(frame.given[t]);
    auto token = static_cast<uint32_t>(frame.tokens[t]);
    uint32_t own =
        mix(mix(frame.before(t), state), token + (frame.isExpanded(t) ? 8 : 0));
    frame.cached(t, frame.positions[t]) = own;
    uint32_t next = mix(state, token);
    frame.states[t] = static_cast<float>(next);
    bool errs = !fake.isPerfect && own % 3 == 0;
    if (row < sizes[2] && frame.logitRows[row] == t)
      fillLogits(frame.logits + vocabulary * row++, errs ? own : next,
                 frame.tokens[t], true);
  }
  if (fake.isBroken)
    std::fill_n(frame.logits, vocabulary * row, std::nanf(""));
}

static StepPlan stepOf(uint32_t kernel, uint32_t cache) {
  LaunchPlan launch;
  launch.kernel = kernel;
  launch.arguments = {
      {ArgumentKind::Tokens, 0},    {ArgumentKind::Positions, 0},
      {ArgumentKind::Sequences, 0}, {ArgumentKind::LogitRows, 0},
      {ArgumentKind::PageTable, 0}, {ArgumentKind::CacheLayer, cache},
      {ArgumentKind::Buffer, 0},    {ArgumentKind::Buffer, 1},
      {ArgumentKind::States, 0}};
  launch.tiles = {1};
  StepPlan step;
  step.sections = {{true, 0, 1, {launch}}};
  step.arenaBytes = {0, 64, 0, 64};
  step.logits = 1;
  step.states = 0;
  return step;
}

static Plan fakePlan() {
  Plan plan;
  plan.vocabulary = vocabulary;
  plan.maxPositions = 2000;
  plan.hiddenSize = 1;
  plan.kernels = {{"step", 0, ""}, {"prediction", 0, ""}};
  plan.buffers = {{{0}, {0, 64}}, {{0, 64}, {0, 0, 0, 64}}};
  plan.caches = {{1, pageTokens, 64, true}, {1, pageTokens, 64, true}};
  plan.step = stepOf(0, 0);
  plan.prediction = stepOf(1, 1);
  return plan;
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

namespace {
/// All that one request gets.
struct Result {
  Tokens tokens;
  std::vector<float> logits, predictions;
  std::vector<int64_t> positions, predictedPositions;

  bool operator==(const Result &other) const {
    return tokens == other.tokens && logits == other.logits &&
           predictions == other.predictions && positions == other.positions &&
           predictedPositions == other.predictedPositions;
  }
};

class Recorder : public GenerationListener {
public:
  explicit Recorder(size_t requests) : results(requests) {}

  bool onToken(size_t request, int32_t token) override {
    results[request].tokens.push_back(token);
    return static_cast<int64_t>(results[request].tokens.size()) < stopAfter;
  }
  Status onLogits(size_t request, int64_t position,
                  const float *logits) override {
    Result &result = results[request];
    result.positions.push_back(position);
    result.logits.insert(result.logits.end(), logits, logits + vocabulary);
    return {};
  }
  Status onPredictionLogits(size_t request, int64_t position,
                            const float *logits) override {
    Result &result = results[request];
    result.predictedPositions.push_back(position);
    result.predictions.insert(result.predictions.end(), logits,
                              logits + vocabulary);
    return {};
  }
  void onDrafts(size_t request, int64_t draftCount,
                int64_t acceptedCount) override {
    ++steps;
    drafted += draftCount;
    accepted += acceptedCount;
  }

  int64_t stopAfter = 1 << 20;
  std::vector<Result> results;
  int64_t steps = 0, drafted = 0, accepted = 0;
};

class GeneratorPredictionTest : public testing::Test {
protected:
  void SetUp() override {
    fake = {};
    program.plan = &plan;
    cpu.start({stepKernel, predictionKernel});
  }

  Status generate(const std::vector<Tokens> &prompts, Recorder &recorder) {
    Requirements needed;
    std::unique_ptr<Generator> generator;
    Status status = planRequests(plan, prompts, options, {}, needed);
    if (status.ok())
      status = Generator::create(program, needed, *device, generator);
    if (status.ok())
      status = generator->run(prompts, options, recorder);
    return status;
  }

  Recorder run(const std::vector<Tokens> &prompts) {
    Recorder recorder(prompts.size());
    recorder.stopAfter = stopAfter;
    Status status = generate(prompts, recorder);
    EXPECT_TRUE(status.ok()) << status.message();
    return recorder;
  }

  /// What `prompts` get with and without drafts must be the same.
  void expectSameWithDrafts(const std::vector<Tokens> &prompts) {
    options.draftTokens = 0;
    std::vector<Result> expected = run(prompts).results;
    for (int64_t drafts : {1, 2, 5}) {
      options.draftTokens = drafts;
      std::vector<Result> results = run(prompts).results;
      for (size_t i = 0; i < prompts.size(); ++i) {
        EXPECT_EQ(results[i].tokens, expected[i].tokens);
        EXPECT_TRUE(results[i] == expected[i]) << drafts << " drafts";
      }
    }
  }

  Plan plan = fakePlan();
  Program program;
  CpuDevice cpu{1};
  Device *device = &cpu;
  GenerationOptions options;
  int64_t stopAfter = 1 << 20;
};
} // namespace

static const std::vector<Tokens> somePrompts = {
    {0}, {1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, {6, 6}, {3}, {2, 1, 0, 7, 7}};

// The number of tokens ends a request at each place of its drafts.
TEST_F(GeneratorPredictionTest, DraftsLeaveTheGreedyTextAsItIs) {
  for (int64_t maxTokens = 0; maxTokens < 12; ++maxTokens)
    for (bool all : {false, true}) {
      options.maxTokens = maxTokens;
      options.allLogits = options.predictionLogits = all;
      expectSameWithDrafts(somePrompts);
    }
  options.maxTokens = 300;
  expectSameWithDrafts(somePrompts);
}

TEST_F(GeneratorPredictionTest, DraftsHeedTheRepetitionPenalty) {
  options.maxTokens = 40;
  options.sampling.repetitionPenalty = 1.5;
  expectSameWithDrafts(somePrompts);
}

TEST_F(GeneratorPredictionTest, TextEndsWithinAcceptedDrafts) {
  fake.isPerfect = true;
  options.maxTokens = 100;
  options.allLogits = options.predictionLogits = true;
  for (stopAfter = 1; stopAfter < 9; ++stopAfter)
    expectSameWithDrafts(somePrompts);
  stopAfter = 1 << 20;
  for (int32_t end = 0; end < vocabulary; ++end) {
    options.endIds = {end};
    expectSameWithDrafts(somePrompts);
  }
}

TEST_F(GeneratorPredictionTest, PerfectDraftsAreAllAccepted) {
  fake.isPerfect = true;
  options.maxTokens = 21;
  for (int64_t drafts : {1, 3, 4, 19, 50}) {
    options.draftTokens = drafts;
    Recorder recorder = run({{1, 2, 3}});
    EXPECT_EQ(recorder.accepted, recorder.drafted);
    // The prompt gives the first token.
    EXPECT_EQ(recorder.steps + recorder.accepted, 20);
    EXPECT_EQ(recorder.steps, (20 + drafts) / (drafts + 1));
  }
}

TEST_F(GeneratorPredictionTest, OtherDraftsAreRejected) {
  options.maxTokens = 201;
  options.draftTokens = 3;
  Recorder recorder = run({{1, 2, 3}});
  EXPECT_EQ(recorder.steps + recorder.accepted, 200);
  EXPECT_GT(recorder.accepted, recorder.drafted / 3);
  EXPECT_LT(recorder.accepted, recorder.drafted * 9 / 10);
}

// Drafts, too, are those that a request would get alone, as what is drawn
// depends on them.
TEST_F(GeneratorPredictionTest, EachRequestDrawsWhatItWouldAlone) {
  options.maxTokens = 30;
  options.sampling.temperature = 0.7;
  for (int64_t drafts : {0, 1, 3}) {
    options.draftTokens = drafts;
    options.allLogits = options.predictionLogits = false;
    options.promptsFirst = false;
    options.stepTokens = 512;
    std::vector<Tokens> expected;
    for (const Result &result : run(somePrompts).results)
      expected.push_back(result.tokens);
    // The first alone; its number is part of what is drawn.
    EXPECT_EQ(run({somePrompts[0]}).results[0].tokens, expected[0]);
    for (int64_t stepTokens : {1, 3, 7})
      for (bool flag : {false, true}) {
        options.stepTokens = stepTokens;
        options.promptsFirst = flag;
        options.allLogits = options.predictionLogits = !flag;
        std::vector<Result> results = run(somePrompts).results;
        for (size_t i = 0; i < expected.size(); ++i)
          EXPECT_EQ(results[i].tokens, expected[i]);
      }
  }
}

TEST_F(GeneratorPredictionTest, PredictionsAreThoseOfTokensThatWereFed) {
  options.maxTokens = 3;
  options.predictionLogits = true;
  using Positions = std::vector<int64_t>;
  EXPECT_EQ(run({{1, 2, 3}}).results[0].predictedPositions,
            (Positions{0, 1, 2, 3}));
  options.maxTokens = 0;
  EXPECT_EQ(run({{1, 2, 3}}).results[0].predictedPositions, (Positions{0, 1}));
  EXPECT_EQ(run({{1}}).results[0].predictedPositions, Positions());
}

// Row i is that of the state of token i and of token i + 1.
TEST_F(GeneratorPredictionTest, PredictionsSeeStateAndNextToken) {
  fake.isPerfect = true;
  options.maxTokens = 0;
  options.predictionLogits = options.allLogits = true;
  Result result = run({{1, 2, 3, 4}}).results[0];
  // A perfect prediction gives the logits of the token after.
  EXPECT_EQ(result.predictions,
            std::vector<float>(result.logits.begin() + vocabulary,
                               result.logits.end()));
}

// Nothing is computed that nobody asked for.
TEST_F(GeneratorPredictionTest, RunsOnlyIfItIsOfUse) {
  options.maxTokens = 10;
  run({{1, 2, 3}});
  EXPECT_EQ(fake.predictions, 0);
  options.draftTokens = 4;
  options.maxTokens = 2; // The one step after the prompt gives the last token.
  run({{1, 2, 3}});
  EXPECT_EQ(fake.predictions, 0);
  options.maxTokens = 3;
  run({{1, 2, 3}});
  EXPECT_EQ(fake.predictions, 1);
}

TEST_F(GeneratorPredictionTest, CanBeInterruptedAndRunAgain) {
  options.maxTokens = 20;
  options.draftTokens = 3;
  std::vector<Tokens> prompts = {{1, 2, 3}, {4}};
  Requirements needed;
  ASSERT_TRUE(planRequests(plan, prompts, options, {}, needed).ok());
  std::unique_ptr<Generator> generator;
  ASSERT_TRUE(Generator::create(program, needed, *device, generator).ok());
  Tokens expected = run(prompts).results[0].tokens;
  std::atomic<bool> cancelled{true};
  options.cancelled = &cancelled;
  for (int i = 0; i < 3; ++i) {
    Recorder recorder(prompts.size());
    cancelled = i == 1;
    Status status = generator->run(prompts, options, recorder);
    EXPECT_EQ(status.ok(), i != 1);
    if (status.ok())
      EXPECT_EQ(recorder.results[0].tokens, expected);
  }
}

//===----------------------------------------------------------------------===//
// Another device
//===----------------------------------------------------------------------===//

// Prompts are read in several steps, pages are used again.
TEST_F(GeneratorPredictionTest, TakesDevicesWithMemoryOfTheirOwn) {
  plan.step.expansion = plan.prediction->expansion = {1, 4, 8};
  options.maxTokens = 12;
  options.draftTokens = 2;
  options.stepTokens = 6;
  options.allLogits = options.predictionLogits = true;
  std::vector<Result> expected = run(somePrompts).results;
  SeparateDevice separate({stepKernel, predictionKernel});
  device = &separate;
  std::vector<Result> results = run(somePrompts).results;
  for (size_t i = 0; i < somePrompts.size(); ++i) {
    EXPECT_EQ(results[i].tokens, expected[i].tokens);
    EXPECT_TRUE(results[i] == expected[i]) << "prompt " << i;
  }
}

TEST_F(GeneratorPredictionTest, GetsTheSecondsOfKernels) {
  SeparateDevice separate({stepKernel, predictionKernel});
  device = &separate;
  std::vector<KernelUse> uses(2);
  options.kernelUses = &uses;
  options.maxTokens = 8;
  options.draftTokens = 2;
  run({{1, 2, 3}});
  EXPECT_EQ(uses[0].seconds, static_cast<double>(fake.expanded.size()));
  EXPECT_EQ(uses[1].seconds, static_cast<double>(fake.predictions));
}

// Wherever the device fails, its message comes through, and where it recovers,
// the next run has the right result.
TEST_F(GeneratorPredictionTest, ReportsEveryFailureOfTheDevice) {
  options.maxTokens = 6;
  options.draftTokens = 2;
  std::vector<Tokens> prompts = {{1, 2, 3}, {4}};
  Tokens expected = run(prompts).results[0].tokens;
  SeparateDevice separate({stepKernel, predictionKernel});
  device = &separate;
  Requirements needed;
  ASSERT_TRUE(planRequests(plan, prompts, options, {}, needed).ok());
  std::unique_ptr<Generator> generator;
  int64_t calls = 0;
  for (;; ++calls) {
    separate.callsBeforeFailure = calls;
    Status status;
    if (!generator)
      status = Generator::create(program, needed, *device, generator);
    Recorder recorder(prompts.size());
    if (status.ok())
      status = generator->run(prompts, options, recorder);
    if (status.ok())
      break;
    EXPECT_EQ(status.code(), Status::Code::DeviceUnavailable);
    EXPECT_EQ(status.message(), "device: it is lost");
    if (!generator)
      continue;
    separate.callsBeforeFailure = INT64_MAX;
    recorder = Recorder(prompts.size());
    ASSERT_TRUE(generator->run(prompts, options, recorder).ok());
    EXPECT_EQ(recorder.results[0].tokens, expected);
  }
  // Pages are zeroed, and each step or prediction is begun, one launch, and
  // finished.
  EXPECT_GT(calls, 20);
}

//===----------------------------------------------------------------------===//
// What is drawn
//===----------------------------------------------------------------------===//

/// The probability of `next` after `token`, from the definition.
static double bigramProbability(int32_t token, int32_t next) {
  double total = 0;
  for (int32_t v = 0; v < vocabulary; ++v)
    total += std::exp(bigramLogit(token, v, 0));
  return std::exp(bigramLogit(token, next, 0)) / total;
}

// 100,000 tokens: how often each follows each, by Pearson's test for each of
// the eight. Drafts come from quite other probabilities.
TEST_F(GeneratorPredictionTest, DraftsKeepTheDistribution) {
  fake.isBigram = true;
  options.maxTokens = 1001;
  options.draftTokens = 3;
  options.sampling.temperature = 1;
  options.sampling.seed = 5;
  Recorder recorder = run(std::vector<Tokens>(100, Tokens{0}));
  EXPECT_GT(recorder.accepted, 20000);
  EXPECT_LT(recorder.accepted, recorder.drafted * 3 / 4);
  double counts[vocabulary][vocabulary] = {}, totals[vocabulary] = {};
  for (const Result &result : recorder.results)
    for (size_t i = 1; i < result.tokens.size(); ++i) {
      ++counts[result.tokens[i - 1]][result.tokens[i]];
      ++totals[result.tokens[i - 1]];
    }
  for (int32_t token = 0; token < vocabulary; ++token) {
    double statistic = 0;
    for (int32_t next = 0; next < vocabulary; ++next) {
      double expected = totals[token] * bigramProbability(token, next);
      statistic += std::pow(counts[token][next] - expected, 2) / expected;
    }
    // Seven degrees of freedom exceed 35 once in 100,000 times.
    EXPECT_LT(statistic, 35) << "after token " << token;
  }
}

TEST_F(GeneratorPredictionTest, SaysThatThePredictionIsBroken) {
  fake.isBroken = true;
  options.draftTokens = 2;
  Recorder recorder(1);
  Status status = generate({{1, 2, 3}}, recorder);
  EXPECT_EQ(status.code(), Status::Code::BadData);
  EXPECT_EQ(status.message(),
            "multi-token prediction: logits: token 0 at position 4: expected a "
            "finite number, got none; the weights are damaged or the model "
            "overflows its activations' type; run without --draft");
}

//===----------------------------------------------------------------------===//
// Forms of attention
//===----------------------------------------------------------------------===//

// Expanding pays where n P + n (n + 1) / 2 > 300 P: in chunks that are full or
// nearly so, and in the first one, which expands nothing that is cached.
TEST_F(GeneratorPredictionTest, FormsAreThoseOfChunksOfThePrompt) {
  plan.step.expansion = {1, 300, 512};
  options.maxTokens = 5;
  options.draftTokens = 2;
  Tokens prompt;
  for (int32_t i = 0; i < 1034; ++i)
    prompt.push_back(i * i % vocabulary);
  Tokens shorter(prompt.begin(), prompt.begin() + 700);
  Tokens expected = run({prompt}).results[0].tokens;
  Tokens expectedShorter = run({shorter}).results[0].tokens;
  fake.forms.clear();
  for (int64_t stepTokens : {1, 7, 100, 512, 2000}) {
    options.stepTokens = stepTokens;
    EXPECT_EQ(run({prompt}).results[0].tokens, expected);
    for (const auto &[position, forms] : fake.forms)
      EXPECT_EQ(forms, std::set<char>{position < 1024 ? 'X' : 'A'}) << position;
    EXPECT_EQ(fake.forms.size(), 1034u + 4);
    std::map<int32_t, std::set<char>> alone = std::move(fake.forms);
    // Those in absorbed form come after the others, whatever their number.
    Recorder recorder = run({{3}, shorter, prompt});
    EXPECT_EQ(recorder.results[1].tokens, expectedShorter);
    EXPECT_EQ(recorder.results[2].tokens, expected);
    fake.forms.clear();
  }
}

// A chunk is read in one step, whatever others generate or read beside it: the
// rest would expand again what is cached.
TEST_F(GeneratorPredictionTest, ChunksAreNotCut) {
  plan.step.expansion = {1, 1, 512};
  options.maxTokens = 12;
  fake.expanded.clear();
  run({Tokens(8), Tokens(1034), Tokens(520)});
  std::vector<std::pair<int64_t, int64_t>> expected = {
      {1, 8}, {1, 512}, {1, 512}, {1, 10}, {1, 512}, {1, 8}};
  fake.expanded.resize(expected.size());
  EXPECT_EQ(fake.expanded, expected);
}

// 188 positions after 512 cost more to expand than they save.
TEST_F(GeneratorPredictionTest, ShortChunksAreAbsorbed) {
  plan.step.expansion = {1, 300, 512};
  options.maxTokens = 0;
  run({Tokens(700)});
  for (const auto &[position, forms] : fake.forms)
    EXPECT_EQ(forms, std::set<char>{position < 512 ? 'X' : 'A'}) << position;
}

// A prompt that ends in a chunk in expanded form.
TEST_F(GeneratorPredictionTest, GeneratedTokensAreAbsorbed) {
  plan.step.expansion = {1, 1, 512};
  options.maxTokens = 30;
  for (int64_t drafts : {0, 2}) {
    options.draftTokens = drafts;
    fake.forms.clear();
    run({Tokens(600)});
    for (const auto &[position, forms] : fake.forms)
      EXPECT_EQ(forms, std::set<char>{position < 600 ? 'X' : 'A'}) << position;
  }
}

// Its predictions may have forms when its steps have none.
TEST_F(GeneratorPredictionTest, PredictionsChooseTheirOwnForm) {
  plan.prediction->expansion = {1, 0, 512};
  options.maxTokens = 40;
  options.sampling.temperature = 1;
  options.draftTokens = 2;
  Tokens prompt(600, 1);
  Tokens expected = run({prompt}).results[0].tokens;
  EXPECT_EQ(fake.expandedPredictions, 600);
  options.stepTokens = 100;
  EXPECT_EQ(run({{2}, prompt, prompt}).results[1].tokens.size(), 40u);
  EXPECT_EQ(run({prompt}).results[0].tokens, expected);
}
