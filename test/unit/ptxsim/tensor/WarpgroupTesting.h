// wgmma by definition, in f64, for the tests of WarpgroupMultiply.
//
// Written from the manual and independently of the library: element by element,
// with CuTe's canonical layouts as the manual has them.

#ifndef TCC_TEST_UNIT_PTXSIM_TENSOR_WARPGROUPTESTING_H
#define TCC_TEST_UNIT_PTXSIM_TENSOR_WARPGROUPTESTING_H

#include "tools/ptxsim/tensor/WarpgroupMultiply.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace ptxsim::testing {

using Type = WarpgroupType;
using Sum = WarpgroupSum;

/// Decodes a float of `exponentBits` and `mantissaBits` by definition.
inline double decodeFloat(uint32_t bits, int exponentBits, int mantissaBits) {
  int exponent = int(bits >> mantissaBits & ((1u << exponentBits) - 1));
  double mantissa =
      double(bits & ((1u << mantissaBits) - 1)) / double(1u << mantissaBits);
  int bias = (1 << (exponentBits - 1)) - 1;
  double value = exponent == 0 ? std::ldexp(mantissa, 1 - bias)
                               : std::ldexp(1 + mantissa, exponent - bias);
  return bits >> (exponentBits + mantissaBits) & 1 ? -value : value;
}

/// Decodes any element but infinities and NaN.
inline double decodeElement(Type type, uint32_t bits) {
  switch (type) {
  case Type::F16:
    return decodeFloat(bits, 5, 10);
  case Type::BF16:
    return decodeFloat(bits, 8, 7);
  case Type::TF32:
    return decodeFloat(bits >> 13, 8, 10);
  case Type::E4M3:
    return decodeFloat(bits, 4, 3);
  case Type::E5M2:
    return decodeFloat(bits, 5, 2);
  case Type::S8:
    return int8_t(bits);
  case Type::U8:
    return bits;
  case Type::B1:
    return bits;
  }
  return 0;
}

/// Returns a finite element of moderate size; tf32 has set low bits.
inline uint32_t randomElement(Type type, std::mt19937 &random) {
  uint32_t bits = random();
  switch (type) {
  case Type::F16:
    return (bits & 0x8fff) | (bits >> 16 & 3) << 12 | 0x2000;
  case Type::BF16:
    return (bits & 0x81ff) | 0x3e00;
  case Type::TF32:
    return (bits & 0x81ffffff) | 0x3e000000;
  case Type::E4M3:
    return (bits & 0x7f) == 0x7f ? bits & 0x87 : bits & 0xff;
  case Type::E5M2:
    return (bits & 0x7c) == 0x7c ? bits & 0x8b : bits & 0xff;
  case Type::S8:
  case Type::U8:
    return bits & 0xff;
  case Type::B1:
    return bits & 1;
  }
  return 0;
}

/// A matrix of `mn` rows (of A) or columns (of B) by `k`.
struct Matrix {
  Type type = Type::BF16;
  uint32_t mn = 0, k = 0;
  std::vector<uint32_t> elements;
  std::vector<double> values; ///< Of all elements, once `decode` was called.

  uint32_t &at(uint32_t i, uint32_t j) { return elements[i * k + j]; }
  double value(uint32_t i, uint32_t j) const { return values[i * k + j]; }
  void decode() {
    values.clear();
    for (uint32_t element : elements)
      values.push_back(decodeElement(type, element));
  }
  void fill(std::mt19937 &random) {
    elements.resize(size_t(mn) * k);
    for (uint32_t &element : elements)
      element = randomElement(type, random);
  }
};

/// Where a matrix lies in shared memory.
struct Placement {
  uint32_t start = 0, leading = 0, stride = 0, baseOffset = 0;
  uint32_t swizzle = 0; ///< As in the descriptor: none, 128, 64, 32 bytes.
  bool isMNMajor = false;

  uint64_t bits() const {
    auto encode = [](uint64_t x) { return (x & 0x3ffff) >> 4; };
    return encode(start) | encode(leading) << 16 | encode(stride) << 32 |
           uint64_t(baseOffset) << 49 | uint64_t(swizzle) << 62;
  }
};

/// Returns the bit of shared memory where an element begins: the table
/// "Canonical Layouts" of PTX ISA 9.7.15.5.1.2.1.3 in elements, then
/// Swizzle<B, 4, 3> on bytes.
inline uint64_t elementBit(const Placement &place, uint32_t bits, uint32_t mn,
                           uint32_t k) {
  const uint64_t T = 128 / bits;
  const uint64_t LBO = uint64_t(place.leading) * 8 / bits;
  const uint64_t SBO = uint64_t(place.stride) * 8 / bits;
  const uint32_t swizzleBits[] = {0, 3, 2, 1};
  const uint32_t B = swizzleBits[place.swizzle];
  const uint64_t w = 1u << B; // 1, 2, 4 or 8
  uint64_t offset;
  if (place.isMNMajor && B == 0) // ((T,1,m),(8,k)):((1,T,SBO),(1T,LBO))
    offset = mn % T + mn / T * SBO + k % 8 * T + k / 8 * LBO;
  else if (place.isMNMajor) // ((T,w,m),(8,k)):((1,T,LBO),(wT,SBO))
    offset = mn % T + mn / T % w * T + mn / T / w * LBO + k % 8 * w * T +
             k / 8 * SBO;
  else if (B == 0) // ((8,m),(T,2k)):((1T,SBO),(1,LBO))
    offset = mn % 8 * T + mn / 8 * SBO + k % T + k / T * LBO;
  else // ((8,m),(T,2k)):((wT,SBO),(1,T))
    offset = mn % 8 * w * T + mn / 8 * SBO + k % T + k / T * T;
  uint64_t bit = offset * bits;
  uint64_t byte = place.start + bit / 8;
  uint64_t pattern = (byte >> 7) - place.baseOffset;
  byte ^= (pattern & (w - 1)) << 4;
  return byte * 8 + bit % 8;
}

inline void putElement(std::vector<uint8_t> &shared, uint64_t bit,
                       uint32_t bits, uint32_t value) {
  if (bits == 1)
    shared[bit / 8] =
        uint8_t((shared[bit / 8] & ~(1 << bit % 8)) | value << bit % 8);
  else
    std::memcpy(&shared[bit / 8], &value, bits / 8);
}

inline void writeMatrix(Matrix &matrix, const Placement &place,
                        std::vector<uint8_t> &shared) {
  uint32_t bits = bitsOf(matrix.type);
  for (uint32_t i = 0; i < matrix.mn; ++i)
    for (uint32_t j = 0; j < matrix.k; ++j)
      putElement(shared, elementBit(place, bits, i, j), bits, matrix.at(i, j));
}

/// Registers of a warpgroup as planes of lanes.
struct Planes {
  std::vector<uint32_t> words;
  std::vector<uint32_t *> pointers[4];
  uint32_t *const *rows[4];

  explicit Planes(uint32_t registers) : words(4 * registers * 32) {
    for (uint32_t warp = 0; warp < 4; ++warp) {
      for (uint32_t i = 0; i < registers; ++i)
        pointers[warp].push_back(&words[(warp * registers + i) * 32]);
      rows[warp] = pointers[warp].data();
    }
  }
};

/// Puts A into registers as 9.7.15.5.1.1 has it: register i of a thread holds
/// 32 bits along K of row t / 4 + 8 * (i % 2), from word t % 4 + 4 * (i / 2)
/// on.
inline void writeRegisters(Matrix &a, Planes &planes) {
  uint32_t bits = bitsOf(a.type), perWord = 32 / bits;
  for (uint32_t warp = 0; warp < 4; ++warp)
    for (uint32_t t = 0; t < 32; ++t)
      for (uint32_t i = 0; i < 4; ++i) {
        uint32_t row = 16 * warp + t / 4 + 8 * (i % 2);
        uint32_t first = (t % 4 + 4 * (i / 2)) * perWord;
        uint32_t word = 0;
        for (uint32_t j = 0; j < perWord; ++j)
          word |= a.at(row, first + j) << (j * bits);
        planes.pointers[warp][i][t] = word;
      }
}

/// The element of D with this row and column: its register, thread and half.
struct Fragment {
  uint32_t warp, thread, index;
};

inline Fragment fragmentOf(uint32_t row, uint32_t column) {
  uint32_t thread = row % 8 * 4 + column % 8 / 2;
  uint32_t index = column / 8 * 4 + row % 16 / 8 * 2 + column % 2;
  return {row / 16, thread, index};
}

/// Reads D as f64; f16 has two elements in a register.
inline double readSum(const Planes &planes, Sum type, uint32_t row,
                      uint32_t column) {
  Fragment at = fragmentOf(row, column);
  if (type == Sum::F16) {
    uint32_t word = planes.pointers[at.warp][at.index / 2][at.thread];
    return decodeFloat(at.index % 2 ? word >> 16 : word & 0xffff, 5, 10);
  }
  uint32_t word = planes.pointers[at.warp][at.index][at.thread];
  return type == Sum::S32 ? double(int32_t(word)) : decodeFloat(word, 8, 23);
}

/// Makes accumulators of moderate size.
inline void fillSum(Planes &planes, Sum type, std::mt19937 &random) {
  for (uint32_t &word : planes.words)
    word = type == Sum::F32   ? (random() & 0x83ffffff) | 0x3c000000
           : type == Sum::F16 ? (random() & 0x8fff8fff) | 0x20002000
                              : random() >> 4;
}

inline constexpr uint32_t sharedSize = 131072;

/// One instruction with everything that it reads.
struct Case {
  WarpgroupShape shape;
  WarpgroupStep step;
  Placement placeA, placeB;
  Matrix a, b; ///< A dense, also if sparse.
  std::vector<uint8_t> shared = std::vector<uint8_t>(sharedSize, 0x5a);
  Planes registers{4}, metadata{1};
};

/// Chooses offsets that leave no gaps, plus `padding` between groups.
inline Placement placeDensely(uint32_t start, uint32_t swizzle, bool isMNMajor,
                              uint32_t mn, uint32_t rowBytes, uint32_t bits,
                              uint32_t padding) {
  const uint32_t widths[] = {16, 128, 64, 32};
  Placement place;
  place.start = start;
  place.swizzle = swizzle;
  place.isMNMajor = isMNMajor;
  uint32_t k = rowBytes * 8 / bits;
  uint32_t group = 8 * widths[swizzle] + padding; // 8 lines.
  if (swizzle && !isMNMajor) {
    place.stride = group;
    place.leading = 16; // Not used.
  } else if (swizzle) {
    place.stride = group;
    place.leading = group * (k / 8);
  } else if (isMNMajor) {
    place.stride = 128 + padding;
    place.leading = (128 + padding) * (mn / 8);
  } else {
    place.leading = 128 + padding;
    place.stride = (128 + padding) * (rowBytes / 16);
  }
  return place;
}

/// Fills A and B and puts them where the placements say.
inline void fill(Case &test, std::mt19937 &random) {
  // Sums in f16 end at 65504, so that 8-bit floats are kept below 32 there.
  auto bound = [&](Matrix &matrix) {
    uint32_t mask = matrix.type == Type::E4M3 ? 0xdf : 0xcf;
    if (test.shape.d == Sum::F16 && bitsOf(matrix.type) == 8)
      for (uint32_t &element : matrix.elements)
        element &= mask;
  };
  test.a.type = test.shape.a;
  test.a.mn = 64;
  test.a.k = test.shape.k();
  test.b.type = test.shape.b;
  test.b.mn = test.shape.n;
  test.b.k = test.shape.k();
  test.a.fill(random);
  test.b.fill(random);
  bound(test.a);
  bound(test.b);
  if (test.step.isAInRegisters) {
    writeRegisters(test.a, test.registers);
    for (uint32_t warp = 0; warp < 4; ++warp)
      for (uint32_t i = 0; i < 4; ++i)
        test.step.a[warp][i] = test.registers.pointers[warp][i];
  } else {
    writeMatrix(test.a, test.placeA, test.shared);
  }
  writeMatrix(test.b, test.placeB, test.shared);
  test.step.descriptorA = test.placeA.bits();
  test.step.descriptorB = test.placeB.bits();
  test.step.isATransposed = test.placeA.isMNMajor;
  test.step.isBTransposed = test.placeB.isMNMajor;
}

/// Expects D to be what the definition says, to within the rounding of f32 (or
/// f16) sums.
inline void expectProduct(Case &test, const Planes &before, const Planes &after,
                          const std::string &what) {
  const WarpgroupShape &shape = test.shape;
  test.a.decode();
  test.b.decode();
  double sign = test.step.isANegated != test.step.isBNegated ? -1 : 1;
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t column = 0; column < shape.n; ++column) {
      double want =
          test.step.scaleD ? readSum(before, shape.d, row, column) : 0;
      double size = std::fabs(want);
      for (uint32_t k = 0; k < test.a.k; ++k) {
        double term = sign * test.a.value(row, k) * test.b.value(column, k);
        want += term;
        size += std::fabs(term);
      }
      double got = readSum(after, shape.d, row, column);
      if (shape.d == Sum::S32) {
        if (shape.saturates)
          want = std::clamp(want, -2147483648.0, 2147483647.0);
        ASSERT_EQ(int32_t(uint32_t(int64_t(want))), got)
            << what << " at " << row << ", " << column;
        continue;
      }
      double error = size * std::ldexp(test.a.k + 1, -24);
      if (shape.d == Sum::F16)
        error += std::fabs(want) * std::ldexp(1, -11) + std::ldexp(1, -25);
      ASSERT_NEAR(want, got, error) << what << " at " << row << ", " << column;
    }
}

inline std::string nameOf(const Case &test) {
  return std::string(ptxsim::nameOf(test.shape.d)) + "." +
         ptxsim::nameOf(test.shape.a) + "." + ptxsim::nameOf(test.shape.b) +
         " n" + std::to_string(test.shape.n) + " A " +
         (test.step.isAInRegisters
              ? std::string("registers")
              : std::to_string(test.placeA.swizzle) +
                    (test.placeA.isMNMajor ? " MN" : " K")) +
         " B " + std::to_string(test.placeB.swizzle) +
         (test.placeB.isMNMajor ? " MN" : " K");
}

inline void expectRight(Case &test, std::mt19937 &random) {
  ASSERT_EQ(checkShape(test.shape), "");
  ASSERT_EQ(checkStep(test.shape, test.step, sharedSize), "") << nameOf(test);
  Planes before(test.shape.registersOfD());
  fillSum(before, test.shape.d, random);
  Planes after(test.shape.registersOfD());
  after.words = before.words;
  WarpgroupMultiplier multiplier;
  multiplier.multiply(test.shape, &test.step, 1, test.shared.data(),
                      after.rows);
  expectProduct(test, before, after, nameOf(test));
}

} // namespace ptxsim::testing

#endif // TCC_TEST_UNIT_PTXSIM_TENSOR_WARPGROUPTESTING_H
