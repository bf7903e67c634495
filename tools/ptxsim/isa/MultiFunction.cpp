// The approximate functions of f32 and f64.
//
// Source: PTX ISA 9.0, section 9.7.3; numerics/Approximate.h has the errors.

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/Approximate.h"

using namespace ptxsim;
using namespace ptxsim::isa;

namespace {
// A function template as a type, so that it can be passed on.
template <bool Ftz>
struct Rcp {
  static float of(float x) { return numerics::rcpApproximate<Ftz>(x); }
};
template <bool Ftz>
struct Sqrt {
  static float of(float x) { return numerics::sqrtApproximate<Ftz>(x); }
};
template <bool Ftz>
struct Rsqrt {
  static float of(float x) { return numerics::rsqrtApproximate<Ftz>(x); }
};
template <bool Ftz>
struct Sin {
  static float of(float x) { return numerics::sinApproximate<Ftz>(x); }
};
template <bool Ftz>
struct Cos {
  static float of(float x) { return numerics::cosApproximate<Ftz>(x); }
};
template <bool Ftz>
struct Log2 {
  static float of(float x) { return numerics::log2Approximate<Ftz>(x); }
};
template <bool Ftz>
struct Exp2 {
  static float of(float x) { return numerics::exp2Approximate<Ftz>(x); }
};
template <bool Ftz>
struct Div {
  static float of(float a, float b) {
    return numerics::divApproximate<Ftz>(a, b);
  }
};
template <bool Ftz>
struct DivFull {
  static float of(float a, float b) { return numerics::divFull<Ftz>(a, b); }
};
} // namespace

template <template <bool> class Function>
static Handler byFtz(const Match &match, Op &) {
  return match.has("ftz") ? handlerOf<Function<true>::of>
                          : handlerOf<Function<false>::of>;
}

template <auto F>
static Handler selectOnly(const Match &, Op &) {
  return handlerOf<F>;
}

static constexpr OpClass special = OpClass::Special;

static const Form forms[] = {
    {"div .approx?.ftz.f32", "=T T T", byFtz<Div>, special},
    {"div .full?.ftz.f32", "=T T T", byFtz<DivFull>, special},
    {"rcp .approx?.ftz.f32", "=T T", byFtz<Rcp>, special},
    {"rcp .approx.ftz.f64", "=T T", selectOnly<numerics::rcpApproximateF64>,
     special},
    {"sqrt .approx?.ftz.f32", "=T T", byFtz<Sqrt>, special},
    {"rsqrt .approx?.ftz.f32", "=T T", byFtz<Rsqrt>, special},
    {"rsqrt .approx.f64", "=T T", selectOnly<numerics::rsqrtApproximateF64>,
     special},
    {"rsqrt .approx.ftz.f64", "=T T",
     selectOnly<numerics::rsqrtApproximateFtzF64>, special},
    {"sin .approx?.ftz.f32", "=T T", byFtz<Sin>, special},
    {"cos .approx?.ftz.f32", "=T T", byFtz<Cos>, special},
    {"lg2 .approx?.ftz.f32", "=T T", byFtz<Log2>, special},
    {"ex2 .approx?.ftz.f32", "=T T", byFtz<Exp2>, special},
    {"tanh .approx.f32", "=T T", selectOnly<numerics::tanhApproximate>,
     special},
};

Family isa::multiFunctionFamily() { return {forms, std::size(forms)}; }
