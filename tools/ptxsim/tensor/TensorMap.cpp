// The bytes of tensor maps.

#include "tools/ptxsim/tensor/TensorMap.h"

#include "tools/ptxsim/tensor/TensorMapRules.h"

#include <cstring>

using namespace ptxsim;

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

namespace {
/// The map as it lies in memory. Zero bytes are rank 1 and type u8 with neither
/// swizzle nor interleave, and lack dimensions. Fields that PTX sets are wide
/// enough for what PTX can write. CUTLASS and Triton clear bit 21 of the second
/// word of maps of less than 128 KB, because of an error of NVIDIA's driver: that
/// is a bit of dim[0], which such maps do not have.
struct Layout {
  uint64_t address;
  uint64_t dim[5];
  uint64_t stride[4];
  uint16_t box[5];
  int16_t lower[3], upper[3];
  uint16_t channels, pixels;
  uint8_t elementStride[5];
  uint8_t rankMinusOne;
  uint8_t type, interleave, swizzle, l2Promotion, fill;
  uint8_t isIm2col;
  uint8_t reserved[10]; ///< Zero, so that most other bytes are no map.
};
} // namespace

static_assert(sizeof(Layout) == tensorMapBytes, "fields without gaps");

static Layout load(const uint8_t *map) {
  Layout layout;
  std::memcpy(&layout, map, sizeof layout);
  return layout;
}

static void store(const TensorMap &map, uint8_t *bytes) {
  Layout layout = {};
  layout.address = map.address;
  for (uint32_t i = 0; i < map.rank; ++i) {
    layout.dim[i] = map.dim[i];
    if (i > 0)
      layout.stride[i - 1] = map.stride[i];
    layout.box[i] = uint16_t(map.box[i]);
    layout.elementStride[i] = uint8_t(map.elementStride[i]);
  }
  for (uint32_t i = 0; i < 3; ++i) {
    layout.lower[i] = int16_t(map.lower[i]);
    layout.upper[i] = int16_t(map.upper[i]);
  }
  layout.channels = uint16_t(map.channels);
  layout.pixels = uint16_t(map.pixels);
  layout.rankMinusOne = uint8_t(map.rank - 1);
  layout.type = uint8_t(map.type);
  layout.interleave = uint8_t(map.interleave);
  layout.swizzle = uint8_t(map.swizzle);
  layout.l2Promotion = uint8_t(map.l2Promotion);
  layout.fill = uint8_t(map.fill);
  layout.isIm2col = map.isIm2col;
  std::memcpy(bytes, &layout, sizeof layout);
}

/// Checks what `TensorMap` has as an enumeration.
static std::string checkEnumerations(const Layout &layout) {
  for (uint8_t byte : layout.reserved)
    if (byte)
      return expected("a tensor map",
                      "128 bytes with other contents in its reserved fields");
  if (layout.isIm2col > 1)
    return expected("a tensor map of kind 0 (tiled) or 1 (im2col)",
                    std::to_string(layout.isIm2col));
  if (std::string message = checkType(layout.type); !message.empty())
    return message;
  if (std::string message = checkInterleave(layout.interleave);
      !message.empty())
    return message;
  if (std::string message = checkSwizzle(layout.swizzle); !message.empty())
    return message;
  if (std::string message = checkL2Promotion(layout.l2Promotion);
      !message.empty())
    return message;
  if (std::string message = checkFill(layout.fill); !message.empty())
    return message;
  return checkRank(uint32_t(layout.rankMinusOne) + 1);
}

std::string ptxsim::decode(const uint8_t *bytes, TensorMap &map) {
  Layout layout = load(bytes);
  if (std::string message = checkEnumerations(layout); !message.empty())
    return message;
  map = TensorMap();
  map.isIm2col = layout.isIm2col;
  map.type = TensorType(layout.type);
  map.interleave = TensorInterleave(layout.interleave);
  map.swizzle = TensorSwizzle(layout.swizzle);
  map.l2Promotion = TensorL2Promotion(layout.l2Promotion);
  map.fill = TensorFill(layout.fill);
  map.rank = uint32_t(layout.rankMinusOne) + 1;
  map.address = layout.address;
  map.stride[0] = map.unitBytes();
  for (uint32_t i = 0; i < map.rank; ++i) {
    map.dim[i] = layout.dim[i];
    if (i > 0)
      map.stride[i] = layout.stride[i - 1];
    map.box[i] = layout.box[i];
    map.elementStride[i] = layout.elementStride[i];
  }
  if (map.interleave == TensorInterleave::None)
    map.elementStride[0] = 1;
  for (uint32_t i = 0; i < 3; ++i) {
    map.lower[i] = layout.lower[i];
    map.upper[i] = layout.upper[i];
  }
  map.channels = layout.channels;
  map.pixels = layout.pixels;
  return checkMap(map);
}

//===----------------------------------------------------------------------===//
// The driver's functions
//===----------------------------------------------------------------------===//

/// Checks and sets what both kinds of maps have. A null address is fine (since
/// CUDA 12.6): grouped multiplications make such maps and set it later.
template <typename Parameters>
static std::string setCommon(const Parameters &parameters, const uint8_t *bytes,
                             TensorMap &map) {
  if (!bytes)
    return expected("tensorMap that points to 128 bytes", "null");
  if (reinterpret_cast<uintptr_t>(bytes) % 64)
    return expected("tensorMap aligned to 64 bytes",
                    inHex(reinterpret_cast<uintptr_t>(bytes)));
  for (std::string message :
       {checkType(parameters.dataType), checkRank(parameters.rank),
        checkInterleave(parameters.interleave),
        checkSwizzle(parameters.swizzle),
        checkL2Promotion(parameters.l2Promotion),
        checkFill(parameters.oobFill)})
    if (!message.empty())
      return message;
  if (!parameters.globalDim)
    return expected("globalDim of tensorRank elements", "null");
  if (!parameters.globalStrides && parameters.rank > 1)
    return expected("globalStrides of tensorRank - 1 elements", "null");
  if (!parameters.elementStrides)
    return expected("elementStrides of tensorRank elements", "null");
  map.type = TensorType(parameters.dataType);
  map.rank = parameters.rank;
  map.address = parameters.globalAddress;
  map.interleave = TensorInterleave(parameters.interleave);
  map.swizzle = TensorSwizzle(parameters.swizzle);
  map.l2Promotion = TensorL2Promotion(parameters.l2Promotion);
  map.fill = TensorFill(parameters.oobFill);
  map.stride[0] = map.unitBytes();
  for (uint32_t i = 0; i < map.rank; ++i) {
    map.dim[i] = parameters.globalDim[i];
    if (i > 0)
      map.stride[i] = parameters.globalStrides[i - 1];
    map.elementStride[i] = parameters.elementStrides[i];
  }
  if (map.interleave == TensorInterleave::None)
    map.elementStride[0] = 1;
  return "";
}

static std::string checkAndStore(const TensorMap &map, uint8_t *bytes) {
  if (std::string message = checkMap(map); !message.empty())
    return message;
  if (std::string message = checkRows(map); !message.empty())
    return message;
  store(map, bytes);
  return "";
}

std::string ptxsim::encodeTiled(const TiledParameters &parameters,
                                uint8_t *bytes) {
  TensorMap map;
  if (std::string message = setCommon(parameters, bytes, map); !message.empty())
    return message;
  if (!parameters.boxDim)
    return expected("boxDim of tensorRank elements", "null");
  for (uint32_t i = 0; i < map.rank; ++i)
    map.box[i] = parameters.boxDim[i];
  return checkAndStore(map, bytes);
}

std::string ptxsim::encodeIm2col(const Im2colParameters &parameters,
                                 uint8_t *bytes) {
  TensorMap map;
  map.isIm2col = true;
  if (std::string message = setCommon(parameters, bytes, map); !message.empty())
    return message;
  if (map.rank < 3)
    return expected("tensorRank from 3 to 5 for im2col",
                    std::to_string(map.rank));
  if (!parameters.pixelBoxLowerCorner)
    return expected("pixelBoxLowerCorner of tensorRank - 2 elements", "null");
  if (!parameters.pixelBoxUpperCorner)
    return expected("pixelBoxUpperCorner of tensorRank - 2 elements", "null");
  for (uint32_t i = 0; i < map.rank - 2; ++i) {
    map.lower[i] = parameters.pixelBoxLowerCorner[i];
    map.upper[i] = parameters.pixelBoxUpperCorner[i];
  }
  map.channels = parameters.channelsPerPixel;
  map.pixels = parameters.pixelsPerColumn;
  return checkAndStore(map, bytes);
}

std::string ptxsim::encodeIm2colWide() {
  return expected("a device of compute capability 10.0 for "
                  "cuTensorMapEncodeIm2colWide",
                  "9.0");
}

std::string ptxsim::replaceAddress(uint8_t *bytes, uint64_t globalAddress) {
  if (!bytes)
    return expected("tensorMap that points to 128 bytes", "null");
  TensorMap map;
  if (std::string message = decode(bytes, map); !message.empty())
    return message;
  map.address = globalAddress;
  return checkAndStore(map, bytes);
}

//===----------------------------------------------------------------------===//
// tensormap.replace
//===----------------------------------------------------------------------===//

/// Translates PTX's numbers of types, which differ from the driver's.
static std::string translateType(uint64_t value, uint8_t &result) {
  static constexpr TensorType types[] = {
      TensorType::U8,     TensorType::U16, TensorType::U32,  TensorType::S32,
      TensorType::U64,    TensorType::S64, TensorType::F16,  TensorType::F32,
      TensorType::F32Ftz, TensorType::F64, TensorType::BF16, TensorType::TF32,
      TensorType::TF32Ftz};
  if (value >= std::size(types))
    return expected("elemtype of sm_90a, from 0 to 12", std::to_string(value));
  result = uint8_t(types[value]);
  return "";
}

/// Sets a field that the map has once.
static std::string replaceSingle(Layout &layout, TensorMapField field,
                                 uint64_t value) {
  switch (field) {
  case TensorMapField::GlobalAddress:
    layout.address = value;
    return checkAddress(value);
  case TensorMapField::Rank:
    if (value >= maxTensorRank)
      return expected("rank - 1 from 0 to 4", std::to_string(value));
    layout.rankMinusOne = uint8_t(value);
    return "";
  case TensorMapField::ElementType:
    return translateType(value, layout.type);
  case TensorMapField::InterleaveLayout:
    if (value > 2)
      return expected("interleave_layout from 0 to 2", std::to_string(value));
    layout.interleave = uint8_t(value);
    return "";
  case TensorMapField::SwizzleMode:
    if (value > 3)
      return expected("swizzle_mode of sm_90a, from 0 to 3",
                      std::to_string(value));
    layout.swizzle = uint8_t(value);
    return "";
  default: // FillMode
    if (value > 1)
      return expected("fill_mode 0 or 1", std::to_string(value));
    layout.fill = uint8_t(value);
    return "";
  }
}

/// Sets a field that the map has for each dimension.
static std::string replaceOrdinal(Layout &layout, TensorMapField field,
                                  uint32_t ordinal, uint64_t value) {
  uint32_t count = field == TensorMapField::GlobalStride ? 4 : 5;
  if (ordinal >= count)
    return expected("an ordinal from 0 to " + std::to_string(count - 1),
                    std::to_string(ordinal));
  switch (field) {
  case TensorMapField::BoxDim:
    layout.box[ordinal] = uint16_t(value);
    return checkBox(ordinal, value);
  case TensorMapField::GlobalDim:
    layout.dim[ordinal] = value;
    return checkDim(ordinal, value);
  case TensorMapField::GlobalStride:
    layout.stride[ordinal] = value;
    return checkStride(ordinal, value);
  default:
    layout.elementStride[ordinal] = uint8_t(value);
    return checkElementStride(ordinal, value);
  }
}

std::string ptxsim::replaceField(uint8_t *bytes, TensorMapField field,
                                 uint32_t ordinal, uint64_t value) {
  Layout layout = load(bytes);
  if (std::string message = checkEnumerations(layout); !message.empty())
    return message;
  if (layout.isIm2col)
    return expected("a tiled map for tensormap.replace.tile", "an im2col map");
  bool hasOrdinal =
      field >= TensorMapField::BoxDim && field <= TensorMapField::ElementStride;
  std::string message = hasOrdinal
                            ? replaceOrdinal(layout, field, ordinal, value)
                            : replaceSingle(layout, field, value);
  if (message.empty())
    std::memcpy(bytes, &layout, sizeof layout);
  return message;
}
