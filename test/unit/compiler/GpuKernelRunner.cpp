// PTX of one kernel op, run by the simulator.

#include "test/unit/compiler/KernelRunner.h"

#include "compiler/codegen/nvptx/CompilePtx.h"
#include "runtime/cuda/KernelLaunch.h"

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

/// How the runtime launches `compiled`.
static ::tcc::rt::KernelPlan planOf(const CompiledKernel &compiled) {
  ::tcc::rt::KernelPlan plan;
  plan.name = compiled.name;
  plan.threads = compiled.threads;
  plan.blocks = compiled.blocks;
  plan.cluster = compiled.cluster;
  plan.sharedBytes = compiled.sharedBytes;
  for (const ::tcc::schema::TensorMap &map : compiled.tensorMaps) {
    const ::tcc::schema::Expression &rows = map.rows();
    plan.tensorMaps.push_back(
        {map.argument(),
         static_cast<::tcc::rt::ElementType>(map.element()),
         map.swizzle(),
         static_cast<int64_t>(map.offset()),
         static_cast<int64_t>(map.columns()),
         {rows.constant(), rows.tokens(), rows.sequences(), rows.logit_rows(),
          rows.expanded_tokens(), rows.absorbed_tokens(),
          rows.expanded_sequences()},
         static_cast<int64_t>(map.planes()),
         static_cast<int64_t>(map.row_bytes()),
         static_cast<int64_t>(map.plane_bytes()),
         map.box_columns(),
         map.box_rows()});
  }
  return plan;
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

/// Launches one block for all tiles, as many as the runtime, and a few; or
/// clusters.
class GpuKernelRunner : public KernelRunner {
public:
  explicit GpuKernelRunner(const CompiledImage &ptx)
      : plan(planOf(ptx.kernels[0])) {
    std::string text(ptx.code.begin(), ptx.code.end());
    EXPECT_EQ(
        simulator().loadModule(&module, text.c_str(), 0, nullptr, nullptr),
        cuda::success)
        << text;
    EXPECT_EQ(simulator().getFunction(&function, module, plan.name.c_str()),
              cuda::success);
    EXPECT_TRUE(cuda::prepare(simulator(), function, plan).ok());
  }
  ~GpuKernelRunner() override {
    EXPECT_EQ(simulator().unloadModule(module), cuda::success);
  }

private:
  void runInAllWays(ArrayRef<const Buffer *> arguments,
                    ArrayRef<const Buffer *> results,
                    const StepSizes &sizes) const override;
  void launch(ArrayRef<const Buffer *> arguments, const StepSizes &sizes,
              unsigned blocks) const;

  cuda::Module module = nullptr;
  cuda::Function function = nullptr;
  ::tcc::rt::KernelPlan plan;
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
                             const StepSizes &sizes, unsigned blocks) const {
  int64_t numbers[] = {sizes.tokens, sizes.sequences, sizes.logitRows,
                       sizes.pageTableStride, sizes.expandedTokens};
  int64_t tiles = tilesOf(sizes);
  std::vector<DeviceCopy> copies;
  for (const Buffer *buffer : buffers)
    copies.emplace_back(buffer->data(), static_cast<size_t>(buffer->size()));
  copies.emplace_back(numbers, sizeof(numbers));
  std::vector<void *> arguments;
  for (DeviceCopy &copy : copies)
    arguments.push_back(reinterpret_cast<void *>(copy.address));
  cuda::KernelParameters parameters;
  ::tcc::Status status = parameters.set(
      simulator(), plan, arguments.data(), buffers.size(), arguments.back(),
      tiles,
      {sizes.tokens, sizes.sequences, sizes.logitRows, sizes.expandedTokens});
  ASSERT_TRUE(status.ok()) << status.message();
  status = cuda::launch(simulator(), function, plan, blocks, nullptr,
                        parameters.pointers());
  ASSERT_TRUE(status.ok()) << status.message();
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
  unsigned most = cuda::blocksOf(plan, tiles);
  for (unsigned blocks :
       {plan.cluster, std::min(3 * plan.cluster, most), most}) {
    restore(results, before);
    launch(buffers, sizes, blocks);
    std::vector<uint8_t> after = contentsOf(results);
    if (first.empty())
      first = after;
    EXPECT_TRUE(first == after) << blocks << " blocks";
  }
}
