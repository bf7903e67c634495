// The `transformer` dialect, its types, ops and interfaces.

#ifndef TCC_DIALECTS_TRANSFORMER_TRANSFORMER_H
#define TCC_DIALECTS_TRANSFORMER_TRANSFORMER_H

#include "dialects/transformer/Halves.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/transformer/TransformerDialect.h.inc"
#include "dialects/transformer/TransformerEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/transformer/TransformerAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/transformer/TransformerTypes.h.inc"

#include "dialects/transformer/TransformerInterfaces.h.inc"

namespace mlir::tcc::transformer {
/// Trait of an op that takes all rows of its operands as tokens of one
/// sequence.
template <typename Op>
class OneSequence : public OpTrait::TraitBase<Op, OneSequence> {};
} // namespace mlir::tcc::transformer

#define GET_OP_CLASSES
#include "dialects/transformer/TransformerOps.h.inc"

#endif // TCC_DIALECTS_TRANSFORMER_TRANSFORMER_H
