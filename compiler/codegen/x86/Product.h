// The inner loop of every kernel that multiplies: a tile of sums in registers.

#ifndef TCC_COMPILER_CODEGEN_X86_PRODUCT_H
#define TCC_COMPILER_CODEGEN_X86_PRODUCT_H

#include "compiler/codegen/x86/Emitter.h"
#include "compiler/codegen/x86/PackedWeights.h"

namespace mlir::tcc::x86 {

/// In which order products are added up. Part of what a model computes: it
/// follows from the storage of the weights alone.
enum class Summation {
  Chain,  ///< One by one, from the first element of K to the last.
  Groups, ///< In groups of 128 elements, then group by group.
  Blocks, ///< In quantised blocks of 32, each then scaled and added.
};

/// Elements of a group, and of a block.
constexpr int64_t groupDepth = 128, blockDepth = 32;

/// sums[r][c] += sum_k inputs[r][k] * weights[k][c], for a panel of weights.
struct Product {
  /// Format of `weights`: of the checkpoint, or F32 or BF16 (pairs) after
  /// decoding.
  Storage format;
  Summation summation;
  /// Whether inputs are pairs of bf16, multiplied by dot products, or f32.
  bool dot;
  int64_t columns; ///< Of a panel: elements from one k to the next.

  Value inputs;        ///< Row 0, k = 0.
  int64_t inputStride; ///< Bytes from one row to the next.
  Value weights;       ///< k = 0, column 0.
  Value sums;          ///< f32, row 0, column 0.
  int64_t sumStride;   ///< Bytes from one row to the next.
  Value depth;         ///< Elements of K, a multiple of 4, or of 32 in blocks.
  bool startsAtZero;   ///< Sums are written, not added to.

  // Of Blocks only:
  Storage blockFormat;   ///< Format of the packed blocks.
  Value blocks;          ///< Packed blocks from k = 0 on: scales are read from here.
  int64_t blockBytes;    ///< From one block to the next.
  int64_t headerBytes;   ///< Scales and minima of a block.
  int64_t inputSums;     ///< Bytes from row 0 to its sums over blocks, f32.
  Value inputSumsSkip;   ///< Added to it if `inputs` is not at k = 0; may be null.

  /// The same product for the rows from `row` on.
  Product fromRow(Emitter &emitter, Value row) const;
};

/// Emits the product for `rows` rows, which is dynamic, in tiles of at most
/// `tileRows` x `tileColumns`; fewer rows get more columns.
void emitProduct(Emitter &emitter, const Product &product, Value rows,
                 int64_t tileRows, int64_t tileColumns);

/// Emits the product for a number of rows that is at most `tileRows`.
void emitSmallProduct(Emitter &emitter, const Product &product, Value rows,
                      int64_t tileRows, int64_t tileColumns);

/// Decodes `depth` elements of K of all columns of the panel at `weights`, whose
/// format is `from`, to `out`: f32 [k][columns], or, if `pairs`, bf16
/// [k/2][columns][2]. Exact: blocks keep their scales apart.
void emitDecode(Emitter &emitter, const PackedLayout &layout, bool pairs,
                Value weights, Value depth, Value out);

/// Bytes of scales and minima of a block, for all columns.
int64_t headerBytesOf(Storage storage, int64_t columns);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_PRODUCT_H
