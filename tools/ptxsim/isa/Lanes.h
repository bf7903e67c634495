// Loops over the lanes of a warp.
//
// A handler of an ordinary instruction is a function of scalars applied to 32
// lanes. The loop computes all lanes, in vectors, and keeps those of the mask;
// so the function must be defined for any bits, also of lanes that are not
// there.
//
// clang unrolls a loop of 32 turns before it looks for vectors, and then finds
// none. Told to take all lanes as one vector, it keeps that in registers and
// makes a loop's masks of mask registers: hence the pragmas.

#ifndef TCC_TOOLS_PTXSIM_ISA_LANES_H
#define TCC_TOOLS_PTXSIM_ISA_LANES_H

#include "tools/ptxsim/core/Warp.h"

#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <type_traits>
#include <utility>

namespace ptxsim::isa {

/// Unsigned integers of as many bytes as a lane has.
template <size_t Bytes>
using BitsOf = std::conditional_t<
    Bytes == 8, uint64_t,
    std::conditional_t<Bytes == 4, uint32_t,
                       std::conditional_t<Bytes == 2, uint16_t, uint8_t>>>;

/// Writes the lanes of `mask` from `values`.
template <typename T>
inline void writeLanes(T *__restrict target, const T *__restrict values,
                       LaneMask mask) {
  if (mask == ~LaneMask(0)) {
    std::memcpy(target, values, 32 * sizeof(T));
    return;
  }
  static_assert(sizeof(T) <= sizeof(uint64_t), "a lane is one number");
  // A choice by arithmetic; of two addresses, clang would choose lane by lane.
  using Bits = BitsOf<sizeof(T)>;
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane) {
    Bits before, after;
    std::memcpy(&before, &target[lane], sizeof(T));
    std::memcpy(&after, &values[lane], sizeof(T));
    Bits chosen = Bits(0) - Bits(mask >> lane & 1);
    before ^= (before ^ after) & chosen;
    std::memcpy(&target[lane], &before, sizeof(T));
  }
}

/// d = F(a…): slots[0] is the destination, the following ones are the sources.
template <auto F, typename D, typename... A, size_t... I>
inline Next mapLanesAt(Warp &warp, const Op &op, LaneMask mask,
                       std::index_sequence<I...>) {
  const Slot *slots = op.slots;
  alignas(64) D values[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    values[lane] = F(warp.at<A>(slots[1 + I])[lane]...);
  writeLanes(warp.at<D>(slots[0]), values, mask);
  return Next::Advance;
}

/// The handler of d = F(a…) for a function F from `A…` to `D`, whose types are
/// those of the registers.
template <auto F, typename D, typename... A>
Next mapLanes(Warp &warp, const Op &op, LaneMask mask) {
  return mapLanesAt<F, D, A...>(warp, op, mask,
                                std::index_sequence_for<A...>());
}

template <auto F, typename D, typename... A, size_t... I>
inline Next mapHalvesAt(Warp &warp, const Op &op, LaneMask mask,
                        std::index_sequence<I...>) {
  static_assert(sizeof(D) == 2, "two values to a register of 32 bits");
  const Slot *slots = op.slots;
  alignas(64) D values[64];
#pragma clang loop vectorize_width(64) unroll(disable)
  for (int half = 0; half < 64; ++half)
    values[half] = F(warp.at<A>(slots[1 + I])[half]...);
  alignas(64) uint32_t words[32];
  std::memcpy(words, values, sizeof(words));
  writeLanes(warp.at<uint32_t>(slots[0]), words, mask);
  return Next::Advance;
}

/// The handler of d = F(a…) for both halves of 32-bit registers.
template <auto F, typename D, typename... A>
Next mapHalves(Warp &warp, const Op &op, LaneMask mask) {
  return mapHalvesAt<F, D, A...>(warp, op, mask,
                                 std::index_sequence_for<A...>());
}

/// The lanes of `mask` for which `test(lane)` holds.
template <typename Test>
inline LaneMask lanesWhere(LaneMask mask, Test test) {
  alignas(32) uint8_t flags[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    flags[lane] = test(lane) ? 0xFF : 0;
  __m256i vector = _mm256_load_si256(reinterpret_cast<const __m256i *>(flags));
  return LaneMask(_mm256_movemask_epi8(vector)) & mask;
}

/// The lanes of `mask` for which F(a…) holds; the sources begin at `slots`.
template <auto F, typename... A, size_t... I>
inline LaneMask testLanesAt(Warp &warp, const Slot *slots, LaneMask mask,
                            std::index_sequence<I...>) {
  return lanesWhere(mask,
                    [&](int lane) { return F(warp.at<A>(slots[I])[lane]...); });
}
template <auto F, typename... A>
inline LaneMask testLanes(Warp &warp, const Slot *slots, LaneMask mask) {
  return testLanesAt<F, A...>(warp, slots, mask,
                              std::index_sequence_for<A...>());
}

/// The handler of p = F(a…).
template <auto F, typename... A>
Next mapPredicate(Warp &warp, const Op &op, LaneMask mask) {
  LaneMask result = testLanes<F, A...>(warp, op.slots + 1, mask);
  warp.setPredicate(op.slots[0], result, mask);
  return Next::Advance;
}

/// The handler that `mapLanes` makes of a plain function.
template <auto F>
struct HandlerOf;
template <typename D, typename... A, D (*F)(A...)>
struct HandlerOf<F> {
  static constexpr Handler value = mapLanes<F, D, A...>;
};
template <auto F>
constexpr Handler handlerOf = HandlerOf<F>::value;

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_ISA_LANES_H
