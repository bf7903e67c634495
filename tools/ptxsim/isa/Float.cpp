// Arithmetic of f32 and f64 that rounds as IEEE 754 says.
//
// Source: PTX ISA 9.0, section 9.7.3.

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/FloatArithmetic.h"
#include "tools/ptxsim/numerics/FloatCompare.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using numerics::FloatClass;
using numerics::NanRule;
using numerics::SignRule;

using F32Unary = float(float);
using F32Binary = float(float, float);
using F32Ternary = float(float, float, float);
using F64Unary = double(double);
using F64Binary = double(double, double);
using F64Ternary = double(double, double, double);

/// Calls `body` with the rounding, `.ftz` and `.sat` of an f32 instruction.
template <class Body>
static Handler chooseF32(const Match &match, Body body) {
  return choose(body, pickRounding(match), flag(match, "ftz"),
                pick<Clamp::None, Clamp::Saturate>(clampOf(match)));
}

static Handler selectAddF32(const Match &match, Op &) {
  return chooseF32(match, [](auto rounding, auto ftz, auto clamp) {
    return lanes<F32Binary, numerics::add<rounding, ftz, clamp>>;
  });
}
static Handler selectSubF32(const Match &match, Op &) {
  return chooseF32(match, [](auto rounding, auto ftz, auto clamp) {
    return lanes<F32Binary, numerics::sub<rounding, ftz, clamp>>;
  });
}
static Handler selectMulF32(const Match &match, Op &) {
  return chooseF32(match, [](auto rounding, auto ftz, auto clamp) {
    return lanes<F32Binary, numerics::mul<rounding, ftz, clamp>>;
  });
}
static Handler selectFmaF32(const Match &match, Op &) {
  return chooseF32(match, [](auto rounding, auto ftz, auto clamp) {
    return lanes<F32Ternary, numerics::fma<rounding, ftz, clamp>>;
  });
}
static Handler selectDivF32(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto ftz) {
        return lanes<F32Binary, numerics::div<rounding, ftz>>;
      },
      pickRounding(match), flag(match, "ftz"));
}
static Handler selectRcpF32(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto ftz) {
        return lanes<F32Unary, numerics::rcp<rounding, ftz>>;
      },
      pickRounding(match), flag(match, "ftz"));
}
static Handler selectSqrtF32(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto ftz) {
        return lanes<F32Unary, numerics::sqrt<rounding, ftz>>;
      },
      pickRounding(match), flag(match, "ftz"));
}

static Handler selectAddF64(const Match &match, Op &) {
  return choose(
      [](auto rounding) { return lanes<F64Binary, numerics::add<rounding>>; },
      pickRounding(match));
}
static Handler selectSubF64(const Match &match, Op &) {
  return choose(
      [](auto rounding) { return lanes<F64Binary, numerics::sub<rounding>>; },
      pickRounding(match));
}
static Handler selectMulF64(const Match &match, Op &) {
  return choose(
      [](auto rounding) { return lanes<F64Binary, numerics::mul<rounding>>; },
      pickRounding(match));
}
static Handler selectFmaF64(const Match &match, Op &) {
  return choose(
      [](auto rounding) { return lanes<F64Ternary, numerics::fma<rounding>>; },
      pickRounding(match));
}
static Handler selectDivF64(const Match &match, Op &) {
  return choose(
      [](auto rounding) { return lanes<F64Binary, numerics::div<rounding>>; },
      pickRounding(match));
}
static Handler selectRcpF64(const Match &match, Op &) {
  return choose(
      [](auto rounding) { return lanes<F64Unary, numerics::rcp<rounding>>; },
      pickRounding(match));
}
static Handler selectSqrtF64(const Match &match, Op &) {
  return choose(
      [](auto rounding) { return lanes<F64Unary, numerics::sqrt<rounding>>; },
      pickRounding(match));
}

static Handler selectAbsF32(const Match &match, Op &) {
  return choose([](auto ftz) { return lanes<F32Unary, numerics::abs<ftz>>; },
                flag(match, "ftz"));
}
static Handler selectNegF32(const Match &match, Op &) {
  return choose([](auto ftz) { return lanes<F32Unary, numerics::neg<ftz>>; },
                flag(match, "ftz"));
}

template <bool IsMax>
static Handler selectMinMaxF32(const Match &match, Op &) {
  return choose(
      [](auto ftz, auto nan, auto sign) {
        return lanes<F32Binary, numerics::minMax<IsMax, ftz, nan, sign>>;
      },
      flag(match, "ftz"),
      pick<NanRule::Ignore, NanRule::Propagate>(
          match.has("NaN") ? NanRule::Propagate : NanRule::Ignore),
      pick<SignRule::Keep, SignRule::XorOfAbsolute>(
          match.has("xorsign") ? SignRule::XorOfAbsolute : SignRule::Keep));
}

/// The class of numbers that `testp` names.
static FloatClass classOf(const Match &match) {
  if (match.has("finite"))
    return FloatClass::Finite;
  if (match.has("infinite"))
    return FloatClass::Infinite;
  if (match.has("number"))
    return FloatClass::Number;
  if (match.has("notanumber"))
    return FloatClass::NotANumber;
  return match.has("normal") ? FloatClass::Normal : FloatClass::Subnormal;
}

static Handler selectTest(const Match &match, Op &) {
  return choose(
      [](auto type, auto floatClass) {
        return lanes<bool(Scalar<type>), numerics::testFloat<floatClass>>;
      },
      pick<Type::F32, Type::F64>(match.type()),
      pick<FloatClass::Finite, FloatClass::Infinite, FloatClass::Number,
           FloatClass::NotANumber, FloatClass::Normal, FloatClass::Subnormal>(
          classOf(match)));
}

template <typename Signature, Signature *F>
static Handler selectOnly(const Match &, Op &) {
  return lanes<Signature, F>;
}

#define ROUNDING ".(rn|rz|rm|rp)"

static constexpr OpClass single = OpClass::Float;
static constexpr OpClass twice = OpClass::Double;

static const Form forms[] = {
    {"testp .(finite|infinite|number|notanumber|normal|subnormal).f32", "=p T",
     selectTest, single},
    {"testp .(finite|infinite|number|notanumber|normal|subnormal).f64", "=p T",
     selectTest, twice},
    {"copysign.f32", "=T T T", selectOnly<F32Binary, numerics::copySign>,
     single},
    {"copysign.f64", "=T T T", selectOnly<F64Binary, numerics::copySign>,
     twice},

    {"add ?" ROUNDING "?.ftz?.sat.f32", "=T T T", selectAddF32, single},
    {"add ?" ROUNDING ".f64", "=T T T", selectAddF64, twice},
    {"sub ?" ROUNDING "?.ftz?.sat.f32", "=T T T", selectSubF32, single},
    {"sub ?" ROUNDING ".f64", "=T T T", selectSubF64, twice},
    {"mul ?" ROUNDING "?.ftz?.sat.f32", "=T T T", selectMulF32, single},
    {"mul ?" ROUNDING ".f64", "=T T T", selectMulF64, twice},
    {"fma " ROUNDING "?.ftz?.sat.f32", "=T T T T", selectFmaF32, single},
    {"fma " ROUNDING ".f64", "=T T T T", selectFmaF64, twice},
    {"mad " ROUNDING "?.ftz?.sat.f32", "=T T T T", selectFmaF32, single},
    {"mad " ROUNDING ".f64", "=T T T T", selectFmaF64, twice},
    {"div " ROUNDING "?.ftz.f32", "=T T T", selectDivF32, single},
    {"div " ROUNDING ".f64", "=T T T", selectDivF64, twice},
    {"rcp " ROUNDING "?.ftz.f32", "=T T", selectRcpF32, single},
    {"rcp " ROUNDING ".f64", "=T T", selectRcpF64, twice},
    {"sqrt " ROUNDING "?.ftz.f32", "=T T", selectSqrtF32, single},
    {"sqrt " ROUNDING ".f64", "=T T", selectSqrtF64, twice},

    {"abs ?.ftz.f32", "=T T", selectAbsF32, single},
    {"abs.f64", "=T T", selectOnly<F64Unary, numerics::abs>, twice},
    {"neg ?.ftz.f32", "=T T", selectNegF32, single},
    {"neg.f64", "=T T", selectOnly<F64Unary, numerics::neg>, twice},
    {"min ?.ftz?.NaN.f32", "=T T T", selectMinMaxF32<false>, single},
    {"min ?.ftz?.NaN.xorsign.abs.f32", "=T T T", selectMinMaxF32<false>,
     single},
    {"min.f64", "=T T T", selectOnly<F64Binary, numerics::minMax<false>>,
     twice},
    {"max ?.ftz?.NaN.f32", "=T T T", selectMinMaxF32<true>, single},
    {"max ?.ftz?.NaN.xorsign.abs.f32", "=T T T", selectMinMaxF32<true>, single},
    {"max.f64", "=T T T", selectOnly<F64Binary, numerics::minMax<true>>, twice},
};

Family isa::floatFamily() { return {forms, std::size(forms)}; }
