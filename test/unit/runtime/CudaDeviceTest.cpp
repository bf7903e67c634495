// The device of the driver API, on a driver that computes nothing and fails
// where it is told to. What kernels compute is tested on the simulator.

#include "runtime/cuda/CudaDevice.h"

#include "runtime/core/Executable.h"
#include "runtime/core/Generator.h"
#include "test/fake-cuda/FakeCuda.h"
#include "test/unit/runtime/TinyModel.h"

#include <atomic>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <map>

using namespace tcc;
using namespace tcc::rt;
using tcc::test::FakeCuda;

/// The state of the driver.
static FakeCuda &fake() {
  static auto *state = reinterpret_cast<FakeCuda *(*)()>(
      dlsym(dlopen(FAKE_CUDA_LIBRARY, RTLD_NOW | RTLD_LOCAL), "fakeCuda"));
  return *state();
}

namespace {
class CudaDeviceTest : public testing::Test {
protected:
  void SetUp() override {
    fake() = FakeCuda();
    schema::ExecutableT manifest = tinyManifest();
    manifest.targets[0]->kind = CudaDevice::targetKind;
    for (auto &kernel : manifest.targets[0]->kernels)
      kernel->threads = 32;
    manifest.targets[0]->kernels[1]->waits = true;
    ASSERT_TRUE(Executable::load(writeTemporary("tcc-cuda.bin",
                                                tinyFile(std::move(manifest))),
                                 CudaDevice::targetKind, model)
                    .ok());
  }

  void TearDown() override {
    EXPECT_TRUE(fake().owned.empty()) << fake().owned.begin()->second;
    EXPECT_TRUE(fake().mistakes.empty()) << fake().mistakes.front();
  }

  /// Opens the device number `ordinal` and loads the model.
  Status start(std::unique_ptr<CudaDevice> &device, int ordinal = 0) {
    if (Status status = CudaDevice::open(
            {FAKE_CUDA_LIBRARY, ordinal, checksLaunches}, device);
        !status.ok())
      return status;
    return model->prepare(*device);
  }

  /// Runs prompts from the opening of the device to the closing.
  Status run(const std::vector<std::vector<int32_t>> &prompts) {
    std::unique_ptr<CudaDevice> device;
    if (Status status = start(device); !status.ok())
      return status;
    Requirements needed;
    if (Status status =
            planRequests(model->plan(), prompts, options,
                         {1, device->availableBytes(), 256, 50}, needed);
        !status.ok())
      return status;
    std::unique_ptr<Generator> generator;
    if (Status status =
            Generator::create(model->program(), needed, *device, generator);
        !status.ok())
      return status;
    return generator->run(prompts, options, listener);
  }

  bool runWithFailure(int64_t after, bool once);

  /// The message of `status`, which has the code `code`.
  static std::string
  messageOf(const Status &status,
            Status::Code code = Status::Code::DeviceUnavailable) {
    EXPECT_EQ(status.code(), code) << status.message();
    return status.message();
  }

  struct : GenerationListener {
    bool onToken(size_t request, int32_t) override {
      isCancelled = isCancelled || --beforeCancel == 0;
      return --left[request] != 0;
    }
    std::map<size_t, int64_t> left; ///< Tokens of a request; none: any number.
    int64_t beforeCancel = 0;       ///< Tokens of all; 0: no end.
    std::atomic<bool> isCancelled = false;
  } listener;
  bool checksLaunches = false;
  std::unique_ptr<Executable> model;
  GenerationOptions options;
};
} // namespace

//===----------------------------------------------------------------------===//
// Machines that cannot run a model
//===----------------------------------------------------------------------===//

TEST_F(CudaDeviceTest, SaysWhichDriverIsMissing) {
  std::unique_ptr<CudaDevice> device;
  EXPECT_EQ(messageOf(CudaDevice::open({"libno-such.so.1", 0}, device)),
            "cuda: expected NVIDIA's driver, got libno-such.so.1: cannot open "
            "shared object file: No such file or directory; install the driver "
            "or use --device=cpu");
  EXPECT_EQ(messageOf(CudaDevice::open({"libm.so.6", 0}, device)),
            "libm.so.6: expected a driver of CUDA 12.0 or newer, got one "
            "without cuInit");
}

TEST_F(CudaDeviceTest, SaysWhichDeviceIsMissing) {
  std::unique_ptr<CudaDevice> device;
  EXPECT_EQ(messageOf(start(device, 9)),
            "--device=cuda:9: expected a device below 1, the number that the "
            "driver sees");
  fake().devices = 0;
  EXPECT_EQ(messageOf(start(device)), "cuda: cuInit: CUDA_ERROR_NO_DEVICE");
}

TEST_F(CudaDeviceTest, TakesNoOtherArchitecture) {
  std::unique_ptr<CudaDevice> device;
  for (int capability : {80, 89, 100, 120}) {
    fake().capability = capability;
    EXPECT_EQ(messageOf(start(device)),
              "cuda: expected a GPU of compute capability 9.0, such as an "
              "H100, got Fake of " +
                  std::to_string(capability / 10) + "." +
                  std::to_string(capability % 10));
  }
}

TEST_F(CudaDeviceTest, TakesNoOlderDriver) {
  std::unique_ptr<CudaDevice> device;
  fake().version = 11080;
  EXPECT_EQ(messageOf(start(device)),
            "cuda: expected a driver of CUDA 12.0 or newer, got one of 11.8; "
            "install a newer driver");
  // One that is new enough for us and not for the code.
  fake().version = 12020;
  fake().failing = "cuModuleLoadDataEx";
  fake().after = 0;
  fake().result = 222;
  EXPECT_EQ(messageOf(start(device)),
            model->path() + ": code: expected a driver that takes PTX ?, got "
                            "one of CUDA 12.2; install a newer driver");
  device.reset();
}

TEST_F(CudaDeviceTest, CarriesWhatTheCompilerSays) {
  std::unique_ptr<CudaDevice> device;
  fake().failing = "cuModuleLoadDataEx";
  fake().after = 0;
  fake().result = 218;
  fake().log = "ptxas application ptx input, line 9; error: no\n\n  ptxas "
               "fatal: aborted\n";
  EXPECT_EQ(messageOf(start(device)),
            model->path() + ": code: cuda: cuModuleLoadDataEx: "
                            "CUDA_ERROR_INVALID_PTX; the driver's compiler "
                            "says: ptxas application ptx input, line 9; error: "
                            "no | ptxas fatal: aborted");
  device.reset();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST_F(CudaDeviceTest, ReservesNothingThatDoesNotFit) {
  fake().memory = 1000;
  options.maxTokens = 8;
  std::unique_ptr<CudaDevice> device;
  ASSERT_TRUE(CudaDevice::open({FAKE_CUDA_LIBRARY, 0}, device).ok());
  // What the driver needs for itself is not to be had.
  EXPECT_EQ(device->availableBytes(), 0);
  DeviceMemory memory;
  EXPECT_EQ(messageOf(device->reserve(1001, "a test", "ask for less", memory),
                      Status::Code::OutOfMemory),
            "memory: cannot reserve 1001 bytes of Fake for a test; ask for "
            "less (1000 bytes are free)");
  EXPECT_EQ(memory, nullptr);
}

//===----------------------------------------------------------------------===//
// Failures
//===----------------------------------------------------------------------===//

/// Whether a failure of `call` may have no consequence: nobody can be told when
/// all is given back, and what does not know how much is free may still have
/// it.
static bool isUnheard(const std::string &call) {
  for (const char *part : {"MemGetInfo", "Destroy", "Free", "Release", "Unload",
                           "StreamSynchronize"})
    if (call.find(part) != std::string::npos)
      return true;
  return false;
}

/// Runs on a driver that fails after `after` calls; false if it never does.
bool CudaDeviceTest::runWithFailure(int64_t after, bool once) {
  fake() = FakeCuda();
  fake().after = after;
  fake().once = once;
  Status status = run({{0}, {1, 2, 3}});
  EXPECT_TRUE(fake().owned.empty())
      << fake().owned.begin()->second << " after " << fake().failed;
  EXPECT_TRUE(fake().mistakes.empty())
      << fake().mistakes.front() << " after " << fake().failed;
  std::string call = fake().failed.substr(0, fake().failed.find("_v2"));
  if (call.empty()) {
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_GT(after, 50);
    return false;
  }
  if (!isUnheard(call) || !status.ok())
    EXPECT_NE(
        messageOf(status).find("cuda: " + (isUnheard(call) ? "cu" : call)),
        std::string::npos)
        << call << ": " << status.message();
  return true;
}

// Wherever a run breaks off, there is a message with the call, and everything
// is given back.
TEST_F(CudaDeviceTest, GivesBackEverythingAfterAnyFailure) {
  std::vector<KernelUse> uses(2);
  options.maxTokens = 6;
  for (bool isMeasured : {false, true}) {
    options.kernelUses = isMeasured ? &uses : nullptr;
    for (bool once : {false, true})
      for (int64_t after = 0; runWithFailure(after, once); ++after)
        ASSERT_FALSE(HasFailure());
  }
}

TEST_F(CudaDeviceTest, SaysWhichLaunchFails) {
  std::string error = ": CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access "
                      "was encountered; ";
  options.maxTokens = 6;
  fake().failing = "cuLaunchKernelEx";
  const char *places[] = {"launch 1 of the step, kernel nothing, layer 0",
                          "launch 2 of the step, kernel nothing, layer 1",
                          "launch 3 of the step, kernel count"};
  for (int64_t after : {0, 1, 2}) {
    fake().after = after;
    EXPECT_EQ(messageOf(run({{0}})),
              "cuda: cuLaunchKernelEx" + error + "in " + places[after]);
  }
  // What comes to light when the host waits.
  fake().failing = "cuStreamSynchronize";
  fake().after = 2; // After the weights, and before the step.
  EXPECT_EQ(messageOf(run({{0}})),
            "cuda: cuStreamSynchronize after the launches of a step" + error +
                "--check-launches says which");
  checksLaunches = true;
  for (int64_t after : {0, 1, 2}) {
    fake().after = 2 + after;
    EXPECT_EQ(messageOf(run({{0}})),
              "cuda: cuStreamSynchronize" + error + "in " + places[after]);
  }
}

TEST_F(CudaDeviceTest, EndsBetweenSteps) {
  options.maxTokens = 20;
  options.cancelled = &listener.isCancelled;
  listener.beforeCancel = 7;
  EXPECT_EQ(run({{0}, {1}}).code(), Status::Code::Interrupted);
  // Four steps of three launches gave seven tokens; the fifth ran none.
  EXPECT_EQ(fake().launches.size(), 4u * 3);
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

// One graph serves all decode steps, though the context grows by pages.
TEST_F(CudaDeviceTest, LaunchesOneGraphForEqualSteps) {
  options.maxTokens = 21;
  ASSERT_TRUE(run({{0, 1, 2}}).ok());
  auto counts = fake().counts;
  EXPECT_EQ(counts["cuGraphInstantiateWithFlags"], 1);
  EXPECT_EQ(counts["cuGraphExecUpdate_v2"], 0);
  // Of the 20 decode steps the first is launched, the second captured.
  EXPECT_EQ(counts["cuGraphLaunch"], 19);
  EXPECT_EQ(counts["cuLaunchKernelEx"], 3 * 3);
  ASSERT_EQ(fake().launches.size(), 21u * 3);
  for (size_t i = 0; i < fake().launches.size(); ++i)
    EXPECT_EQ(fake().launches[i].kernel, i % 3 == 2 ? "count" : "nothing");
  // Room for inputs was made once.
  EXPECT_EQ(counts["cuMemHostAlloc"], 3); // Weights, inputs, results.
}

// A batch that shrinks has few graphs, which are updated.
TEST_F(CudaDeviceTest, UpdatesGraphsOfOtherShapes) {
  options.maxTokens = 28;
  constexpr int64_t requests = 8;
  for (int64_t i = 0; i < requests; ++i)
    listener.left[static_cast<size_t>(i)] = 3 * (i + 1);
  ASSERT_TRUE(run(std::vector<std::vector<int32_t>>(requests, {0})).ok());
  auto counts = fake().counts;
  EXPECT_EQ(counts["cuGraphInstantiateWithFlags"], 4);
  EXPECT_EQ(counts["cuGraphExecUpdate_v2"], requests - 4);
  // The blocks of a launch are those of its own step.
  ASSERT_EQ(fake().launches.size(), 3u * requests * 3);
  for (size_t i = 0; i < fake().launches.size(); ++i)
    EXPECT_EQ(fake().launches[i].blocks, requests - i / 9) << i;
}

// The first launch of a step follows a copy, and the third is of a kernel that
// does not wait.
TEST_F(CudaDeviceTest, OverlapsLaunchesOfKernelsThatWait) {
  options.maxTokens = 6;
  ASSERT_TRUE(run({{0}}).ok());
  ASSERT_EQ(fake().launches.size(), 6u * 3);
  for (size_t i = 0; i < fake().launches.size(); ++i)
    EXPECT_EQ(fake().launches[i].isDependent, i % 3 == 1) << i;
  // Graphs of older drivers have none.
  fake() = FakeCuda();
  fake().version = 12020;
  ASSERT_TRUE(run({{0}}).ok());
  for (const tcc::test::FakeLaunch &launch : fake().launches)
    EXPECT_FALSE(launch.isDependent);
}

TEST_F(CudaDeviceTest, MeasuresWithoutGraphs) {
  std::vector<KernelUse> uses(2);
  options.kernelUses = &uses;
  options.maxTokens = 10;
  ASSERT_TRUE(run({{0}}).ok());
  EXPECT_EQ(fake().counts["cuGraphLaunch"], 0);
  for (const tcc::test::FakeLaunch &launch : fake().launches)
    EXPECT_FALSE(launch.isDependent);
  // A launch takes a millisecond.
  EXPECT_NEAR(uses[0].seconds, 0.010, 1e-6);
  EXPECT_EQ(uses[0].launches, 10);
  EXPECT_NEAR(uses[1].seconds, 0.020, 1e-6);
  EXPECT_EQ(uses[1].launches, 20);
}
