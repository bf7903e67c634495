// Prints what this machine can do, as JSON: operations of multiply-adds of f32, of
// products of pairs of bf16 (vdpbf16ps; 0 without it) and of i16 (vpdpwssd, or
// vpmaddwd and vpaddd), and bytes read from memory, each a second.
//
// Every benchmark divides by figures of its own run: machines differ, and one
// machine differs from hour to hour.
//
// usage: peaks [THREADS]

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <vector>

static double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Runs `work(thread)` on all threads at once and returns the seconds.
template <typename Work>
static double onAllThreads(int threads, Work work) {
  double start = now();
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread)
    others.emplace_back(work, thread);
  work(0);
  for (std::thread &other : others)
    other.join();
  return now() - start;
}

// Independent accumulators, enough to fill the latency of every CPU that we know.
static constexpr int chains = 20;
static constexpr int64_t iterations = 4000000;

__attribute__((target("avx2,fma"), noinline)) static void spinFma256(int) {
  __m256 sums[12];
  for (int i = 0; i < 12; ++i)
    sums[i] = _mm256_set1_ps(static_cast<float>(i));
  __m256 x = _mm256_set1_ps(1e-9f), y = _mm256_set1_ps(0.9f);
  for (int64_t n = 0; n < iterations; ++n)
#pragma GCC unroll 32
    for (int i = 0; i < 12; ++i)
      asm volatile("vfmadd231ps %1, %2, %0" : "+x"(sums[i]) : "x"(x), "x"(y));
}

__attribute__((target("avx512f"), noinline)) static void spinFma512(int) {
  __m512 sums[chains];
  for (int i = 0; i < chains; ++i)
    sums[i] = _mm512_set1_ps(static_cast<float>(i));
  __m512 x = _mm512_set1_ps(1e-9f), y = _mm512_set1_ps(0.9f);
  for (int64_t n = 0; n < iterations; ++n)
#pragma GCC unroll 32
    for (int i = 0; i < chains; ++i)
      asm volatile("vfmadd231ps %1, %2, %0" : "+v"(sums[i]) : "v"(x), "v"(y));
}

__attribute__((target("avx512f"), noinline)) static void spinDot(int) {
  __m512 sums[chains];
  for (int i = 0; i < chains; ++i)
    sums[i] = _mm512_set1_ps(static_cast<float>(i));
  __m512 x = _mm512_set1_ps(1e-9f), y = _mm512_set1_ps(0.9f);
  for (int64_t n = 0; n < iterations; ++n)
#pragma GCC unroll 32
    for (int i = 0; i < chains; ++i)
      asm volatile("vdpbf16ps %1, %2, %0" : "+v"(sums[i]) : "v"(x), "v"(y));
}

__attribute__((target("avx512f,avx512vnni"), noinline)) static void
spinIntegerDot512(int) {
  __m512i sums[chains] = {};
  __m512i x = _mm512_set1_epi16(3), y = _mm512_set1_epi16(5);
  for (int64_t n = 0; n < iterations; ++n)
#pragma GCC unroll 32
    for (int i = 0; i < chains; ++i)
      asm volatile("vpdpwssd %1, %2, %0" : "+v"(sums[i]) : "v"(x), "v"(y));
}

__attribute__((target("avx2"), noinline)) static void spinIntegerDot256(int) {
  __m256i sums[12] = {}, product;
  __m256i x = _mm256_set1_epi16(3), y = _mm256_set1_epi16(5);
  for (int64_t n = 0; n < iterations; ++n)
#pragma GCC unroll 32
    for (int i = 0; i < 12; ++i)
      asm volatile("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0"
                   : "+x"(sums[i]), "=&x"(product)
                   : "x"(x), "x"(y));
}

/// The most operations a second of `spin`, `perIteration` a thread and iteration.
template <typename Spin>
static double peak(int threads, Spin spin, double perIteration) {
  double best = 0;
  for (int run = 0; run < 5; ++run)
    best = std::max(best, perIteration * iterations * threads /
                              onAllThreads(threads, spin));
  return best;
}

/// Sums `bytes` bytes at `data`, with the widest loads that the compiler knows.
__attribute__((target("avx2"), noinline)) static uint64_t
readAll(const char *data, size_t bytes) {
  __m256i sums[4] = {};
  for (size_t i = 0; i < bytes; i += 128)
    for (size_t j = 0; j < 4; ++j)
      sums[j] = _mm256_add_epi64(
          sums[j], _mm256_load_si256(
                       reinterpret_cast<const __m256i *>(data + i + 32 * j)));
  __m256i sum = _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]),
                                 _mm256_add_epi64(sums[2], sums[3]));
  return static_cast<uint64_t>(_mm256_extract_epi64(sum, 0));
}

/// The most bytes a second that all threads read from memory.
static double readBandwidth(int threads) {
  size_t bytes = size_t(1) << 30;
  auto *data = static_cast<char *>(std::aligned_alloc(2 << 20, bytes));
  madvise(data, bytes, MADV_HUGEPAGE);
  memset(data, 1, bytes);
  size_t part = bytes / static_cast<size_t>(threads) / 128 * 128;
  double best = 0;
  for (int run = 0; run < 7; ++run) {
    double seconds = onAllThreads(threads, [=](int thread) {
      volatile uint64_t sum =
          readAll(data + static_cast<size_t>(thread) * part, part);
      (void)sum;
    });
    best = std::max(best, static_cast<double>(part) * threads / seconds);
  }
  std::free(data);
  return best;
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? std::max(1, std::atoi(argv[1]))
                         : static_cast<int>(std::thread::hardware_concurrency());
  bool has512 = __builtin_cpu_supports("avx512f");
  double fma = has512 ? peak(threads, spinFma512, chains * 32.0)
                      : peak(threads, spinFma256, 12 * 16.0);
  double dot = __builtin_cpu_supports("avx512bf16")
                   ? peak(threads, spinDot, chains * 64.0)
                   : 0;
  double integerDot = __builtin_cpu_supports("avx512vnni")
                          ? peak(threads, spinIntegerDot512, chains * 64.0)
                          : peak(threads, spinIntegerDot256, 12 * 32.0);
  std::printf("{\"threads\": %d, \"fma_f32_flops\": %.4g, \"dot_bf16_flops\": "
              "%.4g, \"dot_i16_ops\": %.4g, \"read_bytes\": %.4g}\n",
              threads, fma, dot, integerDot, readBandwidth(threads));
}
