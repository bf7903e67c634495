// What routers compute, in f64, and the mistakes of other programs.

#ifndef TCC_TEST_UNIT_COMPILER_ROUTER_H
#define TCC_TEST_UNIT_COMPILER_ROUTER_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mlir::tcc {

struct Router {
  bool usesSoftmax;
  int64_t groups, keep, top, chosen;
  std::optional<double> normalize;
  double scale;
};

/// Experts and weights of one token.
struct Routing {
  std::vector<int32_t> experts;
  std::vector<double> weights;
};

/// Routes a token as `kernel.route` says; `bias` may be empty. A `mistake` is
/// one that test/fixtures/deepseek/routers.json names, or empty.
Routing route(const Router &router, const std::vector<double> &logits,
              const std::vector<double> &bias, const std::string &mistake = "");

/// Whether `actual` has the experts of `expected` in their order, and weights
/// that differ from its by `tolerance` of them at most; NaN where it has.
bool agrees(const Routing &actual, const Routing &expected, double tolerance);

} // namespace mlir::tcc

#endif // TCC_TEST_UNIT_COMPILER_ROUTER_H
