#include "runtime/cpu/ThreadPool.h"

#include "runtime/cpu/Machine.h"

#include <atomic>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

using namespace tcc::rt;

namespace {
/// Counts how often each tile ran and which thread ran it.
struct Tally {
  explicit Tally(int64_t tiles)
      : counts(static_cast<size_t>(tiles)), threads(counts.size(), -1) {}

  static void run(const void *context, int64_t begin, int64_t end, int thread) {
    auto &tally = *static_cast<Tally *>(const_cast<void *>(context));
    for (int64_t tile = begin; tile < end; ++tile) {
      tally.counts[static_cast<size_t>(tile)].fetch_add(1);
      tally.threads[static_cast<size_t>(tile)] = thread;
    }
  }

  std::vector<std::atomic<int>> counts;
  std::vector<int> threads;
};
} // namespace

// More threads than CPUs are among these, where nobody may spin.
TEST(ThreadPool, RunsEachTileOnce) {
  for (int threads : {1, 2, 3, 7})
    for (Split split : {Split::Static, Split::Dynamic}) {
      ThreadPool pool(threads);
      ASSERT_EQ(pool.size(), threads);
      for (int64_t tiles : {0, 1, 2, 3, 13, 64, 1000}) {
        Tally tally(tiles);
        pool.run(tiles, split, Tally::run, &tally);
        for (size_t i = 0; i < tally.counts.size(); ++i)
          ASSERT_EQ(tally.counts[i], 1) << "tile " << i << " of " << tiles;
      }
    }
}

TEST(ThreadPool, StaticRangesAreContiguousAndTheSameEachTime) {
  ThreadPool pool(3);
  for (int repetition = 0; repetition < 3; ++repetition) {
    Tally tally(8);
    pool.run(8, Split::Static, Tally::run, &tally);
    EXPECT_EQ(tally.threads, (std::vector<int>{0, 0, 1, 1, 1, 2, 2, 2}));
  }
}

// Many short launches in a row, and pauses long enough for workers to sleep.
TEST(ThreadPool, WakesSleepingThreads) {
  ThreadPool pool(2);
  for (int pause = 0; pause < 3; ++pause) {
    for (int i = 0; i < 2000; ++i) {
      Tally tally(2);
      pool.run(2, Split::Static, Tally::run, &tally);
      ASSERT_EQ(tally.counts[0] + tally.counts[1], 2);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST(ThreadPool, GivesTheCallerItsCpusBack) {
  std::vector<int> before = allowedCpus();
  { ThreadPool pool(static_cast<int>(before.size())); }
  EXPECT_EQ(allowedCpus(), before);
}

// Threads take address space for their stacks; with a limit of it that a few
// reach, the others are missing and each tile runs all the same.
TEST(ThreadPool, GoesOnWithFewerThreads) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the sanitizer needs address space of its own for threads";
#endif
#endif
  int64_t pages = 0;
  ASSERT_TRUE(std::ifstream("/proc/self/statm") >> pages);
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit limited = before;
  limited.rlim_cur =
      static_cast<rlim_t>(pages) * static_cast<rlim_t>(getpagesize()) +
      (rlim_t(100) << 20);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limited), 0);
  {
    ThreadPool pool(200);
    EXPECT_LT(pool.size(), 200);
    Tally tally(1000);
    pool.run(1000, Split::Static, Tally::run, &tally);
    for (std::atomic<int> &count : tally.counts)
      EXPECT_EQ(count, 1);
  }
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
}
