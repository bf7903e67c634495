// Phase `schedule` in the order in which its passes run.

#include "compiler/schedule/Passes.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

void tcc::buildSchedulePhase(OpPassManager &manager) {
  manager.addPass(createSchedulePass());
}
