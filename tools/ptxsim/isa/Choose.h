// From the words of an instruction to a handler that was compiled for them.
//
// The arithmetic in numerics/ takes modifiers as template arguments. A form
// lists which values its words allow, and gets the handler for those that were
// written:
//
//   choose([](auto ftz, auto rounding) {
//            return lanes<float(float, float), numerics::add<rounding, ftz>>;
//          },
//          flag(match, "ftz"), pick<Rounding::Nearest, Rounding::Zero>(…));

#ifndef TCC_TOOLS_PTXSIM_ISA_CHOOSE_H
#define TCC_TOOLS_PTXSIM_ISA_CHOOSE_H

#include "tools/ptxsim/isa/Form.h"
#include "tools/ptxsim/isa/Lanes.h"
#include "tools/ptxsim/numerics/Formats.h"

#include <type_traits>

namespace ptxsim::isa {

using numerics::Clamp;
using numerics::Rounding;
using ptx::Type;

/// One of a few values, known only when an instruction is read.
template <auto First, decltype(First)... Rest>
struct Pick {
  decltype(First) value;
};

template <auto First, decltype(First)... Rest>
constexpr Pick<First, Rest...> pick(decltype(First) value) {
  return {value};
}

/// True if the instruction has `word`.
inline Pick<false, true> flag(const Match &match, std::string_view word) {
  return {match.has(word)};
}

template <class Body>
inline Handler choose(Body body) {
  return body();
}

/// Calls `body` with a constant for the value of each pick.
///
/// \returns null if a value is none of its pick's.
template <class Body, auto First, decltype(First)... Values, class... Rest>
inline Handler choose(Body body, Pick<First, Values...> picked, Rest... rest) {
  Handler result = nullptr;
  auto attempt = [&](auto constant) {
    if (picked.value == constant.value)
      result = choose([&](auto... more) { return body(constant, more...); },
                      rest...);
  };
  attempt(std::integral_constant<decltype(First), First>());
  (attempt(std::integral_constant<decltype(First), Values>()), ...);
  return result;
}

/// The rounding that a word names, with or without an `i` at its end; to
/// nearest if none does.
inline Rounding roundingOf(const Match &match) {
  if (match.has("rz") || match.has("rzi"))
    return Rounding::Zero;
  if (match.has("rm") || match.has("rmi"))
    return Rounding::Down;
  if (match.has("rp") || match.has("rpi"))
    return Rounding::Up;
  return match.has("rna") ? Rounding::NearestAway : Rounding::Nearest;
}

/// The four modes of IEEE 754 that instructions have.
inline auto pickRounding(const Match &match) {
  return pick<Rounding::Nearest, Rounding::Zero, Rounding::Down, Rounding::Up>(
      roundingOf(match));
}

/// The clamp that `.sat` or `.relu` names.
inline Clamp clampOf(const Match &match) {
  return match.has("sat")    ? Clamp::Saturate
         : match.has("relu") ? Clamp::Relu
                             : Clamp::None;
}

/// True for the types of 32 bits that hold two values.
constexpr bool isPacked(Type type) {
  return type == Type::F16x2 || type == Type::BF16x2 || type == Type::U16x2 ||
         type == Type::S16x2;
}

template <Type type>
constexpr auto scalarOf() {
  constexpr unsigned bits = isPacked(type) ? 16 : ptx::bitsOf(type);
  constexpr bool isSigned = ptx::isSigned(type) || type == Type::S16x2;
  if constexpr (type == Type::F32)
    return float();
  else if constexpr (type == Type::F64)
    return double();
  else if constexpr (bits == 8)
    return std::conditional_t<isSigned, int8_t, uint8_t>();
  else if constexpr (bits == 16)
    return std::conditional_t<isSigned, int16_t, uint16_t>();
  else if constexpr (bits == 32)
    return std::conditional_t<isSigned, int32_t, uint32_t>();
  else
    return std::conditional_t<isSigned, int64_t, uint64_t>();
}

/// The C++ type of a value of `type`, or of one of the two that it packs.
/// Formats that C++ lacks are their bits.
template <Type type>
using Scalar = decltype(scalarOf<type>());

/// The format of f16 and bf16, packed or not.
template <Type type>
using HalfOf = std::conditional_t<type == Type::F16 || type == Type::F16x2,
                                  numerics::F16, numerics::BF16>;

template <bool Packed, typename Signature, Signature *F>
struct HandlerFor;
template <typename D, typename... A, D (*F)(A...)>
struct HandlerFor<false, D(A...), F> {
  static constexpr Handler value = mapLanes<F, D, A...>;
};
template <typename D, typename... A, D (*F)(A...)>
struct HandlerFor<true, D(A...), F> {
  static constexpr Handler value = mapHalves<F, D, A...>;
};
template <typename... A, bool (*F)(A...)>
struct HandlerFor<false, bool(A...), F> {
  static constexpr Handler value = mapPredicate<F, A...>;
};

/// `d = F(a…)` for the overload of a function F that has this signature.
template <typename Signature, Signature *F>
constexpr Handler lanes = HandlerFor<false, Signature, F>::value;

/// The same for registers of `type`, which may hold two values each.
template <Type type, typename Signature, Signature *F>
constexpr Handler values = HandlerFor<isPacked(type), Signature, F>::value;

/// Selects the handler of `Operation<T>::of` for the C++ type T of the words.
template <template <typename> class Operation, Type First, Type... Rest>
Handler byType(const Match &match, Op &) {
  return choose(
      [](auto type) {
        using Signature =
            std::remove_pointer_t<decltype(&Operation<Scalar<type>>::of)>;
        return values<type, Signature, Operation<Scalar<type>>::of>;
      },
      pick<First, Rest...>(match.type()));
}

} // namespace ptxsim::isa

#endif // TCC_TOOLS_PTXSIM_ISA_CHOOSE_H
