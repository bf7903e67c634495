// Packs random weights and reads the panels as `#kernel.packing` defines them.

#include "compiler/target/x86/PackedWeights.h"
#include "test/unit/compiler/StoredMatrix.h"

#include "mlir/AsmParser/AsmParser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// A way in which a weight lies in a checkpoint and in memory.
struct Weight {
  const char *element;
  SmallVector<int64_t> shape; ///< As ops have it.
  SmallVector<int64_t> sourceRows;
  int64_t columns; ///< Of a panel.
  bool paired = false;
  bool transposed = false;
  int64_t firstRow = 0;
  SmallVector<int64_t> halves = {}; ///< Of the rows of each source.
};

class PackedWeights : public testing::Test {
protected:
  PackedWeights() {
    context
        .loadDialect<kernel::KernelDialect, transformer::TransformerDialect>();
  }

  PackedLayout layoutOf(const Weight &weight) {
    Type element = parseType(weight.element, &context);
    return PackedLayout(
        RankedTensorType::get(weight.shape, element),
        kernel::PackingAttr::get(&context, weight.columns, weight.paired),
        weight.transposed);
  }

  /// Random sources of `weight`.
  std::vector<StoredMatrix> makeSources(const Weight &weight) {
    std::vector<StoredMatrix> sources;
    for (int64_t rows : weight.sourceRows)
      sources.emplace_back(random, parseType(weight.element, &context), rows,
                           weight.shape.back());
    return sources;
  }

  void check(const Weight &weight);

  MLIRContext context;
  std::mt19937 random{1};
};

/// Memory as packPanels wants it, not zero.
class Panels {
public:
  explicit Panels(int64_t bytes) : bytes(bytes) {
    memory.assign(bytes + 64, 0xAA);
    begin = reinterpret_cast<uint8_t *>(
        llvm::alignAddr(memory.data(), llvm::Align(64)));
  }
  uint8_t *begin;
  int64_t bytes;

private:
  std::vector<uint8_t> memory;
};
} // namespace

/// The numbers of `rows` rows in the order of `halves`.
static std::vector<int64_t> orderOf(ArrayRef<int64_t> halves, int64_t rows) {
  std::vector<int64_t> order;
  auto append = [&](int64_t first, int64_t last, int64_t step) {
    for (int64_t row = first; row < last; row += step)
      order.push_back(row);
  };
  if (halves.empty()) {
    append(0, rows, 1);
    return order;
  }
  for (int64_t begin = 0; begin < rows; begin += halves[2]) {
    int64_t first = begin + halves[0], last = first + halves[1];
    append(begin, first, 1);
    append(first, last, 2);
    append(first + 1, last, 2);
    append(last, begin + halves[2], 1);
  }
  return order;
}

/// The element of `sources`, one after another, in row `row`.
static double elementOf(const Weight &weight, ArrayRef<StoredMatrix> sources,
                        int64_t row, int64_t column) {
  for (const StoredMatrix &source : sources) {
    if (row < source.rows)
      return source.at(orderOf(weight.halves, source.rows)[row], column);
    row -= source.rows;
  }
  return 0;
}

/// The output column that is column `column` of panel `panel`, or -1.
static int64_t outputOf(const PackedLayout &layout, int64_t panel,
                        int64_t column) {
  if (!layout.paired) {
    int64_t output = panel * layout.columns + column;
    return output < layout.rows ? output : -1;
  }
  int64_t half = layout.columns / 2;
  int64_t output = panel * half + column % half;
  if (output >= layout.rows / 2)
    return -1;
  return output + column / half * (layout.rows / 2);
}

/// Packs a matrix in two parts and compares every element with its source.
void PackedWeights::check(const Weight &weight) {
  SCOPED_TRACE(weight.element);
  PackedLayout layout = layoutOf(weight);
  std::vector<StoredMatrix> sources = makeSources(weight);
  SourceMatrix matrix = sourceOf(sources, weight.firstRow);
  for (SourceRows &source : matrix.sources)
    source.order = transformer::Halves(weight.halves);
  EXPECT_EQ(layout.panelBytes % 64, 0);
  Panels packed(layout.matrixBytes());
  int64_t middle = layout.panels / 2;
  packPanels(layout, matrix, middle, layout.panels,
             packed.begin + middle * layout.panelBytes);
  packPanels(layout, matrix, 0, middle, packed.begin);
  for (int64_t panel = 0; panel < layout.panels; ++panel)
    for (int64_t column = 0; column < layout.columns; ++column)
      for (int64_t k = 0; k < layout.paddedDepth; ++k) {
        int64_t output = outputOf(layout, panel, column);
        bool isThere = output >= 0 && k < layout.depth;
        double expected = 0;
        if (isThere)
          expected =
              elementOf(weight, sources,
                        weight.firstRow + (layout.transposed ? k : output),
                        layout.transposed ? output : k);
        double element = unpack(packed.begin + panel * layout.panelBytes,
                                sources.front().element, layout.columns,
                                layout.stepDepth, k, column);
        ASSERT_EQ(element, expected)
            << "element " << k << " of column " << column << " of panel "
            << panel << " of " << weight.shape.back() << " columns";
      }
}

static constexpr const char *scaled = "!transformer.scaled<f8E4M3FN, 4, 4>";
static constexpr const char *flat = "!transformer.scaled<f8E4M3FN, 3, 8>";
static constexpr const char *tall = "!transformer.scaled<f8E4M3FN, 8, 3>";
static constexpr const char *wide = "!transformer.scaled<f8E4M3FN, 128, 128>";
static constexpr const char *q8 = "!transformer.block<q8_0>";
static constexpr const char *q41 = "!transformer.block<q4_1>";

TEST_F(PackedWeights, EveryStorageAndOddSizes) {
  for (const char *element : {"f32", "f16", "bf16", scaled, flat, wide})
    for (int64_t depth : {1, 2, 7, 64, 131})
      check({element, {37, depth}, {37}, 16});
  for (const char *element : {q8, "!transformer.block<q4_0>", q41})
    check({element, {37, 96}, {37}, 16});
}

TEST_F(PackedWeights, PairsOfStackedSources) {
  for (const char *element : {"f32", "bf16", scaled, wide})
    check({element, {74, 21}, {37, 37}, 32, /*paired=*/true});
  check({q8, {74, 64}, {37, 37}, 32, /*paired=*/true});
}

TEST_F(PackedWeights, ScalesOfSourcesBeginAnew) {
  // The second and the third source begin within a block of 4 or 3 rows.
  for (const char *element : {scaled, flat, wide})
    check({element, {35, 21}, {5, 13, 17}, 16});
}

TEST_F(PackedWeights, PartsOfSources) {
  for (const char *element : {"f32", "f16", "bf16", scaled, flat, wide})
    check({element, {2, 11, 14}, {20, 30}, 16, false, false, /*firstRow=*/18});
}

TEST_F(PackedWeights, TransposedWeights) {
  for (const char *element : {"f32", "f16", "bf16"})
    check({element, {3, 13, 37}, {60}, 16, false, /*transposed=*/true, 17});
  check({"bf16", {13, 74}, {13}, 32, /*paired=*/true, /*transposed=*/true});
  for (const char *element : {scaled, tall, wide})
    check({element, {13, 37}, {20}, 16, false, /*transposed=*/true});
  check({scaled, {13, 37}, {60}, 16, false, /*transposed=*/true, 16});
}

TEST_F(PackedWeights, HalvesOfRows) {
  // Rows move from one block of 4 or 3 rows to another, with their scales.
  for (const char *element : {"f32", "f16", "bf16", scaled, flat, wide}) {
    check({element, {42, 21}, {28, 14}, 16, false, false, 0, {3, 4, 7}});
    check({element, {2, 11, 14}, {40}, 16, false, false, 18, {0, 10, 10}});
  }
  check({q8, {36, 64}, {36}, 16, false, false, 0, {4, 8, 12}});
  check({"bf16", {36, 21}, {36}, 32, /*paired=*/true, false, 0, {2, 6, 9}});
  check({"bf16", {13, 37}, {20}, 16, false, /*transposed=*/true, 0, {0, 4, 5}});
}

TEST_F(PackedWeights, StacksAreMatricesOneAfterAnother) {
  PackedLayout one = layoutOf({"bf16", {37, 21}, {}, 16});
  PackedLayout stack = layoutOf({"bf16", {5, 37, 21}, {}, 16});
  EXPECT_EQ(one.totalBytes(), one.matrixBytes());
  EXPECT_EQ(stack.matrixBytes(), one.matrixBytes());
  EXPECT_EQ(stack.totalBytes(), 5 * one.totalBytes());
}

TEST_F(PackedWeights, NaNReachesTheSumsOfItsRow) {
  Weight weight = {scaled, {18, 10}, {18}, 16};
  std::vector<StoredMatrix> sources = makeSources(weight);
  sources[0].bytes[3 * 10 + 9] = 0x7F;
  sources[0].bytes[17 * 10 + 4] = 0xFF;
  PackedLayout layout = layoutOf(weight);
  Panels packed(layout.totalBytes());
  packPanels(layout, sourceOf(sources, 0), 0, layout.panels, packed.begin);
  for (int64_t row = 0; row < 18; ++row)
    for (int64_t k = 0; k < 10; ++k)
      EXPECT_EQ(std::isnan(unpack(packed.begin + row / 16 * layout.panelBytes,
                                  sources[0].element, 16, 4, k, row % 16)),
                (row == 3 && k / 4 == 2) || (row == 17 && k / 4 == 1))
          << "row " << row << ", element " << k;
}
