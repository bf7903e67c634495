#include "compiler/codegen/nvptx/ScalarRegion.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::tcc::nvptx;

/// What `op` makes of `operand`, where PTX has a better way than LLVM knows, or
/// null.
static Value emitFunction(Emitter &emitter, Operation &op, Value operand) {
  if (isa<math::ExpOp>(op))
    return emitter.exponential(operand);
  if (isa<math::RsqrtOp>(op))
    return emitter.divideFloats(emitter.scalar(1.0f),
                                emitter.squareRoot(operand));
  return nullptr;
}

Value mlir::tcc::nvptx::emitRegion(Emitter &emitter, Region &region,
                                   ValueRange arguments) {
  if (region.empty())
    return arguments.front();
  IRMapping mapping;
  Block &block = region.front();
  mapping.map(block.getArguments(), arguments);
  for (Operation &op : block.without_terminator()) {
    Value function;
    if (op.getNumOperands() == 1)
      function = emitFunction(emitter, op, mapping.lookup(op.getOperand(0)));
    if (function)
      mapping.map(op.getResult(0), function);
    else
      emitter.builder.clone(op, mapping);
  }
  return mapping.lookup(block.getTerminator()->getOperand(0));
}
