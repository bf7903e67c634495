// The cases of test/fixtures/deepseek/routers.json: for the interpreter, for
// kernel.route, and for programs that are wrong on purpose, each of which must
// be found out.

#include "compiler/interpreter/Interpreter.h"
#include "dialects/transformer/Transformer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "test/unit/compiler/RouteKernel.h"
#include "llvm/Support/FormatVariadic.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

using Json = nlohmann::json;
using Rows = std::vector<std::vector<double>>;

namespace {
struct Case {
  std::string name;
  Router router;
  Rows logits;
  std::vector<double> bias;
  std::vector<Routing> expected;
  std::string mistake; ///< What a wrong program does, and what it gives.
  std::vector<Routing> wrong;
};

class RouterConformance : public KernelTest {};
} // namespace

TCC_TEST_MARCHES(RouterConformance);

// Weights of the fixture are in f64; those of the kernel in f32, with exp, a
// sum and divisions.
static constexpr double exactTolerance = 1e-12, kernelTolerance = 3e-6;

//===----------------------------------------------------------------------===//
// Cases
//===----------------------------------------------------------------------===//

/// NaN is null in the file.
static std::vector<double> numbersOf(const Json &values) {
  std::vector<double> numbers;
  for (const Json &value : values)
    numbers.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                      : value.get<double>());
  return numbers;
}

static std::vector<Routing> routingsOf(const Json &object) {
  std::vector<Routing> routings;
  for (size_t token = 0; token < object["experts"].size(); ++token)
    routings.push_back({object["experts"][token].get<std::vector<int32_t>>(),
                        numbersOf(object["weights"][token])});
  return routings;
}

/// The router that the fields of a config mean.
static Router routerOf(const Json &fields) {
  Router router;
  router.usesSoftmax = fields["scoring_func"] == "softmax";
  router.groups = fields["n_group"];
  router.keep = fields["topk_group"];
  router.top = fields["topk_method"] == "noaux_tc" ? 2 : 1;
  router.chosen = fields["num_experts_per_tok"];
  if (fields["norm_topk_prob"])
    router.normalize = 1e-20;
  router.scale = fields["routed_scaling_factor"];
  return router;
}

static std::vector<Case> readCases() {
  const char *fixtures = std::getenv("TCC_FIXTURES");
  std::ifstream file(std::string(fixtures ? fixtures : "test/fixtures") +
                     "/deepseek/routers.json");
  EXPECT_TRUE(file) << "TCC_FIXTURES names the folder test/fixtures";
  std::vector<Case> cases;
  for (const Json &object : Json::parse(file)) {
    Case test = {object["name"],
                 routerOf(object["router"]),
                 object["logits"],
                 {},
                 routingsOf(object),
                 "",
                 {}};
    if (!object["bias"].is_null())
      test.bias = numbersOf(object["bias"]);
    if (object.contains("wrong")) {
      test.mistake = object["wrong"]["mistake"];
      test.wrong = routingsOf(object["wrong"]);
    }
    cases.push_back(test);
  }
  EXPECT_EQ(cases.size(), 28u);
  return cases;
}

static bool agree(const std::vector<Routing> &actual,
                  const std::vector<Routing> &expected, double tolerance) {
  return std::equal(actual.begin(), actual.end(), expected.begin(),
                    expected.end(), [&](const Routing &a, const Routing &b) {
                      return agrees(a, b, tolerance);
                    });
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static std::vector<Routing> routeAll(const Case &test,
                                     const std::string &mistake) {
  std::vector<Routing> routings;
  for (const std::vector<double> &logits : test.logits)
    routings.push_back(route(test.router, logits, test.bias, mistake));
  return routings;
}

// The definition in f64 conforms; with the mistake of a case it gives what
// other programs give, which does not conform, whatever rounding the comparison
// allows.
TEST(RouterMistakes, AreFoundOut) {
  std::set<std::string> found;
  for (const Case &test : readCases()) {
    SCOPED_TRACE(test.name);
    EXPECT_TRUE(agree(routeAll(test, ""), test.expected, exactTolerance));
    if (test.mistake.empty())
      continue;
    std::vector<Routing> planted = routeAll(test, test.mistake);
    EXPECT_TRUE(agree(planted, test.wrong, exactTolerance)) << test.mistake;
    EXPECT_FALSE(agree(planted, test.expected, 1e-3)) << test.mistake;
    found.insert(test.mistake);
  }
  EXPECT_EQ(found,
            (std::set<std::string>{"mask-zero", "biased-weights",
                                   "group-maximum", "group-sum", "no-epsilon",
                                   "no-bias", "ties-highest", "not-scaled",
                                   "scaled-before-norm", "softmax-of-chosen"}));
}

TEST_P(RouterConformance, OfKernel) {
  for (const Case &test : readCases()) {
    SCOPED_TRACE(test.name);
    auto kernel = compile(
        routeText(test.router, test.logits[0].size(), !test.bias.empty()));
    ASSERT_TRUE(kernel);
    std::vector<std::vector<float>> logits;
    for (const std::vector<double> &row : test.logits)
      logits.emplace_back(row.begin(), row.end());
    EXPECT_TRUE(agree(runRoute(*kernel, test.router, logits,
                               {test.bias.begin(), test.bias.end()}),
                      test.expected, kernelTolerance));
  }
}

/// The router as the graph phase leaves it.
static std::string fusedBody(const Router &router, bool hasBias) {
  return llvm::formatv(R"(
      %experts, %weights = transformer.route %logits {0} {1}
        : !logits -> !experts, !weights)",
                       hasBias ? "bias(%bias : !bias)" : "",
                       routeAttributes(router));
}

/// The router as the importer writes it.
static std::string smallBody(const Router &router, bool hasBias) {
  std::string text = llvm::formatv(
      R"(
      %scores = transformer.{0} %logits : !logits -> !logits
      %experts = transformer.select_experts %scores {1} groups({2}) keep({3})
        top({4}) : !logits -> !experts
      %chosen = transformer.gather_columns %scores, %experts
        : !logits, !experts -> !weights)",
      router.usesSoftmax ? "softmax" : "sigmoid",
      hasBias ? "bias(%bias : !bias)" : "", router.groups, router.keep,
      router.top);
  const char *weights = "%chosen";
  if (router.normalize) {
    text +=
        "\n%normed = transformer.sum_norm %chosen epsilon(1.0e-20) : !weights";
    weights = "%normed";
  }
  return text + llvm::formatv(
                    "\n%weights = transformer.scale {0} by({1:f17}) : !weights",
                    weights, router.scale)
                    .str();
}

static std::vector<Routing> interpret(const Case &test,
                                      const std::string &body) {
  auto tokens = static_cast<int64_t>(test.logits.size());
  auto experts = static_cast<int64_t>(test.logits[0].size());
  std::string text = llvm::formatv(
      R"(
    !logits = tensor<{0}x{1}xf64>
    !bias = tensor<{1}xf32>
    !experts = tensor<{0}x{2}xi32>
    !weights = tensor<{0}x{2}xf64>
    func.func @route(%logits: !logits, %bias: !bias) -> (!experts, !weights) {{
      {3}
      return %experts, %weights : !experts, !weights
    })",
      tokens, experts, test.router.chosen, body);
  DialectRegistry registry;
  registry.insert<arith::ArithDialect, func::FuncDialect,
                  transformer::TransformerDialect>();
  registerInterpretations(registry);
  MLIRContext context(registry);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return {};
  Tensor logits({tokens, experts}, {}), bias({experts}, test.bias);
  bias.values.resize(experts);
  for (const std::vector<double> &row : test.logits)
    logits.values.insert(logits.values.end(), row.begin(), row.end());
  RandomWeights weights(0);
  auto results = Interpreter(*module, weights).run("route", {logits, bias});
  if (failed(results))
    return {};
  std::vector<Routing> routings;
  for (int64_t token = 0; token < tokens; ++token) {
    auto rowOf = [&](const Tensor &tensor) {
      return ArrayRef(tensor.values)
          .slice(token * test.router.chosen, test.router.chosen);
    };
    ArrayRef<double> chosen = rowOf((*results)[0]),
                     weight = rowOf((*results)[1]);
    routings.push_back(
        {{chosen.begin(), chosen.end()}, {weight.begin(), weight.end()}});
  }
  return routings;
}

TEST(RouterInterpretation, Conforms) {
  for (const Case &test : readCases()) {
    SCOPED_TRACE(test.name);
    bool hasBias = !test.bias.empty();
    EXPECT_TRUE(agree(interpret(test, fusedBody(test.router, hasBias)),
                      test.expected, exactTolerance))
        << "transformer.route";
    EXPECT_TRUE(agree(interpret(test, smallBody(test.router, hasBias)),
                      test.expected, exactTolerance))
        << "transformer.select_experts";
  }
}
