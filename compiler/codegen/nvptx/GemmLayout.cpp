#include "compiler/codegen/nvptx/GemmLayout.h"

#include "compiler/target/h100/Device.h"
#include "compiler/target/h100/PackedRows.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Bytes from one row of `type` to the next.
static int64_t rowBytesOf(Type type) {
  return stridesOf(type)[0] * cast<ShapedType>(type).getElementTypeBitWidth() /
         8;
}

/// Whether copies of tiles can move rows of `type`.
static bool hasCopies(Type type) {
  return stridesOf(type)[1] == 1 &&
         rowBytesOf(type) % h100::tensorAlignment == 0 &&
         offsetOf(type) % h100::tensorAlignment == 0;
}

/// Blocks that run at once, one on a multiprocessor.
static int64_t blocksFor(int64_t cluster) {
  return cluster <= 2 ? h100::multiprocessors / cluster * cluster
                      : h100::clusteredMultiprocessors / cluster * cluster;
}

static h100::RowLayout weightLayoutOf(kernel::LinearOp op) {
  return {cast<ShapedType>(op.getWeight().getType()),
          cast<kernel::RowPackingAttr>(op.getPacking())};
}

static bool isInBlocks(kernel::LinearOp op) {
  return blockHeadersOf(
             storageOf(getElementTypeOrSelf(op.getWeight().getType()))) != 0;
}

GemmLayout::GemmLayout(kernel::LinearOp op)
    : depth(op.getDepth()), steps(llvm::divideCeil(depth, gemmDepth)),
      outputs(op.getOutputColumns()) {
  auto configuration = cast<kernel::GpuLinearConfigAttr>(op.getConfiguration());
  bool isPaired = cast<kernel::RowPackingAttr>(op.getPacking()).getPaired();
  tileRows = configuration.getTileRows();
  tileColumns = configuration.getTileColumns();
  tileOutputs = isPaired ? tileColumns / 2 : tileColumns;
  tilesAcross = llvm::divideCeil(weightLayoutOf(op).packedRows, tileColumns);
  stages = configuration.getStages();
  cluster = configuration.getCluster();
  inputBytes = tileRows * swizzledRowBytes;
  weightBytes = tileColumns * swizzledRowBytes;
  decodes = isInBlocks(op);
  // Threads store f32 as fast: four of them write the 32 bytes of a sector.
  Type result = op.getInit().getType();
  copiesResult = !getElementTypeOrSelf(result).isF32() && hasCopies(result) &&
                 tileOutputs % storedColumns == 0;
  groupClusters = chooseGroup(op);
}

/// While one wave of tiles after another is computed, the L2 shall keep the
/// input of a group: the larger that is, the fewer times the weight is read. It
/// has to hold as well what a wave reads of the weight and what it writes.
int64_t GemmLayout::chooseGroup(kernel::LinearOp op) const {
  constexpr int64_t smallest = 8, largest = 64;
  constexpr int64_t kept = h100::l2Bytes * 9 / 10;
  int64_t clusters = blocksFor(cluster) / cluster;
  h100::RowLayout weight = weightLayoutOf(op);
  int64_t rowBytes = cluster * tileRows * rowBytesOf(op.getInput().getType());
  int64_t columnBytes = tileColumns * (weight.bytes / weight.packedRows);
  int64_t resultBytes =
      clusters * cluster * tileRows * tileOutputs *
      cast<ShapedType>(op.getInit().getType()).getElementTypeBitWidth() / 8;
  int64_t group = largest;
  while (group > smallest &&
         group * rowBytes + clusters * columnBytes / group + resultBytes > kept)
    --group;
  return group;
}

LogicalResult nvptx::verifyGemm(kernel::LinearOp op) {
  kernel::GpuLinearConfigAttr configuration = configurationOf(op);
  Type input = op.getInput().getType(), element = getElementTypeOrSelf(input);
  Type weight = getElementTypeOrSelf(op.getWeight().getType());
  bool hasWeight = weight == op.getOperand() || isInBlocks(op);
  if (!op.getPrologue().empty())
    return op.emitOpError("expected no prologue of kind 'wgmma'");
  if (element != op.getOperand() || !hasWeight)
    return op.emitOpError("expected input and weight of the type of operands, ")
           << op.getOperand() << ", of kind 'wgmma', got " << element << " and "
           << weight;
  if (!hasCopies(input))
    return op.emitOpError("expected rows of the input that begin at multiples "
                          "of 16 bytes of kind 'wgmma', got ")
           << input;
  int64_t rows = configuration.getTileRows();
  if (configuration.getThreads() != (gemmConsumers + 1) * warpgroupThreads ||
      rows % (gemmConsumers * productRows) != 0 || rows > 256 ||
      configuration.getTileColumns() % (8 * configuration.getCluster()) != 0 ||
      (isInBlocks(op) && (configuration.getTileColumns() % 64 != 0 ||
                          configuration.getCluster() != 1)) ||
      configuration.getTileColumns() > 256 || configuration.getSplit() != 1)
    return op.emitOpError(
               "expected 384 threads and tiles of 128 or 256 rows "
               "and of at most 256 columns, a multiple of 8 for "
               "each block of the cluster, 64 and one block for weights "
               "in blocks, of kind 'wgmma', got ")
           << configuration;
  int64_t bytes = GemmLayout(op).sharedBytes();
  if (bytes > h100::sharedBytesOfBlock)
    return op.emitOpError("expected at most ")
           << h100::sharedBytesOfBlock << " bytes of shared memory, got "
           << bytes;
  return success();
}

LaunchShape nvptx::shapeOfGemm(kernel::LinearOp op) {
  GemmLayout layout(op);
  Type input = op.getInput().getType(), result = op.getInit().getType();
  h100::RowLayout weight = weightLayoutOf(op);
  LaunchShape shape;
  shape.threads = (gemmConsumers + 1) * warpgroupThreads;
  shape.cluster = layout.cluster;
  shape.blocks = blocksFor(layout.cluster);
  shape.sharedBytes = layout.sharedBytes();
  shape.blocksOfMultiprocessor = 1;
  auto add = [&](unsigned operand, Type element, int64_t columns, int64_t rows,
                 int64_t rowBytes, int64_t boxRows) {
    shape.tensorMaps.push_back(
        {operand, element, columns, rows, rowBytes, gemmDepth, boxRows});
  };
  add(0, op.getOperand(), layout.depth, rowsOfStep, rowBytesOf(input),
      layout.tileRows);
  if (!layout.decodes)
    add(1, op.getOperand(), layout.depth, weight.packedRows,
        weight.planes[0].rowBytes, layout.tileColumns / layout.cluster);
  if (layout.copiesResult)
    add(2, getElementTypeOrSelf(result), layout.outputs, rowsOfStep,
        rowBytesOf(result), storedRows);
  return shape;
}
