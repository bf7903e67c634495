#include "compiler/pipeline/CheckpointWeights.h"

#include "compiler/interpreter/StorageDecoder.h"
#include "dialects/transformer/Transformer.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tcc;

using transformer::ScaledType;

const ::tcc::schema::TensorT *
CheckpointWeights::find(const std::string &name) const {
  const ::tcc::schema::TensorT *found = ::tcc::findTensor(model.model, name);
  return found && found->file >= 0 ? found : nullptr;
}

/// What the elements of `type` are in the tensor itself.
static Type storedElement(RankedTensorType type) {
  auto scaled = dyn_cast<ScaledType>(type.getElementType());
  return scaled ? scaled.getStorage() : type.getElementType();
}

/// The scales of `tensor`, whose elements are of `type`: one for each block of
/// each matrix.
static StoredTensor scalesOf(const StoredTensor &tensor, ScaledType type) {
  SmallVector<int64_t> shape(tensor.type.getShape());
  size_t rank = shape.size();
  shape[rank - 2] = llvm::divideCeil(shape[rank - 2], type.getRows());
  shape[rank - 1] = llvm::divideCeil(shape[rank - 1], type.getColumns());
  auto element = Float32Type::get(type.getContext());
  return {tensor.scales, RankedTensorType::get(shape, element), ""};
}

LogicalResult
CheckpointWeights::check(const StoredTensor &tensor,
                         function_ref<InFlightDiagnostic()> emitError) {
  const ::tcc::schema::TensorT *found = find(tensor.name);
  if (!found)
    return emitError() << "expected tensor '" << tensor.name
                       << "' in the checkpoint, got none";
  StorageUnit unit = storageUnit(storedElement(tensor.type));
  if (tensor.type.getShape() != ArrayRef(found->shape) ||
      static_cast<int64_t>(found->bytes) * unit.elements !=
          tensor.type.getNumElements() * unit.bytes)
    return emitError() << "expected tensor '" << tensor.name << "' to be "
                       << tensor.type << ", got " << found->bytes << " bytes";
  auto scaled = dyn_cast<ScaledType>(tensor.type.getElementType());
  return scaled ? check(scalesOf(tensor, scaled), emitError) : success();
}

/// Reads rows as they are stored, without scales.
void CheckpointWeights::readStored(const StoredTensor &tensor, int64_t first,
                                   int64_t count, double *result) const {
  Type element = storedElement(tensor.type);
  StorageUnit unit = storageUnit(element);
  int64_t columns = tensor.type.getShape().back();
  const uint8_t *data = weights.data(*find(tensor.name));
  decode(element, data + first * columns / unit.elements * unit.bytes,
         count * columns, result);
}

void CheckpointWeights::read(const StoredTensor &tensor, int64_t first,
                             int64_t count, double *result) const {
  readStored(tensor, first, count, result);
  auto type = dyn_cast<ScaledType>(tensor.type.getElementType());
  if (!type)
    return;
  StoredTensor scales = scalesOf(tensor, type);
  ArrayRef<int64_t> shape = tensor.type.getShape();
  int64_t columns = shape.back(), matrixRows = shape[shape.size() - 2];
  int64_t blockRows = llvm::divideCeil(matrixRows, type.getRows());
  std::vector<double> row(scales.type.getShape().back());
  for (int64_t i = 0; i < count; ++i) {
    // Blocks begin anew with each matrix of a stack.
    int64_t matrix = (first + i) / matrixRows;
    int64_t block = (first + i) % matrixRows / type.getRows();
    readStored(scales, matrix * blockRows + block, 1, row.data());
    for (int64_t k = 0; k < columns; ++k)
      result[i * columns + k] *= row[k / type.getColumns()];
  }
}
