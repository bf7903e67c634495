// The CPU that code is generated for: the one place where x86 CPUs differ.

#ifndef TCC_COMPILER_TARGET_X86_TARGET_H
#define TCC_COMPILER_TARGET_X86_TARGET_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace mlir::tcc::x86 {

/// What code generation and the cost model know of a CPU.
///
/// Code uses a level of x86-64 and at most AVX512-BF16 and AVX512-VNNI beyond
/// it, so that the same `--march` gives the same instructions on every machine;
/// the CPU is used for tuning alone.
struct TargetDescription {
  std::string cpu;                   ///< LLVM's name of the CPU tuned for.
  std::string level;                 ///< x86-64-v3 or x86-64-v4.
  std::vector<std::string> features; ///< What code needs, as in /proc/cpuinfo.
  int64_t lanes = 8;                 ///< f32 elements of a vector register.
  int64_t registers = 16;            ///< Vector registers.
  bool hasDot = false;               ///< AVX512-BF16: vdpbf16ps.
  bool hasIntegerDot = false;        ///< AVX512-VNNI: vpdpwssd.
  bool isEmulated = false;           ///< Made of instructions of AVX2 alone.
  bool dotIsFaster = false;          ///< Than two multiply-adds of f32.
  int64_t cacheBytes = 0;            ///< Of the second cache, of one core.
};

/// Describes `march`: x86-64-v3, x86-64-v4, a CPU that LLVM knows, or native.
/// "emulated-" before a CPU asks for the kernels of that CPU, as its registers
/// and instructions shape them, written in instructions of AVX2: slow, but tests
/// can run them anywhere. What is not supported is an error at `location`.
FailureOr<TargetDescription> describeTarget(llvm::StringRef march,
                                            Location location);

/// Creates LLVM's code generator for `target`.
std::unique_ptr<llvm::TargetMachine>
createTargetMachine(const TargetDescription &target);

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_TARGET_X86_TARGET_H
