// The passes of phase `lower`. Their reference is generated from Passes.td.

#ifndef TCC_COMPILER_LOWER_PASSES_H
#define TCC_COMPILER_LOWER_PASSES_H

#include "dialects/kernel/Kernel.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"

namespace mlir::tcc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/lower/Passes.h.inc"

/// Appends the lowering of a batched model to kernels for the target `march`; with
/// `fp8Activations` layers with FP8 weights round their input to FP8.
void buildLowerPhase(OpPassManager &manager, StringRef march,
                     bool fp8Activations);

} // namespace mlir::tcc

#endif // TCC_COMPILER_LOWER_PASSES_H
