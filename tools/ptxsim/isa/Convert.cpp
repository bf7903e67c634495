// cvt among integers and floating-point types. ConvertPacked.cpp has the packed
// ones and those of tf32, e4m3 and e5m2.
//
// Registers may be wider than the types, except where bf16 is one of them.
//
// Source: PTX ISA 9.0, section 9.7.9.21.

#include "tools/ptxsim/numerics/Convert.h"
#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using numerics::BF16;
using numerics::F16;

static auto pickInteger(Type type) {
  return pick<Type::U8, Type::U16, Type::U32, Type::U64, Type::S8, Type::S16,
              Type::S32, Type::S64>(type);
}

/// `.sat` or nothing.
static auto pickSaturation(const Match &match) {
  return pick<Clamp::None, Clamp::Saturate>(clampOf(match));
}

//===----------------------------------------------------------------------===//
// Among integers

static Type withoutSign(Type type) {
  return ptx::isSigned(type)
             ? Type(uint8_t(type) - uint8_t(Type::S8) + uint8_t(Type::U8))
             : type;
}

/// Truncates or extends, for which the sign of the result does not matter.
static Handler selectResize(const Match &match, Op &) {
  return choose(
      [](auto to, auto from) {
        using To = Scalar<to>;
        using From = Scalar<from>;
        return lanes<To(From), numerics::convertInteger<To, false, From>>;
      },
      pick<Type::U8, Type::U16, Type::U32, Type::U64>(
          withoutSign(match.type(0))),
      pickInteger(match.type(1)));
}

static Handler selectSaturate(const Match &match, Op &) {
  return choose(
      [](auto to, auto from) {
        using To = Scalar<to>;
        using From = Scalar<from>;
        return lanes<To(From), numerics::convertInteger<To, true, From>>;
      },
      pickInteger(match.type(0)), pickInteger(match.type(1)));
}

//===----------------------------------------------------------------------===//
// From integers. An integer is never subnormal, so `.ftz` changes nothing; and
// between 0 and 1 there is nothing to round.

namespace {
template <Type To, Rounding R>
struct FromInteger;
template <Rounding R>
struct FromInteger<Type::F32, R> {
  template <typename From>
  static float of(From value) {
    return numerics::integerToF32<R>(value);
  }
};
template <Rounding R>
struct FromInteger<Type::F64, R> {
  template <typename From>
  static double of(From value) {
    return numerics::integerToF64<R>(value);
  }
};
template <Rounding R>
struct FromInteger<Type::F16, R> {
  template <typename From>
  static uint16_t of(From value) {
    return numerics::integerToHalf<F16, R>(value);
  }
};
template <Rounding R>
struct FromInteger<Type::BF16, R> {
  template <typename From>
  static uint16_t of(From value) {
    return numerics::integerToHalf<BF16, R>(value);
  }
};
} // namespace

template <Type To, typename From>
static Scalar<To> truthOf(From value) {
  return FromInteger<To, Rounding::Nearest>::of(uint32_t(value > 0));
}

template <Type To>
static Handler selectFromInteger(const Match &match, Op &) {
  if (match.has("sat"))
    return choose(
        [](auto from) {
          using From = Scalar<from>;
          return lanes<Scalar<To>(From), truthOf<To, From>>;
        },
        pickInteger(match.type(1)));
  return choose(
      [](auto from, auto rounding) {
        using From = Scalar<from>;
        return lanes<Scalar<To>(From), FromInteger<To, rounding>::of>;
      },
      pickInteger(match.type(1)), pickRounding(match));
}

//===----------------------------------------------------------------------===//
// To integers. They always saturate.

static Handler selectF32ToInteger(const Match &match, Op &) {
  return choose(
      [](auto to, auto rounding, auto ftz) {
        using To = Scalar<to>;
        return lanes<To(float), numerics::toIntegerF32<To, rounding, ftz>>;
      },
      pickInteger(match.type(0)), pickRounding(match), flag(match, "ftz"));
}

static Handler selectF64ToInteger(const Match &match, Op &) {
  return choose(
      [](auto to, auto rounding) {
        using To = Scalar<to>;
        return lanes<To(double), numerics::toInteger<To, rounding, double>>;
      },
      pickInteger(match.type(0)), pickRounding(match));
}

template <class H>
static Handler selectHalfToInteger(const Match &match, Op &) {
  return choose(
      [](auto to, auto rounding) {
        using To = Scalar<to>;
        return lanes<To(uint16_t), numerics::toIntegerHalf<To, rounding, H>>;
      },
      pickInteger(match.type(0)), pickRounding(match));
}

//===----------------------------------------------------------------------===//
// Within a floating-point type: to an integral value with `.rni` …, else only
// `.ftz` and `.sat`.

template <bool Ftz, Clamp C>
static float adjustF32(float value) {
  return numerics::finish<Ftz, C>(numerics::flush<Ftz>(value));
}

static Handler selectF32(const Match &match, Op &) {
  return choose(
      [](auto ftz, auto clamp) {
        return lanes<float(float), adjustF32<ftz, clamp>>;
      },
      flag(match, "ftz"), pickSaturation(match));
}
static Handler selectIntegralF32(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto ftz, auto clamp) {
        return lanes<float(float), numerics::integralF32<rounding, ftz, clamp>>;
      },
      pickRounding(match), flag(match, "ftz"), pickSaturation(match));
}

static Handler selectF64(const Match &match, Op &) {
  return choose(
      [](auto clamp) {
        return lanes<double(double), numerics::clamp<clamp, double>>;
      },
      pickSaturation(match));
}
static Handler selectIntegralF64(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto clamp) {
        return lanes<double(double), numerics::integralF64<rounding, clamp>>;
      },
      pickRounding(match), pickSaturation(match));
}

template <class H>
static Handler selectIntegralHalf(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto clamp) {
        return lanes<uint16_t(uint16_t),
                     numerics::integralHalf<H, rounding, clamp>>;
      },
      pickRounding(match), pickSaturation(match));
}

//===----------------------------------------------------------------------===//
// Among floating-point types

template <class To, class From>
static Handler selectHalfToHalf(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto clamp) {
        return lanes<uint16_t(uint16_t),
                     numerics::halfToHalf<To, From, rounding, clamp>>;
      },
      pickRounding(match), pickSaturation(match));
}

template <class H>
static Handler selectHalfToF32(const Match &match, Op &) {
  return choose(
      [](auto clamp, auto ftz) {
        return lanes<float(uint16_t), numerics::halfToF32<H, clamp, ftz>>;
      },
      pickSaturation(match), flag(match, "ftz"));
}

template <class H>
static Handler selectHalfToF64(const Match &match, Op &) {
  return choose(
      [](auto clamp) {
        return lanes<double(uint16_t), numerics::halfToF64<H, clamp>>;
      },
      pickSaturation(match));
}

static Handler selectF32ToF64(const Match &match, Op &) {
  return choose(
      [](auto ftz, auto clamp) {
        return lanes<double(float), numerics::f32ToF64<ftz, clamp>>;
      },
      flag(match, "ftz"), pickSaturation(match));
}

static Handler selectF64ToF32(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto clamp, auto ftz) {
        return lanes<float(double), numerics::f64ToF32<rounding, clamp, ftz>>;
      },
      pickRounding(match), pickSaturation(match), flag(match, "ftz"));
}

template <class H>
static Handler selectF64ToHalf(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto clamp) {
        return lanes<uint16_t(double), numerics::f64ToHalf<H, rounding, clamp>>;
      },
      pickRounding(match), pickSaturation(match));
}

template <class H>
static Handler selectF32ToHalf(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto clamp, auto ftz) {
        return lanes<uint16_t(float),
                     numerics::f32ToHalf<H, rounding, clamp, ftz>>;
      },
      pickRounding(match), pickSaturation(match), flag(match, "ftz"));
}

/// With `.relu` or `.satfinite`.
template <class H>
static Handler selectF32ToClampedHalf(const Match &match, Op &) {
  return choose(
      [](auto rounding, auto clamp, auto finite) {
        return lanes<uint16_t(float),
                     numerics::f32ToHalf<H, rounding, clamp, false, finite>>;
      },
      pick<Rounding::Nearest, Rounding::Zero>(roundingOf(match)),
      pick<Clamp::None, Clamp::Relu>(clampOf(match)), flag(match, "satfinite"));
}

//===----------------------------------------------------------------------===//

#define INTEGER ".(u8|u16|u32|u64|s8|s16|s32|s64)"
#define NO_BYTE ".(u16|u32|u64|s16|s32|s64)"
#define ROUNDING ".(rn|rz|rm|rp)"
#define INTEGRAL ".(rni|rzi|rmi|rpi)"

static constexpr OpClass convert = OpClass::Convert;

static const Form forms[] = {
    {"cvt" INTEGER INTEGER, "=T~ U~", selectResize, convert},
    // Where a value of the source may be out of range.
    {"cvt .sat.s8.u8", "=T~ U~", selectSaturate, convert},
    {"cvt .sat.(u8|u16|u32|u64).s8", "=T~ U~", selectSaturate, convert},
    {"cvt .sat.(u8|s8|s16).u16", "=T~ U~", selectSaturate, convert},
    {"cvt .sat.(u8|u16|u32|u64|s8).s16", "=T~ U~", selectSaturate, convert},
    {"cvt .sat.(u8|u16|s8|s16|s32).u32", "=T~ U~", selectSaturate, convert},
    {"cvt .sat.(u8|u16|u32|u64|s8|s16).s32", "=T~ U~", selectSaturate, convert},
    {"cvt .sat.(u8|u16|u32|s8|s16|s32|s64).u64", "=T~ U~", selectSaturate,
     convert},
    {"cvt .sat.(u8|u16|u32|u64|s8|s16|s32).s64", "=T~ U~", selectSaturate,
     convert},

    {"cvt " ROUNDING "?.ftz?.sat.f32" INTEGER, "=T~ U~",
     selectFromInteger<Type::F32>, convert},
    {"cvt " ROUNDING "?.sat.f64" INTEGER, "=T~ U~",
     selectFromInteger<Type::F64>, convert},
    {"cvt " ROUNDING "?.sat.f16" INTEGER, "=T~ U~",
     selectFromInteger<Type::F16>, convert},
    {"cvt " ROUNDING ".bf16" NO_BYTE, "=T U", selectFromInteger<Type::BF16>,
     convert},

    {"cvt " INTEGRAL "?.ftz?.sat" INTEGER ".f32", "=T~ U~", selectF32ToInteger,
     convert},
    {"cvt " INTEGRAL "?.sat" INTEGER ".f64", "=T~ U~", selectF64ToInteger,
     convert},
    {"cvt " INTEGRAL "?.sat" INTEGER ".f16", "=T~ U~", selectHalfToInteger<F16>,
     convert},
    {"cvt " INTEGRAL NO_BYTE ".bf16", "=T U", selectHalfToInteger<BF16>,
     convert},

    {"cvt ?.ftz?.sat.f32.f32", "=T~ U~", selectF32, convert},
    {"cvt " INTEGRAL "?.ftz?.sat.f32.f32", "=T~ U~", selectIntegralF32,
     convert},
    {"cvt ?.sat.f64.f64", "=T~ U~", selectF64, convert},
    {"cvt " INTEGRAL "?.sat.f64.f64", "=T~ U~", selectIntegralF64, convert},
    {"cvt ?.sat.f16.f16", "=T~ U~", selectHalfToHalf<F16, F16>, convert},
    {"cvt " INTEGRAL "?.sat.f16.f16", "=T~ U~", selectIntegralHalf<F16>,
     convert},
    {"cvt.bf16.bf16", "=T U", selectHalfToHalf<BF16, BF16>, convert},
    {"cvt " INTEGRAL ".bf16.bf16", "=T U", selectIntegralHalf<BF16>, convert},

    {"cvt ?.ftz?.sat.f32.f16", "=T~ U~", selectHalfToF32<F16>, convert},
    {"cvt ?" ROUNDING "?.ftz.f32.bf16", "=T U", selectHalfToF32<BF16>, convert},
    {"cvt ?.sat.f64.f16", "=T~ U~", selectHalfToF64<F16>, convert},
    {"cvt ?" ROUNDING ".f64.bf16", "=T U", selectHalfToF64<BF16>, convert},
    {"cvt ?.ftz?.sat.f64.f32", "=T~ U~", selectF32ToF64, convert},
    {"cvt " ROUNDING "?.ftz?.sat.f32.f64", "=T~ U~", selectF64ToF32, convert},
    {"cvt " ROUNDING "?.sat.f16.f64", "=T~ U~", selectF64ToHalf<F16>, convert},
    {"cvt " ROUNDING ".bf16.f64", "=T U", selectF64ToHalf<BF16>, convert},
    {"cvt ?" ROUNDING ".f16.bf16", "=T U", selectHalfToHalf<F16, BF16>,
     convert},
    {"cvt ?" ROUNDING ".bf16.f16", "=T U", selectHalfToHalf<BF16, F16>,
     convert},
    {"cvt " ROUNDING "?.ftz?.sat.f16.f32", "=T~ U~", selectF32ToHalf<F16>,
     convert},
    {"cvt " ROUNDING "?.ftz.bf16.f32", "=T U", selectF32ToHalf<BF16>, convert},
    {"cvt .(rn|rz)?.relu?.satfinite.f16.f32", "=T~ U~",
     selectF32ToClampedHalf<F16>, convert},
    {"cvt .(rn|rz)?.relu?.satfinite.bf16.f32", "=T U",
     selectF32ToClampedHalf<BF16>, convert},
};

Family isa::convertFamily() { return {forms, std::size(forms)}; }
