// What linear layers cost on an H100, by the shape of their tiles.
//
// A rough model: what takes longest of products, copies from the L2 cache and
// from memory, for a whole number of rounds of tiles. It only has to tell
// configurations apart.

#ifndef TCC_COMPILER_TARGET_H100_LINEARCOSTS_H
#define TCC_COMPILER_TARGET_H100_LINEARCOSTS_H

#include "compiler/target/h100/PackedRows.h"
#include "compiler/target/h100/SkinnyShape.h"

#include <optional>

namespace mlir::tcc::h100 {

/// A configuration of kind `wgmma`.
struct GemmTile {
  int64_t rows;    ///< Of the input.
  int64_t columns; ///< Rows of the weight.
  int64_t stages;
  int64_t cluster; ///< Blocks below each other, which share the weight.
};

/// Threads of a block of kind `wgmma`: those that copy and those that multiply.
constexpr int64_t gemmThreads = 384;

/// The tile for the rows of prompts.
GemmTile chooseGemmTile(const RowLayout &weight);

/// The tile for few rows, whose operands have type `operand`; none if no kernel
/// has the shape.
std::optional<SkinnyTile> chooseSkinnyTile(const RowLayout &weight,
                                           Type operand);

} // namespace mlir::tcc::h100

#endif // TCC_COMPILER_TARGET_H100_LINEARCOSTS_H
