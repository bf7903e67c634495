// Scales of e4m3 weights: f32, one for each block of 128 by 128 elements.

#ifndef TCC_FRONTENDS_MODEL_SCALES_H
#define TCC_FRONTENDS_MODEL_SCALES_H

#include <cstdint>
#include <string>
#include <vector>

namespace tcc {

/// Rows and columns of a block; those at the edges of a matrix may be smaller.
constexpr int64_t scaleBlock = 128;

/// The name of the scales of `weight`.
std::string scalesName(const std::string &weight);

/// Whether `name` is one of scales.
bool isScales(const std::string &name);

/// The shape of the scales of a matrix of `shape`.
std::vector<int64_t> scalesShape(const std::vector<int64_t> &shape);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_SCALES_H
