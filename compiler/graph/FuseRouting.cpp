// Fuses the ops of a router into one, so that the scores of all experts are no
// tensor: a kernel holds those of one token at a time.

#include "compiler/graph/Matching.h"
#include "compiler/graph/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_FUSEROUTINGPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

namespace {
/// Scores of experts and what they are computed from.
struct Scores {
  Scoring scoring;
  Value logits;
};
} // namespace

static std::optional<Scores> matchScores(Value scores) {
  if (auto sigmoid = scores.getDefiningOp<SigmoidOp>())
    return Scores{Scoring::Sigmoid, sigmoid.getInput()};
  if (auto softmax = scores.getDefiningOp<SoftmaxOp>())
    return Scores{Scoring::Softmax, softmax.getInput()};
  return std::nullopt;
}

/// The bias before it was widened to f32, which is exact.
static Value narrowBias(Value bias) {
  auto widened = bias ? bias.getDefiningOp<arith::ExtFOp>() : arith::ExtFOp();
  return widened ? widened.getIn() : bias;
}

namespace {
struct FuseScoresAndSelection : OpRewritePattern<GatherColumnsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherColumnsOp chosen,
                                PatternRewriter &rewriter) const override {
    auto select = chosen.getColumns().getDefiningOp<SelectExpertsOp>();
    if (!select || select.getScores() != chosen.getInput())
      return rewriter.notifyMatchFailure(chosen, "are no scores of experts "
                                                 "that were chosen by them");
    std::optional<Scores> scores = matchScores(select.getScores());
    if (!scores)
      return rewriter.notifyMatchFailure(chosen, "neither sigmoid nor softmax");
    if (!chosen.getType().getElementType().isF32())
      return rewriter.notifyMatchFailure(chosen, "scores are not f32");
    if (!select.getScores().hasNUses(2))
      return rewriter.notifyMatchFailure(chosen, "scores have other readers");

    Value weights = chosen;
    auto norm = onlyReader<SumNormOp>(weights);
    if (norm)
      weights = norm;
    auto scale = onlyReader<ScaleOp>(weights);
    if (scale)
      weights = scale;

    // Whatever reads the weights stands behind the choice.
    rewriter.setInsertionPoint(select);
    Location loc = rewriter.getFusedLoc(
        {select.getScores().getLoc(), select.getLoc(), weights.getLoc()});
    auto route = RouteOp::create(
        rewriter, loc, select.getType(), chosen.getType(), scores->logits,
        narrowBias(select.getBias()), scores->scoring, select.getGroups(),
        select.getKeep(), select.getTop(),
        norm ? norm.getEpsilonAttr() : FloatAttr(),
        scale ? scale.getFactor() : APFloat(1.0));
    rewriter.replaceAllUsesWith(weights, route.getWeights());
    rewriter.replaceOp(select, route.getExperts());
    return success();
  }
};

struct FuseRouting : tcc::impl::FuseRoutingPassBase<FuseRouting> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseScoresAndSelection>(&getContext());
    // One walk suffices: a fusion never makes another one possible.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    IRRewriter rewriter(&getContext());
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};
} // namespace
