// LLVM's part of code generation, for any target.

#ifndef TCC_COMPILER_CODEGEN_OPTIMISE_H
#define TCC_COMPILER_CODEGEN_OPTIMISE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/CodeGen.h"

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace mlir::tcc {

/// Optimises `module` as clang -O2 does, but for vectors and unrolling: kernels
/// have those that they want.
void optimise(llvm::Module &module, llvm::TargetMachine &machine);

/// Emits `module` as an object file or as assembly.
llvm::SmallVector<char, 0> emitFile(llvm::Module &module,
                                    llvm::TargetMachine &machine,
                                    llvm::CodeGenFileType type);

} // namespace mlir::tcc

#endif // TCC_COMPILER_CODEGEN_OPTIMISE_H
