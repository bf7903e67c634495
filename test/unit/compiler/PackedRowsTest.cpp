// Packs random weights and reads them as `#kernel.row_packing` defines them.

#include "compiler/target/h100/PackedRows.h"
#include "test/unit/compiler/StoredMatrix.h"

#include "mlir/AsmParser/AsmParser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

namespace {
/// A way in which a weight lies in a checkpoint and in memory.
struct Weight {
  const char *element;
  int64_t rows, depth;
  SmallVector<int64_t> sourceRows;
  int64_t pairRows = 0;
  int64_t firstRow = 0;
  SmallVector<int64_t> halves = {}; ///< Of the rows of each source.
};

class PackedRows : public testing::Test {
protected:
  PackedRows() {
    context
        .loadDialect<kernel::KernelDialect, transformer::TransformerDialect>();
  }

  RowLayout layoutOf(const Weight &weight) {
    Type element = parseType(weight.element, &context);
    return RowLayout(
        RankedTensorType::get({weight.rows, weight.depth}, element),
        kernel::RowPackingAttr::get(&context, weight.pairRows));
  }

  void check(const Weight &weight);

  MLIRContext context;
  std::mt19937 random{1};
};
} // namespace

/// The element of `sources`, one after another, in row `row`.
static double elementOf(const Weight &weight, ArrayRef<StoredMatrix> sources,
                        int64_t row, int64_t k) {
  for (const StoredMatrix &source : sources) {
    if (row < source.rows)
      return source.at(transformer::Halves(weight.halves).storedRow(row), k);
    row -= source.rows;
  }
  return 0;
}

/// Where row `row` of `weight` is in memory.
static int64_t placeOf(const Weight &weight, int64_t row) {
  if (weight.pairRows == 0)
    return row;
  int64_t half = weight.rows / 2, inHalf = row % half;
  return inHalf / weight.pairRows * 2 * weight.pairRows +
         inHalf % weight.pairRows + row / half * weight.pairRows;
}

/// Checks that all bytes between those of rows are zero.
static void expectZeros(const Weight &weight, const RowLayout &layout,
                        ArrayRef<uint8_t> packed) {
  std::vector<bool> isUsed(packed.size());
  for (size_t plane = 0; plane < layout.planes.size(); ++plane) {
    int64_t bits = bitsOf(layout.storage);
    int64_t used = plane == 0 ? weight.depth * bits / 8 : weight.depth / 32 * 2;
    for (int64_t row = 0; row < weight.rows; ++row) {
      int64_t begin = layout.planes[plane].offset +
                      placeOf(weight, row) * layout.planes[plane].rowBytes;
      std::fill_n(isUsed.begin() + begin, used, true);
    }
  }
  for (size_t i = 0; i < packed.size(); ++i)
    ASSERT_TRUE(isUsed[i] || packed[i] == 0) << "byte " << i;
}

/// Packs a weight in three parts and compares every element with its source.
void PackedRows::check(const Weight &weight) {
  SCOPED_TRACE(weight.element);
  RowLayout layout = layoutOf(weight);
  std::vector<StoredMatrix> sources;
  for (int64_t rows : weight.sourceRows)
    sources.emplace_back(random, parseType(weight.element, &context), rows,
                         weight.depth);
  SourceMatrix matrix = sourceOf(sources, weight.firstRow);
  for (SourceRows &source : matrix.sources)
    source.order = transformer::Halves(weight.halves);
  for (const Plane &plane : layout.planes) {
    EXPECT_EQ(plane.offset % 64, 0);
    EXPECT_EQ(plane.rowBytes % 16, 0);
  }
  EXPECT_EQ(layout.bytes % 64, 0);

  std::unique_ptr<PackedWeight> packing = createPackedWeight(layout);
  std::vector<uint8_t> packed(layout.bytes, 0xAA);
  int64_t parts = packing->getParts();
  ASSERT_EQ(packing->getMatrixBytes(), layout.bytes);
  for (auto [first, last] :
       {std::pair(parts / 2 + 1, parts), std::pair<int64_t, int64_t>(0, 3),
        std::pair(int64_t(3), parts / 2 + 1)})
    packing->pack(matrix, first, last,
                  packed.data() + packing->getOffset(first));
  for (int64_t row = 0; row < weight.rows; ++row)
    for (int64_t k = 0; k < weight.depth; ++k)
      ASSERT_EQ(unpackRow(packed.data(), sources[0].element, layout.packedRows,
                          weight.depth, placeOf(weight, row), k),
                elementOf(weight, sources, weight.firstRow + row, k))
          << "row " << row << ", element " << k;
  expectZeros(weight, layout, packed);
}

static constexpr const char *numbers[] = {"f32", "f16", "bf16"};
static constexpr const char *blocks[] = {"!transformer.block<q8_0>",
                                         "!transformer.block<q4_0>",
                                         "!transformer.block<q4_1>"};

TEST_F(PackedRows, EveryStorageAndOddSizes) {
  for (const char *element : numbers)
    for (int64_t depth : {1, 2, 7, 64, 131})
      check({element, 37, depth, {37}});
  for (const char *element : blocks)
    for (int64_t depth : {32, 96, 256, 288})
      check({element, 37, depth, {37}});
}

TEST_F(PackedRows, PairsOfStackedSources) {
  for (int64_t pairRows : {8, 16, 64}) {
    for (const char *element : numbers)
      check({element, 74, 21, {37, 37}, pairRows});
    for (const char *element : blocks)
      check({element, 74, 64, {37, 37}, pairRows});
  }
  check({"bf16", 64, 21, {32, 32}, 16});
}

TEST_F(PackedRows, PartsOfSources) {
  check({"bf16", 22, 14, {20, 30}, 0, /*firstRow=*/18});
  check({blocks[2], 22, 64, {20, 30}, 8, /*firstRow=*/18});
}

TEST_F(PackedRows, HalvesOfRows) {
  check({"bf16", 42, 21, {28, 14}, 0, 0, {3, 4, 7}});
  check({blocks[0], 36, 64, {36}, 8, 0, {4, 8, 12}});
}

TEST_F(PackedRows, PartnersAreOneBlockApart) {
  RowLayout layout = layoutOf({"bf16", 40, 8, {}, 8});
  EXPECT_EQ(layout.packedRows, 48);
  EXPECT_EQ(layout.rowOf(0), 0);
  EXPECT_EQ(layout.rowOf(8), 20);
  EXPECT_EQ(layout.rowOf(16), 8);
  EXPECT_EQ(layout.rowOf(24), 28);
  EXPECT_EQ(layout.rowOf(35), 19);
  EXPECT_EQ(layout.rowOf(36), -1);
  EXPECT_EQ(layout.rowOf(43), 39);
  EXPECT_EQ(layout.rowOf(44), -1);
}
