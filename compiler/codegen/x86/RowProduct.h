// Products of rows with rows, such as queries with keys that lie one after
// another.

#ifndef TCC_COMPILER_CODEGEN_X86_ROWPRODUCT_H
#define TCC_COMPILER_CODEGEN_X86_ROWPRODUCT_H

#include "compiler/codegen/x86/Emitter.h"

namespace mlir::tcc::x86 {

/// The most others of a tile. A sum of each must fit into a vector.
constexpr int64_t mostOthers = 8;

/// sums[r][s] = sum_k inputs[r][k] * others[s][k].
///
/// Lane `l` of a vector adds up, one by one, the words of 4 bytes whose number
/// is `l` modulo the lanes: elements of f32, or pairs of bf16 by dot products.
/// Then the lanes are added pairwise. That order depends on the target alone.
struct RowProduct {
  bool dot;            ///< Rows are bf16, else f32.
  int64_t words;       ///< Of a row, a multiple of the lanes.
  Value inputs;        ///< Row 0.
  int64_t inputStride; ///< Bytes from one row to the next.
  Value others;        ///< Row 0.
  Value otherRows;     ///< More are read, up to a multiple of `mostOthers`.
  int64_t otherStride; ///< Bytes from one row to the next.
  Value sums;          ///< f32, row 0, column 0.
  int64_t sumStride;   ///< Bytes from one row to the next.
  /// What is read after the others, as many rows, and bytes from one of them to
  /// the next: it is asked for at the pace at which others are read.
  Value ahead;
  int64_t aheadStride;
};

/// Emits the product for `rows` rows of the inputs, which is dynamic, in tiles
/// of at most `tileRows` by so many others as `tileColumns` are vectors; fewer
/// rows get more others.
void emitRowProduct(Emitter &emitter, const RowProduct &product, Value rows,
                    int64_t tileRows, int64_t tileColumns);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_ROWPRODUCT_H
