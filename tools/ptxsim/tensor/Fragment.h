// Where the elements of matrices lie in the registers of a warp: wmma
// fragments, and the 8x8 blocks that ldmatrix, stmatrix and movmatrix move.
//
// Source: PTX ISA 9.0, sections 9.7.14.4.1 and 9.7.14.5.15 to 9.7.14.5.17. The
// fragments of wmma are unspecified there; here they are made of those of
// mma.sync, as on hardware since sm_80.

#ifndef TCC_TOOLS_PTXSIM_TENSOR_FRAGMENT_H
#define TCC_TOOLS_PTXSIM_TENSOR_FRAGMENT_H

#include "tools/ptxsim/tensor/Mma.h"

namespace ptxsim {

enum class WmmaOperand : uint8_t { A, B, Accumulator };

/// The fragment of one operand of wmma.
struct WmmaFragment {
  WmmaOperand operand = WmmaOperand::A;
  MmaType type = MmaType::F16;
  uint16_t m = 0, n = 0, k = 0; ///< The shape of the instruction.
};

/// True if wmma has this fragment.
bool isSupported(const WmmaFragment &fragment);

/// Returns its number of planes.
unsigned planesOf(const WmmaFragment &fragment);

struct ElementPosition {
  uint32_t row = 0, column = 0;
};

/// Returns which element of the matrix lies in part `part` (from the low bits)
/// of register `plane` of a lane. An f16 fragment holds some elements more than
/// once.
ElementPosition positionOf(const WmmaFragment &fragment, unsigned plane,
                           unsigned part, unsigned lane);

/// Loads one 8x8 matrix of 16-bit elements, whose rows of 16 bytes are at
/// `rows`, into a plane, transposed if asked for.
void loadMatrix(const uint8_t *const rows[8], bool transposed,
                uint32_t plane[32]);

/// Stores a plane as an 8x8 matrix of 16-bit elements.
void storeMatrix(const uint32_t plane[32], bool transposed,
                 uint8_t *const rows[8]);

/// `movmatrix`: transposes the 8x8 matrix of 16-bit elements in a plane.
/// `result` may be `plane`.
void transposeMatrix(const uint32_t plane[32], uint32_t result[32]);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_TENSOR_FRAGMENT_H
