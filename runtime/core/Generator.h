// From prompts to generated tokens: all requests as one batch.
//
// Each step takes the next token of every request that is generating and fills
// up with prompt tokens of those that are not, up to `stepTokens` in all. What
// a request gets does not depend on the others, nor on how its prompt was cut.

#ifndef TCC_RUNTIME_CORE_GENERATOR_H
#define TCC_RUNTIME_CORE_GENERATOR_H

#include "runtime/core/Executor.h"
#include "runtime/core/Sampler.h"
#include "runtime/support/Status.h"

#include <atomic>
#include <memory>
#include <vector>

namespace tcc::rt {

/// What is asked for, the same for all requests.
struct GenerationOptions {
  int64_t maxTokens = 256;  ///< Generated for each request; 0: prefill only.
  int64_t context = 0;      ///< Positions of a request; 0: the model's maximum.
  int64_t stepTokens = 512; ///< New tokens of a step, at least the requests.
  bool allLogits = false;   ///< Compute logits of prompt tokens too.
  bool promptsFirst = false; ///< No second token before all prompts are read.
  /// Generation of a request stops at any of these.
  std::vector<int32_t> endIds;
  SamplingOptions sampling;
  const std::atomic<bool> *cancelled = nullptr; ///< Looked at during steps.
};

/// What happens while tokens are generated. Calls come from the thread that
/// called `Generator::run`, in ascending order of requests within a step.
class GenerationListener {
public:
  virtual ~GenerationListener() = default;

  /// Request `request` got `token`; an end id is reported too.
  ///
  /// \returns false to stop this request.
  virtual bool onToken(size_t request, int32_t token) = 0;

  /// The logits f32 [vocabulary] of one position: with `allLogits` of every
  /// token that was fed, else of those from which one is generated.
  virtual Status onLogits(size_t request, int64_t position,
                          const float *logits) {
    return {};
  }

  /// `done` of `total` prompt tokens were read.
  virtual void onProgress(int64_t done, int64_t total) {}
};

/// What a run over given prompts takes.
struct Requirements {
  int64_t pages = 0; ///< Of the cache, for all requests to their ends.
  StepLimits limits;
  int64_t cacheBytes = 0;
  int64_t workBytes = 0; ///< Arena and scratch.
};

/// Checks the prompts and the options against the model and the machine.
///
/// \param weightBytes    What the weights take; they are mapped, and the system
///                       counts their pages as available.
/// \param availableBytes What the process may use for all of it.
///
/// \returns Usage if there is no prompt, a prompt is empty or prompt and tokens
///          exceed the context, or the context the model's maximum; BadData for
///          a token outside the vocabulary; OutOfMemory if it does not fit, and
///          the message says which context would.
Status planRequests(const Plan &plan,
                    const std::vector<std::vector<int32_t>> &prompts,
                    const GenerationOptions &options, int threads,
                    int64_t weightBytes, int64_t availableBytes,
                    Requirements &result);

/// Generates for one set of prompts.
class Generator {
public:
  /// Allocates what `requirements` says.
  static Status create(const Program &program, const Requirements &requirements,
                       ThreadPool &pool, std::unique_ptr<Generator> &result);

  /// Runs all prompts to their ends. May be called again, with prompts and
  /// options that need no more than `requirements`.
  ///
  /// \returns what the executor or the sampler returns, or Interrupted.
  Status run(const std::vector<std::vector<int32_t>> &prompts,
             const GenerationOptions &options, GenerationListener &listener);

private:
  struct Request {
    std::vector<int32_t> tokens; ///< Prompt and generated tokens.
    int64_t promptTokens = 0;
    int64_t fed = 0; ///< Tokens whose keys are in the cache.
    bool finished = false;
    PageList pages;
    std::unique_ptr<Sampler> sampler;
    int64_t fedThisStep = 0;

    bool isReading() const { return fed < promptTokens; }
  };

  explicit Generator(const Requirements &requirements)
      : requirements(requirements) {}
  void start(const std::vector<std::vector<int32_t>> &prompts,
             const GenerationOptions &options);
  Status buildStep(const GenerationOptions &options);
  Status feed(Request &request, int64_t count,
              const GenerationOptions &options);
  Status consumeStep(const GenerationOptions &options,
                     GenerationListener &listener);
  Status consumeLogits(size_t index, int64_t position, const float *logits,
                       const GenerationOptions &options,
                       GenerationListener &listener);
  void reportProgress(GenerationListener &listener) const;

  Requirements requirements;
  std::unique_ptr<KVCache> cache;
  std::unique_ptr<Executor> executor;
  std::vector<Request> requests;
  Step step;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_GENERATOR_H
