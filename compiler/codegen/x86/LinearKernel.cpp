// Linear layers: rows are prepared once, then multiplied by panel after panel.
//
// A prepared row is what the prologue made of it, rounded: f32, bf16 or, for
// weights in blocks, blocks of i16 with a scale. Blocks of weights that several
// tiles of rows need are decoded once, to scratch; a single tile reads the
// packed panel itself. Either way each sum adds the same products in the same
// order.

#include "compiler/codegen/x86/Kernels.h"
#include "compiler/codegen/x86/Product.h"
#include "compiler/target/x86/PackedWeights.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// A scalar region, applied to vectors. Ops on arguments that `isRow` names are
/// emitted once, before the columns.
class VectorRegion {
public:
  VectorRegion(Emitter &emitter, Region &region)
      : emitter(emitter), block(region.empty() ? nullptr : &region.front()) {}

  bool empty() const { return !block; }

  /// Maps argument `index` to `vector` for what follows.
  void set(unsigned index, Value vector) {
    mapping.map(block->getArgument(index), vector);
  }

  /// Emits every op whose operands are all mapped and that is not emitted yet.
  void emitKnown();

  /// Emits the rest and returns the yielded value. Mappings made before stay.
  Value emitRest();

private:
  void emitOp(Operation &op);
  static bool isTerminator(Operation &op) { return isa<kernel::YieldOp>(op); }

  Emitter &emitter;
  Block *block;
  IRMapping mapping;
};
} // namespace

void VectorRegion::emitOp(Operation &op) {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  Value result = op.getResult(0);
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto value = cast<FloatAttr>(constant.getValue()).getValueAsDouble();
    return mapping.map(result, emitter.constant(static_cast<float>(value)));
  }
  if (isa<math::ExpOp>(op))
    return mapping.map(
        result, emitter.exponential(mapping.lookup(op.getOperand(0))));
  if (isa<math::RsqrtOp>(op)) {
    Value root = math::SqrtOp::create(builder, location,
                                      mapping.lookup(op.getOperand(0)));
    return mapping.map(result, arith::DivFOp::create(builder, location,
                                                     emitter.constant(1.0f),
                                                     root));
  }
  Operation *clone = builder.clone(op, mapping);
  clone->getResult(0).setType(emitter.floats());
}

void VectorRegion::emitKnown() {
  for (Operation &op : *block)
    if (!isTerminator(op) && !mapping.contains(op.getResult(0)) &&
        llvm::all_of(op.getOperands(),
                     [&](Value operand) { return mapping.contains(operand); }))
      emitOp(op);
}

Value VectorRegion::emitRest() {
  IRMapping before = mapping;
  for (Operation &op : *block)
    if (!isTerminator(op) && !mapping.contains(op.getResult(0)))
      emitOp(op);
  Value result = mapping.lookup(block->getTerminator()->getOperand(0));
  mapping = before;
  return result;
}

namespace {
/// Emits the code of one linear layer.
class Linear {
public:
  Linear(Emitter &emitter, kernel::LinearOp op, const KernelFrame &frame)
      : emitter(emitter), op(op), frame(frame), parts(op.getScratch()),
        layout(cast<ShapedType>(op.getWeight().getType()), op.getPacking()),
        configuration(op.getConfiguration()),
        lanes(emitter.target.lanes) {}

  void emit();

private:
  bool isQuantised() const { return layout.stepDepth == blockDepth; }
  bool usesDot() const {
    return configuration.getArithmetic() == kernel::Arithmetic::Dot;
  }
  Summation summation() const {
    if (isQuantised())
      return Summation::Blocks;
    return layout.storage == Storage::F32 ? Summation::Groups
                                          : Summation::Chain;
  }
  Value scratchAt(int64_t offset) const {
    return emitter.offset(frame.scratch, offset);
  }
  Type elementOf(Value operand) const {
    return cast<ShapedType>(operand.getType()).getElementType();
  }
  Value maskOf(int64_t column, int64_t columns) const {
    return columns - column < lanes
               ? emitter.firstLanes(emitter.integer(columns - column))
               : Value();
  }

  void prepareRow(Value row, Value target);
  void storeBlock(ArrayRef<Value> values, Value block, Value target);
  Value meanSquare(Value source);
  Value prepareVector(Value source, VectorRegion &prologue, Value column,
                      Value mask);

  Product productOf(Value panel) const;
  void multiplyDecoded(Value panel, Value rows);
  void multiplyPanel(Value panel, Value rows);
  void finishPanel(Value panel, Value firstRow, Value rows);
  void finishRow(Value sums, Value row, Value firstColumn);

  Emitter &emitter;
  kernel::LinearOp op;
  const KernelFrame &frame;
  kernel::LinearScratch parts;
  PackedLayout layout;
  kernel::LinearConfigAttr configuration;
  int64_t lanes;
};
} // namespace

//===----------------------------------------------------------------------===//
// Rows of the input
//===----------------------------------------------------------------------===//

/// The mean of the squares of the row at `source`, in all lanes.
Value Linear::meanSquare(Value source) {
  int64_t depth = op.getDepth();
  Type element = elementOf(op.getInput());
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  Value whole = emitter.integer(depth / lanes * lanes);
  Value total = emitter.loop(
      emitter.integer(0), whole, lanes, {emitter.constant(0.0f)},
      [&](Value column, ValueRange sum) -> SmallVector<Value> {
        Value value = emitter.loadFloats(
            element, emitter.offset(source, emitter.multiply(column, bytes)));
        return {emitter.multiplyAdd(value, value, sum[0])};
      })[0];
  if (int64_t rest = depth % lanes) {
    Value value = emitter.loadFloats(
        element, emitter.offset(source, (depth - rest) * bytes),
        emitter.firstLanes(emitter.integer(rest)));
    total = emitter.multiplyAdd(value, value, total);
  }
  return emitter.multiplyFloats(
      emitter.broadcast(emitter.sumOfLanes(total)),
      emitter.constant(1.0f / static_cast<float>(depth)));
}

/// The prepared elements from `column` on.
Value Linear::prepareVector(Value source, VectorRegion &prologue, Value column,
                            Value mask) {
  Type element = elementOf(op.getInput());
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  Value value = emitter.loadFloats(
      element, emitter.offset(source, emitter.multiply(column, bytes)), mask);
  if (prologue.empty())
    return value;
  prologue.set(0, value);
  unsigned argument = op.getMeanSquare() ? 2 : 1;
  unsigned first = op.getODSOperandIndexAndLength(3).first;
  for (auto [index, operand] : llvm::enumerate(op.getPrologueOperands())) {
    Type type = elementOf(operand);
    Value at = emitter.multiply(column, type.getIntOrFloatBitWidth() / 8);
    prologue.set(argument + index,
                 emitter.loadFloats(
                     type, emitter.offset(frame.operands[first + index], at),
                     mask));
  }
  return prologue.emitRest();
}

/// Writes what the prologue makes of row `row` to `target`, padded with zeros.
void Linear::prepareRow(Value row, Value target) {
  int64_t depth = op.getDepth();
  int64_t inputBytes = elementOf(op.getInput()).getIntOrFloatBitWidth() / 8;
  Value source = emitter.offset(frame.operands[0],
                                emitter.multiply(row, depth * inputBytes));
  VectorRegion prologue(emitter, op.getPrologue());
  if (op.getMeanSquare())
    prologue.set(1, meanSquare(source));
  if (!prologue.empty())
    prologue.emitKnown();
  if (isQuantised())
    return emitter.loop(
        emitter.integer(0), emitter.integer(depth / blockDepth), 1,
        [&](Value block) {
          SmallVector<Value> values;
          for (int64_t k = 0; k < blockDepth; k += lanes)
            values.push_back(prepareVector(
                source, prologue,
                emitter.add(emitter.multiply(block, blockDepth), k), Value()));
          storeBlock(values, block, target);
        });
  bool rounds = op.getOperand().isBF16();
  auto store = [&](Value column, Value mask) {
    Value value = prepareVector(source, prologue, column, mask);
    if (mask) // Beyond the row a prologue need not make zeros of zeros.
      value = arith::SelectOp::create(emitter.builder, emitter.location, mask,
                                      value, emitter.constant(0.0f));
    if (usesDot())
      return emitter.storeFloats(
          value, emitter.bf16(),
          emitter.offset(target, emitter.multiply(column, 2)));
    if (rounds)
      value = emitter.roundToBF16(value);
    emitter.store(value, emitter.offset(target, emitter.multiply(column, 4)), 4);
  };
  emitter.loop(emitter.integer(0), emitter.integer(depth / lanes * lanes), lanes,
               [&](Value column) { store(column, Value()); });
  int64_t rest = depth % lanes;
  if (rest)
    store(emitter.integer(depth - rest),
          emitter.firstLanes(emitter.integer(rest)));
}

/// Writes block `block` of a prepared row as i16 with a scale, and beside the
/// row what `Product` says of both.
void Linear::storeBlock(ArrayRef<Value> values, Value block, Value target) {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  constexpr float largestInteger = 32767, smallestBound = 1e-30f;
  // Magnitudes compare as integers do, with NaN above all, so that a block
  // which is not finite has a scale which is not finite.
  Value magnitude = emitter.constantBits(0);
  for (Value value : values)
    magnitude = emitter.maximum(
        magnitude, emitter.both(emitter.bitcast(emitter.integers(), value),
                                emitter.constantBits(0x7FFFFFFF)));
  Value bound = arith::BitcastOp::create(builder, location, emitter.f32(),
                                         emitter.maximumOfLanes(magnitude));
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
        sum, arith::ConstantOp::create(
                 builder, location,
                 builder.getI32IntegerAttr(
                     static_cast<int32_t>(-biasOf(layout.storage)))));
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
  product.columns = layout.columns;
  product.inputs = scratchAt(parts.input);
  product.inputStride = parts.inputStride;
  product.weights = isQuantised() ? Value() : panel;
  product.sums = scratchAt(parts.sums);
  product.sumStride = layout.columns * 4;
  product.depth = emitter.integer(layout.paddedDepth);
  product.startsAtZero = true;
  product.blocks = panel;
  product.blockBytes = layout.stepBytes;
  product.headerBytes = headerBytesOf(layout.storage, layout.columns);
  product.inputScales = emitter.offset(product.inputs, parts.blockScales);
  product.inputSums = emitter.offset(product.inputs, parts.blockSums);
  return product;
}

/// Multiplies all rows of a block by a quantised panel that is decoded part by
/// part. Sums wait in scratch from one part to the next.
void Linear::multiplyDecoded(Value panel, Value rows) {
  int64_t step = configuration.getBlockDepth();
  Value decoded = scratchAt(parts.weights);
  auto multiply = [&](Value k, Value depth, bool startsAtZero) {
    Product product = productOf(panel);
    Value block = emitter.divide(k, blockDepth);
    product.blocks =
        emitter.offset(panel, emitter.multiply(block, layout.stepBytes));
    emitDecode(emitter, layout, product.blocks, depth, decoded);
    product.weights = decoded;
    product.inputs = emitter.offset(product.inputs, emitter.multiply(k, 2));
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
        if (isQuantised())
          multiplyDecoded(panel, rows);
        else
          emitProduct(emitter, productOf(panel), rows, tileRows, tileColumns);
      });
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Applies the epilogue to the sums of one row and one panel and stores them.
void Linear::finishRow(Value sums, Value row, Value firstColumn) {
  int64_t outputs = op.getOutputColumns();
  int64_t width = layout.paired ? layout.columns / 2 : layout.columns;
  Type type = elementOf(op.getInit());
  VectorRegion epilogue(emitter, op.getEpilogue());
  if (!epilogue.empty())
    epilogue.emitKnown();
  unsigned first = op.getODSOperandIndexAndLength(4).first;
  emitter.loop(emitter.integer(0), emitter.integer(width), lanes,
               [&](Value offset) {
    Value column = emitter.add(firstColumn, offset);
    Value mask =
        emitter.firstLanes(emitter.subtract(emitter.integer(outputs), column));
    Value at = emitter.offset(sums, emitter.multiply(offset, 4));
    Value result = emitter.load(emitter.floats(), at, 4);
    if (!epilogue.empty()) {
      unsigned argument = 0;
      epilogue.set(argument++, result);
      if (layout.paired)
        epilogue.set(argument++, emitter.load(emitter.floats(),
                                              emitter.offset(at, width * 4), 4));
      for (auto [index, operand] : llvm::enumerate(op.getEpilogueOperands())) {
        auto shape = cast<ShapedType>(operand.getType());
        Value element =
            shape.getRank() == 2
                ? emitter.add(emitter.multiply(row, outputs), column)
                : column;
        int64_t bytes = shape.getElementTypeBitWidth() / 8;
        Value place = emitter.offset(frame.operands[first + index],
                                     emitter.multiply(element, bytes));
        epilogue.set(argument++, emitter.loadFloats(shape.getElementType(),
                                                    place, mask));
      }
      result = epilogue.emitRest();
    }
    Value element = emitter.add(emitter.multiply(row, outputs), column);
    emitter.storeFloats(
        result, type,
        emitter.offset(frame.operands[2],
                       emitter.multiply(element,
                                        type.getIntOrFloatBitWidth() / 8)),
        mask);
  });
}

void Linear::finishPanel(Value panel, Value firstRow, Value rows) {
  int64_t width = layout.paired ? layout.columns / 2 : layout.columns;
  Value firstColumn = emitter.multiply(panel, width);
  emitter.loop(emitter.integer(0), rows, 1, [&](Value row) {
    Value sums = emitter.offset(scratchAt(parts.sums),
                                emitter.multiply(row, layout.columns * 4));
    finishRow(sums, emitter.add(firstRow, row), firstColumn);
  });
}

void Linear::emit() {
  int64_t blockRows = configuration.getBlockRows();
  emitter.loop(emitter.integer(0), frame.rows, blockRows, [&](Value firstRow) {
    Value rows = emitter.minimum(emitter.subtract(frame.rows, firstRow),
                                 emitter.integer(blockRows));
    emitter.loop(emitter.integer(0), rows, 1, [&](Value row) {
      prepareRow(emitter.add(firstRow, row),
                 emitter.offset(scratchAt(parts.input),
                                emitter.multiply(row, parts.inputStride)));
    });
    emitter.loop(frame.begin, frame.end, 1, [&](Value panel) {
      Value weights = emitter.offset(
          frame.operands[1], emitter.multiply(panel, layout.panelBytes));
      multiplyPanel(weights, rows);
      finishPanel(panel, firstRow, rows);
    });
  });
}

void x86::emitKernel(Emitter &emitter, kernel::LinearOp op,
                     const KernelFrame &frame) {
  Linear(emitter, op, frame).emit();
}
