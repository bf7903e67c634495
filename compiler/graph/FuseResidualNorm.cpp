// Fuses a residual addition into the normalisation that reads it, so that the
// sum is normalised before it leaves registers.

#include "compiler/graph/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_FUSERESIDUALNORMPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc::transformer;

namespace {
struct FuseResidualIntoNorm : OpRewritePattern<RMSNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RMSNormOp norm,
                                PatternRewriter &rewriter) const override {
    auto add = norm.getInput().getDefiningOp<arith::AddFOp>();
    if (!add)
      return rewriter.notifyMatchFailure(norm, "input is not an addition");
    if (add.getFastmath() != arith::FastMathFlags::none)
      return rewriter.notifyMatchFailure(norm, "addition has fast-math flags");
    // The fused op takes the place of the normalisation: its weight is often
    // defined after the sum.
    DominanceInfo dominance;
    for (Operation *reader : add->getUsers())
      if (reader != norm &&
          !dominance.properlyDominates(norm.getOperation(), reader))
        return rewriter.notifyMatchFailure(norm, "sum is read before");

    auto fused = ResidualRMSNormOp::create(
        rewriter, rewriter.getFusedLoc({add.getLoc(), norm.getLoc()}),
        add.getType(), norm.getType(), add.getLhs(), add.getRhs(),
        norm.getWeight(), norm.getEpsilonAttr());
    rewriter.replaceOp(norm, fused.getResult());
    rewriter.replaceOp(add, fused.getSum());
    return success();
  }
};

struct FuseResidualNorm
    : tcc::impl::FuseResidualNormPassBase<FuseResidualNorm> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseResidualIntoNorm>(&getContext());
    // One walk suffices: a fusion never makes another one possible.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
