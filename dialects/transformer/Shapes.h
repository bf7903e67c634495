// What the verifiers of this dialect and of `kernel` ask about shapes.

#ifndef TCC_DIALECTS_TRANSFORMER_SHAPES_H
#define TCC_DIALECTS_TRANSFORMER_SHAPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace mlir::tcc::transformer {

/// Whether two dimensions may be equal: a dynamic one may equal any.
inline bool agree(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

/// Whether two shapes are of one rank and may be equal.
inline bool agree(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           return agree(std::get<0>(pair), std::get<1>(pair));
         });
}

/// Whether `groups` divide `experts`, and `keep` of them can be kept by the `top`
/// best of their experts.
inline bool canSelect(int64_t experts, int64_t groups, int64_t keep,
                      int64_t top) {
  return groups >= 1 && experts % groups == 0 && keep >= 1 && keep <= groups &&
         top >= 1 && top <= experts / groups;
}

/// Verifies the shapes of `op`, which dispatches tokens to experts.
LogicalResult verifyDispatch(Operation *op, ShapedType experts, ShapedType rows,
                             ShapedType places, ShapedType offsets);

} // namespace mlir::tcc::transformer

#endif // TCC_DIALECTS_TRANSFORMER_SHAPES_H
