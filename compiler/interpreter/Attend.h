// The attention of one token, which attention with and without a cache share.

#ifndef TCC_COMPILER_INTERPRETER_ATTEND_H
#define TCC_COMPILER_INTERPRETER_ATTEND_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace mlir::tcc {

/// Sizes and scale of an attention: `H` query heads, `G` key/value heads, head
/// sizes `D` of keys and `E` of values.
struct AttentionShape {
  int64_t queryHeads, keyValueHeads, keySize, valueSize;
  double scale;
};

/// Computes, for every head h and g = h / (H / G),
///
///   p[s]         = softmax_s(scale * dot(query[h, :], keys[s][g, :]))
///   result[h, :] = sum_s p[s] * values[s][g, :]
///
/// `query` is [H, D], each of `keys` [G, D], each of `values` [G, E], `result`
/// [H, E]. Without keys the result is NaN, as 0 / 0 is.
void attend(const AttentionShape &shape, const double *query,
            ArrayRef<const double *> keys, ArrayRef<const double *> values,
            double *result);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_ATTEND_H
