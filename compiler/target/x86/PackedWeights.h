// Writes weights in the order in which kernels read them.

#ifndef TCC_COMPILER_TARGET_X86_PACKEDWEIGHTS_H
#define TCC_COMPILER_TARGET_X86_PACKEDWEIGHTS_H

#include "dialects/kernel/Kernel.h"

#include <cstdint>

namespace mlir::tcc::x86 {

/// Storage of the elements of a weight.
enum class Storage { F32, F16, BF16, Q8_0, Q4_0, Q4_1 };

/// The storage of weights whose elements have type `element`, one of those that
/// `kernel.linear` accepts.
Storage storageOf(Type element);

/// Bits of one element, scales left out.
int64_t bitsOf(Storage storage);

/// What packed integers are above those they stand for, so that none is
/// negative.
int64_t biasOf(Storage storage);

/// Bytes of scales and minima of a block, for all columns.
int64_t headerBytesOf(Storage storage, int64_t columns);

/// Bytes and shape of a packed weight; `#kernel.packing` says what is in them.
struct PackedLayout {
  /// The layout of `weight` [N, K], static, packed by `packing`.
  PackedLayout(ShapedType weight, kernel::PackingAttr packing);

  Storage storage;
  int64_t rows;        ///< N, as in the checkpoint.
  int64_t depth;       ///< K.
  int64_t paddedDepth; ///< K', a multiple of 4.
  int64_t columns;     ///< Rows of the weight in a panel.
  bool paired;
  int64_t panels;
  int64_t stepBytes;   ///< Of a block of 32 elements of K, or of one pair or element.
  int64_t stepDepth;   ///< Elements of K in a step: 32, 2 or 1.
  int64_t panelBytes;  ///< A multiple of 64.

  int64_t totalBytes() const { return panels * panelBytes; }

  /// Bytes of one row in a checkpoint.
  int64_t rowBytes() const;
};

/// Rows of a weight as a checkpoint has them: `rows` rows of K elements, one
/// after another, in little-endian order or in blocks of GGUF. Need not be
/// aligned.
struct SourceRows {
  const uint8_t *data;
  int64_t rows;
};

/// Packs the panels [firstPanel, lastPanel) of the weight whose rows are those of
/// `sources`, one after another, to `out`, which holds as many panels and is
/// aligned to 64 bytes. Reads each byte of the checkpoint once, and only those of
/// these panels. Different panels may be packed on different threads.
void packPanels(const PackedLayout &layout, ArrayRef<SourceRows> sources,
                int64_t firstPanel, int64_t lastPanel, uint8_t *out);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_TARGET_X86_PACKEDWEIGHTS_H
