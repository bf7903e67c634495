#include "compiler/codegen/nvptx/WeightRows.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// What is `bytes` bytes into row `row` of plane `plane`.
Value WeightRows::at(size_t plane, Value row, Value bytes) {
  const h100::Plane &rows = layout.planes[plane];
  Value begin = emitter.add(emitter.multiply(row, rows.rowBytes), rows.offset);
  return emitter.offset(memory, emitter.add(begin, bytes));
}

// Words are in the order of K; bytes b0, b2, b1, b3 of one are its elements, or
// nibbles e0, e2, e4, e6 of its low half and the odd ones of its high half.

/// The elements of a block in a word.
static int64_t elementsOfWord(Storage storage) {
  return storage == Storage::Q8_0 ? 4 : 8;
}

/// The word that has element `k`.
Value WeightRows::loadWord(Value row, Value k) {
  int64_t elements = elementsOfWord(layout.storage);
  Value bytes = emitter.multiply(emitter.divide(k, elements), 4);
  return emitter.load(emitter.i32(), at(0, row, bytes), 4);
}

/// What stands for the element `shift` bits into `word`, an i32.
Value WeightRows::integerOf(Value word, Value shift) {
  int64_t bits = 32 / elementsOfWord(layout.storage);
  Value shifted = arith::ShRUIOp::create(emitter.builder, emitter.location,
                                         word, emitter.narrow(shift));
  Value integer = emitter.both(
      shifted, emitter.word(static_cast<int32_t>((1 << bits) - 1)));
  return emitter.subtract(
      integer, emitter.word(static_cast<int32_t>(biasOf(layout.storage))));
}

/// A number of block `block`.
Value WeightRows::loadHeader(size_t plane, Value row, Value block) {
  return emitter.loadFloat(emitter.builder.getF16Type(),
                           at(plane, row, emitter.multiply(block, 2)));
}

/// The elements that `integers` of the block of element `k` stand for.
SmallVector<Value> WeightRows::scale(Value row, Value k, ValueRange integers) {
  Value block = emitter.divide(k, blockElements);
  Value factor = loadHeader(1, row, block), minimum;
  if (layout.planes.size() > 2)
    minimum = loadHeader(2, row, block);
  SmallVector<Value> values;
  for (Value integer : integers) {
    Value quant = arith::SIToFPOp::create(emitter.builder, emitter.location,
                                          emitter.f32(), integer);
    values.push_back(minimum ? emitter.multiplyAdd(quant, factor, minimum)
                             : emitter.multiplyFloats(quant, factor));
  }
  return values;
}

Value WeightRows::load(Value row, Value k) {
  if (blockHeadersOf(layout.storage) == 0)
    return emitter.loadFloat(
        element, at(0, row, emitter.multiply(k, bitsOf(layout.storage) / 8)));
  int64_t elements = elementsOfWord(layout.storage);
  Value index = emitter.modulo(k, elements);
  Value shift =
      emitter.add(emitter.multiply(emitter.divide(index, 2), 32 / elements),
                  emitter.multiply(emitter.modulo(index, 2), 16));
  return scale(row, k, integerOf(loadWord(row, k), shift))[0];
}

SmallVector<Value> WeightRows::loadFour(Value row, Value k) {
  if (blockHeadersOf(layout.storage) == 0)
    return emitter.loadFloats(
        element, at(0, row, emitter.multiply(k, bitsOf(layout.storage) / 8)),
        4);
  int64_t elements = elementsOfWord(layout.storage), bits = 32 / elements;
  Value word = loadWord(row, k);
  Value first =
      emitter.multiply(emitter.divide(emitter.modulo(k, elements), 2), bits);
  SmallVector<Value> integers;
  for (int64_t i = 0; i < 4; ++i)
    integers.push_back(
        integerOf(word, emitter.add(first, i / 2 * bits + i % 2 * 16)));
  return scale(row, k, integers);
}
