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

/// The largest step of the first `used` prompts.
static StepLimits stepLimits(const Plan &plan,
                             const std::vector<std::vector<int32_t>> &prompts,
                             size_t used, const GenerationOptions &options) {
  auto count = static_cast<int64_t>(used);
  int64_t promptTokens = 0;
  for (size_t i = 0; i < used; ++i)
    promptTokens += static_cast<int64_t>(prompts[i].size());
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

/// What the first `count` prompts take; `count` is within the limits.
static Requirements
requirementsOf(const Plan &plan,
               const std::vector<std::vector<int32_t>> &prompts, size_t count,
               const GenerationOptions &options, int64_t workers) {
  Requirements needed;
  needed.limits = stepLimits(plan, prompts, count, options);
  int64_t pageTokens = plan.pageTokens();
  for (size_t i = 0; i < count && pageTokens != 0; ++i) {
    int64_t positions =
        positionsFor(static_cast<int64_t>(prompts[i].size()), options);
    int64_t pages = (positions + pageTokens - 1) / pageTokens;
    needed.pages += pages;
    needed.limits.pages = std::max(needed.limits.pages, pages);
  }
  needed.cacheBytes = KVCache::bytesFor(plan, needed.pages);
  needed.workBytes = workBytes(plan, needed.limits, options, workers);
  return needed;
}

/// What `needed` leaves of the memory, or a negative number.
static int64_t leftBytes(const Requirements &needed, int64_t weightBytes,
                         int64_t availableBytes) {
  int64_t left = availableBytes;
  // None of the three is negative, so that no difference overflows.
  for (int64_t bytes : {weightBytes, needed.workBytes, needed.cacheBytes})
    left = left < 0 ? left : left - bytes;
  return left;
}

/// How many of the prompts, from the first on, would fit together.
static size_t fittingPrompts(const Plan &plan,
                             const std::vector<std::vector<int32_t>> &prompts,
                             const GenerationOptions &options,
                             const Capacity &capacity) {
  size_t fits = 0, excess = prompts.size();
  while (fits + 1 < excess) {
    size_t middle = fits + (excess - fits) / 2;
    Requirements needed =
        requirementsOf(plan, prompts, middle, options, capacity.workers);
    bool isEnough =
        leftBytes(needed, capacity.weightBytes, capacity.availableBytes) >= 0;
    (isEnough ? fits : excess) = middle;
  }
  return fits;
}

/// "bf16 weights (16 MB)": the largest type of weights below the model's own
/// with which `needed` would fit; empty if there is none.
static std::string fittingType(const Requirements &needed,
                               const Capacity &capacity) {
  // A block of 32 quantised weights has an f16 scale.
  const std::pair<const char *, double> types[] = {
      {"BF16", 16}, {"Q8_0", 8.5}, {"Q4_0", 4.5}};
  for (auto [name, bits] : types) {
    auto bytes = static_cast<int64_t>(static_cast<double>(capacity.parameters) *
                                      bits / 8);
    if (bytes != 0 && bytes < capacity.weightBytes &&
        leftBytes(needed, bytes, capacity.availableBytes) >= 0)
      return std::string("weights in ") + name + " (about " + megabytes(bytes) +
             ")";
  }
  return {};
}

/// What is less than was asked for and would fit.
static std::string
fittingAdvice(const Plan &plan,
              const std::vector<std::vector<int32_t>> &prompts,
              const GenerationOptions &options, const Capacity &capacity,
              const Requirements &needed) {
  std::vector<std::string> choices;
  Requirements uncached = needed;
  uncached.cacheBytes = 0;
  int64_t context = fittingContext(
      plan, needed.limits.sequences,
      leftBytes(uncached, capacity.weightBytes, capacity.availableBytes));
  if (context > 0)
    choices.push_back("at most " + std::to_string(context) +
                      " tokens of prompt and --max-tokens together, for each "
                      "prompt");
  if (size_t count = fittingPrompts(plan, prompts, options, capacity))
    choices.push_back(std::to_string(count) + " of the " +
                      std::to_string(prompts.size()) + " prompts at once");
  if (std::string type = fittingType(needed, capacity); !type.empty())
    choices.push_back(type);
  if (choices.empty())
    return "no context, no single prompt and no other type of weights would "
           "fit";
  std::string advice;
  for (size_t i = 0; i < choices.size(); ++i)
    advice += (i == 0                   ? ""
               : i + 1 < choices.size() ? ", "
                                        : " or ") +
              choices[i];
  return advice + " would fit";
}

static Status checkMemory(const Plan &plan,
                          const std::vector<std::vector<int32_t>> &prompts,
                          const GenerationOptions &options,
                          const Capacity &capacity,
                          const Requirements &needed) {
  if (leftBytes(needed, capacity.weightBytes, capacity.availableBytes) >= 0)
    return {};
  return {Status::Code::OutOfMemory,
          "memory: expected room for weights (" +
              megabytes(capacity.weightBytes) + "), key/value cache (" +
              megabytes(needed.cacheBytes) + ") and buffers (" +
              megabytes(needed.workBytes) + "), got " +
              megabytes(capacity.availableBytes) + "; " +
              fittingAdvice(plan, prompts, options, capacity, needed)};
}

Status tcc::rt::planRequests(const Plan &plan,
                             const std::vector<std::vector<int32_t>> &prompts,
                             const GenerationOptions &options,
                             const Capacity &capacity, Requirements &result) {
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
  StepLimits limits = stepLimits(plan, prompts, prompts.size(), options);
  if (limits.tokens > largestStep.tokens)
    return {Status::Code::Usage,
            "expected at most " +
                std::to_string(largestStep.tokens / (1 + mostDrafts(options))) +
                " prompts, got " + std::to_string(prompts.size())};
  Requirements needed =
      requirementsOf(plan, prompts, prompts.size(), options, capacity.workers);
  if (Status status = checkMemory(plan, prompts, options, capacity, needed);
      !status.ok())
    return status;
  result = needed;
  return {};
}
