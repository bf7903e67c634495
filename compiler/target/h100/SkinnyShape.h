// How blocks of threads share a linear layer of few rows (`kind = skinny`), and
// what of it lies where in the shared memory of a block.

#ifndef TCC_COMPILER_TARGET_H100_SKINNYSHAPE_H
#define TCC_COMPILER_TARGET_H100_SKINNYSHAPE_H

#include "compiler/target/h100/PackedRows.h"

namespace mlir::tcc::h100 {

/// What a configuration says.
struct SkinnyTile {
  int64_t rows;    ///< Of the input that are in shared memory at once.
  int64_t columns; ///< Rows of the weight that a cluster has at once.
  int64_t threads; ///< Of a block.
  int64_t stages;  ///< Steps of a warp that are in shared memory.
  int64_t cluster; ///< Blocks, which share K.
};

/// A step is what a warp copies to shared memory at once: 128 bytes of each of
/// 16 rows of the weight, and the numbers of the blocks in them.
///
/// K is a number of steps. Blocks of a cluster have ranges of them, one after
/// another; of such a range the warps that have the same rows take one step in
/// turn. The inputs of a chunk of the range are in shared memory at once: of
/// all of it where there is room.
struct SkinnyShape {
  static constexpr int64_t stepRows = 16, stepBytes = 128;
  /// Elements of K that the four lanes with a row multiply at once.
  static constexpr int64_t unitDepth = 32;
  /// Rows of the input that an instruction multiplies.
  static constexpr int64_t rowsOfProduct = 8;

  SkinnyShape(const RowLayout &layout, Type operand, const SkinnyTile &tile);

  /// Says why no kernel has this shape, or nothing.
  std::optional<std::string> findFault() const;

  /// How a block cuts its part of K if it has `rows` rows of the input, a
  /// multiple of 8.
  struct Chunks {
    int64_t steps; ///< Of a chunk, the same number for each slice.
    int64_t count;
    int64_t pitch;    ///< Bytes from one row of the input to the next.
    int64_t totalsAt; ///< [units][rows] sums of inputs over a block of K.
  };
  Chunks chunksFor(int64_t rows) const;

  SkinnyTile tile;
  bool usesTensorCores; ///< Or else f32 in the lanes of threads.
  int64_t operandBytes; ///< Of an element of the input in shared memory.
  int64_t stepDepth;    ///< Elements of K in a step.
  int64_t steps;        ///< Of K.
  int64_t blockSteps;   ///< The most of a block.
  int64_t warps;
  int64_t slices;  ///< Warps that share rows of the weight.
  int64_t headers; ///< Numbers of a block of the weight.
  int64_t blocks;  ///< The most that run: all of them at once.

  // Bytes.
  int64_t headerBytes;  ///< One of the numbers of the blocks of a row, a step.
  int64_t stageBytes;   ///< A step of a warp.
  int64_t partialPitch; ///< From the sums of one row to those of the next.

  // Where things begin.
  int64_t inputsAt;   ///< [rows][chunk] operands, after the stages of warps.
  int64_t partialsAt; ///< [slices][rows][columns] sums.
  int64_t squaresAt;  ///< [rows][warps] sums of squares.
  int64_t meansAt;    ///< [rows] mean squares.
  int64_t bytes;      ///< All of it.

private:
  /// Of the inputs of a chunk and their sums.
  int64_t inputBytes(int64_t rows, int64_t chunkSteps) const;
  int64_t inputPitch(int64_t chunkSteps) const;
};

/// Chooses how blocks share the weight of `layout`: so that each
/// multiprocessor reads as little as it can.
SkinnyTile chooseSkinnyTile(const RowLayout &layout, Type operand);

} // namespace mlir::tcc::h100

#endif // TCC_COMPILER_TARGET_H100_SKINNYSHAPE_H
