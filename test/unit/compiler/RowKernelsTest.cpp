// Kernels that move rows, against their definitions.

#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/Values.h"

#include "llvm/Support/FormatVariadic.h"

#include <array>

using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
class GatherRowsKernel : public KernelTest {};
} // namespace

TCC_TEST_TARGETS(GatherRowsKernel);

static std::string gatherRows(int64_t columns, const char *element) {
  return llvm::formatv(R"(
    func.func @gather(%x: memref<?x{0}x{1}>, %rows: memref<?xi32>, %y: memref<?x{0}x{1}>)
        attributes {{kernel.rows = "logit_rows"} {{
      kernel.gather_rows %x, %rows into %y
        : memref<?x{0}x{1}>, memref<?xi32>, memref<?x{0}x{1}>
      return
    })",
                       columns, element);
}

TEST_P(GatherRowsKernel, CopiesRowsInAnyOrder) {
  std::mt19937 random(1);
  std::vector<int32_t> rows = {4, 0, 4, 2, 3, 1};
  for (int64_t columns : {1, 16, 37, 1028}) {
    auto kernel = compile(gatherRows(columns, "f32"));
    ASSERT_TRUE(kernel);
    std::vector<float> x = randomFloats(random, 5 * columns);
    Buffer input(x), places(rows), result(6 * columns * 4);
    kernel->run({&input, &places, &result}, 6);
    std::vector<float> y = result.values<float>();
    for (int64_t i = 0; i < 6 * columns; ++i)
      EXPECT_EQ(y[i], x[rows[i / columns] * columns + i % columns])
          << "element " << i << " of rows of " << columns;
  }
}

TEST_P(GatherRowsKernel, NoRowsIsNoWork) {
  auto kernel = compile(gatherRows(5, "bf16"));
  ASSERT_TRUE(kernel);
  Buffer input(10), rows(0), result(0);
  kernel->run({&input, &rows, &result}, 0);
}

namespace {
class RMSNormKernel : public KernelTest {};
} // namespace

TCC_TEST_TARGETS(RMSNormKernel);

/// Runs a norm of two inputs of `sizes` columns.
static void expectNorms(const KernelRunner &kernel,
                        std::array<int64_t, 2> sizes) {
  std::mt19937 random(2);
  constexpr int64_t rows = 3;
  std::vector<float> x[2], weights[2];
  for (int i : {0, 1}) {
    x[i] = randomFloats(random, rows * sizes[i]);
    weights[i] = randomFloats(random, sizes[i]);
  }
  int64_t columns = sizes[0] + sizes[1];
  Buffer first(x[0]), second(x[1]), a(weights[0]), b(weights[1]);
  Buffer result(rows * columns * 4);
  kernel.run({&first, &second, &a, &b, &result}, rows);
  std::vector<float> z = result.values<float>();
  for (int64_t row = 0; row < rows; ++row)
    for (int i : {0, 1}) {
      double squares = 0;
      for (int64_t k = 0; k < sizes[i]; ++k)
        squares += std::pow(double(x[i][row * sizes[i] + k]), 2);
      for (int64_t k = 0; k < sizes[i]; ++k)
        EXPECT_NEAR(z[row * columns + (i ? sizes[0] : 0) + k],
                    x[i][row * sizes[i] + k] * weights[i][k] /
                        std::sqrt(squares / double(sizes[i]) + 0.5),
                    1e-5);
    }
}

// Parts that begin anywhere, and ones of which several elements are stored at
// once.
TEST_P(RMSNormKernel, NormalisesEachInputAlone) {
  for (std::array<int64_t, 2> sizes : std::vector<std::array<int64_t, 2>>{
           {5, 33}, {6, 1034}, {1028, 64}, {2, 1026}}) {
    std::string text = llvm::formatv(
        R"(
    func.func @norms(%x: memref<?x{0}xf32>, %y: memref<?x{1}xf32>,
                     %a: memref<{0}xf32>, %b: memref<{1}xf32>, %z: memref<?x{2}xf32>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.rms_norm %x, %y norms(%a, %b : memref<{0}xf32>, memref<{1}xf32>) epsilon(0.5)
        into %z : (memref<?x{0}xf32>, memref<?x{1}xf32>), memref<?x{2}xf32>
      return
    })",
        sizes[0], sizes[1], sizes[0] + sizes[1]);
    auto kernel = compile(text);
    ASSERT_TRUE(kernel);
    expectNorms(*kernel, sizes);
  }
}
