// The weights of positions in the attention of prompts, in registers.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_FLASHSOFTMAX_H
#define TCC_COMPILER_CODEGEN_NVPTX_FLASHSOFTMAX_H

#include "compiler/codegen/nvptx/FlashRows.h"

namespace mlir::tcc::nvptx {

/// For the threads of consumers, of which each has two rows.
class FlashSoftmax {
public:
  FlashSoftmax(Emitter &emitter, kernel::AttentionOp op,
               const FlashLayout &layout, const FlashRows &rows)
      : emitter(emitter), hopper(emitter), op(op), layout(layout), rows(rows) {}

  /// Updates `state` by the products of a stage; returns the weights of its
  /// positions, and in `factors` by what sums of values are to be multiplied.
  SmallVector<Value> weigh(ValueRange products, const FlashPiece &piece,
                           Value stage, bool isMasked, Softmax &state,
                           Value factors[2]);
  /// Multiplies sums of values.
  void rescale(Softmax &state, Value factors[2]);
  /// Weights as a left operand in registers.
  SmallVector<Value> pack(ArrayRef<Value> weights);

private:
  void mask(MutableArrayRef<Value> weights, ArrayRef<size_t> own, int64_t half,
            const FlashPiece &piece, Value stage);

  Emitter &emitter;
  Hopper hopper;
  kernel::AttentionOp op;
  const FlashLayout &layout;
  const FlashRows &rows;
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_FLASHSOFTMAX_H
