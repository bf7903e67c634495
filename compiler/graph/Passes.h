// The passes of phase `graph`. Their reference is generated from Passes.td.

#ifndef TCC_COMPILER_GRAPH_PASSES_H
#define TCC_COMPILER_GRAPH_PASSES_H

#include "dialects/transformer/Transformer.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::tcc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/graph/Passes.h.inc"

/// Appends the rewrites of the model graph: `transformer` to `transformer`, of
/// one sequence. Afterwards what is fused in the model is one op, and @forward
/// takes the rows whose logits are asked for as its last argument.
void buildGraphPhase(OpPassManager &pm);

} // namespace mlir::tcc

#endif // TCC_COMPILER_GRAPH_PASSES_H
