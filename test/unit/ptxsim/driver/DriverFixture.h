// A context on the fake machine, for each test a fresh one.

#ifndef TCC_TEST_UNIT_PTXSIM_DRIVER_DRIVERFIXTURE_H
#define TCC_TEST_UNIT_PTXSIM_DRIVER_DRIVERFIXTURE_H

#include "test/unit/ptxsim/driver/DriverCalls.h"
#include "test/unit/ptxsim/driver/FakeMachine.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <string>
#include <vector>

namespace ptxsim {

/// Expects that a call succeeds.
#define EXPECT_OK(CALL) EXPECT_EQ(CALL, CUDA_SUCCESS)
#define ASSERT_OK(CALL) ASSERT_EQ(CALL, CUDA_SUCCESS)

class DriverTest : public ::testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;

  /// Loads a module with the entries `names` and returns the first one.
  CUfunction load(const std::vector<std::string> &names,
                  const std::string &variables = "");

  CUdeviceptr alloc(size_t bytes);
  std::vector<uint32_t> read(CUdeviceptr address, size_t count);
  void write(CUdeviceptr address, const std::vector<uint32_t> &values);

  /// Launches one block of `threads` threads.
  CUresult launch(CUfunction function, unsigned threads,
                  std::vector<void *> parameters, CUstream stream = nullptr);

  /// Returns what `body` writes to stderr.
  std::string stderrOf(const std::function<void()> &body);

  /// "eager", "lazy" or "random:SEED"
  static std::string schedule();
  static bool isEager() { return schedule() == "eager"; }
  static bool isLazy() { return schedule() == "lazy"; }

  CUcontext context = nullptr;
  CUmodule module = nullptr;
};

} // namespace ptxsim

#endif // TCC_TEST_UNIT_PTXSIM_DRIVER_DRIVERFIXTURE_H
