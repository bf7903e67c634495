// A tensor that an architecture needs.

#ifndef TCC_FRONTENDS_MODEL_EXPECTEDTENSOR_H
#define TCC_FRONTENDS_MODEL_EXPECTEDTENSOR_H

#include "runtime/support/Status.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tcc {

struct ExpectedTensor {
  /// What it may be stored as.
  enum class Kind {
    Plain,
    Scalable, ///< A matrix that may be e4m3 with scales.
    Bias,     ///< Of a router: f32 whatever the other weights are.
  };

  std::string name;
  std::vector<int64_t> shape;
  const char *formula; ///< The shape in fields of config.json.
  Kind kind = Kind::Plain;
  std::string stack = {}; ///< Of which it is a matrix: all are stored alike.
};

/// Called for one tensor after the other, until one fails: a list of all could
/// be far larger than the file that asks for it.
using TensorVisitor = std::function<Status(const ExpectedTensor &)>;

} // namespace tcc

#endif // TCC_FRONTENDS_MODEL_EXPECTEDTENSOR_H
