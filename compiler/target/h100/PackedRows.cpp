#include "compiler/target/h100/PackedRows.h"

#include "compiler/target/h100/Device.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

// Weights in a file begin at such multiples, and so do planes in a weight.
static constexpr int64_t planeAlignment = 64;

RowLayout::RowLayout(ShapedType weight, kernel::RowPackingAttr packing)
    : storage(storageOf(weight.getElementType())), rows(weight.getDimSize(0)),
      depth(weight.getDimSize(1)), pairRows(packing.getPairRows()) {
  packedRows = packing.getPackedRows(rows);
  bytes = 0;
  auto addPlane = [&](int64_t rowBytes) {
    planes.push_back({bytes, kernel::roundUp(rowBytes, tensorAlignment)});
    bytes = kernel::roundUp(bytes + packedRows * planes.back().rowBytes,
                            planeAlignment);
  };
  addPlane(depth * bitsOf(storage) / 8);
  for (int64_t i = 0; i < blockHeadersOf(storage); ++i)
    addPlane(depth / blockElements * 2);
}

int64_t RowLayout::rowOf(int64_t packed) const {
  if (pairRows == 0)
    return packed;
  int64_t row = packed / (2 * pairRows) * pairRows + packed % pairRows;
  if (row >= rows / 2)
    return -1;
  return packed / pairRows % 2 == 0 ? row : row + rows / 2;
}

int64_t RowLayout::storedRowBytes() const {
  return depth * bitsOf(storage) / 8 +
         depth / blockElements * blockHeadersOf(storage) * 2;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

template <typename T>
static T load(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

static void store(uint32_t word, uint8_t *out) {
  std::memcpy(out, &word, sizeof(word));
}

/// Packs the elements of a block at `from` to words.
static void packBlock(Storage storage, const uint8_t *from, uint8_t *out) {
  if (storage == Storage::Q8_0) {
    for (int64_t k = 0; k < blockElements; k += 4)
      store(packBytes(load<uint32_t>(from + k)), out + k);
    return;
  }
  // Elements 0 to 15 are the low nibbles of a block, 16 to 31 the high ones.
  auto first = load<uint64_t>(from), second = load<uint64_t>(from + 8);
  store(packNibbles(first), out);
  store(packNibbles(second), out + 4);
  store(packNibbles(first >> 4), out + 8);
  store(packNibbles(second >> 4), out + 12);
}

/// Packs what plane `plane` has of the row at `row` of a checkpoint.
static void packRow(const RowLayout &layout, size_t plane, const uint8_t *row,
                    uint8_t *out) {
  int64_t headerBytes = blockHeadersOf(layout.storage) * 2;
  if (headerBytes == 0) {
    std::memcpy(out, row, layout.storedRowBytes());
    return;
  }
  int64_t elementBytes = blockElements * bitsOf(layout.storage) / 8;
  for (int64_t block = 0; block < layout.depth / blockElements; ++block) {
    const uint8_t *from = row + block * (headerBytes + elementBytes);
    if (plane == 0)
      packBlock(layout.storage, from + headerBytes, out + block * elementBytes);
    else
      std::memcpy(out + block * 2, from + (plane - 1) * 2, 2);
  }
}

namespace {
class PackedRows : public PackedWeight {
public:
  explicit PackedRows(const RowLayout &layout) : layout(layout) {}

  int64_t getParts() const override {
    return static_cast<int64_t>(layout.planes.size()) * layout.packedRows;
  }
  int64_t getOffset(int64_t part) const override;
  void pack(const SourceMatrix &matrix, int64_t first, int64_t last,
            uint8_t *out) const override;

private:
  RowLayout layout;
};
} // namespace

int64_t PackedRows::getOffset(int64_t part) const {
  if (part == getParts())
    return layout.bytes;
  const Plane &plane = layout.planes[part / layout.packedRows];
  return plane.offset + part % layout.packedRows * plane.rowBytes;
}

void PackedRows::pack(const SourceMatrix &matrix, int64_t first, int64_t last,
                      uint8_t *out) const {
  // Padding of rows and planes and rows behind the last are zero.
  int64_t begin = getOffset(first);
  std::memset(out, 0, getOffset(last) - begin);
  for (int64_t part = first; part < last; ++part) {
    int64_t row = layout.rowOf(part % layout.packedRows);
    if (row < 0)
      continue;
    auto [source, stored] = matrix.find(row);
    packRow(layout, part / layout.packedRows,
            source->data + stored * layout.storedRowBytes(),
            out + getOffset(part) - begin);
  }
}

std::unique_ptr<PackedWeight>
h100::createPackedWeight(const RowLayout &layout) {
  return std::make_unique<PackedRows>(layout);
}
