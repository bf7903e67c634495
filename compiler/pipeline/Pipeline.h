// The compiler on one page.

#ifndef TCC_COMPILER_PIPELINE_PIPELINE_H
#define TCC_COMPILER_PIPELINE_PIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

#include <string>

namespace mlir::tcc {

/// The phases in the order in which they run. compiler/README.md says what
/// holds of the IR after each.
enum class Phase { Import, Graph, Batch, Lower, Schedule };

struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<Phase> stopAfter{
      *this, "stop-after", llvm::cl::desc("Last phase to run"),
      llvm::cl::values(
          clEnumValN(Phase::Import, "import", "What the importer wrote"),
          clEnumValN(Phase::Graph, "graph", "Rewrites of the model graph"),
          clEnumValN(Phase::Batch, "batch",
                     "Ragged batch of sequences with a paged cache"),
          clEnumValN(Phase::Lower, "lower", "Kernels on tensors"),
          clEnumValN(Phase::Schedule, "schedule", "Plan, buffers, launches")),
      llvm::cl::init(Phase::Schedule)};
  Option<std::string> march{
      *this, "march",
      llvm::cl::desc("x86-64-v3, x86-64-v4, a CPU that LLVM knows, native, or "
                     "sm_90a for an H100"),
      llvm::cl::init("native")};
  Option<bool> fp8Activations{
      *this, "fp8-activations",
      llvm::cl::desc("Round the input of layers with FP8 weights to FP8"),
      llvm::cl::init(false)};
};

/// Appends the phases up to and including `options.stopAfter` to `pm`, which
/// runs on a module that an importer made.
void buildPipeline(OpPassManager &pm, const PipelineOptions &options);

/// Registers the pipeline as `--tcc-pipeline`.
void registerPipeline();

} // namespace mlir::tcc

#endif // TCC_COMPILER_PIPELINE_PIPELINE_H
