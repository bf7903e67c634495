// Appends the choice of tokens to a model.

#include "compiler/lower/Passes.h"

#include "compiler/lower/Rows.h"
#include "compiler/target/CostModel.h"

namespace mlir::tcc {
#define GEN_PASS_DEF_APPENDSAMPLINGPASS
#include "compiler/lower/Passes.h.inc"
} // namespace mlir::tcc

using namespace mlir;
using namespace mlir::tcc;

/// Parameters of a row.
static constexpr int64_t parameterCount = 5;

/// Adds to `forward`, which returns logits first, an argument and a result.
static void appendSampling(func::FuncOp forward,
                           kernel::GpuSampleConfigAttr configuration) {
  Operation *terminator = forward.front().getTerminator();
  Value logits = terminator->getOperand(0);
  OpBuilder builder(terminator);
  Location location = logits.getLoc();
  auto parametersType = RankedTensorType::get(
      {ShapedType::kDynamic, parameterCount}, builder.getF64Type());
  auto tokensType =
      RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  Value parameters = forward.front().addArgument(parametersType, location);
  // Rows of logits are counted by the last of the other arguments.
  Value rows = forward.getArgument(forward.getNumArguments() - 1);
  auto sample = kernel::SampleOp::create(
      builder, location, tokensType, logits, parameters,
      createDestination(builder, location, tokensType, rows), configuration);
  terminator->insertOperands(terminator->getNumOperands(), sample.getResult());
  forward.setFunctionType(builder.getFunctionType(
      forward.front().getArgumentTypes(), terminator->getOperandTypes()));
}

namespace {
struct AppendSampling : tcc::impl::AppendSamplingPassBase<AppendSampling> {
  using AppendSamplingPassBase::AppendSamplingPassBase;

  void runOnOperation() override {
    std::unique_ptr<CostModel> costs = createCostModel(march, getOperation());
    if (!costs)
      return signalPassFailure();
    auto forward = getOperation().lookupSymbol<func::FuncOp>("forward");
    if (!forward || forward.isExternal() ||
        !llvm::hasSingleElement(forward.getBody()) ||
        forward.getNumResults() == 0)
      return markAllAnalysesPreserved();
    auto logits =
        dyn_cast<RankedTensorType>(forward.getFunctionType().getResult(0));
    if (!logits || logits.getRank() != 2)
      return markAllAnalysesPreserved();
    if (kernel::GpuSampleConfigAttr configuration =
            costs->chooseSampling(logits))
      appendSampling(forward, configuration);
  }
};
} // namespace
