// What looks at every op before it is executed: the checks of registers and the
// counters. Only called where one of them is on.

#ifndef TCC_TOOLS_PTXSIM_CORE_OBSERVE_H
#define TCC_TOOLS_PTXSIM_CORE_OBSERVE_H

#include "tools/ptxsim/core/Access.h"

namespace ptxsim {

/// Checks that the guard of `op` is defined.
///
/// \returns false after noting a fault.
bool observeGuard(Warp &warp, const Op &op);

/// Checks the registers of `op` for the lanes of `mask`, carries undefined bits
/// from its sources to its destinations, and counts it.
///
/// \returns false after noting a fault.
bool observe(Warp &warp, const Op &op, LaneMask mask);

/// Checks and counts a load whose addresses are resolved, before it happens.
///
/// \returns false after noting a fault.
bool observeLoad(Warp &warp, const Op &op, const Access &access);

/// The same for a store of Op::count elements from `sources`.
bool observeStore(Warp &warp, const Op &op, const Access &access,
                  const Slot *sources);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CORE_OBSERVE_H
