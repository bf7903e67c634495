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

/// The operands of `op` whose row `t` is all of them that row `t` of its result
/// depends on; none if there is no such row.
static SmallVector<OpOperand *> rowOperands(Operation *op) {
  if (auto rowwise = dyn_cast<RowwiseOpInterface>(op))
    return rowwise.getRowOperands();
  SmallVector<OpOperand *> operands;
  if (op->hasTrait<OpTrait::Elementwise>())
    for (OpOperand &operand : op->getOpOperands())
      if (isa<RankedTensorType>(operand.get().getType()))
        operands.push_back(&operand);
  return operands;
}

/// Computes the selected rows of `op`'s result from selected rows of
/// `operands`; returns their selections.
static SmallVector<GatherRowsOp>
selectOperands(RewriterBase &rewriter, GatherRowsOp select, Operation *op,
               ArrayRef<OpOperand *> operands) {
  rewriter.setInsertionPoint(select);
  SmallVector<GatherRowsOp> selections;
  IRMapping mapping;
  for (OpOperand *operand : operands) {
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
    Operation *op = current.getInput().getDefiningOp();
    if (!op || op->getNumResults() != 1 || !op->hasOneUse())
      continue;
    SmallVector<OpOperand *> operands = rowOperands(op);
    if (!operands.empty())
      worklist.append(selectOperands(rewriter, current, op, operands));
  }
}

/// Checks what the description of the pass says of @forward and @predict.
static LogicalResult verifyEntry(func::FuncOp entry) {
  StringRef name = entry.getName();
  if (!SymbolTable::symbolKnownUseEmpty(entry, entry->getParentOp()))
    return entry.emitOpError("expected no calls of @") << name;
  if (!entry.getBody().hasOneBlock())
    return entry.emitOpError("expected @")
           << name << " to have one block, got "
           << entry.getBody().getBlocks().size();
  auto type = entry.getNumResults() > 0
                  ? dyn_cast<RankedTensorType>(entry.getResultTypes()[0])
                  : RankedTensorType();
  if (!type || type.getRank() == 0 || !type.isDynamicDim(0))
    return entry.emitOpError("expected @")
           << name
           << " to return a tensor with a dynamic number of rows first, got ("
           << entry.getResultTypes() << ')';
  return success();
}

/// Gives `entry` the rows of logits to return as its last argument.
static LogicalResult selectLogits(func::FuncOp entry) {
  auto rowsType = RankedTensorType::get(
      {ShapedType::kDynamic}, IntegerType::get(entry.getContext(), 32));
  unsigned last = entry.getNumArguments();
  if (failed(entry.insertArgument(last, rowsType, {}, entry.getLoc())))
    return failure();

  Operation *end = entry.getBody().front().getTerminator();
  IRRewriter rewriter(end);
  Value logits = end->getOperand(0);
  Value selected =
      selectRows(rewriter, logits.getLoc(), logits, entry.getArgument(last));
  rewriter.modifyOpInPlace(end, [&] { end->setOperand(0, selected); });
  moveUp(rewriter, selected.getDefiningOp<GatherRowsOp>());
  return success();
}

namespace {
struct SelectLogits : tcc::impl::SelectLogitsPassBase<SelectLogits> {
  void runOnOperation() override {
    auto forward = getOperation().lookupSymbol<func::FuncOp>("forward");
    auto predict = getOperation().lookupSymbol<func::FuncOp>("predict");
    if (!forward) {
      getOperation().emitError("expected a function @forward");
      return signalPassFailure();
    }
    for (func::FuncOp entry : {forward, predict})
      if (entry && (failed(verifyEntry(entry)) || failed(selectLogits(entry))))
        return signalPassFailure();
  }
};
} // namespace
