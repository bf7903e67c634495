// The ways to compute a linear layer; LinearKernel.cpp chooses by the
// configuration, and has the one that takes anything.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_LINEARFORMS_H
#define TCC_COMPILER_CODEGEN_NVPTX_LINEARFORMS_H

#include "compiler/codegen/nvptx/Kernels.h"

namespace mlir::tcc::nvptx {

inline kernel::GpuLinearConfigAttr configurationOf(kernel::LinearOp op) {
  return cast<kernel::GpuLinearConfigAttr>(op.getConfiguration());
}

// Many rows, in tensor cores: kind `wgmma`. The tensor maps are those of the
// input, of the weight unless threads decode it, and of the result if copies
// store it.
LogicalResult verifyGemm(kernel::LinearOp op);
LaunchShape shapeOfGemm(kernel::LinearOp op);
void emitGemm(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame);

// Few rows, while the weight streams by: kind `skinny`.
LogicalResult verifySkinny(kernel::LinearOp op);
LaunchShape shapeOfSkinny(kernel::LinearOp op);
void emitSkinnyPrefetch(Emitter &emitter, kernel::LinearOp op,
                        const KernelFrame &frame);
void emitSkinny(Emitter &emitter, kernel::LinearOp op,
                const KernelFrame &frame);

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_LINEARFORMS_H
