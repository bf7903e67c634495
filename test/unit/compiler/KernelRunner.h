// Runs one kernel op alone: compiles it as the kernels of a model are and calls
// it.
//
// Nothing here knows what ops compute. What every kernel promises is checked at
// each run, though: ranges of tiles may be any, in any order and on any thread,
// without a bit changing, and no byte outside arguments and scratch is touched.

#ifndef TCC_TEST_UNIT_COMPILER_KERNELRUNNER_H
#define TCC_TEST_UNIT_COMPILER_KERNELRUNNER_H

#include "compiler/target/x86/CompiledImage.h"
#include "dialects/kernel/Kernel.h"

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

/// Machine code of one kernel op, which is alone in a function on memrefs.
class KernelRunner {
public:
  /// Compiles the function in `text`, as phase `schedule` leaves it, for
  /// `march`. Returns null after a diagnostic if that fails.
  static std::unique_ptr<KernelRunner> create(StringRef text, StringRef march);
  ~KernelRunner();

  /// Calls the code for all tiles with `arguments`, those of the function in
  /// their order: one by one from the last to the first; by three threads in
  /// shuffled ranges; and at once. Each time what the op writes has the same
  /// contents before, and is expected to have the same ones afterwards, each
  /// byte by one tile.
  void run(ArrayRef<const Buffer *> arguments, const StepSizes &sizes) const;

  /// The same with as many rows as the op has.
  void run(ArrayRef<const Buffer *> arguments, int64_t rows) const;

private:
  using Entry = void (*)(void *const *, const int64_t *, int64_t, int64_t,
                         void *);
  /// Tiles from the first to before the second.
  using Range = std::pair<int64_t, int64_t>;

  /// constant + perRow * rows
  struct Size {
    int64_t constant, perRow;
    int64_t of(int64_t rows) const { return constant + perRow * rows; }
  };

  KernelRunner() = default;
  void describe(kernel::KernelOpInterface op);
  void load(const CompiledImage &image);
  int64_t rowsOf(const StepSizes &sizes) const;
  void call(ArrayRef<const Buffer *> arguments, const StepSizes &sizes,
            ArrayRef<Range> ranges) const;
  std::vector<uint8_t> callTileByTile(ArrayRef<const Buffer *> arguments,
                                      ArrayRef<const Buffer *> results,
                                      const StepSizes &sizes) const;
  void callOnThreads(ArrayRef<const Buffer *> arguments, const StepSizes &sizes,
                     ArrayRef<Range> ranges) const;

  kernel::Rows rows = kernel::Rows::Tokens;
  size_t arguments = 0;
  std::vector<size_t> written; ///< Arguments that the op writes.
  Size tiles = {}, scratchBytes = {};
  void *code = nullptr;
  size_t codeBytes = 0;
  Entry entry = nullptr;
};

/// What tests compile for: the narrowest CPU, the kernels of one with AVX-512
/// and bf16 in instructions that every machine has, and this machine.
inline std::vector<std::string> testedMarches() {
  return {"x86-64-v3", "emulated-znver4", "native"};
}

/// A test that is made for each of `testedMarches`.
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

/// Makes the tests of `fixture`, a class derived from KernelTest.
#define TCC_TEST_MARCHES(fixture)                                              \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      March, fixture, testing::ValuesIn(mlir::tcc::x86::testedMarches()),      \
      [](const testing::TestParamInfo<std::string> &info) {                    \
        std::string name = info.param;                                         \
        std::replace(name.begin(), name.end(), '-', '_');                      \
        return name;                                                           \
      })

/// Expects the elements of `got` from `first` on to be those of `expected`, and
/// those before to be as a buffer is made.
void expectWrittenFrom(int64_t first, const std::vector<float> &expected,
                       const std::vector<float> &got);

} // namespace mlir::tcc::x86

#endif // TCC_TEST_UNIT_COMPILER_KERNELRUNNER_H
