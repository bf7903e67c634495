// Matrix products of single bits and of f64, and those of m8n8k4 with f16.

#include "tools/ptxsim/tensor/MmaTile.h"
#include "tools/ptxsim/tensor/MmaVectors.h"

#include "tools/ptxsim/numerics/FloatArithmetic.h"
#include "tools/ptxsim/numerics/Formats.h"

#include <cstring>

using namespace ptxsim::numerics;

namespace ptxsim {

void multiplyBits(const MmaForm &form, unsigned rows, const void *const *a,
                  const void *const *b, const void *const *c, void *const *d) {
  unsigned halves = rows / 8;
  unsigned blocks = form.k / 128; // Planes along k.
  Columns<uint32_t> sums[4];
  for (unsigned half = 0; half != halves; ++half) {
    Words8 counts[8] = {};
    for (unsigned block = 0; block != blocks; ++block) {
      Columns<uint32_t> factors = columnsOf<uint32_t>(a[block * halves + half]);
      auto others = static_cast<const uint32_t *>(b[block]);
      for (unsigned column = 0; column != 8; ++column)
        for (unsigned i = 0; i != 4; ++i) {
          Words8 other = others[4 * column + i];
          Words8 both =
              form.isAnd ? factors.of[i] & other : factors.of[i] ^ other;
          counts[column] += __builtin_elementwise_popcount(both);
        }
    }
    for (unsigned plane = 2 * half; plane != 2 * half + 2; ++plane) {
      Columns<uint32_t> addends = columnsOf<uint32_t>(c[plane]);
      for (unsigned i = 0; i != 4; ++i)
        sums[plane].of[i] = addends.of[i] + counts[2 * i + plane % 2];
    }
  }
  for (unsigned plane = 0; plane != 2 * halves; ++plane)
    storeColumns(sums[plane], d[plane]);
}

static void unpackF64(const void *const *planes, unsigned rows, unsigned k,
                      double *values) {
  unsigned halves = rows / 8;
  for (unsigned plane = 0; plane != halves * (k / 4); ++plane) {
    Columns<double> columns = columnsOf<double>(planes[plane]);
    double *block = values + plane / halves * 4 * rows + plane % halves * 8;
    for (unsigned i = 0; i != 4; ++i)
      store(block + i * rows, columns.of[i]);
  }
}

template <Rounding R>
static void multiplyRounded(const FactorTileOf<double> &a,
                            const FactorTileOf<double> &b, unsigned rows,
                            unsigned k, AccumulatorTileOf<double> &sum) {
  for (unsigned column = 0; column != 8; ++column)
    for (unsigned row = 0; row != rows; ++row) {
      double &value = sum.values[column * rows + row];
      for (unsigned i = 0; i != k; ++i)
        value = numerics::fma<R>(a.values[i * rows + row],
                                 b.values[i * 8 + column], value);
    }
}

void multiplyF64(const MmaForm &form, unsigned rows, const void *const *a,
                 const void *const *b, const void *const *c, void *const *d) {
  FactorTileOf<double> aTile, bTile;
  AccumulatorTileOf<double> sum;
  unpackF64(a, rows, form.k, aTile.values);
  unpackF64(b, 8, form.k, bTile.values);
  unsigned count = accumulatorPlanes(MmaType::F64, rows);
  auto columnAt = [&](unsigned plane, unsigned i) {
    return sum.values + 8 * (plane / 2) + (2 * i + plane % 2) * rows;
  };
  for (unsigned plane = 0; plane != count; ++plane) {
    Columns<double> columns = columnsOf<double>(c[plane]);
    for (unsigned i = 0; i != 4; ++i)
      store(columnAt(plane, i), columns.of[i]);
  }
  if (form.rounding == Rounding::Zero)
    multiplyRounded<Rounding::Zero>(aTile, bTile, rows, form.k, sum);
  else if (form.rounding == Rounding::Down)
    multiplyRounded<Rounding::Down>(aTile, bTile, rows, form.k, sum);
  else if (form.rounding == Rounding::Up)
    multiplyRounded<Rounding::Up>(aTile, bTile, rows, form.k, sum);
  else
    multiplyTile(aTile, bTile, rows, form.k, sum);
  for (unsigned plane = 0; plane != count; ++plane) {
    Columns<double> columns;
    for (unsigned i = 0; i != 4; ++i)
      load(columns.of[i], columnAt(plane, i));
    storeColumns(columns, d[plane]);
  }
}

//===----------------------------------------------------------------------===//
// m8n8k4 with f16: PTX ISA 9.0, section 9.7.14.5.1. Lanes 4q to 4q + 3 and
// 4q + 16 to 4q + 19 compute product q.

static uint32_t wordAt(const void *plane, unsigned lane) {
  return static_cast<const uint32_t *>(plane)[lane];
}

/// Returns the lane of a product: 0 to 3 of its low group, 4 to 7 of its high
/// one.
static unsigned laneOf(unsigned quad, unsigned i) {
  return 4 * quad + i % 4 + (i < 4 ? 0 : 16);
}

/// Returns element `index` of the f16 pairs in the planes of a lane.
static float halfAt(const void *const *planes, unsigned index, unsigned lane) {
  uint32_t word = wordAt(planes[index / 2], lane);
  return F16::widen(uint16_t(word >> (16 * (index % 2))));
}

/// Where an accumulator element lies.
struct QuadPlace {
  unsigned lane, index;
};

static QuadPlace placeOf(MmaType type, unsigned quad, unsigned row,
                         unsigned column) {
  if (type == MmaType::F16)
    return {laneOf(quad, row), column};
  // Bit 0 of the row and bit 1 of the column choose the lane.
  unsigned inGroup = (row & 1) | (column & 2);
  unsigned index = (column & 4) | (row & 2) | (column & 1);
  return {laneOf(quad, inGroup + (row & 4)), index};
}

void multiplyQuads(const MmaForm &form, const MmaOperands &operands) {
  unsigned planes = form.d == MmaType::F16 ? 4 : 8;
  uint32_t results[8][32] = {};
  for (unsigned quad = 0; quad != 4; ++quad)
    for (unsigned row = 0; row != 8; ++row)
      for (unsigned column = 0; column != 8; ++column) {
        QuadPlace from = placeOf(form.c, quad, row, column);
        float sum = form.c == MmaType::F16
                        ? halfAt(operands.c, from.index, from.lane)
                        : floatOf(wordAt(operands.c[from.index], from.lane));
        for (unsigned k = 0; k != 4; ++k) {
          float a = form.aIsColumn ? halfAt(operands.a, row % 4,
                                            laneOf(quad, k + (row & 4)))
                                   : halfAt(operands.a, k, laneOf(quad, row));
          float b = form.bIsRow ? halfAt(operands.b, column % 4,
                                         laneOf(quad, k + (column & 4)))
                                : halfAt(operands.b, k, laneOf(quad, column));
          sum = __builtin_elementwise_fma(a, b, sum);
        }
        QuadPlace to = placeOf(form.d, quad, row, column);
        if (form.d == MmaType::F16)
          results[to.index / 2][to.lane] |= uint32_t(F16::narrow(sum))
                                            << (16 * (to.index % 2));
        else
          results[to.index][to.lane] = bitsOf(canonical(sum));
      }
  for (unsigned plane = 0; plane != planes; ++plane)
    std::memcpy(operands.d[plane], results[plane], sizeof results[plane]);
}

} // namespace ptxsim
