// Tensor maps: what cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col write,
// tensormap.replace changes and the bulk tensor copies read.
//
// NVIDIA's 128 bytes are opaque, so these are our own: every field at its own
// bytes, nothing that depends on where the map lies, and no mark that only the
// driver could set. A map may therefore be copied like any bytes, and one that
// begins as 128 zero bytes becomes valid when tensormap.replace has set its
// fields. Sources: cuda.h of CUDA 13.0 (the rules of the two functions); PTX
// ISA 9.0, sections 5.5 (tensors) and 9.7.9.26 (tensormap.replace).

#ifndef TCC_TOOLS_PTXSIM_TENSOR_TENSORMAP_H
#define TCC_TOOLS_PTXSIM_TENSOR_TENSORMAP_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace ptxsim {

constexpr size_t tensorMapBytes = 128;
constexpr uint32_t maxTensorRank = 5;

/// Values of CUtensorMapDataType. Types from U4x16Align8 on need compute
/// capability 10.0 and are refused.
enum class TensorType : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F64,
  BF16,
  F32Ftz,
  TF32,
  TF32Ftz,
  U4x16Align8,
  U4x16Align16,
  U6x16Align16,
};

/// Values of CUtensorMapInterleave.
enum class TensorInterleave : uint8_t { None, Bytes16, Bytes32 };

/// Values of CUtensorMapSwizzle. Those with an atom of more than 16 bytes need
/// compute capability 10.0 and are refused.
enum class TensorSwizzle : uint8_t {
  None,
  Bytes32,
  Bytes64,
  Bytes128,
  Bytes128Atom32,
  Bytes128Atom32Flip8,
  Bytes128Atom64,
};

/// Values of CUtensorMapL2promotion.
enum class TensorL2Promotion : uint8_t { None, Bytes64, Bytes128, Bytes256 };

/// Values of CUtensorMapFloatOOBfill.
enum class TensorFill : uint8_t { Zero, NaN };

/// Returns the bytes of an element; the types that are refused have none.
constexpr uint32_t bytesOf(TensorType type) {
  switch (type) {
  case TensorType::U8:
    return 1;
  case TensorType::U16:
  case TensorType::F16:
  case TensorType::BF16:
    return 2;
  case TensorType::U32:
  case TensorType::S32:
  case TensorType::F32:
  case TensorType::F32Ftz:
  case TensorType::TF32:
  case TensorType::TF32Ftz:
    return 4;
  case TensorType::U64:
  case TensorType::S64:
  case TensorType::F64:
    return 8;
  default:
    return 0;
  }
}

constexpr bool isFloat(TensorType type) {
  return type >= TensorType::F16 && type <= TensorType::TF32Ftz;
}

/// Returns the name of the type as PTX has it, as in "bf16".
const char *nameOf(TensorType type);

/// Returns the bytes of a swizzle's span, or 0 for none.
constexpr uint32_t spanOf(TensorSwizzle swizzle) {
  return swizzle == TensorSwizzle::None      ? 0
         : swizzle == TensorSwizzle::Bytes32 ? 32
         : swizzle == TensorSwizzle::Bytes64 ? 64
                                             : 128;
}

/// Returns the bytes of a slice of channels, or 0 if there are none.
constexpr uint32_t sliceOf(TensorInterleave interleave) {
  return 16 * uint32_t(interleave);
}

/// A tensor map in words. Entry 0 of the arrays is the innermost dimension.
///
/// With an interleave the channels are in slices of 16 or 32 bytes and the
/// dimensions are W, H, D, slices, N, of which rank 4 lacks D and rank 3 also
/// H: dimension 0 counts slices, which follow each other, and dimension rank -
/// 2 counts groups of channels, of which a copy takes one. Without, they are C,
/// W, H, D, N.
struct TensorMap {
  bool isIm2col = false;
  TensorType type = TensorType::U8;
  TensorInterleave interleave = TensorInterleave::None;
  TensorSwizzle swizzle = TensorSwizzle::None;
  TensorL2Promotion l2Promotion = TensorL2Promotion::None;
  TensorFill fill = TensorFill::Zero;
  uint32_t rank = 1;
  uint64_t address = 0;
  std::array<uint64_t, 5> dim = {};    ///< In elements, or slices.
  std::array<uint64_t, 5> stride = {}; ///< In bytes; entry 0 is an element.
  std::array<uint32_t, 5> box = {};    ///< In elements, before striding; tiled.
  std::array<uint32_t, 5> elementStride = {};
  /// The corners of the box of filter positions, as W, H, D; im2col.
  std::array<int32_t, 3> lower = {}, upper = {};
  uint32_t channels = 0; ///< Of a pixel, to be copied; im2col.
  uint32_t pixels = 0;   ///< To be copied; im2col.

  /// Bytes of what dimension 0 counts.
  uint32_t unitBytes() const {
    return interleave == TensorInterleave::None ? bytesOf(type)
                                                : sliceOf(interleave);
  }
  /// Where W is among the dimensions.
  uint32_t firstSpatial() const {
    return interleave == TensorInterleave::None ? 1 : 0;
  }
};

/// Parameters of cuTensorMapEncodeTiled, as the caller gave them.
struct TiledParameters {
  uint32_t dataType = 0;
  uint32_t rank = 0;
  uint64_t globalAddress = 0;
  const uint64_t *globalDim = nullptr;      ///< [rank]
  const uint64_t *globalStrides = nullptr;  ///< [rank - 1], in bytes.
  const uint32_t *boxDim = nullptr;         ///< [rank]
  const uint32_t *elementStrides = nullptr; ///< [rank]
  uint32_t interleave = 0;
  uint32_t swizzle = 0;
  uint32_t l2Promotion = 0;
  uint32_t oobFill = 0;
};

/// Parameters of cuTensorMapEncodeIm2col, as the caller gave them.
struct Im2colParameters {
  uint32_t dataType = 0;
  uint32_t rank = 0;
  uint64_t globalAddress = 0;
  const uint64_t *globalDim = nullptr;          ///< [rank]
  const uint64_t *globalStrides = nullptr;      ///< [rank - 1], in bytes.
  const int32_t *pixelBoxLowerCorner = nullptr; ///< [rank - 2]: W, H, D.
  const int32_t *pixelBoxUpperCorner = nullptr; ///< [rank - 2]: W, H, D.
  uint32_t channelsPerPixel = 0;
  uint32_t pixelsPerColumn = 0;
  const uint32_t *elementStrides = nullptr; ///< [rank]
  uint32_t interleave = 0;
  uint32_t swizzle = 0;
  uint32_t l2Promotion = 0;
  uint32_t oobFill = 0;
};

/// Checks the parameters and writes the map.
///
/// \returns empty, or what is wrong, naming the parameter; then `map` is as it
/// was.
[[nodiscard]] std::string encodeTiled(const TiledParameters &parameters,
                                      uint8_t *map);

/// Checks the parameters and writes the map, like `encodeTiled`.
[[nodiscard]] std::string encodeIm2col(const Im2colParameters &parameters,
                                       uint8_t *map);

/// Returns why cuTensorMapEncodeIm2colWide fails: Hopper has no such maps.
std::string encodeIm2colWide();

/// Changes the address of a map as cuTensorMapReplaceAddress does.
///
/// \returns empty, or what is wrong.
[[nodiscard]] std::string replaceAddress(uint8_t *map, uint64_t globalAddress);

/// Reads the map for a copy. Any 128 bytes will do.
///
/// \returns empty, or what makes it no map; then `result` is unspecified.
[[nodiscard]] std::string decode(const uint8_t *map, TensorMap &result);

/// The fields of tensormap.replace.
enum class TensorMapField : uint8_t {
  GlobalAddress,
  Rank,
  BoxDim,
  GlobalDim,
  GlobalStride,
  ElementStride,
  ElementType,
  InterleaveLayout,
  SwizzleMode,
  FillMode,
};

/// Performs tensormap.replace.tile: sets `field` (of dimension `ordinal` where
/// it has one for each) to what PTX encodes as `value`. Only the value itself
/// is checked, since the map may be unfinished.
///
/// \returns empty, or what is wrong; then `map` is as it was.
[[nodiscard]] std::string replaceField(uint8_t *map, TensorMapField field,
                                       uint32_t ordinal, uint64_t value);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_TENSOR_TENSORMAP_H
