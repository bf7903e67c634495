// Copies that overlap with work: pipelines, barriers with transactions, tensor maps.

#include "Testing.h"
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cuda.h>
#include <cuda/barrier>
#include <cuda/pipeline>
#include <cuda/ptx>

namespace cg = cooperative_groups;
namespace ptx = cuda::ptx;
using Barrier = cuda::barrier<cuda::thread_scope_block>;

/// Doubles numbers that a pipeline of three stages brings into shared memory.
__global__ void pipelined(float *to, const float *from, int n) {
  constexpr int stages = 3, size = 64;
  __shared__ float data[stages][size];
  __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, stages> state;
  auto block = cg::this_thread_block();
  auto pipeline = cuda::make_pipeline(block, &state);
  int count = (n + size - 1) / size;
  auto bytes = [&](int step) { return sizeof(float) * size_t(min(size, n - step * size)); };
  for (int step = 0, next = 0; step < count; ++step) {
    for (; next < count && next < step + stages; ++next) {
      pipeline.producer_acquire();
      cuda::memcpy_async(block, data[next % stages], from + next * size, bytes(next), pipeline);
      pipeline.producer_commit();
    }
    pipeline.consumer_wait();
    for (int i = threadIdx.x; i < size && step * size + i < n; i += blockDim.x)
      to[step * size + i] = 2 * data[step % stages][i];
    pipeline.consumer_release();
  }
}

/// Copies of 16 bytes by cp.async in groups, two ahead.
__global__ void grouped(float4 *to, const float4 *from, int n) {
  __shared__ float4 data[3][32];
  auto load = [&](int step) {
    int i = step * 32 + threadIdx.x;
    if (i < n)
      __pipeline_memcpy_async(&data[step % 3][threadIdx.x], from + i, 16);
    __pipeline_commit();
  };
  load(0);
  load(1);
  for (int step = 0; step * 32 < n; ++step) {
    load(step + 2);
    __pipeline_wait_prior(2);
    int i = step * 32 + threadIdx.x;
    if (i < n)
      to[i] = data[step % 3][threadIdx.x];
  }
}

/// Turns a block's part round: a bulk copy in, a bulk copy out.
__global__ void bulk(int *to, const int *from) {
  constexpr int size = 256;
  __shared__ alignas(128) int in[size], out[size];
  __shared__ Barrier barrier;
  if (threadIdx.x == 0)
    init(&barrier, blockDim.x);
  __syncthreads();
  Barrier::arrival_token token;
  if (threadIdx.x == 0) {
    cuda::memcpy_async(in, from + blockIdx.x * size, cuda::aligned_size_t<16>(sizeof in), barrier);
    token = barrier.arrive();
  } else {
    token = barrier.arrive();
  }
  barrier.wait(std::move(token));
  for (int i = threadIdx.x; i < size; i += blockDim.x)
    out[i] = in[size - 1 - i];
  ptx::fence_proxy_async(ptx::space_shared);
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::cp_async_bulk(ptx::space_global, ptx::space_shared, to + blockIdx.x * size, out, sizeof out);
    ptx::cp_async_bulk_commit_group();
    ptx::cp_async_bulk_wait_group_read(ptx::n32_t<0>());
  }
}

/// Adds one to a box of a matrix whose edges may lie outside of it.
__global__ void boxes(const __grid_constant__ CUtensorMap from,
                      const __grid_constant__ CUtensorMap to) {
  constexpr int rows = 16, columns = 32;
  __shared__ alignas(128) float box[rows][columns];
  __shared__ uint64_t barrier;
  const int32_t at[2] = {int(blockIdx.x * columns), int(blockIdx.y * rows)};
  if (threadIdx.x == 0) {
    ptx::mbarrier_init(&barrier, 1);
    ptx::fence_mbarrier_init(ptx::sem_release, ptx::scope_cluster);
    ptx::mbarrier_arrive_expect_tx(ptx::sem_release, ptx::scope_cta, ptx::space_shared, &barrier, sizeof box);
    ptx::cp_async_bulk_tensor(ptx::space_cluster, ptx::space_global, box, &from, at, &barrier);
  }
  __syncthreads();
  while (!ptx::mbarrier_try_wait_parity(&barrier, 0)) {
  }
  for (int i = threadIdx.x; i < rows * columns; i += blockDim.x)
    box[i / columns][i % columns] += 1;
  ptx::fence_proxy_async(ptx::space_shared);
  __syncthreads();
  if (threadIdx.x == 0) {
    ptx::cp_async_bulk_tensor(ptx::space_global, ptx::space_shared, &to, at, box);
    ptx::cp_async_bulk_commit_group();
    ptx::cp_async_bulk_wait_group_read(ptx::n32_t<0>());
  }
}

static CUtensorMap mapOf(float *data, int rows, int columns, int pitch) {
  void *entry = nullptr;
  cudaDriverEntryPointQueryResult result;
  CHECK(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry, 12000,
                                         cudaEnableDefault, &result));
  CUtensorMap map;
  cuuint64_t sizes[] = {cuuint64_t(columns), cuuint64_t(rows)};
  cuuint64_t strides[] = {sizeof(float) * pitch};
  cuuint32_t box[] = {32, 16}, steps[] = {1, 1};
  CUresult error = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(entry)(
      &map, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 2, data, sizes, strides, box, steps,
      CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_NONE,
      CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (error != CUDA_SUCCESS)
    std::printf("cuTensorMapEncodeTiled: %d\n", error), std::exit(1);
  return map;
}

static void compareBoxes(Comparison &compare) {
  const int shapes[][2] = {{16, 32}, {1, 1}, {17, 33}, {50, 100}, {3, 65}};
  for (const auto &shape : shapes) {
    int rows = shape[0], columns = shape[1], pitch = (columns + 3) / 4 * 4;
    std::vector<float> values(rows * pitch), expected(rows * pitch, -1);
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        values[row * pitch + column] = float(row * 1000 + column);
        expected[row * pitch + column] = float(row * 1000 + column + 1);
      }
    Buffer<float> from(values), to(std::vector<float>(rows * pitch, -1));
    boxes<<<dim3((columns + 31) / 32, (rows + 15) / 16), 96>>>(
        mapOf(from.data, rows, columns, pitch), mapOf(to.data, rows, columns, pitch));
    finish();
    compare.bits("box", to.values(), expected);
  }
}

int main() {
  Comparison compare("asynchronous");
  for (int n : oddSizes) {
    std::vector<float> values(4 * n), doubled(n);
    for (int i = 0; i < 4 * n; ++i)
      values[i] = float(i) + 0.5f;
    for (int i = 0; i < n; ++i)
      doubled[i] = 2 * values[i];
    Buffer<float> from(values), to(4 * n);
    pipelined<<<1, 48>>>(to.data, from.data, n);
    finish();
    auto got = to.values();
    got.resize(n);
    compare.bits("pipeline", got, doubled);
    grouped<<<1, 32>>>(reinterpret_cast<float4 *>(to.data),
                       reinterpret_cast<const float4 *>(from.data), n);
    finish();
    compare.bits("groups", to.values(), values);
  }
  std::vector<int> values(5 * 256), expected(5 * 256);
  for (int i = 0; i < 5 * 256; ++i) {
    values[i] = i * i;
    int other = i / 256 * 256 + 255 - i % 256;
    expected[i] = other * other;
  }
  Buffer<int> from(values), to(values.size());
  bulk<<<5, 96>>>(to.data, from.data);
  finish();
  compare.bits("bulk", to.values(), expected);
  compareBoxes(compare);
}
