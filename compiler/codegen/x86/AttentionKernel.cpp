// Attention over the pages of one sequence with a softmax that is carried along.
//
// A block of neighbouring tokens of one sequence, times the query heads that share
// a key/value head, are the rows of two small products for each page: queries
// with keys, probabilities with values. Scores never leave the first cache.
//
// What a row computes depends on its own position alone: it takes page after page
// from the first, masked positions count exactly nothing, and a page that is
// masked as a whole multiplies its sums by one. So a row has the same bits in a
// prefill, in a chunk of it, and in a decode step.
//
// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax",
// arXiv:1805.02867; Dao, "FlashAttention-2", arXiv:2307.08691.

#include "compiler/codegen/x86/Kernels.h"
#include "compiler/codegen/x86/Product.h"

#include <limits>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// Emits one tile: one key/value head of the block that begins with one token.
class Attention {
public:
  Attention(Emitter &emitter, kernel::AttentionOp op, const KernelFrame &frame)
      : emitter(emitter), op(op), cache(op.getCache()), frame(frame),
        parts(op.getScratch()), group(op.getGroup()) {}

  void emit(Value head, Value token);

private:
  Value scratchAt(int64_t offset) const {
    return emitter.offset(frame.scratch, offset);
  }
  Value positionOf(Value token) const {
    return emitter.loadIndex(frame.operands[1], token);
  }
  Value sequenceOf(Value token) const {
    return emitter.loadIndex(frame.operands[2], token);
  }
  Value beginsBlock(Value token);
  Value countTokens(Value token);
  void emitBlock(Value head, Value token);
  void loadQueries(Value head, Value token, Value tokens);
  void clearState(Value rows);
  void emitPage(Value page, Value number, Value head, Value token, Value rows);
  Product scoresOf(Value page, Value head) const;
  Product outputsOf(Value page, Value head, Value depth) const;
  void softmaxRow(Value row, Value visible);
  void storeRows(Value head, Value token, Value rows);
  Storage formatOf() const {
    return cache.getElementBytes() == 4 ? Storage::F32 : Storage::BF16;
  }

  Emitter &emitter;
  kernel::AttentionOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  kernel::AttentionScratch parts;
  int64_t group;
};
} // namespace

/// A block begins with the first token of a sequence in this step and at every
/// position that is a multiple of its size.
Value Attention::beginsBlock(Value token) {
  OpBuilder &builder = emitter.builder;
  int64_t size = op.getConfiguration().getBlockTokens();
  Value aligned = emitter.compare(
      arith::CmpIPredicate::eq, emitter.modulo(positionOf(token), size),
      emitter.integer(0));
  Value isFirst = emitter.compare(arith::CmpIPredicate::eq, token,
                                  emitter.integer(0));
  // Token 0 has none before it: compare it with itself.
  Value before = arith::SelectOp::create(builder, emitter.location, isFirst,
                                         token, emitter.subtract(token, emitter.integer(1)));
  Value changes = emitter.compare(arith::CmpIPredicate::ne, sequenceOf(before),
                                  sequenceOf(token));
  return emitter.either(emitter.either(aligned, isFirst), changes);
}

/// How many tokens the block that begins with `token` has.
Value Attention::countTokens(Value token) {
  int64_t size = op.getConfiguration().getBlockTokens();
  Value toBoundary = emitter.subtract(
      emitter.integer(size), emitter.modulo(positionOf(token), size));
  Value most =
      emitter.minimum(toBoundary, emitter.subtract(frame.rows, token));
  Value sequence = sequenceOf(token);
  // Sequences ascend: those of the block are the first ones that are equal.
  return emitter.loop(
      emitter.integer(0), most, 1, {emitter.integer(0)},
      [&](Value i, ValueRange count) -> SmallVector<Value> {
        Value same =
            emitter.compare(arith::CmpIPredicate::eq,
                            sequenceOf(emitter.add(token, i)), sequence);
        Value one = arith::ExtUIOp::create(emitter.builder, emitter.location,
                                           emitter.i64(), same);
        return {emitter.add(count[0], one)};
      })[0];
}

/// Copies the queries of the block to scratch, row by row: f32, scaled by nothing.
void Attention::loadQueries(Value head, Value token, Value tokens) {
  auto type = cast<ShapedType>(op.getQuery().getType());
  int64_t heads = type.getDimSize(1), size = type.getDimSize(2);
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  int64_t padded = cache.getPaddedKeySize();
  emitter.loop(emitter.integer(0), emitter.multiply(tokens, group), 1,
               [&](Value row) {
    Value ofToken = emitter.multiply(
        emitter.add(token, emitter.divide(row, group)), heads);
    Value queryHead = emitter.add(emitter.multiply(head, group),
                                  emitter.modulo(row, group));
    Value source = emitter.offset(
        frame.operands[0],
        emitter.multiply(emitter.add(ofToken, queryHead), size * bytes));
    Value target = emitter.offset(scratchAt(parts.query),
                                  emitter.multiply(row, padded * 4));
    for (int64_t d = 0; d < size; d += emitter.target.lanes) {
      Value mask = size - d < emitter.target.lanes
                       ? emitter.firstLanes(emitter.integer(size - d))
                       : Value();
      Value value = emitter.loadFloats(type.getElementType(),
                                       emitter.offset(source, d * bytes), mask);
      if (padded - d < emitter.target.lanes)
        mask = emitter.firstLanes(emitter.integer(padded - d));
      emitter.storeFloats(value, emitter.f32(), emitter.offset(target, d * 4),
                          mask);
    }
  });
}

void Attention::clearState(Value rows) {
  int64_t width = cache.getPaddedValueSize();
  Value lowest = emitter.scalar(-std::numeric_limits<float>::infinity());
  emitter.loop(emitter.integer(0), rows, 1, [&](Value row) {
    Value at = emitter.multiply(row, 4);
    emitter.store(lowest, emitter.offset(scratchAt(parts.maxima), at), 4);
    emitter.store(emitter.scalar(0.0f),
                  emitter.offset(scratchAt(parts.sums), at), 4);
    Value output = emitter.offset(scratchAt(parts.outputs),
                                  emitter.multiply(row, width * 4));
    for (int64_t e = 0; e < width; e += emitter.target.lanes)
      emitter.store(emitter.constant(0.0f), emitter.offset(output, e * 4), 4);
  });
}

Product Attention::scoresOf(Value page, Value head) const {
  Product product = {};
  product.format = formatOf();
  product.summation = Summation::Chain;
  product.columns = cache.getPageTokens();
  product.inputs = scratchAt(parts.query);
  product.inputStride = cache.getPaddedKeySize() * 4;
  product.weights =
      emitter.offset(page, emitter.multiply(head, cache.getKeyBytes()));
  product.sums = scratchAt(parts.scores);
  product.sumStride = cache.getPageTokens() * 4;
  product.depth = emitter.integer(cache.getPaddedKeySize());
  product.startsAtZero = true;
  return product;
}

Product Attention::outputsOf(Value page, Value head, Value depth) const {
  Product product = {};
  product.format = formatOf();
  product.summation = Summation::Chain;
  product.columns = cache.getPaddedValueSize();
  product.inputs = scratchAt(parts.scores);
  product.inputStride = cache.getPageTokens() * 4;
  product.weights = emitter.offset(
      page, emitter.add(emitter.multiply(head, cache.getValueBytes()),
                        cache.getHeads() * cache.getKeyBytes()));
  product.sums = scratchAt(parts.outputs);
  product.sumStride = cache.getPaddedValueSize() * 4;
  product.depth = depth;
  product.startsAtZero = false;
  return product;
}

/// Turns the scores of a row, of which the first `visible` count, into
/// probabilities relative to the largest score so far.
void Attention::softmaxRow(Value row, Value visible) {
  OpBuilder &builder = emitter.builder;
  Location location = emitter.location;
  int64_t lanes = emitter.target.lanes, tokens = cache.getPageTokens();
  Value scores = emitter.offset(scratchAt(parts.scores),
                                emitter.multiply(row, tokens * 4));
  Value at = emitter.multiply(row, 4);
  Value maximumAt = emitter.offset(scratchAt(parts.maxima), at);
  Value sumAt = emitter.offset(scratchAt(parts.sums), at);
  Value scale = emitter.constant(
      static_cast<float>(op.getScale().convertToDouble()));
  Value lowest = emitter.constant(-std::numeric_limits<float>::infinity());

  SmallVector<Value> scaled, masks;
  Value largest = lowest;
  for (int64_t s = 0; s < tokens; s += lanes) {
    masks.push_back(emitter.firstLanes(
        emitter.subtract(visible, emitter.integer(s))));
    Value score = emitter.multiplyFloats(
        emitter.load(emitter.floats(), emitter.offset(scores, s * 4), 4), scale);
    scaled.push_back(arith::SelectOp::create(builder, location, masks.back(),
                                             score, lowest));
    largest = emitter.maximum(largest, scaled.back());
  }
  Value before = emitter.load(emitter.f32(), maximumAt, 4);
  Value after = arith::MaxNumFOp::create(builder, location, before,
                                         emitter.maximumOfLanes(largest));
  emitter.store(after, maximumAt, 4);
  Value afterAll = emitter.broadcast(after);
  auto difference = [&](Value a) -> Value {
    return arith::SubFOp::create(builder, location, a, afterAll);
  };

  Value total = emitter.constant(0.0f);
  for (auto [index, score] : llvm::enumerate(scaled)) {
    Value weight = arith::SelectOp::create(
        builder, location, masks[index], emitter.exponential(difference(score)),
        emitter.constant(0.0f));
    total = emitter.addFloats(total, weight);
    if (cache.getElementBytes() == 2)
      weight = emitter.roundToBF16(weight);
    emitter.store(weight,
                  emitter.offset(scores, static_cast<int64_t>(index) * lanes * 4),
                  4);
  }
  Value factor = emitter.exponential(difference(emitter.broadcast(before)));
  Value old = emitter.broadcast(emitter.load(emitter.f32(), sumAt, 4));
  Value sum = emitter.addFloats(emitter.multiplyFloats(old, factor),
                                emitter.broadcast(emitter.sumOfLanes(total)));
  Value one = emitter.firstLanes(emitter.integer(1));
  emitter.storeFloats(sum, emitter.f32(), sumAt, one);
  int64_t width = cache.getPaddedValueSize();
  Value output = emitter.offset(scratchAt(parts.outputs),
                                emitter.multiply(row, width * 4));
  for (int64_t e = 0; e < width; e += lanes) {
    Value place = emitter.offset(output, e * 4);
    emitter.store(emitter.multiplyFloats(
                      emitter.load(emitter.floats(), place, 4), factor),
                  place, 4);
  }
}

void Attention::emitPage(Value page, Value number, Value head, Value token,
                         Value rows) {
  kernel::AttentionConfigAttr configuration = op.getConfiguration();
  int64_t tokens = cache.getPageTokens();
  emitProduct(emitter, scoresOf(page, head), rows, configuration.getTileRows(),
              std::min(configuration.getTileColumns(), tokens));
  Value firstPosition = emitter.multiply(number, tokens);
  emitter.loop(emitter.integer(0), rows, 1, [&](Value row) {
    Value position =
        positionOf(emitter.add(token, emitter.divide(row, group)));
    softmaxRow(row, emitter.add(emitter.subtract(position, firstPosition), 1));
  });
  // Positions after the last row's are masked in all rows.
  Value lastToken = emitter.add(
      token, emitter.divide(emitter.subtract(rows, emitter.integer(1)), group));
  Value used = emitter.add(
      emitter.subtract(positionOf(lastToken), firstPosition), 4);
  Value depth = emitter.minimum(
      emitter.multiply(emitter.divide(used, 4), 4), emitter.integer(tokens));
  emitProduct(emitter, outputsOf(page, head, depth), rows,
              configuration.getTileRows(),
              std::min(configuration.getTileColumns(),
                       cache.getPaddedValueSize()));
}

/// Divides by the sums and writes the rows where they belong.
void Attention::storeRows(Value head, Value token, Value rows) {
  auto type = cast<ShapedType>(op.getInit().getType());
  int64_t columns = type.getDimSize(1), size = cache.getValueSize();
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  int64_t lanes = emitter.target.lanes, width = cache.getPaddedValueSize();
  emitter.loop(emitter.integer(0), rows, 1, [&](Value row) {
    Value sum = emitter.load(
        emitter.f32(),
        emitter.offset(scratchAt(parts.sums), emitter.multiply(row, 4)), 4);
    Value inverse = emitter.broadcast(arith::DivFOp::create(
        emitter.builder, emitter.location, emitter.scalar(1.0f), sum));
    Value queryHead = emitter.add(emitter.multiply(head, group),
                                  emitter.modulo(row, group));
    Value place = emitter.add(
        emitter.multiply(emitter.add(token, emitter.divide(row, group)),
                         columns * bytes),
        emitter.multiply(queryHead, size * bytes));
    Value target = emitter.offset(frame.operands[5], place);
    Value output = emitter.offset(scratchAt(parts.outputs),
                                  emitter.multiply(row, width * 4));
    for (int64_t e = 0; e < size; e += lanes) {
      Value mask = size - e < lanes
                       ? emitter.firstLanes(emitter.integer(size - e))
                       : Value();
      Value value = emitter.multiplyFloats(
          emitter.load(emitter.floats(), emitter.offset(output, e * 4), 4),
          inverse);
      emitter.storeFloats(value, type.getElementType(),
                          emitter.offset(target, e * bytes), mask);
    }
  });
}

void Attention::emitBlock(Value head, Value token) {
  Value tokens = countTokens(token);
  Value rows = emitter.multiply(tokens, group);
  loadQueries(head, token, tokens);
  clearState(rows);
  Value last = positionOf(
      emitter.subtract(emitter.add(token, tokens), emitter.integer(1)));
  Value pages = emitter.add(emitter.divide(last, cache.getPageTokens()), 1);
  Value sequence = sequenceOf(token);
  emitter.loop(emitter.integer(0), pages, 1, [&](Value number) {
    Value page = x86::emitPage(emitter, cache, frame.operands[4],
                               frame.operands[3], frame.pageTableStride,
                               sequence, number);
    emitPage(page, number, head, token, rows);
  });
  storeRows(head, token, rows);
}

void Attention::emit(Value head, Value token) {
  emitter.when(beginsBlock(token), [&] { emitBlock(head, token); });
}

void x86::emitKernel(Emitter &emitter, kernel::AttentionOp op,
                     const KernelFrame &frame) {
  Attention code(emitter, op, frame);
  emitter.loop(frame.begin, frame.end, 1, [&](Value tile) {
    // Tile head * T + token. There is one token at least if there is a tile.
    OpBuilder &builder = emitter.builder;
    Value head = arith::DivUIOp::create(builder, emitter.location, tile,
                                        frame.rows);
    Value token = arith::RemUIOp::create(builder, emitter.location, tile,
                                         frame.rows);
    code.emit(head, token);
  });
}
