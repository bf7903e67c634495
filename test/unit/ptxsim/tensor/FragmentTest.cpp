// Fragments of wmma and the blocks of ldmatrix.

#include "tools/ptxsim/tensor/Fragment.h"

#include "test/unit/ptxsim/tensor/Matrices.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <utility>

using namespace ptxsim;
using namespace ptxsim::test;
using ptxsim::numerics::test::Random;

namespace {

struct WmmaCase {
  unsigned m, n, k;
  MmaType type;
  MmaType d;
  unsigned aPlanes, bPlanes, dPlanes; ///< PTX ISA 9.0, section 9.7.14.4.1.
};

} // namespace

static const WmmaCase cases[] = {
    {16, 16, 16, MmaType::F16, MmaType::F32, 8, 8, 8},
    {8, 32, 16, MmaType::F16, MmaType::F32, 8, 8, 8},
    {32, 8, 16, MmaType::F16, MmaType::F32, 8, 8, 8},
    {16, 16, 16, MmaType::F16, MmaType::F16, 8, 8, 4},
    {8, 32, 16, MmaType::F16, MmaType::F16, 8, 8, 4},
    {32, 8, 16, MmaType::F16, MmaType::F16, 8, 8, 4},
    {16, 16, 16, MmaType::BF16, MmaType::F32, 4, 4, 8},
    {8, 32, 16, MmaType::BF16, MmaType::F32, 2, 8, 8},
    {32, 8, 16, MmaType::BF16, MmaType::F32, 8, 2, 8},
    {16, 16, 16, MmaType::S8, MmaType::S32, 2, 2, 8},
    {8, 32, 16, MmaType::U8, MmaType::S32, 1, 4, 8},
    {32, 8, 16, MmaType::U8, MmaType::S32, 4, 1, 8},
    {16, 16, 8, MmaType::TF32, MmaType::F32, 4, 4, 8},
    {8, 8, 4, MmaType::F64, MmaType::F64, 1, 1, 2},
    {8, 8, 32, MmaType::S4, MmaType::S32, 1, 1, 2},
    {8, 8, 128, MmaType::B1, MmaType::S32, 1, 1, 2},
};

static WmmaFragment fragmentOf(const WmmaCase &wmma, WmmaOperand operand) {
  WmmaFragment fragment;
  fragment.operand = operand;
  fragment.type = operand == WmmaOperand::Accumulator ? wmma.d : wmma.type;
  fragment.m = uint16_t(wmma.m);
  fragment.n = uint16_t(wmma.n);
  fragment.k = uint16_t(wmma.k);
  return fragment;
}

static Placement placementOf(const WmmaFragment &fragment) {
  unsigned parts =
      fragment.type == MmaType::F64 ? 1 : 32 / elementBits(fragment.type);
  return [=](unsigned lane, unsigned index) -> Place {
    ElementPosition at =
        positionOf(fragment, index / parts, index % parts, lane);
    return {at.row, at.column};
  };
}

/// Checks that a fragment holds every element equally often.
static void checkCovers(const WmmaFragment &fragment, unsigned rows,
                        unsigned columns, unsigned planes) {
  ASSERT_TRUE(isSupported(fragment));
  ASSERT_EQ(planesOf(fragment), planes);
  unsigned elements = Planes(fragment.type, planes).elements();
  Placement place = placementOf(fragment);
  std::vector<unsigned> seen(rows * columns);
  for (unsigned lane = 0; lane != 32; ++lane)
    for (unsigned i = 0; i != elements; ++i) {
      Place at = place(lane, i);
      ASSERT_LT(at.row, rows);
      ASSERT_LT(at.column, columns);
      ++seen[at.row * columns + at.column];
    }
  for (unsigned count : seen)
    ASSERT_EQ(count, 32 * elements / (rows * columns));
}

TEST(FragmentTest, wmma_fragments_hold_every_element) {
  for (const WmmaCase &wmma : cases) {
    SCOPED_TRACE(testing::Message() << wmma.m << "x" << wmma.n << "x" << wmma.k
                                    << " of type " << int(wmma.type));
    checkCovers(fragmentOf(wmma, WmmaOperand::A), wmma.m, wmma.k, wmma.aPlanes);
    checkCovers(fragmentOf(wmma, WmmaOperand::B), wmma.k, wmma.n, wmma.bPlanes);
    checkCovers(fragmentOf(wmma, WmmaOperand::Accumulator), wmma.m, wmma.n,
                wmma.dPlanes);
  }
}

static void checkWmma(const WmmaCase &wmma, MmaType cType) {
  Random random(24);
  MmaForm form;
  form.kind = MmaKind::Wmma;
  form.m = uint16_t(wmma.m);
  form.n = uint16_t(wmma.n);
  form.k = uint16_t(wmma.k);
  form.a = form.b = wmma.type;
  form.d = wmma.d;
  form.c = cType;
  form.isAnd = true;
  ASSERT_TRUE(isSupported(form));
  Matrix a(wmma.m, wmma.k), b(wmma.k, wmma.n), c(wmma.m, wmma.n);
  fillSmall(a, form.a, random);
  fillSmall(b, form.b, random);
  fillSmall(c, form.c, random);
  WmmaFragment cFragment = fragmentOf(wmma, WmmaOperand::Accumulator);
  WmmaFragment dFragment = cFragment;
  cFragment.type = cType;
  Planes aPlanes = distribute(a, form.a, wmma.aPlanes,
                              placementOf(fragmentOf(wmma, WmmaOperand::A)));
  Planes bPlanes = distribute(b, form.b, wmma.bPlanes,
                              placementOf(fragmentOf(wmma, WmmaOperand::B)));
  Planes cPlanes =
      distribute(c, cType, planesOf(cFragment), placementOf(cFragment));
  MmaPlanes counts = planesOf(form);
  EXPECT_EQ(counts.a, wmma.aPlanes);
  EXPECT_EQ(counts.b, wmma.bPlanes);
  EXPECT_EQ(counts.c, planesOf(cFragment));
  EXPECT_EQ(counts.d, wmma.dPlanes);
  Planes d(form.d, wmma.dPlanes);
  run(form, d, aPlanes, bPlanes, cPlanes);
  // Bits are 0 and 1, so that their product is the logical one.
  EXPECT_EQ(collect(d, wmma.m, wmma.n, placementOf(dFragment)).values,
            product(a, b, c).values);
}

TEST(FragmentTest, wmma_products) {
  for (const WmmaCase &wmma : cases) {
    SCOPED_TRACE(testing::Message() << wmma.m << "x" << wmma.n << "x" << wmma.k
                                    << " of type " << int(wmma.type));
    checkWmma(wmma, wmma.d);
    if (wmma.type == MmaType::F16)
      checkWmma(wmma, wmma.d == MmaType::F16 ? MmaType::F32 : MmaType::F16);
  }
}

// Results may take the registers of operands in any order.
TEST(FragmentTest, wmma_results_over_operands) {
  MmaForm form;
  form.kind = MmaKind::Wmma;
  form.m = form.n = form.k = 16;
  Random random(25);
  Matrix a(16, 16), b(16, 16), c(16, 16);
  fillSmall(a, form.a, random);
  fillSmall(b, form.b, random);
  fillSmall(c, form.c, random);
  const WmmaCase &wmma = cases[0];
  Placement place = placementOf(fragmentOf(wmma, WmmaOperand::Accumulator));
  Planes cPlanes = distribute(c, form.c, 8, place);
  Planes aPlanes =
      distribute(a, form.a, 8, placementOf(fragmentOf(wmma, WmmaOperand::A)));
  Planes bPlanes =
      distribute(b, form.b, 8, placementOf(fragmentOf(wmma, WmmaOperand::B)));
  std::vector<void *> d = cPlanes.pointers();
  std::vector<const void *> ca(d.begin(), d.end());
  std::reverse(d.begin(), d.end());
  std::vector<const void *> aa = std::as_const(aPlanes).pointers();
  std::vector<const void *> ba = std::as_const(bPlanes).pointers();
  MmaOperands operands;
  operands.d = d.data();
  operands.a = aa.data();
  operands.b = ba.data();
  operands.c = ca.data();
  multiply(form, operands);
  auto reversed = [&](unsigned lane, unsigned index) {
    return place(lane, 7 - index);
  };
  EXPECT_EQ(collect(cPlanes, 16, 16, reversed).values, product(a, b, c).values);
}

TEST(FragmentTest, wmma_rejects_other_fragments) {
  WmmaFragment fragment;
  fragment.m = fragment.n = fragment.k = 16;
  EXPECT_TRUE(isSupported(fragment));
  fragment.k = 8;
  EXPECT_FALSE(isSupported(fragment));
  fragment.type = MmaType::TF32;
  EXPECT_TRUE(isSupported(fragment));
  fragment.operand = WmmaOperand::Accumulator;
  EXPECT_FALSE(isSupported(fragment));
  fragment.type = MmaType::F32;
  EXPECT_TRUE(isSupported(fragment));
  fragment.type = MmaType::F16;
  EXPECT_FALSE(isSupported(fragment));
  fragment.type = MmaType::S32;
  EXPECT_FALSE(isSupported(fragment));
}

TEST(FragmentTest, blocks_of_ldmatrix) {
  uint16_t matrix[8][8];
  const uint8_t *rows[8];
  for (unsigned row = 0; row != 8; ++row) {
    rows[row] = reinterpret_cast<const uint8_t *>(matrix[row]);
    for (unsigned column = 0; column != 8; ++column)
      matrix[row][column] = uint16_t(row << 8 | column);
  }
  uint32_t plane[32], transposed[32];
  loadMatrix(rows, false, plane);
  loadMatrix(rows, true, transposed);
  for (unsigned lane = 0; lane != 32; ++lane) {
    unsigned i = lane / 4, j = lane % 4 * 2;
    EXPECT_EQ(plane[lane], matrix[i][j] | uint32_t(matrix[i][j + 1]) << 16);
    EXPECT_EQ(transposed[lane], matrix[j][i] | uint32_t(matrix[j + 1][i])
                                                   << 16);
  }
  uint32_t moved[32];
  transposeMatrix(plane, moved);
  EXPECT_TRUE(std::equal(moved, moved + 32, transposed));
  transposeMatrix(moved, moved);
  EXPECT_TRUE(std::equal(moved, moved + 32, plane));

  uint16_t stored[8][8];
  uint8_t *targets[8];
  for (unsigned row = 0; row != 8; ++row)
    targets[row] = reinterpret_cast<uint8_t *>(stored[row]);
  storeMatrix(plane, false, targets);
  EXPECT_TRUE(std::equal(&stored[0][0], &stored[0][0] + 64, &matrix[0][0]));
  storeMatrix(transposed, true, targets);
  EXPECT_TRUE(std::equal(&stored[0][0], &stored[0][0] + 64, &matrix[0][0]));
}
