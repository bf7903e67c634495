// The query rows of a consumer in the attention of prompts: where they come
// from, and where their results go.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_FLASHROWS_H
#define TCC_COMPILER_CODEGEN_NVPTX_FLASHROWS_H

#include "compiler/codegen/nvptx/FlashPieces.h"
#include "compiler/codegen/nvptx/Softmax.h"

namespace mlir::tcc::nvptx {

/// For the threads of one consumer.
class FlashRows {
public:
  FlashRows(Emitter &emitter, kernel::AttentionOp op, const KernelFrame &frame,
            const FlashLayout &layout)
      : emitter(emitter), hopper(emitter), op(op), cache(op.getCache()),
        frame(frame), layout(layout) {}

  /// Sets which rows are those of this thread in consumer number `consumer`.
  void begin(Value consumer, Value shared);

  /// Copies the query rows of the consumer to its shared memory, as a copy with
  /// a swizzle would.
  void copyQueries(const FlashPiece &piece);
  /// Stores the rows of this thread.
  void store(const FlashPiece &piece, const Softmax &state);

  /// The query row of the piece that a thread has: its first one, or 8 after.
  Value rowOf(int64_t half) const { return emitter.add(firstRow, half * 8); }

  Value member;  ///< The first of two columns in each 8, divided by 2.
  Value queries; ///< Of the consumer, in shared memory.

private:
  SmallVector<Value> loadQueryPiece(const FlashPiece &piece, Value row,
                                    Value number);
  void storePair(ArrayRef<Value> pair, Value target, Value head,
                 int64_t firstColumn);

  Emitter &emitter;
  Hopper hopper;
  kernel::AttentionOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  const FlashLayout &layout;
  Value consumer; ///< Its number.
  Value firstRow; ///< Of the block's rows, of this thread.
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_FLASHROWS_H
