// The ways to compute attention; AttentionKernel.cpp chooses by the
// configuration, and has the one that takes anything.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_ATTENTIONFORMS_H
#define TCC_COMPILER_CODEGEN_NVPTX_ATTENTIONFORMS_H

#include "compiler/codegen/nvptx/Kernels.h"

namespace mlir::tcc::nvptx {

inline kernel::GpuAttentionConfigAttr configurationOf(kernel::AttentionOp op) {
  return cast<kernel::GpuAttentionConfigAttr>(op.getConfiguration());
}

// Few queries over long contexts: kind `split`.
bool hasSplitAttention(kernel::AttentionOp op);
LaunchShape shapeOfSplitAttention(kernel::AttentionOp op);
void emitSplitAttention(Emitter &emitter, kernel::AttentionOp op,
                        const KernelFrame &frame);

// The queries of prompts: kind `wgmma`.
bool hasFlashAttention(kernel::AttentionOp op);
LaunchShape shapeOfFlashAttention(kernel::AttentionOp op);
void emitFlashAttention(Emitter &emitter, kernel::AttentionOp op,
                        const KernelFrame &frame);

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_ATTENTIONFORMS_H
