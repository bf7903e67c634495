// Boxes of tensors by definition, element by element, for the tests of
// BulkTensor. Written from the PTX manual and independently of the library.

#ifndef TCC_TEST_UNIT_PTXSIM_TENSOR_BULKTESTING_H
#define TCC_TEST_UNIT_PTXSIM_TENSOR_BULKTESTING_H

#include "tools/ptxsim/tensor/BulkTensor.h"

#include "gtest/gtest.h"

#include <cstring>
#include <random>
#include <vector>

namespace ptxsim::testing {

/// Destination layouts of PTX ISA 5.5.7: entry [line][place] is the 16-byte
/// chunk of the source line that lies there, in 128-byte lines.
inline constexpr int pattern32[2][8] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                        {1, 0, 3, 2, 5, 4, 7, 6}};
inline constexpr int pattern64[4][8] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                        {1, 0, 3, 2, 5, 4, 7, 6},
                                        {2, 3, 0, 1, 6, 7, 4, 5},
                                        {3, 2, 1, 0, 7, 6, 5, 4}};
inline constexpr int pattern128[8][8] = {
    {0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6},
    {2, 3, 0, 1, 6, 7, 4, 5}, {3, 2, 1, 0, 7, 6, 5, 4},
    {4, 5, 6, 7, 0, 1, 2, 3}, {5, 4, 7, 6, 1, 0, 3, 2},
    {6, 7, 4, 5, 2, 3, 0, 1}, {7, 6, 5, 4, 3, 2, 1, 0}};

/// Where the byte lies that would be at `address` without a swizzle.
inline uint32_t placeOf(TensorSwizzle swizzle, uint32_t address) {
  uint32_t line = address / 128, chunk = address / 16 % 8;
  for (uint32_t place = 0; place < 8; ++place) {
    int source =
        swizzle == TensorSwizzle::Bytes32    ? pattern32[line % 2][place]
        : swizzle == TensorSwizzle::Bytes64  ? pattern64[line % 4][place]
        : swizzle == TensorSwizzle::Bytes128 ? pattern128[line % 8][place]
                                             : int(place);
    if (source == int(chunk))
      return line * 128 + place * 16 + address % 16;
  }
  return 0;
}

inline constexpr uint32_t sharedSize = 65536;

/// A tensor in memory, a box of it and where it goes.
struct Case {
  TensorMap map;
  BulkRequest request;
  std::vector<uint8_t> memory; ///< The tensor, with some bytes around it.

  uint8_t *base() {
    return memory.data() + 256 - uintptr_t(memory.data()) % 64;
  }

  /// Takes memory for the dimensions with `padding` bytes in each stride.
  void allocate(uint64_t padding, std::mt19937 &random) {
    map.stride[0] = map.unitBytes();
    uint64_t extent = map.dim[0] * map.stride[0];
    for (uint32_t i = 1; i < map.rank; ++i) {
      map.stride[i] = (extent + 31) / 32 * 32 + padding;
      extent = map.stride[i] * map.dim[i];
    }
    memory.resize(extent + 512);
    for (uint8_t &byte : memory)
      byte = uint8_t(random());
    map.address = uint64_t(uintptr_t(base()));
  }
};

/// One unit of a box: its address in global memory, or none, and in shared
/// memory without the swizzle.
struct Unit {
  int64_t global = -1; ///< From the tensor's first byte.
  uint32_t shared = 0;
};

/// The bytes from row to row in shared memory.
inline uint32_t pitchOf(const TensorMap &map, uint32_t rowUnits) {
  uint32_t bytes = rowUnits * map.unitBytes();
  return map.interleave == TensorInterleave::None
             ? std::max(bytes, spanOf(map.swizzle))
             : bytes;
}

inline bool isWithin(const TensorMap &map, const std::array<int64_t, 5> &at) {
  for (uint32_t i = 0; i < map.rank; ++i)
    if (at[i] < 0 || at[i] >= int64_t(map.dim[i]))
      return false;
  return true;
}

inline int64_t offsetOf(const TensorMap &map,
                        const std::array<int64_t, 5> &at) {
  int64_t offset = 0;
  for (uint32_t i = 0; i < map.rank; ++i)
    offset += at[i] * int64_t(map.stride[i]);
  return offset;
}

inline std::vector<Unit> tiledUnits(const TensorMap &map,
                                    const BulkRequest &request) {
  uint32_t count[5] = {1, 1, 1, 1, 1};
  for (uint32_t i = 0; i < map.rank; ++i)
    while (count[i] * map.elementStride[i] < map.box[i])
      ++count[i];
  if (map.interleave != TensorInterleave::None)
    count[map.rank - 2] = 1;
  std::vector<Unit> units;
  uint32_t row = 0;
  for (uint32_t e = 0; e < count[4]; ++e)
    for (uint32_t d = 0; d < count[3]; ++d)
      for (uint32_t c = 0; c < count[2]; ++c)
        for (uint32_t b = 0; b < count[1]; ++b, ++row)
          for (uint32_t a = 0; a < count[0]; ++a) {
            uint32_t index[5] = {a, b, c, d, e};
            std::array<int64_t, 5> at = {};
            for (uint32_t i = 0; i < map.rank; ++i)
              at[i] = request.coordinates[i] +
                      int64_t(index[i]) * map.elementStride[i];
            Unit unit;
            if (isWithin(map, at))
              unit.global = offsetOf(map, at);
            unit.shared = request.sharedAddress + row * pitchOf(map, count[0]) +
                          a * map.unitBytes();
            units.push_back(unit);
          }
  return units;
}

/// The filter positions as a convolution numbers them: position number n is the
/// n-th of all images' outputs, counted from that of the coordinates.
inline std::vector<Unit> pixelUnits(const TensorMap &map,
                                    const BulkRequest &request) {
  uint32_t first = map.firstSpatial(), spatial = map.rank - 2;
  int64_t outputs[3] = {1, 1, 1}, start[3] = {};
  for (uint32_t i = 0; i < spatial; ++i) {
    int64_t extent = int64_t(map.dim[first + i]) + map.upper[i] - map.lower[i];
    int64_t stride = map.elementStride[first + i];
    outputs[i] = (extent + stride - 1) / stride;
    start[i] = (request.coordinates[first + i] - map.lower[i]) / stride;
  }
  int64_t number = start[0] + outputs[0] * (start[1] + outputs[1] * start[2]);
  std::vector<Unit> units;
  uint32_t rowUnits = first ? map.channels : 1;
  for (uint32_t row = 0; row < map.pixels; ++row, ++number) {
    int64_t rest = number;
    std::array<int64_t, 5> at = {};
    for (uint32_t i = 0; i < map.rank; ++i)
      at[i] = request.coordinates[i];
    for (uint32_t i = 0; i < spatial; ++i) {
      at[first + i] = map.lower[i] +
                      rest % outputs[i] * map.elementStride[first + i] +
                      request.offsets[i];
      rest /= outputs[i];
    }
    at[map.rank - 1] += rest;
    for (uint32_t a = 0; a < rowUnits; ++a) {
      std::array<int64_t, 5> element = at;
      if (first)
        element[0] += a;
      Unit unit;
      if (isWithin(map, element))
        unit.global = offsetOf(map, element);
      unit.shared = request.sharedAddress + row * pitchOf(map, rowUnits) +
                    a * map.unitBytes();
      units.push_back(unit);
    }
  }
  return units;
}

inline std::vector<Unit> unitsOf(const Case &test) {
  return test.request.isIm2col ? pixelUnits(test.map, test.request)
                               : tiledUnits(test.map, test.request);
}

inline uint8_t fillByte(const TensorMap &map, uint32_t place) {
  if (map.fill == TensorFill::Zero)
    return 0;
  return place % 2 == 0 ? 0xf7 : 0x7f;
}

inline void expectLoad(Case &test) {
  BoxTransfer transfer;
  ASSERT_EQ(prepare(test.map, test.request, transfer), "");
  std::vector<uint8_t> want(sharedSize, 0xa5), got = want, spans = want;
  uint32_t unitBytes = test.map.unitBytes(), bytes = 0;
  for (const Unit &unit : unitsOf(test)) {
    for (uint32_t i = 0; i < unitBytes; ++i)
      want[placeOf(test.map.swizzle, unit.shared + i)] =
          unit.global >= 0 ? test.base()[unit.global + i]
                           : fillByte(test.map, i);
    bytes += unitBytes;
  }
  EXPECT_EQ(transfer.bytes, bytes);
  load(transfer, got.data());
  EXPECT_TRUE(got == want);
  forEachSpan(transfer, [&](const BulkSpan &span) {
    ASSERT_EQ(span.isInside, span.global != 0);
    ASSERT_LE(span.shared + span.bytes,
              transfer.sharedAddress + transfer.sharedBytes);
    ASSERT_GE(span.shared, transfer.sharedAddress);
    for (uint32_t i = 0; i < span.bytes; ++i)
      spans[span.shared + i] =
          span.isInside
              ? reinterpret_cast<const uint8_t *>(uintptr_t(span.global))[i]
              : fillByte(test.map, i);
  });
  EXPECT_TRUE(spans == want);
}

inline void expectStore(Case &test, std::mt19937 &random) {
  BoxTransfer transfer;
  test.request.direction = BulkDirection::Store;
  ASSERT_EQ(prepare(test.map, test.request, transfer), "");
  std::vector<uint8_t> shared(sharedSize);
  for (uint8_t &byte : shared)
    byte = uint8_t(random());
  std::vector<uint8_t> want = test.memory;
  uint64_t base = uint64_t(test.base() - test.memory.data());
  for (const Unit &unit : unitsOf(test))
    for (uint32_t i = 0; i < test.map.unitBytes() && unit.global >= 0; ++i)
      want[base + unit.global + i] =
          shared[placeOf(test.map.swizzle, unit.shared + i)];
  store(transfer, shared.data());
  EXPECT_TRUE(test.memory == want);
}

inline int32_t between(std::mt19937 &random, int32_t low, int32_t high) {
  return low + int32_t(random() % uint32_t(high - low + 1));
}

inline constexpr TensorType plainTypes[] = {
    TensorType::U8,  TensorType::U16, TensorType::U32, TensorType::S32,
    TensorType::U64, TensorType::S64, TensorType::F16, TensorType::F32,
    TensorType::F64, TensorType::BF16};

/// A random map and box, of which a part may be outside on any side.
inline Case randomTiled(std::mt19937 &random, bool isInterleaved,
                        bool isStore) {
  Case test;
  TensorMap &map = test.map;
  map.type = plainTypes[random() % std::size(plainTypes)];
  map.rank = between(random, isInterleaved ? 3 : 1, 5);
  map.swizzle = TensorSwizzle(random() % 4);
  if (isInterleaved) {
    map.interleave = TensorInterleave(between(random, 1, 2));
    if (map.interleave == TensorInterleave::Bytes32)
      map.swizzle = TensorSwizzle::Bytes32;
  }
  if (isFloat(map.type) && random() % 2)
    map.fill = TensorFill::NaN;
  uint32_t size = map.unitBytes();
  uint32_t span = spanOf(map.swizzle) ? spanOf(map.swizzle) : 256;
  for (uint32_t i = 0; i < map.rank; ++i) {
    map.elementStride[i] = random() % 2 ? 1 : between(random, 1, 4);
    map.box[i] = between(random, 1, map.rank > 3 ? 4 : 7);
    map.dim[i] = between(random, 1, 10);
  }
  if (!isInterleaved) {
    map.elementStride[0] = 1;
    map.box[0] = 16 / size * between(random, 1, span / 16);
    if (map.box[0] > 256)
      map.box[0] = 256;
    map.dim[0] = between(random, 1, 2 * map.box[0]);
  }
  test.request.rank = map.rank;
  for (uint32_t i = 0; i < map.rank; ++i)
    test.request.coordinates[i] =
        between(random, isStore ? 0 : -int32_t(map.box[i]) - 1,
                int32_t(map.dim[i]) + 1);
  test.request.sharedAddress = 128 * (random() % 64);
  test.request.sharedBytes = sharedSize;
  test.allocate(32 * (random() % 3), random);
  return test;
}

/// A random map of pixels, with a filter position inside its bounding box.
inline Case randomIm2col(std::mt19937 &random, bool isInterleaved,
                         bool isStore) {
  Case test;
  TensorMap &map = test.map;
  map.isIm2col = test.request.isIm2col = true;
  map.type = plainTypes[random() % std::size(plainTypes)];
  map.rank = between(random, 3, 5);
  map.swizzle = TensorSwizzle(random() % 4);
  if (isInterleaved) {
    map.interleave = TensorInterleave(between(random, 1, 2));
    if (map.interleave == TensorInterleave::Bytes32)
      map.swizzle = TensorSwizzle::Bytes32;
  }
  if (isFloat(map.type) && random() % 2)
    map.fill = TensorFill::NaN;
  uint32_t span = spanOf(map.swizzle) ? spanOf(map.swizzle) : 128;
  map.channels = 16 / bytesOf(map.type) * between(random, 1, span / 16);
  map.pixels = between(random, 1, 200);
  for (uint32_t i = 0; i < map.rank; ++i) {
    map.dim[i] = between(random, 1, 9);
    map.elementStride[i] = 1;
  }
  uint32_t first = map.firstSpatial();
  if (first) {
    map.dim[0] = between(random, 1, 2 * map.channels);
    test.request.coordinates[0] =
        between(random, isStore ? 0 : -3, int32_t(map.dim[0]));
  } else {
    test.request.coordinates[map.rank - 2] =
        between(random, isStore ? 0 : -1, int32_t(map.dim[map.rank - 2]));
  }
  for (uint32_t i = 0; i < map.rank - 2; ++i) {
    int32_t dim = int32_t(map.dim[first + i]);
    map.lower[i] = between(random, isStore ? 0 : -4, isStore ? dim - 1 : 2);
    int32_t least = std::max(map.lower[i] - dim + 1, -16);
    map.upper[i] = between(random, std::min(least, 0), isStore ? 0 : 3);
    map.upper[i] = std::max(map.upper[i], least);
    map.elementStride[first + i] = between(random, 1, 3);
    int32_t extent = dim + map.upper[i] - map.lower[i];
    int32_t stride = int32_t(map.elementStride[first + i]);
    test.request.coordinates[first + i] =
        map.lower[i] + between(random, 0, (extent - 1) / stride) * stride;
    test.request.offsets[i] = isStore ? 0 : random() % 6;
  }
  test.request.coordinates[map.rank - 1] =
      between(random, isStore ? 0 : -1, int32_t(map.dim[map.rank - 1]));
  test.request.rank = map.rank;
  test.request.sharedAddress = 128 * (random() % 64);
  test.request.sharedBytes = sharedSize;
  test.allocate(32 * (random() % 3), random);
  return test;
}

} // namespace ptxsim::testing

#endif // TCC_TEST_UNIT_PTXSIM_TENSOR_BULKTESTING_H
