// Cooperative groups: of grids, clusters, blocks and tiles.

#include "../../cuda/Inputs/Testing.h"
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace cg = cooperative_groups;

// Prefix sums of `words` in log2(n) steps, all blocks meeting after each.
__global__ void prefixSums(int *words, int *next, int n) {
  cg::grid_group grid = cg::this_grid();
  int i = int(grid.thread_rank());
  for (int step = 1; step < n; step *= 2) {
    if (i < n)
      next[i] = words[i] + (i >= step ? words[i - step] : 0);
    grid.sync();
    int *swapped = words;
    words = next;
    next = swapped;
  }
}

// Each block adds up its part; the first one of each cluster adds up those.
__global__ void __cluster_dims__(4, 1, 1) clusterSums(const int *words, int *sums) {
  __shared__ int parts[32];
  __shared__ int sum;
  cg::cluster_group cluster = cg::this_cluster();
  cg::thread_block block = cg::this_thread_block();
  cg::thread_block_tile<32> tile = cg::tiled_partition<32>(block);
  int value = words[blockIdx.x * blockDim.x + threadIdx.x];
  value = cg::reduce(tile, value, cg::plus<int>());
  if (tile.thread_rank() == 0)
    parts[tile.meta_group_rank()] = value;
  block.sync();
  if (block.thread_rank() == 0) {
    sum = 0;
    for (unsigned i = 0; i < tile.meta_group_size(); ++i)
      sum += parts[i];
  }
  cluster.sync();
  if (cluster.block_rank() == 0 && block.thread_rank() == 0) {
    int total = 0;
    for (unsigned i = 0; i < cluster.num_blocks(); ++i)
      total += *cluster.map_shared_rank(&sum, i);
    sums[blockIdx.x / cluster.num_blocks()] = total;
  }
  cluster.sync();
}

// Tiles of 8 scan what the block has copied to shared memory.
__global__ void scans(const int *words, int *out) {
  __shared__ int copy[128];
  cg::thread_block block = cg::this_thread_block();
  cg::memcpy_async(block, copy, words, sizeof(copy));
  cg::wait(block);
  auto tile = cg::tiled_partition<8>(block);
  out[block.thread_rank()] = cg::inclusive_scan(tile, copy[block.thread_rank()]);
  if (block.thread_rank() % 3 == 0) {
    cg::coalesced_group active = cg::coalesced_threads();
    if (active.thread_rank() == 0)
      atomicAdd(out + 128, int(active.size()));
  }
}

int main() {
  constexpr int n = 1000;
  std::vector<int> host(1024);
  for (int i = 0; i < 1024; ++i)
    host[i] = i % 7;
  int *words, *next, length = n;
  CHECK(cudaMalloc(&words, 4096));
  CHECK(cudaMalloc(&next, 4096));
  CHECK(cudaMemcpy(words, host.data(), 4096, cudaMemcpyHostToDevice));
  void *arguments[] = {&words, &next, &length};
  CHECK(cudaLaunchCooperativeKernel(prefixSums, dim3(8), dim3(128), arguments, 0,
                                    nullptr));
  std::vector<int> sums(n);
  CHECK(cudaMemcpy(sums.data(), words, 4 * n, cudaMemcpyDeviceToHost));
  bool right = true;
  for (int i = 0, sum = 0; i < n; ++i)
    right &= sums[i] == (sum += host[i]);
  std::printf("grid %d\n", right);
  std::printf("too many: %s\n",
              cudaGetErrorName(cudaLaunchCooperativeKernel(
                  prefixSums, dim3(132 * 16 + 1), dim3(128), arguments, 0,
                  nullptr)));
  cudaGetLastError();

  CHECK(cudaMemcpy(words, host.data(), 4096, cudaMemcpyHostToDevice));
  clusterSums<<<8, 128>>>(words, next);
  CHECK(cudaMemcpy(sums.data(), next, 8, cudaMemcpyDeviceToHost));
  int first = 0, second = 0;
  for (int i = 0; i < 512; ++i)
    first += host[i], second += host[512 + i];
  std::printf("cluster %d\n", sums[0] == first && sums[1] == second);

  CHECK(cudaMemset(next, 0, 4096));
  scans<<<1, 128>>>(words, next);
  CHECK(cudaMemcpy(sums.data(), next, 4 * 129, cudaMemcpyDeviceToHost));
  right = sums[128] == 43;
  for (int i = 0, sum = 0; i < 128; ++i)
    right &= sums[i] == (sum = i % 8 == 0 ? host[i] : sum + host[i]);
  std::printf("tiles %d\n", right);
  CHECK(cudaFree(words));
  CHECK(cudaFree(next));
}
