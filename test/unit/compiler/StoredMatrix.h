// Random matrices as checkpoints store them, and what packed weights hold, read as
// `#kernel.packing` and `#kernel.row_packing` define it.

#ifndef TCC_TEST_UNIT_COMPILER_STOREDMATRIX_H
#define TCC_TEST_UNIT_COMPILER_STOREDMATRIX_H

#include "compiler/target/StoredWeights.h"

#include <cstdint>
#include <random>
#include <vector>

namespace mlir::tcc {

/// A matrix of a checkpoint.
struct StoredMatrix {
  /// Finite random elements of type `element`; in e4m3, any of them.
  StoredMatrix(std::mt19937 &random, Type element, int64_t rows,
               int64_t columns);

  /// Computes `values` anew from `bytes` and `scales`.
  void decode();

  double at(int64_t row, int64_t column) const {
    return values[row * columns + column];
  }

  Type element;
  int64_t rows, columns;
  std::vector<uint8_t> bytes;
  std::vector<float> scales; ///< Empty if it has none.
  std::vector<double> values;
};

/// The rows of all `sources` from `firstRow` on.
SourceMatrix sourceOf(ArrayRef<StoredMatrix> sources, int64_t firstRow);

/// The element `k` of column `column` of the panel at `panel`, which has
/// `columns` columns of elements `element` in blocks of `block` elements of K.
double unpack(const uint8_t *panel, Type element, int64_t columns,
              int64_t block, int64_t k, int64_t column);

/// The element `k` of row `row` in memory of a weight in rows that has `rows` of
/// them, with `depth` elements `element`.
double unpackRow(const uint8_t *weight, Type element, int64_t rows,
                 int64_t depth, int64_t row, int64_t k);

} // namespace mlir::tcc

#endif // TCC_TEST_UNIT_COMPILER_STOREDMATRIX_H
