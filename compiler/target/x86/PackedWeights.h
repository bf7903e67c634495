// Writes weights in the order in which kernels read them.

#ifndef TCC_COMPILER_TARGET_X86_PACKEDWEIGHTS_H
#define TCC_COMPILER_TARGET_X86_PACKEDWEIGHTS_H

#include "compiler/target/PackedWeight.h"
#include "dialects/kernel/Kernel.h"

#include <cstdint>

namespace mlir::tcc::x86 {

/// Bytes of scales and minima of a block, for all columns.
int64_t headerBytesOf(Storage storage, int64_t columns);

/// Bytes and shape of a packed weight; `#kernel.packing` says what is in them.
/// A stack has so many matrices of this layout, one after another.
struct PackedLayout {
  /// The layout of `weight`, static, packed by `packing`: [N, K], or [K, N] if
  /// `transposed`, or a stack of such matrices.
  PackedLayout(ShapedType weight, kernel::PackingAttr packing,
               bool transposed = false);

  Storage storage;
  bool transposed;
  bool paired;
  int64_t matrices;    ///< 1 if the weight is no stack.
  int64_t rows;        ///< N of a matrix.
  int64_t depth;       ///< K.
  int64_t paddedDepth; ///< K', a multiple of 4.
  int64_t columns;     ///< Output columns in a panel.
  int64_t panels;      ///< Of a matrix.
  int64_t stepDepth;   ///< Elements of K in a block, a pair or alone.
  int64_t stepBytes;   ///< Of so many; the last block of E4M3 may be smaller.
  int64_t panelBytes;  ///< A multiple of 64.
  /// Rows and columns of the checkpoint that share a scale, in E4M3.
  int64_t scaleRows = 1, scaleColumns = 1;

  int64_t matrixBytes() const { return panels * panelBytes; }
  int64_t totalBytes() const { return matrices * matrixBytes(); }

  /// Steps of a panel.
  int64_t steps() const { return llvm::divideCeil(depth, stepDepth); }

  /// Whether the last step is smaller than the others.
  bool isRagged() const { return depth % stepDepth != 0; }

  /// Elements and bytes of one row in a checkpoint, and bytes of its scales.
  int64_t rowElements() const { return transposed ? rows : depth; }
  int64_t rowBytes() const;
  int64_t rowScaleBytes() const {
    return llvm::divideCeil(rowElements(), scaleColumns) * 4;
  }
};

/// Packs the panels [firstPanel, lastPanel) of one matrix to `out`, which holds
/// as many panels and is aligned to 64 bytes. Reads each byte of the checkpoint
/// once, and only those of these panels. Different panels may be packed on
/// different threads.
void packPanels(const PackedLayout &layout, const SourceMatrix &matrix,
                int64_t firstPanel, int64_t lastPanel, uint8_t *out);

/// Makes a weight of `layout`, whose parts are panels.
std::unique_ptr<PackedWeight> createPackedWeight(const PackedLayout &layout);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_TARGET_X86_PACKEDWEIGHTS_H
