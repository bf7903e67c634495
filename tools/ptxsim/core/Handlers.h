// Handlers that the decoder needs by name, beside those that the table of
// instructions chooses.

#ifndef TCC_TOOLS_PTXSIM_CORE_HANDLERS_H
#define TCC_TOOLS_PTXSIM_CORE_HANDLERS_H

#include "tools/ptxsim/core/Op.h"
#include "tools/ptxsim/ptx/Module.h"

namespace ptxsim::isa {

/// Reads a special register into slots[0], a register of Op::count bytes or a
/// predicate. Op::modifiers is the component.
Handler readSpecial(ptx::SpecialRegister special);

/// slots[0] = slots[1] + Op::immediate (+ the frame's local offset, if the op has
/// opFrameLocal), from a register of `fromBytes` to one of `toBytes`, 4 or 8.
Handler effectiveAddress(unsigned fromBytes, unsigned toBytes);

/// slots[0] = slots[1] truncated or extended from `fromBytes` to `toBytes`.
Handler resize(unsigned fromBytes, unsigned toBytes, bool isSigned);

/// slots[0] = !slots[1], predicates.
Handler notPredicate();

/// Calls. Op::list begins: index of the function or -1, slot of its address or
/// -1, number of argument moves, number of result moves, then the moves.
Handler call();

/// The implicit end of a function or kernel.
Handler returnFromFunction();
Handler exitThread();

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_CORE_HANDLERS_H
