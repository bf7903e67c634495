// The rules by which undefined bits pass through ops, one function each. Called
// only if a source has some, before the op is executed.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_UNDEFINEDRULES_H
#define TCC_TOOLS_PTXSIM_CHECKS_UNDEFINEDRULES_H

#include "tools/ptxsim/checks/RegisterShadow.h"
#include "tools/ptxsim/checks/TransferRules.h"

namespace ptxsim {

/// An op and its operands, without the guard.
struct CarriedOp {
  Warp &warp;
  const Op &op;
  const OpInfo &info;
  LaneMask mask;
  const RegisterOperand *sources;
  uint32_t sourceCount;
  const RegisterOperand *destinations;
  UndefinedOrigin origin; ///< Of the first undefined source.

  /// The operand in `slot` among the sources; none for a constant.
  const RegisterOperand *source(Slot slot) const {
    for (uint32_t i = 0; i < sourceCount; ++i)
      if (sources[i].slot == slot)
        return &sources[i];
    return nullptr;
  }
};

// In UndefinedReplay.cpp: by executing the op itself on other values.
void carryMoved(const CarriedOp &carried);
void carryBits(const CarriedOp &carried);
void carryCompared(const CarriedOp &carried);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_UNDEFINEDRULES_H
