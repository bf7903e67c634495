// The kernel of attention over expanded latents, against its definition in f64 and
// against the absorbed form.

#include "test/unit/compiler/Latents.h"
#include "test/unit/compiler/Weights.h"

#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// Sizes of a model, and its weight.
struct ExpandedSizes : LatentSizes {
  int64_t nope, value;
  const char *weight;

  /// Query heads are parts of larger ones.
  int64_t queryHead() const { return nope + rotary; }
};

/// How the kernel is cut: arithmetic, tokens of a block and columns of a tile.
struct ExpandedCuts {
  const char *arithmetic;
  int64_t tokens, columns;
};

/// A step with random queries, weights and cache.
struct ExpandedProblem {
  ExpandedProblem(const ExpandedSizes &sizes, int64_t columns,
                  std::vector<SequenceLengths> lengths);

  const float *rowOf(int64_t token, int64_t position) const {
    return &cache[step.rowOf(step.sequences[token], position) *
                  sizes.rowSize()];
  }
  const double *weightOf(int64_t head, int64_t row) const {
    return &weights.values[(head * (sizes.nope + sizes.value) + row) *
                           sizes.latent];
  }
  /// Element `index` of keys (then values) of a position.
  double expand(int64_t head, int64_t index, const float *row) const;
  double score(int64_t token, int64_t head, const float *row) const;
  /// The result for `token`, [H, V].
  std::vector<double> expected(int64_t token) const;

  ExpandedSizes sizes;
  std::mt19937 random{1};
  PagedStep step;
  std::vector<float> query; ///< [T, H, nope | rotary], f32.
  std::vector<float> rotatedQuery;
  Weights weights;
  std::vector<float> cache;
};

class ExpandedAttentionKernel : public KernelTest {
protected:
  std::unique_ptr<KernelRunner> compileFor(const ExpandedSizes &sizes,
                                           const ExpandedCuts &cuts,
                                           const char *rows = "tokens");
  std::vector<float> run(const KernelRunner &kernel,
                         const ExpandedProblem &problem, const PagedStep &step,
                         int64_t firstToken);
  std::vector<float> run(const KernelRunner &kernel,
                         const ExpandedProblem &problem) {
    return run(kernel, problem, problem.step, 0);
  }
  void check(const ExpandedSizes &sizes, const ExpandedCuts &cuts);
  std::vector<float> runAbsorbed(const ExpandedProblem &problem);
  int64_t columns() const { return 2 * lanes(); }
};
} // namespace

TCC_TEST_MARCHES(ExpandedAttentionKernel);

//===----------------------------------------------------------------------===//
// Definition
//===----------------------------------------------------------------------===//

ExpandedProblem::ExpandedProblem(const ExpandedSizes &sizes, int64_t columns,
                                 std::vector<SequenceLengths> lengths)
    : sizes(sizes), step(std::move(lengths), random),
      query(randomFloats(random,
                         step.tokens() * sizes.heads * sizes.queryHead())),
      rotatedQuery(rounded(
          randomFloats(random, step.tokens() * sizes.heads * sizes.rotary),
          sizes.isBF16)),
      weights(random, sizes.weight, sizes.heads, sizes.nope + sizes.value,
              sizes.latent, columns),
      cache(randomLatents(random, sizes, step)) {}

/// `value` as an element of the cache.
static double roundTo(double value, bool isBF16) {
  return rounded({static_cast<float>(value)}, isBF16)[0];
}

double ExpandedProblem::expand(int64_t head, int64_t index,
                               const float *row) const {
  const double *weight = weightOf(head, index);
  double sum = 0;
  for (int64_t c = 0; c < sizes.latent; ++c)
    sum += row[c] * weight[c];
  return roundTo(sum, sizes.isBF16);
}

double ExpandedProblem::score(int64_t token, int64_t head,
                              const float *row) const {
  const float *nope = &query[(token * sizes.heads + head) * sizes.queryHead()];
  const float *rotated =
      &rotatedQuery[(token * sizes.heads + head) * sizes.rotary];
  double sum = 0;
  for (int64_t n = 0; n < sizes.nope; ++n)
    sum += roundTo(nope[n], sizes.isBF16) * expand(head, n, row);
  for (int64_t r = 0; r < sizes.rotary; ++r)
    sum += double(rotated[r]) * row[sizes.latent + r];
  return sum;
}

std::vector<double> ExpandedProblem::expected(int64_t token) const {
  std::vector<double> result(sizes.heads * sizes.value);
  for (int64_t h = 0; h < sizes.heads; ++h) {
    std::vector<double> scores;
    for (int64_t s = 0; s <= step.positions[token]; ++s)
      scores.push_back(softmaxScale * score(token, h, rowOf(token, s)));
    double largest = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (int64_t s = 0; s <= step.positions[token]; ++s) {
      const float *row = rowOf(token, s);
      double weight = std::exp(scores[s] - largest);
      total += weight;
      for (int64_t v = 0; v < sizes.value; ++v)
        result[h * sizes.value + v] +=
            weight * expand(h, sizes.nope + v, row);
    }
    for (int64_t v = 0; v < sizes.value; ++v)
      result[h * sizes.value + v] /= total;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

std::unique_ptr<KernelRunner>
ExpandedAttentionKernel::compileFor(const ExpandedSizes &sizes,
                                    const ExpandedCuts &cuts,
                                    const char *rows) {
  std::string query = llvm::formatv(
      "memref<?x{0}x{1}xf32, strided<[{2}, {3}, 1]>>", sizes.heads, sizes.nope,
      sizes.heads * sizes.queryHead(), sizes.queryHead());
  std::string rotated = llvm::formatv("memref<?x{0}x{1}x{2}>", sizes.heads,
                                      sizes.rotary, sizes.element());
  // A memref has no elements with scales.
  std::string weight =
      llvm::formatv("{0}<{1}x{2}x{3}x{4}>",
                    llvm::StringRef(sizes.weight).starts_with("!") ? "tensor"
                                                             : "memref",
                    sizes.heads, sizes.nope + sizes.value, sizes.latent,
                    sizes.weight);
  std::string result = llvm::formatv("memref<?x{0}x{1}x{2}>", sizes.heads,
                                     sizes.value, sizes.element());
  return compile(
      llvm::formatv(R"(
    func.func @attention(%q: {0}, %r: {1}, %w: {2}, %p: memref<?xi32>,
        %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>, %y: {3})
        attributes {{kernel.rows = "{4}"} {{
      kernel.expanded_attention %q, %r, %w at(%p, %s, %t) cache(%c) into %y scale(0.3)
        layout(<page_tokens = 64, latent_size = {5}, rotary_size = {6}, element = {7}>)
        packing(<columns = {8}>)
        config(<arithmetic = {9}, tile_rows = 6, tile_columns = {8}, block_rows = 24,
                block_depth = 128>)
        attention(<block_tokens = {10}, tile_rows = 6, tile_columns = {11}>)
        : {0}, {1}, {2}, memref<?xi32>, memref<?xi32>, memref<?x?xi32>, memref<?xi8>, {3}
      return
    })",
                    query, rotated, weight, result, rows, sizes.latent,
                    sizes.rotary, sizes.element(), columns(), cuts.arithmetic,
                    cuts.tokens, cuts.columns)
          .str());
}

/// The result for the tokens of `step`, the first of which is number `firstToken`
/// of those of `problem`.
std::vector<float> ExpandedAttentionKernel::run(const KernelRunner &kernel,
                                                const ExpandedProblem &problem,
                                                const PagedStep &step,
                                                int64_t firstToken) {
  const ExpandedSizes &sizes = problem.sizes;
  auto part = [&](const std::vector<float> &all, int64_t size) {
    auto begin = all.begin() + firstToken * sizes.heads * size;
    return std::vector<float>(begin,
                              begin + step.tokens() * sizes.heads * size);
  };
  Buffer q(part(problem.query, sizes.queryHead())),
      r = store(part(problem.rotatedQuery, sizes.rotary), sizes.isBF16),
      w(problem.weights.packed), p(step.positions), s(step.sequences),
      t(step.pageTable), c = store(problem.cache, sizes.isBF16),
      y(step.tokens() * sizes.heads * sizes.value * sizes.bytes());
  kernel.run({&q, &r, &w, &p, &s, &t, &c, &y}, step.sizes());
  return load(y, sizes.isBF16);
}

void ExpandedAttentionKernel::check(const ExpandedSizes &sizes,
                                    const ExpandedCuts &cuts) {
  SCOPED_TRACE(std::string(sizes.weight) + " by " + cuts.arithmetic);
  ExpandedProblem problem(sizes, columns(), raggedBatch);
  auto kernel = compileFor(sizes, cuts);
  ASSERT_TRUE(kernel);
  std::vector<float> got = run(*kernel, problem);
  // Of bf16, probabilities and results are rounded once; keys and values may be
  // rounded otherwise than by the definition where their sums are near a tie.
  double tolerance = sizes.isBF16 ? 8e-3 : 1e-5;
  int64_t size = sizes.heads * sizes.value;
  for (int64_t token = 0; token < problem.step.tokens(); ++token) {
    std::vector<double> expected = problem.expected(token);
    EXPECT_LT(relativeError(&got[token * size], expected.data(), size),
              tolerance)
        << "token " << token;
  }
}

/// The latents that the absorbed form makes of `problem`, which is in f32.
std::vector<float>
ExpandedAttentionKernel::runAbsorbed(const ExpandedProblem &problem) {
  const ExpandedSizes &sizes = problem.sizes;
  int64_t rows = problem.step.tokens() * sizes.heads;
  std::vector<float> latentQuery(rows * sizes.latent);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t c = 0; c < sizes.latent; ++c) {
      double sum = 0;
      for (int64_t n = 0; n < sizes.nope; ++n)
        sum += problem.query[row * sizes.queryHead() + n] *
               problem.weightOf(row % sizes.heads, n)[c];
      latentQuery[row * sizes.latent + c] = static_cast<float>(sum);
    }
  auto kernel = compile(
      llvm::formatv(R"(
    func.func @attention(%l: memref<?x{0}x{1}xf32>, %r: memref<?x{0}x{2}xf32>,
        %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>,
        %y: memref<?x{0}x{1}xf32>) attributes {{kernel.rows = "tokens"} {{
      kernel.latent_attention %l, %r at(%p, %s, %t) cache(%c) into %y scale(0.3)
        layout(<page_tokens = 64, latent_size = {1}, rotary_size = {2}, element = f32>)
        config(<arithmetic = fma, block_tokens = 4, block_heads = {0}, tile_rows = 6,
                tile_columns = 64>)
        : memref<?x{0}x{1}xf32>, memref<?x{0}x{2}xf32>, memref<?xi32>, memref<?xi32>,
          memref<?x?xi32>, memref<?xi8>, memref<?x{0}x{1}xf32>
      return
    })",
                    sizes.heads, sizes.latent, sizes.rotary)
          .str());
  Buffer l(latentQuery), r(problem.rotatedQuery), p(problem.step.positions),
      s(problem.step.sequences), t(problem.step.pageTable), c(problem.cache),
      y(rows * sizes.latent * 4);
  kernel->run({&l, &r, &p, &s, &t, &c, &y}, problem.step.sizes());
  return y.values<float>();
}

//===----------------------------------------------------------------------===//
// Tests
//===----------------------------------------------------------------------===//

TEST_P(ExpandedAttentionKernel, MatchesDefinition) {
  check({{3, 8, 4, false}, 4, 8, "f32"}, {"fma", 4, 64});
  check({{2, 40, 6, false}, 33, 17, "f16"}, {"fma", 128, 32});
  check({{3, 8, 4, true}, 5, 8, "bf16"}, {"fma", 4, 64});
  check({{2, 64, 34, true}, 32, 64, "bf16"}, {"fma", 128, 16});
  check({{2, 16, 4, true}, 6, 9, "!transformer.scaled<f8E4M3FN, 4, 8>"},
        {"fma", 16, 64});
}

TEST_P(ExpandedAttentionKernel, MatchesDefinitionByDotProducts) {
  if (!hasDot())
    GTEST_SKIP() << GetParam() << " has no dot products";
  check({{3, 8, 4, true}, 4, 8, "bf16"}, {"dot", 4, 64});
  check({{2, 41, 34, true}, 32, 65, "bf16"}, {"dot", 128, 32});
  check({{2, 16, 4, true}, 6, 9, "!transformer.scaled<f8E4M3FN, 4, 8>"},
        {"dot", 16, 64});
}

TEST_P(ExpandedAttentionKernel, RowsHaveTheirBitsAlone) {
  for (auto [sizes, arithmetic] :
       {std::pair{ExpandedSizes{{2, 16, 6, false}, 5, 7, "f32"}, "fma"},
        {ExpandedSizes{{2, 16, 6, true}, 6, 7, "bf16"},
         hasDot() ? "dot" : "fma"}}) {
    ExpandedProblem problem(sizes, columns(), raggedBatch);
    auto kernel = compileFor(sizes, {arithmetic, 128, 64});
    ASSERT_TRUE(kernel);
    expectRowsAlone(problem.step, run(*kernel, problem),
                    [&](const PagedStep &step, int64_t token) {
                      return run(*kernel, problem, step, token);
                    });
  }
}

TEST_P(ExpandedAttentionKernel, CutsChangeNoBit) {
  ExpandedSizes sizes = {{2, 16, 6, true}, 5, 40, "bf16"};
  ExpandedProblem problem(sizes, columns(), raggedBatch);
  std::vector<float> first;
  for (const ExpandedCuts &cuts :
       {ExpandedCuts{"fma", 128, 64}, {"fma", 1, 16}, {"fma", 5, 32}}) {
    auto kernel = compileFor(sizes, cuts);
    ASSERT_TRUE(kernel);
    std::vector<float> got = run(*kernel, problem);
    if (first.empty())
      first = got;
    EXPECT_EQ(got, first) << cuts.tokens << " tokens, " << cuts.columns
                          << " columns";
  }
}

TEST_P(ExpandedAttentionKernel, EqualsAbsorbedForm) {
  ExpandedSizes sizes = {{3, 24, 6, false}, 10, 12, "f32"};
  ExpandedProblem problem(sizes, columns(), raggedBatch);
  auto kernel = compileFor(sizes, {"fma", 128, 64});
  ASSERT_TRUE(kernel);
  std::vector<float> expanded = run(*kernel, problem);
  std::vector<float> latents = runAbsorbed(problem);
  for (int64_t row = 0; row < problem.step.tokens() * sizes.heads; ++row) {
    std::vector<double> expected;
    for (int64_t v = 0; v < sizes.value; ++v) {
      const double *weight =
          problem.weightOf(row % sizes.heads, sizes.nope + v);
      expected.push_back(std::inner_product(
          weight, weight + sizes.latent, &latents[row * sizes.latent], 0.0));
    }
    EXPECT_LT(relativeError(&expanded[row * sizes.value], expected.data(),
                            sizes.value),
              1e-5)
        << "row " << row;
  }
}

TEST_P(ExpandedAttentionKernel, ExpandedRowsAreTheFirst) {
  ExpandedSizes sizes = {{2, 16, 6, false}, 5, 7, "f32"};
  ExpandedProblem problem(sizes, columns(), raggedBatch);
  auto all = compileFor(sizes, {"fma", 128, 64});
  auto some = compileFor(sizes, {"fma", 128, 64}, "expanded");
  ASSERT_TRUE(all && some);
  std::vector<float> expected = run(*all, problem);
  PagedStep step = problem.step;
  for (int64_t expandedTokens : {int64_t(76), int64_t(0), step.tokens()}) {
    step.expandedTokens = expandedTokens;
    std::vector<float> got = run(*some, problem, step, 0);
    auto end = got.begin() + expandedTokens * sizes.heads * sizes.value;
    EXPECT_TRUE(std::equal(got.begin(), end, expected.begin()));
    EXPECT_TRUE(std::all_of(end, got.end(),
                            [](float value) { return std::isnan(value); }))
        << "rows behind stay as they were";
  }
}
