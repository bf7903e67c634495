#include "compiler/lower/Rows.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

Value tcc::createDestination(OpBuilder &builder, Location location,
                             RankedTensorType type, Value like) {
  SmallVector<Value> rows;
  if (type.isDynamicDim(0))
    rows.push_back(tensor::DimOp::create(builder, location, like, 0));
  return tensor::EmptyOp::create(builder, location, type, rows);
}
