// Linear layers in tensor cores, against their definition in f64, on the
// simulator.

#include "compiler/target/h100/PackedRows.h"
#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/StoredMatrix.h"
#include "test/unit/compiler/Values.h"

#include "mlir/AsmParser/AsmParser.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
struct Tiles {
  int64_t rows = 128, columns, stages, cluster = 1;
};

class GemmKernel : public KernelTest {
protected:
  GemmKernel() {
    context
        .loadDialect<kernel::KernelDialect, transformer::TransformerDialect>();
  }

  /// A weight [rows, depth] of elements called `element`.
  StoredMatrix makeWeight(const char *element, int64_t rows, int64_t depth) {
    return {random, parseType(element, &context), rows, depth};
  }

  /// `weight` as the kernel reads it.
  std::vector<uint8_t> pack(const StoredMatrix &weight, int64_t pairRows = 0) {
    h100::RowLayout layout(
        RankedTensorType::get({weight.rows, weight.columns}, weight.element),
        kernel::RowPackingAttr::get(&context, pairRows));
    auto packing = h100::createPackedWeight(layout);
    std::vector<uint8_t> packed(static_cast<size_t>(layout.bytes));
    packing->pack(sourceOf(weight, 0), 0, packing->getParts(), packed.data());
    return packed;
  }

  /// Multiplies random rows, and compares the result, of type `result`.
  void check(const char *element, const char *result, const Tiles &tiles,
             int64_t outputs, int64_t depth, ArrayRef<int64_t> rowNumbers);

  MLIRContext context;
  std::mt19937 random{1};
};
} // namespace

TCC_TEST_ON(GemmKernel, std::vector<std::string>{"sm_90a"});

static std::string configurationOf(const Tiles &tiles) {
  return llvm::formatv("config(#kernel.gpu_linear_config<kind = wgmma, "
                       "tile_rows = {0}, tile_columns = {1}, threads = 384, "
                       "stages = {2}, cluster = {3}>)",
                       tiles.rows, tiles.columns, tiles.stages, tiles.cluster);
}

/// The bytes of `values` in bf16, and the values that they stand for.
static std::vector<uint16_t> roundToBF16(std::vector<float> &values) {
  std::vector<uint16_t> bits = toBF16(values);
  values = fromBF16(bits);
  return bits;
}

/// The elements of `buffer`, of type f32 or bf16.
static std::vector<float> readElements(const Buffer &buffer, StringRef type) {
  return type == "f32" ? buffer.values<float>()
                       : fromBF16(buffer.values<uint16_t>());
}

/// Expects the rows of `actual` to be near `expected`, by the length of the
/// difference.
static void expectRows(const std::vector<float> &actual,
                       const std::vector<double> &expected, int64_t columns,
                       double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t begin = 0; begin < expected.size(); begin += columns) {
    double error = 0, length = 0;
    for (size_t i = begin; i < begin + columns; ++i) {
      error += std::pow(actual[i] - expected[i], 2);
      length += std::pow(expected[i], 2);
    }
    ASSERT_LE(std::sqrt(error), tolerance * std::sqrt(length))
        << "row " << begin / columns;
  }
}

/// The products of all rows of `x` and of `weight`.
static std::vector<double> multiply(const std::vector<float> &x,
                                    const StoredMatrix &weight) {
  std::vector<double> products;
  for (size_t row = 0; row < x.size(); row += weight.columns)
    for (int64_t n = 0; n < weight.rows; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < weight.columns; ++k)
        sum += x[row + k] * weight.at(n, k);
      products.push_back(sum);
    }
  return products;
}

// Sums have f32's precision; a result of bf16 is rounded to 8 bits.
static double toleranceOf(StringRef result) {
  return result == "f32" ? 2e-6 : 4e-3;
}

void GemmKernel::check(const char *element, const char *result,
                       const Tiles &tiles, int64_t outputs, int64_t depth,
                       ArrayRef<int64_t> rowNumbers) {
  SCOPED_TRACE(llvm::formatv("{0}x{1}x{2} into {3}, {4}", outputs, depth,
                             element, result, configurationOf(tiles))
                   .str());
  std::string text = llvm::formatv(
      R"(
    func.func @linear(%x: memref<?x{0}xbf16>, %w: memref<{1}x{0}x{2}>,
        %y: memref<?x{1}x{3}>) attributes {{kernel.rows = "tokens"} {{
      kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing) {4}
        : memref<?x{0}xbf16>, memref<{1}x{0}x{2}>, memref<?x{1}x{3}>
      return
    })",
      depth, outputs, element, result, configurationOf(tiles));
  auto kernel = compile(text);
  ASSERT_TRUE(kernel);
  StoredMatrix weight = makeWeight(element, outputs, depth);
  Buffer packed(pack(weight));
  for (int64_t rows : rowNumbers) {
    std::vector<float> x = randomFloats(random, rows * depth);
    Buffer input(roundToBF16(x));
    Buffer output(rows * outputs * (StringRef(result) == "f32" ? 4 : 2));
    kernel->run({&input, &packed, &output}, rows);
    expectRows(readElements(output, result), multiply(x, weight), outputs,
               toleranceOf(result));
  }
}

// Edges of tiles in all three dimensions, and results that copies store and
// that threads do.
TEST_P(GemmKernel, EdgesOfTiles) {
  Tiles wide{128, 256, 4, 1};
  check("bf16", "f32", wide, 256, 64, {1, 128});
  check("bf16", "f32", wide, 300, 200, {1, 7, 130});
  check("bf16", "bf16", wide, 300, 200, {5, 129});
  check("bf16", "bf16", wide, 320, 136, {5, 200});
}
