// Words of instructions.

#include "tools/ptxsim/ptx/Types.h"

#include <gtest/gtest.h>

using namespace ptxsim::ptx;

namespace {

TEST(Types, Shapes) {
  std::optional<MatrixShape> shape = shapeNamed("m64n256k16");
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->m, 64);
  EXPECT_EQ(shape->n, 256);
  EXPECT_EQ(shape->k, 16);
  for (const char *word : {"", "m", "m16", "m16n8", "m16n8k", "m16n8k16x", "n8m16k16",
                           "m016n8k16", "m0n8k16", "m-1n8k16", "m16n8k65536", "max"})
    EXPECT_FALSE(shapeNamed(word)) << word;
}

} // namespace
