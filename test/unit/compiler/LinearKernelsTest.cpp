// Linear layers of all kinds, against their definition in f64.

#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/Values.h"
#include "test/unit/compiler/Weights.h"

#include "mlir/AsmParser/AsmParser.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <functional>
#include <limits>
#include <numeric>

using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// How weights are stored and multiplied.
struct Numbers {
  const char *weight, *operand, *arithmetic;
  double tolerance; ///< Relative L2 of a row.
};

class LinearKernelTest : public KernelTest {
protected:
  std::vector<Numbers> allNumbers() const;
  /// One of each kind.
  std::vector<Numbers> someNumbers() const;
  /// Few rows of a block and a short part of K, so that tests meet their ends.
  std::string configuration(const Numbers &numbers) const;
  int64_t columns() const { return 4 * lanes(); }
};

class LinearKernel : public LinearKernelTest {};
class GroupedLinearKernel : public LinearKernelTest {};
class HeadLinearKernel : public LinearKernelTest {};
} // namespace

TCC_TEST_MARCHES(LinearKernel);
TCC_TEST_MARCHES(GroupedLinearKernel);
TCC_TEST_MARCHES(HeadLinearKernel);

// A prepared row in blocks has 16 bits for an element, of the largest in its
// block.
static constexpr double floatTolerance = 1e-6, blockTolerance = 2e-4;

std::vector<Numbers> LinearKernelTest::allNumbers() const {
  std::vector<Numbers> all = {
      {"f32", "f32", "fma", floatTolerance},
      {"f16", "f32", "fma", floatTolerance},
      {"bf16", "f32", "fma", floatTolerance},
      {"bf16", "bf16", "fma", floatTolerance},
      {"!transformer.block<q8_0>", "i16", "integer", blockTolerance},
      {"!transformer.block<q4_0>", "i16", "integer", blockTolerance},
      {"!transformer.block<q4_1>", "i16", "integer", blockTolerance},
      {"!transformer.scaled<f8E4M3FN, 4, 12>", "f32", "fma", floatTolerance},
      {"!transformer.scaled<f8E4M3FN, 4, 12>", "f8E4M3FN", "fma",
       floatTolerance},
      {"!transformer.scaled<f8E4M3FN, 128, 128>", "f8E4M3FN", "fma",
       floatTolerance},
      {"!transformer.scaled<f8E4M3FN, 128, 128>", "bf16", "fma",
       floatTolerance},
  };
  if (GetParam() != "emulated-znver4")
    return all;
  for (const char *weight : {"!transformer.scaled<f8E4M3FN, 4, 12>",
                             "!transformer.scaled<f8E4M3FN, 128, 128>", "bf16"})
    all.push_back({weight, "bf16", "dot", floatTolerance});
  return all;
}

std::vector<Numbers> LinearKernelTest::someNumbers() const {
  std::vector<Numbers> all = allNumbers();
  return {all.front(), all[3], all[4], all[7], all[8], all.back()};
}

std::string LinearKernelTest::configuration(const Numbers &numbers) const {
  return llvm::formatv("config(<arithmetic = {0}, tile_rows = 3, "
                       "tile_columns = {1}, block_rows = 12, "
                       "block_depth = 128>)",
                       numbers.arithmetic, 2 * lanes());
}

//===----------------------------------------------------------------------===//
// Definitions
//===----------------------------------------------------------------------===//

static bool isInBlocks(const Numbers &numbers) {
  return std::string(numbers.operand) == "i16";
}

/// The nearest e4m3.
static float roundToE4M3(float value) {
  llvm::APFloat number(value);
  bool isInexact = false;
  number.convert(llvm::APFloat::Float8E4M3FN(),
                 llvm::APFloat::rmNearestTiesToEven, &isInexact);
  return number.convertToFloat();
}

/// Makes 128 elements or fewer e4m3 times the scale that they share.
static void quantise(llvm::MutableArrayRef<double> elements) {
  float bound = 1e-4f;
  for (double element : elements)
    bound = std::max(bound, std::abs(static_cast<float>(element)));
  float scale = bound / 448;
  for (double &element : elements)
    element = roundToE4M3(static_cast<float>(element) / scale) * scale;
}

/// What the products of `numbers` see of `row`, but for the 16 bits of blocks.
static std::vector<double> roundOperands(std::vector<double> row,
                                         const Numbers &numbers) {
  std::string operand = numbers.operand;
  for (double &element : row) {
    auto narrow = static_cast<float>(element);
    element = operand == "bf16" ? fromBF16(toBF16(narrow)) : narrow;
  }
  if (operand == "f8E4M3FN")
    for (size_t first = 0; first < row.size(); first += 128)
      quantise(llvm::MutableArrayRef(row).slice(first).take_front(128));
  return row;
}

/// The product of a row and row `n` of the weight at `weight`.
static double dot(const std::vector<double> &row, const double *weight,
                  int64_t n) {
  return std::inner_product(row.begin(), row.end(), weight + n * row.size(),
                            0.0);
}

//===----------------------------------------------------------------------===//
// Linear
//===----------------------------------------------------------------------===//

// The input is the last columns of a larger buffer.
TEST_P(LinearKernel, ReadsAView) {
  const Numbers numbers = {"bf16", "bf16", "fma", floatTolerance};
  constexpr int64_t rows = 7, depth = 37, outputs = 70, stride = 50;
  std::string text = llvm::formatv(
      R"(
    func.func @linear(%x: memref<?x{0}xf32, strided<[{1}, 1], offset: {2}>>,
        %w: memref<{3}x{0}xbf16>, %y: memref<?x{3}xf32>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.linear %x, %w into %y operand(bf16) packing(<columns = {4}>) {5}
        : memref<?x{0}xf32, strided<[{1}, 1], offset: {2}>>,
          memref<{3}x{0}xbf16>, memref<?x{3}xf32>
      return
    })",
      depth, stride, stride - depth, outputs, columns(),
      configuration(numbers));
  auto kernel = compile(text);
  ASSERT_TRUE(kernel);
  std::mt19937 random(1);
  Weights weights(random, "bf16", 1, outputs, depth, columns());
  std::vector<float> x = randomFloats(random, rows * stride);
  Buffer input(x), weight(weights.packed), result(rows * outputs * 4);
  kernel->run({&input, &weight, &result}, rows);
  for (int64_t row = 0; row < rows; ++row) {
    auto end = x.begin() + (row + 1) * stride;
    std::vector<double> prepared = roundOperands({end - depth, end}, numbers);
    std::vector<double> expected;
    for (int64_t n = 0; n < outputs; ++n)
      expected.push_back(dot(prepared, weights.values.data(), n));
    expectRow(result.values<float>(), row, expected, numbers.tolerance);
  }
}

//===----------------------------------------------------------------------===//
// Linear, with scales
//===----------------------------------------------------------------------===//

namespace {
class ScaledLinearKernel : public LinearKernelTest {
protected:
  ScaledLinearKernel() {
    context
        .loadDialect<kernel::KernelDialect, transformer::TransformerDialect>();
  }

  /// How e4m3 can be multiplied.
  std::vector<Numbers> scaledNumbers(const char *weight) const {
    std::vector<Numbers> all = {{weight, "f32", "fma", floatTolerance},
                                {weight, "bf16", "fma", floatTolerance},
                                {weight, "f8E4M3FN", "fma", floatTolerance}};
    if (GetParam() == "emulated-znver4")
      all.push_back({weight, "bf16", "dot", floatTolerance});
    return all;
  }

  /// A weight of elements called `element`.
  StoredMatrix makeWeight(const char *element, int64_t rows, int64_t depth) {
    return {random, parseType(element, &context), rows, depth};
  }

  /// The kernel of a linear layer with `weight`.
  std::unique_ptr<KernelRunner> compileFor(const StoredMatrix &weight,
                                           const Numbers &numbers);

  /// The products of the rows of `x` and `weight`.
  std::vector<float> multiply(const KernelRunner &kernel,
                              const StoredMatrix &weight,
                              const std::vector<float> &x);

  mlir::MLIRContext context;
  std::mt19937 random{1};
};
} // namespace

TCC_TEST_MARCHES(ScaledLinearKernel);

std::unique_ptr<KernelRunner>
ScaledLinearKernel::compileFor(const StoredMatrix &weight,
                               const Numbers &numbers) {
  return compile(llvm::formatv(
                     R"(
    func.func @linear(%x: memref<?x{0}xf32>, %w: memref<{1}x{0}x{2}>,
        %y: memref<?x{1}xf32>) attributes {{kernel.rows = "tokens"} {{
      kernel.linear %x, %w into %y operand({3}) packing(<columns = {4}>) {5}
        : memref<?x{0}xf32>, memref<{1}x{0}x{2}>, memref<?x{1}xf32>
      return
    })",
                     weight.columns, weight.rows, numbers.weight,
                     numbers.operand, columns(), configuration(numbers))
                     .str());
}

std::vector<float> ScaledLinearKernel::multiply(const KernelRunner &kernel,
                                                const StoredMatrix &weight,
                                                const std::vector<float> &x) {
  auto rows = static_cast<int64_t>(x.size()) / weight.columns;
  Buffer input(x), packed(pack(weight, columns())),
      result(rows * weight.rows * 4);
  kernel.run({&input, &packed, &result}, rows);
  return result.values<float>();
}

// Edges of blocks in both dimensions, and K that is padded. One row, which
// reads the panel, and several tiles, for which it is decoded.
TEST_P(ScaledLinearKernel, EdgesOfBlocks) {
  struct Case {
    const char *element;
    int64_t outputs, depth;
  };
  for (auto [element, outputs, depth] :
       {Case{"!transformer.scaled<f8E4M3FN, 4, 4>", 5, 7},
        Case{"!transformer.scaled<f8E4M3FN, 4, 4>", 1, 1},
        Case{"!transformer.scaled<f8E4M3FN, 3, 100>", 70, 250},
        Case{"!transformer.scaled<f8E4M3FN, 128, 128>", 130, 256},
        Case{"!transformer.scaled<f8E4M3FN, 128, 128>", 257, 389}})
    for (const Numbers &numbers : scaledNumbers(element)) {
      SCOPED_TRACE(llvm::formatv("{0}x{1}x{2} by {3}", outputs, depth, element,
                                 numbers.operand)
                       .str());
      StoredMatrix weight = makeWeight(element, outputs, depth);
      auto kernel = compileFor(weight, numbers);
      ASSERT_TRUE(kernel);
      for (int64_t rows : {1, 7}) {
        std::vector<float> x = randomFloats(random, rows * depth);
        std::vector<float> y = multiply(*kernel, weight, x);
        for (int64_t row = 0; row < rows; ++row) {
          auto begin = x.begin() + row * depth;
          std::vector<double> prepared =
              roundOperands({begin, begin + depth}, numbers);
          std::vector<double> expected;
          for (int64_t n = 0; n < outputs; ++n)
            expected.push_back(dot(prepared, weight.values.data(), n));
          expectRow(y, row, expected, numbers.tolerance);
        }
      }
    }
}

// Element 5 of row n is the byte n. NaN reaches its output, and no other. The
// input is a number that no operand rounds.
TEST_P(ScaledLinearKernel, EveryByteIsWhatItIs) {
  constexpr const char *element = "!transformer.scaled<f8E4M3FN, 16, 8>";
  constexpr int64_t depth = 12, one = 5;
  StoredMatrix weight = makeWeight(element, 256, depth);
  for (int64_t n = 0; n < 256; ++n)
    weight.bytes[n * depth + one] = static_cast<uint8_t>(n);
  weight.decode();
  for (const Numbers &numbers : scaledNumbers(element)) {
    auto kernel = compileFor(weight, numbers);
    ASSERT_TRUE(kernel);
    for (int64_t rows : {1, 7}) {
      std::vector<float> x(rows * depth);
      for (int64_t row = 0; row < rows; ++row)
        x[row * depth + one] = 448;
      std::vector<float> y = multiply(*kernel, weight, x);
      for (int64_t i = 0; i < rows * 256; ++i) {
        auto expected = static_cast<float>(448 * weight.at(i % 256, one));
        EXPECT_TRUE(std::isnan(expected) ? std::isnan(y[i]) : y[i] == expected)
            << "byte " << i % 256 << ": expected " << expected << ", got "
            << y[i];
      }
    }
  }
}

// What is left out of e4m3 on the way may neither overflow nor vanish.
TEST_P(ScaledLinearKernel, LargestAndSmallestScales) {
  constexpr const char *element = "!transformer.scaled<f8E4M3FN, 1, 4>";
  StoredMatrix weight = makeWeight(element, 3, 4);
  weight.bytes = {0x01, 0, 0, 0, 0x7E, 0, 0, 0, 0x01, 0, 0, 0};
  weight.scales = {0x1p120f, 0x1p100f, 0x1p-126f};
  for (const Numbers &numbers : scaledNumbers(element)) {
    auto kernel = compileFor(weight, numbers);
    ASSERT_TRUE(kernel);
    EXPECT_EQ(multiply(*kernel, weight, {0x1.cp10f, 0, 0, 0}),
              (std::vector<float>{0x1.cp121f, 448 * 0x1.cp110f, 0x1.cp-125f}))
        << numbers.operand;
  }
}

//===----------------------------------------------------------------------===//
// Linear, of e4m3 by e4m3
//===----------------------------------------------------------------------===//

namespace {
/// The weight is the identity, so that results are what inputs became.
class QuantisedLinearKernel : public ScaledLinearKernel {
protected:
  static constexpr Numbers numbers = {"!transformer.scaled<f8E4M3FN, 128, 128>",
                                      "f8E4M3FN", "fma", 0};

  /// What becomes of the rows of `x`, which have `depth` elements.
  std::vector<float> quantised(const std::vector<float> &x, int64_t depth) {
    StoredMatrix identity = makeWeight(numbers.weight, depth, depth);
    for (int64_t i = 0; i < depth * depth; ++i)
      identity.bytes[i] = i % (depth + 1) == 0 ? 0x38 : 0;
    for (float &scale : identity.scales)
      scale = 1;
    auto kernel = compileFor(identity, numbers);
    return kernel ? multiply(*kernel, identity, x) : std::vector<float>();
  }
};
} // namespace

TCC_TEST_MARCHES(QuantisedLinearKernel);

// Each number of e4m3, what lies in the middle of two, and what is beside it.
// The first element of a row makes its scale 1.
TEST_P(QuantisedLinearKernel, RoundsToTheNearestAndTiesToEven) {
  constexpr int64_t depth = 128;
  std::vector<float> x;
  auto add = [&](float value) {
    for (float element : {value, -value}) {
      if (x.size() % depth == 0)
        x.push_back(448);
      x.push_back(element);
    }
  };
  for (uint8_t byte = 0; byte < 0x7E; ++byte) {
    auto valueOf = [](uint8_t bits) {
      return llvm::APFloat(llvm::APFloat::Float8E4M3FN(), llvm::APInt(8, bits))
          .convertToFloat();
    };
    float value = valueOf(byte), middle = (value + valueOf(byte + 1)) / 2;
    for (float element : {value, std::nextafter(middle, 0.0f), middle,
                          std::nextafter(middle, 448.0f)})
      add(element);
  }
  x.resize(llvm::alignTo(x.size(), depth), 448);
  std::vector<float> y = quantised(x, depth);
  ASSERT_EQ(y.size(), x.size());
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_EQ(y[i], roundToE4M3(x[i])) << x[i];
}

// Two scales a row, the second of three elements; rows that are zero, small and
// large.
TEST_P(QuantisedLinearKernel, Scales128Elements) {
  constexpr int64_t depth = 131;
  std::vector<float> x;
  for (float factor : {1.0f, 0.0f, 1e-6f, 1e-4f, 1e30f}) {
    std::vector<float> row = randomFloats(random, depth);
    for (int64_t k = 0; k < depth; ++k)
      x.push_back(row[k] * factor * (k < 128 ? 1.0f : 1e3f));
  }
  std::vector<float> y = quantised(x, depth);
  ASSERT_EQ(y.size(), x.size());
  for (size_t first = 0; first < x.size(); first += depth) {
    auto begin = x.begin() + first;
    std::vector<double> expected =
        roundOperands({begin, begin + depth}, numbers);
    for (int64_t k = 0; k < depth; ++k)
      EXPECT_EQ(y[first + k], expected[k]) << x[first + k];
  }
}

// A row with an element that is not finite has no finite result; rows beside it
// are as they were.
TEST_P(QuantisedLinearKernel, WhatIsNotFiniteStaysSo) {
  constexpr int64_t depth = 131;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::vector<std::pair<float, int64_t>> cases;
  for (float value : {std::nanf(""), infinity, -infinity})
    for (int64_t place : {0, 77, 130})
      cases.push_back({value, place});
  auto rows = 2 * static_cast<int64_t>(cases.size());
  std::vector<float> x = randomFloats(random, rows * depth), changed = x;
  for (size_t i = 0; i < cases.size(); ++i)
    changed[2 * i * depth + cases[i].second] = cases[i].first;
  std::vector<float> usual = quantised(x, depth), y = quantised(changed, depth);
  ASSERT_EQ(y.size(), x.size());
  for (int64_t i = 0; i < rows * depth; ++i) {
    auto [value, place] = cases[i / depth / 2];
    if (i / depth % 2 == 0)
      EXPECT_FALSE(std::isfinite(y[i])) << value << " at " << place;
    else
      EXPECT_EQ(y[i], usual[i]) << "beside " << value << " at " << place;
  }
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

/// Where the rows of each expert begin, and the end.
static std::vector<int32_t> offsetsOf(const std::vector<int32_t> &counts) {
  std::vector<int32_t> offsets = {0};
  for (int32_t count : counts)
    offsets.push_back(offsets.back() + count);
  return offsets;
}

static std::vector<int32_t> allOnOne() { return {0, 0, 29, 0, 0}; }

/// Numbers of rows of five experts.
static std::vector<std::vector<int32_t>> routings() {
  return {
      {3, 0, 13, 1, 0}, // Empty ones; more than a block, more than a tile.
      {0, 1, 0, 0, 1},  // One token.
      {2, 7, 1, 6, 5},  // All experts.
      {0, 0, 0, 0, 0},  allOnOne(),
  };
}

namespace {
/// One grouped linear layer of five experts with its weights and input.
class Experts {
public:
  static constexpr int64_t experts = 5;

  Experts(const Numbers &numbers, int64_t columns, bool paired, int64_t outputs,
          int64_t depth, int64_t inputs)
      : numbers(numbers), random(1), depth(depth), outputs(outputs),
        weights(random, numbers.weight, experts, paired ? 2 * outputs : outputs,
                depth, columns, paired),
        input(randomFloats(random, inputs * depth)), weight(weights.packed) {}

  const Numbers &numbers;
  std::mt19937 random;
  int64_t depth, outputs;
  Weights weights;
  std::vector<float> input;
  Buffer weight;

  /// The rows of expert `e`'s weight, for `dot`.
  const double *weightOf(int64_t expert) const {
    return weights.values.data() +
           expert * static_cast<int64_t>(weights.values.size()) / experts;
  }
};
} // namespace

/// The expert of each row.
static std::vector<int64_t> expertsOf(const std::vector<int32_t> &counts) {
  std::vector<int64_t> experts;
  for (size_t expert = 0; expert < counts.size(); ++expert)
    experts.insert(experts.end(), counts[expert], expert);
  return experts;
}

static std::string downText(const Numbers &numbers, int64_t depth,
                            int64_t outputs, int64_t columns,
                            const std::string &configuration) {
  return llvm::formatv(
      R"(
    func.func @down(%x: memref<?x{0}xf32>, %w: memref<5x{1}x{0}x{2}>,
        %offsets: memref<6xi32>, %y: memref<?x{1}xf32>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.grouped_linear %x, %w offsets(%offsets) into %y operand({3})
        packing(<columns = {4}>) {5}
        : memref<?x{0}xf32>, memref<5x{1}x{0}x{2}>, memref<6xi32>,
          memref<?x{1}xf32>
      return
    })",
      depth, outputs, numbers.weight, numbers.operand, columns, configuration);
}

/// Expects each row of `together`, which is one of the expert in the middle, to
/// have the same bits alone.
static void expectIndependentRows(const KernelRunner &kernel,
                                  const Experts &layer,
                                  const std::vector<float> &together) {
  Buffer offsets(offsetsOf({0, 0, 1, 0, 0}));
  auto rows = static_cast<int64_t>(together.size()) / layer.outputs;
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<float> own(layer.input.begin() + row * layer.depth,
                           layer.input.begin() + (row + 1) * layer.depth);
    Buffer input(own), result(layer.outputs * 4);
    kernel.run({&input, &layer.weight, &offsets, &result}, 1);
    EXPECT_EQ(std::memcmp(result.data(), together.data() + row * layer.outputs,
                          result.size()),
              0)
        << "row " << row << " alone";
  }
}

// Rows of the input are those of the result; K and N are odd.
TEST_P(GroupedLinearKernel, MultipliesEachRowByItsExpert) {
  for (const Numbers &numbers : allNumbers()) {
    SCOPED_TRACE(std::string(numbers.weight) + " by " + numbers.operand);
    Experts layer(numbers, columns(), /*paired=*/false,
                  /*outputs=*/2 * columns() + 3,
                  isInBlocks(numbers) ? 160 : 149, /*inputs=*/29);
    auto kernel = compile(downText(numbers, layer.depth, layer.outputs,
                                   columns(), configuration(numbers)));
    ASSERT_TRUE(kernel);
    for (const std::vector<int32_t> &counts : routings()) {
      std::vector<int32_t> begins = offsetsOf(counts);
      Buffer input(layer.input), offsets(begins),
          result(begins.back() * layer.outputs * 4);
      kernel->run({&input, &layer.weight, &offsets, &result}, begins.back());
      std::vector<int64_t> experts = expertsOf(counts);
      for (size_t row = 0; row < experts.size(); ++row) {
        auto begin = layer.input.begin() + row * layer.depth;
        std::vector<double> prepared =
            roundOperands({begin, begin + layer.depth}, numbers);
        std::vector<double> expected;
        for (int64_t n = 0; n < layer.outputs; ++n)
          expected.push_back(dot(prepared, layer.weightOf(experts[row]), n));
        expectRow(result.values<float>(), row, expected, numbers.tolerance);
      }
      if (counts == allOnOne())
        expectIndependentRows(*kernel, layer, result.values<float>());
    }
  }
}

/// A gated unit of normalised rows that are gathered.
static std::string gateText(const Numbers &numbers, int64_t depth,
                            int64_t outputs, int64_t columns,
                            const std::string &configuration) {
  return llvm::formatv(
      R"(
    func.func @gate(%x: memref<?x{0}xf32>, %rows: memref<?xi32>,
        %w: memref<5x{1}x{0}x{2}>, %offsets: memref<6xi32>,
        %y: memref<?x{6}xf32>, %norm: memref<{0}xf32>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.grouped_linear %x rows(%rows : memref<?xi32>), %w offsets(%offsets)
        into %y operand({3}) packing(<columns = {4}, paired = true>) {5}
        prologue mean_square(%norm : memref<{0}xf32>) {{
        ^bb0(%element: f32, %mean: f32, %scale: f32):
          %epsilon = arith.constant 0.25 : f32
          %shifted = arith.addf %mean, %epsilon : f32
          %factor = math.rsqrt %shifted : f32
          %normed = arith.mulf %element, %factor : f32
          %scaled = arith.mulf %normed, %scale : f32
          kernel.yield %scaled : f32
        } epilogue {{
        ^bb0(%gate: f32, %value: f32):
          %one = arith.constant 1.0 : f32
          %negated = arith.negf %gate : f32
          %power = math.exp %negated : f32
          %divisor = arith.addf %power, %one : f32
          %open = arith.divf %gate, %divisor : f32
          %gated = arith.mulf %open, %value : f32
          kernel.yield %gated : f32
        }
        : memref<?x{0}xf32>, memref<5x{1}x{0}x{2}>, memref<6xi32>,
          memref<?x{6}xf32>
      return
    })",
      depth, 2 * outputs, numbers.weight, numbers.operand, columns,
      configuration, outputs);
}

/// What `gateText` makes of the row at `row`.
static std::vector<double> gated(const Experts &layer, const float *row,
                                 const std::vector<float> &norm,
                                 const double *weight) {
  double sum = 0;
  for (int64_t k = 0; k < layer.depth; ++k)
    sum += static_cast<double>(row[k]) * row[k];
  double factor = 1 / std::sqrt(sum / static_cast<double>(layer.depth) + 0.25);
  std::vector<double> normed, result;
  for (int64_t k = 0; k < layer.depth; ++k)
    normed.push_back(row[k] * factor * norm[k]);
  std::vector<double> prepared = roundOperands(normed, layer.numbers);
  for (int64_t n = 0; n < layer.outputs; ++n) {
    double gate = dot(prepared, weight, n);
    result.push_back(gate / (1 + std::exp(-gate)) *
                     dot(prepared, weight, layer.outputs + n));
  }
  return result;
}

TEST_P(GroupedLinearKernel, GathersNormalisesAndGates) {
  for (const Numbers &numbers : someNumbers()) {
    SCOPED_TRACE(std::string(numbers.weight) + " by " + numbers.operand);
    Experts layer(numbers, columns(), /*paired=*/true,
                  /*outputs=*/columns() + 5, isInBlocks(numbers) ? 96 : 81,
                  /*inputs=*/11);
    auto kernel = compile(gateText(numbers, layer.depth, layer.outputs,
                                   columns(), configuration(numbers)));
    ASSERT_TRUE(kernel);
    std::vector<float> scales = randomFloats(layer.random, layer.depth);
    for (const std::vector<int32_t> &counts : routings()) {
      std::vector<int32_t> begins = offsetsOf(counts), tokens;
      for (int32_t row = 0; row < begins.back(); ++row)
        tokens.push_back(static_cast<int32_t>(layer.random() % 11));
      Buffer input(layer.input), rows(tokens), offsets(begins), norm(scales),
          result(begins.back() * layer.outputs * 4);
      kernel->run({&input, &rows, &layer.weight, &offsets, &result, &norm}, 11);
      std::vector<int64_t> experts = expertsOf(counts);
      // bf16: where f32 and f64 round to two neighbours.
      double tolerance =
          std::max(numbers.tolerance,
                   std::string(numbers.operand) == "bf16" ? 5e-4 : 5e-6);
      for (size_t row = 0; row < experts.size(); ++row)
        expectRow(result.values<float>(), row,
                  gated(layer, layer.input.data() + tokens[row] * layer.depth,
                        scales, layer.weightOf(experts[row])),
                  tolerance);
    }
  }
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

static std::string headText(const Numbers &numbers, int64_t depth,
                            int64_t outputs, bool transposed, int64_t columns,
                            const std::string &configuration,
                            const char *rows = "tokens") {
  std::string shape = transposed
                          ? llvm::formatv("3x{0}x{1}", depth, outputs).str()
                          : llvm::formatv("3x{0}x{1}", outputs, depth).str();
  return llvm::formatv(
      R"(
    func.func @heads(%x: memref<?x3x{0}xf32, strided<[{1}, {2}, 1], offset: 2>>,
        %w: memref<{3}x{4}>, %y: memref<?x3x{5}xf32>)
        attributes {{kernel.rows = "{10}"} {{
      kernel.head_linear %x, %w {6} into %y operand({7})
        packing(<columns = {8}>) {9}
        : memref<?x3x{0}xf32, strided<[{1}, {2}, 1], offset: 2>>,
          memref<{3}x{4}>, memref<?x3x{5}xf32>
      return
    })",
      depth, 3 * (depth + 5), depth + 5, shape, numbers.weight, outputs,
      transposed ? "transposed" : "", numbers.operand, columns, configuration,
      rows);
}

// The input is a part of each head of a larger tensor.
TEST_P(HeadLinearKernel, MultipliesEachHeadByItsWeight) {
  constexpr int64_t heads = 3;
  for (const Numbers &numbers : someNumbers()) {
    SCOPED_TRACE(std::string(numbers.weight) + " by " + numbers.operand);
    int64_t depth = isInBlocks(numbers) ? 64 : 43, outputs = columns() + 9;
    bool transposed = !isInBlocks(numbers);
    auto kernel = compile(headText(numbers, depth, outputs, transposed,
                                   columns(), configuration(numbers)));
    ASSERT_TRUE(kernel);
    std::mt19937 random(1);
    Weights weights(random, numbers.weight, heads, outputs, depth, columns(),
                    /*paired=*/false, transposed);
    Buffer weight(weights.packed);
    for (int64_t rows : {1, 5, 29}) {
      int64_t stride = heads * (depth + 5);
      std::vector<float> x = randomFloats(random, rows * stride);
      Buffer input(x), result(rows * heads * outputs * 4);
      kernel->run({&input, &weight, &result}, rows);
      for (int64_t row = 0; row < rows * heads; ++row) {
        auto begin = x.begin() + row * (depth + 5) + 2;
        std::vector<double> prepared =
            roundOperands({begin, begin + depth}, numbers);
        std::vector<double> expected;
        for (int64_t n = 0; n < outputs; ++n)
          expected.push_back(
              dot(prepared,
                  weights.values.data() + row % heads * outputs * depth, n));
        expectRow(result.values<float>(), row, expected, numbers.tolerance);
      }
    }
  }
}

// The number of tiles does not depend on how many of the rows are absorbed.
TEST_P(HeadLinearKernel, AbsorbedRowsAreTheLast) {
  constexpr int64_t heads = 3, tokens = 29, depth = 43;
  Numbers numbers = someNumbers().front();
  int64_t outputs = columns() + 9;
  auto compileFor = [&](const char *rows) {
    return compile(headText(numbers, depth, outputs, /*transposed=*/true,
                            columns(), configuration(numbers), rows));
  };
  auto all = compileFor("tokens"), absorbed = compileFor("absorbed");
  ASSERT_TRUE(all && absorbed);
  std::mt19937 random(1);
  Weights weights(random, numbers.weight, heads, outputs, depth, columns(),
                  /*paired=*/false, /*transposed=*/true);
  Buffer weight(weights.packed),
      input(randomFloats(random, tokens * heads * (depth + 5)));
  Buffer whole(tokens * heads * outputs * 4);
  all->run({&input, &weight, &whole}, tokens);
  std::vector<float> expected = whole.values<float>();
  for (int64_t expandedTokens : {int64_t(0), int64_t(6), tokens}) {
    StepSizes sizes;
    sizes.tokens = tokens;
    sizes.expandedTokens = expandedTokens;
    Buffer result(tokens * heads * outputs * 4);
    absorbed->run({&input, &weight, &result}, sizes);
    expectWrittenFrom(expandedTokens * heads * outputs, expected,
                      result.values<float>());
  }
}
