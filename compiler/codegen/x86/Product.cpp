#include "compiler/codegen/x86/Product.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

namespace {
/// Reads weights of one format as vectors across columns. Integers are read in
/// pairs, with their bias; `isDecoded` if they are what `emitDecode` writes.
class WeightReader {
public:
  WeightReader(Emitter &emitter, Storage format, bool isDecoded, int64_t pitch)
      : emitter(emitter), format(format), isDecoded(isDecoded), pitch(pitch) {}

  /// Elements of K that are read together.
  int64_t stepDepth() const { return bits() < 16 ? 8 : 4; }

  /// Bytes from one step to the next.
  int64_t stepBytes() const { return stepDepth() * bits() / 8 * pitch; }

  /// Element `k` of the step at `step`, of the vector that begins at column
  /// `column`, as f32. Repeated loads of one address are LLVM's to remove.
  Value read(Value step, int64_t k, Value column) const;

  /// Elements `k` (even) and `k + 1`, each in half of a word.
  Value readPairs(Value step, int64_t k, Value column) const;

private:
  /// Bits of one element.
  int64_t bits() const { return isDecoded ? 16 : bitsOf(format); }
  Value raw(Type type, Value step, int64_t row, Value column) const;

  Emitter &emitter;
  Storage format;
  bool isDecoded;
  int64_t pitch;
};
} // namespace

/// Loads a vector of row `row` of a step whose rows are `pitch` elements apart.
Value WeightReader::raw(Type type, Value step, int64_t row,
                        Value column) const {
  int64_t bytes =
      cast<VectorType>(type).getElementType().getIntOrFloatBitWidth() / 8;
  Value address =
      emitter.offset(step, emitter.add(emitter.multiply(column, bytes),
                                       row * pitch * bytes));
  return emitter.load(type, address, bytes);
}

Value WeightReader::read(Value step, int64_t k, Value column) const {
  switch (format) {
  case Storage::F32:
    return raw(emitter.floats(), step, k, column);
  case Storage::F16: {
    Type halves =
        emitter.vectorOf(emitter.builder.getF16Type(), emitter.target.lanes);
    return arith::ExtFOp::create(emitter.builder, emitter.location,
                                 emitter.floats(),
                                 raw(halves, step, k, column));
  }
  case Storage::BF16:
    return emitter.halfOfPairs(readPairs(step, k / 2 * 2, column), k % 2);
  case Storage::Q8_0:
  case Storage::Q4_0:
  case Storage::Q4_1:
  case Storage::E4M3:
    break;
  }
  llvm_unreachable("blocks are read in pairs");
}

Value WeightReader::readPairs(Value step, int64_t k, Value column) const {
  int64_t perWord = 32 / bits();
  Value words = raw(emitter.integers(), step, k / perWord, column);
  if (bits() == 16)
    return words;
  return emitter.bitsOfHalves(words, k % perWord / 2 * bits(), bits());
}

//===----------------------------------------------------------------------===//
// One tile
//===----------------------------------------------------------------------===//

/// Bytes ahead at which the speed of memory is reached (measured on Emerald Rapids:
/// less from 2 KiB down and from 32 KiB up).
static constexpr int64_t prefetchDistance = 4096;

namespace {
/// Emits the sums of `rows` rows and `vectors` vectors of columns.
class Tile {
public:
  Tile(Emitter &emitter, const Product &product, int64_t rows, int64_t vectors,
       Value column)
      : emitter(emitter), product(product),
        reader(emitter, product.format, isInBlocks() && product.weights,
               product.pitch),
        rows(rows), vectors(vectors), column(column) {}

  void emit();

private:
  using Sums = SmallVector<Value>; ///< [rows][vectors].

  bool isInBlocks() const { return product.summation == Summation::Blocks; }
  bool readsPairs() const { return product.dot || isInBlocks(); }
  int64_t inputBytes() const { return readsPairs() ? 2 : 4; }

  /// Whether packed blocks come from memory, at the speed of memory. The loop
  /// asks for so little a clock that CPUs do not notice the stream by
  /// themselves.
  bool isStreaming() const { return isInBlocks() && !product.weights; }

  /// How far ahead memory is asked for: whole blocks, so that headers meet
  /// headers.
  int64_t prefetchBytes() const {
    return kernel::roundUp(prefetchDistance, product.blockBytes);
  }
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
  Value inputOfBlock(Value inputs, int64_t row, Value block, Type type) const;
  Sums firstOfBlock(Value block) const;
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
  Value address =
      emitter.offset(inputs, row * product.inputStride + k * inputBytes());
  Type type = readsPairs() ? emitter.i32() : emitter.f32();
  return emitter.broadcast(emitter.load(type, address, 4));
}

/// Adds the products of one step.
void Tile::addStep(Value weights, Value inputs, Sums &sums) const {
  int64_t advance = readsPairs() ? 2 : 1;
  for (int64_t k = 0; k < reader.stepDepth(); k += advance) {
    SmallVector<Value> values;
    for (int64_t vector = 0; vector < vectors; ++vector)
      values.push_back(readsPairs()
                           ? reader.readPairs(weights, k, columnOf(vector))
                           : reader.read(weights, k, columnOf(vector)));
    for (int64_t row = 0; row < rows; ++row) {
      Value input = broadcastInput(inputs, row, k);
      for (int64_t vector = 0; vector < vectors; ++vector) {
        Value &sum = sums[row * vectors + vector];
        if (isInBlocks())
          sum = emitter.addProducts(sum, input, values[vector]);
        else if (product.dot)
          sum = emitter.dotPairs(sum, input, values[vector]);
        else
          sum = emitter.multiplyAdd(input, values[vector], sum);
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
        if (isStreaming())
          emitter.prefetch(at, prefetchBytes(), reader.stepBytes());
        addStep(at, emitter.offset(inputs, emitter.multiply(k, inputBytes())),
                next);
        return next;
      });
}

Value Tile::inputsFrom(Value k) const {
  return emitter.offset(product.inputs, emitter.multiply(k, inputBytes()));
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

/// What `inputs` holds for block `block` of row `row`, in all lanes.
Value Tile::inputOfBlock(Value inputs, int64_t row, Value block,
                         Type type) const {
  Value address =
      emitter.offset(emitter.offset(inputs, row * product.inputStride),
                     emitter.multiply(block, 4));
  return emitter.broadcast(emitter.load(type, address, 4));
}

/// What undoes the bias of the weights.
Tile::Sums Tile::firstOfBlock(Value block) const {
  if (biasOf(product.format) == 0)
    return Sums(rows * vectors, emitter.constantBits(0));
  Sums sums;
  for (int64_t row = 0; row < rows; ++row)
    sums.append(vectors,
                inputOfBlock(product.inputSums, row, block, emitter.i32()));
  return sums;
}

/// The sum of integers times integers over one block.
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
                  emitter.integer(blockDepth), firstOfBlock(block));
}

/// sums += partial * (scale of inputs) * scale + (sum of inputs) * minimum.
void Tile::addBlock(Value block, const Sums &partial, Sums &sums) const {
  Type half = emitter.builder.getF16Type();
  Value header = emitter.offset(product.blocks,
                                emitter.multiply(block, product.blockBytes));
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value at = emitter.offset(header, emitter.multiply(columnOf(vector), 2));
    Value scale = emitter.loadFloats(half, at);
    Value least;
    if (product.format == Storage::Q4_1)
      least =
          emitter.loadFloats(half, emitter.offset(at, product.columns * 2));
    for (int64_t row = 0; row < rows; ++row) {
      Value &sum = sums[row * vectors + vector];
      Value exact = arith::SIToFPOp::create(emitter.builder, emitter.location,
                                            emitter.floats(),
                                            partial[row * vectors + vector]);
      Value scaled = emitter.multiplyFloats(
          exact, inputOfBlock(product.inputScales, row, block, emitter.f32()));
      sum = emitter.multiplyAdd(scaled, scale, sum);
      if (least)
        sum = emitter.multiplyAdd(
            least, inputOfBlock(product.inputSums, row, block, emitter.f32()),
            sum);
    }
  }
}

void Tile::emitBlocks() const {
  Value blocks = emitter.divide(product.depth, blockDepth);
  // Sums and partial sums both in registers if they leave room for an input,
  // two vectors of weights and a product.
  bool fits = 2 * rows * vectors + 4 <= emitter.target.registers;
  Sums carried = firstSums();
  if (!fits) {
    storeSums(carried);
    carried.clear();
  }
  carried = emitter.loop(
      emitter.integer(0), blocks, 1, carried,
      [&](Value block, ValueRange before) {
        if (isStreaming())
          emitter.prefetch(
              emitter.offset(product.blocks,
                             emitter.multiply(block, product.blockBytes)),
              prefetchBytes(), product.headerBytes);
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
  Value skip = emitter.multiply(row, inputStride);
  rest.inputs = emitter.offset(inputs, skip);
  if (summation == Summation::Blocks) {
    rest.inputScales = emitter.offset(inputScales, skip);
    rest.inputSums = emitter.offset(inputSums, skip);
  }
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

void x86::emitDecode(Emitter &emitter, const PackedLayout &layout, Value blocks,
                     Value depth, Value out) {
  WeightReader reader(emitter, layout.storage, /*isDecoded=*/false,
                      layout.columns);
  int64_t header = headerBytesOf(layout.storage, layout.columns);
  int64_t step = reader.stepDepth();
  emitter.loop(emitter.integer(0), depth, blockDepth, [&](Value first) {
    Value block = emitter.offset(
        blocks, emitter.add(emitter.multiply(emitter.divide(first, blockDepth),
                                             layout.stepBytes),
                            header));
    Value target =
        emitter.offset(out, emitter.multiply(first, layout.columns * 2));
    emitter.loop(
        emitter.integer(0), emitter.integer(blockDepth), step, [&](Value k) {
          Value from = emitter.offset(
              block, emitter.multiply(k, reader.stepBytes() / step));
          Value to =
              emitter.offset(target, emitter.multiply(k, layout.columns * 2));
          for (int64_t i = 0; i < step; i += 2)
            for (int64_t column = 0; column < layout.columns;
                 column += emitter.target.lanes)
              emitter.store(
                  reader.readPairs(from, i, emitter.integer(column)),
                  emitter.offset(to, i * layout.columns * 2 + column * 4), 4);
        });
  });
}
