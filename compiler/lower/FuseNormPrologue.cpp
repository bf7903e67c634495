// Computes a normalisation in the linear layers that read it, so that the
// normalised rows are never written to memory.

#include "compiler/lower/Passes.h"

#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_FUSENORMPROLOGUEPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

/// Builds `element / sqrt(mean + epsilon) * scale`.
static void buildPrologue(OpBuilder &builder, Location location, Region &region,
                          const APFloat &epsilon) {
  OpBuilder::InsertionGuard guard(builder);
  Type f32 = builder.getF32Type();
  Block *block = builder.createBlock(&region, {}, {f32, f32, f32},
                                     {location, location, location});
  Value constant = arith::ConstantOp::create(
      builder, location,
      builder.getF32FloatAttr(static_cast<float>(epsilon.convertToDouble())));
  Value shifted = arith::AddFOp::create(builder, location,
                                        block->getArgument(1), constant);
  Value factor = math::RsqrtOp::create(builder, location, shifted);
  Value normed = arith::MulFOp::create(builder, location,
                                       block->getArgument(0), factor);
  Value scaled = arith::MulFOp::create(builder, location, normed,
                                       block->getArgument(2));
  kernel::YieldOp::create(builder, location, scaled);
}

namespace {
/// `Kernel` is a linear layer or one of experts.
template <typename Kernel>
struct FuseNormIntoLinear : OpRewritePattern<Kernel> {
  using OpRewritePattern<Kernel>::OpRewritePattern;

  LogicalResult matchAndRewrite(Kernel op,
                                PatternRewriter &rewriter) const override {
    auto norm = op.getInput().template getDefiningOp<transformer::RMSNormOp>();
    if (!norm || !op.getPrologue().empty())
      return rewriter.notifyMatchFailure(op, "input is no normalisation");
    auto configuration =
        cast<kernel::LinearConfigAttrInterface>(op.getConfiguration());
    if (!configuration.takesPrologue())
      return rewriter.notifyMatchFailure(op, "has no code for a prologue");
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(norm.getInput());
      op.getPrologueOperandsMutable().assign(norm.getWeight());
      op.setMeanSquare(true);
      buildPrologue(rewriter, norm.getLoc(), op.getPrologue(),
                    norm.getEpsilon());
    });
    // Sizes may be asked of the input as well, which has the same shape.
    rewriter.replaceUsesWithIf(norm, norm.getInput(), [](OpOperand &use) {
      return isa<tensor::DimOp>(use.getOwner());
    });
    if (norm->use_empty())
      rewriter.eraseOp(norm);
    return success();
  }
};

struct FuseNormPrologue : tcc::impl::FuseNormProloguePassBase<FuseNormPrologue> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseNormIntoLinear<kernel::LinearOp>,
                 FuseNormIntoLinear<kernel::GroupedLinearOp>>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
