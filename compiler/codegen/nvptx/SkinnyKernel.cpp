// Linear layers of few rows: the weight is read once, as fast as memory gives
// it.
//
// Warps copy steps of the weight (h100::SkinnyShape) to stages of their own in
// shared memory, without end: while the sums of some rows of the weight are
// combined, those of the next rows are on their way. A block prepares its part
// of the input once. Products are of 16 rows of the weight by 8 rows of the
// input, on tensor cores if operands have 16 bits, else of what each lane has
// of them. Elements of quantised weights are exact in bf16; the sum over a
// block is multiplied by its scale.
//
// Sums of a row are formed in the same order whatever the number of rows: over
// the steps of a warp, then over the warps that share rows of the weight, then
// over the blocks of a cluster, which read each other's shared memory.

#include "compiler/codegen/nvptx/Hopper.h"
#include "compiler/codegen/nvptx/LinearRegions.h"
#include "compiler/codegen/nvptx/WeightFragments.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;
using h100::SkinnyShape;

/// Elements of the input that a thread prepares at once.
static constexpr int64_t preparedAtOnce = 4;
/// Rows that an instruction multiplies.
static constexpr int64_t rowsOfProduct = SkinnyShape::rowsOfProduct;
/// Sums of a lane in a product on tensor cores.
static constexpr int64_t sumsOfProduct = 4;

/// What the configuration of `op` says.
static h100::SkinnyTile tileOf(kernel::LinearOp op) {
  auto config = cast<kernel::GpuLinearConfigAttr>(op.getConfiguration());
  return {config.getTileRows(), config.getTileColumns(), config.getThreads(),
          config.getStages(), config.getSplit()};
}

static h100::RowLayout layoutOf(kernel::LinearOp op) {
  return {cast<ShapedType>(op.getWeight().getType()),
          cast<kernel::RowPackingAttr>(op.getPacking())};
}

namespace {
/// Where a warp is among its steps: step `index` of its part of K in the rows
/// of `tile`; `slot` is the stage that has it.
struct Cursor {
  Value tile, index, slot;
};

/// Emits a kernel.
class Skinny {
public:
  Skinny(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame);

  void prefetch();
  void emit(); ///< After `prefetch`.

private:
  // The order of work.
  void emitRows(Value first);
  void emitTiles(int64_t products, Cursor cursor);
  void emitTile(int64_t products, SmallVector<Value> &state);
  SmallVector<Value> emitChunk(int64_t products, Value chunk, ValueRange state);
  void exchange(llvm::function_ref<void()> write,
                llvm::function_ref<void()> read);

  // The weight.
  Cursor prefetched();
  void issue(const Cursor &ahead);
  Cursor next(const Cursor &cursor);

  // The input.
  void computeMeans();
  void sumSquares();
  void stageInputs(Value chunk);
  SmallVector<Value> prepare(Value row, Value rowOfTile, Value k,
                             Value isInside);
  SmallVector<Value> prepareInside(Value row, Value rowOfTile, Value k,
                                   int64_t count);
  void storeTotals(Value unit, Value row, ValueRange values);

  // Products.
  SmallVector<Value> multiplyStep(int64_t products, Value stage, Value step,
                                  ValueRange sums);
  void multiplyUnit(Value stage, Value step, int64_t unit,
                    MutableArrayRef<Value> sums);
  void multiplyUnitOfFloats(Value stage, Value step, int64_t unit,
                            MutableArrayRef<Value> sums);
  SmallVector<Value> scaled(ValueRange blockSums, Value step, int64_t product,
                            int64_t unit, ValueRange sums);

  // The result.
  void storePartials(ValueRange sums);
  void storePartialsOfFloats(ValueRange sums);
  void storePartial(Value sum, Value row, Value column);
  void storeResults(Value tile);
  Value sumOfPartials(Value row, Value column);

  Value compareLess(Value a, Value b) {
    return emitter.compare(arith::CmpIPredicate::slt, a, b);
  }
  int64_t sumsOf(int64_t products) const {
    return products *
           (shape.usesTensorCores ? sumsOfProduct : 2 * rowsOfProduct);
  }

  Emitter &emitter;
  Hopper hopper;
  kernel::LinearOp op;
  const KernelFrame &frame;
  const h100::RowLayout layout;
  const SkinnyShape shape;
  int64_t tiles; ///< Of columns.
  WeightFragments weight;
  Value warp, group, quarter;
  Value columnGroup, slice;  ///< Of this warp in its block.
  Value rank;                ///< Of this block in its cluster.
  Value cluster, clusters;   ///< This one and their number.
  Value firstStep, ownSteps; ///< Of this block, and of this warp.
  /// In shared memory.
  Value shared, stages, inputs, totals, partials, squares, means;
  Value firstRow, rows; ///< Of the input that are there.
  int64_t preparedRows; ///< What the code that is emitted is for.
  SkinnyShape::Chunks chunks;
};
} // namespace

Skinny::Skinny(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame)
    : emitter(emitter), hopper(emitter), op(op), frame(frame),
      layout(layoutOf(op)), shape(layout, op.getOperand(), tileOf(op)),
      tiles(llvm::divideCeil(layout.packedRows, shape.tile.columns)),
      weight(emitter, layout, shape,
             getElementTypeOrSelf(op.getWeight().getType()),
             frame.operands[1]) {
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
      compareLess(emitter.integer(0), left),
      emitter.divide(emitter.add(left, shape.slices - 1), shape.slices),
      emitter.integer(0));

  shared = emitter.dynamicSharedMemory();
  stages = emitter.offset(
      shared, emitter.multiply(warp, shape.tile.stages * shape.stageBytes));
  inputs = emitter.offset(shared, shape.inputsAt);
  partials = emitter.offset(shared, shape.partialsAt);
  squares = emitter.offset(shared, shape.squaresAt);
  means = emitter.offset(shared, shape.meansAt);
}

//===----------------------------------------------------------------------===//
// The order of work
//===----------------------------------------------------------------------===//

/// Calls `write`, which writes to shared memory what others read in `read`:
/// warps of the block or of the cluster. What `read` reads stays until the next
/// exchange.
void Skinny::exchange(llvm::function_ref<void()> write,
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

/// Computes the result of the rows from `first` on, as many as fit.
void Skinny::emitRows(Value first) {
  firstRow = first;
  rows = emitter.minimum(emitter.subtract(frame.rows, first),
                         emitter.integer(shape.tile.rows));
  SmallVector<int64_t> counts;
  for (int64_t count = 1; count * rowsOfProduct < shape.tile.rows; count *= 2)
    counts.push_back(count);
  counts.push_back(shape.tile.rows / rowsOfProduct);
  auto isEnough = [&](int64_t products) {
    return emitter.compare(arith::CmpIPredicate::sle, rows,
                           emitter.integer(products * rowsOfProduct));
  };

  if (op.getMeanSquare())
    computeMeans();
  Cursor cursor = prefetched();
  std::function<void(ArrayRef<int64_t>)> choose = [&](ArrayRef<int64_t> left) {
    if (left.size() == 1)
      return emitTiles(left[0], cursor);
    emitter.when(
        isEnough(left[0]), [&] { emitTiles(left[0], cursor); },
        [&] { choose(left.drop_front()); });
  };
  choose(counts);
  Value more = emitter.add(first, shape.tile.rows);
  emitter.when(compareLess(more, frame.rows), [&] {
    emitter.warpBarrier(); // All lanes have read their stages.
    prefetch();
  });
}

/// The same for `products` times 8 rows or fewer; the steps from `cursor` on
/// are to be copied.
void Skinny::emitTiles(int64_t products, Cursor cursor) {
  preparedRows = products * rowsOfProduct;
  chunks = shape.chunksFor(preparedRows);
  totals = emitter.offset(shared, chunks.totalsAt);
  if (chunks.count == 1) {
    emitter.barrier(); // Means are there.
    stageInputs(emitter.integer(0));
    emitter.barrier();
  }
  SmallVector<Value> state = {cursor.tile, cursor.index, cursor.slot};
  emitter.loop(cluster, emitter.integer(tiles), clusters, state,
               [&](Value tile, ValueRange before) {
                 SmallVector<Value> now(before);
                 emitTile(products, now);
                 exchange(
                     [&] {
                       ValueRange sums = ValueRange(now).drop_front(3);
                       shape.usesTensorCores ? storePartials(sums)
                                             : storePartialsOfFloats(sums);
                     },
                     [&] { storeResults(tile); });
                 now.resize(3);
                 return now;
               });
}

/// Forms the sums of this warp in one tile. `state` is its cursor, then has the
/// sums.
void Skinny::emitTile(int64_t products, SmallVector<Value> &state) {
  state.append(sumsOf(products), emitter.scalar(0.0f));
  if (chunks.count == 1) {
    state = emitChunk(products, emitter.integer(0), state);
    return;
  }
  state = emitter.loop(emitter.integer(0), emitter.integer(chunks.count), 1,
                       state, [&](Value chunk, ValueRange before) {
                         emitter.barrier(); // Nobody reads the chunk before.
                         stageInputs(chunk);
                         emitter.barrier();
                         return emitChunk(products, chunk, before);
                       });
}

/// The part of that with the steps of `chunk`, whose inputs are there.
SmallVector<Value> Skinny::emitChunk(int64_t products, Value chunk,
                                     ValueRange state) {
  int64_t count = chunks.steps / shape.slices;
  Value from = emitter.multiply(chunk, count);
  Value to = emitter.minimum(ownSteps, emitter.add(from, count));
  return emitter.loop(from, to, 1, state, [&](Value index, ValueRange before) {
    Cursor cursor = {before[0], before[1], before[2]};
    emitter.waitForCopies(shape.tile.stages - 2);
    emitter.warpBarrier(); // Copies of all lanes; the stage before is free.
    issue(cursor);
    Cursor after = next(cursor);
    Value stage =
        emitter.offset(stages, emitter.multiply(after.slot, shape.stageBytes));
    Value step = emitter.add(
        emitter.multiply(emitter.subtract(index, from), shape.slices), slice);
    SmallVector<Value> results = {after.tile, after.index, after.slot};
    results.append(multiplyStep(products, stage, step, before.drop_front(3)));
    return results;
  });
}

void Skinny::emit() {
  UnitAttr aligned = emitter.builder.getUnitAttr();
  bool isShared = shape.tile.cluster > 1;
  Value hasTile = compareLess(cluster, emitter.integer(tiles));
  emitter.when(hasTile, [&] {
    if (isShared)
      NVVM::ClusterArriveOp::create(emitter.builder, emitter.location, aligned);
    emitter.loop(emitter.integer(0), frame.rows, shape.tile.rows,
                 [&](Value first) { emitRows(first); });
    if (isShared)
      NVVM::ClusterWaitOp::create(emitter.builder, emitter.location, aligned);
  });
  emitter.waitForCopies(0); // Those that were begun for no rows.
}

//===----------------------------------------------------------------------===//
// The weight
//===----------------------------------------------------------------------===//

/// Begins to copy the first steps of this warp.
void Skinny::prefetch() {
  Cursor cursor = {cluster, emitter.integer(0), emitter.integer(0)};
  for (int64_t i = 1; i < shape.tile.stages; ++i) {
    issue(cursor);
    cursor = next(cursor);
  }
}

/// Where the first step is that `prefetch` leaves.
Cursor Skinny::prefetched() {
  Cursor cursor = {cluster, emitter.integer(0), emitter.integer(0)};
  for (int64_t i = 1; i < shape.tile.stages; ++i)
    cursor = next(cursor);
  return cursor;
}

/// Begins to copy the step at `ahead`, if there is one, to its stage.
void Skinny::issue(const Cursor &ahead) {
  Value isStep = emitter.both(compareLess(ahead.tile, emitter.integer(tiles)),
                              compareLess(ahead.index, ownSteps));
  emitter.when(isStep, [&] {
    Value step = emitter.add(
        firstStep,
        emitter.add(emitter.multiply(ahead.index, shape.slices), slice));
    Value row =
        emitter.add(emitter.multiply(ahead.tile, shape.tile.columns),
                    emitter.multiply(columnGroup, SkinnyShape::stepRows));
    weight.copy(
        row, step,
        emitter.offset(stages, emitter.multiply(ahead.slot, shape.stageBytes)));
  });
  emitter.commitCopies();
}

Cursor Skinny::next(const Cursor &cursor) {
  Value index = emitter.add(cursor.index, 1);
  Value slot = emitter.add(cursor.slot, 1);
  Value isLast = compareLess(index, ownSteps);
  Value isEnd = compareLess(slot, emitter.integer(shape.tile.stages));
  return {
      emitter.select(isLast, cursor.tile, emitter.add(cursor.tile, clusters)),
      emitter.select(isLast, index, emitter.integer(0)),
      emitter.select(isEnd, slot, emitter.integer(0))};
}

//===----------------------------------------------------------------------===//
// The input
//===----------------------------------------------------------------------===//

/// How many elements a thread can load at once from rows of `type` and from
/// vectors of its columns.
static int64_t widthOf(Type type) {
  auto shaped = cast<ShapedType>(type);
  int64_t bytes = shaped.getElementTypeBitWidth() / 8;
  int64_t width = preparedAtOnce;
  while (width > 1 && (stridesOf(type)[0] % width != 0 ||
                       shaped.getDimSize(1) % width != 0 ||
                       offsetOf(type) % (width * bytes) != 0))
    width /= 2;
  return width;
}

/// Brings the sums of squares of this block's part of K to shared memory: one
/// of each row and warp.
void Skinny::sumSquares() {
  Type type = op.getInput().getType();
  Type element = getElementTypeOrSelf(type);
  int64_t width = widthOf(type), depth = layout.depth;
  Value from = emitter.minimum(emitter.multiply(firstStep, shape.stepDepth),
                               emitter.integer(depth));
  Value to =
      emitter.minimum(emitter.add(from, shape.blockSteps * shape.stepDepth),
                      emitter.integer(depth));
  Value isFirst = emitter.compare(arith::CmpIPredicate::eq,
                                  emitter.laneNumber(), emitter.integer(0));
  emitter.loop(emitter.integer(0), rows, 1, [&](Value index) {
    Value source =
        emitRow(emitter, type, frame.operands[0], emitter.add(firstRow, index));
    Value own =
        emitter.add(from, emitter.multiply(emitter.threadNumber(), width));
    Value sum = emitter.loop(
        own, to, emitter.threads * width, {emitter.scalar(0.0f)},
        [&](Value k, ValueRange before) -> SmallVector<Value> {
          Value sum = before[0];
          Value place = emitter.offset(
              source, emitter.multiply(k, element.getIntOrFloatBitWidth() / 8));
          for (Value value : emitter.loadFloats(element, place, width))
            sum = emitter.multiplyAdd(value, value, sum);
          return {sum};
        })[0];
    sum = emitter.sumOfWarp(sum);
    Value place = emitter.add(emitter.multiply(index, shape.warps), warp);
    emitter.when(isFirst, [&] {
      emitter.storeElement(sum, emitter.f32(), squares, place);
    });
  });
}

/// Brings the mean squares of the rows to shared memory.
void Skinny::computeMeans() {
  auto sumUp = [&](Value row) {
    Value total = emitter.scalar(0.0f);
    for (int64_t block = 0; block < shape.tile.cluster; ++block) {
      Value memory = shape.tile.cluster > 1
                         ? hopper.inBlock(squares, emitter.integer(block))
                         : squares;
      for (int64_t i = 0; i < shape.warps; ++i) {
        Value place = emitter.add(emitter.multiply(row, shape.warps), i);
        total = emitter.addFloats(
            total, emitter.loadElement(emitter.f32(), memory, place));
      }
    }
    Value mean = emitter.multiplyFloats(
        total, emitter.scalar(1.0f / static_cast<float>(layout.depth)));
    emitter.storeElement(mean, emitter.f32(), means, row);
  };
  exchange([&] { sumSquares(); }, [&] { emitter.forThreads(rows, sumUp); });
}

/// What products see of `count` elements from `k` on of row `row`, the row
/// `rowOfTile` of those in shared memory.
SmallVector<Value> Skinny::prepareInside(Value row, Value rowOfTile, Value k,
                                         int64_t count) {
  auto loadAt = [&](Type element, Value memory) {
    Value bytes = emitter.multiply(k, element.getIntOrFloatBitWidth() / 8);
    return emitter.loadFloats(element, emitter.offset(memory, bytes), count);
  };
  Type type = op.getInput().getType();
  SmallVector<SmallVector<Value>> arguments = {
      loadAt(getElementTypeOrSelf(type),
             emitRow(emitter, type, frame.operands[0], row))};
  if (op.getMeanSquare())
    arguments.push_back(SmallVector<Value>(
        count, emitter.loadElement(emitter.f32(), means, rowOfTile)));
  for (auto [index, operand] : llvm::enumerate(op.getPrologueOperands()))
    arguments.push_back(loadAt(getElementTypeOrSelf(operand.getType()),
                               frame.operands[firstRegionOperand + index]));
  SmallVector<Value> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(emitOperand(
        emitter, op, llvm::map_to_vector(arguments, [&](const auto &of) {
          return of[static_cast<size_t>(i)];
        })));
  return values;
}

/// What products see of four elements from `k` on of row `row`, the row
/// `rowOfTile` of those in shared memory; zeros where there are none.
SmallVector<Value> Skinny::prepare(Value row, Value rowOfTile, Value k,
                                   Value isInside) {
  int64_t width = widthOf(op.getInput().getType());
  SmallVector<Value> zeros(width, emitter.scalar(0.0f)), values;
  for (int64_t i = 0; i < preparedAtOnce; i += width) {
    Value place = emitter.add(k, i);
    Value isElement = emitter.both(
        isInside, compareLess(place, emitter.integer(layout.depth)));
    values.append(emitter.evaluate(
        isElement, [&] { return prepareInside(row, rowOfTile, place, width); },
        [&] { return zeros; }));
  }
  return values;
}

/// Brings the inputs of the steps of `chunk` to shared memory.
void Skinny::stageInputs(Value chunk) {
  int64_t depth = chunks.steps * shape.stepDepth;
  int64_t across = depth / preparedAtOnce;
  Value first = emitter.multiply(
      emitter.add(firstStep, emitter.multiply(chunk, chunks.steps)),
      shape.stepDepth);
  emitter.forThreads(preparedRows * across, [&](Value number) {
    Value index = emitter.divide(number, across);
    Value place =
        emitter.multiply(emitter.modulo(number, across), preparedAtOnce);
    SmallVector<Value> values =
        prepare(emitter.add(firstRow, index), index, emitter.add(first, place),
                compareLess(index, rows));
    Value target = emitter.offset(
        inputs, emitter.add(emitter.multiply(index, chunks.pitch),
                            emitter.multiply(place, shape.operandBytes)));
    SmallVector<Value> words;
    if (shape.usesTensorCores)
      for (int64_t i = 0; i < preparedAtOnce; i += 2)
        words.push_back(
            hopper.packPair(op.getOperand(), values[i], values[i + 1]));
    emitter.storeVector(shape.usesTensorCores ? words : values, target);
    if (weight.hasMinima() && shape.usesTensorCores)
      storeTotals(emitter.divide(place, SkinnyShape::unitDepth), index, values);
  });
}

/// Stores the sum of the elements of unit `unit`, of which each of eight lanes
/// has `values`.
void Skinny::storeTotals(Value unit, Value row, ValueRange values) {
  Value sum = values[0];
  for (Value value : values.drop_front())
    sum = emitter.addFloats(sum, value);
  int64_t lanes = SkinnyShape::unitDepth / preparedAtOnce;
  for (int64_t distance = 1; distance < lanes; distance *= 2)
    sum = emitter.addFloats(sum, emitter.exchange(sum, distance));
  Value isFirst = emitter.compare(arith::CmpIPredicate::eq,
                                  emitter.modulo(emitter.laneNumber(), lanes),
                                  emitter.integer(0));
  emitter.when(isFirst, [&] {
    Value place = emitter.add(emitter.multiply(unit, preparedRows), row);
    emitter.storeElement(sum, emitter.f32(), totals, place);
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Adds the products of step `step` of the chunk to `sums`.
SmallVector<Value> Skinny::multiplyStep(int64_t products, Value stage,
                                        Value step, ValueRange sums) {
  SmallVector<Value> results(sums);
  assert(static_cast<int64_t>(sums.size()) == sumsOf(products));
  (void)products;
  weight.loadHeaders(stage);
  for (int64_t unit = 0; unit < shape.stepDepth / SkinnyShape::unitDepth;
       ++unit)
    if (shape.usesTensorCores)
      multiplyUnit(stage, step, unit, results);
    else
      multiplyUnitOfFloats(stage, step, unit, results);
  return results;
}

/// `sums` and the sums over a block of product `product`, times their scales.
SmallVector<Value> Skinny::scaled(ValueRange blockSums, Value step,
                                  int64_t product, int64_t unit,
                                  ValueRange sums) {
  SmallVector<Value> totalsOfRows;
  if (weight.hasMinima()) {
    Value number = emitter.add(
        emitter.multiply(step, shape.stepDepth / SkinnyShape::unitDepth), unit);
    Value place =
        emitter.add(emitter.add(emitter.multiply(number, preparedRows),
                                product * rowsOfProduct),
                    emitter.multiply(quarter, 2));
    totalsOfRows = emitter.loadVector(
        emitter.f32(), emitter.offset(totals, emitter.multiply(place, 4)), 2);
  }
  SmallVector<Value> results;
  for (int64_t i = 0; i < sumsOfProduct; ++i) {
    Value sum =
        emitter.multiplyAdd(blockSums[i], weight.scale(i / 2, unit), sums[i]);
    if (weight.hasMinima())
      sum = emitter.multiplyAdd(totalsOfRows[i % 2],
                                weight.minimum(i / 2, unit), sum);
    results.push_back(sum);
  }
  return results;
}

/// Adds the products of a unit on tensor cores. Lane `4 g + q` has the sums of
/// rows `g` and `g + 8` of the weight and rows `2 q` and `2 q + 1` of each
/// eight rows of the input.
void Skinny::multiplyUnit(Value stage, Value step, int64_t unit,
                          MutableArrayRef<Value> sums) {
  SmallVector<Value> low = weight.pairs(stage, 0, unit);
  SmallVector<Value> high = weight.pairs(stage, 1, unit);
  Value k = emitter.add(emitter.multiply(step, shape.stepDepth),
                        unit * SkinnyShape::unitDepth);
  Value place =
      emitter.add(emitter.multiply(emitter.add(k, emitter.multiply(quarter, 8)),
                                   shape.operandBytes),
                  emitter.multiply(group, chunks.pitch));
  SmallVector<Value> zeros(sumsOfProduct, emitter.scalar(0.0f));
  for (int64_t i = 0; i * sumsOfProduct < static_cast<int64_t>(sums.size());
       ++i) {
    SmallVector<Value> input = emitter.loadVector(
        emitter.i32(),
        emitter.offset(inputs,
                       emitter.add(place, i * rowsOfProduct * chunks.pitch)),
        4);
    MutableArrayRef<Value> own = sums.slice(i * sumsOfProduct, sumsOfProduct);
    SmallVector<Value> results(own);
    if (weight.isInBlocks())
      results = zeros;
    for (int64_t half : {0, 2})
      results = emitter.multiplyTiles(
          op.getOperand(),
          {low[half], high[half], low[half + 1], high[half + 1]},
          {input[half], input[half + 1]}, results);
    if (weight.isInBlocks())
      results = scaled(results, step, i, unit, own);
    llvm::copy(results, own.begin());
  }
}

/// The same in f32 of what this lane has of K: of each row of the input a sum
/// for rows `g` and `g + 8` of the weight.
void Skinny::multiplyUnitOfFloats(Value stage, Value step, int64_t unit,
                                  MutableArrayRef<Value> sums) {
  SmallVector<Value> low = weight.floats(stage, 0, unit);
  SmallVector<Value> high = weight.floats(stage, 1, unit);
  Value k = emitter.add(
      emitter.multiply(step, shape.stepDepth),
      emitter.add(emitter.multiply(quarter, 8), unit * SkinnyShape::unitDepth));
  for (int64_t row = 0; row * 2 < static_cast<int64_t>(sums.size()); ++row) {
    Value place = emitter.add(emitter.multiply(k, shape.operandBytes),
                              row * chunks.pitch);
    SmallVector<Value> values;
    for (int64_t i : {0, 16})
      values.append(emitter.loadFloats(
          emitter.f32(), emitter.offset(inputs, emitter.add(place, i)), 4));
    for (auto [i, value] : llvm::enumerate(values)) {
      sums[row * 2] = emitter.multiplyAdd(value, low[i], sums[row * 2]);
      sums[row * 2 + 1] =
          emitter.multiplyAdd(value, high[i], sums[row * 2 + 1]);
    }
  }
}

//===----------------------------------------------------------------------===//
// The result
//===----------------------------------------------------------------------===//

/// Stores a sum of this warp; `column` is one of its 16.
void Skinny::storePartial(Value sum, Value row, Value column) {
  Value place = emitter.add(emitter.multiply(slice, shape.tile.rows), row);
  column =
      emitter.add(emitter.multiply(columnGroup, SkinnyShape::stepRows), column);
  emitter.store(
      sum,
      emitter.offset(partials,
                     emitter.add(emitter.multiply(place, shape.partialPitch),
                                 emitter.multiply(column, 4))),
      4);
}

void Skinny::storePartials(ValueRange sums) {
  for (auto [index, sum] : llvm::enumerate(sums)) {
    auto i = static_cast<int64_t>(index);
    Value row = emitter.add(emitter.multiply(quarter, 2),
                            i / sumsOfProduct * rowsOfProduct + i % 2);
    storePartial(sum, row, emitter.add(group, i % sumsOfProduct / 2 * 8));
  }
}

/// Adds up what the four lanes of a row of the weight have; of each four rows
/// of the input each lane stores one.
void Skinny::storePartialsOfFloats(ValueRange sums) {
  SmallVector<Value> totals;
  for (Value sum : sums) {
    for (int64_t distance : {1, 2})
      sum = emitter.addFloats(sum, emitter.exchange(sum, distance));
    totals.push_back(sum);
  }
  for (size_t row = 0; row * 2 < totals.size(); row += 4)
    for (int64_t half : {0, 1}) {
      Value own = totals[row * 2 + half];
      for (int64_t i = 1; i < 4; ++i) {
        Value isOwn = emitter.compare(arith::CmpIPredicate::eq, quarter,
                                      emitter.integer(i));
        own = emitter.select(isOwn, totals[(row + i) * 2 + half], own);
      }
      storePartial(own, emitter.add(quarter, static_cast<int64_t>(row)),
                   emitter.add(group, half * 8));
    }
}

/// The sum of all blocks and warps for a row of the input and a column of the
/// tile.
Value Skinny::sumOfPartials(Value row, Value column) {
  int64_t sliceBytes = shape.tile.rows * shape.partialPitch;
  Value place = emitter.add(emitter.multiply(row, shape.partialPitch),
                            emitter.multiply(column, 4));
  auto addBlock = [&](Value memory, Value sum) {
    for (int64_t i = 0; i < shape.slices; ++i)
      sum = emitter.addFloats(
          sum,
          emitter.load(
              emitter.f32(),
              emitter.offset(memory, emitter.add(place, i * sliceBytes)), 4));
    return sum;
  };
  if (shape.tile.cluster == 1)
    return addBlock(partials, emitter.scalar(0.0f));
  return emitter.loop(emitter.integer(0), emitter.integer(shape.tile.cluster),
                      1, {emitter.scalar(0.0f)},
                      [&](Value block, ValueRange sum) -> SmallVector<Value> {
                        return {
                            addBlock(hopper.inBlock(partials, block), sum[0])};
                      })[0];
}

/// Stores the results of a tile; the threads of all blocks share them.
void Skinny::storeResults(Value tile) {
  int64_t pairRows = layout.pairRows;
  int64_t columns = shape.tile.columns / (pairRows ? 2 : 1);
  Value firstOutput = emitter.multiply(tile, columns);
  Value thread = emitter.add(emitter.multiply(rank, emitter.threads),
                             emitter.threadNumber());
  Value count = emitter.multiply(rows, columns);
  emitter.loop(
      thread, count, emitter.threads * shape.tile.cluster, [&](Value number) {
        Value row = emitter.divide(number, columns);
        Value own = emitter.modulo(number, columns);
        Value output = emitter.add(firstOutput, own);
        Value isOutput =
            compareLess(output, emitter.integer(op.getOutputColumns()));
        emitter.when(isOutput, [&] {
          SmallVector<Value> sums;
          if (pairRows) {
            own = emitter.add(
                emitter.multiply(emitter.divide(own, pairRows), 2 * pairRows),
                emitter.modulo(own, pairRows));
            sums.push_back(sumOfPartials(row, own));
            own = emitter.add(own, pairRows);
          }
          sums.push_back(sumOfPartials(row, own));
          emitResult(emitter, op, frame, emitter.add(firstRow, row), output,
                     sums);
        });
      });
}

//===----------------------------------------------------------------------===//
// The kernel as others see it
//===----------------------------------------------------------------------===//

LogicalResult nvptx::verifySkinny(kernel::LinearOp op) {
  SkinnyShape shape(layoutOf(op), op.getOperand(), tileOf(op));
  if (std::optional<std::string> fault = shape.findFault())
    return op->emitOpError(*fault);
  return success();
}

LaunchShape nvptx::skinnyLaunch(kernel::LinearOp op) {
  SkinnyShape shape(layoutOf(op), op.getOperand(), tileOf(op));
  LaunchShape launch;
  launch.threads = shape.tile.threads;
  launch.cluster = shape.tile.cluster;
  launch.sharedBytes = shape.bytes;
  launch.blocks = shape.blocks;
  launch.blocksOfMultiprocessor = 1;
  return launch;
}

void nvptx::emitSkinnyPrefetch(Emitter &emitter, kernel::LinearOp op,
                               const KernelFrame &frame) {
  Skinny(emitter, op, frame).prefetch();
}

void nvptx::emitSkinnyKernel(Emitter &emitter, kernel::LinearOp op,
                             const KernelFrame &frame) {
  Skinny(emitter, op, frame).emit();
}
