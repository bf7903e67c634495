#include "compiler/target/PackedWeight.h"

#include "compiler/target/h100/PackedRows.h"
#include "compiler/target/x86/PackedWeights.h"

using namespace mlir;
using namespace mlir::tcc;

std::unique_ptr<PackedWeight>
tcc::createPackedWeight(ShapedType weight, kernel::PackingAttrInterface packing,
                        bool transposed,
                        llvm::function_ref<InFlightDiagnostic()> emitError) {
  auto rows = dyn_cast<kernel::RowPackingAttr>(packing);
  if (!rows)
    return x86::createPackedWeight(
        {weight, cast<kernel::PackingAttr>(packing), transposed});
  bool isScaled = isa<transformer::ScaledType>(weight.getElementType());
  if (weight.getRank() != 2 || transposed || isScaled) {
    emitError() << "expected a weight in rows to be one matrix, neither "
                   "transposed nor with scales, got "
                << weight << (transposed ? ", transposed" : "");
    return nullptr;
  }
  return h100::createPackedWeight({weight, rows});
}
