// What the machine and the cgroups allow, from trees of files made for it.

#include "runtime/cpu/Machine.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace tcc::rt;

TEST(Machine, NamesMissingFeatures) {
  EXPECT_EQ(missingFeatures({"sse2", "no_such_feature", "fpu"}),
            std::vector<std::string>{"no_such_feature"});
}

TEST(Machine, HasCpusAndMemory) {
  EXPECT_GE(defaultThreads(), 1);
  EXPECT_LE(defaultThreads(), static_cast<int>(allowedCpus().size()));
  EXPECT_GT(availableMemoryBytes(), 0);
}

namespace {
/// A root with /proc and /sys/fs/cgroup.
class Cgroups : public testing::Test {
protected:
  void SetUp() override {
    root = testing::TempDir() + "tcc-root-XXXXXX";
    ASSERT_NE(mkdtemp(root.data()), nullptr);
    write("/proc/meminfo", "MemTotal:  9000 kB\nMemFree:  10 kB\n"
                           "MemAvailable:    8000 kB\nBuffers:   1 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root); }

  void write(const std::string &path, const std::string &text) const {
    std::filesystem::create_directories(
        std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }

  std::string root;
};
} // namespace

TEST_F(Cgroups, MayBeMissing) {
  EXPECT_EQ(availableMemoryBytes(root), 8000 * 1024);
  EXPECT_EQ(defaultThreads(root), static_cast<int>(allowedCpus().size()));
  EXPECT_EQ(availableMemoryBytes(root + "/none"), INT64_MAX);
}

// The inner group allows more than the one around it.
TEST_F(Cgroups, EachOneAroundLimitsMemory) {
  write("/proc/self/cgroup", "0::/outer/inner\n");
  write("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
  write("/sys/fs/cgroup/outer/inner/memory.current", "100\n");
  EXPECT_EQ(availableMemoryBytes(root), 8000 * 1024);
  write("/sys/fs/cgroup/outer/memory.max", "1000000\n");
  write("/sys/fs/cgroup/outer/memory.current", "300000\n");
  EXPECT_EQ(availableMemoryBytes(root), 700000);
  write("/sys/fs/cgroup/outer/inner/memory.max", "600000\n");
  EXPECT_EQ(availableMemoryBytes(root), 600000 - 100);
}

// A container sees its own group as the root, under a path of the host.
TEST_F(Cgroups, TheRootLimitsAContainer) {
  write("/proc/self/cgroup", "0::/host/container\n");
  write("/sys/fs/cgroup/memory.max", "500000\n");
  write("/sys/fs/cgroup/memory.current", "400000\n");
  EXPECT_EQ(availableMemoryBytes(root), 100000);
  write("/sys/fs/cgroup/memory.current", "600000\n");
  EXPECT_EQ(availableMemoryBytes(root), 0);
}

TEST_F(Cgroups, PageCacheCountsAsFree) {
  write("/proc/self/cgroup", "0::/\n");
  write("/sys/fs/cgroup/memory.max", "500000\n");
  write("/sys/fs/cgroup/memory.current", "400000\n");
  write("/sys/fs/cgroup/memory.stat",
        "anon 1\nfile 90000\ninactive_file 30000\nactive_file 20000\n");
  EXPECT_EQ(availableMemoryBytes(root), 150000);
}

TEST_F(Cgroups, Version1LimitsMemory) {
  write("/proc/self/cgroup", "5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(availableMemoryBytes(root), 8000 * 1024);
  write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "700000\n");
  write("/sys/fs/cgroup/memory/job/memory.usage_in_bytes", "100000\n");
  EXPECT_EQ(availableMemoryBytes(root), 600000);
}

TEST_F(Cgroups, LimitTheTimeOfCpus) {
  write("/proc/self/cgroup", "2:cpu,cpuacct:/job\n0::/group\n");
  write("/sys/fs/cgroup/group/cpu.max", "max 100000\n");
  int all = static_cast<int>(allowedCpus().size());
  EXPECT_EQ(defaultThreads(root), all);
  write("/sys/fs/cgroup/group/cpu.max", "50000 100000\n");
  EXPECT_EQ(defaultThreads(root), 1);
  write("/sys/fs/cgroup/group/cpu.max", "100001 100000\n");
  EXPECT_EQ(defaultThreads(root), std::min(all, 2));
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(defaultThreads(root), std::min(all, 2));
  write("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "100000\n");
  EXPECT_EQ(defaultThreads(root), 1);
}

TEST(AnonymousMemory, IsZeroAndAligned) {
  for (size_t size : {size_t(1), size_t(4097), size_t(5) << 20}) {
    AnonymousMemory memory;
    ASSERT_TRUE(AnonymousMemory::reserve(size, memory));
    size_t alignment = size < (2 << 20) ? 4096 : 2 << 20;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % alignment, 0u);
    EXPECT_EQ(memory.data()[0], 0);
    EXPECT_EQ(memory.data()[size - 1], 0);
    memory.data()[size - 1] = 1;
  }
}

TEST(AnonymousMemory, RefusesMoreThanThereIsAddressSpace) {
  AnonymousMemory memory;
  EXPECT_FALSE(AnonymousMemory::reserve(~size_t(0), memory));
  EXPECT_FALSE(AnonymousMemory::reserve(size_t(1) << 60, memory));
}
