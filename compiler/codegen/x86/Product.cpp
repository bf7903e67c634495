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
/// e4m3 is read as 2^-8 of what it is.
class WeightReader {
public:
  WeightReader(Emitter &emitter, Storage format, bool isDecoded, int64_t pitch)
      : emitter(emitter), format(format), isDecoded(isDecoded), pitch(pitch) {}

  /// Elements of K that are read together.
  int64_t stepDepth() const {
    return bits() < 16 && format != Storage::E4M3 ? 8 : 4;
  }

  /// Bytes from one step to the next.
  int64_t stepBytes() const { return stepDepth() * bits() / 8 * pitch; }

  /// Element `k` of the step at `step`, of `vectors` vectors from column
  /// `column` on, as f32; or, in `pairs`, elements `k` (even) and `k + 1`, each
  /// in half of a word. Repeated loads of one address are LLVM's to remove.
  SmallVector<Value> read(Value step, int64_t k, Value column, int64_t vectors,
                          bool pairs) const;

private:
  /// Bits of one element.
  int64_t bits() const { return isDecoded ? 16 : bitsOf(format); }
  Value raw(Type type, Value step, int64_t row, Value column) const;
  Value readFloats(Value step, int64_t k, Value column) const;
  Value readPairs(Value step, int64_t k, Value column) const;
  SmallVector<Value> readE4M3(Value step, int64_t k, Value column,
                              int64_t vectors) const;

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
  Value address = emitter.offset(
      step, emitter.add(emitter.multiply(column, bytes), row * pitch * bytes));
  return emitter.load(type, address, bytes);
}

Value WeightReader::readFloats(Value step, int64_t k, Value column) const {
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
  llvm_unreachable("these are read in other ways");
}

Value WeightReader::readPairs(Value step, int64_t k, Value column) const {
  int64_t perWord = 32 / bits();
  Value words = raw(emitter.integers(), step, k / perWord, column);
  if (bits() == 16)
    return words;
  return emitter.bitsOfHalves(words, k % perWord / 2 * bits(), bits());
}

/// Two vectors at a time, as f16 fill a register.
SmallVector<Value> WeightReader::readE4M3(Value step, int64_t k, Value column,
                                          int64_t vectors) const {
  int64_t lanes = emitter.target.lanes;
  SmallVector<Value> result;
  while (vectors > 0) {
    int64_t count = std::min<int64_t>(vectors, 2);
    Type bytes = emitter.vectorOf(emitter.builder.getI8Type(), count * lanes);
    result.append(emitter.decodeE4M3(raw(bytes, step, k, column)));
    column = emitter.add(column, count * lanes);
    vectors -= count;
  }
  return result;
}

SmallVector<Value> WeightReader::read(Value step, int64_t k, Value column,
                                      int64_t vectors, bool pairs) const {
  SmallVector<Value> result;
  if (format == Storage::E4M3) {
    result = readE4M3(step, k, column, vectors);
    if (pairs)
      for (auto [low, high] :
           llvm::zip(result, readE4M3(step, k + 1, column, vectors)))
        low = emitter.pairsOfHalves(low, high);
    return result;
  }
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value first = emitter.add(column, vector * emitter.target.lanes);
    result.push_back(pairs ? readPairs(step, k, first)
                           : readFloats(step, k, first));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// One tile
//===----------------------------------------------------------------------===//

/// Bytes ahead at which the speed of memory is reached (measured on Emerald Rapids:
/// less from 2 KiB down and from 32 KiB up).
static constexpr int64_t prefetchDistance = 4096;

/// What the weights of `product` are when they are read.
static Storage formatOf(const Product &product) {
  if (product.format != Storage::E4M3 || !product.weights)
    return product.format;
  return product.dot ? Storage::BF16 : Storage::F32;
}

namespace {
/// Emits the sums of `rows` rows and `vectors` vectors of columns.
class Tile {
public:
  Tile(Emitter &emitter, const Product &product, int64_t rows, int64_t vectors,
       Value column)
      : emitter(emitter), product(product),
        reader(emitter, formatOf(product), isInteger() && product.weights,
               product.pitch),
        rows(rows), vectors(vectors), column(column) {}

  void emit();

private:
  using Sums = SmallVector<Value>; ///< [rows][vectors].

  bool isInteger() const { return product.summation == Summation::Blocks; }
  bool isInBlocks() const {
    return isInteger() || product.summation == Summation::Scaled;
  }
  bool readsPairs() const { return product.dot || isInteger(); }
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
  void addScaledBlock(Value header, const Sums &partial, Sums &sums) const;
  void addIntegerBlock(Value header, Value block, const Sums &partial,
                       Sums &sums) const;
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
    SmallVector<Value> values =
        reader.read(weights, k, column, vectors, readsPairs());
    for (int64_t row = 0; row < rows; ++row) {
      Value input = broadcastInput(inputs, row, k);
      for (int64_t vector = 0; vector < vectors; ++vector) {
        Value &sum = sums[row * vectors + vector];
        if (isInteger())
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

/// Zero, or what undoes the bias of the weights.
Tile::Sums Tile::firstOfBlock(Value block) const {
  if (!isInteger())
    return zeros();
  if (biasOf(product.format) == 0)
    return Sums(rows * vectors, emitter.constantBits(0));
  Sums sums;
  for (int64_t row = 0; row < rows; ++row)
    sums.append(vectors,
                inputOfBlock(product.inputSums, row, block, emitter.i32()));
  return sums;
}

/// The sum of weights times inputs over one block.
Tile::Sums Tile::sumOfBlock(Value block) const {
  Value weights;
  if (product.weights) {
    int64_t bytes =
        reader.stepBytes() / reader.stepDepth() * product.blockDepth;
    weights = emitter.offset(product.weights, emitter.multiply(block, bytes));
  } else {
    weights = emitter.offset(
        product.blocks, emitter.add(emitter.multiply(block, product.blockBytes),
                                    product.headerBytes));
  }
  Value first = emitter.multiply(block, product.blockDepth);
  Value depth = emitter.integer(product.blockDepth);
  if (product.isRagged)
    depth = emitter.minimum(depth, emitter.subtract(product.depth, first));
  return addRange(weights, inputsFrom(first), depth, firstOfBlock(block));
}

/// sums += partial * scale, with the 2^8 that reading e4m3 leaves out.
void Tile::addScaledBlock(Value header, const Sums &partial, Sums &sums) const {
  for (int64_t vector = 0; vector < vectors; ++vector) {
    Value scale = emitter.load(
        emitter.floats(),
        emitter.offset(header, emitter.multiply(columnOf(vector), 4)), 4);
    for (int64_t row = 0; row < rows; ++row) {
      int64_t index = row * vectors + vector;
      sums[index] = emitter.multiplyAdd(
          emitter.multiplyFloats(partial[index], emitter.constant(256)), scale,
          sums[index]);
    }
  }
}

/// sums += partial * (scale of inputs) * scale + (sum of inputs) * minimum.
void Tile::addIntegerBlock(Value header, Value block, const Sums &partial,
                           Sums &sums) const {
  Type half = emitter.builder.getF16Type();
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
  Value blocks = emitter.divide(
      emitter.add(product.depth, product.blockDepth - 1), product.blockDepth);
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
        Value header = emitter.offset(
            product.blocks, emitter.multiply(block, product.blockBytes));
        if (isStreaming())
          emitter.prefetch(header, prefetchBytes(), product.headerBytes);
        Sums partial = sumOfBlock(block);
        Sums sums = fits ? Sums(before) : loadSums();
        if (isInteger())
          addIntegerBlock(header, block, partial, sums);
        else
          addScaledBlock(header, partial, sums);
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
  case Summation::Scaled:
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

/// Decodes the step of blocks at `from` to `to`.
static void decodeStep(Emitter &emitter, const WeightReader &reader,
                       int64_t columns, bool toPairs, Value from, Value to) {
  int64_t advance = toPairs ? 2 : 1, lanes = emitter.target.lanes;
  for (int64_t k = 0; k < reader.stepDepth(); k += advance) {
    SmallVector<Value> vectors =
        reader.read(from, k, emitter.integer(0), columns / lanes, toPairs);
    for (auto [index, vector] : llvm::enumerate(vectors)) {
      auto column = static_cast<int64_t>(index) * lanes;
      emitter.store(
          vector, emitter.offset(to, (k / advance * columns + column) * 4), 4);
    }
  }
}

void x86::emitDecode(Emitter &emitter, const PackedLayout &layout, bool dot,
                     Value blocks, Value depth, Value out) {
  WeightReader reader(emitter, layout.storage, /*isDecoded=*/false,
                      layout.columns);
  bool toPairs = dot || layout.storage != Storage::E4M3;
  int64_t header = headerBytesOf(layout.storage, layout.columns);
  int64_t step = reader.stepDepth(), bytes = layout.columns * (toPairs ? 2 : 4);
  emitter.loop(emitter.integer(0), depth, layout.stepDepth, [&](Value first) {
    Value block = emitter.offset(
        blocks,
        emitter.add(emitter.multiply(emitter.divide(first, layout.stepDepth),
                                     layout.stepBytes),
                    header));
    Value target = emitter.offset(out, emitter.multiply(first, bytes));
    Value end = emitter.integer(layout.stepDepth);
    if (layout.isRagged())
      end = emitter.minimum(end, emitter.subtract(depth, first));
    emitter.loop(emitter.integer(0), end, step, [&](Value k) {
      decodeStep(
          emitter, reader, layout.columns, toPairs,
          emitter.offset(block, emitter.multiply(k, reader.stepBytes() / step)),
          emitter.offset(target, emitter.multiply(k, bytes)));
    });
  });
}
