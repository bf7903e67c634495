// Floating-point arithmetic, functions and conversions on the device and on the host.

#include "Testing.h"
#include <cfenv>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

// Compiled without the assumption that the rounding mode is the default one.
template <typename T, typename Operation>
__attribute__((noinline)) static T rounded(int mode, T a, T b, T c, Operation operation) {
  volatile T x = a, y = b, z = c;
  std::fesetround(mode);
  volatile T result = operation(x, y, z);
  std::fesetround(FE_TONEAREST);
  return result;
}

static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};

#define IN_MODES(NAME, ARGUMENTS)                                              \
  *to++ = NAME##_rn ARGUMENTS;                                                 \
  *to++ = NAME##_rz ARGUMENTS;                                                 \
  *to++ = NAME##_ru ARGUMENTS;                                                 \
  *to++ = NAME##_rd ARGUMENTS;

__global__ void roundF32(float *results, const float *a, const float *b, const float *c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  float *to = results + 24 * i;
  IN_MODES(__fadd, (a[i], b[i]))
  IN_MODES(__fmul, (a[i], b[i]))
  IN_MODES(__fdiv, (a[i], b[i]))
  IN_MODES(__fmaf, (a[i], b[i], c[i]))
  IN_MODES(__fsqrt, (a[i]))
  IN_MODES(__frcp, (a[i]))
}

__global__ void roundF64(double *results, const double *a, const double *b, const double *c, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  double *to = results + 24 * i;
  IN_MODES(__dadd, (a[i], b[i]))
  IN_MODES(__dmul, (a[i], b[i]))
  IN_MODES(__ddiv, (a[i], b[i]))
  IN_MODES(__fma, (a[i], b[i], c[i]))
  IN_MODES(__dsqrt, (a[i]))
  IN_MODES(__drcp, (a[i]))
}

/// Numbers of every exponent, and special ones.
template <typename T> static std::vector<T> numbers(int n, int seed, int exponents) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> mantissa(-2, 2);
  const T special[] = {T(0), T(-0.0), T(1), T(INFINITY), T(-INFINITY), T(NAN),
                       std::numeric_limits<T>::denorm_min(),
                       std::numeric_limits<T>::max(), std::numeric_limits<T>::min()};
  std::vector<T> result(n);
  for (T &value : result) {
    uint64_t bits = random();
    value = bits % 10 == 0
                ? special[bits / 16 % 9]
                : T(std::ldexp(mantissa(random), int(bits / 16 % (2 * exponents)) - exponents));
  }
  return result;
}

template <typename T> static bool same(T got, T expected) {
  return (std::isnan(got) && std::isnan(expected)) ||
         std::memcmp(&got, &expected, sizeof(T)) == 0;
}

template <typename T, typename Kernel>
static void compareRounding(const char *name, Kernel kernel, int exponents) {
  Comparison comparison(name);
  constexpr int n = 3001;
  auto a = numbers<T>(n, 1, exponents), b = numbers<T>(n, 2, exponents),
       c = numbers<T>(n, 3, exponents);
  Buffer<T> deviceA(a), deviceB(b), deviceC(c), results(24 * n);
  kernel<<<blocksFor(n, 128), 128>>>(results.data, deviceA.data, deviceB.data,
                                     deviceC.data, n);
  finish();
  std::vector<T> got = results.values();
  for (int i = 0; i < n; ++i)
    for (int m = 0; m < 4; ++m) {
      auto check = [&](const char *what, int at, auto operation) {
        comparison(what, i, same(got[24 * i + 4 * at + m],
                                 rounded(modes[m], a[i], b[i], c[i], operation)));
      };
      check("add", 0, [](T x, T y, T) { return x + y; });
      check("multiply", 1, [](T x, T y, T) { return x * y; });
      check("divide", 2, [](T x, T y, T) { return x / y; });
      check("fma", 3, [](T x, T y, T z) { return std::fma(x, y, z); });
      check("square root", 4, [](T x, T, T) { return std::sqrt(x); });
      check("reciprocal", 5, [](T x, T, T) { return 1 / x; });
    }
}

// Functions of the CUDA math library, with the errors that its guide states in units
// of the last place (2^-23, taken as relative).

#define FUNCTIONS(X)                                                           \
  X(sin, -100, 100, 2) X(cos, -100, 100, 2) X(tan, -100, 100, 4)               \
  X(exp, -80, 80, 2) X(exp2, -120, 120, 2) X(expm1, -80, 80, 2)                \
  X(log, 1e-30, 1e30, 2) X(log2, 1e-30, 1e30, 2) X(log10, 1e-30, 1e30, 2)      \
  X(log1p, -0.99, 1e20, 2) X(tanh, -10, 10, 2) X(sinh, -80, 80, 4)             \
  X(cosh, -80, 80, 2) X(asin, -1, 1, 3) X(acos, -1, 1, 3) X(atan, -1e3, 1e3, 2) \
  X(erf, -5, 5, 2) X(erfc, -5, 9, 8) X(cbrt, -1e20, 1e20, 2)                   \
  X(lgamma, 3, 1e3, 8) X(tgamma, 0.1, 30, 8)

enum { functionCount = 0
#define COUNT(NAME, ...) + 1
  FUNCTIONS(COUNT)
};

__global__ void functions(float *results, const float *x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  int at = 0;
#define COMPUTE(NAME, ...)                                                     \
  results[at * n + i] = NAME##f(x[at * n + i]);                                \
  ++at;
  FUNCTIONS(COMPUTE)
}

static void compareFunctions() {
  Comparison comparison("functions");
  constexpr int n = 777;
  std::mt19937 random(4);
  std::vector<float> x;
  auto fill = [&](double from, double to) {
    std::uniform_real_distribution<double> values(from, to);
    for (int i = 0; i < n; ++i)
      x.push_back(float(values(random)));
  };
#define FILL(NAME, FROM, TO, ULPS) fill(FROM, TO);
  FUNCTIONS(FILL)
  Buffer<float> inputs(x), results(x.size());
  functions<<<blocksFor(n, 256), 256>>>(results.data, inputs.data, n);
  finish();
  std::vector<float> got = results.values();
  int at = 0;
  auto compare = [&](const char *name, int ulps, double (*function)(double)) {
    std::vector<double> expected;
    std::vector<float> own(got.begin() + at * n, got.begin() + (at + 1) * n);
    for (int i = 0; i < n; ++i)
      expected.push_back(function(x[at * n + i]));
    // Near zeros of sine and cosine the argument's reduction counts.
    comparison.near(name, own, expected, ulps * std::ldexp(1, -23), 1e-5);
    ++at;
  };
#define COMPARE(NAME, FROM, TO, ULPS) \
  compare(#NAME, ULPS, [](double v) { return std::NAME(v); });
  FUNCTIONS(COMPARE)
}

// Conversions between the small formats, through all their values.

__global__ void conversions(uint16_t *halves, uint16_t *bfloats, uint8_t *e4m3,
                            uint8_t *e5m2, float *back, const float *x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  __half half = __float2half_rn(x[i]);
  __nv_bfloat16 bfloat = __float2bfloat16_rn(x[i]);
  halves[i] = __half_as_ushort(half);
  bfloats[i] = __bfloat16_as_ushort(bfloat);
  e4m3[i] = __nv_cvt_float_to_fp8(x[i], __NV_SATFINITE, __NV_E4M3);
  e5m2[i] = __nv_cvt_float_to_fp8(x[i], __NV_SATFINITE, __NV_E5M2);
  back[4 * i] = __half2float(half);
  back[4 * i + 1] = __bfloat162float(bfloat);
  back[4 * i + 2] = __half2float(__half(__nv_cvt_fp8_to_halfraw(e4m3[i], __NV_E4M3)));
  back[4 * i + 3] = __half2float(__half(__nv_cvt_fp8_to_halfraw(e5m2[i], __NV_E5M2)));
}

static void compareConversions() {
  Comparison comparison("conversions");
  std::vector<float> x = numbers<float>(20001, 5, 30);
  int n = int(x.size());
  Buffer<float> inputs(x), back(4 * n);
  Buffer<uint16_t> halves(n), bfloats(n);
  Buffer<uint8_t> e4m3(n), e5m2(n);
  conversions<<<blocksFor(n, 256), 256>>>(halves.data, bfloats.data, e4m3.data,
                                          e5m2.data, back.data, inputs.data, n);
  finish();
  // The toolkit's functions for the host do the same in integers.
  auto gotHalves = halves.values(), gotBfloats = bfloats.values();
  auto gotE4m3 = e4m3.values(), gotE5m2 = e5m2.values();
  auto gotBack = back.values();
  for (int i = 0; i < n; ++i) {
    __half half = __float2half_rn(x[i]);
    __nv_bfloat16 bfloat = __float2bfloat16_rn(x[i]);
    comparison("half", i, gotHalves[i] == __half_as_ushort(half) || std::isnan(x[i]));
    comparison("bfloat16", i, gotBfloats[i] == __bfloat16_as_ushort(bfloat) || std::isnan(x[i]));
    auto e4 = __nv_cvt_float_to_fp8(x[i], __NV_SATFINITE, __NV_E4M3);
    auto e5 = __nv_cvt_float_to_fp8(x[i], __NV_SATFINITE, __NV_E5M2);
    comparison("e4m3", i, gotE4m3[i] == e4 || std::isnan(x[i]));
    comparison("e5m2", i, gotE5m2[i] == e5 || std::isnan(x[i]));
    comparison("half to float", i, same(gotBack[4 * i], __half2float(half)));
    comparison("bfloat16 to float", i, same(gotBack[4 * i + 1], __bfloat162float(bfloat)));
    comparison("e4m3 to float", i,
               same(gotBack[4 * i + 2],
                    __half2float(__half(__nv_cvt_fp8_to_halfraw(gotE4m3[i], __NV_E4M3)))));
    comparison("e5m2 to float", i,
               same(gotBack[4 * i + 3],
                    __half2float(__half(__nv_cvt_fp8_to_halfraw(gotE5m2[i], __NV_E5M2)))));
  }
}

// To integers: rounded, clamped, NaN to 0.

__global__ void toIntegers(int64_t *results, const float *x, const double *d, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  int64_t *to = results + 8 * i;
  to[0] = __float2int_rn(x[i]);
  to[1] = __float2int_ru(x[i]);
  to[2] = __float2uint_rz(x[i]);
  to[3] = __float2ll_rd(x[i]);
  to[4] = __double2int_rn(d[i]);
  to[5] = __double2ll_rz(d[i]);
  to[6] = int64_t(__double2ull_ru(d[i]));
  to[7] = int64_t(uint16_t(__half2ushort_rn(__float2half(x[i]))));
}

static int64_t clamp(double value, double least, double most, int64_t atMost) {
  if (std::isnan(value))
    return 0;
  return value <= least ? int64_t(least) : value >= most ? atMost : int64_t(value);
}

static void compareIntegers() {
  Comparison comparison("to integers");
  constexpr int n = 5001;
  auto x = numbers<float>(n, 6, 34);
  auto d = numbers<double>(n, 7, 66);
  Buffer<float> deviceX(x);
  Buffer<double> deviceD(d);
  Buffer<int64_t> results(8 * n);
  toIntegers<<<blocksFor(n, 64), 64>>>(results.data, deviceX.data, deviceD.data, n);
  finish();
  auto got = results.values();
  const double two31 = std::ldexp(1, 31), two63 = std::ldexp(1, 63);
  for (int i = 0; i < n; ++i) {
    const int64_t *r = &got[8 * i];
    comparison("int rn", i, r[0] == clamp(std::nearbyint(x[i]), -two31, two31 - 1, INT32_MAX));
    comparison("int ru", i, r[1] == clamp(std::ceil(x[i]), -two31, two31 - 1, INT32_MAX));
    comparison("uint rz", i, r[2] == (std::isnan(x[i]) ? 0 : clamp(std::trunc(x[i]), 0, 2 * two31 - 1, UINT32_MAX)));
    // NaN becomes the largest power of two in 64 bits.
    if (!std::isnan(x[i]))
      comparison("long rd", i, r[3] == clamp(std::floor(x[i]), -two63, two63, INT64_MAX));
    if (!std::isnan(d[i])) {
      comparison("int rn of double", i, r[4] == clamp(std::nearbyint(d[i]), -two31, two31 - 1, INT32_MAX));
      comparison("long rz of double", i, r[5] == clamp(std::trunc(d[i]), -two63, two63, INT64_MAX));
      double up = std::ceil(d[i]);
      uint64_t expected = up <= 0 ? 0 : up >= 2 * two63 ? UINT64_MAX : uint64_t(up);
      comparison("unsigned long ru of double", i, uint64_t(r[6]) == expected);
    }
    float half = __half2float(__float2half(x[i]));
    comparison("ushort of half", i, r[7] == (std::isnan(half) ? 0 : clamp(std::nearbyint(half), 0, 65535, 65535)));
  }
}

// Arithmetic of half precision: a sum or product of two is exact in f64, so that one
// rounding of that is the right answer.

__global__ void halves(uint16_t *results, const uint16_t *a, const uint16_t *b, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  __half x = __ushort_as_half(a[i]), y = __ushort_as_half(b[i]);
  __nv_bfloat16 u = __ushort_as_bfloat16(a[i]), v = __ushort_as_bfloat16(b[i]);
  uint16_t *to = results + 8 * i;
  to[0] = __half_as_ushort(__hadd(x, y));
  to[1] = __half_as_ushort(__hmul(x, y));
  to[2] = __half_as_ushort(__hfma(x, y, x));
  to[3] = __half_as_ushort(__hmax(x, y));
  to[4] = __bfloat16_as_ushort(__hadd(u, v));
  to[5] = __bfloat16_as_ushort(__hmul(u, v));
  __half2 pair = __hmul2(__halves2half2(x, y), __halves2half2(y, x));
  to[6] = __half_as_ushort(__high2half(pair));
  to[7] = uint16_t(__hlt(x, y) + 2 * __hge(x, y) + 4 * __hltu(x, y));
}

static void compareHalves() {
  Comparison comparison("halves");
  constexpr int n = 8191;
  std::mt19937 random(8);
  std::vector<uint16_t> a(n), b(n);
  for (int i = 0; i < n; ++i)
    a[i] = uint16_t(random()), b[i] = uint16_t(random());
  Buffer<uint16_t> deviceA(a), deviceB(b), results(8 * n);
  halves<<<blocksFor(n, 96), 96>>>(results.data, deviceA.data, deviceB.data, n);
  finish();
  auto got = results.values();
  auto isNan = [](uint16_t bits) { return (bits & 0x7fff) > 0x7c00; };
  auto isBfloatNan = [](uint16_t bits) { return (bits & 0x7fff) > 0x7f80; };
  for (int i = 0; i < n; ++i) {
    double x = __half2float(__ushort_as_half(a[i])), y = __half2float(__ushort_as_half(b[i]));
    double u = __bfloat162float(__ushort_as_bfloat16(a[i])),
           v = __bfloat162float(__ushort_as_bfloat16(b[i]));
    const uint16_t *r = &got[8 * i];
    auto half = [&](const char *what, int at, double expected) {
      uint16_t bits = __half_as_ushort(__double2half(expected));
      comparison(what, i, isNan(r[at]) ? std::isnan(expected) : r[at] == bits);
    };
    half("add", 0, x + y);
    half("multiply", 1, x * y);
    // The exact sum of a product and a half has up to 40 bits or more; long double
    // holds what matters of it.
    long double exact = (long double)(x) * y + x;
    if (double(exact) == exact)
      half("fma", 2, double(exact));
    half("maximum", 3, std::isnan(x) ? y : std::isnan(y) ? x : x > y || (x == y && !std::signbit(x)) ? x : y);
    half("multiply pairs", 6, x * y);
    // A double rounding through f32 would go wrong; the sum is exact in f64 unless
    // the exponents are far apart.
    auto bfloat = [&](const char *what, int at, double expected) {
      uint16_t bits = __bfloat16_as_ushort(__double2bfloat16(expected));
      comparison(what, i, isBfloatNan(r[at]) ? std::isnan(expected) : r[at] == bits);
    };
    if ((long double)(u) + v == (long double)(u + v))
      bfloat("add bfloat16", 4, u + v);
    bfloat("multiply bfloat16", 5, u * v);
    bool unordered = std::isnan(x) || std::isnan(y);
    comparison("compare", i, r[7] == (x < y) + 2 * (x >= y) + 4 * (x < y || unordered));
  }
}

int main() {
  compareRounding<float>("f32", roundF32, 120);
  compareRounding<double>("f64", roundF64, 1000);
  compareFunctions();
  compareConversions();
  compareIntegers();
  compareHalves();
}
