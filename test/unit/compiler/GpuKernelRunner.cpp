// PTX of one kernel op, run by the simulator.

#include "test/unit/compiler/KernelRunner.h"

#include "compiler/codegen/nvptx/CompilePtx.h"
#include "runtime/cuda/Driver.h"

using namespace mlir;
using namespace mlir::tcc;
using namespace mlir::tcc::x86;
namespace cuda = ::tcc::rt::cuda;

/// The simulator's driver; its one device is current in this thread.
static const cuda::Driver &simulator() {
  static const cuda::Driver driver = [] {
    cuda::Driver opened;
    ::tcc::Status status = cuda::Driver::open(TCC_SIMULATOR, opened);
    cuda::Device device = 0;
    cuda::Context context = nullptr;
    if (!status.ok() || opened.deviceGet(&device, 0) != cuda::success ||
        opened.retainContext(&context, device) != cuda::success ||
        opened.setContext(context) != cuda::success)
      llvm::report_fatal_error("the simulator does not start");
    return opened;
  }();
  return driver;
}

namespace {
/// Memory of the device with the bytes of a buffer.
class DeviceCopy {
public:
  explicit DeviceCopy(const void *data, size_t bytes) : bytes(bytes) {
    EXPECT_EQ(simulator().allocate(&address, std::max<size_t>(bytes, 1)),
              cuda::success);
    if (bytes)
      EXPECT_EQ(simulator().copyToDevice(address, data, bytes, nullptr),
                cuda::success);
  }
  DeviceCopy(DeviceCopy &&other) noexcept
      : address(std::exchange(other.address, 0)), bytes(other.bytes) {}
  ~DeviceCopy() {
    if (address)
      EXPECT_EQ(simulator().free(address), cuda::success);
  }

  void copyBack(void *data) const {
    if (bytes)
      EXPECT_EQ(simulator().copyToHost(data, address, bytes, nullptr),
                cuda::success);
  }

  cuda::Address address = 0;
  size_t bytes;
};

/// Launches one block for all tiles, one for each tile, and a few.
class GpuKernelRunner : public KernelRunner {
public:
  explicit GpuKernelRunner(const CompiledImage &ptx)
      : threads(static_cast<unsigned>(ptx.kernels[0].threads)) {
    std::string text(ptx.code.begin(), ptx.code.end());
    EXPECT_EQ(simulator().loadModule(&module, text.c_str()), cuda::success)
        << text;
    EXPECT_EQ(
        simulator().getFunction(&function, module, ptx.kernels[0].name.c_str()),
        cuda::success);
  }
  ~GpuKernelRunner() override {
    EXPECT_EQ(simulator().unloadModule(module), cuda::success);
  }

private:
  void runInAllWays(ArrayRef<const Buffer *> arguments,
                    ArrayRef<const Buffer *> results,
                    const StepSizes &sizes) const override;
  void launch(ArrayRef<const Buffer *> arguments, const StepSizes &sizes,
              int64_t blocks) const;

  cuda::Module module = nullptr;
  cuda::Function function = nullptr;
  unsigned threads;
};
} // namespace

std::unique_ptr<KernelRunner> x86::compileForGpu(ModuleOp module) {
  FailureOr<CompiledImage> ptx =
      nvptx::compilePtx(module, /*reproducer=*/nullptr);
  if (failed(ptx))
    return nullptr;
  return std::make_unique<GpuKernelRunner>(*ptx);
}

void GpuKernelRunner::launch(ArrayRef<const Buffer *> buffers,
                             const StepSizes &sizes, int64_t blocks) const {
  int64_t numbers[] = {sizes.tokens, sizes.sequences, sizes.logitRows,
                       sizes.pageTableStride, sizes.expandedTokens};
  int64_t tiles = tilesOf(sizes);
  std::vector<DeviceCopy> copies;
  for (const Buffer *buffer : buffers)
    copies.emplace_back(buffer->data(), static_cast<size_t>(buffer->size()));
  copies.emplace_back(numbers, sizeof(numbers));
  std::vector<void *> parameters;
  for (DeviceCopy &copy : copies)
    parameters.push_back(&copy.address);
  parameters.push_back(&tiles);
  ASSERT_EQ(simulator().launchKernel(function, static_cast<unsigned>(blocks), 1,
                                     1, threads, 1, 1, 0, nullptr,
                                     parameters.data(), nullptr),
            cuda::success);
  ASSERT_EQ(simulator().waitForStream(nullptr), cuda::success);
  for (size_t i = 0; i < buffers.size(); ++i)
    copies[i].copyBack(buffers[i]->data());
}

void GpuKernelRunner::runInAllWays(ArrayRef<const Buffer *> buffers,
                                   ArrayRef<const Buffer *> results,
                                   const StepSizes &sizes) const {
  int64_t tiles = tilesOf(sizes);
  if (tiles == 0)
    return;
  std::vector<uint8_t> before = contentsOf(results), first;
  for (int64_t blocks : {int64_t(1), std::min<int64_t>(tiles, 3), tiles}) {
    restore(results, before);
    launch(buffers, sizes, blocks);
    std::vector<uint8_t> after = contentsOf(results);
    if (first.empty())
      first = after;
    EXPECT_TRUE(first == after) << blocks << " blocks";
  }
}
