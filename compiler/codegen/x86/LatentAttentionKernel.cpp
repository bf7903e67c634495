// Attention over latents, which are key and value of all heads at once.
//
// A block of neighbouring tokens of one sequence, times some of the heads, are
// the rows of two products for each page: queries with the rows of the page,
// along both, and probabilities with the latents in these rows. Where a page is
// not what the products read (multiply-adds take f32, dot products take values
// as pairs of positions), a slice of it at a time is brought into that form,
// small enough for the first cache, and used by all rows.

#include "compiler/codegen/x86/AttentionRows.h"
#include "compiler/codegen/x86/RowForms.h"
#include "compiler/codegen/x86/RowProduct.h"

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
        blocks(emitter, frame, 2, configuration.getBlockTokens(),
               cache.getPageTokens(), cache.getPageBytes()),
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
  /// Where the head of `row` begins in an operand of the kernel.
  Value headAt(unsigned operand, Value group, Value token, Value row) const {
    Value head =
        emitter.add(emitter.multiply(group, heads), emitter.modulo(row, heads));
    return emitHead(emitter, frame, op, operand, tokenOf(token, row), head);
  }
  void emitBlock(Value group, Value token);
  void loadQueries(Value group, Value token, Value count);
  /// Whether the products take f32 and pages are bf16.
  bool converts() const { return !usesDot() && cache.getElementBytes() == 2; }
  Value slice() const { return emitter.offset(frame.scratch, parts.slice); }
  void emitScores(const BlockPage &page, Value count) const;
  void emitOutputs(const BlockPage &page, Value count) const;

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

void LatentAttention::emitScores(const BlockPage &page, Value count) const {
  RowProduct product;
  product.dot = usesDot();
  product.words = cache.getPaddedRowSize() / (usesDot() ? 2 : 1);
  product.inputs = rows.queries();
  product.inputStride = product.words * 4;
  product.others = page.begin;
  product.otherRows = page.used;
  product.otherStride = product.words * 4;
  product.sums = rows.scores();
  product.sumStride = rows.scoreBytes();
  product.ahead = page.next;
  product.aheadStride = cache.getRowBytes();
  auto emit = [&] {
    emitRowProduct(emitter, product, count, configuration.getTileRows(),
                   configuration.getTileColumns());
  };
  if (!converts())
    return emit();
  product.others = slice();
  product.otherRows = emitter.integer(kernel::latentSliceRows);
  emitter.loop(emitter.integer(0), page.used, kernel::latentSliceRows,
               [&](Value position) {
                 Value bytes = emitter.multiply(position, cache.getRowBytes());
                 emitWidened(emitter,
                             {emitter.offset(page.begin, bytes),
                              cache.getRowBytes(), cache.getPaddedRowSize()},
                             product.otherRows, slice());
                 product.sums = emitter.offset(rows.scores(),
                                               emitter.multiply(position, 4));
                 product.ahead = emitter.offset(page.next, bytes);
                 emit();
               });
}

void LatentAttention::emitOutputs(const BlockPage &page, Value count) const {
  Product product = rows.outputs(page.used);
  auto emit = [&] {
    emitProduct(emitter, product, count, configuration.getTileRows(),
                std::min(configuration.getTileColumns(), product.columns));
  };
  if (cache.getElementBytes() == 4) {
    product.format = Storage::F32;
    product.columns = cache.getPaddedLatentSize();
    product.pitch = cache.getPaddedRowSize();
    product.weights = page.begin;
    return emit();
  }
  product.format = usesDot() ? Storage::BF16 : Storage::F32;
  product.columns = product.pitch = kernel::latentSliceColumns;
  product.weights = slice();
  Value sums = product.sums;
  emitter.loop(emitter.integer(0), emitter.integer(cache.getPaddedLatentSize()),
               product.columns, [&](Value column) {
                 SourceColumns source = {
                     emitter.offset(page.begin, emitter.multiply(column, 2)),
                     cache.getRowBytes(), product.columns};
                 if (usesDot())
                   emitPairedRows(emitter, source, page.used, slice());
                 else
                   emitWidened(emitter, source, page.used, slice());
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
  blocks.forPages(token, tokens, [&](const BlockPage &page) {
    emitScores(page, count);
    rows.addScores(page.first, emitter.integer(0), count, [&](Value row) {
      return blocks.positionOf(tokenOf(token, row));
    });
    emitOutputs(page, count);
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
