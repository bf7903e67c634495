// `arith`, on scalars and elementwise on tensors.

#include "compiler/interpreter/Interpretations.h"
#include "compiler/interpreter/Rounding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::tcc;

/// Beyond this size not every integer is an f64.
static constexpr double maxInteger = 9007199254740992.0; // 2^53

/// Fills `tensor` with the elements of `attribute`.
static LogicalResult fillFrom(DenseElementsAttr attribute, Tensor &tensor) {
  if (isa<FloatType>(attribute.getElementType())) {
    llvm::transform(attribute.getValues<APFloat>(), tensor.values.begin(),
                    [](APFloat value) {
                      bool inexact;
                      value.convert(APFloat::IEEEdouble(),
                                    APFloat::rmNearestTiesToEven, &inexact);
                      return value.convertToDouble();
                    });
    return success();
  }
  if (!attribute.getElementType().isIntOrIndex())
    return failure();
  // A boolean is 0 or 1, other integers have a sign.
  bool isBoolean = attribute.getElementType().isInteger(1);
  llvm::transform(attribute.getValues<APInt>(), tensor.values.begin(),
                  [&](const APInt &value) {
                    return isBoolean ? static_cast<double>(value.getZExtValue())
                                     : static_cast<double>(value.getSExtValue());
                  });
  return success();
}

static LogicalResult interpretConstant(arith::ConstantOp op,
                                       Execution &execution) {
  // A scalar is a tensor of rank 0 here, and so is its attribute.
  auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
  SmallVector<int64_t> shape;
  if (elements)
    shape.assign(elements.getType().getShape().begin(),
                 elements.getType().getShape().end());
  else if (isa<FloatAttr, IntegerAttr>(op.getValue()))
    elements = DenseElementsAttr::get(
        RankedTensorType::get({}, op.getType()), Attribute(op.getValue()));
  if (!elements)
    return op.emitOpError("expected numbers, got ") << op.getValue();

  FailureOr<Tensor> tensor = execution.allocate(op, shape);
  if (failed(tensor))
    return failure();
  if (failed(fillFrom(elements, *tensor)))
    return op.emitOpError("expected numbers, got ") << op.getValue();
  return execution.set(op->getResult(0), std::move(*tensor));
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// Verifies that integers stay exact in f64.
static LogicalResult verifyExact(Operation *op, const Tensor &tensor) {
  if (!getElementTypeOrSelf(op->getResult(0)).isIntOrIndex())
    return success();
  for (double value : tensor.values)
    if (!(std::abs(value) < maxInteger))
      return op->emitOpError("expected an integer of at most 53 bits, got ")
             << value;
  return success();
}

/// Applies `function` to the elements of all operands at a time.
static LogicalResult
mapElements(Operation *op, Execution &execution,
            function_ref<double(ArrayRef<double>)> function) {
  SmallVector<const Tensor *> operands;
  for (Value operand : op->getOperands())
    operands.push_back(&execution.get(operand));
  ArrayRef<int64_t> shape = operands.back()->shape;
  FailureOr<Tensor> result = execution.allocate(op, shape);
  if (failed(result))
    return failure();
  for (const Tensor *operand : operands)
    if (failed(verifySameShape(op, "operands", *operand, *operands.back())))
      return failure();

  SmallVector<double> elements(operands.size());
  for (size_t i = 0; i < result->values.size(); ++i) {
    for (auto [element, operand] : llvm::zip_equal(elements, operands))
      element = operand->values[i];
    result->values[i] = function(elements);
  }
  if (failed(verifyExact(op, *result)))
    return failure();
  return execution.set(op->getResult(0), std::move(*result));
}

template <typename OpT, double (*function)(double)>
static LogicalResult interpretUnary(OpT op, Execution &execution) {
  return mapElements(op, execution,
                     [](ArrayRef<double> x) { return function(x[0]); });
}

template <typename OpT, double (*function)(double, double)>
static LogicalResult interpretBinary(OpT op, Execution &execution) {
  return mapElements(op, execution,
                     [](ArrayRef<double> x) { return function(x[0], x[1]); });
}

/// As `interpretBinary`, for a division of integers.
template <typename OpT, double (*function)(double, double)>
static LogicalResult interpretDivision(OpT op, Execution &execution) {
  if (llvm::is_contained(execution.get(op.getRhs()).values, 0.0))
    return op.emitOpError("expected a divisor other than 0, got 0");
  return interpretBinary<OpT, function>(op, execution);
}

static double identity(double x) { return x; }
static double negate(double x) { return -x; }
static double add(double x, double y) { return x + y; }
static double subtract(double x, double y) { return x - y; }
static double multiply(double x, double y) { return x * y; }
static double divide(double x, double y) { return x / y; }
static double truncatedQuotient(double x, double y) { return std::trunc(x / y); }
static double floorQuotient(double x, double y) { return std::floor(x / y); }
static double ceilQuotient(double x, double y) { return std::ceil(x / y); }
static double remainderOf(double x, double y) { return std::fmod(x, y); }
static double smaller(double x, double y) { return std::min(x, y); }
static double larger(double x, double y) { return std::max(x, y); }

/// NaN if one of them is, as `arith.maximumf` says.
static double maximum(double x, double y) {
  return std::isnan(x) ? x : std::isnan(y) ? y : std::max(x, y);
}

static bool compare(arith::CmpIPredicate predicate, double x, double y) {
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return x == y;
  case arith::CmpIPredicate::ne:
    return x != y;
  case arith::CmpIPredicate::slt:
    return x < y;
  case arith::CmpIPredicate::sle:
    return x <= y;
  case arith::CmpIPredicate::sgt:
    return x > y;
  case arith::CmpIPredicate::sge:
    return x >= y;
  default:
    return false;
  }
}

static LogicalResult interpretCompare(arith::CmpIOp op, Execution &execution) {
  if (op.getPredicate() >= arith::CmpIPredicate::ult)
    return op.emitOpError("expected a signed comparison, got '")
           << arith::stringifyCmpIPredicate(op.getPredicate()) << "'";
  return mapElements(op, execution, [&](ArrayRef<double> x) {
    return compare(op.getPredicate(), x[0], x[1]) ? 1.0 : 0.0;
  });
}

static LogicalResult interpretSelect(arith::SelectOp op,
                                     Execution &execution) {
  bool isScalar = !isa<ShapedType>(op.getCondition().getType());
  if (!isScalar)
    return mapElements(op, execution, [](ArrayRef<double> x) {
      return x[0] != 0 ? x[1] : x[2];
    });
  bool chosen = execution.getInteger(op.getCondition()) != 0;
  execution.setValue(op.getResult(),
                     execution.getValue(chosen ? op.getTrueValue()
                                               : op.getFalseValue()));
  return success();
}

static void attachFloat(MLIRContext *context) {
  attach<arith::AddFOp, interpretBinary<arith::AddFOp, add>>(context);
  attach<arith::SubFOp, interpretBinary<arith::SubFOp, subtract>>(context);
  attach<arith::MulFOp, interpretBinary<arith::MulFOp, multiply>>(context);
  attach<arith::DivFOp, interpretBinary<arith::DivFOp, divide>>(context);
  attach<arith::MaximumFOp, interpretBinary<arith::MaximumFOp, maximum>>(
      context);
  attach<arith::NegFOp, interpretUnary<arith::NegFOp, negate>>(context);
  attach<arith::TruncFOp, interpretUnary<arith::TruncFOp, identity>>(context);
  attach<arith::ExtFOp, interpretUnary<arith::ExtFOp, identity>>(context);
  attach<arith::SIToFPOp, interpretUnary<arith::SIToFPOp, identity>>(context);
  attach<arith::FPToSIOp, interpretUnary<arith::FPToSIOp, std::trunc>>(context);
}

static void attachInteger(MLIRContext *context) {
  attach<arith::AddIOp, interpretBinary<arith::AddIOp, add>>(context);
  attach<arith::SubIOp, interpretBinary<arith::SubIOp, subtract>>(context);
  attach<arith::MulIOp, interpretBinary<arith::MulIOp, multiply>>(context);
  attach<arith::DivSIOp,
         interpretDivision<arith::DivSIOp, truncatedQuotient>>(context);
  attach<arith::FloorDivSIOp,
         interpretDivision<arith::FloorDivSIOp, floorQuotient>>(context);
  attach<arith::CeilDivSIOp,
         interpretDivision<arith::CeilDivSIOp, ceilQuotient>>(context);
  attach<arith::RemSIOp, interpretDivision<arith::RemSIOp, remainderOf>>(
      context);
  attach<arith::MinSIOp, interpretBinary<arith::MinSIOp, smaller>>(context);
  attach<arith::MaxSIOp, interpretBinary<arith::MaxSIOp, larger>>(context);
  attach<arith::IndexCastOp, interpretUnary<arith::IndexCastOp, identity>>(
      context);
  attach<arith::CmpIOp, interpretCompare>(context);
}

void tcc::attachArithInterpretations(MLIRContext *context) {
  attach<arith::ConstantOp, interpretConstant>(context);
  attach<arith::SelectOp, interpretSelect>(context);
  attachFloat(context);
  attachInteger(context);
}
