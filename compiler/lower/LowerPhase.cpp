// Phase `lower` in the order in which its passes run.

#include "compiler/lower/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void tcc::buildLowerPhase(OpPassManager &manager, StringRef march,
                          bool fp8Activations) {
  manager.addNestedPass<func::FuncOp>(
      createLowerAttentionPass(LowerAttentionPassOptions{march.str()}));
  manager.addNestedPass<func::FuncOp>(createLowerLatentAttentionPass(
      LowerLatentAttentionPassOptions{march.str()}));
  manager.addNestedPass<func::FuncOp>(createLowerExpertsPass(
      LowerExpertsPassOptions{march.str(), fp8Activations}));
  manager.addNestedPass<func::FuncOp>(createLowerLinearPass(
      LowerLinearPassOptions{march.str(), fp8Activations}));
  manager.addNestedPass<func::FuncOp>(createFuseNormProloguePass());
  manager.addNestedPass<func::FuncOp>(
      createLowerRowsPass(LowerRowsPassOptions{march.str()}));
  manager.addPass(
      createAppendSamplingPass(AppendSamplingPassOptions{march.str()}));
  // Merges equal destinations and rotary tables, drops views that nobody reads.
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createVerifyLoweredPass());
}
