// Rows of kernels, and their destinations.

#ifndef TCC_COMPILER_LOWER_ROWS_H
#define TCC_COMPILER_LOWER_ROWS_H

#include "dialects/kernel/Kernel.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::tcc {

/// Creates an empty tensor of `type`, whose only dynamic dimension, if any, is the
/// first: it has the rows of `like`.
Value createDestination(OpBuilder &builder, Location location,
                        RankedTensorType type, Value like);

/// Says that `op` computes the rows of one form alone.
void setRows(Operation *op, kernel::Rows rows);

/// Whether `value` has the rows whose logits are asked for, not those of all
/// tokens.
bool hasLogitRows(Value value);

} // namespace mlir::tcc

#endif // TCC_COMPILER_LOWER_ROWS_H
