// The sum of products that all linear layers share.

#ifndef TCC_COMPILER_INTERPRETER_DOT_H
#define TCC_COMPILER_INTERPRETER_DOT_H

#include <cstdint>

namespace mlir::tcc {

/// The sum of products of `left` and `right`, both [size]. The number and order
/// of its partial sums are fixed, so that the sum of a row does not depend on
/// where the row stands.
inline double dot(const double *left, const double *right, int64_t size) {
  constexpr int64_t lanes = 8;
  double partial[lanes] = {};
  int64_t k = 0;
  for (; k + lanes <= size; k += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      partial[lane] += left[k + lane] * right[k + lane];
  double sum = 0;
  for (double lane : partial)
    sum += lane;
  for (; k < size; ++k)
    sum += left[k] * right[k];
  return sum;
}

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_DOT_H
