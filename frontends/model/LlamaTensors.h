// What a Llama is made of: the limits of its sizes and the list of its tensors.

#ifndef TCC_FRONTENDS_MODEL_LLAMATENSORS_H
#define TCC_FRONTENDS_MODEL_LLAMATENSORS_H

#include "frontends/model/Model_generated.h"
#include "runtime/support/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tcc {

/// The largest hyperparameters that are accepted: far above every published
/// model, and small enough that no product of two overflows int64_t and that
/// the list of tensors stays small.
struct LlamaLimits {
  static constexpr int64_t size = int64_t{1}
                                  << 24; ///< Hidden, MLP, vocabulary.
  static constexpr int64_t layers = 4096;
  static constexpr int64_t heads = int64_t{1} << 16;
  static constexpr int64_t headSize = int64_t{1} << 14;
  static constexpr int64_t positions = int64_t{1} << 30;

  /// Of the norms: above 1 nothing of the model is left, and f32 has no normal
  /// numbers below the smallest.
  static bool isEpsilon(double value) { return value >= 1.2e-38 && value <= 1; }
  static constexpr const char *epsilons = "a number from 1.2e-38 to 1";
};

/// A tensor that the architecture needs.
struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> shape;
  const char *formula; ///< The shape in fields of config.json.
};

/// Every tensor of `llama`, in no particular order. The hyperparameters are
/// within the limits above.
std::vector<ExpectedTensor> llamaTensors(const schema::LlamaT &llama);

/// Checks each hyperparameter and how they fit together; `path` is the file
/// that they come from.
Status checkLlama(const std::string &path, const schema::LlamaT &llama);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_LLAMATENSORS_H
