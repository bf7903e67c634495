// The passes of phase `schedule`: `kernel` on tensors to `plan`.

#ifndef TCC_COMPILER_SCHEDULE_PASSES_TD
#define TCC_COMPILER_SCHEDULE_PASSES_TD

include "compiler/target/MarchOption.td"

def SchedulePass : Pass<"tcc-schedule", "::mlir::ModuleOp"> {
  let summary = "Give kernels an order, buffers and launch sizes";
  let description = [{
    Replaces the functions of a lowered model by

    - one function for each different kernel op, on memrefs,
    - a `plan.buffer` for each tensor that a kernel writes, with a lifetime and an
      offset: buffers that live at different times share memory, and rows may have
      bytes after them so that the next one begins where the target needs it,
    - a `plan.weight`, `plan.cache`, `plan.rotary_table` or `plan.input` for
      everything else that a kernel reads,
    - a `plan.step` with the launches in the order of the text and a `plan.loop`
      for each loop over layers.

    The value that a loop carries from layer to layer stays in one buffer. The pass
    fails with an error if a layer still reads it when it writes the next, and if
    there is more than one cache.

    Numerics: bit-exact.
  }];
  let options = [MarchOption];
  let dependentDialects = [
    "::mlir::func::FuncDialect", "::mlir::tcc::kernel::KernelDialect",
    "::mlir::tcc::plan::PlanDialect"];
}

#endif // TCC_COMPILER_SCHEDULE_PASSES_TD
