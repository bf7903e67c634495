// The fragments of wmma, and the 8x8 blocks of ldmatrix.

#include "tools/ptxsim/tensor/Fragment.h"

#include "tools/ptxsim/tensor/MmaTile.h"

#include <cstring>
#include <initializer_list>

namespace ptxsim {

bool isSupported(const WmmaFragment &fragment) {
  MmaForm form;
  form.kind = MmaKind::Wmma;
  form.m = fragment.m;
  form.n = fragment.n;
  form.k = fragment.k;
  if (fragment.operand != WmmaOperand::Accumulator) {
    form.a = form.b = fragment.type;
    form.c = form.d = accumulatorOf(fragment.type);
    return isSupported(form);
  }
  form.c = form.d = fragment.type;
  // An accumulator belongs to the shape if any type of factors does.
  for (MmaType type : {MmaType::F16, MmaType::TF32, MmaType::S8, MmaType::S4,
                       MmaType::B1, MmaType::F64}) {
    form.a = form.b = type;
    if (isSupported(form))
      return true;
  }
  return false;
}

unsigned planesOf(const WmmaFragment &fragment) {
  TileCounts tiles = tilesOf(fragment.m, fragment.n);
  switch (fragment.operand) {
  case WmmaOperand::A:
    if (fragment.type == MmaType::F16)
      return 8;
    return tiles.m * factorPlanes(fragment.type, tiles.rows, fragment.k);
  case WmmaOperand::B:
    if (fragment.type == MmaType::F16)
      return 8;
    return tiles.n * factorPlanes(fragment.type, 8, fragment.k);
  case WmmaOperand::Accumulator:
    return tiles.m * tiles.n * accumulatorPlanes(fragment.type, tiles.rows);
  }
  return 0;
}

ElementPosition positionOf(const WmmaFragment &fragment, unsigned plane,
                           unsigned part, unsigned lane) {
  TileCounts tiles = tilesOf(fragment.m, fragment.n);
  unsigned group = lane / 4, inGroup = lane % 4;
  // A plane is 8 rows of 16 bytes; f64 has 32.
  unsigned parts =
      fragment.type == MmaType::F64 ? 1 : 32 / elementBits(fragment.type);
  unsigned inRow = inGroup * parts + part;
  if (fragment.operand == WmmaOperand::Accumulator) {
    unsigned perTile = accumulatorPlanes(fragment.type, tiles.rows);
    unsigned tile = plane / perTile, inTile = plane % perTile;
    unsigned halves = tiles.rows / 8; // Planes that share columns.
    unsigned perHalf = perTile / halves;
    unsigned row = 8 * (inTile / perHalf) + group;
    unsigned column = parts == 2 ? inRow : 2 * inGroup + inTile % perHalf;
    return {tile / tiles.n * tiles.rows + row, tile % tiles.n * 8 + column};
  }
  bool isA = fragment.operand == WmmaOperand::A;
  unsigned rows = isA ? tiles.rows : 8;
  unsigned perTile = factorPlanes(fragment.type, rows, fragment.k);
  plane %= perTile * (isA ? tiles.m : tiles.n); // f16 repeats itself.
  unsigned tile = plane / perTile, inTile = plane % perTile;
  unsigned halves = rows / 8;
  unsigned outer = tile * rows + 8 * (inTile % halves) + group;
  unsigned inner = inTile / halves * 4 * parts + inRow;
  if (isA)
    return {outer, inner};
  return {inner, outer};
}

void loadMatrix(const uint8_t *const rows[8], bool transposed,
                uint32_t plane[32]) {
  uint32_t loaded[32];
  for (unsigned row = 0; row != 8; ++row)
    std::memcpy(loaded + 4 * row, rows[row], 16);
  if (transposed)
    transposeMatrix(loaded, plane);
  else
    std::memcpy(plane, loaded, sizeof loaded);
}

void storeMatrix(const uint32_t plane[32], bool transposed,
                 uint8_t *const rows[8]) {
  uint32_t stored[32];
  if (transposed)
    transposeMatrix(plane, stored);
  else
    std::memcpy(stored, plane, sizeof stored);
  for (unsigned row = 0; row != 8; ++row)
    std::memcpy(rows[row], stored + 4 * row, 16);
}

void transposeMatrix(const uint32_t plane[32], uint32_t result[32]) {
  uint16_t matrix[64], transposed[64];
  std::memcpy(matrix, plane, sizeof matrix);
  for (unsigned row = 0; row != 8; ++row)
    for (unsigned column = 0; column != 8; ++column)
      transposed[8 * column + row] = matrix[8 * row + column];
  std::memcpy(result, transposed, sizeof transposed);
}

} // namespace ptxsim
