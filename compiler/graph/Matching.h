// What several passes of the phase ask about the ops around them.

#ifndef TCC_COMPILER_GRAPH_MATCHING_H
#define TCC_COMPILER_GRAPH_MATCHING_H

#include "dialects/transformer/Transformer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tcc {

/// Returns the op of kind `Op` that defines `value` for one reader, or null.
template <typename Op>
Op definedForOneReader(Value value) {
  auto op = value.getDefiningOp<Op>();
  return op && value.hasOneUse() ? op : Op();
}

/// Returns the only reader of `value` if it is of kind `Op`, or null.
template <typename Op>
Op onlyReader(Value value) {
  return value.hasOneUse() ? dyn_cast<Op>(*value.user_begin()) : Op();
}

/// Whether the equation of `op` is `expected` up to the names of its letters.
bool isEquation(transformer::EinsumOp op, StringRef expected);

/// Whether `rounding` rounds to nearest.
bool isPlain(arith::TruncFOp rounding);

/// Whether `slice` is the elements of the last dimension of its source from
/// `first` on, as many as its type has, and all of the other dimensions.
bool isColumns(tensor::ExtractSliceOp slice, int64_t first);

} // namespace mlir::tcc

#endif // TCC_COMPILER_GRAPH_MATCHING_H
