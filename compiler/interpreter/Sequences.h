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

/// Which arguments the entry of a model takes after tokens and positions.
struct ModelSignature {
  bool isBatched;   ///< sequences [T] and page_table [B, P].
  bool selectsRows; ///< logit_rows [R], last.
  int64_t vocabulary;
};

/// The signature of `function` if it is the entry of a model:
///
///   (tokens, positions, [sequences, page_table,] [logit_rows]) -> logits
///
/// all arguments tensors of i32.
std::optional<ModelSignature> modelSignature(FunctionOpInterface function);

/// Returns the logits of every token of every sequence, [T, V] for each.
///
/// An entry for one sequence is called once for each. A batched entry is called
/// in several steps: in each a sequence has no, one or a few new tokens, the
/// others come from the cache, and its pages are scattered. An entry that selects
/// rows is asked for all, last first.
FailureOr<SmallVector<Tensor>> runSequences(Interpreter &interpreter,
                                            FunctionOpInterface entry,
                                            ArrayRef<TokenSequence> sequences);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_SEQUENCES_H
