// Sorts tokens by the experts that were chosen for them, so that the weights of
// an expert are read once for all of its tokens.

#include "compiler/graph/Matching.h"
#include "compiler/graph/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_DISPATCHEXPERTSPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::transformer;

//===----------------------------------------------------------------------===//
// What must hold
//===----------------------------------------------------------------------===//

namespace {
/// What one weighted sum over the experts of a token is made of.
struct ExpertSum {
  EinsumOp sum;
  llvm::SetVector<Operation *> ops; ///< All that compute [T, J, N].
  Value experts;                    ///< [T, J]
  int64_t count = 0;                ///< Experts in every weight.
};
} // namespace

/// Adds `linear` to `tree`; returns its operands that have a row for each
/// expert of a token, or nothing if it cannot be sorted with the others.
static FailureOr<SmallVector<Value>> addLinear(ExpertSum &tree,
                                               ExpertLinearOp linear) {
  int64_t count = linear.getWeight().getType().getDimSize(0);
  if (!tree.experts) {
    tree.experts = linear.getExperts();
    tree.count = count;
  }
  if (linear.getExperts() != tree.experts || count != tree.count ||
      ShapedType::isDynamic(count))
    return failure();
  if (linear.getInput().getType().getRank() == 2)
    return SmallVector<Value>();
  return SmallVector<Value>{linear.getInput()};
}

/// Adds `op` to `tree`; returns its operands as above.
static FailureOr<SmallVector<Value>> addOp(ExpertSum &tree, Operation *op) {
  if (!op || op->getBlock() != tree.sum->getBlock())
    return failure();
  tree.ops.insert(op);
  if (auto linear = dyn_cast<ExpertLinearOp>(op))
    return addLinear(tree, linear);
  auto isRows = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getRank() == 3;
  };
  if (!op->hasTrait<OpTrait::Elementwise>() || op->getNumResults() != 1 ||
      !llvm::all_of(op->getOperandTypes(), isRows))
    return failure();
  return SmallVector<Value>(op->getOperands());
}

/// Finds what computes the operand of `sum`, from rows of tokens on.
static FailureOr<ExpertSum> matchExperts(EinsumOp sum) {
  if (!isEquation(sum, "tj,tjn->tn"))
    return failure();
  ExpertSum tree;
  tree.sum = sum;
  SmallVector<Value> worklist = {sum.getRhs()};
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val().getDefiningOp();
    if (tree.ops.contains(op))
      continue;
    FailureOr<SmallVector<Value>> operands = addOp(tree, op);
    if (failed(operands))
      return failure();
    worklist.append(*operands);
  }
  for (Operation *op : tree.ops)
    for (Operation *reader : op->getUsers())
      if (reader != sum && !tree.ops.contains(reader))
        return failure();
  return tree;
}

//===----------------------------------------------------------------------===//
// The rewrite
//===----------------------------------------------------------------------===//

namespace {
/// Writes the ops of an ExpertSum for rows [M, N] in the order of experts.
class RowBuilder {
public:
  RowBuilder(RewriterBase &rewriter, Value experts, int64_t count);

  void build(Operation *op);
  void replace(EinsumOp sum);

private:
  /// The type of `value` [T, J, N] or [T, N] with a row for each pair.
  RankedTensorType rowsLike(Value value);
  Value gather(Value tokens);
  Value buildLinear(ExpertLinearOp linear);

  RewriterBase &rewriter;
  DispatchOp dispatch;
  IRMapping rows;
};
} // namespace

RowBuilder::RowBuilder(RewriterBase &rewriter, Value experts, int64_t count)
    : rewriter(rewriter) {
  auto type = cast<RankedTensorType>(experts.getType());
  int64_t pairs =
      type.hasStaticShape() ? type.getNumElements() : ShapedType::kDynamic;
  dispatch = DispatchOp::create(rewriter, experts.getLoc(), type.clone({pairs}),
                                type, type.clone({count + 1}), experts);
}

RankedTensorType RowBuilder::rowsLike(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  int64_t pairs = dispatch.getRows().getType().getDimSize(0);
  return type.clone({pairs, type.getShape().back()});
}

/// The rows of `tokens` [T, K] for each pair, which its readers share.
Value RowBuilder::gather(Value tokens) {
  if (!rows.contains(tokens))
    rows.map(tokens,
             GatherRowsOp::create(rewriter, tokens.getLoc(), rowsLike(tokens),
                                  tokens, dispatch.getRows()));
  return rows.lookup(tokens);
}

Value RowBuilder::buildLinear(ExpertLinearOp linear) {
  Value input = linear.getInput();
  input = linear.getInput().getType().getRank() == 2 ? gather(input)
                                                     : rows.lookup(input);
  return GroupedLinearOp::create(rewriter, linear.getLoc(), rowsLike(linear),
                                 input, linear.getWeight(),
                                 dispatch.getOffsets());
}

void RowBuilder::build(Operation *op) {
  Value result = op->getResult(0);
  if (auto linear = dyn_cast<ExpertLinearOp>(op))
    return rows.map(result, buildLinear(linear));
  RankedTensorType type = rowsLike(result);
  rewriter.clone(*op, rows)->getResult(0).setType(type);
}

void RowBuilder::replace(EinsumOp sum) {
  rewriter.replaceOpWithNewOp<CombineOp>(sum, sum.getType(),
                                         rows.lookup(sum.getRhs()),
                                         dispatch.getPlaces(), sum.getLhs());
}

static void sortByExperts(RewriterBase &rewriter, const ExpertSum &tree) {
  SmallVector<Operation *> ops(tree.ops.getArrayRef());
  llvm::sort(ops,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  rewriter.setInsertionPoint(tree.sum);
  RowBuilder builder(rewriter, tree.experts, tree.count);
  for (Operation *op : ops)
    builder.build(op);
  builder.replace(tree.sum);
}

namespace {
struct DispatchExperts : tcc::impl::DispatchExpertsPassBase<DispatchExperts> {
  void runOnOperation() override {
    SmallVector<ExpertSum> sums;
    getOperation().walk([&](EinsumOp sum) {
      if (FailureOr<ExpertSum> tree = matchExperts(sum); succeeded(tree))
        sums.push_back(std::move(*tree));
    });
    IRRewriter rewriter(&getContext());
    for (const ExpertSum &tree : sums)
      sortByExperts(rewriter, tree);
    (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};
} // namespace
