// The state of a softmax over the positions of a context, in registers.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_SOFTMAX_H
#define TCC_COMPILER_CODEGEN_NVPTX_SOFTMAX_H

#include "compiler/codegen/nvptx/Emitter.h"

namespace mlir::tcc::nvptx {

/// The running softmax of two query rows of a thread, and its part of the
/// weighted sums of values.
struct Softmax {
  Value largest[2];           ///< Of the scores; -infinity at first.
  Value sums[2];              ///< Of this thread's powers.
  SmallVector<Value> outputs; ///< As products have them.

  /// That of no positions, with `outputs` sums.
  static Softmax begin(Emitter &emitter, int64_t outputs);

  SmallVector<Value> flatten() const;
  static Softmax restore(ValueRange values);
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_SOFTMAX_H
