#include "compiler/lower/AttentionParts.h"

#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace mlir::tcc;
using transformer::CacheAppendOp;
using transformer::CacheOp;
using transformer::PagedAttentionOp;
using transformer::RotaryEmbeddingOp;

CacheOp tcc::findCache(PagedAttentionOp attention) {
  return SymbolTable::lookupNearestSymbolFrom<CacheOp>(
      attention, attention.getCacheAttr());
}

SmallVector<PagedAttentionOp> tcc::findAttentions(Operation *function,
                                                  bool latent) {
  SmallVector<PagedAttentionOp> attentions;
  function->walk([&](PagedAttentionOp op) {
    if (findCache(op).getLatent() == latent)
      attentions.push_back(op);
  });
  return attentions;
}

LogicalResult tcc::verifyElement(PagedAttentionOp attention, CacheOp cache) {
  Type element = cache.getElement();
  if (!element.isF32() && !element.isBF16())
    return attention.emitOpError("expected a cache of f32 or bf16, got ")
           << element;
  return success();
}

/// Finds the last append before `attention` to the same layer of its cache.
static CacheAppendOp findLastAppend(PagedAttentionOp attention) {
  for (Operation *op = attention->getPrevNode(); op; op = op->getPrevNode())
    if (auto append = dyn_cast<CacheAppendOp>(op))
      if (append.getCache() == attention.getCache() &&
          append.getLayer() == attention.getLayer())
        return append;
  return {};
}

FailureOr<CacheAppendOp> tcc::findAppend(PagedAttentionOp attention) {
  CacheAppendOp append = findLastAppend(attention);
  if (!append)
    return attention.emitOpError(
        "expected a cache_append of the same cache and layer before it");
  if (append.getPositions() != attention.getPositions() ||
      append.getSequences() != attention.getSequences() ||
      append.getPageTable() != attention.getPageTable()) {
    InFlightDiagnostic error = attention.emitOpError(
        "expected the cache_append before it to have its positions, sequences "
        "and page table, got others");
    error.attachNote(append.getLoc()) << "the append is here";
    return error;
  }
  return append;
}

LogicalResult tcc::verifyRotations(PagedAttentionOp attention,
                                   RotaryEmbeddingOp query,
                                   RotaryEmbeddingOp key) {
  if (query.getFrequencies() != key.getFrequencies() ||
      query.getMultiplier() != key.getMultiplier() ||
      query.getInterleaved() != key.getInterleaved() ||
      query.getPositions() != key.getPositions())
    return attention.emitOpError(
        "expected query and key to be rotated alike, got two rotations");
  if (query.getPositions() != attention.getPositions()) {
    InFlightDiagnostic error = attention.emitOpError(
        "expected query and key to be rotated at its positions, got others");
    error.attachNote(query.getLoc()) << "the query is rotated here";
    return error;
  }
  return success();
}

Value tcc::createPages(OpBuilder &builder, PagedAttentionOp attention) {
  auto type =
      MemRefType::get({ShapedType::kDynamic}, builder.getIntegerType(8));
  return kernel::CacheLayerOp::create(builder, attention.getLoc(), type,
                                      attention.getCacheAttr(),
                                      attention.getLayer());
}

Value tcc::createRotaryTable(OpBuilder &builder, RotaryEmbeddingOp rotation) {
  auto pairs = static_cast<int64_t>(rotation.getFrequencies().size());
  auto type = RankedTensorType::get({ShapedType::kDynamic, pairs, 2},
                                    builder.getF32Type());
  return kernel::RotaryTableOp::create(
      builder, rotation.getLoc(), type, rotation.getPositions(),
      rotation.getFrequenciesAttr(), rotation.getMultiplierAttr());
}
