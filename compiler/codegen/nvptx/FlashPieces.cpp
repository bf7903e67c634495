#include "compiler/codegen/nvptx/FlashPieces.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

Value FlashPieces::loadWord(Value memory, Value index) {
  Value bytes = emitter.multiply(emitter.widen(index), 4);
  return emitter.loadWords(emitter.offset(memory, bytes), 1)[0];
}

/// The first token from `token` on of another sequence, or `end`.
Value FlashPieces::endOfSequence(Value token, Value end) {
  Value sequence = sequenceOf(token);
  Value last = emitter.subtract(end, emitter.word(1));
  auto isSame = [&](Value other) {
    return emitter.compare(arith::CmpIPredicate::eq, sequenceOf(other),
                           sequence);
  };
  return emitter.evaluate(
      isSame(last), [&] { return end; },
      [&] {
        // `low` is of this sequence, `high` of another one.
        return emitter.loop(
            emitter.word(0),
            emitter.word(
                llvm::Log2_64_Ceil(static_cast<uint64_t>(layout.tokens))),
            1, {token, last},
            [&](Value, ValueRange range) -> SmallVector<Value> {
              Value middle = emitter.divide(emitter.add(range[0], range[1]), 2);
              Value isLow = isSame(middle);
              return {emitter.select(isLow, middle, range[0]),
                      emitter.select(isLow, range[1], middle)};
            })[1];
      });
}

/// Calls `body` for the pieces of one window of tokens; it replaces the
/// counter.
Value FlashPieces::forPiecesOf(Value window, Value keyHead, Value counter,
                               Body body) {
  Value rows = emitter.narrow(frame.rows);
  Value first = emitter.multiply(window, layout.tokens);
  Value end = emitter.minimum(emitter.add(first, layout.tokens), rows);
  return emitter.loopWhile(
      {first, counter},
      [&](ValueRange values) {
        return emitter.compare(arith::CmpIPredicate::slt, values[0], end);
      },
      [&](ValueRange values) -> SmallVector<Value> {
        FlashPiece piece;
        piece.keyHead = keyHead;
        piece.token = values[0];
        Value pieceEnd = endOfSequence(piece.token, end);
        Value count = emitter.subtract(pieceEnd, piece.token);
        piece.rows = emitter.multiply(count, layout.group);
        piece.sequence = sequenceOf(piece.token);
        piece.position = loadWord(frame.operands[1], piece.token);
        Value context = emitter.add(piece.position, count);
        auto parts = [&](int64_t size) {
          return emitter.divide(emitter.add(context, size - 1), size);
        };
        piece.pages = parts(cache.getPageTokens());
        piece.stages = parts(layout.positions);
        return {pieceEnd, body(piece, values[1])};
      })[1];
}

/// Calls `body` for all pieces of this block, with the number of stages before.
/// Blocks take windows of tokens from the last one on, which see most of the
/// context, for all key/value heads.
void FlashPieces::forPieces(Body body) {
  Value windows =
      emitter.divide(emitter.add(emitter.narrow(frame.rows), layout.tokens - 1),
                     layout.tokens);
  Value items = emitter.multiply(windows, cache.getHeads());
  emitter.loop(
      emitter.narrow(emitter.blockNumber()), items,
      emitter.narrow(emitter.blockCount()), {emitter.word(0)},
      [&](Value item, ValueRange counter) -> SmallVector<Value> {
        Value window =
            emitter.subtract(emitter.subtract(windows, emitter.word(1)),
                             emitter.divide(item, cache.getHeads()));
        return {forPiecesOf(window, emitter.modulo(item, cache.getHeads()),
                            counter[0], body)};
      });
}
