#include "runtime/core/Requirements.h"

#include "runtime/core/Executor.h"

#include <algorithm>

using namespace tcc;
using namespace tcc::rt;

/// Logits of prompts take at most this many bytes in one step: a vocabulary of
/// 128,256 makes 513 KB a row.
static constexpr int64_t logitBytesOfStep = int64_t(64) << 20;

/// Positions that the request of `promptTokens` tokens may come to hold. The
/// last token that is generated is never fed.
static int64_t positionsFor(int64_t promptTokens,
                            const GenerationOptions &options) {
  return promptTokens + std::max<int64_t>(options.maxTokens - 1, 0);
}

static std::string nameOf(size_t prompt, size_t prompts) {
  return prompts == 1 ? "prompt" : "prompt " + std::to_string(prompt + 1);
}

static Status checkPrompts(const Plan &plan,
                           const std::vector<std::vector<int32_t>> &prompts,
                           const GenerationOptions &options, int64_t context) {
  if (prompts.empty())
    return {Status::Code::Usage, "expected at least one prompt, got none"};
  for (size_t i = 0; i < prompts.size(); ++i) {
    std::string name = nameOf(i, prompts.size());
    auto length = static_cast<int64_t>(prompts[i].size());
    if (length == 0)
      return {Status::Code::Usage,
              name + ": expected at least one token, got none"};
    if (length > context || options.maxTokens > context - length)
      return {Status::Code::Usage,
              name + ": expected at most the " + std::to_string(context) +
                  " positions of the context, got " + std::to_string(length) +
                  " tokens and " + std::to_string(options.maxTokens) +
                  " to generate; " +
                  (context < plan.maxPositions
                       ? "raise --context, up to " +
                             std::to_string(plan.maxPositions)
                       : "shorten the prompt or lower --max-tokens")};
    for (int32_t token : prompts[i])
      if (token < 0 || token >= plan.vocabulary)
        return Status::badData(name + ": expected ids from 0 to " +
                               std::to_string(plan.vocabulary - 1) + ", got " +
                               std::to_string(token));
  }
  return {};
}

/// The most drafts of a step: it gives one token more, and the first token of a
/// request comes before.
static int64_t mostDrafts(const GenerationOptions &options) {
  return std::clamp<int64_t>(options.maxTokens - 2, 0, options.draftTokens);
}

static StepLimits stepLimits(const Plan &plan,
                             const std::vector<std::vector<int32_t>> &prompts,
                             const GenerationOptions &options) {
  auto count = static_cast<int64_t>(prompts.size());
  int64_t promptTokens = 0;
  for (const std::vector<int32_t> &prompt : prompts)
    promptTokens += static_cast<int64_t>(prompt.size());
  int64_t tokens = options.stepTokens;
  bool allRows = options.allLogits || options.predictionLogits;
  if (allRows)
    tokens = std::min(tokens, logitBytesOfStep / (4 * plan.vocabulary));
  int64_t each = 1 + mostDrafts(options), generating = count * each;
  tokens = std::min(tokens, promptTokens);
  if (plan.hasTwoForms()) // What others generate should not cut a chunk.
    tokens = std::min(tokens + generating - each, largestStep.tokens);
  tokens = std::max(tokens, generating);
  return {tokens, count, allRows ? tokens : generating};
}

static Status checkPrediction(const Plan &plan,
                              const GenerationOptions &options) {
  if (plan.prediction ||
      (options.draftTokens == 0 && !options.predictionLogits))
    return {};
  return {
      Status::Code::Usage,
      std::string(options.draftTokens > 0 ? "--draft" : "--mtp-logits") +
          ": expected a model with multi-token prediction, got one without"};
}

/// What the steps of `plan` and what lies between them take.
static int64_t workBytes(const Plan &plan, const StepLimits &limits,
                         const GenerationOptions &options, int64_t workers) {
  int64_t bytes = Executor::bytesFor(plan, limits, workers);
  int64_t states = 0, choices = 0;
  if (options.draftTokens > 0 || options.predictionLogits)
    states =
        limits.tokens * plan.hiddenSize * static_cast<int64_t>(sizeof(float));
  // A greedy draft has one choice.
  if (options.sampling.temperature > 0)
    choices = limits.sequences * mostDrafts(options) * plan.vocabulary *
              static_cast<int64_t>(sizeof(Choice));
  return __builtin_add_overflow(bytes, states + choices, &bytes) ? INT64_MAX
                                                                 : bytes;
}

/// The greatest context for which all requests would fit, or 0.
static int64_t fittingContext(const Plan &plan, int64_t requests,
                              int64_t bytes) {
  int64_t pageBytes = plan.pageBytesOfAllLayers();
  return bytes <= 0 || pageBytes == 0
             ? 0
             : bytes / pageBytes / requests * plan.pageTokens();
}

static std::string megabytes(int64_t bytes) {
  return std::to_string(bytes / 1000000) + " MB";
}

static Status checkMemory(const Plan &plan, const Requirements &needed,
                          int64_t weightBytes, int64_t availableBytes) {
  // What is left for the cache; none of the three is negative.
  int64_t left = std::max<int64_t>(availableBytes - weightBytes, 0);
  bool fits = needed.workBytes <= left;
  left = fits ? left - needed.workBytes : 0;
  if (fits && needed.cacheBytes <= left)
    return {};
  int64_t context = fittingContext(plan, needed.limits.sequences, left);
  return {Status::Code::OutOfMemory,
          "memory: expected room for weights (" + megabytes(weightBytes) +
              "), key/value cache (" + megabytes(needed.cacheBytes) +
              ") and buffers (" + megabytes(needed.workBytes) + "), got " +
              megabytes(availableBytes) + "; " +
              (context > 0 ? "at most " + std::to_string(context) +
                                 " tokens of prompt and --max-tokens together "
                                 "would fit, for each prompt"
                           : "no context would fit")};
}

Status tcc::rt::planRequests(const Plan &plan,
                             const std::vector<std::vector<int32_t>> &prompts,
                             const GenerationOptions &options, int64_t workers,
                             int64_t weightBytes, int64_t availableBytes,
                             Requirements &result) {
  int64_t context = options.context ? options.context : plan.maxPositions;
  if (context > plan.maxPositions)
    return {Status::Code::Usage, "--context: expected at most the " +
                                     std::to_string(plan.maxPositions) +
                                     " positions of the model, got " +
                                     std::to_string(context)};
  if (Status status = checkPrediction(plan, options); !status.ok())
    return status;
  if (Status status = checkPrompts(plan, prompts, options, context);
      !status.ok())
    return status;
  Requirements needed;
  needed.limits = stepLimits(plan, prompts, options);
  if (needed.limits.tokens > largestStep.tokens)
    return {Status::Code::Usage,
            "expected at most " +
                std::to_string(largestStep.tokens / (1 + mostDrafts(options))) +
                " prompts, got " + std::to_string(prompts.size())};
  if (int64_t pageTokens = plan.pageTokens())
    for (const std::vector<int32_t> &prompt : prompts) {
      int64_t positions =
          positionsFor(static_cast<int64_t>(prompt.size()), options);
      needed.pages += (positions + pageTokens - 1) / pageTokens;
    }
  needed.cacheBytes = KVCache::bytesFor(plan, needed.pages);
  needed.workBytes = workBytes(plan, needed.limits, options, workers);
  if (Status status = checkMemory(plan, needed, weightBytes, availableBytes);
      !status.ok())
    return status;
  result = needed;
  return {};
}
