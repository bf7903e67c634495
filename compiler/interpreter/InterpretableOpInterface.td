// The interface by which the interpreter executes an op.

#ifndef TCC_COMPILER_INTERPRETER_INTERPRETABLEOPINTERFACE_TD
#define TCC_COMPILER_INTERPRETER_INTERPRETABLEOPINTERFACE_TD

include "mlir/IR/OpBase.td"

def InterpretableOpInterface : OpInterface<"InterpretableOpInterface"> {
  let cppNamespace = "::mlir::tcc";
  let description = [{
    An op that the interpreter can execute. It is attached from outside, as an
    external model, so that dialects do not know the interpreter; an op joins by
    one line of registration, and the driver is not edited.
  }];
  let methods = [
    InterfaceMethod<[{
      Executes the op: reads its operands from `execution` and sets its results
      there, or enters a block, or, as a terminator, leaves one. What is wrong is
      a diagnostic at the op.
    }], "::llvm::LogicalResult", "interpret",
    (ins "::mlir::tcc::Execution &":$execution)>,
    InterfaceMethod<[{
      Goes on after a block that the op entered was left with `values`. Unless
      the op says otherwise they become its results.
    }], "::llvm::LogicalResult", "resume",
    (ins "::mlir::tcc::Execution &":$execution,
         "::llvm::ArrayRef<::mlir::tcc::RuntimeValue>":$values),
    [{}], [{
      for (auto [result, value] : llvm::zip_equal($_op->getResults(), values))
        execution.setValue(result, value);
      return ::mlir::success();
    }]>
  ];
}

#endif // TCC_COMPILER_INTERPRETER_INTERPRETABLEOPINTERFACE_TD
