#include "compiler/codegen/nvptx/SkinnyBlock.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;
using h100::SkinnyShape;

/// What the configuration of `op` says.
static h100::SkinnyTile tileOf(kernel::LinearOp op) {
  kernel::GpuLinearConfigAttr config = configurationOf(op);
  return {config.getTileRows(), config.getTileColumns(), config.getThreads(),
          config.getStages(), config.getSplit()};
}

static h100::RowLayout layoutOf(kernel::LinearOp op) {
  return {cast<ShapedType>(op.getWeight().getType()),
          cast<kernel::RowPackingAttr>(op.getPacking())};
}

SkinnyShape nvptx::skinnyShapeOf(kernel::LinearOp op) {
  return SkinnyShape(layoutOf(op), op.getOperand(), tileOf(op));
}

SkinnyBlock::SkinnyBlock(Emitter &emitter, kernel::LinearOp op,
                         const KernelFrame &frame)
    : emitter(emitter), hopper(emitter), op(op), frame(frame),
      layout(layoutOf(op)), shape(skinnyShapeOf(op)) {}

void SkinnyBlock::begin() {
  warp = emitter.warpNumber();
  group = emitter.divide(emitter.laneNumber(), 4);
  quarter = emitter.modulo(emitter.laneNumber(), 4);
  columnGroup = emitter.divide(warp, shape.slices);
  slice = emitter.modulo(warp, shape.slices);
  rank = shape.tile.cluster > 1 ? hopper.clusterRank() : emitter.integer(0);
  cluster = emitter.divide(emitter.blockNumber(), shape.tile.cluster);
  clusters = emitter.divide(emitter.blockCount(), shape.tile.cluster);

  firstStep = emitter.multiply(rank, shape.blockSteps);
  Value left = emitter.subtract(
      emitter.minimum(emitter.integer(shape.steps),
                      emitter.add(firstStep, shape.blockSteps)),
      emitter.add(firstStep, slice));
  // The division is of what is not negative.
  ownSteps = emitter.select(
      emitter.compare(arith::CmpIPredicate::slt, emitter.integer(0), left),
      emitter.divide(emitter.add(left, shape.slices - 1), shape.slices),
      emitter.integer(0));
  shared = emitter.dynamicSharedMemory();
}

void SkinnyBlock::exchange(llvm::function_ref<void()> write,
                           llvm::function_ref<void()> read) {
  UnitAttr aligned = emitter.builder.getUnitAttr();
  auto arrive = [&] {
    NVVM::ClusterArriveOp::create(emitter.builder, emitter.location, aligned);
  };
  auto wait = [&] {
    NVVM::ClusterWaitOp::create(emitter.builder, emitter.location, aligned);
  };
  if (shape.tile.cluster == 1) {
    emitter.barrier();
    write();
    emitter.barrier();
    return read();
  }
  // Between two exchanges there is an arrival that nobody has waited for.
  wait();
  write();
  arrive();
  wait();
  read();
  arrive();
}

//===----------------------------------------------------------------------===//
// The kernel as others see it
//===----------------------------------------------------------------------===//

LogicalResult nvptx::verifySkinny(kernel::LinearOp op) {
  SkinnyShape shape = skinnyShapeOf(op);
  if (std::optional<std::string> fault = shape.findFault())
    return op->emitOpError(*fault);
  return success();
}

LaunchShape nvptx::shapeOfSkinny(kernel::LinearOp op) {
  SkinnyShape shape = skinnyShapeOf(op);
  LaunchShape launch;
  launch.threads = shape.tile.threads;
  launch.cluster = shape.tile.cluster;
  launch.sharedBytes = shape.bytes;
  launch.blocks = shape.blocks;
  launch.blocksOfMultiprocessor = 1;
  return launch;
}
