// Forms of matrix products, and their execution tile by tile.

#include "tools/ptxsim/tensor/Mma.h"

#include "tools/ptxsim/tensor/MmaTile.h"

#include <cstring>

namespace ptxsim {

namespace {

/// The shapes of a type, as of PTX ISA 9.0, tables of section 9.7.14.2.
struct ShapeRow {
  MmaKind kind;
  MmaType type;
  uint16_t m, n, k;
};

constexpr ShapeRow shapes[] = {
    {MmaKind::Dense, MmaType::F16, 8, 8, 4},
    {MmaKind::Dense, MmaType::F16, 16, 8, 8},
    {MmaKind::Dense, MmaType::F16, 16, 8, 16},
    {MmaKind::Dense, MmaType::BF16, 16, 8, 8},
    {MmaKind::Dense, MmaType::BF16, 16, 8, 16},
    {MmaKind::Dense, MmaType::TF32, 16, 8, 4},
    {MmaKind::Dense, MmaType::TF32, 16, 8, 8},
    {MmaKind::Dense, MmaType::E4M3, 16, 8, 16},
    {MmaKind::Dense, MmaType::E4M3, 16, 8, 32},
    {MmaKind::Dense, MmaType::F64, 8, 8, 4},
    {MmaKind::Dense, MmaType::F64, 16, 8, 4},
    {MmaKind::Dense, MmaType::F64, 16, 8, 8},
    {MmaKind::Dense, MmaType::F64, 16, 8, 16},
    {MmaKind::Dense, MmaType::U8, 8, 8, 16},
    {MmaKind::Dense, MmaType::U8, 16, 8, 16},
    {MmaKind::Dense, MmaType::U8, 16, 8, 32},
    {MmaKind::Dense, MmaType::U4, 8, 8, 32},
    {MmaKind::Dense, MmaType::U4, 16, 8, 32},
    {MmaKind::Dense, MmaType::U4, 16, 8, 64},
    {MmaKind::Dense, MmaType::B1, 8, 8, 128},
    {MmaKind::Dense, MmaType::B1, 16, 8, 128},
    {MmaKind::Dense, MmaType::B1, 16, 8, 256},
    {MmaKind::Sparse, MmaType::F16, 16, 8, 16},
    {MmaKind::Sparse, MmaType::F16, 16, 8, 32},
    {MmaKind::Sparse, MmaType::BF16, 16, 8, 16},
    {MmaKind::Sparse, MmaType::BF16, 16, 8, 32},
    {MmaKind::Sparse, MmaType::TF32, 16, 8, 8},
    {MmaKind::Sparse, MmaType::TF32, 16, 8, 16},
    {MmaKind::Sparse, MmaType::E4M3, 16, 8, 64},
    {MmaKind::Sparse, MmaType::U8, 16, 8, 32},
    {MmaKind::Sparse, MmaType::U8, 16, 8, 64},
    {MmaKind::Sparse, MmaType::U4, 16, 8, 64},
    {MmaKind::Sparse, MmaType::U4, 16, 8, 128},
    {MmaKind::Wmma, MmaType::F16, 16, 16, 16},
    {MmaKind::Wmma, MmaType::F16, 8, 32, 16},
    {MmaKind::Wmma, MmaType::F16, 32, 8, 16},
    {MmaKind::Wmma, MmaType::BF16, 16, 16, 16},
    {MmaKind::Wmma, MmaType::BF16, 8, 32, 16},
    {MmaKind::Wmma, MmaType::BF16, 32, 8, 16},
    {MmaKind::Wmma, MmaType::U8, 16, 16, 16},
    {MmaKind::Wmma, MmaType::U8, 8, 32, 16},
    {MmaKind::Wmma, MmaType::U8, 32, 8, 16},
    {MmaKind::Wmma, MmaType::TF32, 16, 16, 8},
    {MmaKind::Wmma, MmaType::F64, 8, 8, 4},
    {MmaKind::Wmma, MmaType::U4, 8, 8, 32},
    {MmaKind::Wmma, MmaType::B1, 8, 8, 128},
};

} // namespace

/// Returns the type that stands for all that share its shapes.
static MmaType familyOf(MmaType type) {
  switch (type) {
  case MmaType::E5M2:
    return MmaType::E4M3;
  case MmaType::S8:
    return MmaType::U8;
  case MmaType::S4:
    return MmaType::U4;
  default:
    return type;
  }
}

static bool isVolta(const MmaForm &form) {
  return form.kind == MmaKind::Dense && form.a == MmaType::F16 && form.m == 8;
}

/// Checks the types of accumulators.
static bool hasAccumulators(const MmaForm &form) {
  MmaType wide = accumulatorOf(form.a);
  bool mayBeF16 =
      form.a == MmaType::F16 ||
      (familyOf(form.a) == MmaType::E4M3 && form.kind == MmaKind::Dense);
  auto isOne = [&](MmaType type) {
    return type == wide || (mayBeF16 && type == MmaType::F16);
  };
  if (!isOne(form.d) || !isOne(form.c))
    return false;
  if (isVolta(form))
    return form.c != MmaType::F32 || form.d == MmaType::F32;
  return form.d == form.c || form.kind == MmaKind::Wmma;
}

bool isSupported(const MmaForm &form) {
  MmaType family = familyOf(form.a);
  bool mayMix = form.kind != MmaKind::Wmma;
  if (form.a != form.b && !(mayMix && family == familyOf(form.b)))
    return false;
  if (!hasAccumulators(form))
    return false;
  bool isInteger = form.d == MmaType::S32 && form.a != MmaType::B1;
  if ((form.saturates && !isInteger) ||
      (form.rounding != numerics::Rounding::Nearest &&
       form.a != MmaType::F64) ||
      ((form.aIsColumn || form.bIsRow) && !isVolta(form)))
    return false;
  for (const ShapeRow &row : shapes)
    if (row.kind == form.kind && row.type == family && row.m == form.m &&
        row.n == form.n && row.k == form.k)
      return true;
  return false;
}

MmaPlanes planesOf(const MmaForm &form) {
  MmaPlanes planes;
  if (isVolta(form)) {
    planes.a = planes.b = 2;
    planes.c = form.c == MmaType::F16 ? 4 : 8;
    planes.d = form.d == MmaType::F16 ? 4 : 8;
    return planes;
  }
  TileCounts tiles = tilesOf(form.m, form.n);
  unsigned aK = form.kind == MmaKind::Sparse ? form.k / 2 : form.k;
  planes.a = uint8_t(tiles.m * factorPlanes(form.a, tiles.rows, aK));
  planes.b = uint8_t(tiles.n * factorPlanes(form.b, 8, form.k));
  if (form.kind == MmaKind::Wmma && form.a == MmaType::F16)
    planes.a = planes.b = 8;
  unsigned accumulators = tiles.m * tiles.n;
  planes.c = uint8_t(accumulators * accumulatorPlanes(form.c, tiles.rows));
  planes.d = uint8_t(accumulators * accumulatorPlanes(form.d, tiles.rows));
  return planes;
}

/// Executes one tile in f32 and rounds it, or in integers.
static void multiplyNumbers(const MmaForm &form, const MmaOperands &operands,
                            unsigned rows, const FactorTile &a,
                            const FactorTile &b, const void *const *c,
                            void *const *d) {
  AccumulatorTile sum;
  bool isInteger = form.d == MmaType::S32;
  if (isInteger)
    sum = {};
  else
    unpackAccumulator(form.c, c, rows, sum);
  if (form.kind == MmaKind::Sparse)
    multiplySparse(form, operands, a, b, sum);
  else
    multiplyTile(a, b, rows, form.k, sum);
  if (isInteger)
    packIntegers(sum, rows, form.saturates, c, d);
  else
    packAccumulator(form.d, sum, rows, d);
}

/// Executes all tiles; `d` may not be an operand if there are several.
static void multiplyTiles(const MmaForm &form, const MmaOperands &operands,
                          void *const *d) {
  TileCounts tiles = tilesOf(form.m, form.n);
  unsigned aK = form.kind == MmaKind::Sparse ? form.k / 2 : form.k;
  unsigned aPlanes = factorPlanes(form.a, tiles.rows, aK);
  unsigned bPlanes = factorPlanes(form.b, 8, form.k);
  unsigned cPlanes = accumulatorPlanes(form.c, tiles.rows);
  unsigned dPlanes = accumulatorPlanes(form.d, tiles.rows);
  FactorTile aTile, bTile;
  for (unsigned m = 0; m != tiles.m; ++m) {
    const void *const *a = operands.a + m * aPlanes;
    unpackFactor(form.a, a, tiles.rows, aK, aTile);
    for (unsigned n = 0; n != tiles.n; ++n) {
      const void *const *b = operands.b + n * bPlanes;
      const void *const *c = operands.c + (m * tiles.n + n) * cPlanes;
      void *const *result = d + (m * tiles.n + n) * dPlanes;
      if (form.a == MmaType::B1) {
        multiplyBits(form, tiles.rows, a, b, c, result);
      } else if (form.a == MmaType::F64) {
        multiplyF64(form, tiles.rows, a, b, c, result);
      } else {
        unpackFactor(form.b, b, 8, form.k, bTile);
        multiplyNumbers(form, operands, tiles.rows, aTile, bTile, c, result);
      }
    }
  }
}

void multiply(const MmaForm &form, const MmaOperands &operands) {
  if (isVolta(form))
    return multiplyQuads(form, operands);
  TileCounts tiles = tilesOf(form.m, form.n);
  if (tiles.m * tiles.n == 1)
    return multiplyTiles(form, operands, operands.d);
  // A result may be an operand of the next tile.
  uint32_t results[8][32];
  void *planes[8];
  unsigned count = planesOf(form).d;
  for (unsigned plane = 0; plane != count; ++plane)
    planes[plane] = results[plane];
  multiplyTiles(form, operands, planes);
  for (unsigned plane = 0; plane != count; ++plane)
    std::memcpy(operands.d[plane], results[plane], sizeof results[plane]);
}

} // namespace ptxsim
