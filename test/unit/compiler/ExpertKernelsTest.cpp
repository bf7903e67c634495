// Kernels around the linear layers of experts, against their definitions.

#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/RouteKernel.h"
#include "test/unit/compiler/Values.h"

#include "llvm/Support/FormatVariadic.h"

#include <limits>

using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
class RouteKernel : public KernelTest {};
class DispatchKernel : public KernelTest {};
class CombineKernel : public KernelTest {};
} // namespace

TCC_TEST_MARCHES(RouteKernel);
TCC_TEST_MARCHES(DispatchKernel);
TCC_TEST_MARCHES(CombineKernel);

//===----------------------------------------------------------------------===//
// Routing
//===----------------------------------------------------------------------===//

// exp, a division and a sum of up to 256, in f32.
static constexpr double routeTolerance = 3e-6;

namespace {
struct RouterCase {
  const char *name;
  Router router;
  int64_t experts;
  bool hasBias;
};
} // namespace

static const RouterCase routerCases[] = {
    {"DeepSeek-V3", {false, 8, 4, 2, 8, 1e-20, 2.5}, 256, true},
    {"DeepSeek-V2", {true, 8, 3, 1, 6, {}, 16}, 160, false},
    {"DeepSeek-V2-Lite", {true, 1, 1, 1, 6, {}, 1}, 64, false},
    {"groups of odd sizes", {false, 3, 2, 3, 5, 1e-20, 1}, 57, true},
    {"all experts", {true, 1, 1, 1, 9, 1e-20, 1}, 9, true},
    {"all experts of the kept groups", {false, 4, 2, 2, 10, {}, 2}, 20, true},
    {"one expert", {false, 1, 1, 1, 1, 1e-20, 1}, 1, false},
};

/// Routes rows of logits by `kernel` and expects of each what `route` says.
static void expectRouting(const KernelRunner &kernel, const Router &router,
                          const std::vector<std::vector<float>> &logits,
                          const std::vector<float> &bias) {
  std::vector<Routing> actual = runRoute(kernel, router, logits, bias);
  for (size_t token = 0; token < logits.size(); ++token)
    EXPECT_TRUE(
        agrees(actual[token],
               route(router, {logits[token].begin(), logits[token].end()},
                     {bias.begin(), bias.end()}),
               routeTolerance))
        << "token " << token;
}

TEST_P(RouteKernel, ChoosesAsDefined) {
  std::mt19937 random(1);
  for (const RouterCase &test : routerCases) {
    SCOPED_TRACE(test.name);
    auto kernel = compile(routeText(test.router, test.experts, test.hasBias));
    ASSERT_TRUE(kernel);
    std::vector<std::vector<float>> logits;
    for (int token = 0; token < 7; ++token)
      logits.push_back(randomFloats(random, test.experts));
    expectRouting(*kernel, test.router, logits,
                  randomFloats(random, test.hasBias ? test.experts : 0));
  }
}

// Few different values, so that experts and groups tie all the time.
TEST_P(RouteKernel, TiesGoToTheLowest) {
  std::mt19937 random(1);
  for (const RouterCase &test : routerCases) {
    SCOPED_TRACE(test.name);
    auto kernel = compile(routeText(test.router, test.experts, test.hasBias));
    ASSERT_TRUE(kernel);
    std::vector<std::vector<float>> logits(7);
    for (std::vector<float> &row : logits)
      for (int64_t expert = 0; expert < test.experts; ++expert)
        row.push_back(static_cast<float>(random() % 2));
    expectRouting(*kernel, test.router, logits,
                  std::vector<float>(test.hasBias ? test.experts : 0));
  }
}

// The experts fill no whole vector. All logits are far below 0: what is beside
// them must not be the largest. Or only the first is far above, where exp of it
// is infinite.
TEST_P(RouteKernel, SoftmaxOfSmallAndLargeLogits) {
  Router router = {true, 1, 1, 1, 1, {}, 1};
  std::mt19937 random(1);
  for (int64_t experts : {5, 19}) {
    auto kernel = compile(routeText(router, experts, false));
    ASSERT_TRUE(kernel);
    std::vector<float> small = randomFloats(random, experts), large = small;
    for (float &logit : small)
      logit -= 200;
    large[0] += 200;
    expectRouting(*kernel, router, {small, large}, {});
  }
}

// Biased scores are below 0: experts of the group that is left out must not
// come back with scores of 0.
TEST_P(RouteKernel, DroppedGroupsStayDropped) {
  Router router = {false, 2, 1, 2, 3, 1e-20, 2.5};
  auto kernel = compile(routeText(router, 8, true));
  ASSERT_TRUE(kernel);
  std::vector<std::vector<float>> logits = {{-3, -2, -4, -3, 1, 1, 0.5f, 0.2f}};
  std::vector<Routing> actual =
      runRoute(*kernel, router, logits, std::vector<float>(8, -0.9f));
  EXPECT_EQ(actual[0].experts, (std::vector<int32_t>{4, 5, 6}));
}

// NaN is smaller than any number, -inf too; an expert of a dropped group is not
// chosen even before NaN.
TEST_P(RouteKernel, OrdersWhatIsNotFinite) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  Router router = {false, 4, 2, 1, 3, 1e-20, 1};
  auto kernel = compile(routeText(router, 8, true));
  ASSERT_TRUE(kernel);
  std::vector<float> none(8);
  expectRouting(*kernel, router,
                {{nan, nan, nan, nan, nan, nan, nan, nan},
                 {nan, 1, -nan, 0, nan, nan, 0.5f, 1},
                 {nan, nan, nan, nan, 2, nan, nan, nan},
                 {infinity, -infinity, nan, -nan, 0, 0, 0, 0},
                 {-infinity, -infinity, -infinity, -infinity, -infinity,
                  -infinity, -infinity, -infinity}},
                none);
  // The bias makes numbers negative or infinite.
  expectRouting(*kernel, router,
                {{0, 1, 2, 3, 4, 5, 6, 7}, {nan, 1, 2, 3, 4, 5, 6, nan}},
                {-infinity, -1, nan, -infinity, -2, -3, nan, nan});
  Router softmax = {true, 1, 1, 1, 3, {}, 1};
  auto other = compile(routeText(softmax, 8, false));
  ASSERT_TRUE(other);
  expectRouting(
      *other, softmax,
      {{-infinity, 1, -infinity, -infinity, 2, -infinity, -infinity, -infinity},
       {0, 1, nan, 2, 3, 4, 5, 6},
       {0, 1, infinity, 2, 3, 4, 5, 6},
       {-infinity, -infinity, -infinity, -infinity, -infinity, -infinity,
        -infinity, -infinity}},
      {});
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

/// Dispatches rows of `chosen` experts and expects what a stable sort gives.
static void expectDispatch(const KernelRunner &kernel, int64_t count,
                           int64_t chosen,
                           const std::vector<int32_t> &experts) {
  auto pairs = static_cast<int64_t>(experts.size());
  Buffer input(experts), rows(pairs * 4), places(pairs * 4),
      offsets((count + 1) * 4);
  kernel.run({&input, &rows, &places, &offsets}, pairs / chosen);
  std::vector<int32_t> expectedRows, expectedPlaces(pairs), expectedOffsets;
  for (int32_t expert = 0; expert < count; ++expert) {
    expectedOffsets.push_back(static_cast<int32_t>(expectedRows.size()));
    for (int64_t pair = 0; pair < pairs; ++pair) {
      if (experts[pair] != expert)
        continue;
      expectedPlaces[pair] = static_cast<int32_t>(expectedRows.size());
      expectedRows.push_back(static_cast<int32_t>(pair / chosen));
    }
  }
  expectedOffsets.push_back(static_cast<int32_t>(pairs));
  EXPECT_EQ(rows.values<int32_t>(), expectedRows);
  EXPECT_EQ(places.values<int32_t>(), expectedPlaces);
  EXPECT_EQ(offsets.values<int32_t>(), expectedOffsets);
}

TEST_P(DispatchKernel, SortsByExpertAndKeepsTheOrderOfTokens) {
  std::mt19937 random(1);
  for (auto [experts, chosen] : {std::pair(1, 1), std::pair(5, 5),
                                 std::pair(64, 6), std::pair(256, 8)}) {
    SCOPED_TRACE(std::to_string(chosen) + " of " + std::to_string(experts));
    auto kernel = compile(llvm::formatv(R"(
    func.func @dispatch(%experts: memref<?x{0}xi32>, %rows: memref<?xi32>,
        %places: memref<?x{0}xi32>, %offsets: memref<{1}xi32>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.dispatch %experts into %rows, %places, %offsets
        : memref<?x{0}xi32>, memref<?xi32>, memref<?x{0}xi32>, memref<{1}xi32>
      return
    })",
                                        chosen, experts + 1)
                              .str());
    ASSERT_TRUE(kernel);
    for (int64_t tokens : {0, 1, 37}) {
      std::vector<int32_t> different, same;
      for (int64_t token = 0; token < tokens; ++token) {
        std::vector<int32_t> order(experts);
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), random);
        different.insert(different.end(), order.begin(),
                         order.begin() + chosen);
        for (int32_t j = 0; j < chosen; ++j)
          same.push_back(experts - 1 - j);
      }
      expectDispatch(*kernel, experts, chosen, different);
      expectDispatch(*kernel, experts, chosen, same);
    }
  }
}

//===----------------------------------------------------------------------===//
// Combination
//===----------------------------------------------------------------------===//

static std::string combineText(int64_t columns, int64_t chosen,
                               int64_t addends) {
  std::string parameters, names, types;
  for (int64_t i = 0; i < addends; ++i) {
    parameters += llvm::formatv("%a{0}: memref<?x{1}xf32>, ", i, columns);
    names += llvm::formatv("{0}%a{1}", i ? ", " : "", i);
    types += llvm::formatv("{0}memref<?x{1}xf32>", i ? ", " : "", columns);
  }
  return llvm::formatv(R"(
    func.func @combine(%x: memref<?x{0}xf32>, %places: memref<?x{1}xi32>,
        %weights: memref<?x{1}xf32>, {2} %y: memref<?x{0}xf32>)
        attributes {{kernel.rows = "tokens"} {{
      kernel.combine %x, %places, %weights {3} into %y
        : memref<?x{0}xf32>, memref<?x{1}xi32>, memref<?x{1}xf32>,
          memref<?x{0}xf32>
      return
    })",
                       columns, chosen, parameters,
                       addends ? "add(" + names + " : " + types + ")" : "");
}

// One of two addends is the destination.
TEST_P(CombineKernel, AddsInTheOrderOfItsDefinition) {
  std::mt19937 random(1);
  constexpr int64_t tokens = 5;
  for (auto [columns, chosen, addends] :
       {std::tuple(1, 1, 0), std::tuple(64, 8, 1), std::tuple(147, 3, 2)}) {
    auto kernel = compile(combineText(columns, chosen, addends));
    ASSERT_TRUE(kernel);
    std::vector<float> x = randomFloats(random, tokens * chosen * columns);
    std::vector<float> weights = randomFloats(random, tokens * chosen);
    std::vector<int32_t> places(tokens * chosen);
    std::iota(places.begin(), places.end(), 0);
    std::shuffle(places.begin(), places.end(), random);
    std::vector<std::vector<float>> added;
    for (int64_t i = 0; i < 2; ++i)
      added.push_back(randomFloats(random, tokens * columns));
    Buffer input(x), where(places), weight(weights), first(added[0]),
        result(added[1]);
    std::vector<const Buffer *> arguments = {&input, &where, &weight, &first,
                                             &result};
    arguments.resize(3 + addends);
    arguments.push_back(&result);
    kernel->run(arguments, tokens);
    std::vector<float> y = result.values<float>();
    for (int64_t i = 0; i < tokens * columns; ++i) {
      float expected = 0;
      for (int64_t pair = i / columns * chosen;
           pair < (i / columns + 1) * chosen; ++pair)
        expected = std::fma(weights[pair],
                            x[places[pair] * columns + i % columns], expected);
      for (int64_t a = 0; a < addends; ++a)
        expected += added[a][i];
      EXPECT_EQ(y[i], expected) << "element " << i << " of rows of " << columns;
    }
  }
}
