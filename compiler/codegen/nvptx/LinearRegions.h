// What kernels of linear layers make of elements before and after the products.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_LINEARREGIONS_H
#define TCC_COMPILER_CODEGEN_NVPTX_LINEARREGIONS_H

#include "compiler/codegen/nvptx/Kernels.h"

namespace mlir::tcc::nvptx {

/// Emits what products of `op` see of its element `value` at `k`: what the
/// prologue makes of it, rounded to the type of operands, as f32. `mean` is the
/// mean square of the row, or null if the prologue has none.
Value emitOperand(Emitter &emitter, kernel::LinearOp op,
                  const KernelFrame &frame, Value value, Value mean, Value k);

/// Emits what the epilogue of `op` makes of the one or two sums of element
/// `output` of row `row`, and stores it.
void emitResult(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame,
                Value row, Value output, ValueRange sums);

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_LINEARREGIONS_H
