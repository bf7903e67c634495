// From prompts to generated tokens: all requests as one batch.
//
// Each step takes the next token of every request that is generating and fills
// up with prompt tokens of those that are not, up to `stepTokens` in all. What
// a request gets does not depend on the others, nor on how its prompt was cut.

#ifndef TCC_RUNTIME_CORE_GENERATOR_H
#define TCC_RUNTIME_CORE_GENERATOR_H

#include "runtime/core/Executor.h"
#include "runtime/core/Requirements.h"
#include "runtime/core/Sampler.h"
#include "runtime/support/Status.h"

#include <memory>
#include <vector>

namespace tcc::rt {

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
