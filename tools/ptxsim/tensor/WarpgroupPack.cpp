// Reads the operands of wgmma, converts them to f32 and rearranges them.

#include "tools/ptxsim/tensor/WarpgroupPack.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;
using namespace ptxsim::warpgroup;

// Vectors larger than a register are cheap only where nothing is called.
#define INLINE inline __attribute__((always_inline))

using U8x16 = uint8_t __attribute__((vector_size(16)));
using U8x32 = uint8_t __attribute__((vector_size(32)));
using U8x64 = uint8_t __attribute__((vector_size(64)));
using U16x16 = uint16_t __attribute__((vector_size(32)));
using U16x32 = uint16_t __attribute__((vector_size(64)));
using U32x16 = uint32_t __attribute__((vector_size(64)));
using S32x16 = int32_t __attribute__((vector_size(64)));
using F16x16 = _Float16 __attribute__((vector_size(32)));
using F32x16 = float __attribute__((vector_size(64)));

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

// A quad is four rows (or columns) of 16 bytes along K each.

static INLINE U8x64 concatenate(U8x16 a, U8x16 b, U8x16 c, U8x16 d) {
#define BYTES16(n)                                                             \
  n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9, n + 10,    \
      n + 11, n + 12, n + 13, n + 14, n + 15
  U8x32 low = __builtin_shufflevector(a, b, BYTES16(0), BYTES16(16));
  U8x32 high = __builtin_shufflevector(c, d, BYTES16(0), BYTES16(16));
  return __builtin_shufflevector(low, high, BYTES16(0), BYTES16(16),
                                 BYTES16(32), BYTES16(48));
#undef BYTES16
}

static INLINE U8x16 load16(const uint8_t *at) {
  U8x16 value;
  std::memcpy(&value, at, 16);
  return value;
}

SharedMatrix::SharedMatrix(const uint8_t *shared, uint64_t bits, bool isMNMajor,
                           uint32_t chunks)
    : shared(shared), descriptor(decodeDescriptor(bits)),
      isMNMajorLayout(isMNMajor),
      isPeriodic(
          !descriptor.span ||
          (descriptor.stride % (8 * descriptor.span) == 0 &&
           (!isMNMajor || descriptor.leading % (8 * descriptor.span) == 0))) {
  if (isMNMajor)
    chunks = std::max(descriptor.span / 16, 1u);
  for (uint32_t row = 0; row < 8; ++row)
    for (uint32_t i = 0; i < chunks; ++i)
      table[row][i] = isMNMajor ? chunkAddress(descriptor, true, i, row)
                                : chunkAddress(descriptor, false, row, i);
}

/// Transposes 8 k of 8 rows of 16 bits to quads of rows.
template <bool isSplit>
static INLINE void transpose(const U8x64 byK[2], U8x64 quads[2]) {
  // Word k * 8 + row of both together goes to row, k.
#define ROW(r) r, 8 + r, 16 + r, 24 + r, 32 + r, 40 + r, 48 + r, 56 + r
  U16x32 low = (U16x32)byK[0], high = (U16x32)byK[1];
  if constexpr (isSplit) {
    quads[0] = (U8x64)__builtin_shufflevector(low, high, ROW(0), ROW(2), ROW(4),
                                              ROW(6));
    quads[1] = (U8x64)__builtin_shufflevector(low, high, ROW(1), ROW(3), ROW(5),
                                              ROW(7));
  } else {
    quads[0] = (U8x64)__builtin_shufflevector(low, high, ROW(0), ROW(1), ROW(2),
                                              ROW(3));
    quads[1] = (U8x64)__builtin_shufflevector(low, high, ROW(4), ROW(5), ROW(6),
                                              ROW(7));
  }
#undef ROW
}

/// Reads rows `8 * group` + 0 to 3 and 4 to 7, or if `isSplit` the even and the
/// odd ones.
template <bool isMNMajor, bool isSplit>
static INLINE void readQuads(const SharedMatrix &matrix, uint32_t group,
                             uint32_t chunk, U8x64 quads[2]) {
  for (uint32_t i = 0; i < 2; ++i) {
    const uint8_t *at[4];
    for (uint32_t j = 0; j < 4; ++j)
      at[j] = isMNMajor
                  ? matrix.alongMN(group, 8 * chunk + 4 * i + j)
                  : matrix.alongK(8 * group + (isSplit ? i + 2 * j : 4 * i + j),
                                  chunk);
    quads[i] =
        concatenate(load16(at[0]), load16(at[1]), load16(at[2]), load16(at[3]));
  }
  if constexpr (isMNMajor) {
    U8x64 byK[2] = {quads[0], quads[1]};
    transpose<isSplit>(byK, quads);
  }
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

// Each returns [4 rows][k 4 * part to 4 * part + 3] of a quad as f32.

/// Returns bytes 4 * part and the next three of each row as words.
template <int part>
static INLINE U32x16 wordsOfBytes(const U8x64 &quad) {
#define BYTE(n) n + 4 * part, 64, 64, 64
#define ROW(n) BYTE(n), BYTE(n + 1), BYTE(n + 2), BYTE(n + 3)
  U8x64 zero = {};
  return (U32x16)__builtin_shufflevector(quad, zero, ROW(0), ROW(16), ROW(32),
                                         ROW(48));
#undef ROW
#undef BYTE
}

static INLINE F32x16 floatsOfHalves(U32x16 words) {
  U16x16 halves = __builtin_convertvector(words, U16x16);
  return __builtin_convertvector((F16x16)halves, F32x16);
}

template <WarpgroupType type, int part>
static INLINE F32x16 convertPart(const U8x64 &quad) {
  if constexpr (type == WarpgroupType::TF32) {
    return (F32x16)((U32x16)quad & 0xffffe000u);
  } else if constexpr (type == WarpgroupType::BF16) {
#define WORD(n) 32, n + 4 * part
#define ROW(n) WORD(n), WORD(n + 1), WORD(n + 2), WORD(n + 3)
    U16x32 zero = {};
    return (F32x16)__builtin_shufflevector((U16x32)quad, zero, ROW(0), ROW(8),
                                           ROW(16), ROW(24));
#undef ROW
#undef WORD
  } else if constexpr (type == WarpgroupType::F16) {
#define ROW(n)                                                                 \
  n + 4 * part, n + 1 + 4 * part, n + 2 + 4 * part, n + 3 + 4 * part
    U16x16 halves = __builtin_shufflevector((U16x32)quad, (U16x32)quad, ROW(0),
                                            ROW(8), ROW(16), ROW(24));
#undef ROW
    return __builtin_convertvector((F16x16)halves, F32x16);
  } else if constexpr (type == WarpgroupType::E5M2) {
    // The upper half of an f16.
    return floatsOfHalves(wordsOfBytes<part>(quad) << 8);
  } else if constexpr (type == WarpgroupType::E4M3) {
    // As an f16 the bits mean 2^-8 of the value, subnormals included.
    U32x16 words = wordsOfBytes<part>(quad);
    U32x16 magnitude = words & 0x7f;
    F32x16 value =
        floatsOfHalves((words & 0x80) << 8 | magnitude << 7) * 256.0f;
    U32x16 isNaN = (U32x16)(magnitude == 0x7f);
    return (F32x16)((U32x16)value | (isNaN & 0x7fc00000));
  } else if constexpr (type == WarpgroupType::U8) {
    return __builtin_convertvector((S32x16)wordsOfBytes<part>(quad), F32x16);
  } else {
    static_assert(type == WarpgroupType::S8);
    S32x16 words = (S32x16)(wordsOfBytes<part>(quad) << 24) >> 24;
    return __builtin_convertvector(words, F32x16);
  }
}

/// Returns bits 4 * part to 4 * part + 3 of each row as 0 or 1.
static F32x16 convertBits(const U8x64 &quad, uint32_t part) {
  F32x16 result;
  for (uint32_t i = 0; i < 16; ++i)
    result[i] =
        float(quad[i / 4 * 16 + part / 2] >> (part % 2 * 4 + i % 4) & 1);
  return result;
}

/// Calls `function(part, [4 rows][4 units])` for all parts of a quad, with
/// products of the wanted sign.
template <WarpgroupType type, PackUnit unit, typename Function>
static INLINE void forEachPart(const U8x64 &quad, uint32_t sign,
                               Function &&function) {
  if constexpr (unit == PackUnit::Pair) {
    U32x16 words = (U32x16)quad ^ (sign | sign >> 16);
    return function(0, (F32x16)(words << 16 | words >> 16));
  }
  auto withSign = [&](F32x16 value) { return (F32x16)((U32x16)value ^ sign); };
  if constexpr (type == WarpgroupType::B1) {
    for (uint32_t part = 0; part < 32; ++part)
      function(part, convertBits(quad, part));
  } else {
    function(0, withSign(convertPart<type, 0>(quad)));
    if constexpr (type != WarpgroupType::TF32)
      function(1, withSign(convertPart<type, 1>(quad)));
    if constexpr (bitsOf(type) == 8) {
      function(2, withSign(convertPart<type, 2>(quad)));
      function(3, withSign(convertPart<type, 3>(quad)));
    }
  }
}

namespace {
/// The smallest of all elements of bf16, so that no product or sum of them is
/// below 2^-126: these are 2^-56 or more, multiples of 2^-63, or zero.
class SmallestOfPairs {
public:
  INLINE void add(const U8x64 &quad) {
    U16x32 order = ((U16x32)quad << 1) - 1; // Zero is the largest.
    smallest = order < smallest ? order : smallest;
  }
  bool isLargeEnough() const {
    uint16_t least = uint16_t((127 - 56) << 8) - 1;
    for (uint32_t i = 0; i < 32; ++i)
      if (smallest[i] < least)
        return false;
    return true;
  }

private:
  U16x32 smallest = U16x32{} + 0xffff;
};
} // namespace

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Writes each element of [4 rows][4 k] four times.
static INLINE void writeRows(F32x16 part, float *at) {
#define COPIES(k)                                                              \
  k, k, k, k, 4 + k, 4 + k, 4 + k, 4 + k, 8 + k, 8 + k, 8 + k, 8 + k, 12 + k,  \
      12 + k, 12 + k, 12 + k
  F32x16 copies[4] = {__builtin_shufflevector(part, part, COPIES(0)),
                      __builtin_shufflevector(part, part, COPIES(1)),
                      __builtin_shufflevector(part, part, COPIES(2)),
                      __builtin_shufflevector(part, part, COPIES(3))};
#undef COPIES
  for (uint32_t k = 0; k < 4; ++k)
    std::memcpy(at + 64 * k, &copies[k], 64);
}

/// Writes [4 columns][4 k] as [4 k][4 columns].
static INLINE void writeColumns(F32x16 part, float *at) {
  F32x16 turned = __builtin_shufflevector(part, part, 0, 4, 8, 12, 1, 5, 9, 13,
                                          2, 6, 10, 14, 3, 7, 11, 15);
  std::memcpy(at, &turned, 64);
}

/// Calls `function` with the type as a constant; pairs are of bf16.
template <PackUnit unit, typename Function>
static INLINE bool withType(WarpgroupType type, Function &&function) {
  using T = WarpgroupType;
  if constexpr (unit == PackUnit::Pair)
    return function(std::integral_constant<T, T::BF16>());
  switch (type) {
#define CASE(NAME)                                                             \
  case T::NAME:                                                                \
    return function(std::integral_constant<T, T::NAME>());
    CASE(F16)
    CASE(BF16)
    CASE(TF32)
    CASE(E4M3)
    CASE(E5M2)
    CASE(S8)
    CASE(U8)
    CASE(B1)
#undef CASE
  }
}

//===----------------------------------------------------------------------===//
// Sparse A
//===----------------------------------------------------------------------===//

/// Returns the quads of A in registers: register `row / 8 + 2 * chunk` of lane
/// `4 * (row % 8) + i` holds word i of the chunk.
static INLINE void readRegisters(const WarpgroupStep &step, uint32_t group,
                                 uint32_t chunk, U8x64 quads[2]) {
  const uint32_t *plane = step.a[group / 2][group % 2 + 2 * chunk];
  std::memcpy(&quads[0], plane, 64);
  std::memcpy(&quads[1], plane + 16, 64);
}

/// Returns 16 bits of metadata that say where the elements of half of a row's
/// chunks are, four bits for each chunk; for 8-bit types 32 bits.
///
/// Which lanes hold them is in figures of the manual only; stated here as
/// CUTLASS has it (ELayout_64x16, 64x32 and 64x64 of its sm90 sparse traits).
static uint32_t metadataOf(const WarpgroupShape &shape,
                           const WarpgroupStep &step, uint32_t row,
                           uint32_t half) {
  const uint32_t *lanes = step.metadata[row / 16] + row % 8 * 4;
  uint32_t isUpper = row % 16 / 8;
  if (bitsOf(shape.a) == 8)
    return lanes[isUpper + 2 * half];
  return lanes[2 * step.selector + half] >> (16 * isUpper) & 0xffff;
}

/// Puts the 32 bytes of a row at their places among 64.
static void spreadRow(const WarpgroupShape &shape, const WarpgroupStep &step,
                      uint32_t row, const uint8_t *compact, uint8_t *full) {
  uint32_t bytes = bitsOf(shape.a) / 8;
  uint32_t chunks = bytes == 1 ? 8 : 4; // In half a row.
  std::memset(full, 0, 64);
  for (uint32_t half = 0; half < 2; ++half) {
    uint32_t metadata = metadataOf(shape, step, row, half);
    for (uint32_t c = 0; c < chunks; ++c) {
      uint32_t pair = metadata >> (4 * c) & 15;
      uint32_t chunk = half * chunks + c;
      if (bytes == 4) {
        // One of two elements, named by both of its halves.
        std::memcpy(full + 8 * chunk + 4 * (pair >> 1 & 1), compact + 4 * chunk,
                    4);
        continue;
      }
      for (uint32_t i = 0; i < 2; ++i)
        std::memcpy(full + bytes * (4 * chunk + (pair >> (2 * i) & 3)),
                    compact + bytes * (2 * chunk + i), bytes);
    }
  }
}

/// Expands a sparse A to rows of 64 bytes.
static void spread(const WarpgroupShape &shape, const OperandA &operand) {
  const WarpgroupStep &step = *operand.step;
  for (uint32_t group = 0; group < 8; ++group) {
    alignas(64) uint8_t compact[2][8][16]; // [chunk][row]
    for (uint32_t chunk = 0; chunk < 2; ++chunk) {
      U8x64 quads[2];
      if (step.isAInRegisters)
        readRegisters(step, group, chunk, quads);
      else if (step.isATransposed)
        readQuads<true, false>(operand.matrix, group, chunk, quads);
      else
        readQuads<false, false>(operand.matrix, group, chunk, quads);
      std::memcpy(compact[chunk], quads, sizeof quads);
    }
    for (uint32_t row = 0; row < 8; ++row) {
      uint8_t bytes[32];
      std::memcpy(bytes, compact[0][row], 16);
      std::memcpy(bytes + 16, compact[1][row], 16);
      spreadRow(shape, step, 8 * group + row, bytes,
                operand.full[8 * group + row]);
    }
  }
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

OperandA ptxsim::warpgroup::prepareA(const WarpgroupShape &shape,
                                     const WarpgroupStep &step,
                                     const uint8_t *shared,
                                     uint8_t (*full)[64]) {
  OperandA operand;
  operand.step = &step;
  if (!step.isAInRegisters)
    operand.matrix =
        SharedMatrix(shared, step.descriptorA, step.isATransposed, 2);
  if (shape.isSparse) {
    operand.full = full;
    spread(shape, operand);
  }
  return operand;
}

/// Packs 16 rows of A that `read(group, chunk, quads)` gives.
template <WarpgroupType type, PackUnit unit, typename Read>
static INLINE bool packRows(const OperandA &operand, uint32_t warp,
                            const PackPlace &place, float *packed,
                            Read &&read) {
  uint32_t sign =
      operand.step->isANegated != operand.step->isBNegated ? 0x80000000 : 0;
  float *at = packed + place.firstUnit * 64;
  SmallestOfPairs smallest;
  for (uint32_t chunk = place.firstChunk; chunk < place.endChunk; ++chunk) {
    for (uint32_t half = 0; half < 2; ++half) {
      U8x64 quads[2];
      read(2 * warp + half, chunk, quads);
      for (uint32_t i = 0; i < 2; ++i) {
        if constexpr (unit == PackUnit::Pair)
          smallest.add(quads[i]);
        forEachPart<type, unit>(
            quads[i], sign, [&](uint32_t part, F32x16 value) {
              writeRows(value, at + (2 * half + i) * 16 + 4 * 64 * part);
            });
      }
    }
    at += 64 * unitsOfChunk(type, unit);
  }
  return smallest.isLargeEnough();
}

template <PackUnit unit>
bool ptxsim::warpgroup::packA(const WarpgroupShape &shape,
                              const OperandA &operand, uint32_t warp,
                              const PackPlace &place, float *packed) {
  return withType<unit>(shape.a, [&](auto type) {
    if (operand.full)
      return packRows<type(), unit>(
          operand, warp, place, packed,
          [&](uint32_t group, uint32_t chunk, U8x64 quads[2]) {
            for (uint32_t i = 0; i < 2; ++i) {
              const uint8_t *at = operand.full[8 * group + 4 * i] + 16 * chunk;
              quads[i] = concatenate(load16(at), load16(at + 64),
                                     load16(at + 128), load16(at + 192));
            }
          });
    if (operand.step->isAInRegisters)
      return packRows<type(), unit>(
          operand, warp, place, packed,
          [&](uint32_t group, uint32_t chunk, U8x64 quads[2]) {
            readRegisters(*operand.step, group, chunk, quads);
          });
    if (operand.matrix.isMNMajor())
      return packRows<type(), unit>(
          operand, warp, place, packed,
          [&](uint32_t group, uint32_t chunk, U8x64 quads[2]) {
            readQuads<true, false>(operand.matrix, group, chunk, quads);
          });
    return packRows<type(), unit>(
        operand, warp, place, packed,
        [&](uint32_t group, uint32_t chunk, U8x64 quads[2]) {
          readQuads<false, false>(operand.matrix, group, chunk, quads);
        });
  });
}

template <WarpgroupType type, PackUnit unit, bool isMNMajor>
static bool packColumns(const SharedMatrix &matrix, uint32_t n,
                        const PackPlace &place, float *packed) {
  SmallestOfPairs smallest;
  for (uint32_t group = 0; group < n / 8; ++group) {
    float *at = packed + 4 * (2 * group * place.units + place.firstUnit);
    for (uint32_t chunk = place.firstChunk; chunk < place.endChunk; ++chunk) {
      U8x64 quads[2];
      readQuads<isMNMajor, true>(matrix, group, chunk, quads);
      for (uint32_t i = 0; i < 2; ++i) {
        if constexpr (unit == PackUnit::Pair)
          smallest.add(quads[i]);
        forEachPart<type, unit>(quads[i], 0, [&](uint32_t part, F32x16 value) {
          writeColumns(value, at + 4 * i * place.units + 16 * part);
        });
      }
      at += 4 * unitsOfChunk(type, unit);
    }
  }
  return smallest.isLargeEnough();
}

template <PackUnit unit>
bool ptxsim::warpgroup::packB(const WarpgroupShape &shape,
                              const WarpgroupStep &step, const uint8_t *shared,
                              const PackPlace &place, float *packed) {
  SharedMatrix matrix(shared, step.descriptorB, step.isBTransposed,
                      shape.columnBytesOfB() / 16);
  return withType<unit>(shape.b, [&](auto type) {
    if (step.isBTransposed)
      return packColumns<type(), unit, true>(matrix, shape.n, place, packed);
    return packColumns<type(), unit, false>(matrix, shape.n, place, packed);
  });
}

#define INSTANTIATE(UNIT)                                                      \
  template bool ptxsim::warpgroup::packA<PackUnit::UNIT>(                      \
      const WarpgroupShape &, const OperandA &, uint32_t, const PackPlace &,   \
      float *);                                                                \
  template bool ptxsim::warpgroup::packB<PackUnit::UNIT>(                      \
      const WarpgroupShape &, const WarpgroupStep &, const uint8_t *,          \
      const PackPlace &, float *);
INSTANTIATE(Element)
INSTANTIATE(Pair)
