// Bit operations of PTX: shifts, fields, counts, permutations.
//
// Source: PTX ISA 9.0, sections 9.7.1 (bit fields and counts), 9.7.8 (logic and
// shifts) and 9.7.9.7 (prmt).

#ifndef TCC_TOOLS_PTXSIM_NUMERICS_INTEGERBITS_H
#define TCC_TOOLS_PTXSIM_NUMERICS_INTEGERBITS_H

#include <cstdint>
#include <type_traits>

namespace ptxsim::numerics {

template <class T>
constexpr uint32_t widthOf = 8 * sizeof(T);

/// `shl`: an amount above the width gives 0.
template <class T>
inline T shiftLeft(T a, uint32_t amount) {
  using U = std::make_unsigned_t<T>;
  return amount < widthOf<T> ? T(U(U(a) << (amount & (widthOf<T> - 1)))) : T(0);
}

/// `shr`: an amount above the width gives 0, or copies of the sign if T is
/// signed. `.b` types shift as unsigned.
template <class T>
inline T shiftRight(T a, uint32_t amount) {
  constexpr uint32_t most = widthOf<T> - 1;
  if constexpr (std::is_signed_v<T>)
    return T(a >> (amount < most ? amount : most));
  return amount <= most ? T(a >> (amount & most)) : T(0);
}

/// `shf.l`: the upper word of `high:low` shifted left. The amount counts modulo
/// 32, or clamped at 32.
template <bool Clamp>
inline uint32_t funnelLeft(uint32_t low, uint32_t high, uint32_t amount) {
  uint32_t n = Clamp ? (amount < 32 ? amount : 32) : amount & 31;
  return uint32_t(((uint64_t(high) << 32 | low) << n) >> 32);
}

/// `shf.r`: the lower word of `high:low` shifted right.
template <bool Clamp>
inline uint32_t funnelRight(uint32_t low, uint32_t high, uint32_t amount) {
  uint32_t n = Clamp ? (amount < 32 ? amount : 32) : amount & 31;
  return uint32_t((uint64_t(high) << 32 | low) >> n);
}

/// Picks bits of `ifSet` where `selector` is 1, else of `ifClear`.
inline uint32_t selectBits(uint32_t selector, uint32_t ifSet,
                           uint32_t ifClear) {
  return ifClear ^ (selector & (ifSet ^ ifClear));
}

/// `lop3`: bit by bit the entry of `table` that (a, b, c) selects.
inline uint32_t lop3(uint32_t a, uint32_t b, uint32_t c, uint8_t table) {
  uint32_t ofAB[4]; // What is left of the table for each (a, b).
  for (unsigned i = 0; i != 4; ++i) {
    uint32_t ifSet = -uint32_t(table >> (2 * i + 1) & 1);
    uint32_t ifClear = -uint32_t(table >> (2 * i) & 1);
    ofAB[i] = selectBits(c, ifSet, ifClear);
  }
  return selectBits(a, selectBits(b, ofAB[3], ofAB[2]),
                    selectBits(b, ofAB[1], ofAB[0]));
}

template <class T>
inline uint32_t popCount(T a) {
  return uint32_t(sizeof(T) == 8 ? __builtin_popcountll(a)
                                 : __builtin_popcount(uint32_t(a)));
}

/// `clz`: the width of T for zero.
inline uint32_t countLeadingZeros(uint32_t a) {
  return a ? uint32_t(__builtin_clz(a)) : 32;
}
inline uint32_t countLeadingZeros(uint64_t a) {
  return a ? uint32_t(__builtin_clzll(a)) : 64;
}

inline uint32_t reverseBits(uint32_t a) { return __builtin_bitreverse32(a); }
inline uint64_t reverseBits(uint64_t a) { return __builtin_bitreverse64(a); }

/// `bfind`: the position of the highest bit that is no copy of the sign, or
/// with Shift the left shift that brings it to the top; all ones if there is
/// none.
template <class T, bool Shift>
inline uint32_t findBit(T a) {
  using U = std::make_unsigned_t<T>;
  U bits = std::is_signed_v<T> && a < 0 ? U(~U(a)) : U(a);
  uint32_t zeros = countLeadingZeros(bits);
  uint32_t found = Shift ? zeros : widthOf<T> - 1 - zeros;
  return bits == 0 ? 0xFFFFFFFF : found;
}

/// `bfe`: `length` bits from `position`, both counted modulo 256; bits above
/// the top are zero or the sign of `a`. A signed field repeats its own top bit.
template <class T>
inline T extractField(T a, uint32_t position, uint32_t length) {
  using U = std::make_unsigned_t<T>;
  constexpr uint32_t most = widthOf<T> - 1;
  position &= 0xFF;
  length &= 0xFF;
  uint32_t top = position + length - 1;
  top = top < most ? top : most;
  U sign = 0;
  if constexpr (std::is_signed_v<T>)
    sign = length == 0 ? 0 : U(U(a) >> top) & 1;
  U field = shiftRight<U>(U(a), position);
  uint32_t kept = position <= most ? most + 1 - position : 0;
  kept = length < kept ? length : kept;
  U mask = kept > most ? U(~U(0)) : U((U(1) << (kept & most)) - 1);
  U fill = sign ? U(~mask) : U(0);
  return T((field & mask) | fill);
}

/// `bfi`: `base` with the lower `length` bits of `field` at `position`, both
/// counted modulo 256; bits above the top fall away.
template <class T>
inline T insertField(T field, T base, uint32_t position, uint32_t length) {
  static_assert(std::is_unsigned_v<T>, "bfi is of untyped bits");
  constexpr uint32_t width = widthOf<T>;
  position &= 0xFF;
  length &= 0xFF;
  T ones = length < width ? T((T(1) << (length & (width - 1))) - 1) : T(~T(0));
  T mask = shiftLeft<T>(ones, position);
  return T((shiftLeft<T>(field, position) & mask) | (base & T(~mask)));
}

/// `szext`: sign- or zero-extends the lower `width` bits of a. With Clamp, a
/// width above 32 counts as 32, else it counts modulo 32; no bits make 0.
template <class T, bool Clamp>
inline T extendField(T a, uint32_t width) {
  static_assert(sizeof(T) == 4, "szext has 32-bit types");
  uint32_t n = Clamp ? (width < 32 ? width : 32) : width & 31;
  uint32_t away = 32 - n;
  uint64_t top = uint64_t(uint32_t(a)) << away;
  T shifted = T(uint32_t(top));
  return n == 0 ? T(0) : T(shifted >> (away & 31));
}

/// `bmsk`: `length` ones from `position`. With Clamp both are at most 32, else
/// both count modulo 32.
template <bool Clamp>
inline uint32_t makeMask(uint32_t position, uint32_t length) {
  uint32_t from = Clamp ? (position < 32 ? position : 32) : position & 31;
  uint32_t ones = Clamp ? (length < 32 ? length : 32) : length & 31;
  return uint32_t(((uint64_t(1) << ones) - 1) << from);
}

/// `fns`: the position of the n-th set bit of `mask` from `base`: upwards for
/// n > 0, downwards for n < 0, `base` itself counting first; whether `base` is
/// set for n = 0. All ones if there is none.
inline uint32_t findNthSet(uint32_t mask, uint32_t base, int32_t n) {
  if (base > 31)
    return 0xFFFFFFFF;
  if (n == 0)
    return mask >> base & 1 ? base : 0xFFFFFFFF;
  int32_t step = n > 0 ? 1 : -1;
  for (int32_t at = int32_t(base); at >= 0 && at < 32; at += step) {
    if (mask >> at & 1)
      n -= step;
    if (n == 0)
      return uint32_t(at);
  }
  return 0xFFFFFFFF;
}

/// How `prmt` reads its selector.
enum class Permute : uint8_t { Index, F4E, B4E, Rc8, Ecl, Ecr, Rc16 };

/// `prmt`: four bytes out of the eight of b:a. In the plain mode each nibble of
/// `selector` picks one, and its top bit asks for copies of that byte's sign.
template <Permute P>
inline uint32_t permuteBytes(uint32_t a, uint32_t b, uint32_t selector) {
  uint32_t s = selector & 3;
  uint32_t result = 0;
  for (uint32_t i = 0; i != 4; ++i) {
    uint32_t nibble = selector >> (4 * i) & 15;
    uint32_t pick = P == Permute::Index ? nibble
                    : P == Permute::F4E ? s + i
                    : P == Permute::B4E ? s - i
                    : P == Permute::Rc8 ? s
                    : P == Permute::Ecl ? (i < s ? s : i)
                    : P == Permute::Ecr ? (i < s ? i : s)
                                        : (s & 1) * 2 + (i & 1);
    uint32_t word = pick & 4 ? b : a;
    uint32_t byte = word >> (8 * (pick & 3)) & 0xFF;
    uint32_t signs = byte & 0x80 ? 0xFF : 0;
    if (P == Permute::Index)
      byte = nibble & 8 ? signs : byte;
    result |= byte << (8 * i);
  }
  return result;
}

} // namespace ptxsim::numerics

#endif // TCC_TOOLS_PTXSIM_NUMERICS_INTEGERBITS_H
