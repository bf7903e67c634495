// The passes of phase `codegen/nvptx`. Their reference is generated from
// Passes.td.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_PASSES_H
#define TCC_COMPILER_CODEGEN_NVPTX_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::tcc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/codegen/nvptx/Passes.h.inc"

/// Appends the way of a module of kernels to the `llvm` and `nvvm` dialects.
void buildGpuCodegenPhase(OpPassManager &manager);

} // namespace mlir::tcc

#endif // TCC_COMPILER_CODEGEN_NVPTX_PASSES_H
