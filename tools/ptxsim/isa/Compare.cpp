// Comparisons and selection by sign: set, setp, slct.
//
// A comparison of all lanes is one mask. The combination with a third predicate
// works on such masks, so that each comparison is compiled once.
//
// Source: PTX ISA 9.0, sections 9.7.6 and 9.7.7.

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/FloatCompare.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using numerics::Comparison;

//===----------------------------------------------------------------------===//
// Which comparison

/// The comparison that a word names. `lo` to `hs` are the unsigned spellings.
static Comparison comparisonOf(const Match &match) {
  static constexpr struct {
    std::string_view word;
    Comparison comparison;
  } names[] = {
      {"eq", Comparison::Eq},   {"ne", Comparison::Ne},
      {"lt", Comparison::Lt},   {"le", Comparison::Le},
      {"gt", Comparison::Gt},   {"ge", Comparison::Ge},
      {"lo", Comparison::Lt},   {"ls", Comparison::Le},
      {"hi", Comparison::Gt},   {"hs", Comparison::Ge},
      {"equ", Comparison::Equ}, {"neu", Comparison::Neu},
      {"ltu", Comparison::Ltu}, {"leu", Comparison::Leu},
      {"gtu", Comparison::Gtu}, {"geu", Comparison::Geu},
      {"num", Comparison::Num}, {"nan", Comparison::Nan},
  };
  for (const auto &entry : names)
    if (match.has(entry.word))
      return entry.comparison;
  return Comparison::Eq;
}

static auto pickIntegerComparison(const Match &match) {
  return pick<Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le,
              Comparison::Gt, Comparison::Ge>(comparisonOf(match));
}

static auto pickFloatComparison(const Match &match) {
  return pick<Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le,
              Comparison::Gt, Comparison::Ge, Comparison::Equ, Comparison::Neu,
              Comparison::Ltu, Comparison::Leu, Comparison::Gtu,
              Comparison::Geu, Comparison::Num, Comparison::Nan>(
      comparisonOf(match));
}

/// Bits compare as unsigned integers.
static Type withoutBits(Type type) {
  return type == Type::B16   ? Type::U16
         : type == Type::B32 ? Type::U32
         : type == Type::B64 ? Type::U64
                             : type;
}

/// Chooses the comparison of an f32 or f16 with its `.ftz`, and so on for other
/// types, and returns the handler that `Make` has for it.
template <template <typename S, S *> class Make>
static Handler chooseComparison(const Match &match, Type type) {
  using namespace numerics;
  using Halves = bool(uint16_t, uint16_t);
  if (type == Type::F32)
    return choose(
        [](auto c, auto ftz) {
          return Make<bool(float, float), compareF32<c, ftz>>::handler;
        },
        pickFloatComparison(match), flag(match, "ftz"));
  if (type == Type::F64)
    return choose(
        [](auto c) {
          return Make<bool(double, double), compare<c, double>>::handler;
        },
        pickFloatComparison(match));
  if (type == Type::F16 || type == Type::F16x2)
    return choose(
        [](auto c, auto ftz) {
          return Make<Halves, compareHalf<F16, c, ftz>>::handler;
        },
        pickFloatComparison(match), flag(match, "ftz"));
  if (type == Type::BF16 || type == Type::BF16x2)
    return choose(
        [](auto c) { return Make<Halves, compareHalf<BF16, c>>::handler; },
        pickFloatComparison(match));
  return choose(
      [](auto c, auto integer) {
        using T = Scalar<integer>;
        return Make<bool(T, T), compare<c, T>>::handler;
      },
      pickIntegerComparison(match),
      pick<Type::U16, Type::U32, Type::U64, Type::S16, Type::S32, Type::S64>(
          withoutBits(type)));
}

//===----------------------------------------------------------------------===//
// Combination with a predicate

/// What `.and`, `.or` or `.xor` makes of a comparison and a predicate.
enum class Combination : uint32_t { None, And, Or, Xor };

static void noteCombination(const Match &match, Op &op) {
  op.modifiers = uint32_t(match.has("and")   ? Combination::And
                          : match.has("or")  ? Combination::Or
                          : match.has("xor") ? Combination::Xor
                                             : Combination::None);
}

/// Combines with the predicate in `slot`, if the instruction has one.
static LaneMask combine(const Warp &warp, const Op &op, LaneMask compared,
                        Slot slot) {
  switch (Combination(op.modifiers)) {
  case Combination::None:
    return compared;
  case Combination::And:
    return compared & warp.predicate(slot);
  case Combination::Or:
    return compared | warp.predicate(slot);
  case Combination::Xor:
    return compared ^ warp.predicate(slot);
  }
  return compared;
}

namespace {
/// Comparisons of the lower and of the upper halves of registers.
struct HalfMasks {
  LaneMask low, high;
};
} // namespace

template <typename Signature, Signature *F>
static HalfMasks testHalves(Warp &warp, const Slot *slots, LaneMask mask) {
  const uint32_t *a = warp.at<uint32_t>(slots[0]);
  const uint32_t *b = warp.at<uint32_t>(slots[1]);
  LaneMask low = lanesWhere(
      mask, [=](int lane) { return F(uint16_t(a[lane]), uint16_t(b[lane])); });
  LaneMask high = lanesWhere(mask, [=](int lane) {
    return F(uint16_t(a[lane] >> 16), uint16_t(b[lane] >> 16));
  });
  return {low, high};
}

//===----------------------------------------------------------------------===//
// setp

static void writePredicates(Warp &warp, const Op &op, LaneMask p, LaneMask q,
                            LaneMask mask) {
  warp.setPredicate(op.slots[0], p, mask);
  if (op.slots[1] != -1)
    warp.setPredicate(op.slots[1], q, mask);
}

namespace {
/// setp p|q, a, b, c: p = (a op b) BoolOp c, q = !(a op b) BoolOp c.
template <typename Signature, Signature *F>
struct SetPredicates;
template <typename T, bool (*F)(T, T)>
struct SetPredicates<bool(T, T), F> {
  static Next handler(Warp &warp, const Op &op, LaneMask mask) {
    LaneMask compared = testLanes<F, T, T>(warp, op.slots + 2, mask);
    LaneMask p = combine(warp, op, compared, op.slots[4]);
    LaneMask q = combine(warp, op, ~compared, op.slots[4]);
    writePredicates(warp, op, p, q, mask);
    return Next::Advance;
  }
};

/// setp p, a, b, c.
template <typename Signature, Signature *F>
struct SetPredicate;
template <typename T, bool (*F)(T, T)>
struct SetPredicate<bool(T, T), F> {
  static Next handler(Warp &warp, const Op &op, LaneMask mask) {
    LaneMask compared = testLanes<F, T, T>(warp, op.slots + 1, mask);
    LaneMask p = combine(warp, op, compared, op.slots[3]);
    warp.setPredicate(op.slots[0], p, mask);
    return Next::Advance;
  }
};

/// setp p|q, a, b, c of packed values: p of the lower halves, q of the upper.
template <typename Signature, Signature *F>
struct SetPredicatesOfHalves {
  static Next handler(Warp &warp, const Op &op, LaneMask mask) {
    HalfMasks compared = testHalves<Signature, F>(warp, op.slots + 2, mask);
    LaneMask p = combine(warp, op, compared.low, op.slots[4]);
    LaneMask q = combine(warp, op, compared.high, op.slots[4]);
    writePredicates(warp, op, p, q, mask);
    return Next::Advance;
  }
};
} // namespace

static Handler selectSetPredicates(const Match &match, Op &op) {
  noteCombination(match, op);
  if (isPacked(match.type()))
    return chooseComparison<SetPredicatesOfHalves>(match, match.type());
  return chooseComparison<SetPredicates>(match, match.type());
}

static Handler selectSetPredicate(const Match &match, Op &op) {
  noteCombination(match, op);
  return chooseComparison<SetPredicate>(match, match.type());
}

//===----------------------------------------------------------------------===//
// set: Op::immediate is what a lane gets where the comparison holds.

/// Gives the lanes of `truth` this value and the others 0.
template <typename T>
static void writeTruth(Warp &warp, const Op &op, LaneMask truth,
                       LaneMask mask) {
  T value = T(op.immediate);
  alignas(64) T values[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    values[lane] = T(value & T(0 - (truth >> lane & 1)));
  writeLanes(warp.at<T>(op.slots[0]), values, mask);
}

namespace {
/// set d, a, b, c: d = (a op b) BoolOp c.
template <typename Signature, Signature *F>
struct Set;
template <typename T, bool (*F)(T, T)>
struct Set<bool(T, T), F> {
  static Next handler(Warp &warp, const Op &op, LaneMask mask) {
    LaneMask compared = testLanes<F, T, T>(warp, op.slots + 1, mask);
    LaneMask truth = combine(warp, op, compared, op.slots[3]);
    if (op.count == 2)
      writeTruth<uint16_t>(warp, op, truth, mask);
    else
      writeTruth<uint32_t>(warp, op, truth, mask);
    return Next::Advance;
  }
};

/// The same for each half; Op::immediate is of 16 bits.
template <typename Signature, Signature *F>
struct SetHalves {
  static Next handler(Warp &warp, const Op &op, LaneMask mask) {
    HalfMasks compared = testHalves<Signature, F>(warp, op.slots + 1, mask);
    LaneMask low = combine(warp, op, compared.low, op.slots[3]);
    LaneMask high = combine(warp, op, compared.high, op.slots[3]);
    uint32_t value = uint32_t(op.immediate);
    alignas(64) uint32_t values[32];
#pragma clang loop vectorize_width(32) unroll(disable)
    for (int lane = 0; lane < 32; ++lane)
      values[lane] = (value & (0 - (low >> lane & 1))) |
                     (value << 16 & (0 - (high >> lane & 1)));
    writeLanes(warp.at<uint32_t>(op.slots[0]), values, mask);
    return Next::Advance;
  }
};
} // namespace

/// The bits of "true": 1.0, or all ones.
static uint64_t truthOf(Type type) {
  switch (type) {
  case Type::F32:
    return 0x3F800000;
  case Type::F16:
  case Type::F16x2:
    return numerics::F16::one;
  case Type::BF16:
  case Type::BF16x2:
    return numerics::BF16::one;
  default:
    return ~uint64_t(0);
  }
}

static Handler selectSet(const Match &match, Op &op) {
  Type result = match.type(0), source = match.type(1);
  noteCombination(match, op);
  op.count = uint8_t(ptx::bytesOf(result));
  op.immediate = truthOf(result);
  if (!isPacked(source))
    return chooseComparison<Set>(match, source);
  op.immediate &= 0xFFFF;
  return chooseComparison<SetHalves>(match, source);
}

//===----------------------------------------------------------------------===//
// slct

/// slct d, a, b, c: d = c >= 0 ? a : b; of a NaN, b.
template <typename T, auto AtLeast, typename C>
static Next selectBySign(Warp &warp, const Op &op, LaneMask mask) {
  const T *a = warp.at<T>(op.slots[1]);
  const T *b = warp.at<T>(op.slots[2]);
  const C *c = warp.at<C>(op.slots[3]);
  alignas(64) T values[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane) {
    T first = a[lane], second = b[lane];
    values[lane] = AtLeast(c[lane], C(0)) ? first : second;
  }
  writeLanes(warp.at<T>(op.slots[0]), values, mask);
  return Next::Advance;
}

static Handler selectSelect(const Match &match, Op &) {
  auto width = pick<16u, 32u, 64u>(ptx::bitsOf(match.type(0)));
  if (match.type(1) == Type::F32)
    return choose(
        [](auto bits, auto ftz) -> Handler {
          return selectBySign<BitsOf<bits / 8>,
                              numerics::compareF32<Comparison::Ge, ftz>, float>;
        },
        width, flag(match, "ftz"));
  return choose(
      [](auto bits) -> Handler {
        return selectBySign<BitsOf<bits / 8>,
                            numerics::compare<Comparison::Ge, int32_t>,
                            int32_t>;
      },
      width);
}

//===----------------------------------------------------------------------===//

#define SLCT_TYPES ".(b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64)"
#define BOOL ".(and|or|xor)"
#define SAME ".(eq|ne)"
#define SIGNED ".(eq|ne|lt|le|gt|ge)"
#define UNSIGNED ".(eq|ne|lt|le|gt|ge|lo|ls|hi|hs)"
#define FLOAT ".(eq|ne|lt|le|gt|ge|equ|neu|ltu|leu|gtu|geu|num|nan)"

#define TYPES ".(u32|s32|f32|f16|bf16)"

// Each is there without and with a predicate to combine with.
#define SETP(words)                                                            \
  {"setp " words, "=p|p T T", selectSetPredicates, OpClass::Predicate}, {      \
    "setp " BOOL words, "=p|p T T p", selectSetPredicates, OpClass::Predicate  \
  }
#define SETP_SINGLE(words)                                                     \
  {"setp " words, "=p T T", selectSetPredicate, OpClass::Predicate}, {         \
    "setp " BOOL words, "=p T T p", selectSetPredicate, OpClass::Predicate     \
  }
#define SET(words, opClass)                                                    \
  {"set " words, "=T U U", selectSet, opClass}, {                              \
    "set " BOOL words, "=T U U p", selectSet, opClass                          \
  }

static const Form forms[] = {
    SETP(SAME ".(b16|b32|b64)"),
    SETP(UNSIGNED ".(u16|u32|u64)"),
    SETP(SIGNED ".(s16|s32|s64)"),
    SETP(FLOAT "?.ftz.f32"),
    SETP(FLOAT ".f64"),
    SETP_SINGLE(FLOAT "?.ftz.f16"),
    SETP_SINGLE(FLOAT ".bf16"),
    SETP(FLOAT "?.ftz.f16x2"),
    SETP(FLOAT ".bf16x2"),

    SET(SAME TYPES ".(b16|b32|b64)", OpClass::Integer),
    SET(UNSIGNED TYPES ".(u16|u32|u64)", OpClass::Integer),
    SET(SIGNED TYPES ".(s16|s32|s64)", OpClass::Integer),
    SET(FLOAT "?.ftz.(u32|s32|f32|f16).f32", OpClass::Float),
    SET(FLOAT ".bf16.f32", OpClass::Float),
    SET(FLOAT TYPES ".f64", OpClass::Double),
    SET(FLOAT "?.ftz.(u16|s16|u32|s32|f16).f16", OpClass::Half),
    SET(FLOAT ".bf16.f16", OpClass::Half),
    SET(FLOAT ".(u16|s16|u32|s32|bf16).bf16", OpClass::Half),
    SET(FLOAT "?.ftz.(u32|s32|f16x2).f16x2", OpClass::Half),
    SET(FLOAT ".(u32|s32|bf16x2).bf16x2", OpClass::Half),

    {"slct" SLCT_TYPES ".s32", "=T T T U", selectSelect, OpClass::Move},
    {"slct ?.ftz" SLCT_TYPES ".f32", "=T T T U", selectSelect, OpClass::Move},
};

Family isa::compareFamily() { return {forms, std::size(forms)}; }
