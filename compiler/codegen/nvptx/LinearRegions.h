// What kernels of linear layers make of elements before and after the products.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_LINEARREGIONS_H
#define TCC_COMPILER_CODEGEN_NVPTX_LINEARREGIONS_H

#include "compiler/codegen/nvptx/Kernels.h"

namespace mlir::tcc::nvptx {

/// Operands of a linear layer before those of its prologue.
constexpr size_t firstRegionOperand = 3;

/// Emits what products of `op` see of an element, as f32: what the prologue
/// makes of `arguments`, rounded to the type of operands.
Value emitOperand(Emitter &emitter, kernel::LinearOp op, ValueRange arguments);

/// Emits what the epilogue of `op` makes of the one or two sums of element
/// `output` of row `row`, and stores it.
void emitResult(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame,
                Value row, Value output, ValueRange sums);

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_LINEARREGIONS_H
