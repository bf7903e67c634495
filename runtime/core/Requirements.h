// What may be asked of a model, and what it takes in memory.

#ifndef TCC_RUNTIME_CORE_REQUIREMENTS_H
#define TCC_RUNTIME_CORE_REQUIREMENTS_H

#include "runtime/core/KernelUse.h"
#include "runtime/core/Plan.h"
#include "runtime/core/Sampler.h"
#include "runtime/support/Status.h"

#include <atomic>
#include <vector>

namespace tcc::rt {

/// What is asked for, the same for all requests.
struct GenerationOptions {
  int64_t maxTokens = 256; ///< Generated for each request; 0: prefill only.
  int64_t context = 0;     ///< Positions of a request; 0: the model's maximum.
  /// New tokens of a step, at least the requests; where attention has two
  /// forms, of prompts alone.
  int64_t stepTokens = 512;
  int64_t draftTokens = 0;       ///< Drafts of the prediction for each step.
  bool allLogits = false;        ///< Compute logits of prompt tokens too.
  bool predictionLogits = false; ///< Compute logits of the prediction.
  bool promptsFirst = false; ///< No second token before all prompts are read.
  /// Generation of a request stops at any of these.
  std::vector<int32_t> endIds;
  SamplingOptions sampling;
  const std::atomic<bool> *cancelled = nullptr; ///< Looked at during steps.
  /// If not null, the launches of each kernel of the plan are added to it.
  std::vector<KernelUse> *kernelUses = nullptr;
};

/// What a run over given prompts takes.
struct Requirements {
  int64_t pages = 0; ///< Of the cache, for all requests to their ends.
  StepLimits limits;
  int64_t cacheBytes = 0;
  int64_t workBytes = 0; ///< Arena, scratch, inputs, states and drafts.
};

/// What a device has, and what of it the model takes before any request.
struct Capacity {
  int64_t workers = 1;                ///< Each has scratch of its own.
  int64_t availableBytes = INT64_MAX; ///< For all, weights included.
  int64_t weightBytes = 0;
  int64_t parameters = 0; ///< Of the model; 0: unknown.
};

/// Checks the prompts and the options against the model and the machine.
///
/// \returns Usage if there is no prompt, a prompt is empty or prompt and tokens
///          exceed the context, or the context the model's maximum, or drafts
///          or logits of a prediction are asked for that the model does not
///          have; BadData for a token outside the vocabulary; OutOfMemory if it
///          does not fit, and the message says which context, how many prompts
///          or which type of weights would.
Status planRequests(const Plan &plan,
                    const std::vector<std::vector<int32_t>> &prompts,
                    const GenerationOptions &options, const Capacity &capacity,
                    Requirements &result);

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_REQUIREMENTS_H
