// Fuses the gate of an MLP, its product with the other half and the rounding of
// the product, so that the [T, 2I] values are read once and [T, I] written.

#include "compiler/graph/Matching.h"
#include "compiler/graph/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_FUSESWIGLUPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

/// The tensor of which `gate` is the first half of the columns and `up` the
/// second, or null.
static Value matchHalves(Value gate, Value up) {
  auto first = gate.getDefiningOp<tensor::ExtractSliceOp>();
  auto second = up.getDefiningOp<tensor::ExtractSliceOp>();
  if (!first || !second || first.getSource() != second.getSource() ||
      first.getType() != second.getType() || first.getType().getRank() != 2)
    return {};
  int64_t columns = first.getType().getDimSize(1);
  if (first.getSourceType().getShape().back() != 2 * columns ||
      !isColumns(first, 0) || !isColumns(second, columns))
    return {};
  return first.getSource();
}

/// Whether the only reader of `product` rounds it to nearest.
static bool isOnlyRounded(arith::MulFOp product) {
  if (!product->hasOneUse())
    return false;
  auto rounding = dyn_cast<arith::TruncFOp>(*product->user_begin());
  return rounding && isPlain(rounding);
}

/// The tensor whose swiglu `product` is, or null.
static Value matchSwiglu(arith::MulFOp product) {
  // A product in a smaller type, or a silu in one, rounds once more than
  // swiglu.
  auto type = dyn_cast<RankedTensorType>(product.getType());
  if (!type || !type.getElementType().isF32() ||
      product.getFastmath() != arith::FastMathFlags::none)
    return {};
  for (auto [open, up] : {std::pair(product.getLhs(), product.getRhs()),
                          std::pair(product.getRhs(), product.getLhs())})
    if (auto silu = open.getDefiningOp<SiluOp>())
      if (silu->hasOneUse())
        if (Value both = matchHalves(silu.getInput(), up))
          return both;
  return {};
}

namespace {
struct FuseGateIntoProduct : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::MulFOp product,
                                PatternRewriter &rewriter) const override {
    if (isOnlyRounded(product))
      return rewriter.notifyMatchFailure(product, "its rounding is fused too");
    Value both = matchSwiglu(product);
    if (!both)
      return rewriter.notifyMatchFailure(product, "is no gated half");
    rewriter.replaceOpWithNewOp<SwigluOp>(product, product.getType(), both);
    return success();
  }
};

struct FuseGateIntoRounding : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp rounding,
                                PatternRewriter &rewriter) const override {
    auto product = rounding.getIn().getDefiningOp<arith::MulFOp>();
    if (!product || !isOnlyRounded(product))
      return rewriter.notifyMatchFailure(rounding, "rounds no product");
    Value both = matchSwiglu(product);
    if (!both)
      return rewriter.notifyMatchFailure(rounding, "is no gated half");
    rewriter.replaceOpWithNewOp<SwigluOp>(rounding, rounding.getType(), both);
    return success();
  }
};

struct FuseSwiglu : tcc::impl::FuseSwigluPassBase<FuseSwiglu> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseGateIntoProduct, FuseGateIntoRounding>(&getContext());
    // One walk suffices: a fusion never makes another one possible.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    IRRewriter rewriter(&getContext());
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};
} // namespace
