// Writes weights row by row, as kernels of the H100 read them.

#ifndef TCC_COMPILER_TARGET_H100_PACKEDROWS_H
#define TCC_COMPILER_TARGET_H100_PACKEDROWS_H

#include "compiler/target/PackedWeight.h"

namespace mlir::tcc::h100 {

/// One number, or the elements, of every row: rows one after another.
struct Plane {
  int64_t offset;   ///< Bytes from the begin of the weight, a multiple of 64.
  int64_t rowBytes; ///< From one row to the next, a multiple of 16.
};

/// Bytes and shape of a weight; `#kernel.row_packing` says what is in them.
struct RowLayout {
  /// The layout of `weight` [N, K], static, without scales.
  RowLayout(ShapedType weight, kernel::RowPackingAttr packing);

  Storage storage;
  int64_t rows;       ///< N.
  int64_t depth;      ///< K.
  int64_t pairRows;   ///< 0 if not paired.
  int64_t packedRows; ///< N'.
  /// Of elements, then of scales and of minima where there are some.
  SmallVector<Plane, 3> planes;
  int64_t bytes; ///< Of all, a multiple of 64.

  /// The row of the weight that is row `packed` in memory, or -1.
  int64_t rowOf(int64_t packed) const;

  /// Bytes of a row in a checkpoint.
  int64_t storedRowBytes() const;
};

/// Makes a weight of `layout`. A part is a row of a plane, so that a checkpoint
/// in blocks is read once for each plane.
std::unique_ptr<PackedWeight> createPackedWeight(const RowLayout &layout);

} // namespace mlir::tcc::h100

#endif // TCC_COMPILER_TARGET_H100_PACKEDROWS_H
