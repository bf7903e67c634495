#include "compiler/codegen/x86/VectorRegion.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::tcc::x86;

void VectorRegion::emitOp(Operation &op) {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  Value result = op.getResult(0);
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto value = cast<FloatAttr>(constant.getValue()).getValueAsDouble();
    return mapping.map(result, emitter.constant(static_cast<float>(value)));
  }
  if (isa<math::ExpOp>(op))
    return mapping.map(result,
                       emitter.exponential(mapping.lookup(op.getOperand(0))));
  if (isa<math::RsqrtOp>(op)) {
    Value root = math::SqrtOp::create(builder, location,
                                      mapping.lookup(op.getOperand(0)));
    return mapping.map(
        result,
        arith::DivFOp::create(builder, location, emitter.constant(1.0f), root));
  }
  Operation *clone = builder.clone(op, mapping);
  clone->getResult(0).setType(emitter.floats());
}

void VectorRegion::emitKnown() {
  for (Operation &op : block->without_terminator())
    if (!mapping.contains(op.getResult(0)) &&
        llvm::all_of(op.getOperands(),
                     [&](Value operand) { return mapping.contains(operand); }))
      emitOp(op);
}

Value VectorRegion::emitRest() {
  IRMapping before = mapping;
  for (Operation &op : block->without_terminator())
    if (!mapping.contains(op.getResult(0)))
      emitOp(op);
  Value result = mapping.lookup(block->getTerminator()->getOperand(0));
  mapping = before;
  return result;
}
