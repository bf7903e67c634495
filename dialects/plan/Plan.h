// The `plan` dialect and its ops.

#ifndef TCC_DIALECTS_PLAN_PLAN_H
#define TCC_DIALECTS_PLAN_PLAN_H

#include "dialects/transformer/Halves.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"

#include "dialects/plan/PlanDialect.h.inc"
#include "dialects/plan/PlanEnums.h.inc"

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.h.inc"

namespace mlir::tcc::plan {

/// The numbers of an expression: a constant, then the coefficients of the sizes
/// T, B, R, X, A and E of a step.
enum Term : unsigned {
  Constant,
  Tokens,
  Sequences,
  LogitRows,
  ExpandedTokens,
  AbsorbedTokens,
  ExpandedSequences
};
constexpr size_t termCount = 7;

} // namespace mlir::tcc::plan

#endif // TCC_DIALECTS_PLAN_PLAN_H
