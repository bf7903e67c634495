// Lowers linear layers together with what reads their result: bias, gated unit,
// residual addition. What is added while a sum is in registers is never written
// and read again.

#include "compiler/lower/Passes.h"

#include "compiler/lower/Epilogue.h"
#include "compiler/lower/Rows.h"
#include "compiler/target/CostModel.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_LOWERLINEARPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

/// The halves of a bias that is one vector over both halves of a paired weight.
static FailureOr<SmallVector<Value>> splitBias(PatternRewriter &rewriter,
                                               Value bias) {
  auto getWeight = bias.getDefiningOp<transformer::GetWeightOp>();
  if (!getWeight || getWeight.getWeights().size() != 2)
    return failure();
  SmallVector<int64_t> shape = {getWeight.getType().getDimSize(0) / 2};
  SmallVector<Value> halves;
  for (Attribute symbol : getWeight.getWeights())
    halves.push_back(transformer::GetWeightOp::create(
        rewriter, bias.getLoc(), getWeight.getType().clone(shape),
        rewriter.getArrayAttr({symbol}), getWeight.getLayer()));
  return halves;
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// The linear layer that alone makes `value` and that nothing else reads.
static transformer::LinearOp soleLinear(Value value) {
  auto linear = value.getDefiningOp<transformer::LinearOp>();
  return linear && linear->hasOneUse() ? linear : nullptr;
}

namespace {
/// Replaces `root` by a kernel of `linear` with `epilogue`.
class LinearLowering {
public:
  LinearLowering(const CostModel &costs, bool fp8Activations)
      : costs(costs), fp8Activations(fp8Activations) {}

  LogicalResult lower(PatternRewriter &rewriter, Operation *root,
                      transformer::LinearOp linear, Epilogue epilogue) const {
    if (Value bias = linear.getBias()) {
      SmallVector<Value> biases = {bias};
      if (epilogue.paired) {
        FailureOr<SmallVector<Value>> halves = splitBias(rewriter, bias);
        if (failed(halves))
          return rewriter.notifyMatchFailure(root, "bias is not two weights");
        biases = *halves;
      }
      epilogue.biased = true;
      epilogue.operands.insert(epilogue.operands.begin(), biases.begin(),
                               biases.end());
    }
    rewriter.replaceOp(root, lowerForms(rewriter, root, linear, epilogue));
    if (root == linear.getOperation())
      return success();
    // What is between the two is dead now.
    for (Operation *user : llvm::make_early_inc_range(linear->getUsers()))
      rewriter.eraseOp(user);
    rewriter.eraseOp(linear);
    return success();
  }

private:
  Value lowerForms(PatternRewriter &rewriter, Operation *root,
                   transformer::LinearOp linear,
                   const Epilogue &epilogue) const;

  const CostModel &costs;
  bool fp8Activations;
};
} // namespace

/// Makes the kernels of `linear`: one, or one for each form that rows may have.
Value LinearLowering::lowerForms(PatternRewriter &rewriter, Operation *root,
                                 transformer::LinearOp linear,
                                 const Epilogue &epilogue) const {
  auto type = cast<RankedTensorType>(root->getResult(0).getType());
  Location location = rewriter.getFusedLoc({linear.getLoc(), root->getLoc()});
  Type operand = chooseOperand(costs, linear.getInput(), linear.getWeight(),
                               fp8Activations);
  Value input = findUnrounded(linear.getInput());
  RankedTensorType weight = linear.getWeight().getType();
  auto packing = costs.choosePacking(weight, epilogue.paired);
  Value result = createDestination(rewriter, location, type, input);
  auto build = [&](kernel::LinearConfigAttrInterface configuration) {
    auto kernelOp = kernel::LinearOp::create(
        rewriter, location, type, input, linear.getWeight(), result,
        /*prologue_operands=*/ValueRange(), epilogue.operands,
        TypeAttr::get(operand), packing, configuration,
        /*mean_square=*/nullptr);
    buildEpilogue(rewriter, location, kernelOp.getEpilogue(), epilogue);
    result = kernelOp.getResult();
    return kernelOp;
  };
  kernel::LinearConfigAttrInterface expanded;
  // Those whose logits are asked for have one form, since steps have few.
  if (!hasLogitRows(input))
    expanded = costs.choosePromptLinear(
        weight, cast<RankedTensorType>(input.getType()), operand, packing);
  if (expanded)
    setRows(build(expanded), kernel::Rows::Expanded);
  auto last = build(costs.chooseLinear(weight, operand, packing));
  if (expanded)
    setRows(last, kernel::Rows::Absorbed);
  return result;
}

namespace {
struct LowerLinearAlone : OpRewritePattern<transformer::LinearOp> {
  LowerLinearAlone(MLIRContext *context, const LinearLowering &lowering)
      : OpRewritePattern(context), lowering(lowering) {}

  LogicalResult matchAndRewrite(transformer::LinearOp op,
                                PatternRewriter &rewriter) const override {
    return lowering.lower(rewriter, op, op, {});
  }

  LinearLowering lowering;
};

struct LowerGatedLinear : OpRewritePattern<transformer::SwigluOp> {
  LowerGatedLinear(MLIRContext *context, const LinearLowering &lowering)
      : OpRewritePattern(context), lowering(lowering) {}

  LogicalResult matchAndRewrite(transformer::SwigluOp op,
                                PatternRewriter &rewriter) const override {
    transformer::LinearOp linear = soleLinear(op.getInput());
    if (!linear)
      return rewriter.notifyMatchFailure(op, "input is no linear layer");
    Epilogue epilogue;
    epilogue.paired = epilogue.gated = true;
    return lowering.lower(rewriter, op, linear, epilogue);
  }

  LinearLowering lowering;
};

/// A gated unit whose gate is another linear layer, since the two have weights of
/// different storage: silu(gate) * value, and its rounding if there is one.
template <typename Root>
struct LowerGatedProduct : OpRewritePattern<Root> {
  LowerGatedProduct(MLIRContext *context, const LinearLowering &lowering)
      : OpRewritePattern<Root>(context), lowering(lowering) {}

  LogicalResult matchAndRewrite(Root op,
                                PatternRewriter &rewriter) const override {
    Operation *root = op;
    auto product = dyn_cast<arith::MulFOp>(root);
    if (auto rounding = dyn_cast<arith::TruncFOp>(root))
      product = rounding.getIn().template getDefiningOp<arith::MulFOp>();
    if (!product || !isa<RankedTensorType>(product.getType()))
      return rewriter.notifyMatchFailure(op, "no product of tensors");
    if (product != root ? !product->hasOneUse()
                        : llvm::any_of(product->getUsers(),
                                       llvm::IsaPred<arith::TruncFOp>))
      return rewriter.notifyMatchFailure(op, "not where the unit ends");
    Value gate = product.getLhs(), value = product.getRhs();
    if (!gate.getDefiningOp<transformer::SiluOp>())
      std::swap(gate, value);
    auto silu = gate.getDefiningOp<transformer::SiluOp>();
    transformer::LinearOp linear = soleLinear(value);
    if (!silu || !linear)
      return rewriter.notifyMatchFailure(op, "no gate times a linear layer");
    Epilogue epilogue;
    epilogue.hasGate = true;
    epilogue.operands.push_back(silu.getInput());
    if (failed(lowering.lower(rewriter, root, linear, epilogue)))
      return failure();
    if (silu->use_empty())
      rewriter.eraseOp(silu);
    return success();
  }

  LinearLowering lowering;
};

struct LowerLinearAddition : OpRewritePattern<arith::AddFOp> {
  LowerLinearAddition(MLIRContext *context, const LinearLowering &lowering)
      : OpRewritePattern(context), lowering(lowering) {}

  LogicalResult matchAndRewrite(arith::AddFOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "addition of scalars");
    transformer::LinearOp linear = soleLinear(op.getRhs());
    Value other = op.getLhs();
    if (!linear) {
      linear = soleLinear(op.getLhs());
      other = op.getRhs();
    }
    if (!linear)
      return rewriter.notifyMatchFailure(op, "no operand is a linear layer");
    Epilogue epilogue;
    epilogue.residual = true;
    epilogue.operands.push_back(other);
    return lowering.lower(rewriter, op, linear, epilogue);
  }

  LinearLowering lowering;
};

/// Takes the sum out of a normalisation, for the linear layer before it.
struct SplitResidualNorm : OpRewritePattern<transformer::ResidualRMSNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(transformer::ResidualRMSNormOp op,
                                PatternRewriter &rewriter) const override {
    Value sum = arith::AddFOp::create(rewriter, op.getLoc(), op.getInput(),
                                      op.getResidual());
    Value norm = transformer::RMSNormOp::create(
        rewriter, op.getLoc(), op.getResult().getType(), sum, op.getWeight(),
        op.getEpsilonAttr());
    rewriter.replaceOp(op, {sum, norm});
    return success();
  }
};

struct LowerLinear : tcc::impl::LowerLinearPassBase<LowerLinear> {
  using LowerLinearPassBase::LowerLinearPassBase;

  void runOnOperation() override {
    std::unique_ptr<CostModel> costs = createCostModel(march, getOperation());
    if (!costs)
      return signalPassFailure();
    LinearLowering lowering(*costs, fp8Activations);
    RewritePatternSet split(&getContext());
    split.add<SplitResidualNorm>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(split));

    // Two walks: a linear layer is lowered alone only if no reader took it.
    RewritePatternSet fusing(&getContext());
    fusing.add<LowerGatedLinear, LowerGatedProduct<arith::MulFOp>,
               LowerGatedProduct<arith::TruncFOp>, LowerLinearAddition>(
        &getContext(), lowering);
    walkAndApplyPatterns(getOperation(), std::move(fusing));
    RewritePatternSet alone(&getContext());
    alone.add<LowerLinearAlone>(&getContext(), lowering);
    walkAndApplyPatterns(getOperation(), std::move(alone));
  }
};
} // namespace
