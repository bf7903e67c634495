// The code of each kernel op.

#ifndef TCC_COMPILER_CODEGEN_X86_KERNELS_H
#define TCC_COMPILER_CODEGEN_X86_KERNELS_H

#include "compiler/codegen/KernelFunction.h"
#include "compiler/codegen/x86/Emitter.h"

namespace mlir::tcc::x86 {

/// What a kernel gets when it is called: see `Launch` in
/// runtime/schema/Executable.fbs. Integers are i64, the rest pointers.
struct KernelFrame {
  SmallVector<Value> operands; ///< Of the op, in their order: where they begin.
  Value rows;                  ///< Of the result.
  Value pageTableStride;
  Value begin, end; ///< Tiles to compute.
  Value scratch;    ///< Memory of this thread, aligned to 64 bytes.
};

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
void emitKernel(Emitter &emitter, kernel::LatentAppendOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::LatentAttentionOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::ExpandedAttentionOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::LinearOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::GroupedLinearOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::HeadLinearOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::RouteOp op, const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::DispatchOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::CombineOp op,
                const KernelFrame &frame);

/// The mean of the squares of `count` elements at `source`, in all lanes.
Value emitMeanSquare(Emitter &emitter, Type element, Value source,
                     int64_t count);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_KERNELS_H
