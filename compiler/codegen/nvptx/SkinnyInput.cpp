#include "compiler/codegen/nvptx/SkinnyInput.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;
using h100::SkinnyShape;

/// Elements of the input that a thread prepares at once.
static constexpr int64_t preparedAtOnce = 4;

void SkinnyInput::begin() {
  inputs = emitter.offset(block.shared, shape.inputsAt);
  squares = emitter.offset(block.shared, shape.squaresAt);
  means = emitter.offset(block.shared, shape.meansAt);
}

void SkinnyInput::prepareFor(int64_t count) {
  preparedRows = count;
  chunks = shape.chunksFor(count);
  totals = emitter.offset(block.shared, chunks.totalsAt);
}

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
void SkinnyInput::sumSquares() {
  Type type = op.getInput().getType();
  Type element = getElementTypeOrSelf(type);
  int64_t width = widthOf(type), depth = layout.depth;
  Value from =
      emitter.minimum(emitter.multiply(block.firstStep, shape.stepDepth),
                      emitter.integer(depth));
  Value to =
      emitter.minimum(emitter.add(from, shape.blockSteps * shape.stepDepth),
                      emitter.integer(depth));
  Value isFirst = emitter.compare(arith::CmpIPredicate::eq,
                                  emitter.laneNumber(), emitter.integer(0));
  emitter.loop(emitter.integer(0), block.rows, 1, [&](Value index) {
    Value source = emitRow(emitter, type, frame.operands[0],
                           emitter.add(block.firstRow, index));
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
    Value place = emitter.add(emitter.multiply(index, shape.warps), block.warp);
    emitter.when(isFirst, [&] {
      emitter.storeElement(sum, emitter.f32(), squares, place);
    });
  });
}

void SkinnyInput::computeMeans() {
  auto sumUp = [&](Value row) {
    Value total = emitter.scalar(0.0f);
    for (int64_t other = 0; other < shape.tile.cluster; ++other) {
      Value memory = shape.tile.cluster > 1
                         ? hopper.inBlock(squares, emitter.integer(other))
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
  block.exchange([&] { sumSquares(); },
                 [&] { emitter.forThreads(block.rows, sumUp); });
}

/// What products see of `count` elements from `k` on of row `row`, the row
/// `rowOfTile` of those in shared memory.
SmallVector<Value> SkinnyInput::prepareInside(Value row, Value rowOfTile,
                                              Value k, int64_t count) {
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
SmallVector<Value> SkinnyInput::prepare(Value row, Value rowOfTile, Value k,
                                        Value isInside) {
  int64_t width = widthOf(op.getInput().getType());
  SmallVector<Value> zeros(width, emitter.scalar(0.0f)), values;
  for (int64_t i = 0; i < preparedAtOnce; i += width) {
    Value place = emitter.add(k, i);
    Value isElement =
        emitter.both(isInside, emitter.compare(arith::CmpIPredicate::slt, place,
                                               emitter.integer(layout.depth)));
    values.append(emitter.evaluate(
        isElement, [&] { return prepareInside(row, rowOfTile, place, width); },
        [&] { return zeros; }));
  }
  return values;
}

void SkinnyInput::stage(Value chunk) {
  int64_t depth = chunks.steps * shape.stepDepth;
  int64_t across = depth / preparedAtOnce;
  Value first = emitter.multiply(
      emitter.add(block.firstStep, emitter.multiply(chunk, chunks.steps)),
      shape.stepDepth);
  emitter.forThreads(preparedRows * across, [&](Value number) {
    Value index = emitter.divide(number, across);
    Value place =
        emitter.multiply(emitter.modulo(number, across), preparedAtOnce);
    SmallVector<Value> values = prepare(
        emitter.add(block.firstRow, index), index, emitter.add(first, place),
        emitter.compare(arith::CmpIPredicate::slt, index, block.rows));
    Value target = emitter.offset(
        inputs, emitter.add(emitter.multiply(index, chunks.pitch),
                            emitter.multiply(place, shape.operandBytes)));
    SmallVector<Value> words;
    if (shape.usesTensorCores)
      for (int64_t i = 0; i < preparedAtOnce; i += 2)
        words.push_back(
            hopper.packPair(op.getOperand(), values[i], values[i + 1]));
    emitter.storeVector(shape.usesTensorCores ? words : values, target);
    if (shape.headers > 1 && shape.usesTensorCores)
      storeTotals(emitter.divide(place, SkinnyShape::unitDepth), index, values);
  });
}

/// Stores the sum of the elements of unit `unit`, of which each of eight lanes
/// has `values`.
void SkinnyInput::storeTotals(Value unit, Value row, ValueRange values) {
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
