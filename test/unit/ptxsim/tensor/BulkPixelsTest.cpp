// Bulk tensor copies in im2col mode.

#include "BulkTesting.h"

using namespace ptxsim;
using namespace ptxsim::testing;

namespace {

TEST(BulkPixels, LoadsPixels) {
  std::mt19937 random(4);
  for (int i = 0; i < 3000; ++i) {
    Case test = randomIm2col(random, i % 4 == 0, false);
    SCOPED_TRACE(i);
    expectLoad(test);
    if (HasFailure())
      return;
  }
}

TEST(BulkPixels, StoresPixels) {
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {
    Case test = randomIm2col(random, i % 4 == 0, true);
    SCOPED_TRACE(i);
    expectStore(test, random);
    if (HasFailure())
      return;
  }
}

constexpr int N = 2, H = 7, W = 9, C = 8, R = 3, S = 3, pad = 1, stride = 2;
constexpr int P = (H + 2 * pad - R) / stride + 1;
constexpr int Q = (W + 2 * pad - S) / stride + 1;
alignas(64) float image[N][H][W][C];
float filter[R][S][C];

/// One output of the convolution by definition.
float convolved(int n, int p, int q) {
  float sum = 0;
  for (int r = 0; r < R; ++r)
    for (int s = 0; s < S; ++s) {
      int h = p * stride - pad + r, w = q * stride - pad + s;
      if (h >= 0 && h < H && w >= 0 && w < W)
        for (int c = 0; c < C; ++c)
          sum += image[n][h][w][c] * filter[r][s][c];
    }
  return sum;
}

/// A 3x3 convolution with padding 1 and stride 2 of NHWC [2, 7, 9, 8] as a sum
/// over filter taps of im2col loads, as CUTLASS sets them up.
TEST(BulkPixels, Convolves) {
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
  for (int m = 0; m < N * P * Q; ++m)
    ASSERT_EQ(sum[m], convolved(m / (P * Q), m / Q % P, m % Q)) << m;
}

TEST(BulkPixels, ChecksPixels) {
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

} // namespace
