// What a DeepSeek V2 or V3 is made of: its tensors, and what its sizes may be.

#ifndef TCC_FRONTENDS_MODEL_DEEPSEEKTENSORS_H
#define TCC_FRONTENDS_MODEL_DEEPSEEKTENSORS_H

#include "frontends/model/ExpectedTensor.h"
#include "frontends/model/Model_generated.h"

namespace tcc {

/// Experts of one layer, and of all layers, and the size of latents, at most:
/// V3 has 256, 14848 and 512.
struct DeepSeekLimits {
  static constexpr int64_t experts = 4096;
  static constexpr int64_t allExperts = int64_t{1} << 16;
  static constexpr int64_t latentSize = 8192;
};

/// Whether layer `layer` has experts in place of one MLP.
bool hasExperts(const schema::DeepSeekT &deepSeek, int64_t layer);

/// How the names of tensors of the module for multi-token prediction begin,
/// whether it is there or not.
std::string predictionPrefix(const schema::DeepSeekT &deepSeek);

/// Visits every tensor of `deepSeek` but scales, in no particular order.
/// `checkDeepSeek` accepts it.
Status visitDeepSeekTensors(const schema::DeepSeekT &deepSeek,
                            const TensorVisitor &visit);

/// Checks each hyperparameter and how they fit together; `path` is the file
/// that they come from.
Status checkDeepSeek(const std::string &path,
                     const schema::DeepSeekT &deepSeek);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_DEEPSEEKTENSORS_H
