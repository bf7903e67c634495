// What linear layers of all kinds have in common when they become kernels: the
// rounding of their input and what is done to their sums.

#ifndef TCC_COMPILER_LOWER_EPILOGUE_H
#define TCC_COMPILER_LOWER_EPILOGUE_H

#include "compiler/target/CostModel.h"
#include "mlir/IR/Builders.h"

namespace mlir::tcc {

/// What a linear layer does to its sums. Operands come in the order of the
/// arguments of the region, after the one or two sums.
struct Epilogue {
  bool paired = false;
  bool gated = false;
  SmallVector<Value> operands;
  /// Whether the first operands are biases, one for each sum.
  bool biased = false;
  /// Whether the last operand is added.
  bool residual = false;
  /// Whether the last operand is the gate of the sum.
  bool hasGate = false;

  bool isIdentity() const { return !gated && !biased && !residual && !hasGate; }
};

/// Builds the region of `epilogue`, unless it is the identity.
void buildEpilogue(OpBuilder &builder, Location location, Region &region,
                   const Epilogue &epilogue);

/// The type that a layer with `weight` rounds its `input` to before it
/// multiplies: that of a weight with scales if `quantises`.
Type chooseOperand(const CostModel &costs, Value input, Value weight,
                   bool quantises = false);

/// `input` before it was rounded: a kernel rounds to its operands itself.
Value findUnrounded(Value input);

} // namespace mlir::tcc

#endif // TCC_COMPILER_LOWER_EPILOGUE_H
