// Runs one kernel op alone: compiles it as the kernels of a model are and calls
// it.
//
// Nothing here knows what ops compute. What every kernel promises is checked at
// each run, though: tiles may be computed by anyone, in any order, without a
// bit changing, and no byte outside arguments and scratch is touched.

#ifndef TCC_TEST_UNIT_COMPILER_KERNELRUNNER_H
#define TCC_TEST_UNIT_COMPILER_KERNELRUNNER_H

#include "dialects/kernel/Kernel.h"
#include "mlir/IR/BuiltinOps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace mlir::tcc::x86 {

/// Memory aligned to 64 bytes, with pages before and after it that cannot be
/// touched; what rounds its size up to 64 bytes must stay as it is.
class Buffer {
public:
  /// Each byte is 0xFF: floats are NaN, integers -1.
  explicit Buffer(int64_t bytes);
  template <typename T>
  explicit Buffer(const std::vector<T> &values)
      : Buffer(static_cast<int64_t>(values.size() * sizeof(T))) {
    std::memcpy(begin, values.data(), values.size() * sizeof(T));
  }
  Buffer(Buffer &&other) noexcept;
  Buffer &operator=(Buffer &&) = delete;
  ~Buffer();

  uint8_t *data() const { return begin; }
  int64_t size() const { return bytes; }

  /// The elements, which are of type T.
  template <typename T>
  std::vector<T> values() const {
    std::vector<T> result(bytes / sizeof(T));
    std::memcpy(result.data(), begin, result.size() * sizeof(T));
    return result;
  }

  /// Whether nothing was written behind the last byte.
  bool isIntact() const;

private:
  uint8_t *mapping;
  int64_t mappingBytes;
  uint8_t *begin;
  int64_t bytes;
};

/// The sizes of a step, as kernels get them.
struct StepSizes {
  int64_t tokens = 0;
  int64_t sequences = 1;
  int64_t logitRows = 0;
  int64_t pageTableStride = 0;
  int64_t expandedTokens = 0; ///< The first of all.
};

/// One kernel op, compiled; it is alone in a function on memrefs.
class KernelRunner {
public:
  /// Compiles the function in `text`, as phase `schedule` leaves it, for
  /// `march`. Returns null after a diagnostic if that fails.
  static std::unique_ptr<KernelRunner> create(StringRef text, StringRef march);
  virtual ~KernelRunner() = default;

  /// Runs the kernel for all tiles with `arguments`, those of the function in
  /// their order, several times, with tiles dealt out in different ways. Each
  /// time what the op writes has the same contents before, and is expected to
  /// have the same ones afterwards.
  void run(ArrayRef<const Buffer *> arguments, const StepSizes &sizes) const;

  /// The same with as many rows as the op has.
  void run(ArrayRef<const Buffer *> arguments, int64_t rows) const;

protected:
  /// constant + perRow * rows
  struct Size {
    int64_t constant, perRow;
    int64_t of(int64_t rows) const { return constant + perRow * rows; }
  };

  /// Runs it in each way from the present contents of `results`, compares, and
  /// leaves them as they are afterwards.
  virtual void runInAllWays(ArrayRef<const Buffer *> arguments,
                            ArrayRef<const Buffer *> results,
                            const StepSizes &sizes) const = 0;
  int64_t tilesOf(const StepSizes &sizes) const;
  int64_t scratchBytesOf(const StepSizes &sizes) const;

private:
  void describe(kernel::KernelOpInterface op);
  int64_t rowsOf(const StepSizes &sizes) const;

  kernel::Rows rows = kernel::Rows::Tokens;
  size_t arguments = 0;
  std::vector<size_t> written; ///< Arguments that the op writes.
  Size tiles = {}, scratchBytes = {};
};

/// The contents of `buffers`, one after another.
std::vector<uint8_t> contentsOf(ArrayRef<const Buffer *> buffers);

/// Copies `contents` back to `buffers`.
void restore(ArrayRef<const Buffer *> buffers,
             const std::vector<uint8_t> &contents);

/// Compiles the kernel of `module` for this CPU or for the GPU that is
/// simulated.
std::unique_ptr<KernelRunner> compileForCpu(ModuleOp module, StringRef march);
std::unique_ptr<KernelRunner> compileForGpu(ModuleOp module);

/// What tests compile for: the narrowest CPU, the kernels of one with AVX-512
/// and bf16 in instructions that every machine has, and this machine.
inline std::vector<std::string> testedMarches() {
  return {"x86-64-v3", "emulated-znver4", "native"};
}

/// The same and the H100, which the simulator stands for.
inline std::vector<std::string> testedTargets() {
  std::vector<std::string> targets = testedMarches();
  targets.push_back("sm_90a");
  return targets;
}

/// A test that is made for several of these.
class KernelTest : public testing::TestWithParam<std::string> {
protected:
  /// Skips what this machine cannot run.
  void SetUp() override;

  /// The kernel in `text` for the march of this test.
  std::unique_ptr<KernelRunner> compile(StringRef text) const {
    return KernelRunner::create(text, GetParam());
  }

  /// f32 elements of a vector register of the march.
  int64_t lanes() const;

  /// Whether the march multiplies pairs of bf16.
  bool hasDot() const;
};

/// Makes the tests of `fixture`, a class derived from KernelTest, for
/// `marches`.
#define TCC_TEST_ON(fixture, marches)                                          \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      March, fixture, testing::ValuesIn(marches),                              \
      [](const testing::TestParamInfo<std::string> &info) {                    \
        std::string name = info.param;                                         \
        std::replace(name.begin(), name.end(), '-', '_');                      \
        return name;                                                           \
      })
/// Those of CPUs.
#define TCC_TEST_MARCHES(fixture)                                              \
  TCC_TEST_ON(fixture, mlir::tcc::x86::testedMarches())
/// Those of CPUs and of the H100.
#define TCC_TEST_TARGETS(fixture)                                              \
  TCC_TEST_ON(fixture, mlir::tcc::x86::testedTargets())

/// Expects the elements of `got` from `first` on to be those of `expected`, and
/// those before to be as a buffer is made.
void expectWrittenFrom(int64_t first, const std::vector<float> &expected,
                       const std::vector<float> &got);

} // namespace mlir::tcc::x86

#endif // TCC_TEST_UNIT_COMPILER_KERNELRUNNER_H
