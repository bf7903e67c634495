// Runs functions on inputs that are generated from their types.

#ifndef TCC_COMPILER_INTERPRETER_GENERATEDRUN_H
#define TCC_COMPILER_INTERPRETER_GENERATEDRUN_H

#include "compiler/interpreter/Interpreter.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::tcc {

/// What the inputs of a run are made from.
struct GeneratedInputs {
  int64_t length = 8;    ///< Tokens of the longest sequence; dynamic dimensions.
  int64_t sequences = 3; ///< Sequences that a model is run on.
  uint64_t seed = 0;
};

/// A result and what it is called in messages: "sequence 0", "states
/// of sequence 0" or "result 0".
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Runs `function` of the interpreter's module.
///
/// The entry of a model runs on sequences of random tokens, and states if it
/// takes any, the first of `length`, each of the others shorter; its results
/// are the logits of each sequence, and its states, so that modules can be
/// compared whose entries take other arguments.
///
/// Any other function runs once. Tensors of floating-point numbers or blocks
/// are random with variance 1, rounded to their element type; integers count
/// from 0, as positions do; dynamic dimensions are `length`.
FailureOr<SmallVector<NamedTensor>> runGenerated(Interpreter &interpreter,
                                                 FunctionOpInterface function,
                                                 const GeneratedInputs &inputs);

/// The functions of `module` to run: the one called `entry`, or, if that is
/// empty, every public one that has a body. An error if there is none.
FailureOr<SmallVector<FunctionOpInterface>> functionsToRun(ModuleOp module,
                                                           StringRef entry);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_GENERATEDRUN_H
