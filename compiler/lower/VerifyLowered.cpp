// Guards the end of phase `lower`: every computation is a kernel.

#include "compiler/lower/Passes.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_VERIFYLOWEREDPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc::transformer;

/// Whether `op` declares or names what lies outside of the computation.
static bool isDeclaration(Operation *op) {
  return isa<WeightOp, CacheOp, GetWeightOp>(op);
}

namespace {
struct VerifyLowered : tcc::impl::VerifyLoweredPassBase<VerifyLowered> {
  void runOnOperation() override {
    bool lowered = true;
    getOperation().walk([&](Operation *op) {
      bool isFloatArithmetic =
          isa_and_nonnull<arith::ArithDialect>(op->getDialect()) &&
          llvm::any_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>);
      if (!isFloatArithmetic &&
          (!isa_and_nonnull<TransformerDialect>(op->getDialect()) ||
           isDeclaration(op)))
        return;
      lowered = false;
      InFlightDiagnostic error =
          op->emitOpError("is left after phase 'lower': no pass lowers it");
      if (auto function = op->getParentOfType<func::FuncOp>())
        error.attachNote(function.getLoc())
            << "in function '" << function.getName() << "'";
    });
    if (!lowered)
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
