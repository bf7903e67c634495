// What the launches of a kernel took and did, summed up over steps.

#ifndef TCC_RUNTIME_CORE_KERNELUSE_H
#define TCC_RUNTIME_CORE_KERNELUSE_H

#include "runtime/core/Plan.h"

#include <array>
#include <cstdint>

namespace tcc::rt {

struct Step;

/// The launches of one kernel.
struct KernelUse {
  int64_t launches = 0;
  double seconds = 0;
  // 0 where the plan does not say.
  double bytes = 0; ///< If every byte is moved once.
  double flops = 0;
};

/// How many rows a kernel computes in a step, the positions that their
/// sequences hold together afterwards, and the pairs of a row and a position
/// that it attends to.
struct RowCounts {
  double rows = 0, positions = 0, pairs = 0;
};

/// Those of all kinds of rows, in the order of `Rows`.
using StepCounts = std::array<RowCounts, 4>;

/// Counts the rows of `step`.
StepCounts countRows(const Step &step);

/// Adds a launch of `kernel` to `use`, all but its seconds.
void addLaunch(const KernelPlan &kernel, const StepCounts &counts,
               KernelUse &use);

} // namespace tcc::rt

#endif // TCC_RUNTIME_CORE_KERNELUSE_H
