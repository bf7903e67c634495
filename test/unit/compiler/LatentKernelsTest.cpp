// Kernels of latent attention, against their definitions in f64.

#include "test/unit/compiler/Latents.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir::tcc;
using namespace mlir::tcc::x86;

//===----------------------------------------------------------------------===//
// latent_append
//===----------------------------------------------------------------------===//

namespace {
class LatentAppendKernel : public KernelTest {
protected:
  void check(const LatentSizes &sizes, bool interleaved, bool isView);
};
} // namespace

TCC_TEST_MARCHES(LatentAppendKernel);

/// `view` makes query and latents parts of larger rows.
static std::string latentAppend(const LatentSizes &sizes, int64_t headSize,
                                bool interleaved, bool isView) {
  int64_t row = sizes.latent + sizes.rotary;
  std::string query = llvm::formatv(
      "memref<?x{0}x{1}xf32{2}>", sizes.heads, headSize,
      isView ? llvm::formatv(", strided<[{0}, {1}, 1]>",
                             sizes.heads * (headSize + 2), headSize + 2)
                   .str()
             : "");
  std::string latents = llvm::formatv(
      "memref<?x{0}xf32{1}>", row,
      isView ? llvm::formatv(", strided<[{0}, 1]>", row + 5).str() : "");
  return llvm::formatv(R"(
    func.func @append(%q: {0}, %l: {1}, %n: memref<{2}xbf16>, %r: memref<?x{3}x2xf32>,
        %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>,
        %y: memref<?x{4}x{5}x{6}>) attributes {{kernel.rows = "tokens"} {{
      kernel.latent_append %q, %l norm(%n : memref<{2}xbf16>) epsilon(1.0e-6) {7}
        rotary(%r) at(%p, %s, %t) cache(%c) into %y
        layout(<page_tokens = 64, latent_size = {2}, rotary_size = {5}, element = {6}>)
        : {0}, {1}, memref<?x{3}x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>,
          memref<?xi8>, memref<?x{4}x{5}x{6}>
      return
    })",
                       query, latents, sizes.latent, sizes.rotary / 2,
                       sizes.heads, sizes.rotary, sizes.element(),
                       interleaved ? "interleaved" : "");
}

/// Rotates `size` elements by `angles`, cosine and sine of each pair. Products
/// are rounded before they are added.
static std::vector<float> rotate(const float *x, int64_t size,
                                 const float *angles, bool interleaved) {
  std::vector<float> result(size);
  for (int64_t j = 0; j < size / 2; ++j) {
    int64_t a = interleaved ? 2 * j : j;
    int64_t b = interleaved ? 2 * j + 1 : j + size / 2;
    float cosine = angles[2 * j], sine = angles[2 * j + 1];
    float ac = x[a] * cosine, bs = x[b] * sine;
    float bc = x[b] * cosine, as = x[a] * sine;
    result[a] = ac - bs;
    result[b] = bc + as;
  }
  return result;
}

void LatentAppendKernel::check(const LatentSizes &sizes, bool interleaved,
                               bool isView) {
  std::mt19937 random(1);
  int64_t latent = sizes.latent, rotary = sizes.rotary, headSize = rotary + 3;
  auto kernel = compile(latentAppend(sizes, headSize, interleaved, isView));
  ASSERT_TRUE(kernel);
  PagedStep step({{0, 3}, {62, 5}, {7, 1}}, random);
  int64_t tokens = step.tokens();
  int64_t headStride = headSize + (isView ? 2 : 0);
  int64_t rowStride = latent + rotary + (isView ? 5 : 0);
  std::vector<float> query =
      randomFloats(random, tokens * sizes.heads * headStride);
  std::vector<float> latents = randomFloats(random, tokens * rowStride);
  std::vector<float> norm = rounded(randomFloats(random, latent), true);
  std::vector<float> angles = randomFloats(random, tokens * rotary);
  std::vector<float> before =
      rounded(randomFloats(random, step.pageCount * PagedStep::pageTokens *
                                       sizes.rowSize()),
              sizes.isBF16);
  Buffer q(query), l(latents), n(toBF16(norm)), r(angles), p(step.positions),
      s(step.sequences), t(step.pageTable),
      c = store(before, sizes.isBF16),
      y(tokens * sizes.heads * rotary * sizes.bytes());
  kernel->run({&q, &l, &n, &r, &p, &s, &t, &c, &y}, step.sizes());

  double tolerance = sizes.isBF16 ? 4e-3 : 1e-6;
  std::vector<float> rotated = load(y, sizes.isBF16);
  std::vector<float> cache = load(c, sizes.isBF16), expected = before;
  for (int64_t token = 0; token < tokens; ++token) {
    const float *angle = &angles[token * rotary];
    for (int64_t h = 0; h < sizes.heads; ++h) {
      int64_t head = token * sizes.heads + h;
      std::vector<float> result =
          rotate(&query[head * headStride + headSize - rotary], rotary, angle,
                 interleaved);
      EXPECT_EQ(llvm::ArrayRef(&rotated[head * rotary], rotary),
                llvm::ArrayRef(rounded(result, sizes.isBF16)));
    }
    const float *row = &latents[token * rowStride];
    std::vector<double> result;
    double squares = 0;
    for (int64_t i = 0; i < latent; ++i)
      squares += double(row[i]) * row[i];
    for (int64_t i = 0; i < latent; ++i)
      result.push_back(norm[i] * row[i] / std::sqrt(squares / latent + 1e-6));
    std::vector<float> key = rotate(row + latent, rotary, angle, interleaved);
    int64_t place = step.rowOf(step.sequences[token], step.positions[token]) *
                    sizes.rowSize();
    EXPECT_LT(relativeError(&cache[place], result.data(), latent), tolerance);
    EXPECT_EQ(llvm::ArrayRef(&cache[place + latent], rotary),
              llvm::ArrayRef(rounded(key, sizes.isBF16)));
    std::copy_n(&cache[place], latent + rotary, &expected[place]);
  }
  EXPECT_EQ(cache, expected) << "other rows, and what is behind a row, stay";
}

TEST_P(LatentAppendKernel, NormalisesRotatesAndAppends) {
  check({3, 8, 4, false}, true, false);
  check({1, 40, 6, true}, true, false);
  check({2, 33, 10, false}, false, false);
}

TEST_P(LatentAppendKernel, RotatesWholeVectorsAndRests) {
  for (bool interleaved : {false, true})
    for (bool isBF16 : {false, true})
      for (int64_t rotary : {2, 16, 30, 36, 64})
        check({2, 8, rotary, isBF16}, interleaved, false);
}

TEST_P(LatentAppendKernel, ReadsPartsOfLargerRows) {
  check({3, 8, 4, true}, true, true);
  check({2, 33, 10, false}, false, true);
}

//===----------------------------------------------------------------------===//
// latent_attention
//===----------------------------------------------------------------------===//

namespace {
/// How the kernel is cut: arithmetic, tokens, heads and columns of a tile.
struct LatentCuts {
  const char *arithmetic;
  int64_t tokens, heads, columns;
};

/// A step of latent attention with random queries and a random cache.
struct LatentProblem {
  LatentProblem(const LatentSizes &sizes, std::vector<SequenceLengths> lengths);

  /// The result for `token`, [H, C].
  std::vector<double> expected(int64_t token) const;

  LatentSizes sizes;
  std::mt19937 random{1};
  PagedStep step;
  std::vector<float> latentQuery, rotatedQuery, cache;
};

class LatentAttentionKernel : public KernelTest {
protected:
  std::unique_ptr<KernelRunner> compileFor(const LatentSizes &sizes,
                                           const LatentCuts &cuts,
                                           const char *rows = "tokens");
  std::vector<float> run(const KernelRunner &kernel,
                         const LatentProblem &problem, const PagedStep &step,
                         int64_t firstToken);
  std::vector<float> run(const KernelRunner &kernel,
                         const LatentProblem &problem) {
    return run(kernel, problem, problem.step, 0);
  }
  void check(const LatentSizes &sizes, const LatentCuts &cuts);
};
} // namespace

TCC_TEST_MARCHES(LatentAttentionKernel);

LatentProblem::LatentProblem(const LatentSizes &sizes,
                             std::vector<SequenceLengths> lengths)
    : sizes(sizes), step(std::move(lengths), random) {
  int64_t rows = step.tokens() * sizes.heads;
  auto make = [&](int64_t count) {
    return rounded(randomFloats(random, count), sizes.isBF16);
  };
  latentQuery = make(rows * sizes.latent);
  rotatedQuery = make(rows * sizes.rotary);
  cache = randomLatents(random, sizes, step);
}

std::vector<double> LatentProblem::expected(int64_t token) const {
  std::vector<double> result(sizes.heads * sizes.latent);
  for (int64_t h = 0; h < sizes.heads; ++h) {
    const float *latent =
        &latentQuery[(token * sizes.heads + h) * sizes.latent];
    const float *rotated =
        &rotatedQuery[(token * sizes.heads + h) * sizes.rotary];
    double sum = 0;
    double *output = &result[h * sizes.latent];
    for (int64_t s = 0; s <= step.positions[token]; ++s) {
      const float *row =
          &cache[step.rowOf(step.sequences[token], s) * sizes.rowSize()];
      double score = 0;
      for (int64_t i = 0; i < sizes.latent; ++i)
        score += double(latent[i]) * row[i];
      for (int64_t i = 0; i < sizes.rotary; ++i)
        score += double(rotated[i]) * row[sizes.latent + i];
      double weight = std::exp(softmaxScale * score);
      sum += weight;
      for (int64_t i = 0; i < sizes.latent; ++i)
        output[i] += weight * row[i];
    }
    for (int64_t i = 0; i < sizes.latent; ++i)
      output[i] /= sum;
  }
  return result;
}

std::unique_ptr<KernelRunner>
LatentAttentionKernel::compileFor(const LatentSizes &sizes,
                                  const LatentCuts &cuts, const char *rows) {
  return compile(llvm::formatv(R"(
    func.func @attention(%l: memref<?x{0}x{1}x{2}>, %r: memref<?x{0}x{3}x{2}>,
        %p: memref<?xi32>, %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>,
        %y: memref<?x{0}x{1}x{2}>) attributes {{kernel.rows = "{8}"} {{
      kernel.latent_attention %l, %r at(%p, %s, %t) cache(%c) into %y scale(0.3)
        layout(<page_tokens = 64, latent_size = {1}, rotary_size = {3}, element = {2}>)
        config(<arithmetic = {4}, block_tokens = {5}, block_heads = {6}, tile_rows = 6,
                tile_columns = {7}>)
        : memref<?x{0}x{1}x{2}>, memref<?x{0}x{3}x{2}>, memref<?xi32>, memref<?xi32>,
          memref<?x?xi32>, memref<?xi8>, memref<?x{0}x{1}x{2}>
      return
    })",
                               sizes.heads, sizes.latent, sizes.element(),
                               sizes.rotary, cuts.arithmetic, cuts.tokens,
                               cuts.heads, cuts.columns, rows)
                     .str());
}

/// The result for the tokens of `step`, the first of which is number
/// `firstToken` of those of `problem`.
std::vector<float> LatentAttentionKernel::run(const KernelRunner &kernel,
                                              const LatentProblem &problem,
                                              const PagedStep &step,
                                              int64_t firstToken) {
  const LatentSizes &sizes = problem.sizes;
  auto part = [&](const std::vector<float> &all, int64_t size) {
    auto begin = all.begin() + firstToken * sizes.heads * size;
    return store({begin, begin + step.tokens() * sizes.heads * size},
                 sizes.isBF16);
  };
  Buffer l = part(problem.latentQuery, sizes.latent),
         r = part(problem.rotatedQuery, sizes.rotary), p(step.positions),
         s(step.sequences), t(step.pageTable),
         c = store(problem.cache, sizes.isBF16),
         y(step.tokens() * sizes.heads * sizes.latent * sizes.bytes());
  kernel.run({&l, &r, &p, &s, &t, &c, &y}, step.sizes());
  return load(y, sizes.isBF16);
}

void LatentAttentionKernel::check(const LatentSizes &sizes,
                                  const LatentCuts &cuts) {
  LatentProblem problem(sizes, raggedBatch);
  auto kernel = compileFor(sizes, cuts);
  ASSERT_TRUE(kernel);
  std::vector<float> got = run(*kernel, problem);
  // Of bf16, probabilities and results are rounded once.
  double tolerance = sizes.isBF16 ? 6e-3 : 1e-6;
  int64_t size = sizes.heads * sizes.latent;
  for (int64_t token = 0; token < problem.step.tokens(); ++token) {
    std::vector<double> expected = problem.expected(token);
    EXPECT_LT(relativeError(&got[token * size], expected.data(), size),
              tolerance)
        << "token " << token;
  }
}

TEST_P(LatentAttentionKernel, MatchesDefinition) {
  check({3, 8, 4, false}, {"fma", 4, 3, 64});
  check({3, 8, 4, true}, {"fma", 4, 3, 64});
  check({4, 40, 6, false}, {"fma", 1, 2, 32});
  check({8, 64, 32, true}, {"fma", 3, 8, 16});
  check({1, 97, 2, true}, {"fma", 5, 1, 64});
}

TEST_P(LatentAttentionKernel, MatchesDefinitionByDotProducts) {
  if (!hasDot())
    GTEST_SKIP() << GetParam() << " has no dot products";
  check({3, 8, 4, true}, {"dot", 4, 3, 64});
  check({4, 40, 6, true}, {"dot", 1, 2, 32});
  check({8, 64, 32, true}, {"dot", 3, 8, 16});
}

TEST_P(LatentAttentionKernel, RowsHaveTheirBitsAlone) {
  for (auto [sizes, arithmetic] :
       {std::pair{LatentSizes{4, 40, 6, false}, "fma"},
        {LatentSizes{4, 40, 6, true}, hasDot() ? "dot" : "fma"}}) {
    LatentProblem problem(sizes, raggedBatch);
    auto kernel = compileFor(sizes, {arithmetic, 6, 4, 64});
    ASSERT_TRUE(kernel);
    expectRowsAlone(problem.step, run(*kernel, problem),
                    [&](const PagedStep &step, int64_t token) {
                      return run(*kernel, problem, step, token);
                    });
  }
}

TEST_P(LatentAttentionKernel, CutsChangeNoBit) {
  LatentSizes sizes = {4, 40, 6, true};
  LatentProblem problem(sizes, raggedBatch);
  std::vector<float> first;
  for (const LatentCuts &cuts :
       {LatentCuts{"fma", 16, 4, 64}, {"fma", 1, 1, 16}, {"fma", 5, 2, 32}}) {
    auto kernel = compileFor(sizes, cuts);
    ASSERT_TRUE(kernel);
    std::vector<float> got = run(*kernel, problem);
    if (first.empty())
      first = got;
    EXPECT_EQ(got, first) << cuts.tokens << " tokens, " << cuts.heads
                          << " heads, " << cuts.columns << " columns";
  }
}

TEST_P(LatentAttentionKernel, AbsorbedRowsAreTheLast) {
  LatentSizes sizes = {2, 16, 6, false};
  LatentCuts cuts = {"fma", 6, 2, 64};
  LatentProblem problem(sizes, raggedBatch);
  auto all = compileFor(sizes, cuts);
  auto absorbed = compileFor(sizes, cuts, "absorbed");
  ASSERT_TRUE(all && absorbed);
  std::vector<float> expected = run(*all, problem);
  PagedStep step = problem.step;
  for (int64_t expandedTokens : {int64_t(6), int64_t(0), step.tokens()}) {
    step.expandedTokens = expandedTokens;
    expectWrittenFrom(expandedTokens * sizes.heads * sizes.latent, expected,
                      run(*absorbed, problem, step, 0));
  }
}
