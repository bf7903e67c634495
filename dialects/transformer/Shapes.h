// What the verifiers of this dialect ask about shapes.

#ifndef TCC_DIALECTS_TRANSFORMER_SHAPES_H
#define TCC_DIALECTS_TRANSFORMER_SHAPES_H

#include "mlir/IR/BuiltinTypes.h"

namespace mlir::tcc::transformer {

/// Whether two dimensions may be equal: a dynamic one may equal any.
inline bool agree(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

/// Whether two shapes of one rank may be equal.
inline bool agree(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           return agree(std::get<0>(pair), std::get<1>(pair));
         });
}

} // namespace mlir::tcc::transformer

#endif // TCC_DIALECTS_TRANSFORMER_SHAPES_H
