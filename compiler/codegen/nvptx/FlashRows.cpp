#include "compiler/codegen/nvptx/FlashRows.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// What threads load of a query row at once.
static constexpr int64_t pieceBytes = 16;

/// A named barrier of each consumer alone.
static constexpr int64_t aloneBarrier = 1;

void FlashRows::begin(Value consumer, Value shared) {
  this->consumer = consumer;
  Value lane = emitter.narrow(emitter.laneNumber());
  member = emitter.modulo(lane, 4);
  Value warp = emitter.modulo(emitter.narrow(emitter.warpNumber()),
                              warpgroupThreads / warpLanes);
  firstRow = emitter.add(
      emitter.multiply(consumer, productRows),
      emitter.add(
          emitter.multiply(warp, productRows / (warpgroupThreads / warpLanes)),
          emitter.divide(lane, 4)));
  queries =
      emitter.offset(shared, emitter.multiply(consumer, layout.consumerBytes));
}

/// Loads 16 bytes of a query row, number `number`; zeros beyond it.
SmallVector<Value> FlashRows::loadQueryPiece(const FlashPiece &piece, Value row,
                                             Value number) {
  auto type = cast<ShapedType>(op.getQuery().getType());
  int64_t size = type.getDimSize(2), columns = pieceBytes / 2;
  // Rows that the piece does not have are those of its last one.
  row = emitter.minimum(row, emitter.subtract(piece.rows, emitter.word(1)));
  Value head = emitter.add(emitter.multiply(piece.keyHead, layout.group),
                           emitter.modulo(row, layout.group));
  Value tokenRow =
      emitRow(emitter, type, frame.operands[0],
              emitter.widen(
                  emitter.add(piece.token, emitter.divide(row, layout.group))));
  Value source =
      emitter.offset(emitter.offset(tokenRow, emitter.multiply(head, size * 2)),
                     emitter.multiply(number, pieceBytes));
  // Words that lie inside together or not at all.
  int64_t words = size % columns == 0 ? 4 : 1;
  SmallVector<Value> loaded;
  for (int64_t i = 0; i < 4; i += words) {
    Value first = emitter.add(emitter.multiply(number, columns), i * 2);
    Value isInside =
        emitter.compare(arith::CmpIPredicate::slt, first, emitter.word(size));
    loaded.append(emitter.evaluate(
        isInside,
        [&]() -> SmallVector<Value> {
          return emitter.loadWords(emitter.offset(source, i * 4), words);
        },
        [&] {
          return SmallVector<Value>(static_cast<size_t>(words),
                                    emitter.word(0));
        }));
  }
  return loaded;
}

void FlashRows::copyQueries(const FlashPiece &piece) {
  auto waitForAll = [&] {
    hopper.namedBarrier(emitter.add(consumer, aloneBarrier), warpgroupThreads);
  };
  waitForAll(); // All have multiplied the queries of the piece before.
  int64_t pieces = cache.getPaddedKeySize() / (pieceBytes / 2);
  Value thread =
      emitter.modulo(emitter.narrow(emitter.threadNumber()), warpgroupThreads);
  emitter.loop(thread, emitter.word(productRows * pieces), warpgroupThreads,
               [&](Value index) {
                 Value row = emitter.divide(index, pieces),
                       number = emitter.modulo(index, pieces);
                 Value blockRow =
                     emitter.add(row, emitter.multiply(consumer, productRows));
                 SmallVector<Value> words =
                     loadQueryPiece(piece, blockRow, number);
                 Value swapped = emitter.exclusive(emitter.modulo(number, 8),
                                                   emitter.modulo(row, 8));
                 Value place = emitter.add(
                     emitter.multiply(emitter.divide(number, 8),
                                      productRows * swizzledRowBytes),
                     emitter.add(emitter.multiply(row, swizzledRowBytes),
                                 emitter.multiply(swapped, pieceBytes)));
                 emitter.storeVector(words, emitter.offset(queries, place));
               });
  hopper.fenceSharedForCopies();
  waitForAll();
}

/// Stores this thread's two of 8 columns from `firstColumn` on of a head.
void FlashRows::storePair(ArrayRef<Value> pair, Value target, Value head,
                          int64_t firstColumn) {
  auto type = cast<ShapedType>(op.getInit().getType());
  Type element = type.getElementType();
  int64_t size = cache.getValueSize(),
          bytes = element.getIntOrFloatBitWidth() / 8;
  Value column = emitter.add(emitter.multiply(member, 2), firstColumn);
  Value place = emitter.add(emitter.multiply(head, size), column);
  auto whereInside = [&](Value last, llvm::function_ref<void()> body) {
    if (firstColumn + 8 <= size)
      return body();
    emitter.when(
        emitter.compare(arith::CmpIPredicate::slt, last, emitter.word(size)),
        body);
  };
  if (bytes == 2 && size % 2 == 0 && stridesOf(type)[0] % 2 == 0) {
    whereInside(column, [&] {
      emitter.store(hopper.packPair(element, pair[0], pair[1]),
                    emitter.offset(target, emitter.multiply(place, 2)), 4);
    });
    return;
  }
  for (int64_t i = 0; i < 2; ++i)
    whereInside(emitter.add(column, i), [&] {
      emitter.storeElement(pair[i], element, target, emitter.add(place, i));
    });
}

void FlashRows::store(const FlashPiece &piece, const Softmax &state) {
  auto type = cast<ShapedType>(op.getInit().getType());
  int64_t size = cache.getValueSize();
  for (int64_t half = 0; half < 2; ++half) {
    Value sum = state.sums[half];
    for (int64_t mask : {1, 2})
      sum = emitter.addFloats(sum, emitter.exchange(sum, mask));
    Value factor = emitter.divideFloats(emitter.scalar(1.0f), sum);
    Value row = rowOf(half);
    Value isRow = emitter.compare(arith::CmpIPredicate::slt, row, piece.rows);
    emitter.when(isRow, [&] {
      Value head = emitter.add(emitter.multiply(piece.keyHead, layout.group),
                               emitter.modulo(row, layout.group));
      Value target =
          emitRow(emitter, type, frame.operands[5],
                  emitter.widen(emitter.add(
                      piece.token, emitter.divide(row, layout.group))));
      for (int64_t column = 0; column < size; column += 8) {
        size_t index = static_cast<size_t>(column / 2 + half * 2);
        SmallVector<Value> pair;
        for (size_t i = index; i < index + 2; ++i)
          pair.push_back(emitter.multiplyFloats(state.outputs[i], factor));
        storePair(pair, target, head, column);
      }
    });
  }
}
