// The code of each kernel op for GPUs.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_KERNELS_H
#define TCC_COMPILER_CODEGEN_NVPTX_KERNELS_H

#include "compiler/codegen/KernelFunction.h"
#include "compiler/codegen/nvptx/Emitter.h"

namespace mlir::tcc::nvptx {

/// What a kernel gets when it is launched. Integers are i64, the rest pointers
/// to global memory.
struct KernelFrame {
  /// Of the op, in their order: where they begin; those that have rows of the
  /// step, where the first row of the kernel is.
  SmallVector<Value> operands;
  Value firstRow; ///< Of the step that the kernel computes.
  Value rows;     ///< Of the result.
  Value pageTableStride;
  Value tiles;
  /// Generic pointers to the tensor maps of `LaunchShape`. Rows of a map count
  /// from the first one of the step.
  SmallVector<Value> tensorMaps;

  /// Calls `body` for each tile of this block.
  void forTiles(Emitter &emitter, Emitter::Body body) const {
    emitter.loop(emitter.blockNumber(), tiles, emitter.blockCount(), body);
  }
};

/// Matrices of an operand, a box of which is copied at once; as
/// `schema::TensorMap`.
struct TensorMap {
  unsigned operand; ///< Of the op.
  Type element;
  int64_t columns;
  int64_t rows; ///< Or `rowsOfStep`.
  int64_t rowBytes;
  int64_t boxColumns, boxRows;
  int64_t swizzle = 128; ///< Bytes.
  int64_t offset = 0;    ///< Bytes from where the operand begins.
  int64_t planes = 1, planeBytes = 0;
};

/// The rows up to the last one of the step that the kernel computes.
constexpr int64_t rowsOfStep = -1;

/// How a kernel is launched.
struct LaunchShape {
  int64_t threads = 128;   ///< Of a block.
  int64_t blocks = 0;      ///< The most; 0: as many as there are tiles.
  int64_t cluster = 1;     ///< Blocks of a cluster, which divides `blocks`.
  int64_t sharedBytes = 0; ///< What Emitter::dynamicSharedMemory has.
  /// How many blocks a multiprocessor shall have room for; 0: does not matter.
  int64_t blocksOfMultiprocessor = 0;
  SmallVector<TensorMap> tensorMaps;
};

/// Whether `operand` of `op` has rows of the step, which may begin anywhere:
/// all code here reads and writes them by their stride.
bool takesViews(Operation *op, Value operand);

/// How the kernel of `op` is launched.
LaunchShape shapeOf(Operation *op);
LaunchShape shapeOf(kernel::LinearOp op);
LaunchShape shapeOf(kernel::AttentionOp op);
LaunchShape shapeOf(kernel::SampleOp op);

/// Verifies that `op` can be computed as its configuration says.
LogicalResult verifyKernel(kernel::LinearOp op);
LogicalResult verifyKernel(kernel::AttentionOp op);

void emitKernel(Emitter &emitter, kernel::EmbeddingOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::GatherRowsOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::RMSNormOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::SampleOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::RotaryAppendOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::AttentionOp op,
                const KernelFrame &frame);
void emitKernel(Emitter &emitter, kernel::LinearOp op,
                const KernelFrame &frame);

/// What the kernel of `op` does while the launch before still runs; the frame
/// has but operands.
void emitPrefetch(Emitter &emitter, kernel::LinearOp op,
                  const KernelFrame &frame);

/// Where the elements of row `row` of an operand of type `type` begin.
Value emitRow(Emitter &emitter, Type type, Value memory, Value row);

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_KERNELS_H
