#include "compiler/target/CostModel.h"

#include "compiler/target/x86/CostModel.h"

using namespace mlir;
using namespace mlir::tcc;

std::unique_ptr<CostModel> tcc::createCostModel(StringRef march,
                                                Location location) {
  FailureOr<x86::TargetDescription> target =
      x86::describeTarget(march, location);
  if (failed(target))
    return nullptr;
  return x86::createCostModel(*target);
}
