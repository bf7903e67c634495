// The softmax that attention, routers and the op of that name share.

#ifndef TCC_COMPILER_INTERPRETER_SOFTMAX_H
#define TCC_COMPILER_INTERPRETER_SOFTMAX_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"

#include <algorithm>
#include <cmath>

namespace mlir::tcc {

/// Replaces `scores` by exp(score) / sum of exp(score); none stay none.
inline void softmax(MutableArrayRef<double> scores) {
  if (scores.empty())
    return;
  double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double &score : scores)
    sum += score = std::exp(score - largest);
  for (double &score : scores)
    score /= sum;
}

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_SOFTMAX_H
