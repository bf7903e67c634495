// Undefined elements of matrices. The functions are called only if values are
// checked.

#ifndef TCC_TOOLS_PTXSIM_CHECKS_UNDEFINEDMATRICES_H
#define TCC_TOOLS_PTXSIM_CHECKS_UNDEFINEDMATRICES_H

#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/tensor/Mma.h"

namespace ptxsim {

struct WarpgroupInstruction;
struct WarpgroupStep;
class WarpgroupMultiplier;

/// ldmatrix and stmatrix of `count` matrices, whose rows are the lanes of
/// `access`; of movmatrix.
void loadMatrixUndefined(Warp &warp, const Op &op, const Access &access,
                         unsigned count, bool transposed);
void storeMatrixUndefined(Warp &warp, const Op &op, const Access &access,
                          unsigned count, bool transposed);
void moveMatrixUndefined(Warp &warp, Slot to, Slot from);

/// A part of the registers in `slot` that wmma loads or stores: of each lane the
/// bytes from `offset` on.
void loadElementsUndefined(Warp &warp, const Op &op, const Access &access,
                           Slot slot, unsigned registerBytes, unsigned offset);
/// \returns false after noting a fault.
bool storeElementsUndefined(Warp &warp, const Op &op, const Access &access,
                            Slot slot, unsigned registerBytes, unsigned offset);

/// mma and wmma.mma, before the product.
void multiplyUndefined(Warp &warp, const Op &op, const MmaForm &form,
                       const MmaOperands &operands);

/// One wgmma of the four warps from `firstWarp` on, before the product. The
/// planes of `step` are the registers themselves.
void multiplyUndefined(Block &block, uint32_t firstWarp,
                       const WarpgroupInstruction &instruction,
                       const WarpgroupStep &step,
                       WarpgroupMultiplier &multiplier);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_CHECKS_UNDEFINEDMATRICES_H
