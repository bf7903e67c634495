// Tokens that a device chooses, with a model whose kernels are functions of
// this file: its logits are made of the last token and its position.

#include "runtime/core/Generator.h"

#include "test/unit/runtime/SeparateDevice.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <map>

using namespace tcc;
using namespace tcc::rt;

using Tokens = std::vector<int32_t>;

static constexpr int64_t vocabulary = 11;
static int64_t sampled; ///< Rows of which the device chose a token.
static int32_t damage;  ///< The position whose logits are NaN; below 0: none.

static void logitsKernel(void *const *arguments, const int64_t *sizes, int64_t,
                         int64_t, void *) {
  const auto *tokens = static_cast<int32_t *>(arguments[0]);
  const auto *positions = static_cast<int32_t *>(arguments[1]);
  const auto *rows = static_cast<int32_t *>(arguments[2]);
  auto *logits = static_cast<float *>(arguments[3]);
  for (int64_t r = 0; r < sizes[2]; ++r)
    for (int32_t v = 0; v < vocabulary; ++v) {
      int32_t t = rows[r];
      auto mixed = static_cast<uint32_t>(tokens[t] * 37 + positions[t] * 11 +
                                         v * (tokens[t] + 5));
      logits[r * vocabulary + v] =
          positions[t] == damage && v == 4
              ? std::numeric_limits<float>::quiet_NaN()
              : static_cast<float>(mixed * 0x9E3779B1 >> 20) / 1000;
    }
}

/// Temperature and the draw; there is no filter here.
static int32_t choose(const float *logits, const double *parameters) {
  double best = -INFINITY, total = 0, sum = 0;
  for (int32_t v = 0; v < vocabulary; ++v) {
    if (std::isnan(logits[v]))
      return -1 - 2 * v;
    best = std::max(best, double(logits[v]));
  }
  if (parameters[0] == 0)
    return static_cast<int32_t>(std::max_element(logits, logits + vocabulary) -
                                logits);
  auto weight = [&](int32_t v) {
    return portableExp(logits[v] / parameters[0] - best / parameters[0]);
  };
  for (int32_t v = 0; v < vocabulary; ++v)
    total += weight(v);
  int32_t token = 0;
  while (token < vocabulary - 1 &&
         (sum += weight(token)) <= parameters[4] * total)
    ++token;
  return token;
}

static void sampleKernel(void *const *arguments, const int64_t *sizes, int64_t,
                         int64_t, void *) {
  const auto *logits = static_cast<float *>(arguments[0]);
  const auto *parameters = static_cast<double *>(arguments[1]);
  for (int64_t r = 0; r < sizes[2]; ++r)
    static_cast<int32_t *>(arguments[2])[r] =
        choose(logits + r * vocabulary, parameters + r * 5);
  sampled += sizes[2];
}

namespace {
class Recorder : public GenerationListener {
public:
  explicit Recorder(bool wants) : wants(wants) {}
  bool wantsLogits() const override { return wants; }
  bool onToken(size_t request, int32_t token) override {
    tokens[request].push_back(token);
    return true;
  }
  Status onLogits(size_t, int64_t, const float *) override {
    ++rows;
    return {};
  }

  bool wants;
  int64_t rows = 0;
  std::map<size_t, Tokens> tokens;
};

class GeneratorSamplingTest : public testing::Test {
protected:
  void SetUp() override {
    damage = -1;
    plan.vocabulary = vocabulary;
    plan.maxPositions = 64;
    plan.buffers = {{{0}, {0, 0, 0, vocabulary * 4}},
                    {{0, 0, 0, 64}, {0, 0, 0, 4}}};
    LaunchPlan logits, sample;
    logits.arguments = {{ArgumentKind::Tokens, 0},
                        {ArgumentKind::Positions, 0},
                        {ArgumentKind::LogitRows, 0},
                        {ArgumentKind::Buffer, 0}};
    logits.tiles = {1};
    sample.kernel = 1;
    sample.arguments = {{ArgumentKind::Buffer, 0},
                        {ArgumentKind::Sampling, 0},
                        {ArgumentKind::Buffer, 1}};
    sample.tiles = {0, 0, 0, 1};
    sample.samples = true;
    plan.step.sections = {{false, 0, 1, {logits}}, {false, 0, 1, {sample}}};
    plan.step.arenaBytes = {0, 0, 0, 128};
    plan.step.samples = 1;
    options.maxTokens = 9;
    options.stepTokens = 4;
    options.sampling.temperature = 0.7;
    options.sampling.seed = 5;
  }

  Status run(Recorder &recorder) {
    sampled = 0;
    SeparateDevice device({logitsKernel, sampleKernel});
    Requirements needed;
    if (Status status = planRequests(plan, prompts, options, {}, needed);
        !status.ok())
      return status;
    std::unique_ptr<Generator> generator;
    if (Status status =
            Generator::create({&plan, nullptr}, needed, device, generator);
        !status.ok())
      return status;
    return generator->run(prompts, options, recorder);
  }

  Plan plan;
  GenerationOptions options;
  std::vector<Tokens> prompts = {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {3}, {4, 4}};
};
} // namespace

TEST_F(GeneratorSamplingTest, DrawsWhatTheHostDraws) {
  for (double temperature : {0.0, 0.7}) {
    options.sampling.temperature = temperature;
    Recorder host(true), device(false);
    ASSERT_TRUE(run(host).ok());
    EXPECT_EQ(sampled, 0);
    EXPECT_EQ(host.rows, 27);
    ASSERT_TRUE(run(device).ok());
    EXPECT_EQ(sampled, 27);
    EXPECT_EQ(device.rows, 0);
    EXPECT_EQ(device.tokens, host.tokens);
    EXPECT_EQ(device.tokens[0].size(), 9u);
  }
}

TEST_F(GeneratorSamplingTest, StopsAtEndIds) {
  Recorder host(true), device(false);
  options.maxTokens = 40;
  options.endIds = {6};
  ASSERT_TRUE(run(host).ok());
  ASSERT_TRUE(run(device).ok());
  EXPECT_EQ(device.tokens, host.tokens);
}

// Everything that a device cannot do is done by the host.
TEST_F(GeneratorSamplingTest, LeavesTheRestToTheHost) {
  auto expectHost = [&] {
    Recorder recorder(false);
    ASSERT_TRUE(run(recorder).ok());
    EXPECT_EQ(sampled, 0);
  };
  GenerationOptions usual = options;
  options.sampling.repetitionPenalty = 1.1;
  expectHost();
  options = usual;
  options.sampling.temperature = 1e-210;
  expectHost();
  options = usual;
  options.allLogits = true;
  expectHost();
  options = usual;
  options.maxTokens = 0;
  expectHost();
  options = usual;
  plan.step.samples.reset();
  plan.step.sections.pop_back();
  expectHost();
}

TEST_F(GeneratorSamplingTest, SaysWhatTheHostSaysOfDamage) {
  Recorder host(true), device(false);
  damage = 11;
  Status wanted = run(host), got = run(device);
  EXPECT_EQ(wanted.code(), Status::Code::BadData);
  EXPECT_EQ(got.code(), wanted.code());
  EXPECT_EQ(got.message(), wanted.message());
  EXPECT_EQ(got.message(),
            "logits: token 4 at position 12: expected a finite number, got "
            "none; the weights are damaged or the model overflows its "
            "activations' type");
}
