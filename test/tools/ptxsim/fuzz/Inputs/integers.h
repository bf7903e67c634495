// What the integer instructions of PTX compute, for the differential fuzzer:
// one function for each, from bits to bits, as the manual says it. Nothing of
// the simulator is used.

#ifndef PTXSIM_FUZZ_INTEGERS_H
#define PTXSIM_FUZZ_INTEGERS_H

#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s8 = int8_t;
using s16 = int16_t;
using s32 = int32_t;
using s64 = int64_t;
using wide = __int128; ///< Holds every product, sum and difference below.

template <typename T> constexpr int bitsOf = 8 * sizeof(T);
template <typename T>
constexpr bool isSigned = std::numeric_limits<T>::is_signed;

/// Brings `x` into the range of T.
template <typename T> T clampTo(wide x) {
  wide low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  return T(x < low ? low : x > high ? high : x);
}

template <typename T> T add(T a, T b) { return T(wide(a) + wide(b)); }
template <typename T> T sub(T a, T b) { return T(wide(a) - wide(b)); }
template <typename T> T addSat(T a, T b) { return clampTo<T>(wide(a) + b); }
template <typename T> T subSat(T a, T b) { return clampTo<T>(wide(a) - b); }

/// The double-width product; of two u64 its bits.
template <typename T> wide product(T a, T b) {
  if (std::is_same_v<T, u64>)
    return wide((unsigned __int128)a * (unsigned __int128)b);
  return wide(a) * wide(b);
}
template <typename T> T mulLo(T a, T b) { return T(product(a, b)); }
template <typename T> T mulHi(T a, T b) {
  return T(product(a, b) >> bitsOf<T>);
}
template <typename D, typename T> D mulWide(T a, T b) {
  return D(product(a, b));
}
template <typename T> T madLo(T a, T b, T c) { return add(mulLo(a, b), c); }
template <typename T> T madHi(T a, T b, T c) { return add(mulHi(a, b), c); }
template <typename D, typename T> D madWide(T a, T b, D c) {
  return add(mulWide<D>(a, b), c);
}
inline s32 madHiSat(s32 a, s32 b, s32 c) {
  return clampTo<s32>(wide(mulHi(a, b)) + c);
}

/// The 48-bit product of the low 24 bits.
template <typename T> s64 product24(T a, T b) {
  struct {
    s64 a : 24, b : 24;
  } narrow;
  narrow.a = a;
  narrow.b = b;
  if (isSigned<T>)
    return s64(narrow.a) * narrow.b;
  return s64(u64(a & 0xffffff) * u64(b & 0xffffff));
}
template <typename T> T mul24Lo(T a, T b) { return T(product24(a, b)); }
template <typename T> T mul24Hi(T a, T b) { return T(product24(a, b) >> 16); }
template <typename T> T mad24Lo(T a, T b, T c) { return add(mul24Lo(a, b), c); }
template <typename T> T mad24Hi(T a, T b, T c) { return add(mul24Hi(a, b), c); }
inline s32 mad24HiSat(s32 a, s32 b, s32 c) {
  return clampTo<s32>(wide(mul24Hi(a, b)) + c);
}

template <typename T> T sad(T a, T b, T c) {
  wide difference = wide(a) - wide(b);
  return T(wide(c) + (difference < 0 ? -difference : difference));
}
/// By zero all ones, which the manual leaves open.
template <typename T> T div(T a, T b) { return b == 0 ? T(~T(0)) : T(wide(a) / wide(b)); }
template <typename T> T rem(T a, T b) { return b == 0 ? T(~T(0)) : T(wide(a) % wide(b)); }
template <typename T> T absolute(T a) { return a < 0 ? T(-wide(a)) : a; }
template <typename T> T negate(T a) { return T(-wide(a)); }
template <typename T> T minimum(T a, T b) { return b < a ? b : a; }
template <typename T> T maximum(T a, T b) { return b > a ? b : a; }
template <typename T> T minRelu(T a, T b) { return maximum(minimum(a, b), T(0)); }
template <typename T> T maxRelu(T a, T b) { return maximum(maximum(a, b), T(0)); }

/// Applies `body` to both halves of words.
template <typename T, typename Body> u32 halves(u32 a, u32 b, Body body) {
  return u32(u16(body(T(a), T(b)))) |
         u32(u16(body(T(a >> 16), T(b >> 16)))) << 16;
}

template <typename T> u32 popc(T a) {
  u32 count = 0;
  for (int i = 0; i < bitsOf<T>; ++i)
    count += u32(a >> i & 1);
  return count;
}
template <typename T> u32 clz(T a) {
  u32 count = 0;
  while (count < u32(bitsOf<T>) && !(a >> (bitsOf<T> - 1 - int(count)) & 1))
    ++count;
  return count;
}
/// The most significant bit that is not the sign; all ones if there is none.
template <typename T> u32 bfind(T a) {
  for (int i = bitsOf<T> - 1; i >= 0; --i)
    if ((a >> i & 1) != (isSigned<T> && a < 0 ? 1 : 0))
      return u32(i);
  return ~0u;
}
template <typename T> u32 bfindShift(T a) {
  u32 bit = bfind(a);
  return bit == ~0u ? bit : u32(bitsOf<T>) - 1 - bit;
}
template <typename T> T brev(T a) {
  T result = 0;
  for (int i = 0; i < bitsOf<T>; ++i)
    result |= T(T(a >> i & 1) << (bitsOf<T> - 1 - i));
  return result;
}
template <typename T> T bfe(T a, u32 b, u32 c) {
  int start = int(b & 0xff), length = int(c & 0xff);
  T result = 0;
  int signAt = start + length - 1 < bitsOf<T> - 1 ? start + length - 1
                                                  : bitsOf<T> - 1;
  bool sign = isSigned<T> && length != 0 && (a >> signAt & 1);
  for (int i = 0; i < bitsOf<T>; ++i) {
    bool bit = i < length && start + i < bitsOf<T> ? a >> (start + i) & 1 : sign;
    if (bit)
      result |= T(u64(1) << i);
  }
  return result;
}
template <typename T> T bfi(T a, T b, u32 c, u32 d) {
  int start = int(c & 0xff), length = int(d & 0xff);
  for (int i = 0; i < length && start + i < bitsOf<T>; ++i) {
    T bit = T(T(1) << (start + i));
    b = T((b & ~bit) | (i < bitsOf<T> && (a >> i & 1) ? bit : 0));
  }
  return b;
}
inline u32 fns(u32 mask, u32 base, s32 offset) {
  if (base > 31)
    return ~0u; // Not defined; the generator keeps to 0 to 31.
  if (offset == 0)
    return mask >> base & 1 ? base : ~0u;
  int step = offset > 0 ? 1 : -1;
  s64 left = offset > 0 ? s64(offset) : -s64(offset);
  for (int i = int(base); i >= 0 && i < 32; i += step)
    if (mask >> i & 1)
      if (--left == 0)
        return u32(i);
  return ~0u;
}
inline u32 bmsk(u32 a, u32 b, bool wraps) {
  if (wraps)
    a &= 31, b &= 31;
  u32 result = 0;
  for (u32 i = 0; i < 32; ++i)
    if (i >= a && u64(i) < u64(a) + b)
      result |= 1u << i;
  return result;
}
template <typename T> T szext(T a, u32 b, bool wraps) {
  u32 width = wraps ? b & 31 : b > 32 ? 32 : b;
  if (width == 32)
    return a;
  u32 mask = (1u << width) - 1;
  bool sign = isSigned<T> && width != 0 && (a >> (width - 1) & 1);
  return T(sign ? u32(a) | ~mask : u32(a) & mask);
}

template <typename T> T shl(T a, u32 b) {
  return b >= u32(bitsOf<T>) ? T(0) : T(u64(a) << b);
}
template <typename T> T shr(T a, u32 b) {
  if (b >= u32(bitsOf<T>))
    return isSigned<T> && a < 0 ? T(-1) : T(0);
  return T(a >> b);
}
/// The funnel: the low word is `a`.
inline u32 shf(u32 a, u32 b, u32 c, bool left, bool wraps) {
  u32 n = wraps ? c & 31 : c > 32 ? 32 : c;
  u64 both = u64(b) << 32 | a;
  return left ? (n == 32 ? a : u32(both << n >> 32)) : u32(both >> n);
}
inline u32 lop3(u32 a, u32 b, u32 c, u32 table) {
  u32 result = 0;
  for (int i = 0; i < 32; ++i)
    if (table >> ((a >> i & 1) * 4 + (b >> i & 1) * 2 + (c >> i & 1)) & 1)
      result |= 1u << i;
  return result;
}
template <typename T> T cnot(T a) { return a == 0 ? 1 : 0; }

inline u32 byteOf(u32 a, u32 b, u32 index) {
  u32 word = index & 4 ? b : a;
  return word >> (8 * (index & 3)) & 0xff;
}
inline u32 prmt(u32 a, u32 b, u32 c) {
  u32 result = 0;
  for (int i = 0; i < 4; ++i) {
    u32 choice = c >> (4 * i) & 15;
    u32 byte = byteOf(a, b, choice & 7);
    if (choice & 8)
      byte = byte & 0x80 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
}
/// The modes of prmt as tables of the manual: the byte for each place, the most
/// significant first, for selectors 0 to 3.
inline u32 prmtMode(u32 a, u32 b, u32 c, const char *const tables[4]) {
  u32 result = 0;
  for (int i = 0; i < 4; ++i)
    result = result << 8 | byteOf(a, b, u32(tables[c & 3][i] - '0'));
  return result;
}
inline constexpr const char *f4e[] = {"3210", "4321", "5432", "6543"};
inline constexpr const char *b4e[] = {"5670", "6701", "7012", "0123"};
inline constexpr const char *rc8[] = {"0000", "1111", "2222", "3333"};
inline constexpr const char *ecl[] = {"3210", "3211", "3222", "3333"};
inline constexpr const char *ecr[] = {"0000", "1110", "2210", "3210"};
inline constexpr const char *rc16[] = {"1010", "3232", "1010", "3232"};

template <typename A, typename B> u32 dp4a(u32 a, u32 b, u32 c) {
  for (int i = 0; i < 4; ++i)
    c += u32(s32(A(a >> (8 * i))) * s32(B(b >> (8 * i))));
  return c;
}
template <typename A, typename B> u32 dp2a(u32 a, u32 b, u32 c, bool high) {
  for (int i = 0; i < 2; ++i)
    c += u32(s32(A(a >> (16 * i))) * s32(B(b >> (8 * i + (high ? 16 : 0)))));
  return c;
}

/// Sums with a carry in and out.
template <typename T> T addCarry(T a, T b, bool carry, bool &out) {
  unsigned __int128 sum = (unsigned __int128)a + b + carry;
  out = sum >> bitsOf<T> & 1;
  return T(sum);
}
template <typename T> T subBorrow(T a, T b, bool borrow, bool &out) {
  wide difference = wide(a) - wide(b) - borrow;
  out = difference < 0;
  return T(difference);
}

/// Comparisons by their names in PTX.
template <typename T> bool compare(const char *name, T a, T b) {
  if (!std::strcmp(name, "eq"))
    return a == b;
  if (!std::strcmp(name, "ne"))
    return a != b;
  if (!std::strcmp(name, "lt") || !std::strcmp(name, "lo"))
    return a < b;
  if (!std::strcmp(name, "le") || !std::strcmp(name, "ls"))
    return a <= b;
  if (!std::strcmp(name, "gt") || !std::strcmp(name, "hi"))
    return a > b;
  return a >= b; // ge, hs
}
inline bool combine(const char *name, bool a, bool b) {
  return *name == 'a' ? a && b : *name == 'o' ? a || b : a != b;
}

#endif // PTXSIM_FUZZ_INTEGERS_H
