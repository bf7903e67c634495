// Chooses the next token from logits, with the same result on every machine.

#ifndef TCC_RUNTIME_CORE_SAMPLER_H
#define TCC_RUNTIME_CORE_SAMPLER_H

#include "runtime/core/Philox.h"
#include "runtime/support/Status.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tcc::rt {

/// How tokens are chosen. The defaults choose the most probable one.
struct SamplingOptions {
  double temperature = 0;       ///< 0: greedy; else logits are divided by it.
  int64_t topK = 0;             ///< 0: all.
  double topP = 1;              ///< 1: all.
  double minP = 0;              ///< 0: all.
  double repetitionPenalty = 1; ///< 1: none.
  uint64_t seed = 0;
};

/// exp(x) for x <= 0 in a fixed sequence of additions and multiplications, so
/// that it gives the same bits everywhere; error at most 2 units in the last
/// place; 0 below -708.
double portableExp(double x);

/// What a device needs to know to choose a token as `Sampler::sample` does:
/// temperature, top-k, top-p, min-p and the random number.
using SampleParameters = std::array<double, 5>;

/// A token that may be drawn.
struct Choice {
  int32_t token;
  double probability;
};

/// A guess of the next token, and by ascending id the tokens from which it was
/// drawn.
struct Draft {
  int32_t token = 0;
  std::vector<Choice> choices;
};

/// The sampler of one request. In this order, all in f64, l a row of logits:
///
///   penalty      l[i] = l[i] > 0 ? l[i] / penalty : l[i] * penalty, once, for
///                each token i of the prompt or generated so far
///   temperature  l[i] = l[i] / temperature
///   top-k        keeps the k greatest; of equal ones the lowest ids
///   top-p        keeps the fewest whose probabilities reach p, greatest first,
///                of equal ones the lowest ids; at least one
///   min-p        keeps those at least minP times as probable as the best
///
/// The draw runs over the kept tokens by ascending id with
/// u = uniformAt(seed, request, position): the first whose cumulated
/// probability exceeds u. Greedy takes the greatest logit after the penalty, of
/// equal ones the lowest id.
///
/// `propose` and `verify` together draw from the distribution of `sample`
/// (Leviathan et al. 2023, arXiv:2211.17192, algorithm 1). With q the
/// probabilities of the draft d and p those of the token, all after the filters
/// above: d is kept if u q[d] < p[d], else the token is drawn in proportion to
/// max(p - q, 0). Drafts, u and the last draw have streams of their own.
class Sampler {
public:
  Sampler(const SamplingOptions &options, int64_t vocabulary, uint64_t request);

  /// Tells it that `token` is part of the sequence; ids outside the vocabulary
  /// are ignored.
  void observe(int32_t token);

  /// Takes one `observe` of `token` back.
  void forget(int32_t token);

  /// Chooses the token at `position` of the sequence.
  ///
  /// \param logits f32 [vocabulary].
  ///
  /// \returns BadData if a logit is NaN or +infinity or all are -infinity.
  Status sample(const float *logits, uint64_t position, int32_t &token);

  /// Whether a device chooses the same tokens: there is no penalty, and no
  /// logit leaves the normal numbers of f64 as it is divided.
  static bool isForDevices(const SamplingOptions &options);

  /// What a device needs to choose the token at `position`.
  SampleParameters parametersAt(uint64_t position) const;

  /// Takes what a device chose at `position`: the token, or what is wrong with
  /// the logits (schema::StepPlan, samples).
  ///
  /// \returns what `sample` does.
  Status take(int32_t sample, uint64_t position, int32_t &token) const;

  /// Draws a draft of the token at `position` from `logits`, which are those of
  /// a cheaper model; else like `sample`.
  Status propose(const float *logits, uint64_t position, Draft &draft);

  /// Chooses the token at `position` where `draft` was proposed, like `sample`.
  /// The draft is accepted if it is the token that was chosen.
  Status verify(const float *logits, uint64_t position, const Draft &draft,
                int32_t &token);

private:
  struct Candidate {
    double logit;
    double weight; ///< exp(logit - greatest logit), from computeWeights on.
    int32_t token;
  };

  /// Leaves the tokens that may be drawn in `candidates`; the greedy choice is
  /// the only one.
  Status listCandidates(const float *logits, uint64_t position);
  Status listGreedy(const float *logits, uint64_t position);

  /// Calls `use(token, logit)` for each logit, after the penalty.
  template <typename Use>
  Status forLogits(const float *logits, uint64_t position, Use use);
  void keepTopK();
  void computeWeights();
  void keepTopP();
  void keepMinP();
  double totalWeight() const;
  double uniform(uint64_t position, Stream stream) const;
  /// Draws in proportion to the weights, which are not all zero.
  int32_t draw(double uniform) const;

  SamplingOptions options;
  int64_t vocabulary;
  uint64_t request;
  std::vector<int32_t> observed;     ///< How often; empty without a penalty.
  std::vector<Candidate> candidates; ///< Of the current call.
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_SAMPLER_H
