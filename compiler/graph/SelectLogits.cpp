// Computes the logits of the rows that are asked for and no others. Generating
// needs one row of a prefill; the vocabulary's weights are a fifth of the
// smallest models.

#include "compiler/graph/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_SELECTLOGITSPASS
#include "compiler/graph/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc::transformer;

/// Builds the rows `rows` of `input`.
static Value selectRows(RewriterBase &rewriter, Location loc, Value input,
                        Value rows) {
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = cast<RankedTensorType>(rows.getType()).getDimSize(0);
  return GatherRowsOp::create(rewriter, loc, type.clone(shape), input, rows);
}

/// Computes the selected rows of `op`'s result from selected rows of its
/// operands; returns the operands' selections.
static SmallVector<GatherRowsOp> selectOperands(RewriterBase &rewriter,
                                                GatherRowsOp select,
                                                RowwiseOpInterface op) {
  rewriter.setInsertionPoint(select);
  SmallVector<GatherRowsOp> selections;
  IRMapping mapping;
  for (OpOperand *operand : op.getRowOperands()) {
    Value rows =
        selectRows(rewriter, select.getLoc(), operand->get(), select.getRows());
    mapping.map(operand->get(), rows);
    selections.push_back(rows.getDefiningOp<GatherRowsOp>());
  }
  Operation *selected = rewriter.clone(*op, mapping);
  selected->getResult(0).setType(select.getType());
  rewriter.replaceOp(select, selected);
  rewriter.eraseOp(op);
  return selections;
}

/// Moves `select` up through ops that work row by row, as far as it goes.
static void moveUp(RewriterBase &rewriter, GatherRowsOp select) {
  SmallVector<GatherRowsOp> worklist = {select};
  while (!worklist.empty()) {
    GatherRowsOp current = worklist.pop_back_val();
    auto op = current.getInput().getDefiningOp<RowwiseOpInterface>();
    if (op && op->getNumResults() == 1 && op->hasOneUse())
      worklist.append(selectOperands(rewriter, current, op));
  }
}

/// Checks what the description of the pass says of @forward.
static LogicalResult verifyForward(ModuleOp module, func::FuncOp forward) {
  if (!forward)
    return module.emitError("expected a function @forward");
  if (!SymbolTable::symbolKnownUseEmpty(forward, module))
    return forward.emitOpError("expected no calls of @forward");
  if (!forward.getBody().hasOneBlock())
    return forward.emitOpError("expected @forward to have one block, got ")
           << forward.getBody().getBlocks().size();
  auto type = forward.getNumResults() == 1
                  ? dyn_cast<RankedTensorType>(forward.getResultTypes()[0])
                  : RankedTensorType();
  if (!type || type.getRank() == 0 || !type.isDynamicDim(0))
    return forward.emitOpError("expected @forward to return one tensor with a "
                               "dynamic number of rows, got ")
           << forward.getResultTypes();
  return success();
}

namespace {
struct SelectLogits : tcc::impl::SelectLogitsPassBase<SelectLogits> {
  void runOnOperation() override {
    auto forward = getOperation().lookupSymbol<func::FuncOp>("forward");
    if (failed(verifyForward(getOperation(), forward)))
      return signalPassFailure();

    auto rowsType = RankedTensorType::get({ShapedType::kDynamic},
                                          IntegerType::get(&getContext(), 32));
    unsigned last = forward.getNumArguments();
    if (failed(forward.insertArgument(last, rowsType, {}, forward.getLoc())))
      return signalPassFailure();

    Operation *end = forward.getBody().front().getTerminator();
    IRRewriter rewriter(end);
    Value logits = end->getOperand(0);
    Value selected = selectRows(rewriter, logits.getLoc(), logits,
                                forward.getArgument(last));
    rewriter.modifyOpInPlace(end, [&] { end->setOperand(0, selected); });
    moveUp(rewriter, selected.getDefiningOp<GatherRowsOp>());
  }
};
} // namespace
