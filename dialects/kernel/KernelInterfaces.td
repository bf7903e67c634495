// Interfaces by which the compiler asks a `kernel` op about itself.

#ifndef TCC_DIALECTS_KERNEL_INTERFACES_TD
#define TCC_DIALECTS_KERNEL_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Kernel_KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::mlir::tcc::kernel";
  let description = [{
    An op that is one launch. `rows` is the number of rows of its result: new
    tokens, or rows whose logits are asked for.
  }];
  let methods = [
    InterfaceMethod<[{
      Returns the number of independent tiles, as a map `(rows) -> (tiles)` that
      is linear: some of the tiles may turn out to be empty.
    }], "::mlir::AffineMap", "getTiles">,
    InterfaceMethod<[{
      Returns the bytes of memory of its own that each thread needs, as a map
      `(rows) -> (bytes)`.
    }], "::mlir::AffineMap", "getScratchBytes">,
    InterfaceMethod<[{
      Returns the floating-point operations of one launch, a fused multiply-add
      counting as two, for `rows` tokens of one sequence that has `cached` positions
      before them; each attends to those up to itself.
    }], "int64_t", "getFlops", (ins "int64_t":$rows, "int64_t":$cached)>,
    InterfaceMethod<[{
      Returns the bytes that one launch moves from and to memory if every byte is
      moved once, for the same tokens.
    }], "int64_t", "getBytes", (ins "int64_t":$rows, "int64_t":$cached)>
  ];
}

#endif // TCC_DIALECTS_KERNEL_INTERFACES_TD
