// The `kernel` dialect: how one launch computes it.

#ifndef TCC_DIALECTS_KERNEL_DIALECT_TD
#define TCC_DIALECTS_KERNEL_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/OpBase.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::mlir::tcc::kernel";
  let summary = "How one launch computes a part of a model";
  let description = [{
    Each op is one launch: a loop over independent tiles that the runtime deals
    out to threads. Ops pass their destination, like `linalg`: on tensors they
    return it, on memrefs (after `schedule`) they have no result.

    What is particular to a model is a scalar region: the prologue of a linear
    layer makes its operand from an input element (a normalisation), the epilogue
    its result from a sum (a bias, a residual, a gate). What is particular to a
    target is a configuration attribute, which the cost model of that target
    chose.

    A weight keeps its logical type; `#kernel.packing` says in which order its
    elements are in memory.
  }];
  let dependentDialects = ["::mlir::tcc::transformer::TransformerDialect"];
  let useDefaultAttributePrinterParser = 1;
}

class Kernel_Op<string mnemonic, list<Trait> traits = []>
    : Op<Kernel_Dialect, mnemonic, traits>;

class Kernel_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Kernel_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

#endif // TCC_DIALECTS_KERNEL_DIALECT_TD
