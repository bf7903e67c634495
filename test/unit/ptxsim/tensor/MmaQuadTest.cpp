// mma.sync.m8n8k4 with f16: four products of eight lanes each.

#include "tools/ptxsim/tensor/Mma.h"

#include "test/unit/ptxsim/tensor/Matrices.h"

#include <gtest/gtest.h>

using namespace ptxsim;
using namespace ptxsim::test;
using ptxsim::numerics::test::Random;

// PTX ISA 9.0, section 9.7.14.5.1.

static Place placeOfA(bool isColumn, unsigned lane, unsigned i) {
  if (isColumn)
    return {lane < 16 ? i % 4 : i % 4 + 4, lane % 4};
  return {lane < 16 ? lane % 4 : lane % 4 + 4, i};
}

static Place placeOfB(bool isRow, unsigned lane, unsigned i) {
  if (isRow)
    return {lane % 4, lane < 16 ? i : i + 4};
  return {i, lane < 16 ? lane % 4 : lane % 4 + 4};
}

static Place placeOfC(MmaType type, unsigned lane, unsigned i) {
  if (type == MmaType::F16)
    return {lane < 16 ? lane % 4 : lane % 4 + 4, i};
  unsigned x = (lane & 1) + (i & 2);
  return {lane < 16 ? x : x + 4, (i & 4) + (lane & 2) + (i & 1)};
}

static void checkQuads(const MmaForm &form) {
  ASSERT_TRUE(isSupported(form));
  MmaPlanes counts = planesOf(form);
  Random random(23);
  Planes a(MmaType::F16, counts.a), b(MmaType::F16, counts.b),
      c(form.c, counts.c), d(form.d, counts.d);
  std::vector<Matrix> results;
  for (unsigned quad = 0; quad != 4; ++quad) {
    Matrix am(8, 4), bm(4, 8), cm(8, 8);
    fillSmall(am, MmaType::F16, random);
    fillSmall(bm, MmaType::F16, random);
    fillSmall(cm, form.c, random);
    results.push_back(product(am, bm, cm));
    for (unsigned lane : {0, 1, 2, 3, 16, 17, 18, 19})
      for (unsigned i = 0; i != 8; ++i) {
        Place at = placeOfC(form.c, lane, i);
        c.set(lane + 4 * quad, i, cm.at(at.row, at.column));
        if (i >= 4)
          continue;
        at = placeOfA(form.aIsColumn, lane, i);
        a.set(lane + 4 * quad, i, am.at(at.row, at.column));
        at = placeOfB(form.bIsRow, lane, i);
        b.set(lane + 4 * quad, i, bm.at(at.row, at.column));
      }
  }
  run(form, d, a, b, c);
  for (unsigned quad = 0; quad != 4; ++quad)
    for (unsigned lane : {0, 1, 2, 3, 16, 17, 18, 19})
      for (unsigned i = 0; i != 8; ++i) {
        Place at = placeOfC(form.d, lane, i);
        ASSERT_EQ(d.get(lane + 4 * quad, i),
                  results[quad].at(at.row, at.column))
            << "product " << quad << ", lane " << lane << ", element " << i;
      }
}

TEST(MmaQuadTest, all_layouts_and_accumulators) {
  MmaForm form;
  form.m = form.n = 8;
  form.k = 4;
  for (bool aIsColumn : {false, true})
    for (bool bIsRow : {false, true})
      for (MmaType c : {MmaType::F16, MmaType::F32})
        for (MmaType d : {MmaType::F16, MmaType::F32}) {
          form.aIsColumn = aIsColumn;
          form.bIsRow = bIsRow;
          form.c = c;
          form.d = d;
          if (c == MmaType::F32 && d == MmaType::F16)
            EXPECT_FALSE(isSupported(form));
          else
            checkQuads(form);
        }
}
