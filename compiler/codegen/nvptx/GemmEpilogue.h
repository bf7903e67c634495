// What becomes of the sums of tensor cores: the epilogue of a linear layer, in
// registers, and the stores of its result.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_GEMMEPILOGUE_H
#define TCC_COMPILER_CODEGEN_NVPTX_GEMMEPILOGUE_H

#include "compiler/codegen/nvptx/GemmLayout.h"

#include <array>

namespace mlir::tcc::nvptx {

/// For the threads of one of the warpgroups that multiply.
class GemmEpilogue {
public:
  /// \param warp The number of this thread's warp in those warpgroups.
  GemmEpilogue(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame,
               const GemmLayout &layout, Value warp);

  /// Makes the results of 64 rows from `row` on, counted from the first one of
  /// the kernel, and of the columns of a tile from `column` on. `sums` are
  /// those of WarpgroupProduct.
  void emit(Value row, Value column, ValueRange sums);

  /// Waits until memory has all of them.
  void finish();

private:
  /// Two neighbouring columns of a row, in f32.
  using Pair = std::array<Value, 2>;

  /// This thread's columns of the tile in a row of an operand or the result.
  struct Row {
    ShapedType type;
    Value begin;
  };

  void beginTile(Value row, Value column);
  Row rowOf(Type type, Value memory, Value row);
  bool hasPairs(ShapedType type);
  void whenColumn(int64_t column, llvm::function_ref<void()> body);
  SmallVector<Value> loadColumns(const Row &row, int64_t column, int64_t count);
  Pair loadPair(const Row &row, int64_t column);
  SmallVector<Pair> loadRow(const Row &row, int64_t column, int64_t count);
  SmallVector<Pair> loadOperand(Value operand, Value memory, size_t half,
                                int64_t column, int64_t count);
  SmallVector<Pair> makeResults(size_t half, int64_t column, int64_t count,
                                ValueRange sums);
  void storePair(const Row &row, int64_t column, const Pair &results);
  void storeRow(size_t half, int64_t column, ArrayRef<Pair> results);
  void copyPiece(int64_t column, ArrayRef<Pair> upper, ArrayRef<Pair> lower);

  Value isFirstLane() {
    return emitter.compare(arith::CmpIPredicate::eq, lane, emitter.integer(0));
  }

  Emitter &emitter;
  Hopper hopper;
  kernel::LinearOp op;
  const KernelFrame &frame;
  const GemmLayout &layout;
  Value warp, lane;
  Value pieces;                     ///< Of this warp, in shared memory.
  Value firstRow;                   ///< Of this warp.
  Value tileColumn;                 ///< The first one of the tile.
  Value column;                     ///< The first one of this thread.
  std::array<Value, 2> rows, isRow; ///< Of this thread; whether it is there.
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_GEMMEPILOGUE_H
