// The plan as the tables of the executable file.

#ifndef TCC_COMPILER_EMIT_MANIFEST_H
#define TCC_COMPILER_EMIT_MANIFEST_H

#include "compiler/emit/Emit.h"
#include "dialects/plan/Plan.h"
#include "frontends/model/Model_generated.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/schema/Executable_generated.h"

#include <vector>

namespace mlir::tcc {

/// The manifest of an executable and, for each target, the weights in the order of
/// its table.
struct Manifest {
  ::tcc::schema::ExecutableT executable;
  std::vector<std::vector<plan::WeightOp>> weights;
};

/// Translates the plans of `targets`. Offsets of weights are assigned; segments are
/// left empty.
FailureOr<Manifest> buildManifest(ArrayRef<TargetCode> targets,
                                  const ::tcc::schema::ModelT &model);

} // namespace mlir::tcc

#endif // TCC_COMPILER_EMIT_MANIFEST_H
