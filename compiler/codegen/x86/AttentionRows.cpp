#include "compiler/codegen/x86/AttentionRows.h"

#include <limits>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

//===----------------------------------------------------------------------===//
// Blocks of tokens
//===----------------------------------------------------------------------===//

Value TokenBlocks::begins(Value token) const {
  Value aligned = emitter.compare(arith::CmpIPredicate::eq,
                                  emitter.modulo(positionOf(token), size),
                                  emitter.integer(0));
  Value isFirst =
      emitter.compare(arith::CmpIPredicate::eq, token, emitter.integer(0));
  // Token 0 has none before it: compare it with itself.
  Value before =
      arith::SelectOp::create(emitter.builder, emitter.location, isFirst, token,
                              emitter.subtract(token, emitter.integer(1)));
  Value changes = emitter.compare(arith::CmpIPredicate::ne, sequenceOf(before),
                                  sequenceOf(token));
  return emitter.either(emitter.either(aligned, isFirst), changes);
}

Value TokenBlocks::count(Value token) const {
  Value toBoundary = emitter.subtract(emitter.integer(size),
                                      emitter.modulo(positionOf(token), size));
  Value most = emitter.minimum(toBoundary, emitter.subtract(frame.rows, token));
  Value sequence = sequenceOf(token);
  // Sequences ascend: those of the block are the first ones that are equal.
  return emitter.loop(
      emitter.integer(0), most, 1, {emitter.integer(0)},
      [&](Value i, ValueRange count) -> SmallVector<Value> {
        Value same =
            emitter.compare(arith::CmpIPredicate::eq,
                            sequenceOf(emitter.add(token, i)), sequence);
        Value one = arith::ExtUIOp::create(emitter.builder, emitter.location,
                                           emitter.i64(), same);
        return {emitter.add(count[0], one)};
      })[0];
}

void TokenBlocks::forPages(
    Value token, Value tokens,
    llvm::function_ref<void(const BlockPage &)> body) const {
  Value last = positionOf(
      emitter.subtract(emitter.add(token, tokens), emitter.integer(1)));
  Value lastPage = emitter.divide(last, pageTokens);
  Value sequence = sequenceOf(token);
  auto pageAt = [&](Value number) {
    return emitPage(emitter, pageBytes, places[3], places[2],
                    frame.pageTableStride, sequence, number);
  };
  emitter.loop(
      emitter.integer(0), emitter.add(lastPage, 1), 1, [&](Value number) {
        BlockPage page;
        page.begin = pageAt(number);
        page.next = pageAt(emitter.minimum(emitter.add(number, 1), lastPage));
        page.first = emitter.multiply(number, pageTokens);
        // Positions after the last one are masked in all rows.
        Value steps = emitter.divide(
            emitter.add(emitter.subtract(last, page.first), 4), 4);
        page.used = emitter.minimum(emitter.multiply(steps, 4),
                                    emitter.integer(pageTokens));
        body(page);
      });
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void AttentionRows::loadQuery(Value row, int64_t first, Value source,
                              Type element, int64_t size,
                              int64_t padded) const {
  int64_t lanes = emitter.target.lanes;
  int64_t sourceBytes = element.getIntOrFloatBitWidth() / 8;
  Type stored = shape.dot ? emitter.bf16() : emitter.f32();
  int64_t bytes = stored.getIntOrFloatBitWidth() / 8;
  auto maskOf = [&](int64_t count) {
    return count < lanes ? emitter.firstLanes(emitter.integer(count)) : Value();
  };
  Value target =
      emitter.offset(at(parts.query, row, shape.queryBytes), first * bytes);
  for (int64_t d = 0; d < padded; d += lanes) {
    Value value = emitter.constant(0.0f);
    if (d < size)
      value = emitter.loadFloats(
          element, emitter.offset(source, d * sourceBytes), maskOf(size - d));
    if (shape.roundsQueries && !shape.dot)
      value = emitter.roundToBF16(value);
    emitter.storeFloats(value, stored, emitter.offset(target, d * bytes),
                        maskOf(padded - d));
  }
}

void AttentionRows::clear(Value rows) const {
  Value lowest = emitter.scalar(-std::numeric_limits<float>::infinity());
  emitter.loop(emitter.integer(0), rows, 1, [&](Value row) {
    emitter.store(lowest, at(parts.maxima, row, 4), 4);
    emitter.store(emitter.scalar(0.0f), at(parts.sums, row, 4), 4);
    Value output = at(parts.outputs, row, shape.valueSize * 4);
    for (int64_t e = 0; e < shape.valueSize; e += emitter.target.lanes)
      emitter.store(emitter.constant(0.0f), emitter.offset(output, e * 4), 4);
  });
}

void AttentionRows::scaleOutput(Value row, Value factor) const {
  Value output = at(parts.outputs, row, shape.valueSize * 4);
  for (int64_t e = 0; e < shape.valueSize; e += emitter.target.lanes) {
    Value place = emitter.offset(output, e * 4);
    Value value = emitter.load(emitter.floats(), place, 4);
    emitter.store(emitter.multiplyFloats(value, factor), place, 4);
  }
}

/// Turns the scores of a row, of which the first `visible` count, into
/// probabilities relative to the largest score so far.
void AttentionRows::softmax(Value row, Value visible) const {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  int64_t lanes = emitter.target.lanes;
  Value scores = at(parts.scores, row, scoreBytes());
  Value maximumAt = at(parts.maxima, row, 4);
  Value sumAt = at(parts.sums, row, 4);
  Value scale = emitter.constant(shape.scale);
  Value lowest = emitter.constant(-std::numeric_limits<float>::infinity());

  SmallVector<Value> scaled, masks;
  Value largest = lowest;
  for (int64_t s = 0; s < shape.pageTokens; s += lanes) {
    masks.push_back(
        emitter.firstLanes(emitter.subtract(visible, emitter.integer(s))));
    Value score = emitter.multiplyFloats(
        emitter.load(emitter.floats(), emitter.offset(scores, s * 4), 4),
        scale);
    scaled.push_back(arith::SelectOp::create(builder, location, masks.back(),
                                             score, lowest));
    largest = emitter.maximum(largest, scaled.back());
  }
  Value before = emitter.load(emitter.f32(), maximumAt, 4);
  Value after = arith::MaxNumFOp::create(builder, location, before,
                                         emitter.maximumOfLanes(largest));
  emitter.store(after, maximumAt, 4);
  Value afterAll = emitter.broadcast(after);
  auto difference = [&](Value a) -> Value {
    return arith::SubFOp::create(builder, location, a, afterAll);
  };

  // Pairs of bf16 take half the room of the scores that they replace, all of
  // which are in registers.
  Type stored = shape.dot ? emitter.bf16() : emitter.f32();
  int64_t bytes = stored.getIntOrFloatBitWidth() / 8;
  Value total = emitter.constant(0.0f);
  for (auto [index, score] : llvm::enumerate(scaled)) {
    Value weight = arith::SelectOp::create(
        builder, location, masks[index], emitter.exponential(difference(score)),
        emitter.constant(0.0f));
    total = emitter.addFloats(total, weight);
    if (shape.rounds && !shape.dot)
      weight = emitter.roundToBF16(weight);
    emitter.storeFloats(
        weight, stored,
        emitter.offset(scores, static_cast<int64_t>(index) * lanes * bytes));
  }
  Value factor = emitter.exponential(difference(emitter.broadcast(before)));
  Value old = emitter.broadcast(emitter.load(emitter.f32(), sumAt, 4));
  Value sum = emitter.addFloats(emitter.multiplyFloats(old, factor),
                                emitter.broadcast(emitter.sumOfLanes(total)));
  Value one = emitter.firstLanes(emitter.integer(1));
  emitter.storeFloats(sum, emitter.f32(), sumAt, one);
  // Most pages have no score above those before, and one is the factor.
  Value isScaled = arith::CmpFOp::create(
      builder, location, arith::CmpFPredicate::UNE, before, after);
  emitter.when(isScaled, [&] { scaleOutput(row, factor); });
}

void AttentionRows::addScores(
    Value first, Value firstRow, Value rows,
    llvm::function_ref<Value(Value)> positionOf) const {
  emitter.loop(firstRow, rows, 1, [&](Value row) {
    softmax(row, emitter.add(emitter.subtract(positionOf(row), first), 1));
  });
}

Product AttentionRows::outputs(Value used) const {
  Product product = {};
  product.summation = Summation::Chain;
  product.dot = shape.dot;
  product.inputs = scores();
  product.inputStride = scoreBytes();
  product.sums = at(parts.outputs);
  product.sumStride = shape.valueSize * 4;
  product.depth = used;
  product.startsAtZero = false;
  return product;
}

void AttentionRows::storeOutput(Value row, Value target, Type element,
                                int64_t size) const {
  int64_t lanes = emitter.target.lanes;
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  Value sum = emitter.load(emitter.f32(), at(parts.sums, row, 4), 4);
  Value inverse = emitter.broadcast(arith::DivFOp::create(
      emitter.builder, emitter.location, emitter.scalar(1.0f), sum));
  Value output = at(parts.outputs, row, shape.valueSize * 4);
  for (int64_t e = 0; e < size; e += lanes) {
    Value mask = size - e < lanes
                     ? emitter.firstLanes(emitter.integer(size - e))
                     : Value();
    Value value = emitter.multiplyFloats(
        emitter.load(emitter.floats(), emitter.offset(output, e * 4), 4),
        inverse);
    emitter.storeFloats(value, element, emitter.offset(target, e * bytes),
                        mask);
  }
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Value x86::emitHead(Emitter &emitter, const KernelFrame &frame, Operation *op,
                    unsigned operand, Value token, Value head) {
  Type type = op->getOperand(operand).getType();
  SmallVector<int64_t> strides = stridesOf(type);
  Value element = emitter.add(emitter.multiply(token, strides[0]),
                              emitter.multiply(head, strides[1]));
  return emitter.offset(
      frame.operands[operand],
      emitter.multiply(element,
                       cast<ShapedType>(type).getElementTypeBitWidth() / 8));
}

void x86::emitTokenTiles(Emitter &emitter, const KernelFrame &frame,
                         llvm::function_ref<void(Value, Value)> body) {
  emitter.loop(frame.begin, frame.end, 1, [&](Value tile) {
    // There is one token at least if there is a tile.
    Value part = arith::DivUIOp::create(emitter.builder, emitter.location, tile,
                                        frame.rows);
    Value token = arith::RemUIOp::create(emitter.builder, emitter.location,
                                         tile, frame.rows);
    body(part, token);
  });
}
