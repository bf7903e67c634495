// Kernels that move rows: embedding, selection, rotation into the cache. Little
// work beside the linear layers; scalar stores where layouts scatter.

#include "compiler/codegen/x86/Kernels.h"
#include "compiler/codegen/x86/Product.h"
#include "compiler/target/x86/PackedWeights.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

/// Loads one element of type `element` as f32.
static Value loadScalar(Emitter &emitter, Type element, Value pointer) {
  Value value = emitter.load(element, pointer, 1);
  if (element.isF32())
    return value;
  return arith::ExtFOp::create(emitter.builder, emitter.location, emitter.f32(),
                               value);
}

//===----------------------------------------------------------------------===//
// Embedding
//===----------------------------------------------------------------------===//

namespace {
/// Reads elements of one column of a packed panel as f32.
class ColumnReader {
public:
  ColumnReader(Emitter &emitter, const PackedLayout &layout, Value panel,
               Value column)
      : emitter(emitter), layout(layout), panel(panel), column(column) {}

  Value read(Value k) const;

private:
  Value at(Value row, int64_t bytes, Value base) const;
  Value readBlock(Value k) const;
  Value quant(Value k, Value block) const;

  Emitter &emitter;
  const PackedLayout &layout;
  Value panel;
  Value column;
};
} // namespace

/// The element of `bytes` bytes of our column in row `row` of the array at `base`.
Value ColumnReader::at(Value row, int64_t bytes, Value base) const {
  Value element =
      emitter.add(emitter.multiply(row, layout.columns), column);
  return emitter.offset(base, emitter.multiply(element, bytes));
}

Value ColumnReader::read(Value k) const {
  OpBuilder &builder = emitter.builder;
  switch (layout.storage) {
  case Storage::F32:
    return loadScalar(emitter, emitter.f32(), at(k, 4, panel));
  case Storage::F16:
    return loadScalar(emitter, builder.getF16Type(), at(k, 2, panel));
  case Storage::BF16: {
    Value pair = at(emitter.divide(k, 2), 4, panel);
    return loadScalar(
        emitter, emitter.bf16(),
        emitter.offset(pair, emitter.multiply(emitter.modulo(k, 2), 2)));
  }
  case Storage::Q8_0:
  case Storage::Q4_0:
  case Storage::Q4_1:
    return readBlock(k);
  case Storage::E4M3:
    break;
  }
  llvm_unreachable("no table has scales");
}

/// The integer of element `k` of a block, as f32.
Value ColumnReader::quant(Value k, Value block) const {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  Value data = emitter.offset(
      block, headerBytesOf(layout.storage, layout.columns));
  int64_t bits = bitsOf(layout.storage), perWord = 32 / bits;
  Value word =
      emitter.load(emitter.i32(), at(emitter.divide(k, perWord), 4, data), 1);
  Value pair = emitter.divide(emitter.modulo(k, perWord), 2);
  Value shift = emitter.add(emitter.multiply(pair, bits),
                            emitter.multiply(emitter.modulo(k, 2), 16));
  Value amount = emitter.narrow(shift);
  Value biased =
      emitter.both(arith::ShRUIOp::create(builder, location, word, amount),
                   emitter.word((1 << bits) - 1));
  return arith::SIToFPOp::create(
      builder, location, emitter.f32(),
      emitter.subtract(
          biased, emitter.word(static_cast<int32_t>(biasOf(layout.storage)))));
}

Value ColumnReader::readBlock(Value k) const {
  Type half = emitter.builder.getF16Type();
  Value block = emitter.offset(
      panel, emitter.multiply(emitter.divide(k, 32), layout.stepBytes));
  Value scale = loadScalar(emitter, half, at(emitter.integer(0), 2, block));
  Value value = arith::MulFOp::create(
      emitter.builder, emitter.location,
      quant(emitter.modulo(k, 32), block), scale);
  if (layout.storage != Storage::Q4_1)
    return value;
  Value least = loadScalar(emitter, half, at(emitter.integer(1), 2, block));
  return arith::AddFOp::create(emitter.builder, emitter.location, value, least);
}

void x86::emitKernel(Emitter &emitter, kernel::EmbeddingOp op,
                     const KernelFrame &frame) {
  auto type = cast<ShapedType>(op.getTable().getType());
  PackedLayout layout(type, cast<kernel::PackingAttr>(op.getPacking()));
  Value tokens = frame.operands[0], table = frame.operands[1];
  Value init = frame.operands[2];
  emitter.loop(frame.begin, frame.end, 1, [&](Value row) {
    Value token = emitter.loadIndex(tokens, row);
    Value panel = emitter.offset(
        table, emitter.multiply(emitter.divide(token, layout.columns),
                                layout.panelBytes));
    ColumnReader reader(emitter, layout, panel,
                        emitter.modulo(token, layout.columns));
    Value out = emitter.offset(init, emitter.multiply(row, layout.depth * 4));
    emitter.loop(emitter.integer(0), emitter.integer(layout.depth), 1,
                 [&](Value k) {
                   emitter.store(reader.read(k),
                                 emitter.offset(out, emitter.multiply(k, 4)), 4);
                 });
  });
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

void x86::emitKernel(Emitter &emitter, kernel::GatherRowsOp op,
                     const KernelFrame &frame) {
  auto type = cast<ShapedType>(op.getInput().getType());
  int64_t columns = type.getDimSize(1);
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  Type element = type.getElementType();
  emitter.loop(frame.begin, frame.end, 1, [&](Value row) {
    Value from = emitter.loadIndex(frame.operands[1], row);
    Value source = emitter.offset(frame.operands[0],
                                  emitter.multiply(from, columns * bytes));
    Value target = emitter.offset(frame.operands[2],
                                  emitter.multiply(row, columns * bytes));
    emitter.loop(emitter.integer(0), emitter.integer(columns),
                 emitter.target.lanes, [&](Value column) {
                   Value mask = emitter.firstLanes(
                       emitter.subtract(emitter.integer(columns), column));
                   Value at = emitter.multiply(column, bytes);
                   Value value = emitter.loadFloats(
                       element, emitter.offset(source, at), mask);
                   emitter.storeFloats(value, element,
                                       emitter.offset(target, at), mask);
                 });
  });
}

//===----------------------------------------------------------------------===//
// Rotation and the cache
//===----------------------------------------------------------------------===//

/// Every other one of the elements of `low` and then of `high`.
static Value takeEven(Emitter &emitter, Value low, Value high, bool odd) {
  SmallVector<int64_t> order;
  for (int64_t lane = 0; lane < emitter.target.lanes; ++lane)
    order.push_back(2 * lane + odd);
  return vector::ShuffleOp::create(emitter.builder, emitter.location, low, high,
                                   order);
}

/// The lower, or the upper, half of the elements of `even` and `odd` in turns.
static Value interleave(Emitter &emitter, Value even, Value odd, bool upper) {
  int64_t lanes = emitter.target.lanes;
  SmallVector<int64_t> order;
  for (int64_t lane = 0; lane < lanes / 2; ++lane)
    for (int64_t vector : {0, 1})
      order.push_back(vector * lanes + (upper ? lanes / 2 : 0) + lane);
  return vector::ShuffleOp::create(emitter.builder, emitter.location, even, odd,
                                   order);
}

namespace {
/// A vector for the first, and one for the second elements of some pairs.
struct Pairs {
  Value a, b;
};

/// Emits the rotation of the `size` elements of f32 at `head`.
class Rotation {
public:
  /// Stores the first `count` lanes of a vector as elements `d` on.
  using Store = llvm::function_ref<void(Value d, Value vector, int64_t count)>;

  Rotation(Emitter &emitter, Value head, int64_t size, Value angles,
           bool interleaved)
      : emitter(emitter), head(head), size(size), angles(angles),
        interleaved(interleaved) {}

  void emit(Store store);

private:
  Value load(Value base, Value index, int64_t count);
  Pairs loadNeighbours(Value base, Value pair, int64_t count);
  Pairs loadPairs(Value pair, int64_t count);
  Pairs rotate(const Pairs &pairs, const Pairs &angle);
  void storePairs(const Pairs &pairs, Value pair, int64_t count, Store store);

  Emitter &emitter;
  Value head;
  int64_t size;
  Value angles;
  bool interleaved;
};
} // namespace

/// Loads elements of f32 from number `index` on, `count` of them or as many as
/// there are lanes.
Value Rotation::load(Value base, Value index, int64_t count) {
  return emitter.loadFloats(emitter.f32(),
                            emitter.offset(base, emitter.multiply(index, 4)),
                            emitter.maskOf(count));
}

/// Loads `count` pairs of neighbours from pair `pair` on.
Pairs Rotation::loadNeighbours(Value base, Value pair, int64_t count) {
  int64_t lanes = emitter.target.lanes;
  Value first = emitter.multiply(pair, 2);
  Value low = load(base, first, 2 * count);
  Value high = 2 * count <= lanes
                   ? low
                   : load(base, emitter.add(first, lanes), 2 * count - lanes);
  return {takeEven(emitter, low, high, /*odd=*/false),
          takeEven(emitter, low, high, /*odd=*/true)};
}

Pairs Rotation::loadPairs(Value pair, int64_t count) {
  if (interleaved)
    return loadNeighbours(head, pair, count);
  return {load(head, pair, count),
          load(head, emitter.add(pair, size / 2), count)};
}

/// `angle` is the cosines and the sines. Products are rounded before they are
/// added, so that every vector width gives the same bits.
Pairs Rotation::rotate(const Pairs &pairs, const Pairs &angle) {
  auto multiply = [&](Value x, Value y) {
    return emitter.multiplyFloats(x, y);
  };
  Value difference = arith::SubFOp::create(emitter.builder, emitter.location,
                                           multiply(pairs.a, angle.a),
                                           multiply(pairs.b, angle.b));
  return {difference, emitter.addFloats(multiply(pairs.b, angle.a),
                                        multiply(pairs.a, angle.b))};
}

void Rotation::storePairs(const Pairs &pairs, Value pair, int64_t count,
                          Store store) {
  if (!interleaved) {
    store(pair, pairs.a, count);
    store(emitter.add(pair, size / 2), pairs.b, count);
    return;
  }
  int64_t lanes = emitter.target.lanes;
  Value first = emitter.multiply(pair, 2);
  store(first, interleave(emitter, pairs.a, pairs.b, /*upper=*/false),
        std::min(2 * count, lanes));
  if (2 * count > lanes)
    store(emitter.add(first, lanes),
          interleave(emitter, pairs.a, pairs.b, /*upper=*/true),
          2 * count - lanes);
}

void Rotation::emit(Store store) {
  emitter.forVectors(size / 2, [&](Value pair, Value mask) {
    int64_t lanes = emitter.target.lanes;
    int64_t count = mask ? size / 2 % lanes : lanes;
    Pairs angle = loadNeighbours(angles, pair, count);
    storePairs(rotate(loadPairs(pair, count), angle), pair, count, store);
  });
}

/// Stores the first `count` lanes of `vector`, rounded to `element`: each at
/// the offset from `base` that `address` has for its number, from `first` on.
static void scatter(Emitter &emitter, Value vector, int64_t count, Type element,
                    Value base, Value first,
                    llvm::function_ref<Value(Value)> address) {
  Value values = emitter.narrowFloats(vector, element);
  for (int64_t lane = 0; lane < count; ++lane) {
    Value value = vector::ExtractOp::create(emitter.builder, emitter.location,
                                            values, ArrayRef<int64_t>{lane});
    emitter.store(value,
                  emitter.offset(base, address(emitter.add(first, lane))), 1);
  }
}

Value x86::emitMeanSquare(Emitter &emitter, Type element, Value source,
                          int64_t count) {
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  int64_t lanes = emitter.target.lanes, rest = count % lanes;
  auto addSquares = [&](Value total, Value column, Value mask) {
    Value value = emitter.loadFloats(
        element, emitter.offset(source, emitter.multiply(column, bytes)), mask);
    return emitter.multiplyAdd(value, value, total);
  };
  Value total =
      emitter.loop(emitter.integer(0), emitter.integer(count - rest), lanes,
                   {emitter.constant(0.0f)},
                   [&](Value column, ValueRange sum) -> SmallVector<Value> {
                     return {addSquares(sum[0], column, Value())};
                   })[0];
  if (rest != 0)
    total = addSquares(total, emitter.integer(count - rest),
                       emitter.firstLanes(emitter.integer(rest)));
  return emitter.multiplyFloats(
      emitter.broadcast(emitter.sumOfLanes(total)),
      emitter.constant(1.0f / static_cast<float>(count)));
}

namespace {
/// Elements of f32 in memory.
struct Row {
  Value pointer;
  int64_t size;
};
} // namespace

/// Writes what normalisation by `weight`, of element type `weightType`, makes
/// of `row` to `target`, as elements of type `element`.
static void emitNorm(Emitter &emitter, Row row, Type weightType, Value weight,
                     const APFloat &epsilon, Type element, Value target) {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  Value mean = emitMeanSquare(emitter, emitter.f32(), row.pointer, row.size);
  Value shift = emitter.constant(static_cast<float>(epsilon.convertToDouble()));
  Value root =
      math::SqrtOp::create(builder, location, emitter.addFloats(mean, shift));
  Value factor =
      arith::DivFOp::create(builder, location, emitter.constant(1.0f), root);
  auto at = [&](Value pointer, Value column, Type type) {
    return emitter.offset(
        pointer, emitter.multiply(column, type.getIntOrFloatBitWidth() / 8));
  };
  emitter.forVectors(row.size, [&](Value column, Value mask) {
    Value value = emitter.loadFloats(
        emitter.f32(), at(row.pointer, column, emitter.f32()), mask);
    Value scale =
        emitter.loadFloats(weightType, at(weight, column, weightType), mask);
    Value result =
        emitter.multiplyFloats(emitter.multiplyFloats(value, factor), scale);
    emitter.storeFloats(result, element, at(target, column, element), mask);
  });
}

void x86::emitKernel(Emitter &emitter, kernel::RMSNormOp op,
                     const KernelFrame &frame) {
  auto type = cast<ShapedType>(op.getInit().getType());
  Type element = type.getElementType();
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  size_t count = op.getInputs().size();
  emitter.loop(frame.begin, frame.end, 1, [&](Value row) {
    Value target =
        emitter.offset(frame.operands.back(),
                       emitter.multiply(row, type.getDimSize(1) * bytes));
    for (size_t i = 0; i < count; ++i) {
      auto input = cast<ShapedType>(op.getInputs()[i].getType());
      Value source = emitter.offset(
          frame.operands[i], emitter.multiply(row, stridesOf(input)[0] * 4));
      Type weight = getElementTypeOrSelf(op.getWeights()[i]);
      emitNorm(emitter, {source, input.getDimSize(1)}, weight,
               frame.operands[count + i], op.getEpsilon(), element, target);
      target = emitter.offset(target, input.getDimSize(1) * bytes);
    }
  });
}

namespace {
/// Emits the work for one token.
class RotaryAppend {
public:
  RotaryAppend(Emitter &emitter, kernel::RotaryAppendOp op,
               const KernelFrame &frame)
      : emitter(emitter), op(op), cache(op.getCache()), frame(frame),
        inputs(op.getInputs().size()) {}

  void emit(Value token);

private:
  int64_t queryColumns() {
    auto type = cast<ShapedType>(op.getInit().getType());
    return type.getDimSize(1) * type.getDimSize(2);
  }
  void forHeads(Value token, int64_t first, int64_t heads, int64_t size,
                llvm::function_ref<void(Value, Value)> body);
  Value keyAddress(Value d) const;
  Value valueAddress(Value e) const;
  void rotate(Value head, Value angles, Rotation::Store store) {
    Rotation(emitter, head, cache.getKeySize(), angles, op.getInterleaved())
        .emit(store);
  }
  void rotateQueries(Value token, Value angles);
  void appendKeys(Value token, Value angles);
  void appendValues(Value token);

  Emitter &emitter;
  kernel::RotaryAppendOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  size_t inputs;
  Value page, slot; ///< Of the token in the cache.
};
} // namespace

/// Calls `body(head, source)` for each of `heads` heads of `size` columns that
/// begin with column `first` of the inputs: a loop for each input that has some.
void RotaryAppend::forHeads(Value token, int64_t first, int64_t heads,
                            int64_t size,
                            llvm::function_ref<void(Value, Value)> body) {
  int64_t done = 0;
  for (auto [index, input] : llvm::enumerate(op.getInputs())) {
    int64_t columns = cast<ShapedType>(input.getType()).getDimSize(1);
    int64_t count = std::min((columns - first) / size, heads - done);
    if (count > 0) {
      Value source = emitter.offset(
          frame.operands[index],
          emitter.add(emitter.multiply(token, columns * 4), first * 4));
      emitter.loop(emitter.integer(0), emitter.integer(count), 1,
                   [&](Value head) {
                     body(emitter.add(head, done),
                          emitter.offset(source,
                                         emitter.multiply(head, size * 4)));
                   });
      done += count;
      first += count * size;
    }
    first -= columns;
  }
}

void RotaryAppend::rotateQueries(Value token, Value angles) {
  auto type = cast<ShapedType>(op.getInit().getType());
  int64_t heads = type.getDimSize(1), size = type.getDimSize(2);
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  Value out = emitter.offset(frame.operands.back(),
                             emitter.multiply(token, heads * size * bytes));
  forHeads(token, 0, heads, size, [&](Value head, Value source) {
    Value target = emitter.offset(out, emitter.multiply(head, size * bytes));
    rotate(source, angles, [&](Value d, Value vector, int64_t count) {
      emitter.storeFloats(vector, type.getElementType(),
                          emitter.offset(target, emitter.multiply(d, bytes)),
                          emitter.maskOf(count));
    });
  });
}

/// Element `d` of our slot among the keys of a head: pairs of bf16 over D.
Value RotaryAppend::keyAddress(Value d) const {
  int64_t tokens = cache.getPageTokens();
  if (cache.getElementBytes() == 4)
    return emitter.multiply(emitter.add(emitter.multiply(d, tokens), slot), 4);
  Value pair = emitter.add(emitter.multiply(emitter.divide(d, 2), tokens), slot);
  return emitter.add(emitter.multiply(pair, 4),
                     emitter.multiply(emitter.modulo(d, 2), 2));
}

/// Element `e` of our slot among the values of a head: pairs of bf16 over slots.
Value RotaryAppend::valueAddress(Value e) const {
  int64_t size = cache.getPaddedValueSize();
  if (cache.getElementBytes() == 4)
    return emitter.multiply(emitter.add(emitter.multiply(slot, size), e), 4);
  Value pair = emitter.add(emitter.multiply(emitter.divide(slot, 2), size), e);
  return emitter.add(emitter.multiply(pair, 4),
                     emitter.multiply(emitter.modulo(slot, 2), 2));
}

void RotaryAppend::appendKeys(Value token, Value angles) {
  forHeads(token, queryColumns(), cache.getHeads(), cache.getKeySize(),
           [&](Value head, Value source) {
    Value keys = emitter.offset(
        page, emitter.multiply(head, cache.getKeyBytes()));
    rotate(source, angles, [&](Value d, Value vector, int64_t count) {
      scatter(emitter, vector, count, cache.getElement(), keys, d,
              [&](Value place) { return keyAddress(place); });
    });
  });
}

void RotaryAppend::appendValues(Value token) {
  int64_t first = queryColumns() + cache.getHeads() * cache.getKeySize();
  Value allValues =
      emitter.offset(page, cache.getHeads() * cache.getKeyBytes());
  forHeads(token, first, cache.getHeads(), cache.getValueSize(),
           [&](Value head, Value source) {
    Value values = emitter.offset(
        allValues, emitter.multiply(head, cache.getValueBytes()));
    int64_t size = cache.getValueSize();
    emitter.forVectors(size, [&](Value e, Value mask) {
      Value vector = emitter.loadFloats(
          emitter.f32(), emitter.offset(source, emitter.multiply(e, 4)), mask);
      int64_t lanes = emitter.target.lanes;
      scatter(emitter, vector, mask ? size % lanes : lanes, cache.getElement(),
              values, e, [&](Value place) { return valueAddress(place); });
    });
  });
}

void RotaryAppend::emit(Value token) {
  Value position = emitter.loadIndex(frame.operands[inputs + 1], token);
  Value sequence = emitter.loadIndex(frame.operands[inputs + 2], token);
  page = emitPage(emitter, cache.getPageBytes(), frame.operands[inputs + 4],
                  frame.operands[inputs + 3], frame.pageTableStride, sequence,
                  emitter.divide(position, cache.getPageTokens()));
  slot = emitter.modulo(position, cache.getPageTokens());
  Value angles =
      emitter.offset(frame.operands[inputs],
                     emitter.multiply(token, cache.getKeySize() / 2 * 8));
  rotateQueries(token, angles);
  appendKeys(token, angles);
  appendValues(token);
}

void x86::emitKernel(Emitter &emitter, kernel::RotaryAppendOp op,
                     const KernelFrame &frame) {
  RotaryAppend code(emitter, op, frame);
  emitter.loop(frame.begin, frame.end, 1,
               [&](Value token) { code.emit(token); });
}

namespace {
/// Emits the work for one token.
class LatentAppend {
public:
  LatentAppend(Emitter &emitter, kernel::LatentAppendOp op,
               const KernelFrame &frame)
      : emitter(emitter), op(op), cache(op.getCache()), frame(frame) {}

  void emit(Value token);

private:
  void normalise(Value source, Value target);
  void rotate(Value source, Value angles, Type element, Value target);

  Emitter &emitter;
  kernel::LatentAppendOp op;
  kernel::LatentCacheAttr cache;
  const KernelFrame &frame;
};
} // namespace

/// Writes the normalised latent at `source` to the row of the cache at
/// `target`.
void LatentAppend::normalise(Value source, Value target) {
  emitNorm(emitter, {source, cache.getLatentSize()},
           getElementTypeOrSelf(op.getNorm()), frame.operands[2],
           op.getEpsilon(), cache.getElement(), target);
}

/// Writes the rotated elements at `source` to `target`.
void LatentAppend::rotate(Value source, Value angles, Type element,
                          Value target) {
  Rotation rotation(emitter, source, cache.getRotarySize(), angles,
                    op.getInterleaved());
  rotation.emit([&](Value d, Value vector, int64_t count) {
    Value at = emitter.multiply(d, element.getIntOrFloatBitWidth() / 8);
    emitter.storeFloats(vector, element, emitter.offset(target, at),
                        emitter.maskOf(count));
  });
}

void LatentAppend::emit(Value token) {
  Value position = emitter.loadIndex(frame.operands[4], token);
  Value sequence = emitter.loadIndex(frame.operands[5], token);
  Value page = emitPage(emitter, cache.getPageBytes(), frame.operands[7],
                        frame.operands[6], frame.pageTableStride, sequence,
                        emitter.divide(position, cache.getPageTokens()));
  Value slot = emitter.modulo(position, cache.getPageTokens());
  Value row = emitter.offset(page, emitter.multiply(slot, cache.getRowBytes()));
  int64_t size = cache.getRotarySize(), latentSize = cache.getLatentSize();
  Value angles =
      emitter.offset(frame.operands[3], emitter.multiply(token, size / 2 * 8));
  Value latents = emitter.offset(
      frame.operands[1],
      emitter.multiply(token, stridesOf(op.getLatents().getType())[0] * 4));
  normalise(latents, row);
  rotate(emitter.offset(latents, latentSize * 4), angles, cache.getElement(),
         emitter.offset(row, latentSize * cache.getElementBytes()));

  auto init = cast<ShapedType>(op.getInit().getType());
  int64_t heads = init.getDimSize(1);
  int64_t headBytes = size * init.getElementTypeBitWidth() / 8;
  SmallVector<int64_t> strides = stridesOf(op.getQuery().getType());
  int64_t unrotated =
      cast<ShapedType>(op.getQuery().getType()).getDimSize(2) - size;
  emitter.loop(emitter.integer(0), emitter.integer(heads), 1, [&](Value head) {
    Value source = emitter.add(emitter.add(emitter.multiply(token, strides[0]),
                                           emitter.multiply(head, strides[1])),
                               unrotated);
    Value target = emitter.add(emitter.multiply(token, heads), head);
    rotate(
        emitter.offset(frame.operands[0], emitter.multiply(source, 4)), angles,
        init.getElementType(),
        emitter.offset(frame.operands[8], emitter.multiply(target, headBytes)));
  });
}

void x86::emitKernel(Emitter &emitter, kernel::LatentAppendOp op,
                     const KernelFrame &frame) {
  LatentAppend code(emitter, op, frame);
  emitter.loop(frame.begin, frame.end, 1,
               [&](Value token) { code.emit(token); });
}
