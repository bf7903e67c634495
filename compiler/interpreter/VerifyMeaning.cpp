// Runs a pipeline and compares what the module computes before and after.

#include "compiler/interpreter/Difference.h"
#include "compiler/interpreter/GeneratedRun.h"
#include "compiler/interpreter/Passes.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_VERIFYMEANINGPASS
#include "compiler/interpreter/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

/// Compares result `before` of `function` with the one of the same name `after`.
static LogicalResult compare(FunctionOpInterface function,
                             const NamedTensor &before,
                             const NamedTensor &after, double tolerance,
                             bool report) {
  if (before.tensor.shape != after.tensor.shape)
    return function.emitOpError("expected ")
           << before.name << " of shape [" << ArrayRef(before.tensor.shape)
           << "], got [" << ArrayRef(after.tensor.shape) << "]";
  Difference difference = differenceOf(before.tensor, after.tensor);
  auto describe = [&](InFlightDiagnostic diagnostic) {
    diagnostic << before.name << " differs by " << difference.whole
               << " in all, by " << difference.worst << " in row "
               << difference.worstRow;
    return diagnostic;
  };
  if (difference.largest() > tolerance)
    return describe(function.emitOpError())
           << ", expected at most " << tolerance << " (relative L2)";
  if (report)
    describe(function.emitRemark());
  return success();
}

namespace {
struct VerifyMeaning : mlir::tcc::impl::VerifyMeaningPassBase<VerifyMeaning> {
  using VerifyMeaningPassBase::VerifyMeaningPassBase;

  /// Whatever the passes of the pipeline depend on.
  void getDependentDialects(DialectRegistry &registry) const override {
    OpPassManager manager = makeManager();
    // What does not parse is reported when the pass runs.
    if (succeeded(parsePassPipeline(pipeline, manager, llvm::nulls())))
      manager.getDependentDialects(registry);
  }

  void runOnOperation() override {
    OpPassManager manager = makeManager();
    std::string message;
    llvm::raw_string_ostream stream(message);
    if (failed(parsePassPipeline(pipeline, manager, stream))) {
      getOperation().emitError("expected a pass pipeline, got '")
          << pipeline << "': " << StringRef(message).trim();
      return signalPassFailure();
    }

    OwningOpRef<ModuleOp> before = getOperation().clone();
    if (failed(runPipeline(manager, getOperation())) ||
        failed(compareModules(*before, getOperation())))
      signalPassFailure();
  }

private:
  static OpPassManager makeManager() {
    return OpPassManager(ModuleOp::getOperationName());
  }

  FailureOr<SmallVector<NamedTensor>> run(ModuleOp module,
                                          FunctionOpInterface function) {
    RandomWeights weights(seed);
    Interpreter interpreter(module, weights, {round, pageSize});
    return runGenerated(interpreter, function, {length, sequences, seed});
  }

  LogicalResult compareModules(ModuleOp before, ModuleOp after) {
    FailureOr<SmallVector<FunctionOpInterface>> functions =
        functionsToRun(before, entry);
    if (failed(functions))
      return failure();
    for (FunctionOpInterface function : *functions) {
      auto rewritten =
          after.lookupSymbol<FunctionOpInterface>(function.getName());
      if (!rewritten)
        return function.emitOpError("expected the pipeline to keep the "
                                    "function, got a module without it");
      FailureOr<SmallVector<NamedTensor>> expected = run(before, function);
      if (failed(expected))
        return failure();
      FailureOr<SmallVector<NamedTensor>> actual = run(after, rewritten);
      if (failed(actual) ||
          failed(compareResults(rewritten, *expected, *actual)))
        return failure();
    }
    return success();
  }

  LogicalResult compareResults(FunctionOpInterface function,
                               ArrayRef<NamedTensor> expected,
                               ArrayRef<NamedTensor> actual) {
    if (expected.size() != actual.size())
      return function.emitOpError("expected ")
             << expected.size() << " results, got " << actual.size();
    for (auto [before, after] : llvm::zip_equal(expected, actual))
      if (failed(compare(function, before, after, tolerance, report)))
        return failure();
    return success();
  }
};
} // namespace
