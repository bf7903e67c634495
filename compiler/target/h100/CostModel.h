// Chooses layouts and configurations of kernels for an H100.

#ifndef TCC_COMPILER_TARGET_H100_COSTMODEL_H
#define TCC_COMPILER_TARGET_H100_COSTMODEL_H

#include "compiler/target/CostModel.h"

namespace mlir::tcc::h100 {

/// Makes the cost model of an H100 SXM5.
std::unique_ptr<CostModel> createCostModel();

} // namespace mlir::tcc::h100

#endif // TCC_COMPILER_TARGET_H100_COSTMODEL_H
