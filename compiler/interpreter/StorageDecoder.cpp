#include "compiler/interpreter/StorageDecoder.h"

#include "dialects/transformer/Transformer.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using namespace mlir::tcc;
using transformer::BlockFormat;
using transformer::BlockType;

/// Elements of one block of every GGUF format here.
static constexpr int64_t blockElements = 32;

static uint32_t read16(const uint8_t *bytes) {
  return bytes[0] | static_cast<uint32_t>(bytes[1]) << 8;
}

static uint32_t read32(const uint8_t *bytes) {
  return read16(bytes) | read16(bytes + 2) << 16;
}

static double decodeF32(const uint8_t *bytes) {
  uint32_t bits = read32(bytes);
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/// The upper half of an f32.
static double decodeBF16(const uint8_t *bytes) {
  uint32_t bits = read16(bytes) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/// 1 bit of sign, 5 of exponent with bias 15, 10 of fraction.
static double decodeF16(const uint8_t *bytes) {
  uint32_t bits = read16(bytes);
  int exponent = bits >> 10 & 31;
  int fraction = bits & 1023;
  double magnitude;
  if (exponent == 31)
    magnitude = fraction ? std::numeric_limits<double>::quiet_NaN()
                         : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(fraction, -24);
  else
    magnitude = std::ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

/// 1 bit of sign, 4 of exponent with bias 7, 3 of fraction; no infinities, and
/// NaN where all bits but the sign are set.
static double decodeE4M3(const uint8_t *bytes) {
  int exponent = bytes[0] >> 3 & 15;
  int fraction = bytes[0] & 7;
  double magnitude;
  if (exponent == 15 && fraction == 7)
    magnitude = std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    magnitude = std::ldexp(fraction, -9);
  else
    magnitude = std::ldexp(8 + fraction, exponent - 10);
  return bytes[0] >> 7 ? -magnitude : magnitude;
}

/// d, then 32 signed bytes.
static void decodeQ8_0(const uint8_t *block, double *result) {
  double d = decodeF16(block);
  for (int64_t i = 0; i < blockElements; ++i)
    result[i] = d * static_cast<int8_t>(block[2 + i]);
}

/// 16 bytes of nibbles: elements 0 to 15 are the low ones, 16 to 31 the high.
static int nibble(const uint8_t *nibbles, int64_t i) {
  return i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
}

/// d, then nibbles.
static void decodeQ4_0(const uint8_t *block, double *result) {
  double d = decodeF16(block);
  for (int64_t i = 0; i < blockElements; ++i)
    result[i] = d * (nibble(block + 2, i) - 8);
}

/// d and m, then nibbles.
static void decodeQ4_1(const uint8_t *block, double *result) {
  double d = decodeF16(block), m = decodeF16(block + 2);
  for (int64_t i = 0; i < blockElements; ++i)
    result[i] = d * nibble(block + 4, i) + m;
}

namespace {
struct Decoder {
  StorageUnit unit;
  void (*decode)(const uint8_t *, double *) = nullptr;
};
} // namespace

template <double (*decodeOne)(const uint8_t *)>
static void decodeScalar(const uint8_t *bytes, double *result) {
  *result = decodeOne(bytes);
}

static Decoder blockDecoder(BlockFormat format) {
  switch (format) {
  case BlockFormat::Q8_0:
    return {{blockElements, 34}, decodeQ8_0};
  case BlockFormat::Q4_0:
    return {{blockElements, 18}, decodeQ4_0};
  case BlockFormat::Q4_1:
    return {{blockElements, 20}, decodeQ4_1};
  }
  return {};
}

static Decoder decoderOf(Type type) {
  if (auto block = dyn_cast<BlockType>(type))
    return blockDecoder(block.getFormat());
  if (type.isF32())
    return {{1, 4}, decodeScalar<decodeF32>};
  if (type.isF16())
    return {{1, 2}, decodeScalar<decodeF16>};
  if (type.isBF16())
    return {{1, 2}, decodeScalar<decodeBF16>};
  if (isa<Float8E4M3FNType>(type))
    return {{1, 1}, decodeScalar<decodeE4M3>};
  return {};
}

StorageUnit tcc::storageUnit(Type type) { return decoderOf(type).unit; }

void tcc::decode(Type type, const uint8_t *bytes, int64_t count,
                 double *result) {
  Decoder decoder = decoderOf(type);
  assert(decoder.decode && count % decoder.unit.elements == 0 &&
         "the caller asks for whole units of a storage type");
  for (int64_t i = 0; i < count; i += decoder.unit.elements) {
    decoder.decode(bytes, result + i);
    bytes += decoder.unit.bytes;
  }
}
