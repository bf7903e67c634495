// Launches of kernels of a model through the driver.

#ifndef TCC_RUNTIME_CUDA_KERNELLAUNCH_H
#define TCC_RUNTIME_CUDA_KERNELLAUNCH_H

#include "runtime/core/Plan.h"
#include "runtime/cuda/Driver.h"

#include <vector>

namespace tcc::rt::cuda {

/// The values of the parameters of one launch of `kernel`, in memory of its
/// own, and pointers to them as the driver wants them. Not to be moved.
class KernelParameters {
public:
  KernelParameters() = default;
  KernelParameters(const KernelParameters &) = delete;
  KernelParameters &operator=(const KernelParameters &) = delete;

  /// Sets them: `arguments`, where the device finds the sizes of the step, the
  /// number of tiles, and the tensor maps of `kernel` for a step of `sizes`.
  Status set(const Driver &driver, const KernelPlan &kernel,
             void *const *arguments, size_t count, void *deviceSizes,
             int64_t tiles, const StepSizes &sizes);

  void **pointers() { return parameters.data(); }

private:
  std::vector<void *> values;
  int64_t tiles = 0;
  std::vector<TensorMap> maps;
  std::vector<void *> parameters;
};

/// The blocks that a launch of `kernel` with `tiles` tiles has.
unsigned blocksOf(const KernelPlan &kernel, int64_t tiles);

/// Allows `function`, that of `kernel`, the shared memory that it needs.
Status prepare(const Driver &driver, Function function,
               const KernelPlan &kernel);

/// Launches `function`, which has been prepared, in `blocks` blocks, a multiple
/// of the cluster.
///
/// \param isDependent Whether it may begin before the launch before has ended.
Status launch(const Driver &driver, Function function, const KernelPlan &kernel,
              unsigned blocks, Stream stream, void **parameters,
              bool isDependent = false);

} // namespace tcc::rt::cuda

#endif // TCC_RUNTIME_CUDA_KERNELLAUNCH_H
