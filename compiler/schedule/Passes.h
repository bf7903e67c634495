// The passes of phase `schedule`. Their reference is generated from Passes.td.

#ifndef TCC_COMPILER_SCHEDULE_PASSES_H
#define TCC_COMPILER_SCHEDULE_PASSES_H

#include "dialects/kernel/Kernel.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::tcc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/schedule/Passes.h.inc"

/// Appends the scheduling of a model lowered to kernels for the target `march`.
/// Afterwards there are no tensors.
void buildSchedulePhase(OpPassManager &manager, StringRef march);

} // namespace mlir::tcc

#endif // TCC_COMPILER_SCHEDULE_PASSES_H
