// The passes of phase `codegen/x86`: `kernel` on memrefs to LLVM.

#ifndef TCC_COMPILER_CODEGEN_X86_PASSES_TD
#define TCC_COMPILER_CODEGEN_X86_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerKernelsPass : Pass<"tcc-lower-kernels", "::mlir::ModuleOp"> {
  let summary = "Lower kernels to loops and vectors";
  let description = [{
    Replaces every function of one kernel op on memrefs,

    ```
    func.func @name(%x: memref<?x12xf32>, ...) attributes {kernel.rows = "tokens"} {
      kernel.linear %x, ...
      return
    }
    ```

    by a function that the runtime calls, with pointers to the arguments, the sizes
    of the step, a range of tiles and memory of the thread:

    ```
    func.func @name(%arguments: !llvm.ptr, %sizes: !llvm.ptr, %begin: i64,
                    %end: i64, %scratch: !llvm.ptr)
    ```

    Its body is loops of `scf`, vectors of `vector` and `arith` as wide as the
    registers of the target, and loads and stores of `llvm`.

    A module with a plan is refused: its launches have the arguments that the functions
    had. Phase `codegen` runs the pass on copies of the functions alone.

    Numerics: as each kernel op says, in the order that Product.h states.
  }];
  let options = [
    Option<"march", "march", "std::string", "\"native\"",
        "x86-64-v3, x86-64-v4, a CPU that LLVM knows, or native">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::x86vector::X86VectorDialect"];
}

#endif // TCC_COMPILER_CODEGEN_X86_PASSES_TD
