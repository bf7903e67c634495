// What ordinary programs do with the runtime, in one.

#include "../../cuda/Inputs/Testing.h"
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

__device__ int offset = 5;
__managed__ int managed = 7;
__constant__ float table[4];

__global__ void add(int *to, const int *from, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    to[i] += from[i] + offset;
  if (i == 0)
    ++managed;
}

__global__ void scale(float *values, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    values[i] *= table[i % 4];
}

__global__ void rotate(int *result) {
  extern __shared__ int words[];
  unsigned rank, size;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
  words[threadIdx.x] = 100 * rank + threadIdx.x;
  asm volatile("barrier.cluster.arrive; barrier.cluster.wait;" ::: "memory");
  unsigned own = unsigned(__cvta_generic_to_shared(words + threadIdx.x)), other;
  int value;
  asm("mapa.shared::cluster.u32 %0, %1, %2;"
      : "=r"(other)
      : "r"(own), "r"((rank + 1) % size));
  asm volatile("ld.shared::cluster.s32 %0, [%1];" : "=r"(value) : "r"(other));
  result[blockIdx.x * blockDim.x + threadIdx.x] = value;
  asm volatile("barrier.cluster.arrive; barrier.cluster.wait;" ::: "memory");
}

__global__ void first(int *words) {
  asm volatile("griddepcontrol.launch_dependents;");
  if (threadIdx.x == 0)
    words[0] = 11;
}

__global__ void second(int *words) {
  asm volatile("griddepcontrol.wait;" ::: "memory");
  if (threadIdx.x == 0)
    words[1] = words[0] + 1;
}

__global__ void count(int *word) { atomicAdd(word, 1); }

static void memoryAndSymbols() {
  constexpr int n = 1000;
  std::vector<int> a(n), b(n);
  for (int i = 0; i < n; ++i)
    a[i] = i, b[i] = 2 * i;
  int *to, *from;
  CHECK(cudaMalloc(&to, n * sizeof(int)));
  CHECK(cudaMalloc(&from, n * sizeof(int)));
  CHECK(cudaMemcpy(to, a.data(), n * sizeof(int), cudaMemcpyHostToDevice));
  CHECK(cudaMemcpy(from, b.data(), n * sizeof(int), cudaMemcpyDefault));
  add<<<(n + 255) / 256, 256>>>(to, from, n);
  CHECK(cudaGetLastError());
  CHECK(cudaMemcpy(a.data(), to, n * sizeof(int), cudaMemcpyDeviceToHost));
  bool right = true;
  for (int i = 0; i < n; ++i)
    right &= a[i] == 3 * i + 5;
  CHECK(cudaDeviceSynchronize());
  std::printf("add %d managed %d\n", right, managed);
  int value = 9;
  CHECK(cudaMemcpyToSymbol(offset, &value, sizeof(value)));
  value = 0;
  CHECK(cudaMemcpyFromSymbol(&value, offset, sizeof(value)));
  size_t bytes;
  CHECK(cudaGetSymbolSize(&bytes, table));
  std::printf("offset %d table %zu bytes\n", value, bytes);
  CHECK(cudaFree(to));
  CHECK(cudaFree(from));
}

static void setFlag(void *flag) { *static_cast<int *>(flag) = 42; }

static void streamsAndGraphs() {
  float factors[4] = {1, 2, 3, 4}, *values;
  CHECK(cudaMemcpyToSymbol(table, factors, sizeof(factors)));
  CHECK(cudaMallocManaged(&values, 100 * sizeof(float)));
  for (int i = 0; i < 100; ++i)
    values[i] = i;
  cudaStream_t stream;
  cudaEvent_t begin, end;
  CHECK(cudaStreamCreate(&stream));
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  CHECK(cudaEventRecord(begin, stream));
  scale<<<1, 128, 0, stream>>>(values, 100);
  CHECK(cudaEventRecord(end, stream));
  CHECK(cudaStreamSynchronize(stream));
  float time = -1;
  CHECK(cudaEventElapsedTime(&time, begin, end));
  std::printf("value %g time %d\n", values[7], time >= 0);
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  int flag = 0;
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  scale<<<1, 128, 0, stream>>>(values, 100);
  scale<<<1, 128, 0, stream>>>(values, 100);
  CHECK(cudaLaunchHostFunc(stream, setFlag, &flag));
  CHECK(cudaStreamEndCapture(stream, &graph));
  CHECK(cudaGraphInstantiate(&exec, graph, 0));
  CHECK(cudaGraphLaunch(exec, stream));
  CHECK(cudaStreamSynchronize(stream));
  std::printf("value %g flag %d\n", values[7], flag);
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaGraphDestroy(graph));
  CHECK(cudaEventDestroy(begin));
  CHECK(cudaEventDestroy(end));
  CHECK(cudaStreamDestroy(stream));
  CHECK(cudaFree(values));
}

static void launchesWithAttributes() {
  int *words, host[32];
  CHECK(cudaMalloc(&words, 4096));
  cudaLaunchAttribute attribute;
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = 4;
  attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = 8;
  config.blockDim = 4;
  config.dynamicSmemBytes = 64;
  config.attrs = &attribute;
  config.numAttrs = 1;
  CHECK(cudaLaunchKernelEx(&config, rotate, words));
  CHECK(cudaMemcpy(host, words, sizeof(host), cudaMemcpyDefault));
  std::printf("cluster %d %d %d\n", host[0], host[15], host[31]);
  cudaLaunchConfig_t plain = {};
  plain.gridDim = 1;
  plain.blockDim = 32;
  CHECK(cudaLaunchKernelEx(&plain, first, words));
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  plain.attrs = &attribute;
  plain.numAttrs = 1;
  CHECK(cudaLaunchKernelEx(&plain, second, words));
  CHECK(cudaMemcpy(host, words, 8, cudaMemcpyDefault));
  std::printf("dependent %d\n", host[1]);
  CHECK(cudaFree(words));
}

static void severalThreads() {
  int *word, host;
  CHECK(cudaMalloc(&word, sizeof(int)));
  CHECK(cudaMemset(word, 0, sizeof(int)));
  CHECK(cudaDeviceSynchronize());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([=] {
      cudaStream_t stream;
      CHECK(cudaStreamCreate(&stream));
      for (int j = 0; j < 10; ++j)
        count<<<2, 32, 0, stream>>>(word);
      CHECK(cudaStreamSynchronize(stream));
      CHECK(cudaStreamDestroy(stream));
    });
  for (std::thread &thread : threads)
    thread.join();
  CHECK(cudaMemcpy(&host, word, sizeof(int), cudaMemcpyDefault));
  std::printf("threads %d\n", host);
  CHECK(cudaFree(word));
}

static void device() {
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0));
  std::printf("%s %d.%d, %d multiprocessors, %zu bytes\n", properties.name,
              properties.major, properties.minor,
              properties.multiProcessorCount,
              properties.sharedMemPerBlockOptin);
  void *function = nullptr;
  cudaDriverEntryPointQueryResult status;
  CHECK(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function,
                                         12000, cudaEnableDefault, &status));
  int grid, block;
  CHECK(cudaOccupancyMaxPotentialBlockSize(&grid, &block, count));
  std::printf("entry %d occupancy %d %d\n", function != nullptr, grid, block);
  int *word, host;
  CHECK(cudaDeviceReset());
  CHECK(cudaMalloc(&word, sizeof(int)));
  CHECK(cudaMemset(word, 0, sizeof(int)));
  count<<<1, 3>>>(word);
  CHECK(cudaMemcpy(&host, word, sizeof(int), cudaMemcpyDefault));
  std::printf("after a reset %d\n", host);
  CHECK(cudaFree(word));
}

static void errors() {
  count<<<1, 2048>>>(nullptr);
  std::printf("%s, ", cudaGetErrorName(cudaPeekAtLastError()));
  std::printf("%s, ", cudaGetErrorName(cudaGetLastError()));
  std::printf("%s\n", cudaGetErrorName(cudaGetLastError()));
  void *pointer;
  std::printf("%s\n", cudaGetErrorName(cudaMalloc(&pointer, ~size_t(0))));
  count<<<1, 32>>>(nullptr);
  std::printf("%s\n", cudaGetErrorName(cudaDeviceSynchronize()));
  std::printf("%s\n", cudaGetErrorName(cudaMalloc(&pointer, 4)));
  // The error of a kernel stays, others do not.
  cudaGetLastError();
  std::printf("%s\n", cudaGetErrorName(cudaGetLastError()));
}

int main() {
  memoryAndSymbols();
  streamsAndGraphs();
  launchesWithAttributes();
  severalThreads();
  device();
  errors();
  return 0;
}
