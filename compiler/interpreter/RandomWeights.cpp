#include "compiler/interpreter/Rounding.h"
#include "compiler/interpreter/WeightSource.h"
#include "llvm/Support/xxhash.h"

#include <cmath>

using namespace mlir;

/// Scrambles 64 bits: the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", 2014).
static uint64_t scramble(uint64_t bits) {
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
  return bits ^ bits >> 31;
}

/// Where the stream of `name` starts.
static uint64_t streamOf(uint64_t seed, StringRef name) {
  return scramble(llvm::xxh3_64bits(name) + scramble(seed + 1));
}

static double elementOf(uint64_t stream, int64_t index) {
  uint64_t bits = scramble(stream + static_cast<uint64_t>(index) *
                                        0x9e3779b97f4a7c15);
  double uniform = std::ldexp(static_cast<double>(bits >> 11), -53);
  return std::sqrt(3.0) * (2 * uniform - 1);
}

double tcc::randomElement(uint64_t seed, StringRef name, int64_t index) {
  return elementOf(streamOf(seed, name), index);
}

LogicalResult
tcc::RandomWeights::check(const StoredTensor &,
                          function_ref<InFlightDiagnostic()>) {
  return success();
}

void tcc::RandomWeights::read(const StoredTensor &tensor, int64_t first,
                              int64_t count, double *result) const {
  RankedTensorType type = tensor.type;
  bool isVector = type.getRank() == 1;
  int64_t columns = type.getShape().back();
  double mean = isVector && !StringRef(tensor.name).contains("bias") ? 1.0 : 0.0;
  double deviation = isVector ? 0.25 : 1 / std::sqrt(double(columns));
  uint64_t stream = streamOf(seed, tensor.name);
  for (int64_t i = 0; i < count * columns; ++i)
    result[i] = mean + deviation * elementOf(stream, first * columns + i);
  roundAll(type.getElementType(), {result, static_cast<size_t>(count * columns)});
}
