#include "test/unit/compiler/StoredMatrix.h"

#include "compiler/interpreter/StorageDecoder.h"
#include "dialects/transformer/Transformer.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace mlir::tcc;

using transformer::BlockFormat;
using transformer::BlockType;
using transformer::ScaledType;

static Type storedElement(Type element) {
  auto scaled = dyn_cast<ScaledType>(element);
  return scaled ? scaled.getStorage() : element;
}

/// Writes a random number of type `type` to `out`.
static void writeNumber(std::mt19937 &random, FloatType type, float scale,
                        uint8_t *out) {
  llvm::APFloat number(std::normal_distribution<float>(0, scale)(random));
  bool isInexact = false;
  number.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven,
                 &isInexact);
  llvm::StoreIntToMemory(number.bitcastToAPInt(), out, type.getWidth() / 8);
}

/// Makes the random bytes of a unit of `element` what a checkpoint could have.
static void makeUsual(std::mt19937 &random, Type element, uint8_t *unit) {
  if (auto block = dyn_cast<BlockType>(element)) {
    auto half = Float16Type::get(element.getContext());
    bool isByte = block.getFormat() == BlockFormat::Q8_0;
    writeNumber(random, half, isByte ? 1.0f / 64 : 1.0f / 8, unit);
    if (block.getFormat() == BlockFormat::Q4_1)
      writeNumber(random, half, 1, unit + 2);
    return;
  }
  if (!element.isFloat(8))
    return writeNumber(random, cast<FloatType>(element), 1, unit);
  if ((unit[0] & 0x7F) == 0x7F) // No NaN.
    unit[0] -= 1;
}

StoredMatrix::StoredMatrix(std::mt19937 &random, Type element, int64_t rows,
                           int64_t columns)
    : element(element), rows(rows), columns(columns) {
  Type stored = storedElement(element);
  StorageUnit unit = storageUnit(stored);
  bytes.resize(rows * columns / unit.elements * unit.bytes);
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>(random());
  for (size_t i = 0; i < bytes.size(); i += unit.bytes)
    makeUsual(random, stored, bytes.data() + i);
  if (auto scaled = dyn_cast<ScaledType>(element)) {
    scales.resize(llvm::divideCeil(rows, scaled.getRows()) *
                  llvm::divideCeil(columns, scaled.getColumns()));
    std::uniform_real_distribution<float> scale(0.5, 2);
    for (float &value : scales)
      value = scale(random);
  }
  decode();
}

void StoredMatrix::decode() {
  values.resize(rows * columns);
  tcc::decode(storedElement(element), bytes.data(), rows * columns,
              values.data());
  auto scaled = dyn_cast<ScaledType>(element);
  if (!scaled)
    return;
  int64_t across = llvm::divideCeil(columns, scaled.getColumns());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      values[row * columns + column] *= scales[row / scaled.getRows() * across +
                                               column / scaled.getColumns()];
}

SourceMatrix tcc::sourceOf(ArrayRef<StoredMatrix> sources, int64_t firstRow) {
  SourceMatrix matrix;
  matrix.firstRow = firstRow;
  for (const StoredMatrix &source : sources)
    matrix.sources.push_back(
        {source.bytes.data(), source.rows,
         reinterpret_cast<const uint8_t *>(source.scales.data())});
  return matrix;
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

template <typename T>
static T read(const uint8_t *array, int64_t index) {
  T value;
  std::memcpy(&value, array + index * static_cast<int64_t>(sizeof(T)),
              sizeof(T));
  return value;
}

static double decodeOne(Type type, const uint8_t *bytes) {
  double value;
  decode(type, bytes, 1, &value);
  return value;
}

static double unpackBlock(const uint8_t *panel, BlockType element,
                          int64_t columns, int64_t k, int64_t column) {
  bool isNibble = element.getFormat() != BlockFormat::Q8_0;
  bool hasMinima = element.getFormat() == BlockFormat::Q4_1;
  Type half = Float16Type::get(element.getContext());
  int64_t words = isNibble ? 4 : 8, headers = hasMinima ? 2 : 1;
  const uint8_t *block = panel + k / 32 * columns * (2 * headers + 4 * words);
  double scale = decodeOne(half, block + column * 2);
  double minimum =
      hasMinima ? decodeOne(half, block + (columns + column) * 2) : 0;
  int64_t perWord = 32 / words, i = k % 32 % perWord;
  auto word = read<uint32_t>(block + columns * 2 * headers,
                             k % 32 / perWord * columns + column);
  int64_t bits = isNibble ? 4 : 8;
  uint32_t packed = word >> (i / 2 * bits + i % 2 * 16) & ((1u << bits) - 1);
  int bias = hasMinima ? 0 : isNibble ? 8 : 128;
  return scale * (static_cast<int>(packed) - bias) + minimum;
}

double tcc::unpack(const uint8_t *panel, Type element, int64_t columns,
                   int64_t block, int64_t k, int64_t column) {
  if (auto type = dyn_cast<BlockType>(element))
    return unpackBlock(panel, type, columns, k, column);
  if (auto type = dyn_cast<ScaledType>(element)) {
    const uint8_t *header = panel + k / block * columns * (4 + block);
    return decodeOne(type.getStorage(),
                     header + columns * (4 + k % block) + column) *
           read<float>(header, column);
  }
  if (element.isBF16())
    return decodeOne(element,
                     panel + ((k / 2 * columns + column) * 2 + k % 2) * 2);
  return decodeOne(element, panel + (k * columns + column) *
                                        element.getIntOrFloatBitWidth() / 8);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Bytes from one row of a plane to the next.
static int64_t rowStride(int64_t bytes) { return (bytes + 15) / 16 * 16; }

static int64_t planeBytes(int64_t rows, int64_t bytes) {
  return (rows * rowStride(bytes) + 63) / 64 * 64;
}

static double unpackRowOfBlocks(const uint8_t *weight, BlockType element,
                                int64_t rows, int64_t depth, int64_t row,
                                int64_t k) {
  Type half = Float16Type::get(element.getContext());
  int64_t bits = element.getFormat() == BlockFormat::Q8_0 ? 8 : 4;
  bool hasMinima = element.getFormat() == BlockFormat::Q4_1;
  int64_t elementBytes = depth * bits / 8, numberBytes = depth / 32 * 2;
  int64_t perWord = 32 / bits, i = k % perWord;
  auto word =
      read<uint32_t>(weight + row * rowStride(elementBytes), k / perWord);
  uint32_t packed = word >> (i / 2 * bits + i % 2 * 16) & ((1u << bits) - 1);
  const uint8_t *scales = weight + planeBytes(rows, elementBytes);
  const uint8_t *minima = scales + planeBytes(rows, numberBytes);
  int64_t place = row * rowStride(numberBytes) + k / 32 * 2;
  double minimum = hasMinima ? decodeOne(half, minima + place) : 0;
  int bias = hasMinima ? 0 : bits == 4 ? 8 : 128;
  return decodeOne(half, scales + place) * (static_cast<int>(packed) - bias) +
         minimum;
}

double tcc::unpackRow(const uint8_t *weight, Type element, int64_t rows,
                      int64_t depth, int64_t row, int64_t k) {
  if (auto type = dyn_cast<BlockType>(element))
    return unpackRowOfBlocks(weight, type, rows, depth, row, k);
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  return decodeOne(element,
                   weight + row * rowStride(depth * bytes) + k * bytes);
}
