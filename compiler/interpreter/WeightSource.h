// Where the interpreter takes weights from.

#ifndef TCC_COMPILER_INTERPRETER_WEIGHTSOURCE_H
#define TCC_COMPILER_INTERPRETER_WEIGHTSOURCE_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"

#include <string>

namespace mlir::tcc {

/// A tensor of a checkpoint, and how it is stored there.
struct StoredTensor {
  std::string name;
  RankedTensorType type;
  std::string scales; ///< The name of its scales if its elements are scaled.
};

/// Gives the values of the tensors of a checkpoint, in f64.
///
/// Threads: `read` may be called by several at once.
class WeightSource {
public:
  virtual ~WeightSource() = default;

  /// Says whether `tensor` can be read as it says; if not, why, by `emitError`.
  virtual LogicalResult check(const StoredTensor &tensor,
                              function_ref<InFlightDiagnostic()> emitError) = 0;

  /// Writes rows [first, first + count) of `tensor`, which `check` accepted, to
  /// `result` [count, columns]. A tensor of rank 1 is one row.
  virtual void read(const StoredTensor &tensor, int64_t first, int64_t count,
                    double *result) const = 0;
};

/// Random weights, a function of the seed, the name of the tensor and the index
/// of the element alone, so that a pass that merges, renames or reorders
/// weights does not change them.
///
/// Matrices have variance 1 / columns, so that activations keep their size from
/// layer to layer. Vectors vary around 0 if the name contains "bias" and around
/// 1 otherwise. Values are rounded to f32, f16 and bf16, as a checkpoint would
/// hold them, and not to blocks; scales are none.
class RandomWeights : public WeightSource {
public:
  explicit RandomWeights(uint64_t seed) : seed(seed) {}

  LogicalResult check(const StoredTensor &tensor,
                      function_ref<InFlightDiagnostic()> emitError) override;
  void read(const StoredTensor &tensor, int64_t first, int64_t count,
            double *result) const override;

private:
  uint64_t seed;
};

/// Returns element `index` of a stream of random numbers of mean 0 and variance
/// 1, uniformly distributed. `name` and `seed` choose the stream.
double randomElement(uint64_t seed, StringRef name, int64_t index);

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_WEIGHTSOURCE_H
