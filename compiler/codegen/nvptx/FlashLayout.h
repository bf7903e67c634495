// Sizes of the attention of prompts, and where its blocks keep what.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_FLASHLAYOUT_H
#define TCC_COMPILER_CODEGEN_NVPTX_FLASHLAYOUT_H

#include "compiler/codegen/nvptx/AttentionForms.h"
#include "compiler/codegen/nvptx/Hopper.h"

namespace mlir::tcc::nvptx {

/// Warpgroups of a block that multiply; one more brings keys and values.
constexpr int64_t flashConsumers = 2;
constexpr int64_t flashConsumerThreads = flashConsumers * warpgroupThreads;

/// Columns of 16 bits of a tile in shared memory: rows of 128 bytes.
constexpr int64_t flashPanelColumns = swizzledRowBytes / 2;

/// Panels of rows of `size` elements.
inline int64_t flashPanelsOf(int64_t size) {
  return llvm::divideCeil(size, flashPanelColumns);
}

/// What a block computes at once, and where things are in its shared memory, in
/// bytes: the queries of all consumers, the keys of all stages, their values,
/// and four barriers of each.
struct FlashLayout {
  explicit FlashLayout(kernel::AttentionOp op);

  int64_t bytes() const { return barriers + stages * 4 * 8; }

  int64_t group;     ///< Query heads of a key/value head.
  int64_t tokens;    ///< Of a window: as many as fit into the rows of a block.
  int64_t positions; ///< Of a stage.
  int64_t stages;
  int64_t consumerBytes; ///< Queries of a consumer.
  int64_t panelBytes;    ///< 64 columns of a stage.
  int64_t keyBytes, valueBytes;
  int64_t keys, values, barriers;
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_FLASHLAYOUT_H
