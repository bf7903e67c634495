#include "compiler/codegen/x86/Product.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

int64_t x86::headerBytesOf(Storage storage, int64_t columns) {
  switch (storage) {
  case Storage::F32:
  case Storage::F16:
  case Storage::BF16:
    return 0;
  case Storage::Q8_0:
  case Storage::Q4_0:
    return 2 * columns;
  case Storage::Q4_1:
    return 4 * columns;
  }
  llvm_unreachable("every storage has a header");
}

namespace {
/// Reads weights of one format as vectors across columns.
class WeightReader {
public:
  WeightReader(Emitter &emitter, Storage format, int64_t columns)
      : emitter(emitter), format(format), columns(columns) {}

  /// Elements of K that are read together.
  int64_t stepDepth() const { return isNibbles() ? 8 : 4; }

  /// Bytes from one step to the next.
  int64_t stepBytes() const {
    switch (format) {
    case Storage::F32:
      return 16 * columns;
    case Storage::F16:
    case Storage::BF16:
      return 8 * columns;
    case Storage::Q8_0:
    case Storage::Q4_0:
    case Storage::Q4_1:
      return 4 * columns;
    }
    llvm_unreachable("every format has a size");
  }

  /// Element `k` of the step at `step`, of the vector that begins at column
  /// `column`, as f32. Repeated loads of one address are LLVM's to remove.
  Value read(Value step, int64_t k, Value column) const;

  /// Elements `k` (even) and `k + 1` as pairs of bf16.
  Value readPairs(Value step, int64_t k, Value column) const;

private:
  bool isNibbles() const {
    return format == Storage::Q4_0 || format == Storage::Q4_1;
  }
  Value raw(Type type, Value step, int64_t row, int64_t elementBytes,
            Value column) const;
  Value shifted(Value words, int64_t bits) const;
  std::array<float, 16> nibbleValues() const;

  Emitter &emitter;
  Storage format;
  int64_t columns;
};
} // namespace

/// Loads a vector of row `row` of a step whose rows are `columns` elements.
Value WeightReader::raw(Type type, Value step, int64_t row,
                        int64_t elementBytes, Value column) const {
  Value address = emitter.offset(
      step, emitter.add(emitter.multiply(column, elementBytes),
                        row * columns * elementBytes));
  return emitter.load(type, address, elementBytes);
}

Value WeightReader::shifted(Value words, int64_t bits) const {
  if (bits == 0)
    return words;
  return arith::ShRUIOp::create(
      emitter.builder, emitter.location, words,
      emitter.constantBits(static_cast<uint32_t>(bits)));
}

/// What the 16 nibbles stand for: q4_0 counts from -8.
std::array<float, 16> WeightReader::nibbleValues() const {
  std::array<float, 16> values;
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i) - (format == Storage::Q4_0 ? 8.0f : 0.0f);
  return values;
}

Value WeightReader::read(Value step, int64_t k, Value column) const {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  switch (format) {
  case Storage::F32:
    return raw(emitter.floats(), step, k, 4, column);
  case Storage::F16: {
    Type halves = emitter.vectorOf(builder.getF16Type(), emitter.target.lanes);
    return arith::ExtFOp::create(builder, location, emitter.floats(),
                                 raw(halves, step, k, 2, column));
  }
  case Storage::BF16: {
    Value words = raw(emitter.integers(), step, k / 2, 4, column);
    return emitter.halfOfPairs(words, k % 2);
  }
  case Storage::Q8_0: {
    Type bytes = emitter.vectorOf(builder.getI8Type(), emitter.target.lanes);
    Value wide = arith::ExtSIOp::create(builder, location, emitter.integers(),
                                        raw(bytes, step, k, 1, column));
    return arith::SIToFPOp::create(builder, location, emitter.floats(), wide);
  }
  case Storage::Q4_0:
  case Storage::Q4_1: {
    Value words = raw(emitter.integers(), step, 0, 4, column);
    return emitter.lookUp(nibbleValues(),
                          shifted(words, k / 2 * 4 + k % 2 * 16));
  }
  }
  llvm_unreachable("every format can be read");
}

Value WeightReader::readPairs(Value step, int64_t k, Value column) const {
  Type pairs = emitter.vectorOf(emitter.bf16(), 2 * emitter.target.lanes);
  if (format == Storage::BF16)
    return emitter.bitcast(pairs,
                           raw(emitter.integers(), step, k / 2, 4, column));
  if (isNibbles()) {
    Value words = shifted(raw(emitter.integers(), step, 0, 4, column),
                          k / 2 * 4);
    return emitter.lookUpPairs(
        nibbleValues(), emitter.both(words, emitter.constantBits(0x000F000F)));
  }
  // Small integers in f32 have nothing in their low halves.
  Value low = emitter.bitcast(emitter.integers(), read(step, k, column));
  Value high = emitter.bitcast(emitter.integers(), read(step, k + 1, column));
  return emitter.bitcast(pairs, emitter.either(shifted(low, 16), high));
}

//===----------------------------------------------------------------------===//
// One tile
//===----------------------------------------------------------------------===//

namespace {
/// Emits the sums of `rows` rows and `vectors` vectors of columns.
class Tile {
public:
  Tile(Emitter &emitter, const Product &product, int64_t rows, int64_t vectors,
       Value column)
      : emitter(emitter), product(product),
        reader(emitter, product.format, product.columns), rows(rows),
        vectors(vectors), column(column) {}

  void emit();

private:
  using Sums = SmallVector<Value>; ///< [rows][vectors].

  Value columnOf(int64_t vector) const {
    return emitter.add(column, vector * emitter.target.lanes);
  }
  Value sumAddress(int64_t row, int64_t vector) const;
  Sums zeros() const;
  Sums firstSums() const; ///< What the products are added to.
  Sums loadSums() const;
  void storeSums(const Sums &sums) const;

  Value broadcastInput(Value inputs, int64_t row, int64_t k) const;
  void addStep(Value weights, Value inputs, Sums &sums) const;
  Sums addRange(Value weights, Value inputs, Value depth, Sums sums) const;

  void emitGroups() const;
  void emitBlocks() const;
  Sums sumOfBlock(Value block) const;
  void addBlock(Value block, const Sums &partial, Sums &sums) const;
  Value inputsFrom(Value k) const;

  Emitter &emitter;
  const Product &product;
  WeightReader reader;
  int64_t rows;
  int64_t vectors;
  Value column;
};
} // namespace

Value Tile::sumAddress(int64_t row, int64_t vector) const {
  return emitter.offset(product.sums,
                        emitter.add(emitter.multiply(columnOf(vector), 4),
                                    row * product.sumStride));
}

Tile::Sums Tile::zeros() const {
  return Sums(rows * vectors, emitter.constant(0.0f));
}

Tile::Sums Tile::firstSums() const {
  return product.startsAtZero ? zeros() : loadSums();
}

Tile::Sums Tile::loadSums() const {
  Sums sums;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t vector = 0; vector < vectors; ++vector)
      sums.push_back(
          emitter.load(emitter.floats(), sumAddress(row, vector), 4));
  return sums;
}

void Tile::storeSums(const Sums &sums) const {
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t vector = 0; vector < vectors; ++vector)
      emitter.store(sums[row * vectors + vector], sumAddress(row, vector), 4);
}

/// Element `k`, or the pair from `k` on, of row `row` in all lanes.
Value Tile::broadcastInput(Value inputs, int64_t row, int64_t k) const {
  int64_t bytes = product.dot ? k * 2 : k * 4;
  Value address = emitter.offset(inputs, row * product.inputStride + bytes);
  if (!product.dot)
    return emitter.broadcast(emitter.load(emitter.f32(), address, 4));
  Value pair = emitter.broadcast(emitter.load(emitter.i32(), address, 4));
  return emitter.bitcast(
      emitter.vectorOf(emitter.bf16(), 2 * emitter.target.lanes), pair);
}

/// Adds the products of one step.
void Tile::addStep(Value weights, Value inputs, Sums &sums) const {
  int64_t advance = product.dot ? 2 : 1;
  for (int64_t k = 0; k < reader.stepDepth(); k += advance) {
    SmallVector<Value> values;
    for (int64_t vector = 0; vector < vectors; ++vector)
      values.push_back(product.dot
                           ? reader.readPairs(weights, k, columnOf(vector))
                           : reader.read(weights, k, columnOf(vector)));
    for (int64_t row = 0; row < rows; ++row) {
      Value input = broadcastInput(inputs, row, k);
      for (int64_t vector = 0; vector < vectors; ++vector) {
        Value &sum = sums[row * vectors + vector];
        sum = product.dot ? emitter.dotPairs(sum, input, values[vector])
                          : emitter.multiplyAdd(input, values[vector], sum);
      }
    }
  }
}

/// Adds the products of `depth` elements of K, in order.
Tile::Sums Tile::addRange(Value weights, Value inputs, Value depth,
                          Sums sums) const {
  int64_t step = reader.stepDepth();
  return emitter.loop(
      emitter.integer(0), depth, step, sums,
      [&](Value k, ValueRange carried) {
        Sums next(carried);
        // Bytes of an element of K are whole in all formats.
        Value at = emitter.offset(
            weights, emitter.multiply(k, reader.stepBytes() / step));
        addStep(at, emitter.offset(inputs, emitter.multiply(
                                               k, product.dot ? 2 : 4)),
                next);
        return next;
      });
}

Value Tile::inputsFrom(Value k) const {
  return emitter.offset(product.inputs,
                        emitter.multiply(k, product.dot ? 2 : 4));
}

/// Each group is summed alone and then added to the sums in memory.
void Tile::emitGroups() const {
  int64_t bytes = reader.stepBytes() / reader.stepDepth();
  storeSums(firstSums());
  emitter.loop(emitter.integer(0), product.depth, groupDepth, [&](Value k) {
    Value depth = emitter.minimum(emitter.subtract(product.depth, k),
                                  emitter.integer(groupDepth));
    Value weights =
        emitter.offset(product.weights, emitter.multiply(k, bytes));
    Sums partial = addRange(weights, inputsFrom(k), depth, zeros());
    Sums sums = loadSums();
    for (auto [sum, part] : llvm::zip(sums, partial))
      sum = emitter.addFloats(sum, part);
    storeSums(sums);
  });
}

/// The sum of quants times inputs over one block.
Tile::Sums Tile::sumOfBlock(Value block) const {
  Value weights;
  if (product.weights) {
    int64_t bytes = reader.stepBytes() / reader.stepDepth() * blockDepth;
    weights = emitter.offset(product.weights, emitter.multiply(block, bytes));
  } else {
    weights = emitter.offset(
        product.blocks, emitter.add(emitter.multiply(block, product.blockBytes),
                                    product.headerBytes));
  }
  return addRange(weights, inputsFrom(emitter.multiply(block, blockDepth)),
                  emitter.integer(blockDepth), zeros());
}

/// sums += scale * partial + minimum * (sum of the inputs of the block).
void Tile::addBlock(Value block, const Sums &partial, Sums &sums) const {
  Type half = emitter.builder.getF16Type();
  Value header = emitter.offset(product.blocks,
                                emitter.multiply(block, product.blockBytes));
  Value inputSums =
      emitter.offset(product.inputs,
                     emitter.add(emitter.multiply(block, 4), product.inputSums));
  if (product.inputSumsSkip)
    inputSums = emitter.offset(inputSums, product.inputSumsSkip);
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value at = emitter.offset(header, emitter.multiply(columnOf(vector), 2));
    Value scale = emitter.loadFloats(half, at);
    Value least;
    if (product.blockFormat == Storage::Q4_1)
      least =
          emitter.loadFloats(half, emitter.offset(at, product.columns * 2));
    for (int64_t row = 0; row < rows; ++row) {
      Value &sum = sums[row * vectors + vector];
      sum = emitter.multiplyAdd(partial[row * vectors + vector], scale, sum);
      if (!least)
        continue;
      Value inputSum = emitter.broadcast(emitter.load(
          emitter.f32(), emitter.offset(inputSums, row * product.inputStride),
          4));
      sum = emitter.multiplyAdd(least, inputSum, sum);
    }
  }
}

void Tile::emitBlocks() const {
  Value blocks = emitter.divide(product.depth, blockDepth);
  // Sums and partial sums both in registers if they leave room for weights.
  bool fits = 2 * rows * vectors + 2 * vectors <= emitter.target.registers - 4;
  Sums carried = firstSums();
  if (!fits) {
    storeSums(carried);
    carried.clear();
  }
  carried = emitter.loop(
      emitter.integer(0), blocks, 1, carried,
      [&](Value block, ValueRange before) {
        Sums partial = sumOfBlock(block);
        Sums sums = fits ? Sums(before) : loadSums();
        addBlock(block, partial, sums);
        if (fits)
          return sums;
        storeSums(sums);
        return Sums();
      });
  if (fits)
    storeSums(carried);
}

void Tile::emit() {
  switch (product.summation) {
  case Summation::Chain:
    return storeSums(
        addRange(product.weights, product.inputs, product.depth, firstSums()));
  case Summation::Groups:
    return emitGroups();
  case Summation::Blocks:
    return emitBlocks();
  }
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Product Product::fromRow(Emitter &emitter, Value row) const {
  Product rest = *this;
  rest.inputs = emitter.offset(inputs, emitter.multiply(row, inputStride));
  rest.sums = emitter.offset(sums, emitter.multiply(row, sumStride));
  return rest;
}

/// Vectors of a tile of `rows` rows: more than the configuration says where
/// fewer rows leave registers free, so that short tiles read a panel in one go.
static int64_t vectorsFor(const Emitter &emitter, int64_t columns,
                          int64_t rows, int64_t tileColumns) {
  int64_t lanes = emitter.target.lanes, vectors = tileColumns / lanes;
  while (2 * vectors * lanes <= columns && columns % (2 * vectors * lanes) == 0 &&
         rows * 2 * vectors + 2 * vectors + 2 <= emitter.target.registers)
    vectors *= 2;
  // Heads of odd sizes: the most vectors that divide their number.
  while (columns % (vectors * lanes) != 0)
    --vectors;
  return vectors;
}

/// Emits all columns of `rows` rows.
static void emitRows(Emitter &emitter, const Product &product, int64_t rows,
                     int64_t tileColumns) {
  int64_t vectors = vectorsFor(emitter, product.columns, rows, tileColumns);
  int64_t width = vectors * emitter.target.lanes;
  auto emitAt = [&](Value column) {
    Tile(emitter, product, rows, vectors, column).emit();
  };
  if (width == product.columns)
    return emitAt(emitter.integer(0));
  emitter.loop(emitter.integer(0), emitter.integer(product.columns), width,
               emitAt);
}

void x86::emitSmallProduct(Emitter &emitter, const Product &product,
                           Value rows, int64_t tileRows, int64_t tileColumns) {
  emitter.choose(rows, 1, tileRows, [&](int64_t number) {
    emitRows(emitter, product, number, tileColumns);
  });
}

void x86::emitProduct(Emitter &emitter, const Product &product, Value rows,
                      int64_t tileRows, int64_t tileColumns) {
  Value rest = emitter.modulo(rows, tileRows);
  Value whole = emitter.subtract(rows, rest);
  emitter.loop(emitter.integer(0), whole, tileRows, [&](Value row) {
    emitRows(emitter, product.fromRow(emitter, row), tileRows, tileColumns);
  });
  emitSmallProduct(emitter, product.fromRow(emitter, whole), rest,
                   tileRows - 1, tileColumns);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Decodes `depth` elements without scales.
static void decodeRange(Emitter &emitter, const WeightReader &reader,
                        int64_t columns, bool pairs, Value weights,
                        Value depth, Value out) {
  int64_t step = reader.stepDepth(), lanes = emitter.target.lanes;
  int64_t bytes = pairs ? 2 : 4;
  emitter.loop(emitter.integer(0), depth, step, [&](Value k) {
    Value from = emitter.offset(
        weights, emitter.multiply(k, reader.stepBytes() / step));
    Value to = emitter.offset(out, emitter.multiply(k, columns * bytes));
    for (int64_t i = 0; i < step; i += pairs ? 2 : 1)
      for (int64_t column = 0; column < columns; column += lanes) {
        Value at = emitter.integer(column);
        Value value = pairs ? reader.readPairs(from, i, at)
                            : reader.read(from, i, at);
        emitter.store(value, emitter.offset(to, i * columns * bytes + column * 4),
                      4);
      }
  });
}

void x86::emitDecode(Emitter &emitter, const PackedLayout &layout, bool pairs,
                     Value weights, Value depth, Value out) {
  WeightReader reader(emitter, layout.storage, layout.columns);
  if (layout.stepDepth < blockDepth)
    return decodeRange(emitter, reader, layout.columns, pairs, weights, depth,
                       out);
  int64_t header = headerBytesOf(layout.storage, layout.columns);
  emitter.loop(emitter.integer(0), depth, blockDepth, [&](Value k) {
    Value block = emitter.divide(k, blockDepth);
    Value from = emitter.offset(
        weights,
        emitter.add(emitter.multiply(block, layout.stepBytes), header));
    Value to = emitter.offset(
        out, emitter.multiply(k, layout.columns * (pairs ? 2 : 4)));
    decodeRange(emitter, reader, layout.columns, pairs, from,
                emitter.integer(blockDepth), to);
  });
}
