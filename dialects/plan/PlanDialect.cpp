// Registers the ops of the `plan` dialect.

#include "dialects/plan/Plan.h"

using namespace mlir;
using namespace mlir::tcc::plan;

#include "dialects/plan/PlanDialect.cpp.inc"
#include "dialects/plan/PlanEnums.cpp.inc"

void PlanDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/plan/PlanOps.cpp.inc"
      >();
}
