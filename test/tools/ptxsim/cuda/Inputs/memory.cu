// Memory of every space and width, and atomic operations of every type.

#include "Testing.h"
#include <algorithm>
#include <cuda/atomic>
#include <cuda_fp16.h>
#include <numeric>

/// Transposes through a padded tile, with ragged edges.
template <typename T>
__global__ void transpose(T *to, const T *from, int rows, int columns) {
  __shared__ T tile[16][17];
  int column = blockIdx.x * 16 + threadIdx.x, row = blockIdx.y * 16 + threadIdx.y;
  if (row < rows && column < columns)
    tile[threadIdx.y][threadIdx.x] = from[size_t(row) * columns + column];
  __syncthreads();
  column = blockIdx.x * 16 + threadIdx.y;
  row = blockIdx.y * 16 + threadIdx.x;
  if (row < rows && column < columns)
    to[size_t(column) * rows + row] = tile[threadIdx.x][threadIdx.y];
}

struct Odd {
  char bytes[3];
  bool operator==(const Odd &other) const {
    return std::memcmp(bytes, other.bytes, 3) == 0;
  }
};

template <typename T>
static void compareTranspose(Comparison &compare, const char *name) {
  const int shapes[][2] = {{1, 1}, {1, 33}, {17, 16}, {31, 65}, {100, 3}};
  for (const auto &shape : shapes) {
    int rows = shape[0], columns = shape[1];
    std::vector<T> values(rows * columns), expected(rows * columns);
    auto *bytes = reinterpret_cast<unsigned char *>(values.data());
    for (size_t i = 0; i < values.size() * sizeof(T); ++i)
      bytes[i] = (unsigned char)(i * 37 + i / 251);
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column)
        expected[column * rows + row] = values[row * columns + column];
    Buffer<T> from(values), to(values.size());
    transpose<<<dim3((columns + 15) / 16, (rows + 15) / 16), dim3(16, 16)>>>(
        to.data, from.data, rows, columns);
    finish();
    compare.bits(name, to.values(), expected);
  }
}

__constant__ int primes[8] = {2, 3, 5, 7, 11, 13, 17, 19};
__device__ double accumulated = 1.5;
__device__ int *pointed = nullptr;

/// A local array with computed indices, tables in constant memory, a generic pointer
/// into any space.
__global__ void spaces(int *results, int n) {
  __shared__ int shared[128];
  int local[9];
  int i = threadIdx.x;
  for (int j = 0; j < 9; ++j)
    local[(i + 2 * j) % 9] = i * primes[j % 8] + j;
  shared[i] = i * 3;
  __syncthreads();
  int sum = 0;
  for (int j = 0; j < 9; ++j) {
    const int *from = j % 3 == 0 ? &local[j] : j % 3 == 1 ? &shared[(i + j) % n] : &primes[j % 8];
    sum = sum * 7 + *from;
  }
  results[i] = sum;
  if (i == 0) {
    accumulated += primes[3];
    pointed = results;
  }
}

static void compareSpaces(Comparison &compare) {
  for (int n : {1, 31, 64, 127}) {
    Buffer<int> results(n);
    double before, after;
    CHECK(cudaMemcpyFromSymbol(&before, accumulated, sizeof before));
    spaces<<<1, n>>>(results.data, n);
    finish();
    CHECK(cudaMemcpyFromSymbol(&after, accumulated, sizeof after));
    compare("variable", n, after == before + 7);
    int *pointer;
    CHECK(cudaMemcpyFromSymbol(&pointer, pointed, sizeof pointer));
    compare("pointer", n, pointer == results.data);
    const int primesHere[8] = {2, 3, 5, 7, 11, 13, 17, 19};
    std::vector<int> expected(n);
    for (int i = 0; i < n; ++i) {
      int local[9];
      unsigned sum = 0;
      for (int j = 0; j < 9; ++j)
        local[(i + 2 * j) % 9] = i * primesHere[j % 8] + j;
      for (int j = 0; j < 9; ++j)
        sum = sum * 7 + unsigned(j % 3 == 0 ? local[j] : j % 3 == 1 ? (i + j) % n * 3 : primesHere[j % 8]);
      expected[i] = int(sum);
    }
    compare.bits("spaces", results.values(), expected);
  }
}

/// A histogram in shared memory, then in global memory.
__global__ void histogram(unsigned *bins, const uint8_t *values, int n) {
  __shared__ unsigned own[256];
  for (int bin = threadIdx.x; bin < 256; bin += blockDim.x)
    own[bin] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&own[values[i]], 1);
  __syncthreads();
  for (int bin = threadIdx.x; bin < 256; bin += blockDim.x)
    if (own[bin] != 0)
      atomicAdd(&bins[bin], own[bin]);
}

static void compareHistogram(Comparison &compare) {
  for (int n : oddSizes) {
    std::mt19937 random(n);
    std::vector<uint8_t> values(n);
    std::vector<unsigned> expected(256);
    for (uint8_t &value : values)
      ++expected[value = uint8_t(random() >> random() % 8)];
    Buffer<uint8_t> input(values);
    Buffer<unsigned> bins(std::vector<unsigned>(256));
    histogram<<<3, 96>>>(bins.data, input.data, n);
    finish();
    compare.bits("histogram", bins.values(), expected);
  }
}

struct Atomics {
  int sum, least, greatest, bitAnd, bitOr, bitXor, wrapped, unwrapped, swapped;
  unsigned long long sum64, greatest64;
  float sumF32;
  double sumF64;
  __half2 sumF16;
  float product; // by compare-and-swap
  int64_t least64;
};

__global__ void atomics(Atomics *a, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  atomicAdd(&a->sum, i);
  atomicMin(&a->least, 50 - i);
  atomicMax(&a->greatest, i * 3);
  atomicAnd(&a->bitAnd, ~(1 << i % 20));
  atomicOr(&a->bitOr, 1 << i % 30);
  atomicXor(&a->bitXor, 1 << i % 31);
  atomicInc(reinterpret_cast<unsigned *>(&a->wrapped), 10);
  atomicDec(reinterpret_cast<unsigned *>(&a->unwrapped), 10);
  atomicAdd(&a->sum64, 1ull << 33);
  atomicMax(&a->greatest64, (unsigned long long)(i) << 40);
  atomicAdd(&a->sumF32, 0.5f);
  atomicAdd(&a->sumF64, 0.25);
  atomicAdd(&a->sumF16, __floats2half2_rn(1, i % 2 ? 1.0f : -1.0f));
  atomicMin(reinterpret_cast<long long *>(&a->least64), -1ll << i % 50);
  if (i == 7)
    atomicExch(&a->swapped, 77);
  int old = __float_as_int(*static_cast<volatile float *>(&a->product)), seen;
  do {
    seen = old;
    old = atomicCAS(reinterpret_cast<int *>(&a->product), seen,
                    __float_as_int(__int_as_float(seen) * (i % 2 ? 2.0f : 0.5f)));
  } while (old != seen);
}

static void compareAtomics(Comparison &compare) {
  for (int n : {8, 33, 64, 200}) {
    Atomics start = {};
    start.bitAnd = -1;
    start.product = 1;
    Buffer<Atomics> device(std::vector<Atomics>{start});
    atomics<<<blocksFor(n, 48), 48>>>(device.data, n);
    finish();
    Atomics got = device.values()[0];
    Atomics expected = start;
    for (int i = 0; i < n; ++i) {
      expected.sum += i;
      expected.least = std::min(expected.least, 50 - i);
      expected.greatest = std::max(expected.greatest, i * 3);
      expected.bitAnd &= ~(1 << i % 20);
      expected.bitOr |= 1 << i % 30;
      expected.bitXor ^= 1 << i % 31;
      expected.wrapped = expected.wrapped >= 10 ? 0 : expected.wrapped + 1;
      expected.unwrapped = expected.unwrapped == 0 || expected.unwrapped > 10 ? 10 : expected.unwrapped - 1;
      expected.least64 = std::min(expected.least64, int64_t(-1) * (int64_t(1) << i % 50));
    }
    compare("sum", n, got.sum == expected.sum);
    compare("least", n, got.least == expected.least);
    compare("greatest", n, got.greatest == expected.greatest);
    compare("and", n, got.bitAnd == expected.bitAnd);
    compare("or", n, got.bitOr == expected.bitOr);
    compare("xor", n, got.bitXor == expected.bitXor);
    compare("inc", n, got.wrapped == expected.wrapped);
    compare("dec", n, got.unwrapped == expected.unwrapped);
    compare("exchange", n, got.swapped == 77);
    compare("sum of 64 bits", n, got.sum64 == (unsigned long long)(n) << 33);
    compare("greatest of 64 bits", n, got.greatest64 == (unsigned long long)(n - 1) << 40);
    compare("least of 64 bits", n, got.least64 == expected.least64);
    compare("sum of f32", n, got.sumF32 == n * 0.5f);
    compare("sum of f64", n, got.sumF64 == n * 0.25);
    compare("sum of f16", n, __low2float(got.sumF16) == float(n));
    compare("sum of f16, high", n, __high2float(got.sumF16) == -float(n % 2));
    compare("product", n, got.product == (n % 2 ? 0.5f : 1.0f));
  }
}

/// Each block adds its part behind the one before: a chain through acquire and release.
__global__ void chain(int *sums, int *flags, const int *values, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  __shared__ int total;
  if (threadIdx.x == 0)
    total = 0;
  __syncthreads();
  if (i < n)
    atomicAdd(&total, values[i]);
  __syncthreads();
  if (threadIdx.x == 0) {
    int before = 0;
    if (blockIdx.x != 0) {
      cuda::atomic_ref<int, cuda::thread_scope_device> flag(flags[blockIdx.x - 1]);
      while (flag.load(cuda::memory_order_acquire) == 0) {
      }
      before = sums[blockIdx.x - 1];
    }
    sums[blockIdx.x] = before + total;
    cuda::atomic_ref<int, cuda::thread_scope_device>(flags[blockIdx.x])
        .store(1, cuda::memory_order_release);
  }
}

/// The last block to come sums what all have written, after a fence and a counter.
__global__ void lastBlock(int *result, int *partial, unsigned *count, const int *values, int n) {
  __shared__ bool isLast;
  __shared__ int total;
  if (threadIdx.x == 0)
    total = 0;
  __syncthreads();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    atomicAdd(&total, values[i]);
  __syncthreads();
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = total;
    __threadfence();
    isLast = atomicAdd(count, 1) == gridDim.x - 1;
    __threadfence();
  }
  __syncthreads();
  if (isLast && threadIdx.x == 0) {
    int sum = 0;
    for (int block = 0; block < gridDim.x; ++block)
      sum += *static_cast<volatile int *>(partial + block);
    *result = sum;
  }
}

static void compareOrder(Comparison &compare) {
  for (int n : oddSizes) {
    std::vector<int> values(n);
    std::iota(values.begin(), values.end(), 3);
    int blocks = blocksFor(n, 64);
    Buffer<int> input(values), sums(blocks), flags(std::vector<int>(blocks, 0));
    chain<<<blocks, 64>>>(sums.data, flags.data, input.data, n);
    finish();
    int total = std::accumulate(values.begin(), values.end(), 0);
    compare("chain of blocks", n, sums.values().back() == total);
    Buffer<int> result(1), partial(blocks);
    Buffer<unsigned> count(std::vector<unsigned>{0});
    lastBlock<<<blocks, 64>>>(result.data, partial.data, count.data, input.data, n);
    finish();
    compare("last block", n, result.values()[0] == total);
  }
}

int main() {
  Comparison compare("memory");
  compareTranspose<uint8_t>(compare, "transpose of bytes");
  compareTranspose<Odd>(compare, "transpose of three bytes");
  compareTranspose<uint16_t>(compare, "transpose of 16 bits");
  compareTranspose<float>(compare, "transpose of 32 bits");
  compareTranspose<double>(compare, "transpose of 64 bits");
  compareTranspose<float4>(compare, "transpose of 128 bits");
  compareSpaces(compare);
  compareHistogram(compare);
  compareAtomics(compare);
  compareOrder(compare);
}
