// Attention over latents that become keys and values of one head, page by page.
//
// A page is expanded by a linear layer whose rows are positions; then keys are
// transposed and values paired up as products read them. Both are used by all
// rows of a block, which are tokens of one sequence, and forgotten.

#include "compiler/codegen/x86/AttentionRows.h"
#include "compiler/codegen/x86/LinearKernel.h"
#include "compiler/codegen/x86/RowForms.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// Emits one tile: one head of the block that begins with one token.
class ExpandedAttention {
public:
  ExpandedAttention(Emitter &emitter, kernel::ExpandedAttentionOp op,
                    const KernelFrame &frame)
      : emitter(emitter), op(op), cache(op.getCache()), frame(frame),
        parts(op.getScratch()), layer(layerOf(op)),
        blocks(emitter, frame, 3, op.getAttention().getBlockTokens(),
               cache.getPageTokens(), cache.getPageBytes()),
        rows(emitter, shapeOf(op), parts, frame.scratch) {}

  void emit(Value head, Value token);

private:
  static AttentionShape shapeOf(kernel::ExpandedAttentionOp op);
  static LinearLayer layerOf(kernel::ExpandedAttentionOp op);
  Value scratchAt(int64_t offset) const {
    return emitter.offset(frame.scratch, offset);
  }
  void emitBlock(Value head, Value token);
  void loadQueries(Value head, Value token, Value count);
  void expand(const BlockPage &page, Value head);
  void transposeKeys(const BlockPage &page);
  Product scores();
  Product outputs(const BlockPage &page);
  void multiply(const Product &product, Value firstRow, Value count);
  void emitPage(const BlockPage &page, Value head, Value token, Value count);

  Emitter &emitter;
  kernel::ExpandedAttentionOp op;
  kernel::LatentCacheAttr cache;
  const KernelFrame &frame;
  kernel::ExpandedScratch parts;
  LinearLayer layer;
  TokenBlocks blocks;
  AttentionRows rows;
};
} // namespace

AttentionShape ExpandedAttention::shapeOf(kernel::ExpandedAttentionOp op) {
  AttentionShape shape;
  shape.dot = op.usesDot();
  shape.pageTokens = op.getCache().getPageTokens();
  shape.queryBytes = op.getPaddedKeySize() * (shape.dot ? 2 : 4);
  shape.valueSize = op.getPaddedValueSize();
  shape.scale = static_cast<float>(op.getScale().convertToDouble());
  shape.rounds = shape.roundsQueries = op.getCache().getElementBytes() == 2;
  return shape;
}

/// The linear layer that expands the rows of a page.
LinearLayer ExpandedAttention::layerOf(kernel::ExpandedAttentionOp op) {
  kernel::LatentCacheAttr cache = op.getCache();
  auto weight = cast<ShapedType>(op.getWeight().getType());
  LinearLayer layer(PackedLayout(weight, op.getPacking()),
                    op.getConfiguration(), op.getScratch().linear);
  layer.outputs = weight.getDimSize(1);
  layer.operand = cache.getElement();
  layer.input = layer.result =
      RankedTensorType::get({cache.getPageTokens()}, cache.getElement());
  layer.inputStride = cache.getPaddedRowSize();
  layer.resultStride = op.getScratch().rowBytes / cache.getElementBytes();
  return layer;
}

void ExpandedAttention::loadQueries(Value head, Value token, Value count) {
  int64_t nope = op.getPaddedNopeSize();
  emitter.loop(emitter.integer(0), count, 1, [&](Value row) {
    Value rowToken = emitter.add(token, row);
    rows.loadQuery(row, 0, emitHead(emitter, frame, op, 0, rowToken, head),
                   getElementTypeOrSelf(op.getNopeQuery()), op.getNopeSize(),
                   nope);
    rows.loadQuery(row, nope, emitHead(emitter, frame, op, 1, rowToken, head),
                   getElementTypeOrSelf(op.getRotatedQuery()),
                   cache.getRotarySize(), op.getPaddedKeySize() - nope);
  });
}

//===----------------------------------------------------------------------===//
// Pages
//===----------------------------------------------------------------------===//

/// Expands the positions of a page that are read.
void ExpandedAttention::expand(const BlockPage &page, Value head) {
  LinearRows positions;
  positions.weight = emitter.offset(
      frame.operands[2], emitter.multiply(head, layer.layout.matrixBytes()));
  positions.firstPanel = emitter.integer(0);
  positions.endPanel = emitter.integer(layer.layout.panels);
  positions.input = page.begin;
  positions.result = scratchAt(parts.rows);
  positions.firstRow = emitter.integer(0);
  positions.endRow = page.used;
  Linear(emitter, layer, scratchAt(parts.expansion)).emit(positions);
}

/// Writes both parts of the keys of a page with positions side by side.
void ExpandedAttention::transposeKeys(const BlockPage &page) {
  int64_t positions = cache.getPageTokens(), bytes = cache.getElementBytes();
  // Pairs for dot products are transposed as words.
  int64_t width = op.usesDot() ? 2 : 1;
  Type element = op.usesDot() ? emitter.f32() : cache.getElement();
  int64_t nope = op.getPaddedNopeSize() / width;
  emitTransposed(
      emitter,
      {scratchAt(parts.rows), parts.rowBytes, op.getNopeSize() / width},
      element, positions, nope, scratchAt(parts.keys));
  emitTransposed(emitter,
                 {emitter.offset(page.begin, cache.getLatentSize() * bytes),
                  cache.getRowBytes(), cache.getRotarySize() / width},
                 element, positions, op.getPaddedKeySize() / width - nope,
                 scratchAt(parts.keys + nope * positions * 4));
}

Product ExpandedAttention::scores() {
  Product product = {};
  product.format = op.usesDot() ? Storage::BF16 : Storage::F32;
  product.summation = Summation::Chain;
  product.dot = op.usesDot();
  product.columns = product.pitch = cache.getPageTokens();
  product.inputs = rows.queries();
  product.inputStride = op.getPaddedKeySize() * (op.usesDot() ? 2 : 4);
  product.weights = scratchAt(parts.keys);
  product.sums = rows.scores();
  product.sumStride = rows.scoreBytes();
  product.depth = emitter.integer(op.getPaddedKeySize());
  product.startsAtZero = true;
  return product;
}

/// The product with the values of a page, which are made what it reads.
Product ExpandedAttention::outputs(const BlockPage &page) {
  Product product = rows.outputs(page.used);
  SourceColumns source = {
      scratchAt(parts.rows + op.getNopeSize() * cache.getElementBytes()),
      parts.rowBytes, op.getPaddedValueSize()};
  product.format = op.usesDot() ? Storage::BF16 : Storage::F32;
  product.columns = product.pitch = op.getPaddedValueSize();
  product.weights = scratchAt(parts.values);
  if (op.usesDot()) {
    emitPairedRows(emitter, source, page.used, product.weights);
  } else if (cache.getElementBytes() == 2) {
    emitWidened(emitter, source, page.used, product.weights);
  } else {
    product.pitch = parts.rowBytes / 4;
    product.weights = source.begin;
  }
  return product;
}

/// Emits the product for the rows from `firstRow` on.
void ExpandedAttention::multiply(const Product &product, Value firstRow,
                                 Value count) {
  kernel::AttentionConfigAttr attention = op.getAttention();
  emitProduct(emitter, product.fromRow(emitter, firstRow),
              emitter.subtract(count, firstRow), attention.getTileRows(),
              std::min(attention.getTileColumns(), product.columns));
}

void ExpandedAttention::emitPage(const BlockPage &page, Value head, Value token,
                                 Value count) {
  expand(page, head);
  transposeKeys(page);
  // Rows before the page see nothing of it. Positions ascend by one.
  Value firstRow = emitter.maximum(
      emitter.subtract(page.first, blocks.positionOf(token)),
      emitter.integer(0));
  multiply(scores(), firstRow, count);
  rows.addScores(page.first, firstRow, count, [&](Value row) {
    return blocks.positionOf(emitter.add(token, row));
  });
  multiply(outputs(page), firstRow, count);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

void ExpandedAttention::emitBlock(Value head, Value token) {
  Value count = blocks.count(token);
  loadQueries(head, token, count);
  rows.clear(count);
  blocks.forPages(token, count, [&](const BlockPage &page) {
    emitPage(page, head, token, count);
  });
  emitter.loop(emitter.integer(0), count, 1, [&](Value row) {
    rows.storeOutput(
        row, emitHead(emitter, frame, op, 7, emitter.add(token, row), head),
        getElementTypeOrSelf(op.getInit()), op.getValueSize());
  });
}

void ExpandedAttention::emit(Value head, Value token) {
  emitter.when(blocks.begins(token), [&] { emitBlock(head, token); });
}

void x86::emitKernel(Emitter &emitter, kernel::ExpandedAttentionOp op,
                     const KernelFrame &frame) {
  ExpandedAttention code(emitter, op, frame);
  emitTokenTiles(emitter, frame,
                 [&](Value head, Value token) { code.emit(head, token); });
}
