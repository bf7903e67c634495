// Views of tensors, which are parts of buffers and of weights.

#ifndef TCC_COMPILER_SCHEDULE_VIEWS_H
#define TCC_COMPILER_SCHEDULE_VIEWS_H

#include "dialects/transformer/Transformer.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::tcc {

/// A weight as an op reads it.
struct WeightView {
  transformer::GetWeightOp get; ///< Null for a value that is no weight.
  DenseI64ArrayAttr rows; ///< Of each matrix, as in plan.weight; null: all.
};

/// The weight that `value` is, or whose heads or the same rows of each head it
/// is.
WeightView findWeightView(Value value);

/// The layout of a tensor of `type` whose elements lie one after another.
StridedLayoutAttr contiguousLayout(RankedTensorType type);

/// The same with rows that begin at multiples of `alignment` bytes, a multiple
/// of those of an element or 1: dimensions but the first one are parts of a
/// row.
StridedLayoutAttr rowLayout(RankedTensorType type, int64_t alignment);

/// Whether `op` is a view: it names elements of its operand.
bool isView(Operation *op);

/// The layout of the result of the view `op` in the buffer where its operand
/// lies by `layout`, or an error.
FailureOr<StridedLayoutAttr> viewLayout(Operation *op,
                                        StridedLayoutAttr layout);

} // namespace mlir::tcc

#endif // TCC_COMPILER_SCHEDULE_VIEWS_H
