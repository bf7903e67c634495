// Lowers the ops that copy rows: embedding and selection.

#include "compiler/lower/Passes.h"

#include "compiler/lower/Rows.h"
#include "compiler/target/x86/CostModel.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERROWSPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

namespace {
struct LowerEmbedding : OpRewritePattern<transformer::EmbeddingOp> {
  LowerEmbedding(MLIRContext *context, const x86::TargetDescription &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(transformer::EmbeddingOp op,
                                PatternRewriter &rewriter) const override {
    Value destination =
        createDestination(rewriter, op.getLoc(), op.getType(), op.getTokens());
    kernel::PackingAttr packing =
        x86::choosePacking(target, op.getTable().getType(), /*paired=*/false);
    rewriter.replaceOpWithNewOp<kernel::EmbeddingOp>(
        op, op.getType(), op.getTokens(), op.getTable(), destination, packing);
    return success();
  }

  const x86::TargetDescription &target;
};

struct LowerGatherRows : OpRewritePattern<transformer::GatherRowsOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(transformer::GatherRowsOp op,
                                PatternRewriter &rewriter) const override {
    Value destination =
        createDestination(rewriter, op.getLoc(), op.getType(), op.getRows());
    rewriter.replaceOpWithNewOp<kernel::GatherRowsOp>(
        op, op.getType(), op.getInput(), op.getRows(), destination);
    return success();
  }
};

struct LowerRows : tcc::impl::LowerRowsPassBase<LowerRows> {
  using LowerRowsPassBase::LowerRowsPassBase;

  void runOnOperation() override {
    FailureOr<x86::TargetDescription> target =
        x86::describeTarget(march, getOperation().getLoc());
    if (failed(target))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerEmbedding>(&getContext(), *target);
    patterns.add<LowerGatherRows>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
