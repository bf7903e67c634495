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

#include "compiler/codegen/nvptx/SkinnyInput.h"
#include "compiler/codegen/nvptx/SkinnyResult.h"
#include "compiler/codegen/nvptx/WeightFragments.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;
using h100::SkinnyShape;

/// Rows that an instruction multiplies.
static constexpr int64_t rowsOfProduct = SkinnyShape::rowsOfProduct;

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

  // The weight.
  Cursor prefetched();
  void issue(const Cursor &ahead);
  Cursor next(const Cursor &cursor);

  // Products.
  SmallVector<Value> multiplyStep(int64_t products, Value stage, Value step,
                                  ValueRange sums);
  void multiplyUnit(Value stage, Value step, int64_t unit,
                    MutableArrayRef<Value> sums);
  void multiplyUnitOfFloats(Value stage, Value step, int64_t unit,
                            MutableArrayRef<Value> sums);
  SmallVector<Value> scaled(ValueRange blockSums, Value step, int64_t product,
                            int64_t unit, ValueRange sums);

  Value compareLess(Value a, Value b) {
    return emitter.compare(arith::CmpIPredicate::slt, a, b);
  }
  int64_t sumsOf(int64_t products) const {
    return products * (shape.usesTensorCores ? skinnySums : 2 * rowsOfProduct);
  }

  Emitter &emitter;
  kernel::LinearOp op;
  const KernelFrame &frame;
  SkinnyBlock block;
  const h100::RowLayout &layout;
  const SkinnyShape &shape;
  int64_t tiles; ///< Of columns.
  WeightFragments weight;
  SkinnyInput input;
  SkinnyResult result;
  Value stages; ///< Of this warp, in shared memory.
};
} // namespace

Skinny::Skinny(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame)
    : emitter(emitter), op(op), frame(frame), block(emitter, op, frame),
      layout(block.layout), shape(block.shape),
      tiles(llvm::divideCeil(layout.packedRows, shape.tile.columns)),
      weight(emitter, layout, shape,
             getElementTypeOrSelf(op.getWeight().getType()), frame.operands[1]),
      input(block), result(block) {
  block.begin();
  stages = emitter.offset(
      block.shared,
      emitter.multiply(block.warp, shape.tile.stages * shape.stageBytes));
  input.begin();
  result.begin();
}

//===----------------------------------------------------------------------===//
// The order of work
//===----------------------------------------------------------------------===//

/// Computes the result of the rows from `first` on, as many as fit.
void Skinny::emitRows(Value first) {
  block.firstRow = first;
  block.rows = emitter.minimum(emitter.subtract(frame.rows, first),
                               emitter.integer(shape.tile.rows));
  SmallVector<int64_t> counts;
  for (int64_t count = 1; count * rowsOfProduct < shape.tile.rows; count *= 2)
    counts.push_back(count);
  counts.push_back(shape.tile.rows / rowsOfProduct);
  auto isEnough = [&](int64_t products) {
    return emitter.compare(arith::CmpIPredicate::sle, block.rows,
                           emitter.integer(products * rowsOfProduct));
  };

  if (op.getMeanSquare())
    input.computeMeans();
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
  input.prepareFor(products * rowsOfProduct);
  if (input.chunks.count == 1) {
    emitter.barrier(); // Means are there.
    input.stage(emitter.integer(0));
    emitter.barrier();
  }
  SmallVector<Value> state = {cursor.tile, cursor.index, cursor.slot};
  emitter.loop(
      block.cluster, emitter.integer(tiles), block.clusters, state,
      [&](Value tile, ValueRange before) {
        SmallVector<Value> now(before);
        emitTile(products, now);
        block.exchange(
            [&] { result.storePartials(ValueRange(now).drop_front(3)); },
            [&] { result.storeResults(tile); });
        now.resize(3);
        return now;
      });
}

/// Forms the sums of this warp in one tile. `state` is its cursor, then has the
/// sums.
void Skinny::emitTile(int64_t products, SmallVector<Value> &state) {
  state.append(sumsOf(products), emitter.scalar(0.0f));
  if (input.chunks.count == 1) {
    state = emitChunk(products, emitter.integer(0), state);
    return;
  }
  state = emitter.loop(emitter.integer(0), emitter.integer(input.chunks.count),
                       1, state, [&](Value chunk, ValueRange before) {
                         emitter.barrier(); // Nobody reads the chunk before.
                         input.stage(chunk);
                         emitter.barrier();
                         return emitChunk(products, chunk, before);
                       });
}

/// The part of that with the steps of `chunk`, whose input.inputs are there.
SmallVector<Value> Skinny::emitChunk(int64_t products, Value chunk,
                                     ValueRange state) {
  int64_t count = input.chunks.steps / shape.slices;
  Value from = emitter.multiply(chunk, count);
  Value to = emitter.minimum(block.ownSteps, emitter.add(from, count));
  return emitter.loop(from, to, 1, state, [&](Value index, ValueRange before) {
    Cursor cursor = {before[0], before[1], before[2]};
    emitter.waitForCopies(shape.tile.stages - 2);
    emitter.warpBarrier(); // Copies of all lanes; the stage before is free.
    issue(cursor);
    Cursor after = next(cursor);
    Value stage =
        emitter.offset(stages, emitter.multiply(after.slot, shape.stageBytes));
    Value step = emitter.add(
        emitter.multiply(emitter.subtract(index, from), shape.slices),
        block.slice);
    SmallVector<Value> results = {after.tile, after.index, after.slot};
    results.append(multiplyStep(products, stage, step, before.drop_front(3)));
    return results;
  });
}

void Skinny::emit() {
  UnitAttr aligned = emitter.builder.getUnitAttr();
  bool isShared = shape.tile.cluster > 1;
  Value hasTile = compareLess(block.cluster, emitter.integer(tiles));
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
  Cursor cursor = {block.cluster, emitter.integer(0), emitter.integer(0)};
  for (int64_t i = 1; i < shape.tile.stages; ++i) {
    issue(cursor);
    cursor = next(cursor);
  }
}

/// Where the first step is that `prefetch` leaves.
Cursor Skinny::prefetched() {
  Cursor cursor = {block.cluster, emitter.integer(0), emitter.integer(0)};
  for (int64_t i = 1; i < shape.tile.stages; ++i)
    cursor = next(cursor);
  return cursor;
}

/// Begins to copy the step at `ahead`, if there is one, to its stage.
void Skinny::issue(const Cursor &ahead) {
  Value isStep = emitter.both(compareLess(ahead.tile, emitter.integer(tiles)),
                              compareLess(ahead.index, block.ownSteps));
  emitter.when(isStep, [&] {
    Value step = emitter.add(
        block.firstStep,
        emitter.add(emitter.multiply(ahead.index, shape.slices), block.slice));
    Value row =
        emitter.add(emitter.multiply(ahead.tile, shape.tile.columns),
                    emitter.multiply(block.columnGroup, SkinnyShape::stepRows));
    weight.copy(
        row, step,
        emitter.offset(stages, emitter.multiply(ahead.slot, shape.stageBytes)));
  });
  emitter.commitCopies();
}

Cursor Skinny::next(const Cursor &cursor) {
  Value index = emitter.add(cursor.index, 1);
  Value slot = emitter.add(cursor.slot, 1);
  Value isLast = compareLess(index, block.ownSteps);
  Value isEnd = compareLess(slot, emitter.integer(shape.tile.stages));
  return {emitter.select(isLast, cursor.tile,
                         emitter.add(cursor.tile, block.clusters)),
          emitter.select(isLast, index, emitter.integer(0)),
          emitter.select(isEnd, slot, emitter.integer(0))};
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
        emitter.add(emitter.add(emitter.multiply(number, input.preparedRows),
                                product * rowsOfProduct),
                    emitter.multiply(block.quarter, 2));
    totalsOfRows = emitter.loadVector(
        emitter.f32(), emitter.offset(input.totals, emitter.multiply(place, 4)),
        2);
  }
  SmallVector<Value> results;
  for (int64_t i = 0; i < skinnySums; ++i) {
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
  Value place = emitter.add(
      emitter.multiply(emitter.add(k, emitter.multiply(block.quarter, 8)),
                       shape.operandBytes),
      emitter.multiply(block.group, input.chunks.pitch));
  SmallVector<Value> zeros(skinnySums, emitter.scalar(0.0f));
  for (int64_t i = 0; i * skinnySums < static_cast<int64_t>(sums.size()); ++i) {
    SmallVector<Value> right = emitter.loadVector(
        emitter.i32(),
        emitter.offset(
            input.inputs,
            emitter.add(place, i * rowsOfProduct * input.chunks.pitch)),
        4);
    MutableArrayRef<Value> own = sums.slice(i * skinnySums, skinnySums);
    SmallVector<Value> results(own);
    if (weight.isInBlocks())
      results = zeros;
    for (int64_t half : {0, 2})
      results = emitter.multiplyTiles(
          op.getOperand(),
          {low[half], high[half], low[half + 1], high[half + 1]},
          {right[half], right[half + 1]}, results);
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
  Value k = emitter.add(emitter.multiply(step, shape.stepDepth),
                        emitter.add(emitter.multiply(block.quarter, 8),
                                    unit * SkinnyShape::unitDepth));
  for (int64_t row = 0; row * 2 < static_cast<int64_t>(sums.size()); ++row) {
    Value place = emitter.add(emitter.multiply(k, shape.operandBytes),
                              row * input.chunks.pitch);
    SmallVector<Value> values;
    for (int64_t i : {0, 16})
      values.append(emitter.loadFloats(
          emitter.f32(), emitter.offset(input.inputs, emitter.add(place, i)),
          4));
    for (auto [i, value] : llvm::enumerate(values)) {
      sums[row * 2] = emitter.multiplyAdd(value, low[i], sums[row * 2]);
      sums[row * 2 + 1] =
          emitter.multiplyAdd(value, high[i], sums[row * 2 + 1]);
    }
  }
}

void nvptx::emitSkinnyPrefetch(Emitter &emitter, kernel::LinearOp op,
                               const KernelFrame &frame) {
  Skinny(emitter, op, frame).prefetch();
}

void nvptx::emitSkinny(Emitter &emitter, kernel::LinearOp op,
                       const KernelFrame &frame) {
  Skinny(emitter, op, frame).emit();
}
