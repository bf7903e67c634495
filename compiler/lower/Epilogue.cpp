#include "compiler/lower/Epilogue.h"

#include "dialects/kernel/Kernel.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::tcc;

/// silu(gate) * value.
static Value buildGatedUnit(OpBuilder &builder, Location location, Value gate,
                            Value value) {
  Value one = arith::ConstantOp::create(builder, location,
                                        builder.getF32FloatAttr(1.0f));
  Value negated = arith::NegFOp::create(builder, location, gate);
  Value power = math::ExpOp::create(builder, location, negated);
  Value divisor = arith::AddFOp::create(builder, location, power, one);
  Value silu = arith::DivFOp::create(builder, location, gate, divisor);
  return arith::MulFOp::create(builder, location, silu, value);
}

void tcc::buildEpilogue(OpBuilder &builder, Location location, Region &region,
                        const Epilogue &epilogue) {
  if (epilogue.isIdentity())
    return;
  OpBuilder::InsertionGuard guard(builder);
  size_t sums = epilogue.paired ? 2 : 1;
  SmallVector<Type> types(sums + epilogue.operands.size(),
                          builder.getF32Type());
  SmallVector<Location> locations(types.size(), location);
  Block *block = builder.createBlock(&region, {}, types, locations);
  SmallVector<Value> values(block->getArguments().take_front(sums));
  auto next = block->getArguments().drop_front(sums).begin();
  if (epilogue.biased)
    for (Value &value : values)
      value = arith::AddFOp::create(builder, location, value, *next++);
  Value result = epilogue.gated
                     ? buildGatedUnit(builder, location, values[0], values[1])
                     : values[0];
  if (epilogue.hasGate)
    result = buildGatedUnit(builder, location, *next++, result);
  if (epilogue.residual)
    result = arith::AddFOp::create(builder, location, result, *next++);
  kernel::YieldOp::create(builder, location, result);
}

Type tcc::chooseOperand(const CostModel &costs, Value input, Value weight,
                        bool quantises) {
  return costs.chooseOperand(
      cast<ShapedType>(input.getType()).getElementType(),
      cast<ShapedType>(weight.getType()).getElementType(), quantises);
}

Value tcc::findUnrounded(Value input) {
  auto round = input.getDefiningOp<arith::TruncFOp>();
  return round ? round.getIn() : input;
}
