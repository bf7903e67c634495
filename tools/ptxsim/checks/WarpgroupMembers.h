// What the warps of a warpgroup must do alike: each wgmma, and setmaxnreg.
//
// That one of them left something out shows when the others go on without it,
// and at the latest when it exits.
//
// Source: PTX ISA 9.0, sections 9.7.15 (wgmma) and 9.7.19 (setmaxnreg).

#ifndef TCC_TOOLS_PTXSIM_CHECKS_WARPGROUPMEMBERS_H
#define TCC_TOOLS_PTXSIM_CHECKS_WARPGROUPMEMBERS_H

#include <cstdint>

namespace ptxsim {

struct Code;
struct Fault;
struct Op;
struct Warp;

/// The last setmaxnreg of a warpgroup.
struct RegisterChange {
  const Op *op = nullptr; ///< Of the warp that was first.
  const Code *code = nullptr;
  uint32_t registers = 0;
  bool increases = false;
  uint32_t warps = 0; ///< That have executed it, a bit each.
};

/// Notes that a warp begins a setmaxnreg, which must be that of the others.
///
/// \returns false and a fault without a place if it is not.
bool changeRegisters(Warp &warp, const Op &op, uint32_t registers,
                     bool increases, Fault &fault);

/// Checks that a warp which exits has done what the others of its warpgroup
/// did.
///
/// \returns false and a fault without a place if it has not.
bool leaveWarpgroup(const Warp &warp, Fault &fault);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_WARPGROUPMEMBERS_H
