// How an op gets its interpretation: by a function that computes it, attached to
// the op's class.

#ifndef TCC_COMPILER_INTERPRETER_INTERPRETATIONS_H
#define TCC_COMPILER_INTERPRETER_INTERPRETATIONS_H

#include "compiler/interpreter/Execution.h"

namespace mlir::tcc {

/// Interprets ops of class `OpT` by `function`.
template <typename OpT, LogicalResult (*function)(OpT, Execution &)>
struct InterpretedBy
    : InterpretableOpInterface::ExternalModel<InterpretedBy<OpT, function>,
                                              OpT> {
  LogicalResult interpret(Operation *op, Execution &execution) const {
    return function(cast<OpT>(op), execution);
  }
};

template <typename OpT, LogicalResult (*function)(OpT, Execution &)>
void attach(MLIRContext *context) {
  OpT::template attachInterface<InterpretedBy<OpT, function>>(*context);
}

/// Constants, elementwise arithmetic and index computations.
void attachArithInterpretations(MLIRContext *context);

/// Views, slices and concatenation.
void attachTensorInterpretations(MLIRContext *context);

/// Calls.
void attachFunctionInterpretations(MLIRContext *context);

/// Loops and conditions.
void attachControlFlowInterpretations(MLIRContext *context);

/// Weights of the checkpoint.
void attachGetWeightInterpretation(MLIRContext *context);

/// Embedding and linear layers: of tokens, of experts and of heads.
void attachLinearInterpretations(MLIRContext *context);

/// What works on rows: norms, activation functions, softmax, selection.
void attachRowInterpretations(MLIRContext *context);

/// Rotation, masks and attention without a cache.
void attachAttentionInterpretations(MLIRContext *context);

/// Sums of products.
void attachEinsumInterpretation(MLIRContext *context);

/// Routing of tokens to experts and back.
void attachRoutingInterpretations(MLIRContext *context);

/// What devices exchange.
void attachCollectiveInterpretations(MLIRContext *context);

/// The paged cache and the attention over it.
void attachCacheInterpretations(MLIRContext *context);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_INTERPRETATIONS_H
