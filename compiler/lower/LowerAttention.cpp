// Lowers rotary embedding, cache and attention to the two kernels that do them.

#include "compiler/lower/Passes.h"

#include "compiler/lower/AttentionParts.h"
#include "compiler/lower/Columns.h"
#include "compiler/lower/Rows.h"
#include "compiler/target/CostModel.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERATTENTIONPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

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

static FailureOr<AttentionParts>
findParts(transformer::PagedAttentionOp attention) {
  AttentionParts parts;
  parts.attention = attention;
  FailureOr<transformer::CacheAppendOp> append = findAppend(attention);
  if (failed(append))
    return failure();
  parts.append = *append;
  parts.query =
      attention.getQuery().getDefiningOp<transformer::RotaryEmbeddingOp>();
  parts.key =
      parts.append.getKey().getDefiningOp<transformer::RotaryEmbeddingOp>();
  if (!parts.query || !parts.key)
    return attention.emitOpError(
        "expected query and key to be rotary embeddings");
  if (failed(verifyRotations(attention, parts.query, parts.key)))
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
    std::unique_ptr<CostModel> costs = createCostModel(march, getOperation());
    if (!costs)
      return signalPassFailure();
    for (transformer::PagedAttentionOp op :
         findAttentions(getOperation(), /*latent=*/false))
      if (failed(lower(op, *costs)))
        return signalPassFailure();
  }

private:
  LogicalResult lower(transformer::PagedAttentionOp op, const CostModel &costs);
};
} // namespace

LogicalResult LowerAttention::lower(transformer::PagedAttentionOp op,
                                    const CostModel &costs) {
  transformer::CacheOp cache = findCache(op);
  if (failed(verifyElement(op, cache)))
    return failure();
  FailureOr<AttentionParts> parts = findParts(op);
  if (failed(parts))
    return failure();
  FailureOr<SmallVector<Value>> inputs = findInputs(*parts);
  if (failed(inputs))
    return op.emitOpError("expected query, key and value to be neighbouring "
                          "columns of linear layers");

  kernel::CacheAttr layout = costs.chooseCache(cache);
  OpBuilder builder(op);
  Location location = op.getLoc();
  Value pages = createPages(builder, op);
  transformer::RotaryEmbeddingOp rotary = parts->query;
  Value table = createRotaryTable(builder, rotary);
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
  Value rows =
      createDestination(builder, location, rowsType, op.getPositions());
  auto build = [&](kernel::AttentionConfigAttrInterface configuration) {
    auto kernelOp = kernel::AttentionOp::create(
        builder, location, rowsType, query, op.getPositions(),
        op.getSequences(), op.getPageTable(), pages, rows, op.getScaleAttr(),
        layout, configuration);
    rows = kernelOp.getResult();
    return kernelOp;
  };
  auto expanded = costs.choosePromptAttention(layout, queryType);
  if (expanded)
    setRows(build(expanded), kernel::Rows::Expanded);
  auto last = build(costs.chooseAttention(layout, queryType));
  if (expanded)
    setRows(last, kernel::Rows::Absorbed);
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
