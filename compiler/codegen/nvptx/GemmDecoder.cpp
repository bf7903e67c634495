#include "compiler/codegen/nvptx/GemmDecoder.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

// Words in 16 bytes.
static constexpr int64_t partWords = 4;

GemmDecoder::GemmDecoder(Emitter &emitter, kernel::LinearOp op, Value memory,
                         const GemmLayout &layout)
    : emitter(emitter), hopper(emitter),
      weight(cast<ShapedType>(op.getWeight().getType()),
             cast<kernel::RowPackingAttr>(op.getPacking())),
      element(op.getOperand()), tileColumns(layout.tileColumns),
      memory(memory) {
  Value thread = emitter.modulo(emitter.threadNumber(), warpgroupThreads);
  row = emitter.divide(thread, rowParts());
  place = emitter.modulo(thread, rowParts());
}

/// The row in the tile of this thread's part number `part`.
Value GemmDecoder::rowOfPart(int64_t part) {
  return emitter.add(row, part * warpgroupThreads / rowParts());
}

Value GemmDecoder::addressOf(size_t plane, Value row, Value bytes) {
  const h100::Plane &rows = weight.planes[plane];
  Value begin = emitter.add(emitter.multiply(row, rows.rowBytes), rows.offset);
  return emitter.offset(memory, emitter.add(begin, bytes));
}

SmallVector<Value> GemmDecoder::load(Value firstRow, Value step) {
  int64_t blocks = weight.depth / blockElements;
  Value k = emitter.add(emitter.multiply(step, gemmDepth),
                        emitter.multiply(place, partElements()));
  Value block = emitter.divide(k, blockElements);
  Value isInside = emitter.compare(arith::CmpIPredicate::slt, block,
                                   emitter.integer(blocks));
  k = emitter.minimum(k, emitter.integer(weight.depth - partElements()));
  block = emitter.minimum(block, emitter.integer(blocks - 1));
  Value bytes = emitter.multiply(
      k, bitsOf(weight.storage)); // In bits, a multiple of 128.
  bytes = emitter.divide(bytes, 8);
  VectorType words = VectorType::get({partWords}, emitter.i32());
  SmallVector<Value> loaded;
  for (int64_t part = 0; part < parts(); ++part) {
    Value packed = emitter.minimum(emitter.add(firstRow, rowOfPart(part)),
                                   emitter.integer(weight.packedRows - 1));
    Value vector = emitter.load(words, addressOf(0, packed, bytes), 16);
    for (int32_t word = 0; word < partWords; ++word)
      loaded.push_back(LLVM::ExtractElementOp::create(
          emitter.builder, emitter.location, vector, emitter.word(word)));
    for (int64_t header = 1; header <= blockHeaders(); ++header) {
      Value number =
          emitter.loadFloat(emitter.builder.getF16Type(),
                            addressOf(static_cast<size_t>(header), packed,
                                      emitter.multiply(block, 2)));
      loaded.push_back(emitter.select(isInside, number, emitter.scalar(0.0f)));
    }
  }
  return loaded;
}

/// Elements 2 * pair and the next one of `word`, in one register.
Value GemmDecoder::decodePair(Value word, int64_t pair, ValueRange headers) {
  // 2^23 with an integer in its lowest bits is their sum.
  constexpr int32_t exponent = 0x4B000000;
  int64_t bits = bitsOf(weight.storage);
  auto zero = static_cast<float>((1 << 23) + biasOf(weight.storage));
  SmallVector<Value, 2> values;
  for (int64_t half : {0, 1}) {
    Value shifted = arith::ShRUIOp::create(
        emitter.builder, emitter.location, word,
        emitter.word(static_cast<int32_t>(pair * bits + half * 16)));
    Value integer = emitter.both(
        shifted, emitter.word(static_cast<int32_t>((1 << bits) - 1)));
    Value sum = LLVM::BitcastOp::create(
        emitter.builder, emitter.location, emitter.f32(),
        emitter.either(integer, emitter.word(exponent)));
    Value quant = emitter.subtractFloats(sum, emitter.scalar(zero));
    values.push_back(headers.size() == 1
                         ? emitter.multiplyFloats(quant, headers[0])
                         : emitter.multiplyAdd(quant, headers[0], headers[1]));
  }
  return hopper.packPair(element, values[0], values[1]);
}

void GemmDecoder::decode(ValueRange loaded, Value tile) {
  int64_t wordElements = 32 / bitsOf(weight.storage);
  int64_t stride = partWords + blockHeaders();
  // Rows of different parts are a multiple of 8 apart.
  Value exchanged = emitter.modulo(row, 8);
  Value first = emitter.multiply(place, partElements() / 8);
  VectorType type = VectorType::get({4}, emitter.i32());
  for (int64_t part = 0; part < parts(); ++part) {
    ValueRange registers = loaded.slice(static_cast<size_t>(part * stride),
                                        static_cast<size_t>(stride));
    Value begin = emitter.offset(
        tile, emitter.multiply(rowOfPart(part), swizzledRowBytes));
    for (int64_t piece = 0; piece < partElements() / 8; ++piece) {
      Value vector =
          LLVM::PoisonOp::create(emitter.builder, emitter.location, type);
      for (int64_t pair = 0; pair < 4; ++pair) {
        int64_t k = piece * 8 + pair * 2;
        Value two =
            decodePair(registers[static_cast<size_t>(k / wordElements)],
                       k % wordElements / 2, registers.drop_front(partWords));
        vector = LLVM::InsertElementOp::create(
            emitter.builder, emitter.location, vector, two,
            emitter.word(static_cast<int32_t>(pair)));
      }
      Value target =
          arith::XOrIOp::create(emitter.builder, emitter.location,
                                emitter.add(first, piece), exchanged);
      emitter.store(vector, emitter.offset(begin, emitter.multiply(target, 16)),
                    16);
    }
  }
}
