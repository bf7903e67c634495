#include "compiler/pipeline/Pipeline.h"

#include "compiler/batch/Passes.h"
#include "compiler/graph/Passes.h"
#include "compiler/lower/Passes.h"
#include "compiler/schedule/Passes.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

void tcc::buildPipeline(OpPassManager &manager,
                        const PipelineOptions &options) {
  if (options.stopAfter == Phase::Import)
    return;

  buildGraphPhase(manager);
  if (options.stopAfter == Phase::Graph)
    return;

  buildBatchPhase(manager);
  if (options.stopAfter == Phase::Batch)
    return;

  buildLowerPhase(manager, options.march, options.fp8Activations);
  if (options.stopAfter == Phase::Lower)
    return;

  // Beyond this point there are no tensors: every value has a buffer.
  buildSchedulePhase(manager, options.march);
}

void tcc::registerPipeline() {
  PassPipelineRegistration<PipelineOptions>(
      "tcc-pipeline",
      "Compile an imported model, up to the phase in stop-after",
      buildPipeline);
}
