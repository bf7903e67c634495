#include "compiler/target/h100/LinearCosts.h"

#include "compiler/target/h100/Device.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

/// Bytes of an operand of tensor cores.
static constexpr int64_t operandBytes = 2;

//===----------------------------------------------------------------------===//
// Many rows
//===----------------------------------------------------------------------===//

/// Rows of prompts that tiles are chosen for: those of a usual step, and of a
/// long one.
static constexpr int64_t promptRows[] = {512, 2048};

/// Elements of K in a stage: a row of 128 bytes, which copies swizzle.
static constexpr int64_t stageDepth = 64;

/// Stages that cover what a copy takes, and what is left for others of the
/// shared memory: pieces of the result and barriers.
static constexpr int64_t fewestStages = 3, mostStages = 5,
                         otherSharedBytes = 34 * 1024;

/// As many stages as there is room for.
static int64_t stagesOf(const GemmTile &tile) {
  int64_t bytes = (tile.rows + tile.columns) * stageDepth * operandBytes;
  return std::min(mostStages, (sharedBytesOfBlock - otherSharedBytes) / bytes);
}

/// Clocks for `rows` rows of the input.
static double clocksOf(const GemmTile &tile, const RowLayout &weight,
                       int64_t rows) {
  int64_t down =
      kernel::roundUp(llvm::divideCeil(rows, tile.rows), tile.cluster);
  int64_t tiles = down * llvm::divideCeil(weight.packedRows, tile.columns);
  int64_t places = multiprocessors / tile.cluster * tile.cluster;
  auto rounds = static_cast<double>(llvm::divideCeil(tiles, places));
  // For an element of K.
  double products =
      static_cast<double>(2 * tile.rows * tile.columns) / tensorFlopsOfClock;
  double copies =
      static_cast<double>((tile.rows + tile.columns / tile.cluster) *
                          operandBytes) /
      cacheBytesOfClock;
  // Nothing is multiplied while a result is written.
  double result = static_cast<double>(tile.rows * tile.columns * operandBytes) /
                  memoryBytesOfClock;
  return rounds *
         (static_cast<double>(weight.depth) * std::max(products, copies) +
          result);
}

GemmTile h100::chooseGemmTile(const RowLayout &weight) {
  // Weights in blocks are decoded by each block for itself.
  bool isInBlocks = blockHeadersOf(weight.storage) != 0;
  GemmTile best = {};
  double least = 0;
  for (int64_t rows : {128, 256})
    for (int64_t columns : {256, 128, 64})
      for (int64_t cluster : {1, 2}) {
        GemmTile tile = {rows, columns, 0, cluster};
        tile.stages = stagesOf(tile);
        // Registers of a thread have so many sums at most.
        bool hasSums = rows * columns <= 128 * 256;
        if (!hasSums || tile.stages < fewestStages ||
            (isInBlocks && cluster > 1))
          continue;
        double clocks = 0;
        for (int64_t count : promptRows)
          clocks += clocksOf(tile, weight, count) / static_cast<double>(count);
        if (best.rows == 0 || clocks < least) {
          best = tile;
          least = clocks;
        }
      }
  return best;
}

//===----------------------------------------------------------------------===//
// Few rows
//===----------------------------------------------------------------------===//

/// Numbers of sequences that tiles are chosen for.
static constexpr int64_t generatedRows[] = {1, 16, 64};

/// Warps of a block and the steps of each that are on their way: 48 KiB, more
/// than what memory delivers while a request takes its way.
static constexpr int64_t skinnyThreads = 256, skinnyStages = 4;

/// Clocks to combine the sums of a tile: within a block, and in a cluster with
/// two barriers more.
static constexpr double combiningClocks = 500, clusterClocks = 1500;

/// Clocks for `rows` rows of the input.
static double clocksOf(const SkinnyShape &shape, const RowLayout &weight,
                       int64_t rows) {
  const SkinnyTile &tile = shape.tile;
  int64_t tiles = llvm::divideCeil(weight.packedRows, tile.columns);
  auto rounds =
      static_cast<double>(llvm::divideCeil(tiles, shape.blocks / tile.cluster));
  int64_t used = std::min(rows, tile.rows);
  int64_t padded = kernel::roundUp(used, SkinnyShape::rowsOfProduct);
  double input = static_cast<double>(padded * shape.blockSteps *
                                     shape.stepDepth * shape.operandBytes);
  // A part of the input that does not stay comes again for each tile.
  double inputs = shape.chunksFor(padded).count > 1 ? rounds * input : input;
  double weights =
      rounds *
      static_cast<double>(kernel::roundUp(shape.blockSteps, shape.slices) *
                          tile.columns * SkinnyShape::stepBytes);
  double block = (weights + inputs) / cacheBytesOfClock +
                 rounds * (tile.cluster > 1 ? clusterClocks : combiningClocks);
  double memory = static_cast<double>(weight.bytes) /
                  (memoryBytesOfClock * multiprocessors);
  return static_cast<double>(llvm::divideCeil(rows, tile.rows)) *
         std::max(block, memory);
}

std::optional<SkinnyTile> h100::chooseSkinnyTile(const RowLayout &weight,
                                                 Type operand) {
  std::optional<SkinnyTile> best;
  double least = 0;
  for (int64_t rows : {64, 32, 16, 8})
    for (int64_t columns : {128, 64, 32, 16})
      for (int64_t cluster : {1, 2, 4, 8}) {
        SkinnyTile tile = {rows, columns, skinnyThreads, skinnyStages, cluster};
        SkinnyShape shape(weight, operand, tile);
        // Gate and value are in one tile.
        bool hasPairs =
            columns % std::max<int64_t>(2 * weight.pairRows, 1) == 0;
        if (!hasPairs || shape.findFault() || cluster > shape.steps)
          continue;
        double clocks = 0;
        for (int64_t count : generatedRows)
          clocks += clocksOf(shape, weight, count);
        if (!best || clocks < least) {
          best = tile;
          least = clocks;
        }
      }
  return best;
}
