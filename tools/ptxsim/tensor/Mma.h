// Matrix products of a warp: mma.sync, mma.sp and wmma.mma on register planes.
//
// Source: PTX ISA 9.0, sections 9.7.14.4 to 9.7.14.6. A plane is one register
// of all 32 lanes. Products are exact and accumulate in f32, in ascending k
// from C on; the manual leaves order and rounding open. Integers are exact, f64
// is a chain of fma.

#ifndef TCC_TOOLS_PTXSIM_TENSOR_MMA_H
#define TCC_TOOLS_PTXSIM_TENSOR_MMA_H

#include "tools/ptxsim/numerics/Bits.h"

#include <cstdint>

namespace ptxsim {

/// Types of matrix elements.
enum class MmaType : uint8_t {
  F16,
  BF16,
  TF32,
  E4M3,
  E5M2,
  F64,
  F32,
  S32,
  U8,
  S8,
  U4,
  S4,
  B1,
};

/// Returns the bits of an element in a register.
constexpr unsigned elementBits(MmaType type) {
  switch (type) {
  case MmaType::F64:
    return 64;
  case MmaType::TF32:
  case MmaType::F32:
  case MmaType::S32:
    return 32;
  case MmaType::F16:
  case MmaType::BF16:
    return 16;
  case MmaType::E4M3:
  case MmaType::E5M2:
  case MmaType::U8:
  case MmaType::S8:
    return 8;
  case MmaType::U4:
  case MmaType::S4:
    return 4;
  case MmaType::B1:
    return 1;
  }
  return 0;
}

enum class MmaKind : uint8_t {
  Dense,  ///< mma.sync
  Sparse, ///< mma.sp.sync and mma.sp::ordered_metadata.sync
  Wmma,   ///< wmma.mma.sync
};

/// One form of the instructions.
struct MmaForm {
  MmaKind kind = MmaKind::Dense;
  uint16_t m = 0, n = 0, k = 0;
  MmaType d = MmaType::F32, a = MmaType::F16, b = MmaType::F16,
          c = MmaType::F32;
  bool saturates = false; ///< `.satfinite` of s32.
  bool isAnd = false;     ///< `.and.popc`, not `.xor.popc`, of b1.
  bool isOrdered = false; ///< `mma.sp::ordered_metadata`
  bool aIsColumn = false; ///< Of m8n8k4 with f16, whose fragments depend
  bool bIsRow = false;    ///< on the layouts; else `.row.col`.
  numerics::Rounding rounding = numerics::Rounding::Nearest; ///< Of f64.
};

/// True if sm_90a has this form.
bool isSupported(const MmaForm &form);

/// Numbers of planes of each operand; those of f64 hold 64-bit registers.
struct MmaPlanes {
  uint8_t d = 0, a = 0, b = 0, c = 0;
};
MmaPlanes planesOf(const MmaForm &form);

/// The planes of an instruction: each points to 32 lanes of uint32_t, or of
/// uint64_t where the type is f64. Results may overwrite operands.
struct MmaOperands {
  void *const *d = nullptr;
  const void *const *a = nullptr;
  const void *const *b = nullptr;
  const void *const *c = nullptr;
  const uint32_t *metadata = nullptr; ///< One plane; of sparse forms.
  uint32_t selector = 0;              ///< Of sparse forms, below `selectorsOf`.
};

/// Executes a supported form.
void multiply(const MmaForm &form, const MmaOperands &operands);

/// Returns how many values the selector of a supported sparse form may have,
/// from 0.
unsigned selectorsOf(const MmaForm &form);

/// Finds a lane whose metadata is not among the meaningful values.
///
/// \returns -1 if there is none; `bits` are the offending four.
int findInvalidMetadata(const MmaForm &form, const uint32_t *metadata,
                        uint32_t selector, uint32_t &bits);

} // namespace ptxsim

#endif // TCC_TOOLS_PTXSIM_TENSOR_MMA_H
