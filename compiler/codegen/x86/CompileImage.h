// Compiles kernels to one flat image of machine code.

#ifndef TCC_COMPILER_CODEGEN_X86_COMPILEIMAGE_H
#define TCC_COMPILER_CODEGEN_X86_COMPILEIMAGE_H

#include "compiler/target/CompiledImage.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::tcc::x86 {

/// Compiles every function of `module` that holds a kernel op on memrefs, for the
/// CPU `march`; the module stays as it is. A kernel has the signature
///
///   void(void *const *arguments, const int64_t *sizes, int64_t begin,
///        int64_t end, void *scratch)
///
/// of `Launch` in runtime/schema/Executable.fbs, with the arguments of the
/// function in their order. Failures are diagnostics that name op or symbol.
///
/// \param reproducer Opens the file for the IR and the passes if one of them fails
///                   or crashes.
FailureOr<CompiledImage> compileImage(ModuleOp module, llvm::StringRef march,
                                      ReproducerStreamFactory reproducer,
                                      ImageText text = ImageText::None);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_COMPILEIMAGE_H
