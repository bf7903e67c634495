// Linear layers in scalars: for storage or sizes for which there is nothing
// faster.
//
// A block of threads multiplies some rows of the input by some columns of the
// result, a part of K at a time that all threads bring to shared memory, as
// f32: the input after its prologue, rounded to the type of operands, and the
// weight decoded. Each thread has a few columns of a few rows. Sums run over K
// in order, whatever the number of rows.

#include "compiler/codegen/nvptx/LinearForms.h"
#include "compiler/codegen/nvptx/LinearRegions.h"
#include "compiler/codegen/nvptx/WeightRows.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// Elements of K that are in shared memory at once: a block of quantised
/// weights.
static constexpr int64_t stepDepth = 32;
/// From one row of them to the next, in elements: threads of a warp that read
/// the same element of neighbouring rows then hit different banks.
static constexpr int64_t stepPitch = stepDepth + 1;

/// Rows of the weight that a thread multiplies by each of its rows of the
/// input.
static constexpr int64_t weightRowsPerThread = 4;

namespace {
/// Emits one tile: some rows times some columns.
class Linear {
public:
  Linear(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame)
      : emitter(emitter), op(op), frame(frame),
        packing(cast<kernel::RowPackingAttr>(op.getPacking())),
        weight(emitter, op.getWeight().getType(), packing, frame.operands[1]),
        depth(op.getDepth()), outputs(op.getOutputColumns()),
        tileRows(configurationOf(op).getTileRows()),
        tileColumns(configurationOf(op).getTileColumns()),
        sumsOfColumn(packing.getPaired() ? 2 : 1),
        columnsPerThread(weightRowsPerThread / sumsOfColumn),
        across(tileColumns / weightRowsPerThread),
        rowsPerThread(tileRows * across / emitter.threads) {
    inputs = emitter.sharedMemory(tileRows * stepPitch * 4);
    weights = emitter.sharedMemory(tileColumns * stepPitch * 4);
    if (op.getMeanSquare())
      means = emitter.sharedMemory(tileRows * 4);
    column = emitter.modulo(emitter.threadNumber(), across);
    firstRow = emitter.multiply(emitter.divide(emitter.threadNumber(), across),
                                rowsPerThread);
  }

  void emit(Value tile);

private:
  void computeMeans(Value row);
  void loadInputs(Value row, Value k);
  Value prepare(Value value, Value rowOfTile, Value k);
  void loadWeights(Value firstColumn, Value k);
  SmallVector<Value> weightRows();
  SmallVector<Value> multiply(ValueRange before);
  void store(Value tileColumn, Value row, ValueRange results);
  void emitRows(Value tileColumn, Value row);

  Value at(Value memory, Value row, Value k) {
    return emitter.offset(
        memory,
        emitter.multiply(emitter.add(emitter.multiply(row, stepPitch), k), 4));
  }
  /// This thread's column number `i` in the tile.
  Value ownColumn(int64_t i) { return emitter.add(column, i * across); }

  Emitter &emitter;
  kernel::LinearOp op;
  const KernelFrame &frame;
  kernel::RowPackingAttr packing;
  WeightRows weight;
  int64_t depth, outputs, tileRows;
  int64_t tileColumns;  ///< Rows of the weight in a tile.
  int64_t sumsOfColumn; ///< Of the result; two if rows are paired.
  int64_t columnsPerThread;
  int64_t across; ///< Threads that share a row.
  int64_t rowsPerThread;
  Value inputs, weights, means; ///< In shared memory.
  Value column, firstRow;       ///< The first ones of this thread in the tile.
};
} // namespace

/// Brings the mean squares of the rows from `row` on to shared memory, each by
/// one warp.
void Linear::computeMeans(Value row) {
  Type type = op.getInput().getType();
  Type element = getElementTypeOrSelf(type);
  Value count = emitter.minimum(emitter.subtract(frame.rows, row),
                                emitter.integer(tileRows));
  emitter.loop(emitter.warpNumber(), count, emitter.threads / warpLanes,
               [&](Value index) {
                 Value source = emitRow(emitter, type, frame.operands[0],
                                        emitter.add(row, index));
                 Value squares = emitter.loop(
                     emitter.laneNumber(), emitter.integer(depth), warpLanes,
                     {emitter.scalar(0.0f)},
                     [&](Value k, ValueRange sum) -> SmallVector<Value> {
                       Value value = emitter.loadElement(element, source, k);
                       return {emitter.multiplyAdd(value, value, sum[0])};
                     })[0];
                 Value mean = emitter.multiplyFloats(
                     emitter.sumOfWarp(squares),
                     emitter.scalar(1.0f / static_cast<float>(depth)));
                 Value isFirst =
                     emitter.compare(arith::CmpIPredicate::eq,
                                     emitter.laneNumber(), emitter.integer(0));
                 emitter.when(isFirst, [&] {
                   emitter.storeElement(mean, emitter.f32(), means, index);
                 });
               });
}

/// What products see of element `k` of a row of the tile.
Value Linear::prepare(Value value, Value rowOfTile, Value k) {
  SmallVector<Value> arguments = {value};
  if (op.getMeanSquare())
    arguments.push_back(emitter.loadElement(emitter.f32(), means, rowOfTile));
  for (auto [index, operand] : llvm::enumerate(op.getPrologueOperands()))
    arguments.push_back(
        emitter.loadElement(getElementTypeOrSelf(operand.getType()),
                            frame.operands[firstRegionOperand + index], k));
  return emitOperand(emitter, op, arguments);
}

/// Brings elements from `k` on of the rows from `row` on to shared memory; what
/// is beyond K or the last row is zero.
void Linear::loadInputs(Value row, Value k) {
  Type type = op.getInput().getType();
  emitter.forThreads(tileRows * stepDepth, [&](Value number) {
    Value index = emitter.divide(number, stepDepth);
    Value step = emitter.modulo(number, stepDepth);
    Value inputRow = emitter.add(row, index), place = emitter.add(k, step);
    Value isInside = emitter.both(
        emitter.compare(arith::CmpIPredicate::slt, inputRow, frame.rows),
        emitter.compare(arith::CmpIPredicate::slt, place,
                        emitter.integer(depth)));
    Value value = emitter.evaluate(
        isInside,
        [&] {
          Value source = emitRow(emitter, type, frame.operands[0], inputRow);
          return prepare(
              emitter.loadElement(getElementTypeOrSelf(type), source, place),
              index, place);
        },
        [&] { return emitter.scalar(0.0f); });
    emitter.store(value, at(inputs, index, step), 4);
  });
}

/// The same of the rows of the weight from `firstColumn` on.
void Linear::loadWeights(Value firstColumn, Value k) {
  emitter.forThreads(tileColumns * stepDepth, [&](Value number) {
    Value index = emitter.divide(number, stepDepth);
    Value step = emitter.modulo(number, stepDepth);
    Value row = emitter.add(firstColumn, index), place = emitter.add(k, step);
    Value isInside =
        emitter.both(emitter.compare(arith::CmpIPredicate::slt, row,
                                     emitter.integer(weight.layout.packedRows)),
                     emitter.compare(arith::CmpIPredicate::slt, place,
                                     emitter.integer(depth)));
    Value value = emitter.evaluate(
        isInside, [&] { return weight.load(row, place); },
        [&] { return emitter.scalar(0.0f); });
    emitter.store(value, at(weights, index, step), 4);
  });
}

/// The rows of the weight in the tile that this thread multiplies: of its first
/// column, one or two that are paired, then of the next one.
SmallVector<Value> Linear::weightRows() {
  SmallVector<Value> rows;
  for (int64_t i = 0; i < columnsPerThread; ++i) {
    Value row = ownColumn(i);
    if (int64_t pairRows = packing.getPairRows()) {
      row = emitter.add(
          emitter.multiply(emitter.divide(row, pairRows), 2 * pairRows),
          emitter.modulo(row, pairRows));
      rows.push_back(row);
      row = emitter.add(row, pairRows);
    }
    rows.push_back(row);
  }
  return rows;
}

/// Adds the products of what is in shared memory to this thread's sums: for
/// each of its rows of the weight one for each row of the input.
SmallVector<Value> Linear::multiply(ValueRange before) {
  SmallVector<Value> rows = weightRows();
  return emitter.loop(
      emitter.integer(0), emitter.integer(stepDepth), 1, before,
      [&](Value k, ValueRange old) {
        SmallVector<Value> values, sums;
        for (int64_t i = 0; i < rowsPerThread; ++i)
          values.push_back(emitter.load(
              emitter.f32(), at(inputs, emitter.add(firstRow, i), k), 4));
        for (Value row : rows) {
          Value factor = emitter.load(emitter.f32(), at(weights, row, k), 4);
          for (Value value : values)
            sums.push_back(
                emitter.multiplyAdd(value, factor, old[sums.size()]));
        }
        return sums;
      });
}

void Linear::store(Value tileColumn, Value row, ValueRange results) {
  Value firstOutput = emitter.multiply(tileColumn, tileColumns / sumsOfColumn);
  for (int64_t i = 0; i < rowsPerThread; ++i) {
    Value resultRow = emitter.add(row, emitter.add(firstRow, i));
    Value isRow =
        emitter.compare(arith::CmpIPredicate::slt, resultRow, frame.rows);
    for (int64_t j = 0; j < columnsPerThread; ++j) {
      Value output = emitter.add(firstOutput, ownColumn(j));
      Value isColumn = emitter.compare(arith::CmpIPredicate::slt, output,
                                       emitter.integer(outputs));
      SmallVector<Value> sums;
      for (int64_t sum = j * sumsOfColumn; sum < (j + 1) * sumsOfColumn; ++sum)
        sums.push_back(results[static_cast<size_t>(sum * rowsPerThread + i)]);
      emitter.when(emitter.both(isColumn, isRow), [&] {
        emitResult(emitter, op, frame, resultRow, output, sums);
      });
    }
  }
}

void Linear::emitRows(Value tileColumn, Value row) {
  if (op.getMeanSquare())
    computeMeans(row);
  SmallVector<Value> results(
      static_cast<size_t>(rowsPerThread * weightRowsPerThread),
      emitter.scalar(0.0f));
  results = emitter.loop(
      emitter.integer(0), emitter.integer(depth), stepDepth, results,
      [&](Value k, ValueRange before) {
        emitter.barrier(); // Means are there; nobody reads the step before.
        loadInputs(row, k);
        loadWeights(emitter.multiply(tileColumn, tileColumns), k);
        emitter.barrier();
        Value hasRows = emitter.compare(arith::CmpIPredicate::slt,
                                        emitter.add(row, firstRow), frame.rows);
        return emitter.evaluate(
            hasRows, [&] { return multiply(before); },
            [&] { return SmallVector<Value>(before); });
      });
  store(tileColumn, row, results);
  emitter.barrier(); // Nobody reads means or steps any more.
}

void Linear::emit(Value tile) {
  int64_t across = llvm::divideCeil(weight.layout.packedRows, tileColumns);
  Value row = emitter.multiply(emitter.divide(tile, across), tileRows);
  Value isTile = emitter.compare(arith::CmpIPredicate::slt, row, frame.rows);
  emitter.when(isTile, [&] { emitRows(emitter.modulo(tile, across), row); });
}

//===----------------------------------------------------------------------===//
// The ways to compute a layer
//===----------------------------------------------------------------------===//

LogicalResult nvptx::verifyKernel(kernel::LinearOp op) {
  switch (configurationOf(op).getKind()) {
  case kernel::GpuKind::Wgmma:
    return verifyGemm(op);
  case kernel::GpuKind::Skinny:
    return verifySkinny(op);
  default:
    return success();
  }
}

LaunchShape nvptx::shapeOf(kernel::LinearOp op) {
  switch (configurationOf(op).getKind()) {
  case kernel::GpuKind::Wgmma:
    return shapeOfGemm(op);
  case kernel::GpuKind::Skinny:
    return shapeOfSkinny(op);
  default:
    LaunchShape shape;
    shape.threads = configurationOf(op).getThreads();
    return shape;
  }
}

void nvptx::emitPrefetch(Emitter &emitter, kernel::LinearOp op,
                         const KernelFrame &frame) {
  if (configurationOf(op).getKind() == kernel::GpuKind::Skinny)
    emitSkinnyPrefetch(emitter, op, frame);
}

void nvptx::emitKernel(Emitter &emitter, kernel::LinearOp op,
                       const KernelFrame &frame) {
  switch (configurationOf(op).getKind()) {
  case kernel::GpuKind::Wgmma:
    return emitGemm(emitter, op, frame);
  case kernel::GpuKind::Skinny:
    return emitSkinny(emitter, op, frame);
  default:
    Linear code(emitter, op, frame);
    frame.forTiles(emitter, [&](Value tile) { code.emit(tile); });
  }
}
