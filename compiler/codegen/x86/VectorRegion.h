// The scalar regions of linear layers, as code on vectors.

#ifndef TCC_COMPILER_CODEGEN_X86_VECTORREGION_H
#define TCC_COMPILER_CODEGEN_X86_VECTORREGION_H

#include "compiler/codegen/x86/Emitter.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::tcc::x86 {

/// A scalar region, applied to vectors. What depends on no column is emitted
/// once, before the columns.
class VectorRegion {
public:
  /// `region` may be null or without a block: the identity.
  VectorRegion(Emitter &emitter, Region *region)
      : emitter(emitter),
        block(!region || region->empty() ? nullptr : &region->front()) {}

  bool empty() const { return !block; }

  /// Maps argument `index` to `vector` for what follows.
  void set(unsigned index, Value vector) {
    mapping.map(block->getArgument(index), vector);
  }

  /// Emits every op whose operands are all mapped and that is not emitted yet.
  void emitKnown();

  /// Emits the rest and returns the yielded value. Mappings made before stay.
  Value emitRest();

private:
  void emitOp(Operation &op);

  Emitter &emitter;
  Block *block;
  IRMapping mapping;
};

} // namespace mlir::tcc::x86

#endif // TCC_COMPILER_CODEGEN_X86_VECTORREGION_H
