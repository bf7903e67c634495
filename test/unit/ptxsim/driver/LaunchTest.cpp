// Launching kernels and what is checked before.

#include "test/unit/ptxsim/driver/DriverFixture.h"

#include <cstring>

using namespace ptxsim;

using LaunchTest = DriverTest;

TEST_F(LaunchTest, RunsWithItsParameters) {
  CUfunction scale = load({"scale"});
  CUdeviceptr to = alloc(16), from = alloc(16);
  std::vector<float> values = {1, 2, 3, 4};
  ASSERT_OK(cuMemcpyHtoD_v2(from, values.data(), 16));
  float factor = 2.5;
  EXPECT_OK(launch(scale, 4, {&to, &from, &factor}));
  ASSERT_OK(cuMemcpyDtoH_v2(values.data(), to, 16));
  EXPECT_EQ(values, (std::vector<float>{2.5, 5, 7.5, 10}));
}

TEST_F(LaunchTest, TakesABufferOfParameters) {
  CUfunction scale = load({"scale"});
  CUdeviceptr to = alloc(4), from = alloc(4);
  write(from, {0x40400000});
  struct {
    CUdeviceptr to, from;
    float factor;
  } buffer = {to, from, 2};
  size_t bytes = 20;
  void *extra[] = {reinterpret_cast<void *>(launchParamBufferPointer), &buffer,
                   reinterpret_cast<void *>(launchParamBufferSize), &bytes,
                   reinterpret_cast<void *>(launchParamEnd)};
  EXPECT_OK(
      cuLaunchKernel(scale, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, extra));
  EXPECT_EQ(read(to, 1)[0], 0x40c00000u);
  stderrOf([&] {
    bytes = 21;
    EXPECT_EQ(
        cuLaunchKernel(scale, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, extra),
        CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(
        cuLaunchKernel(scale, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr),
        CUDA_ERROR_INVALID_VALUE);
    void *parameters[] = {&to, nullptr, &buffer.factor};
    EXPECT_EQ(cuLaunchKernel(scale, 1, 1, 1, 1, 1, 1, 0, nullptr, parameters,
                             nullptr),
              CUDA_ERROR_INVALID_VALUE);
  });
}

TEST_F(LaunchTest, RefusesWhatTheDeviceCannot) {
  CUfunction nothing = load({"nothing"});
  auto launchOf = [&](unsigned gx, unsigned gy, unsigned bx, unsigned bz,
                      unsigned shared) {
    CUresult result = CUDA_SUCCESS;
    std::string message = stderrOf([&] {
      result = cuLaunchKernel(nothing, gx, gy, 1, bx, 1, bz, shared, nullptr,
                              nullptr, nullptr);
    });
    EXPECT_EQ(message.empty(), result == CUDA_SUCCESS);
    return result;
  };
  EXPECT_OK(launchOf(0x7fffffff, 65535, 1024, 1, 49152));
  EXPECT_EQ(launchOf(0, 1, 1, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchOf(0x80000000, 1, 1, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchOf(1, 65536, 1, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchOf(1, 1, 0, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchOf(1, 1, 1025, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchOf(1, 1, 1, 65, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchOf(1, 1, 512, 3, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launchOf(1, 1, 1, 1, 49153), CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuFuncSetAttribute(
      nothing, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 232448));
  EXPECT_OK(launchOf(1, 1, 1, 1, 232448));
  EXPECT_EQ(launchOf(1, 1, 1, 1, 232449), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(nothing,
                               CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                               232449),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, RefusesWhatTheKernelForbids) {
  KernelAttributes attributes;
  attributes.requiredThreads[0] = 64;
  fake::define(
      "exactly64", {}, [](fake::Run &) { return fake::Turn::Done; },
      attributes);
  attributes = {};
  attributes.maxThreads = 128;
  attributes.sharedBytes = 200000;
  fake::define(
      "most128", {}, [](fake::Run &) { return fake::Turn::Done; }, attributes);
  attributes = {};
  attributes.registers = 255;
  fake::define(
      "registers", {}, [](fake::Run &) { return fake::Turn::Done; },
      attributes);
  CUfunction exactly = load({"exactly64", "most128", "registers"});
  CUfunction most = nullptr, registers = nullptr;
  ASSERT_OK(cuModuleGetFunction(&most, module, "most128"));
  ASSERT_OK(cuModuleGetFunction(&registers, module, "registers"));
  std::string message = stderrOf(
      [&] { EXPECT_EQ(launch(exactly, 32, {}), CUDA_ERROR_INVALID_VALUE); });
  EXPECT_EQ(message, "ptxsim: cuLaunchKernel: kernel 'exactly64': expected the "
                     "block of .reqntid (64, 0, 0), got (32, 1, 1)\n");
  EXPECT_OK(launch(exactly, 64, {}));
  stderrOf([&] {
    EXPECT_EQ(launch(most, 129, {}), CUDA_ERROR_INVALID_VALUE);
    // Static and dynamic shared memory together are too much.
    EXPECT_EQ(cuLaunchKernel(most, 1, 1, 1, 1, 1, 1, 40000, nullptr, nullptr,
                             nullptr),
              CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch(registers, 288, {}), CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  });
  EXPECT_OK(launch(registers, 256, {}));
}

/// Launches with attributes.
static CUresult launchEx(CUfunction function, unsigned blocks,
                         std::vector<CUlaunchAttribute> attributes) {
  CUlaunchConfig config = {};
  config.gridDimX = blocks;
  config.gridDimY = config.gridDimZ = 1;
  config.blockDimX = 32;
  config.blockDimY = config.blockDimZ = 1;
  config.attrs = attributes.data();
  config.numAttrs = static_cast<unsigned>(attributes.size());
  return cuLaunchKernelEx(&config, function, nullptr, nullptr);
}

static CUlaunchAttribute clusterOf(unsigned size) {
  CUlaunchAttribute attribute = {};
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {size, 1, 1};
  return attribute;
}

TEST_F(LaunchTest, Clusters) {
  CUfunction nothing = load({"nothing"});
  EXPECT_OK(launchEx(nothing, 8, {clusterOf(4)}));
  EXPECT_OK(cuCtxSynchronize());
  EXPECT_EQ(fake::log().launches.back().cluster[0], 4u);
  EXPECT_TRUE(fake::log().launches.back().hasCluster);
  EXPECT_OK(launch(nothing, 1, {}));
  EXPECT_OK(cuCtxSynchronize());
  EXPECT_FALSE(fake::log().launches.back().hasCluster);
  stderrOf([&] {
    EXPECT_EQ(launchEx(nothing, 6, {clusterOf(4)}), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launchEx(nothing, 16, {clusterOf(16)}),
              CUDA_ERROR_INVALID_CLUSTER_SIZE);
    EXPECT_EQ(launchEx(nothing, 16, {clusterOf(0)}),
              CUDA_ERROR_INVALID_CLUSTER_SIZE);
  });
  EXPECT_OK(cuFuncSetAttribute(
      nothing, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1));
  EXPECT_OK(launchEx(nothing, 16, {clusterOf(16)}));
  stderrOf([&] {
    EXPECT_EQ(launchEx(nothing, 17, {clusterOf(17)}),
              CUDA_ERROR_INVALID_CLUSTER_SIZE);
  });
}

TEST_F(LaunchTest, ClustersOfTheKernel) {
  KernelAttributes attributes;
  attributes.requiredCluster[0] = 2;
  attributes.explicitCluster = true;
  fake::define(
      "pairs", {}, [](fake::Run &) { return fake::Turn::Done; }, attributes);
  attributes = {};
  attributes.explicitCluster = true;
  attributes.maxClusterRank = 4;
  fake::define(
      "any", {}, [](fake::Run &) { return fake::Turn::Done; }, attributes);
  CUfunction pairs = load({"pairs", "any"}), any = nullptr;
  ASSERT_OK(cuModuleGetFunction(&any, module, "any"));
  EXPECT_OK(launchEx(pairs, 4, {}));
  EXPECT_OK(launchEx(pairs, 4, {clusterOf(2)}));
  EXPECT_OK(cuCtxSynchronize());
  EXPECT_EQ(fake::log().launches.back().cluster[0], 2u);
  EXPECT_OK(launchEx(any, 4, {clusterOf(4)}));
  stderrOf([&] {
    EXPECT_EQ(launchEx(pairs, 4, {clusterOf(4)}),
              CUDA_ERROR_INVALID_CLUSTER_SIZE);
    EXPECT_EQ(launchEx(pairs, 3, {}), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launchEx(any, 4, {}), CUDA_ERROR_INVALID_CLUSTER_SIZE);
    EXPECT_EQ(launchEx(any, 8, {clusterOf(8)}),
              CUDA_ERROR_INVALID_CLUSTER_SIZE);
  });
  int value = 0;
  EXPECT_OK(cuFuncGetAttribute(
      &value, CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET, any));
  EXPECT_EQ(value, 1);
  EXPECT_OK(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH,
                               pairs));
  EXPECT_EQ(value, 2);
  EXPECT_EQ(
      cuFuncSetAttribute(pairs, CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH, 4),
      CUDA_ERROR_INVALID_VALUE);
}

TEST_F(LaunchTest, Cooperative) {
  CUfunction nothing = load({"nothing"});
  // 132 multiprocessors hold 2 blocks of 1024 threads each.
  EXPECT_OK(cuLaunchCooperativeKernel(nothing, 264, 1, 1, 1024, 1, 1, 0,
                                      nullptr, nullptr));
  EXPECT_OK(cuCtxSynchronize());
  EXPECT_TRUE(fake::log().launches.back().cooperative);
  stderrOf([&] {
    EXPECT_EQ(cuLaunchCooperativeKernel(nothing, 265, 1, 1, 1024, 1, 1, 0,
                                        nullptr, nullptr),
              CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
  });
}

TEST_F(LaunchTest, AttributesOfSpeedAreAccepted) {
  CUfunction nothing = load({"nothing"});
  for (uint32_t id : {0u, 1u, 3u, 5u, 9u, 10u, 11u, 14u, 16u}) {
    CUlaunchAttribute attribute = {};
    attribute.id = static_cast<CUlaunchAttributeID>(id);
    EXPECT_OK(launchEx(nothing, 1, {attribute})) << id;
  }
  CUlaunchAttribute attribute = {};
  attribute.id = static_cast<CUlaunchAttributeID>(77);
  EXPECT_EQ(launchEx(nothing, 1, {attribute}), CUDA_ERROR_INVALID_VALUE);
  attribute.id = CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE;
  attribute.value.deviceUpdatableKernelNode.deviceUpdatable = 1;
  EXPECT_EQ(launchEx(nothing, 1, {attribute}), CUDA_ERROR_NOT_SUPPORTED);
}

TEST_F(LaunchTest, HandlesAreChecked) {
  CUfunction nothing = load({"nothing"});
  EXPECT_EQ(launch(nullptr, 1, {}), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(launch(reinterpret_cast<CUfunction>(this), 1, {}),
            CUDA_ERROR_INVALID_HANDLE);
  // A handle of another kind, and one off by one.
  EXPECT_EQ(launch(reinterpret_cast<CUfunction>(module), 1, {}),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(launch(reinterpret_cast<CUfunction>(
                       reinterpret_cast<uintptr_t>(nothing) + 1),
                   1, {}),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(launch(nothing, 1, {}, reinterpret_cast<CUstream>(0x99)),
            CUDA_ERROR_INVALID_HANDLE);
  CUcontext other = nullptr;
  ASSERT_OK(cuCtxCreate_v2(&other, 0, 0));
  EXPECT_EQ(launch(nothing, 1, {}), CUDA_ERROR_INVALID_HANDLE);
  CUstream foreign = nullptr;
  EXPECT_OK(cuStreamCreate(&foreign, 0));
  EXPECT_OK(cuCtxSetCurrent(context));
  EXPECT_EQ(launch(nothing, 1, {}, foreign), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_OK(cuCtxDestroy_v2(other));
  EXPECT_OK(cuCtxSetCurrent(context));
  EXPECT_OK(cuModuleUnload(module));
  EXPECT_EQ(launch(nothing, 1, {}), CUDA_ERROR_INVALID_HANDLE);
}
