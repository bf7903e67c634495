#include "compiler/target/h100/SkinnyShape.h"

#include "compiler/target/h100/Device.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

/// Bytes of memory in all banks: rows that lie at odd multiples of half of that
/// are read without conflicts by eight lanes, four of each of two rows.
static constexpr int64_t bankBytes = 128;

/// What could come in the meantime, in bytes, for each block of a cluster when
/// the sums of a tile are combined; of a block alone twice that.
static constexpr int64_t bytesOfTileEnd = 4096;

SkinnyShape::SkinnyShape(const RowLayout &layout, Type operand,
                         const SkinnyTile &tile)
    : tile(tile), usesTensorCores(!operand.isF32()),
      operandBytes(operand.getIntOrFloatBitWidth() / 8),
      stepDepth(stepBytes * 8 / bitsOf(layout.storage)),
      steps(llvm::divideCeil(layout.depth, stepDepth)),
      blockSteps(llvm::divideCeil(steps, tile.cluster)),
      warps(tile.threads / 32),
      slices(std::max<int64_t>(warps * stepRows / tile.columns, 1)),
      headers(blockHeadersOf(layout.storage)),
      headerBytes(headers ? stepDepth / blockElements * 2 : 0),
      stageBytes(stepRows * (stepBytes + headers * headerBytes)),
      partialPitch((tile.columns + 4) * 4) {
  int64_t partialBytes = slices * tile.rows * partialPitch;
  int64_t squareBytes = tile.rows * warps * 4, meanBytes = tile.rows * 4;
  int64_t most = inputBytes(tile.rows, kernel::roundUp(blockSteps, slices));
  int64_t least = inputBytes(tile.rows, slices);
  inputsAt = warps * tile.stages * stageBytes;
  int64_t room =
      sharedBytesOfBlock - inputsAt - partialBytes - squareBytes - meanBytes;
  partialsAt = inputsAt + std::max(least, std::min(most, room / 16 * 16));
  squaresAt = partialsAt + partialBytes;
  meansAt = squaresAt + squareBytes;
  bytes = meansAt + meanBytes;

  int64_t places =
      tile.cluster > 2 ? clusteredMultiprocessors : multiprocessors;
  int64_t tiles = llvm::divideCeil(layout.packedRows, tile.columns);
  blocks = std::min(places / tile.cluster, tiles) * tile.cluster;
}

int64_t SkinnyShape::inputPitch(int64_t chunkSteps) const {
  return chunkSteps * stepDepth * operandBytes +
         (usesTensorCores ? bankBytes / 2 : 0);
}

int64_t SkinnyShape::inputBytes(int64_t rows, int64_t chunkSteps) const {
  bool hasTotals = headers > 1;
  return rows * (inputPitch(chunkSteps) +
                 (hasTotals ? chunkSteps * stepDepth / unitDepth * 4 : 0));
}

SkinnyShape::Chunks SkinnyShape::chunksFor(int64_t rows) const {
  int64_t room = partialsAt - inputsAt;
  Chunks chunks;
  chunks.steps = kernel::roundUp(blockSteps, slices);
  // What a row has is so much for each step, and some bytes.
  int64_t fixed = inputBytes(rows, 0), each = inputBytes(rows, 1) - fixed;
  if (inputBytes(rows, chunks.steps) > room)
    chunks.steps = (room - fixed) / each / slices * slices;
  chunks.count = llvm::divideCeil(blockSteps, chunks.steps);
  chunks.pitch = inputPitch(chunks.steps);
  chunks.totalsAt = inputsAt + rows * chunks.pitch;
  return chunks;
}

std::optional<std::string> SkinnyShape::findFault() const {
  auto expected = [](const char *what, int64_t value) -> std::string {
    return llvm::formatv("expected {0} of kind 'skinny', got {1}", what, value);
  };
  // A lane has two sums of each row in f32, half of one on tensor cores.
  int64_t mostRows = usesTensorCores ? 64 : 16;
  if (tile.rows % rowsOfProduct != 0 || tile.rows > mostRows)
    return expected(usesTensorCores
                        ? "tile_rows to be a multiple of 8, at most 64,"
                        : "tile_rows to be 8 or 16, for operands of f32,",
                    tile.rows);
  if (warps * stepRows != tile.columns * slices)
    return expected("tile_columns to be 16, or as many for each of some of the "
                    "warps,",
                    tile.columns);
  if (tile.stages < 2)
    return expected("2 stages or more", tile.stages);
  if (bytes > sharedBytesOfBlock)
    return expected("at most 232448 bytes of shared memory", bytes);
  return std::nullopt;
}

/// The bytes that a multiprocessor reads of `rows` rows of the input.
static int64_t inputBytesFor(const SkinnyShape &shape, int64_t rows,
                             int64_t rounds) {
  int64_t once = rows * shape.blockSteps * shape.stepDepth * 4;
  return shape.chunksFor(rows).count > 1 ? once * rounds : once;
}

/// The bytes that a multiprocessor reads, or could have read. Full tiles of
/// rows are less usual than the 8 rows of one product.
static int64_t costOf(const RowLayout &layout, const SkinnyShape &shape) {
  int64_t cluster = shape.tile.cluster;
  int64_t tiles = llvm::divideCeil(layout.packedRows, shape.tile.columns);
  int64_t rounds = llvm::divideCeil(tiles, shape.blocks / cluster);
  int64_t stepsOfWarp =
      rounds * llvm::divideCeil(shape.blockSteps, shape.slices);
  return stepsOfWarp * shape.warps * shape.stageBytes +
         inputBytesFor(shape, SkinnyShape::rowsOfProduct, rounds) +
         inputBytesFor(shape, shape.tile.rows, rounds) / 8 +
         rounds * bytesOfTileEnd * (1 + cluster);
}

SkinnyTile h100::chooseSkinnyTile(const RowLayout &layout, Type operand) {
  // 8 warps with 3 steps on their way have 48 KB: what comes in 2 us.
  constexpr int64_t threads = 256, stages = 4;
  int64_t rows = operand.isF32() ? 16 : 64;
  std::optional<SkinnyTile> best;
  int64_t leastCost = 0;
  for (int64_t cluster : {1, 2, 4, 8})
    for (int64_t columns = 128; columns >= 16; columns /= 2) {
      SkinnyTile tile = {rows, columns, threads, stages, cluster};
      SkinnyShape shape(layout, operand, tile);
      int64_t cost = costOf(layout, shape);
      if (shape.findFault() || (best && cost >= leastCost))
        continue;
      best = tile;
      leastCost = cost;
    }
  assert(best && "one block with few steps always has room");
  return *best;
}
