// Calls, loops and conditions. A block is entered and left through the frames of
// the execution, never by a C++ call.

#include "compiler/interpreter/Interpretations.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::tcc;

static SmallVector<RuntimeValue> valuesOf(ValueRange operands,
                                          Execution &execution) {
  return llvm::map_to_vector(operands, [&](Value operand) {
    return execution.getValue(operand);
  });
}

static LogicalResult interpretCall(func::CallOp op, Execution &execution) {
  auto callee =
      execution.getModule().lookupSymbol<FunctionOpInterface>(op.getCallee());
  if (!callee)
    return op.emitOpError("expected a function '")
           << op.getCallee() << "', got a module without it";
  return execution.call(op, callee, valuesOf(op.getOperands(), execution));
}

/// Any terminator that gives its operands to the op around it.
template <typename OpT>
static LogicalResult interpretLeave(OpT op, Execution &execution) {
  return execution.leave(op->getOperands());
}

//===----------------------------------------------------------------------===//
// scf
//===----------------------------------------------------------------------===//

namespace {
/// A loop enters its body once for each iteration.
struct InterpretedFor
    : InterpretableOpInterface::ExternalModel<InterpretedFor, scf::ForOp> {
  LogicalResult interpret(Operation *op, Execution &execution) const {
    auto loop = cast<scf::ForOp>(op);
    int64_t step = execution.getInteger(loop.getStep());
    if (step <= 0)
      return op->emitOpError("expected a positive step, got ") << step;
    return iterate(loop, execution.getInteger(loop.getLowerBound()),
                   valuesOf(loop.getInitArgs(), execution), execution);
  }

  LogicalResult resume(Operation *op, Execution &execution,
                       ArrayRef<RuntimeValue> values) const {
    auto loop = cast<scf::ForOp>(op);
    int64_t next = execution.getInteger(loop.getInductionVar()) +
                   execution.getInteger(loop.getStep());
    return iterate(loop, next, values, execution);
  }

private:
  /// Enters the body at `number`, or ends the loop.
  static LogicalResult iterate(scf::ForOp loop, int64_t number,
                               ArrayRef<RuntimeValue> carried,
                               Execution &execution) {
    if (number >= execution.getInteger(loop.getUpperBound())) {
      for (auto [result, value] : llvm::zip_equal(loop.getResults(), carried))
        execution.setValue(result, value);
      return success();
    }
    Tensor scalar({}, {static_cast<double>(number)});
    SmallVector<RuntimeValue> arguments = {
        {std::make_shared<Tensor>(std::move(scalar)), nullptr}};
    arguments.append(carried.begin(), carried.end());
    execution.enter(loop, *loop.getBody(), arguments);
    return success();
  }
};
} // namespace

static LogicalResult interpretIf(scf::IfOp op, Execution &execution) {
  bool condition = execution.getInteger(op.getCondition()) != 0;
  Region &region = condition ? op.getThenRegion() : op.getElseRegion();
  if (!region.empty())
    execution.enter(op, region.front(), {});
  return success();
}

void tcc::attachFunctionInterpretations(MLIRContext *context) {
  attach<func::CallOp, interpretCall>(context);
  attach<func::ReturnOp, interpretLeave<func::ReturnOp>>(context);
}

void tcc::attachControlFlowInterpretations(MLIRContext *context) {
  scf::ForOp::attachInterface<InterpretedFor>(*context);
  attach<scf::IfOp, interpretIf>(context);
  attach<scf::YieldOp, interpretLeave<scf::YieldOp>>(context);
}
