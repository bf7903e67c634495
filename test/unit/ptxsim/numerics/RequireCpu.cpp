// Skips the tests on a machine that lacks the instructions they are compiled
// to.

#include <gtest/gtest.h>

namespace {

struct RequireCpu : testing::Environment {
  void SetUp() override {
#ifdef __AVX512F__
    if (!__builtin_cpu_supports("x86-64-v4"))
      GTEST_SKIP() << "these tests need AVX-512";
#else
    if (!__builtin_cpu_supports("x86-64-v3"))
      GTEST_SKIP() << "these tests need AVX2";
#endif
  }
};

} // namespace

static const testing::Environment *const requireCpu =
    testing::AddGlobalTestEnvironment(new RequireCpu);
