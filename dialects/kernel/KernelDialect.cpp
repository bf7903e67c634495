// Registers the attributes and ops of the `kernel` dialect.

#include "dialects/kernel/Kernel.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tcc::kernel;

#include "dialects/kernel/KernelDialect.cpp.inc"
#include "dialects/kernel/KernelEnums.cpp.inc"
#include "dialects/kernel/KernelAttrInterfaces.cpp.inc"
#include "dialects/kernel/KernelInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/KernelAttrs.cpp.inc"

using tcc::transformer::BlockType;
using tcc::transformer::ScaledType;

namespace {
/// Lets quantised weights be the elements of a memref: the memref has the logical
/// shape, its bytes are packed.
template <typename TypeT>
struct IsMemRefElement
    : MemRefElementTypeInterface::ExternalModel<IsMemRefElement<TypeT>, TypeT> {
};
} // namespace

void KernelDialect::initialize() {
  BlockType::attachInterface<IsMemRefElement<BlockType>>(*getContext());
  ScaledType::attachInterface<IsMemRefElement<ScaledType>>(*getContext());
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/kernel/KernelAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/kernel/KernelOps.cpp.inc"
      >();
}
