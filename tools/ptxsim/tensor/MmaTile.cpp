// Tiles of matrix products.

#include "tools/ptxsim/tensor/MmaTile.h"

#include "tools/ptxsim/tensor/MmaVectors.h"

using namespace ptxsim::numerics;

namespace ptxsim {

template <MmaType Type>
static void unpack(const void *const *planes, unsigned rows, unsigned k,
                   float *values) {
  constexpr unsigned parts = 32 / elementBits(Type);
  unsigned halves = rows / 8;
  unsigned count = factorPlanes(Type, rows, k);
  for (unsigned plane = 0; plane != count; ++plane) {
    Columns<uint32_t> columns = columnsOf<uint32_t>(planes[plane]);
    float *block =
        values + plane / halves * 4 * parts * rows + plane % halves * 8;
    for (unsigned i = 0; i != 4; ++i)
      for (unsigned part = 0; part != parts; ++part)
        store(block + (i * parts + part) * rows,
              numbersIn<Type>(columns.of[i], part));
  }
}

void unpackFactor(MmaType type, const void *const *planes, unsigned rows,
                  unsigned k, FactorTile &tile) {
  switch (type) {
  case MmaType::F16:
    return unpack<MmaType::F16>(planes, rows, k, tile.values);
  case MmaType::BF16:
    return unpack<MmaType::BF16>(planes, rows, k, tile.values);
  case MmaType::TF32:
    return unpack<MmaType::TF32>(planes, rows, k, tile.values);
  case MmaType::E4M3:
    return unpack<MmaType::E4M3>(planes, rows, k, tile.values);
  case MmaType::E5M2:
    return unpack<MmaType::E5M2>(planes, rows, k, tile.values);
  case MmaType::U8:
    return unpack<MmaType::U8>(planes, rows, k, tile.values);
  case MmaType::S8:
    return unpack<MmaType::S8>(planes, rows, k, tile.values);
  case MmaType::U4:
    return unpack<MmaType::U4>(planes, rows, k, tile.values);
  case MmaType::S4:
    return unpack<MmaType::S4>(planes, rows, k, tile.values);
  case MmaType::F64:
  case MmaType::F32:
  case MmaType::S32:
  case MmaType::B1:
    return; // No factor, or none of numbers in f32.
  }
}

void unpackAccumulator(MmaType type, const void *const *planes, unsigned rows,
                       AccumulatorTile &tile) {
  bool isF16 = type == MmaType::F16;
  for (unsigned plane = 0; plane != accumulatorPlanes(type, rows); ++plane) {
    Columns<uint32_t> columns = columnsOf<uint32_t>(planes[plane]);
    float *block = tile.values + 8 * (isF16 ? plane : plane / 2);
    for (unsigned i = 0; i != 4; ++i) {
      float *even = block + 2 * i * rows;
      if (isF16) {
        store(even, numbersIn<MmaType::F16>(columns.of[i], 0));
        store(even + rows, numbersIn<MmaType::F16>(columns.of[i], 1));
      } else {
        store(even + plane % 2 * rows, columns.of[i]);
      }
    }
  }
}

void packAccumulator(MmaType type, const AccumulatorTile &tile, unsigned rows,
                     void *const *planes) {
  bool isF16 = type == MmaType::F16;
  for (unsigned plane = 0; plane != accumulatorPlanes(type, rows); ++plane) {
    Columns<uint32_t> columns;
    const float *block = tile.values + 8 * (isF16 ? plane : plane / 2);
    for (unsigned i = 0; i != 4; ++i) {
      const float *even = block + 2 * i * rows;
      if (isF16)
        columns.of[i] = narrowF16(loadFloats(even)) |
                        narrowF16(loadFloats(even + rows)) << 16;
      else
        columns.of[i] = canonicalBits(loadFloats(even + plane % 2 * rows));
    }
    storeColumns(columns, planes[plane]);
  }
}

/// Adds sums of products to an accumulator.
template <bool Saturates>
static Words8 addIntegers(Words8 addends, Floats8 sums) {
  auto whole = __builtin_convertvector(sums, Vector<int32_t, 8>);
  if constexpr (!Saturates)
    return addends + bitCast<Words8>(whole);
  return bitCast<Words8>(__builtin_elementwise_add_sat(
      bitCast<Vector<int32_t, 8>>(addends), whole));
}

void packIntegers(const AccumulatorTile &sums, unsigned rows, bool saturates,
                  const void *const *c, void *const *d) {
  Columns<uint32_t> results[4];
  unsigned count = accumulatorPlanes(MmaType::S32, rows);
  for (unsigned plane = 0; plane != count; ++plane) {
    Columns<uint32_t> addends = columnsOf<uint32_t>(c[plane]);
    const float *block = sums.values + 8 * (plane / 2) + plane % 2 * rows;
    for (unsigned i = 0; i != 4; ++i) {
      auto sum = loadFloats(block + 2 * i * rows);
      results[plane].of[i] = saturates ? addIntegers<true>(addends.of[i], sum)
                                       : addIntegers<false>(addends.of[i], sum);
    }
  }
  for (unsigned plane = 0; plane != count; ++plane)
    storeColumns(results[plane], d[plane]);
}

/// The product for 8 columns and as many rows, of `Rows`, as a vector has. All
/// sums stay in registers.
template <class Number, unsigned Rows, unsigned VectorRows>
static void multiplyRows(const Number *a, const Number *b, unsigned k,
                         Number *sum) {
  using V = Vector<Number, VectorRows>;
  V columns[8];
  for (unsigned column = 0; column != 8; ++column)
    load(columns[column], sum + column * Rows);
  for (unsigned i = 0; i != k; ++i) {
    V factor;
    load(factor, a + i * Rows);
    for (unsigned column = 0; column != 8; ++column) {
      V other = b[8 * i + column];
      columns[column] =
          __builtin_elementwise_fma(factor, other, columns[column]);
    }
  }
  for (unsigned column = 0; column != 8; ++column)
    store(sum + column * Rows, columns[column]);
}

template <class Number, unsigned Rows>
static void multiplyAllRows(const Number *a, const Number *b, unsigned k,
                            Number *sum) {
#ifdef __AVX512F__
  constexpr unsigned most = 64 / sizeof(Number);
#else
  constexpr unsigned most = 32 / sizeof(Number);
#endif
  constexpr unsigned vectorRows = Rows < most ? Rows : most;
  for (unsigned row = 0; row != Rows; row += vectorRows)
    multiplyRows<Number, Rows, vectorRows>(a + row, b, k, sum + row);
}

void multiplyTile(const FactorTile &a, const FactorTile &b, unsigned rows,
                  unsigned k, AccumulatorTile &sum) {
  if (rows == 8)
    multiplyAllRows<float, 8>(a.values, b.values, k, sum.values);
  else
    multiplyAllRows<float, 16>(a.values, b.values, k, sum.values);
}

void multiplyTile(const FactorTileOf<double> &a, const FactorTileOf<double> &b,
                  unsigned rows, unsigned k, AccumulatorTileOf<double> &sum) {
  if (rows == 8)
    multiplyAllRows<double, 8>(a.values, b.values, k, sum.values);
  else
    multiplyAllRows<double, 16>(a.values, b.values, k, sum.values);
}

} // namespace ptxsim
