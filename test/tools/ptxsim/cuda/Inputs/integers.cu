// Integer arithmetic of every width on the device and on the host.

#include "Testing.h"
#include <limits>
#include <type_traits>

/// Applies an operation to pairs; `Operation` works on host and device.
template <typename T, typename R, typename Operation>
__global__ void apply(R *results, const T *a, const T *b, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    results[i] = Operation()(a[i], b[i]);
}

template <typename T> using Unsigned = std::make_unsigned_t<T>;

#define OPERATION(NAME, EXPRESSION)                                            \
  struct NAME {                                                                \
    template <typename T> __host__ __device__ auto operator()(T a, T b) const { \
      return EXPRESSION;                                                       \
    }                                                                          \
  };

OPERATION(Add, T(Unsigned<T>(a) + Unsigned<T>(b)))
OPERATION(Subtract, T(Unsigned<T>(a) - Unsigned<T>(b)))
OPERATION(Multiply, T(1ull * Unsigned<T>(a) * Unsigned<T>(b)))
OPERATION(Divide, b == 0 || (std::is_signed<T>::value && b == T(-1)) ? T(7) : T(a / b))
OPERATION(Remainder, b == 0 || (std::is_signed<T>::value && b == T(-1)) ? T(7) : T(a % b))
OPERATION(And, T(a & ~b))
OPERATION(Or, T(~(a | b)))
OPERATION(Xor, T(a ^ b))
OPERATION(Left, T(Unsigned<T>(a) << (b & (8 * sizeof(T) - 1))))
OPERATION(Right, T(a >> (b & (8 * sizeof(T) - 1))))
OPERATION(Minimum, a < b ? a : b)
OPERATION(Maximum, a > b ? a : b)
OPERATION(Order, int(a < b) + 2 * int(a <= b) + 4 * int(a == b) + 8 * int(a >= b))
OPERATION(Rotate, T(Unsigned<T>(a) << 3 | Unsigned<T>(a) >> (8 * sizeof(T) - 3)))
OPERATION(ToDouble, double(a) + double(b))
OPERATION(ToFloat, float(a))
OPERATION(Narrow, int8_t(a))
OPERATION(Widen, __int128(a) * __int128(b))
OPERATION(Quotient128, (__int128(a) * 1000003 + 12345) / (b == 0 ? 1 : __int128(b)))

/// Random numbers of all sizes, and the ends of the range.
template <typename T> static std::vector<T> numbers(int n, int seed) {
  std::mt19937_64 random(seed);
  std::vector<T> result(n);
  const T ends[] = {0, 1, T(-1), std::numeric_limits<T>::min(),
                    std::numeric_limits<T>::max()};
  for (T &value : result) {
    uint64_t bits = random();
    value = bits % 8 == 0 ? ends[bits / 8 % 5]
                          : T(T(random()) >> bits / 8 % (8 * sizeof(T)));
  }
  return result;
}

template <typename T, typename Operation>
static void compare(Comparison &comparison, const char *what) {
  using R = decltype(Operation()(T(), T()));
  for (int n : oddSizes) {
    std::vector<T> a = numbers<T>(n, n), b = numbers<T>(n, n + 1);
    Buffer<T> deviceA(a), deviceB(b);
    Buffer<R> results(n);
    apply<T, R, Operation>
        <<<blocksFor(n, 96), 96>>>(results.data, deviceA.data, deviceB.data, n);
    finish();
    std::vector<R> expected(n);
    for (int i = 0; i < n; ++i)
      expected[i] = Operation()(a[i], b[i]);
    comparison.bits(what, results.values(), expected);
  }
}

template <typename T> static void compareAll(const char *name) {
  Comparison comparison(name);
  compare<T, Add>(comparison, "add");
  compare<T, Subtract>(comparison, "subtract");
  compare<T, Multiply>(comparison, "multiply");
  compare<T, Divide>(comparison, "divide");
  compare<T, Remainder>(comparison, "remainder");
  compare<T, And>(comparison, "and");
  compare<T, Or>(comparison, "or");
  compare<T, Xor>(comparison, "xor");
  compare<T, Left>(comparison, "left");
  compare<T, Right>(comparison, "right");
  compare<T, Minimum>(comparison, "minimum");
  compare<T, Maximum>(comparison, "maximum");
  compare<T, Order>(comparison, "order");
  compare<T, Rotate>(comparison, "rotate");
  compare<T, ToDouble>(comparison, "to double");
  compare<T, ToFloat>(comparison, "to float");
  compare<T, Narrow>(comparison, "narrow");
  compare<T, Widen>(comparison, "widen");
  compare<T, Quotient128>(comparison, "quotient of 128 bits");
}

// Intrinsics beside their definitions.

#define WORDS(X)                                                               \
  X(leading) X(ones) X(reversed) X(first) X(permuted) X(shifted) X(high) X(sad) \
  X(dot) X(bytes) X(signedDot) X(ones64) X(leading64) X(halvesSum)             \
  X(high64) X(reversed64)

struct Bits {
#define MEMBER(NAME) uint64_t NAME;
  WORDS(MEMBER)
};

__global__ void intrinsics(Bits *results, const uint32_t *a, const uint32_t *b, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  uint64_t wide = uint64_t(a[i]) << 32 | b[i];
  Bits &r = results[i];
  r.leading = __clz(a[i]);
  r.ones = __popc(a[i]);
  r.reversed = __brev(a[i]);
  r.first = __ffs(a[i]);
  r.permuted = __byte_perm(a[i], b[i], b[i] & 0x7777);
  r.shifted = __funnelshift_l(a[i], b[i], b[i] & 31);
  r.high = __umulhi(a[i], b[i]);
  r.sad = __usad(a[i], b[i], 5);
  r.dot = __dp4a(a[i], b[i], 9u);
  r.signedDot = __dp2a_lo(int(a[i]), int(b[i]), -3);
  r.bytes = __vaddus4(a[i], b[i]) ^ __vmins4(a[i], b[i]) ^ __vabsdiffu4(a[i], b[i]);
  r.high64 = __umul64hi(wide, wide ^ 0x123456789abcdefull);
  r.reversed64 = __brevll(wide);
  r.ones64 = __popcll(wide);
  r.leading64 = __clzll(wide);
  r.halvesSum = __hadd(int(a[i]), int(b[i]));
}

static uint32_t reverse(uint32_t value) {
  uint32_t result = 0;
  for (int bit = 0; bit < 32; ++bit)
    result |= (value >> bit & 1) << (31 - bit);
  return result;
}

static Bits expectedBits(uint32_t a, uint32_t b) {
  uint64_t wide = uint64_t(a) << 32 | b;
  uint64_t both = uint64_t(b) << 32 | a;
  Bits r = {};
  r.leading = a ? __builtin_clz(a) : 32;
  r.ones = __builtin_popcount(a);
  r.reversed = reverse(a);
  r.first = __builtin_ffs(a);
  for (int i = 0; i < 4; ++i) {
    r.permuted |= uint32_t(both >> 8 * (b >> 4 * i & 7) & 255) << 8 * i;
    uint32_t x = a >> 8 * i & 255, y = b >> 8 * i & 255;
    r.dot += x * y;
    uint32_t least = int8_t(x) < int8_t(y) ? x : y;
    uint32_t distance = x < y ? y - x : x - y;
    uint32_t sum = x + y > 255 ? 255 : x + y;
    r.bytes |= (sum ^ least ^ distance) << 8 * i;
  }
  r.dot += 9;
  r.shifted = uint32_t((both << (b & 31)) >> 32);
  r.high = uint32_t(uint64_t(a) * b >> 32);
  r.sad = (a < b ? b - a : a - b) + 5;
  r.signedDot = int16_t(a) * int8_t(b) + int16_t(a >> 16) * int8_t(b >> 8) - 3;
  r.high64 = uint64_t((unsigned __int128)(wide) * (wide ^ 0x123456789abcdefull) >> 64);
  r.reversed64 = uint64_t(reverse(b)) << 32 | reverse(a);
  r.ones64 = __builtin_popcountll(wide);
  r.leading64 = wide ? __builtin_clzll(wide) : 64;
  r.halvesSum = int((int64_t(int(a)) + int(b)) >> 1);
  return r;
}

static void compareIntrinsics() {
  Comparison comparison("intrinsics");
  for (int n : oddSizes) {
    std::vector<uint32_t> a = numbers<uint32_t>(n, n), b = numbers<uint32_t>(n, n + 1);
    Buffer<uint32_t> deviceA(a), deviceB(b);
    Buffer<Bits> results(n);
    intrinsics<<<blocksFor(n, 64), 64>>>(results.data, deviceA.data, deviceB.data, n);
    finish();
    std::vector<Bits> got = results.values();
    for (int i = 0; i < n; ++i) {
      Bits expected = expectedBits(a[i], b[i]);
#define COMPARE(NAME) comparison(#NAME, i, got[i].NAME == expected.NAME);
      WORDS(COMPARE)
    }
  }
}

int main() {
  compareAll<int8_t>("int8");
  compareAll<uint8_t>("uint8");
  compareAll<int16_t>("int16");
  compareAll<uint16_t>("uint16");
  compareAll<int32_t>("int32");
  compareAll<uint32_t>("uint32");
  compareAll<int64_t>("int64");
  compareAll<uint64_t>("uint64");
  compareIntrinsics();
}
