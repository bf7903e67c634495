// Linear layers with several weights, one after another: of experts, whose rows
// a buffer tells, and of heads, which have all rows.

#include "compiler/codegen/x86/LinearKernel.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

/// The tiles [begin, end) that are panels of one weight: `rows` gets the panels
/// of the weight whose first one is tile `firstTile`.
static void setPanels(Emitter &emitter, LinearRows &rows, Value firstTile,
                      Value begin, Value end, int64_t panels) {
  rows.firstPanel =
      emitter.maximum(emitter.subtract(begin, firstTile), emitter.integer(0));
  rows.endPanel = emitter.minimum(emitter.subtract(end, firstTile),
                                  emitter.integer(panels));
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

namespace {
/// Emits the code of a linear layer of experts.
class GroupedLinear {
public:
  GroupedLinear(Emitter &emitter, kernel::GroupedLinearOp op,
                const KernelFrame &frame);

  void emit();

private:
  Value operand(unsigned group) {
    return frame.operands[op.getODSOperandIndexAndLength(group).first];
  }
  Value hasRows(Value first, Value end) {
    return emitter.compare(arith::CmpIPredicate::slt, first, end);
  }
  Value countExperts();
  void emitExpert(Value expert, LinearRows rows);

  Emitter &emitter;
  kernel::GroupedLinearOp op;
  const KernelFrame &frame;
  LinearLayer layer;
  Value experts, offsets, weights;
};
} // namespace

GroupedLinear::GroupedLinear(Emitter &emitter, kernel::GroupedLinearOp op,
                             const KernelFrame &frame)
    : emitter(emitter), op(op), frame(frame), layer(op) {
  layer.prologue = &op.getPrologue();
  layer.epilogue = &op.getEpilogue();
  layer.meanSquare = op.getMeanSquare();
  layer.prologueOperands = regionOperands(op, 5, frame);
  experts = emitter.integer(op.getExperts());
  weights = operand(2);
  offsets = operand(3);
}

/// How many experts have rows.
Value GroupedLinear::countExperts() {
  Value none = emitter.integer(0);
  return emitter.loop(
      none, experts, 1, {none},
      [&](Value expert, ValueRange count) -> SmallVector<Value> {
        Value first = emitter.loadIndex(offsets, expert);
        Value end = emitter.loadIndex(offsets, emitter.add(expert, 1));
        return {emitter.select(hasRows(first, end), emitter.add(count[0], 1),
                               count[0])};
      })[0];
}

void GroupedLinear::emitExpert(Value expert, LinearRows rows) {
  rows.weight = emitter.offset(
      weights, emitter.multiply(expert, layer.layout.matrixBytes()));
  rows.input = frame.operands[0];
  rows.result = operand(4);
  if (op.getRows())
    rows.inputRows = operand(1);
  Linear(emitter, layer, frame.scratch).emit(rows);
}

/// Panels of the experts that have rows are numbered one after another, and the
/// tiles take equal shares of them: however few experts have rows, threads with
/// as many tiles have as many panels.
void GroupedLinear::emit() {
  int64_t panels = op.getPanels();
  Value active = countExperts();
  auto share = [&](Value tile) {
    return emitter.divide(emitter.multiply(tile, active), op.getExperts());
  };
  Value begin = share(frame.begin), end = share(frame.end);
  emitter.loop(emitter.integer(0), experts, 1, {emitter.integer(0)},
               [&](Value expert, ValueRange carried) -> SmallVector<Value> {
                 Value firstPanel = carried[0];
                 LinearRows rows;
                 rows.firstRow = emitter.loadIndex(offsets, expert);
                 rows.endRow =
                     emitter.loadIndex(offsets, emitter.add(expert, 1));
                 setPanels(emitter, rows, firstPanel, begin, end, panels);
                 Value isOurs = emitter.compare(arith::CmpIPredicate::slt,
                                                rows.firstPanel, rows.endPanel);
                 emitter.when(isOurs, [&] { emitExpert(expert, rows); });
                 return {emitter.select(hasRows(rows.firstRow, rows.endRow),
                                        emitter.add(firstPanel, panels),
                                        firstPanel)};
               });
}

void x86::emitKernel(Emitter &emitter, kernel::GroupedLinearOp op,
                     const KernelFrame &frame) {
  GroupedLinear(emitter, op, frame).emit();
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

void x86::emitKernel(Emitter &emitter, kernel::HeadLinearOp op,
                     const KernelFrame &frame) {
  LinearLayer layer(op);
  int64_t panels = op.getPanels();
  auto bytesOfHead = [](ShapedType type) {
    return stridesOf(type)[1] * type.getElementTypeBitWidth() / 8;
  };
  Value lastHead = emitter.divide(emitter.add(frame.end, panels - 1), panels);
  emitter.loop(emitter.divide(frame.begin, panels), lastHead, 1,
               [&](Value head) {
                 auto at = [&](unsigned operand, int64_t bytes) {
                   return emitter.offset(frame.operands[operand],
                                         emitter.multiply(head, bytes));
                 };
                 LinearRows rows;
                 rows.firstRow = emitter.integer(0);
                 rows.endRow = frame.rows;
                 rows.input = at(0, bytesOfHead(layer.input));
                 rows.weight = at(1, layer.layout.matrixBytes());
                 rows.result = at(2, bytesOfHead(layer.result));
                 setPanels(emitter, rows, emitter.multiply(head, panels),
                           frame.begin, frame.end, panels);
                 Linear(emitter, layer, frame.scratch).emit(rows);
               });
}
