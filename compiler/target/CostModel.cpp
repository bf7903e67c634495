#include "compiler/target/CostModel.h"

#include "compiler/target/h100/CostModel.h"
#include "compiler/target/x86/CostModel.h"

using namespace mlir;
using namespace mlir::tcc;

static std::unique_ptr<CostModel> createCostModel(StringRef march,
                                                  Location location) {
  if (march == h100March)
    return h100::createCostModel();
  FailureOr<x86::TargetDescription> target =
      x86::describeTarget(march, location);
  return succeeded(target) ? x86::createCostModel(*target) : nullptr;
}

std::unique_ptr<CostModel> tcc::createCostModel(StringRef march,
                                                Operation *root) {
  std::unique_ptr<CostModel> costs = ::createCostModel(march, root->getLoc());
  if (!costs)
    return nullptr;
  WalkResult result = root->walk([&](Operation *op) {
    return failed(costs->verify(op)) ? WalkResult::interrupt()
                                     : WalkResult::advance();
  });
  return result.wasInterrupted() ? nullptr : std::move(costs);
}
