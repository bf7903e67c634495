// Integer arithmetic that C++ does not have as PTX means it.
//
// Source: PTX ISA 9.0, section 9.7.1 and 9.7.2 (extended precision). Additions,
// products and differences that wrap are those of unsigned C++ types.

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_INTEGERARITHMETIC_H
#define TCC_TOOLS_PTXSIM_NUMERICS_INTEGERARITHMETIC_H

#include <cstdint>
#include <limits>
#include <type_traits>

namespace ptxsim::numerics {

/// `mul.hi`: the upper half of the product.
inline uint16_t mulHigh(uint16_t a, uint16_t b) {
  return uint16_t(uint32_t(a) * b >> 16);
}
inline int16_t mulHigh(int16_t a, int16_t b) {
  return int16_t(int32_t(a) * b >> 16);
}
inline uint32_t mulHigh(uint32_t a, uint32_t b) {
  return uint32_t(uint64_t(a) * b >> 32);
}
inline int32_t mulHigh(int32_t a, int32_t b) {
  return int32_t(int64_t(a) * b >> 32);
}
inline uint64_t mulHigh(uint64_t a, uint64_t b) {
  return uint64_t((unsigned __int128)a * b >> 64);
}
inline int64_t mulHigh(int64_t a, int64_t b) {
  return int64_t((__int128)a * b >> 64);
}

/// `mul24`: the lower or the upper 32 bits of the 48-bit product of the lower
/// 24 bits of the operands; the sign is bit 23.
template <bool High>
inline uint32_t mul24(uint32_t a, uint32_t b) {
  uint64_t product = uint64_t(a & 0xFFFFFF) * (b & 0xFFFFFF);
  return uint32_t(High ? product >> 16 : product);
}
template <bool High>
inline int32_t mul24(int32_t a, int32_t b) {
  int64_t product = int64_t(int32_t(uint32_t(a) << 8) >> 8) *
                    (int32_t(uint32_t(b) << 8) >> 8);
  return int32_t(High ? product >> 16 : product);
}

/// Adds `carry`, 0 or 1, too, and replaces it by the carry out: `addc.cc`.
template <class T>
inline T addWithCarry(T a, T b, uint32_t &carry) {
  static_assert(std::is_unsigned_v<T>, "signed operands add as unsigned ones");
  T sum = a + b;
  T result = sum + T(carry);
  carry = uint32_t(sum < a) | uint32_t(result < sum);
  return result;
}

/// `add.sat.s32`, `sub.sat.s32`.
inline int32_t saturateS32(int64_t value) {
  constexpr int64_t least = std::numeric_limits<int32_t>::min();
  constexpr int64_t most = std::numeric_limits<int32_t>::max();
  return int32_t(value < least ? least : value > most ? most : value);
}
inline int32_t addSaturated(int32_t a, int32_t b) {
  return saturateS32(int64_t(a) + b);
}
inline int32_t subSaturated(int32_t a, int32_t b) {
  return saturateS32(int64_t(a) - b);
}
/// `mad.hi.sat.s32`.
inline int32_t madHighSaturated(int32_t a, int32_t b, int32_t c) {
  return saturateS32(int64_t(mulHigh(a, b)) + c);
}

/// `mad24.hi.sat.s32`.
inline int32_t mad24HighSaturated(int32_t a, int32_t b, int32_t c) {
  return saturateS32(int64_t(mul24<true>(a, b)) + c);
}

/// Divides towards zero. By zero the result is all ones, as of the code that
/// ptxas makes; the least signed value by -1 wraps.
template <class T>
inline T divide(T a, T b) {
  using U = std::make_unsigned_t<T>;
  if (b == 0)
    return T(-1);
  if (std::is_signed_v<T> && b == T(-1))
    return T(U(0) - U(a));
  return T(a / b);
}

/// The remainder with the sign of `a`; by zero all ones, as ptxas makes it.
template <class T>
inline T remainder(T a, T b) {
  if (b == 0)
    return T(-1);
  if (std::is_signed_v<T> && b == T(-1))
    return 0;
  return T(a % b);
}

/// Returns |a - b| as an unsigned number.
template <class T>
inline std::make_unsigned_t<T> absoluteDifference(T a, T b) {
  using U = std::make_unsigned_t<T>;
  return a < b ? U(U(b) - U(a)) : U(U(a) - U(b));
}

/// `sad`: c + |a - b|, which wraps.
template <class T>
inline T sad(T a, T b, T c) {
  using U = std::make_unsigned_t<T>;
  return T(U(U(c) + absoluteDifference(a, b)));
}

/// `abs` of an integer; of the least value itself.
template <class T>
inline T absInteger(T a) {
  using U = std::make_unsigned_t<T>;
  return a < 0 ? T(U(U(0) - U(a))) : a;
}

/// `neg` of an integer, which wraps.
template <class T>
inline T negInteger(T a) {
  using U = std::make_unsigned_t<T>;
  return T(U(U(0) - U(a)));
}

/// Extracts part `index` of `bits`, a T of 8 or 16 bits, as a 32-bit number.
template <class T>
inline int32_t partOf(uint32_t bits, unsigned index) {
  return int32_t(T(bits >> (8 * sizeof(T) * index)));
}

/// `dp4a`: c plus the products of four bytes; A and B are int8_t or uint8_t.
template <class A, class B>
inline uint32_t dp4a(uint32_t a, uint32_t b, uint32_t c) {
  static_assert(sizeof(A) == 1 && sizeof(B) == 1, "operands are bytes");
  for (unsigned i = 0; i != 4; ++i)
    c += uint32_t(partOf<A>(a, i) * partOf<B>(b, i));
  return c;
}

/// `dp2a`: c plus the products of two halves of a and the bytes 0 and 1, or 2
/// and 3 with High, of b; A is int16_t or uint16_t, B int8_t or uint8_t.
template <class A, class B, bool High>
inline uint32_t dp2a(uint32_t a, uint32_t b, uint32_t c) {
  static_assert(sizeof(A) == 2 && sizeof(B) == 1, "halves times bytes");
  for (unsigned i = 0; i != 2; ++i)
    c += uint32_t(partOf<A>(a, i) * partOf<B>(b, i + (High ? 2 : 0)));
  return c;
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_INTEGERARITHMETIC_H
