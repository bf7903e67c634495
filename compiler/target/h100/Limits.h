// What an H100 is predicted to be busy with.

#ifndef TCC_COMPILER_TARGET_H100_LIMITS_H
#define TCC_COMPILER_TARGET_H100_LIMITS_H

#include "dialects/kernel/Kernel.h"

namespace mlir::tcc::h100 {

/// What takes longest in one launch of `op` that does `flops` operations and
/// moves `bytes` bytes, each as fast as it can be: "memory", "tensor cores",
/// "lanes", or "launch" if that alone takes longer.
StringRef predictLimit(Operation *op, int64_t flops, int64_t bytes);

} // namespace mlir::tcc::h100

#endif // TCC_COMPILER_TARGET_H100_LIMITS_H
