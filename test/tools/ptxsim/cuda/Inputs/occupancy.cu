// How many blocks a multiprocessor holds, beside what NVIDIA's header for it says.

#include "Testing.h"
#include <cuda_occupancy.h>

/// Takes about as many registers as it has values.
template <int values> __global__ void registers(float *data) {
  float value[values];
#pragma unroll
  for (int i = 0; i < values; ++i)
    value[i] = data[i * blockDim.x + threadIdx.x];
#pragma unroll
  for (int i = 0; i < values; ++i)
    data[i * blockDim.x + threadIdx.x] = value[i] * value[values - 1 - i];
}

__global__ void shared(int *data) {
  __shared__ int values[3001];
  values[threadIdx.x] = data[threadIdx.x];
  __syncthreads();
  data[threadIdx.x] = values[threadIdx.x ^ 1];
}

template <int barriers> __global__ void named() {
  asm volatile("barrier.sync %0, 32;" ::"n"(barriers - 1));
}

__global__ void computed(int barrier) {
  asm volatile("barrier.sync %0, 32;" ::"r"(barrier));
}

/// Compares the calls for one kernel, which uses some barriers.
template <typename Kernel>
static void compareKernel(Comparison &compare, const char *name, Kernel *kernel,
                          int barriers) {
  cudaDeviceProp device;
  CHECK(cudaGetDeviceProperties(&device, 0));
  CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             200000));
  cudaFuncAttributes function;
  CHECK(cudaFuncGetAttributes(&function, kernel));
  cudaOccDeviceProp properties(device);
  cudaOccFuncAttributes attributes(function);
  attributes.numBlockBarriers = barriers;
  cudaOccDeviceState state;
  for (int threads : {1, 32, 33, 64, 96, 128, 160, 256, 288, 384, 512, 576, 1024})
    for (int bytes : {0, 1, 1000, 6272, 49152, 100000, 150000, 200000}) {
      cudaOccResult expected;
      int got = 0;
      cudaOccMaxActiveBlocksPerMultiprocessor(&expected, &properties, &attributes,
                                              &state, threads, bytes);
      CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&got, kernel, threads,
                                                          bytes));
      compare(name, threads, got == expected.activeBlocksPerMultiprocessor);
    }
  int expectedGrid = 0, expectedBlock = 0, grid = 0, block = 0;
  cudaOccMaxPotentialOccupancyBlockSize(&expectedGrid, &expectedBlock, &properties,
                                        &attributes, &state, nullptr, 0);
  CHECK(cudaOccupancyMaxPotentialBlockSize(&grid, &block, kernel));
  compare("potential block", block, block == expectedBlock);
  compare("potential grid", grid, grid == expectedGrid);
}

int main() {
  Comparison compare("occupancy");
  compareKernel(compare, "8 values", registers<8>, 0);
  compareKernel(compare, "40 values", registers<40>, 0);
  compareKernel(compare, "72 values", registers<72>, 0);
  compareKernel(compare, "120 values", registers<120>, 0);
  compareKernel(compare, "160 values", registers<160>, 0);
  compareKernel(compare, "220 values", registers<220>, 0);
  compareKernel(compare, "shared memory", shared, 1);
  compareKernel(compare, "2 barriers", named<2>, 2);
  compareKernel(compare, "3 barriers", named<3>, 3);
  compareKernel(compare, "16 barriers", named<16>, 16);
  compareKernel(compare, "a computed barrier", computed, 16);
}
