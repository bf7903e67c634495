// From prompts to generated tokens: all requests as one batch.
//
// Each step takes the next token of every request that is generating and fills
// up with prompt tokens of those that are not, up to `stepTokens` in all. What
// a request gets does not depend on the others, nor on how its prompt was cut.
// Where attention has two forms, what is generated comes beside `stepTokens`,
// so that it does not cut the chunks of prompts.
//
// Where the device chooses tokens, and nobody wants the logits, only tokens come
// to the host.
//
// With drafts, a request's next token is followed by guesses of those after it.
// The step gives logits for all of them, and as many are kept as the sampler
// accepts. After each step the prediction runs over the positions that are
// certain, so that its own layer of the cache is filled, and over the drafts
// that it makes. Caches are written by position: what a rejected draft left
// there is overwritten before it is read.

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

  /// Whether `onLogits` is to be called. Where it is not, logits may stay on a
  /// device that chooses tokens itself. Asked when a run begins.
  virtual bool wantsLogits() const { return true; }

  /// The logits f32 [vocabulary] of one position: with `allLogits` of every
  /// token that was fed, else of those from which one is generated.
  virtual Status onLogits(size_t request, int64_t position,
                          const float *logits) {
    return {};
  }

  /// With `predictionLogits`, the logits f32 [vocabulary] of the prediction
  /// from the state at `position` and the token after it, which was fed too.
  virtual Status onPredictionLogits(size_t request, int64_t position,
                                    const float *logits) {
    return {};
  }

  /// A step of request `request` began with `drafted` drafts, of which
  /// `accepted` were kept. Also called for steps without drafts, but not for
  /// those that read the prompt.
  virtual void onDrafts(size_t request, int64_t drafted, int64_t accepted) {}

  /// `done` of `total` prompt tokens were read.
  virtual void onProgress(int64_t done, int64_t total) {}
};

/// Generates for one set of prompts.
class Generator {
public:
  /// Allocates what `requirements` says on `device`, which has loaded
  /// `program`.
  static Status create(const Program &program, const Requirements &requirements,
                       Device &device, std::unique_ptr<Generator> &result);

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
    std::vector<Draft> drafts; ///< Of the tokens after `tokens`.

    bool isReading() const { return fed < promptTokens; }
    int64_t known() const { return static_cast<int64_t>(tokens.size()); }
    /// A token, or the draft of one that is not known.
    int32_t tokenAt(int64_t index) const;
  };

  /// Positions of one request in a step or a prediction.
  struct Feed {
    size_t request = 0;
    int64_t first = 0, count = 0;
    int64_t logitsFrom = 0; ///< Logits are asked for from this position on.
    bool isExpanded = false;
    const float *states = nullptr; ///< [count][hidden] of a prediction.
    int64_t firstToken = 0, firstLogitRow = 0; ///< In the step.

    int64_t end() const { return first + count; }
  };

  explicit Generator(const Requirements &requirements)
      : requirements(requirements) {}
  const Plan &plan() const { return executor->plan(); }
  void start(const std::vector<std::vector<int32_t>> &prompts,
             const GenerationOptions &options);
  void reportProgress(GenerationListener &listener) const;
  /// Whether the device chooses the tokens.
  bool canSample(const GenerationOptions &options,
                 const GenerationListener &listener) const;

  /// Whether `position` is computed in expanded form.
  bool isExpanded(const StepPlan &which, const Request &request,
                  int64_t position) const;
  /// Tokens of the prompt that may be read in one step.
  int64_t readable(const Request &request) const;
  std::vector<Feed> chooseFeeds(const GenerationOptions &options) const;
  /// Runs `which` over `feeds`, those in expanded form first.
  Status runFeeds(const StepPlan &which, std::vector<Feed> &feeds,
                  const GenerationOptions &options);
  Status append(const StepPlan &which, Feed &feed);

  Status consume(const Feed &feed, const GenerationOptions &options,
                 GenerationListener &listener);
  /// Chooses the token after those that are known by row `row` of the step,
  /// from `draft` if not null.
  Status chooseToken(size_t index, int64_t row, const Draft *draft,
                     const GenerationOptions &options,
                     GenerationListener &listener);

  /// How many drafts the next step of `request` begins with.
  int64_t draftsFor(const Request &request,
                    const GenerationOptions &options) const;
  std::vector<Feed> choosePredictions(const std::vector<Feed> &fed,
                                      const GenerationOptions &options) const;
  /// Predicts from what `fed` left, and drafts.
  Status predict(const std::vector<Feed> &fed, const GenerationOptions &options,
                 GenerationListener &listener);
  /// \param isCertain Whether no position of `feed` is that of a draft.
  Status consumePrediction(const Feed &feed, bool isCertain,
                           const GenerationOptions &options,
                           GenerationListener &listener);
  /// Adds a draft to those of `request`.
  Status propose(Request &request, const float *logits);

  Requirements requirements;
  std::unique_ptr<KVCache> cache;
  std::unique_ptr<Executor> executor;
  std::vector<Request> requests;
  bool samplesOnDevice = false; ///< In this run.
  Step step;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_GENERATOR_H
