#include "test/unit/compiler/KernelRunner.h"

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
  std::unique_ptr<KernelRunner> runner = march == "sm_90a"
                                             ? compileForGpu(*module)
                                             : compileForCpu(*module, march);
  if (runner)
    module->walk([&](kernel::KernelOpInterface op) { runner->describe(op); });
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

std::vector<uint8_t> x86::contentsOf(ArrayRef<const Buffer *> buffers) {
  std::vector<uint8_t> contents;
  for (const Buffer *buffer : buffers)
    contents.insert(contents.end(), buffer->data(),
                    buffer->data() + buffer->size());
  return contents;
}

void x86::restore(ArrayRef<const Buffer *> buffers,
                  const std::vector<uint8_t> &contents) {
  const uint8_t *from = contents.data();
  for (const Buffer *buffer : buffers) {
    std::memcpy(buffer->data(), from, buffer->size());
    from += buffer->size();
  }
}

int64_t KernelRunner::tilesOf(const StepSizes &sizes) const {
  return tiles.of(rowsOf(sizes));
}

int64_t KernelRunner::scratchBytesOf(const StepSizes &sizes) const {
  return scratchBytes.of(rowsOf(sizes));
}

void KernelRunner::run(ArrayRef<const Buffer *> buffers,
                       const StepSizes &sizes) const {
  ASSERT_EQ(buffers.size(), arguments);
  std::vector<const Buffer *> results;
  for (size_t argument : written)
    results.push_back(buffers[argument]);
  runInAllWays(buffers, results, sizes);
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
  if (GetParam() != "sm_90a" &&
      !::tcc::rt::missingFeatures(targetOf(GetParam()).features).empty())
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
