// Runs the entry of a model on whole sequences of tokens, whatever stage of the
// compiler the module comes from.

#ifndef TCC_COMPILER_INTERPRETER_SEQUENCES_H
#define TCC_COMPILER_INTERPRETER_SEQUENCES_H

#include "compiler/interpreter/Interpreter.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include <optional>

namespace mlir::tcc {

/// Token ids.
using TokenSequence = SmallVector<int32_t>;

/// What the entry of a model runs on: tokens and, of an entry that predicts,
/// the state [T, N] of the token before each.
struct InputSequence {
  TokenSequence tokens;
  Tensor states;
};

/// What it returns for them: logits [T, V] and, if it has any, states [T, N].
struct OutputSequence {
  Tensor logits, states;
};

/// Which arguments and results the entry of a model has beside tokens,
/// positions and logits.
struct ModelSignature {
  bool takesStates; ///< states [T, N], first.
  bool isBatched;   ///< sequences [T] and page_table [B, P].
  bool selectsRows; ///< logit_rows [R], last.
  int64_t vocabulary;
  int64_t hidden; ///< N of the states that it returns, 0 if it returns none.
};

/// The signature of `function` if it is the entry of a model:
///
///   ([states,] tokens, positions, [sequences, page_table,] [logit_rows])
///     -> logits[, states]
///
/// All arguments but states are tensors of i32. What takes states returns some
/// of the same size.
std::optional<ModelSignature> modelSignature(FunctionOpInterface function);

/// Returns the results of every token of every sequence.
///
/// An entry for one sequence is called once for each. A batched entry is called
/// in several steps: in each a sequence has no, one or a few new tokens, the
/// others come from the cache, and its pages are scattered. An entry that
/// selects rows of logits is asked for all, last first.
FailureOr<SmallVector<OutputSequence>>
runSequences(Interpreter &interpreter, FunctionOpInterface entry,
             ArrayRef<InputSequence> sequences);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_SEQUENCES_H
