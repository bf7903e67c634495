// Linear layers: rows are prepared once, then multiplied by panel after panel.
//
// A prepared row is what the prologue made of it, rounded: f32, bf16, e4m3
// times its scale as f32 or, for weights in blocks of integers, blocks of i16
// with a scale. Blocks of weights that several tiles of rows need are decoded
// once, to scratch; a single tile reads the packed panel itself. Either way
// each sum adds the same products in the same order.

#include "compiler/codegen/x86/LinearKernel.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

/// Elements of an input that share a scale in e4m3.
static constexpr int64_t quantisedDepth = 128;

//===----------------------------------------------------------------------===//
// Rows of the input
//===----------------------------------------------------------------------===//

/// What the prologue makes of the elements from `column` on, and zeros outside
/// the mask.
Value Linear::prepareVector(Value source, VectorRegion &prologue, Value column,
                            Value mask) {
  Type element = layer.input.getElementType();
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  Value value = emitter.loadFloats(
      element, emitter.offset(source, emitter.multiply(column, bytes)), mask);
  if (prologue.empty())
    return value;
  prologue.set(0, value);
  unsigned argument = layer.meanSquare ? 2 : 1;
  for (const RegionOperand &operand : layer.prologueOperands) {
    Type type = operand.type.getElementType();
    Value at = emitter.multiply(column, type.getIntOrFloatBitWidth() / 8);
    prologue.set(
        argument++,
        emitter.loadFloats(type, emitter.offset(operand.pointer, at), mask));
  }
  value = prologue.emitRest();
  if (!mask)
    return value;
  // Beyond the row a prologue need not make zeros of zeros.
  return arith::SelectOp::create(emitter.builder, emitter.location, mask, value,
                                 emitter.constant(0.0f));
}

/// Writes what the prologue makes of the row at `source` to `target`, padded
/// with zeros.
void Linear::prepareRow(Value source, Value target) {
  int64_t depth = layout.depth;
  VectorRegion prologue(emitter, layer.prologue);
  if (layer.meanSquare)
    prologue.set(1, emitMeanSquare(emitter, layer.input.getElementType(),
                                   source, depth));
  if (!prologue.empty())
    prologue.emitKnown();
  if (summation() == Summation::Blocks)
    return prepareBlocks(source, prologue, target);
  if (quantises())
    return prepareQuantised(source, prologue, target);
  bool rounds = layer.operand.isBF16();
  emitter.forVectors(depth, [&](Value column, Value mask) {
    Value value = prepareVector(source, prologue, column, mask);
    if (usesDot())
      return emitter.storeFloats(
          value, emitter.bf16(),
          emitter.offset(target, emitter.multiply(column, 2)));
    if (rounds)
      value = emitter.roundToBF16(value);
    emitter.store(value, emitter.offset(target, emitter.multiply(column, 4)), 4);
  });
}

void Linear::prepareBlocks(Value source, VectorRegion &prologue, Value target) {
  int64_t blocks = layout.depth / blockDepth;
  emitter.loop(
      emitter.integer(0), emitter.integer(blocks), 1, [&](Value block) {
        SmallVector<Value> values;
        for (int64_t k = 0; k < blockDepth; k += lanes)
          values.push_back(prepareVector(
              source, prologue,
              emitter.add(emitter.multiply(block, blockDepth), k), Value()));
        storeBlock(values, block, target);
      });
}

void Linear::prepareQuantised(Value source, VectorRegion &prologue,
                              Value target) {
  auto prepare = [&](Value first, int64_t count) {
    SmallVector<Value> values;
    for (int64_t k = 0; k < count; k += lanes) {
      Value mask;
      if (k + lanes > count)
        mask = emitter.firstLanes(emitter.integer(count - k));
      values.push_back(
          prepareVector(source, prologue, emitter.add(first, k), mask));
    }
    storeQuantised(values, first, target);
  };
  int64_t rest = layout.depth % quantisedDepth, whole = layout.depth - rest;
  emitter.loop(emitter.integer(0), emitter.integer(whole), quantisedDepth,
               [&](Value first) { prepare(first, quantisedDepth); });
  if (rest != 0)
    prepare(emitter.integer(whole), rest);
}

/// The largest magnitude of `values`, at least `least`. Magnitudes compare as
/// integers do, with NaN above all: it is not finite if one of them is not.
Value Linear::largestMagnitude(ArrayRef<Value> values, float least) {
  Value magnitude = emitter.constantBits(llvm::bit_cast<uint32_t>(least));
  for (Value value : values)
    magnitude = emitter.maximum(
        magnitude, emitter.both(emitter.bitcast(emitter.integers(), value),
                                emitter.constantBits(0x7FFFFFFF)));
  return arith::BitcastOp::create(emitter.builder, emitter.location,
                                  emitter.f32(),
                                  emitter.maximumOfLanes(magnitude));
}

/// Writes elements of a prepared row that share a scale, from `column` on: each
/// the nearest e4m3 times the scale.
void Linear::storeQuantised(ArrayRef<Value> values, Value column,
                            Value target) {
  constexpr float largestE4M3 = 448, smallestBound = 1e-4f;
  Value scale = emitter.broadcast(arith::DivFOp::create(
      emitter.builder, emitter.location,
      largestMagnitude(values, smallestBound), emitter.scalar(largestE4M3)));
  Value elements = emitter.offset(target, emitter.multiply(column, 4));
  for (auto [index, value] : llvm::enumerate(values)) {
    Value nearest = emitter.roundToE4M3(emitter.divideFloats(value, scale));
    emitter.store(emitter.multiplyFloats(nearest, scale),
                  emitter.offset(elements, index * lanes * 4), 4);
  }
}

/// Writes block `block` of a prepared row as i16 with a scale, and beside the
/// row what `Product` says of both.
void Linear::storeBlock(ArrayRef<Value> values, Value block, Value target) {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  constexpr float largestInteger = 32767, smallestBound = 1e-30f;
  Value bound = largestMagnitude(values, 0);
  Value scale =
      emitter.multiplyFloats(bound, emitter.scalar(1 / largestInteger));
  Value isLarge =
      arith::CmpFOp::create(builder, location, arith::CmpFPredicate::OGE, bound,
                            emitter.scalar(smallestBound));
  Value inverse = arith::SelectOp::create(
      builder, location, isLarge,
      arith::DivFOp::create(builder, location, emitter.scalar(largestInteger),
                            bound),
      emitter.scalar(0));
  // 1.5 * 2^23 has its last place at 1: adding to it rounds to integers, which
  // then are the low bits.
  Value factor = emitter.broadcast(inverse);
  Value shift = emitter.constant(12582912.0f), total = emitter.constantBits(0);
  Type halves = emitter.vectorOf(builder.getI16Type(), lanes);
  Value elements =
      emitter.offset(target, emitter.multiply(block, blockDepth * 2));
  for (auto [index, value] : llvm::enumerate(values)) {
    Value integers = emitter.subtract(
        emitter.bitcast(emitter.integers(),
                        emitter.multiplyAdd(value, factor, shift)),
        emitter.bitcast(emitter.integers(), shift));
    total = emitter.add(total, integers);
    emitter.store(arith::TruncIOp::create(builder, location, halves, integers),
                  emitter.offset(elements, index * lanes * 2), 2);
  }
  Value sum = emitter.sumOfLanes(total);
  if (layout.storage == Storage::Q4_1)
    sum = emitter.multiplyFloats(
        arith::SIToFPOp::create(builder, location, emitter.f32(), sum), scale);
  else
    sum = emitter.multiply(
        sum, emitter.word(static_cast<int32_t>(-biasOf(layout.storage))));
  Value place = emitter.offset(target, emitter.multiply(block, 4));
  emitter.store(scale, emitter.offset(place, parts.blockScales), 4);
  emitter.store(sum, emitter.offset(place, parts.blockSums), 4);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Product Linear::productOf(Value panel) const {
  Product product = {};
  product.format = layout.storage;
  product.summation = summation();
  product.dot = usesDot();
  product.columns = product.pitch = layout.columns;
  product.inputs = scratchAt(parts.input);
  product.inputStride = parts.inputStride;
  product.weights = isInBlocks() ? Value() : panel;
  product.sums = scratchAt(parts.sums);
  product.sumStride = layout.columns * 4;
  product.depth = emitter.integer(layout.paddedDepth);
  product.startsAtZero = true;
  product.blocks = panel;
  product.blockDepth = layout.stepDepth;
  product.blockBytes = layout.stepBytes;
  product.headerBytes = headerBytesOf(layout.storage, layout.columns);
  product.isRagged = layout.isRagged();
  product.inputScales = emitter.offset(product.inputs, parts.blockScales);
  product.inputSums = emitter.offset(product.inputs, parts.blockSums);
  return product;
}

/// Multiplies all rows of a block by a panel in blocks that is decoded part by
/// part. Sums wait in scratch from one part to the next.
void Linear::multiplyDecoded(Value panel, Value rows) {
  int64_t step =
      configuration.getBlockDepth() / layout.stepDepth * layout.stepDepth;
  int64_t inputBytes =
      configuration.getArithmetic() == kernel::Arithmetic::Fma ? 4 : 2;
  Value decoded = scratchAt(parts.weights);
  auto multiply = [&](Value k, Value depth, bool startsAtZero) {
    Product product = productOf(panel);
    Value block = emitter.divide(k, layout.stepDepth);
    product.blocks =
        emitter.offset(panel, emitter.multiply(block, layout.stepBytes));
    emitDecode(emitter, layout, usesDot(), product.blocks, depth, decoded);
    product.weights = decoded;
    product.inputs =
        emitter.offset(product.inputs, emitter.multiply(k, inputBytes));
    for (Value *perBlock : {&product.inputScales, &product.inputSums})
      *perBlock = emitter.offset(*perBlock, emitter.multiply(block, 4));
    product.depth = depth;
    product.startsAtZero = startsAtZero;
    emitProduct(emitter, product, rows, configuration.getTileRows(),
                configuration.getTileColumns());
  };
  int64_t first = std::min(step, layout.paddedDepth);
  multiply(emitter.integer(0), emitter.integer(first), true);
  emitter.loop(emitter.integer(first), emitter.integer(layout.paddedDepth), step,
               [&](Value k) {
                 multiply(k,
                          emitter.minimum(
                              emitter.subtract(
                                  emitter.integer(layout.paddedDepth), k),
                              emitter.integer(step)),
                          false);
               });
}

void Linear::multiplyPanel(Value panel, Value rows) {
  int64_t tileRows = configuration.getTileRows();
  int64_t tileColumns = configuration.getTileColumns();
  Value isSmall = emitter.compare(arith::CmpIPredicate::sle, rows,
                                  emitter.integer(tileRows));
  emitter.when(
      isSmall,
      [&] {
        emitSmallProduct(emitter, productOf(panel), rows, tileRows, tileColumns);
      },
      [&] {
        if (isInBlocks())
          multiplyDecoded(panel, rows);
        else
          emitProduct(emitter, productOf(panel), rows, tileRows, tileColumns);
      });
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Bytes from row 0 to element `column` of row `row`, of type `element`.
static Value bytesAt(Emitter &emitter, Value row, int64_t stride, Value column,
                     Type element) {
  return emitter.multiply(emitter.add(emitter.multiply(row, stride), column),
                          element.getIntOrFloatBitWidth() / 8);
}

/// The elements of an operand of the epilogue from `column` on.
static Value loadOperand(Emitter &emitter, const RegionOperand &operand,
                         Value row, Value column, Value mask) {
  Type element = operand.type.getElementType();
  Value bytes =
      operand.type.getRank() == 2
          ? bytesAt(emitter, row, stridesOf(operand.type)[0], column, element)
          : emitter.multiply(column, element.getIntOrFloatBitWidth() / 8);
  return emitter.loadFloats(element, emitter.offset(operand.pointer, bytes),
                            mask);
}

/// Applies the epilogue to the sums of one row and one panel and stores them.
void Linear::finishRow(Value result, Value sums, Value row, Value firstColumn) {
  int64_t outputs = layer.outputs;
  int64_t width = layout.paired ? layout.columns / 2 : layout.columns;
  Type type = layer.result.getElementType();
  VectorRegion epilogue(emitter, layer.epilogue);
  if (!epilogue.empty())
    epilogue.emitKnown();
  emitter.loop(emitter.integer(0), emitter.integer(width), lanes,
               [&](Value offset) {
    Value column = emitter.add(firstColumn, offset);
    Value mask =
        emitter.firstLanes(emitter.subtract(emitter.integer(outputs), column));
    Value at = emitter.offset(sums, emitter.multiply(offset, 4));
    Value value = emitter.load(emitter.floats(), at, 4);
    if (!epilogue.empty()) {
      unsigned argument = 0;
      epilogue.set(argument++, value);
      if (layout.paired)
        epilogue.set(argument++, emitter.load(emitter.floats(),
                                              emitter.offset(at, width * 4), 4));
      for (const RegionOperand &operand : layer.epilogueOperands)
        epilogue.set(argument++,
                     loadOperand(emitter, operand, row, column, mask));
      value = epilogue.emitRest();
    }
    emitter.storeFloats(
        value, type,
        emitter.offset(result,
                       bytesAt(emitter, row, layer.resultStride, column, type)),
        mask);
  });
}

void Linear::finishPanel(Value result, Value panel, Value firstRow,
                         Value rows) {
  int64_t width = layout.paired ? layout.columns / 2 : layout.columns;
  Value firstColumn = emitter.multiply(panel, width);
  emitter.loop(emitter.integer(0), rows, 1, [&](Value row) {
    Value sums = emitter.offset(scratchAt(parts.sums),
                                emitter.multiply(row, layout.columns * 4));
    finishRow(result, sums, emitter.add(firstRow, row), firstColumn);
  });
}

//===----------------------------------------------------------------------===//
// Blocks of rows
//===----------------------------------------------------------------------===//

void Linear::prepareRows(const LinearRows &rows, Value firstRow, Value count) {
  int64_t bytes = layer.inputStride * layer.input.getElementTypeBitWidth() / 8;
  emitter.loop(emitter.integer(0), count, 1, [&](Value index) {
    Value row = emitter.add(firstRow, index);
    if (rows.inputRows)
      row = emitter.loadIndex(rows.inputRows, row);
    prepareRow(emitter.offset(rows.input, emitter.multiply(row, bytes)),
               emitter.offset(scratchAt(parts.input),
                              emitter.multiply(index, parts.inputStride)));
  });
}

void Linear::emit(const LinearRows &rows) {
  int64_t blockRows = configuration.getBlockRows();
  emitter.loop(rows.firstRow, rows.endRow, blockRows, [&](Value firstRow) {
    Value count = emitter.minimum(emitter.subtract(rows.endRow, firstRow),
                                  emitter.integer(blockRows));
    prepareRows(rows, firstRow, count);
    emitter.loop(rows.firstPanel, rows.endPanel, 1, [&](Value panel) {
      multiplyPanel(emitter.offset(rows.weight,
                                   emitter.multiply(panel, layout.panelBytes)),
                    count);
      finishPanel(rows.result, panel, firstRow, count);
    });
  });
}

//===----------------------------------------------------------------------===//
// One weight
//===----------------------------------------------------------------------===//

void x86::emitKernel(Emitter &emitter, kernel::LinearOp op,
                     const KernelFrame &frame) {
  LinearLayer layer(op);
  layer.prologue = &op.getPrologue();
  layer.epilogue = &op.getEpilogue();
  layer.meanSquare = op.getMeanSquare();
  layer.prologueOperands = regionOperands(op, 3, frame);
  layer.epilogueOperands = regionOperands(op, 4, frame);
  LinearRows rows;
  rows.weight = frame.operands[1];
  rows.firstPanel = frame.begin;
  rows.endPanel = frame.end;
  rows.input = frame.operands[0];
  rows.result = frame.operands[2];
  rows.firstRow = emitter.integer(0);
  rows.endRow = frame.rows;
  Linear(emitter, layer, frame.scratch).emit(rows);
}
