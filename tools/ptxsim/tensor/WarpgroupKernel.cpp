// The inner loops of wgmma, which keep accumulators in the layout of fragments.
//
// All types go through f32 FMA: products of 16-bit and 8-bit floats are exact
// in f32, and sums of 8-bit integers are exact as long as they stay below 2^24.
//
// vdpbf16ps does twice as many operations a second as FMA on a Zen 4 CPU, and
// half as many on Sapphire Rapids. It is two FMAs, one after the other, but
// takes subnormal numbers for zeros (Intel SDM, VDPBF16PS). So it is used where
// it is faster and all operands are 0 or at least 2^-56, and all accumulators 0
// or at least 2^-103: they and all sums are then multiples of 2^-126, none is
// subnormal, and the bits are those of FMA.
//
// Hopper's accumulators for 8-bit floats are modelled after MMA-Sim (arXiv
// 2511.10909), which agrees with an H100 bit for bit; DeepSeek-V3 (arXiv
// 2412.19437, section 3.5.2) found the same 14 bits on an H800. All products of
// an instruction and the accumulator are one sum: each is cut off, toward zero,
// behind the 13th bit after the place of the largest exponent, where the
// exponent of a product is the sum of those of its factors. The sum is cut to
// 13 bits behind its first if it is f32, and rounded to nearest if it is f16.

#include "tools/ptxsim/tensor/WarpgroupPack.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <immintrin.h>

using namespace ptxsim;
using namespace ptxsim::warpgroup;

// Not inlined by itself where the caller has more instructions.
#define INLINE inline __attribute__((always_inline))

#ifdef __AVX512F__
static constexpr int lanes = 16;
#else
static constexpr int lanes = 8;
#endif
/// Vectors of A that a block has; with 6 of B, accumulators fill the registers.
static constexpr int vectors = lanes == 16 ? 4 : 2;

using F32 = float __attribute__((vector_size(4 * lanes)));
using U32 = uint32_t __attribute__((vector_size(4 * lanes)));
using S32 = int32_t __attribute__((vector_size(4 * lanes)));
using U16 = uint16_t __attribute__((vector_size(2 * lanes)));
using F16 = _Float16 __attribute__((vector_size(2 * lanes)));
using F32x4 = float __attribute__((vector_size(16)));

template <typename Vector>
static inline Vector loadVector(const void *at) {
  Vector value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename Vector>
static inline void storeVector(void *at, Vector value) {
  std::memcpy(at, &value, sizeof value);
}

/// Loads 4 columns of B for each row.
static inline F32 loadColumns(const float *at) {
  F32x4 four = loadVector<F32x4>(at);
#ifdef __AVX512F__
  return __builtin_shufflevector(four, four, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
                                 0, 1, 2, 3);
#else
  return __builtin_shufflevector(four, four, 0, 1, 2, 3, 0, 1, 2, 3);
#endif
}

static inline U32 select(U32 mask, U32 ifSet, U32 otherwise) {
  return (mask & ifSet) | (~mask & otherwise);
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

// A sum type reads and writes the accumulators of 8 columns: `even` are those
// with even numbers. `quarter` counts 16 lanes: two for rows 0 to 7, two for
// rows 8 to 15 of a warp.

namespace {
struct SumF32 {
  static constexpr bool startsAtZero = false;

  static U32 cut(U32 bits) { return bits & 0xfffffc00; }

  static U32 canonical(F32 value) {
    return select((U32)(value != value), U32{} + 0x7fffffff, (U32)value);
  }
  static void load(uint32_t *const *d, uint32_t group, uint32_t half,
                   uint32_t lane, F32 &even, F32 &odd) {
    even = loadVector<F32>(d[4 * group + 2 * half] + lane);
    odd = loadVector<F32>(d[4 * group + 2 * half + 1] + lane);
  }
  static void store(uint32_t *const *d, uint32_t group, uint32_t half,
                    uint32_t lane, F32 even, F32 odd, const Product &) {
    storeVector(d[4 * group + 2 * half] + lane, canonical(even));
    storeVector(d[4 * group + 2 * half + 1] + lane, canonical(odd));
  }
};

struct SumF16 {
  static constexpr bool startsAtZero = false;

  static U32 cut(U32 bits) { return bits; }

  static F32 widen(U32 bits) {
    return __builtin_convertvector((F16) __builtin_convertvector(bits, U16),
                                   F32);
  }
  static U32 narrow(F32 value) {
    U32 bits =
        __builtin_convertvector((U16) __builtin_convertvector(value, F16), U32);
    return select((U32)(value != value), U32{} + 0x7fff, bits);
  }
  static void load(uint32_t *const *d, uint32_t group, uint32_t half,
                   uint32_t lane, F32 &even, F32 &odd) {
    U32 bits = loadVector<U32>(d[2 * group + half] + lane);
    even = widen(bits & 0xffff);
    odd = widen(bits >> 16);
  }
  static void store(uint32_t *const *d, uint32_t group, uint32_t half,
                    uint32_t lane, F32 even, F32 odd, const Product &) {
    storeVector(d[2 * group + half] + lane, narrow(even) | narrow(odd) << 16);
  }
};

/// Sums of integers start at zero to be exact, and are added at the end.
struct SumS32 {
  static constexpr bool startsAtZero = true;

  static void add(uint32_t *at, F32 value, const Product &product) {
    U32 sum = (U32) __builtin_convertvector(value, S32);
    if (product.scaleD) {
      U32 old = loadVector<U32>(at), total = old + sum;
      if (product.saturates) {
        U32 overflow = (U32)((S32)(~(old ^ sum) & (old ^ total)) < 0);
        U32 limit = 0x7fffffff + (old >> 31);
        total = select(overflow, limit, total);
      }
      sum = total;
    }
    storeVector(at, sum);
  }
  static void load(uint32_t *const *, uint32_t, uint32_t, uint32_t, F32 &,
                   F32 &) {}
  static void store(uint32_t *const *d, uint32_t group, uint32_t half,
                    uint32_t lane, F32 even, F32 odd, const Product &product) {
    add(d[4 * group + 2 * half] + lane, even, product);
    add(d[4 * group + 2 * half + 1] + lane, odd, product);
  }
};

/// Which accumulators a block is about: `vectors` times `lanes` of the 64 lanes
/// that the rows of a warp make, by some groups of 8 columns.
struct Place {
  uint32_t *const *d;
  uint32_t firstLane; ///< 0 to 63.
  uint32_t firstGroup;

  uint32_t half(int v) const { return (firstLane + v * lanes) / 32; }
  uint32_t lane(int v) const { return (firstLane + v * lanes) % 32; }
};
} // namespace

template <typename Sum, int groups>
static INLINE void loadBlock(const Product &product, const Place &place,
                             F32 (&sums)[vectors][2 * groups]) {
  for (int v = 0; v < vectors; ++v)
    for (int g = 0; g < groups; ++g) {
      sums[v][2 * g] = sums[v][2 * g + 1] = F32{};
      if (product.scaleD && !Sum::startsAtZero)
        Sum::load(place.d, place.firstGroup + g, place.half(v), place.lane(v),
                  sums[v][2 * g], sums[v][2 * g + 1]);
    }
}

template <typename Sum, int groups>
static INLINE void storeBlock(const Product &product, const Place &place,
                              const F32 (&sums)[vectors][2 * groups]) {
  for (int v = 0; v < vectors; ++v)
    for (int g = 0; g < groups; ++g)
      Sum::store(place.d, place.firstGroup + g, place.half(v), place.lane(v),
                 sums[v][2 * g], sums[v][2 * g + 1], product);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Adds a[k] * b[k] for all k. `a` and `b` point to those of the block.
template <typename Sum, int groups>
static void addBlock(const Product &product, const Place &place, const float *a,
                     const float *b) {
  F32 sums[vectors][2 * groups];
  loadBlock<Sum, groups>(product, place, sums);
  const uint32_t units = product.units;
  for (uint32_t k = 0; k < units; ++k) {
    F32 rows[vectors];
    for (int v = 0; v < vectors; ++v)
      rows[v] = loadVector<F32>(a + v * lanes);
    for (int s = 0; s < 2 * groups; ++s) {
      F32 columns = loadColumns(b + 4 * size_t(units) * s);
      for (int v = 0; v < vectors; ++v)
        sums[v][s] = __builtin_elementwise_fma(rows[v], columns, sums[v][s]);
    }
    a += 64;
    b += 4;
  }
  storeBlock<Sum, groups>(product, place, sums);
}

#ifdef __AVX512F__
/// Like `addBlock` for pairs of bf16.
template <typename Sum, int groups>
__attribute__((target("avx512bf16"))) static void
addBlockOfPairs(const Product &product, const Place &place, const float *a,
                const float *b) {
  F32 sums[vectors][2 * groups];
  loadBlock<Sum, groups>(product, place, sums);
  const uint32_t units = product.units;
  for (uint32_t k = 0; k < units; ++k) {
    F32 rows[vectors];
    for (int v = 0; v < vectors; ++v)
      rows[v] = loadVector<F32>(a + v * lanes);
    for (int s = 0; s < 2 * groups; ++s) {
      F32 columns = loadColumns(b + 4 * size_t(units) * s);
      for (int v = 0; v < vectors; ++v)
        sums[v][s] = (F32)_mm512_dpbf16_ps(
            (__m512)sums[v][s], (__m512bh)rows[v], (__m512bh)columns);
    }
    a += 64;
    b += 4;
  }
  storeBlock<Sum, groups>(product, place, sums);
}
#endif

/// Returns the bits of the exponent, at least `least`, but 0 for a zero.
static inline U32 exponentBits(F32 value, uint32_t least) {
  U32 bits = (U32)value & 0x7f800000;
  bits = select((U32)(bits < least), U32{} + least, bits);
  return bits & (U32)(value != 0.0f);
}

/// Finds the largest exponent of all that is added, as bits of an f32.
template <int groups>
static inline void findLargest(const Product &product, const float *a,
                               const float *b,
                               const F32 (&sums)[vectors][2 * groups],
                               U32 (&largest)[vectors][2 * groups]) {
  for (int v = 0; v < vectors; ++v)
    for (int s = 0; s < 2 * groups; ++s)
      largest[v][s] = exponentBits(sums[v][s], 1 << 23);
  for (uint32_t k = 0; k < product.units; ++k)
    for (int s = 0; s < 2 * groups; ++s) {
      U32 columns =
          exponentBits(loadColumns(b + 4 * size_t(product.units) * s + 4 * k),
                       product.leastExponentB);
      for (int v = 0; v < vectors; ++v) {
        U32 rows = exponentBits(loadVector<F32>(a + 64 * k + v * lanes),
                                product.leastExponentA);
        U32 sum = (rows + columns - (127u << 23)) & (U32)(rows != 0u) &
                  (U32)(columns != 0u);
        largest[v][s] = select((U32)(sum > largest[v][s]), sum, largest[v][s]);
      }
    }
}

/// Like `addBlock`, but for the products of one instruction in reduced
/// precision.
template <typename Sum, int groups>
static void addBlockLikeHopper(const Product &product, const Place &place,
                               const float *a, const float *b) {
  F32 sums[vectors][2 * groups];
  U32 largest[vectors][2 * groups];
  loadBlock<Sum, groups>(product, place, sums);
  findLargest<groups>(product, a, b, sums, largest);
  for (int v = 0; v < vectors; ++v)
    for (int s = 0; s < 2 * groups; ++s) {
      // Products are at least 2^-32; an accumulator below 2^-100 that is alone
      // loses bits in which nothing else is that small.
      U32 exponent = select((U32)(largest[v][s] < (27u << 23)),
                            U32{} + (27u << 23), largest[v][s]);
      F32 unit = (F32)(exponent - (13u << 23));
      F32 scale = (F32)((254u << 23) - (U32)unit);
      F32 sum = __builtin_elementwise_trunc(sums[v][s] * scale);
      for (uint32_t k = 0; k < product.units; ++k) {
        F32 term = loadVector<F32>(a + 64 * k + v * lanes) *
                   loadColumns(b + 4 * size_t(product.units) * s + 4 * k);
        sum += __builtin_elementwise_trunc(term * scale);
      }
      sums[v][s] = (F32)Sum::cut((U32)(sum * unit));
    }
  storeBlock<Sum, groups>(product, place, sums);
}

namespace {
enum class Method { Fma, Dot, Hopper };
} // namespace

template <typename Sum, Method method, int groups>
static void runBlock(const Product &product, const Place &place) {
  const float *a = product.a + place.firstLane;
  const float *b = product.b + size_t(2 * place.firstGroup) * product.units * 4;
  if constexpr (method == Method::Hopper)
    addBlockLikeHopper<Sum, groups>(product, place, a, b);
#ifdef __AVX512F__
  else if constexpr (method == Method::Dot)
    addBlockOfPairs<Sum, groups>(product, place, a, b);
#endif
  else
    addBlock<Sum, groups>(product, place, a, b);
}

template <typename Sum, Method method>
static void runAll(const Product &product, uint32_t *const *d) {
  uint32_t groups = product.n / 8;
  for (uint32_t lane = 0; lane < 64; lane += vectors * lanes) {
    Place place = {d, lane, 0};
    for (; place.firstGroup + 3 <= groups; place.firstGroup += 3)
      runBlock<Sum, method, 3>(product, place);
    if (place.firstGroup + 2 == groups)
      runBlock<Sum, method, 2>(product, place);
    else if (place.firstGroup < groups)
      runBlock<Sum, method, 1>(product, place);
  }
}

void ptxsim::warpgroup::addProduct(const Product &product, WarpgroupSum sum,
                                   uint32_t *const *d) {
  switch (sum) {
  case WarpgroupSum::F32:
    return runAll<SumF32, Method::Fma>(product, d);
  case WarpgroupSum::F16:
    return runAll<SumF16, Method::Fma>(product, d);
  case WarpgroupSum::S32:
    return runAll<SumS32, Method::Fma>(product, d);
  }
}

void ptxsim::warpgroup::addProductLikeHopper(const Product &product,
                                             WarpgroupSum sum,
                                             uint32_t *const *d) {
  if (sum == WarpgroupSum::F16)
    return runAll<SumF16, Method::Hopper>(product, d);
  runAll<SumF32, Method::Hopper>(product, d);
}

//===----------------------------------------------------------------------===//
// vdpbf16ps
//===----------------------------------------------------------------------===//

bool ptxsim::warpgroup::canDot(const Product &product, uint32_t *const *d) {
  if (!product.scaleD)
    return true;
  const uint32_t least = ((127u - 103) << 24) - 1;
  U32 tooSmall = {};
  for (uint32_t i = 0; i < product.n / 2; ++i)
    for (uint32_t lane = 0; lane < 32; lane += lanes) {
      U32 order = (loadVector<U32>(d[i] + lane) << 1) - 1; // Zero is largest.
      tooSmall |= (U32)(order < least);
    }
  for (int i = 0; i < lanes; ++i)
    if (tooSmall[i])
      return false;
  return true;
}

#ifdef __AVX512F__
void ptxsim::warpgroup::addDotProduct(const Product &product,
                                      uint32_t *const *d) {
  runAll<SumF32, Method::Dot>(product, d);
}

bool ptxsim::warpgroup::hasDot() {
  return __builtin_cpu_supports("avx512bf16");
}

/// Returns the least seconds that one call takes.
template <typename Function>
static double secondsOf(const Function &function) {
  using Clock = std::chrono::steady_clock;
  double least = 1;
  for (int i = 0; i < 20; ++i) {
    Clock::time_point start = Clock::now();
    function();
    least = std::min(
        least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return least;
}

static bool measureDot() {
  if (!hasDot())
    return false;
  // Zeros: 24 columns times 64 of K.
  constexpr uint32_t depth = 64, registers = 12;
  static const float a[64 * depth] = {}, b[24 * depth] = {};
  uint32_t planes[registers][32] = {};
  uint32_t *d[registers];
  for (uint32_t i = 0; i < registers; ++i)
    d[i] = planes[i];
  Product product;
  product.a = a;
  product.b = b;
  product.n = 24;
  product.units = depth;
  double fma = secondsOf([&] { addProduct(product, WarpgroupSum::F32, d); });
  product.units = depth / 2;
  return secondsOf([&] { addDotProduct(product, d); }) < fma;
}

bool ptxsim::warpgroup::isDotFaster() {
  static const bool isFaster = measureDot();
  return isFaster;
}
#else
void ptxsim::warpgroup::addDotProduct(const Product &, uint32_t *const *) {
  __builtin_unreachable();
}
bool ptxsim::warpgroup::hasDot() { return false; }
bool ptxsim::warpgroup::isDotFaster() { return false; }
#endif
