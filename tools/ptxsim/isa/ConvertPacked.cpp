// cvt to and from pairs of small numbers, cvt to tf32, and cvt.pack.
//
// Of two sources the first becomes the upper part of the result.
//
// Source: PTX ISA 9.0, sections 9.7.9.21 and 9.7.9.22 (cvt.pack).

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/Convert.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using numerics::E4M3;
using numerics::E5M2;

static auto pickRelu(const Match &match) {
  return pick<Clamp::None, Clamp::Relu>(clampOf(match));
}

//===----------------------------------------------------------------------===//
// f16x2, bf16x2 and tf32 of f32

template <class H, Rounding R, Clamp C, bool SatFinite>
static uint32_t packHalves(float high, float low) {
  uint16_t upper = numerics::f32ToHalf<H, R, C, false, SatFinite>(high);
  uint16_t lower = numerics::f32ToHalf<H, R, C, false, SatFinite>(low);
  return uint32_t(upper) << 16 | lower;
}

static Handler selectHalves(const Match &match, Op &) {
  return choose(
      [](auto type, auto rounding, auto clamp, auto finite) {
        return lanes<uint32_t(float, float),
                     packHalves<HalfOf<type>, rounding, clamp, finite>>;
      },
      pick<Type::F16x2, Type::BF16x2>(match.type()),
      pick<Rounding::Nearest, Rounding::Zero>(roundingOf(match)),
      pickRelu(match), flag(match, "satfinite"));
}

static Handler selectTF32(const Match &match, Op &) {
  if (roundingOf(match) == Rounding::NearestAway)
    return choose(
        [](auto finite) {
          return lanes<
              uint32_t(float),
              numerics::f32ToTF32<Rounding::NearestAway, Clamp::None, finite>>;
        },
        flag(match, "satfinite"));
  return choose(
      [](auto rounding, auto clamp) {
        return lanes<uint32_t(float), numerics::f32ToTF32<rounding, clamp>>;
      },
      pick<Rounding::Nearest, Rounding::Zero>(roundingOf(match)),
      pickRelu(match));
}

//===----------------------------------------------------------------------===//
// e4m3x2 and e5m2x2

template <class F8, Clamp C>
static uint16_t packBytes(float high, float low) {
  return uint16_t(numerics::f32ToF8<F8, C>(high) << 8 |
                  numerics::f32ToF8<F8, C>(low));
}

/// Of an f16x2.
template <class F8, Clamp C>
static uint16_t narrowHalves(uint32_t halves) {
  return uint16_t(numerics::f16ToF8<F8, C>(uint16_t(halves >> 16)) << 8 |
                  numerics::f16ToF8<F8, C>(uint16_t(halves)));
}

/// To an f16x2.
template <class F8, Clamp C>
static uint32_t widenBytes(uint16_t bytes) {
  return uint32_t(numerics::f8ToF16<F8, C>(uint8_t(bytes >> 8))) << 16 |
         numerics::f8ToF16<F8, C>(uint8_t(bytes));
}

template <class F8>
static Handler selectPackBytes(const Match &match, Op &) {
  return choose(
      [](auto clamp) {
        return lanes<uint16_t(float, float), packBytes<F8, clamp>>;
      },
      pickRelu(match));
}
template <class F8>
static Handler selectNarrowHalves(const Match &match, Op &) {
  return choose(
      [](auto clamp) {
        return lanes<uint16_t(uint32_t), narrowHalves<F8, clamp>>;
      },
      pickRelu(match));
}
template <class F8>
static Handler selectWidenBytes(const Match &match, Op &) {
  return choose(
      [](auto clamp) {
        return lanes<uint32_t(uint16_t), widenBytes<F8, clamp>>;
      },
      pickRelu(match));
}

//===----------------------------------------------------------------------===//
// cvt.pack

/// Clamps to an integer of some bits and returns its code.
template <int Bits, bool Signed>
static uint32_t saturate(int32_t value) {
  constexpr int32_t most = (1 << (Signed ? Bits - 1 : Bits)) - 1;
  constexpr int32_t least = Signed ? -most - 1 : 0;
  value = value < least ? least : value;
  value = value > most ? most : value;
  return uint32_t(value) & ((1u << Bits) - 1);
}

template <bool Signed>
static uint32_t packWords(int32_t high, int32_t low) {
  return saturate<16, Signed>(high) << 16 | saturate<16, Signed>(low);
}

/// Below what is left of `rest`.
template <int Bits, bool Signed>
static uint32_t packUnder(int32_t high, int32_t low, uint32_t rest) {
  return rest << 2 * Bits | saturate<Bits, Signed>(high) << Bits |
         saturate<Bits, Signed>(low);
}

template <auto F>
static Handler selectOnly(const Match &, Op &) {
  return handlerOf<F>;
}

static constexpr OpClass convert = OpClass::Convert;

static const Form forms[] = {
    {"cvt .(rn|rz)?.relu?.satfinite.f16x2.f32", "=T~ U~ U~", selectHalves,
     convert},
    {"cvt .(rn|rz)?.relu?.satfinite.bf16x2.f32", "=T U U", selectHalves,
     convert},
    {"cvt .(rn|rz)?.relu.tf32.f32", "=T U", selectTF32, convert},
    {"cvt .rna?.satfinite.tf32.f32", "=T U", selectTF32, convert},

    {"cvt .rn.satfinite?.relu.e4m3x2.f32", "=T U U", selectPackBytes<E4M3>,
     convert},
    {"cvt .rn.satfinite?.relu.e5m2x2.f32", "=T U U", selectPackBytes<E5M2>,
     convert},
    {"cvt .rn.satfinite?.relu.e4m3x2.f16x2", "=T U", selectNarrowHalves<E4M3>,
     convert},
    {"cvt .rn.satfinite?.relu.e5m2x2.f16x2", "=T U", selectNarrowHalves<E5M2>,
     convert},
    {"cvt .rn?.relu.f16x2.e4m3x2", "=T U", selectWidenBytes<E4M3>, convert},
    {"cvt .rn?.relu.f16x2.e5m2x2", "=T U", selectWidenBytes<E5M2>, convert},

    {"cvt.pack.sat.u16.s32", "=u32~ s32~ s32~", selectOnly<packWords<false>>,
     convert},
    {"cvt.pack.sat.s16.s32", "=u32~ s32~ s32~", selectOnly<packWords<true>>,
     convert},
    {"cvt.pack.sat.u8.s32.b32", "=u32~ s32~ s32~ b32~",
     selectOnly<packUnder<8, false>>, convert},
    {"cvt.pack.sat.s8.s32.b32", "=u32~ s32~ s32~ b32~",
     selectOnly<packUnder<8, true>>, convert},
    {"cvt.pack.sat.u4.s32.b32", "=u32~ s32~ s32~ b32~",
     selectOnly<packUnder<4, false>>, convert},
    {"cvt.pack.sat.s4.s32.b32", "=u32~ s32~ s32~ b32~",
     selectOnly<packUnder<4, true>>, convert},
    {"cvt.pack.sat.u2.s32.b32", "=u32~ s32~ s32~ b32~",
     selectOnly<packUnder<2, false>>, convert},
    {"cvt.pack.sat.s2.s32.b32", "=u32~ s32~ s32~ b32~",
     selectOnly<packUnder<2, true>>, convert},
};

Family isa::convertPackedFamily() { return {forms, std::size(forms)}; }
