// The sampler against its definition, and the generator of random numbers
// against the test vectors of its authors.

#include "runtime/core/Sampler.h"

#include "runtime/core/Philox.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace tcc;
using namespace tcc::rt;

//===----------------------------------------------------------------------===//
// Philox
//===----------------------------------------------------------------------===//

// Source: Random123, examples/kat_vectors, philox4x32 with 10 rounds.
TEST(Philox, GivesTheAuthorsVectors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c,
                                     0x9b00dbd8}));
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6,
                                     0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                   {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420,
                                     0x24126ea1}));
}

TEST(Philox, UniformNumbersFillTheUnitInterval) {
  double sum = 0, least = 1, greatest = 0;
  constexpr int count = 100000;
  for (int i = 0; i < count; ++i) {
    double u = uniformAt(1, 2, static_cast<uint64_t>(i));
    sum += u;
    least = std::min(least, u);
    greatest = std::max(greatest, u);
  }
  // Five standard deviations of the mean of 100,000 numbers are 0.0046.
  EXPECT_NEAR(sum / count, 0.5, 0.0046);
  EXPECT_GE(least, 0);
  EXPECT_LT(least, 0.001);
  EXPECT_LT(greatest, 1);
  EXPECT_GT(greatest, 0.999);
}

TEST(Philox, EachPartOfTheKeyMatters) {
  double base = uniformAt(1, 2, 3);
  EXPECT_NE(base, uniformAt(4, 2, 3));
  EXPECT_NE(base, uniformAt(1, 4, 3));
  EXPECT_NE(base, uniformAt(1, 2, 4));
  EXPECT_NE(base, uniformAt(1 + (uint64_t(1) << 32), 2, 3));
  for (Stream stream : {Stream::Draft, Stream::Acceptance, Stream::Residual})
    EXPECT_NE(base, uniformAt(1, 2, 3, stream));
  EXPECT_EQ(base, uniformAt(1, 2, 3, Stream::Token));
  EXPECT_NE(uniformAt(1, 2, 3, Stream::Draft),
            uniformAt(1, 2, 3, Stream::Residual));
}

TEST(PortableExp, IsWithinTwoUnits) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> values(-700, 0);
  for (int i = 0; i < 100000; ++i) {
    double x = i < 50000 ? values(random) : values(random) / 700;
    double expected = std::exp(x);
    double unit = std::nextafter(expected, 2) - expected;
    ASSERT_NEAR(portableExp(x), expected, 2 * unit) << x;
  }
  EXPECT_EQ(portableExp(0), 1);
  EXPECT_EQ(portableExp(-1000), 0);
  EXPECT_EQ(portableExp(-std::numeric_limits<double>::infinity()), 0);
}

//===----------------------------------------------------------------------===//
// The definition: everything sorted, nothing skipped
//===----------------------------------------------------------------------===//

namespace {
struct Entry {
  double logit, probability;
  int32_t token;
};
} // namespace

static void normalise(std::vector<Entry> &entries) {
  double best = -std::numeric_limits<double>::infinity(), total = 0;
  for (const Entry &entry : entries)
    best = std::max(best, entry.logit);
  for (Entry &entry : entries)
    total += entry.probability = std::exp(entry.logit - best);
  for (Entry &entry : entries)
    entry.probability /= total;
}

/// The tokens that may be drawn, with their probabilities, by ascending id.
static std::vector<Entry> definition(const std::vector<float> &logits,
                                     const std::vector<int32_t> &observed,
                                     const SamplingOptions &options) {
  std::vector<Entry> entries;
  for (size_t i = 0; i < logits.size(); ++i) {
    double logit = logits[i];
    if (std::count(observed.begin(), observed.end(), i))
      logit = logit > 0 ? logit / options.repetitionPenalty
                        : logit * options.repetitionPenalty;
    entries.push_back(
        {logit / options.temperature, 0, static_cast<int32_t>(i)});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  });
  if (options.topK > 0 && options.topK < static_cast<int64_t>(entries.size()))
    entries.resize(static_cast<size_t>(options.topK));
  normalise(entries);
  if (options.topP < 1) {
    double sum = 0;
    size_t kept = 0;
    while (kept < entries.size() && (kept == 0 || sum < options.topP))
      sum += entries[kept++].probability;
    entries.resize(kept);
  }
  normalise(entries);
  double least = options.minP * entries.front().probability;
  while (entries.back().probability < least)
    entries.pop_back();
  normalise(entries);
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.token < b.token; });
  return entries;
}

static int32_t sampleOnce(const std::vector<float> &logits,
                          const std::vector<int32_t> &observed,
                          const SamplingOptions &options, uint64_t position) {
  Sampler sampler(options, static_cast<int64_t>(logits.size()), 5);
  for (int32_t token : observed)
    sampler.observe(token);
  int32_t token = -1;
  Status status = sampler.sample(logits.data(), position, token);
  EXPECT_TRUE(status.ok()) << status.message();
  return token;
}

/// The sampler must choose what the definition gives for the same random
/// number; where that is within 1e-9 of a bound, either neighbour.
static void expectDefinition(const std::vector<float> &logits,
                             const SamplingOptions &options) {
  std::vector<int32_t> observed = {0, 3, 5};
  std::vector<Entry> entries = definition(logits, observed, options);
  for (uint64_t position = 0; position < 50; ++position) {
    double u = uniformAt(options.seed, 5, position), sum = 0;
    int32_t expected = entries.back().token;
    bool isClose = false;
    for (const Entry &entry : entries) {
      sum += entry.probability;
      isClose = isClose || std::abs(sum - u) < 1e-9;
      if (sum > u) {
        expected = entry.token;
        break;
      }
    }
    if (!isClose)
      ASSERT_EQ(sampleOnce(logits, observed, options, position), expected)
          << "position " << position;
  }
}

TEST(Sampler, MatchesItsDefinition) {
  std::mt19937 random(1);
  std::normal_distribution<float> values(0, 3);
  for (size_t vocabulary : {8, 61, 1000}) {
    std::vector<float> logits(vocabulary);
    for (float &logit : logits)
      logit = values(random);
    for (double temperature : {0.3, 1.0, 2.5})
      for (int64_t topK : {0, 1, 5, 100000})
        for (double topP : {0.05, 0.7, 0.999, 1.0})
          for (double minP : {0.0, 0.1})
            for (double penalty : {1.0, 1.7})
              expectDefinition(logits,
                               {temperature, topK, topP, minP, penalty, 77});
  }
}

//===----------------------------------------------------------------------===//
// Frequencies against probabilities that were computed by hand
//===----------------------------------------------------------------------===//

/// Draws 200,000 tokens from the logits ln 1, ln 2, ln 4, ln 8, ln 16, of which
/// token 4 was observed, and compares how often each comes with `expected`.
static void expectFrequencies(const SamplingOptions &options,
                              const std::vector<double> &expected) {
  constexpr int draws = 200000;
  std::vector<float> logits;
  for (double weight : {1, 2, 4, 8, 16})
    logits.push_back(static_cast<float>(std::log(weight)));
  Sampler sampler(options, 5, 0);
  sampler.observe(4);
  std::vector<int> counts(5);
  for (uint64_t position = 0; position < draws; ++position) {
    int32_t token = 0;
    ASSERT_TRUE(sampler.sample(logits.data(), position, token).ok());
    ++counts[static_cast<size_t>(token)];
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    // Five standard deviations; none where the probability is 0.
    double p = expected[i], deviation = std::sqrt(draws * p * (1 - p));
    EXPECT_NEAR(counts[i], draws * p, 5 * deviation) << "token " << i;
  }
}

TEST(SamplerFrequencies, Softmax) {
  expectFrequencies({1, 0, 1, 0, 1, 3},
                    {1.0 / 31, 2.0 / 31, 4.0 / 31, 8.0 / 31, 16.0 / 31});
}

// Half the temperature squares the weights.
TEST(SamplerFrequencies, Temperature) {
  expectFrequencies({0.5, 0, 1, 0, 1, 3}, {1.0 / 341, 4.0 / 341, 16.0 / 341,
                                           64.0 / 341, 256.0 / 341});
}

TEST(SamplerFrequencies, TopK) {
  expectFrequencies({1, 2, 1, 0, 1, 3}, {0, 0, 0, 8.0 / 24, 16.0 / 24});
}

// 16/31 = 0.516 and 24/31 = 0.774: two tokens reach 0.6, three 0.8.
TEST(SamplerFrequencies, TopP) {
  expectFrequencies({1, 0, 0.6, 0, 1, 3}, {0, 0, 0, 8.0 / 24, 16.0 / 24});
  expectFrequencies({1, 0, 0.8, 0, 1, 3},
                    {0, 0, 4.0 / 28, 8.0 / 28, 16.0 / 28});
}

// 4 is at least 0.2 times 16, 2 is not.
TEST(SamplerFrequencies, MinP) {
  expectFrequencies({1, 0, 1, 0.2, 1, 3},
                    {0, 0, 4.0 / 28, 8.0 / 28, 16.0 / 28});
}

// A penalty of 2 halves the one positive logit that was observed: ln 16 becomes
// ln 4.
TEST(SamplerFrequencies, Penalty) {
  expectFrequencies({1, 0, 1, 0, 2, 3},
                    {1.0 / 19, 2.0 / 19, 4.0 / 19, 8.0 / 19, 4.0 / 19});
}

// Penalty: 1 2 4 8 4. Half the temperature: 1 4 16 64 16. The best three: 16 64
// 16. 0.8 of 96 is reached by 64 and the lower id of the two 16. Min-p of 0.3
// leaves 64 alone, of 0.2 both. In any other order others would be left.
TEST(SamplerFrequencies, AllInTheirOrder) {
  expectFrequencies({0.5, 3, 0.8, 0.2, 2, 3}, {0, 0, 0.2, 0.8, 0});
  expectFrequencies({0.5, 3, 0.8, 0.3, 2, 3}, {0, 0, 0, 1, 0});
}

//===----------------------------------------------------------------------===//
// Drafts: whatever they are, the distribution is the same
//===----------------------------------------------------------------------===//

/// Draws 100,000 tokens with `target` by verifying drafts of `proposal`. Their
/// distribution is compared by Pearson's test with the definition, and how many
/// drafts are accepted with the sum of min(p, q).
static void expectVerified(const std::vector<float> &target,
                           const std::vector<float> &proposal,
                           const SamplingOptions &options) {
  constexpr int draws = 100000;
  std::vector<int32_t> observed = {1, 3};
  Sampler sampler(options, static_cast<int64_t>(target.size()), 2);
  for (int32_t token : observed)
    sampler.observe(token);
  std::vector<double> counts(target.size()), p(target.size()), q(target.size());
  double accepted = 0, expected = 0, statistic = 0;
  for (uint64_t position = 0; position < draws; ++position) {
    Draft draft;
    int32_t token = -1;
    ASSERT_TRUE(sampler.propose(proposal.data(), position, draft).ok());
    ASSERT_TRUE(sampler.verify(target.data(), position, draft, token).ok());
    ++counts.at(static_cast<size_t>(token));
    accepted += token == draft.token;
  }
  for (const Entry &entry : definition(target, observed, options))
    p[static_cast<size_t>(entry.token)] = entry.probability;
  for (const Entry &entry : definition(proposal, observed, options))
    q[static_cast<size_t>(entry.token)] = entry.probability;
  for (size_t i = 0; i < p.size(); ++i) {
    expected += std::min(p[i], q[i]);
    if (p[i] == 0)
      EXPECT_EQ(counts[i], 0) << "token " << i;
    else
      statistic += std::pow(counts[i] - draws * p[i], 2) / (draws * p[i]);
  }
  // Seven degrees of freedom exceed 35 once in 100,000 times.
  EXPECT_LT(statistic, 35);
  EXPECT_NEAR(accepted / draws, expected,
              5 * std::sqrt(expected * (1 - expected) / draws) + 1e-9);
}

// Token 0 is drafted too often, 4 and 7 too rarely, 5 never.
static const std::vector<float> target = {0, 1, 2, 0.5F, 2.5F, 1, -2, 1.5F},
                                proposal = {2,    1,         1.5F, 0,
                                            0.5F, -INFINITY, 1,    -1};

TEST(SamplerDrafts, KeepTheDistribution) {
  expectVerified(target, proposal, {1, 0, 1, 0, 1, 9});
  expectVerified(target, proposal, {0.6, 0, 1, 0, 1, 9});
  expectVerified(target, proposal, {1, 0, 1, 0, 1.8, 9});
}

// The draft's filters keep other tokens than the target's.
TEST(SamplerDrafts, KeepTheDistributionOfWhatFiltersLeave) {
  expectVerified(target, proposal, {1, 3, 1, 0, 1, 9});
  expectVerified(target, proposal, {1, 0, 0.7, 0, 1, 9});
  expectVerified(target, proposal, {1, 0, 1, 0.2, 1, 9});
  expectVerified(target, proposal, {0.8, 5, 0.9, 0.1, 1.3, 9});
}

TEST(SamplerDrafts, OfTheSameDistributionAreAllAccepted) {
  expectVerified(target, target, {1, 0, 1, 0, 1, 9});
}

// What both would draw has nothing in common.
TEST(SamplerDrafts, MayAllBeRejected) {
  expectVerified(target, proposal, {1, 1, 1, 0, 1, 9});
}

TEST(SamplerDrafts, ChangeNothingOfTheGreedyChoice) {
  Sampler sampler({}, 8, 0);
  for (const std::vector<float> &logits : {target, proposal}) {
    Draft draft;
    int32_t token = -1;
    ASSERT_TRUE(sampler.propose(logits.data(), 3, draft).ok());
    EXPECT_EQ(draft.choices.size(), 1u);
    ASSERT_TRUE(sampler.verify(target.data(), 3, draft, token).ok());
    EXPECT_EQ(token, 4);
    EXPECT_EQ(token == draft.token, logits == target);
  }
}

TEST(SamplerDrafts, AreForgottenAgain) {
  SamplingOptions options;
  options.repetitionPenalty = 2;
  Sampler sampler(options, 3, 0);
  std::vector<float> logits = {3, 2, 0};
  auto choice = [&] {
    int32_t token = -1;
    EXPECT_TRUE(sampler.sample(logits.data(), 0, token).ok());
    return token;
  };
  EXPECT_EQ(choice(), 0);
  sampler.observe(0);
  EXPECT_EQ(choice(), 1);
  sampler.observe(0);
  sampler.forget(0);
  EXPECT_EQ(choice(), 1);
  sampler.forget(0);
  EXPECT_EQ(choice(), 0);
}

//===----------------------------------------------------------------------===//
// Corners
//===----------------------------------------------------------------------===//

TEST(Sampler, GreedyTakesTheLowestOfEqualOnes) {
  EXPECT_EQ(sampleOnce({0, 2, 1, 2}, {}, {}, 0), 1);
}

TEST(Sampler, GreedyHeedsThePenalty) {
  SamplingOptions options;
  options.repetitionPenalty = 2;
  EXPECT_EQ(sampleOnce({0, 4, 3}, {1}, options, 0), 2);
  // Of negative logits, the product is the lower one.
  EXPECT_EQ(sampleOnce({-1, -1.5F, -9}, {0}, options, 0), 1);
}

TEST(Sampler, TopKKeepsTheLowestOfEqualOnes) {
  SamplingOptions options;
  options.temperature = 1;
  options.topK = 2;
  for (uint64_t position = 0; position < 100; ++position)
    EXPECT_LT(sampleOnce({1, 1, 1, 1}, {}, options, position), 2);
}

TEST(Sampler, MaskedTokensAreNeverDrawn) {
  constexpr float none = -std::numeric_limits<float>::infinity();
  SamplingOptions options;
  options.temperature = 1;
  for (uint64_t position = 0; position < 100; ++position)
    EXPECT_EQ(sampleOnce({none, 1, none}, {}, options, position), 1);
}

TEST(Sampler, RefusesWhatIsNoNumber) {
  Sampler sampler({}, 3, 0);
  int32_t token = 0;
  std::vector<float> logits = {0, NAN, 1};
  Status status = sampler.sample(logits.data(), 7, token);
  EXPECT_EQ(status.code(), Status::Code::BadData);
  EXPECT_EQ(
      status.message(),
      "logits: token 1 at position 7: expected a finite number, got none; the "
      "weights are damaged or the model overflows its activations' type");
  logits = {0, INFINITY, 1};
  EXPECT_FALSE(sampler.sample(logits.data(), 7, token).ok());
  logits = {-INFINITY, -INFINITY, -INFINITY};
  EXPECT_EQ(sampler.sample(logits.data(), 7, token).message(),
            "logits: position 7: expected a finite one, got infinity from all "
            "tokens; the weights are damaged: compile the model again");
}
