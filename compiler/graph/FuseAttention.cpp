// Fuses the ops of an attention into one, so that a lowering can keep the
// scores of a few keys at a time instead of all [H, T, S] of them.

#include "compiler/graph/Matching.h"
#include "compiler/graph/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#include <optional>

namespace mlir::tcc {
#define GEN_PASS_DEF_FUSEATTENTIONPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

namespace {
/// Scores that are scaled and masked, and what they are made of.
struct MaskedScores {
  EinsumOp product;
  CausalMaskOp mask;
  APFloat scale;
};

/// Keys or values before each head was repeated `times` times.
struct SharedHeads {
  Value heads;
  uint64_t times;
};
} // namespace

/// Matches scale and mask, in either order, above `scores`.
static std::optional<MaskedScores> matchMaskedScores(Value scores) {
  auto after = definedForOneReader<ScaleOp>(scores);
  // Minus infinity times zero is not a number, and times a negative number it
  // would select what the mask excludes.
  if (after &&
      !(after.getFactor().isFiniteNonZero() && !after.getFactor().isNegative()))
    return std::nullopt;
  if (after)
    scores = after.getInput();

  auto mask = definedForOneReader<CausalMaskOp>(scores);
  if (!mask)
    return std::nullopt;
  auto before = definedForOneReader<ScaleOp>(mask.getScores());
  Value product = before ? before.getInput() : mask.getScores();
  auto einsum = definedForOneReader<EinsumOp>(product);
  if (!einsum)
    return std::nullopt;

  APFloat scale(1.0);
  for (ScaleOp op : {before, after})
    if (op)
      scale = scale * op.getFactor();
  return MaskedScores{einsum, mask, scale};
}

static SharedHeads matchSharedHeads(Value heads) {
  if (auto repeat = heads.getDefiningOp<RepeatHeadsOp>())
    return {repeat.getInput(), repeat.getTimes()};
  return {heads, 1};
}

namespace {
struct FuseScoresAndWeightedSum : OpRewritePattern<EinsumOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(EinsumOp sum,
                                PatternRewriter &rewriter) const override {
    if (!isEquation(sum, "hts,she->the"))
      return rewriter.notifyMatchFailure(sum, "is no weighted sum of values");
    auto softmax = definedForOneReader<SoftmaxOp>(sum.getLhs());
    if (!softmax)
      return rewriter.notifyMatchFailure(sum, "weights are no softmax");
    std::optional<MaskedScores> scores = matchMaskedScores(softmax.getInput());
    if (!scores)
      return rewriter.notifyMatchFailure(sum, "softmax of no masked scores");
    if (!isEquation(scores->product, "thd,shd->hts"))
      return rewriter.notifyMatchFailure(sum, "scores are no product of heads");

    SharedHeads keys = matchSharedHeads(scores->product.getRhs());
    SharedHeads values = matchSharedHeads(sum.getRhs());
    if (keys.times != values.times)
      return rewriter.notifyMatchFailure(
          sum, "keys and values are shared by different numbers of heads");

    Location loc =
        rewriter.getFusedLoc({scores->product.getLoc(), scores->mask.getLoc(),
                              softmax.getLoc(), sum.getLoc()});
    auto fused = AttentionOp::create(
        rewriter, loc, sum.getType(), scores->product.getLhs(), keys.heads,
        values.heads, scores->mask.getQueryPositions(),
        scores->mask.getKeyPositions(),
        rewriter.getF64FloatAttr(scores->scale.convertToDouble()));
    rewriter.replaceOp(sum, fused);
    return success();
  }
};

struct FuseAttention : tcc::impl::FuseAttentionPassBase<FuseAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseScoresAndWeightedSum>(&getContext());
    // One walk suffices: a fusion never makes another one possible.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    IRRewriter rewriter(&getContext());
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};
} // namespace
