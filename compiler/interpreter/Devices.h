// Runs one function on every device of a grid.

#ifndef TCC_COMPILER_INTERPRETER_DEVICES_H
#define TCC_COMPILER_INTERPRETER_DEVICES_H

#include "compiler/interpreter/Execution.h"

namespace mlir::tcc {

/// The shape of the `shard.grid` of `module`; empty, which is one device, if it
/// has none. An error if it has several, or one that is dynamic or too large.
FailureOr<SmallVector<int64_t>> gridOf(ModuleOp module);

/// Runs `function` on all devices of a grid of `shape`, which exchange tensors
/// where the module says so, and returns the results of the first; an error if
/// the others have others. `caches` has one state for each device.
FailureOr<SmallVector<Tensor>>
runOnDevices(ModuleOp module, WeightSource &weights,
             MutableArrayRef<CacheState> caches,
             const InterpreterOptions &options, ArrayRef<int64_t> shape,
             FunctionOpInterface function, ArrayRef<Tensor> arguments);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_DEVICES_H
