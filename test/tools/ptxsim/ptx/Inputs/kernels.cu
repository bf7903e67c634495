// What PTX can look like: one kernel or variable for each of its forms.

#include <cassert>
#include <cstdint>
#include <cstdio>

struct Pair {
  int first;
  double second;
};

struct __align__(64) Map {
  unsigned char bytes[128];
};

__device__ __noinline__ int increment(int x) { return x + 1; }
__device__ __noinline__ int triple(int x) { return 3 * x; }
__device__ __noinline__ Pair scale(Pair pair, float by) {
  return {pair.first * int(by), pair.second * by};
}
__device__ int depth(int x) { return x < 2 ? x : depth(x - 1) + depth(x - 2); }

using Function = int (*)(int);
__device__ const Function functions[2] = {increment, triple};
__device__ Function chosen = increment;
__constant__ Pair pairs[3] = {{1, 1.5}, {-2, 1e300}};
__device__ float table[2][3] = {{1.5f, -0.25f}, {3e38f}};
__device__ const char *text = "hello";
__device__ float *pointer = &table[1][2];
__managed__ int managed = 5;
extern __shared__ __align__(1024) unsigned char dynamicBytes[];

template <int N>
__global__ void __launch_bounds__(128, 2) sum(const float *in, float *out) {
  __shared__ float partial[N];
  float value = 0;
  for (int i = threadIdx.x; i < N; i += blockDim.x)
    value += in[i] * __expf(in[i + N]);
  partial[threadIdx.x % N] = value;
  __syncthreads();
  for (int offset = 16; offset; offset /= 2)
    value += __shfl_xor_sync(~0u, value, offset);
  if (threadIdx.x == 0)
    atomicAdd(out, value + partial[1]);
}
template __global__ void sum<32>(const float *, float *);
template __global__ void sum<97>(const float *, float *);

__global__ void calls(int *out, Pair pair, int i) {
  Pair scaled = scale(pair, pairs[i].second);
  out[0] = functions[i](i) + chosen(i) + depth(i) + scaled.first;
  printf("%d %f %s\n", i, scaled.second, text);
  assert(out[0] != 5);
  int local[8];
  for (int j = 0; j < 8; ++j)
    local[(j * i) & 7] = out[j];
  int *heap = new int[4];
  heap[i & 3] = local[i & 7] + managed;
  out[1] = heap[0];
  delete[] heap;
  *pointer = table[i][i];
}

__global__ void branches(int *out, int i) {
  switch (i) {
  case 0: out[4] = 1; break;
  case 1: out[5] = 2; break;
  case 2: out[6] = increment(i); break;
  case 3: out[7] = 9;
  case 4: out[1] = 8; break;
  case 7: out[2] = 7; break;
  default: out[9] = -1;
  }
  out[10] = int(__popcll(out[0]) + __clz(out[1]));
}

__device__ void wait(uint32_t barrier, uint32_t parity) {
  asm volatile("{\n"
               ".reg .pred P1;\n"
               "LAB_WAIT:\n"
               "mbarrier.try_wait.parity.shared::cta.b64 P1, [%0], %1;\n"
               "@P1 bra DONE;\n"
               "bra LAB_WAIT;\n"
               "DONE:\n"
               "}\n" ::"r"(barrier), "r"(parity));
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
__global__ void __cluster_dims__(2, 1, 1)
    copies(const __grid_constant__ Map map, float *out) {
  __shared__ __align__(8) uint64_t barrier;
  uint32_t address = __cvta_generic_to_shared(&barrier);
  uint32_t target = __cvta_generic_to_shared(dynamicBytes);
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address), "r"(1));
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(
                   address),
               "r"(4096));
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::"
               "complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(target),
               "l"(&map), "r"(0), "r"(-1), "r"(address)
               : "memory");
  wait(address, 0);
  wait(address, 1);
  uint32_t elected;
  asm volatile("{ .reg .pred P1; elect.sync _|P1, 0xffffffff;"
               " selp.b32 %0, 1, 0, P1; }"
               : "=r"(elected));
  float d[4] = {};
  asm volatile("wgmma.fence.sync.aligned;\n"
               "{ .reg .pred p; setp.ne.b32 p, %6, 0;\n"
               "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
               "{%0, %1, %2, %3}, %4, %5, p, 1, 1, 0, 0; }\n"
               "wgmma.commit_group.sync.aligned;\n"
               "wgmma.wait_group.sync.aligned 0;"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "l"(uint64_t(address)), "l"(uint64_t(target)), "r"(elected));
  out[threadIdx.x] = d[0] + d[1] + d[2] + d[3];
}
#endif
