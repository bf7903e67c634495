// Linear layers on the H100, against their definition in f64.

#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/Values.h"
#include "test/unit/compiler/Weights.h"

#include "dialects/transformer/Transformer.h"
#include "mlir/AsmParser/AsmParser.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// How weights are stored and multiplied.
struct Numbers {
  const char *weight, *operand;
};

/// A configuration, and what it is a case of.
struct Shape {
  const char *name, *configuration;
};

/// A layer, and data for it.
struct Layer {
  Numbers numbers;
  int64_t depth, outputs;
  bool isPaired = false; ///< The result is silu(gate) * value.
  bool isNormed = false; ///< The input is normalised.
  bool isAdded = false;  ///< To what the result was, and a bias.
  const char *input = "f32", *result = "f32";
  int64_t stride = 0; ///< Of the input, or 0; what is read is at the end.
  const char *rows = "tokens";

  int64_t resultColumns() const { return isPaired ? outputs / 2 : outputs; }
  int64_t inputStride() const { return stride ? stride : depth; }
};

class GpuLinearKernel : public testing::TestWithParam<Shape> {
protected:
  GpuLinearKernel() {
    context
        .loadDialect<kernel::KernelDialect, transformer::TransformerDialect>();
  }

  std::unique_ptr<KernelRunner> compile(const Layer &layer);
  StoredMatrix makeWeight(const Layer &layer) {
    return {random, parseType(layer.numbers.weight, &context), layer.outputs,
            layer.depth};
  }
  void expectDefinition(const Layer &layer, ArrayRef<int64_t> rowCounts);

  MLIRContext context;
  std::mt19937 random{1};
};
} // namespace

static const Shape shapes[] = {
    {"Simt", "kind = simt, tile_rows = 16, tile_columns = 32, threads = 32"},
    // All K of few rows are in shared memory, and parts of that of many.
    {"Skinny", "kind = skinny, tile_rows = 64, tile_columns = 128, threads = "
               "256, stages = 7"},
    // Warps share rows of the weight; two sizes of products.
    {"SkinnySlices",
     "kind = skinny, tile_rows = 16, tile_columns = 32, threads "
     "= 256, stages = 2"},
    {"SkinnyCluster",
     "kind = skinny, tile_rows = 8, tile_columns = 32, threads "
     "= 128, stages = 4, cluster = 4, split = 4"},
};

/// Layers as large as those of models, a few rows of them; their counters are
/// what skinny-counters.test reads.
class StreamedLinearKernel : public GpuLinearKernel {};

static const Shape streamedShapes[] = {
    {"Alone", "kind = skinny, tile_rows = 8, tile_columns = 32, threads = 256, "
              "stages = 4"},
    {"Cluster", "kind = skinny, tile_rows = 64, tile_columns = 128, threads = "
                "256, stages = 4, cluster = 4, split = 4"},
};

INSTANTIATE_TEST_SUITE_P(Shape, StreamedLinearKernel,
                         testing::ValuesIn(streamedShapes),
                         [](const testing::TestParamInfo<Shape> &info) {
                           return std::string(info.param.name);
                         });

INSTANTIATE_TEST_SUITE_P(Shape, GpuLinearKernel, testing::ValuesIn(shapes),
                         [](const testing::TestParamInfo<Shape> &info) {
                           return std::string(info.param.name);
                         });

static const Numbers allNumbers[] = {
    {"f32", "f32"},
    {"f16", "f32"},
    {"f16", "f16"},
    {"bf16", "f32"},
    {"bf16", "bf16"},
    {"!transformer.block<q8_0>", "f32"},
    {"!transformer.block<q8_0>", "bf16"},
    {"!transformer.block<q4_0>", "f32"},
    {"!transformer.block<q4_0>", "bf16"},
    {"!transformer.block<q4_1>", "f32"},
    {"!transformer.block<q4_1>", "bf16"},
};

static bool isInBlocks(const Numbers &numbers) {
  return StringRef(numbers.weight).contains("block");
}

//===----------------------------------------------------------------------===//
// Text and bytes
//===----------------------------------------------------------------------===//

static const char *normRegion = R"(
      prologue mean_square (%norm : memref<{0}xf32>) {{
      ^bb0(%element: f32, %mean: f32, %scale: f32):
        %epsilon = arith.constant 0.5 : f32
        %shifted = arith.addf %mean, %epsilon : f32
        %factor = math.rsqrt %shifted : f32
        %normed = arith.mulf %element, %factor : f32
        %scaled = arith.mulf %normed, %scale : f32
        kernel.yield %scaled : f32
      })";

static const char *gateRegion = R"(
      epilogue {
      ^bb0(%gate: f32, %value: f32):
        %one = arith.constant 1.0 : f32
        %negated = arith.negf %gate : f32
        %power = math.exp %negated : f32
        %divisor = arith.addf %power, %one : f32
        %silu = arith.divf %gate, %divisor : f32
        %gated = arith.mulf %silu, %value : f32
        kernel.yield %gated : f32
      })";

static const char *addRegion = R"(
      epilogue (%y, %bias : memref<?x{0}x{1}>, memref<{0}xbf16>) {{
      ^bb0(%sum: f32, %old: f32, %bias_element: f32):
        %added = arith.addf %sum, %old : f32
        %biased = arith.addf %added, %bias_element : f32
        kernel.yield %biased : f32
      })";

static std::string textOf(const Layer &layer,
                          const std::string &configuration) {
  std::string input =
      llvm::formatv("memref<?x{0}x{1}>", layer.depth, layer.input);
  if (layer.stride)
    input = llvm::formatv("memref<?x{0}x{1}, strided<[{2}, 1], offset: {3}>>",
                          layer.depth, layer.input, layer.stride,
                          layer.stride - layer.depth);
  std::string weight = llvm::formatv("memref<{0}x{1}x{2}>", layer.outputs,
                                     layer.depth, layer.numbers.weight);
  std::string result =
      llvm::formatv("memref<?x{0}x{1}>", layer.resultColumns(), layer.result);
  std::string regions;
  if (layer.isNormed)
    regions += llvm::formatv(normRegion, layer.depth).str();
  if (layer.isPaired)
    regions += gateRegion;
  if (layer.isAdded)
    regions +=
        llvm::formatv(addRegion, layer.resultColumns(), layer.result).str();
  return llvm::formatv(R"(
    func.func @linear(%x: {0}, %w: {1}, %y: {2}, %norm: memref<{3}xf32>,
        %bias: memref<{4}xbf16>) attributes {{kernel.rows = "{5}"} {{
      kernel.linear %x, %w into %y operand({6}) packing({7}) config(#kernel.gpu_linear_config<{8}>) {9}
        : {0}, {1}, {2}
      return
    })",
                       input, weight, result, layer.depth,
                       layer.resultColumns(), layer.rows, layer.numbers.operand,
                       layer.isPaired ? "#kernel.row_packing<pair_rows = 8>"
                                      : "#kernel.row_packing",
                       configuration, regions);
}

std::unique_ptr<KernelRunner> GpuLinearKernel::compile(const Layer &layer) {
  std::string configuration = GetParam().configuration;
  // The sums of as many rows in f32 are too many.
  size_t rows = configuration.find("tile_rows = 64");
  if (rows != std::string::npos && StringRef(layer.numbers.operand) == "f32")
    configuration.replace(rows, strlen("tile_rows = 64"), "tile_rows = 16");
  return KernelRunner::create(textOf(layer, configuration), "sm_90a");
}

/// `value` as `type` has it.
static double roundTo(StringRef type, double value) {
  if (type == "f32")
    return static_cast<float>(value);
  llvm::APFloat number(static_cast<float>(value));
  bool isInexact = false;
  number.convert(type == "f16" ? llvm::APFloat::IEEEhalf()
                               : llvm::APFloat::BFloat(),
                 llvm::APFloat::rmNearestTiesToEven, &isInexact);
  return number.convertToDouble();
}

/// The bytes of `values` as elements of `type`.
static std::vector<uint8_t> bytesOf(StringRef type,
                                    const std::vector<float> &values) {
  std::vector<uint8_t> bytes;
  for (float value : values) {
    llvm::APFloat number(value);
    bool isInexact = false;
    if (type != "f32")
      number.convert(type == "f16" ? llvm::APFloat::IEEEhalf()
                                   : llvm::APFloat::BFloat(),
                     llvm::APFloat::rmNearestTiesToEven, &isInexact);
    uint64_t bits = number.bitcastToAPInt().getZExtValue();
    for (size_t i = 0; i < (type == "f32" ? 4 : 2); ++i)
      bytes.push_back(static_cast<uint8_t>(bits >> 8 * i));
  }
  return bytes;
}

/// The elements of type `type` at `bytes`.
static std::vector<float> floatsOf(StringRef type,
                                   const std::vector<uint8_t> &bytes) {
  std::vector<float> values(bytes.size() / (type == "f32" ? 4 : 2));
  for (size_t i = 0; i < values.size(); ++i) {
    if (type == "f32") {
      std::memcpy(&values[i], bytes.data() + 4 * i, 4);
      continue;
    }
    uint16_t bits;
    std::memcpy(&bits, bytes.data() + 2 * i, 2);
    values[i] = llvm::APFloat(type == "f16" ? llvm::APFloat::IEEEhalf()
                                            : llvm::APFloat::BFloat(),
                              llvm::APInt(16, bits))
                    .convertToFloat();
  }
  return values;
}

//===----------------------------------------------------------------------===//
// The definition
//===----------------------------------------------------------------------===//

namespace {
/// The values of the arguments of a layer for some rows.
struct Data {
  Data(std::mt19937 &random, const Layer &layer, int64_t rows)
      : x(roundedFloats(random, layer.input, rows * layer.inputStride())),
        norm(randomFloats(random, layer.depth)),
        bias(roundedFloats(random, "bf16", layer.resultColumns())),
        old(roundedFloats(random, layer.result, rows * layer.resultColumns())) {
  }

  static std::vector<float> roundedFloats(std::mt19937 &random, StringRef type,
                                          int64_t count) {
    std::vector<float> values = randomFloats(random, count);
    for (float &value : values)
      value = static_cast<float>(roundTo(type, value));
    return values;
  }

  std::vector<float> x, norm, bias, old;
};
} // namespace

/// What products see of row `row` of the input.
static std::vector<double> operandsOf(const Layer &layer, const Data &data,
                                      int64_t row) {
  auto end = data.x.begin() + (row + 1) * layer.inputStride();
  std::vector<double> values(end - layer.depth, end);
  double factor = 1;
  if (layer.isNormed)
    factor = 1 / std::sqrt(std::inner_product(values.begin(), values.end(),
                                              values.begin(), 0.0) /
                               static_cast<double>(layer.depth) +
                           0.5);
  for (int64_t k = 0; k < layer.depth; ++k)
    values[k] =
        roundTo(layer.numbers.operand,
                values[k] * factor * (layer.isNormed ? data.norm[k] : 1));
  return values;
}

/// Row `row` of the result.
static std::vector<double> resultOf(const Layer &layer, const Data &data,
                                    const StoredMatrix &weight, int64_t row) {
  std::vector<double> operands = operandsOf(layer, data, row);
  auto sum = [&](int64_t n) {
    return std::inner_product(operands.begin(), operands.end(),
                              weight.values.begin() + n * layer.depth, 0.0);
  };
  std::vector<double> results;
  for (int64_t n = 0; n < layer.resultColumns(); ++n) {
    double value = sum(n);
    if (layer.isPaired)
      value = value / (1 + std::exp(-value)) * sum(n + layer.outputs / 2);
    if (layer.isAdded)
      value += data.old[row * layer.resultColumns() + n] + data.bias[n];
    results.push_back(value);
  }
  return results;
}

/// How far a row may be from its definition, by the length of the difference.
static double toleranceOf(const Layer &layer) {
  if (StringRef(layer.result) == "bf16")
    return 4e-3;
  // Where f32 and f64 round to two neighbours.
  return layer.isNormed && StringRef(layer.numbers.operand) != "f32" ? 1e-3
                                                                     : 2e-6;
}

/// Runs `kernel` on `data`, and returns the bytes of the result.
static std::vector<uint8_t> runOn(const KernelRunner &kernel,
                                  const Layer &layer, const Data &data,
                                  const Buffer &weight, StepSizes sizes) {
  Buffer input(bytesOf(layer.input, data.x)), norm(data.norm),
      bias(bytesOf("bf16", data.bias)), result(bytesOf(layer.result, data.old));
  kernel.run({&input, &weight, &result, &norm, &bias}, sizes);
  return result.values<uint8_t>();
}

void GpuLinearKernel::expectDefinition(const Layer &layer,
                                       ArrayRef<int64_t> rowCounts) {
  SCOPED_TRACE(llvm::formatv("{0}x{1}x{2} by {3}", layer.outputs, layer.depth,
                             layer.numbers.weight, layer.numbers.operand)
                   .str());
  auto kernel = compile(layer);
  ASSERT_TRUE(kernel);
  StoredMatrix stored = makeWeight(layer);
  Buffer weight(packRows(stored, layer.isPaired ? 8 : 0));
  for (int64_t rows : rowCounts) {
    SCOPED_TRACE(llvm::formatv("{0} rows", rows).str());
    Data data(random, layer, rows);
    StepSizes sizes;
    sizes.tokens = rows;
    std::vector<float> result =
        floatsOf(layer.result, runOn(*kernel, layer, data, weight, sizes));
    for (int64_t row = 0; row < rows; ++row)
      expectRow(result, row, resultOf(layer, data, stored, row),
                toleranceOf(layer));
  }
}

//===----------------------------------------------------------------------===//
// Tests
//===----------------------------------------------------------------------===//

// N and K that are no multiples of anything, and ones with a few steps for each
// warp.
TEST_P(GpuLinearKernel, MultipliesByWeightsOfAnyStorage) {
  for (const Numbers &numbers : allNumbers)
    for (auto [outputs, depth] :
         {std::pair<int64_t, int64_t>{33, 96}, {70, 1056}}) {
      Layer layer = {numbers, depth, outputs};
      if (!isInBlocks(numbers))
        layer.depth = depth - 29;
      expectDefinition(layer, {1, 9});
    }
}

TEST_P(GpuLinearKernel, SmallestSizes) {
  expectDefinition({{"bf16", "bf16"}, 1, 3}, {1, 3});
  expectDefinition({{"f32", "f32"}, 2, 3}, {1, 3});
  expectDefinition({{"!transformer.block<q4_1>", "bf16"}, 32, 3}, {1, 3});
}

TEST_P(GpuLinearKernel, AnyNumberOfRows) {
  expectDefinition({{"bf16", "bf16"}, 1059, 37},
                   {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65});
}

TEST_P(GpuLinearKernel, NoRowsIsNoWork) {
  Layer layer = {{"bf16", "bf16"}, 32, 16};
  auto kernel = compile(layer);
  ASSERT_TRUE(kernel);
  Data data(random, layer, 0);
  Buffer weight(packRows(makeWeight(layer)));
  EXPECT_TRUE(runOn(*kernel, layer, data, weight, {}).empty());
}

// A unit vector brings out each element of the weight: elements of blocks are
// rounded once.
TEST_P(GpuLinearKernel, ElementsAreExact) {
  for (const Numbers &numbers : allNumbers) {
    SCOPED_TRACE(std::string(numbers.weight) + " by " + numbers.operand);
    Layer layer = {numbers, 64, 40};
    auto kernel = compile(layer);
    ASSERT_TRUE(kernel);
    StoredMatrix stored = makeWeight(layer);
    Buffer weight(packRows(stored));
    Data data(random, layer, layer.depth);
    for (int64_t i = 0; i < layer.depth * layer.depth; ++i)
      data.x[i] = i % (layer.depth + 1) == 0 ? 1 : 0;
    StepSizes sizes;
    sizes.tokens = layer.depth;
    std::vector<float> result =
        floatsOf("f32", runOn(*kernel, layer, data, weight, sizes));
    for (int64_t k = 0; k < layer.depth; ++k)
      for (int64_t n = 0; n < layer.outputs; ++n)
        ASSERT_EQ(result[k * layer.outputs + n],
                  static_cast<float>(stored.at(n, k)))
            << "row " << n << ", element " << k;
  }
}

TEST_P(GpuLinearKernel, RegionsComeBeforeAndAfter) {
  for (const Numbers &numbers :
       {allNumbers[0], allNumbers[4], allNumbers[6], allNumbers[10]}) {
    Layer layer = {numbers, 288, 84};
    layer.isNormed = true;
    expectDefinition(layer, {1, 11});
    layer.isPaired = true;
    expectDefinition(layer, {1, 11});
    layer.isPaired = layer.isNormed = false;
    layer.isAdded = true;
    expectDefinition(layer, {1, 11});
  }
}

TEST_P(GpuLinearKernel, InputsAndResultsOfOtherTypes) {
  Layer layer = {{"bf16", "bf16"}, 80, 40};
  layer.input = layer.result = "bf16";
  layer.isAdded = true;
  expectDefinition(layer, {5});
}

// The input is the last columns of a larger buffer, at multiples of one, two
// and four elements.
TEST_P(GpuLinearKernel, ReadsAView) {
  for (auto [depth, stride] :
       {std::pair<int64_t, int64_t>{37, 50}, {96, 98}, {96, 160}}) {
    Layer layer = {{"bf16", "bf16"}, depth, 40};
    layer.stride = stride;
    layer.isNormed = true;
    expectDefinition(layer, {7});
  }
}

TEST_P(GpuLinearKernel, AbsorbedRowsAreTheLast) {
  constexpr int64_t tokens = 21;
  Layer all = {{"bf16", "bf16"}, 96, 40}, absorbed = all;
  absorbed.rows = "absorbed";
  auto whole = compile(all), part = compile(absorbed);
  ASSERT_TRUE(whole && part);
  Buffer weight(packRows(makeWeight(all)));
  Data data(random, all, tokens);
  StepSizes sizes;
  sizes.tokens = tokens;
  std::vector<float> expected =
      floatsOf("f32", runOn(*whole, all, data, weight, sizes));
  for (int64_t expandedTokens : {int64_t(0), int64_t(6), tokens}) {
    sizes.expandedTokens = expandedTokens;
    data.old.assign(data.old.size(), std::nanf(""));
    expectWrittenFrom(
        expandedTokens * all.outputs, expected,
        floatsOf("f32", runOn(*part, absorbed, data, weight, sizes)));
  }
}

// The same bits of a row, whatever rows are beside it.
TEST_P(GpuLinearKernel, RowsDoNotDependOnTheirNumber) {
  for (const Numbers &numbers : allNumbers) {
    SCOPED_TRACE(std::string(numbers.weight) + " by " + numbers.operand);
    Layer layer = {numbers, 544, 24};
    layer.isNormed = true;
    auto kernel = compile(layer);
    ASSERT_TRUE(kernel);
    Buffer weight(packRows(makeWeight(layer)));
    Data many(random, layer, 64);
    StepSizes sizes;
    sizes.tokens = 64;
    std::vector<uint8_t> all = runOn(*kernel, layer, many, weight, sizes);
    for (int64_t row : {0, 7, 12, 63}) {
      Data one = many;
      auto begin = many.x.begin() + row * layer.depth;
      one.x.assign(begin, begin + layer.depth);
      one.old.resize(layer.outputs);
      sizes.tokens = 1;
      std::vector<uint8_t> alone = runOn(*kernel, layer, one, weight, sizes);
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(),
                             all.begin() + row * layer.outputs * 4))
          << "row " << row;
    }
  }
}

TEST_P(StreamedLinearKernel, ReadsTheWeightOnce) {
  for (const Numbers &numbers : {Numbers{"bf16", "bf16"}, Numbers{"f16", "f16"},
                                 Numbers{"!transformer.block<q8_0>", "bf16"},
                                 Numbers{"!transformer.block<q4_0>", "bf16"},
                                 Numbers{"!transformer.block<q4_1>", "bf16"}}) {
    Layer layer = {numbers, 2048, 1024};
    layer.isNormed = true;
    expectDefinition(layer, {1, 8});
  }
}
