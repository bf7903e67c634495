// Forms of matrix products, which do not fit into the modifiers of an op.

#ifndef TCC_TOOLS_PTXSIM_ISA_MMAFORMS_H
#define TCC_TOOLS_PTXSIM_ISA_MMAFORMS_H

#include "tools/ptxsim/isa/Form.h"
#include "tools/ptxsim/tensor/Mma.h"

namespace ptxsim::isa {

/// Reads shape and types of an instruction's words; false if there are not four
/// types.
bool readMmaForm(const Match &match, MmaForm &form);

/// Keeps a form for as long as the process runs and returns its number. There
/// are a few hundred at most. Thread-safe.
uint32_t internMmaForm(const MmaForm &form);
const MmaForm &mmaForm(uint32_t number);

/// Multiplies fragments of the form that Op::modifiers number.
/// slots: d, a, b, c [, metadata, selector]
Next multiplyFragments(Warp &warp, const Op &op, LaneMask mask);

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_ISA_MMAFORMS_H
