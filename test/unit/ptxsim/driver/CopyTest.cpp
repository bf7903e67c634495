// Copies, sets, allocations and what is known of addresses.

#include "test/unit/ptxsim/driver/DriverFixture.h"

#include <cstring>

using namespace ptxsim;

using CopyTest = DriverTest;

TEST_F(CopyTest, Flat) {
  CUdeviceptr first = alloc(16), second = alloc(16);
  write(first, {1, 2, 3, 4});
  EXPECT_OK(cuMemcpyDtoD_v2(second + 4, first, 12));
  EXPECT_OK(cuMemcpy(second, first + 12, 4));
  EXPECT_EQ(read(second, 4), (std::vector<uint32_t>{4, 1, 2, 3}));
  uint32_t host[4] = {};
  EXPECT_OK(cuMemcpy(reinterpret_cast<CUdeviceptr>(host), second, 16));
  EXPECT_EQ(host[3], 3u);
  EXPECT_OK(cuMemcpyHtoD_v2(first, host, 0));
}

TEST_F(CopyTest, BoundsAreChecked) {
  CUdeviceptr address = alloc(16);
  uint32_t host[8] = {};
  std::string message = stderrOf([&] {
    EXPECT_EQ(cuMemcpyHtoD_v2(address + 4, host, 16), CUDA_ERROR_INVALID_VALUE);
  });
  EXPECT_NE(message.find("expected at most 12 bytes from 0x"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("got 16"), std::string::npos) << message;
  stderrOf([&] {
    EXPECT_EQ(cuMemcpyDtoH_v2(host, address + 16, 4), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyDtoH_v2(host, 8, 4), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyHtoD_v2(address, nullptr, 4), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyHtoD_v2(address, host, SIZE_MAX),
              CUDA_ERROR_INVALID_VALUE);
  });
  EXPECT_OK(cuMemFree_v2(address));
  message = stderrOf([&] {
    EXPECT_EQ(cuMemcpyHtoD_v2(address, host, 4), CUDA_ERROR_INVALID_VALUE);
  });
  EXPECT_NE(message.find("which was freed"), std::string::npos) << message;
}

TEST_F(CopyTest, PageableSourcesMayChangeAtOnce) {
  CUstream stream = nullptr;
  ASSERT_OK(cuStreamCreate(&stream, 1));
  CUdeviceptr address = alloc(4);
  uint32_t value = 7;
  EXPECT_OK(cuMemcpyHtoDAsync_v2(address, &value, 4, stream));
  value = 8;
  EXPECT_OK(cuMemcpyDtoHAsync_v2(&value, address, 4, stream));
  EXPECT_EQ(value, 7u); // A copy to pageable memory is done when it returns.
}

TEST_F(CopyTest, PinnedSourcesAreReadLate) {
  if (!isLazy())
    GTEST_SKIP() << "needs PTXSIM_SCHEDULE=lazy";
  CUstream stream = nullptr;
  ASSERT_OK(cuStreamCreate(&stream, 1));
  CUdeviceptr address = alloc(4);
  void *pointer = nullptr;
  ASSERT_OK(cuMemHostAlloc(&pointer, 4, 0));
  auto *value = static_cast<volatile uint32_t *>(pointer);
  *value = 7;
  EXPECT_OK(cuMemcpyHtoDAsync_v2(address, pointer, 4, stream));
  *value = 8;
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_EQ(read(address, 1)[0], 8u);
}

TEST_F(CopyTest, FreeingTooEarlyIsFound) {
  if (!isLazy())
    GTEST_SKIP() << "needs PTXSIM_SCHEDULE=lazy";
  CUstream first = nullptr, second = nullptr;
  ASSERT_OK(cuStreamCreate(&first, 1));
  ASSERT_OK(cuStreamCreate(&second, 1));
  CUdeviceptr address = 0, other = alloc(4);
  ASSERT_OK(cuMemAllocAsync(&address, 4, first));
  EXPECT_OK(cuMemcpyDtoDAsync_v2(other, address, 4, second));
  EXPECT_OK(cuMemFreeAsync(address, first));
  EXPECT_OK(cuStreamSynchronize(first));
  std::string report = stderrOf([&] {
    EXPECT_EQ(cuStreamSynchronize(second), CUDA_ERROR_ILLEGAL_ADDRESS);
  });
  EXPECT_NE(report.find("use after free"), std::string::npos) << report;
  EXPECT_NE(report.find("help: free memory only when"), std::string::npos);
}

TEST_F(CopyTest, Rows) {
  CUdeviceptr device = 0;
  size_t pitch = 0;
  ASSERT_OK(cuMemAllocPitch_v2(&device, &pitch, 12, 3, 4));
  EXPECT_EQ(pitch, 512u);
  uint32_t host[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, back[8] = {};
  CUDA_MEMCPY2D rows = {};
  rows.srcMemoryType = CU_MEMORYTYPE_HOST;
  rows.srcHost = host;
  rows.srcPitch = 12;
  rows.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  rows.dstDevice = device;
  rows.dstPitch = pitch;
  rows.WidthInBytes = 12;
  rows.Height = 3;
  EXPECT_OK(cuMemcpy2D_v2(&rows));
  EXPECT_EQ(read(device + 512, 3), (std::vector<uint32_t>{4, 5, 6}));
  // Two columns of two rows, from (1, 1).
  rows = {};
  rows.srcMemoryType = CU_MEMORYTYPE_UNIFIED;
  rows.srcDevice = device;
  rows.srcPitch = pitch;
  rows.srcXInBytes = 4;
  rows.srcY = 1;
  rows.dstMemoryType = CU_MEMORYTYPE_HOST;
  rows.dstHost = back;
  rows.dstPitch = 16;
  rows.WidthInBytes = 8;
  rows.Height = 2;
  EXPECT_OK(cuMemcpy2DUnaligned_v2(&rows));
  EXPECT_EQ(back[0], 5u);
  EXPECT_EQ(back[1], 6u);
  EXPECT_EQ(back[4], 8u);
  EXPECT_EQ(back[5], 9u);
  EXPECT_EQ(back[2], 0u);
  rows.dstPitch = 4;
  EXPECT_EQ(cuMemcpy2D_v2(&rows), CUDA_ERROR_INVALID_VALUE);
  rows.dstPitch = 16;
  rows.Height = 3;
  stderrOf([&] {
    EXPECT_EQ(cuMemcpy2D_v2(&rows), CUDA_ERROR_INVALID_VALUE);
    rows.srcMemoryType = CU_MEMORYTYPE_ARRAY;
    EXPECT_EQ(cuMemcpy2D_v2(&rows), CUDA_ERROR_NOT_SUPPORTED);
  });
  EXPECT_EQ(cuMemcpy2D_v2(nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(CopyTest, Boxes) {
  // 2 layers of 2 rows of 3 words, out of 3 layers of 4 rows of 5 words.
  std::vector<uint32_t> host(60);
  for (uint32_t i = 0; i < 60; ++i)
    host[i] = i;
  CUdeviceptr device = alloc(48);
  CUDA_MEMCPY3D box = {};
  box.srcMemoryType = CU_MEMORYTYPE_HOST;
  box.srcHost = host.data();
  box.srcPitch = 20;
  box.srcHeight = 4;
  box.srcXInBytes = 4;
  box.srcY = 2;
  box.srcZ = 1;
  box.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  box.dstDevice = device;
  box.dstPitch = 12;
  box.dstHeight = 2;
  box.WidthInBytes = 12;
  box.Height = 2;
  box.Depth = 2;
  EXPECT_OK(cuMemcpy3D_v2(&box));
  std::vector<uint32_t> expected;
  for (uint32_t z = 1; z < 3; ++z)
    for (uint32_t y = 2; y < 4; ++y)
      for (uint32_t x = 1; x < 4; ++x)
        expected.push_back(z * 20 + y * 5 + x);
  EXPECT_EQ(read(device, 12), expected);
  box.srcHeight = 3;
  EXPECT_EQ(cuMemcpy3D_v2(&box), CUDA_ERROR_INVALID_VALUE);
  box.srcHeight = SIZE_MAX;
  EXPECT_EQ(cuMemcpy3D_v2(&box), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(CopyTest, BetweenContexts) {
  CUdeviceptr here = alloc(4);
  write(here, {9});
  CUcontext other = nullptr;
  ASSERT_OK(cuCtxCreate_v2(&other, 0, 0));
  CUdeviceptr there = alloc(4);
  EXPECT_OK(cuMemcpyPeer(there, other, here, context, 4));
  EXPECT_EQ(read(there, 1)[0], 9u);
  EXPECT_OK(cuCtxDestroy_v2(other));
  EXPECT_OK(cuCtxSetCurrent(context));
  EXPECT_EQ(cuMemcpyPeer(here, other, here, context, 4),
            CUDA_ERROR_INVALID_CONTEXT);
}

TEST_F(CopyTest, Sets) {
  CUdeviceptr address = alloc(64);
  EXPECT_OK(cuMemsetD32_v2(address, 0x11223344, 16));
  EXPECT_OK(cuMemsetD8_v2(address, 0xab, 3));
  EXPECT_OK(cuMemsetD16_v2(address + 8, 0xcdef, 2));
  EXPECT_OK(cuMemsetD2D32_v2(address + 16, 16, 5, 2, 3));
  EXPECT_EQ(
      read(address, 16),
      (std::vector<uint32_t>{0x11ababab, 0x11223344, 0xcdefcdef, 0x11223344, 5,
                             5, 0x11223344, 0x11223344, 5, 5, 0x11223344,
                             0x11223344, 5, 5, 0x11223344, 0x11223344}));
  EXPECT_EQ(cuMemsetD32_v2(address + 2, 0, 1), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemsetD2D32_v2(address, 4, 0, 2, 2), CUDA_ERROR_INVALID_VALUE);
  stderrOf([&] {
    EXPECT_EQ(cuMemsetD32_v2(address, 0, 17), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemsetD32_v2(address, 0, SIZE_MAX / 4),
              CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemsetD8_v2(12, 0, 1), CUDA_ERROR_INVALID_VALUE);
  });
  EXPECT_OK(cuMemsetD8_v2(address, 0, 0));
}

TEST_F(CopyTest, WritesAreTold) {
  CUdeviceptr first = alloc(16), second = alloc(16);
  fake::log() = {};
  write(first, {1, 2, 3, 4});
  EXPECT_OK(cuCtxSynchronize());
  EXPECT_EQ(fake::log().hostWrites, 1u);
  EXPECT_EQ(fake::log().copies, 0u);
  EXPECT_OK(cuMemcpyDtoD_v2(second, first, 16));
  EXPECT_OK(cuMemsetD8_v2(first, 0, 16));
  EXPECT_OK(cuCtxSynchronize());
  EXPECT_EQ(fake::log().copies, 1u);
  EXPECT_EQ(fake::log().hostWrites, 2u);
}

TEST_F(CopyTest, AllocatingAndFreeing) {
  CUdeviceptr address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc_v2(nullptr, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc_v2(&address, size_t(81) << 30),
            CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cuMemAlloc_v2(&address, SIZE_MAX), CUDA_ERROR_OUT_OF_MEMORY);
  address = alloc(100);
  CUdeviceptr base = 0;
  size_t bytes = 0;
  EXPECT_OK(cuMemGetAddressRange_v2(&base, &bytes, address + 99));
  EXPECT_EQ(base, address);
  EXPECT_EQ(bytes, 100u);
  EXPECT_EQ(cuMemGetAddressRange_v2(&base, &bytes, address + 100),
            CUDA_ERROR_NOT_FOUND);
  stderrOf(
      [&] { EXPECT_EQ(cuMemFree_v2(address + 4), CUDA_ERROR_INVALID_VALUE); });
  EXPECT_OK(cuMemFree_v2(address));
  std::string message = stderrOf(
      [&] { EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_INVALID_VALUE); });
  EXPECT_NE(message.find("which was freed"), std::string::npos) << message;
  EXPECT_OK(cuMemFree_v2(0));
}

TEST_F(CopyTest, FreeingWaitsForTheWork) {
  CUfunction addOne = load({"add_one"});
  CUdeviceptr address = alloc(4);
  uint32_t n = 1;
  for (int i = 0; i < 10; ++i)
    EXPECT_OK(launch(addOne, 1, {&address, &n}));
  EXPECT_OK(cuMemFree_v2(address));
  EXPECT_OK(cuCtxSynchronize());
}

TEST_F(CopyTest, HostMemory) {
  void *pinned = nullptr;
  ASSERT_OK(cuMemHostAlloc(&pinned, 100, hostAllocDeviceMap));
  std::memset(pinned, 1, 100);
  CUdeviceptr address = 0;
  EXPECT_OK(cuMemHostGetDevicePointer_v2(&address, pinned, 0));
  EXPECT_EQ(address, reinterpret_cast<CUdeviceptr>(pinned));
  unsigned flags = 0;
  EXPECT_OK(cuMemHostGetFlags(&flags, pinned));
  EXPECT_EQ(flags, hostAllocDeviceMap);
  stderrOf([&] { EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_INVALID_VALUE); });
  EXPECT_OK(cuMemFreeHost(pinned));
  stderrOf([&] { EXPECT_EQ(cuMemFreeHost(pinned), CUDA_ERROR_INVALID_VALUE); });
  static char own[1000];
  EXPECT_OK(cuMemHostRegister_v2(own, 500, 0));
  EXPECT_EQ(cuMemHostRegister_v2(own + 499, 10, 0),
            CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  EXPECT_EQ(cuMemHostUnregister(own + 1),
            CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  // A copy may use the host's memory beyond what is registered.
  CUdeviceptr device = alloc(1000);
  EXPECT_OK(cuMemcpyHtoD_v2(device, own, 1000));
  EXPECT_OK(cuMemHostUnregister(own));
  EXPECT_EQ(cuMemHostUnregister(own), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
}

TEST_F(CopyTest, PointerAttributes) {
  CUdeviceptr device = alloc(64), managed = 0;
  ASSERT_OK(cuMemAllocManaged(&managed, 64, memAttachGlobal));
  uint32_t type = 0;
  CUcontext owner = nullptr;
  bool isManaged = false;
  EXPECT_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                  device + 5));
  EXPECT_EQ(type, CU_MEMORYTYPE_DEVICE);
  EXPECT_OK(
      cuPointerGetAttribute(&owner, CU_POINTER_ATTRIBUTE_CONTEXT, device));
  EXPECT_EQ(owner, context);
  EXPECT_OK(cuPointerGetAttribute(&isManaged, CU_POINTER_ATTRIBUTE_IS_MANAGED,
                                  managed));
  EXPECT_TRUE(isManaged);
  uint64_t value = 0;
  EXPECT_OK(cuPointerGetAttribute(&value, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR,
                                  device + 63));
  EXPECT_EQ(value, device);
  EXPECT_OK(cuPointerGetAttribute(&value, CU_POINTER_ATTRIBUTE_DEVICE_POINTER,
                                  device + 63));
  EXPECT_EQ(value, device + 63);
  EXPECT_EQ(
      cuPointerGetAttribute(&value, CU_POINTER_ATTRIBUTE_HOST_POINTER, device),
      CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuPointerGetAttribute(&value, CU_POINTER_ATTRIBUTE_CONTEXT, 64),
            CUDA_ERROR_INVALID_VALUE);
  // Several at once never fail for an address that means nothing.
  int ordinal = 0;
  CUpointer_attribute attributes[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                      CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL};
  void *results[] = {&type, &ordinal};
  EXPECT_OK(cuPointerGetAttributes(2, attributes, results, 64));
  EXPECT_EQ(type, 0u);
  EXPECT_EQ(ordinal, -2);
}

TEST_F(CopyTest, ManagedMemory) {
  CUdeviceptr managed = 0, device = alloc(64);
  EXPECT_EQ(cuMemAllocManaged(&managed, 64, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_OK(cuMemAllocManaged(&managed, 64, memAttachHost));
  EXPECT_OK(cuMemAdvise(managed, 64, 1, 0));
  EXPECT_EQ(cuMemAdvise(managed, 64, 7, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAdvise(device, 64, 1, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuMemPrefetchAsync(managed, 64, 0, nullptr));
  EXPECT_OK(cuMemPrefetchAsync(managed, 64, deviceCpu, nullptr));
  EXPECT_EQ(cuMemPrefetchAsync(managed, 64, 1, nullptr),
            CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuMemPrefetchAsync(managed, 65, 0, nullptr),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuMemFree_v2(managed));
}

TEST_F(CopyTest, PoolsCount) {
  CUmemoryPool pool = nullptr, made = nullptr;
  ASSERT_OK(cuDeviceGetDefaultMemPool(&pool, 0));
  CUmemPoolProps properties = {};
  properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  ASSERT_OK(cuMemPoolCreate(&made, &properties));
  CUdeviceptr first = 0, second = 0;
  CUstream stream = nullptr;
  ASSERT_OK(cuStreamCreate(&stream, 0));
  EXPECT_OK(cuMemAllocFromPoolAsync(&first, 1000, made, stream));
  EXPECT_OK(cuDeviceSetMemPool(0, made));
  EXPECT_OK(cuMemAllocAsync(&second, 24, stream));
  uint64_t used = 0;
  EXPECT_OK(
      cuMemPoolGetAttribute(made, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
  EXPECT_EQ(used, 1024u);
  CUmemoryPool found = nullptr;
  EXPECT_OK(cuPointerGetAttribute(&found, CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE,
                                  first));
  EXPECT_EQ(found, made);
  EXPECT_OK(cuMemFreeAsync(first, stream));
  stderrOf([&] {
    EXPECT_EQ(cuMemFreeAsync(first, stream), CUDA_ERROR_INVALID_VALUE);
  });
  EXPECT_OK(cuMemFree_v2(second));
  EXPECT_OK(cuStreamSynchronize(stream));
  EXPECT_OK(
      cuMemPoolGetAttribute(made, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used));
  EXPECT_EQ(used, 0u);
  EXPECT_OK(cuMemPoolGetAttribute(made, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &used));
  EXPECT_EQ(used, 1024u);
  used = 0;
  EXPECT_OK(cuMemPoolSetAttribute(made, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &used));
  used = uint64_t(1) << 40;
  EXPECT_OK(
      cuMemPoolSetAttribute(made, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &used));
  EXPECT_OK(cuMemPoolTrimTo(made, 0));
  EXPECT_OK(cuMemPoolDestroy(made));
  EXPECT_EQ(cuMemPoolDestroy(made), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemPoolDestroy(pool), CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuDeviceGetMemPool(&found, 0));
  EXPECT_EQ(found, pool);
  properties.handleTypes = 1;
  stderrOf([&] {
    EXPECT_EQ(cuMemPoolCreate(&made, &properties), CUDA_ERROR_NOT_SUPPORTED);
  });
}
