// Attention over latents, which are key and value of all heads at once.
//
// A block of neighbouring tokens of one sequence, times some of the heads, are the
// rows of two products for each page: queries with the rows of the page, along
// both, and probabilities with the latents in these rows. Where a page is not what
// the products read (multiply-adds take f32, dot products take values as pairs of
// positions), it is brought into that form once for all rows.

#include "compiler/codegen/x86/AttentionRows.h"
#include "compiler/codegen/x86/RowProduct.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// A page as the products read it: rows of keys, and values as `Product` says.
struct PreparedPage {
  Value keys;
  int64_t keyBytes; ///< From one row to the next.
  Value values;
  Storage format;
  int64_t pitch;
};

/// Emits one tile: a group of heads of the block that begins with one token.
class LatentAttention {
public:
  LatentAttention(Emitter &emitter, kernel::LatentAttentionOp op,
                  const KernelFrame &frame)
      : emitter(emitter), op(op), cache(op.getCache()),
        configuration(op.getConfiguration()), frame(frame),
        parts(op.getScratch()), heads(configuration.getBlockHeads()),
        blocks(emitter, frame.operands[2], frame.operands[3], frame.rows,
               configuration.getBlockTokens()),
        rows(emitter, shapeOf(op), parts, frame.scratch) {}

  void emit(Value group, Value token);

private:
  static AttentionShape shapeOf(kernel::LatentAttentionOp op);
  bool usesDot() const {
    return configuration.getArithmetic() == kernel::Arithmetic::Dot;
  }
  Value tokenOf(Value token, Value row) const {
    return emitter.add(token, emitter.divide(row, heads));
  }
  Value headAt(unsigned operand, Value group, Value token, Value row) const;
  void emitBlock(Value group, Value token);
  void loadQueries(Value group, Value token, Value count);
  PreparedPage prepare(Value page, Value used);
  void convertRows(Value page, Value used, Value target);
  void pairValues(Value page, Value used, Value target);
  void emitPage(const PreparedPage &page, Value first, Value used, Value token,
                Value count);

  Emitter &emitter;
  kernel::LatentAttentionOp op;
  kernel::LatentCacheAttr cache;
  kernel::LatentConfigAttr configuration;
  const KernelFrame &frame;
  kernel::LatentScratch parts;
  int64_t heads;
  TokenBlocks blocks;
  AttentionRows rows;
};
} // namespace

AttentionShape LatentAttention::shapeOf(kernel::LatentAttentionOp op) {
  kernel::LatentCacheAttr cache = op.getCache();
  kernel::LatentConfigAttr configuration = op.getConfiguration();
  AttentionShape shape;
  shape.dot = configuration.getArithmetic() == kernel::Arithmetic::Dot;
  shape.pageTokens = cache.getPageTokens();
  shape.queryBytes = cache.getPaddedRowSize() * (shape.dot ? 2 : 4);
  shape.valueSize = cache.getPaddedLatentSize();
  shape.scale = static_cast<float>(op.getScale().convertToDouble());
  shape.rounds = cache.getElementBytes() == 2;
  shape.tileRows = configuration.getTileRows();
  shape.tileColumns = configuration.getTileColumns();
  return shape;
}

/// Where the head of `row` of a block begins in an operand [T, H, ...].
Value LatentAttention::headAt(unsigned operand, Value group, Value token,
                              Value row) const {
  auto type = cast<ShapedType>(op->getOperand(operand).getType());
  Value head = emitter.add(emitter.multiply(group, heads),
                           emitter.modulo(row, heads));
  Value index = emitter.add(
      emitter.multiply(tokenOf(token, row), type.getDimSize(1)), head);
  return emitter.offset(
      frame.operands[operand],
      emitter.multiply(index, type.getDimSize(2) *
                                  type.getElementTypeBitWidth() / 8));
}

void LatentAttention::loadQueries(Value group, Value token, Value count) {
  int64_t latent = cache.getLatentSize(), rotary = cache.getRotarySize();
  emitter.loop(emitter.integer(0), count, 1, [&](Value row) {
    rows.loadQuery(row, 0, headAt(0, group, token, row),
                   getElementTypeOrSelf(op.getLatentQuery()), latent, latent);
    rows.loadQuery(row, latent, headAt(1, group, token, row),
                   getElementTypeOrSelf(op.getRotatedQuery()), rotary,
                   cache.getPaddedRowSize() - latent);
  });
}

//===----------------------------------------------------------------------===//
// Pages
//===----------------------------------------------------------------------===//

/// Writes the first `used` rows of a page as f32, [P][D'].
void LatentAttention::convertRows(Value page, Value used, Value target) {
  int64_t lanes = emitter.target.lanes;
  Value elements = emitter.multiply(used, cache.getPaddedRowSize());
  emitter.loop(emitter.integer(0), elements, 4 * lanes, [&](Value element) {
    Value source = emitter.offset(page, emitter.multiply(element, 2));
    Value place = emitter.offset(target, emitter.multiply(element, 4));
    for (int64_t i = 0; i < 4 * lanes; i += lanes)
      emitter.store(
          emitter.loadFloats(emitter.bf16(), emitter.offset(source, i * 2)),
          emitter.offset(place, i * 4), 4);
  });
}

/// Writes the latents of the first `used` rows of a page as pairs of positions,
/// [P/2][C'][2].
void LatentAttention::pairValues(Value page, Value used, Value target) {
  int64_t lanes = emitter.target.lanes, rowBytes = cache.getRowBytes();
  int64_t size = cache.getPaddedLatentSize();
  VectorType halves =
      emitter.vectorOf(emitter.builder.getI16Type(), 2 * lanes);
  auto interleave = [&](Value even, Value odd, int64_t first) -> Value {
    SmallVector<int64_t> order;
    for (int64_t i = first; i < first + lanes; ++i)
      order.append({i, 2 * lanes + i});
    return vector::ShuffleOp::create(emitter.builder, emitter.location, even,
                                     odd, order);
  };
  emitter.loop(emitter.integer(0), used, 2, [&](Value position) {
    Value even = emitter.offset(page, emitter.multiply(position, rowBytes));
    Value pairs = emitter.offset(target, emitter.multiply(position, size * 2));
    emitter.loop(
        emitter.integer(0), emitter.integer(size * 2), 4 * lanes,
        [&](Value at) {
          Value source = emitter.offset(even, at);
          Value place = emitter.offset(pairs, emitter.multiply(at, 2));
          Value a = emitter.load(halves, source, 2);
          Value b = emitter.load(halves, emitter.offset(source, rowBytes), 2);
          emitter.store(interleave(a, b, 0), place, 4);
          emitter.store(interleave(a, b, lanes),
                        emitter.offset(place, 4 * lanes), 4);
        });
  });
}

PreparedPage LatentAttention::prepare(Value page, Value used) {
  Value target = emitter.offset(frame.scratch, parts.page);
  if (usesDot()) {
    pairValues(page, used, target);
    return {page, cache.getRowBytes(), target, Storage::BF16,
            cache.getPaddedLatentSize()};
  }
  if (cache.getElementBytes() == 2) {
    convertRows(page, used, target);
    page = target;
  }
  return {page, cache.getPaddedRowSize() * 4, page, Storage::F32,
          cache.getPaddedRowSize()};
}

void LatentAttention::emitPage(const PreparedPage &page, Value first, Value used,
                               Value token, Value count) {
  RowProduct product;
  product.dot = usesDot();
  product.words = cache.getPaddedRowSize() / (usesDot() ? 2 : 1);
  product.inputs = rows.queries();
  product.inputStride = cache.getPaddedRowSize() * (usesDot() ? 2 : 4);
  product.others = page.keys;
  product.otherRows = cache.getPageTokens();
  product.otherStride = page.keyBytes;
  product.sums = rows.scores();
  product.sumStride = rows.scoreBytes();
  emitRowProduct(emitter, product, count, configuration.getTileRows(),
                 configuration.getTileColumns());
  Value none = emitter.integer(0);
  rows.addScores(first, none, count, [&](Value row) {
    return blocks.positionOf(tokenOf(token, row));
  });
  rows.addValues(none, count, used, page.format, page.values, page.pitch);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void LatentAttention::emitBlock(Value group, Value token) {
  Value tokens = blocks.count(token);
  Value count = emitter.multiply(tokens, heads);
  loadQueries(group, token, count);
  rows.clear(count);
  Value last = blocks.positionOf(
      emitter.subtract(emitter.add(token, tokens), emitter.integer(1)));
  Value pages = emitter.add(emitter.divide(last, cache.getPageTokens()), 1);
  Value sequence = blocks.sequenceOf(token);
  emitter.loop(emitter.integer(0), pages, 1, [&](Value number) {
    Value page = x86::emitPage(emitter, cache.getPageBytes(), frame.operands[5],
                               frame.operands[4], frame.pageTableStride,
                               sequence, number);
    Value first = emitter.multiply(number, cache.getPageTokens());
    Value used = rows.usedPositions(first, last);
    emitPage(prepare(page, used), first, used, token, count);
  });
  emitter.loop(emitter.integer(0), count, 1, [&](Value row) {
    rows.storeOutput(row, headAt(6, group, token, row),
                     getElementTypeOrSelf(op.getInit()), cache.getLatentSize());
  });
}

void LatentAttention::emit(Value group, Value token) {
  emitter.when(blocks.begins(token), [&] { emitBlock(group, token); });
}

void x86::emitKernel(Emitter &emitter, kernel::LatentAttentionOp op,
                     const KernelFrame &frame) {
  LatentAttention code(emitter, op, frame);
  emitTokenTiles(emitter, frame, [&](Value group, Value token) {
    code.emit(group, token);
  });
}
