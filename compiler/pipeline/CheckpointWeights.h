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

  LogicalResult check(const StoredTensor &tensor,
                      function_ref<InFlightDiagnostic()> emitError) override;
  void read(const StoredTensor &tensor, int64_t first, int64_t count,
            double *result) const override;

private:
  const ::tcc::schema::TensorT *find(const std::string &name) const;
  void readStored(const StoredTensor &tensor, int64_t first, int64_t count,
                  double *result) const;

  const ::tcc::ModelFile &model;
  const ::tcc::ModelWeights &weights;
};

} // namespace mlir::tcc

#endif // TCC_COMPILER_PIPELINE_CHECKPOINTWEIGHTS_H
