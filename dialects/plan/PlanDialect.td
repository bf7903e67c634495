// The `plan` dialect: what runs when, and where its buffers are.

#ifndef TCC_DIALECTS_PLAN_DIALECT_TD
#define TCC_DIALECTS_PLAN_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/OpBase.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::mlir::tcc::plan";
  let summary = "When kernels run and where their buffers are";
  let description = [{
    The `plan` dialect states *when* and *where*: launches in order, loops over
    layers, buffers at offsets. It maps one to one to the tables of the executable
    file (`runtime/schema/Executable.fbs`), where each field is explained.

    Everything a launch reads or writes is a symbol; the op that declares it says
    what it is. Sizes are expressions in the sizes of a step, such as
    `2304 T + 64`: `T` new tokens, `B` sequences, `R` rows whose logits are asked
    for. Where attention has two forms, the first `E` sequences, of the first `X`
    tokens, are computed in expanded form, and the other `A = T - X` tokens in
    absorbed form. An attribute holds the constant and the six coefficients.
  }];
}

class Plan_Op<string mnemonic, list<Trait> traits = []>
    : Op<Plan_Dialect, mnemonic, traits>;

#endif // TCC_DIALECTS_PLAN_DIALECT_TD
