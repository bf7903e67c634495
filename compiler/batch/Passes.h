// The passes of phase `batch`. Their reference is generated from Passes.td.

#ifndef TCC_COMPILER_BATCH_PASSES_H
#define TCC_COMPILER_BATCH_PASSES_H

#include "dialects/transformer/Transformer.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::tcc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/batch/Passes.h.inc"

/// Appends the step from one sequence to a ragged batch of sequences with a
/// paged cache. Afterwards no op works on one sequence, and @forward is
///
///   (tokens [T], positions [T], sequences [T], page_table [B, P],
///    logit_rows [R]) -> logits [R, V]
///
/// If there is multi-token prediction, @forward returns states [T, N] too, and
/// @predict is
///
///   (states [T, N], next tokens [T], positions [T], sequences [T],
///    page_table [B, P], logit_rows [R]) -> logits [R, V], states [T, N]
void buildBatchPhase(OpPassManager &pm);

} // namespace mlir::tcc

#endif // TCC_COMPILER_BATCH_PASSES_H
