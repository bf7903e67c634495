// The passes of phase `codegen/x86`. Their reference is generated from Passes.td.

#ifndef TCC_COMPILER_CODEGEN_X86_PASSES_H
#define TCC_COMPILER_CODEGEN_X86_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/Pass/Pass.h"

namespace mlir::tcc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/codegen/x86/Passes.h.inc"

/// Appends the way of a module of kernels to the `llvm` dialect.
void buildCodegenPhase(OpPassManager &manager, StringRef march);

} // namespace mlir::tcc

#endif // TCC_COMPILER_CODEGEN_X86_PASSES_H
