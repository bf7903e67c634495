#include "compiler/codegen/nvptx/LinearRegions.h"

#include "compiler/codegen/nvptx/ScalarRegion.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

Value nvptx::emitOperand(Emitter &emitter, kernel::LinearOp op,
                         ValueRange arguments) {
  return emitter.round(emitRegion(emitter, op.getPrologue(), arguments),
                       op.getOperand());
}

void nvptx::emitResult(Emitter &emitter, kernel::LinearOp op,
                       const KernelFrame &frame, Value row, Value output,
                       ValueRange sums) {
  auto type = cast<ShapedType>(op.getInit().getType());
  SmallVector<Value> arguments(sums);
  size_t first = firstRegionOperand + op.getPrologueOperands().size();
  for (auto [index, operand] : llvm::enumerate(op.getEpilogueOperands())) {
    auto operandType = cast<ShapedType>(operand.getType());
    Value memory = frame.operands[first + index];
    if (operandType.getRank() == 2)
      memory = emitRow(emitter, operandType, memory, row);
    arguments.push_back(
        emitter.loadElement(operandType.getElementType(), memory, output));
  }
  emitter.storeElement(emitRegion(emitter, op.getEpilogue(), arguments),
                       type.getElementType(),
                       emitRow(emitter, type, frame.operands[2], row), output);
}
