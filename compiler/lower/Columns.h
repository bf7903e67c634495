// Parts of the columns of a tensor.

#ifndef TCC_COMPILER_LOWER_COLUMNS_H
#define TCC_COMPILER_LOWER_COLUMNS_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tcc {

/// Columns `[first, first + count)` of the rows of `tensor`.
struct Columns {
  Value tensor;
  int64_t first;
  int64_t count;
};

/// Looks through rounding and views by heads for the columns that `part`, of shape
/// [T, count] or [T, heads, size], is made of.
FailureOr<Columns> findColumns(Value part);

} // namespace mlir::tcc

#endif // TCC_COMPILER_LOWER_COLUMNS_H
