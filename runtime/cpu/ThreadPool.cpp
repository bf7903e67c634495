#include "runtime/cpu/ThreadPool.h"

#include "runtime/cpu/Machine.h"

#include <algorithm>
#include <exception>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace tcc::rt;

/// Set in `running` while the caller sleeps on it, so that the last worker
/// makes the system call that wakes it only if somebody sleeps.
static constexpr uint32_t callerSleeps = uint32_t(1) << 31;

static void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Sleeps until `word` is woken, unless it is no longer `value`.
static void futexWait(std::atomic<uint32_t> &word, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE,
          value, nullptr, nullptr, 0);
}

static void futexWakeAll(std::atomic<uint32_t> &word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE,
          INT32_MAX, nullptr, nullptr, 0);
}

ThreadPool::ThreadPool(int threads) {
  callerCpus = allowedCpus();
  size_t count = static_cast<size_t>(std::max(threads, 1));
  // About 100 microseconds, longer than the gap between two launches. With more
  // threads than CPUs a spinning thread would keep another one from working.
  spins = count <= callerCpus.size() ? 4000 : 0;
  // With fewer threads than CPUs the system places them better than we can: it
  // knows what else runs.
  isPinned = count > 1 && count == callerCpus.size();
  if (isPinned)
    pin(callerCpus, 0);
  workers.reserve(count - 1);
  for (size_t i = 1; i < count; ++i)
    try {
      workers.emplace_back([this, i] {
        if (isPinned)
          pin(callerCpus, static_cast<int>(i));
        work(static_cast<int>(i));
      });
    } catch (const std::exception &) {
      // The system allows no more threads, or their stacks no memory. Fewer
      // give the same result.
      return;
    }
}

ThreadPool::~ThreadPool() {
  stopping = true;
  jobNumber.fetch_add(1);
  futexWakeAll(jobNumber);
  for (std::thread &worker : workers)
    worker.join();
  if (!isPinned)
    return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu : callerCpus)
    CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void ThreadPool::pin(const std::vector<int> &cpus, int thread) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpus[static_cast<size_t>(thread)], &set);
  // Where it is not allowed, threads run unpinned.
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void ThreadPool::run(int64_t tiles, Split split, Function function,
                     const void *context) {
  if (tiles <= 0)
    return;
  if (workers.empty() || tiles == 1) {
    function(context, 0, tiles, 0);
    return;
  }
  // Eight ranges a thread keep the wait at the end below an eighth of its work.
  int64_t chunk = split == Split::Static
                      ? 0
                      : std::max<int64_t>(1, tiles / (int64_t(8) * size()));
  job = {tiles, chunk, function, context};
  nextTile.store(0, std::memory_order_relaxed);
  running.store(static_cast<uint32_t>(workers.size()),
                std::memory_order_relaxed);
  // Publishes everything above; sequentially consistent so that either a worker
  // going to sleep sees the new number or we see it among the sleepers.
  jobNumber.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) > 0)
    futexWakeAll(jobNumber);
  runShare(0);
  waitForWorkers();
}

void ThreadPool::runShare(int thread) {
  if (job.chunk == 0) {
    int64_t begin = job.tiles * thread / size();
    int64_t end = job.tiles * (thread + 1) / size();
    if (begin < end)
      job.function(job.context, begin, end, thread);
    return;
  }
  for (;;) {
    int64_t begin = nextTile.fetch_add(job.chunk, std::memory_order_relaxed);
    if (begin >= job.tiles)
      return;
    job.function(job.context, begin, std::min(begin + job.chunk, job.tiles),
                 thread);
  }
}

void ThreadPool::waitForWorkers() {
  for (int i = 0;; ++i) {
    uint32_t left = running.load(std::memory_order_acquire) & ~callerSleeps;
    if (left == 0)
      return;
    if (i < spins) {
      relax();
      continue;
    }
    left = running.fetch_or(callerSleeps) | callerSleeps;
    if (left != callerSleeps)
      futexWait(running, left);
  }
}

uint32_t ThreadPool::waitForJob(uint32_t seen) {
  for (int i = 0; i < spins; ++i) {
    uint32_t number = jobNumber.load(std::memory_order_acquire);
    if (number != seen)
      return number;
    relax();
  }
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  uint32_t number;
  while ((number = jobNumber.load(std::memory_order_seq_cst)) == seen)
    futexWait(jobNumber, seen);
  sleepers.fetch_sub(1, std::memory_order_seq_cst);
  return number;
}

void ThreadPool::work(int thread) {
  for (uint32_t seen = 0;;) {
    seen = waitForJob(seen);
    if (stopping)
      return;
    runShare(thread);
    if (running.fetch_sub(1, std::memory_order_acq_rel) == (callerSleeps | 1))
      futexWakeAll(running);
  }
}
