#include "runtime/core/Sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

// A fused multiply-add rounds once where two operations round twice.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

using namespace tcc;
using namespace tcc::rt;

double tcc::rt::portableExp(double x) {
  if (!(x >= -708))
    return 0;
  // x = k * ln 2 + r with |r| <= ln 2 / 2. ln 2 is split into a part of 32
  // bits, whose product with k is exact, and a rest.
  constexpr double ln2High = 0x1.62e42fee00000p-1,
                   ln2Low = 0x1.a39ef35793c76p-33;
  double k = std::floor(x * 0x1.71547652b82fep+0 + 0.5);
  double r = (x - k * ln2High) - k * ln2Low;
  // Taylor's series; the first term left out is below 2^-62.
  constexpr std::array<double, 15> inverseFactorials = {1.0,
                                                        1.0,
                                                        1.0 / 2,
                                                        1.0 / 6,
                                                        1.0 / 24,
                                                        1.0 / 120,
                                                        1.0 / 720,
                                                        1.0 / 5040,
                                                        1.0 / 40320,
                                                        1.0 / 362880,
                                                        1.0 / 3628800,
                                                        1.0 / 39916800,
                                                        1.0 / 479001600,
                                                        1.0 / 6227020800,
                                                        1.0 / 87178291200};
  double sum = 0;
  for (size_t i = inverseFactorials.size(); i-- > 0;)
    sum = sum * r + inverseFactorials[i];
  return std::ldexp(sum, static_cast<int>(k));
}

Sampler::Sampler(const SamplingOptions &options, int64_t vocabulary,
                 uint64_t request)
    : options(options), vocabulary(vocabulary), request(request) {
  if (options.repetitionPenalty != 1)
    observed.assign(static_cast<size_t>(vocabulary), 0);
}

void Sampler::observe(int32_t token) {
  if (!observed.empty() && token >= 0 && token < vocabulary)
    ++observed[static_cast<size_t>(token)];
}

void Sampler::forget(int32_t token) {
  if (!observed.empty() && token >= 0 && token < vocabulary)
    --observed[static_cast<size_t>(token)];
}

/// What is wrong with the logit of `token` at `position`.
static Status damaged(int64_t token, uint64_t position, bool isNaN) {
  return Status::badData(
      "logits: token " + std::to_string(token) + " at position " +
      std::to_string(position) + ": expected a finite number, got " +
      (isNaN ? "none" : "infinity") +
      "; the weights are damaged or the model overflows its activations' type");
}

/// What is wrong with logits that are all -infinity.
static Status allInfinite(uint64_t position) {
  return Status::badData("logits: position " + std::to_string(position) +
                         ": expected a finite one, got infinity from all "
                         "tokens; the weights are damaged: compile the model "
                         "again");
}

template <typename Use>
Status Sampler::forLogits(const float *logits, uint64_t position, Use use) {
  double greatest = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < vocabulary; ++i) {
    if (std::isnan(logits[i]) ||
        logits[i] == std::numeric_limits<float>::infinity())
      return damaged(i, position, std::isnan(logits[i]));
    double logit = logits[i];
    if (!observed.empty() && observed[static_cast<size_t>(i)] > 0)
      logit = logit > 0 ? logit / options.repetitionPenalty
                        : logit * options.repetitionPenalty;
    greatest = std::max(greatest, logit);
    use(static_cast<int32_t>(i), logit);
  }
  if (std::isinf(greatest))
    return allInfinite(position);
  return {};
}

//===----------------------------------------------------------------------===//
// Filters: each leaves the candidates in ascending order of their ids
//===----------------------------------------------------------------------===//

template <typename Candidate>
static bool isBefore(const Candidate &a, const Candidate &b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

template <typename Candidates>
static void sortById(Candidates &candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const auto &a, const auto &b) { return a.token < b.token; });
}

void Sampler::keepTopK() {
  if (options.topK <= 0 ||
      options.topK >= static_cast<int64_t>(candidates.size()))
    return;
  std::nth_element(candidates.begin(), candidates.begin() + (options.topK - 1),
                   candidates.end(), isBefore<Candidate>);
  candidates.resize(static_cast<size_t>(options.topK));
  sortById(candidates);
}

void Sampler::computeWeights() {
  double best = -std::numeric_limits<double>::infinity();
  for (const Candidate &candidate : candidates)
    best = std::max(best, candidate.logit);
  for (Candidate &candidate : candidates)
    candidate.weight = portableExp(candidate.logit - best);
}

void Sampler::keepTopP() {
  if (options.topP >= 1)
    return;
  // The few that reach p are among the greatest; sorting all of a vocabulary
  // would take longer than a step of a small model.
  double sum = 0, wanted = options.topP * totalWeight();
  size_t sorted = 0, kept = 0;
  for (size_t goal = 64;
       kept == 0 || (sum < wanted && kept < candidates.size()); goal *= 8) {
    goal = std::min(goal, candidates.size());
    std::partial_sort(candidates.begin() + static_cast<int64_t>(sorted),
                      candidates.begin() + static_cast<int64_t>(goal),
                      candidates.end(), isBefore<Candidate>);
    sorted = goal;
    while (kept < sorted && (kept == 0 || sum < wanted))
      sum += candidates[kept++].weight;
  }
  candidates.resize(kept);
  sortById(candidates);
}

void Sampler::keepMinP() {
  if (options.minP <= 0)
    return;
  candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                  [&](const Candidate &candidate) {
                                    return candidate.weight < options.minP;
                                  }),
                   candidates.end());
}

Status Sampler::listGreedy(const float *logits, uint64_t position) {
  Candidate best = {-std::numeric_limits<double>::infinity(), 1, 0};
  Status status = forLogits(logits, position, [&](int32_t token, double logit) {
    // The first of equal ones.
    if (logit > best.logit)
      best = {logit, 1, token};
  });
  candidates = {best};
  return status;
}

Status Sampler::listCandidates(const float *logits, uint64_t position) {
  if (options.temperature == 0)
    return listGreedy(logits, position);
  candidates.clear();
  if (Status status = forLogits(
          logits, position,
          [&](int32_t id, double logit) {
            candidates.push_back({logit / options.temperature, 0, id});
          });
      !status.ok())
    return status;
  keepTopK();
  computeWeights();
  keepTopP();
  keepMinP();
  return {};
}

//===----------------------------------------------------------------------===//
// Draws
//===----------------------------------------------------------------------===//

double Sampler::totalWeight() const {
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  return total;
}

double Sampler::uniform(uint64_t position, Stream stream) const {
  return uniformAt(options.seed, request, position, stream);
}

int32_t Sampler::draw(double uniform) const {
  double target = uniform * totalWeight(), sum = 0;
  int32_t last = candidates.front().token;
  for (const Candidate &candidate : candidates) {
    if (candidate.weight == 0)
      continue;
    last = candidate.token;
    sum += candidate.weight;
    if (sum > target)
      break;
  }
  return last;
}

Status Sampler::sample(const float *logits, uint64_t position, int32_t &token) {
  if (Status status = listCandidates(logits, position); !status.ok())
    return status;
  token = draw(uniform(position, Stream::Token));
  return {};
}

bool Sampler::isForDevices(const SamplingOptions &options) {
  constexpr double least = 1e-200, greatest = 1e200;
  return options.repetitionPenalty == 1 &&
         (options.temperature == 0 ||
          (options.temperature >= least && options.temperature <= greatest));
}

SampleParameters Sampler::parametersAt(uint64_t position) const {
  bool keepsAll = options.topK <= 0 || options.topK >= vocabulary;
  return {options.temperature, keepsAll ? 0 : static_cast<double>(options.topK),
          options.topP, options.minP, uniform(position, Stream::Token)};
}

Status Sampler::take(int32_t sample, uint64_t position, int32_t &token) const {
  if (sample == std::numeric_limits<int32_t>::min())
    return allInfinite(position);
  if (sample < 0)
    return damaged((-1 - int64_t(sample)) / 2, position, sample % 2 != 0);
  if (sample >= vocabulary)
    return Status::badData("samples: position " + std::to_string(position) +
                           ": expected a token below " +
                           std::to_string(vocabulary) + ", got " +
                           std::to_string(sample));
  token = sample;
  return {};
}

Status Sampler::propose(const float *logits, uint64_t position, Draft &draft) {
  if (Status status = listCandidates(logits, position); !status.ok())
    return status;
  draft.token = draw(uniform(position, Stream::Draft));
  draft.choices.clear();
  double total = totalWeight();
  for (const Candidate &candidate : candidates)
    draft.choices.push_back({candidate.token, candidate.weight / total});
  return {};
}

/// The probability of `token` among `choices`.
static double probabilityOf(const std::vector<Choice> &choices, int32_t token) {
  auto found = std::lower_bound(choices.begin(), choices.end(), token,
                                [](const Choice &choice, int32_t wanted) {
                                  return choice.token < wanted;
                                });
  return found != choices.end() && found->token == token ? found->probability
                                                         : 0;
}

Status Sampler::verify(const float *logits, uint64_t position,
                       const Draft &draft, int32_t &token) {
  if (Status status = listCandidates(logits, position); !status.ok())
    return status;
  double total = totalWeight(), kept = 0; // p of the draft.
  for (Candidate &candidate : candidates) {
    double p = candidate.weight / total;
    if (candidate.token == draft.token)
      kept = p;
    candidate.weight =
        std::max(p - probabilityOf(draft.choices, candidate.token), 0.0);
  }
  double q = probabilityOf(draft.choices, draft.token);
  bool isAccepted = uniform(position, Stream::Acceptance) * q < kept;
  // Nothing is left where p and q differ by roundings only.
  token = isAccepted || totalWeight() == 0
              ? draft.token
              : draw(uniform(position, Stream::Residual));
  return {};
}
