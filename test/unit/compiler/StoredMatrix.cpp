#include "test/unit/compiler/StoredMatrix.h"

#include "compiler/interpreter/StorageDecoder.h"
#include "dialects/transformer/Transformer.h"
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

/// Clears a bit of the exponent of every number in the unit of `element` at
/// `unit`: it is below 2, and finite.
static void makeFinite(Type element, uint8_t *unit) {
  constexpr uint8_t mask = 0xBF;
  if (auto block = dyn_cast<BlockType>(element)) {
    unit[1] &= mask;
    if (block.getFormat() == BlockFormat::Q4_1)
      unit[3] &= mask;
    return;
  }
  if (element.isFloat(8)) {
    if ((unit[0] & 0x7F) == 0x7F)
      unit[0] -= 1;
    return;
  }
  unit[element.getIntOrFloatBitWidth() / 8 - 1] &= mask;
}

StoredMatrix::StoredMatrix(std::mt19937 &random, Type element, int64_t rows,
                           int64_t columns)
    : element(element), rows(rows), columns(columns) {
  StorageUnit unit = storageUnit(storedElement(element));
  bytes.resize(rows * columns / unit.elements * unit.bytes);
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>(random());
  for (size_t i = 0; i < bytes.size(); i += unit.bytes)
    makeFinite(storedElement(element), bytes.data() + i);
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
