// Bulk tensor copies against the definitions of the PTX manual, element by
// element.

#include "tools/ptxsim/tensor/BulkTensor.h"

#include "gtest/gtest.h"

#include <cstring>
#include <random>
#include <vector>

using namespace ptxsim;

namespace {

/// Destination layouts of PTX ISA 5.5.7: entry [line][place] is the 16-byte
/// chunk of the source line that lies there, in 128-byte lines.
constexpr int pattern32[2][8] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                 {1, 0, 3, 2, 5, 4, 7, 6}};
constexpr int pattern64[4][8] = {{0, 1, 2, 3, 4, 5, 6, 7},
                                 {1, 0, 3, 2, 5, 4, 7, 6},
                                 {2, 3, 0, 1, 6, 7, 4, 5},
                                 {3, 2, 1, 0, 7, 6, 5, 4}};
constexpr int pattern128[8][8] = {
    {0, 1, 2, 3, 4, 5, 6, 7}, {1, 0, 3, 2, 5, 4, 7, 6},
    {2, 3, 0, 1, 6, 7, 4, 5}, {3, 2, 1, 0, 7, 6, 5, 4},
    {4, 5, 6, 7, 0, 1, 2, 3}, {5, 4, 7, 6, 1, 0, 3, 2},
    {6, 7, 4, 5, 2, 3, 0, 1}, {7, 6, 5, 4, 3, 2, 1, 0}};

/// Where the byte lies that would be at `address` without a swizzle.
uint32_t placeOf(TensorSwizzle swizzle, uint32_t address) {
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

constexpr uint32_t sharedSize = 65536;

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
uint32_t pitchOf(const TensorMap &map, uint32_t rowUnits) {
  uint32_t bytes = rowUnits * map.unitBytes();
  return map.interleave == TensorInterleave::None
             ? std::max(bytes, spanOf(map.swizzle))
             : bytes;
}

bool isWithin(const TensorMap &map, const std::array<int64_t, 5> &at) {
  for (uint32_t i = 0; i < map.rank; ++i)
    if (at[i] < 0 || at[i] >= int64_t(map.dim[i]))
      return false;
  return true;
}

int64_t offsetOf(const TensorMap &map, const std::array<int64_t, 5> &at) {
  int64_t offset = 0;
  for (uint32_t i = 0; i < map.rank; ++i)
    offset += at[i] * int64_t(map.stride[i]);
  return offset;
}

std::vector<Unit> tiledUnits(const TensorMap &map, const BulkRequest &request) {
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
std::vector<Unit> pixelUnits(const TensorMap &map, const BulkRequest &request) {
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

std::vector<Unit> unitsOf(const Case &test) {
  return test.request.isIm2col ? pixelUnits(test.map, test.request)
                               : tiledUnits(test.map, test.request);
}

uint8_t fillByte(const TensorMap &map, uint32_t place) {
  if (map.fill == TensorFill::Zero)
    return 0;
  return place % bytesOf(map.type) == bytesOf(map.type) - 1 ? 0x7f : 0xff;
}

void expectLoad(Case &test) {
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

void expectStore(Case &test, std::mt19937 &random) {
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

int32_t between(std::mt19937 &random, int32_t low, int32_t high) {
  return low + int32_t(random() % uint32_t(high - low + 1));
}

constexpr TensorType plainTypes[] = {
    TensorType::U8,  TensorType::U16, TensorType::U32, TensorType::S32,
    TensorType::U64, TensorType::S64, TensorType::F16, TensorType::F32,
    TensorType::F64, TensorType::BF16};

/// A random map and box, of which a part may be outside on any side.
Case randomTiled(std::mt19937 &random, bool isInterleaved, bool isStore) {
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

TEST(BulkTensor, LoadsBoxes) {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    Case test = randomTiled(random, false, false);
    SCOPED_TRACE(i);
    expectLoad(test);
    if (HasFailure())
      return;
  }
}

TEST(BulkTensor, LoadsInterleavedBoxes) {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    Case test = randomTiled(random, true, false);
    SCOPED_TRACE(i);
    expectLoad(test);
    if (HasFailure())
      return;
  }
}

TEST(BulkTensor, StoresBoxes) {
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    Case test = randomTiled(random, i % 3 == 0, true);
    SCOPED_TRACE(i);
    expectStore(test, random);
    if (HasFailure())
      return;
  }
}

/// A random map of pixels, with a filter position inside its bounding box.
Case randomIm2col(std::mt19937 &random, bool isInterleaved, bool isStore) {
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

TEST(BulkTensor, LoadsPixels) {
  std::mt19937 random(4);
  for (int i = 0; i < 3000; ++i) {
    Case test = randomIm2col(random, i % 4 == 0, false);
    SCOPED_TRACE(i);
    expectLoad(test);
    if (HasFailure())
      return;
  }
}

TEST(BulkTensor, StoresPixels) {
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {
    Case test = randomIm2col(random, i % 4 == 0, true);
    SCOPED_TRACE(i);
    expectStore(test, random);
    if (HasFailure())
      return;
  }
}

/// A 3x3 convolution with padding 1 and stride 2 of NHWC [2, 7, 9, 8] as a sum
/// over filter taps of im2col loads, as CUTLASS sets them up.
TEST(BulkTensor, Convolves) {
  constexpr int N = 2, H = 7, W = 9, C = 8, R = 3, S = 3, pad = 1, stride = 2;
  constexpr int P = (H + 2 * pad - R) / stride + 1;
  constexpr int Q = (W + 2 * pad - S) / stride + 1;
  alignas(64) static float image[N][H][W][C];
  static float filter[R][S][C];
  std::mt19937 random(6);
  for (auto &value : reinterpret_cast<float(&)[N * H * W * C]>(image))
    value = float(int(random() % 17) - 8);
  for (auto &value : reinterpret_cast<float(&)[R * S * C]>(filter))
    value = float(int(random() % 17) - 8);

  uint64_t dim[] = {C, W, H, N};
  uint64_t strides[] = {C * 4, W * C * 4, H * W * C * 4};
  int32_t lower[] = {-pad, -pad}, upper[] = {pad - (S - 1), pad - (R - 1)};
  uint32_t elementStrides[] = {1, stride, stride, 1};
  Im2colParameters parameters;
  parameters.dataType = uint32_t(TensorType::F32);
  parameters.rank = 4;
  parameters.globalAddress = uint64_t(uintptr_t(image));
  parameters.globalDim = dim;
  parameters.globalStrides = strides;
  parameters.pixelBoxLowerCorner = lower;
  parameters.pixelBoxUpperCorner = upper;
  parameters.channelsPerPixel = C;
  parameters.pixelsPerColumn = N * P * Q;
  parameters.elementStrides = elementStrides;
  alignas(64) uint8_t bytes[tensorMapBytes];
  ASSERT_EQ(encodeIm2col(parameters, bytes), "");
  TensorMap map;
  ASSERT_EQ(decode(bytes, map), "");

  static float column[N * P * Q][C];
  float sum[N * P * Q] = {};
  for (int r = 0; r < R; ++r)
    for (int s = 0; s < S; ++s) {
      BulkRequest request;
      request.rank = 4;
      request.isIm2col = true;
      request.coordinates = {0, -pad, -pad, 0};
      request.offsets = {uint16_t(s), uint16_t(r)};
      request.sharedBytes = sizeof column;
      BoxTransfer transfer;
      ASSERT_EQ(prepare(map, request, transfer), "");
      ASSERT_EQ(transfer.bytes, sizeof column);
      load(transfer, reinterpret_cast<uint8_t *>(column));
      for (int m = 0; m < N * P * Q; ++m)
        for (int c = 0; c < C; ++c)
          sum[m] += column[m][c] * filter[r][s][c];
    }
  for (int n = 0; n < N; ++n)
    for (int p = 0; p < P; ++p)
      for (int q = 0; q < Q; ++q) {
        float want = 0;
        for (int r = 0; r < R; ++r)
          for (int s = 0; s < S; ++s) {
            int h = p * stride - pad + r, w = q * stride - pad + s;
            if (h >= 0 && h < H && w >= 0 && w < W)
              for (int c = 0; c < C; ++c)
                want += image[n][h][w][c] * filter[r][s][c];
          }
        ASSERT_EQ(sum[(n * P + p) * Q + q], want) << n << p << q;
      }
}

/// A map of u32 [8 rows of 32] in `memory`, which is aligned.
TensorMap squareMap(TensorType type, const void *memory) {
  TensorMap map;
  map.type = type;
  map.rank = 2;
  map.address = uint64_t(uintptr_t(memory));
  map.dim = {32, 8};
  map.stride = {bytesOf(type), 32 * bytesOf(type)};
  map.box = {32, 8};
  map.elementStride = {1, 1};
  return map;
}

BulkRequest squareRequest() {
  BulkRequest request;
  request.rank = 2;
  request.sharedAddress = 1024;
  request.sharedBytes = 8192;
  return request;
}

TEST(BulkTensor, ConvertsTF32AndFlushes) {
  alignas(64) static uint32_t memory[8][32];
  const uint32_t values[] = {0x3f800fff, 0x3f801000, 0x3f803000, 0x3f801001,
                             0xbf801001, 0x00000001, 0x80012345, 0x7f800000,
                             0xff800001, 0x7f7fffff};
  const uint32_t tf32[] = {0x3f800000, 0x3f800000, 0x3f804000, 0x3f802000,
                           0xbf802000, 0x00000000, 0x80012000, 0x7f800000,
                           0xffc00000, 0x7f800000};
  const uint32_t flushed[] = {0x3f800fff, 0x3f801000, 0x3f803000, 0x3f801001,
                              0xbf801001, 0x00000000, 0x80000000, 0x7f800000,
                              0xff800001, 0x7f7fffff};
  std::memcpy(memory[3], values, sizeof values);
  auto loaded = [&](TensorType type) {
    static uint32_t shared[2048];
    BoxTransfer transfer;
    EXPECT_EQ(prepare(squareMap(type, memory), squareRequest(), transfer), "");
    load(transfer, reinterpret_cast<uint8_t *>(shared));
    return shared + 256 + 3 * 32;
  };
  for (size_t i = 0; i < std::size(values); ++i) {
    EXPECT_EQ(loaded(TensorType::F32)[i], values[i]);
    EXPECT_EQ(loaded(TensorType::TF32)[i], tf32[i]);
    EXPECT_EQ(loaded(TensorType::F32Ftz)[i], flushed[i]);
    EXPECT_EQ(loaded(TensorType::TF32Ftz)[i], i == 6 ? 0x80000000 : tf32[i]);
  }
}

/// Triton's descriptor of a ragged tensor: two more dimensions, of which one
/// ends with the slice and the other takes its coordinate back by wrapping
/// around at 2^64.
TEST(BulkTensor, WrapsAroundForRaggedTensors) {
  constexpr uint64_t billion = 1 << 30, rowBytes = 64;
  alignas(64) static uint16_t memory[10][32];
  for (int row = 0; row < 10; ++row)
    for (int column = 0; column < 32; ++column)
      memory[row][column] = uint16_t(100 * row + column);
  uint64_t dim[] = {32, billion, 0x7fff0000, 0x7fff0000};
  uint64_t strides[] = {rowBytes, rowBytes, (uint64_t(1) << 34) * 2 - rowBytes};
  uint32_t box[] = {32, 4, 1, 1}, ones[] = {1, 1, 1, 1};
  TiledParameters parameters;
  parameters.dataType = uint32_t(TensorType::BF16);
  parameters.rank = 4;
  parameters.globalAddress = uint64_t(uintptr_t(memory));
  parameters.globalDim = dim;
  parameters.globalStrides = strides;
  parameters.boxDim = box;
  parameters.elementStrides = ones;
  alignas(64) uint8_t bytes[tensorMapBytes];
  ASSERT_EQ(encodeTiled(parameters, bytes), "");
  TensorMap map;
  ASSERT_EQ(decode(bytes, map), "");
  // Rows 3 and 4 are a slice, which is read from its row 0 on.
  constexpr int32_t offset = 3, size = 2;
  BulkRequest request;
  request.rank = 4;
  request.coordinates = {0, int32_t(billion) - size, offset + size,
                         int32_t(billion)};
  request.sharedBytes = 256;
  BoxTransfer transfer;
  ASSERT_EQ(prepare(map, request, transfer), "");
  alignas(128) uint16_t shared[4][32];
  load(transfer, reinterpret_cast<uint8_t *>(shared));
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 32; ++column)
      EXPECT_EQ(shared[row][column],
                row < size ? memory[offset + row][column] : 0);
}

TEST(BulkTensor, ChecksRequests) {
  alignas(64) static uint32_t memory[8][32];
  TensorMap map = squareMap(TensorType::U32, memory);
  BoxTransfer transfer;
  BulkRequest request = squareRequest();
  request.rank = 3;
  EXPECT_EQ(prepare(map, request, transfer),
            "expected a tensor map of rank 3, got 2");
  request = squareRequest();
  request.isIm2col = true;
  EXPECT_EQ(prepare(map, request, transfer),
            "expected an im2col tensor map, got a tiled map");
  request = squareRequest();
  request.sharedAddress = 1088;
  EXPECT_EQ(prepare(map, request, transfer),
            "expected an address of shared memory aligned to 128 bytes, got "
            "0x440");
  request.sharedAddress = 7296;
  EXPECT_EQ(prepare(map, request, transfer),
            "expected a box of 1024 bytes that ends within the 8192 bytes of "
            "shared memory, got address 0x1c80");
  request = squareRequest();
  request.coordinates[1] = -1;
  EXPECT_EQ(prepare(map, request, transfer), "");
  request.direction = BulkDirection::Store;
  EXPECT_EQ(prepare(map, request, transfer),
            "expected coordinate 1 of a store or reduction to be at least 0, "
            "got -1");
  request.direction = BulkDirection::Prefetch;
  request.sharedAddress = 1;
  EXPECT_EQ(prepare(map, request, transfer), "");
}

TEST(BulkTensor, ChecksPixels) {
  std::mt19937 random(7);
  TensorMap map;
  map.isIm2col = true;
  map.type = TensorType::F16;
  map.rank = 4;
  map.dim = {64, 9, 7, 2};
  map.stride = {2, 128, 1152, 8064};
  map.elementStride = {1, 1, 1, 1};
  map.lower = {-1, -1};
  map.upper = {-1, -1};
  map.channels = 32;
  map.pixels = 16;
  BulkRequest request;
  request.rank = 4;
  request.isIm2col = true;
  request.sharedBytes = sharedSize;
  BoxTransfer transfer;
  request.coordinates = {0, 8, 0, 0};
  EXPECT_EQ(prepare(map, request, transfer),
            "expected coordinate 1 inside the bounding box, from -1 to 7, got "
            "8");
  request.coordinates = {0, 0, -2, 0};
  EXPECT_EQ(prepare(map, request, transfer),
            "expected coordinate 2 inside the bounding box, from -1 to 5, got "
            "-2");
  request.coordinates = {0, 0, 0, 0};
  request.offsets = {0, 256};
  EXPECT_EQ(prepare(map, request, transfer),
            "expected im2col offset 1 from 0 to 255 for rank 4, got 256");
  request.offsets = {};
  request.direction = BulkDirection::Reduce;
  EXPECT_EQ(prepare(map, request, transfer),
            "expected a bounding box inside the tensor for an im2col store or "
            "reduction, got pixelBoxLowerCorner[0] -1 and "
            "pixelBoxUpperCorner[0] -1");
}

/// Reduces one element with each operation.
template <typename Bits>
Bits reduced(BulkReduction reduction, TensorType type, Bits at, Bits value) {
  EXPECT_EQ(checkReduction(reduction, type), "");
  alignas(16) Bits memory[2] = {at, 7};
  Bits source[2] = {value, 0};
  reduceElements(reduction, type, reinterpret_cast<uint8_t *>(memory),
                 reinterpret_cast<const uint8_t *>(source), sizeof(Bits));
  EXPECT_EQ(memory[1], 7);
  return memory[0];
}

TEST(BulkTensor, ReducesIntegers) {
  using R = BulkReduction;
  auto u32 = [](R r, uint32_t a, uint32_t b) {
    return reduced<uint32_t>(r, TensorType::U32, a, b);
  };
  EXPECT_EQ(u32(R::Add, 0xffffffff, 2), 1u);
  EXPECT_EQ(u32(R::Min, 0x80000000, 1), 1u);
  EXPECT_EQ(u32(R::Max, 0x80000000, 1), 0x80000000u);
  EXPECT_EQ(u32(R::Inc, 4, 5), 5u);
  EXPECT_EQ(u32(R::Inc, 5, 5), 0u);
  EXPECT_EQ(u32(R::Inc, 9, 5), 0u);
  EXPECT_EQ(u32(R::Dec, 4, 5), 3u);
  EXPECT_EQ(u32(R::Dec, 0, 5), 5u);
  EXPECT_EQ(u32(R::Dec, 9, 5), 5u);
  EXPECT_EQ(u32(R::And, 0xc, 0xa), 8u);
  EXPECT_EQ(u32(R::Or, 0xc, 0xa), 0xeu);
  EXPECT_EQ(u32(R::Xor, 0xc, 0xa), 6u);
  EXPECT_EQ(reduced<int32_t>(R::Min, TensorType::S32, -5, 3), -5);
  EXPECT_EQ(reduced<int32_t>(R::Max, TensorType::S32, -5, 3), 3);
  EXPECT_EQ(reduced<int32_t>(R::Add, TensorType::S32, INT32_MAX, 1), INT32_MIN);
  EXPECT_EQ(reduced<int64_t>(R::Min, TensorType::S64, -5, 3), -5);
  EXPECT_EQ(reduced<uint64_t>(R::Add, TensorType::U64, 1ull << 63, 1ull << 63),
            0u);
  EXPECT_EQ(reduced<uint64_t>(R::Xor, TensorType::U64, 1ull << 63, 1),
            (1ull << 63) + 1);
}

TEST(BulkTensor, ReducesFloats) {
  using R = BulkReduction;
  auto f16 = [](R r, uint16_t a, uint16_t b) {
    return reduced<uint16_t>(r, TensorType::F16, a, b);
  };
  auto bf16 = [](R r, uint16_t a, uint16_t b) {
    return reduced<uint16_t>(r, TensorType::BF16, a, b);
  };
  auto f32 = [](R r, uint32_t a, uint32_t b) {
    return reduced<uint32_t>(r, TensorType::F32, a, b);
  };
  EXPECT_EQ(f16(R::Add, 0x3c00, 0x3c00), 0x4000); // 1 + 1
  EXPECT_EQ(f16(R::Add, 0x6800, 0x3c00), 0x6800); // 2048 + 1 ties to even.
  EXPECT_EQ(f16(R::Add, 0x6801, 0x3c00), 0x6802);
  EXPECT_EQ(f16(R::Add, 0x7bff, 0x7bff), 0x7c00); // Too large.
  EXPECT_EQ(f16(R::Add, 0x0001, 0x0001), 0x0002); // Subnormals stay.
  EXPECT_EQ(f16(R::Add, 0x7c00, 0xfc00), 0x7fff);
  EXPECT_EQ(f16(R::Min, 0x8000, 0x0000), 0x8000);
  EXPECT_EQ(f16(R::Max, 0x8000, 0x0000), 0x0000);
  EXPECT_EQ(f16(R::Min, 0x7e00, 0x3c00), 0x3c00); // NaN loses.
  EXPECT_EQ(f16(R::Max, 0x3c00, 0x7e00), 0x3c00);
  EXPECT_EQ(f16(R::Max, 0x7e00, 0xfe00), 0x7fff);
  EXPECT_EQ(bf16(R::Add, 0x3f80, 0x3f80), 0x4000);
  EXPECT_EQ(bf16(R::Add, 0x4380, 0x3f80), 0x4380); // 256 + 1 ties to even.
  EXPECT_EQ(bf16(R::Add, 0x0001, 0x0002), 0x0003);
  EXPECT_EQ(bf16(R::Max, 0xbf80, 0x3f00), 0x3f00);
  EXPECT_EQ(f32(R::Add, 0x3f800000, 0x3f800000), 0x40000000u);
  EXPECT_EQ(f32(R::Add, 0x00000001, 0x80000001), 0u); // Flushed: 0 + -0.
  EXPECT_EQ(f32(R::Add, 0x80000001, 0x80000001), 0x80000000u);
  EXPECT_EQ(f32(R::Add, 0x00800001, 0x80800000), 0u); // The result, too.
  EXPECT_EQ(reduced<uint64_t>(R::Add, TensorType::F64, 0x3ff0000000000000,
                              0x3ff0000000000000),
            0x4000000000000000u);
}

TEST(BulkTensor, RefusesReductions) {
  EXPECT_EQ(checkReduction(BulkReduction::Add, TensorType::U8),
            "expected elements of u32, s32, u64, f32, f64, f16 or bf16 for "
            "add, got u8");
  EXPECT_NE(checkReduction(BulkReduction::Add, TensorType::S64), "");
  EXPECT_NE(checkReduction(BulkReduction::Add, TensorType::TF32), "");
  EXPECT_EQ(checkReduction(BulkReduction::Min, TensorType::F32),
            "expected elements of u32, s32, u64, s64, f16 or bf16 for min and "
            "max, got f32");
  EXPECT_EQ(checkReduction(BulkReduction::Inc, TensorType::S32),
            "expected elements of u32 for inc and dec, got s32");
  EXPECT_EQ(checkReduction(BulkReduction::Xor, TensorType::F64),
            "expected elements of 32 or 64 bits for and, or and xor, got f64");
}

TEST(BulkTensor, ReducesBoxes) {
  std::mt19937 random(8);
  for (int i = 0; i < 300; ++i) {
    Case test = randomTiled(random, false, true);
    if (test.map.type != TensorType::U32)
      continue;
    test.request.direction = BulkDirection::Reduce;
    BoxTransfer transfer;
    ASSERT_EQ(prepare(test.map, test.request, transfer), "");
    std::vector<uint8_t> shared(sharedSize), want = test.memory;
    for (uint8_t &byte : shared)
      byte = uint8_t(random());
    uint64_t base = uint64_t(test.base() - test.memory.data());
    for (const Unit &unit : unitsOf(test)) {
      if (unit.global < 0)
        continue;
      uint32_t a, b;
      std::memcpy(&a, &want[base + unit.global], 4);
      std::memcpy(&b, &shared[placeOf(test.map.swizzle, unit.shared)], 4);
      a += b;
      std::memcpy(&want[base + unit.global], &a, 4);
    }
    reduce(transfer, BulkReduction::Add, shared.data());
    ASSERT_TRUE(test.memory == want);
  }
}

} // namespace
