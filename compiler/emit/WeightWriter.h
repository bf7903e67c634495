// Streams weights from the checkpoint into the executable file, packed.

#ifndef TCC_COMPILER_EMIT_WEIGHTWRITER_H
#define TCC_COMPILER_EMIT_WEIGHTWRITER_H

#include "compiler/emit/Emit.h"
#include "dialects/plan/Plan.h"
#include "runtime/schema/Executable_generated.h"

#include <vector>

namespace mlir::tcc {

/// The bytes of one layer of `weight` as its kernels read it, with an error at
/// the op if its packing is unknown.
FailureOr<uint64_t> packedBytes(plan::WeightOp weight);

/// Packs `weights`, whose places are in `table`, to `file` from byte
/// `segment.offset` on, and sets the size and the digest of the segment.
::tcc::Status writeWeights(
    const std::vector<plan::WeightOp> &weights,
    const std::vector<std::unique_ptr<::tcc::schema::WeightT>> &table,
    const ::tcc::ModelFile &model, const ::tcc::ModelWeights &source,
    ::tcc::AtomicFile &file, ::tcc::schema::Segment &segment,
    const EmitProgress &progress);

} // namespace mlir::tcc

#endif // TCC_COMPILER_EMIT_WEIGHTWRITER_H
