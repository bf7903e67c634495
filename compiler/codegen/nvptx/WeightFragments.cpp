// A row of a step is 128 bytes, all 32 banks, in chunks of 16 bytes. Their
// order is another in each row, so that lanes that read the same part of
// several rows at once hit different banks: chunk `c` of row `r` is at `c ^ (r
// << s) % 8`, where a read of eight lanes or more takes 1 << s chunks of a row.

#include "compiler/codegen/nvptx/WeightFragments.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

static constexpr int64_t chunkBytes = 16;
static constexpr int64_t stepBytes = h100::SkinnyShape::stepBytes;
static constexpr int64_t rowChunks = stepBytes / chunkBytes;

WeightFragments::WeightFragments(Emitter &emitter,
                                 const h100::RowLayout &layout,
                                 const h100::SkinnyShape &shape, Type element,
                                 Value memory)
    : emitter(emitter), layout(layout), shape(shape), element(element),
      memory(memory),
      unitBytes(h100::SkinnyShape::unitDepth * bitsOf(layout.storage) / 8),
      lane(emitter.laneNumber()), group(emitter.divide(lane, 4)),
      quarter(emitter.modulo(lane, 4)) {
  Value bytes = emitter.multiply(quarter, unitBytes / 4);
  Value chunk = swizzle(group, emitter.divide(bytes, chunkBytes));
  firstPlace = emitter.add(emitter.multiply(group, stepBytes),
                           emitter.add(emitter.multiply(chunk, chunkBytes),
                                       emitter.modulo(bytes, chunkBytes)));
}

/// Where chunk `chunk` of row `row` is in the row.
Value WeightFragments::swizzle(Value row, Value chunk) {
  // Units of f32 are a whole row, of which a read takes every other chunk.
  int64_t chunks = std::max<int64_t>(unitBytes / chunkBytes, 1) % rowChunks;
  Value turned = emitter.modulo(
      emitter.multiply(row, std::max<int64_t>(chunks, 1)), rowChunks);
  return emitter.exclusive(chunk, turned);
}

//===----------------------------------------------------------------------===//
// To shared memory
//===----------------------------------------------------------------------===//

void WeightFragments::copyHeaders(Value row, Value step, Value stage) {
  int64_t rows = h100::SkinnyShape::stepRows;
  const h100::Plane &scales = layout.planes[1], &last = layout.planes.back();
  auto copy = [&] {
    Value plane = emitter.select(
        emitter.compare(arith::CmpIPredicate::slt, lane, emitter.integer(rows)),
        emitter.integer(scales.offset), emitter.integer(last.offset));
    Value own = emitter.minimum(emitter.add(row, emitter.modulo(lane, rows)),
                                emitter.integer(layout.packedRows - 1));
    Value from =
        emitter.add(emitter.add(plane, emitter.multiply(own, scales.rowBytes)),
                    emitter.multiply(step, shape.headerBytes));
    Value to = emitter.add(emitter.multiply(lane, shape.headerBytes),
                           rows * stepBytes);
    emitter.copyAsync(emitter.offset(stage, to), emitter.offset(memory, from),
                      shape.headerBytes);
  };
  if (shape.headers * rows == warpLanes)
    return copy();
  emitter.when(emitter.compare(arith::CmpIPredicate::slt, lane,
                               emitter.integer(shape.headers * rows)),
               copy);
}

void WeightFragments::copy(Value row, Value step, Value stage) {
  int64_t rowsAtOnce = warpLanes / rowChunks;
  const h100::Plane &plane = layout.planes[0];
  Value chunk = emitter.modulo(lane, rowChunks);
  Value bytes = emitter.add(emitter.multiply(step, stepBytes),
                            emitter.multiply(chunk, chunkBytes));
  Value isInside;
  if (plane.rowBytes % stepBytes != 0)
    isInside = emitter.compare(arith::CmpIPredicate::slt, bytes,
                               emitter.integer(plane.rowBytes));
  for (int64_t i = 0; i < h100::SkinnyShape::stepRows; i += rowsAtOnce) {
    Value own = emitter.add(emitter.divide(lane, rowChunks), i);
    Value from = emitter.add(row, own);
    if (layout.packedRows % shape.tile.columns != 0)
      from = emitter.minimum(from, emitter.integer(layout.packedRows - 1));
    from = emitter.add(emitter.multiply(from, plane.rowBytes), bytes);
    Value to = emitter.add(emitter.multiply(own, stepBytes),
                           emitter.multiply(swizzle(own, chunk), chunkBytes));
    emitter.copyAsync(emitter.offset(stage, to), emitter.offset(memory, from),
                      chunkBytes, isInside);
  }
  if (isInBlocks())
    copyHeaders(row, step, stage);
}

//===----------------------------------------------------------------------===//
// To registers
//===----------------------------------------------------------------------===//

Value WeightFragments::placeOf(int64_t half, int64_t unit) {
  // Units are chunks or several ones: no sum changes the bits below or above.
  Value place =
      emitter.exclusive(firstPlace, emitter.integer(unit * unitBytes));
  return emitter.add(place, half * 8 * stepBytes);
}

void WeightFragments::loadHeaders(Value stage) {
  loaded.clear();
  int64_t rows = h100::SkinnyShape::stepRows;
  for (int64_t number = 0; number < shape.headers; ++number)
    for (int64_t half : {0, 1}) {
      int64_t first =
          rows * stepBytes + (number * rows + half * 8) * shape.headerBytes;
      Value place =
          emitter.add(emitter.multiply(group, shape.headerBytes), first);
      loaded.push_back(emitter.loadFloats(emitter.builder.getF16Type(),
                                          emitter.offset(stage, place),
                                          shape.headerBytes / 2));
    }
}

/// The elements of a block that are in `word`, as pairs of bf16.
SmallVector<Value> WeightFragments::pairsOf(Value word) {
  // 128 is the bf16 whose last bits count ones: 128 + n has the bits of both
  // for n below 128.
  constexpr int32_t ones = 0x43004300;
  bool isByte = layout.storage == Storage::Q8_0;
  int32_t mask = isByte ? 0x007F007F : 0x000F000F;
  SmallVector<Value> pairs;
  for (int64_t bits = isByte ? 8 : 4, shift = 0; shift < 16; shift += bits) {
    Value shifted = shift == 0 ? word : emitter.shiftRight(word, shift);
    Value sum = emitter.either(emitter.both(shifted, emitter.word(mask)),
                               emitter.word(ones));
    // What is too much: of a byte, 256, or 128 if its first bit is set, which
    // the mask has left out.
    Value excess =
        emitter.word(ones + (biasOf(layout.storage) == 8 ? 0x00080008 : 0));
    if (isByte)
      excess = emitter.either(
          emitter.both(emitter.exclusive(shifted, emitter.word(-1)),
                       emitter.word(0x00800080)),
          emitter.word(ones));
    pairs.push_back(emitter.subtractPairs(sum, excess));
  }
  return pairs;
}

SmallVector<Value> WeightFragments::pairs(Value stage, int64_t half,
                                          int64_t unit) {
  SmallVector<Value> words = emitter.loadVector(
      emitter.i32(), emitter.offset(stage, placeOf(half, unit)),
      unitBytes / 4 / 4);
  if (!isInBlocks())
    return words;
  SmallVector<Value> pairs;
  for (Value word : words)
    pairs.append(pairsOf(word));
  return pairs;
}

SmallVector<Value> WeightFragments::floats(Value stage, int64_t half,
                                           int64_t unit) {
  SmallVector<Value> values;
  if (!isInBlocks()) {
    // Chunks are read one by one; the second one of f32 is the neighbour.
    int64_t perChunk = chunkBytes * 8 / element.getIntOrFloatBitWidth();
    for (int64_t i = 0; i < 8 / perChunk; ++i) {
      Value place = emitter.exclusive(placeOf(half, unit),
                                      emitter.integer(i * chunkBytes));
      values.append(
          emitter.loadFloats(element, emitter.offset(stage, place), perChunk));
    }
    return values;
  }
  for (Value pair : pairs(stage, half, unit))
    for (Value quant : emitter.floatsOfPair(pair))
      values.push_back(hasMinima()
                           ? emitter.multiplyAdd(quant, scale(half, unit),
                                                 minimum(half, unit))
                           : emitter.multiplyFloats(quant, scale(half, unit)));
  return values;
}
