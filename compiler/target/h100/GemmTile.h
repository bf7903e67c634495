// The tiles of linear layers of kind `wgmma`, for the many rows of prompts.

#ifndef TCC_COMPILER_TARGET_H100_GEMMTILE_H
#define TCC_COMPILER_TARGET_H100_GEMMTILE_H

#include "compiler/target/h100/PackedRows.h"

namespace mlir::tcc::h100 {

/// What a configuration says.
struct GemmTile {
  int64_t rows;    ///< Of the input.
  int64_t columns; ///< Rows of the weight.
  int64_t stages;
  int64_t cluster; ///< Blocks below each other, which share the weight.
};

/// Threads of a block: those that copy and those that multiply.
constexpr int64_t gemmThreads = 384;

/// Chooses the tile for `weight`: the one with which multiprocessors have what
/// takes longest, products or copies, the fewest clocks to do.
GemmTile chooseGemmTile(const RowLayout &weight);

} // namespace mlir::tcc::h100

#endif // TCC_COMPILER_TARGET_H100_GEMMTILE_H
