// Integer arithmetic and operations on bits.
//
// Source: PTX ISA 9.0, section 9.7.1.

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/IntegerArithmetic.h"
#include "tools/ptxsim/numerics/IntegerBits.h"

#include <algorithm>

using namespace ptxsim;
using namespace ptxsim::isa;

namespace {
/// What T is multiplied in, so that the product wraps.
template <typename T>
using Wrapping =
    std::conditional_t<(sizeof(T) < 4), uint32_t, std::make_unsigned_t<T>>;

template <typename T>
struct Wider;
template <>
struct Wider<uint16_t> {
  using type = uint32_t;
};
template <>
struct Wider<int16_t> {
  using type = int32_t;
};
template <>
struct Wider<uint32_t> {
  using type = uint64_t;
};
template <>
struct Wider<int32_t> {
  using type = int64_t;
};
template <typename T>
using Wide = typename Wider<T>::type;

template <typename T>
struct Add {
  static T of(T a, T b) { return T(Wrapping<T>(a) + Wrapping<T>(b)); }
};
template <typename T>
struct Sub {
  static T of(T a, T b) { return T(Wrapping<T>(a) - Wrapping<T>(b)); }
};
template <typename T>
struct MulLow {
  static T of(T a, T b) { return T(Wrapping<T>(a) * Wrapping<T>(b)); }
};
template <typename T>
struct MulHigh {
  static T of(T a, T b) { return numerics::mulHigh(a, b); }
};
template <typename T>
struct MulWide {
  static Wide<T> of(T a, T b) { return Wide<T>(a) * Wide<T>(b); }
};
template <typename T>
struct MadLow {
  static T of(T a, T b, T c) { return Add<T>::of(MulLow<T>::of(a, b), c); }
};
template <typename T>
struct MadHigh {
  static T of(T a, T b, T c) { return Add<T>::of(MulHigh<T>::of(a, b), c); }
};
template <typename T>
struct MadWide {
  static Wide<T> of(T a, T b, Wide<T> c) {
    return Add<Wide<T>>::of(MulWide<T>::of(a, b), c);
  }
};
template <typename T>
struct Mul24Low {
  static T of(T a, T b) { return numerics::mul24<false>(a, b); }
};
template <typename T>
struct Mul24High {
  static T of(T a, T b) { return numerics::mul24<true>(a, b); }
};
template <typename T>
struct Mad24Low {
  static T of(T a, T b, T c) { return Add<T>::of(Mul24Low<T>::of(a, b), c); }
};
template <typename T>
struct Mad24High {
  static T of(T a, T b, T c) { return Add<T>::of(Mul24High<T>::of(a, b), c); }
};
template <typename T>
struct Sad {
  static T of(T a, T b, T c) { return numerics::sad(a, b, c); }
};
template <typename T>
struct Div {
  static T of(T a, T b) { return numerics::divide(a, b); }
};
template <typename T>
struct Rem {
  static T of(T a, T b) { return numerics::remainder(a, b); }
};
template <typename T>
struct Abs {
  static T of(T a) { return numerics::absInteger(a); }
};
template <typename T>
struct Neg {
  static T of(T a) { return numerics::negInteger(a); }
};
template <typename T>
struct Min {
  static T of(T a, T b) { return std::min(a, b); }
};
template <typename T>
struct Max {
  static T of(T a, T b) { return std::max(a, b); }
};
template <typename T>
struct MinRelu {
  static T of(T a, T b) { return std::max(std::min(a, b), T(0)); }
};
template <typename T>
struct MaxRelu {
  static T of(T a, T b) { return std::max(std::max(a, b), T(0)); }
};
template <typename T>
struct CountOnes {
  static uint32_t of(T a) { return numerics::popCount(a); }
};
template <typename T>
struct CountZeros {
  static uint32_t of(T a) { return numerics::countLeadingZeros(a); }
};
template <typename T>
struct FindBit {
  static uint32_t of(T a) { return numerics::findBit<T, false>(a); }
};
template <typename T>
struct FindShift {
  static uint32_t of(T a) { return numerics::findBit<T, true>(a); }
};
template <typename T>
struct Reverse {
  static T of(T a) { return numerics::reverseBits(a); }
};
template <typename T>
struct Extract {
  static T of(T a, uint32_t position, uint32_t length) {
    return numerics::extractField(a, position, length);
  }
};
template <typename T>
struct Insert {
  static T of(T field, T base, uint32_t position, uint32_t length) {
    return numerics::insertField(field, base, position, length);
  }
};
template <typename T>
struct ExtendClamped {
  static T of(T a, uint32_t width) {
    return numerics::extendField<T, true>(a, width);
  }
};
template <typename T>
struct ExtendWrapped {
  static T of(T a, uint32_t width) {
    return numerics::extendField<T, false>(a, width);
  }
};
} // namespace

template <template <typename> class Operation>
static constexpr Select allTypes =
    byType<Operation, Type::U16, Type::U32, Type::U64, Type::S16, Type::S32,
           Type::S64>;
template <template <typename> class Operation>
static constexpr Select signedTypes =
    byType<Operation, Type::S16, Type::S32, Type::S64>;
template <template <typename> class Operation>
static constexpr Select narrowTypes =
    byType<Operation, Type::U16, Type::U32, Type::S16, Type::S32>;
template <template <typename> class Operation>
static constexpr Select packedTypes =
    byType<Operation, Type::U16x2, Type::S16x2>;
template <template <typename> class Operation>
static constexpr Select wordTypes = byType<Operation, Type::U32, Type::S32>;
template <template <typename> class Operation>
static constexpr Select bitTypes = byType<Operation, Type::B32, Type::B64>;
template <template <typename> class Operation>
static constexpr Select findTypes =
    byType<Operation, Type::U32, Type::U64, Type::S32, Type::S64>;

template <auto F>
static Handler selectOnly(const Match &, Op &) {
  return handlerOf<F>;
}

/// Selects by the signs of the two factors.
static Handler selectDp4a(const Match &match, Op &) {
  using numerics::dp4a;
  using Signature = uint32_t(uint32_t, uint32_t, uint32_t);
  return choose(
      [](auto a, auto b) {
        return lanes<Signature, dp4a<Scalar<a>, Scalar<b>>>;
      },
      pick<Type::U8, Type::S8>(ptx::isSigned(match.type(0)) ? Type::S8
                                                            : Type::U8),
      pick<Type::U8, Type::S8>(ptx::isSigned(match.type(1)) ? Type::S8
                                                            : Type::U8));
}

static Handler selectDp2a(const Match &match, Op &) {
  using numerics::dp2a;
  using Signature = uint32_t(uint32_t, uint32_t, uint32_t);
  return choose(
      [](auto a, auto b, auto high) {
        return lanes<Signature, dp2a<Scalar<a>, Scalar<b>, high>>;
      },
      pick<Type::U16, Type::S16>(ptx::isSigned(match.type(0)) ? Type::S16
                                                              : Type::U16),
      pick<Type::U8, Type::S8>(ptx::isSigned(match.type(1)) ? Type::S8
                                                            : Type::U8),
      flag(match, "hi"));
}

#define ALL ".(u16|u32|u64|s16|s32|s64)"

static constexpr OpClass integer = OpClass::Integer;

static const Form forms[] = {
    {"add" ALL, "=T T T", allTypes<Add>, integer},
    {"add .sat.s32", "=T T T", selectOnly<numerics::addSaturated>, integer},
    {"add.(u16x2|s16x2)", "=T T T", packedTypes<Add>, integer},
    {"sub" ALL, "=T T T", allTypes<Sub>, integer},
    {"sub .sat.s32", "=T T T", selectOnly<numerics::subSaturated>, integer},

    {"mul.lo" ALL, "=T T T", allTypes<MulLow>, integer},
    {"mul.hi" ALL, "=T T T", allTypes<MulHigh>, integer},
    {"mul.wide.(u16|s16)", "=u32 T T", narrowTypes<MulWide>, integer},
    {"mul.wide.(u32|s32)", "=u64 T T", narrowTypes<MulWide>, integer},
    {"mad.lo" ALL, "=T T T T", allTypes<MadLow>, integer},
    {"mad.hi" ALL, "=T T T T", allTypes<MadHigh>, integer},
    {"mad.hi .sat.s32", "=T T T T", selectOnly<numerics::madHighSaturated>,
     integer},
    {"mad.wide.(u16|s16)", "=u32 T T u32", narrowTypes<MadWide>, integer},
    {"mad.wide.(u32|s32)", "=u64 T T u64", narrowTypes<MadWide>, integer},
    {"mul24.lo.(u32|s32)", "=T T T", wordTypes<Mul24Low>, integer},
    {"mul24.hi.(u32|s32)", "=T T T", wordTypes<Mul24High>, integer},
    {"mad24.lo.(u32|s32)", "=T T T T", wordTypes<Mad24Low>, integer},
    {"mad24.hi.(u32|s32)", "=T T T T", wordTypes<Mad24High>, integer},
    {"mad24.hi .sat.s32", "=T T T T", selectOnly<numerics::mad24HighSaturated>,
     integer},

    {"sad" ALL, "=T T T T", allTypes<Sad>, integer},
    {"div" ALL, "=T T T", allTypes<Div>, integer},
    {"rem" ALL, "=T T T", allTypes<Rem>, integer},
    {"abs.(s16|s32|s64)", "=T T", signedTypes<Abs>, integer},
    {"neg.(s16|s32|s64)", "=T T", signedTypes<Neg>, integer},
    {"min" ALL, "=T T T", allTypes<Min>, integer},
    {"max" ALL, "=T T T", allTypes<Max>, integer},
    {"min.(u16x2|s16x2)", "=T T T", packedTypes<Min>, integer},
    {"max.(u16x2|s16x2)", "=T T T", packedTypes<Max>, integer},
    {"min .relu.(s32|s16x2)", "=T T T", byType<MinRelu, Type::S32, Type::S16x2>,
     integer},
    {"max .relu.(s32|s16x2)", "=T T T", byType<MaxRelu, Type::S32, Type::S16x2>,
     integer},

    {"popc.(b32|b64)", "=u32 T", bitTypes<CountOnes>, integer},
    {"clz.(b32|b64)", "=u32 T", bitTypes<CountZeros>, integer},
    {"bfind.(u32|u64|s32|s64)", "=u32 T", findTypes<FindBit>, integer},
    {"bfind .shiftamt.(u32|u64|s32|s64)", "=u32 T", findTypes<FindShift>,
     integer},
    {"fns.b32", "=T T T T", selectOnly<numerics::findNthSet>, integer},
    {"brev.(b32|b64)", "=T T", bitTypes<Reverse>, integer},
    {"bfe.(u32|u64|s32|s64)", "=T T u32<256 u32<256", findTypes<Extract>,
     integer},
    {"bfi.(b32|b64)", "=T T T u32<256 u32<256", bitTypes<Insert>, integer},
    {"szext .clamp.(u32|s32)", "=T T u32", wordTypes<ExtendClamped>, integer},
    {"szext .wrap.(u32|s32)", "=T T u32", wordTypes<ExtendWrapped>, integer},
    {"bmsk .clamp.b32", "=u32 u32 u32", selectOnly<numerics::makeMask<true>>,
     integer},
    {"bmsk .wrap.b32", "=u32 u32 u32", selectOnly<numerics::makeMask<false>>,
     integer},
    {"dp4a.(u32|s32).(u32|s32)", "=u32 T U u32", selectDp4a, integer},
    {"dp2a.(lo|hi).(u32|s32).(u32|s32)", "=u32 T U u32", selectDp2a, integer},
};

Family isa::integerFamily() { return {forms, std::size(forms)}; }
