// The rules and the bytes of tensor maps.

#include "tools/ptxsim/tensor/TensorMap.h"

#include "gtest/gtest.h"

#include <cstring>
#include <functional>

#if __has_include(<cuda.h>)
#include <cuda.h>
static_assert(int(ptxsim::TensorType::BF16) ==
              int(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16));
static_assert(int(ptxsim::TensorType::F32Ftz) ==
              int(CU_TENSOR_MAP_DATA_TYPE_FLOAT32_FTZ));
static_assert(int(ptxsim::TensorType::F64) ==
              int(CU_TENSOR_MAP_DATA_TYPE_FLOAT64));
static_assert(int(ptxsim::TensorType::TF32Ftz) ==
              int(CU_TENSOR_MAP_DATA_TYPE_TFLOAT32_FTZ));
static_assert(int(ptxsim::TensorInterleave::Bytes32) ==
              int(CU_TENSOR_MAP_INTERLEAVE_32B));
static_assert(int(ptxsim::TensorSwizzle::Bytes128) ==
              int(CU_TENSOR_MAP_SWIZZLE_128B));
static_assert(int(ptxsim::TensorL2Promotion::Bytes256) ==
              int(CU_TENSOR_MAP_L2_PROMOTION_L2_256B));
static_assert(int(ptxsim::TensorFill::NaN) ==
              int(CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA));
static_assert(sizeof(CUtensorMap) == ptxsim::tensorMapBytes);
#endif

using namespace ptxsim;

namespace {

struct alignas(64) MapBytes {
  uint8_t bytes[tensorMapBytes] = {};
};

/// Parameters that are right, and the arrays that they point to.
struct Tiled {
  uint64_t dim[5] = {64, 8, 6, 5, 4};
  uint64_t strides[4] = {128, 1024, 6144, 30720};
  uint32_t box[5] = {32, 4, 3, 2, 1};
  uint32_t elementStrides[5] = {1, 1, 1, 1, 1};
  TiledParameters parameters;

  Tiled() {
    parameters.dataType = uint32_t(TensorType::BF16);
    parameters.rank = 5;
    parameters.globalAddress = 0x10000;
    parameters.globalDim = dim;
    parameters.globalStrides = strides;
    parameters.boxDim = box;
    parameters.elementStrides = elementStrides;
    parameters.swizzle = uint32_t(TensorSwizzle::Bytes64);
  }

  std::string encode() {
    MapBytes map;
    return encodeTiled(parameters, map.bytes);
  }
};

struct Im2col {
  uint64_t dim[5] = {64, 9, 7, 5, 3};
  uint64_t strides[4] = {128, 1152, 8064, 40320};
  int32_t lower[3] = {-1, -1, -1};
  int32_t upper[3] = {-1, -1, -1};
  uint32_t elementStrides[5] = {1, 1, 1, 1, 1};
  Im2colParameters parameters;

  Im2col() {
    parameters.dataType = uint32_t(TensorType::F16);
    parameters.rank = 5;
    parameters.globalAddress = 0x20000;
    parameters.globalDim = dim;
    parameters.globalStrides = strides;
    parameters.pixelBoxLowerCorner = lower;
    parameters.pixelBoxUpperCorner = upper;
    parameters.channelsPerPixel = 32;
    parameters.pixelsPerColumn = 64;
    parameters.elementStrides = elementStrides;
    parameters.swizzle = uint32_t(TensorSwizzle::Bytes64);
  }

  std::string encode() {
    MapBytes map;
    return encodeIm2col(parameters, map.bytes);
  }
};

/// The message that a change of right parameters gives.
std::string tiledWith(const std::function<void(Tiled &)> &change) {
  Tiled tiled;
  change(tiled);
  return tiled.encode();
}

std::string im2colWith(const std::function<void(Im2col &)> &change) {
  Im2col im2col;
  change(im2col);
  return im2col.encode();
}

TEST(TensorMap, EncodesWhatItDecodes) {
  Tiled tiled;
  tiled.elementStrides[2] = 2;
  tiled.parameters.oobFill = 1;
  tiled.parameters.l2Promotion = 2;
  MapBytes map;
  ASSERT_EQ(encodeTiled(tiled.parameters, map.bytes), "");
  TensorMap decoded;
  ASSERT_EQ(decode(map.bytes, decoded), "");
  EXPECT_FALSE(decoded.isIm2col);
  EXPECT_EQ(decoded.type, TensorType::BF16);
  EXPECT_EQ(decoded.swizzle, TensorSwizzle::Bytes64);
  EXPECT_EQ(decoded.fill, TensorFill::NaN);
  EXPECT_EQ(decoded.l2Promotion, TensorL2Promotion::Bytes128);
  EXPECT_EQ(decoded.rank, 5u);
  EXPECT_EQ(decoded.address, 0x10000u);
  EXPECT_EQ(decoded.stride[0], 2u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(decoded.dim[i], tiled.dim[i]);
    EXPECT_EQ(decoded.box[i], tiled.box[i]);
    EXPECT_EQ(decoded.elementStride[i], tiled.elementStrides[i]);
    if (i)
      EXPECT_EQ(decoded.stride[i], tiled.strides[i - 1]);
  }
}

TEST(TensorMap, EncodesIm2col) {
  Im2col im2col;
  im2col.lower[0] = -3;
  im2col.upper[2] = 2;
  MapBytes map;
  ASSERT_EQ(encodeIm2col(im2col.parameters, map.bytes), "");
  TensorMap decoded;
  ASSERT_EQ(decode(map.bytes, decoded), "");
  EXPECT_TRUE(decoded.isIm2col);
  EXPECT_EQ(decoded.lower[0], -3);
  EXPECT_EQ(decoded.lower[1], -1);
  EXPECT_EQ(decoded.upper[2], 2);
  EXPECT_EQ(decoded.channels, 32u);
  EXPECT_EQ(decoded.pixels, 64u);
}

TEST(TensorMap, RefusesWhatTheManualRefuses) {
  EXPECT_EQ(tiledWith([](Tiled &) {}), "");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.dataType = 16; }),
            "expected tensorDataType from 0 to 12, got 16");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.dataType = 13; }),
            "expected tensorDataType of compute capability 9.0, from 0 to 12, "
            "got 13 (b4x16)");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.rank = 0; }),
            "expected tensorRank from 1 to 5, got 0");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.rank = 6; }),
            "expected tensorRank from 1 to 5, got 6");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.globalAddress = 0x10008; }),
            "expected globalAddress aligned to 16 bytes, got 0x10008");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.dim[3] = 0; }),
            "expected globalDim[3] from 1 to 2^32, got 0");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.dim[4] = 4294967297; }),
            "expected globalDim[4] from 1 to 2^32, got 4294967297");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.dim[4] = 4294967296; }), "");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.strides[1] = 1032; }),
            "expected globalStrides[1] to be a multiple of 16 bytes, got 1032");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.strides[3] = uint64_t(1) << 40; }),
            "expected globalStrides[3] below 2^40 bytes, got 1099511627776");
  EXPECT_EQ(
      tiledWith([](Tiled &t) { t.strides[0] = 112; }),
      "expected globalStrides[0] of at least the 128 bytes of globalDim[0], "
      "got 112");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.box[2] = 0; }),
            "expected boxDim[2] from 1 to 256, got 0");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.box[1] = 257; }),
            "expected boxDim[1] from 1 to 256, got 257");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.box[0] = 12; }),
            "expected boxDim[0] * 2 bytes to be a multiple of 16, got 24");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.box[0] = 40; }),
            "expected boxDim[0] * 2 bytes of at most the 64 of the swizzle, "
            "got 80");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.elementStrides[1] = 0; }),
            "expected elementStrides[1] from 1 to 8, got 0");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.elementStrides[4] = 9; }),
            "expected elementStrides[4] from 1 to 8, got 9");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.interleave = 3; }),
            "expected interleave from 0 to 2, got 3");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.swizzle = 4; }),
            "expected swizzle of compute capability 9.0, from 0 to 3, got 4");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.swizzle = 7; }),
            "expected swizzle from 0 to 3, got 7");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.l2Promotion = 4; }),
            "expected l2Promotion from 0 to 3, got 4");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.oobFill = 2; }),
            "expected oobFill 0 or 1, got 2");
  EXPECT_EQ(tiledWith([](Tiled &t) {
              t.parameters.oobFill = 1;
              t.parameters.dataType = uint32_t(TensorType::U16);
            }),
            "expected a tensorDataType of floating point with oobFill 1 (NaN), "
            "got u16");
}

TEST(TensorMap, RefusesInterleavesThatDoNotFit) {
  auto interleaved = [](Tiled &t) {
    t.parameters.interleave = 2;
    t.parameters.swizzle = uint32_t(TensorSwizzle::Bytes32);
    t.strides[0] = 2048;
    t.strides[1] = 16384;
    t.strides[2] = 98304;
    t.strides[3] = 491520;
  };
  EXPECT_EQ(tiledWith(interleaved), "");
  EXPECT_EQ(tiledWith([&](Tiled &t) {
              interleaved(t);
              t.parameters.swizzle = 0;
            }),
            "expected swizzle 1 (32B) with interleave 32B, got 0");
  EXPECT_EQ(tiledWith([&](Tiled &t) {
              interleaved(t);
              t.parameters.globalAddress = 0x10010;
            }),
            "expected globalAddress aligned to 32 bytes with interleave 32B, "
            "got 0x10010");
  EXPECT_EQ(tiledWith([&](Tiled &t) {
              interleaved(t);
              t.strides[3] += 16;
            }),
            "expected globalStrides[3] to be a multiple of 32 bytes with "
            "interleave 32B, got 491536");
  EXPECT_EQ(tiledWith([&](Tiled &t) {
              interleaved(t);
              t.parameters.rank = 2;
            }),
            "expected tensorRank of at least 3 with an interleave, got 2");
  // Dimension 0 has a stride here, so it is checked.
  EXPECT_EQ(tiledWith([&](Tiled &t) {
              interleaved(t);
              t.elementStrides[0] = 0;
            }),
            "expected elementStrides[0] from 1 to 8, got 0");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.elementStrides[0] = 0; }), "");
}

TEST(TensorMap, RefusesPointersThatAreNone) {
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.globalDim = nullptr; }),
            "expected globalDim of tensorRank elements, got null");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.globalStrides = nullptr; }),
            "expected globalStrides of tensorRank - 1 elements, got null");
  EXPECT_EQ(tiledWith([](Tiled &t) {
              t.parameters.globalStrides = nullptr;
              t.parameters.rank = 1;
            }),
            "");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.boxDim = nullptr; }),
            "expected boxDim of tensorRank elements, got null");
  EXPECT_EQ(tiledWith([](Tiled &t) { t.parameters.elementStrides = nullptr; }),
            "expected elementStrides of tensorRank elements, got null");
  Tiled tiled;
  EXPECT_EQ(encodeTiled(tiled.parameters, nullptr),
            "expected tensorMap that points to 128 bytes, got null");
  MapBytes map[2];
  std::string message = encodeTiled(tiled.parameters, map[0].bytes + 32);
  EXPECT_EQ(message.find("expected tensorMap aligned to 64 bytes, got 0x"), 0u);
  EXPECT_EQ(
      im2colWith([](Im2col &i) { i.parameters.pixelBoxLowerCorner = nullptr; }),
      "expected pixelBoxLowerCorner of tensorRank - 2 elements, got null");
  EXPECT_EQ(
      im2colWith([](Im2col &i) { i.parameters.pixelBoxUpperCorner = nullptr; }),
      "expected pixelBoxUpperCorner of tensorRank - 2 elements, got null");
}

TEST(TensorMap, TakesDimensionsInAnyOrder) {
  // As FlashAttention has them: head size, positions, heads, batch.
  EXPECT_EQ(tiledWith([](Tiled &t) {
              t.parameters.rank = 4;
              t.dim[1] = 4096, t.strides[0] = 64 * 2 * 8;
              t.dim[2] = 8, t.strides[1] = 64 * 2;
              t.dim[3] = 2, t.strides[2] = 64 * 2 * 8 * 4096;
            }),
            "");
  // A dimension of one element may have any stride.
  EXPECT_EQ(tiledWith([](Tiled &t) { t.dim[4] = 1, t.strides[3] = 16; }), "");
  // A stride of 0 repeats a row.
  EXPECT_EQ(tiledWith([](Tiled &t) { t.strides[3] = 0; }), "");
  EXPECT_EQ(
      tiledWith([](Tiled &t) { t.strides[3] = 112; }),
      "expected globalStrides[3] of at least the 128 bytes of globalDim[0], "
      "got 112");
}

TEST(TensorMap, LimitsCornersByRank) {
  EXPECT_EQ(im2colWith([](Im2col &) {}), "");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.lower[1] = -17; }),
            "expected pixelBoxLowerCorner[1] from -16 to 15 for rank 5, got "
            "-17");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.upper[2] = 16; }),
            "expected pixelBoxUpperCorner[2] from -16 to 15 for rank 5, got "
            "16");
  EXPECT_EQ(im2colWith([](Im2col &i) {
              i.parameters.rank = 4;
              i.lower[1] = -128;
            }),
            "");
  EXPECT_EQ(im2colWith([](Im2col &i) {
              i.parameters.rank = 4;
              i.lower[1] = -129;
            }),
            "expected pixelBoxLowerCorner[1] from -128 to 127 for rank 4, got "
            "-129");
  EXPECT_EQ(im2colWith([](Im2col &i) {
              i.parameters.rank = 3;
              i.upper[0] = 32768;
            }),
            "expected pixelBoxUpperCorner[0] from -32768 to 32767 for rank 3, "
            "got 32768");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.lower[0] = 3, i.upper[0] = -6; }),
            "expected a bounding box of at least one position, globalDim[1] + "
            "pixelBoxUpperCorner[0] - pixelBoxLowerCorner[0], got 0");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.parameters.rank = 2; }),
            "expected tensorRank from 3 to 5 for im2col, got 2");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.parameters.channelsPerPixel = 257; }),
            "expected channelsPerPixel from 1 to 256, got 257");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.parameters.channelsPerPixel = 33; }),
            "expected channelsPerPixel * 2 bytes to be a multiple of 16, got "
            "66");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.parameters.channelsPerPixel = 40; }),
            "expected channelsPerPixel * 2 bytes of at most the 64 of the "
            "swizzle, got 80");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.parameters.pixelsPerColumn = 1025; }),
            "expected pixelsPerColumn from 1 to 1024, got 1025");
  EXPECT_EQ(im2colWith([](Im2col &i) { i.parameters.pixelsPerColumn = 0; }),
            "expected pixelsPerColumn from 1 to 1024, got 0");
}

TEST(TensorMap, RefusesWideIm2col) {
  EXPECT_EQ(encodeIm2colWide(),
            "expected a device of compute capability 10.0 for "
            "cuTensorMapEncodeIm2colWide, got 9.0");
}

TEST(TensorMap, ReplacesTheAddress) {
  Tiled tiled;
  MapBytes map;
  ASSERT_EQ(encodeTiled(tiled.parameters, map.bytes), "");
  EXPECT_EQ(replaceAddress(map.bytes, 0x20008),
            "expected globalAddress aligned to 16 bytes, got 0x20008");
  EXPECT_EQ(replaceAddress(map.bytes, 0x20010), "");
  TensorMap decoded;
  ASSERT_EQ(decode(map.bytes, decoded), "");
  EXPECT_EQ(decoded.address, 0x20010u);
}

/// What Triton executes for a map of bf16 [100, 200] with boxes [64, 32].
void buildLikeTriton(uint8_t *map) {
  using Field = TensorMapField;
  EXPECT_EQ(replaceField(map, Field::GlobalAddress, 0, 0x30000), "");
  EXPECT_EQ(replaceField(map, Field::Rank, 0, 1), "");
  EXPECT_EQ(replaceField(map, Field::BoxDim, 0, 32), "");
  EXPECT_EQ(replaceField(map, Field::BoxDim, 1, 64), "");
  EXPECT_EQ(replaceField(map, Field::GlobalDim, 0, 200), "");
  EXPECT_EQ(replaceField(map, Field::GlobalDim, 1, 100), "");
  EXPECT_EQ(replaceField(map, Field::GlobalStride, 0, 400), "");
  EXPECT_EQ(replaceField(map, Field::ElementStride, 0, 1), "");
  EXPECT_EQ(replaceField(map, Field::ElementStride, 1, 1), "");
  EXPECT_EQ(replaceField(map, Field::ElementType, 0, 10), "");
  EXPECT_EQ(replaceField(map, Field::InterleaveLayout, 0, 0), "");
  EXPECT_EQ(replaceField(map, Field::SwizzleMode, 0, 2), "");
  EXPECT_EQ(replaceField(map, Field::FillMode, 0, 1), "");
}

TEST(TensorMap, BecomesValidFromZeroBytes) {
  MapBytes map;
  TensorMap decoded;
  EXPECT_EQ(decode(map.bytes, decoded),
            "expected globalDim[0] from 1 to 2^32, got 0");
  buildLikeTriton(map.bytes);
  uint8_t copy[tensorMapBytes + 1];
  std::memcpy(copy + 1, map.bytes, tensorMapBytes);
  ASSERT_EQ(decode(copy + 1, decoded), "");
  EXPECT_EQ(decoded.type, TensorType::BF16);
  EXPECT_EQ(decoded.rank, 2u);
  EXPECT_EQ(decoded.swizzle, TensorSwizzle::Bytes64);
  EXPECT_EQ(decoded.fill, TensorFill::NaN);
  EXPECT_EQ(decoded.dim[0], 200u);
  EXPECT_EQ(decoded.dim[1], 100u);
  EXPECT_EQ(decoded.stride[1], 400u);
  EXPECT_EQ(decoded.box[0], 32u);
  EXPECT_EQ(decoded.box[1], 64u);
}

TEST(TensorMap, TranslatesTheTypesOfPtx) {
  const TensorType types[] = {
      TensorType::U8,     TensorType::U16, TensorType::U32,  TensorType::S32,
      TensorType::U64,    TensorType::S64, TensorType::F16,  TensorType::F32,
      TensorType::F32Ftz, TensorType::F64, TensorType::BF16, TensorType::TF32,
      TensorType::TF32Ftz};
  for (uint64_t value = 0; value < 13; ++value) {
    MapBytes map;
    buildLikeTriton(map.bytes);
    ASSERT_EQ(replaceField(map.bytes, TensorMapField::SwizzleMode, 0, 0), "");
    ASSERT_EQ(replaceField(map.bytes, TensorMapField::FillMode, 0, 0), "");
    ASSERT_EQ(replaceField(map.bytes, TensorMapField::ElementType, 0, value),
              "");
    TensorMap decoded;
    ASSERT_EQ(decode(map.bytes, decoded), "");
    EXPECT_EQ(decoded.type, types[value]);
  }
}

TEST(TensorMap, RefusesValuesOfReplace) {
  using Field = TensorMapField;
  MapBytes map;
  auto replace = [&](Field field, uint32_t ordinal, uint64_t value) {
    return replaceField(map.bytes, field, ordinal, value);
  };
  EXPECT_EQ(replace(Field::GlobalAddress, 0, 8),
            "expected globalAddress aligned to 16 bytes, got 0x8");
  EXPECT_EQ(replace(Field::Rank, 0, 5), "expected rank - 1 from 0 to 4, got 5");
  EXPECT_EQ(replace(Field::BoxDim, 5, 16),
            "expected an ordinal from 0 to 4, got 5");
  EXPECT_EQ(replace(Field::GlobalStride, 4, 16),
            "expected an ordinal from 0 to 3, got 4");
  EXPECT_EQ(replace(Field::BoxDim, 0, 65552),
            "expected boxDim[0] from 1 to 256, got 65552");
  EXPECT_EQ(replace(Field::GlobalDim, 2, 0),
            "expected globalDim[2] from 1 to 2^32, got 0");
  EXPECT_EQ(replace(Field::GlobalStride, 1, 24),
            "expected globalStrides[1] to be a multiple of 16 bytes, got 24");
  EXPECT_EQ(replace(Field::ElementStride, 1, 257),
            "expected elementStrides[1] from 1 to 8, got 257");
  EXPECT_EQ(replace(Field::ElementType, 0, 13),
            "expected elemtype of sm_90a, from 0 to 12, got 13");
  EXPECT_EQ(replace(Field::InterleaveLayout, 0, 3),
            "expected interleave_layout from 0 to 2, got 3");
  EXPECT_EQ(replace(Field::SwizzleMode, 0, 4),
            "expected swizzle_mode of sm_90a, from 0 to 3, got 4");
  EXPECT_EQ(replace(Field::FillMode, 0, 2), "expected fill_mode 0 or 1, got 2");
  // None of them changed the map.
  EXPECT_EQ(std::memcmp(map.bytes, MapBytes().bytes, tensorMapBytes), 0);
  Im2col im2col;
  ASSERT_EQ(encodeIm2col(im2col.parameters, map.bytes), "");
  EXPECT_EQ(replace(Field::Rank, 0, 2),
            "expected a tiled map for tensormap.replace.tile, got an im2col "
            "map");
}

TEST(TensorMap, RefusesOtherBytes) {
  Tiled tiled;
  MapBytes valid;
  ASSERT_EQ(encodeTiled(tiled.parameters, valid.bytes), "");
  TensorMap decoded;
  // Any single byte changed to anything gives a map or a message.
  for (size_t at = 0; at < tensorMapBytes; ++at)
    for (int value = 0; value < 256; ++value) {
      MapBytes map = valid;
      map.bytes[at] = uint8_t(value);
      std::string message = decode(map.bytes, decoded);
      if (at >= tensorMapBytes - 10 && value)
        EXPECT_EQ(message, "expected a tensor map, got 128 bytes with other "
                           "contents in its reserved fields");
    }
  MapBytes noise;
  uint32_t state = 1;
  for (uint8_t &byte : noise.bytes)
    byte = uint8_t((state = state * 1664525 + 1013904223) >> 24);
  EXPECT_NE(decode(noise.bytes, decoded), "");
  EXPECT_NE(replaceField(noise.bytes, TensorMapField::Rank, 0, 0), "");
}

} // namespace
