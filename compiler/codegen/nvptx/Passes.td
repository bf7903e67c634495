// The passes of phase `codegen/nvptx`: `kernel` on memrefs to LLVM.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_PASSES_TD
#define TCC_COMPILER_CODEGEN_NVPTX_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerKernelsToGpuPass : Pass<"tcc-lower-kernels-to-gpu", "::mlir::ModuleOp"> {
  let summary = "Lower kernels to the code of a thread of a GPU";
  let description = [{
    Replaces every function of one kernel op on memrefs,

    ```
    func.func @name(%x: memref<?x12xf32>, ...) attributes {kernel.rows = "tokens"} {
      kernel.linear %x, ...
      return
    }
    ```

    by a kernel with pointers to the arguments, the sizes of the step in global memory,
    and the number of tiles:

    ```
    llvm.func @name(%x: !llvm.ptr<1>, ..., %sizes: !llvm.ptr<1>, %tiles: i64)
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128>}
    ```

    Block `b` of `n` computes the tiles `b`, `b + n`, and so on. The body is loops of
    `scf`, scalars of `arith` and `math`, and loads and stores of `llvm`; shared memory
    is globals of the module.

    A module with a plan is refused: its launches have the arguments that the functions
    had. Phase `codegen` runs the pass on copies of the functions alone.

    Numerics: as each kernel op says; sums over a row are formed by each thread, then
    over its warp, then over the block.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect"];
}

#endif // TCC_COMPILER_CODEGEN_NVPTX_PASSES_TD
