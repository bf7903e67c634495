// Attention of few queries over long contexts, as its parts see it: operands
// (SplitOperands.cpp), the steps of a warp (SplitAttentionKernel.cpp), and how
// warps and blocks join what they have (SplitJoin.cpp).

#ifndef TCC_COMPILER_CODEGEN_NVPTX_SPLITATTENTION_H
#define TCC_COMPILER_CODEGEN_NVPTX_SPLITATTENTION_H

#include "compiler/codegen/nvptx/AttentionForms.h"
#include "compiler/codegen/nvptx/Hopper.h"
#include "compiler/codegen/nvptx/Softmax.h"

namespace mlir::tcc::nvptx {

/// Rows of a product, and positions that a warp takes at once: they are columns
/// of one product and the depth of the next.
constexpr int64_t splitHeads = 16, splitPositions = 16;
/// What lanes have of the queries of one step of K.
constexpr int64_t splitQueryBytes = warpLanes * 16;
/// Columns of one product.
constexpr int64_t splitColumns = 8;
/// Columns of values of which each lane loads 16 bytes of a row.
constexpr int64_t splitPanelColumns = 64;

/// Emits one tile: some query heads of one key/value head of one token.
class SplitAttention {
public:
  SplitAttention(Emitter &emitter, kernel::AttentionOp op,
                 const KernelFrame &frame);

  void emit();

private:
  void emitPart(Value part, Value goesOn);
  void emitRank(Value part);

  Softmax accumulate(Value part);
  SmallVector<Value> weigh(Value step, ArrayRef<Value> keys, Softmax &state);
  void addValues(ArrayRef<Value> values, ArrayRef<Value> weights,
                 Softmax &state);

  SmallVector<Value> loadVector(Value row);
  SmallVector<Value> loadPairs(Value row);
  void copyQueries(Value part);
  SmallVector<Value> queriesOf(int64_t step);
  SmallVector<Value> loadKeys(Value step, Value page);
  SmallVector<Value> loadValues(Value step, Value page);
  Value pageOf(Value step);
  Value slotOf(Value step, Value row);

  void storeSoftmax(const Softmax &state);
  void joinWarps();
  void joinBlocks(Value part);

  Value multiply(ArrayRef<Value> left, ArrayRef<Value> right, Value sums);
  Value zeros();
  Value part(Value sums, int64_t index);

  Value at(Value memory, Value row, Value column) {
    return emitter.offset(
        memory,
        emitter.multiply(emitter.add(emitter.multiply(row, pitch), column), 4));
  }
  Value statisticOf(Value memory, Value row, int64_t number) {
    return emitter.offset(memory,
                          emitter.add(emitter.multiply(row, 8), number * 4));
  }

  Emitter &emitter;
  Hopper hopper;
  kernel::AttentionOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  int64_t split, warps, parts;
  int64_t rows;  ///< Query heads of a tile.
  int64_t pitch; ///< Elements of a row of sums of values.
  Type element, sumsType;

  Value quad, member; ///< The lane is number 4 * quad + member.
  Value rank;         ///< Of the block in its cluster.
  Value keyHead, token, position, sequence;
  Value count; ///< Query heads of this tile.
  Value steps; ///< Of 16 positions.
  Value ranks; ///< Blocks that have any of them.

  Value queries; ///< In shared memory: of each step of K what each lane has.
  // In shared memory: sums of values and (largest, sum) of each query head, of
  // each warp and of the block.
  Value warpSums, warpStatistics, blockSums, blockStatistics;
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_SPLITATTENTION_H
