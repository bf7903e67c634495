// The input of a kernel of kind `skinny`: its prologue, and how it comes to
// shared memory.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_SKINNYINPUT_H
#define TCC_COMPILER_CODEGEN_NVPTX_SKINNYINPUT_H

#include "compiler/codegen/nvptx/SkinnyBlock.h"

namespace mlir::tcc::nvptx {

/// For all threads of a block.
class SkinnyInput {
public:
  explicit SkinnyInput(SkinnyBlock &block)
      : block(block), emitter(block.emitter), hopper(block.hopper),
        op(block.op), frame(block.frame), layout(block.layout),
        shape(block.shape) {}

  /// Sets where it is in shared memory.
  void begin();

  /// Brings the mean squares of the rows to shared memory.
  void computeMeans();
  /// Sets that what follows is for `count` rows or fewer.
  void prepareFor(int64_t count);
  /// Brings the inputs of the steps of `chunk` to shared memory.
  void stage(Value chunk);

  Value inputs;         ///< In shared memory.
  Value totals;         ///< Sums of units, in shared memory.
  int64_t preparedRows; ///< What the code that is emitted is for.
  h100::SkinnyShape::Chunks chunks;

private:
  void sumSquares();
  SmallVector<Value> prepare(Value row, Value rowOfTile, Value k,
                             Value isInside);
  SmallVector<Value> prepareInside(Value row, Value rowOfTile, Value k,
                                   int64_t count);
  void storeTotals(Value unit, Value row, ValueRange values);

  SkinnyBlock &block;
  Emitter &emitter;
  Hopper &hopper;
  kernel::LinearOp op;
  const KernelFrame &frame;
  const h100::RowLayout &layout;
  const h100::SkinnyShape &shape;
  Value squares, means; ///< In shared memory.
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_SKINNYINPUT_H
