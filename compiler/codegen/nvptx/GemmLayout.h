// Sizes of the kernel that multiplies tiles in tensor cores, and where its
// blocks keep what.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_GEMMLAYOUT_H
#define TCC_COMPILER_CODEGEN_NVPTX_GEMMLAYOUT_H

#include "compiler/codegen/nvptx/Hopper.h"
#include "compiler/codegen/nvptx/LinearForms.h"
#include "dialects/kernel/Kernel.h"

namespace mlir::tcc::nvptx {

/// Warpgroups of a block that multiply; one more brings tiles.
constexpr int64_t gemmConsumers = 2;
/// Their warps.
constexpr int64_t gemmWarps = gemmConsumers * warpgroupThreads / warpLanes;

/// Elements of K that are multiplied at once: a swizzled row of 16-bit numbers.
constexpr int64_t gemmDepth = swizzledRowBytes / 2;

/// Columns and rows of the result that a warp has copied from shared memory at
/// once, and their bytes.
constexpr int64_t storedColumns = gemmDepth, storedRows = productRows / 4,
                  storedBytes = storedRows * swizzledRowBytes;

/// A block's dynamic shared memory, in this order:
/// - `stages` times a tile of the input and one of the weight, swizzled;
/// - for each warp that multiplies two pieces of the result, if it is copied;
/// - for each stage a barrier that ends when it is full, then for each one that
///   ends when it is free.
struct GemmLayout {
  explicit GemmLayout(kernel::LinearOp op);

  int64_t depth;       ///< K.
  int64_t steps;       ///< Along K.
  int64_t outputs;     ///< Columns of the result.
  int64_t tileRows;    ///< Of a block.
  int64_t tileColumns; ///< Rows of the weight in a tile.
  int64_t tileOutputs; ///< Columns of the result in a tile.
  int64_t tilesAcross; ///< Along the rows of the weight.
  int64_t stages;
  int64_t cluster; ///< Blocks, below each other, that share a weight.
  /// Of the clusters whose tiles are below each other so many work at the same
  /// time, at all tiles beside them one after another.
  int64_t groupClusters;
  int64_t inputBytes, weightBytes; ///< Of a tile.
  bool decodes;                    ///< The weight, which is in blocks.
  bool copiesResult; ///< Whether copies store it, and not threads.

  int64_t chooseGroup(kernel::LinearOp op) const;

  /// Bytes that copies bring to a stage.
  int64_t copiedBytes() const {
    return decodes ? inputBytes : inputBytes + weightBytes;
  }
  int64_t stageBytes() const { return inputBytes + weightBytes; }
  int64_t consumerRows() const { return tileRows / gemmConsumers; }
  /// Pieces of the result that a warp has room for.
  static constexpr int64_t warpPieces = 2;
  int64_t piecesOffset() const { return stages * stageBytes(); }
  int64_t barriersOffset() const {
    return piecesOffset() +
           (copiesResult ? gemmWarps * warpPieces * storedBytes : 0);
  }
  int64_t fullBarrier() const { return barriersOffset(); }
  int64_t freeBarrier() const { return barriersOffset() + stages * 8; }
  int64_t sharedBytes() const { return freeBarrier() + stages * 8; }
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_GEMMLAYOUT_H
