// Verifies that no op works on one sequence: the end of phase `batch`.

#include "compiler/batch/Passes.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_VERIFYBATCHPASS
#include "compiler/batch/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc::transformer;

namespace {
struct VerifyBatch : tcc::impl::VerifyBatchPassBase<VerifyBatch> {
  void runOnOperation() override {
    bool batched = true;
    getOperation().walk([&](Operation *op) {
      if (!op->hasTrait<OneSequence>())
        return;
      batched = false;
      InFlightDiagnostic error =
          op->emitOpError("is left after phase 'batch': it works on one "
                          "sequence, and belongs to "
                          "no attention that phase 'graph' recognised");
      if (auto func = op->getParentOfType<func::FuncOp>())
        error.attachNote(func.getLoc())
            << "in function '" << func.getName() << "'";
    });
    if (!batched)
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
