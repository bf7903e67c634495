// Loops over the lanes of a warp.
//
// A handler of an ordinary instruction is a function of scalars applied to 32
// lanes. The loop computes all lanes, in vectors, and keeps those of the mask; so
// the function must be defined for any bits, also of lanes that are not there.

#ifndef TCC_TOOLS_PTXSIM_ISA_LANES_H
#define TCC_TOOLS_PTXSIM_ISA_LANES_H

#include "tools/ptxsim/core/Warp.h"

#include <cstdint>
#include <type_traits>
#include <utility>

namespace ptxsim::isa {

/// Writes the lanes of `mask` from `values`.
template <typename T>
inline void writeLanes(T *__restrict target, const T *__restrict values,
                       LaneMask mask) {
  if (mask == ~LaneMask(0)) {
    for (int lane = 0; lane < 32; ++lane)
      target[lane] = values[lane];
    return;
  }
  for (int lane = 0; lane < 32; ++lane)
    target[lane] = mask >> lane & 1 ? values[lane] : target[lane];
}

/// d = F(a…): slots[0] is the destination, the following ones are the sources.
template <auto F, typename D, typename... A, size_t... I>
inline Next mapLanesAt(Warp &warp, const Op &op, LaneMask mask,
                       std::index_sequence<I...>) {
  const Slot *slots = op.slots;
  alignas(64) D values[32];
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

/// The handler that `mapLanes` makes of a plain function.
template <auto F> struct HandlerOf;
template <typename D, typename... A, D (*F)(A...)> struct HandlerOf<F> {
  static constexpr Handler value = mapLanes<F, D, A...>;
};
template <auto F> constexpr Handler handlerOf = HandlerOf<F>::value;

/// The lanes of `mask` for which `test(lane)` holds.
template <typename Test> inline LaneMask lanesWhere(LaneMask mask, Test test) {
  alignas(64) uint32_t bits[32];
  for (int lane = 0; lane < 32; ++lane)
    bits[lane] = test(lane) ? 1u << lane : 0;
  LaneMask result = 0;
  for (int lane = 0; lane < 32; ++lane)
    result |= bits[lane];
  return result & mask;
}

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_ISA_LANES_H
