// What the ops of this dialect have in common: shapes, work and effects.

#ifndef TCC_DIALECTS_KERNEL_KERNELSUPPORT_H
#define TCC_DIALECTS_KERNEL_KERNELSUPPORT_H

#include "dialects/kernel/Kernel.h"
#include "dialects/transformer/Shapes.h"

namespace mlir::tcc::kernel {

/// Parts of a thread's memory begin on cache lines.
constexpr int64_t lineBytes = 64;

/// The widest vector has 16 elements of f32; rows are padded to whole vectors.
constexpr int64_t widestVector = 16;

using Effects =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

using transformer::agree;

inline ShapedType shapedType(Value value) {
  return cast<ShapedType>(value.getType());
}

/// The map `(rows) -> (factor * rows)`.
AffineMap perRow(MLIRContext *context, int64_t factor);
inline AffineMap perRow(Operation *op, int64_t factor) {
  return perRow(op->getContext(), factor);
}

/// The map `(rows) -> (value)`.
AffineMap constant(MLIRContext *context, int64_t value);
inline AffineMap constant(Operation *op, int64_t value) {
  return constant(op->getContext(), value);
}

/// Pairs of a query and a position that it attends to, for `rows` tokens of one
/// sequence after `cached` positions.
inline int64_t countPairs(int64_t rows, int64_t cached) {
  return rows * cached + rows * (rows + 1) / 2;
}

/// `rows` times the bytes of a row of `type`, whose first dimension is rows.
int64_t rowBytes(Type type, int64_t rows);

/// Panels of a weight of `weightRows` rows in `packing`, a PackingAttr. If it is
/// paired, `weightRows` is even.
int64_t panelsOf(PackingAttrInterface packing, int64_t weightRows);

/// Where the parts of a thread's memory are in a linear layer of `depth` input
/// columns: `configuration` is a LinearConfigAttr, `packing` a PackingAttr.
LinearScratch linearScratch(LinearConfigAttrInterface configuration,
                            PackingAttrInterface packing, int64_t depth);

/// Where the parts of a thread's memory are in attention of `rows` rows, each a
/// query of `queryBytes`, scores of `pageTokens` keys and `valueSize` outputs.
AttentionScratch attentionScratch(int64_t rows, int64_t queryBytes,
                                  int64_t pageTokens, int64_t valueSize);

/// Adds the effects of a launch: memrefs are read, destinations are written.
/// Tensors are values.
void addEffects(DestinationStyleOpInterface op, Effects &effects);

/// Verifies that a weight of `storage` with `depth` input columns has whole
/// blocks, and scales of as many of them as kernels can sum up at once.
LogicalResult verifyBlocks(Operation *op, Type storage, int64_t depth,
                           bool transposed = false);

/// Verifies that `operand` fits the `storage` of a weight.
LogicalResult verifyOperand(Operation *op, Type operand, Type storage);

/// Verifies `region`, called `name`: it takes `arguments` values of type f32
/// and yields one, made by scalar ops.
LogicalResult verifyRegion(Operation *op, Region &region, StringRef name,
                           size_t arguments);

/// Verifies ranks of what tells where the tokens are.
LogicalResult verifyPlaces(Operation *op, Value positions, Value sequences,
                           Value pageTable);

} // namespace mlir::tcc::kernel

#endif // TCC_DIALECTS_KERNEL_KERNELSUPPORT_H
