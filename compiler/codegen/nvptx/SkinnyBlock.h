// The threads of a kernel of kind `skinny`, and what they share.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_SKINNYBLOCK_H
#define TCC_COMPILER_CODEGEN_NVPTX_SKINNYBLOCK_H

#include "compiler/codegen/nvptx/Hopper.h"
#include "compiler/codegen/nvptx/LinearForms.h"
#include "compiler/codegen/nvptx/LinearRegions.h"
#include "compiler/target/h100/SkinnyShape.h"

namespace mlir::tcc::nvptx {

/// What the kernel of `op` is made for.
h100::SkinnyShape skinnyShapeOf(kernel::LinearOp op);

/// Sums of a lane in a product on tensor cores.
constexpr int64_t skinnySums = 4;

/// What this thread knows, and how its block shares work with others.
struct SkinnyBlock {
  SkinnyBlock(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame);

  /// Sets what is of this thread.
  void begin();

  /// Calls `write`, which writes to shared memory what others read in `read`:
  /// warps of the block or of the cluster. What `read` reads stays until the
  /// next exchange.
  void exchange(llvm::function_ref<void()> write,
                llvm::function_ref<void()> read);

  Emitter &emitter;
  Hopper hopper;
  kernel::LinearOp op;
  const KernelFrame &frame;
  const h100::RowLayout layout;
  const h100::SkinnyShape shape;
  Value warp, group, quarter; ///< The lane is number 4 * group + quarter.
  Value columnGroup, slice;   ///< Of this warp in its block.
  Value rank;                 ///< Of this block in its cluster.
  Value cluster, clusters;    ///< This one and their number.
  Value firstStep, ownSteps;  ///< Of this block, and of this warp.
  Value shared;               ///< Memory of the block.
  Value firstRow, rows;       ///< Of the input that are there; set later.
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_SKINNYBLOCK_H
