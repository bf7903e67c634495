// Attention over latents, which are key and value of all heads at once.
//
// A block of neighbouring tokens of one sequence, times some of the heads, are
// the rows of two products for each page: queries with the rows of the page,
// along both, and probabilities with the latents in these rows. Where a page is
// not what the products read (multiply-adds take f32, dot products take values
// as pairs of positions), a slice of it at a time is brought into that form,
// small enough for the first cache, and used by all rows.

#include "compiler/codegen/x86/AttentionRows.h"
#include "compiler/codegen/x86/RowProduct.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

static_assert(kernel::latentSliceRows % mostOthers == 0,
              "a slice has all rows that a product reads");

namespace {
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
  /// Whether the products take f32 and pages are bf16.
  bool converts() const { return !usesDot() && cache.getElementBytes() == 2; }
  Value slice() const { return emitter.offset(frame.scratch, parts.slice); }
  void convert(Value source, Value rowCount, int64_t columns) const;
  void pairUp(Value source, Value rowCount, int64_t columns) const;
  void emitScores(Value page, Value next, Value used, Value count) const;
  void emitOutputs(Value page, Value used, Value count) const;

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
  AttentionShape shape;
  shape.dot = op.getConfiguration().getArithmetic() == kernel::Arithmetic::Dot;
  shape.pageTokens = cache.getPageTokens();
  shape.queryBytes = cache.getPaddedRowSize() * (shape.dot ? 2 : 4);
  shape.valueSize = cache.getPaddedLatentSize();
  shape.scale = static_cast<float>(op.getScale().convertToDouble());
  shape.rounds = cache.getElementBytes() == 2;
  return shape;
}

/// Where the head of `row` of a block begins in an operand [T, H, ...].
Value LatentAttention::headAt(unsigned operand, Value group, Value token,
                              Value row) const {
  auto type = cast<ShapedType>(op->getOperand(operand).getType());
  Value head =
      emitter.add(emitter.multiply(group, heads), emitter.modulo(row, heads));
  Value index = emitter.add(
      emitter.multiply(tokenOf(token, row), type.getDimSize(1)), head);
  return emitter.offset(
      frame.operands[operand],
      emitter.multiply(index,
                       type.getDimSize(2) * type.getElementTypeBitWidth() / 8));
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

/// Writes `columns` elements of each of `rowCount` rows of a page, the first of
/// them at `source`, to the slice as f32.
void LatentAttention::convert(Value source, Value rowCount,
                              int64_t columns) const {
  int64_t lanes = emitter.target.lanes;
  emitter.loop(emitter.integer(0), rowCount, 1, [&](Value row) {
    Value from =
        emitter.offset(source, emitter.multiply(row, cache.getRowBytes()));
    Value to = emitter.offset(slice(), emitter.multiply(row, columns * 4));
    emitter.loop(
        emitter.integer(0), emitter.integer(columns), 2 * lanes,
        [&](Value column) {
          Value place = emitter.offset(to, emitter.multiply(column, 4));
          Value elements = emitter.offset(from, emitter.multiply(column, 2));
          for (int64_t i = 0; i < 2 * lanes; i += lanes)
            emitter.store(emitter.loadFloats(emitter.bf16(),
                                             emitter.offset(elements, i * 2)),
                          emitter.offset(place, i * 4), 4);
        });
  });
}

/// The same as pairs of rows, bf16 [rowCount/2][columns][2].
void LatentAttention::pairUp(Value source, Value rowCount,
                             int64_t columns) const {
  int64_t lanes = emitter.target.lanes, rowBytes = cache.getRowBytes();
  Type halves = emitter.vectorOf(emitter.builder.getI16Type(), 2 * lanes);
  auto interleave = [&](Value even, Value odd, int64_t first) -> Value {
    SmallVector<int64_t> order;
    for (int64_t i = first; i < first + lanes; ++i)
      order.append({i, 2 * lanes + i});
    return vector::ShuffleOp::create(emitter.builder, emitter.location, even,
                                     odd, order);
  };
  emitter.loop(emitter.integer(0), rowCount, 2, [&](Value row) {
    Value from = emitter.offset(source, emitter.multiply(row, rowBytes));
    Value to = emitter.offset(slice(), emitter.multiply(row, columns * 2));
    for (int64_t column = 0; column < columns; column += 2 * lanes) {
      Value elements = emitter.offset(from, column * 2);
      Value even = emitter.load(halves, elements, 2);
      Value odd = emitter.load(halves, emitter.offset(elements, rowBytes), 2);
      emitter.store(interleave(even, odd, 0), emitter.offset(to, column * 4),
                    4);
      emitter.store(interleave(even, odd, lanes),
                    emitter.offset(to, (column + lanes) * 4), 4);
    }
  });
}

/// Scores of the first `used` positions of `page`; `next` is the page after it.
void LatentAttention::emitScores(Value page, Value next, Value used,
                                 Value count) const {
  RowProduct product;
  product.dot = usesDot();
  product.words = cache.getPaddedRowSize() / (usesDot() ? 2 : 1);
  product.inputs = rows.queries();
  product.inputStride = product.words * 4;
  product.others = page;
  product.otherRows = used;
  product.otherStride = product.words * 4;
  product.sums = rows.scores();
  product.sumStride = rows.scoreBytes();
  product.ahead = next;
  product.aheadStride = cache.getRowBytes();
  auto emit = [&] {
    emitRowProduct(emitter, product, count, configuration.getTileRows(),
                   configuration.getTileColumns());
  };
  if (!converts())
    return emit();
  product.others = slice();
  product.otherRows = emitter.integer(kernel::latentSliceRows);
  emitter.loop(
      emitter.integer(0), used, kernel::latentSliceRows, [&](Value position) {
        Value bytes = emitter.multiply(position, cache.getRowBytes());
        convert(emitter.offset(page, bytes), product.otherRows,
                cache.getPaddedRowSize());
        product.sums =
            emitter.offset(rows.scores(), emitter.multiply(position, 4));
        product.ahead = emitter.offset(next, bytes);
        emit();
      });
}

/// Adds the latents of the first `used` positions of `page`.
void LatentAttention::emitOutputs(Value page, Value used, Value count) const {
  Product product = rows.outputs(used);
  auto emit = [&] {
    emitProduct(emitter, product, count, configuration.getTileRows(),
                std::min(configuration.getTileColumns(), product.columns));
  };
  if (cache.getElementBytes() == 4) {
    product.format = Storage::F32;
    product.columns = cache.getPaddedLatentSize();
    product.pitch = cache.getPaddedRowSize();
    product.weights = page;
    return emit();
  }
  product.format = usesDot() ? Storage::BF16 : Storage::F32;
  product.columns = product.pitch = kernel::latentSliceColumns;
  product.weights = slice();
  Value sums = product.sums;
  emitter.loop(emitter.integer(0), emitter.integer(cache.getPaddedLatentSize()),
               product.columns, [&](Value column) {
                 Value source =
                     emitter.offset(page, emitter.multiply(column, 2));
                 if (usesDot())
                   pairUp(source, used, product.columns);
                 else
                   convert(source, used, product.columns);
                 product.sums =
                     emitter.offset(sums, emitter.multiply(column, 4));
                 emit();
               });
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
  auto pageAt = [&](Value number) {
    return x86::emitPage(emitter, cache.getPageBytes(), frame.operands[5],
                         frame.operands[4], frame.pageTableStride, sequence,
                         number);
  };
  emitter.loop(emitter.integer(0), pages, 1, [&](Value number) {
    Value page = pageAt(number);
    Value next = pageAt(emitter.minimum(
        emitter.add(number, 1), emitter.subtract(pages, emitter.integer(1))));
    Value first = emitter.multiply(number, cache.getPageTokens());
    Value used = rows.usedPositions(first, last);
    emitScores(page, next, used, count);
    rows.addScores(first, emitter.integer(0), count, [&](Value row) {
      return blocks.positionOf(tokenOf(token, row));
    });
    emitOutputs(page, used, count);
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
  emitTokenTiles(emitter, frame,
                 [&](Value group, Value token) { code.emit(group, token); });
}
