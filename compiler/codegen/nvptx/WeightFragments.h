// Rows of a weight in shared memory, and in registers as products want them.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_WEIGHTFRAGMENTS_H
#define TCC_COMPILER_CODEGEN_NVPTX_WEIGHTFRAGMENTS_H

#include "compiler/codegen/nvptx/Emitter.h"
#include "compiler/target/h100/SkinnyShape.h"

namespace mlir::tcc::nvptx {

/// Steps of a weight (h100::SkinnyShape) in the stages of a warp.
///
/// Of a unit of 32 elements of K, lane `4 g + q` has the elements 8 q to 8 q +
/// 7 of rows `g` and `g + 8`: half 0 and half 1.
class WeightFragments {
public:
  /// The weight at `memory`, of elements `element`.
  WeightFragments(Emitter &emitter, const h100::RowLayout &layout,
                  const h100::SkinnyShape &shape, Type element, Value memory);

  /// Begins to copy step `step` of the 16 rows from `row` on to `stage`. Rows
  /// behind the last one are the last one; what is behind K is zero.
  void copy(Value row, Value step, Value stage);

  /// Reads the numbers of the blocks in a step, for what follows.
  void loadHeaders(Value stage);

  /// The elements of a unit, in pairs as bf16 in words: without scale.
  SmallVector<Value> pairs(Value stage, int64_t half, int64_t unit);
  /// The same as f32, with scale.
  SmallVector<Value> floats(Value stage, int64_t half, int64_t unit);

  bool isInBlocks() const { return shape.headers > 0; }
  bool hasMinima() const { return shape.headers > 1; }
  Value scale(int64_t half, int64_t unit) { return loaded[half][unit]; }
  Value minimum(int64_t half, int64_t unit) { return loaded[2 + half][unit]; }

private:
  void copyHeaders(Value row, Value step, Value stage);
  Value swizzle(Value row, Value chunk);
  Value placeOf(int64_t half, int64_t unit);
  SmallVector<Value> pairsOf(Value word);

  Emitter &emitter;
  const h100::RowLayout &layout;
  const h100::SkinnyShape &shape;
  Type element;
  Value memory;
  int64_t unitBytes; ///< Of a row.
  Value lane, group, quarter;
  Value firstPlace; ///< Of this lane in half 0 of unit 0.
  /// Numbers of blocks, as f32: [number, half][unit].
  SmallVector<SmallVector<Value>, 4> loaded;
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_WEIGHTFRAGMENTS_H
