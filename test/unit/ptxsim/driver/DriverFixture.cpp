// A context on the fake machine; see DriverFixture.h.

#include "test/unit/ptxsim/driver/DriverFixture.h"

namespace ptxsim {

void DriverTest::SetUp() {
  fake::defineCommonKernels();
  fake::log() = {};
  ASSERT_OK(cuInit(0));
  ASSERT_OK(cuCtxCreate_v2(&context, 0, 0));
}

void DriverTest::TearDown() {
  if (context)
    EXPECT_OK(cuCtxDestroy_v2(context));
  cuCtxSetCurrent(nullptr);
}

CUfunction DriverTest::load(const std::vector<std::string> &names,
                            const std::string &variables) {
  std::string text = ".version 8.0\n.target sm_90a\n.address_size 64\n";
  text += variables;
  for (const std::string &name : names)
    text += ".visible .entry " + name + "() { ret; }\n";
  EXPECT_OK(cuModuleLoadData(&module, text.c_str()));
  CUfunction function = nullptr;
  if (!names.empty())
    EXPECT_OK(cuModuleGetFunction(&function, module, names[0].c_str()));
  return function;
}

CUdeviceptr DriverTest::alloc(size_t bytes) {
  CUdeviceptr address = 0;
  EXPECT_OK(cuMemAlloc_v2(&address, bytes));
  return address;
}

std::vector<uint32_t> DriverTest::read(CUdeviceptr address, size_t count) {
  std::vector<uint32_t> values(count);
  EXPECT_OK(cuMemcpyDtoH_v2(values.data(), address, 4 * count));
  return values;
}

void DriverTest::write(CUdeviceptr address,
                       const std::vector<uint32_t> &values) {
  EXPECT_OK(cuMemcpyHtoD_v2(address, values.data(), 4 * values.size()));
}

CUresult DriverTest::launch(CUfunction function, unsigned threads,
                            std::vector<void *> parameters, CUstream stream) {
  return cuLaunchKernel(function, 1, 1, 1, threads, 1, 1, 0, stream,
                        parameters.data(), nullptr);
}

std::string DriverTest::stderrOf(const std::function<void()> &body) {
  ::testing::internal::CaptureStderr();
  body();
  return ::testing::internal::GetCapturedStderr();
}

std::string DriverTest::schedule() {
  const char *value = std::getenv("PTXSIM_SCHEDULE");
  return value && *value ? value : "eager";
}

} // namespace ptxsim
