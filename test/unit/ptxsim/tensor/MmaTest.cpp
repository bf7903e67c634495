// Products of mma.sync and mma.sp on fragments of every form.

#include "tools/ptxsim/tensor/Mma.h"

#include "test/unit/ptxsim/tensor/Matrices.h"

#include <cmath>
#include <gtest/gtest.h>
#include <string>

using namespace ptxsim;
using namespace ptxsim::test;
using ptxsim::numerics::Rounding;
using ptxsim::numerics::test::Random;

static MmaForm makeForm(MmaKind kind, unsigned m, unsigned n, unsigned k,
                        MmaType d, MmaType a, MmaType b, MmaType c) {
  MmaForm form;
  form.kind = kind;
  form.m = uint16_t(m);
  form.n = uint16_t(n);
  form.k = uint16_t(k);
  form.d = d;
  form.a = a;
  form.b = b;
  form.c = c;
  return form;
}

constexpr MmaType allTypes[] = {
    MmaType::F16, MmaType::BF16, MmaType::TF32, MmaType::E4M3, MmaType::E5M2,
    MmaType::F64, MmaType::F32,  MmaType::S32,  MmaType::U8,   MmaType::S8,
    MmaType::U4,  MmaType::S4,   MmaType::B1};

/// Calls `check` for all supported forms of a kind but m8n8k4 with f16.
template <class Check>
static void forEachForm(MmaKind kind, Check check) {
  for (MmaType a : allTypes)
    for (MmaType b : allTypes)
      for (MmaType d : allTypes)
        for (unsigned m : {8, 16})
          for (unsigned k : {4, 8, 16, 32, 64, 128, 256}) {
            MmaForm form = makeForm(kind, m, 8, k, d, a, b, d);
            bool isVolta = a == MmaType::F16 && m == 8;
            if (isSupported(form) && !isVolta)
              check(form);
          }
}

static std::string describe(const MmaForm &form) {
  return "m" + std::to_string(form.m) + "n" + std::to_string(form.n) + "k" +
         std::to_string(form.k) + " types " + std::to_string(int(form.d)) +
         " " + std::to_string(int(form.a)) + " " + std::to_string(int(form.b));
}

TEST(MmaTest, number_of_forms) {
  unsigned dense = 0, sparse = 0;
  forEachForm(MmaKind::Dense, [&](const MmaForm &) { ++dense; });
  forEachForm(MmaKind::Sparse, [&](const MmaForm &) { ++sparse; });
  // f16 4, bf16 2, tf32 2, fp8 4 pairs in 2 shapes and 2 accumulators, f64 4,
  // integers of 8 and 4 bits 4 pairs in 3 shapes, b1 3.
  EXPECT_EQ(dense, 4u + 2 + 2 + 16 + 4 + 12 + 12 + 3);
  EXPECT_EQ(sparse, 4u + 2 + 2 + 4 + 8 + 8);
}

TEST(MmaTest, rejects_other_forms) {
  auto dense = [](unsigned m, unsigned n, unsigned k, MmaType d, MmaType a,
                  MmaType b, MmaType c) {
    return makeForm(MmaKind::Dense, m, n, k, d, a, b, c);
  };
  using T = MmaType;
  EXPECT_TRUE(isSupported(dense(16, 8, 16, T::F32, T::F16, T::F16, T::F32)));
  EXPECT_FALSE(isSupported(dense(16, 8, 16, T::F32, T::F16, T::F16, T::F16)));
  EXPECT_FALSE(isSupported(dense(16, 8, 16, T::F32, T::F16, T::BF16, T::F32)));
  EXPECT_FALSE(isSupported(dense(16, 8, 16, T::F16, T::BF16, T::BF16, T::F16)));
  EXPECT_FALSE(isSupported(dense(16, 8, 32, T::F32, T::F16, T::F16, T::F32)));
  EXPECT_FALSE(isSupported(dense(16, 16, 16, T::F32, T::F16, T::F16, T::F32)));
  EXPECT_FALSE(isSupported(dense(16, 8, 32, T::S32, T::S8, T::S4, T::S32)));
  EXPECT_FALSE(isSupported(dense(16, 8, 32, T::F32, T::S8, T::S8, T::F32)));
  EXPECT_TRUE(isSupported(dense(8, 8, 4, T::F32, T::F16, T::F16, T::F16)));
  EXPECT_FALSE(isSupported(dense(8, 8, 4, T::F16, T::F16, T::F16, T::F32)));
  MmaForm form = dense(16, 8, 16, T::F32, T::F16, T::F16, T::F32);
  form.saturates = true;
  EXPECT_FALSE(isSupported(form));
  form.saturates = false;
  form.rounding = Rounding::Zero;
  EXPECT_FALSE(isSupported(form));
  form.rounding = Rounding::Nearest;
  form.bIsRow = true;
  EXPECT_FALSE(isSupported(form));
  form = dense(16, 8, 128, T::S32, T::B1, T::B1, T::S32);
  form.saturates = true;
  EXPECT_FALSE(isSupported(form));
  EXPECT_FALSE(isSupported(
      makeForm(MmaKind::Sparse, 16, 8, 64, T::F16, T::E4M3, T::E4M3, T::F16)));
}

/// The product of two matrices of bits.
static Matrix productOfBits(const Matrix &a, const Matrix &b, const Matrix &c,
                            bool isAnd) {
  Matrix result = c;
  for (unsigned row = 0; row != a.rows; ++row)
    for (unsigned column = 0; column != b.columns; ++column)
      for (unsigned k = 0; k != a.columns; ++k) {
        bool x = a.at(row, k) != 0, y = b.at(k, column) != 0;
        result.at(row, column) += isAnd ? x && y : x != y;
      }
  return result;
}

static void checkDense(MmaForm form) {
  SCOPED_TRACE(describe(form));
  Random random(20);
  Matrix a(form.m, form.k), b(form.k, form.n), c(form.m, form.n);
  fillSmall(a, form.a, random);
  fillSmall(b, form.b, random);
  fillSmall(c, form.c, random);
  MmaPlanes counts = planesOf(form);
  Planes aPlanes = distribute(a, form.a, counts.a, placementOfA(form));
  Planes bPlanes = distribute(b, form.b, counts.b, placementOfB(form));
  Planes cPlanes = distribute(c, form.c, counts.c, placementOfC(form, form.c));
  Planes d(form.d, counts.d);
  run(form, d, aPlanes, bPlanes, cPlanes);
  Matrix expected = form.a == MmaType::B1 ? productOfBits(a, b, c, form.isAnd)
                                          : product(a, b, c);
  EXPECT_EQ(collect(d, form.m, form.n, placementOfC(form, form.d)).values,
            expected.values);
  // In place.
  run(form, cPlanes, aPlanes, bPlanes, cPlanes);
  EXPECT_EQ(collect(cPlanes, form.m, form.n, placementOfC(form, form.d)).values,
            expected.values);
}

TEST(MmaTest, dense_products_of_all_forms) {
  forEachForm(MmaKind::Dense, [](MmaForm form) {
    checkDense(form);
    if (form.a == MmaType::B1) {
      form.isAnd = true;
      checkDense(form);
    }
  });
}

// Numbers of all bits against f64, with the error of a chain of roundings to
// f32.
TEST(MmaTest, products_of_full_numbers) {
  forEachForm(MmaKind::Dense, [](const MmaForm &form) {
    bool isFloat = form.d == MmaType::F32 || form.d == MmaType::F64;
    if (!isFloat)
      return;
    SCOPED_TRACE(describe(form));
    Random random(21);
    Matrix a(form.m, form.k), b(form.k, form.n), c(form.m, form.n);
    auto fill = [&](Matrix &matrix, MmaType type) {
      for (double &value : matrix.values) {
        double any = double(random.next() % 4096) - 2048;
        any = std::ldexp(any, -9 - int(random.next() % 6));
        value = decode(type, encode(type, any));
      }
    };
    fill(a, form.a);
    fill(b, form.b);
    fill(c, form.c);
    MmaPlanes counts = planesOf(form);
    Planes d(form.d, counts.d);
    run(form, d, distribute(a, form.a, counts.a, placementOfA(form)),
        distribute(b, form.b, counts.b, placementOfB(form)),
        distribute(c, form.c, counts.c, placementOfC(form, form.c)));
    Matrix actual = collect(d, form.m, form.n, placementOfC(form, form.d));
    Matrix expected = product(a, b, c);
    for (unsigned row = 0; row != form.m; ++row)
      for (unsigned column = 0; column != form.n; ++column) {
        double scale = std::fabs(c.at(row, column));
        for (unsigned k = 0; k != form.k; ++k)
          scale += std::fabs(a.at(row, k) * b.at(k, column));
        ASSERT_NEAR(actual.at(row, column), expected.at(row, column),
                    scale * form.k * 0x1p-24);
      }
  });
}

/// One product whose A and B are `a` and `b` everywhere.
static Planes runUniform(const MmaForm &form, double a, double b, double c) {
  MmaPlanes counts = planesOf(form);
  Matrix aMatrix(form.m, form.k), bMatrix(form.k, form.n),
      cMatrix(form.m, form.n);
  aMatrix.values.assign(aMatrix.values.size(), a);
  bMatrix.values.assign(bMatrix.values.size(), b);
  cMatrix.values.assign(cMatrix.values.size(), c);
  Planes d(form.d, counts.d);
  run(form, d, distribute(aMatrix, form.a, counts.a, placementOfA(form)),
      distribute(bMatrix, form.b, counts.b, placementOfB(form)),
      distribute(cMatrix, form.c, counts.c, placementOfC(form, form.c)));
  return d;
}

TEST(MmaTest, integers_wrap_or_saturate) {
  MmaForm form = makeForm(MmaKind::Dense, 16, 8, 32, MmaType::S32, MmaType::U8,
                          MmaType::U8, MmaType::S32);
  Planes wrapped = runUniform(form, 255, 255, 2147483647.0);
  EXPECT_EQ(wrapped.get(0, 0), double(int32_t(0x7FFFFFFFu + 32 * 255 * 255)));
  form.saturates = true;
  EXPECT_EQ(runUniform(form, 255, 255, 2147483647.0).get(31, 3), 2147483647.0);
  form.a = MmaType::S8;
  EXPECT_EQ(runUniform(form, -128, 255, -2147483648.0).get(7, 2),
            -2147483648.0);
  EXPECT_EQ(runUniform(form, -128, 255, 5).get(7, 2), 5.0 - 32 * 128 * 255);
}

TEST(MmaTest, f16_accumulators_round_at_the_end) {
  MmaForm form = makeForm(MmaKind::Dense, 16, 8, 16, MmaType::F16, MmaType::F16,
                          MmaType::F16, MmaType::F16);
  // 2048 + 16 * 0.75: each addition alone would stay at 2048 + 2 * n.
  EXPECT_EQ(runUniform(form, 0.75, 1, 2048).get(3, 1), 2060.0);
  EXPECT_EQ(runUniform(form, 256, 256, 0).word(3, 1), 0x7C007C00u);
}

TEST(MmaTest, nan_is_canonical) {
  MmaForm form = makeForm(MmaKind::Dense, 16, 8, 16, MmaType::F32,
                          MmaType::BF16, MmaType::BF16, MmaType::F32);
  EXPECT_EQ(runUniform(form, std::nan(""), 1, 0).word(5, 2), 0x7FFFFFFFu);
  EXPECT_EQ(runUniform(form, 0, INFINITY, 0).word(5, 2), 0x7FFFFFFFu);
  EXPECT_EQ(runUniform(form, 1, INFINITY, 0).word(5, 2), 0x7F800000u);
  form.k = 32;
  for (MmaType type : {MmaType::E4M3, MmaType::E5M2}) {
    form.a = form.b = type;
    EXPECT_EQ(runUniform(form, 1, std::nan(""), 0).word(5, 2), 0x7FFFFFFFu);
  }
}

TEST(MmaTest, f64_rounding_modes) {
  MmaForm form = makeForm(MmaKind::Dense, 8, 8, 4, MmaType::F64, MmaType::F64,
                          MmaType::F64, MmaType::F64);
  double up = std::nextafter(1.0, 2.0);
  EXPECT_EQ(runUniform(form, 0x1p-30, 0x1p-30, 1).get(0, 0), 1.0);
  form.rounding = Rounding::Up;
  EXPECT_EQ(runUniform(form, 0x1p-30, 0x1p-30, 1).get(9, 1),
            std::nextafter(std::nextafter(std::nextafter(up, 2.0), 2.0), 2.0));
  form.rounding = Rounding::Down;
  EXPECT_LT(runUniform(form, -0x1p-30, 0x1p-30, 1).get(9, 1), 1.0);
  form.rounding = Rounding::Zero;
  EXPECT_EQ(runUniform(form, 0x1p-30, 0x1p-30, 1).get(9, 1), 1.0);
}

//===----------------------------------------------------------------------===//
// Sparse A

namespace {

/// A sparse matrix, what is stored of it, and its metadata.
struct SparseCase {
  Matrix dense, stored;
  std::vector<uint32_t> metadata = std::vector<uint32_t>(32);
};

} // namespace

/// Returns the lane and the index of the four bits of a chunk: figures 119,
/// 122, 125, 127, 129, 136, 137, 139, 146 and 147 of PTX ISA 9.0.
static void placeOfMetadata(const MmaForm &form, unsigned selector,
                            unsigned row, unsigned chunk, unsigned &lane,
                            unsigned &index) {
  unsigned bits = elementBits(form.a);
  unsigned chunks = form.k / (bits == 32 ? 2 : bits == 4 ? 8 : 4);
  unsigned quad = 4 * (row % 8);
  bool isUpper = row < 8;
  if (bits >= 16) {
    // Four chunks of row r in the low half, of row r + 8 in the high half.
    lane = quad + (chunks == 4 ? selector : 2 * selector + chunk / 4);
    index = chunk % 4 + (isUpper ? 0 : 4);
    return;
  }
  // Eight chunks of row r in one lane, of row r + 8 in the next.
  lane =
      quad + (chunks == 8 ? 2 * selector : chunk / 8 * 2) + (isUpper ? 0 : 1);
  index = chunk % 8;
}

static SparseCase makeSparse(const MmaForm &form, unsigned selector,
                             Random &random) {
  SparseCase result{Matrix(16, form.k), Matrix(16, form.k / 2)};
  unsigned bits = elementBits(form.a);
  unsigned width = bits == 32 ? 2 : bits == 4 ? 8 : 4;
  fillSmall(result.stored, form.a, random);
  for (uint32_t &word : result.metadata)
    word = 0x55555555; // Not meaningful where none is read.
  for (unsigned row = 0; row != 16; ++row)
    for (unsigned chunk = 0; chunk != form.k / width; ++chunk) {
      unsigned first = unsigned(random.next() % 4);
      unsigned second = (first + 1 + unsigned(random.next() % 3)) % 4;
      if (form.isOrdered && first > second)
        std::swap(first, second);
      uint32_t code = first | second << 2;
      if (width == 2)
        code = first & 1 ? 0b1110 : 0b0100;
      unsigned lane, index;
      placeOfMetadata(form, selector, row, chunk, lane, index);
      uint32_t &word = result.metadata[lane];
      word = (word & ~(15u << (4 * index))) | code << (4 * index);
      for (unsigned i = 0; i != width / 2; ++i) {
        unsigned column = i == 0 ? first : second;
        if (width == 2)
          column = first & 1;
        if (width == 8)
          column = 2 * (i < 2 ? first : second) + i % 2;
        result.dense.at(row, chunk * width + column) =
            result.stored.at(row, chunk * width / 2 + i);
      }
    }
  return result;
}

static void checkSparse(const MmaForm &form, unsigned selector) {
  SCOPED_TRACE(describe(form) + " selector " + std::to_string(selector));
  Random random(22 + selector);
  SparseCase sparse = makeSparse(form, selector, random);
  Matrix b(form.k, 8), c(16, 8);
  fillSmall(b, form.b, random);
  fillSmall(c, form.c, random);
  MmaPlanes counts = planesOf(form);
  MmaForm compressed = form;
  compressed.k /= 2;
  Planes d(form.d, counts.d);
  run(form, d,
      distribute(sparse.stored, form.a, counts.a, placementOfA(compressed)),
      distribute(b, form.b, counts.b, placementOfB(form)),
      distribute(c, form.c, counts.c, placementOfC(form, form.c)),
      sparse.metadata.data(), selector);
  EXPECT_EQ(collect(d, 16, 8, placementOfC(form, form.d)).values,
            product(sparse.dense, b, c).values);
  uint32_t bits = 0;
  EXPECT_EQ(findInvalidMetadata(form, sparse.metadata.data(), selector, bits),
            -1);
}

TEST(MmaTest, sparse_products_of_all_forms) {
  forEachForm(MmaKind::Sparse, [](MmaForm form) {
    for (bool ordered : {false, true})
      for (unsigned selector = 0; selector != selectorsOf(form); ++selector) {
        form.isOrdered = ordered;
        checkSparse(form, selector);
      }
  });
}

TEST(MmaTest, selectors) {
  auto selectors = [](unsigned k, MmaType type, MmaType d) {
    return selectorsOf(makeForm(MmaKind::Sparse, 16, 8, k, d, type, type, d));
  };
  EXPECT_EQ(selectors(16, MmaType::F16, MmaType::F32), 4u);
  EXPECT_EQ(selectors(32, MmaType::BF16, MmaType::F32), 2u);
  EXPECT_EQ(selectors(8, MmaType::TF32, MmaType::F32), 4u);
  EXPECT_EQ(selectors(16, MmaType::TF32, MmaType::F32), 2u);
  EXPECT_EQ(selectors(32, MmaType::S8, MmaType::S32), 2u);
  EXPECT_EQ(selectors(64, MmaType::E4M3, MmaType::F32), 1u);
  EXPECT_EQ(selectors(64, MmaType::U4, MmaType::S32), 2u);
  EXPECT_EQ(selectors(128, MmaType::U4, MmaType::S32), 1u);
}

// What a zero of A would meet is not multiplied.
TEST(MmaTest, sparse_skips_what_is_not_stored) {
  MmaForm form = makeForm(MmaKind::Sparse, 16, 8, 16, MmaType::F32,
                          MmaType::F16, MmaType::F16, MmaType::F32);
  Matrix a(16, 8), b(16, 8), c(16, 8);
  a.values.assign(a.values.size(), 1);
  for (unsigned k = 0; k != 16; ++k)
    for (unsigned column = 0; column != 8; ++column)
      b.at(k, column) = k % 4 < 2 ? 1 : INFINITY;
  MmaForm compressed = form;
  compressed.k = 8;
  std::vector<uint32_t> metadata(32, 0x44444444); // Columns 0 and 1.
  Planes d(MmaType::F32, 4);
  run(form, d, distribute(a, form.a, 2, placementOfA(compressed)),
      distribute(b, form.b, 2, placementOfB(form)),
      distribute(c, form.c, 4, placementOfC(form, form.c)), metadata.data());
  EXPECT_EQ(d.get(17, 3), 8.0);
}

TEST(MmaTest, invalid_metadata) {
  MmaForm form = makeForm(MmaKind::Sparse, 16, 8, 32, MmaType::F32,
                          MmaType::F16, MmaType::F16, MmaType::F32);
  std::vector<uint32_t> metadata(32, 0x44444444);
  uint32_t bits = 0;
  metadata[10] = 0x44144444; // Selected by 1 only.
  EXPECT_EQ(findInvalidMetadata(form, metadata.data(), 0, bits), -1);
  EXPECT_EQ(findInvalidMetadata(form, metadata.data(), 1, bits), -1);
  form.isOrdered = true;
  EXPECT_EQ(findInvalidMetadata(form, metadata.data(), 1, bits), 10);
  EXPECT_EQ(bits, 1u);
  metadata[10] = 0x44444445;
  EXPECT_EQ(findInvalidMetadata(form, metadata.data(), 1, bits), 10);
  form.isOrdered = false;
  metadata[10] = 0x4444444A;
  EXPECT_EQ(findInvalidMetadata(form, metadata.data(), 1, bits), 10);
  EXPECT_EQ(bits, 0xAu);
  form = makeForm(MmaKind::Sparse, 16, 8, 8, MmaType::F32, MmaType::TF32,
                  MmaType::TF32, MmaType::F32);
  EXPECT_EQ(findInvalidMetadata(form, metadata.data(), 0, bits), -1);
  metadata[4] = 0x4444E484;
  EXPECT_EQ(findInvalidMetadata(form, metadata.data(), 0, bits), 4);
  EXPECT_EQ(bits, 8u);
}
