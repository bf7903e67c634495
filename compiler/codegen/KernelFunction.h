// Functions of one kernel op, as phase `schedule` leaves them: what every code
// generator asks of them.

#ifndef TCC_COMPILER_CODEGEN_KERNELFUNCTION_H
#define TCC_COMPILER_CODEGEN_KERNELFUNCTION_H

#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::tcc {

/// Places in the array of sizes, as runtime/schema/Executable.fbs has them.
enum SizePlace : int64_t {
  TokensSize = 0,
  LogitRowsSize = 2,
  PageTableStride = 3,
  ExpandedTokensSize = 4,
};

/// The one kernel op in `function`, or null.
Operation *findKernel(func::FuncOp function);

/// Whether code for an op reads or writes an operand of it wherever its rows
/// begin.
using TakesViews = llvm::function_ref<bool(Operation *, Value)>;

/// Verifies that `op` is alone in `function`, without a result, and that its
/// operands are arguments, views only where `takesViews`.
LogicalResult verifyKernelFunction(func::FuncOp function, Operation *op,
                                   TakesViews takesViews);

/// Which rows the kernel in `function` computes, or an error at it.
FailureOr<kernel::Rows> rowsOf(func::FuncOp function);

/// Whether `type` has one element for each row of a step, as neither the page
/// table has nor the pages.
bool hasRows(Type type);

/// Elements from one index to the next in each dimension of `type`, a memref or
/// a tensor of static shape but for its first dimension.
SmallVector<int64_t> stridesOf(Type type);

/// Bytes from where the memory of an argument begins to its first element.
int64_t offsetOf(Type type);

/// The second dimension of `operand`.
inline int64_t columnsOf(Value operand) {
  return cast<ShapedType>(operand.getType()).getDimSize(1);
}

} // namespace mlir::tcc

#endif // TCC_COMPILER_CODEGEN_KERNELFUNCTION_H
