// Writes the executable file: manifest, code and packed weights.

#ifndef TCC_COMPILER_EMIT_EMIT_H
#define TCC_COMPILER_EMIT_EMIT_H

#include "compiler/target/CompiledImage.h"
#include "frontends/model/ModelFile.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/support/Status.h"

#include <functional>
#include <string>

namespace mlir::tcc {

/// Called while weights are packed: bytes written so far and in all.
using EmitProgress = std::function<void(uint64_t done, uint64_t total)>;

/// A module of the `plan` dialect for one target, and the code of its kernels.
struct TargetCode {
  ModuleOp module;
  const CompiledImage *image;
};

/// Writes `path` from what is compiled for each target and the checkpoint.
///
/// Weights are streamed from the mapped checkpoint through a few megabytes of
/// memory. The same inputs give the same bytes.
///
/// \param weights The mapped checkpoint, or null to write a file that says that
///                it has no weights.
///
/// \returns CannotWrite; Internal if the plan or a weight of it is not one that
///          a file can hold.
::tcc::Status emitExecutable(ArrayRef<TargetCode> targets,
                             const ::tcc::ModelFile &model,
                             const ::tcc::ModelWeights *weights,
                             const std::string &path,
                             const EmitProgress &progress);

} // namespace mlir::tcc

#endif // TCC_COMPILER_EMIT_EMIT_H
