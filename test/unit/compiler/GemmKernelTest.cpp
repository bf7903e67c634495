// Linear layers in tensor cores, against their definition in f64, on the
// simulator.

#include "compiler/target/h100/PackedRows.h"
#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/StoredMatrix.h"
#include "test/unit/compiler/Values.h"

#include "mlir/AsmParser/AsmParser.h"
#include "llvm/ADT/APFloat.h"
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

  /// A weight [rows, depth] of elements called `element`, with the values that
  /// are multiplied: those of blocks rounded to bf16.
  StoredMatrix makeWeight(const char *element, int64_t rows, int64_t depth) {
    StoredMatrix weight(random, parseType(element, &context), rows, depth);
    if (!weight.element.isF16())
      for (double &value : weight.values)
        value = fromBF16(toBF16(static_cast<float>(value)));
    return weight;
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

static uint16_t toF16(float value) {
  llvm::APFloat number(value);
  bool isInexact = false;
  number.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
                 &isInexact);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

static float fromF16(uint16_t bits) {
  return llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits))
      .convertToFloat();
}

static std::string configurationOf(const Tiles &tiles) {
  return llvm::formatv("config(#kernel.gpu_linear_config<kind = wgmma, "
                       "tile_rows = {0}, tile_columns = {1}, threads = 384, "
                       "stages = {2}, cluster = {3}>)",
                       tiles.rows, tiles.columns, tiles.stages, tiles.cluster);
}

/// The bytes of `values` in f16 or bf16; `values` become what they stand for.
static std::vector<uint16_t> roundTo(StringRef type,
                                     std::vector<float> &values) {
  std::vector<uint16_t> bits;
  for (float &value : values) {
    bits.push_back(type == "f16" ? toF16(value) : toBF16(value));
    value = type == "f16" ? fromF16(bits.back()) : fromBF16(bits.back());
  }
  return bits;
}

/// The elements of `buffer`, of type f32, f16 or bf16.
static std::vector<float> readElements(const Buffer &buffer, StringRef type) {
  if (type == "f32")
    return buffer.values<float>();
  std::vector<float> values;
  for (uint16_t bits : buffer.values<uint16_t>())
    values.push_back(type == "f16" ? fromF16(bits) : fromBF16(bits));
  return values;
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

// Sums have f32's precision; a result of bf16 is rounded to 8 bits, one of f16
// to 11.
static double toleranceOf(StringRef result) {
  return result == "f32" ? 2e-6 : result == "f16" ? 5e-4 : 4e-3;
}

void GemmKernel::check(const char *element, const char *result,
                       const Tiles &tiles, int64_t outputs, int64_t depth,
                       ArrayRef<int64_t> rowNumbers) {
  SCOPED_TRACE(llvm::formatv("{0}x{1}x{2} into {3}, {4}", outputs, depth,
                             element, result, configurationOf(tiles))
                   .str());
  StringRef operand = StringRef(element) == "f16" ? "f16" : "bf16";
  std::string text = llvm::formatv(
      R"(
    func.func @linear(%x: memref<?x{0}x{5}>, %w: memref<{1}x{0}x{2}>,
        %y: memref<?x{1}x{3}>) attributes {{kernel.rows = "tokens"} {{
      kernel.linear %x, %w into %y operand({5}) packing(#kernel.row_packing) {4}
        : memref<?x{0}x{5}>, memref<{1}x{0}x{2}>, memref<?x{1}x{3}>
      return
    })",
      depth, outputs, element, result, configurationOf(tiles), operand);
  auto kernel = compile(text);
  ASSERT_TRUE(kernel);
  StoredMatrix weight = makeWeight(element, outputs, depth);
  Buffer packed(pack(weight));
  for (int64_t rows : rowNumbers) {
    std::vector<float> x = randomFloats(random, rows * depth);
    Buffer input(roundTo(operand, x));
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

// Blocks of a cluster share the weight; tiles of 256 rows are two products.
TEST_P(GemmKernel, ClustersAndHighTiles) {
  check("bf16", "f32", {128, 256, 4, 2}, 520, 72, {1, 129, 300});
  check("bf16", "bf16", {256, 128, 4, 2}, 264, 200, {3, 513});
  check("bf16", "bf16", {256, 64, 3, 4}, 192, 64, {700});
  check("bf16", "f32", {128, 16, 5, 1}, 40, 328, {129});
}

// Elements of blocks are rounded to bf16, once.
TEST_P(GemmKernel, WeightsInBlocks) {
  for (const char *element :
       {"!transformer.block<q8_0>", "!transformer.block<q4_0>",
        "!transformer.block<q4_1>"}) {
    check(element, "f32", {256, 128, 4}, 131, 160, {1, 300});
    check(element, "bf16", {128, 256, 3}, 264, 64, {130});
  }
}

TEST_P(GemmKernel, HalfPrecision) {
  check("f16", "f32", {128, 256, 4, 2}, 300, 136, {131});
  check("f16", "f16", {256, 128, 3}, 128, 72, {140});
}

// Only the first rows of a step, whatever is behind them.
TEST_P(GemmKernel, ExpandedRows) {
  constexpr int64_t outputs = 64, depth = 64, rows = 9, expanded = 5;
  for (const char *result : {"f32", "bf16"}) {
    std::string text = llvm::formatv(
        R"(
    func.func @linear(%x: memref<?x{0}xbf16>, %w: memref<{1}x{0}xbf16>,
        %y: memref<?x{1}x{2}>) attributes {{kernel.rows = "expanded"} {{
      kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing) {3}
        : memref<?x{0}xbf16>, memref<{1}x{0}xbf16>, memref<?x{1}x{2}>
      return
    })",
        depth, outputs, result, configurationOf({128, 64, 3}));
    auto kernel = compile(text);
    ASSERT_TRUE(kernel);
    StoredMatrix weight = makeWeight("bf16", outputs, depth);
    std::vector<float> x = randomFloats(random, rows * depth);
    Buffer input(roundTo("bf16", x)), packed(pack(weight));
    Buffer output(rows * outputs * (StringRef(result) == "f32" ? 4 : 2));
    StepSizes sizes;
    sizes.tokens = rows;
    sizes.expandedTokens = expanded;
    kernel->run({&input, &packed, &output}, sizes);
    std::vector<float> y = readElements(output, result);
    for (size_t i = expanded * outputs; i < y.size(); ++i)
      ASSERT_TRUE(std::isnan(y[i])) << "a row that is not expanded changed";
    y.resize(expanded * outputs);
    x.resize(expanded * depth);
    expectRows(y, multiply(x, weight), outputs, toleranceOf(result));
  }
}

/// `rows` of `columns` elements with NaNs behind each, so that they begin
/// `stride` elements apart.
static std::vector<uint16_t> pad(const std::vector<uint16_t> &rows,
                                 int64_t columns, int64_t stride) {
  constexpr uint16_t nan = 0xFFFF;
  std::vector<uint16_t> padded;
  for (auto row = rows.begin(); row != rows.end(); row += columns) {
    padded.insert(padded.end(), row, row + columns);
    padded.insert(padded.end(), stride - columns, nan);
  }
  return padded;
}

/// The first `columns` of every `stride` elements; what is behind them is
/// expected not to have changed.
static std::vector<float> takeRows(const std::vector<float> &padded,
                                   int64_t columns, int64_t stride) {
  std::vector<float> rows;
  for (size_t i = 0; i < padded.size(); ++i)
    if (static_cast<int64_t>(i) % stride < columns)
      rows.push_back(padded[i]);
    else
      EXPECT_TRUE(std::isnan(padded[i])) << "what is behind a row changed";
  return rows;
}

// Rows of any number of columns begin at multiples of 16 bytes. What is between
// them is neither read nor written, by copies nor by threads.
TEST_P(GemmKernel, PaddedRows) {
  constexpr int64_t rows = 131;
  for (auto [depth, outputs, tiles] :
       {std::tuple(172, 172, Tiles{128, 128, 4, 2}),
        std::tuple(20, 90, Tiles{128, 64, 3}),
        std::tuple(1, 3, Tiles{128, 16, 3})}) {
    int64_t stride = kernel::roundUp(depth, 8);
    int64_t outputStride = kernel::roundUp(outputs, 8);
    std::string text = llvm::formatv(
        R"(
    func.func @linear(%x: memref<?x{0}xbf16, strided<[{1}, 1]>>,
        %w: memref<{2}x{0}xbf16>, %y: memref<?x{2}xbf16, strided<[{3}, 1]>>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing) {4}
        : memref<?x{0}xbf16, strided<[{1}, 1]>>, memref<{2}x{0}xbf16>,
          memref<?x{2}xbf16, strided<[{3}, 1]>>
      return
    })",
        depth, stride, outputs, outputStride, configurationOf(tiles));
    auto kernel = compile(text);
    ASSERT_TRUE(kernel);
    StoredMatrix weight = makeWeight("bf16", outputs, depth);
    std::vector<float> x = randomFloats(random, rows * depth);
    Buffer input(pad(roundTo("bf16", x), depth, stride)), packed(pack(weight));
    Buffer output(rows * outputStride * 2);
    kernel->run({&input, &packed, &output}, rows);
    expectRows(takeRows(readElements(output, "bf16"), outputs, outputStride),
               multiply(x, weight), outputs, toleranceOf("bf16"));
  }
}

// The input is the last columns of a larger buffer, the result is added to what
// is there, and a column has a bias. An odd number of columns has no pairs.
TEST_P(GemmKernel, BiasAndResidual) {
  constexpr int64_t depth = 72, stride = 80, rows = 131;
  for (int64_t outputs : {97, 130, 192}) {
    std::string text = llvm::formatv(
        R"(
    func.func @linear(%x: memref<?x{0}xbf16, strided<[{1}, 1], offset: {2}>>,
        %w: memref<{3}x{0}xbf16>, %b: memref<{3}xbf16>, %y: memref<?x{3}xf32>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing) {4}
        epilogue (%b, %y : memref<{3}xbf16>, memref<?x{3}xf32>) {{
        ^bb0(%sum: f32, %bias: f32, %before: f32):
          %biased = arith.addf %sum, %bias : f32
          %after = arith.addf %biased, %before : f32
          kernel.yield %after : f32
        } : memref<?x{0}xbf16, strided<[{1}, 1], offset: {2}>>,
          memref<{3}x{0}xbf16>, memref<?x{3}xf32>
      return
    })",
        depth, stride, stride - depth, outputs, configurationOf({128, 64, 3}));
    auto kernel = compile(text);
    ASSERT_TRUE(kernel);
    StoredMatrix weight = makeWeight("bf16", outputs, depth);
    std::vector<float> wide = randomFloats(random, rows * stride), x;
    std::vector<float> bias = randomFloats(random, outputs);
    std::vector<float> y = randomFloats(random, rows * outputs);
    Buffer input(roundTo("bf16", wide)), packed(pack(weight));
    Buffer biases(roundTo("bf16", bias)), output(y);
    for (int64_t row = 0; row < rows; ++row)
      x.insert(x.end(), wide.begin() + row * stride + stride - depth,
               wide.begin() + (row + 1) * stride);
    std::vector<double> expected = multiply(x, weight);
    for (size_t i = 0; i < expected.size(); ++i)
      expected[i] += bias[i % outputs] + y[i];
    kernel->run({&input, &packed, &biases, &output}, rows);
    expectRows(output.values<float>(), expected, outputs, toleranceOf("f32"));
  }
}

// Gate and value are neighbours in memory; columns of the last tile are
// missing.
TEST_P(GemmKernel, GatedUnit) {
  constexpr int64_t depth = 136, rows = 150;
  for (const char *element : {"bf16", "!transformer.block<q4_0>"})
    for (int64_t outputs : {64, 90, 192}) {
      int64_t k = StringRef(element) == "bf16" ? depth : 128;
      std::string text = llvm::formatv(
          R"(
    func.func @linear(%x: memref<?x{0}xbf16>, %w: memref<{1}x{0}x{2}>,
        %y: memref<?x{3}xbf16>) attributes {{kernel.rows = "tokens"} {{
      kernel.linear %x, %w into %y operand(bf16)
        packing(#kernel.row_packing<pair_rows = 8>) {4}
        epilogue {{
        ^bb0(%gate: f32, %value: f32):
          %one = arith.constant 1.0 : f32
          %negated = arith.negf %gate : f32
          %power = math.exp %negated : f32
          %divisor = arith.addf %power, %one : f32
          %silu = arith.divf %gate, %divisor : f32
          %gated = arith.mulf %silu, %value : f32
          kernel.yield %gated : f32
        } : memref<?x{0}xbf16>, memref<{1}x{0}x{2}>, memref<?x{3}xbf16>
      return
    })",
          k, 2 * outputs, element, outputs, configurationOf({128, 256, 3}));
      auto kernel = compile(text);
      ASSERT_TRUE(kernel);
      StoredMatrix weight = makeWeight(element, 2 * outputs, k);
      std::vector<float> x = randomFloats(random, rows * k);
      Buffer input(roundTo("bf16", x)), packed(pack(weight, 8));
      Buffer output(rows * outputs * 2);
      kernel->run({&input, &packed, &output}, rows);
      std::vector<double> sums = multiply(x, weight), expected;
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t n = 0; n < outputs; ++n) {
          double gate = sums[row * 2 * outputs + n];
          expected.push_back(gate / (1 + std::exp(-gate)) *
                             sums[row * 2 * outputs + outputs + n]);
        }
      expectRows(readElements(output, "bf16"), expected, outputs,
                 toleranceOf("bf16"));
    }
}

// A prompt of 2048 tokens, for the counters of GemmTraffic.test. Products of
// ones are exact in any type.
TEST_P(GemmKernel, DISABLED_ManyRows) {
  constexpr int64_t rows = 2048, outputs = 4096, depth = 4096;
  for (auto [element, result] :
       {std::pair("bf16", "f32"), std::pair("bf16", "bf16"),
        std::pair("!transformer.block<q8_0>", "bf16")}) {
    bool isInBlocks = StringRef(element) != "bf16";
    std::string text = llvm::formatv(
        R"(
    func.func @linear(%x: memref<?x{0}xbf16>, %w: memref<{1}x{0}x{2}>,
        %y: memref<?x{1}x{3}>) attributes {{kernel.rows = "tokens"} {{
      kernel.linear %x, %w into %y operand(bf16) packing(#kernel.row_packing) {4}
        : memref<?x{0}xbf16>, memref<{1}x{0}x{2}>, memref<?x{1}x{3}>
      return
    })",
        depth, outputs, element, result,
        configurationOf(isInBlocks ? Tiles{256, 128, 4}
                                   : Tiles{128, 256, 4, 2}));
    auto kernel = compile(text);
    ASSERT_TRUE(kernel);
    std::vector<uint16_t> ones(rows * depth, toBF16(1));
    std::vector<uint16_t> weight(outputs * depth, toBF16(1));
    if (isInBlocks) // Scales of zero.
      weight.assign(outputs * depth / 32 * 17, 0);
    Buffer input(ones), packed(weight);
    Buffer output(rows * outputs * (StringRef(result) == "f32" ? 4 : 2));
    kernel->run({&input, &packed, &output}, rows);
    for (float value : readElements(output, result))
      ASSERT_EQ(value, isInBlocks ? 0 : depth);
  }
}
