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

/// The integer that stands for element `k` of a block, above zero.
Value WeightRows::loadInteger(Value row, Value k) {
  // Words are in the order of K; bytes b0, b2, b1, b3 of one are its elements,
  // or nibbles e0, e2, e4, e6 of its low half and the odd ones of its high
  // half.
  int64_t elements = layout.storage == Storage::Q8_0 ? 4 : 8;
  int64_t bits = 32 / elements;
  Value word = emitter.load(
      emitter.i32(),
      at(0, row, emitter.multiply(emitter.divide(k, elements), 4)), 4);
  Value index = emitter.modulo(k, elements);
  Value shift = emitter.add(emitter.multiply(emitter.divide(index, 2), bits),
                            emitter.multiply(emitter.modulo(index, 2), 16));
  Value shifted = arith::ShRUIOp::create(emitter.builder, emitter.location,
                                         word, emitter.narrow(shift));
  return emitter.both(shifted,
                      emitter.word(static_cast<int32_t>((1 << bits) - 1)));
}

/// A number of block `block`.
Value WeightRows::loadHeader(size_t plane, Value row, Value block) {
  return emitter.loadFloat(emitter.builder.getF16Type(),
                           at(plane, row, emitter.multiply(block, 2)));
}

Value WeightRows::load(Value row, Value k) {
  if (blockHeadersOf(layout.storage) == 0)
    return emitter.loadFloat(
        element, at(0, row, emitter.multiply(k, bitsOf(layout.storage) / 8)));
  Value integer = emitter.subtract(
      loadInteger(row, k),
      emitter.word(static_cast<int32_t>(biasOf(layout.storage))));
  Value quant = arith::SIToFPOp::create(emitter.builder, emitter.location,
                                        emitter.f32(), integer);
  Value block = emitter.divide(k, blockElements);
  Value scale = loadHeader(1, row, block);
  if (layout.planes.size() == 2)
    return emitter.multiplyFloats(quant, scale);
  return emitter.multiplyAdd(quant, scale, loadHeader(2, row, block));
}
