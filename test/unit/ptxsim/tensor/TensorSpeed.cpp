// Prints how fast tensor operations are beside the peaks of this CPU. Not a
// test: run it by hand.

#include "tools/ptxsim/tensor/BulkTensor.h"
#include "tools/ptxsim/tensor/WarpgroupMultiply.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <vector>

using namespace ptxsim;

/// Returns the least seconds that one call takes.
static double timeOf(const std::function<void()> &function) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  for (int round = 0; round < 25; ++round) {
    int calls = 0;
    auto start = Clock::now();
    double seconds;
    do {
      function();
      ++calls;
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    } while (seconds < 0.01);
    best = std::min(best, seconds / calls);
  }
  return best;
}

#define EIGHT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define FMA512(i) "vfmadd231ps %%zmm30,%%zmm31,%%zmm" #i "\n"
#define FMA256(i) "vfmadd231ps %%ymm14,%%ymm15,%%ymm" #i "\n"
#define DOT512(i) "vdpbf16ps %%zmm30,%%zmm31,%%zmm" #i "\n"

static double peak(bool is512, bool isDot) {
  constexpr int rounds = 1000;
  double seconds = timeOf([&] {
    for (int i = 0; i < rounds; ++i) {
      if (isDot)
        asm volatile(EIGHT(DOT512) EIGHT(DOT512)::
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                           "xmm6", "xmm7");
      else if (is512)
        asm volatile(EIGHT(FMA512) EIGHT(FMA512)::
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                           "xmm6", "xmm7");
      else
        asm volatile(EIGHT(FMA256) EIGHT(FMA256)::
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                           "xmm6", "xmm7");
    }
  });
  return rounds * 16.0 * (isDot ? 64 : is512 ? 32 : 16) / seconds;
}

static void timeProduct(const char *name, WarpgroupShape shape, int steps,
                        bool isARegister, bool isHopper, double fma) {
  constexpr uint32_t sharedBytes = 1 << 17;
  std::vector<uint8_t> bytes(sharedBytes + 1024, 0);
  uint8_t *shared = bytes.data() + 1024 - uintptr_t(bytes.data()) % 1024;
  for (uint32_t i = 0; i < sharedBytes; i += 2) {
    uint16_t value = uint16_t(0x3f00 + i % 128);
    std::memcpy(shared + i, &value, 2);
  }
  std::vector<uint32_t> planes(4 * 128 * 32, 0);
  uint32_t *d[4][128];
  uint32_t *const *rows[4];
  for (int warp = 0; warp < 4; ++warp) {
    rows[warp] = d[warp];
    for (int i = 0; i < 128; ++i)
      d[warp][i] = &planes[(warp * 128 + i) * 32];
  }
  std::vector<WarpgroupStep> list(steps);
  for (int i = 0; i < steps; ++i) {
    uint64_t layout = uint64_t(1) << 62 | uint64_t(64) << 32 | 1 << 16;
    list[i].descriptorA = layout | (32 * i) >> 4;
    list[i].descriptorB = layout | (32768 + 32 * i) >> 4;
    list[i].isAInRegisters = isARegister;
    list[i].scaleD = i > 0;
    for (auto &warp : list[i].a)
      for (auto &plane : warp)
        plane = reinterpret_cast<const uint32_t *>(shared);
  }
  WarpgroupMultiplier multiplier;
  double seconds = timeOf([&] {
    multiplier.multiply(shape, list.data(), list.size(), shared, rows,
                        isHopper);
  });
  double flops = 2.0 * 64 * shape.n * shape.k() * steps / seconds;
  printf("%-28s n%-3u x %d: %8.2f us %7.1f GFLOP/s, %3.0f %% of f32 FMA\n",
         name, shape.n, steps, seconds * 1e6, flops / 1e9, flops / fma * 100);
}

static void timeTile(TensorSwizzle swizzle) {
  static uint8_t global[1 << 16];
  alignas(1024) static uint8_t shared[8192], copy[8192];
  TensorMap map;
  map.type = TensorType::BF16;
  map.rank = 2;
  map.swizzle = swizzle;
  map.address = uint64_t(uintptr_t(global));
  map.dim = {512, 64};
  map.stride = {2, 1024};
  map.box = {64, 64};
  map.elementStride = {1, 1};
  BulkRequest request;
  request.rank = 2;
  request.sharedBytes = sizeof shared;
  BoxTransfer transfer;
  if (!prepare(map, request, transfer).empty())
    return;
  double seconds = timeOf([&] { load(transfer, shared); });
  double plain = timeOf([&] {
    for (int row = 0; row < 64; ++row)
      std::memcpy(copy + 128 * row, global + 1024 * row, 128);
    asm volatile("" ::"r"(copy) : "memory");
  });
  printf("64x64 bf16 tile, swizzle %3u: %.0f ns (%.1f GB/s); memcpy of its "
         "rows %.0f ns\n",
         spanOf(swizzle), seconds * 1e9, 8192 / seconds / 1e9, plain * 1e9);
}

int main() {
  bool is512 = __builtin_cpu_supports("avx512f");
  double fma = peak(is512, false);
  printf("f32 FMA peak: %.1f GFLOP/s\n", fma / 1e9);
  if (__builtin_cpu_supports("avx512bf16"))
    printf("vdpbf16ps peak: %.1f GFLOP/s\n", peak(true, true) / 1e9);
  timeTile(TensorSwizzle::None);
  timeTile(TensorSwizzle::Bytes128);
  WarpgroupShape shape;
  for (uint32_t n : {256u, 128u, 64u, 8u}) {
    shape.n = n;
    timeProduct("bf16", shape, 4, false, false, fma);
    timeProduct("bf16", shape, 1, false, false, fma);
  }
  shape.n = 128;
  timeProduct("bf16, A in registers", shape, 4, true, false, fma);
  shape.a = shape.b = WarpgroupType::F16;
  timeProduct("f16", shape, 4, false, false, fma);
  shape.d = WarpgroupSum::F16;
  timeProduct("f16, sum in f16", shape, 4, false, false, fma);
  shape.d = WarpgroupSum::F32;
  shape.a = shape.b = WarpgroupType::TF32;
  timeProduct("tf32", shape, 4, false, false, fma);
  shape.a = shape.b = WarpgroupType::E4M3;
  timeProduct("e4m3", shape, 4, false, false, fma);
  timeProduct("e4m3 like Hopper", shape, 4, false, true, fma);
  shape.a = shape.b = WarpgroupType::S8;
  shape.d = WarpgroupSum::S32;
  timeProduct("s8", shape, 4, false, false, fma);
  shape.a = shape.b = WarpgroupType::B1;
  timeProduct("b1", shape, 4, false, false, fma);
}
