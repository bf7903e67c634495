// What a Llama is made of: the list of its tensors, and what its sizes may be.

#ifndef TCC_FRONTENDS_MODEL_LLAMATENSORS_H
#define TCC_FRONTENDS_MODEL_LLAMATENSORS_H

#include "frontends/model/ExpectedTensor.h"
#include "frontends/model/Model_generated.h"

namespace tcc {

/// Visits every tensor of `llama`, in no particular order. The hyperparameters
/// are within ModelLimits.
Status visitLlamaTensors(const schema::LlamaT &llama,
                         const TensorVisitor &visit);

/// Checks each hyperparameter and how they fit together; `path` is the file
/// that they come from.
Status checkLlama(const std::string &path, const schema::LlamaT &llama);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_LLAMATENSORS_H
