// Elements of a weight that is packed in rows (`#kernel.row_packing`).

#ifndef TCC_COMPILER_CODEGEN_NVPTX_WEIGHTROWS_H
#define TCC_COMPILER_CODEGEN_NVPTX_WEIGHTROWS_H

#include "compiler/codegen/nvptx/Emitter.h"
#include "compiler/target/h100/PackedRows.h"

namespace mlir::tcc::nvptx {

class WeightRows {
public:
  /// The weight of type `type` at `memory`.
  WeightRows(Emitter &emitter, Type type, kernel::RowPackingAttr packing,
             Value memory)
      : layout(cast<ShapedType>(type), packing), emitter(emitter),
        element(getElementTypeOrSelf(type)), memory(memory) {}

  /// Element `k` of row `row`, as they lie in memory: f32, rounded once if it
  /// is in a block.
  Value load(Value row, Value k);
  /// Four elements from `k`, a multiple of 4, on.
  SmallVector<Value> loadFour(Value row, Value k);

  const h100::RowLayout layout;

private:
  Value at(size_t plane, Value row, Value bytes);
  Value loadWord(Value row, Value k);
  Value integerOf(Value word, Value shift);
  SmallVector<Value> scale(Value row, Value k, ValueRange integers);
  Value loadHeader(size_t plane, Value row, Value block);

  Emitter &emitter;
  Type element;
  Value memory;
};

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_WEIGHTROWS_H
