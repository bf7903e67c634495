// Passes that interpret. Their reference is generated from Passes.td.

#ifndef TCC_COMPILER_INTERPRETER_PASSES_H
#define TCC_COMPILER_INTERPRETER_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::tcc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/interpreter/Passes.h.inc"

} // namespace mlir::tcc

#endif // TCC_COMPILER_INTERPRETER_PASSES_H
