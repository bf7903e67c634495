#include "test/unit/compiler/RouteKernel.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir::tcc;
using namespace mlir::tcc::x86;

/// `value` as MLIR reads it.
static std::string text(double value) {
  return llvm::formatv("{0:e17}", value);
}

std::string x86::routeAttributes(const Router &router) {
  std::string attributes =
      llvm::formatv("{0} groups({1}) keep({2}) top({3}) ",
                    router.usesSoftmax ? "softmax" : "sigmoid", router.groups,
                    router.keep, router.top);
  if (router.normalize)
    attributes += "normalize(" + text(*router.normalize) + ") ";
  return attributes + "scale(" + text(router.scale) + ")";
}

std::string x86::routeText(const Router &router, int64_t experts,
                           bool hasBias) {
  std::string bias = llvm::formatv("%bias : memref<{0}xf32>", experts);
  return llvm::formatv(R"(
    func.func @route(%logits: memref<?x{0}xf32>, {3} %experts: memref<?x{1}xi32>,
        %weights: memref<?x{1}xf32>) attributes {{kernel.rows = "tokens"} {{
      kernel.route %logits {4} {2} into %experts, %weights
        : memref<?x{0}xf32>, memref<?x{1}xi32>, memref<?x{1}xf32>
      return
    })",
                       experts, router.chosen, routeAttributes(router),
                       hasBias ? bias + "," : "",
                       hasBias ? "bias(" + bias + ")" : "");
}

std::vector<Routing>
x86::runRoute(const KernelRunner &kernel, const Router &router,
              const std::vector<std::vector<float>> &logits,
              const std::vector<float> &bias) {
  std::vector<float> all;
  for (const std::vector<float> &row : logits)
    all.insert(all.end(), row.begin(), row.end());
  auto tokens = static_cast<int64_t>(logits.size());
  Buffer input(all), biases(bias), experts(tokens * router.chosen * 4),
      weights(tokens * router.chosen * 4);
  std::vector<const Buffer *> arguments = {&input};
  if (!bias.empty())
    arguments.push_back(&biases);
  arguments.insert(arguments.end(), {&experts, &weights});
  kernel.run(arguments, tokens);
  std::vector<Routing> result;
  auto chosen = experts.values<int32_t>();
  auto weight = weights.values<float>();
  for (int64_t token = 0; token < tokens; ++token) {
    auto first = token * router.chosen, end = first + router.chosen;
    result.push_back({{chosen.begin() + first, chosen.begin() + end},
                      {weight.begin() + first, weight.begin() + end}});
  }
  return result;
}
