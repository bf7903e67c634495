// The inner loop of every kernel that multiplies: a tile of sums in registers.

#ifndef TCC_COMPILER_CODEGEN_X86_PRODUCT_H
#define TCC_COMPILER_CODEGEN_X86_PRODUCT_H

#include "compiler/codegen/x86/Emitter.h"
#include "compiler/target/x86/PackedWeights.h"

namespace mlir::tcc::x86 {

/// In which order products are added up. Part of what a model computes: it
/// follows from the storage of the weights alone.
enum class Summation {
  Chain,  ///< One by one, from the first element of K to the last.
  Groups, ///< In groups of 128 elements, then group by group.
  Blocks, ///< In blocks of 32 as integers, each then scaled and added.
  Scaled, ///< In blocks with a scale, each then scaled and added.
};

/// Elements of a group, and of a block of integers.
constexpr int64_t groupDepth = 128, blockDepth = 32;

/// sums[r][c] += sum_k inputs[r][k] * weights[k][c], for a panel of weights.
struct Product {
  Storage format; ///< Of the weights.
  Summation summation;
  /// Whether inputs are pairs of bf16, multiplied by dot products, or f32. In
  /// blocks, they are pairs of i16.
  bool dot;
  int64_t columns; ///< That are multiplied.
  int64_t pitch;   ///< Elements, or pairs, of weights from one k to the next.

  Value inputs;        ///< Row 0, k = 0.
  int64_t inputStride; ///< Bytes from one row to the next.
  /// k = 0, column 0. In blocks, null or what `emitDecode` makes of them.
  Value weights;
  Value sums;        ///< f32, row 0, column 0.
  int64_t sumStride; ///< Bytes from one row to the next.
  Value depth;       ///< Elements of K, a multiple of 4, or of 32 in Blocks.
  bool startsAtZero; ///< Sums are written, not added to.

  // Of Blocks and Scaled only:
  Value blocks; ///< Packed blocks from k = 0 on: scales are read from here.
  int64_t blockDepth;  ///< Elements of K in a block.
  int64_t blockBytes;  ///< From one block to the next.
  int64_t headerBytes; ///< Scales and minima of a block.
  bool isRagged;       ///< The last block may be smaller.

  // Of Blocks only:
  /// Row 0, block 0 of the scales of the inputs, f32. Rows as far apart as
  /// those of `inputs`.
  Value inputScales;
  /// The same of what each block of inputs adds to a sum: if weights have
  /// minima, f32 that each of them is multiplied by; else i32, which undoes
  /// `biasOf`.
  Value inputSums;

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

/// Decodes `depth` elements of K of all columns of the blocks at `blocks` to
/// `out`, without scales: integers, with their bias, to i16 [k/2][columns][2];
/// e4m3 to bf16 in the same order if `dot`, else to f32 [k][columns], both
/// times 2^-8.
void emitDecode(Emitter &emitter, const PackedLayout &layout, bool dot,
                Value blocks, Value depth, Value out);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_PRODUCT_H
