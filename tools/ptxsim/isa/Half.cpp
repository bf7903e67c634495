// Arithmetic of f16 and bf16, alone and in pairs.
//
// Source: PTX ISA 9.0, section 9.7.4 and, for ex2 and tanh, 9.7.3.

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/ApproximateHalf.h"
#include "tools/ptxsim/numerics/FloatCompare.h"
#include "tools/ptxsim/numerics/HalfArithmetic.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using numerics::NanRule;
using numerics::SignRule;

using Unary = uint16_t(uint16_t);
using Binary = uint16_t(uint16_t, uint16_t);
using Ternary = uint16_t(uint16_t, uint16_t, uint16_t);

static bool isF16(const Match &match) {
  return match.type() == Type::F16 || match.type() == Type::F16x2;
}
static auto pickF16(const Match &match) {
  return pick<Type::F16, Type::F16x2>(match.type());
}
static auto pickBF16(const Match &match) {
  return pick<Type::BF16, Type::BF16x2>(match.type());
}

/// Calls `body` with the type and the `.ftz` of an instruction. Only f16 has
/// `.ftz`.
template <class Body, class... Picks>
static Handler chooseHalf(const Match &match, Body body, Picks... picks) {
  if (isF16(match))
    return choose(body, pickF16(match), flag(match, "ftz"), picks...);
  return choose(body, pickBF16(match), pick<false>(false), picks...);
}

/// Of add, sub and mul.
template <class Body>
static Handler chooseBinary(const Match &match, Body body) {
  if (isF16(match))
    return chooseHalf(match, body,
                      pick<Clamp::None, Clamp::Saturate>(clampOf(match)));
  return chooseHalf(match, body, pick<Clamp::None>(Clamp::None));
}

static Handler selectAdd(const Match &match, Op &) {
  return chooseBinary(match, [](auto type, auto ftz, auto clamp) {
    return values<type, Binary, numerics::addHalf<HalfOf<type>, ftz, clamp>>;
  });
}
static Handler selectSub(const Match &match, Op &) {
  return chooseBinary(match, [](auto type, auto ftz, auto clamp) {
    return values<type, Binary, numerics::subHalf<HalfOf<type>, ftz, clamp>>;
  });
}
static Handler selectMul(const Match &match, Op &) {
  return chooseBinary(match, [](auto type, auto ftz, auto clamp) {
    return values<type, Binary, numerics::mulHalf<HalfOf<type>, ftz, clamp>>;
  });
}
static Handler selectFma(const Match &match, Op &) {
  return chooseHalf(
      match,
      [](auto type, auto ftz, auto clamp) {
        return values<type, Ternary,
                      numerics::fmaHalf<HalfOf<type>, ftz, clamp>>;
      },
      pick<Clamp::None, Clamp::Saturate, Clamp::Relu>(clampOf(match)));
}

static Handler selectFmaInBounds(const Match &match, Op &) {
  return choose(
      [](auto type, auto clamp) {
        return values<type, Ternary,
                      numerics::fmaHalfInBounds<HalfOf<type>, clamp>>;
      },
      pick<Type::F16, Type::F16x2, Type::BF16, Type::BF16x2>(match.type()),
      pick<Clamp::None, Clamp::Relu>(clampOf(match)));
}

static Handler selectAbs(const Match &match, Op &) {
  return chooseHalf(match, [](auto type, auto ftz) {
    return values<type, Unary, numerics::absHalf<HalfOf<type>, ftz>>;
  });
}
static Handler selectNeg(const Match &match, Op &) {
  return chooseHalf(match, [](auto type, auto ftz) {
    return values<type, Unary, numerics::negHalf<HalfOf<type>, ftz>>;
  });
}

template <bool IsMax>
static Handler selectMinMax(const Match &match, Op &) {
  return chooseHalf(
      match,
      [](auto type, auto ftz, auto nan, auto sign) {
        return values<
            type, Binary,
            numerics::minMaxHalf<HalfOf<type>, IsMax, ftz, nan, sign>>;
      },
      pick<NanRule::Ignore, NanRule::Propagate>(
          match.has("NaN") ? NanRule::Propagate : NanRule::Ignore),
      pick<SignRule::Keep, SignRule::XorOfAbsolute>(
          match.has("xorsign") ? SignRule::XorOfAbsolute : SignRule::Keep));
}

static Handler selectTanh(const Match &match, Op &) {
  return choose(
      [](auto type) {
        return values<type, Unary, numerics::tanhHalf<HalfOf<type>>>;
      },
      pick<Type::F16, Type::F16x2, Type::BF16, Type::BF16x2>(match.type()));
}

/// bf16 always flushes, f16 never does.
static Handler selectExp2(const Match &match, Op &) {
  if (isF16(match))
    return choose(
        [](auto type) {
          return values<type, Unary, numerics::exp2Half<numerics::F16, false>>;
        },
        pickF16(match));
  return choose(
      [](auto type) {
        return values<type, Unary, numerics::exp2Half<numerics::BF16, true>>;
      },
      pickBF16(match));
}

#define F16_TYPES ".(f16|f16x2)"
#define BF16_TYPES ".(bf16|bf16x2)"

static constexpr OpClass half = OpClass::Half;

static const Form forms[] = {
    {"add ?.rn?.ftz?.sat" F16_TYPES, "=T T T", selectAdd, half},
    {"add ?.rn" BF16_TYPES, "=T T T", selectAdd, half},
    {"sub ?.rn?.ftz?.sat" F16_TYPES, "=T T T", selectSub, half},
    {"sub ?.rn" BF16_TYPES, "=T T T", selectSub, half},
    {"mul ?.rn?.ftz?.sat" F16_TYPES, "=T T T", selectMul, half},
    {"mul ?.rn" BF16_TYPES, "=T T T", selectMul, half},
    {"fma .rn?.ftz?.(sat|relu)" F16_TYPES, "=T T T T", selectFma, half},
    {"fma .rn?.relu" BF16_TYPES, "=T T T T", selectFma, half},
    {"fma .rn?.relu.oob.(f16|f16x2|bf16|bf16x2)", "=T T T T", selectFmaInBounds,
     half},
    {"neg ?.ftz" F16_TYPES, "=T T", selectNeg, half},
    {"neg" BF16_TYPES, "=T T", selectNeg, half},
    {"abs ?.ftz" F16_TYPES, "=T T", selectAbs, half},
    {"abs" BF16_TYPES, "=T T", selectAbs, half},
    {"min ?.ftz?.NaN" F16_TYPES, "=T T T", selectMinMax<false>, half},
    {"min ?.ftz?.NaN.xorsign.abs" F16_TYPES, "=T T T", selectMinMax<false>,
     half},
    {"min ?.NaN" BF16_TYPES, "=T T T", selectMinMax<false>, half},
    {"min ?.NaN.xorsign.abs" BF16_TYPES, "=T T T", selectMinMax<false>, half},
    {"max ?.ftz?.NaN" F16_TYPES, "=T T T", selectMinMax<true>, half},
    {"max ?.ftz?.NaN.xorsign.abs" F16_TYPES, "=T T T", selectMinMax<true>,
     half},
    {"max ?.NaN" BF16_TYPES, "=T T T", selectMinMax<true>, half},
    {"max ?.NaN.xorsign.abs" BF16_TYPES, "=T T T", selectMinMax<true>, half},
    {"tanh .approx.(f16|f16x2|bf16|bf16x2)", "=T T", selectTanh,
     OpClass::Special},
    {"ex2 .approx" F16_TYPES, "=T T", selectExp2, OpClass::Special},
    {"ex2 .approx.ftz" BF16_TYPES, "=T T", selectExp2, OpClass::Special},
};

Family isa::halfFamily() { return {forms, std::size(forms)}; }
