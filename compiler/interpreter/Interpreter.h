// Executes `transformer` IR in f64.
//
// The interpreter is the definition of what the IR means: every pass is tested by
// interpreting before and after, every kernel by comparing with it. It therefore
// shares no code with any lowering, and states each op's formula as its
// description does.
//
// An op takes part by an external model of `InterpretableOpInterface`; see
// Interpretations.h.

#ifndef TCC_COMPILER_INTERPRETER_INTERPRETER_H
#define TCC_COMPILER_INTERPRETER_INTERPRETER_H

#include "compiler/interpreter/CacheState.h"
#include "compiler/interpreter/Tensor.h"
#include "compiler/interpreter/WeightSource.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::tcc {

struct InterpreterOptions {
  /// Round every result to its element type, as the ops state, to nearest with
  /// ties to even. Sums within an op stay in f64.
  bool round = false;

  /// Positions in one page of a cache.
  int64_t pageSize = 16;
};

/// Runs functions of one module. Caches keep their contents from run to run, as
/// decoding needs. A module with a `shard.grid` runs on all devices of the grid.
///
/// Threads: not to be used by several at once; uses those of the context itself.
class Interpreter {
public:
  /// `weights` must outlive the interpreter.
  Interpreter(ModuleOp module, WeightSource &weights,
              const InterpreterOptions &options = {})
      : module(module), weights(weights), options(options) {}

  /// Calls the function `entry` and returns its results. Errors are diagnostics
  /// at the op that causes them.
  FailureOr<SmallVector<Tensor>> run(StringRef entry,
                                     ArrayRef<Tensor> arguments);

  ModuleOp getModule() const { return module; }
  const InterpreterOptions &getOptions() const { return options; }

private:
  ModuleOp module;
  WeightSource &weights;
  InterpreterOptions options;
  std::vector<CacheState> caches; ///< Of each device.
};

/// Makes the ops that the interpreter knows interpretable in every context that
/// is made from `registry`.
void registerInterpretations(DialectRegistry &registry);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_INTERPRETER_H
