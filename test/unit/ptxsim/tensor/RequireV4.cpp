// Skips all tests of a program built for x86-64-v4 on CPUs without it.

#include "gtest/gtest.h"

namespace {
class RequireV4 : public ::testing::Environment {
  void SetUp() override {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512f") ||
        !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512cd"))
      GTEST_SKIP() << "this CPU has no AVX-512";
  }
};
} // namespace

static ::testing::Environment *const requireV4 =
    ::testing::AddGlobalTestEnvironment(new RequireV4);
