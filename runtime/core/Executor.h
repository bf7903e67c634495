// Runs the plan of a model: steps and predictions over a ragged batch of
// sequences.
//
// It knows no models: a plan says which kernels run on which buffers, and the
// compiler has made both. It knows no devices either: it never follows a
// pointer to a device's memory.

#ifndef TCC_RUNTIME_CORE_EXECUTOR_H
#define TCC_RUNTIME_CORE_EXECUTOR_H

#include "runtime/core/Device.h"
#include "runtime/core/KVCache.h"
#include "runtime/core/KernelUse.h"
#include "runtime/core/Plan.h"
#include "runtime/core/Sampler.h"
#include "runtime/support/Status.h"

#include <atomic>
#include <memory>
#include <vector>

namespace tcc::rt {

/// What a device has loaded. All of it must outlive those who use it.
struct Program {
  const Plan *plan = nullptr;
  const uint8_t *weights = nullptr; ///< The device's; null if there are none.
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
  /// [R] how the device chooses a token of each row of logits, or empty: then
  /// the logits come to the host, which chooses.
  std::vector<SampleParameters> sampling;

  StepSizes sizes() const;
  void clear();
};

/// Not thread-safe: one Executor serves one caller at a time.
class Executor {
public:
  /// Reserves the arena, the workers' scratch and room for inputs, for steps
  /// and predictions up to `limits`, which lie within `largestStep`, on
  /// `device`, which has loaded `program` and holds `cache`.
  ///
  /// \returns OutOfMemory if the device refuses the memory.
  static Status create(const Program &program, const StepLimits &limits,
                       KVCache &cache, Device &device,
                       std::unique_ptr<Executor> &result);

  /// Bytes of arena, scratch and inputs that steps and predictions up to
  /// `limits` need.
  static int64_t bytesFor(const Plan &plan, const StepLimits &limits,
                          int64_t workers);

  /// Runs `which`, the step of the plan or its prediction, on `step`; `logits`,
  /// or `sample`, and `states` are then those of its rows. The key/value cache
  /// holds the step's positions afterwards.
  ///
  /// \param cancelled Looked at before each launch if not null.
  /// \param uses If not null, one for each kernel of the plan, to which its
  ///        launches are added: each is measured, and so they do not overlap.
  ///
  /// \returns BadData for a token outside the vocabulary; Interrupted if
  ///          cancelled, the cache is then undefined beyond the positions
  ///          before the step; Internal if the step breaks a rule above; or
  ///          what the device returns.
  Status run(const StepPlan &which, const Step &step,
             const std::atomic<bool> *cancelled = nullptr,
             std::vector<KernelUse> *uses = nullptr);

  /// f32 [vocabulary] of row `row` of the last step, until the next one. Of a
  /// step that the host chooses tokens of.
  const float *logits(int64_t row) const;

  /// What the device chose for row `row` of the last step, which had sampling.
  int32_t sample(int64_t row) const;

  /// f32 [hiddenSize] of token `token` of the last step, which has states.
  const float *states(int64_t token) const;

  const Plan &plan() const { return *program.plan; }

private:
  Executor(const Program &program, const StepLimits &limits, KVCache &cache,
           Device &device)
      : program(program), limits(limits), cache(cache), device(device) {}

  Status check(const StepPlan &which, const Step &step) const;
  void fillRotaryTables(const Step &step);
  void fillPageTable(const Step &step);
  /// Brings what kernels read of `step` to the device.
  Status begin(const Step &step);
  /// Runs what `place` says, with the arguments and tiles of `launch`.
  Status runLaunch(const LaunchPlan &launch, Launch place, KernelUse *use);
  /// Waits, and brings the results of `which` to the host.
  Status finish(const StepPlan &which);
  void *resolve(const ArgumentPlan &argument, int64_t layer) const;
  /// Where buffer `index` lies in the current step.
  uint8_t *buffer(uint32_t index) const;

  Program program;
  StepLimits limits;
  KVCache &cache;
  Device &device;
  DeviceMemory arena;
  // The current step.
  StepSizes sizes;
  bool isSampling = false;
  StepCounts counts; ///< If launches are measured.
  int64_t pageTableStride = 0;
  std::vector<int32_t> pageTable;
  std::vector<std::vector<float>> rotaryTables;
  std::vector<ByteRange> inputs;
  std::vector<void *> inputAddresses; ///< On the device.
  std::vector<void *> arguments;
  std::vector<ByteRange> results;          ///< On the device.
  std::vector<const void *> resultsOnHost; ///< Logits or samples, then states.
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_EXECUTOR_H
