#include "compiler/target/h100/SkinnyShape.h"

#include "compiler/target/h100/Device.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::h100;

/// Bytes of memory in all banks: rows that lie at odd multiples of half of that
/// are read without conflicts by eight lanes, four of each of two rows.
static constexpr int64_t bankBytes = 128;

/// Whether a minimum is added to the elements of a block.
static bool hasMinima(const RowLayout &layout) {
  return layout.planes.size() > 2;
}

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
  int64_t meanBytes = tile.rows * (warps + 1) * 4;
  int64_t others =
      warps * tile.stages * stageBytes + partialBytes + meanBytes + bankBytes;
  // A warp of each slice has as many steps in a chunk.
  chunkSteps = kernel::roundUp(blockSteps, slices);
  int64_t chunkBytes = (stepDepth * operandBytes +
                        (hasMinima(layout) ? stepDepth / unitDepth * 4 : 0)) *
                       tile.rows;
  int64_t room = (sharedBytesOfBlock - others) / chunkBytes / slices * slices;
  if (room < chunkSteps)
    chunkSteps = std::max(room, slices);
  chunks = llvm::divideCeil(blockSteps, chunkSteps);
  inputPitch = chunkSteps * stepDepth * operandBytes +
               (usesTensorCores ? bankBytes / 2 : 0);

  inputsAt = warps * tile.stages * stageBytes;
  totalsAt = inputsAt + tile.rows * inputPitch;
  partialsAt = totalsAt;
  if (hasMinima(layout))
    partialsAt += chunkSteps * stepDepth / unitDepth * tile.rows * 4;
  squaresAt = partialsAt + partialBytes;
  meansAt = squaresAt + tile.rows * warps * 4;
  bytes = meansAt + tile.rows * 4;

  int64_t places =
      tile.cluster > 2 ? clusteredMultiprocessors : multiprocessors;
  blocks =
      std::min<int64_t>(places / tile.cluster,
                        llvm::divideCeil(layout.packedRows, tile.columns)) *
      tile.cluster;
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
