#include "compiler/codegen/nvptx/SkinnyResult.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;
using h100::SkinnyShape;

/// Rows that an instruction multiplies.
static constexpr int64_t rowsOfProduct = SkinnyShape::rowsOfProduct;

/// Stores a sum of this warp; `column` is one of its 16.
void SkinnyResult::storePartial(Value sum, Value row, Value column) {
  Value place =
      emitter.add(emitter.multiply(block.slice, shape.tile.rows), row);
  column = emitter.add(
      emitter.multiply(block.columnGroup, SkinnyShape::stepRows), column);
  emitter.store(
      sum,
      emitter.offset(partials,
                     emitter.add(emitter.multiply(place, shape.partialPitch),
                                 emitter.multiply(column, 4))),
      4);
}

void SkinnyResult::storeSums(ValueRange sums) {
  for (auto [index, sum] : llvm::enumerate(sums)) {
    auto i = static_cast<int64_t>(index);
    Value row = emitter.add(emitter.multiply(block.quarter, 2),
                            i / skinnySums * rowsOfProduct + i % 2);
    storePartial(sum, row, emitter.add(block.group, i % skinnySums / 2 * 8));
  }
}

/// Adds up what the four lanes of a row of the weight have; of each four rows
/// of the input each lane stores one.
void SkinnyResult::storeSumsOfFloats(ValueRange sums) {
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
        Value isOwn = emitter.compare(arith::CmpIPredicate::eq, block.quarter,
                                      emitter.integer(i));
        own = emitter.select(isOwn, totals[(row + i) * 2 + half], own);
      }
      storePartial(own, emitter.add(block.quarter, static_cast<int64_t>(row)),
                   emitter.add(block.group, half * 8));
    }
}

/// The sum of all blocks and warps for a row of the input and a column of the
/// tile.
Value SkinnyResult::sumOfPartials(Value row, Value column) {
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
                      [&](Value other, ValueRange sum) -> SmallVector<Value> {
                        return {
                            addBlock(hopper.inBlock(partials, other), sum[0])};
                      })[0];
}

void SkinnyResult::storeResults(Value tile) {
  int64_t pairRows = layout.pairRows;
  int64_t columns = shape.tile.columns / (pairRows ? 2 : 1);
  Value firstOutput = emitter.multiply(tile, columns);
  Value thread = emitter.add(emitter.multiply(block.rank, emitter.threads),
                             emitter.threadNumber());
  Value count = emitter.multiply(block.rows, columns);
  emitter.loop(
      thread, count, emitter.threads * shape.tile.cluster, [&](Value number) {
        Value row = emitter.divide(number, columns);
        Value own = emitter.modulo(number, columns);
        Value output = emitter.add(firstOutput, own);
        Value isOutput =
            emitter.compare(arith::CmpIPredicate::slt, output,
                            emitter.integer(op.getOutputColumns()));
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
          emitResult(emitter, op, frame, emitter.add(block.firstRow, row),
                     output, sums);
        });
      });
}
