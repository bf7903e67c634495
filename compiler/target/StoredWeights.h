// Weights as checkpoints store them, for what packs them.

#ifndef TCC_COMPILER_TARGET_STOREDWEIGHTS_H
#define TCC_COMPILER_TARGET_STOREDWEIGHTS_H

#include "dialects/transformer/Transformer.h"

#include <cstdint>
#include <utility>

namespace mlir::tcc {

/// Storage of the elements of a weight.
enum class Storage { F32, F16, BF16, Q8_0, Q4_0, Q4_1, E4M3 };

/// Elements in a block of a quantised weight.
constexpr int64_t blockElements = 32;

/// The storage of weights whose elements have type `element`, one of those that
/// `kernel.linear` accepts.
Storage storageOf(Type element);

/// Bits of one element, scales left out.
int64_t bitsOf(Storage storage);

/// Numbers in f16 before the elements of a block of GGUF: its scale, and then
/// its minimum if it has one. None if the storage is not one of GGUF's blocks.
int64_t blockHeadersOf(Storage storage);

/// What packed integers are above those they stand for, so that none is
/// negative.
int64_t biasOf(Storage storage);

/// Rows of a weight as a checkpoint has them: `rows` rows, one after another,
/// in little-endian order or in blocks of GGUF. Need not be aligned.
struct SourceRows {
  const uint8_t *data;
  int64_t rows;
  const uint8_t *scales = nullptr; ///< f32, of each block, in E4M3.
  transformer::Halves order = {};  ///< In which rows are packed.
};

/// A matrix of a weight: the rows of all `sources`, one after another, from
/// `firstRow` on.
struct SourceMatrix {
  SmallVector<SourceRows> sources;
  int64_t firstRow = 0;

  /// The source of row `row` of the matrix, and its number there.
  std::pair<const SourceRows *, int64_t> find(int64_t row) const;
};

/// Bytes b0 to b3 of `bytes`, signed integers, as a word of `#kernel.packing`:
/// each plus 128, in the order b0, b2, b1, b3.
inline uint32_t packBytes(uint32_t bytes) {
  // The sign bit flipped adds 128.
  uint32_t biased = bytes ^ 0x80808080;
  return (biased & 0xFF0000FF) | ((biased & 0xFF00) << 8) |
         ((biased >> 8) & 0xFF00);
}

/// Nibbles in the low halves of 8 bytes, e0 to e7, as a word of
/// `#kernel.packing`: even ones in its low half, odd ones in its high half.
inline uint32_t packNibbles(uint64_t nibbles) {
  // Moves the nibble at bit 16j to bit 48 + 4j: the other products end below
  // bit 48, all in different places, or beyond bit 63.
  constexpr uint64_t spread = (uint64_t(1) << 48) | (uint64_t(1) << 36) |
                              (uint64_t(1) << 24) | (uint64_t(1) << 12);
  constexpr uint64_t everyOther = 0x000F000F000F000F;
  uint64_t even = ((nibbles & everyOther) * spread) >> 48;
  uint64_t odd = (((nibbles >> 8) & everyOther) * spread) >> 48;
  return static_cast<uint32_t>(even | odd << 16);
}

} // namespace mlir::tcc

#endif // TCC_COMPILER_TARGET_STOREDWEIGHTS_H
