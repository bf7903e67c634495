// Modules, libraries, the linker, functions and occupancy.

#include "test/unit/ptxsim/driver/DriverFixture.h"

#include <cstdio>
#include <cstring>
#include <unistd.h>

using namespace ptxsim;

using ModuleTest = DriverTest;

static const char *const twoKernels =
    ".version 8.3\n.target sm_90a\n"
    "\n.global .u32 counter[3];\n.global .attribute(.managed) .u32 shared[2];\n"
    ".entry nothing() { ret; }\n.entry set() { ret; }\n";

TEST_F(ModuleTest, FindsFunctionsAndVariables) {
  ASSERT_OK(cuModuleLoadData(&module, twoKernels));
  CUfunction function = nullptr, all[3] = {};
  EXPECT_OK(cuModuleGetFunction(&function, module, "set"));
  EXPECT_EQ(cuModuleGetFunction(&function, module, "sett"),
            CUDA_ERROR_NOT_FOUND);
  unsigned count = 0;
  EXPECT_OK(cuModuleGetFunctionCount(&count, module));
  EXPECT_EQ(count, 2u);
  EXPECT_OK(cuModuleEnumerateFunctions(all, 3, module));
  EXPECT_EQ(all[1], function);
  EXPECT_EQ(all[2], nullptr);
  const char *name = nullptr;
  EXPECT_OK(cuFuncGetName(&name, all[0]));
  EXPECT_STREQ(name, "nothing");
  CUmodule owner = nullptr;
  EXPECT_OK(cuFuncGetModule(&owner, function));
  EXPECT_EQ(owner, module);
  CUdeviceptr address = 0;
  size_t bytes = 0;
  EXPECT_OK(cuModuleGetGlobal_v2(&address, &bytes, module, "counter"));
  EXPECT_EQ(bytes, 12u);
  write(address, {1, 2, 3});
  EXPECT_EQ(read(address, 3)[2], 3u);
  EXPECT_EQ(cuModuleGetGlobal_v2(&address, nullptr, module, "count"),
            CUDA_ERROR_NOT_FOUND);
  size_t offset = 9;
  EXPECT_OK(cuFuncGetParamInfo(function, 1, &offset, &bytes));
  EXPECT_EQ(offset, 8u);
  EXPECT_EQ(bytes, 4u);
  EXPECT_EQ(cuFuncGetParamInfo(function, 2, &offset, &bytes),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ModuleTest, Attributes) {
  KernelAttributes attributes;
  attributes.registers = 40;
  attributes.sharedBytes = 1000;
  attributes.localBytes = 16;
  attributes.constantBytes = 8;
  attributes.maxThreads = 256;
  fake::define(
      "known", {}, [](fake::Run &) { return fake::Turn::Done; }, attributes);
  CUfunction known = load({"known"});
  const struct {
    CUfunction_attribute attribute;
    int value;
  } expected[] = {
      {CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 256},
      {CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, 1000},
      {CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES, 8},
      {CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, 16},
      {CU_FUNC_ATTRIBUTE_NUM_REGS, 40},
      {CU_FUNC_ATTRIBUTE_PTX_VERSION, 80},
      {CU_FUNC_ATTRIBUTE_BINARY_VERSION, 90},
      {CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 49152},
      {CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, -1},
  };
  for (const auto &entry : expected) {
    int value = -7;
    EXPECT_OK(cuFuncGetAttribute(&value, entry.attribute, known));
    EXPECT_EQ(value, entry.value) << entry.attribute;
  }
  int value = 0;
  EXPECT_EQ(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX, known),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(known, CU_FUNC_ATTRIBUTE_NUM_REGS, 3),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuFuncSetAttribute(
                known, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 101),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(cuFuncSetCacheConfig(known, CU_FUNC_CACHE_PREFER_SHARED));
}

TEST_F(ModuleTest, ErrorsGoToTheLog) {
  char log[64];
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER,
                            CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
                            CU_JIT_WALL_TIME};
  void *values[] = {log, reinterpret_cast<void *>(sizeof(log)), nullptr};
  std::string message = stderrOf([&] {
    EXPECT_EQ(cuModuleLoadDataEx(&module, "no ptx", 3, options, values),
              CUDA_ERROR_INVALID_PTX);
  });
  EXPECT_EQ(message,
            "ptxsim: cuModuleLoadDataEx: <memory>:1:1: error: expected "
            ".version, got none\nptxsim:   first line\n");
  EXPECT_EQ(std::string(log), "<memory>:1:1: error: expected .version, got "
                              "none\n  first line\n");
  EXPECT_EQ(reinterpret_cast<size_t>(values[1]), std::strlen(log));
  // A short buffer holds what fits.
  values[1] = reinterpret_cast<void *>(9);
  stderrOf([&] {
    EXPECT_EQ(cuModuleLoadDataEx(&module, "no ptx", 2, options, values),
              CUDA_ERROR_INVALID_PTX);
  });
  EXPECT_STREQ(log, "<memory>");
  EXPECT_EQ(reinterpret_cast<size_t>(values[1]), 8u);
}

TEST_F(ModuleTest, RefusesCubinsAndMissingFiles) {
  std::string message = stderrOf([&] {
    EXPECT_EQ(cuModuleLoadData(&module, "\177ELF\2\1\1"),
              CUDA_ERROR_NO_BINARY_FOR_GPU);
  });
  EXPECT_NE(message.find("got a cubin"), std::string::npos) << message;
  EXPECT_EQ(cuModuleLoad(&module, "/nowhere/x.ptx"), CUDA_ERROR_FILE_NOT_FOUND);
  EXPECT_EQ(cuModuleLoadData(&module, nullptr), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuModuleUnload(nullptr), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ModuleTest, LoadsFiles) {
  char path[] = "/tmp/ptxsim-test-XXXXXX";
  int file = mkstemp(path);
  ASSERT_GE(file, 0);
  ASSERT_EQ(::write(file, twoKernels, std::strlen(twoKernels)),
            static_cast<ssize_t>(std::strlen(twoKernels)));
  close(file);
  EXPECT_OK(cuModuleLoad(&module, path));
  CUfunction function = nullptr;
  EXPECT_OK(cuModuleGetFunction(&function, module, "nothing"));
  std::remove(path);
}

TEST_F(ModuleTest, LibrariesLiveInSeveralContexts) {
  CUlibrary library = nullptr;
  ASSERT_OK(cuLibraryLoadData(&library, twoKernels, nullptr, nullptr, 0,
                              nullptr, nullptr, 0));
  CUkernel kernel = nullptr, all[2] = {};
  EXPECT_OK(cuLibraryGetKernel(&kernel, library, "set"));
  EXPECT_EQ(cuLibraryGetKernel(&kernel, library, "x"), CUDA_ERROR_NOT_FOUND);
  unsigned count = 0;
  EXPECT_OK(cuLibraryGetKernelCount(&count, library));
  EXPECT_EQ(count, 2u);
  EXPECT_OK(cuLibraryEnumerateKernels(all, 2, library));
  EXPECT_EQ(all[1], kernel);
  CUdeviceptr first = 0, second = 0, flag = alloc(4);
  size_t bytes = 0;
  EXPECT_OK(cuLibraryGetGlobal(&first, &bytes, library, "counter"));
  EXPECT_OK(cuLibraryGetManaged(&second, &bytes, library, "shared"));
  EXPECT_EQ(cuLibraryGetManaged(&second, &bytes, library, "counter"),
            CUDA_ERROR_NOT_FOUND);
  // A kernel may be launched as it is.
  uint32_t value = 5;
  EXPECT_OK(launch(reinterpret_cast<CUfunction>(kernel), 1, {&flag, &value}));
  EXPECT_EQ(read(flag, 1)[0], 5u);
  EXPECT_OK(cuKernelSetAttribute(
      CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 100000, kernel, 0));
  CUcontext other = nullptr;
  ASSERT_OK(cuCtxCreate_v2(&other, 0, 0));
  EXPECT_OK(cuLibraryGetGlobal(&second, &bytes, library, "counter"));
  EXPECT_NE(first, second);
  CUfunction function = nullptr;
  EXPECT_OK(cuKernelGetFunction(&function, kernel));
  int dynamic = 0;
  EXPECT_OK(cuFuncGetAttribute(
      &dynamic, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, function));
  EXPECT_EQ(dynamic, 100000);
  EXPECT_OK(cuCtxDestroy_v2(other));
  EXPECT_OK(cuCtxSetCurrent(context));
  EXPECT_OK(cuLibraryUnload(library));
  EXPECT_EQ(cuLibraryGetKernelCount(&count, library),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(launch(reinterpret_cast<CUfunction>(kernel), 1, {&flag, &value}),
            CUDA_ERROR_INVALID_HANDLE);
  EXPECT_OK(cuMemFree_v2(flag));
}

TEST_F(ModuleTest, LibrariesNeedNoContext) {
  EXPECT_OK(cuCtxSetCurrent(nullptr));
  CUlibrary library = nullptr;
  EXPECT_OK(cuLibraryLoadData(&library, twoKernels, nullptr, nullptr, 0,
                              nullptr, nullptr, 0));
  CUmodule found = nullptr;
  EXPECT_EQ(cuLibraryGetModule(&found, library), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_OK(cuCtxSetCurrent(context));
  EXPECT_OK(cuLibraryGetModule(&found, library));
  EXPECT_OK(cuLibraryUnload(library));
}

TEST_F(ModuleTest, LinksOneText) {
  CUlinkState link = nullptr;
  ASSERT_OK(cuLinkCreate_v2(0, nullptr, nullptr, &link));
  std::string text = twoKernels;
  void *image = nullptr;
  size_t bytes = 0;
  EXPECT_EQ(cuLinkComplete(link, &image, &bytes), CUDA_ERROR_INVALID_IMAGE);
  EXPECT_OK(cuLinkAddData_v2(link, CU_JIT_INPUT_PTX, text.data(),
                             text.size() + 1, "x", 0, nullptr, nullptr));
  stderrOf([&] {
    EXPECT_EQ(cuLinkAddData_v2(link, CU_JIT_INPUT_PTX, text.data(), text.size(),
                               "y", 0, nullptr, nullptr),
              CUDA_ERROR_NOT_SUPPORTED);
    EXPECT_EQ(cuLinkAddData_v2(link, CU_JIT_INPUT_OBJECT, text.data(),
                               text.size(), "y", 0, nullptr, nullptr),
              CUDA_ERROR_NOT_SUPPORTED);
  });
  EXPECT_OK(cuLinkComplete(link, &image, &bytes));
  EXPECT_EQ(bytes, text.size() + 1);
  EXPECT_OK(cuModuleLoadData(&module, image));
  EXPECT_OK(cuLinkDestroy(link));
  EXPECT_EQ(cuLinkDestroy(link), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(ModuleTest, Occupancy) {
  CUfunction nothing = load({"nothing"});
  int blocks = 0, grid = 0, clusters = 0;
  EXPECT_OK(
      cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 256, 0));
  EXPECT_EQ(blocks, 8);
  EXPECT_OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 128,
                                                        100 * 1024));
  EXPECT_EQ(blocks, 2);
  EXPECT_OK(
      cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 1025, 0));
  EXPECT_EQ(blocks, 0);
  EXPECT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 0, 0),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_OK(
      cuOccupancyMaxPotentialBlockSize(&grid, &blocks, nothing, nullptr, 0, 0));
  EXPECT_EQ(blocks, 1024);
  EXPECT_EQ(grid, 264);
  // 300 bytes for each thread: the fewer threads, the more of them at once.
  EXPECT_OK(cuOccupancyMaxPotentialBlockSize(
      &grid, &blocks, nothing,
      [](int threads) { return static_cast<size_t>(threads) * 300; }, 0, 500));
  EXPECT_LE(blocks, 500);
  EXPECT_EQ(blocks % 32 == 0 || blocks == 500, true);
  size_t bytes = 0;
  EXPECT_OK(cuOccupancyAvailableDynamicSMemPerBlock(&bytes, nothing, 2, 128));
  EXPECT_OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 128,
                                                        bytes));
  EXPECT_EQ(blocks, 2);
  CUlaunchAttribute attribute = {};
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {4, 1, 1};
  CUlaunchConfig config = {64, 1, 1, 1024, 1, 1, 0, nullptr, &attribute, 1};
  EXPECT_OK(cuOccupancyMaxActiveClusters(&clusters, nothing, &config));
  EXPECT_EQ(clusters, 6 * 8 + 2 * 9);
  EXPECT_OK(cuOccupancyMaxPotentialClusterSize(&clusters, nothing, &config));
  EXPECT_EQ(clusters, 8);
  attribute.value.clusterDim = {16, 1, 1};
  EXPECT_EQ(cuOccupancyMaxActiveClusters(&clusters, nothing, &config),
            CUDA_ERROR_INVALID_CLUSTER_SIZE);
}

TEST_F(ModuleTest, EntryPoints) {
  void *function = nullptr;
  uint32_t status = 9;
  EXPECT_OK(cuGetProcAddress_v2("cuMemAlloc", &function, 12000, 0, &status));
  EXPECT_EQ(function, reinterpret_cast<void *>(cuMemAlloc_v2));
  EXPECT_EQ(status, 0u);
  EXPECT_OK(cuGetProcAddress_v2("cuStreamBeginCapture", &function, 10000, 0,
                                &status));
  EXPECT_NE(function, reinterpret_cast<void *>(cuStreamBeginCapture_v2));
  EXPECT_OK(cuGetProcAddress_v2("cuStreamBeginCapture", &function, 10010, 1,
                                &status));
  EXPECT_EQ(function, reinterpret_cast<void *>(cuStreamBeginCapture_v2));
  EXPECT_OK(
      cuGetProcAddress_v2("cuLaunchKernel", &function, 13000, 2, &status));
  EXPECT_EQ(function, reinterpret_cast<void *>(cuLaunchKernel_ptsz));
  EXPECT_OK(
      cuGetProcAddress_v2("cuLaunchKernelEx", &function, 11000, 0, &status));
  EXPECT_EQ(function, nullptr);
  EXPECT_EQ(status, 2u);
  EXPECT_OK(cuGetProcAddress_v2("cuNothing", &function, 13000, 0, &status));
  EXPECT_EQ(function, nullptr);
  EXPECT_EQ(status, 1u);
  EXPECT_EQ(cuGetProcAddress_v2("cuInit", &function, 13010, 0, &status),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuGetProcAddress_v2("cuInit", &function, 13000, 3, &status),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(ModuleTest, MissingCallsNameThemselvesOnce) {
  void *function = nullptr;
  EXPECT_OK(
      cuGetProcAddress_v2("cuTexRefCreate", &function, 13000, 0, nullptr));
  auto *call = reinterpret_cast<CUresult (*)()>(function);
  std::string message =
      stderrOf([&] { EXPECT_EQ(call(), CUDA_ERROR_NOT_SUPPORTED); });
  EXPECT_EQ(message, "ptxsim: cuTexRefCreate is not supported\n");
  message = stderrOf([&] { EXPECT_EQ(call(), CUDA_ERROR_NOT_SUPPORTED); });
  EXPECT_EQ(message, "");
}
