// Lowers rotary embedding, cache and attention to the two kernels that do them.

#include "compiler/lower/Passes.h"

#include "compiler/lower/Rows.h"
#include "compiler/target/x86/CostModel.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERATTENTIONPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

namespace {
/// Columns `[first, first + count)` of the rows of `tensor`.
struct Columns {
  Value tensor;
  int64_t first;
  int64_t count;
};
} // namespace

/// Looks through rounding and views by heads for the columns that `heads`, of
/// shape [T, heads, size], is made of.
static FailureOr<Columns> findColumns(Value heads) {
  auto type = cast<RankedTensorType>(heads.getType());
  int64_t count = type.getDimSize(1) * type.getDimSize(2);
  while (true) {
    if (auto round = heads.getDefiningOp<arith::TruncFOp>()) {
      heads = round.getIn();
    } else if (auto expand = heads.getDefiningOp<tensor::ExpandShapeOp>()) {
      heads = expand.getSrc();
    } else if (auto slice = heads.getDefiningOp<tensor::ExtractSliceOp>()) {
      if (slice.getSourceType().getRank() != 2 || !slice.hasUnitStride() ||
          !isConstantIntValue(slice.getMixedOffsets()[0], 0) ||
          slice.isDynamicOffset(1))
        return failure();
      return Columns{slice.getSource(), slice.getStaticOffset(1), count};
    } else {
      break;
    }
  }
  auto rows = dyn_cast<RankedTensorType>(heads.getType());
  if (!rows || rows.getRank() != 2 || rows.getDimSize(1) != count)
    return failure();
  return Columns{heads, 0, count};
}

/// The tensors whose columns, one after another, are `parts` and nothing else.
static FailureOr<SmallVector<Value>> joinColumns(ArrayRef<Columns> parts) {
  SmallVector<Value> inputs;
  int64_t end = 0;
  auto width = [](Value tensor) {
    return cast<RankedTensorType>(tensor.getType()).getDimSize(1);
  };
  for (const Columns &part : parts) {
    bool continues = !inputs.empty() && inputs.back() == part.tensor;
    if (!continues && !inputs.empty() && end != width(inputs.back()))
      return failure();
    if (part.first != (continues ? end : 0))
      return failure();
    if (!continues)
      inputs.push_back(part.tensor);
    end = part.first + part.count;
  }
  if (end != width(inputs.back()))
    return failure();
  return inputs;
}

namespace {
/// The ops around one attention.
struct AttentionParts {
  transformer::PagedAttentionOp attention;
  transformer::CacheAppendOp append;
  transformer::RotaryEmbeddingOp query, key;
};
} // namespace

/// Checks that the rotations and the append are for the tokens that the attention
/// is for: the kernels have one table, and one place for each token.
static LogicalResult verifyPlaces(AttentionParts parts) {
  transformer::PagedAttentionOp attention = parts.attention;
  transformer::CacheAppendOp append = parts.append;
  if (parts.query.getPositions() != attention.getPositions()) {
    InFlightDiagnostic error = attention.emitOpError(
        "expected query and key to be rotated at its positions, got others");
    error.attachNote(parts.query.getLoc()) << "the query is rotated here";
    return error;
  }
  if (append.getPositions() != attention.getPositions() ||
      append.getSequences() != attention.getSequences() ||
      append.getPageTable() != attention.getPageTable()) {
    InFlightDiagnostic error = attention.emitOpError(
        "expected the cache_append before it to have its positions, sequences "
        "and page table, got others");
    error.attachNote(append.getLoc()) << "the append is here";
    return error;
  }
  return success();
}

/// Checks that there is a layout for the pages of `cache`, which `attention` reads.
static LogicalResult verifyCache(transformer::PagedAttentionOp attention,
                                 transformer::CacheOp cache) {
  if (cache.getLatent())
    return attention.emitOpError(
        "expected a cache of keys and values, got a latent one");
  Type element = cache.getElement();
  if (!element.isF32() && !element.isBF16())
    return attention.emitOpError("expected a cache of f32 or bf16, got ")
           << element;
  return success();
}

static FailureOr<AttentionParts>
findParts(transformer::PagedAttentionOp attention) {
  AttentionParts parts;
  parts.attention = attention;
  for (Operation *op = attention->getPrevNode(); op && !parts.append;
       op = op->getPrevNode())
    if (auto append = dyn_cast<transformer::CacheAppendOp>(op))
      if (append.getCache() == attention.getCache() &&
          append.getLayer() == attention.getLayer())
        parts.append = append;
  if (!parts.append)
    return attention.emitOpError(
        "expected a cache_append of the same cache and layer before it");
  parts.query =
      attention.getQuery().getDefiningOp<transformer::RotaryEmbeddingOp>();
  parts.key =
      parts.append.getKey().getDefiningOp<transformer::RotaryEmbeddingOp>();
  if (!parts.query || !parts.key)
    return attention.emitOpError(
        "expected query and key to be rotary embeddings");
  if (parts.query.getFrequencies() != parts.key.getFrequencies() ||
      parts.query.getMultiplier() != parts.key.getMultiplier() ||
      parts.query.getInterleaved() != parts.key.getInterleaved() ||
      parts.query.getPositions() != parts.key.getPositions())
    return attention.emitOpError(
        "expected query and key to be rotated alike, got two rotations");
  if (failed(verifyPlaces(parts)))
    return failure();
  return parts;
}

/// The tensors that hold query, key and value columns.
static FailureOr<SmallVector<Value>> findInputs(AttentionParts parts) {
  FailureOr<Columns> query = findColumns(parts.query.getInput());
  FailureOr<Columns> key = findColumns(parts.key.getInput());
  FailureOr<Columns> value = findColumns(parts.append.getValue());
  if (failed(query) || failed(key) || failed(value))
    return failure();
  return joinColumns({*query, *key, *value});
}

namespace {
struct LowerAttention : tcc::impl::LowerAttentionPassBase<LowerAttention> {
  using LowerAttentionPassBase::LowerAttentionPassBase;

  void runOnOperation() override {
    FailureOr<x86::TargetDescription> target =
        x86::describeTarget(march, getOperation().getLoc());
    if (failed(target))
      return signalPassFailure();
    SmallVector<transformer::PagedAttentionOp> attentions;
    getOperation().walk(
        [&](transformer::PagedAttentionOp op) { attentions.push_back(op); });
    for (transformer::PagedAttentionOp op : attentions)
      if (failed(lower(op, *target)))
        return signalPassFailure();
  }

private:
  LogicalResult lower(transformer::PagedAttentionOp op,
                      const x86::TargetDescription &target);
};
} // namespace

LogicalResult LowerAttention::lower(transformer::PagedAttentionOp op,
                                    const x86::TargetDescription &target) {
  auto cache = SymbolTable::lookupNearestSymbolFrom<transformer::CacheOp>(
      op, op.getCacheAttr());
  if (failed(verifyCache(op, cache)))
    return failure();
  FailureOr<AttentionParts> parts = findParts(op);
  if (failed(parts))
    return failure();
  FailureOr<SmallVector<Value>> inputs = findInputs(*parts);
  if (failed(inputs))
    return op.emitOpError("expected query, key and value to be neighbouring "
                          "columns of linear layers");

  kernel::CacheAttr layout = x86::chooseCache(target, cache);
  OpBuilder builder(op);
  Location location = op.getLoc();
  auto pagesType = MemRefType::get({ShapedType::kDynamic},
                                   builder.getIntegerType(8));
  Value pages = kernel::CacheLayerOp::create(builder, location, pagesType,
                                             op.getCacheAttr(), op.getLayer());
  transformer::RotaryEmbeddingOp rotary = parts->query;
  auto pairs = static_cast<int64_t>(rotary.getFrequencies().size());
  auto tableType = RankedTensorType::get({ShapedType::kDynamic, pairs, 2},
                                         builder.getF32Type());
  Value table = kernel::RotaryTableOp::create(
      builder, location, tableType, op.getPositions(),
      rotary.getFrequenciesAttr(), rotary.getMultiplierAttr());
  RankedTensorType queryType = op.getQuery().getType();
  Value query = kernel::RotaryAppendOp::create(
                    builder, location, queryType, *inputs, table,
                    op.getPositions(), op.getSequences(), op.getPageTable(),
                    pages,
                    createDestination(builder, location, queryType,
                                      op.getPositions()),
                    layout, rotary.getInterleavedAttr())
                    .getResult();

  RankedTensorType headsType = op.getType();
  auto rowsType = RankedTensorType::get(
      {headsType.getDimSize(0),
       headsType.getDimSize(1) * headsType.getDimSize(2)},
      headsType.getElementType());
  Value rows = kernel::AttentionOp::create(
                   builder, location, rowsType, query, op.getPositions(),
                   op.getSequences(), op.getPageTable(), pages,
                   createDestination(builder, location, rowsType,
                                     op.getPositions()),
                   op.getScaleAttr(), layout,
                   x86::chooseAttention(target, layout, queryType))
                   .getResult();
  // Canonicalisation folds this with the view that follows.
  SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
  SmallVector<OpFoldResult> shape = {
      tensor::getMixedSize(builder, location, rows, 0),
      builder.getIndexAttr(headsType.getDimSize(1)),
      builder.getIndexAttr(headsType.getDimSize(2))};
  Value heads = tensor::ExpandShapeOp::create(builder, location, headsType,
                                              rows, groups, shape);
  op.replaceAllUsesWith(heads);
  op.erase();
  parts->append.erase();
  for (transformer::RotaryEmbeddingOp rotation : {parts->query, parts->key})
    if (rotation->use_empty())
      rotation.erase();
  return success();
}
