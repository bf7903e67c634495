// Persistent threads that run a kernel over ranges of tiles.
//
// A decode step of a small model is some hundred launches of a few microseconds
// each, so handing out work must cost well under a microsecond: workers spin on
// one counter for a while after each launch before they sleep in the kernel.

#ifndef TCC_RUNTIME_CPU_THREADPOOL_H
#define TCC_RUNTIME_CPU_THREADPOOL_H

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace tcc::rt {

/// How tiles are handed to threads. Results must not depend on it.
enum class Split {
  /// One contiguous range for each thread, always the same: a thread reads the
  /// same weights in one linear stream in every step.
  Static,
  /// Small ranges, to whichever thread is free: for launches long enough that
  /// threads drift apart.
  Dynamic,
};

/// A fixed number of threads, of which the caller of `run` is the first.
///
/// `run` may be called from one thread at a time.
class ThreadPool {
public:
  /// Starts `threads - 1` threads, or as many as the system allows. If there
  /// are to be as many as CPUs allowed, each is pinned to its own, the caller
  /// included, until the pool is destroyed.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// Work on tiles [begin, end) by thread `thread`, which lies in [0, size()).
  using Function = void (*)(const void *context, int64_t begin, int64_t end,
                            int thread);

  /// Runs `function` over all of [0, tiles), each tile once, and waits. What
  /// threads wrote is visible to the caller and to the next run.
  void run(int64_t tiles, Split split, Function function, const void *context);

  int size() const { return static_cast<int>(workers.size()) + 1; }

private:
  struct Job {
    int64_t tiles = 0;
    int64_t chunk = 0; ///< Tiles of a dynamic range; 0 for a static split.
    Function function = nullptr;
    const void *context = nullptr;
  };

  void work(int thread);
  void runShare(int thread);
  /// Waits until `job number` is no longer `seen`, spinning first.
  uint32_t waitForJob(uint32_t seen);
  void waitForWorkers();
  void pin(const std::vector<int> &cpus, int thread);

  Job job;
  int spins;
  bool isPinned = false;
  std::vector<int> callerCpus;
  // Each on a cache line of its own: they are written by different threads.
  alignas(64) std::atomic<uint32_t> jobNumber{0};
  alignas(64) std::atomic<uint32_t> sleepers{0};
  alignas(64) std::atomic<uint32_t> running{0};
  alignas(64) std::atomic<int64_t> nextTile{0};
  alignas(64) std::atomic<bool> stopping{false};
  std::vector<std::thread> workers;
};

} // namespace tcc::rt

#endif // TCC_RUNTIME_CPU_THREADPOOL_H
