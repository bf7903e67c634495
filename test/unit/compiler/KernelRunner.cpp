#include "test/unit/compiler/KernelRunner.h"

#include "compiler/codegen/x86/CompileImage.h"
#include "compiler/target/x86/Target.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "runtime/cpu/Machine.h"

#include <cmath>
#include <random>
#include <thread>

#include <sys/mman.h>

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static constexpr int64_t pageBytes = 4096, lineBytes = 64;
static constexpr uint8_t filler = 0xFF;

Buffer::Buffer(int64_t bytes) : bytes(bytes) {
  int64_t inner = kernel::roundUp(std::max<int64_t>(bytes, 1), pageBytes);
  mappingBytes = inner + 2 * pageBytes;
  void *memory = mmap(nullptr, mappingBytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mapping = static_cast<uint8_t *>(memory);
  if (memory == MAP_FAILED ||
      mprotect(mapping + pageBytes, inner, PROT_READ | PROT_WRITE) != 0)
    llvm::report_fatal_error("no memory for a test");
  std::memset(mapping + pageBytes, filler, inner);
  begin = mapping + pageBytes + inner - kernel::roundUp(bytes, lineBytes);
}

Buffer::Buffer(Buffer &&other) noexcept
    : mapping(std::exchange(other.mapping, nullptr)),
      mappingBytes(other.mappingBytes), begin(other.begin), bytes(other.bytes) {
}

Buffer::~Buffer() {
  if (mapping)
    munmap(mapping, mappingBytes);
}

bool Buffer::isIntact() const {
  return std::all_of(begin + bytes, begin + kernel::roundUp(bytes, lineBytes),
                     [](uint8_t byte) { return byte == filler; });
}

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

static void loadDialects(MLIRContext &context) {
  context.loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect,
                      kernel::KernelDialect, transformer::TransformerDialect>();
}

std::unique_ptr<KernelRunner> KernelRunner::create(StringRef text,
                                                   StringRef march) {
  MLIRContext context;
  loadDialects(context);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return nullptr;
  FailureOr<CompiledImage> image =
      compileImage(*module, march, /*reproducer=*/nullptr);
  if (failed(image))
    return nullptr;
  std::unique_ptr<KernelRunner> runner(new KernelRunner());
  module->walk([&](kernel::KernelOpInterface op) { runner->describe(op); });
  runner->load(*image);
  return runner;
}

/// What `map`, which is linear in its one dimension, is for `rows`.
static int64_t evaluate(AffineMap map, int64_t rows) {
  SmallVector<Attribute> results;
  LogicalResult folded =
      map.constantFold({Builder(map.getContext()).getIndexAttr(rows)}, results);
  assert(succeeded(folded) && "constants go in");
  (void)folded;
  return cast<IntegerAttr>(results[0]).getInt();
}

/// Takes from `op` what calls need to know.
void KernelRunner::describe(kernel::KernelOpInterface op) {
  auto function = op->getParentOfType<func::FuncOp>();
  arguments = function.getNumArguments();
  if (auto text = function->getAttrOfType<StringAttr>("kernel.rows"))
    rows = *kernel::symbolizeRows(text);
  auto sizeOf = [](AffineMap map) -> Size {
    int64_t none = evaluate(map, 0);
    return {none, evaluate(map, 1) - none};
  };
  tiles = sizeOf(op.getTiles());
  scratchBytes = sizeOf(op.getScratchBytes());
  SmallVector<MemoryEffects::EffectInstance> effects;
  cast<MemoryEffectOpInterface>(op.getOperation()).getEffects(effects);
  for (const MemoryEffects::EffectInstance &effect : effects)
    if (isa<MemoryEffects::Write>(effect.getEffect()))
      written.push_back(cast<BlockArgument>(effect.getValue()).getArgNumber());
}

void KernelRunner::load(const CompiledImage &image) {
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

KernelRunner::~KernelRunner() { munmap(code, codeBytes); }

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

int64_t KernelRunner::rowsOf(const StepSizes &sizes) const {
  switch (rows) {
  case kernel::Rows::Tokens:
    return sizes.tokens;
  case kernel::Rows::LogitRows:
    return sizes.logitRows;
  case kernel::Rows::Expanded:
    return sizes.expandedTokens;
  case kernel::Rows::Absorbed:
    return sizes.tokens - sizes.expandedTokens;
  }
  llvm_unreachable("every kind of rows has a number");
}

void KernelRunner::call(ArrayRef<const Buffer *> arguments,
                        const StepSizes &sizes, ArrayRef<Range> ranges) const {
  std::vector<void *> pointers;
  for (const Buffer *argument : arguments)
    pointers.push_back(argument->data());
  int64_t numbers[] = {sizes.tokens, sizes.sequences, sizes.logitRows,
                       sizes.pageTableStride, sizes.expandedTokens};
  Buffer scratch(scratchBytes.of(rowsOf(sizes)));
  for (auto [begin, end] : ranges)
    entry(pointers.data(), numbers, begin, end, scratch.data());
  EXPECT_TRUE(scratch.isIntact());
}

void KernelRunner::callOnThreads(ArrayRef<const Buffer *> arguments,
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

/// The contents of `buffers`, one after another.
static std::vector<uint8_t> contentsOf(ArrayRef<const Buffer *> buffers) {
  std::vector<uint8_t> contents;
  for (const Buffer *buffer : buffers)
    contents.insert(contents.end(), buffer->data(),
                    buffer->data() + buffer->size());
  return contents;
}

/// Copies `contents` back to `buffers`.
static void restore(ArrayRef<const Buffer *> buffers,
                    const std::vector<uint8_t> &contents) {
  const uint8_t *from = contents.data();
  for (const Buffer *buffer : buffers) {
    std::memcpy(buffer->data(), from, buffer->size());
    from += buffer->size();
  }
}

/// Calls each tile alone with the same contents before it, and returns what all
/// of them make of those. No byte is to be changed by two tiles.
std::vector<uint8_t>
KernelRunner::callTileByTile(ArrayRef<const Buffer *> buffers,
                             ArrayRef<const Buffer *> results,
                             const StepSizes &sizes) const {
  std::vector<uint8_t> before = contentsOf(results), all = before;
  bool isDisjoint = true;
  for (int64_t tile = tiles.of(rowsOf(sizes)); tile-- > 0;) {
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

void KernelRunner::run(ArrayRef<const Buffer *> buffers,
                       const StepSizes &sizes) const {
  ASSERT_EQ(buffers.size(), arguments);
  int64_t count = tiles.of(rowsOf(sizes));
  std::vector<const Buffer *> results;
  for (size_t argument : written)
    results.push_back(buffers[argument]);
  std::vector<uint8_t> before = contentsOf(results);

  std::vector<uint8_t> tileByTile = callTileByTile(buffers, results, sizes);
  restore(results, before);
  callOnThreads(buffers, sizes, shuffledRanges(count));
  std::vector<uint8_t> onThreads = contentsOf(results);
  restore(results, before);
  call(buffers, sizes, {{0, count}});

  EXPECT_TRUE(tileByTile == contentsOf(results)) << "tile by tile";
  EXPECT_TRUE(onThreads == contentsOf(results)) << "on threads";
  for (const Buffer *buffer : buffers)
    EXPECT_TRUE(buffer->isIntact());
}

void KernelRunner::run(ArrayRef<const Buffer *> buffers, int64_t rows) const {
  StepSizes sizes;
  (this->rows == kernel::Rows::LogitRows ? sizes.logitRows : sizes.tokens) =
      rows;
  run(buffers, sizes);
}

//===----------------------------------------------------------------------===//
// Tests
//===----------------------------------------------------------------------===//

static TargetDescription targetOf(StringRef march) {
  MLIRContext context;
  FailureOr<TargetDescription> target =
      describeTarget(march, UnknownLoc::get(&context));
  return succeeded(target) ? *target : TargetDescription();
}

void KernelTest::SetUp() {
  if (!::tcc::rt::missingFeatures(targetOf(GetParam()).features).empty())
    GTEST_SKIP() << "this CPU cannot run " << GetParam();
}

int64_t KernelTest::lanes() const { return targetOf(GetParam()).lanes; }

bool KernelTest::hasDot() const { return targetOf(GetParam()).dotIsFaster; }

void mlir::tcc::x86::expectWrittenFrom(int64_t first,
                                       const std::vector<float> &expected,
                                       const std::vector<float> &got) {
  EXPECT_TRUE(
      std::equal(got.begin() + first, got.end(), expected.begin() + first));
  EXPECT_TRUE(std::all_of(got.begin(), got.begin() + first, [](float value) {
    return std::isnan(value);
  })) << "rows before stay as they were";
}
