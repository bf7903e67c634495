// wgmma with a sparse A against a product in f64.

#include "WarpgroupTesting.h"

using namespace ptxsim;
using namespace ptxsim::testing;

namespace {

/// Which thread's metadata say where the non-zeros of which elements are, as
/// CUTLASS has it: strides of thread bits and of values among the elements of a
/// matrix of 64 rows by K, counted down the columns.
struct MetadataLayout {
  uint32_t firstBit, secondBit; ///< Of thread bits 0 and 1; 0 for the selector.
  uint32_t values;              ///< In a row, until rows go on 8 below.
};

MetadataLayout layoutOf(Type type) {
  switch (bitsOf(type)) {
  case 32:
    return {512, 0, 8};
  case 16:
    return {1024, 0, 16};
  default:
    return {8, 2048, 32};
  }
}

/// Makes A sparse and returns the matrix without its zeros; `metadata` is what
/// the instruction gets.
Matrix compress(Matrix &full, uint32_t selector, Planes &metadata,
                std::mt19937 &random) {
  const uint32_t width = full.type == Type::TF32 ? 2 : 4;
  Matrix compact;
  compact.type = full.type;
  compact.mn = 64;
  compact.k = full.k / 2;
  compact.elements.resize(64 * compact.k);
  // For each row and chunk the four bits that say which elements are kept.
  std::vector<uint32_t> positions(64 * full.k / width);
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t chunk = 0; chunk < full.k / width; ++chunk) {
      uint32_t first = random() % width;
      uint32_t second = (first + 1 + random() % (width - 1)) % width;
      uint32_t kept = width == 2 ? 1u << first : 1u << first | 1u << second;
      for (uint32_t i = 0; i < width; ++i)
        if (!(kept >> i & 1))
          full.at(row, chunk * width + i) = 0;
      if (width == 2) {
        compact.at(row, chunk) = full.at(row, 2 * chunk + first);
        positions[row * (full.k / 2) + chunk] = first ? 0b1110 : 0b0100;
        continue;
      }
      compact.at(row, 2 * chunk) = full.at(row, 4 * chunk + first);
      compact.at(row, 2 * chunk + 1) = full.at(row, 4 * chunk + second);
      positions[row * (full.k / 4) + chunk] = first | second << 2;
    }
  MetadataLayout layout = layoutOf(full.type);
  for (uint32_t &word : metadata.words)
    word = random(); // What the selector leaves out.
  for (uint32_t t = 0; t < 128; ++t) {
    uint32_t origin = (t & 1) * layout.firstBit +
                      (t >> 1 & 1) * layout.secondBit + (t >> 2 & 7) +
                      (t >> 5) * 16;
    if (!layout.secondBit && (t >> 1 & 1) != selector)
      continue;
    uint32_t word = 0;
    for (uint32_t v = 0; v < 32 * width / 4; v += width) {
      uint32_t element =
          origin + v % layout.values * 64 + v / layout.values * 8;
      uint32_t row = element % 64, k = element / 64;
      word |= positions[row * (full.k / width) + k / width]
              << (4 * (v / width));
    }
    metadata.pointers[t / 32][0][t % 32] = word;
  }
  return compact;
}

struct Types {
  Type a, b;
  Sum d;
};

/// The same with `.sp`: all but b1.
constexpr Types sparseTypes[] = {
    {Type::F16, Type::F16, Sum::F32},   {Type::F16, Type::F16, Sum::F16},
    {Type::BF16, Type::BF16, Sum::F32}, {Type::TF32, Type::TF32, Sum::F32},
    {Type::E4M3, Type::E4M3, Sum::F32}, {Type::E4M3, Type::E5M2, Sum::F32},
    {Type::E5M2, Type::E4M3, Sum::F32}, {Type::E5M2, Type::E5M2, Sum::F32},
    {Type::E4M3, Type::E4M3, Sum::F16}, {Type::E4M3, Type::E5M2, Sum::F16},
    {Type::E5M2, Type::E4M3, Sum::F16}, {Type::E5M2, Type::E5M2, Sum::F16},
    {Type::S8, Type::S8, Sum::S32},     {Type::S8, Type::U8, Sum::S32},
    {Type::U8, Type::S8, Sum::S32},     {Type::U8, Type::U8, Sum::S32}};

TEST(WarpgroupSparse, MultipliesAllTypesAndLayouts) {
  std::mt19937 random(1);
  uint32_t number = 0;
  for (const Types &types : sparseTypes)
    for (uint32_t layoutA = 0; layoutA < 9; ++layoutA)
      for (uint32_t layoutB = 0; layoutB < 8; ++layoutB) {
        bool isMajorA = layoutA / 4 == 1, isMajorB = layoutB / 4 == 1;
        if ((isMajorA || isMajorB) && bitsOf(types.a) != 16)
          continue;
        if (layoutB == 3) // 32 bytes are less than B has along K.
          continue;
        Case test;
        test.shape.isSparse = true;
        test.shape.a = types.a;
        test.shape.b = types.b;
        test.shape.d = types.d;
        test.shape.n = 8 + 8 * (number % 3);
        uint32_t bits = bitsOf(types.a);
        test.placeA = placeDensely(0, layoutA % 4, isMajorA, 64, 32, bits,
                                   number % 2 * 128);
        test.placeB = placeDensely(32768, layoutB % 4, isMajorB, test.shape.n,
                                   64, bits, number % 3 * 128);
        test.step.isAInRegisters = layoutA == 8;
        test.step.scaleD = number % 4 != 0;
        test.step.isANegated = types.d != Sum::S32 && number % 3 == 1;
        test.step.selector = bits == 8 ? 0 : number / 2 % 2;
        fill(test, random);
        Matrix compact =
            compress(test.a, test.step.selector, test.metadata, random);
        if (test.step.isAInRegisters)
          writeRegisters(compact, test.registers);
        else
          writeMatrix(compact, test.placeA, test.shared);
        for (uint32_t warp = 0; warp < 4; ++warp)
          test.step.metadata[warp] = test.metadata.pointers[warp][0];
        ++number;
        expectRight(test, random);
        if (HasFatalFailure())
          return;
      }
}

TEST(WarpgroupSparse, MultipliesAllN) {
  std::mt19937 random(2);
  for (const Types &types : sparseTypes)
    for (uint32_t n = 8; n <= 256; n += 56) {
      Case test;
      test.shape.isSparse = true;
      test.shape.a = types.a;
      test.shape.b = types.b;
      test.shape.d = types.d;
      test.shape.n = n;
      if (!checkShape(test.shape).empty())
        continue;
      uint32_t bits = bitsOf(types.a);
      test.placeA = placeDensely(0, 1, false, 64, 32, bits, 0);
      test.placeB = placeDensely(32768, 1, false, n, 64, bits, 0);
      fill(test, random);
      writeMatrix(test.b, test.placeB, test.shared);
      Matrix compact = compress(test.a, 0, test.metadata, random);
      writeMatrix(compact, test.placeA, test.shared);
      for (uint32_t warp = 0; warp < 4; ++warp)
        test.step.metadata[warp] = test.metadata.pointers[warp][0];
      expectRight(test, random);
      if (HasFatalFailure())
        return;
    }
}

} // namespace
