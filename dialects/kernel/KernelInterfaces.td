// Interfaces by which the compiler asks a `kernel` op about itself, and an op its
// attributes, of which each target has its own.

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

def Kernel_PackingAttrInterface : AttrInterface<"PackingAttrInterface"> {
  let cppNamespace = "::mlir::tcc::kernel";
  let description = [{
    The order of the elements of a weight `NxK` in memory.
  }];
  let methods = [
    InterfaceMethod<[{
      Returns whether the rows `n` and `n + N/2` belong together.
    }], "bool", "getPaired">
  ];
}

def Kernel_LinearConfigAttrInterface : AttrInterface<"LinearConfigAttrInterface"> {
  let cppNamespace = "::mlir::tcc::kernel";
  let description = [{
    How a linear layer is computed on one target.
  }];
  let methods = [
    InterfaceMethod<[{
      Verifies that `op`, which has `weight` in `packing` and rounds its input to
      `operand`, can be computed so.
    }], "::llvm::LogicalResult", "verifyLayer",
      (ins "::mlir::Operation *":$op, "::mlir::ShapedType":$weight,
        "::mlir::tcc::kernel::PackingAttrInterface":$packing,
        "::mlir::Type":$operand)>,
    InterfaceMethod<[{
      Returns whether kernels read their input through a prologue.
    }], "bool", "takesPrologue">,
    InterfaceMethod<[{
      Returns the number of tiles of a weight of `weightRows` rows in `packing`, as a
      map `(rows) -> (tiles)`.
    }], "::mlir::AffineMap", "getTiles",
      (ins "::mlir::tcc::kernel::PackingAttrInterface":$packing,
        "int64_t":$weightRows)>,
    InterfaceMethod<[{
      Returns the bytes of memory of its own that each thread needs for a weight of
      `depth` input columns in `packing`.
    }], "int64_t", "getScratchBytes",
      (ins "::mlir::tcc::kernel::PackingAttrInterface":$packing, "int64_t":$depth)>
  ];
}

def Kernel_AttentionConfigAttrInterface
    : AttrInterface<"AttentionConfigAttrInterface"> {
  let cppNamespace = "::mlir::tcc::kernel";
  let description = [{
    How attention over a cache is computed on one target.
  }];
  let methods = [
    InterfaceMethod<[{
      Verifies that `op`, over pages of `cache` whose heads serve `group` query heads
      each, can be computed so.
    }], "::llvm::LogicalResult", "verifyAttention",
      (ins "::mlir::Operation *":$op,
        "const ::mlir::tcc::kernel::CacheAttr &":$cache, "int64_t":$group)>,
    InterfaceMethod<[{
      Returns the bytes of memory of its own that each thread needs for pages of
      `cache` whose heads serve `group` query heads each.
    }], "int64_t", "getScratchBytes",
      (ins "const ::mlir::tcc::kernel::CacheAttr &":$cache, "int64_t":$group)>
  ];
}

#endif // TCC_DIALECTS_KERNEL_INTERFACES_TD
