#include "compiler/lower/Rows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::tcc;

Value tcc::createDestination(OpBuilder &builder, Location location,
                             RankedTensorType type, Value like) {
  SmallVector<Value> rows;
  if (type.isDynamicDim(0))
    rows.push_back(tensor::DimOp::create(builder, location, like, 0));
  return tensor::EmptyOp::create(builder, location, type, rows);
}

void tcc::setRows(Operation *op, kernel::Rows rows) {
  op->setAttr(kernel::rowsAttribute,
              StringAttr::get(op->getContext(), kernel::stringifyRows(rows)));
}

bool tcc::hasLogitRows(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<transformer::GatherRowsOp>(op))
      return true;
    if (!isa<transformer::RMSNormOp, transformer::LinearOp, arith::TruncFOp>(
            op))
      return false;
    value = op->getOperand(0); // Has the rows of the result.
  }
  return false;
}
