// One function for each different kernel.

#ifndef TCC_COMPILER_SCHEDULE_KERNELOUTLINER_H
#define TCC_COMPILER_SCHEDULE_KERNELOUTLINER_H

#include "compiler/schedule/LaunchList.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::tcc {

/// Makes functions of kernel ops: each holds the op on memrefs, its arguments in
/// the order of the op's operands. Equal ops share a function.
class KernelOutliner {
public:
  /// Functions are put at the end of `module`.
  explicit KernelOutliner(ModuleOp module) : module(module) {}

  /// Returns the name of the function for `launch`.
  FlatSymbolRefAttr outline(const ScheduledLaunch &launch);

private:
  ModuleOp module;
  llvm::StringMap<FlatSymbolRefAttr> known; ///< By the text of the function.
  llvm::StringMap<int> names;
};

} // namespace mlir::tcc

#endif // TCC_COMPILER_SCHEDULE_KERNELOUTLINER_H
