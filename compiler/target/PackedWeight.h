// The bytes of a weight as the kernels of a target read them.

#ifndef TCC_COMPILER_TARGET_PACKEDWEIGHT_H
#define TCC_COMPILER_TARGET_PACKEDWEIGHT_H

#include "compiler/target/StoredWeights.h"
#include "dialects/kernel/Kernel.h"

#include <memory>

namespace mlir::tcc {

/// A weight in memory: a matrix, or a stack of matrices one after another, each
/// of parts that can be packed alone, on different threads.
class PackedWeight {
public:
  virtual ~PackedWeight() = default;

  /// Parts of a matrix.
  virtual int64_t getParts() const = 0;

  /// Bytes of the parts of a matrix before part `part`, a multiple of 16; of
  /// all parts if `part` is their number, a multiple of 64.
  virtual int64_t getOffset(int64_t part) const = 0;

  /// Packs the parts [first, last) of `matrix` to `out`, which is aligned as
  /// they are in a matrix that is aligned to 64 bytes.
  virtual void pack(const SourceMatrix &matrix, int64_t first, int64_t last,
                    uint8_t *out) const = 0;

  int64_t getMatrixBytes() const { return getOffset(getParts()); }
};

/// Makes `weight`, static, in `packing`: [N, K], or [K, N] if `transposed`, or
/// a stack of such matrices. Null, with an error, if the packing has no such
/// form.
std::unique_ptr<PackedWeight>
createPackedWeight(ShapedType weight, kernel::PackingAttrInterface packing,
                   bool transposed,
                   llvm::function_ref<InFlightDiagnostic()> emitError);

} // namespace mlir::tcc

#endif // TCC_COMPILER_TARGET_PACKEDWEIGHT_H
