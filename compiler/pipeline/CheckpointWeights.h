// The weights of a checkpoint, as the interpreter reads them.

#ifndef TCC_COMPILER_PIPELINE_CHECKPOINTWEIGHTS_H
#define TCC_COMPILER_PIPELINE_CHECKPOINTWEIGHTS_H

#include "compiler/interpreter/WeightSource.h"
#include "frontends/model/ModelFile.h"

namespace mlir::tcc {

/// Decodes tensors from the mapped files of a model. Both must outlive it.
class CheckpointWeights : public WeightSource {
public:
  CheckpointWeights(const ::tcc::ModelFile &model,
                    const ::tcc::ModelWeights &weights)
      : model(model), weights(weights) {}

  LogicalResult check(StringRef tensor, RankedTensorType type,
                      function_ref<InFlightDiagnostic()> emitError) override;
  void read(StringRef tensor, RankedTensorType type, int64_t first,
            int64_t count, double *result) const override;

private:
  const ::tcc::ModelFile &model;
  const ::tcc::ModelWeights &weights;
};

} // namespace mlir::tcc

#endif // TCC_COMPILER_PIPELINE_CHECKPOINTWEIGHTS_H
