#include "compiler/codegen/KernelFunction.h"

using namespace mlir;
using namespace mlir::tcc;

Operation *tcc::findKernel(func::FuncOp function) {
  if (function.isExternal() || !llvm::hasSingleElement(function.getBody()))
    return nullptr;
  for (Operation &op : function.front())
    if (isa<kernel::KernelOpInterface>(op))
      return &op;
  return nullptr;
}

SmallVector<int64_t> tcc::stridesOf(Type type) {
  auto shaped = cast<ShapedType>(type);
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    memref = MemRefType::get(shaped.getShape(), shaped.getElementType());
  return memref.getStridesAndOffset().first;
}

/// Whether `type` has a layout of its own.
static bool isView(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  return memref && !memref.getLayout().isIdentity();
}

int64_t tcc::offsetOf(Type type) {
  if (!isView(type))
    return 0;
  auto memref = cast<MemRefType>(type);
  return memref.getStridesAndOffset().second * memref.getElementTypeBitWidth() /
         8;
}

static LogicalResult verifyViews(Operation *op, TakesViews takesViews) {
  for (Value operand : op->getOperands()) {
    Type type = operand.getType();
    if (!isView(type))
      continue;
    SmallVector<int64_t> strides;
    int64_t offset = 0;
    if (!takesViews(op, operand) ||
        failed(cast<MemRefType>(type).getStridesAndOffset(strides, offset)) ||
        ShapedType::isDynamicShape(strides) || ShapedType::isDynamic(offset) ||
        strides.back() != 1)
      return op->emitOpError("expected views only where the target takes some, "
                             "with static strides, the last of them 1, and a "
                             "static offset, got ")
             << type;
  }
  return success();
}

LogicalResult tcc::verifyKernelFunction(func::FuncOp function, Operation *op,
                                        TakesViews takesViews) {
  // All operands are then arguments of the function.
  if (op->getNumResults() != 0 || !llvm::hasNItems(function.front(), 2))
    return op->emitOpError(
        "expected no result and to be alone in its function, "
        "as phase 'schedule' leaves it");
  return verifyViews(op, takesViews);
}

FailureOr<kernel::Rows> tcc::rowsOf(func::FuncOp function) {
  auto text = function->getAttrOfType<StringAttr>(kernel::rowsAttribute);
  if (!text)
    return kernel::Rows::Tokens;
  if (std::optional<kernel::Rows> rows = kernel::symbolizeRows(text))
    return *rows;
  return function.emitOpError(
             "expected 'kernel.rows' to be tokens, logit_rows, "
             "expanded or absorbed, got ")
         << text;
}

bool tcc::hasRows(Type type) {
  auto shaped = cast<ShapedType>(type);
  return shaped.isDynamicDim(0) && !shaped.getElementType().isInteger(8) &&
         !ShapedType::isDynamicShape(shaped.getShape().drop_front());
}
