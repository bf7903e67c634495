// The `kernel` dialect, its attributes, ops and interfaces.

#ifndef TCC_DIALECTS_KERNEL_KERNEL_H
#define TCC_DIALECTS_KERNEL_KERNEL_H

#include "dialects/transformer/Transformer.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::tcc::kernel {

/// The attribute that says which `Rows` a function or an op computes.
constexpr StringLiteral rowsAttribute = "kernel.rows";

/// Offsets in bytes of the parts of a thread's memory in a linear layer, each a
/// multiple of 64, and the sizes that go with them.
struct LinearScratch {
  int64_t inputStride; ///< Bytes from one prepared row of the input to the next.
  int64_t blockScales; ///< From a row to the scales of its blocks of 32, f32.
  int64_t blockSums;   ///< From a row to what its blocks add, 4 bytes each.
  int64_t input;       ///< [block_rows][inputStride]: prepared rows.
  int64_t weights;     ///< [block_depth][columns]: decoded weights.
  int64_t sums;        ///< [block_rows][columns] f32: sums of one panel.
  int64_t bytes;       ///< Of all.
};

/// Offsets in bytes of the parts of a thread's memory in attention, each a
/// multiple of 64. `M` is block_tokens times the heads that share keys.
struct AttentionScratch {
  int64_t query;   ///< [M][D'] f32, or bf16 for dot products.
  int64_t scores;  ///< [M][page_tokens] f32.
  int64_t outputs; ///< [M][E'] f32.
  int64_t maxima;  ///< [M] f32: largest score so far.
  int64_t sums;    ///< [M] f32: sum of exponentials so far.
  int64_t bytes;   ///< Of all.
};

/// The same in attention over latents.
struct LatentScratch : AttentionScratch {
  /// A part of a page as the products read it where that is not how it lies in
  /// memory: so many rows of keys in f32, or so many columns of values in f32
  /// or as pairs of positions.
  int64_t slice;
};

/// Rows and columns of a slice: few enough for the first cache.
constexpr int64_t latentSliceRows = 8, latentSliceColumns = 32;

/// The same in attention over expanded latents. `S` is N + V', with what makes
/// a row a multiple of 64 bytes.
struct ExpandedScratch : AttentionScratch {
  LinearScratch linear; ///< Of the expansion, from `expansion` on.
  int64_t expansion;
  int64_t rowBytes; ///< Of a row of `rows`.
  int64_t rows;   ///< [page_tokens][S] of the cache's type: keys, then values.
  int64_t keys;   ///< [K'][page_tokens] f32, or [K'/2][page_tokens][2] bf16.
  int64_t values; ///< [page_tokens][V'] f32, or [page_tokens/2][V'][2] bf16.
};

/// Offsets in bytes of the parts of a thread's memory in a router, each a
/// multiple of 64.
struct RouteScratch {
  int64_t scores;    ///< [E] f32.
  int64_t keys;      ///< [E] i32: what experts are chosen by.
  int64_t groupKeys; ///< [groups] i32.
  int64_t bytes;     ///< Of all.
};

/// `value` rounded up to a multiple of `multiple`.
inline int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Bytes of a weight [N, K] of element type `storage` in a checkpoint.
int64_t weightBytes(int64_t rows, int64_t depth, Type storage);

} // namespace mlir::tcc::kernel

#include "dialects/kernel/KernelDialect.h.inc"
#include "dialects/kernel/KernelEnums.h.inc"

namespace mlir::tcc::kernel {
class CacheAttr;
} // namespace mlir::tcc::kernel

#include "dialects/kernel/KernelAttrInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttrs.h.inc"

#include "dialects/kernel/KernelInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.h.inc"

#endif // TCC_DIALECTS_KERNEL_KERNEL_H
