// Arithmetic in more words than one: add, sub and mad with a carry flag.
//
// Each lane has one flag, a bit of Warp::carry. `.cc` writes it, and the
// opcodes that end in c read it; nothing else does. A subtraction is the addition
// of the complement, so that its flag is 0 if it borrows: nvcc's division of 128
// bits reads by addc what subc.cc leaves.
//
// Source: PTX ISA 9.0, section 9.7.2, but for the sense of the borrow.

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/IntegerArithmetic.h"

using namespace ptxsim;
using namespace ptxsim::isa;

namespace {
struct Add {
  static constexpr LaneMask start = 0; ///< The flag if none is read.
  template <typename T>
  static T of(T a, T b, uint32_t &carry) {
    return numerics::addWithCarry(a, b, carry);
  }
};
struct Sub {
  static constexpr LaneMask start = ~LaneMask(0);
  template <typename T>
  static T of(T a, T b, uint32_t &carry) {
    return numerics::addWithCarry(a, T(~b), carry);
  }
};
} // namespace

/// slots[0] = a + b or a - b, of unsigned numbers.
template <class Operation, bool Reads, bool Writes, typename U>
static void accumulate(Warp &warp, const Op &op, LaneMask mask, const U *a,
                       const U *b) {
  LaneMask before = Reads ? warp.carry : Operation::start;
  alignas(64) U values[32];
  alignas(64) uint32_t carries[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane) {
    uint32_t carry = before >> lane & 1;
    values[lane] = Operation::template of<U>(a[lane], b[lane], carry);
    carries[lane] = carry;
  }
  writeLanes(warp.at<U>(op.slots[0]), values, mask);
  if (Writes) {
    LaneMask after = lanesWhere(mask, [&](int lane) { return carries[lane]; });
    warp.carry = (warp.carry & ~mask) | after;
  }
}

template <class Operation, bool Reads, bool Writes, typename T>
static Next addOrSub(Warp &warp, const Op &op, LaneMask mask) {
  using U = std::make_unsigned_t<T>;
  accumulate<Operation, Reads, Writes>(warp, op, mask, warp.at<U>(op.slots[1]),
                                       warp.at<U>(op.slots[2]));
  return Next::Advance;
}

/// slots[0] = the lower or upper half of a product, plus slots[3].
template <bool High, bool Reads, bool Writes, typename T>
static Next multiplyAdd(Warp &warp, const Op &op, LaneMask mask) {
  using U = std::make_unsigned_t<T>;
  const T *a = warp.at<T>(op.slots[1]);
  const T *b = warp.at<T>(op.slots[2]);
  alignas(64) U products[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    products[lane] = High ? U(numerics::mulHigh(a[lane], b[lane]))
                          : U(uint64_t(a[lane]) * uint64_t(b[lane]));
  accumulate<Add, Reads, Writes>(warp, op, mask, products,
                                 warp.at<U>(op.slots[3]));
  return Next::Advance;
}

/// True if the opcode is one of those that read the flag.
static Pick<false, true> readsCarry(const Match &match) {
  return {match.instruction->opcode.back() == 'c'};
}

template <class Operation>
static Handler selectAddOrSub(const Match &match, Op &) {
  return choose(
      [](auto type, auto reads, auto writes) -> Handler {
        return addOrSub<Operation, reads, writes, Scalar<type>>;
      },
      pick<Type::U16, Type::U32, Type::U64, Type::S16, Type::S32, Type::S64>(
          match.type()),
      readsCarry(match), flag(match, "cc"));
}

static Handler selectMad(const Match &match, Op &) {
  return choose(
      [](auto type, auto high, auto reads, auto writes) -> Handler {
        return multiplyAdd<high, reads, writes, Scalar<type>>;
      },
      pick<Type::U16, Type::U32, Type::U64, Type::S16, Type::S32, Type::S64>(
          match.type()),
      flag(match, "hi"), readsCarry(match), flag(match, "cc"));
}

#define ALL ".(u16|u32|u64|s16|s32|s64)"
#define WORDS ".(u32|u64|s32|s64)"

static constexpr OpClass integer = OpClass::Integer;

// Without .cc, ptxas takes the types of 16 bits as well.
static const Form forms[] = {
    {"add .cc" WORDS, "=T T T", selectAddOrSub<Add>, integer},
    {"addc" ALL, "=T T T", selectAddOrSub<Add>, integer},
    {"addc .cc" WORDS, "=T T T", selectAddOrSub<Add>, integer},
    {"sub .cc" WORDS, "=T T T", selectAddOrSub<Sub>, integer},
    {"subc" ALL, "=T T T", selectAddOrSub<Sub>, integer},
    {"subc .cc" WORDS, "=T T T", selectAddOrSub<Sub>, integer},
    {"mad.(lo|hi) .cc" WORDS, "=T T T T", selectMad, integer},
    {"madc.(lo|hi)" ALL, "=T T T T", selectMad, integer},
    {"madc.(lo|hi) .cc" WORDS, "=T T T T", selectMad, integer},
};

Family isa::carryFamily() { return {forms, std::size(forms)}; }
