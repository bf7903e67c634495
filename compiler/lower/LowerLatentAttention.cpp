// Lowers attention over latents, with the layers for each head around it, to
// the kernels that do them.
//
// Where both layers are parts of one weight, the plan gets attention in two
// forms: absorbed, as it stands in the model, and expanded, which computes the
// same from the whole weight. Each is for some rows of one result.

#include "compiler/lower/Passes.h"

#include "compiler/lower/AttentionParts.h"
#include "compiler/lower/Columns.h"
#include "compiler/lower/Epilogue.h"
#include "compiler/lower/Rows.h"
#include "compiler/target/CostModel.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERLATENTATTENTIONPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

//===----------------------------------------------------------------------===//
// Layers for each head
//===----------------------------------------------------------------------===//

/// The weight of one head of `op`, [N, K].
static RankedTensorType matrixOf(transformer::HeadLinearOp op) {
  RankedTensorType weight = op.getWeight().getType();
  SmallVector<int64_t> shape(weight.getShape().drop_front());
  if (op.getTransposed())
    std::swap(shape[0], shape[1]);
  return RankedTensorType::get(shape, weight.getElementType());
}

/// Replaces `op` by a kernel that writes to `destination`.
static kernel::HeadLinearOp lowerTo(Value destination,
                                    transformer::HeadLinearOp op,
                                    RewriterBase &rewriter,
                                    const CostModel &costs) {
  RankedTensorType matrix = matrixOf(op);
  Type operand = chooseOperand(costs, op.getInput(), op.getWeight());
  kernel::PackingAttrInterface packing =
      costs.choosePacking(matrix, /*paired=*/false);
  return rewriter.replaceOpWithNewOp<kernel::HeadLinearOp>(
      op, op.getType(), findUnrounded(op.getInput()), op.getWeight(),
      destination, operand, packing,
      costs.chooseLinear(matrix, operand, packing), op.getTransposed());
}

/// Replaces `op` by a kernel that writes to a tensor of its own.
static kernel::HeadLinearOp lower(transformer::HeadLinearOp op,
                                  RewriterBase &rewriter,
                                  const CostModel &costs) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Value destination = createDestination(rewriter, op.getLoc(), op.getType(),
                                        findUnrounded(op.getInput()));
  return lowerTo(destination, op, rewriter, costs);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

namespace {
/// The ops around one attention.
struct LatentParts {
  transformer::PagedAttentionOp attention;
  transformer::CacheAppendOp append;
  Value query;       ///< All of each head: [T, H, D].
  Value latentQuery; ///< [T, H, C].
  transformer::RotaryEmbeddingOp rotatedQuery, rotatedKey;
  transformer::RMSNormOp norm; ///< Of the latents.
  Columns latents;             ///< C + R of them, before norm and rotation.
};
} // namespace

/// The two parts that `value` is made of side by side, or failure.
static FailureOr<std::pair<Value, Value>> findHalves(Value value) {
  while (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>())
    value = expand.getSrc();
  auto concat = value.getDefiningOp<tensor::ConcatOp>();
  if (!concat || concat.getInputs().size() != 2)
    return failure();
  return std::pair(concat.getInputs()[0], concat.getInputs()[1]);
}

/// The rotation that makes `value`, a row or a head.
static transformer::RotaryEmbeddingOp findRotation(Value value) {
  while (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>())
    value = collapse.getSrc();
  return value.getDefiningOp<transformer::RotaryEmbeddingOp>();
}

static LogicalResult findQuery(LatentParts &parts) {
  transformer::PagedAttentionOp attention = parts.attention;
  FailureOr<std::pair<Value, Value>> halves = findHalves(attention.getQuery());
  if (failed(halves))
    return attention.emitOpError(
        "expected queries of two parts, latent and rotated");
  parts.latentQuery = halves->first;
  parts.rotatedQuery = findRotation(halves->second);
  auto part = parts.rotatedQuery ? parts.rotatedQuery.getInput()
                                       .getDefiningOp<tensor::ExtractSliceOp>()
                                 : tensor::ExtractSliceOp();
  if (!part || !part.hasUnitStride() ||
      !isConstantIntValue(part.getMixedOffsets()[0], 0) ||
      !isConstantIntValue(part.getMixedOffsets()[1], 0) ||
      !isConstantIntValue(part.getMixedOffsets()[2],
                          part.getSourceType().getDimSize(2) -
                              part.getType().getDimSize(2)))
    return attention.emitOpError("expected the end of each query head to be "
                                 "rotated");
  parts.query = part.getSource();
  return success();
}

static LogicalResult findLatents(LatentParts &parts) {
  transformer::CacheAppendOp append = parts.append;
  FailureOr<std::pair<Value, Value>> halves = findHalves(append.getKey());
  if (failed(halves))
    return append.emitOpError("expected keys of two parts, latent and rotated");
  parts.norm = halves->first.getDefiningOp<transformer::RMSNormOp>();
  parts.rotatedKey = findRotation(halves->second);
  if (!parts.norm || !parts.rotatedKey)
    return append.emitOpError(
        "expected a normalised latent and a rotated key");
  FailureOr<Columns> latent = findColumns(parts.norm.getInput());
  FailureOr<Columns> key = findColumns(parts.rotatedKey.getInput());
  if (failed(latent) || failed(key) || latent->tensor != key->tensor ||
      latent->first + latent->count != key->first)
    return append.emitOpError(
        "expected latents and keys to be neighbouring columns of a linear layer");
  parts.latents = {latent->tensor, latent->first, latent->count + key->count};
  return success();
}

static FailureOr<LatentParts>
findLatentParts(transformer::PagedAttentionOp attention) {
  LatentParts parts;
  parts.attention = attention;
  FailureOr<transformer::CacheAppendOp> append = findAppend(attention);
  if (failed(append))
    return failure();
  parts.append = *append;
  if (failed(findQuery(parts)) || failed(findLatents(parts)) ||
      failed(verifyRotations(attention, parts.rotatedQuery, parts.rotatedKey)))
    return failure();
  return parts;
}

/// The rows of `columns` as a tensor of their own.
static Value viewColumns(OpBuilder &builder, Location location,
                         const Columns &columns) {
  auto source = cast<RankedTensorType>(columns.tensor.getType());
  if (columns.count == source.getDimSize(1))
    return columns.tensor;
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  return tensor::ExtractSliceOp::create(
      builder, location, columns.tensor,
      ArrayRef<OpFoldResult>{zero, builder.getIndexAttr(columns.first)},
      ArrayRef<OpFoldResult>{
          tensor::getMixedSize(builder, location, columns.tensor, 0),
          builder.getIndexAttr(columns.count)},
      ArrayRef<OpFoldResult>{one, one});
}

/// Builds the append of `parts`; returns the rotated parts of the queries.
static Value buildAppend(OpBuilder &builder, const LatentParts &parts,
                         kernel::LatentCacheAttr layout, Value pages) {
  transformer::PagedAttentionOp attention = parts.attention;
  transformer::RotaryEmbeddingOp rotation = parts.rotatedQuery;
  transformer::RMSNormOp norm = parts.norm;
  Location location = parts.append->getLoc();
  Value table = createRotaryTable(builder, rotation);
  RankedTensorType type = rotation.getType();
  return kernel::LatentAppendOp::create(
             builder, location, type, parts.query,
             viewColumns(builder, location, parts.latents), norm.getWeight(),
             table, attention.getPositions(), attention.getSequences(),
             attention.getPageTable(), pages,
             createDestination(builder, location, type,
                               attention.getPositions()),
             norm.getEpsilonAttr(), layout, rotation.getInterleavedAttr())
      .getResult();
}

//===----------------------------------------------------------------------===//
// The two forms
//===----------------------------------------------------------------------===//

namespace {
/// The layers for each head around an attention, whose weights are parts of
/// one.
struct HeadLayers {
  transformer::HeadLinearOp key, value;
  Value weight; ///< Rows of keys, then of values, in each head: [H, N + V, C].
};
} // namespace

/// Whether `part` is rows of every matrix of its source, from `first` on.
static bool isRows(tensor::ExtractSliceOp part, int64_t first) {
  RankedTensorType source = part.getSourceType();
  return source.getRank() == 3 &&
         source.getDimSize(0) == part.getType().getDimSize(0) &&
         source.getDimSize(2) == part.getType().getDimSize(2) &&
         part.hasUnitStride() &&
         isConstantIntValue(part.getMixedOffsets()[1], first);
}

/// The weight of which `key` reads the first rows, transposed, and `value` all
/// others, or null.
static Value findWhole(transformer::HeadLinearOp key,
                       transformer::HeadLinearOp value) {
  auto keys = key.getWeight().getDefiningOp<tensor::ExtractSliceOp>();
  auto values = value.getWeight().getDefiningOp<tensor::ExtractSliceOp>();
  if (!key.getTransposed() || value.getTransposed() || !keys || !values ||
      keys.getSource() != values.getSource())
    return Value();
  int64_t keySize = keys.getType().getDimSize(1);
  int64_t size = keySize + values.getType().getDimSize(1);
  return isRows(keys, 0) && isRows(values, keySize) &&
                 keys.getSourceType().getDimSize(1) == size
             ? keys.getSource()
             : Value();
}

/// Whether `attention` alone reads its queries and `part`, of which they are
/// made.
static bool readsAlone(transformer::PagedAttentionOp attention, Value part) {
  while (part != attention.getQuery() && part.hasOneUse())
    part = part.user_begin()->getResult(0);
  return part.hasOneUse();
}

/// The layers around `parts` if attention has an expanded form that is
/// sometimes the cheaper one: products of queries and keys, probabilities and
/// values are shorter than with latents.
static std::optional<HeadLayers> findHeadLayers(const LatentParts &parts) {
  transformer::PagedAttentionOp attention = parts.attention;
  auto key = parts.latentQuery.getDefiningOp<transformer::HeadLinearOp>();
  if (!key || !readsAlone(attention, key) || !attention->hasOneUse())
    return std::nullopt;
  auto value = dyn_cast<transformer::HeadLinearOp>(*attention->user_begin());
  Value weight = value ? findWhole(key, value) : Value();
  if (!weight)
    return std::nullopt;
  auto type = cast<RankedTensorType>(weight.getType());
  if (type.getDimSize(1) >= 2 * type.getDimSize(2))
    return std::nullopt;
  return HeadLayers{key, value, weight};
}

namespace {
struct LowerLatentAttention
    : tcc::impl::LowerLatentAttentionPassBase<LowerLatentAttention> {
  using LowerLatentAttentionPassBase::LowerLatentAttentionPassBase;

  void runOnOperation() override {
    std::unique_ptr<CostModel> costs = createCostModel(march, getOperation());
    if (!costs)
      return signalPassFailure();
    for (transformer::PagedAttentionOp op :
         findAttentions(getOperation(), /*latent=*/true))
      if (failed(lowerAttention(op, *costs)))
        return signalPassFailure();
    IRRewriter rewriter(&getContext());
    getOperation()->walk(
        [&](transformer::HeadLinearOp op) { ::lower(op, rewriter, *costs); });
  }

private:
  LogicalResult lowerAttention(transformer::PagedAttentionOp op,
                               const CostModel &costs);
};

/// Builds the kernels of one attention, after its append.
class AttentionBuilder {
public:
  AttentionBuilder(RewriterBase &rewriter, const CostModel &costs,
                   const LatentParts &parts, kernel::LatentCacheAttr layout)
      : rewriter(rewriter), costs(costs), parts(parts), layout(layout),
        op(parts.attention) {}

  void build();

private:
  kernel::LatentAttentionOp buildAbsorbed(Value latentQuery);
  kernel::ExpandedAttentionOp buildExpanded(const HeadLayers &layers);

  RewriterBase &rewriter;
  const CostModel &costs;
  const LatentParts &parts;
  kernel::LatentCacheAttr layout;
  transformer::PagedAttentionOp op;
  Value pages, rotated;
};
} // namespace

kernel::LatentAttentionOp AttentionBuilder::buildAbsorbed(Value latentQuery) {
  RankedTensorType type = op.getType();
  return kernel::LatentAttentionOp::create(
      rewriter, op.getLoc(), type, latentQuery, rotated, op.getPositions(),
      op.getSequences(), op.getPageTable(), pages,
      createDestination(rewriter, op.getLoc(), type, op.getPositions()),
      op.getScaleAttr(), layout, costs.chooseLatentAttention(layout, type));
}

kernel::ExpandedAttentionOp
AttentionBuilder::buildExpanded(const HeadLayers &layers) {
  transformer::HeadLinearOp key = layers.key, value = layers.value;
  RankedTensorType type = value.getType();
  auto weight = cast<RankedTensorType>(layers.weight.getType());
  auto matrix = RankedTensorType::get(weight.getShape().drop_front(),
                                      weight.getElementType());
  // Dot products are of pairs.
  bool isPaired = key.getInput().getType().getDimSize(2) % 2 == 0;
  Type operand = isPaired ? chooseOperand(costs, rotated, layers.weight)
                          : Type(rewriter.getF32Type());
  ExpandedAttentionChoice choice =
      costs.chooseExpandedAttention(matrix, operand, type);
  return kernel::ExpandedAttentionOp::create(
      rewriter, op.getLoc(), type, findUnrounded(key.getInput()), rotated,
      layers.weight, op.getPositions(), op.getSequences(), op.getPageTable(),
      pages, createDestination(rewriter, op.getLoc(), type, op.getPositions()),
      op.getScaleAttr(), layout, choice.packing, choice.linear,
      choice.attention);
}

void AttentionBuilder::build() {
  pages = createPages(rewriter, op);
  rotated = buildAppend(rewriter, parts, layout, pages);
  std::optional<HeadLayers> layers = findHeadLayers(parts);
  if (!layers) {
    rewriter.replaceOp(op, buildAbsorbed(parts.latentQuery));
    return;
  }
  auto expanded = buildExpanded(*layers);
  auto key = lower(layers->key, rewriter, costs);
  auto absorbed = buildAbsorbed(key.getResult());
  rewriter.replaceOp(op, absorbed);
  rewriter.setInsertionPoint(layers->value);
  auto value = lowerTo(expanded.getResult(), layers->value, rewriter, costs);
  setRows(expanded, kernel::Rows::Expanded);
  for (Operation *part :
       {key.getOperation(), absorbed.getOperation(), value.getOperation()})
    setRows(part, kernel::Rows::Absorbed);
}

LogicalResult
LowerLatentAttention::lowerAttention(transformer::PagedAttentionOp op,
                                     const CostModel &costs) {
  transformer::CacheOp cache = findCache(op);
  if (failed(verifyElement(op, cache)))
    return failure();
  FailureOr<LatentParts> parts = findLatentParts(op);
  if (failed(parts))
    return failure();
  IRRewriter rewriter(op);
  AttentionBuilder(rewriter, costs, *parts, costs.chooseLatentCache(cache))
      .build();
  parts->append.erase();
  return success();
}
