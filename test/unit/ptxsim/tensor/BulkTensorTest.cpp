// Bulk tensor copies against the definitions of the PTX manual, element by
// element.

#include "BulkTesting.h"

using namespace ptxsim;
using namespace ptxsim::testing;

namespace {

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

} // namespace
