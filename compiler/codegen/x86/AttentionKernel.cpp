// Attention over the pages of one sequence.
//
// A block of neighbouring tokens of one sequence, times the query heads that
// share a key/value head, are the rows of two small products for each page:
// queries with keys, probabilities with values. Scores never leave the first
// cache.

#include "compiler/codegen/x86/AttentionRows.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// Emits one tile: one key/value head of the block that begins with one token.
class Attention {
public:
  Attention(Emitter &emitter, kernel::AttentionOp op, const KernelFrame &frame)
      : emitter(emitter), op(op), cache(op.getCache()), frame(frame),
        group(op.getGroup()),
        configuration(cast<kernel::AttentionConfigAttr>(op.getConfiguration())),
        blocks(emitter, frame, 1, configuration.getBlockTokens(),
               cache.getPageTokens(), cache.getPageBytes()),
        rows(emitter, shapeOf(op), op.getScratch(), frame.scratch) {}

  void emit(Value head, Value token);

private:
  static AttentionShape shapeOf(kernel::AttentionOp op);
  void emitBlock(Value head, Value token);
  void loadQueries(Value head, Value token, Value count);
  void emitPage(const BlockPage &page, Value head, Value token, Value count);
  Product scoresOf(Value page, Value head) const;
  void storeRows(Value head, Value token, Value count);
  Value tokenOf(Value token, Value row) const {
    return emitter.add(token, emitter.divide(row, group));
  }
  Value headOf(Value head, Value row) const {
    return emitter.add(emitter.multiply(head, group),
                       emitter.modulo(row, group));
  }
  Storage formatOf() const {
    return cache.getElementBytes() == 4 ? Storage::F32 : Storage::BF16;
  }

  Emitter &emitter;
  kernel::AttentionOp op;
  kernel::CacheAttr cache;
  const KernelFrame &frame;
  int64_t group;
  kernel::AttentionConfigAttr configuration;
  TokenBlocks blocks;
  AttentionRows rows;
};
} // namespace

AttentionShape Attention::shapeOf(kernel::AttentionOp op) {
  kernel::CacheAttr cache = op.getCache();
  AttentionShape shape;
  shape.pageTokens = cache.getPageTokens();
  shape.queryBytes = cache.getPaddedKeySize() * 4;
  shape.valueSize = cache.getPaddedValueSize();
  shape.scale = static_cast<float>(op.getScale().convertToDouble());
  shape.rounds = cache.getElementBytes() == 2;
  shape.dot = false;
  return shape;
}

void Attention::loadQueries(Value head, Value token, Value count) {
  auto type = cast<ShapedType>(op.getQuery().getType());
  int64_t heads = type.getDimSize(1), size = type.getDimSize(2);
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  emitter.loop(emitter.integer(0), count, 1, [&](Value row) {
    Value index = emitter.add(emitter.multiply(tokenOf(token, row), heads),
                              headOf(head, row));
    Value source = emitter.offset(frame.operands[0],
                                  emitter.multiply(index, size * bytes));
    rows.loadQuery(row, 0, source, type.getElementType(), size,
                   cache.getPaddedKeySize());
  });
}

Product Attention::scoresOf(Value page, Value head) const {
  Product product = {};
  product.format = formatOf();
  product.summation = Summation::Chain;
  product.columns = product.pitch = cache.getPageTokens();
  product.inputs = rows.queries();
  product.inputStride = cache.getPaddedKeySize() * 4;
  product.weights =
      emitter.offset(page, emitter.multiply(head, cache.getKeyBytes()));
  product.sums = rows.scores();
  product.sumStride = rows.scoreBytes();
  product.depth = emitter.integer(cache.getPaddedKeySize());
  product.startsAtZero = true;
  return product;
}

void Attention::emitPage(const BlockPage &page, Value head, Value token,
                         Value count) {
  emitProduct(emitter, scoresOf(page.begin, head), count,
              configuration.getTileRows(),
              std::min(configuration.getTileColumns(), cache.getPageTokens()));
  rows.addScores(page.first, emitter.integer(0), count, [&](Value row) {
    return blocks.positionOf(tokenOf(token, row));
  });
  Product outputs = rows.outputs(page.used);
  outputs.format = formatOf();
  outputs.columns = outputs.pitch = cache.getPaddedValueSize();
  outputs.weights = emitter.offset(
      page.begin, emitter.add(emitter.multiply(head, cache.getValueBytes()),
                              cache.getHeads() * cache.getKeyBytes()));
  emitProduct(emitter, outputs, count, configuration.getTileRows(),
              std::min(configuration.getTileColumns(), outputs.columns));
}

/// Writes the rows where they belong.
void Attention::storeRows(Value head, Value token, Value count) {
  auto type = cast<ShapedType>(op.getInit().getType());
  int64_t columns = type.getDimSize(1), size = cache.getValueSize();
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  emitter.loop(emitter.integer(0), count, 1, [&](Value row) {
    Value place =
        emitter.add(emitter.multiply(tokenOf(token, row), columns * bytes),
                    emitter.multiply(headOf(head, row), size * bytes));
    rows.storeOutput(row, emitter.offset(frame.operands[5], place),
                     type.getElementType(), size);
  });
}

void Attention::emitBlock(Value head, Value token) {
  Value tokens = blocks.count(token);
  Value count = emitter.multiply(tokens, group);
  loadQueries(head, token, count);
  rows.clear(count);
  blocks.forPages(token, tokens, [&](const BlockPage &page) {
    emitPage(page, head, token, count);
  });
  storeRows(head, token, count);
}

void Attention::emit(Value head, Value token) {
  emitter.when(blocks.begins(token), [&] { emitBlock(head, token); });
}

void x86::emitKernel(Emitter &emitter, kernel::AttentionOp op,
                     const KernelFrame &frame) {
  Attention code(emitter, op, frame);
  emitTokenTiles(emitter, frame,
                 [&](Value head, Value token) { code.emit(head, token); });
}
