// Tiles of more than one warp, which keep barriers and results in shared memory
// that is reserved for them.

#include "../../cuda/Inputs/Testing.h"
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <cstdio>
#include <vector>

namespace cg = cooperative_groups;

constexpr int blockSize = 1024, results = 8;

__device__ int seenBy(int x) { return 3 * x + 1; }

// What each thread gets of each collective: eight results.
template <int Size>
__device__ void collect(const cg::thread_block &block, int *out, int *shared) {
  auto tile = cg::tiled_partition<Size>(block);
  int me = int(block.thread_rank());
  int *own = out + me * results;
  own[0] = cg::reduce(tile, me, cg::plus<int>());
  own[1] = cg::inclusive_scan(tile, me);
  own[2] = tile.shfl(me, Size - 5);
  own[3] = tile.any(me == 77) * 2 + tile.all(me < Size);
  shared[me] = me;
  tile.sync();
  own[4] = shared[me ^ (Size - 1)];
  tile.sync();
  own[5] = cg::invoke_one_broadcast(tile, [&] { return seenBy(me); }) % 3;
  own[6] = int(cg::reduce(tile, (unsigned long long)(me) << 20,
                          cg::greater<unsigned long long>()) >> 20);
  auto half = cg::tiled_partition<Size / 2>(tile);
  half.sync();
  own[7] = cg::reduce(half, 1, cg::plus<int>());
}

__global__ void tiles64(int *out) {
  __shared__ int shared[blockSize];
  collect<64>(cg::this_thread_block(), out, shared);
}
// All sizes in turn, with memory that the program gives and that is not needed.
__global__ void tilesOfAll(int *out) {
  __shared__ cg::block_tile_memory<blockSize> memory;
  extern __shared__ int shared[];
  auto block = cg::this_thread_block(memory);
  collect<128>(block, out, shared);
  block.sync();
  collect<256>(block, out + blockSize * results, shared);
  block.sync();
  collect<512>(block, out + 2 * blockSize * results, shared);
}

static bool isRight(const int *own, int me, int size) {
  int first = me / size * size, last = first + size - 1;
  auto sum = [](int from, int to) { return (from + to) * (to - from + 1) / 2; };
  return own[0] == sum(first, last) && own[1] == sum(first, me) &&
         own[2] == first + size - 5 &&
         own[3] == (first <= 77 && 77 <= last) * 2 + (first == 0) &&
         own[4] == (me ^ (size - 1)) && own[5] == 1 && own[6] == last &&
         own[7] == size / 2;
}

static void test(const char *name, int size, const int *values) {
  int right = 0;
  for (int me = 0; me < blockSize; ++me)
    right += isRight(values + me * results, me, size);
  std::printf("%s %d: %d right\n", name, size, right);
}

int main() {
  constexpr int words = blockSize * results;
  int *out, most = 0;
  std::vector<int> host(3 * words);
  CHECK(cudaMalloc(&out, 3 * words * 4));
  tiles64<<<1, blockSize>>>(out);
  CHECK(cudaMemcpy(host.data(), out, words * 4, cudaMemcpyDeviceToHost));
  test("tiles of", 64, host.data());
  tilesOfAll<<<1, blockSize, blockSize * 4>>>(out);
  CHECK(cudaMemcpy(host.data(), out, 3 * words * 4, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 3; ++i)
    test("tiles of", 128 << i, host.data() + i * words);
  // Beside the reserved 1024 and the own 4096 bytes, twice in 228 KB.
  constexpr int fit = 116736 - 1024 - 4096;
  CHECK(cudaFuncSetAttribute(tiles64, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             fit + 128));
  for (int bytes : {fit, fit + 128}) {
    CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&most, tiles64, 64, bytes));
    std::printf("%d blocks\n", most);
  }
  CHECK(cudaFree(out));
}
