// Linear layers: rows are prepared once, then multiplied by panel after panel.
//
// A prepared row is what the prologue made of it, rounded: f32 or bf16. Weights of
// quantised panels that several tiles of rows need are decoded once, to scratch; a
// single tile reads the packed panel itself. Either way each sum adds the same
// products in the same order.

#include "compiler/codegen/x86/Kernels.h"
#include "compiler/codegen/x86/PackedWeights.h"
#include "compiler/codegen/x86/Product.h"
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
  Value meanSquare(Value source);
  Value prepareVector(Value source, VectorRegion &prologue, Value column,
                      Value mask);
  void sumBlocks(Value target);

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
  if (layout.storage == Storage::Q4_1)
    sumBlocks(target);
}

/// Writes the sum of each block of 32 prepared elements behind the row.
void Linear::sumBlocks(Value target) {
  Value one = emitter.firstLanes(emitter.integer(1));
  Type element = usesDot() ? emitter.bf16() : emitter.f32();
  int64_t bytes = usesDot() ? 2 : 4;
  emitter.loop(
      emitter.integer(0), emitter.integer(op.getDepth() / blockDepth), 1,
      [&](Value block) {
        Value source =
            emitter.offset(target, emitter.multiply(block, blockDepth * bytes));
        Value total = emitter.constant(0.0f);
        for (int64_t k = 0; k < blockDepth; k += lanes)
          total = emitter.addFloats(
              total,
              emitter.loadFloats(element, emitter.offset(source, k * bytes)));
        emitter.storeFloats(
            emitter.broadcast(emitter.sumOfLanes(total)), emitter.f32(),
            emitter.offset(target, emitter.add(emitter.multiply(block, 4),
                                               parts.blockSums)),
            one);
      });
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
  product.blockFormat = layout.storage;
  product.blocks = panel;
  product.blockBytes = layout.stepBytes;
  product.headerBytes = headerBytesOf(layout.storage, layout.columns);
  product.inputSums = parts.blockSums;
  return product;
}

/// Multiplies all rows of a block by a quantised panel that is decoded part by
/// part. Sums wait in scratch from one part to the next.
void Linear::multiplyDecoded(Value panel, Value rows) {
  bool pairs = emitter.target.lanes == 16;
  int64_t step = configuration.getBlockDepth();
  Value decoded = scratchAt(parts.weights);
  int64_t operandBytes = usesDot() ? 2 : 4;
  auto multiply = [&](Value k, Value depth, bool startsAtZero) {
    Product product = productOf(panel);
    Value block = emitter.divide(k, blockDepth);
    product.blocks =
        emitter.offset(panel, emitter.multiply(block, layout.stepBytes));
    emitDecode(emitter, layout, pairs, product.blocks, depth, decoded);
    product.format = pairs ? Storage::BF16 : Storage::F32;
    product.weights = decoded;
    // The sums over blocks lie at a fixed distance from the row: correct it for
    // the elements that are skipped.
    product.inputs =
        emitter.offset(product.inputs, emitter.multiply(k, operandBytes));
    product.inputSumsSkip = emitter.subtract(
        emitter.multiply(block, 4), emitter.multiply(k, operandBytes));
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
