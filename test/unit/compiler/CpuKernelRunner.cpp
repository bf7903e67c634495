// Machine code of one kernel op, called as the runtime does.

#include "test/unit/compiler/KernelRunner.h"

#include "compiler/codegen/x86/CompileImage.h"

#include <random>
#include <thread>

#include <sys/mman.h>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

namespace {
/// Calls the code tile by tile from the last to the first; by three threads in
/// shuffled ranges; and at once. Each byte is to be written by one tile.
class CpuKernelRunner : public KernelRunner {
public:
  explicit CpuKernelRunner(const CompiledImage &image) { load(image); }
  ~CpuKernelRunner() override { munmap(code, codeBytes); }

private:
  using Entry = void (*)(void *const *, const int64_t *, int64_t, int64_t,
                         void *);
  /// Tiles from the first to before the second.
  using Range = std::pair<int64_t, int64_t>;

  void load(const CompiledImage &image);
  void runInAllWays(ArrayRef<const Buffer *> arguments,
                    ArrayRef<const Buffer *> results,
                    const StepSizes &sizes) const override;
  void call(ArrayRef<const Buffer *> arguments, const StepSizes &sizes,
            ArrayRef<Range> ranges) const;
  std::vector<uint8_t> callTileByTile(ArrayRef<const Buffer *> arguments,
                                      ArrayRef<const Buffer *> results,
                                      const StepSizes &sizes) const;
  void callOnThreads(ArrayRef<const Buffer *> arguments, const StepSizes &sizes,
                     ArrayRef<Range> ranges) const;

  void *code = nullptr;
  size_t codeBytes = 0;
  Entry entry = nullptr;
};
} // namespace

std::unique_ptr<KernelRunner> x86::compileForCpu(ModuleOp module,
                                                 StringRef march) {
  FailureOr<CompiledImage> image =
      compileImage(module, march, /*reproducer=*/nullptr);
  if (failed(image))
    return nullptr;
  return std::make_unique<CpuKernelRunner>(*image);
}

void CpuKernelRunner::load(const CompiledImage &image) {
  codeBytes = image.code.size();
  code = mmap(nullptr, codeBytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED)
    llvm::report_fatal_error("no memory for a test");
  std::memcpy(code, image.code.data(), codeBytes);
  mprotect(code, codeBytes, PROT_READ | PROT_EXEC);
  entry = reinterpret_cast<Entry>(static_cast<uint8_t *>(code) +
                                  image.kernels[0].entry);
}

void CpuKernelRunner::call(ArrayRef<const Buffer *> arguments,
                           const StepSizes &sizes,
                           ArrayRef<Range> ranges) const {
  std::vector<void *> pointers;
  for (const Buffer *argument : arguments)
    pointers.push_back(argument->data());
  int64_t numbers[] = {sizes.tokens, sizes.sequences, sizes.logitRows,
                       sizes.pageTableStride, sizes.expandedTokens};
  Buffer scratch(scratchBytesOf(sizes));
  for (auto [begin, end] : ranges)
    entry(pointers.data(), numbers, begin, end, scratch.data());
  EXPECT_TRUE(scratch.isIntact());
}

void CpuKernelRunner::callOnThreads(ArrayRef<const Buffer *> arguments,
                                    const StepSizes &sizes,
                                    ArrayRef<Range> ranges) const {
  constexpr size_t threads = 3;
  std::vector<std::thread> running;
  for (size_t thread = 0; thread < threads; ++thread)
    running.emplace_back([&, thread] {
      std::vector<Range> own;
      for (size_t i = thread; i < ranges.size(); i += threads)
        own.push_back(ranges[i]);
      call(arguments, sizes, own);
    });
  for (std::thread &thread : running)
    thread.join();
}

/// Ranges of up to four tiles in a random order.
static std::vector<std::pair<int64_t, int64_t>> shuffledRanges(int64_t tiles) {
  std::mt19937 random(1);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t begin = 0; begin < tiles;) {
    int64_t end = std::min<int64_t>(tiles, begin + random() % 5);
    ranges.emplace_back(begin, end);
    begin = end;
  }
  std::shuffle(ranges.begin(), ranges.end(), random);
  return ranges;
}

/// Calls each tile alone with the same contents before it, and returns what all
/// of them make of those. No byte is to be changed by two tiles.
std::vector<uint8_t>
CpuKernelRunner::callTileByTile(ArrayRef<const Buffer *> buffers,
                                ArrayRef<const Buffer *> results,
                                const StepSizes &sizes) const {
  std::vector<uint8_t> before = contentsOf(results), all = before;
  bool isDisjoint = true;
  for (int64_t tile = tilesOf(sizes); tile-- > 0;) {
    restore(results, before);
    call(buffers, sizes, {{tile, tile + 1}});
    std::vector<uint8_t> own = contentsOf(results);
    for (size_t i = 0; i < own.size(); ++i) {
      if (own[i] == before[i])
        continue;
      isDisjoint &= all[i] == before[i];
      all[i] = own[i];
    }
  }
  EXPECT_TRUE(isDisjoint) << "two tiles write the same byte";
  return all;
}

void CpuKernelRunner::runInAllWays(ArrayRef<const Buffer *> buffers,
                                   ArrayRef<const Buffer *> results,
                                   const StepSizes &sizes) const {
  int64_t count = tilesOf(sizes);
  std::vector<uint8_t> before = contentsOf(results);
  std::vector<uint8_t> tileByTile = callTileByTile(buffers, results, sizes);
  restore(results, before);
  callOnThreads(buffers, sizes, shuffledRanges(count));
  std::vector<uint8_t> onThreads = contentsOf(results);
  restore(results, before);
  call(buffers, sizes, {{0, count}});
  EXPECT_TRUE(tileByTile == contentsOf(results)) << "tile by tile";
  EXPECT_TRUE(onThreads == contentsOf(results)) << "on threads";
}
