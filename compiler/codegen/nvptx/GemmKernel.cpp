// Linear layers in tensor cores, for many rows.
//
// As many blocks as the device runs at once share the tiles of the result. One
// warp of a block has tiles of both operands copied to a ring of stages in
// shared memory; two warpgroups multiply them, each some rows of the tile, and
// finish the result in registers while tiles of the next one come. Blocks of a
// cluster have tiles below each other: each has a part of the weight's tile
// copied to all of them.
//
// Sums run over K in steps in order, whatever the number of rows.

#include "compiler/codegen/nvptx/GemmDecoder.h"
#include "compiler/codegen/nvptx/GemmEpilogue.h"
#include "compiler/codegen/nvptx/GemmLayout.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Registers of a thread that brings tiles, and of one that multiplies: of all
/// 384 threads no more than the 65536 of a multiprocessor.
static constexpr int64_t producerRegisters = 40, consumerRegisters = 232;
/// The same where threads decode the weight.
static constexpr int64_t decoderRegisters = 104, fewerRegisters = 200;

/// Warps that decode.
static constexpr int64_t decoderWarps = warpgroupThreads / warpLanes;

namespace {
/// A stage of the ring, and how often the ring was passed, modulo 2.
struct Place {
  explicit Place(ValueRange values) : stage(values[0]), parity(values[1]) {}
  Value stage;  ///< i64.
  Value parity; ///< i32.
  SmallVector<Value> values() const { return {stage, parity}; }
};

class Gemm {
public:
  Gemm(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame)
      : emitter(emitter), hopper(emitter), op(op), frame(frame), layout(op),
        shared(emitter.dynamicSharedMemory()) {}

  void emit();

private:
  /// Where a tile of the result begins.
  struct Tile {
    Value row; ///< From the first one of the kernel on.
    Value column;
  };
  /// Clusters' tiles below each other: all, and those of a group.
  struct Work {
    Value down, groupHeight;
  };
  using TileBody =
      llvm::function_ref<SmallVector<Value>(const Tile &, ValueRange)>;

  void initialize();
  Work describeWork();
  Tile tileOf(Value unit, const Work &work);
  SmallVector<Value> forTiles(ValueRange initial, TileBody body);
  void waitForFree(const Place &place);
  void loadInputs(const Tile &tile, Value step, const Place &place);
  void loadWeights(const Tile &tile, Value step, const Place &place);
  void copyTiles();
  void decodeTiles();
  void produce(Value warp);
  void consume(Value consumer);
  SmallVector<Value> multiplyTile(Value consumer, ValueRange initial);
  SmallVector<Value> multiplyStage(Value consumer, Value step,
                                   const Place &place, ValueRange sums);
  void release(Value stage);

  Place start() {
    return Place(ValueRange{emitter.integer(0), emitter.word(0)});
  }
  Place next(const Place &place);
  Value word(int64_t value) {
    return emitter.word(static_cast<int32_t>(value));
  }
  Value stageAt(Value stage) {
    return emitter.offset(shared, emitter.multiply(stage, layout.stageBytes()));
  }
  Value barrierAt(int64_t begin, Value stage) {
    return emitter.offset(emitter.offset(shared, begin),
                          emitter.multiply(stage, 8));
  }
  BarrierScope scope() const {
    return layout.cluster > 1 ? BarrierScope::Cluster : BarrierScope::Block;
  }
  int64_t products() const { return layout.consumerRows() / productRows; }

  Emitter &emitter;
  Hopper hopper;
  kernel::LinearOp op;
  const KernelFrame &frame;
  const GemmLayout layout;
  Value shared;
  Value rank; ///< Of the block in its cluster.
};
} // namespace

Place Gemm::next(const Place &place) {
  Value stage = emitter.add(place.stage, 1);
  Value isEnd = emitter.compare(arith::CmpIPredicate::eq, stage,
                                emitter.integer(layout.stages));
  Value other = emitter.exclusive(place.parity, emitter.word(1));
  return Place(ValueRange{emitter.select(isEnd, emitter.integer(0), stage),
                          emitter.select(isEnd, other, place.parity)});
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// What the clusters of a grid share among themselves; i32.
Gemm::Work Gemm::describeWork() {
  int64_t clusterRows = layout.cluster * layout.tileRows;
  Value down = emitter.narrow(
      emitter.divide(emitter.add(frame.rows, clusterRows - 1), clusterRows));
  auto roundUp = [&](Value value, Value divisor) {
    Value last = emitter.subtract(divisor, emitter.word(1));
    return emitter.divide(emitter.add(value, last), divisor);
  };
  Value groups = roundUp(down, word(layout.groupClusters));
  Value some = arith::MaxUIOp::create(emitter.builder, emitter.location, groups,
                                      emitter.word(1));
  return {down, roundUp(down, some)};
}

/// The tile of this block among those of a cluster, which are number `unit`, an
/// i32. Of a group, clusters' tiles below each other are counted first, then
/// those beside them, in every second group from right to left: what the L2 has
/// of the weight is then read first.
Gemm::Tile Gemm::tileOf(Value unit, const Work &work) {
  Value size = emitter.multiply(work.groupHeight, word(layout.tilesAcross));
  Value group = emitter.divide(unit, size);
  Value inGroup = emitter.modulo(unit, size);
  Value first = emitter.multiply(group, work.groupHeight);
  Value height =
      emitter.minimum(emitter.subtract(work.down, first), work.groupHeight);
  Value down = emitter.add(first, emitter.modulo(inGroup, height));
  Value across = emitter.divide(inGroup, height);
  Value isBackwards =
      emitter.compare(arith::CmpIPredicate::ne,
                      emitter.both(group, emitter.word(1)), emitter.word(0));
  across = emitter.select(
      isBackwards, emitter.subtract(word(layout.tilesAcross - 1), across),
      across);
  Value number =
      emitter.add(emitter.multiply(emitter.widen(down), layout.cluster), rank);
  return {emitter.multiply(number, layout.tileRows),
          emitter.multiply(emitter.widen(across), layout.tileColumns)};
}

/// Calls `body` for each tile of this block, with values that each call
/// replaces; returns the last.
SmallVector<Value> Gemm::forTiles(ValueRange initial, TileBody body) {
  Work work = describeWork();
  Value units = emitter.multiply(emitter.widen(work.down), layout.tilesAcross);
  Value first = emitter.divide(emitter.blockNumber(), layout.cluster);
  Value clusters = emitter.divide(emitter.blockCount(), layout.cluster);
  return emitter.loop(first, units, clusters, initial,
                      [&](Value unit, ValueRange before) {
                        return body(tileOf(emitter.narrow(unit), work), before);
                      });
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Waits until nobody reads a stage any more.
void Gemm::waitForFree(const Place &place) {
  // Of the first round, the phase before the first has ended.
  hopper.waitFor(barrierAt(layout.freeBarrier(), place.stage),
                 emitter.exclusive(place.parity, emitter.word(1)), scope());
}

/// Has step `step` of the rows of a tile copied to a stage. Expects all bytes
/// that are copied there.
void Gemm::loadInputs(const Tile &tile, Value step, const Place &place) {
  Value full = barrierAt(layout.fullBarrier(), place.stage);
  hopper.arriveExpecting(full, emitter.integer(layout.copiedBytes()));
  hopper.loadTile(frame.tensorMaps[0],
                  {emitter.narrow(emitter.multiply(step, gemmDepth)),
                   emitter.narrow(emitter.add(frame.firstRow, tile.row))},
                  stageAt(place.stage), full);
}

/// The same of the rows of the weight, of this block's part of them for all
/// blocks of the cluster.
void Gemm::loadWeights(const Tile &tile, Value step, const Place &place) {
  Value full = barrierAt(layout.fullBarrier(), place.stage);
  Value weights = emitter.offset(stageAt(place.stage), layout.inputBytes);
  Value first = emitter.multiply(rank, layout.tileColumns / layout.cluster);
  SmallVector<Value> coordinates = {
      emitter.narrow(emitter.multiply(step, gemmDepth)),
      emitter.narrow(emitter.add(tile.column, first))};
  if (layout.cluster == 1)
    return hopper.loadTile(frame.tensorMaps[1], coordinates, weights, full);
  Value all = arith::ConstantOp::create(
      emitter.builder, emitter.location,
      emitter.builder.getI16IntegerAttr(
          static_cast<int16_t>((1 << layout.cluster) - 1)));
  hopper.loadTileForBlocks(
      frame.tensorMaps[1], coordinates,
      emitter.offset(weights, emitter.multiply(first, swizzledRowBytes)), full,
      all);
}

/// Has all tiles copied; for one thread.
void Gemm::copyTiles() {
  forTiles(start().values(), [&](const Tile &tile, ValueRange before) {
    return emitter.loop(emitter.integer(0), emitter.integer(layout.steps), 1,
                        before, [&](Value step, ValueRange values) {
                          Place place(values);
                          waitForFree(place);
                          loadInputs(tile, step, place);
                          loadWeights(tile, step, place);
                          return next(place).values();
                        });
  });
}

/// Has the input copied, and decodes the weight; for all threads of a
/// warpgroup.
void Gemm::decodeTiles() {
  GemmDecoder decoder(emitter, op, frame.operands[1], layout);
  Value isFirst = emitter.compare(arith::CmpIPredicate::eq,
                                  emitter.threadNumber(), emitter.integer(0));
  Value isFirstLane = emitter.compare(arith::CmpIPredicate::eq,
                                      emitter.laneNumber(), emitter.integer(0));
  auto decodeStep = [&](const Tile &tile, Value step, ValueRange values) {
    Place place(values);
    // These registers come while the ones from before are decoded.
    SmallVector<Value> coming = decoder.load(tile.column, emitter.add(step, 1));
    waitForFree(place);
    emitter.when(isFirst, [&] { loadInputs(tile, step, place); });
    decoder.decode(values.drop_front(2),
                   emitter.offset(stageAt(place.stage), layout.inputBytes));
    hopper.fenceSharedForCopies();
    emitter.warpBarrier();
    emitter.when(isFirstLane, [&] {
      hopper.arrive(barrierAt(layout.fullBarrier(), place.stage));
    });
    SmallVector<Value> after = next(place).values();
    after.append(coming);
    return after;
  };
  forTiles(start().values(), [&](const Tile &tile, ValueRange before) {
    SmallVector<Value> values(before);
    values.append(decoder.load(tile.column, emitter.integer(0)));
    values = emitter.loop(emitter.integer(0), emitter.integer(layout.steps), 1,
                          values, [&](Value step, ValueRange registers) {
                            return decodeStep(tile, step, registers);
                          });
    return SmallVector<Value>{values[0], values[1]};
  });
}

/// The work of the warpgroup that does not multiply.
void Gemm::produce(Value warp) {
  if (layout.decodes)
    return decodeTiles();
  Value isFirst =
      emitter.compare(arith::CmpIPredicate::eq, warp, emitter.integer(0));
  emitter.when(isFirst,
               [&] { emitter.when(hopper.isElected(), [&] { copyTiles(); }); });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Lets all blocks of the cluster know that this warpgroup has read a stage.
void Gemm::release(Value stage) {
  Value free = barrierAt(layout.freeBarrier(), stage);
  Value thread = emitter.modulo(emitter.threadNumber(), warpgroupThreads);
  Value isOne = emitter.compare(arith::CmpIPredicate::slt, thread,
                                emitter.integer(layout.cluster));
  emitter.when(isOne, [&] {
    if (layout.cluster > 1)
      hopper.arriveInBlock(free, thread);
    else
      hopper.arrive(free);
  });
}

/// Adds the products of a stage to the sums of the warpgroup, or begins with
/// them in step 0.
SmallVector<Value> Gemm::multiplyStage(Value consumer, Value step,
                                       const Place &place, ValueRange sums) {
  WarpgroupProduct product{op.getOperand(), layout.tileColumns};
  Value stage = stageAt(place.stage);
  Value rows =
      emitter.offset(stage, emitter.multiply(consumer, layout.consumerRows() *
                                                           swizzledRowBytes));
  Value left = hopper.describeTile(rows);
  Value right = hopper.describeTile(emitter.offset(stage, layout.inputBytes));
  Value truth = emitter.truth(true);
  Value hasSums =
      emitter.compare(arith::CmpIPredicate::ne, step, emitter.integer(0));
  SmallVector<Value> results;
  hopper.fenceProducts();
  for (int64_t number = 0; number < products(); ++number) {
    SmallVector<Value> part(
        sums.slice(static_cast<size_t>(number * product.sums()),
                   static_cast<size_t>(product.sums())));
    Value begin = hopper.advance(left, number * productRows * swizzledRowBytes);
    for (int64_t k = 0; k < gemmDepth; k += product.depth())
      part = hopper.multiply(product, hopper.advance(begin, 2 * k),
                             hopper.advance(right, 2 * k),
                             k == 0 ? hasSums : truth, part);
    results.append(part);
  }
  hopper.commitProducts();
  return results;
}

/// Makes the sums of a tile. `initial` is the place of its first step; returns
/// that behind its last one, then the sums. Products of a step are multiplied
/// while those of the next one are begun.
SmallVector<Value> Gemm::multiplyTile(Value consumer, ValueRange initial) {
  SmallVector<Value> values(initial);
  values.push_back(emitter.integer(0)); // The stage of the step before.
  values.append(
      static_cast<size_t>(products() * layout.tileColumns / 2),
      LLVM::PoisonOp::create(emitter.builder, emitter.location, emitter.f32()));
  values = emitter.loop(
      emitter.integer(0), emitter.integer(layout.steps), 1, values,
      [&](Value step, ValueRange before) {
        Place place(before);
        hopper.waitFor(barrierAt(layout.fullBarrier(), place.stage),
                       place.parity, scope());
        SmallVector<Value> sums =
            multiplyStage(consumer, step, place, before.drop_front(3));
        hopper.waitForProducts(1, {});
        Value isLater =
            emitter.compare(arith::CmpIPredicate::ne, step, emitter.integer(0));
        emitter.when(isLater, [&] { release(before[2]); });
        SmallVector<Value> after = next(place).values();
        after.push_back(place.stage);
        after.append(sums);
        return after;
      });
  SmallVector<Value> sums =
      hopper.waitForProducts(0, ArrayRef(values).drop_front(3));
  release(values[2]);
  values.truncate(2);
  values.append(sums);
  return values;
}

/// The work of one of the warpgroups that multiply.
void Gemm::consume(Value consumer) {
  Value warp = emitter.subtract(hopper.uniformWarpNumber(),
                                emitter.integer(warpgroupThreads / warpLanes));
  GemmEpilogue epilogue(emitter, op, frame, layout, warp);
  forTiles(start().values(), [&](const Tile &tile, ValueRange before) {
    SmallVector<Value> values = multiplyTile(consumer, before);
    size_t count = static_cast<size_t>(layout.tileColumns / 2);
    Value row = emitter.add(tile.row,
                            emitter.multiply(consumer, layout.consumerRows()));
    Value column =
        emitter.divide(tile.column, layout.tileColumns / layout.tileOutputs);
    for (int64_t number = 0; number < products(); ++number)
      epilogue.emit(emitter.add(row, number * productRows), column,
                    ArrayRef(values).slice(
                        2 + static_cast<size_t>(number) * count, count));
    return SmallVector<Value>{values[0], values[1]};
  });
  epilogue.finish();
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

/// Makes the barriers, and lets all threads of the cluster know them.
void Gemm::initialize() {
  Value isFirst = emitter.compare(arith::CmpIPredicate::eq,
                                  emitter.threadNumber(), emitter.integer(0));
  emitter.when(isFirst, [&] {
    for (Value map : frame.tensorMaps)
      hopper.prefetchTensorMap(map);
    for (int64_t stage = 0; stage < layout.stages; ++stage) {
      Value number = emitter.integer(stage);
      // The thread that has tiles copied, and each warp that decodes.
      hopper.initializeBarrier(barrierAt(layout.fullBarrier(), number),
                               layout.decodes ? 1 + decoderWarps : 1);
      hopper.initializeBarrier(barrierAt(layout.freeBarrier(), number),
                               gemmConsumers * layout.cluster);
    }
    hopper.publishBarriers();
  });
  if (layout.cluster > 1)
    hopper.clusterBarrier();
  else
    emitter.barrier();
}

void Gemm::emit() {
  rank = layout.cluster > 1 ? hopper.clusterRank() : emitter.integer(0);
  initialize();
  Value warp = hopper.uniformWarpNumber();
  Value group = emitter.divide(warp, warpgroupThreads / warpLanes);
  Value isProducer =
      emitter.compare(arith::CmpIPredicate::eq, group, emitter.integer(0));
  emitter.when(
      isProducer,
      [&] {
        hopper.giveUpRegisters(layout.decodes ? decoderRegisters
                                              : producerRegisters);
        produce(warp);
      },
      [&] {
        hopper.takeRegisters(layout.decodes ? fewerRegisters
                                            : consumerRegisters);
        consume(emitter.subtract(group, emitter.integer(1)));
      });
  emitter.warpBarrier();
  // Others may still copy to this block, or arrive at its barriers.
  if (layout.cluster > 1)
    hopper.clusterBarrier();
}

void nvptx::emitGemm(Emitter &emitter, kernel::LinearOp op,
                     const KernelFrame &frame) {
  Gemm(emitter, op, frame).emit();
}
