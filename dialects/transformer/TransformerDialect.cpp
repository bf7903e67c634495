// Registers the types and ops of the `transformer` dialect.

#include "dialects/transformer/Transformer.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tcc::transformer;

#include "dialects/transformer/TransformerDialect.cpp.inc"
#include "dialects/transformer/TransformerEnums.cpp.inc"
#include "dialects/transformer/TransformerInterfaces.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/transformer/TransformerTypes.cpp.inc"

void TransformerDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/transformer/TransformerTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/transformer/TransformerOps.cpp.inc"
      >();
}
