// Video instructions: arithmetic of 33 bits and of halves and bytes, with
// saturation and a second operation.
//
// Source: PTX ISA 9.0, sections 9.7.17 and 9.7.18 (scalar and SIMD video).

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/FloatCompare.h"

#include <algorithm>

using namespace ptxsim;
using namespace ptxsim::isa;
using numerics::Comparison;

//===----------------------------------------------------------------------===//
// The first operation, of numbers that are wide enough for no overflow.

static int64_t add(int64_t a, int64_t b) { return a + b; }
static int64_t sub(int64_t a, int64_t b) { return a - b; }
static int64_t difference(int64_t a, int64_t b) {
  return a < b ? b - a : a - b;
}
static int64_t least(int64_t a, int64_t b) { return std::min(a, b); }
static int64_t most(int64_t a, int64_t b) { return std::max(a, b); }

/// Rounds halves away from zero.
static int64_t average(int64_t a, int64_t b) {
  return (a + b + (a + b >= 0)) >> 1;
}

template <Comparison C>
static int64_t holds(int64_t a, int64_t b) {
  return numerics::compare<C>(a, b);
}

/// Of a left shift by 32 only the sign matters: it saturates or leaves zeros.
template <bool Wraps>
static int64_t shiftLeft(int64_t a, int64_t b) {
  int64_t amount = Wraps ? b & 31 : std::min<int64_t>(b, 32);
  uint64_t bits = uint64_t(amount == 32 ? std::min<int64_t>(a, 1) : a);
  return int64_t(bits << amount);
}
template <bool Wraps>
static int64_t shiftRight(int64_t a, int64_t b) {
  return a >> (Wraps ? b & 31 : std::min<int64_t>(b, 32));
}

//===----------------------------------------------------------------------===//
// What follows it

namespace {
/// Op::modifiers of these instructions.
enum Modifiers : uint32_t {
  saturates = 1,
  isSignedResult = 2,
  addsThird = 4, ///< Only one of these three.
  minOfThird = 8,
  maxOfThird = 16,
};
} // namespace

static void noteModifiers(const Match &match, Op &op,
                          bool isSignedDestination) {
  op.modifiers = (match.has("sat") ? saturates : 0) |
                 (isSignedDestination ? isSignedResult : 0) |
                 (match.has("add") ? addsThird : 0) |
                 (match.has("min") ? minOfThird : 0) |
                 (match.has("max") ? maxOfThird : 0);
}

/// Clamps to the signed or unsigned numbers of some bits.
static int64_t saturateTo(int64_t value, unsigned bits, bool isSigned) {
  int64_t lowest = isSigned ? -(int64_t(1) << (bits - 1)) : 0;
  int64_t highest = (int64_t(1) << (isSigned ? bits - 1 : bits)) - 1;
  return std::min(std::max(value, lowest), highest);
}

/// Where the selectors of operands 0 to 2 are in Op::immediate.
static ptx::Selector selectorOf(uint64_t immediate, unsigned operand) {
  return {uint16_t(immediate >> (16 * (operand + 1)))};
}

/// One byte or half of a source, extended as its type says.
template <typename T> static T select(T value, ptx::Selector selector) {
  if (selector.count() == 0)
    return value;
  if (selector.isOfHalves())
    return T(std::conditional_t<std::is_signed_v<T>, int16_t, uint16_t>(
        value >> (16 * selector.part(0))));
  return T(std::conditional_t<std::is_signed_v<T>, int8_t, uint8_t>(
      value >> (8 * selector.part(0))));
}

/// Puts a byte or half into the word that the third operand gives.
static uint32_t merge(int64_t value, uint32_t third, uint32_t modifiers,
                      ptx::Selector selector) {
  unsigned bits = selector.isOfHalves() ? 16 : 8;
  unsigned shift = bits * selector.part(0);
  if (modifiers & saturates)
    value = saturateTo(value, bits, modifiers & isSignedResult);
  uint32_t mask = ((1u << bits) - 1) << shift;
  return (third & ~mask) | (uint32_t(value) << shift & mask);
}

static uint32_t finish(int64_t value, uint32_t third, uint32_t modifiers) {
  bool isSigned = modifiers & isSignedResult;
  if (modifiers & saturates)
    value = saturateTo(value, 32, isSigned);
  int64_t c = isSigned ? int64_t(int32_t(third)) : int64_t(third);
  if (modifiers & addsThird)
    value += c;
  if (modifiers & minOfThird)
    value = std::min(value, c);
  if (modifiers & maxOfThird)
    value = std::max(value, c);
  return uint32_t(value);
}

namespace {
/// d = F(a, b) op2 c; A and B are int32_t or uint32_t.
template <auto F, typename A, typename B>
struct Scalars {
  static Next handler(Warp &warp, const Op &op, LaneMask mask) {
    const A *a = warp.at<A>(op.slots[1]);
    const B *b = warp.at<B>(op.slots[2]);
    // Where there is no third operand, none is used.
    Slot third = op.slots[3] == -1 ? op.slots[1] : op.slots[3];
    const uint32_t *c = warp.at<uint32_t>(third);
    alignas(64) uint32_t values[32];
    if (op.immediate != 0) {
      ptx::Selector d = selectorOf(op.immediate, 0);
      for (int lane = 0; lane < 32; ++lane) {
        int64_t value = F(select(a[lane], selectorOf(op.immediate, 1)),
                          select(b[lane], selectorOf(op.immediate, 2)));
        values[lane] = d.count() != 0
                           ? merge(value, c[lane], op.modifiers, d)
                           : finish(value, c[lane], op.modifiers);
      }
    } else {
#pragma clang loop unroll(disable)
      for (int lane = 0; lane < 32; ++lane)
        values[lane] = finish(F(a[lane], b[lane]), c[lane], op.modifiers);
    }
    writeLanes(warp.at<uint32_t>(op.slots[0]), values, mask);
    return Next::Advance;
  }
};

/// The same for halves or bytes; A and B are their types. With `.add` the
/// results are added to c, else they are packed.
template <auto F, typename A, typename B>
struct Parts {
  static constexpr unsigned bits = 8 * sizeof(A);

  static uint32_t of(uint32_t a, uint32_t b, uint32_t c, uint32_t modifiers) {
    uint32_t packed = 0;
    for (unsigned shift = 0; shift < 32; shift += bits) {
      int64_t value = F(A(a >> shift), B(b >> shift));
      if (modifiers & saturates)
        value = saturateTo(value, bits, modifiers & isSignedResult);
      packed |= (uint32_t(value) & ((1u << bits) - 1)) << shift;
      c += uint32_t(value);
    }
    return modifiers & addsThird ? c : packed;
  }

  /// The parts of `a` and, behind them, `b` that a selector names.
  static uint32_t gather(uint32_t a, uint32_t b, ptx::Selector selector,
                         uint32_t all) {
    if (selector.count() == 0)
      return all;
    uint64_t both = uint64_t(b) << 32 | a;
    uint32_t result = 0;
    for (unsigned i = 0; i < selector.count(); ++i)
      result |= (uint32_t(both >> (bits * selector.part(i))) &
                 ((1u << bits) - 1))
                << (bits * i);
    return result;
  }

  /// The same with selectors: parts that are not written are those of c.
  static uint32_t ofSelected(uint32_t a, uint32_t b, uint32_t c, const Op &op) {
    uint32_t first = gather(a, b, selectorOf(op.immediate, 1), a);
    uint32_t second = gather(a, b, selectorOf(op.immediate, 2), b);
    ptx::Selector written = selectorOf(op.immediate, 0);
    uint32_t mask = written.count() == 0 ? ~0u : 0, sum = c;
    for (unsigned i = 0; i < written.count(); ++i)
      mask |= ((1u << bits) - 1) << (bits * written.part(i));
    for (unsigned shift = 0; shift < 32; shift += bits) {
      int64_t value = F(A(first >> shift), B(second >> shift));
      if (mask >> shift & 1)
        sum += uint32_t(value);
    }
    if (op.modifiers & addsThird)
      return sum;
    return (of(first, second, c, op.modifiers) & mask) | (c & ~mask);
  }

  static Next handler(Warp &warp, const Op &op, LaneMask mask) {
    const uint32_t *a = warp.at<uint32_t>(op.slots[1]);
    const uint32_t *b = warp.at<uint32_t>(op.slots[2]);
    const uint32_t *c = warp.at<uint32_t>(op.slots[3]);
    alignas(64) uint32_t values[32];
    if (op.immediate != 0) {
      for (int lane = 0; lane < 32; ++lane)
        values[lane] = ofSelected(a[lane], b[lane], c[lane], op);
    } else {
#pragma clang loop unroll(disable)
      for (int lane = 0; lane < 32; ++lane)
        values[lane] = of(a[lane], b[lane], c[lane], op.modifiers);
    }
    writeLanes(warp.at<uint32_t>(op.slots[0]), values, mask);
    return Next::Advance;
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Which handler

/// Chooses by the signs of the sources; Unsigned and Signed are the types of
/// their parts.
template <template <auto, typename, typename> class Make, auto F,
          typename Unsigned, typename Signed>
static Handler bySigns(Type a, Type b) {
  if (ptx::isSigned(a))
    return ptx::isSigned(b) ? Make<F, Signed, Signed>::handler
                            : Make<F, Signed, Unsigned>::handler;
  return ptx::isSigned(b) ? Make<F, Unsigned, Signed>::handler
                          : Make<F, Unsigned, Unsigned>::handler;
}

/// By the number at the end of the opcode, if there is one.
template <auto F>
static Handler byParts(const Match &match, Type a, Type b) {
  switch (match.instruction->opcode.back()) {
  case '2':
    return bySigns<Parts, F, uint16_t, int16_t>(a, b);
  case '4':
    return bySigns<Parts, F, uint8_t, int8_t>(a, b);
  }
  return bySigns<Scalars, F, uint32_t, int32_t>(a, b);
}

/// Says what is wrong with the selector of an operand, or nothing.
static std::string checkSelector(const Match &match, unsigned operand) {
  ptx::Selector selector{match.operand(operand).selector};
  if (selector.count() == 0)
    return "";
  char last = match.instruction->opcode.back();
  bool isOfParts = last == '2' || last == '4';
  unsigned parts = selector.isOfHalves() ? 2 : 4;
  if (isOfParts && parts != unsigned(last - '0'))
    return last == '2' ? "a selector of halves" : "a selector of bytes";
  if (isOfParts && operand != 0)
    return selector.count() == parts
               ? ""
               : "a selector of " + std::to_string(parts) + " parts";
  if (!isOfParts && selector.count() != 1)
    return "a selector of one part";
  for (unsigned i = 0; i < selector.count(); ++i)
    if (selector.part(i) >= parts ||
        (i > 0 && selector.part(i) <= selector.part(i - 1)))
      return "a selector of the register's own parts, the highest first";
  return "";
}

/// Says what is wrong if an instruction on halves or bytes has a number.
static std::string checkParts(const Match &match) {
  char last = match.instruction->opcode.back();
  if (last != '2' && last != '4')
    return "";
  for (unsigned i = 1; i < match.instruction->operandCount; ++i)
    if (match.operand(i).kind != ptx::Operand::Kind::Register)
      return "a register as operand " + std::to_string(i + 1) +
             " of an instruction on halves or bytes";
  return "";
}

/// Notes the selectors of the operands.
static std::string noteSelectors(const Match &match, Op &op) {
  if (std::string message = checkParts(match); !message.empty())
    return message;
  for (unsigned i = 0; i < 3; ++i) {
    if (std::string message = checkSelector(match, i); !message.empty())
      return message;
    op.immediate |= uint64_t(match.operand(i).selector) << (16 * (i + 1));
  }
  char last = match.instruction->opcode.back();
  bool merges = match.operand(0).selector != 0 && last != '2' && last != '4';
  if (merges && (op.modifiers & (addsThird | minOfThird | maxOfThird)))
    return "no second operation beside a selector of the result";
  if (merges && match.instruction->operandCount < 4)
    return "a fourth operand, which gives the other parts of the result";
  return "";
}

template <auto F>
static Handler selectVideo(const Match &match, Op &op) {
  noteModifiers(match, op, ptx::isSigned(match.type(0)));
  op.immediate = 0;
  if (std::string message = noteSelectors(match, op); !message.empty())
    return match.refuse(std::move(message));
  return byParts<F>(match, match.type(1), match.type(2));
}

static Handler selectSet(const Match &match, Op &op) {
  noteModifiers(match, op, false);
  op.immediate = 0;
  if (std::string message = noteSelectors(match, op); !message.empty())
    return match.refuse(std::move(message));
  Type a = match.type(0), b = match.type(1);
  if (match.has("eq"))
    return byParts<holds<Comparison::Eq>>(match, a, b);
  if (match.has("ne"))
    return byParts<holds<Comparison::Ne>>(match, a, b);
  if (match.has("lt"))
    return byParts<holds<Comparison::Lt>>(match, a, b);
  if (match.has("le"))
    return byParts<holds<Comparison::Le>>(match, a, b);
  if (match.has("gt"))
    return byParts<holds<Comparison::Gt>>(match, a, b);
  return byParts<holds<Comparison::Ge>>(match, a, b);
}

/// Op::immediate of vmad: the right shift, and these.
static constexpr uint64_t addsOne = 256, negatesProduct = 512,
                          negatesThird = 1024;

template <typename A, typename B>
static Next multiplyAdd(Warp &warp, const Op &op, LaneMask mask) {
  const bool isSigned = std::is_signed_v<A> || std::is_signed_v<B> ||
                        (op.immediate & (negatesProduct | negatesThird)) != 0;
  unsigned shift = op.immediate & 0xFF;
  const uint32_t *c = warp.at<uint32_t>(op.slots[3]);
  alignas(64) uint32_t values[32];
  for (int lane = 0; lane < 32; ++lane) {
    A a = select(warp.at<A>(op.slots[1])[lane], selectorOf(op.immediate, 1));
    B b = select(warp.at<B>(op.slots[2])[lane], selectorOf(op.immediate, 2));
    __int128 value = __int128(a) * b;
    if (op.immediate & negatesProduct)
      value = -value;
    int64_t third = isSigned ? int64_t(int32_t(c[lane])) : int64_t(c[lane]);
    value += op.immediate & negatesThird ? -third : third;
    value += op.immediate & addsOne ? 1 : 0;
    int64_t shifted = int64_t(value >> shift);
    if (op.modifiers & saturates && isSigned)
      shifted = saturateTo(shifted, 32, true);
    else if (op.modifiers & saturates)
      shifted = value >> shift > 0xFFFFFFFF ? 0xFFFFFFFF : shifted;
    values[lane] = uint32_t(shifted);
  }
  writeLanes(warp.at<uint32_t>(op.slots[0]), values, mask);
  return Next::Advance;
}

static Handler selectMultiplyAdd(const Match &match, Op &op) {
  noteModifiers(match, op, ptx::isSigned(match.type(0)));
  op.immediate = match.has("shr7") ? 7 : match.has("shr15") ? 15 : 0;
  op.immediate += match.has("po") ? addsOne : 0;
  bool negates[3];
  for (unsigned i = 0; i < 3; ++i)
    negates[i] = match.operand(i + 1).negated;
  op.immediate += negates[0] != negates[1] ? negatesProduct : 0;
  op.immediate += negates[2] ? negatesThird : 0;
  bool negatesBoth = negates[0] != negates[1] && negates[2];
  if (op.immediate & addsOne
          ? op.immediate & (negatesProduct | negatesThird)
          : negatesBoth)
    return match.refuse("a sign of the product or of the third source, not of "
                        "both, and none beside .po");
  if (std::string message = noteSelectors(match, op); !message.empty())
    return match.refuse(std::move(message));
  return choose(
      [](auto a, auto b) -> Handler {
        return multiplyAdd<Scalar<a>, Scalar<b>>;
      },
      pick<Type::U32, Type::S32>(match.type(1)),
      pick<Type::U32, Type::S32>(match.type(2)));
}

//===----------------------------------------------------------------------===//

#define TYPE ".(u32|s32)"
#define TYPES TYPE TYPE TYPE
#define COMPARE ".(eq|ne|lt|le|gt|ge)"

// A scalar instruction alone and with a second operation.
#define SCALAR(name, words, F)                                                 \
  {name " " words "?.sat", "=T. U. V. T?", selectVideo<F>, OpClass::Integer}, {   \
    name " " words "?.sat.(add|min|max)", "=T. U. V. T", selectVideo<F>,          \
        OpClass::Integer                                                       \
  }
// On halves and on bytes; the third operand is always there.
#define PARTS(name, F)                                                         \
  {name "2 " TYPES "?.(sat|add)", "=T. U. V. T", selectVideo<F>,                  \
   OpClass::Integer},                                                          \
  {                                                                            \
    name "4 " TYPES "?.(sat|add)", "=T. U. V. T", selectVideo<F>,                 \
        OpClass::Integer                                                       \
  }

static const Form forms[] = {
    SCALAR("vadd", TYPES, add),
    SCALAR("vsub", TYPES, sub),
    SCALAR("vabsdiff", TYPES, difference),
    SCALAR("vmin", TYPES, least),
    SCALAR("vmax", TYPES, most),
    SCALAR("vshl", TYPE TYPE ".u32.clamp", shiftLeft<false>),
    SCALAR("vshl", TYPE TYPE ".u32.wrap", shiftLeft<true>),
    SCALAR("vshr", TYPE TYPE ".u32.clamp", shiftRight<false>),
    SCALAR("vshr", TYPE TYPE ".u32.wrap", shiftRight<true>),
    {"vset " TYPE TYPE COMPARE, "=u32. T. U. u32?", selectSet, OpClass::Integer},
    {"vset " TYPE TYPE COMPARE ".(add|min|max)", "=u32. T. U. u32", selectSet,
     OpClass::Integer},
    {"vmad " TYPES "?.sat?.(shr7|shr15)", "=T U.- V.- T-", selectMultiplyAdd,
     OpClass::Integer},
    {"vmad " TYPES ".po?.sat?.(shr7|shr15)", "=T U.- V.- T-", selectMultiplyAdd,
     OpClass::Integer},

    PARTS("vadd", add),
    PARTS("vsub", sub),
    PARTS("vavrg", average),
    PARTS("vabsdiff", difference),
    PARTS("vmin", least),
    PARTS("vmax", most),
    {"vset2 " TYPE TYPE COMPARE "?.add", "=u32. T. U. u32", selectSet,
     OpClass::Integer},
    {"vset4 " TYPE TYPE COMPARE "?.add", "=u32. T. U. u32", selectSet,
     OpClass::Integer},
};

Family isa::videoFamily() { return {forms, std::size(forms)}; }
