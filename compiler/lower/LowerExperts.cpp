// Lowers a mixture of experts: what a router decides, where each expert's rows
// are, what experts compute and how it is added up.

#include "compiler/lower/Passes.h"

#include "compiler/lower/Epilogue.h"
#include "compiler/lower/Rows.h"
#include "compiler/target/CostModel.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWEREXPERTSPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

namespace {
struct LowerRoute : OpRewritePattern<transformer::RouteOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(transformer::RouteOp op,
                                PatternRewriter &rewriter) const override {
    Location location = op.getLoc();
    auto experts = cast<RankedTensorType>(op.getExperts().getType());
    auto weights = cast<RankedTensorType>(op.getWeights().getType());
    Value logits = op.getLogits();
    rewriter.replaceOpWithNewOp<kernel::RouteOp>(
        op, op->getResultTypes(), logits, op.getBias(),
        createDestination(rewriter, location, experts, logits),
        createDestination(rewriter, location, weights, logits),
        kernel::symbolizeScoring(static_cast<uint32_t>(op.getScoring())).value(),
        op.getGroups(), op.getKeep(), op.getTop(), op.getNormalizeAttr(),
        op.getScale());
    return success();
  }
};

struct LowerDispatch : OpRewritePattern<transformer::DispatchOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(transformer::DispatchOp op,
                                PatternRewriter &rewriter) const override {
    Location location = op.getLoc();
    Value experts = op.getExperts();
    auto type = cast<RankedTensorType>(experts.getType());
    Value tokens = tensor::DimOp::create(rewriter, location, experts, 0);
    Value chosen = arith::ConstantIndexOp::create(rewriter, location,
                                                  type.getDimSize(1));
    Value pairs = arith::MulIOp::create(rewriter, location, tokens, chosen);
    rewriter.replaceOpWithNewOp<kernel::DispatchOp>(
        op, op->getResultTypes(), experts,
        tensor::EmptyOp::create(rewriter, location, op.getRows().getType(),
                                pairs),
        createDestination(rewriter, location, type, experts),
        createDestination(rewriter, location,
                          cast<RankedTensorType>(op.getOffsets().getType()),
                          experts));
    return success();
  }
};

/// Replaces `root` by a kernel of `linear`, which gathers its rows itself.
class GroupedLinearLowering {
public:
  GroupedLinearLowering(const CostModel &costs, bool fp8Activations)
      : costs(costs), fp8Activations(fp8Activations) {}

  void lower(PatternRewriter &rewriter, Operation *root,
             transformer::GroupedLinearOp linear, Epilogue epilogue) const {
    auto type = cast<RankedTensorType>(root->getResult(0).getType());
    Location location =
        rewriter.getFusedLoc({linear.getLoc(), root->getLoc()});
    Value input = linear.getInput(), rows;
    auto gather = input.getDefiningOp<transformer::GatherRowsOp>();
    if (gather) {
      input = gather.getInput();
      rows = gather.getRows();
    }
    RankedTensorType weight = linear.getWeight().getType();
    auto matrix = RankedTensorType::get(weight.getShape().drop_front(),
                                        weight.getElementType());
    Type operand =
        chooseOperand(costs, input, linear.getWeight(), fp8Activations);
    input = findUnrounded(input);
    auto packing = costs.choosePacking(matrix, epilogue.paired);
    auto kernelOp = kernel::GroupedLinearOp::create(
        rewriter, location, type, input, rows, linear.getWeight(),
        linear.getOffsets(),
        createDestination(rewriter, location, type, rows ? rows : input),
        /*prologue_operands=*/ValueRange(), TypeAttr::get(operand), packing,
        costs.chooseLinear(matrix, operand, packing),
        /*mean_square=*/nullptr);
    buildEpilogue(rewriter, location, kernelOp.getEpilogue(), epilogue);
    rewriter.replaceOp(root, kernelOp->getResults());
    if (root != linear)
      rewriter.eraseOp(linear);
    if (gather && gather->use_empty())
      rewriter.eraseOp(gather);
  }

private:
  const CostModel &costs;
  bool fp8Activations;
};

struct LowerGatedExperts : OpRewritePattern<transformer::SwigluOp> {
  LowerGatedExperts(MLIRContext *context, const GroupedLinearLowering &lowering)
      : OpRewritePattern(context), lowering(lowering) {}

  LogicalResult matchAndRewrite(transformer::SwigluOp op,
                                PatternRewriter &rewriter) const override {
    auto linear = op.getInput().getDefiningOp<transformer::GroupedLinearOp>();
    if (!linear || !linear->hasOneUse())
      return rewriter.notifyMatchFailure(op, "input is no grouped layer");
    Epilogue epilogue;
    epilogue.paired = epilogue.gated = true;
    lowering.lower(rewriter, op, linear, epilogue);
    return success();
  }

  GroupedLinearLowering lowering;
};

struct LowerExpertsAlone : OpRewritePattern<transformer::GroupedLinearOp> {
  LowerExpertsAlone(MLIRContext *context, const GroupedLinearLowering &lowering)
      : OpRewritePattern(context), lowering(lowering) {}

  LogicalResult matchAndRewrite(transformer::GroupedLinearOp op,
                                PatternRewriter &rewriter) const override {
    lowering.lower(rewriter, op, op, {});
    return success();
  }

  GroupedLinearLowering lowering;
};
} // namespace

/// Replaces `root`, the sum of `combine` and `addends`, by a kernel.
static void lowerCombine(PatternRewriter &rewriter, Operation *root,
                         transformer::CombineOp combine, ValueRange addends) {
  auto type = cast<RankedTensorType>(root->getResult(0).getType());
  Location location = rewriter.getFusedLoc({combine.getLoc(), root->getLoc()});
  auto kernelOp = kernel::CombineOp::create(
      rewriter, location, type, combine.getInput(), combine.getPlaces(),
      combine.getWeights(), addends,
      createDestination(rewriter, location, type, combine.getPlaces()));
  rewriter.replaceOp(root, kernelOp->getResults());
  if (root != combine)
    rewriter.eraseOp(combine);
}

namespace {
struct LowerCombineAddition : OpRewritePattern<arith::AddFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::AddFOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [sum, other] : {std::pair(op.getRhs(), op.getLhs()),
                              std::pair(op.getLhs(), op.getRhs())})
      if (auto combine = sum.getDefiningOp<transformer::CombineOp>();
          combine && combine->hasOneUse()) {
        lowerCombine(rewriter, op, combine, other);
        return success();
      }
    return rewriter.notifyMatchFailure(op, "no operand is a combination");
  }
};

struct LowerCombineAlone : OpRewritePattern<transformer::CombineOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(transformer::CombineOp op,
                                PatternRewriter &rewriter) const override {
    lowerCombine(rewriter, op, op, {});
    return success();
  }
};

struct LowerExperts : tcc::impl::LowerExpertsPassBase<LowerExperts> {
  using LowerExpertsPassBase::LowerExpertsPassBase;

  void runOnOperation() override {
    std::unique_ptr<CostModel> costs = createCostModel(march, getOperation());
    if (!costs)
      return signalPassFailure();
    GroupedLinearLowering lowering(*costs, fp8Activations);
    // Two walks: what has a reader that takes it must not be lowered alone.
    RewritePatternSet fusing(&getContext());
    fusing.add<LowerGatedExperts>(&getContext(), lowering);
    fusing.add<LowerCombineAddition>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(fusing));
    RewritePatternSet alone(&getContext());
    alone.add<LowerExpertsAlone>(&getContext(), lowering);
    alone.add<LowerRoute, LowerDispatch, LowerCombineAlone>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(alone));
  }
};
} // namespace
