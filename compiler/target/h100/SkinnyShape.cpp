#include "compiler/target/h100/SkinnyShape.h"

#include "compiler/target/h100/Device.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

/// Bytes of memory in all banks: rows that lie at odd multiples of half of that
/// are read without conflicts by eight lanes, four of each of two rows.
static constexpr int64_t bankBytes = 128;

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
