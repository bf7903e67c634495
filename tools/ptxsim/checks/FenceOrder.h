// fence.sc: what it orders beyond a fence.acq_rel.
//
// All fence.sc whose scopes hold each other are in one order, and each one
// synchronises with those behind it. Which of two comes first is left open, unless
// it follows from what was read: if a write that comes after the one is read by
// somebody before the other, whichever threads that were. In the usual idiom all
// threads write and execute __threadfence(), a barrier follows, and one thread
// counts for all. Only what follows so is taken for an order, so that a missing
// fence is found although the others happened to be executed in the right order.
//
// So two things are handed on at every synchronisation: what the fence.sc before it
// have shown; and what those have shown that come before a write that was read. A
// strong write leaves the first for its readers, to whom it is the second, and the
// next fence.sc makes that known.
//
// Source: PTX ISA 9.0, sections 8.9.4 (Fence-SC), 8.9.5 (synchronisation), 8.10.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_FENCEORDER_H
#define TCC_TOOLS_PTXSIM_CHECKS_FENCEORDER_H

#include "tools/ptxsim/checks/Clock.h"

namespace ptxsim {

/// Scopes: threads of the device and those of the system are the same here.
constexpr unsigned blockScope = 0, clusterScope = 1, deviceScope = 2, scopes = 3;

struct FenceOrder {
  /// By scope; these have no fences themselves.
  std::shared_ptr<const Knowledge> shown[scopes];
  std::shared_ptr<const Knowledge> seen[scopes];
};

/// What a fence.sc of each of the scopes below `end` does for who has `knowledge`:
/// `passFences` before, and `showFences` after all that is then known is `now`.
void passFences(Knowledge &knowledge, unsigned end);
FenceOrderPointer showFences(const FenceOrderPointer &order,
                             const std::shared_ptr<const Knowledge> &now,
                             unsigned end);

/// Notes that a write was read that comes after fence.sc that have shown `shown`.
void seeFences(FenceOrderPointer &order, unsigned scope,
               const std::shared_ptr<const Knowledge> &shown);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_FENCEORDER_H
