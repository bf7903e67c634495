// The fundamental types and state spaces of PTX.
//
// Source: PTX ISA 9.0, sections 5.1 (state spaces) and 5.2 (types).

#ifndef TCC_TOOLS_PTXSIM_PTX_TYPES_H
#define TCC_TOOLS_PTXSIM_PTX_TYPES_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ptxsim::ptx {

/// A type as written after a dot. Types of registers are a subset; the others
/// name what an instruction makes of the bits of its registers.
enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  BF16,
  F32,
  F64,
  F16x2,
  BF16x2,
  F32x2,
  U16x2,
  S16x2,
  TF32,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
};

/// What a type's bits mean, as far as the rules for operands care.
enum class TypeClass : uint8_t { None, Pred, Bits, Integer, Float };

/// Returns the bits of a value of `type`; 1 for predicates, 0 for None.
constexpr unsigned bitsOf(Type type) {
  switch (type) {
  case Type::None:
    return 0;
  case Type::Pred:
    return 1;
  case Type::B8:
  case Type::U8:
  case Type::S8:
  case Type::E4M3:
  case Type::E5M2:
    return 8;
  case Type::B16:
  case Type::U16:
  case Type::S16:
  case Type::F16:
  case Type::BF16:
  case Type::E4M3x2:
  case Type::E5M2x2:
    return 16;
  case Type::B32:
  case Type::U32:
  case Type::S32:
  case Type::F32:
  case Type::F16x2:
  case Type::BF16x2:
  case Type::U16x2:
  case Type::S16x2:
  case Type::TF32:
    return 32;
  case Type::B64:
  case Type::U64:
  case Type::S64:
  case Type::F64:
  case Type::F32x2:
    return 64;
  case Type::B128:
    return 128;
  }
  return 0;
}

/// Returns the bytes that a value of `type` takes in memory; 0 for predicates.
constexpr unsigned bytesOf(Type type) { return bitsOf(type) / 8; }

/// The word of a product of matrices, as "m16n8k16".
struct MatrixShape {
  uint16_t m = 0, n = 0, k = 0;
};

/// Returns the shape that a word names, if it is one.
std::optional<MatrixShape> shapeNamed(std::string_view word);

/// Returns what the bits of `type` mean. Packed types and those without
/// registers of their own are bits.
TypeClass classOf(Type type);

/// True for the signed integers.
constexpr bool isSigned(Type type) {
  return type >= Type::S8 && type <= Type::S64;
}

/// Returns the name without the dot, as in "bf16x2".
std::string_view nameOf(Type type);

/// Returns the type with this name, without the dot.
std::optional<Type> typeNamed(std::string_view name);

/// Where a variable lives or an address points.
enum class Space : uint8_t {
  Generic, ///< An address without a space.
  Register,
  Constant,
  Global,
  Local,
  Parameter,
  Shared,        ///< `.shared` and `.shared::cta`.
  SharedCluster, ///< `.shared::cluster`.
};

/// Returns the name without the dot, as in "shared::cluster".
std::string_view nameOf(Space space);

} // namespace ptxsim::ptx

#endif // TCC_TOOLS_PTXSIM_PTX_TYPES_H
