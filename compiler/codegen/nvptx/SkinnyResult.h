// How the sums of a kernel of kind `skinny` come together, and its result.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_SKINNYRESULT_H
#define TCC_COMPILER_CODEGEN_NVPTX_SKINNYRESULT_H

#include "compiler/codegen/nvptx/SkinnyBlock.h"

namespace mlir::tcc::nvptx {

/// For all threads of the blocks of a cluster.
class SkinnyResult {
public:
  explicit SkinnyResult(SkinnyBlock &block)
      : block(block), emitter(block.emitter), hopper(block.hopper),
        op(block.op), frame(block.frame), layout(block.layout),
        shape(block.shape) {}

  /// Sets where sums are in shared memory.
  void begin() { partials = emitter.offset(block.shared, shape.partialsAt); }

  /// Stores the sums of this warp in a tile to shared memory.
  void storePartials(ValueRange sums) {
    shape.usesTensorCores ? storeSums(sums) : storeSumsOfFloats(sums);
  }
  /// Stores the results of a tile; the threads of all blocks share them.
  void storeResults(Value tile);

private:
  void storeSums(ValueRange sums);
  void storeSumsOfFloats(ValueRange sums);
  void storePartial(Value sum, Value row, Value column);
  Value sumOfPartials(Value row, Value column);

  SkinnyBlock &block;
  Emitter &emitter;
  Hopper &hopper;
  kernel::LinearOp op;
  const KernelFrame &frame;
  const h100::RowLayout &layout;
  const h100::SkinnyShape &shape;
  Value partials; ///< In shared memory.
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_SKINNYRESULT_H
