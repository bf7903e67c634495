// Contexts, the device and results.

#include "test/unit/ptxsim/driver/DriverFixture.h"

#include <cstring>
#include <thread>

using namespace ptxsim;

using ContextTest = DriverTest;

TEST_F(ContextTest, InitTakesNoFlags) {
  EXPECT_EQ(cuInit(1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuInit(0));
  int version = 0;
  EXPECT_OK(cuDriverGetVersion(&version));
  EXPECT_EQ(version, 13000);
  EXPECT_EQ(cuDriverGetVersion(nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ContextTest, DeviceIsAnH100) {
  int count = 0;
  EXPECT_OK(cuDeviceGetCount(&count));
  EXPECT_EQ(count, 1);
  CUdevice device = 5;
  EXPECT_OK(cuDeviceGet(&device, 0));
  EXPECT_EQ(device, 0);
  EXPECT_EQ(cuDeviceGet(&device, 1), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDeviceGet(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  char name[100], shorter[7];
  EXPECT_OK(cuDeviceGetName(name, sizeof(name), 0));
  EXPECT_STREQ(name, "NVIDIA H100 80GB HBM3");
  EXPECT_OK(cuDeviceGetName(shorter, sizeof(shorter), 0));
  EXPECT_STREQ(shorter, "NVIDIA");
  size_t bytes = 0;
  EXPECT_OK(cuDeviceTotalMem_v2(&bytes, 0));
  EXPECT_EQ(bytes, size_t(80) << 30);
  int major = 0, minor = 7;
  EXPECT_OK(cuDeviceComputeCapability(&major, &minor, 0));
  EXPECT_EQ(major * 10 + minor, 90);
}

TEST_F(ContextTest, AttributesCoverTheEnumeration) {
  for (int attribute = 1; attribute <= 147; ++attribute) {
    int value = 0;
    EXPECT_OK(cuDeviceGetAttribute(&value, attribute, 0)) << attribute;
  }
  int value = 0;
  EXPECT_EQ(cuDeviceGetAttribute(&value, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuDeviceGetAttribute(&value, 148, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuDeviceGetAttribute(&value, 16, 0));
  EXPECT_EQ(value, 132);
  EXPECT_OK(cuDeviceGetAttribute(&value, 97, 0));
  EXPECT_EQ(value, 232448);
  EXPECT_OK(cuDeviceGetAttribute(&value, 120, 0));
  EXPECT_EQ(value, 1);
}

TEST_F(ContextTest, FindsTheBus) {
  char id[20];
  EXPECT_OK(cuDeviceGetPCIBusId(id, sizeof(id), 0));
  CUdevice device = 3;
  EXPECT_OK(cuDeviceGetByPCIBusId(&device, id));
  EXPECT_EQ(device, 0);
  EXPECT_OK(cuDeviceGetByPCIBusId(&device, "1b:00.0"));
  EXPECT_EQ(cuDeviceGetByPCIBusId(&device, "0000:1c:00.0"),
            CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDeviceGetByPCIBusId(&device, "x"), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ContextTest, NamesEveryResult) {
  const char *name = nullptr, *text = nullptr;
  EXPECT_OK(cuGetErrorName(CUDA_ERROR_ILLEGAL_ADDRESS, &name));
  EXPECT_STREQ(name, "CUDA_ERROR_ILLEGAL_ADDRESS");
  EXPECT_OK(cuGetErrorString(CUDA_ERROR_ILLEGAL_ADDRESS, &text));
  EXPECT_STREQ(text, "an illegal memory access was encountered");
  EXPECT_EQ(cuGetErrorName(static_cast<CUresult>(12345), &name),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(name, nullptr);
  EXPECT_EQ(cuGetErrorName(CUDA_SUCCESS, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ContextTest, StackOfCurrentContexts) {
  CUcontext second = nullptr, current = nullptr;
  ASSERT_OK(cuCtxCreate_v4(&second, nullptr, 0, 0));
  EXPECT_OK(cuCtxGetCurrent(&current));
  EXPECT_EQ(current, second);
  EXPECT_OK(cuCtxPopCurrent_v2(&current));
  EXPECT_EQ(current, second);
  EXPECT_OK(cuCtxGetCurrent(&current));
  EXPECT_EQ(current, context);
  EXPECT_OK(cuCtxPushCurrent_v2(second));
  EXPECT_OK(cuCtxSetCurrent(context));
  EXPECT_OK(cuCtxGetCurrent(&current));
  EXPECT_EQ(current, context);
  EXPECT_OK(cuCtxDestroy_v2(second));
  EXPECT_EQ(cuCtxDestroy_v2(second), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuCtxPushCurrent_v2(second), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuCtxSetCurrent(second), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  EXPECT_EQ(cuCtxSetCurrent(reinterpret_cast<CUcontext>(0x1234)),
            CUDA_ERROR_INVALID_CONTEXT);
}

TEST_F(ContextTest, CallsNeedAContext) {
  CUdeviceptr address = 0;
  EXPECT_OK(cuCtxSetCurrent(nullptr));
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuCtxPopCurrent_v2(nullptr), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_OK(cuCtxSetCurrent(context));
  CUcontext gone = nullptr;
  ASSERT_OK(cuCtxCreate_v2(&gone, 0, 0));
  std::thread([&] { EXPECT_OK(cuCtxDestroy_v2(gone)); }).join();
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  EXPECT_OK(cuCtxSetCurrent(context));
}

TEST_F(ContextTest, DestroyingEndsWhatItOwns) {
  CUcontext second = nullptr;
  ASSERT_OK(cuCtxCreate_v2(&second, 0, 0));
  CUstream stream = nullptr;
  CUevent event = nullptr;
  EXPECT_OK(cuStreamCreate(&stream, 0));
  EXPECT_OK(cuEventCreate(&event, 0));
  size_t free = 0, before = 0, total = 0;
  EXPECT_OK(cuMemGetInfo_v2(&before, &total));
  CUfunction function = load({"nothing"});
  CUdeviceptr address = alloc(1 << 20);
  EXPECT_OK(cuCtxDestroy_v2(second));
  EXPECT_OK(cuMemGetInfo_v2(&free, &total));
  EXPECT_EQ(free, before);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(launch(function, 1, {}), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
  stderrOf([&] { EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_INVALID_VALUE); });
}

TEST_F(ContextTest, PrimaryIsCounted) {
  CUcontext first = nullptr, second = nullptr;
  unsigned flags = 9;
  int active = 9;
  EXPECT_OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
  EXPECT_EQ(active, 0);
  EXPECT_OK(cuDevicePrimaryCtxRetain(&first, 0));
  EXPECT_OK(cuDevicePrimaryCtxRetain(&second, 0));
  EXPECT_EQ(first, second);
  EXPECT_EQ(cuCtxDestroy_v2(first), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
  EXPECT_OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
  EXPECT_EQ(active, 1);
  EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
  EXPECT_OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
  EXPECT_EQ(active, 0);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_OK(cuDevicePrimaryCtxRetain(&second, 0));
  EXPECT_NE(first, second);
  EXPECT_OK(cuDevicePrimaryCtxReset_v2(0));
  EXPECT_EQ(cuCtxSetCurrent(second), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
}

TEST_F(ContextTest, LimitsAndPreferences) {
  size_t value = 0;
  EXPECT_OK(cuCtxGetLimit(&value, CU_LIMIT_STACK_SIZE));
  EXPECT_EQ(value, 1024u);
  EXPECT_OK(cuCtxSetLimit(CU_LIMIT_STACK_SIZE, 4096));
  EXPECT_OK(cuCtxGetLimit(&value, CU_LIMIT_STACK_SIZE));
  EXPECT_EQ(value, 4096u);
  EXPECT_OK(cuCtxGetLimit(&value, CU_LIMIT_PRINTF_FIFO_SIZE));
  EXPECT_OK(cuCtxSetLimit(CU_LIMIT_MALLOC_HEAP_SIZE, 1 << 24));
  EXPECT_EQ(cuCtxSetLimit(CU_LIMIT_STACK_SIZE, size_t(1) << 40),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuCtxSetLimit(static_cast<CUlimit>(99), 1),
            CUDA_ERROR_UNSUPPORTED_LIMIT);
  CUfunc_cache cache;
  EXPECT_OK(cuCtxSetCacheConfig(CU_FUNC_CACHE_PREFER_L1));
  EXPECT_OK(cuCtxGetCacheConfig(&cache));
  EXPECT_EQ(cache, CU_FUNC_CACHE_PREFER_L1);
  int least = 9, greatest = 9;
  EXPECT_OK(cuCtxGetStreamPriorityRange(&least, &greatest));
  EXPECT_EQ(least, 0);
  EXPECT_EQ(greatest, -5);
  unsigned version = 0;
  EXPECT_OK(cuCtxGetApiVersion(context, &version));
  EXPECT_EQ(version, 3020u);
}

TEST_F(ContextTest, NoPeers) {
  int can = 1;
  EXPECT_OK(cuDeviceCanAccessPeer(&can, 0, 0));
  EXPECT_EQ(can, 0);
  EXPECT_EQ(cuCtxEnablePeerAccess(context, 0),
            CUDA_ERROR_PEER_ACCESS_UNSUPPORTED);
}

TEST_F(ContextTest, FaultsStickToTheirContext) {
  CUfunction fails = load({"fails", "nothing"});
  CUcontext other = nullptr;
  ASSERT_OK(cuCtxCreate_v2(&other, 0, 0));
  CUdeviceptr untouched = alloc(4);
  EXPECT_OK(cuCtxSetCurrent(context));
  std::string report = stderrOf([&] {
    EXPECT_OK(launch(fails, 1, {}));
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ASSERT);
  });
  EXPECT_NE(report.find("ptxsim: error: assert: "), std::string::npos)
      << report;
  CUdeviceptr address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_ERROR_ASSERT);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ASSERT);
  EXPECT_EQ(launch(fails, 1, {}), CUDA_ERROR_ASSERT);
  EXPECT_OK(cuCtxSetCurrent(other));
  EXPECT_OK(cuMemsetD32_v2(untouched, 5, 1));
  EXPECT_EQ(read(untouched, 1)[0], 5u);
  EXPECT_OK(cuCtxDestroy_v2(other));
  EXPECT_OK(cuCtxSetCurrent(context));
}

TEST_F(ContextTest, CallsInFlightAreNotDoneAfterAFault) {
  CUfunction fails = load({"fails", "set"});
  CUfunction set = nullptr;
  ASSERT_OK(cuModuleGetFunction(&set, module, "set"));
  void *flag = nullptr;
  ASSERT_OK(cuMemHostAlloc(&flag, 4, 0));
  auto address = reinterpret_cast<CUdeviceptr>(flag);
  uint32_t value = 7;
  stderrOf([&] {
    EXPECT_OK(launch(fails, 1, {}));
    launch(set, 1, {&address, &value}); // Fails already if that has failed.
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ASSERT);
  });
  EXPECT_EQ(*static_cast<uint32_t *>(flag), 0u);
}
