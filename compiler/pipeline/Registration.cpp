#include "compiler/pipeline/Registration.h"

#include "compiler/batch/Passes.h"
#include "compiler/codegen/nvptx/Passes.h"
#include "compiler/codegen/x86/Passes.h"
#include "compiler/graph/Passes.h"
#include "compiler/interpreter/Interpreter.h"
#include "compiler/interpreter/Passes.h"
#include "compiler/lower/Passes.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/schedule/Passes.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/plan/Plan.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

using namespace mlir;

void tcc::registerAllDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<kernel::KernelDialect, plan::PlanDialect,
                  transformer::TransformerDialect>();
  registerInterpretations(registry);
}

void tcc::registerAllPasses() {
  mlir::registerAllPasses();
  registerInterpreterPasses();
  registerGraphPasses();
  registerBatchPasses();
  registerLowerPasses();
  registerSchedulePasses();
  registerCodegenNvptxPasses();
  registerCodegenX86Passes();
  registerPipeline();
}
