// The rules of the driver manual for tensor maps.

#include "tools/ptxsim/tensor/TensorMapRules.h"

using namespace ptxsim;

static constexpr uint64_t maxDim = uint64_t(1) << 32;
static constexpr uint64_t strideLimit = uint64_t(1) << 40;

std::string ptxsim::expected(const std::string &rule,
                             const std::string &value) {
  return "expected " + rule + ", got " + value;
}

std::string ptxsim::inHex(uint64_t value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[value % 16]);
    value /= 16;
  } while (value);
  return "0x" + digits;
}

const char *ptxsim::nameOf(TensorType type) {
  static const char *const names[] = {
      "u8",       "u16",   "u32",       "s32",      "u64",     "s64",
      "f16",      "f32",   "f64",       "bf16",     "f32.ftz", "tf32",
      "tf32.ftz", "b4x16", "b4x16_p64", "b6x16_p32"};
  return names[size_t(type)];
}

static std::string element(const char *array, uint32_t dimension) {
  return std::string(array) + "[" + std::to_string(dimension) + "]";
}

//===----------------------------------------------------------------------===//
// Single values
//===----------------------------------------------------------------------===//

std::string ptxsim::checkType(uint32_t value) {
  if (value <= uint32_t(TensorType::TF32Ftz))
    return "";
  if (value <= uint32_t(TensorType::U6x16Align16))
    return expected("tensorDataType of compute capability 9.0, from 0 to 12",
                    std::to_string(value) + " (" + nameOf(TensorType(value)) +
                        ")");
  return expected("tensorDataType from 0 to 12", std::to_string(value));
}

std::string ptxsim::checkInterleave(uint32_t value) {
  if (value <= uint32_t(TensorInterleave::Bytes32))
    return "";
  return expected("interleave from 0 to 2", std::to_string(value));
}

std::string ptxsim::checkSwizzle(uint32_t value) {
  if (value <= uint32_t(TensorSwizzle::Bytes128))
    return "";
  if (value <= uint32_t(TensorSwizzle::Bytes128Atom64))
    return expected("swizzle of compute capability 9.0, from 0 to 3",
                    std::to_string(value));
  return expected("swizzle from 0 to 3", std::to_string(value));
}

std::string ptxsim::checkL2Promotion(uint32_t value) {
  if (value <= uint32_t(TensorL2Promotion::Bytes256))
    return "";
  return expected("l2Promotion from 0 to 3", std::to_string(value));
}

std::string ptxsim::checkFill(uint32_t value) {
  if (value <= uint32_t(TensorFill::NaN))
    return "";
  return expected("oobFill 0 or 1", std::to_string(value));
}

std::string ptxsim::checkRank(uint32_t value) {
  if (value >= 1 && value <= maxTensorRank)
    return "";
  return expected("tensorRank from 1 to 5", std::to_string(value));
}

std::string ptxsim::checkAddress(uint64_t value) {
  if (value % 16 == 0)
    return "";
  return expected("globalAddress aligned to 16 bytes", inHex(value));
}

std::string ptxsim::checkDim(uint32_t dimension, uint64_t value) {
  if (value >= 1 && value <= maxDim)
    return "";
  return expected(element("globalDim", dimension) + " from 1 to 2^32",
                  std::to_string(value));
}

std::string ptxsim::checkStride(uint32_t dimension, uint64_t value) {
  if (value % 16 == 0 && value < strideLimit)
    return "";
  return expected(
      element("globalStrides", dimension) +
          (value % 16 ? " to be a multiple of 16 bytes" : " below 2^40 bytes"),
      std::to_string(value));
}

std::string ptxsim::checkBox(uint32_t dimension, uint64_t value) {
  if (value >= 1 && value <= 256)
    return "";
  return expected(element("boxDim", dimension) + " from 1 to 256",
                  std::to_string(value));
}

std::string ptxsim::checkElementStride(uint32_t dimension, uint64_t value) {
  if (value >= 1 && value <= 8)
    return "";
  return expected(element("elementStrides", dimension) + " from 1 to 8",
                  std::to_string(value));
}

//===----------------------------------------------------------------------===//
// Whole maps
//===----------------------------------------------------------------------===//

/// Checks what both kinds of maps have for each dimension.
static std::string checkDimensions(const TensorMap &map) {
  bool isWide = map.interleave == TensorInterleave::Bytes32;
  for (uint32_t i = 0; i < map.rank; ++i)
    if (std::string message = checkDim(i, map.dim[i]); !message.empty())
      return message;
  for (uint32_t i = 1; i < map.rank; ++i) {
    if (std::string message = checkStride(i - 1, map.stride[i]);
        !message.empty())
      return message;
    if (isWide && map.stride[i] % 32)
      return expected(element("globalStrides", i - 1) +
                          " to be a multiple of 32 bytes with interleave 32B",
                      std::to_string(map.stride[i]));
  }
  // Without an interleave there is no stride for dimension 0, and what is given
  // is ignored.
  for (uint32_t i = map.firstSpatial(); i < map.rank; ++i)
    if (std::string message = checkElementStride(i, map.elementStride[i]);
        !message.empty())
      return message;
  return "";
}

/// Checks the bytes along dimension 0 of a box, which `name` of the parameters
/// gives.
static std::string checkInnerBytes(const TensorMap &map, const char *name,
                                   uint32_t elements) {
  if (map.interleave != TensorInterleave::None)
    return "";
  uint32_t bytes = elements * bytesOf(map.type);
  uint32_t span = spanOf(map.swizzle);
  bool isTooWide = span && bytes > span;
  if (bytes % 16 == 0 && !isTooWide)
    return "";
  return expected(
      std::string(name) + " * " + std::to_string(bytesOf(map.type)) +
          (bytes % 16 ? " bytes to be a multiple of 16"
                      : " bytes of at most the " + std::to_string(span) +
                            " of the swizzle"),
      std::to_string(bytes));
}

static std::string checkTiled(const TensorMap &map) {
  for (uint32_t i = 0; i < map.rank; ++i)
    if (std::string message = checkBox(i, map.box[i]); !message.empty())
      return message;
  return checkInnerBytes(map, "boxDim[0]", map.box[0]);
}

static std::string checkCorners(const TensorMap &map) {
  int32_t bits = map.rank == 3 ? 16 : map.rank == 4 ? 8 : 5;
  int32_t limit = 1 << (bits - 1);
  auto outOfRange = [&](const char *array, uint32_t i, int32_t value) {
    return expected(element(array, i) + " from " + std::to_string(-limit) +
                        " to " + std::to_string(limit - 1) + " for rank " +
                        std::to_string(map.rank),
                    std::to_string(value));
  };
  for (uint32_t i = 0; i < map.rank - 2; ++i) {
    if (map.lower[i] < -limit || map.lower[i] >= limit)
      return outOfRange("pixelBoxLowerCorner", i, map.lower[i]);
    if (map.upper[i] < -limit || map.upper[i] >= limit)
      return outOfRange("pixelBoxUpperCorner", i, map.upper[i]);
    int64_t extent =
        int64_t(map.dim[map.firstSpatial() + i]) + map.upper[i] - map.lower[i];
    if (extent <= 0)
      return expected("a bounding box of at least one position, globalDim[" +
                          std::to_string(map.firstSpatial() + i) +
                          "] + pixelBoxUpperCorner[" + std::to_string(i) +
                          "] - pixelBoxLowerCorner[" + std::to_string(i) + "]",
                      std::to_string(extent));
  }
  return "";
}

static std::string checkIm2col(const TensorMap &map) {
  if (map.rank < 3)
    return expected("tensorRank from 3 to 5 for im2col",
                    std::to_string(map.rank));
  if (std::string message = checkCorners(map); !message.empty())
    return message;
  if (map.channels < 1 || map.channels > 256)
    return expected("channelsPerPixel from 1 to 256",
                    std::to_string(map.channels));
  if (map.pixels < 1 || map.pixels > 1024)
    return expected("pixelsPerColumn from 1 to 1024",
                    std::to_string(map.pixels));
  return checkInnerBytes(map, "channelsPerPixel", map.channels);
}

std::string ptxsim::checkMap(const TensorMap &map) {
  if (std::string message = checkRank(map.rank); !message.empty())
    return message;
  if (std::string message = checkType(uint32_t(map.type)); !message.empty())
    return message;
  if (std::string message = checkSwizzle(uint32_t(map.swizzle));
      !message.empty())
    return message;
  if (map.interleave != TensorInterleave::None && map.rank < 3)
    return expected("tensorRank of at least 3 with an interleave",
                    std::to_string(map.rank));
  if (std::string message = checkAddress(map.address); !message.empty())
    return message;
  if (map.interleave == TensorInterleave::Bytes32) {
    if (map.address % 32)
      return expected("globalAddress aligned to 32 bytes with interleave 32B",
                      inHex(map.address));
    if (map.swizzle != TensorSwizzle::Bytes32)
      return expected("swizzle 1 (32B) with interleave 32B",
                      std::to_string(uint32_t(map.swizzle)));
  }
  if (map.fill == TensorFill::NaN && !isFloat(map.type))
    return expected("a tensorDataType of floating point with oobFill 1 (NaN)",
                    nameOf(map.type));
  if (std::string message = checkDimensions(map); !message.empty())
    return message;
  return map.isIm2col ? checkIm2col(map) : checkTiled(map);
}

/// The manual defines each stride as the one below times the padded dimension,
/// but programs list dimensions in other orders (heads before positions, say),
/// and Triton's descriptors of ragged tensors even let addresses wrap around at
/// 2^64. The driver takes them, so that only rows must not overlap. A stride of
/// 0 repeats a row; CUTLASS's grouped multiplications begin with such maps and
/// set the strides later.
std::string ptxsim::checkRows(const TensorMap &map) {
  uint64_t bytes = map.dim[0] * map.unitBytes();
  for (uint32_t i = 1; i < map.rank; ++i)
    if (map.dim[i] > 1 && map.stride[i] != 0 && map.stride[i] < bytes)
      return expected(element("globalStrides", i - 1) + " of at least the " +
                          std::to_string(bytes) + " bytes of globalDim[0]",
                      std::to_string(map.stride[i]));
  return "";
}
