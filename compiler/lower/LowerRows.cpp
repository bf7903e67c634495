// Lowers the ops that work on single rows: embedding, selection and
// normalisation.

#include "compiler/lower/Passes.h"

#include "compiler/lower/Rows.h"
#include "compiler/target/CostModel.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERROWSPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

namespace {
struct LowerEmbedding : OpRewritePattern<transformer::EmbeddingOp> {
  LowerEmbedding(MLIRContext *context, const CostModel &costs)
      : OpRewritePattern(context), costs(costs) {}

  LogicalResult matchAndRewrite(transformer::EmbeddingOp op,
                                PatternRewriter &rewriter) const override {
    Value destination =
        createDestination(rewriter, op.getLoc(), op.getType(), op.getTokens());
    kernel::PackingAttrInterface packing =
        costs.choosePacking(op.getTable().getType(), /*paired=*/false);
    rewriter.replaceOpWithNewOp<kernel::EmbeddingOp>(
        op, op.getType(), op.getTokens(), op.getTable(), destination, packing);
    return success();
  }

  const CostModel &costs;
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

/// The rows that all readers of `value` compute; null for all or if they do not
/// agree.
static Attribute rowsOfReaders(Value value) {
  Attribute common;
  for (Operation *user : value.getUsers()) {
    if (isa<tensor::DimOp>(user))
      continue;
    Attribute rows = user->getAttr(kernel::rowsAttribute);
    if (!rows || (common && rows != common))
      return {};
    common = rows;
  }
  return common;
}

/// Replaces `root`, rows normalised as `norms` say and laid side by side.
static void lowerNorms(PatternRewriter &rewriter, Operation *root,
                       ArrayRef<transformer::RMSNormOp> norms) {
  SmallVector<Value> inputs, weights;
  for (transformer::RMSNormOp norm : norms) {
    inputs.push_back(norm.getInput());
    weights.push_back(norm.getWeight());
  }
  auto type = cast<RankedTensorType>(root->getResult(0).getType());
  Attribute rows = rowsOfReaders(root->getResult(0));
  auto kernelOp = rewriter.replaceOpWithNewOp<kernel::RMSNormOp>(
      root, type, inputs, weights,
      createDestination(rewriter, root->getLoc(), type, inputs.front()),
      transformer::RMSNormOp(norms.front()).getEpsilonAttr());
  if (rows)
    kernelOp->setAttr(kernel::rowsAttribute, rows);
}

struct LowerNormsSideBySide : OpRewritePattern<tensor::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ConcatOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<transformer::RMSNormOp> norms;
    for (Value input : op.getInputs())
      norms.push_back(input.getDefiningOp<transformer::RMSNormOp>());
    if (op.getDim() != 1 || op.getResultType().getRank() != 2 ||
        llvm::any_of(norms, [&](transformer::RMSNormOp norm) {
          return !norm || norm.getEpsilon() != norms.front().getEpsilon();
        }))
      return rewriter.notifyMatchFailure(op, "not all parts are normalised");
    lowerNorms(rewriter, op, norms);
    // One norm may stand in several places.
    for (transformer::RMSNormOp norm :
         llvm::SetVector<transformer::RMSNormOp>(norms.begin(), norms.end()))
      if (norm->use_empty())
        rewriter.eraseOp(norm);
    return success();
  }
};

struct LowerNorm : OpRewritePattern<transformer::RMSNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(transformer::RMSNormOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getType().getRank() != 2)
      return rewriter.notifyMatchFailure(op, "not rows");
    lowerNorms(rewriter, op, op);
    return success();
  }
};

struct LowerRows : tcc::impl::LowerRowsPassBase<LowerRows> {
  using LowerRowsPassBase::LowerRowsPassBase;

  void runOnOperation() override {
    std::unique_ptr<CostModel> costs = createCostModel(march, getOperation());
    if (!costs)
      return signalPassFailure();
    RewritePatternSet joining(&getContext());
    joining.add<LowerNormsSideBySide>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(joining));
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerEmbedding>(&getContext(), *costs);
    patterns.add<LowerGatherRows, LowerNorm>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
