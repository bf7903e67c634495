// The scalar regions of linear layers, as code of a thread.

#ifndef TCC_COMPILER_CODEGEN_NVPTX_SCALARREGION_H
#define TCC_COMPILER_CODEGEN_NVPTX_SCALARREGION_H

#include "compiler/codegen/nvptx/Emitter.h"

namespace mlir::tcc::nvptx {

/// Emits what `region`, a prologue or an epilogue, makes of `arguments`, which
/// are f32. An empty region makes the first of them.
Value emitRegion(Emitter &emitter, Region &region, ValueRange arguments);

} // namespace mlir::tcc::nvptx

#endif // TCC_COMPILER_CODEGEN_NVPTX_SCALARREGION_H
