// Groups of threads: shuffles, votes, reductions, scans, and what cooperative groups
// make of them.

#include "Testing.h"
#include <algorithm>
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <numeric>

namespace cg = cooperative_groups;

/// Sums a block's values: within warps by shuffles, between them through shared memory.
__device__ static int sumOfBlock(int value) {
  __shared__ int sums[32];
  for (int offset = 16; offset != 0; offset /= 2)
    value += __shfl_down_sync(0xffffffff, value, offset);
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  if (lane == 0)
    sums[warp] = value;
  __syncthreads();
  int warps = (blockDim.x + 31) / 32;
  value = threadIdx.x < warps ? sums[threadIdx.x] : 0;
  if (warp == 0)
    value = __reduce_add_sync(0xffffffff, value);
  return value;
}

__global__ void sum(int *result, const int *values, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int total = sumOfBlock(i < n ? values[i] : 0);
  if (threadIdx.x == 0)
    atomicAdd(result, total);
}

/// Inclusive prefix sums of one block of any number of threads, after Hillis and Steele.
__global__ void scan(int *results, const int *values, int n) {
  extern __shared__ int sums[];
  int i = threadIdx.x;
  sums[i] = i < n ? values[i] : 0;
  __syncthreads();
  for (int offset = 1; offset < blockDim.x; offset *= 2) {
    int other = i >= offset ? sums[i - offset] : 0;
    __syncthreads();
    sums[i] += other;
    __syncthreads();
  }
  if (i < n)
    results[i] = sums[i];
}

/// One atomic operation for the lanes of a warp whose values are even.
__global__ void filter(int *kept, int *count, const int *values, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n || values[i] % 2 != 0)
    return;
  cg::coalesced_group active = cg::coalesced_threads();
  int first = 0;
  if (active.thread_rank() == 0)
    first = atomicAdd(count, active.size());
  kept[active.shfl(first, 0) + active.thread_rank()] = values[i];
}

template <int size>
__global__ void tiles(int *sums, int *exclusive, int *greatest, const int *values, int n) {
  cg::thread_block block = cg::this_thread_block();
  auto tile = cg::tiled_partition<size>(block);
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int value = i < n ? values[i] : 0;
  int total = cg::reduce(tile, value, cg::plus<int>());
  int before = cg::exclusive_scan(tile, value, cg::plus<int>());
  int most = cg::reduce(tile, value, cg::greater<int>());
  if (i >= n)
    return;
  sums[i] = total;
  exclusive[i] = before;
  greatest[i] = most;
}

struct Votes {
  unsigned ballot, match, all, any, same;
  int up, exchanged, segment;
};

/// Votes among the lanes that one side of a branch has.
__global__ void votes(Votes *results, const int *values, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  int value = values[i];
  Votes r = {};
  if (value % 3 != 0) {
    unsigned active = __activemask();
    r.ballot = __ballot_sync(active, value % 2 == 0);
    r.match = __match_any_sync(active, value % 5);
    int isSame = 0;
    __match_all_sync(active, value % 3 > 3, &isSame);
    r.same = unsigned(isSame);
    r.all = unsigned(__all_sync(active, value > -1));
    r.any = unsigned(__any_sync(active, value == 1000));
  } else {
    auto group = cg::labeled_partition(cg::coalesced_threads(), value % 2);
    r.segment = cg::reduce(group, 1, cg::plus<int>());
  }
  results[i] = r;
}

/// 64 bits through shuffles of every kind, in segments of 8.
__global__ void shuffles(int64_t *results, const int64_t *values, int n) {
  int i = threadIdx.x;
  int64_t value = i < n ? values[i] : -1;
  results[4 * i] = __shfl_sync(0xffffffff, value, i + 3, 8);
  results[4 * i + 1] = __shfl_up_sync(0xffffffff, value, 2, 8);
  results[4 * i + 2] = __shfl_down_sync(0xffffffff, value, 5, 8);
  results[4 * i + 3] = __shfl_xor_sync(0xffffffff, value, 6, 8);
}

/// A reduction of the whole grid with barriers over all of it.
__global__ void sumOfGrid(int *partial, int *result, const int *values, int n) {
  cg::grid_group grid = cg::this_grid();
  int total = 0;
  for (int i = int(grid.thread_rank()); i < n; i += int(grid.size()))
    total += values[i];
  total = sumOfBlock(total);
  if (threadIdx.x == 0)
    partial[blockIdx.x] = total;
  grid.sync();
  for (int width = gridDim.x; width > 1; width = (width + 1) / 2) {
    int half = (width + 1) / 2;
    if (threadIdx.x == 0 && int(blockIdx.x) < width / 2)
      partial[blockIdx.x] += partial[blockIdx.x + half];
    grid.sync();
  }
  if (grid.thread_rank() == 0)
    *result = partial[0];
}

/// The sum over the blocks of a cluster, read from their shared memory.
__global__ void __cluster_dims__(4, 1, 1) sumOfCluster(int *results, const int *values) {
  __shared__ int own;
  cg::cluster_group cluster = cg::this_cluster();
  int total = sumOfBlock(values[blockIdx.x * blockDim.x + threadIdx.x]);
  if (threadIdx.x == 0)
    own = total;
  cluster.sync();
  if (threadIdx.x == 0) {
    total = 0;
    for (unsigned rank = 0; rank < cluster.num_blocks(); ++rank)
      total += *cluster.map_shared_rank(&own, rank);
    results[blockIdx.x] = total;
  }
  cluster.sync();
}

static std::vector<int> numbers(int n) {
  std::mt19937 random(n);
  std::vector<int> result(n);
  for (int &value : result)
    value = int(random() % 1000);
  return result;
}

template <int size>
static void compareTiles(Comparison &compare, const std::vector<int> &values) {
  int n = int(values.size());
  Buffer<int> input(values), sums(n), exclusive(n), greatest(n);
  tiles<size><<<blocksFor(n, 96), 96>>>(sums.data, exclusive.data, greatest.data,
                                        input.data, n);
  finish();
  std::vector<int> expectedSums(n), before(n), most(n);
  for (int start = 0; start < n; start += size) {
    int end = std::min(start + size, n), total = 0, largest = 0;
    for (int i = start; i < end; ++i) {
      before[i] = total;
      total += values[i];
      largest = std::max(largest, values[i]);
    }
    for (int i = start; i < end; ++i)
      expectedSums[i] = total, most[i] = largest;
  }
  compare.bits("sum of a tile", sums.values(), expectedSums);
  compare.bits("scan of a tile", exclusive.values(), before);
  compare.bits("maximum of a tile", greatest.values(), most);
}

static Votes expectedVotes(const std::vector<int> &values, int i) {
  Votes r = {};
  int first = i / 32 * 32, end = std::min(first + 32, int(values.size()));
  bool isSame = true;
  for (int j = first; j < end; ++j) {
    unsigned bit = 1u << (j - first);
    if (values[i] % 3 == 0) {
      r.segment += values[j] % 3 == 0 && values[j] % 2 == values[i] % 2;
      continue;
    }
    if (values[j] % 3 == 0)
      continue;
    r.ballot |= values[j] % 2 == 0 ? bit : 0;
    r.match |= values[j] % 5 == values[i] % 5 ? bit : 0;
  }
  r.same = r.all = values[i] % 3 != 0 && isSame;
  return r;
}

static void compareSize(Comparison &compare, int n) {
  std::vector<int> values = numbers(n);
  Buffer<int> input(values), result(std::vector<int>{0});
  sum<<<blocksFor(n, 160), 160>>>(result.data, input.data, n);
  finish();
  int total = std::accumulate(values.begin(), values.end(), 0);
  compare("sum", 0, result.values()[0] == total);

  int threads = std::min(n, 1024);
  Buffer<int> scanned(threads);
  scan<<<1, threads, threads * sizeof(int)>>>(scanned.data, input.data, threads);
  finish();
  std::vector<int> expected(threads);
  std::partial_sum(values.begin(), values.begin() + threads, expected.begin());
  compare.bits("scan", scanned.values(), expected);

  Buffer<int> kept(n), count(std::vector<int>{0});
  CHECK(cudaMemset(kept.data, 0, n * sizeof(int)));
  filter<<<blocksFor(n, 64), 64>>>(kept.data, count.data, input.data, n);
  finish();
  std::vector<int> even, got = kept.values();
  for (int value : values)
    if (value % 2 == 0)
      even.push_back(value);
  compare("count of filtered", 0, count.values()[0] == int(even.size()));
  std::sort(even.begin(), even.end());
  got.resize(even.size());
  std::sort(got.begin(), got.end());
  compare.bits("filtered", got, even);

  compareTiles<2>(compare, values);
  compareTiles<8>(compare, values);
  compareTiles<32>(compare, values);

  Buffer<Votes> voted(n);
  votes<<<blocksFor(n, 128), 128>>>(voted.data, input.data, n);
  finish();
  std::vector<Votes> expectedVoted(n);
  for (int i = 0; i < n; ++i)
    expectedVoted[i] = expectedVotes(values, i);
  compare.bits("votes", voted.values(), expectedVoted);

  int blocks = n % 7 + 1;
  Buffer<int> partial(blocks), gridResult(1);
  const int *data = input.data;
  void *arguments[] = {&partial.data, &gridResult.data, &data, &n};
  CHECK(cudaLaunchCooperativeKernel(reinterpret_cast<void *>(sumOfGrid), blocks, 96,
                                    arguments, 0, nullptr));
  finish();
  compare("sum of a grid", 0, gridResult.values()[0] == total);
}

static void compareShuffles(Comparison &compare) {
  std::vector<int64_t> values;
  for (int i = 0; i < 64; ++i)
    values.push_back(int64_t(i) << 33 | i);
  Buffer<int64_t> input(values), results(256);
  shuffles<<<1, 64>>>(results.data, input.data, 64);
  finish();
  auto got = results.values();
  for (int i = 0; i < 64; ++i) {
    int segment = i / 8 * 8, at = i % 8;
    compare("shuffle", i, got[4 * i] == values[segment + (at + 3) % 8]);
    compare("shuffle up", i, got[4 * i + 1] == values[at >= 2 ? i - 2 : i]);
    compare("shuffle down", i, got[4 * i + 2] == values[at + 5 < 8 ? i + 5 : i]);
    compare("shuffle by xor", i, got[4 * i + 3] == values[segment + (at ^ 6)]);
  }
}

static void compareClusters(Comparison &compare) {
  std::vector<int> values = numbers(8 * 64);
  Buffer<int> input(values), results(8);
  sumOfCluster<<<8, 64>>>(results.data, input.data);
  finish();
  std::vector<int> expected(8);
  for (int block = 0; block < 8; ++block)
    expected[block] = std::accumulate(values.begin() + block / 4 * 256,
                                      values.begin() + (block / 4 + 1) * 256, 0);
  compare.bits("sum of a cluster", results.values(), expected);
}

int main() {
  Comparison compare("warps");
  for (int n : oddSizes)
    compareSize(compare, n);
  compareShuffles(compare);
  compareClusters(compare);
}
