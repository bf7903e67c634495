// Limits and checks of hyperparameters that architectures share.

#ifndef TCC_FRONTENDS_MODEL_HYPERPARAMETERS_H
#define TCC_FRONTENDS_MODEL_HYPERPARAMETERS_H

#include "frontends/model/Model_generated.h"
#include "runtime/support/Status.h"

#include <cstdint>
#include <initializer_list>
#include <string>

namespace tcc {

/// The largest hyperparameters that are accepted: far above every published
/// model, and small enough that no product of two overflows int64_t and that
/// the list of tensors stays small.
struct ModelLimits {
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

/// A size from `minimum` to `limit`.
struct SizeField {
  const char *name;
  uint32_t value;
  int64_t limit;
  int64_t minimum = 1;
};

/// Checks that each of `sizes`, which come from the file `path`, is in range.
Status checkSizes(const std::string &path,
                  std::initializer_list<SizeField> sizes);

Status checkEpsilon(const std::string &path, double epsilon);

/// Checks a rotation of `size` elements; `name` is what the size is called.
Status checkRotary(const std::string &path,
                   const schema::RotaryEmbeddingT *rotary, const char *name,
                   uint32_t size);

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_HYPERPARAMETERS_H
