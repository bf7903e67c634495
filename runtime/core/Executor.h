// Runs the plan of a model: steps and predictions over a ragged batch of
// sequences.
//
// It knows no models: a plan says which kernels run on which buffers, and the
// compiler has made both.

#ifndef TCC_RUNTIME_CORE_EXECUTOR_H
#define TCC_RUNTIME_CORE_EXECUTOR_H

#include "runtime/core/KVCache.h"
#include "runtime/core/Plan.h"
#include "runtime/cpu/Machine.h"
#include "runtime/cpu/ThreadPool.h"
#include "runtime/support/Status.h"

#include <atomic>
#include <memory>
#include <vector>

namespace tcc::rt {

/// A compiled kernel; see table Launch in runtime/schema/Executable.fbs.
using KernelFunction = void (*)(void *const *arguments, const int64_t *sizes,
                                int64_t begin, int64_t end, void *scratch);

/// A plan with its code and weights in memory. All of it must outlive those who
/// use it.
struct Program {
  const Plan *plan = nullptr;
  std::vector<KernelFunction> kernels; ///< As in plan->kernels.
  const uint8_t *weights = nullptr;    ///< Null if the plan uses none.
};

/// What one step or prediction computes: T new tokens of B sequences.
struct Step {
  /// [T] token ids; in a prediction those of the positions after `positions`.
  std::vector<int32_t> tokens;
  std::vector<int32_t> positions; ///< [T] in the sequence, ascending by 1.
  std::vector<int32_t> sequences; ///< [T] ascending from 0, none left out.
  std::vector<int32_t> logitRows; ///< [R] indices into tokens, ascending.
  /// [B] the pages of each sequence, with room for its last position.
  std::vector<const PageList *> pages;
  int64_t expandedSequences = 0; ///< The first E are computed in expanded form.
  /// [T][hiddenSize] states at `positions`; of a prediction only.
  std::vector<float> states;

  StepSizes sizes() const;
  void clear();
};

/// Not thread-safe: one Executor serves one caller at a time.
class Executor {
public:
  /// Allocates the arena and the threads' scratch for steps and predictions up
  /// to `limits`, which lie within `largestStep`.
  ///
  /// \returns OutOfMemory if the system refuses the memory.
  static Status create(const Program &program, const StepLimits &limits,
                       KVCache &cache, ThreadPool &pool,
                       std::unique_ptr<Executor> &result);

  /// Bytes of arena and scratch that steps and predictions up to `limits` need.
  static int64_t bytesFor(const Plan &plan, const StepLimits &limits,
                          int threads);

  /// Runs `which`, the step of the plan or its prediction, on `step`; `logits`
  /// and `states` are then those of its rows. The key/value cache holds the
  /// step's positions afterwards.
  ///
  /// \param cancelled Looked at before each launch if not null.
  /// \param kernelSeconds If not null, one sum for each kernel of the plan, to
  ///        which the seconds of its launches are added.
  ///
  /// \returns BadData for a token outside the vocabulary; Interrupted if
  ///          cancelled, the cache is then undefined beyond the positions
  ///          before the step; Internal if the step breaks a rule above.
  Status run(const StepPlan &which, const Step &step,
             const std::atomic<bool> *cancelled = nullptr,
             std::vector<double> *kernelSeconds = nullptr);

  /// f32 [vocabulary] of row `row` of the last step.
  const float *logits(int64_t row) const;

  /// f32 [hiddenSize] of token `token` of the last step, which has states.
  const float *states(int64_t token) const;

  const Plan &plan() const { return *program.plan; }

private:
  Executor(const Program &program, const StepLimits &limits, KVCache &cache,
           ThreadPool &pool)
      : program(program), limits(limits), cache(cache), pool(pool) {}

  Status check(const StepPlan &which, const Step &step) const;
  void fillRotaryTables(const Step &step);
  void fillPageTable(const Step &step);
  void runLaunch(const LaunchPlan &launch, int64_t layer);
  void *resolve(const ArgumentPlan &argument, int64_t layer) const;
  /// Where buffer `index` lies in the current step.
  uint8_t *buffer(uint32_t index) const;

  Program program;
  StepLimits limits;
  KVCache &cache;
  ThreadPool &pool;
  AnonymousMemory arena, scratch;
  int64_t scratchBytes = 0; ///< Of one thread.
  // The current step.
  const StepPlan *currentPlan = nullptr;
  const Step *current = nullptr;
  StepSizes sizes;
  int64_t pageTableStride = 0;
  std::vector<int32_t> pageTable;
  std::vector<std::vector<float>> rotaryTables;
  std::vector<void *> arguments;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_EXECUTOR_H
