// Lets attention read latents in place of the keys and values that are linear
// in them, so that a cache of latents suffices.
//
// With W_k and W_v the rows of a head that expand the latent c of a token to
// its key and value, and r the part of the key that all heads share:
//
//   [q, p] . [W_k c, r]  = [W_k^T q, p] . [c, r]
//   sum_s a_s (W_v c_s)  = W_v (sum_s a_s c_s)
//
// Source: DeepSeek-AI, "DeepSeek-V2", 2024, arXiv:2405.04434, section 2.1.

#include "compiler/graph/Matching.h"
#include "compiler/graph/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_ABSORBLATENTATTENTIONPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// What must hold
//===----------------------------------------------------------------------===//

namespace {
/// Queries, or keys, of two parts beside each other.
struct Parts {
  Value plain, rotated;
};

/// Keys and values of all heads that are linear in one latent.
struct LatentHeads {
  LinearOp expansion;          ///< To [T, H * (K + E)].
  tensor::ExpandShapeOp heads; ///< [T, H, K + E]
  int64_t keySize, valueSize;  ///< K and E
  Value shared;                ///< [T, 1, R], the rest of every head's key.
};
} // namespace

static std::optional<Parts> matchParts(Value value) {
  auto concat = value.getDefiningOp<tensor::ConcatOp>();
  if (!concat || concat.getDim() != 2 || concat.getInputs().size() != 2)
    return std::nullopt;
  return Parts{concat.getInputs()[0], concat.getInputs()[1]};
}

/// The one head [T, 1, R] that `value` repeats, or null.
static Value matchShared(Value value) {
  if (auto repeat = value.getDefiningOp<RepeatHeadsOp>())
    value = repeat.getInput();
  return cast<RankedTensorType>(value.getType()).getDimSize(1) == 1 ? value
                                                                    : Value();
}

/// Returns the tensor of which `part` is the columns from `first` on, rounded
/// or not, or null.
static tensor::ExpandShapeOp matchColumns(Value part, int64_t first) {
  if (auto rounding = part.getDefiningOp<arith::TruncFOp>())
    if (isPlain(rounding))
      part = rounding.getIn();
  auto slice = part.getDefiningOp<tensor::ExtractSliceOp>();
  return slice && isColumns(slice, first)
             ? slice.getSource().getDefiningOp<tensor::ExpandShapeOp>()
             : tensor::ExpandShapeOp();
}

static int64_t headSize(Value heads) {
  return cast<RankedTensorType>(heads.getType()).getShape().back();
}

/// Whether `heads` are columns of the row of each token.
static bool areHeadsOfRows(tensor::ExpandShapeOp heads) {
  return heads.getReassociationIndices() ==
         SmallVector<ReassociationIndices>{{0}, {1, 2}};
}

/// Matches what `key` and `value` are made of.
static std::optional<LatentHeads> matchLatent(const Parts &key, Value value) {
  int64_t keySize = headSize(key.plain), valueSize = headSize(value);
  tensor::ExpandShapeOp heads = matchColumns(key.plain, 0);
  if (!heads || heads != matchColumns(value, keySize) || !areHeadsOfRows(heads))
    return std::nullopt;
  auto expansion = heads.getSrc().getDefiningOp<LinearOp>();
  Value shared = matchShared(key.rotated);
  if (!expansion || expansion.getBias() || !shared ||
      !expansion.getWeight().getType().hasStaticShape())
    return std::nullopt;
  return LatentHeads{expansion, heads, keySize, valueSize, shared};
}

//===----------------------------------------------------------------------===//
// The rewrite
//===----------------------------------------------------------------------===//

static RankedTensorType resize(Value like, ArrayRef<int64_t> shape) {
  return cast<RankedTensorType>(like.getType()).clone(shape);
}

/// Builds the rows from `first` on of every head's matrix, [H, rows, C].
static Value buildMatrices(ImplicitLocOpBuilder &builder, LatentHeads &latent,
                           int64_t first, int64_t rows) {
  Value weight = latent.expansion.getWeight();
  int64_t heads = latent.heads.getType().getDimSize(1);
  int64_t size = headSize(latent.heads), columns = headSize(weight);
  SmallVector<ReassociationIndices> groups = {{0, 1}, {2}};
  Value all = tensor::ExpandShapeOp::create(
      builder, resize(weight, {heads, size, columns}), weight, groups);
  auto integers = [&](ArrayRef<int64_t> values) {
    return getAsIndexOpFoldResult(builder.getContext(), values);
  };
  return tensor::ExtractSliceOp::create(
      builder, resize(weight, {heads, rows, columns}), all,
      integers({0, first, 0}), integers({heads, rows, columns}),
      integers({1, 1, 1}));
}

/// Builds the only key, [S, 1, C + R]: the latent, then what heads share.
static Value buildKey(ImplicitLocOpBuilder &builder, LatentHeads &latent) {
  Value shared = latent.shared, input = latent.expansion.getInput();
  int64_t tokens = cast<RankedTensorType>(shared.getType()).getDimSize(0);
  SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
  Value row = tensor::CollapseShapeOp::create(
      builder, resize(shared, {tokens, headSize(shared)}), shared, groups);
  Value both =
      tensor::ConcatOp::create(builder, /*dim=*/1, ValueRange{input, row});
  int64_t size = headSize(both);
  SmallVector<OpFoldResult> shape = {latent.heads.getMixedOutputShape()[0],
                                     builder.getIndexAttr(1),
                                     builder.getIndexAttr(size)};
  return tensor::ExpandShapeOp::create(
      builder, resize(both, {latent.heads.getType().getDimSize(0), 1, size}),
      both, groups, shape);
}

/// Builds the value, [S, 1, C]: the beginning of `key`.
static Value buildValue(ImplicitLocOpBuilder &builder, LatentHeads &latent,
                        Value key) {
  auto type = cast<RankedTensorType>(key.getType());
  int64_t size = headSize(latent.expansion.getInput());
  SmallVector<OpFoldResult> sizes = {latent.heads.getMixedOutputShape()[0],
                                     builder.getIndexAttr(1),
                                     builder.getIndexAttr(size)};
  return tensor::ExtractSliceOp::create(
      builder, type.clone({type.getDimSize(0), 1, size}), key,
      SmallVector<OpFoldResult>(3, builder.getIndexAttr(0)), sizes,
      SmallVector<OpFoldResult>(3, builder.getIndexAttr(1)));
}

/// Builds what replaces `attention`, [T, H, E].
static Value buildAbsorbed(ImplicitLocOpBuilder &builder, AttentionOp attention,
                           const Parts &query, LatentHeads &latent) {
  int64_t size = headSize(latent.expansion.getInput());
  RankedTensorType type = attention.getType();
  auto inLatent = [&](Value like) {
    return resize(like, {type.getDimSize(0), type.getDimSize(1), size});
  };
  Value key = buildKey(builder, latent);
  Value value = buildValue(builder, latent, key);
  Value plain = HeadLinearOp::create(
      builder, inLatent(query.plain), query.plain,
      buildMatrices(builder, latent, 0, latent.keySize), /*transposed=*/true);
  Value both = tensor::ConcatOp::create(builder, /*dim=*/2,
                                        ValueRange{plain, query.rotated});
  Value mixed = AttentionOp::create(builder, inLatent(attention), both, key,
                                    value, attention.getQueryPositions(),
                                    attention.getKeyPositions(),
                                    attention.getScaleAttr());
  Value expand =
      buildMatrices(builder, latent, latent.keySize, latent.valueSize);
  return HeadLinearOp::create(builder, type, mixed, expand);
}

namespace {
struct AbsorbExpansion : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp attention,
                                PatternRewriter &rewriter) const override {
    std::optional<Parts> query = matchParts(attention.getQuery());
    std::optional<Parts> key = matchParts(attention.getKey());
    if (!query || !key || headSize(query->plain) != headSize(key->plain))
      return rewriter.notifyMatchFailure(
          attention, "query and key are not of two parts each");
    if (attention.getQuery().getType().getDimSize(1) !=
        attention.getKey().getType().getDimSize(1))
      return rewriter.notifyMatchFailure(attention, "heads share whole keys");
    std::optional<LatentHeads> latent = matchLatent(*key, attention.getValue());
    if (!latent)
      return rewriter.notifyMatchFailure(
          attention, "key and value are not linear in one latent");
    if (getElementTypeOrSelf(latent->expansion.getInput()) !=
        getElementTypeOrSelf(latent->shared))
      return rewriter.notifyMatchFailure(
          attention, "the latent has another type than the rest of the key");

    ImplicitLocOpBuilder builder(
        rewriter.getFusedLoc({latent->expansion.getLoc(), attention.getLoc()}),
        rewriter);
    rewriter.replaceOp(attention,
                       buildAbsorbed(builder, attention, *query, *latent));
    return success();
  }
};

struct AbsorbLatentAttention
    : tcc::impl::AbsorbLatentAttentionPassBase<AbsorbLatentAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<AbsorbExpansion>(&getContext());
    // One walk suffices: heads that share one key have nothing to absorb.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    IRRewriter rewriter(&getContext());
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};
} // namespace
