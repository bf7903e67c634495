// The option by which passes are told the target, whose cost model they ask.

#ifndef TCC_COMPILER_TARGET_MARCHOPTION_TD
#define TCC_COMPILER_TARGET_MARCHOPTION_TD

include "mlir/Pass/PassBase.td"

def MarchOption : Option<"march", "march", "std::string", "\"native\"",
    "x86-64-v3, x86-64-v4, a CPU that LLVM knows, native, or sm_90a for an H100">;

#endif // TCC_COMPILER_TARGET_MARCHOPTION_TD
