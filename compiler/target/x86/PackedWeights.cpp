// A panel is a transposition: a row of the checkpoint becomes a column of the
// panel. It is done in squares of one cache line of each row, so that every line
// is read and written once, and speed is that of memory.

#include "compiler/target/x86/PackedWeights.h"

#include <cstring>
#include <limits>
#include <vector>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

using transformer::BlockType;
using transformer::ScaledType;

int64_t x86::headerBytesOf(Storage storage, int64_t columns) {
  switch (storage) {
  case Storage::F32:
  case Storage::F16:
  case Storage::BF16:
    return 0;
  case Storage::Q8_0:
  case Storage::Q4_0:
    return columns * 2;
  case Storage::Q4_1:
  case Storage::E4M3:
    return columns * 4;
  }
  llvm_unreachable("every storage has a header or none");
}

/// Elements of K that lie together in a panel of a weight [N, K], or [K, N] if
/// `transposed`, of elements `element`.
static int64_t stepDepthOf(Type element, bool transposed) {
  if (auto scaled = dyn_cast<ScaledType>(element))
    return transposed ? scaled.getRows() : scaled.getColumns();
  if (isa<BlockType>(element))
    return blockElements;
  return element.isBF16() ? 2 : 1;
}

PackedLayout::PackedLayout(ShapedType weight, kernel::PackingAttr packing,
                           bool transposed)
    : storage(storageOf(weight.getElementType())), transposed(transposed),
      paired(packing.getPaired()), columns(packing.getColumns()) {
  ArrayRef<int64_t> matrix = weight.getShape().take_back(2);
  matrices = weight.getRank() == 3 ? weight.getDimSize(0) : 1;
  rows = matrix[transposed ? 1 : 0];
  depth = matrix[transposed ? 0 : 1];
  paddedDepth = kernel::roundUp(depth, 4);
  panels = paired ? llvm::divideCeil(rows / 2, columns / 2)
                  : llvm::divideCeil(rows, columns);
  stepDepth = stepDepthOf(weight.getElementType(), transposed);
  int64_t headerBytes = headerBytesOf(storage, columns);
  stepBytes = headerBytes + stepDepth * bitsOf(storage) / 8 * columns;
  panelBytes = kernel::roundUp(
      steps() * headerBytes + paddedDepth * bitsOf(storage) / 8 * columns, 64);
  if (auto scaled = dyn_cast<ScaledType>(weight.getElementType())) {
    scaleRows = scaled.getRows();
    scaleColumns = scaled.getColumns();
  }
}

int64_t PackedLayout::rowBytes() const {
  int64_t bytes = rowElements() * bitsOf(storage) / 8;
  // Scales of GGUF stand among the elements.
  return storage == Storage::E4M3 ? bytes
                                  : bytes + steps() * headerBytesOf(storage, 1);
}

//===----------------------------------------------------------------------===//
// Formats
//===----------------------------------------------------------------------===//

namespace {
/// The rows that are the columns of a panel; null where there is none.
using PanelRows = ArrayRef<const uint8_t *>;
} // namespace

template <typename T>
static T load(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// Transposes `count` elements of each row, from element `first` on, to `out`,
/// [count][columns].
template <typename T>
static void transpose(PanelRows rows, int64_t first, int64_t count, T *out) {
  auto columns = static_cast<int64_t>(rows.size());
  for (int64_t column = 0; column < columns; ++column) {
    if (!rows[column])
      continue;
    const uint8_t *row = rows[column] + first * static_cast<int64_t>(sizeof(T));
    for (int64_t k = 0; k < count; ++k)
      out[k * columns + column] =
          load<T>(row + k * static_cast<int64_t>(sizeof(T)));
  }
}

/// Packs elements of type T that are not paired: [K'][columns]. `elements` of
/// each row.
template <typename T>
static void packElements(PanelRows rows, int64_t elements, uint8_t *out) {
  constexpr int64_t square = 64 / sizeof(T);
  auto columns = static_cast<int64_t>(rows.size());
  T *panel = reinterpret_cast<T *>(out);
  for (int64_t k = 0; k < elements; k += square)
    transpose<T>(rows, k, std::min(square, elements - k), panel + k * columns);
}

/// Packs pairs of bf16: [K'/2][columns][2]. A pair is a 32-bit element, but for
/// the last one of an odd number.
static void packPairs(PanelRows rows, int64_t depth, uint8_t *out) {
  packElements<uint32_t>(rows, depth / 2, out);
  if (depth % 2 == 0)
    return;
  auto columns = static_cast<int64_t>(rows.size());
  uint32_t *last = reinterpret_cast<uint32_t *>(out) + depth / 2 * columns;
  for (int64_t column = 0; column < columns; ++column)
    if (rows[column])
      last[column] = load<uint16_t>(rows[column] + (depth - 1) * 2);
}

/// Packs a block of each row: scales, then [8][columns] words.
static void packBlockQ8(PanelRows rows, int64_t block, uint8_t *out) {
  auto columns = static_cast<int64_t>(rows.size());
  auto *scales = reinterpret_cast<uint16_t *>(out);
  auto *words = reinterpret_cast<uint32_t *>(out + columns * 2);
  for (int64_t column = 0; column < columns; ++column) {
    if (!rows[column])
      continue;
    const uint8_t *from = rows[column] + block * 34;
    scales[column] = load<uint16_t>(from);
    for (int64_t k = 0; k < blockElements; k += 4)
      words[k / 4 * columns + column] =
          packBytes(load<uint32_t>(from + 2 + k));
  }
}

/// Packs a block of each row: scales, minima if there are, then [4][columns]
/// words. Elements 0 to 15 are the low nibbles of a block, 16 to 31 the high ones.
static void packBlockQ4(PanelRows rows, int64_t block, bool hasMinima,
                        uint8_t *out) {
  auto columns = static_cast<int64_t>(rows.size());
  auto *scales = reinterpret_cast<uint16_t *>(out);
  auto *words = reinterpret_cast<uint32_t *>(out + columns * (hasMinima ? 4 : 2));
  for (int64_t column = 0; column < columns; ++column) {
    if (!rows[column])
      continue;
    const uint8_t *from = rows[column] + block * (hasMinima ? 20 : 18);
    scales[column] = load<uint16_t>(from);
    if (hasMinima)
      scales[columns + column] = load<uint16_t>(from + 2);
    from += hasMinima ? 4 : 2;
    auto first = load<uint64_t>(from), second = load<uint64_t>(from + 8);
    words[column] = packNibbles(first);
    words[columns + column] = packNibbles(second);
    words[2 * columns + column] = packNibbles(first >> 4);
    words[3 * columns + column] = packNibbles(second >> 4);
  }
}

/// Packs elements `first` to `first + count - 1` of each row, which have one
/// scale: block `block` of `scales`. Then follow [count][columns] bytes. A NaN,
/// which decoding does not know, goes into the scale, and so into every sum.
static void packBlockE4M3(PanelRows rows, PanelRows scales, int64_t block,
                          int64_t first, int64_t count, uint8_t *out) {
  auto columns = static_cast<int64_t>(rows.size());
  auto *header = reinterpret_cast<float *>(out);
  for (int64_t column = 0; column < columns; ++column) {
    if (!rows[column])
      continue;
    ArrayRef<uint8_t> elements(rows[column] + first, count);
    header[column] =
        llvm::any_of(elements, [](uint8_t e) { return (e & 0x7F) == 0x7F; })
            ? std::numeric_limits<float>::quiet_NaN()
            : load<float>(scales[column] + block * 4);
  }
  constexpr int64_t square = 64;
  uint8_t *bytes = out + columns * 4;
  for (int64_t k = 0; k < count; k += square)
    transpose<uint8_t>(rows, first + k, std::min(square, count - k),
                       bytes + k * columns);
}

static void packBlock(const PackedLayout &layout, PanelRows rows,
                      PanelRows scales, int64_t block, uint8_t *out) {
  int64_t first = block * layout.stepDepth;
  switch (layout.storage) {
  case Storage::Q8_0:
    return packBlockQ8(rows, block, out);
  case Storage::Q4_0:
  case Storage::Q4_1:
    return packBlockQ4(rows, block, layout.storage == Storage::Q4_1, out);
  case Storage::E4M3:
    return packBlockE4M3(rows, scales, block, first,
                         std::min(layout.stepDepth, layout.depth - first), out);
  case Storage::F32:
  case Storage::F16:
  case Storage::BF16:
    break;
  }
  llvm_unreachable("the others have no blocks");
}

static void packPanel(const PackedLayout &layout, PanelRows rows,
                      PanelRows scales, uint8_t *out) {
  // Rows behind the last are zero.
  int64_t bytes = layout.depth / layout.stepDepth * layout.stepBytes;
  bool isFull = llvm::all_of(rows, [](const uint8_t *row) { return row; });
  std::memset(isFull ? out + bytes : out, 0,
              isFull ? layout.panelBytes - bytes : layout.panelBytes);
  switch (layout.storage) {
  case Storage::F32:
    return packElements<uint32_t>(rows, layout.depth, out);
  case Storage::F16:
    return packElements<uint16_t>(rows, layout.depth, out);
  case Storage::BF16:
    return packPairs(rows, layout.depth, out);
  case Storage::Q8_0:
  case Storage::Q4_0:
  case Storage::Q4_1:
  case Storage::E4M3:
    break;
  }
  for (int64_t block = 0; block < layout.steps(); ++block)
    packBlock(layout, rows, scales, block, out + block * layout.stepBytes);
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

/// The row of the matrix that is column `column` of panel `panel`, or -1.
static int64_t rowOf(const PackedLayout &layout, int64_t panel,
                     int64_t column) {
  if (!layout.paired) {
    int64_t row = panel * layout.columns + column;
    return row < layout.rows ? row : -1;
  }
  int64_t half = layout.columns / 2;
  int64_t row = panel * half + column % half;
  if (row >= layout.rows / 2)
    return -1;
  return column < half ? row : row + layout.rows / 2;
}

namespace {
/// The elements of a row and their scales, if they have some.
struct Row {
  const uint8_t *data = nullptr;
  const uint8_t *scales = nullptr;
};

/// Makes rows of the columns of a transposed matrix.
class Transposer {
public:
  Transposer(const PackedLayout &layout, const SourceMatrix &matrix);

  /// Column `index` of the matrix, as row `place` of a panel.
  Row read(int64_t place, int64_t index);

private:
  template <typename T>
  void gather(int64_t index, T *out) const;

  const PackedLayout &layout;
  std::vector<Row> source; ///< One for each element of K.
  std::vector<uint8_t> elements;
  std::vector<float> scales;
};
} // namespace

/// The row `index` of `matrix`: where the checkpoint has it.
static Row findRow(const PackedLayout &layout, const SourceMatrix &matrix,
                   int64_t index) {
  auto [source, stored] = matrix.find(index);
  const uint8_t *scales = source->scales
                              ? source->scales + stored / layout.scaleRows *
                                                     layout.rowScaleBytes()
                              : nullptr;
  return {source->data + stored * layout.rowBytes(), scales};
}

Transposer::Transposer(const PackedLayout &layout, const SourceMatrix &matrix)
    : layout(layout) {
  if (!layout.transposed)
    return;
  for (int64_t k = 0; k < layout.depth; ++k)
    source.push_back(findRow(layout, matrix, k));
  elements.resize(layout.columns * layout.depth * bitsOf(layout.storage) / 8);
  scales.resize(layout.columns * layout.steps());
}

template <typename T>
void Transposer::gather(int64_t index, T *out) const {
  for (const Row &row : source)
    *out++ = load<T>(row.data + index * static_cast<int64_t>(sizeof(T)));
}

Row Transposer::read(int64_t place, int64_t index) {
  int64_t bits = bitsOf(layout.storage);
  uint8_t *out = elements.data() + place * layout.depth * bits / 8;
  if (bits == 32)
    gather(index, reinterpret_cast<uint32_t *>(out));
  else if (bits == 16)
    gather(index, reinterpret_cast<uint16_t *>(out));
  else
    gather(index, out);
  float *firstScale = scales.data() + place * layout.steps();
  if (layout.storage == Storage::E4M3)
    for (int64_t block = 0; block < layout.steps(); ++block)
      firstScale[block] = load<float>(source[block * layout.stepDepth].scales +
                                      index / layout.scaleColumns * 4);
  return {out, reinterpret_cast<const uint8_t *>(firstScale)};
}

void x86::packPanels(const PackedLayout &layout, const SourceMatrix &matrix,
                     int64_t firstPanel, int64_t lastPanel, uint8_t *out) {
  Transposer transposer(layout, matrix);
  SmallVector<const uint8_t *> rows(layout.columns), scales(layout.columns);
  for (int64_t panel = firstPanel; panel < lastPanel; ++panel) {
    for (int64_t column = 0; column < layout.columns; ++column) {
      int64_t index = rowOf(layout, panel, column);
      Row row;
      if (index >= 0)
        row = layout.transposed ? transposer.read(column, index)
                                : findRow(layout, matrix, index);
      rows[column] = row.data;
      scales[column] = row.scales;
    }
    packPanel(layout, rows, scales,
              out + (panel - firstPanel) * layout.panelBytes);
  }
}

namespace {
class PackedPanels : public PackedWeight {
public:
  explicit PackedPanels(const PackedLayout &layout) : layout(layout) {}

  int64_t getParts() const override { return layout.panels; }
  int64_t getOffset(int64_t part) const override {
    return part * layout.panelBytes;
  }
  void pack(const SourceMatrix &matrix, int64_t first, int64_t last,
            uint8_t *out) const override {
    packPanels(layout, matrix, first, last, out);
  }

private:
  PackedLayout layout;
};
} // namespace

std::unique_ptr<PackedWeight>
x86::createPackedWeight(const PackedLayout &layout) {
  return std::make_unique<PackedPanels>(layout);
}
