// What all linear layers have in common: the code that multiplies rows by one
// weight. Which rows and which weight, the kernels say.

#ifndef TCC_COMPILER_CODEGEN_X86_LINEARKERNEL_H
#define TCC_COMPILER_CODEGEN_X86_LINEARKERNEL_H

#include "compiler/codegen/x86/Kernels.h"
#include "compiler/codegen/x86/Product.h"
#include "compiler/codegen/x86/VectorRegion.h"
#include "compiler/target/x86/PackedWeights.h"

namespace mlir::tcc::x86 {

/// An operand of a region: one element for each column, or for each row and
/// column.
struct RegionOperand {
  ShapedType type;
  Value pointer;
};

/// Whether the checkpoint has the weight of `op` as [K, N].
template <typename Op>
bool isTransposed(Op) {
  return false;
}
inline bool isTransposed(kernel::HeadLinearOp op) { return op.getTransposed(); }

/// A linear layer as its op describes it.
struct LinearLayer {
  /// What every op of linear layers says.
  template <typename Op>
  explicit LinearLayer(Op op)
      : layout(cast<ShapedType>(op.getWeight().getType()),
               cast<kernel::PackingAttr>(op.getPacking()), isTransposed(op)),
        configuration(cast<kernel::LinearConfigAttr>(op.getConfiguration())),
        parts(op.getScratch()),
        operand(op.getOperand()), outputs(op.getOutputColumns()),
        input(cast<ShapedType>(op.getInput().getType())),
        result(cast<ShapedType>(op.getInit().getType())),
        inputStride(stridesOf(op.getInput().getType())[0]),
        resultStride(stridesOf(op.getInit().getType())[0]) {}

  /// One that is a part of another kernel, which says the rest.
  LinearLayer(const PackedLayout &layout,
              kernel::LinearConfigAttr configuration,
              const kernel::LinearScratch &parts)
      : layout(layout), configuration(configuration), parts(parts) {}

  PackedLayout layout;
  kernel::LinearConfigAttr configuration;
  kernel::LinearScratch parts;
  Type operand;    ///< What inputs are rounded to.
  int64_t outputs; ///< Columns of a row of the result.
  ShapedType input, result;
  int64_t inputStride, resultStride; ///< Elements from one row to the next.

  Region *prologue = nullptr, *epilogue = nullptr;
  bool meanSquare = false;
  SmallVector<RegionOperand> prologueOperands, epilogueOperands;
};

/// One weight, the panels of it that are wanted, and the rows that it
/// multiplies.
struct LinearRows {
  Value weight; ///< Panel 0.
  Value firstPanel, endPanel;
  Value input, result;    ///< Row 0.
  Value firstRow, endRow; ///< Of the result.
  Value inputRows; ///< i32: row of the input by row of the result; null if
                   ///< they are the same.
};

/// The operands of group `group` of `op`, as its definition counts.
template <typename Op>
SmallVector<RegionOperand> regionOperands(Op op, unsigned group,
                                          const KernelFrame &frame) {
  SmallVector<RegionOperand> operands;
  auto [first, count] = op.getODSOperandIndexAndLength(group);
  for (unsigned index = first; index < first + count; ++index)
    operands.push_back({cast<ShapedType>(op->getOperand(index).getType()),
                        frame.operands[index]});
  return operands;
}

/// Emits the code of one linear layer.
class Linear {
public:
  /// `scratch` has what `layer.parts` says.
  Linear(Emitter &emitter, const LinearLayer &layer, Value scratch)
      : emitter(emitter), layer(layer), layout(layer.layout),
        parts(layer.parts), configuration(layer.configuration),
        scratch(scratch), lanes(emitter.target.lanes) {}

  void emit(const LinearRows &rows);

private:
  bool isInBlocks() const { return headerBytesOf(layout.storage, 1) != 0; }
  bool usesDot() const {
    return configuration.getArithmetic() == kernel::Arithmetic::Dot;
  }
  Summation summation() const {
    if (layout.storage == Storage::E4M3)
      return Summation::Scaled;
    if (isInBlocks())
      return Summation::Blocks;
    return layout.storage == Storage::F32 ? Summation::Groups
                                          : Summation::Chain;
  }
  Value scratchAt(int64_t offset) const {
    return emitter.offset(scratch, offset);
  }

  bool quantises() const { return isa<Float8E4M3FNType>(layer.operand); }

  void prepareRow(Value source, Value target);
  void prepareBlocks(Value source, VectorRegion &prologue, Value target);
  void prepareQuantised(Value source, VectorRegion &prologue, Value target);
  Value largestMagnitude(ArrayRef<Value> values, float least);
  void storeBlock(ArrayRef<Value> values, Value block, Value target);
  void storeQuantised(ArrayRef<Value> values, Value column, Value target);
  Value prepareVector(Value source, VectorRegion &prologue, Value column,
                      Value mask);
  void prepareRows(const LinearRows &rows, Value firstRow, Value count);

  Product productOf(Value panel) const;
  void multiplyDecoded(Value panel, Value rows);
  void multiplyPanel(Value panel, Value rows);
  void finishPanel(Value result, Value panel, Value firstRow, Value rows);
  void finishRow(Value result, Value sums, Value row, Value firstColumn);

  Emitter &emitter;
  const LinearLayer &layer;
  const PackedLayout &layout;
  const kernel::LinearScratch &parts;
  kernel::LinearConfigAttr configuration;
  Value scratch;
  int64_t lanes;
};

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_LINEARKERNEL_H
