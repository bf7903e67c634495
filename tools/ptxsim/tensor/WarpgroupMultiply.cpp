// Cuts sequences of wgmma into parts that fit the buffers.

#include "tools/ptxsim/tensor/WarpgroupMultiply.h"

#include "tools/ptxsim/tensor/WarpgroupPack.h"

#include <algorithm>

using namespace ptxsim;
using namespace ptxsim::warpgroup;

/// So many k of 16 rows and of 256 columns stay near the core. Those of single
/// bits come 128 at a time.
static constexpr uint32_t usualUnits = 64;
static constexpr uint32_t maxUnits = 128;
static constexpr uint32_t maxSteps = usualUnits / 8;

struct WarpgroupMultiplier::Buffers {
  alignas(64) float a[64 * maxUnits];
  alignas(64) float b[256 * maxUnits];
  alignas(64) uint8_t full[maxSteps][64][64]; ///< Sparse A.
};

WarpgroupMultiplier::WarpgroupMultiplier() : buffers(new Buffers) {}
WarpgroupMultiplier::~WarpgroupMultiplier() = default;

/// Returns how many steps may be summed before the sum must be rounded.
static uint32_t stepsAtOnce(const WarpgroupShape &shape, bool isHopper) {
  if (isHopper || shape.saturates || shape.d == WarpgroupSum::F16)
    return 1;
  return std::max(usualUnits / shape.k(), 1u);
}

/// Returns the exponent of subnormals of an 8-bit float, as bits of an f32.
static uint32_t leastExponent(WarpgroupType type) {
  return (type == WarpgroupType::E4M3 ? 127 - 6 : 127 - 14) << 23;
}

void WarpgroupMultiplier::multiply(const WarpgroupShape &shape,
                                   const WarpgroupStep *steps, size_t count,
                                   const uint8_t *shared,
                                   uint32_t *const *const d[4], bool isHopper) {
  isHopper &= shape.a == WarpgroupType::E4M3 || shape.a == WarpgroupType::E5M2;
  size_t first = 0;
  for (size_t i = 0; i < count; ++i)
    if (!steps[i].scaleD)
      first = i; // What came before is overwritten.
  bool scaleD = count == 0 || steps[first].scaleD;
  const uint32_t most = stepsAtOnce(shape, isHopper);
  while (first < count) {
    uint32_t together = uint32_t(std::min<size_t>(most, count - first));
    multiplyTogether(shape, steps + first, together, shared, d, isHopper,
                     scaleD);
    scaleD = true;
    first += together;
  }
}

void WarpgroupMultiplier::multiplyTogether(const WarpgroupShape &shape,
                                           const WarpgroupStep *steps,
                                           uint32_t count,
                                           const uint8_t *shared,
                                           uint32_t *const *const d[4],
                                           bool isHopper, bool scaleD) {
  const uint32_t chunks = shape.columnBytesOfB() / 16;
  const uint32_t perChunk = 128 / bitsOf(shape.b);
  const uint32_t chunksAtOnce = std::min(maxUnits / perChunk, chunks);
  OperandA a[maxSteps];
  for (uint32_t i = 0; i < count; ++i)
    a[i] = prepareA(shape, steps[i], shared, buffers->full[i]);
  for (uint32_t chunk = 0; chunk < chunks; chunk += chunksAtOnce) {
    PackPlace place;
    place.firstChunk = chunk;
    place.endChunk = chunk + chunksAtOnce;
    place.units = count * chunksAtOnce * perChunk;
    for (uint32_t i = 0; i < count; ++i) {
      place.firstUnit = i * chunksAtOnce * perChunk;
      packB(shape, steps[i], shared, place, buffers->b);
    }
    Product product;
    product.a = buffers->a;
    product.b = buffers->b;
    product.units = place.units;
    product.n = shape.n;
    product.scaleD = scaleD;
    product.saturates = shape.saturates;
    product.leastExponentA = leastExponent(shape.a);
    product.leastExponentB = leastExponent(shape.b);
    for (uint32_t warp = 0; warp < 4; ++warp) {
      for (uint32_t i = 0; i < count; ++i) {
        place.firstUnit = i * chunksAtOnce * perChunk;
        packA(shape, a[i], warp, place, buffers->a);
      }
      if (isHopper)
        addProductLikeHopper(product, shape.d, d[warp]);
      else
        addProduct(product, shape.d, d[warp]);
    }
    scaleD = true;
  }
}
