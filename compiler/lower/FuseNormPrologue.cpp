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

/// The normalisation that is the input of a kernel with operands of type
/// `operand`, or null. Rounding to that type is what the kernel does anyway.
static transformer::RMSNormOp findNorm(Value input, Type operand) {
  if (auto round = input.getDefiningOp<arith::TruncFOp>();
      round && operand.isBF16())
    input = round.getIn();
  return input.getDefiningOp<transformer::RMSNormOp>();
}

/// Erases `op` if nobody but a question for its size reads it: `input` has the
/// same.
static void eraseIfUnused(PatternRewriter &rewriter, Operation *op,
                          Value input) {
  rewriter.replaceUsesWithIf(op->getResult(0), input, [](OpOperand &use) {
    return isa<tensor::DimOp>(use.getOwner());
  });
  if (op->use_empty())
    rewriter.eraseOp(op);
}

namespace {
/// `Kernel` is a linear layer or one of experts.
template <typename Kernel>
struct FuseNormIntoLinear : OpRewritePattern<Kernel> {
  using OpRewritePattern<Kernel>::OpRewritePattern;

  LogicalResult matchAndRewrite(Kernel op,
                                PatternRewriter &rewriter) const override {
    Value input = op.getInput();
    transformer::RMSNormOp norm = findNorm(input, op.getOperand());
    if (!norm || !op.getPrologue().empty())
      return rewriter.notifyMatchFailure(op, "input is no normalisation");
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(norm.getInput());
      op.getPrologueOperandsMutable().assign(norm.getWeight());
      op.setMeanSquare(true);
      buildPrologue(rewriter, norm.getLoc(), op.getPrologue(),
                    norm.getEpsilon());
    });
    if (auto round = input.getDefiningOp<arith::TruncFOp>())
      eraseIfUnused(rewriter, round, norm.getInput());
    eraseIfUnused(rewriter, norm, norm.getInput());
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
