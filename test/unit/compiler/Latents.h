// What tests of latent attention share: sizes, a random cache and how values are
// stored.

#ifndef TCC_TEST_UNIT_COMPILER_LATENTS_H
#define TCC_TEST_UNIT_COMPILER_LATENTS_H

#include "test/unit/compiler/PagedStep.h"
#include "test/unit/compiler/Values.h"

namespace mlir::tcc::x86 {

/// Sizes of a model: heads, a latent, rotated elements, and what the cache is of.
struct LatentSizes {
  int64_t heads, latent, rotary;
  bool isBF16;

  const char *element() const { return isBF16 ? "bf16" : "f32"; }
  int64_t bytes() const { return isBF16 ? 2 : 4; }
  int64_t rowSize() const { return (latent + rotary + 31) / 32 * 32; }
};

constexpr float softmaxScale = 0.3f;

/// Sequences that begin, decode and continue amid a page, over several pages.
inline const std::vector<SequenceLengths> raggedBatch = {
    {0, 5}, {130, 1}, {63, 70}, {0, 1}, {191, 1}};

/// A buffer of `values`, rounded if they are bf16.
inline Buffer store(const std::vector<float> &values, bool isBF16) {
  return isBF16 ? Buffer(toBF16(values)) : Buffer(values);
}

/// The elements of `buffer` as f32.
inline std::vector<float> load(const Buffer &buffer, bool isBF16) {
  return isBF16 ? fromBF16(buffer.values<uint16_t>()) : buffer.values<float>();
}

/// `values` as they are after they were stored.
inline std::vector<float> rounded(std::vector<float> values, bool isBF16) {
  return isBF16 ? fromBF16(toBF16(values)) : values;
}

/// ||got - expected|| / ||expected||, each over `count` elements.
inline double relativeError(const float *got, const double *expected,
                            int64_t count) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < count; ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(difference / norm);
}

/// The elements of all pages of `step`. They are zero where nothing was appended.
inline std::vector<float> randomLatents(std::mt19937 &random,
                                        const LatentSizes &sizes,
                                        const PagedStep &step) {
  std::vector<float> cache(step.pageCount * PagedStep::pageTokens *
                           sizes.rowSize());
  for (size_t s = 0; s < step.lengths.size(); ++s) {
    auto [cached, added] = step.lengths[s];
    for (int64_t i = 0; i < cached + added; ++i) {
      std::vector<float> row = rounded(
          randomFloats(random, sizes.latent + sizes.rotary), sizes.isBF16);
      std::copy(row.begin(), row.end(),
                &cache[step.rowOf(static_cast<int64_t>(s), i) *
                       sizes.rowSize()]);
    }
  }
  return cache;
}

} // namespace mlir::tcc::x86

#endif // TCC_TEST_UNIT_COMPILER_LATENTS_H
