// How far two tensors are apart.

#ifndef TCC_COMPILER_INTERPRETER_DIFFERENCE_H
#define TCC_COMPILER_INTERPRETER_DIFFERENCE_H

#include "compiler/interpreter/Tensor.h"

namespace mlir::tcc {

/// The relative L2 difference |actual - expected| / |expected| of all elements
/// and of the worst row. Equal elements differ by 0, infinite ones too; where one
/// is not a number and the other is, the difference is infinite.
struct Difference {
  double whole = 0;
  double worst = 0;
  int64_t worstRow = 0; ///< Among all rows of the last dimension.

  /// The larger of both.
  double largest() const { return whole > worst ? whole : worst; }
};

/// Compares tensors of one shape.
Difference differenceOf(const Tensor &expected, const Tensor &actual);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_DIFFERENCE_H
