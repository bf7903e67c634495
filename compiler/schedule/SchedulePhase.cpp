// Phase `schedule` in the order in which its passes run.

#include "compiler/schedule/Passes.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

void tcc::buildSchedulePhase(OpPassManager &manager, StringRef march) {
  manager.addPass(createSchedulePass(SchedulePassOptions{march.str()}));
}
