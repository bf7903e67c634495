// Operands of products in attention of few queries: from memory to registers.

#include "compiler/codegen/nvptx/SplitAttention.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::nvptx;

/// This lane's words of a query or key: two for each 16 of its elements, of
/// which it has element 8 * member and the following ones of each 32.
SmallVector<Value> SplitAttention::loadVector(Value row) {
  SmallVector<Value> words;
  int64_t size = cache.getPaddedKeySize();
  Value lanePart = emitter.offset(row, emitter.multiply(member, 16));
  for (int64_t i = 0; i + 32 <= size; i += 32)
    words.append(emitter.loadWords(emitter.offset(lanePart, i * 2), 4));
  if (size % 32 != 0)
    words.append(emitter.loadWords(
        emitter.offset(row, emitter.add(emitter.multiply(member, 8),
                                        (size - size % 32) * 2)),
        2));
  return words;
}

/// The same of a query whose size is no multiple of 16, with zeros behind it.
SmallVector<Value> SplitAttention::loadPairs(Value row) {
  SmallVector<Value> words;
  int64_t size = cache.getPaddedKeySize();
  for (int64_t i = 0; i < size; i += 32) {
    int64_t count = std::min<int64_t>(4, (size - i) / 8);
    for (int64_t word = 0; word < count; ++word) {
      Value first =
          emitter.add(emitter.multiply(member, count * 2), i + word * 2);
      Value isInside = emitter.compare(arith::CmpIPredicate::slt, first,
                                       emitter.integer(cache.getKeySize()));
      words.push_back(emitter.evaluate(
          isInside,
          [&] {
            return emitter.load(emitter.i32(),
                                emitter.offset(row, emitter.multiply(first, 2)),
                                4);
          },
          [&] { return emitter.word(0); }));
    }
  }
  return words;
}

/// Copies the queries to shared memory, as the left operand of each step of K;
/// rows that the tile does not have are those of its last one.
void SplitAttention::copyQueries(Value part) {
  auto type = cast<ShapedType>(op.getQuery().getType());
  int64_t size = type.getDimSize(2);
  Value tokenRow = emitRow(emitter, type, frame.operands[0], token);
  Value first = emitter.add(emitter.multiply(keyHead, op.getGroup()),
                            emitter.multiply(part, splitHeads));
  SmallVector<Value> rows[2];
  for (int64_t half = 0; half < 2; ++half) {
    Value index = emitter.minimum(emitter.add(quad, half * 8),
                                  emitter.subtract(count, emitter.integer(1)));
    Value row = emitter.offset(
        tokenRow, emitter.multiply(emitter.add(first, index), size * 2));
    rows[half] =
        size == cache.getPaddedKeySize() ? loadVector(row) : loadPairs(row);
  }
  Value target =
      emitter.offset(queries, emitter.multiply(emitter.laneNumber(), 16));
  for (size_t i = 0; i < rows[0].size(); i += 2)
    emitter.storeVector(
        {rows[0][i], rows[1][i], rows[0][i + 1], rows[1][i + 1]},
        emitter.offset(target, static_cast<int64_t>(i / 2) * splitQueryBytes));
}

/// The queries as an operand. LLVM would load those of all steps before all
/// products, and there are no registers for that.
SmallVector<Value> SplitAttention::queriesOf(int64_t step) {
  Value place = emitter.offset(
      emitter.offset(queries, emitter.multiply(emitter.laneNumber(), 16)),
      step * splitQueryBytes);
  Value vector = LLVM::LoadOp::create(
      emitter.builder, emitter.location, VectorType::get({4}, emitter.i32()),
      place, /*alignment=*/16, /*isVolatile=*/true);
  SmallVector<Value> words;
  for (int32_t i = 0; i < 4; ++i)
    words.push_back(LLVM::ExtractElementOp::create(
        emitter.builder, emitter.location, vector, emitter.word(i)));
  return words;
}

Value SplitAttention::pageOf(Value step) {
  return emitPage(emitter, cache.getPageBytes(), frame.operands[4],
                  frame.operands[3], frame.pageTableStride, sequence,
                  emitter.divide(step, cache.getPageTokens() / splitPositions));
}

/// The slot in its page of position `row` of a step; positions that the token
/// does not see are the last one that it does.
Value SplitAttention::slotOf(Value step, Value row) {
  Value place = emitter.minimum(
      emitter.add(emitter.multiply(step, splitPositions), row), position);
  return emitter.modulo(place, cache.getPageTokens());
}

/// The words of positions `quad`, then of `quad + 8`.
SmallVector<Value> SplitAttention::loadKeys(Value step, Value page) {
  SmallVector<Value> words;
  Value keys =
      emitter.offset(page, emitter.multiply(keyHead, cache.getKeyBytes()));
  for (int64_t half = 0; half < 2; ++half) {
    Value slot = slotOf(step, emitter.add(quad, half * 8));
    words.append(loadVector(emitter.offset(
        keys, emitter.multiply(slot, cache.getPaddedKeySize() * 2))));
  }
  return words;
}

/// The words of positions 2 * member + {0, 1, 8, 9}: of each panel of columns
/// those from eighth number `quad` on.
SmallVector<Value> SplitAttention::loadValues(Value step, Value page) {
  SmallVector<Value> words;
  Value values = emitter.offset(
      page, emitter.add(emitter.multiply(keyHead, cache.getValueBytes()),
                        cache.getHeads() * cache.getKeyBytes()));
  for (int64_t offset : {0, 1, 8, 9}) {
    Value slot = slotOf(step, emitter.add(emitter.multiply(member, 2), offset));
    Value row = emitter.offset(values, emitter.multiply(slot, pitch * 2));
    for (int64_t first = 0; first < pitch; first += splitPanelColumns) {
      int64_t columns = std::min(splitPanelColumns, pitch - first);
      Value place = emitter.offset(
          row, emitter.add(emitter.multiply(quad, columns / 8 * 2), first * 2));
      words.append(emitter.loadWords(place, columns / 16));
    }
  }
  return words;
}
