// One tile of a matrix product: 8 or 16 rows times 8 columns, and how its
// matrices lie in planes.
//
// Every fragment of mma.sync but those of m8n8k4 with f16 follows one pattern.
// A plane in the order of its lanes is a matrix of 8 rows of 16 bytes (32 for
// f64): row lane / 4, and four registers to a row. A has its planes for rows
// 0-7 and 8-15 in turn, then further along k; B has rows of its transpose; an
// accumulator has rows of two elements for each lane. So a plane is transposed
// as a whole, and the product runs over vectors of rows.

#ifndef TCC_TOOLS_PTXSIM_TENSOR_MMATILE_H
#define TCC_TOOLS_PTXSIM_TENSOR_MMATILE_H

#include "tools/ptxsim/tensor/Mma.h"

namespace ptxsim {

/// The greatest k of a form whose elements are numbers: m16n8k128 of sparse s4.
constexpr unsigned mmaMaxK = 128;

/// The tiles of a product.
struct TileCounts {
  unsigned rows = 0; ///< Of a tile, 8 or 16.
  unsigned m = 0, n = 0;
};

constexpr TileCounts tilesOf(unsigned m, unsigned n) {
  unsigned rows = m < 16 ? 8 : 16;
  return {rows, m / rows, n / 8};
}

/// Returns the planes of a factor of `rows` times k elements.
constexpr unsigned factorPlanes(MmaType type, unsigned rows, unsigned k) {
  unsigned perRow = type == MmaType::F64 ? 4 : 128 / elementBits(type);
  return rows / 8 * (k / perRow);
}

/// Returns the planes of an accumulator of `rows` times 8 elements.
constexpr unsigned accumulatorPlanes(MmaType type, unsigned rows) {
  return rows / 8 * (type == MmaType::F16 ? 1 : 2);
}

/// Returns the widest accumulator of products of `type`.
constexpr MmaType accumulatorOf(MmaType type) {
  if (type == MmaType::F64)
    return MmaType::F64;
  bool isInteger = type >= MmaType::U8;
  return isInteger ? MmaType::S32 : MmaType::F32;
}

/// A factor as numbers: [k][rows], k the elements of its planes. Integers are
/// exact in f32, and so are their sums over any k of an instruction.
template <class Number>
struct FactorTileOf {
  alignas(64) Number values[mmaMaxK * 16];
};
using FactorTile = FactorTileOf<float>;

/// An accumulator as numbers: [8 columns][rows].
template <class Number>
struct AccumulatorTileOf {
  alignas(64) Number values[8 * 16];
};
using AccumulatorTile = AccumulatorTileOf<float>;

/// Unpacks the planes of a factor tile.
void unpackFactor(MmaType type, const void *const *planes, unsigned rows,
                  unsigned k, FactorTile &tile);

/// Unpacks the planes of an f16 or f32 accumulator tile.
void unpackAccumulator(MmaType type, const void *const *planes, unsigned rows,
                       AccumulatorTile &tile);

/// Packs an f16 or f32 accumulator tile, rounded to nearest.
void packAccumulator(MmaType type, const AccumulatorTile &tile, unsigned rows,
                     void *const *planes);

/// Packs exact integer sums: adds those in the planes of C, and wraps or
/// saturates.
void packIntegers(const AccumulatorTile &sums, unsigned rows, bool saturates,
                  const void *const *c, void *const *d);

/// Adds a times the transpose of b. `b` has 8 rows.
void multiplyTile(const FactorTile &a, const FactorTile &b, unsigned rows,
                  unsigned k, AccumulatorTile &sum);
void multiplyTile(const FactorTileOf<double> &a, const FactorTileOf<double> &b,
                  unsigned rows, unsigned k, AccumulatorTileOf<double> &sum);

/// Executes one tile of b1, of f64.
void multiplyBits(const MmaForm &form, unsigned rows, const void *const *a,
                  const void *const *b, const void *const *c, void *const *d);
void multiplyF64(const MmaForm &form, unsigned rows, const void *const *a,
                 const void *const *b, const void *const *c, void *const *d);

/// Executes mma.sync.m8n8k4 with f16, four products of eight lanes each.
void multiplyQuads(const MmaForm &form, const MmaOperands &operands);

/// Adds the product of a sparse a, which has 16 rows, to `sum`.
void multiplySparse(const MmaForm &form, const MmaOperands &operands,
                    const FactorTile &a, const FactorTile &b,
                    AccumulatorTile &sum);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_TENSOR_MMATILE_H
