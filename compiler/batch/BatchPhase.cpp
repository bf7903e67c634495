// Phase `batch` in the order in which its passes run.

#include "compiler/batch/Passes.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;

void tcc::buildBatchPhase(OpPassManager &pm) {
  pm.addPass(createBatchPass());
  pm.addPass(createVerifyBatchPass());
}
