// Compiles kernels to PTX.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_COMPILEPTX_H
#define TCC_COMPILER_CODEGEN_NVPTX_COMPILEPTX_H

#include "compiler/target/CompiledImage.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::tcc::nvptx {

/// Compiles every function of `module` that holds a kernel op on memrefs; the
/// module stays as it is. A kernel has the parameters that the pass
/// tcc-lower-kernels-to-gpu gives it. Failures are diagnostics that name op or
/// symbol.
///
/// \param reproducer Opens the file for the IR and the passes if one of them
/// fails
///                   or crashes.
FailureOr<CompiledImage> compilePtx(ModuleOp module,
                                    ReproducerStreamFactory reproducer,
                                    ImageText text = ImageText::None);

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_COMPILEPTX_H
