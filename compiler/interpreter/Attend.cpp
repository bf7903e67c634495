#include "compiler/interpreter/Attend.h"

#include "compiler/interpreter/Softmax.h"
#include "llvm/ADT/STLExtras.h"

#include <limits>
#include <vector>

using namespace mlir;

/// The scores of one head, [S].
static std::vector<double> scoresOf(const tcc::AttentionShape &shape,
                                    const double *query,
                                    ArrayRef<const double *> keys,
                                    int64_t group) {
  std::vector<double> scores;
  for (const double *key : keys) {
    double sum = 0;
    for (int64_t d = 0; d < shape.keySize; ++d)
      sum += query[d] * key[group * shape.keySize + d];
    scores.push_back(shape.scale * sum);
  }
  return scores;
}

void tcc::attend(const AttentionShape &shape, const double *query,
                 ArrayRef<const double *> keys,
                 ArrayRef<const double *> values, double *result) {
  int64_t valueSize = shape.valueSize;
  if (keys.empty()) {
    std::fill_n(result, shape.queryHeads * valueSize,
                std::numeric_limits<double>::quiet_NaN());
    return;
  }
  for (int64_t h = 0; h < shape.queryHeads; ++h) {
    int64_t group = h / (shape.queryHeads / shape.keyValueHeads);
    std::vector<double> weights =
        scoresOf(shape, query + h * shape.keySize, keys, group);
    softmax(weights);
    double *output = result + h * valueSize;
    std::fill_n(output, valueSize, 0.0);
    for (auto [weight, value] : llvm::zip_equal(weights, values))
      for (int64_t e = 0; e < valueSize; ++e)
        output[e] += weight * value[group * valueSize + e];
  }
}
