// Random elements for tests of kernels, roundings written from their
// definitions, and comparisons of rows.

#ifndef TCC_TEST_UNIT_COMPILER_VALUES_H
#define TCC_TEST_UNIT_COMPILER_VALUES_H

#include "gtest/gtest.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace mlir::tcc {

inline std::vector<float> randomFloats(std::mt19937 &random, int64_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(random);
  return values;
}

/// The bits of the nearest bf16, ties to even; a NaN stays one.
inline uint16_t toBF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if (std::isnan(value))
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

inline float fromBF16(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}

inline std::vector<uint16_t> toBF16(const std::vector<float> &values) {
  std::vector<uint16_t> result;
  for (float value : values)
    result.push_back(toBF16(value));
  return result;
}

inline std::vector<float> fromBF16(const std::vector<uint16_t> &values) {
  std::vector<float> result;
  for (uint16_t value : values)
    result.push_back(fromBF16(value));
  return result;
}

/// Expects row `row` of `actual` to be near `expected`, by the length of the
/// difference.
inline void expectRow(const std::vector<float> &actual, int64_t row,
                      const std::vector<double> &expected, double tolerance) {
  double error = 0, length = 0;
  for (size_t n = 0; n < expected.size(); ++n) {
    double difference = actual[row * expected.size() + n] - expected[n];
    error += difference * difference;
    length += expected[n] * expected[n];
  }
  EXPECT_LE(std::sqrt(error), tolerance * std::sqrt(length)) << "row " << row;
}

} // namespace mlir::tcc

#endif // TCC_TEST_UNIT_COMPILER_VALUES_H
