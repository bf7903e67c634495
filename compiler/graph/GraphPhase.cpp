// Phase `graph` in the order in which its passes run.

#include "compiler/graph/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void tcc::buildGraphPhase(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createFuseAttentionPass());
  // While each linear layer has a weight of its own.
  pm.addPass(createFoldRotationPass());
  pm.addNestedPass<func::FuncOp>(createAbsorbLatentAttentionPass());
  pm.addNestedPass<func::FuncOp>(createFuseRoutingPass());
  pm.addNestedPass<func::FuncOp>(createDispatchExpertsPass());
  pm.addNestedPass<func::FuncOp>(createMergeLinearsPass());
  // Gate and up are halves of one tensor from here on.
  pm.addNestedPass<func::FuncOp>(createFuseSwigluPass());
  pm.addNestedPass<func::FuncOp>(createFuseResidualNormPass());
  pm.addPass(createSelectLogitsPass());
  pm.addPass(createCSEPass());
}
