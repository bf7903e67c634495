// Pieces of work of the attention of prompts.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_FLASHPIECES_H
#define TCC_COMPILER_CODEGEN_NVPTX_FLASHPIECES_H

#include "compiler/codegen/nvptx/FlashLayout.h"

namespace mlir::tcc::nvptx {

/// Query rows of a block of threads: neighbouring tokens of one sequence. It is
/// all i32, as is what consumers keep: they have few registers to spare.
struct FlashPiece {
  Value keyHead, token, sequence, position;
  Value rows;   ///< Query rows: tokens times query heads of the key/value head.
  Value pages;  ///< That hold positions up to the one of the last row.
  Value stages; ///< Of positions.
};

/// Deals pieces out to blocks.
class FlashPieces {
public:
  using Body = llvm::function_ref<Value(const FlashPiece &, Value)>;

  FlashPieces(Emitter &emitter, kernel::AttentionOp op,
              const KernelFrame &frame, const FlashLayout &layout)
      : emitter(emitter), cache(op.getCache()), frame(frame), layout(layout) {}

  /// Calls `body` for all pieces of this block, with the number of stages
  /// before; it returns the number after. Blocks take windows of tokens from
  /// the last one on, which see most of the context, for all key/value heads.
  void forPieces(Body body);

private:
  Value forPiecesOf(Value window, Value keyHead, Value counter, Body body);
  Value endOfSequence(Value token, Value end);
  Value loadWord(Value memory, Value index);
  Value sequenceOf(Value token) { return loadWord(frame.operands[2], token); }

  Emitter &emitter;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  const FlashLayout &layout;
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_FLASHPIECES_H
