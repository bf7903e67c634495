#include "compiler/pipeline/CheckpointWeights.h"

#include "compiler/interpreter/StorageDecoder.h"

using namespace mlir;
using namespace mlir::tcc;

LogicalResult
CheckpointWeights::check(StringRef tensor, RankedTensorType type,
                         function_ref<InFlightDiagnostic()> emitError) {
  const ::tcc::schema::TensorT *found =
      ::tcc::findTensor(model.model, tensor.str());
  if (!found || found->file < 0)
    return emitError() << "expected tensor '" << tensor
                       << "' in the checkpoint, got none";
  StorageUnit unit = storageUnit(type.getElementType());
  if (type.getShape() != ArrayRef(found->shape) ||
      static_cast<int64_t>(found->bytes) * unit.elements !=
          type.getNumElements() * unit.bytes)
    return emitError() << "expected tensor '" << tensor << "' to be " << type
                       << ", got " << found->bytes << " bytes";
  return success();
}

void CheckpointWeights::read(StringRef tensor, RankedTensorType type,
                             int64_t first, int64_t count,
                             double *result) const {
  const ::tcc::schema::TensorT *found =
      ::tcc::findTensor(model.model, tensor.str());
  StorageUnit unit = storageUnit(type.getElementType());
  int64_t columns = type.getShape().back();
  decode(type.getElementType(),
         weights.data(*found) + first * columns / unit.elements * unit.bytes,
         count * columns, result);
}
