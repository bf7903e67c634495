// Random weights for tests of kernels: their values, and the bytes that kernels
// read.

#ifndef TCC_TEST_UNIT_COMPILER_WEIGHTS_H
#define TCC_TEST_UNIT_COMPILER_WEIGHTS_H

#include "test/unit/compiler/StoredMatrix.h"

#include <cstdint>
#include <random>
#include <vector>

namespace mlir::tcc::x86 {

/// The bytes of `stored`, [rows, depth] or its reverse if `transposed`, packed
/// in panels of `columns`.
std::vector<uint8_t> pack(const StoredMatrix &stored, int64_t columns,
                          bool paired = false, bool transposed = false);

/// The bytes of `stored` packed in rows, in pairs of `pairRows` if that is not
/// 0.
std::vector<uint8_t> packRows(const StoredMatrix &stored, int64_t pairRows = 0);

/// `matrices` weights [rows, depth].
struct Weights {
  std::vector<double> values; ///< [matrices][rows][depth], decoded.
  std::vector<uint8_t> packed;

  /// Makes weights whose elements have the type that is called `element` in
  /// MLIR, packed in panels of `columns`. If `transposed`, they are stored so.
  Weights(std::mt19937 &random, StringRef element, int64_t matrices,
          int64_t rows, int64_t depth, int64_t columns, bool paired = false,
          bool transposed = false);
};

} // namespace mlir::tcc::x86

#endif // TCC_TEST_UNIT_COMPILER_WEIGHTS_H
