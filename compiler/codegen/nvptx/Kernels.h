// The code of each kernel op for GPUs.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_KERNELS_H
#define TCC_COMPILER_CODEGEN_NVPTX_KERNELS_H

#include "compiler/codegen/KernelFunction.h"
#include "compiler/codegen/nvptx/Emitter.h"

namespace mlir::tcc::nvptx {

/// What a kernel gets when it is launched. Integers are i64, the rest pointers
/// to global memory.
struct KernelFrame {
  SmallVector<Value> operands; ///< Of the op, in their order: where they begin.
  Value rows;                  ///< Of the result.
  Value pageTableStride;
  Value tiles;

  /// Calls `body` for each tile of this block.
  void forTiles(Emitter &emitter, Emitter::Body body) const {
    emitter.loop(emitter.blockNumber(), tiles, emitter.blockCount(), body);
  }
};

/// Threads of a block of the kernel of `op`.
int64_t threadsOf(Operation *op);

void emitKernel(Emitter &emitter, kernel::EmbeddingOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::GatherRowsOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::RMSNormOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::RotaryAppendOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::AttentionOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::LinearOp op,
                const KernelFrame &frame);

/// Where the elements of row `row` of an operand of type `type` begin.
Value emitRow(Emitter &emitter, Type type, Value memory, Value row);

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_KERNELS_H
