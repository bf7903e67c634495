// What the interpreter computes with.

#ifndef TCC_COMPILER_INTERPRETER_TENSOR_H
#define TCC_COMPILER_INTERPRETER_TENSOR_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

namespace mlir::tcc {

/// A dense tensor, row-major, in f64. Integers, indices and booleans are held as
/// f64 too, which is exact up to 2^53. A scalar has rank 0.
struct Tensor {
  SmallVector<int64_t> shape;
  std::vector<double> values;

  Tensor() = default;
  Tensor(ArrayRef<int64_t> shape, std::vector<double> values)
      : shape(shape), values(std::move(values)) {}

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }

  /// The length of the last dimension; 1 of a scalar.
  int64_t columns() const { return shape.empty() ? 1 : shape.back(); }

  /// The product of all dimensions but the last.
  int64_t rows() const {
    return shape.empty()
               ? 1
               : std::accumulate(shape.begin(), shape.end() - 1, int64_t(1),
                                 std::multiplies<int64_t>());
  }
};

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_TENSOR_H
