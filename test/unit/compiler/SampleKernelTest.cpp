// The kernel that chooses tokens, against the sampler of the runtime.

#include "runtime/core/Sampler.h"
#include "test/unit/compiler/KernelRunner.h"
#include "test/unit/compiler/Values.h"

#include "llvm/Support/FormatVariadic.h"

#include <limits>

using namespace mlir::tcc;
using namespace mlir::tcc::x86;
using ::tcc::rt::Sampler;
using ::tcc::rt::SamplingOptions;

static constexpr float infinity = std::numeric_limits<float>::infinity();

namespace {
/// Rows of logits, and how a token of each is chosen.
struct Rows {
  explicit Rows(int64_t vocabulary) : vocabulary(vocabulary) {}

  void add(const std::vector<float> &row, const SamplingOptions &options) {
    logits.insert(logits.end(), row.begin(), row.end());
    choices.push_back(options);
  }
  int64_t count() const { return static_cast<int64_t>(choices.size()); }
  /// Samplers draw other numbers for each row.
  Sampler sampler(int64_t row) const {
    return Sampler(choices[row], vocabulary, 7);
  }
  static uint64_t position(int64_t row) {
    return static_cast<uint64_t>(row) + 100;
  }

  int64_t vocabulary;
  std::vector<float> logits;
  std::vector<SamplingOptions> choices;
};

class SampleKernel : public KernelTest {
protected:
  /// Compares what the kernel chooses with what samplers do.
  void expectAgreement(const Rows &rows, int64_t threads,
                       int64_t cluster) const;
};
} // namespace

TCC_TEST_ON(SampleKernel, std::vector<std::string>{"sm_90a"});

static std::string sample(int64_t vocabulary, int64_t threads,
                          int64_t cluster) {
  return llvm::formatv(R"(
    func.func @sample(%x: memref<?x{0}xf32>, %p: memref<?x5xf64>, %y: memref<?xi32>)
        attributes {{kernel.rows = "logit_rows"} {{
      kernel.sample %x, %p into %y config(<threads = {1}, cluster = {2}>)
        : memref<?x{0}xf32>, memref<?x5xf64>, memref<?xi32>
      return
    })",
                       vocabulary, threads, cluster);
}

void SampleKernel::expectAgreement(const Rows &rows, int64_t threads,
                                   int64_t cluster) const {
  SCOPED_TRACE(llvm::formatv("{0} logits, {1} threads, {2} blocks",
                             rows.vocabulary, threads, cluster)
                   .str());
  auto kernel = compile(sample(rows.vocabulary, threads, cluster));
  ASSERT_TRUE(kernel);
  std::vector<double> parameters;
  for (int64_t row = 0; row < rows.count(); ++row)
    for (double value : rows.sampler(row).parametersAt(Rows::position(row)))
      parameters.push_back(value);
  Buffer logits(rows.logits), numbers(parameters), result(rows.count() * 4);
  kernel->run({&logits, &numbers, &result}, rows.count());
  std::vector<int32_t> tokens = result.values<int32_t>();
  for (int64_t row = 0; row < rows.count(); ++row) {
    Sampler sampler = rows.sampler(row);
    int32_t expected = -1, got = -1;
    ::tcc::Status wanted = sampler.sample(&rows.logits[row * rows.vocabulary],
                                          Rows::position(row), expected);
    ::tcc::Status status = sampler.take(tokens[row], Rows::position(row), got);
    EXPECT_EQ(status.message(), wanted.message()) << "row " << row;
    EXPECT_EQ(got, expected) << "row " << row;
  }
}

/// The number of the row's choice of all combinations.
static SamplingOptions chooseOptions(std::mt19937 &random, int64_t vocabulary) {
  auto pick = [&](std::vector<double> values) {
    return values[random() % values.size()];
  };
  SamplingOptions options;
  options.seed = random();
  options.temperature = pick({0, 0.001, 0.3, 1, 1, 2, 1000});
  options.topK =
      static_cast<int64_t>(pick({0, 0, 1, 2, 7, 40, double(vocabulary - 1),
                                 double(vocabulary), double(vocabulary) + 5}));
  options.topP = pick({1, 1, 1e-9, 0.1, 0.5, 0.9, 0.999});
  options.minP = pick({0, 0, 0.01, 0.2, 1});
  return options;
}

TEST_P(SampleKernel, ChoosesAsTheSamplerDoes) {
  std::mt19937 random(1);
  struct Case {
    int64_t vocabulary, threads, cluster, rows;
  };
  for (Case shape :
       {Case{1, 32, 1, 9}, Case{2, 64, 1, 20}, Case{33, 32, 2, 24},
        Case{257, 96, 1, 30}, Case{1000, 128, 8, 10}, Case{4099, 512, 4, 4}}) {
    Rows rows(shape.vocabulary);
    for (int64_t row = 0; row < shape.rows; ++row) {
      std::vector<float> logits = randomFloats(random, shape.vocabulary);
      for (float &logit : logits)
        logit *= row % 2 ? 4 : 0.1f;
      rows.add(logits, chooseOptions(random, shape.vocabulary));
    }
    expectAgreement(rows, shape.threads, shape.cluster);
  }
}

TEST_P(SampleKernel, TakesLargeVocabularies) {
  std::mt19937 random(4);
  constexpr int64_t vocabulary = 131077;
  Rows rows(vocabulary);
  SamplingOptions options;
  options.temperature = 0.9;
  options.topP = 0.8;
  rows.add(randomFloats(random, vocabulary), options);
  expectAgreement(rows, 512, 8);
}

// Few different logits: what top-k and top-p keep of equal ones are the lowest
// ids, and 0 equals -0.
TEST_P(SampleKernel, KeepsTheLowestOfEqualOnes) {
  std::mt19937 random(2);
  constexpr int64_t vocabulary = 203;
  Rows rows(vocabulary);
  for (int64_t row = 0; row < 60; ++row) {
    std::vector<float> logits;
    for (int64_t i = 0; i < vocabulary; ++i) {
      const float values[] = {0.0f, -0.0f, -1.0f, 0.25f, -infinity};
      logits.push_back(values[random() % (row % 3 == 0 ? 2 : 5)]);
    }
    SamplingOptions options = chooseOptions(random, vocabulary);
    options.topK = static_cast<int64_t>(random() % 150);
    rows.add(logits, options);
  }
  expectAgreement(rows, 64, 2);
}

TEST_P(SampleKernel, TakesNumbersOfAnySize) {
  constexpr int64_t vocabulary = 40;
  Rows rows(vocabulary);
  for (double temperature : {0.0, 0.001, 1.0, 1000.0})
    for (double topP : {1.0, 0.9}) {
      std::vector<float> logits(vocabulary, -3e38f);
      logits[5] = 1e-45f;
      logits[9] = -1e-45f;
      logits[11] = 3e38f;
      logits[12] = std::nextafter(3e38f, 0.0f);
      logits[39] = -infinity;
      SamplingOptions options;
      options.temperature = temperature;
      options.topP = topP;
      rows.add(logits, options);
      logits[11] = logits[12] = -infinity;
      rows.add(logits, options);
    }
  expectAgreement(rows, 32, 1);
}

// A row that has none to choose from says why, whatever its parameters; the
// others are as without it.
TEST_P(SampleKernel, SaysWhichLogitIsDamaged) {
  std::mt19937 random(3);
  constexpr int64_t vocabulary = 130;
  constexpr float none = std::numeric_limits<float>::quiet_NaN();
  Rows rows(vocabulary);
  for (double temperature : {0.0, 1.0})
    for (int damage = 0; damage < 6; ++damage) {
      std::vector<float> logits = randomFloats(random, vocabulary);
      SamplingOptions options;
      options.temperature = temperature;
      if (damage == 1)
        logits[0] = -none;
      if (damage == 2)
        logits[129] = infinity;
      if (damage == 3)
        logits[64] = none, logits[65] = infinity;
      if (damage == 4)
        logits[64] = infinity, logits[65] = none;
      if (damage == 5)
        logits.assign(vocabulary, -infinity);
      rows.add(logits, options);
    }
  expectAgreement(rows, 64, 1);
  expectAgreement(rows, 32, 4);
}

// One that weighs as much as all others together, whatever is drawn.
TEST_P(SampleKernel, DrawsFromOneEndToTheOther) {
  constexpr int64_t vocabulary = 300;
  Rows rows(vocabulary);
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<float> logits(vocabulary, 0.0f);
    logits[seed % 3 * 149 + seed % 2] = std::log(299.0f);
    SamplingOptions options;
    options.temperature = 1;
    options.seed = seed;
    rows.add(logits, options);
  }
  expectAgreement(rows, 32, 8);
}
