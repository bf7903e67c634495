// Registers the types and ops of the `transformer` dialect.

#include "dialects/transformer/Transformer.h"

#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tcc::transformer;

#include "dialects/transformer/TransformerDialect.cpp.inc"
#include "dialects/transformer/TransformerEnums.cpp.inc"
#include "dialects/transformer/TransformerInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/transformer/TransformerAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/transformer/TransformerTypes.cpp.inc"

LogicalResult ScaledType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 Type storage, int64_t rows, int64_t columns) {
  if (!isa<Float8E4M3FNType>(storage))
    return emitError() << "expected storage f8E4M3FN, got " << storage;
  if (rows < 1 || columns < 1)
    return emitError() << "expected blocks of positive sizes, got " << rows
                       << " by " << columns;
  return success();
}

void TransformerDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/transformer/TransformerAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/transformer/TransformerTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/transformer/TransformerOps.cpp.inc"
      >();
}
