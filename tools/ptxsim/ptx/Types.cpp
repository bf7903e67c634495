// Names and classes of the PTX types, spaces and special registers.

#include "tools/ptxsim/ptx/Types.h"

#include "tools/ptxsim/ptx/Module.h"

#include <charconv>

using namespace ptxsim::ptx;

namespace {
struct TypeName {
  Type type;
  TypeClass typeClass;
  std::string_view name;
};
} // namespace

static constexpr TypeName typeNames[] = {
    {Type::None, TypeClass::None, ""},
    {Type::Pred, TypeClass::Pred, "pred"},
    {Type::B8, TypeClass::Bits, "b8"},
    {Type::B16, TypeClass::Bits, "b16"},
    {Type::B32, TypeClass::Bits, "b32"},
    {Type::B64, TypeClass::Bits, "b64"},
    {Type::B128, TypeClass::Bits, "b128"},
    {Type::U8, TypeClass::Integer, "u8"},
    {Type::U16, TypeClass::Integer, "u16"},
    {Type::U32, TypeClass::Integer, "u32"},
    {Type::U64, TypeClass::Integer, "u64"},
    {Type::S8, TypeClass::Integer, "s8"},
    {Type::S16, TypeClass::Integer, "s16"},
    {Type::S32, TypeClass::Integer, "s32"},
    {Type::S64, TypeClass::Integer, "s64"},
    {Type::F16, TypeClass::Float, "f16"},
    {Type::BF16, TypeClass::Bits, "bf16"},
    {Type::F32, TypeClass::Float, "f32"},
    {Type::F64, TypeClass::Float, "f64"},
    {Type::F16x2, TypeClass::Float, "f16x2"},
    {Type::BF16x2, TypeClass::Bits, "bf16x2"},
    {Type::F32x2, TypeClass::Bits, "f32x2"},
    {Type::U16x2, TypeClass::Bits, "u16x2"},
    {Type::S16x2, TypeClass::Bits, "s16x2"},
    {Type::TF32, TypeClass::Bits, "tf32"},
    {Type::E4M3, TypeClass::Bits, "e4m3"},
    {Type::E5M2, TypeClass::Bits, "e5m2"},
    {Type::E4M3x2, TypeClass::Bits, "e4m3x2"},
    {Type::E5M2x2, TypeClass::Bits, "e5m2x2"},
};

TypeClass ptxsim::ptx::classOf(Type type) {
  return typeNames[size_t(type)].typeClass;
}

std::string_view ptxsim::ptx::nameOf(Type type) {
  return typeNames[size_t(type)].name;
}

std::optional<Type> ptxsim::ptx::typeNamed(std::string_view name) {
  if (name.empty())
    return std::nullopt;
  for (const TypeName &entry : typeNames)
    if (entry.name == name)
      return entry.type;
  return std::nullopt;
}

std::optional<MatrixShape>
ptxsim::ptx::shapeNamed(std::string_view word) {
  uint16_t sizes[3] = {};
  for (int i = 0; i < 3; ++i) {
    if (word.size() < 2 || word[0] != "mnk"[i] || word[1] == '0')
      return std::nullopt;
    auto [end, error] =
        std::from_chars(word.data() + 1, word.data() + word.size(), sizes[i]);
    if (error != std::errc())
      return std::nullopt;
    word.remove_prefix(size_t(end - word.data()));
  }
  if (!word.empty())
    return std::nullopt;
  return MatrixShape{sizes[0], sizes[1], sizes[2]};
}

std::string_view ptxsim::ptx::nameOf(Space space) {
  switch (space) {
  case Space::Generic:
    return "generic";
  case Space::Register:
    return "reg";
  case Space::Constant:
    return "const";
  case Space::Global:
    return "global";
  case Space::Local:
    return "local";
  case Space::Parameter:
    return "param";
  case Space::Shared:
    return "shared";
  case Space::SharedCluster:
    return "shared::cluster";
  }
  return "";
}

Type ptxsim::ptx::typeOf(SpecialRegister special) {
  switch (special) {
  case SpecialRegister::Clock64:
  case SpecialRegister::GlobalTimer:
  case SpecialRegister::GridId:
  case SpecialRegister::CurrentGraphExec:
  case SpecialRegister::Pm64:
    return Type::B64;
  case SpecialRegister::IsExplicitCluster:
    return Type::Pred;
  default:
    return Type::B32;
  }
}
