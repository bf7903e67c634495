// Rounding to the element types of activations.

#ifndef TCC_COMPILER_INTERPRETER_ROUNDING_H
#define TCC_COMPILER_INTERPRETER_ROUNDING_H

#include "mlir/IR/Types.h"

namespace mlir::tcc {

/// Returns the number nearest to `value` that an element of `type` can hold, ties
/// to even, overflow to infinity. Types other than f32, f16 and bf16 hold every
/// value.
double roundTo(Type type, double value);

/// Rounds every element of `values`.
void roundAll(Type type, llvm::MutableArrayRef<double> values);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_ROUNDING_H
