// The launches of each step in order, with what each reads and writes.

#ifndef TCC_COMPILER_SCHEDULE_LAUNCHLIST_H
#define TCC_COMPILER_SCHEDULE_LAUNCHLIST_H

#include "compiler/schedule/Views.h"
#include "compiler/target/CostModel.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace mlir::tcc {

/// Which size of a step counts the rows of a buffer: none, new tokens or rows
/// whose logits are asked for.
enum class RowKind { Fixed, Tokens, LogitRows };

/// `factor` rows for each of `kind`.
struct RowCount {
  RowKind kind = RowKind::Tokens;
  int64_t factor = 1;
};

/// A value whose memory the plan provides.
struct ScheduledBuffer {
  RowKind rows;
  int64_t rowBytes; ///< For each of `rows`; all bytes if they are fixed.
  size_t step;      ///< Into LaunchList::steps.
  int64_t first;    ///< The launch of the step that writes it.
  int64_t last;     ///< The last launch that reads it.
};

/// A weight as one loop, or the code outside of loops, reads it.
struct ScheduledWeight {
  WeightView view;
  RankedTensorType type;
  bool transposed;
  Attribute packing;          ///< Null if it is read row by row.
  std::optional<size_t> loop; ///< Into LaunchList::loops.
};

/// What an operand of a launch is. The index is into the list of its kind; that
/// of an input is the value of plan::Input.
struct ScheduledOperand {
  enum class Kind { Buffer, Weight, Cache, RotaryTable, Input } kind;
  size_t index = 0;
  /// Where the elements are in their buffer; null for all but buffers.
  StridedLayoutAttr layout = {};
};

struct ScheduledLaunch {
  kernel::KernelOpInterface op;
  SmallVector<ScheduledOperand> operands; ///< Of each operand of `op`.
  kernel::Rows rows;
  std::optional<size_t> loop; ///< Into LaunchList::loops.
};

/// Layers `[first, first + count)`, whose launches of a step are `[begin,
/// end)`.
struct ScheduledLoop {
  int64_t first, count;
  int64_t begin, end;
};

/// What one function of the model becomes.
struct ScheduledStep {
  SmallVector<ScheduledLaunch> launches;
  size_t logits = 0;            ///< Into LaunchList::buffers.
  std::optional<size_t> states;  ///< The same,
  std::optional<size_t> samples; ///< and this one.
};

/// All of a plan.
struct LaunchList {
  /// Of @forward, and of @predict if there is one.
  SmallVector<ScheduledStep> steps;
  SmallVector<ScheduledLoop> loops;
  SmallVector<ScheduledBuffer> buffers;
  SmallVector<ScheduledWeight> weights;
  SmallVector<kernel::RotaryTableOp> rotaryTables;
  transformer::CacheOp cache;
  Attribute cacheLayout; ///< Of kernel::CacheAttr or kernel::LatentCacheAttr.
};

/// Lists the launches of @forward and @predict in `module`, loops over layers
/// once. Fails with an error at the op that cannot be scheduled. Rows of
/// buffers begin where `costs` wants them.
FailureOr<LaunchList> listLaunches(ModuleOp module, const CostModel &costs);

} // namespace mlir::tcc

#endif // TCC_COMPILER_SCHEDULE_LAUNCHLIST_H
