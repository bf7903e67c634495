#include "compiler/target/h100/GemmTile.h"

#include "compiler/target/h100/Device.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

/// Bytes of an operand of tensor cores.
static constexpr int64_t operandBytes = 2;

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
