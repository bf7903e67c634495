// A panel is a transposition: a row of the checkpoint becomes a column of the
// panel. It is done in squares of one cache line of each row, so that every line
// is read and written once, and speed is that of memory.

#include "compiler/target/x86/PackedWeights.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

using transformer::BlockFormat;
using transformer::BlockType;

// Elements in a block of a quantised weight.
static constexpr int64_t blockElements = 32;

Storage x86::storageOf(Type element) {
  if (auto block = dyn_cast<BlockType>(element)) {
    switch (block.getFormat()) {
    case BlockFormat::Q8_0:
      return Storage::Q8_0;
    case BlockFormat::Q4_0:
      return Storage::Q4_0;
    case BlockFormat::Q4_1:
      return Storage::Q4_1;
    }
  }
  if (element.isF32())
    return Storage::F32;
  return element.isF16() ? Storage::F16 : Storage::BF16;
}

/// Elements of K that lie together in a panel.
static int64_t stepDepthOf(Storage storage) {
  switch (storage) {
  case Storage::F32:
  case Storage::F16:
    return 1;
  case Storage::BF16:
    return 2;
  case Storage::Q8_0:
  case Storage::Q4_0:
  case Storage::Q4_1:
    return blockElements;
  }
  llvm_unreachable("every storage has a step");
}

int64_t x86::bitsOf(Storage storage) {
  switch (storage) {
  case Storage::F32:
    return 32;
  case Storage::F16:
  case Storage::BF16:
    return 16;
  case Storage::Q8_0:
    return 8;
  case Storage::Q4_0:
  case Storage::Q4_1:
    return 4;
  }
  llvm_unreachable("every storage has a size");
}

int64_t x86::biasOf(Storage storage) {
  if (storage == Storage::Q8_0)
    return 128;
  return storage == Storage::Q4_0 ? 8 : 0;
}

int64_t x86::headerBytesOf(Storage storage, int64_t columns) {
  if (stepDepthOf(storage) != blockElements)
    return 0;
  return columns * (storage == Storage::Q4_1 ? 4 : 2); // Of f16.
}

/// Bytes of one step of one row, in a checkpoint and in a panel alike.
static int64_t stepBytesOf(Storage storage) {
  return stepDepthOf(storage) * bitsOf(storage) / 8 + headerBytesOf(storage, 1);
}

PackedLayout::PackedLayout(ShapedType weight, kernel::PackingAttr packing)
    : storage(storageOf(weight.getElementType())), rows(weight.getDimSize(0)),
      depth(weight.getDimSize(1)), paddedDepth(kernel::roundUp(depth, 4)),
      columns(packing.getColumns()), paired(packing.getPaired()) {
  panels = paired ? llvm::divideCeil(rows / 2, columns / 2)
                  : llvm::divideCeil(rows, columns);
  stepDepth = stepDepthOf(storage);
  stepBytes = stepBytesOf(storage) * columns;
  panelBytes = kernel::roundUp(paddedDepth / stepDepth * stepBytes, 64);
}

int64_t PackedLayout::rowBytes() const {
  if (storage == Storage::BF16)
    return depth * 2;
  return depth / stepDepth * stepBytesOf(storage);
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
    for (int64_t k = 0; k < blockElements; k += 4) {
      // Bytes 0, 1, 2, 3 go to 0, 2, 1, 3; the sign bit flipped adds 128.
      auto word = load<uint32_t>(from + 2 + k) ^ 0x80808080;
      words[k / 4 * columns + column] =
          (word & 0xFF0000FF) | ((word & 0xFF00) << 8) | ((word >> 8) & 0xFF00);
    }
  }
}

/// Nibbles in the low halves of 8 bytes, e0 to e7, as a word: even ones in its
/// low half, odd ones in its high half.
static uint32_t gatherNibbles(uint64_t nibbles) {
  // Moves the nibble at bit 16j to bit 48 + 4j: the other products end below bit
  // 48, all in different places, or beyond bit 63.
  constexpr uint64_t spread = (uint64_t(1) << 48) | (uint64_t(1) << 36) |
                              (uint64_t(1) << 24) | (uint64_t(1) << 12);
  constexpr uint64_t everyOther = 0x000F000F000F000F;
  uint64_t even = ((nibbles & everyOther) * spread) >> 48;
  uint64_t odd = (((nibbles >> 8) & everyOther) * spread) >> 48;
  return static_cast<uint32_t>(even | odd << 16);
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
    words[column] = gatherNibbles(first);
    words[columns + column] = gatherNibbles(second);
    words[2 * columns + column] = gatherNibbles(first >> 4);
    words[3 * columns + column] = gatherNibbles(second >> 4);
  }
}

static void packPanel(const PackedLayout &layout, PanelRows rows,
                      uint8_t *out) {
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
    break;
  }
  for (int64_t block = 0; block < layout.depth / blockElements; ++block) {
    uint8_t *to = out + block * layout.stepBytes;
    if (layout.storage == Storage::Q8_0)
      packBlockQ8(rows, block, to);
    else
      packBlockQ4(rows, block, layout.storage == Storage::Q4_1, to);
  }
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

/// The row of the weight that is column `column` of panel `panel`, or -1.
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

/// The bytes of row `row` of all `sources` together.
static const uint8_t *findRow(ArrayRef<SourceRows> sources, int64_t row,
                              int64_t rowBytes) {
  for (const SourceRows &source : sources) {
    if (row < source.rows)
      return source.data + row * rowBytes;
    row -= source.rows;
  }
  llvm_unreachable("sources have as many rows as the weight");
}

void x86::packPanels(const PackedLayout &layout, ArrayRef<SourceRows> sources,
                     int64_t firstPanel, int64_t lastPanel, uint8_t *out) {
  SmallVector<const uint8_t *> rows(layout.columns);
  for (int64_t panel = firstPanel; panel < lastPanel; ++panel) {
    for (int64_t column = 0; column < layout.columns; ++column) {
      int64_t row = rowOf(layout, panel, column);
      rows[column] =
          row < 0 ? nullptr : findRow(sources, row, layout.rowBytes());
    }
    packPanel(layout, rows, out + (panel - firstPanel) * layout.panelBytes);
  }
}
