// Rotation, the cache and grouped attention, against their definitions in f64.

#include "test/unit/compiler/Latents.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// Sizes of heads, and what the cache is of.
struct HeadSizes {
  int64_t queryHeads, heads, key, value;
  bool isBF16;

  const char *element() const { return isBF16 ? "bf16" : "f32"; }
  int64_t bytes() const { return isBF16 ? 2 : 4; }
  int64_t group() const { return queryHeads / heads; }
};

/// Where elements of keys and values lie in the cache of one target.
class CacheLayout {
public:
  CacheLayout(const HeadSizes &sizes, bool isGpu)
      : sizes(sizes), isGpu(isGpu) {}

  std::string text() const {
    return llvm::formatv("<page_tokens = 64, heads = {0}, key_size = {1}, "
                         "value_size = {2}, element = {3}{4}>",
                         sizes.heads, sizes.key, sizes.value, sizes.element(),
                         isGpu ? ", order = rows" : "");
  }

  int64_t pageBytes() const {
    return (sizes.heads * P * (keySize() + valueSize()) * sizes.bytes() + 63) /
           64 * 64;
  }

  /// Bytes before element `d` of the key of `head` at `row` of all pages.
  int64_t keyAt(int64_t row, int64_t head, int64_t d) const {
    int64_t slot = row % P, element = slot * keySize() + d;
    if (!isGpu)
      element = sizes.isBF16 ? d / 2 * P * 2 + slot * 2 + d % 2 : d * P + slot;
    return row / P * pageBytes() +
           (head * P * keySize() + element) * sizes.bytes();
  }
  int64_t valueAt(int64_t row, int64_t head, int64_t e) const {
    int64_t slot = row % P, element = slot * valueSize() + e;
    if (!isGpu && sizes.isBF16)
      element = slot / 2 * valueSize() * 2 + e * 2 + slot % 2;
    return row / P * pageBytes() +
           (sizes.heads * P * keySize() + head * P * valueSize() + element) *
               sizes.bytes();
  }

private:
  static constexpr int64_t P = PagedStep::pageTokens;
  static int64_t roundUp(int64_t size, int64_t step) {
    return (size + step - 1) / step * step;
  }
  int64_t keySize() const { return roundUp(sizes.key, isGpu ? 16 : 4); }
  int64_t valueSize() const { return roundUp(sizes.value, 16); }

  HeadSizes sizes;
  bool isGpu;
};

class HeadKernelTest : public KernelTest {
protected:
  CacheLayout layoutOf(const HeadSizes &sizes) const {
    return {sizes, GetParam() == "sm_90a"};
  }
};
} // namespace

/// Element `at` of the bytes of a cache.
static float loadAt(const Buffer &cache, int64_t at, bool isBF16) {
  if (!isBF16) {
    float value;
    std::memcpy(&value, cache.data() + at, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, cache.data() + at, 2);
  return fromBF16(bits);
}

static void storeAt(Buffer &cache, int64_t at, float value, bool isBF16) {
  if (!isBF16) {
    std::memcpy(cache.data() + at, &value, 4);
    return;
  }
  uint16_t bits = toBF16(value);
  std::memcpy(cache.data() + at, &bits, 2);
}

static const HeadSizes someSizes[] = {
    {4, 2, 8, 8, false},
    {6, 3, 64, 64, true},
    {3, 1, 12, 20, true},
    {4, 4, 128, 128, true},
};

//===----------------------------------------------------------------------===//
// rotary_append
//===----------------------------------------------------------------------===//

namespace {
class RotaryAppendKernel : public HeadKernelTest {
protected:
  void check(const HeadSizes &sizes, bool interleaved, bool isSplit);
};
} // namespace

TCC_TEST_TARGETS(RotaryAppendKernel);

/// `isSplit`: queries, keys and values are three inputs, else one.
static std::string rotaryAppend(const HeadSizes &sizes,
                                const CacheLayout &layout, bool interleaved,
                                bool isSplit) {
  int64_t query = sizes.queryHeads * sizes.key, key = sizes.heads * sizes.key,
          value = sizes.heads * sizes.value;
  std::string types = llvm::formatv("memref<?x{0}xf32>", query + key + value);
  std::string arguments = "%a: " + types;
  if (isSplit) {
    types =
        llvm::formatv("memref<?x{0}xf32>, memref<?x{1}xf32>, memref<?x{2}xf32>",
                      query, key, value);
    arguments = llvm::formatv("%a: memref<?x{0}xf32>, %b: memref<?x{1}xf32>, "
                              "%d: memref<?x{2}xf32>",
                              query, key, value);
  }
  return llvm::formatv(R"(
    func.func @append({0}, %r: memref<?x{1}x2xf32>, %p: memref<?xi32>,
        %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>,
        %y: memref<?x{2}x{3}x{4}>) attributes {{kernel.rows = "tokens"} {{
      kernel.rotary_append {5} {6} rotary(%r) at(%p, %s, %t) cache(%c) into %y
        layout({7})
        : ({8}), memref<?x{1}x2xf32>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>,
          memref<?xi8>, memref<?x{2}x{3}x{4}>
      return
    })",
                       arguments, sizes.key / 2, sizes.queryHeads, sizes.key,
                       sizes.element(), isSplit ? "%a, %b, %d" : "%a",
                       interleaved ? "interleaved" : "", layout.text(), types);
}

/// Element `d` of the rotated head at `x`.
static float rotated(const float *x, int64_t size, const float *angles,
                     bool interleaved, int64_t d) {
  int64_t j = interleaved ? d / 2 : d % (size / 2);
  int64_t a = interleaved ? 2 * j : j, b = interleaved ? a + 1 : j + size / 2;
  float cosine = angles[2 * j], sine = angles[2 * j + 1];
  float first = d == a ? x[a] * cosine : x[b] * cosine;
  float second = d == a ? x[b] * sine : x[a] * sine;
  return d == a ? first - second : first + second;
}

void RotaryAppendKernel::check(const HeadSizes &sizes, bool interleaved,
                               bool isSplit) {
  std::mt19937 random(1);
  CacheLayout layout = layoutOf(sizes);
  auto kernel = compile(rotaryAppend(sizes, layout, interleaved, isSplit));
  ASSERT_TRUE(kernel);
  PagedStep step({{0, 3}, {62, 5}, {7, 1}}, random);
  int64_t tokens = step.tokens();
  int64_t counts[] = {sizes.queryHeads * sizes.key, sizes.heads * sizes.key,
                      sizes.heads * sizes.value};
  std::vector<float> parts[3], joined;
  for (int i = 0; i < 3; ++i)
    parts[i] = randomFloats(random, tokens * counts[i]);
  for (int64_t t = 0; t < tokens; ++t)
    for (int i = 0; i < 3; ++i)
      joined.insert(joined.end(), parts[i].begin() + t * counts[i],
                    parts[i].begin() + (t + 1) * counts[i]);
  std::vector<float> angles = randomFloats(random, tokens * sizes.key);
  Buffer rotary(angles), positions(step.positions), sequences(step.sequences),
      table(step.pageTable), cache(step.pageCount * layout.pageBytes()),
      result(tokens * counts[0] * sizes.bytes());
  std::vector<Buffer> inputs;
  if (isSplit)
    for (const std::vector<float> &part : parts)
      inputs.emplace_back(part);
  else
    inputs.emplace_back(joined);
  std::vector<const Buffer *> arguments;
  for (const Buffer &input : inputs)
    arguments.push_back(&input);
  for (const Buffer *other :
       {&rotary, &positions, &sequences, &table, &cache, &result})
    arguments.push_back(other);
  kernel->run(arguments, step.sizes());

  // One of the two products may be rounded only after the addition.
  auto expectNear = [&](float got, float expected, float magnitude) {
    EXPECT_NEAR(got, expected, magnitude * (sizes.isBF16 ? 4e-3f : 1e-6f));
  };
  std::vector<float> queries = load(result, sizes.isBF16);
  for (int64_t t = 0; t < tokens; ++t) {
    const float *angle = angles.data() + t * sizes.key;
    int64_t row = step.rowOf(step.sequences[t], step.positions[t]);
    for (int64_t i = 0; i < counts[0]; ++i)
      expectNear(
          queries[t * counts[0] + i],
          rotated(parts[0].data() + t * counts[0] + i / sizes.key * sizes.key,
                  sizes.key, angle, interleaved, i % sizes.key),
          8);
    for (int64_t i = 0; i < counts[1]; ++i)
      expectNear(
          loadAt(cache, layout.keyAt(row, i / sizes.key, i % sizes.key),
                 sizes.isBF16),
          rotated(parts[1].data() + t * counts[1] + i / sizes.key * sizes.key,
                  sizes.key, angle, interleaved, i % sizes.key),
          8);
    for (int64_t i = 0; i < counts[2]; ++i)
      EXPECT_EQ(loadAt(cache,
                       layout.valueAt(row, i / sizes.value, i % sizes.value),
                       sizes.isBF16),
                rounded({parts[2][t * counts[2] + i]}, sizes.isBF16)[0]);
  }
}

TEST_P(RotaryAppendKernel, FollowsItsDefinition) {
  for (const HeadSizes &sizes : someSizes)
    for (bool interleaved : {false, true})
      for (bool isSplit : {false, true})
        check(sizes, interleaved, isSplit);
}

//===----------------------------------------------------------------------===//
// attention
//===----------------------------------------------------------------------===//

namespace {
/// A step with random queries and a random cache.
struct AttentionProblem {
  AttentionProblem(const HeadSizes &sizes, const CacheLayout &layout,
                   std::vector<SequenceLengths> lengths);

  /// The result for query head `head` of `token`.
  std::vector<double> expected(int64_t token, int64_t head) const;

  HeadSizes sizes;
  CacheLayout layout;
  std::mt19937 random{2};
  PagedStep step;
  std::vector<float> queries; ///< [T, H, D].
  Buffer cache;
};

class AttentionKernel : public HeadKernelTest {
protected:
  std::unique_ptr<KernelRunner> compileFor(const HeadSizes &sizes,
                                           const std::string &configuration,
                                           const char *result = "f32",
                                           const char *rows = "tokens");
  std::vector<float> run(const KernelRunner &kernel,
                         const AttentionProblem &problem, const PagedStep &step,
                         int64_t firstToken, bool isBF16 = false);
  void check(const HeadSizes &sizes, const std::string &configuration,
             const std::vector<SequenceLengths> &lengths = raggedBatch,
             bool isBF16 = false);
  /// Expects rows of one form alone to be written, as of all rows.
  void checkForm(const HeadSizes &sizes, const std::string &configuration,
                 const char *form);
  void checkRowsAlone(const HeadSizes &sizes, const std::string &configuration,
                      const std::vector<SequenceLengths> &lengths);
  std::string configuration(const HeadSizes &sizes) const {
    return GetParam() == "sm_90a"
               ? llvm::formatv("#kernel.gpu_attention_config<kind = simt, "
                               "tile_rows = {0}, tile_columns = 64, "
                               "threads = 64>",
                               sizes.group())
                     .str()
               : llvm::formatv("#kernel.attention_config<block_tokens = 16, "
                               "tile_rows = 3, tile_columns = {0}>",
                               2 * lanes())
                     .str();
  }
};

/// Those of one kind of the H100 alone.
class SplitAttentionKernel : public AttentionKernel {
protected:
  /// With `warps` warps in each of `split` blocks.
  static std::string split(const HeadSizes &sizes, int64_t warps,
                           int64_t split) {
    return llvm::formatv("#kernel.gpu_attention_config<kind = split, "
                         "tile_rows = {0}, tile_columns = {1}, threads = {2}, "
                         "cluster = {3}, split = {3}>",
                         sizes.group(), warps * 16, warps * 32, split);
  }
};
class FlashAttentionKernel : public AttentionKernel {
protected:
  static std::string flash(int64_t positions, int64_t stages) {
    return llvm::formatv("#kernel.gpu_attention_config<kind = wgmma, "
                         "tile_rows = 128, tile_columns = {0}, threads = 384, "
                         "stages = {1}>",
                         positions, stages);
  }
};
} // namespace

TCC_TEST_TARGETS(AttentionKernel);
TCC_TEST_ON(SplitAttentionKernel, std::vector<std::string>{"sm_90a"});
TCC_TEST_ON(FlashAttentionKernel, std::vector<std::string>{"sm_90a"});

AttentionProblem::AttentionProblem(const HeadSizes &sizes,
                                   const CacheLayout &layout,
                                   std::vector<SequenceLengths> lengths)
    : sizes(sizes), layout(layout), step(std::move(lengths), random),
      queries(rounded(
          randomFloats(random, step.tokens() * sizes.queryHeads * sizes.key),
          sizes.isBF16)),
      // The runtime hands out pages of zeros.
      cache(std::vector<uint8_t>(
          static_cast<size_t>(step.pageCount * layout.pageBytes()))) {
  for (size_t s = 0; s < step.lengths.size(); ++s)
    for (int32_t i = 0; i < step.lengths[s].cached + step.lengths[s].added;
         ++i) {
      int64_t row = step.rowOf(static_cast<int64_t>(s), i);
      for (int64_t head = 0; head < sizes.heads; ++head) {
        std::vector<float> key = randomFloats(random, sizes.key),
                           value = randomFloats(random, sizes.value);
        for (int64_t d = 0; d < sizes.key; ++d)
          storeAt(cache, layout.keyAt(row, head, d), key[d], sizes.isBF16);
        for (int64_t e = 0; e < sizes.value; ++e)
          storeAt(cache, layout.valueAt(row, head, e), value[e], sizes.isBF16);
      }
    }
}

std::vector<double> AttentionProblem::expected(int64_t token,
                                               int64_t head) const {
  int64_t keyHead = head / sizes.group();
  std::vector<double> result(sizes.value);
  double sum = 0;
  for (int64_t i = 0; i <= step.positions[token]; ++i) {
    int64_t row = step.rowOf(step.sequences[token], i);
    double score = 0;
    for (int64_t d = 0; d < sizes.key; ++d)
      score +=
          double(queries[(token * sizes.queryHeads + head) * sizes.key + d]) *
          loadAt(cache, layout.keyAt(row, keyHead, d), sizes.isBF16);
    double weight = std::exp(score * 0.3);
    sum += weight;
    for (int64_t e = 0; e < sizes.value; ++e)
      result[e] +=
          weight * loadAt(cache, layout.valueAt(row, keyHead, e), sizes.isBF16);
  }
  for (double &element : result)
    element /= sum;
  return result;
}

std::unique_ptr<KernelRunner>
AttentionKernel::compileFor(const HeadSizes &sizes,
                            const std::string &configuration,
                            const char *result, const char *rows) {
  return compile(llvm::formatv(R"(
    func.func @attention(%q: memref<?x{0}x{1}x{2}>, %p: memref<?xi32>,
        %s: memref<?xi32>, %t: memref<?x?xi32>, %c: memref<?xi8>,
        %y: memref<?x{3}x{6}>) attributes {{kernel.rows = "{7}"} {{
      kernel.attention %q at(%p, %s, %t) cache(%c) into %y scale(0.3)
        layout({4}) config({5})
        : memref<?x{0}x{1}x{2}>, memref<?xi32>, memref<?xi32>, memref<?x?xi32>,
          memref<?xi8>, memref<?x{3}x{6}>
      return
    })",
                               sizes.queryHeads, sizes.key, sizes.element(),
                               sizes.queryHeads * sizes.value,
                               layoutOf(sizes).text(), configuration, result,
                               rows)
                     .str());
}

/// The result for the tokens of `step`, the first of which is number
/// `firstToken` of those of `problem`.
std::vector<float> AttentionKernel::run(const KernelRunner &kernel,
                                        const AttentionProblem &problem,
                                        const PagedStep &step,
                                        int64_t firstToken, bool isBF16) {
  const HeadSizes &sizes = problem.sizes;
  int64_t size = sizes.queryHeads * sizes.key;
  auto begin = problem.queries.begin() + firstToken * size;
  Buffer query = store(std::vector<float>(begin, begin + step.tokens() * size),
                       sizes.isBF16);
  Buffer positions(step.positions), sequences(step.sequences),
      table(step.pageTable),
      result(step.tokens() * sizes.queryHeads * sizes.value * (isBF16 ? 2 : 4));
  kernel.run({&query, &positions, &sequences, &table, &problem.cache, &result},
             step.sizes());
  return load(result, isBF16);
}

void AttentionKernel::check(const HeadSizes &sizes,
                            const std::string &configuration,
                            const std::vector<SequenceLengths> &lengths,
                            bool isBF16) {
  SCOPED_TRACE(configuration + ", heads of " + std::to_string(sizes.key) +
               " and " + std::to_string(sizes.value));
  AttentionProblem problem(sizes, layoutOf(sizes), lengths);
  auto kernel = compileFor(sizes, configuration, isBF16 ? "bf16" : "f32");
  ASSERT_TRUE(kernel);
  std::vector<float> got = run(*kernel, problem, problem.step, 0, isBF16);
  for (int64_t t = 0; t < problem.step.tokens(); ++t)
    for (int64_t h = 0; h < sizes.queryHeads; ++h)
      ASSERT_LT(
          relativeError(got.data() + (t * sizes.queryHeads + h) * sizes.value,
                        problem.expected(t, h).data(), sizes.value),
          sizes.isBF16 ? 4e-3 : 2e-6)
          << "token " << t << ", head " << h;
}

void AttentionKernel::checkRowsAlone(
    const HeadSizes &sizes, const std::string &configuration,
    const std::vector<SequenceLengths> &lengths) {
  AttentionProblem problem(sizes, layoutOf(sizes), lengths);
  auto kernel = compileFor(sizes, configuration);
  ASSERT_TRUE(kernel);
  expectRowsAlone(problem.step, run(*kernel, problem, problem.step, 0),
                  [&](const PagedStep &step, int64_t token) {
                    return run(*kernel, problem, step, token);
                  });
}

void AttentionKernel::checkForm(const HeadSizes &sizes,
                                const std::string &configuration,
                                const char *form) {
  AttentionProblem problem(sizes, layoutOf(sizes), {{0, 5}, {70, 9}, {130, 1}});
  auto all = compileFor(sizes, configuration);
  auto some = compileFor(sizes, configuration, "f32", form);
  ASSERT_TRUE(all && some);
  std::vector<float> expected = run(*all, problem, problem.step, 0);
  int64_t size = sizes.queryHeads * sizes.value;
  PagedStep step = problem.step;
  for (int64_t expanded : {int64_t(0), int64_t(14), step.tokens()}) {
    step.expandedTokens = expanded;
    std::vector<float> got = run(*some, problem, step, 0);
    bool isFirst = form == std::string("expanded");
    for (int64_t i = 0; i < step.tokens() * size; ++i) {
      if ((i / size < expanded) == isFirst)
        ASSERT_EQ(got[i], expected[i]) << "token " << i / size;
      else
        ASSERT_TRUE(std::isnan(got[i])) << "token " << i / size;
    }
  }
}

TEST_P(AttentionKernel, FollowsItsDefinition) {
  for (const HeadSizes &sizes : someSizes)
    check(sizes, configuration(sizes));
}

//===----------------------------------------------------------------------===//
// attention split over the context
//===----------------------------------------------------------------------===//

/// Decoding sequences: contexts that end with a step, a page or a round of all
/// blocks, and just after.
static const std::vector<SequenceLengths> decodingBatch = {
    {0, 1}, {15, 1}, {16, 1}, {63, 2}, {511, 1}, {512, 1}, {1029, 1}};

TEST_P(SplitAttentionKernel, FollowsItsDefinition) {
  check({4, 4, 128, 128, true}, split({4, 4, 128, 128, true}, 8, 8),
        decodingBatch);
  check({6, 3, 64, 64, true}, split({6, 3, 64, 64, true}, 4, 4), decodingBatch);
  check({8, 1, 96, 96, true}, split({8, 1, 96, 96, true}, 2, 1), decodingBatch);
}

TEST_P(SplitAttentionKernel, TakesOddSizes) {
  for (const HeadSizes &sizes : {HeadSizes{3, 1, 12, 20, true},
                                 {4, 2, 80, 112, true},
                                 {2, 1, 34, 7, true},
                                 {2, 1, 256, 256, true}})
    check(sizes, split(sizes, 4, 2), decodingBatch);
}

TEST_P(SplitAttentionKernel, TakesManyQueryHeads) {
  HeadSizes sizes = {37, 1, 32, 48, true};
  check(sizes, split(sizes, 2, 4), decodingBatch);
}

TEST_P(SplitAttentionKernel, RoundsItsResult) {
  HeadSizes sizes = {4, 2, 64, 64, true};
  check(sizes, split(sizes, 4, 2), decodingBatch, /*isBF16=*/true);
}

TEST_P(SplitAttentionKernel, RowsHaveTheirBitsAlone) {
  HeadSizes sizes = {4, 2, 64, 64, true};
  checkRowsAlone(sizes, split(sizes, 4, 4), decodingBatch);
}

TEST_P(SplitAttentionKernel, TakesTheAbsorbedRows) {
  HeadSizes sizes = {4, 2, 64, 64, true};
  checkForm(sizes, split(sizes, 4, 2), "absorbed");
}

//===----------------------------------------------------------------------===//
// attention of prompts
//===----------------------------------------------------------------------===//

/// Prompts that begin, continue amid a page and a stage, and fill windows of
/// tokens.
static const std::vector<SequenceLengths> promptBatch = {
    {0, 1}, {130, 35}, {0, 70}, {127, 1}, {260, 2}};

TEST_P(FlashAttentionKernel, FollowsItsDefinition) {
  check({4, 1, 128, 128, true}, flash(128, 2), promptBatch);
  check({2, 1, 64, 64, true}, flash(128, 2), promptBatch);
  check({6, 2, 96, 96, true}, flash(128, 2), promptBatch);
  check({1, 1, 256, 256, true}, flash(64, 2), promptBatch);
}

TEST_P(FlashAttentionKernel, TakesOddSizes) {
  for (const HeadSizes &sizes : {HeadSizes{3, 1, 12, 20, true},
                                 {4, 2, 80, 112, true},
                                 {10, 2, 34, 7, true}})
    check(sizes, flash(64, 3));
}

TEST_P(FlashAttentionKernel, RoundsItsResult) {
  HeadSizes sizes = {4, 2, 64, 64, true};
  check(sizes, flash(128, 2), promptBatch, /*isBF16=*/true);
}

TEST_P(FlashAttentionKernel, RowsHaveTheirBitsAlone) {
  HeadSizes sizes = {4, 2, 64, 64, true};
  checkRowsAlone(sizes, flash(128, 2), {{0, 2}, {127, 3}, {260, 1}});
}

TEST_P(FlashAttentionKernel, TakesTheExpandedRows) {
  HeadSizes sizes = {4, 2, 64, 64, true};
  checkForm(sizes, flash(128, 2), "expanded");
}
