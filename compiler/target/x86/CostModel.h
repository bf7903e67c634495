// Chooses layouts and configurations of kernels for a CPU.

#ifndef TCC_COMPILER_TARGET_X86_COSTMODEL_H
#define TCC_COMPILER_TARGET_X86_COSTMODEL_H

#include "compiler/target/CostModel.h"
#include "compiler/target/x86/Target.h"

namespace mlir::tcc::x86 {

/// Makes the cost model of the CPU `target`.
std::unique_ptr<CostModel> createCostModel(const TargetDescription &target);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_TARGET_X86_COSTMODEL_H
