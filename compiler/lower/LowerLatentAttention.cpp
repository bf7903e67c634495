// Lowers attention over latents, with the layers for each head around it, to the
// kernels that do them.

#include "compiler/lower/Passes.h"

#include "compiler/lower/AttentionParts.h"
#include "compiler/lower/Columns.h"
#include "compiler/lower/Epilogue.h"
#include "compiler/lower/Rows.h"
#include "compiler/target/x86/CostModel.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERLATENTATTENTIONPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

//===----------------------------------------------------------------------===//
// Layers for each head
//===----------------------------------------------------------------------===//

namespace {
struct LowerHeadLinear : OpRewritePattern<transformer::HeadLinearOp> {
  LowerHeadLinear(MLIRContext *context, const x86::TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(transformer::HeadLinearOp op,
                                PatternRewriter &rewriter) const override {
    Location location = op.getLoc();
    RankedTensorType weight = op.getWeight().getType();
    SmallVector<int64_t> shape(weight.getShape().drop_front());
    if (op.getTransposed())
      std::swap(shape[0], shape[1]);
    auto matrix = RankedTensorType::get(shape, weight.getElementType());
    Type operand = chooseOperand(op.getInput(), op.getWeight());
    Value input = findUnrounded(op.getInput());
    kernel::PackingAttr packing =
        x86::choosePacking(target, matrix, /*paired=*/false);
    rewriter.replaceOpWithNewOp<kernel::HeadLinearOp>(
        op, op.getType(), input, op.getWeight(),
        createDestination(rewriter, location, op.getType(), input), operand,
        packing, x86::chooseLinear(target, matrix, operand, packing),
        op.getTransposed());
    return success();
  }

  const x86::TargetDescription &target;
};
} // namespace

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

namespace {
struct LowerLatentAttention
    : tcc::impl::LowerLatentAttentionPassBase<LowerLatentAttention> {
  using LowerLatentAttentionPassBase::LowerLatentAttentionPassBase;

  void runOnOperation() override {
    FailureOr<x86::TargetDescription> target =
        x86::describeTarget(march, getOperation().getLoc());
    if (failed(target))
      return signalPassFailure();
    for (transformer::PagedAttentionOp op :
         findAttentions(getOperation(), /*latent=*/true))
      if (failed(lower(op, *target)))
        return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerHeadLinear>(&getContext(), *target);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }

private:
  LogicalResult lower(transformer::PagedAttentionOp op,
                      const x86::TargetDescription &target);
};
} // namespace

LogicalResult
LowerLatentAttention::lower(transformer::PagedAttentionOp op,
                            const x86::TargetDescription &target) {
  transformer::CacheOp cache = findCache(op);
  if (failed(verifyElement(op, cache)))
    return failure();
  FailureOr<LatentParts> parts = findLatentParts(op);
  if (failed(parts))
    return failure();
  kernel::LatentCacheAttr layout = x86::chooseLatentCache(target, cache);
  OpBuilder builder(op);
  Value pages = createPages(builder, op);
  Value rotated = buildAppend(builder, *parts, layout, pages);
  RankedTensorType type = op.getType();
  Value result = kernel::LatentAttentionOp::create(
                     builder, op.getLoc(), type, parts->latentQuery, rotated,
                     op.getPositions(), op.getSequences(), op.getPageTable(),
                     pages,
                     createDestination(builder, op.getLoc(), type,
                                       op.getPositions()),
                     op.getScaleAttr(), layout,
                     x86::chooseLatentAttention(target, layout, type))
                     .getResult();
  op.replaceAllUsesWith(result);
  op.erase();
  parts->append.erase();
  return success();
}
