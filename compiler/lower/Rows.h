// Destinations of kernels.

#ifndef TCC_COMPILER_LOWER_ROWS_H
#define TCC_COMPILER_LOWER_ROWS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::tcc {

/// Creates an empty tensor of `type`, whose only dynamic dimension, if any, is the
/// first: it has the rows of `like`.
Value createDestination(OpBuilder &builder, Location location,
                        RankedTensorType type, Value like);

} // namespace mlir::tcc

#endif // TCC_COMPILER_LOWER_ROWS_H
