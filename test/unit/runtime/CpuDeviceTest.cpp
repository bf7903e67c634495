// How launches are split over threads, and what each thread is given.

#include "runtime/cpu/CpuDevice.h"

#include <chrono>
#include <gtest/gtest.h>
#include <mutex>
#include <set>
#include <thread>

using namespace tcc;
using namespace tcc::rt;

static std::mutex mutex;
static int64_t calls;
static std::set<uint8_t *> scratches;

static void remember(void *const *, const int64_t *, int64_t, int64_t,
                     void *scratch) {
  std::lock_guard<std::mutex> lock(mutex);
  ++calls;
  scratches.insert(static_cast<uint8_t *>(scratch));
}

static void wait(void *const *, const int64_t *, int64_t, int64_t, void *) {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

/// Runs `remember` over 1000 tiles of a step of `tokens` tokens.
static void launch(CpuDevice &device, int64_t tokens) {
  calls = 0;
  scratches.clear();
  std::vector<void *> addresses;
  ASSERT_TRUE(device.begin({tokens, 1, 1, 1, 0, 0}, {}, addresses).ok());
  ASSERT_TRUE(device.launch({/*kernel=*/0, nullptr, 0, /*tiles=*/1000}).ok());
}

TEST(CpuDevice, SplitsLongStepsAsThreadsAreFree) {
  CpuDevice device(2);
  device.start({remember});
  launch(device, 31);
  EXPECT_EQ(calls, 2);
  launch(device, 32);
  EXPECT_EQ(calls, 17); // Of 62 tiles: eight for each thread, and the rest.
}

// Steps of different sizes may take turns: the larger scratch serves both.
TEST(CpuDevice, KeepsTheLargestScratch) {
  CpuDevice device(2);
  device.start({remember});
  for (int64_t bytes : {4096, 1 << 20, 8192}) {
    DeviceMemory arena;
    ASSERT_TRUE(device.reserveWork({64, bytes}, 1, arena).ok());
    launch(device, 1);
    ASSERT_EQ(scratches.size(), 2u);
    EXPECT_GE(*scratches.rbegin() - *scratches.begin(), bytes);
    for (uint8_t *scratch : scratches)
      scratch[bytes - 1] = 1;
  }
}

TEST(CpuDevice, MeasuresLaunches) {
  CpuDevice device(1);
  device.start({wait});
  double seconds = 1;
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(device.launch({0, nullptr, 0, 1, &seconds}).ok());
  EXPECT_GE(seconds, 1.004);
}

TEST(CpuDevice, StartsAsManyThreadsAsWereAskedFor) {
  CpuDevice device(3);
  EXPECT_EQ(device.workers(), 3);
  device.start({});
  EXPECT_EQ(device.workers(), 3);
}
