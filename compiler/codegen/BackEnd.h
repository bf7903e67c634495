// Where code generation begins and ends for any target: copies of kernels, and
// LLVM's part.

#ifndef TCC_COMPILER_CODEGEN_BACKEND_H
#define TCC_COMPILER_CODEGEN_BACKEND_H

#include "compiler/target/CompiledImage.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/CodeGen.h"

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace mlir::tcc {

/// A module of copies of the functions of kernels in `module`. `kernels` gets
/// the name and the configuration of each.
OwningOpRef<ModuleOp> copyKernels(ModuleOp module,
                                  std::vector<CompiledKernel> &kernels);

/// Translates a module of the `llvm` dialect for `machine`. Null, with an error
/// at it, if that fails.
std::unique_ptr<llvm::Module> translate(ModuleOp module,
                                        llvm::LLVMContext &context,
                                        llvm::TargetMachine &machine);

/// Optimises `module` as clang -O2 does, but for vectors and unrolling: kernels
/// have those that they want.
void optimise(llvm::Module &module, llvm::TargetMachine &machine);

/// Emits `module` as an object file or as assembly.
llvm::SmallVector<char, 0> emitFile(llvm::Module &module,
                                    llvm::TargetMachine &machine,
                                    llvm::CodeGenFileType type);

} // namespace mlir::tcc

#endif // TCC_COMPILER_CODEGEN_BACKEND_H
