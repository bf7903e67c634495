// wgmma against a product in f64.

#include "WarpgroupTesting.h"
#include "tools/ptxsim/tensor/WarpgroupPack.h"

#include "gtest/gtest.h"

#include <algorithm>

using namespace ptxsim;
using namespace ptxsim::testing;

namespace {

struct Types {
  Type a, b;
  Sum d;
};

/// PTX ISA 9.0, section 9.7.15.2: the types of wgmma without `.sp`.
constexpr Types allTypes[] = {
    {Type::F16, Type::F16, Sum::F32},   {Type::F16, Type::F16, Sum::F16},
    {Type::BF16, Type::BF16, Sum::F32}, {Type::TF32, Type::TF32, Sum::F32},
    {Type::E4M3, Type::E4M3, Sum::F32}, {Type::E4M3, Type::E5M2, Sum::F32},
    {Type::E5M2, Type::E4M3, Sum::F32}, {Type::E5M2, Type::E5M2, Sum::F32},
    {Type::E4M3, Type::E4M3, Sum::F16}, {Type::E4M3, Type::E5M2, Sum::F16},
    {Type::E5M2, Type::E4M3, Sum::F16}, {Type::E5M2, Type::E5M2, Sum::F16},
    {Type::S8, Type::S8, Sum::S32},     {Type::S8, Type::U8, Sum::S32},
    {Type::U8, Type::S8, Sum::S32},     {Type::U8, Type::U8, Sum::S32},
    {Type::B1, Type::B1, Sum::S32}};

Case makeCase(const Types &types, uint32_t n) {
  Case test;
  test.shape.a = types.a;
  test.shape.b = types.b;
  test.shape.d = types.d;
  test.shape.n = n;
  return test;
}

bool isHalf(Type type) { return type == Type::F16 || type == Type::BF16; }

TEST(WarpgroupMultiply, MultipliesAllTypesAndLayouts) {
  std::mt19937 random(1);
  uint32_t number = 0;
  for (const Types &types : allTypes)
    for (uint32_t layoutA = 0; layoutA < 9; ++layoutA)
      for (uint32_t layoutB = 0; layoutB < 8; ++layoutB) {
        // Layouts 0 to 3 are K-major, 4 to 7 MN-major, 8 is registers.
        bool isMajorA = layoutA / 4 == 1, isMajorB = layoutB / 4 == 1;
        if ((isMajorA || isMajorB) && !isHalf(types.a))
          continue;
        Case test = makeCase(types, 8 + 8 * (number % 3));
        uint32_t bits = bitsOf(types.a);
        test.placeA = placeDensely(0, layoutA % 4, isMajorA, 64, 32, bits,
                                   number % 2 * 128);
        test.placeB = placeDensely(32768, layoutB % 4, isMajorB, test.shape.n,
                                   32, bits, number % 3 * 128);
        test.step.isAInRegisters = layoutA == 8;
        test.step.scaleD = number % 4 != 0;
        if (types.d != Sum::S32) {
          test.step.isANegated = number % 3 == 1;
          test.step.isBNegated = number % 5 == 1;
        }
        fill(test, random);
        ++number;
        expectRight(test, random);
        if (HasFatalFailure())
          return;
      }
}

TEST(WarpgroupMultiply, MultipliesAllN) {
  std::mt19937 random(2);
  for (const Types &types : allTypes)
    for (uint32_t n = 8; n <= 256; n += 8) {
      Case test = makeCase(types, n);
      if (!checkShape(test.shape).empty())
        continue;
      if (types.a == Type::B1 && n % 64)
        continue; // The reference is slow for 256 bits.
      uint32_t bits = bitsOf(types.a);
      test.placeA = placeDensely(1024, 1, false, 64, 32, bits, 0);
      test.placeB = placeDensely(32768, n % 3 + 1,
                                 isHalf(types.a) && n % 2 == 0, n, 32, bits, 0);
      fill(test, random);
      expectRight(test, random);
      if (HasFatalFailure())
        return;
    }
}

/// Tiles that one descriptor walks through: k-steps within a swizzled line, and
/// rows from other than the first group on.
TEST(WarpgroupMultiply, StepsAlongSwizzledLines) {
  std::mt19937 random(3);
  for (uint32_t k = 0; k < 4; ++k)
    for (uint32_t line = 0; line < 2; ++line) {
      Case test = makeCase(allTypes[2], 32);
      // The tile begins at line 0 or, with a base offset, at line 3.
      test.placeA = placeDensely(384 * line, 1, false, 64, 32, 16, 0);
      test.placeB = placeDensely(32768 + 384 * line, 1, false, 32, 32, 16, 0);
      for (Placement *place : {&test.placeA, &test.placeB}) {
        place->start += 32 * k;
        place->baseOffset = 3 * line;
      }
      fill(test, random);
      expectRight(test, random);
    }
}

TEST(WarpgroupMultiply, SaturatesIntegers) {
  std::mt19937 random(4);
  for (const Types &types : allTypes)
    for (bool saturates : {false, true}) {
      if (types.d != Sum::S32 || types.a == Type::B1)
        continue;
      Case test = makeCase(types, 16);
      test.shape.saturates = saturates;
      test.placeA = placeDensely(0, 2, false, 64, 32, 8, 0);
      test.placeB = placeDensely(8192, 2, false, 16, 32, 8, 0);
      fill(test, random);
      Planes before(8), after(8);
      for (uint32_t i = 0; i < before.words.size(); ++i)
        before.words[i] = i % 3 == 0   ? 0x7fffffff - i
                          : i % 3 == 1 ? 0x80000000 + i
                                       : i;
      after.words = before.words;
      WarpgroupMultiplier multiplier;
      multiplier.multiply(test.shape, &test.step, 1, test.shared.data(),
                          after.rows);
      expectProduct(test, before, after, nameOf(test));
    }
}

/// All steps at once give the bits of one after the other.
TEST(WarpgroupMultiply, GroupsStepsWithoutChange) {
  std::mt19937 random(5);
  for (const Types &types : allTypes)
    for (bool saturates : {false, true}) {
      if (saturates && (types.d != Sum::S32 || types.a == Type::B1))
        continue;
      constexpr uint32_t count = 11;
      Case test = makeCase(types, 24);
      test.shape.saturates = saturates;
      for (uint8_t &byte : test.shared)
        byte = uint8_t(random());
      if (types.d != Sum::S32) // No infinities or NaN.
        for (size_t i = 0; i < sharedSize; ++i)
          test.shared[i] &= 0xbb;
      std::vector<WarpgroupStep> steps(count, test.step);
      for (uint32_t i = 0; i < count; ++i) {
        steps[i].descriptorA =
            placeDensely(2048 * i, i % 4, false, 64, 32, 16, 0).bits();
        steps[i].descriptorB =
            placeDensely(65536 + 2048 * i, i % 3, false, 24, 32, 16, 0).bits();
        steps[i].isANegated = types.d != Sum::S32 && i % 3 == 0;
        steps[i].scaleD = i != 2 || saturates;
      }
      Planes together(test.shape.registersOfD());
      fillSum(together, types.d, random);
      if (saturates) // Some saturate in the middle.
        for (uint32_t &word : together.words)
          word = 0x80000000 - 100000 + random() % 200000;
      Planes single(test.shape.registersOfD());
      single.words = together.words;
      WarpgroupMultiplier multiplier;
      multiplier.multiply(test.shape, steps.data(), count, test.shared.data(),
                          together.rows);
      for (const WarpgroupStep &step : steps)
        multiplier.multiply(test.shape, &step, 1, test.shared.data(),
                            single.rows);
      EXPECT_TRUE(together.words == single.words) << nameOf(test);
    }
}

TEST(WarpgroupMultiply, KeepsDenormalsAndNaN) {
  Case test = makeCase(allTypes[2], 8);
  test.placeA = placeDensely(0, 1, false, 64, 32, 16, 0);
  test.placeB = placeDensely(32768, 1, false, 8, 32, 16, 0);
  std::mt19937 random(6);
  fill(test, random);
  std::fill(test.a.elements.begin(), test.a.elements.end(), 0);
  std::fill(test.b.elements.begin(), test.b.elements.end(), 0);
  test.a.at(0, 0) = 0x0001; // 2^-133
  test.b.at(0, 0) = 0x7f00; // 2^127
  test.a.at(1, 5) = 0x7f80; // Infinity times zero.
  test.a.at(2, 5) = 0x7f80; // Infinity times one.
  test.b.at(3, 5) = 0x3f80;
  writeMatrix(test.a, test.placeA, test.shared);
  writeMatrix(test.b, test.placeB, test.shared);
  Planes d(4);
  std::fill(d.words.begin(), d.words.end(), 0x7fc12345);
  test.step.scaleD = false; // NaN in D is not read.
  WarpgroupMultiplier multiplier;
  multiplier.multiply(test.shape, &test.step, 1, test.shared.data(), d.rows);
  auto bits = [&](uint32_t row, uint32_t column) {
    Fragment at = fragmentOf(row, column);
    return d.pointers[at.warp][at.index][at.thread];
  };
  EXPECT_EQ(bits(0, 0), 0x3c800000u); // 2^-6
  EXPECT_EQ(bits(1, 0), 0x7fffffffu);
  EXPECT_EQ(bits(2, 3), 0x7f800000u);
  EXPECT_EQ(bits(5, 5), 0u);
}

TEST(WarpgroupMultiply, KnowsInfinitiesAndNaN) {
  const struct {
    Types types;
    uint32_t infinity, nan, one;
  } cases[] = {
      {{Type::F16, Type::F16, Sum::F32}, 0x7c00, 0x7c01, 0x3c00},
      {{Type::BF16, Type::BF16, Sum::F32}, 0x7f80, 0xffff, 0x3f80},
      {{Type::TF32, Type::TF32, Sum::F32}, 0x7f800000, 0x7f802000, 0x3f800000},
      {{Type::E5M2, Type::E5M2, Sum::F32}, 0x7c, 0x7d, 0x3c},
      {{Type::E4M3, Type::E4M3, Sum::F32}, 0, 0x7f, 0x38},
      {{Type::E4M3, Type::E4M3, Sum::F32}, 0, 0xff, 0x38}};
  for (const auto &known : cases)
    for (bool isHopper : {false, true}) {
      std::mt19937 random(1);
      Case test = makeCase(known.types, 8);
      uint32_t bits = bitsOf(known.types.a);
      test.placeA = placeDensely(0, 1, false, 64, 32, bits, 0);
      test.placeB = placeDensely(32768, 1, false, 8, 32, bits, 0);
      fill(test, random);
      std::fill(test.a.elements.begin(), test.a.elements.end(), 0);
      std::fill(test.b.elements.begin(), test.b.elements.end(), known.one);
      test.a.at(0, 1) = known.nan;
      test.a.at(1, 2) = known.infinity;
      writeMatrix(test.a, test.placeA, test.shared);
      writeMatrix(test.b, test.placeB, test.shared);
      Planes d(4);
      WarpgroupMultiplier multiplier;
      multiplier.multiply(test.shape, &test.step, 1, test.shared.data(), d.rows,
                          isHopper);
      // Rows 0 and 1, column 0.
      EXPECT_EQ(d.pointers[0][0][0], 0x7fffffffu) << nameOf(test);
      EXPECT_EQ(d.pointers[0][0][4], known.infinity ? 0x7f800000u : 0u)
          << nameOf(test);
    }
}

/// A and B of one bf16 instruction, packed.
struct PackedStep {
  std::vector<float> a[4] = {}, b;
  warpgroup::Product product;
  bool canDot = true;

  template <warpgroup::PackUnit unit>
  void pack(const Case &test) {
    uint32_t units = unit == warpgroup::PackUnit::Pair ? 8 : 16;
    warpgroup::PackPlace place = {0, 2, 0, units};
    warpgroup::OperandA operand =
        warpgroup::prepareA(test.shape, test.step, test.shared.data(), nullptr);
    b.resize(test.shape.n * units);
    canDot = warpgroup::packB<unit>(test.shape, test.step, test.shared.data(),
                                    place, b.data());
    for (uint32_t warp = 0; warp < 4; ++warp) {
      a[warp].resize(64 * units);
      canDot &= warpgroup::packA<unit>(test.shape, operand, warp, place,
                                       a[warp].data());
    }
    product.b = b.data();
    product.units = units;
    product.n = test.shape.n;
  }
};

Case makePairsCase(std::mt19937 &random) {
  Case test = makeCase(allTypes[2], 40);
  test.placeA = placeDensely(0, 1, false, 64, 32, 16, 0);
  test.placeB = placeDensely(32768, 1, false, 40, 32, 16, 0);
  test.step.isANegated = true;
  fill(test, random);
  return test;
}

/// As long as nothing is too small, and with infinities and NaN.
TEST(WarpgroupMultiply, DotGivesTheBitsOfFma) {
  if (!warpgroup::hasDot())
    GTEST_SKIP() << "needs AVX-512 and vdpbf16ps";
  std::mt19937 random(11);
  for (uint32_t round = 0; round < 200; ++round) {
    Case test = makePairsCase(random);
    for (Matrix *matrix : {&test.a, &test.b})
      for (uint32_t &element : matrix->elements) {
        if (round % 4 == 1) // From the least on, with zeros.
          element = random() % 4 ? (random() & 0x83ff) | 71 << 7 : 0x8000;
        if (round % 4 == 2 && random() % 500 == 0)
          element = random() % 2 ? 0x7f80 : 0xff81;
        if (round % 4 == 3) // Sums overflow.
          element = (random() & 0x80ff) | 0x5f00;
      }
    writeMatrix(test.a, test.placeA, test.shared);
    writeMatrix(test.b, test.placeB, test.shared);
    Planes fma(20), dot(20);
    fillSum(fma, Sum::F32, random);
    if (round % 4 == 1)
      for (uint32_t &word : fma.words)
        word = random() % 4 ? (random() & 0x83ffffff) | 24 << 23 : 0;
    dot.words = fma.words;
    PackedStep elements, pairs;
    elements.pack<warpgroup::PackUnit::Element>(test);
    pairs.pack<warpgroup::PackUnit::Pair>(test);
    EXPECT_TRUE(pairs.canDot);
    for (uint32_t warp = 0; warp < 4; ++warp) {
      elements.product.a = elements.a[warp].data();
      pairs.product.a = pairs.a[warp].data();
      EXPECT_TRUE(warpgroup::canDot(pairs.product, dot.rows[warp]));
      warpgroup::addProduct(elements.product, Sum::F32, fma.rows[warp]);
      warpgroup::addDotProduct(pairs.product, dot.rows[warp]);
    }
    ASSERT_TRUE(fma.words == dot.words) << round;
  }
}

TEST(WarpgroupMultiply, KnowsWhatIsTooSmallForDot) {
  std::mt19937 random(12);
  const struct {
    uint32_t element;
    bool canDot;
  } cases[] = {{0x0000, true},     {0x8000, true},  {71 << 7, true},
               {0x7f80, true},     {0xffff, true},  {0x0001, false},
               {70 << 7, false},   {0x807f, false}, {0x8000 | 70 << 7, false},
               {71 << 7 | 1, true}};
  for (const auto &known : cases)
    for (uint32_t place = 0; place < 20; ++place) {
      Case test = makePairsCase(random);
      Matrix &matrix = place % 2 ? test.a : test.b;
      matrix.elements[random() % matrix.elements.size()] = known.element;
      writeMatrix(test.a, test.placeA, test.shared);
      writeMatrix(test.b, test.placeB, test.shared);
      PackedStep step;
      step.pack<warpgroup::PackUnit::Pair>(test);
      EXPECT_EQ(step.canDot, known.canDot) << known.element;
    }
  for (uint32_t word : {0x80000000u, 24u << 23, 0x7fffffffu, (24u << 23) - 1,
                        1u, 0x807fffffu}) {
    Planes d(20);
    fillSum(d, Sum::F32, random);
    d.pointers[0][19][31] = word;
    bool isSmall = word << 1 != 0 && (word << 1) < 24u << 24;
    warpgroup::Product product;
    product.n = 40;
    EXPECT_EQ(warpgroup::canDot(product, d.rows[0]), !isSmall) << word;
    product.scaleD = false;
    EXPECT_TRUE(warpgroup::canDot(product, d.rows[0]));
  }
}

/// Whatever is used, f32 FMA in the order of k.
TEST(WarpgroupMultiply, AddsInOrder) {
  std::mt19937 random(13);
  for (uint32_t round = 0; round < 20; ++round) {
    Case test = makePairsCase(random);
    if (round % 2) // Products down to the smallest numbers there are.
      for (Matrix *matrix : {&test.a, &test.b})
        for (uint32_t &element : matrix->elements)
          element = (random() & 0x8fff) | 55 << 7;
    writeMatrix(test.a, test.placeA, test.shared);
    writeMatrix(test.b, test.placeB, test.shared);
    test.a.decode();
    test.b.decode();
    Planes d(20);
    fillSum(d, Sum::F32, random);
    if (round % 2)
      for (uint32_t &word : d.words)
        word &= 0x83ffffff;
    Planes before(20);
    before.words = d.words;
    WarpgroupMultiplier multiplier;
    multiplier.multiply(test.shape, &test.step, 1, test.shared.data(), d.rows);
    for (uint32_t row = 0; row < 64; ++row)
      for (uint32_t column = 0; column < 40; ++column) {
        auto want = float(readSum(before, Sum::F32, row, column));
        for (uint32_t k = 0; k < 16; ++k)
          want = std::fma(-float(test.a.value(row, k)),
                          float(test.b.value(column, k)), want);
        ASSERT_EQ(float(readSum(d, Sum::F32, row, column)), want) << round;
      }
  }
}

/// The same bits on every CPU, whichever library it runs.
TEST(WarpgroupMultiply, GivesTheSameBitsEverywhere) {
  std::mt19937 random(7);
  uint64_t hash = 14695981039346656037ull;
  for (const Types &types : allTypes) {
    Case test = makeCase(types, 32);
    test.placeA = placeDensely(0, 3, false, 64, 32, 16, 0);
    test.placeB = placeDensely(32768, 3, false, 32, 32, 16, 0);
    fill(test, random);
    Planes d(test.shape.registersOfD());
    fillSum(d, types.d, random);
    WarpgroupMultiplier multiplier;
    multiplier.multiply(test.shape, &test.step, 1, test.shared.data(), d.rows);
    for (uint32_t word : d.words)
      hash = (hash ^ word) * 1099511628211ull;
  }
  EXPECT_EQ(hash, 4322837768344193708u);
}

/// What the step reads is what the definition says, and nothing else.
TEST(WarpgroupMultiply, EnumeratesWhatItReads) {
  std::mt19937 random(8);
  for (uint32_t layoutA = 0; layoutA < 8; ++layoutA)
    for (uint32_t layoutB = 0; layoutB < 8; ++layoutB) {
      Case test = makeCase(allTypes[2], 40);
      test.placeA = placeDensely(0, layoutA % 4, layoutA / 4, 64, 32, 16, 128);
      test.placeB =
          placeDensely(65536, layoutB % 4, layoutB / 4, 40, 32, 16, 128);
      fill(test, random);
      std::vector<bool> want(sharedSize), got(sharedSize);
      for (Matrix *matrix : {&test.a, &test.b})
        for (uint32_t i = 0; i < matrix->mn; ++i)
          for (uint32_t k = 0; k < matrix->k; ++k) {
            uint64_t bit = elementBit(
                matrix == &test.a ? test.placeA : test.placeB, 16, i, k);
            want[bit / 8] = want[bit / 8 + 1] = true;
          }
      forEachChunk(test.shape, test.step, [&](uint32_t address) {
        ASSERT_EQ(address % 16, 0u);
        for (uint32_t i = 0; i < 16; ++i)
          got[address + i] = true;
      });
      EXPECT_TRUE(got == want) << nameOf(test);
      // It is refused if shared memory ends before the last of them.
      uint32_t end = sharedSize;
      while (!want[end - 1])
        --end;
      EXPECT_EQ(checkStep(test.shape, test.step, end), "") << nameOf(test);
      EXPECT_NE(checkStep(test.shape, test.step, end - 1), "") << nameOf(test);
    }
}

TEST(WarpgroupMultiply, ModelsHopper) {
  Case test = makeCase(allTypes[4], 8);
  test.placeA = placeDensely(0, 1, false, 64, 32, 8, 0);
  test.placeB = placeDensely(32768, 1, false, 8, 32, 8, 0);
  std::mt19937 random(9);
  fill(test, random);
  std::fill(test.a.elements.begin(), test.a.elements.end(), 0);
  std::fill(test.b.elements.begin(), test.b.elements.end(), 0x38); // 1
  test.a.at(0, 0) = 0x78; // 256: the last of 14 bits is 2^-5.
  test.a.at(0, 1) = 0x08; // 2^-6, cut off.
  test.a.at(1, 0) = 0x78;
  test.a.at(1, 1) = 0x88; // -2^-6, cut off, too.
  test.a.at(2, 0) = 0x78;
  test.a.at(2, 1) = 0x10; // 2^-5, kept.
  test.a.at(3, 4) = 0x38; // 1, with accumulators of 1 and some bits.
  test.a.at(4, 4) = 0xf8; // -256 and 256 cancel, and 2^-6 is lost.
  test.a.at(4, 5) = 0x78;
  test.a.at(4, 6) = 0x08;
  // The exponent of 1.5 * 1.5 is 0, so that 2^-13 is kept.
  test.a.at(5, 0) = 0x3c;
  test.a.at(5, 1) = 0xbc;
  test.a.at(5, 2) = 0x01; // 2^-9
  test.b.at(4, 0) = test.b.at(4, 1) = 0x3c;
  test.b.at(4, 2) = 0x18; // 2^-4
  // That of the subnormal 2^-9 is -6, so that 2^-20 is cut off.
  test.a.at(6, 7) = 0x01;
  writeMatrix(test.a, test.placeA, test.shared);
  writeMatrix(test.b, test.placeB, test.shared);
  Planes d(4);
  auto bits = [&](uint32_t row, uint32_t column) -> uint32_t & {
    Fragment at = fragmentOf(row, column);
    return d.pointers[at.warp][at.index][at.thread];
  };
  bits(3, 0) = 0x3f800400; // 1 + 2^-13
  bits(3, 1) = 0x3f800200; // 1 + 2^-14
  bits(3, 2) = 0x41800000; // 16
  bits(3, 3) = 0x7f800000;
  bits(6, 0) = 0x35800000; // 2^-20
  bits(6, 1) = 0x36000000; // 2^-19
  bits(9, 0) = 0x3f8007ff; // An accumulator alone is cut to 13 bits, too.
  WarpgroupMultiplier multiplier;
  multiplier.multiply(test.shape, &test.step, 1, test.shared.data(), d.rows,
                      true);
  EXPECT_EQ(readSum(d, Sum::F32, 0, 0), 256);
  EXPECT_EQ(readSum(d, Sum::F32, 1, 0), 256);
  EXPECT_EQ(readSum(d, Sum::F32, 2, 0), 256 + 1.0 / 32);
  EXPECT_EQ(readSum(d, Sum::F32, 3, 0), 2); // 2 + 2^-13 has 14 bits behind.
  EXPECT_EQ(readSum(d, Sum::F32, 3, 1), 2);
  EXPECT_EQ(readSum(d, Sum::F32, 3, 2), 17);
  EXPECT_EQ(bits(3, 3), 0x7f800000u);
  EXPECT_EQ(readSum(d, Sum::F32, 4, 0), 0);
  EXPECT_EQ(readSum(d, Sum::F32, 5, 4), std::ldexp(1, -13));
  EXPECT_EQ(readSum(d, Sum::F32, 6, 0), std::ldexp(1, -9));
  EXPECT_EQ(readSum(d, Sum::F32, 6, 1), std::ldexp(1, -9) + std::ldexp(1, -19));
  EXPECT_EQ(bits(9, 0), 0x3f800400u);
  EXPECT_EQ(bits(9, 1), 0u);
}

/// A long sum loses in Hopper's accumulators what f32 keeps.
TEST(WarpgroupMultiply, LosesPrecisionLikeHopper) {
  std::mt19937 random(10);
  Case test = makeCase(allTypes[4], 64);
  test.placeA = placeDensely(0, 1, false, 64, 32, 8, 0);
  test.placeB = placeDensely(32768, 1, false, 64, 32, 8, 0);
  fill(test, random);
  for (Matrix *matrix : {&test.a, &test.b})
    for (uint32_t &element : matrix->elements)
      element = (element & 0x7) | 0x38; // 1 to 2
  writeMatrix(test.a, test.placeA, test.shared);
  writeMatrix(test.b, test.placeB, test.shared);
  Planes exact(32), hopper(32);
  WarpgroupMultiplier multiplier;
  std::vector<WarpgroupStep> steps(128, test.step); // K = 4096
  multiplier.multiply(test.shape, steps.data(), steps.size(),
                      test.shared.data(), exact.rows);
  multiplier.multiply(test.shape, steps.data(), steps.size(),
                      test.shared.data(), hopper.rows, true);
  double worst = 0;
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t column = 0; column < 64; ++column) {
      double want = readSum(exact, Sum::F32, row, column);
      double got = readSum(hopper, Sum::F32, row, column);
      worst = std::max(worst, std::fabs(got / want - 1));
    }
  // From 2^13 on, products of 1 to 4 lose all behind the point.
  EXPECT_GT(worst, 0.05);
  EXPECT_LT(worst, 0.2);
}

} // namespace
