// Interfaces by which the compiler asks a `transformer` op about itself.
//
// A pass must not list the ops it knows: it asks an interface. Adding an op to
// the dialect then never means editing a pass.

#ifndef TCC_DIALECTS_TRANSFORMER_INTERFACES_TD
#define TCC_DIALECTS_TRANSFORMER_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Transformer_RowwiseOpInterface : OpInterface<"RowwiseOpInterface"> {
  let cppNamespace = "::mlir::tcc::transformer";
  let description = [{
    An op whose result row `t` depends on row `t` of its tensor operands that
    have a row for each token, and on nothing else of them. Selecting rows of the
    result is then the same as selecting rows of these operands.
  }];
  let methods = [
    InterfaceMethod<[{
      Returns the operands that have one row for each token.
    }], "::llvm::SmallVector<::mlir::OpOperand *>", "getRowOperands">
  ];
}

// An op that takes all rows of its operands as tokens of one sequence. None is
// left once there is a batch.
def Transformer_OneSequence : NativeOpTrait<"OneSequence"> {
  let cppNamespace = "::mlir::tcc::transformer";
}

#endif // TCC_DIALECTS_TRANSFORMER_INTERFACES_TD
