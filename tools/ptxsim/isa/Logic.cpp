// Bitwise operations, shifts and permutations of bytes.
//
// Source: PTX ISA 9.0, sections 9.7.8 (logic and shift) and 9.7.9.7 (prmt).

#include "tools/ptxsim/isa/Choose.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/numerics/IntegerBits.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using numerics::Permute;

namespace {
template <typename T>
struct And {
  static T of(T a, T b) { return a & b; }
};
template <typename T>
struct Or {
  static T of(T a, T b) { return a | b; }
};
template <typename T>
struct Xor {
  static T of(T a, T b) { return a ^ b; }
};
template <typename T>
struct Not {
  static T of(T a) { return T(~a); }
};
template <typename T>
struct LogicalNot {
  static T of(T a) { return a == 0; }
};
template <typename T>
struct ShiftLeft {
  static T of(T a, uint32_t amount) { return numerics::shiftLeft(a, amount); }
};
template <typename T>
struct ShiftRight {
  static T of(T a, uint32_t amount) { return numerics::shiftRight(a, amount); }
};
} // namespace

template <template <typename> class Operation>
static constexpr Select bitTypes =
    byType<Operation, Type::B16, Type::B32, Type::B64>;

/// On predicates all lanes are one number.
template <template <typename> class Operation>
static Next binaryPredicate(Warp &warp, const Op &op, LaneMask mask) {
  LaneMask result = Operation<LaneMask>::of(warp.predicate(op.slots[1]),
                                            warp.predicate(op.slots[2]));
  warp.setPredicate(op.slots[0], result, mask);
  return Next::Advance;
}

static Next invertPredicate(Warp &warp, const Op &op, LaneMask mask) {
  warp.setPredicate(op.slots[0], ~warp.predicate(op.slots[1]), mask);
  return Next::Advance;
}

template <Handler H>
static Handler selectHandler(const Match &, Op &) {
  return H;
}
template <auto F>
static Handler selectOnly(const Match &, Op &) {
  return handlerOf<F>;
}

/// lop3 d, a, b, c, table: the table is the same for all lanes.
static Next lop3(Warp &warp, const Op &op, LaneMask mask) {
  const uint32_t *a = warp.at<uint32_t>(op.slots[1]);
  const uint32_t *b = warp.at<uint32_t>(op.slots[2]);
  const uint32_t *c = warp.at<uint32_t>(op.slots[3]);
  uint8_t table = *warp.at<uint8_t>(op.slots[4]);
  alignas(64) uint32_t values[32];
#pragma clang loop vectorize_width(32) unroll(disable)
  for (int lane = 0; lane < 32; ++lane)
    values[lane] = numerics::lop3(a[lane], b[lane], c[lane], table);
  writeLanes(warp.at<uint32_t>(op.slots[0]), values, mask);
  return Next::Advance;
}

/// lop3.BoolOp d|p, a, b, c, table, q: p = (d != 0) BoolOp q.
template <template <typename> class Operation>
static Next lop3Predicate(Warp &warp, const Op &op, LaneMask mask) {
  Op plain = op; // Without the predicate among the slots.
  plain.slots[1] = op.slots[2];
  plain.slots[2] = op.slots[3];
  plain.slots[3] = op.slots[4];
  plain.slots[4] = op.slots[5];
  LaneMask q = warp.predicate(op.slots[6]);
  lop3(warp, plain, mask);
  const uint32_t *d = warp.at<uint32_t>(op.slots[0]);
  LaneMask isSet = lanesWhere(mask, [=](int lane) { return d[lane] != 0; });
  warp.setPredicate(op.slots[1], Operation<LaneMask>::of(isSet, q), mask);
  return Next::Advance;
}

static constexpr OpClass integer = OpClass::Integer;
static constexpr OpClass predicate = OpClass::Predicate;
static constexpr Transfer logic = Transfer::Logic;

#define BITS ".(b16|b32|b64)"

static const Form forms[] = {
    {"and" BITS, "=T T T", bitTypes<And>, integer, 0, logic},
    {"or" BITS, "=T T T", bitTypes<Or>, integer, 0, logic},
    {"xor" BITS, "=T T T", bitTypes<Xor>, integer, 0, logic},
    {"not" BITS, "=T T", bitTypes<Not>, integer, 0, logic},
    {"cnot" BITS, "=T T", bitTypes<LogicalNot>, integer},
    {"and.pred", "=p p p", selectHandler<binaryPredicate<And>>, predicate, 0,
     logic},
    {"or.pred", "=p p p", selectHandler<binaryPredicate<Or>>, predicate, 0,
     logic},
    {"xor.pred", "=p p p", selectHandler<binaryPredicate<Xor>>, predicate, 0,
     logic},
    {"not.pred", "=p p", selectHandler<invertPredicate>, predicate, 0, logic},

    {"lop3.b32", "=T T T T #", selectHandler<lop3>, integer, 0, logic},
    {"lop3.or.b32", "=T&p T T T # p", selectHandler<lop3Predicate<Or>>,
     integer},
    {"lop3.and.b32", "=T&p T T T # p", selectHandler<lop3Predicate<And>>,
     integer},

    {"shl" BITS, "=T T u32", bitTypes<ShiftLeft>, integer, 0, logic},
    {"shr" BITS, "=T T u32", bitTypes<ShiftRight>, integer, 0, logic},
    {"shr.(u16|u32|u64|s16|s32|s64)", "=T T u32",
     byType<ShiftRight, Type::U16, Type::U32, Type::U64, Type::S16, Type::S32,
            Type::S64>,
     integer, 0, logic},
    {"shf.l.clamp.b32", "=T T T u32", selectOnly<numerics::funnelLeft<true>>,
     integer, 0, logic},
    {"shf.l.wrap.b32", "=T T T u32", selectOnly<numerics::funnelLeft<false>>,
     integer, 0, logic},
    {"shf.r.clamp.b32", "=T T T u32", selectOnly<numerics::funnelRight<true>>,
     integer, 0, logic},
    {"shf.r.wrap.b32", "=T T T u32", selectOnly<numerics::funnelRight<false>>,
     integer, 0, logic},

    {"prmt.b32", "=T T T T", selectOnly<numerics::permuteBytes<Permute::Index>>,
     integer, 0, logic},
    {"prmt .b32.f4e", "=T T T T",
     selectOnly<numerics::permuteBytes<Permute::F4E>>, integer, 0, logic},
    {"prmt .b32.b4e", "=T T T T",
     selectOnly<numerics::permuteBytes<Permute::B4E>>, integer, 0, logic},
    {"prmt .b32.rc8", "=T T T T",
     selectOnly<numerics::permuteBytes<Permute::Rc8>>, integer, 0, logic},
    {"prmt .b32.ecl", "=T T T T",
     selectOnly<numerics::permuteBytes<Permute::Ecl>>, integer, 0, logic},
    {"prmt .b32.ecr", "=T T T T",
     selectOnly<numerics::permuteBytes<Permute::Ecr>>, integer, 0, logic},
    {"prmt .b32.rc16", "=T T T T",
     selectOnly<numerics::permuteBytes<Permute::Rc16>>, integer, 0, logic},
};

Family isa::logicFamily() { return {forms, std::size(forms)}; }
