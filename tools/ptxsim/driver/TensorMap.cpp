// Tensor maps.

#include "tools/ptxsim/tensor/TensorMap.h"

#include "tools/ptxsim/driver/Driver.h"

namespace ptxsim::driver {

/// Runs `body()`, which says what is wrong, for a call that writes `map`.
template <typename Body>
static CUresult encode(const char *name, const void *map, Body body) {
  return withDriver(name, [&](Call &call) -> CUresult {
    std::string message;
    if (reinterpret_cast<uintptr_t>(map) % 64 != 0)
      message = "expected tensorMap at a multiple of 64 bytes, got an address "
                "that is none";
    else
      message = body();
    if (message.empty())
      return CUDA_SUCCESS;
    call.driver.complain(std::string(name) + ": " + message);
    return CUDA_ERROR_INVALID_VALUE;
  });
}

PTXSIM_API cuTensorMapEncodeTiled(void *map, uint32_t type, uint32_t rank,
                                  void *address, const uint64_t *dimensions,
                                  const uint64_t *strides, const uint32_t *box,
                                  const uint32_t *elementStrides,
                                  uint32_t interleave, uint32_t swizzle,
                                  uint32_t promotion, uint32_t fill) {
  return encode("cuTensorMapEncodeTiled", map, [&] {
    TiledParameters parameters;
    parameters.dataType = type;
    parameters.rank = rank;
    parameters.globalAddress = reinterpret_cast<uint64_t>(address);
    parameters.globalDim = dimensions;
    parameters.globalStrides = strides;
    parameters.boxDim = box;
    parameters.elementStrides = elementStrides;
    parameters.interleave = interleave;
    parameters.swizzle = swizzle;
    parameters.l2Promotion = promotion;
    parameters.oobFill = fill;
    return encodeTiled(parameters, static_cast<uint8_t *>(map));
  });
}

PTXSIM_API cuTensorMapEncodeIm2col(void *map, uint32_t type, uint32_t rank,
                                   void *address, const uint64_t *dimensions,
                                   const uint64_t *strides, const int *lower,
                                   const int *upper, uint32_t channels,
                                   uint32_t pixels,
                                   const uint32_t *elementStrides,
                                   uint32_t interleave, uint32_t swizzle,
                                   uint32_t promotion, uint32_t fill) {
  return encode("cuTensorMapEncodeIm2col", map, [&] {
    Im2colParameters parameters;
    parameters.dataType = type;
    parameters.rank = rank;
    parameters.globalAddress = reinterpret_cast<uint64_t>(address);
    parameters.globalDim = dimensions;
    parameters.globalStrides = strides;
    parameters.pixelBoxLowerCorner = lower;
    parameters.pixelBoxUpperCorner = upper;
    parameters.channelsPerPixel = channels;
    parameters.pixelsPerColumn = pixels;
    parameters.elementStrides = elementStrides;
    parameters.interleave = interleave;
    parameters.swizzle = swizzle;
    parameters.l2Promotion = promotion;
    parameters.oobFill = fill;
    return encodeIm2col(parameters, static_cast<uint8_t *>(map));
  });
}

PTXSIM_API cuTensorMapEncodeIm2colWide(void *map, uint32_t, uint32_t, void *,
                                       const uint64_t *, const uint64_t *, int,
                                       int, uint32_t, uint32_t,
                                       const uint32_t *, uint32_t, uint32_t,
                                       uint32_t, uint32_t, uint32_t) {
  return encode("cuTensorMapEncodeIm2colWide", map,
                [] { return encodeIm2colWide(); });
}

PTXSIM_API cuTensorMapReplaceAddress(void *map, void *address) {
  return encode("cuTensorMapReplaceAddress", map, [&] {
    return replaceAddress(static_cast<uint8_t *>(map),
                          reinterpret_cast<uint64_t>(address));
  });
}

} // namespace ptxsim::driver
