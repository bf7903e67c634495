// atom and red.
//
// Lanes of a warp follow each other in order. Blocks that use atomics on global
// memory are interleaved in one host thread (see KernelProgram::communicates), so
// that a plain read and write are atomic.
//
// Source: PTX ISA 9.0, sections 9.7.13.6 (atom), 9.7.13.8 (red).

#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"
#include "tools/ptxsim/numerics/FloatArithmetic.h"
#include "tools/ptxsim/numerics/FloatCompare.h"
#include "tools/ptxsim/numerics/Formats.h"
#include "tools/ptxsim/numerics/HalfArithmetic.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;
using ptx::Type;

namespace {
struct Wide {
  uint64_t low, high;
  bool operator==(const Wide &other) const {
    return low == other.low && high == other.high;
  }
};
} // namespace

// Op::modifiers.
static constexpr uint32_t spaceBits = 15;
static constexpr uint32_t returnsOld = 16;
static constexpr uint32_t orderShift = 8; ///< 1 acquires, 2 releases.
static constexpr uint32_t scopeShift = 12;

static Access accessOf(const Op &op, LaneMask mask, uint32_t bytes) {
  Access access;
  access.space = Space(op.modifiers & spaceBits);
  access.kind = AccessKind::Atomic;
  access.bytes = access.alignment = bytes;
  access.strong = true;
  access.acquires = op.modifiers >> orderShift & 1;
  access.releases = op.modifiers >> orderShift & 2;
  access.scope = uint8_t(op.modifiers >> scopeShift & 3);
  access.mask = mask;
  return access;
}

/// slots: [count destinations,] address, count operands [, count operands]. Where
/// a generic address is one of shared memory, `OfShared` takes the place of F.
template <typename T, auto F, auto OfShared = F>
static Next change(Warp &warp, const Op &op, LaneMask mask) {
  const Slot *slots = warp.slotsOf(op);
  unsigned count = op.count;
  unsigned first = op.modifiers & returnsOld ? count : 0;
  Access access = accessOf(op, mask, uint32_t(sizeof(T)) * count);
  if (!resolve(warp, op, slots[first], access))
    return Next::Stop;
  if (warp.worker->observes && !observeAtomic(warp, op, access))
    return Next::Stop;
  notePoll(warp, op, access);
  warp.now.turns += 16;
  bool changed = false;
  uint64_t window = warp.worker->memory.sharedWindow();
  forLanes(mask, [&](int lane) {
    // Destinations may be among the operands.
    T operands[8];
    for (unsigned element = 0; element < count; ++element)
      operands[element] = warp.at<T>(slots[first + 1 + element])[lane];
    for (unsigned element = 0; element < count; ++element) {
      uint8_t *place = access.pointers[lane] + element * sizeof(T);
      T old;
      std::memcpy(&old, place, sizeof(T));
      T operand = operands[element];
      T second{};
      if (std::is_invocable_v<decltype(F), T, T, T>)
        second = warp.at<T>(slots[first + 2])[lane];
      T fresh;
      if constexpr (std::is_invocable_v<decltype(F), T, T, T>)
        fresh = F(old, operand, second);
      else if constexpr (F != OfShared)
        fresh = access.addresses[lane] - window < Memory::windowBytes
                    ? OfShared(old, operand)
                    : F(old, operand);
      else
        fresh = F(old, operand);
      changed |= !(fresh == old);
      std::memcpy(place, &fresh, sizeof(T));
      if (first != 0)
        warp.at<T>(slots[element])[lane] = old;
    }
  });
  warp.block->cluster->changes += changed;
  return Next::Advance;
}

template <typename T> static T add(T a, T b) { return T(a + b); }
template <typename T> static T least(T a, T b) { return std::min(a, b); }
template <typename T> static T greatest(T a, T b) { return std::max(a, b); }
template <typename T> static T both(T a, T b) { return a & b; }
template <typename T> static T either(T a, T b) { return a | b; }
template <typename T> static T different(T a, T b) { return a ^ b; }
template <typename T> static T exchange(T, T b) { return b; }
template <typename T> static T compareAndSwap(T old, T b, T c) {
  return old == b ? c : old;
}
static uint32_t increment(uint32_t a, uint32_t b) { return a >= b ? 0 : a + 1; }
static uint32_t decrement(uint32_t a, uint32_t b) {
  return a == 0 || a > b ? b : a - 1;
}
/// f32 atomics on global memory flush, those on shared memory do not.
static float addFloat(float a, float b) { return numerics::add<numerics::Rounding::Nearest, true>(a, b); }
static float addFloatShared(float a, float b) { return numerics::add(a, b); }
static double addDouble(double a, double b) { return numerics::add(a, b); }

template <typename H> static uint16_t addHalf(uint16_t a, uint16_t b) {
  return numerics::addHalf<H>(a, b);
}
template <typename H, bool IsMax>
static uint16_t choseHalf(uint16_t a, uint16_t b) {
  return numerics::minMaxHalf<H, IsMax>(a, b);
}
template <uint16_t (*F)(uint16_t, uint16_t)>
static uint32_t pairwise(uint32_t a, uint32_t b) {
  return numerics::mapHalves([](uint16_t x, uint16_t y) { return F(x, y); }, a, b);
}

template <typename T> static Handler integerHandler(const Match &match) {
  using U = std::make_unsigned_t<T>;
  if (match.has("add"))
    return change<U, add<U>>;
  if (match.has("min"))
    return change<T, least<T>>;
  if (match.has("max"))
    return change<T, greatest<T>>;
  return nullptr;
}

template <typename T> static Handler bitsHandler(const Match &match) {
  if (match.has("and"))
    return change<T, both<T>>;
  if (match.has("or"))
    return change<T, either<T>>;
  if (match.has("xor"))
    return change<T, different<T>>;
  if (match.has("exch"))
    return change<T, exchange<T>>;
  if (match.has("cas"))
    return change<T, compareAndSwap<T>>;
  return nullptr;
}

template <typename H> static Handler halfHandler(const Match &match, bool pair) {
  if (match.has("add"))
    return pair ? change<uint32_t, pairwise<addHalf<H>>>
                : change<uint16_t, addHalf<H>>;
  if (match.has("min"))
    return pair ? change<uint32_t, pairwise<choseHalf<H, false>>>
                : change<uint16_t, choseHalf<H, false>>;
  return pair ? change<uint32_t, pairwise<choseHalf<H, true>>>
              : change<uint16_t, choseHalf<H, true>>;
}

static Handler handlerOfType(const Match &match) {
  bool shared =
      match.space == Space::Shared || match.space == Space::SharedCluster;
  switch (match.type()) {
  case Type::U32:
    if (match.has("inc"))
      return change<uint32_t, increment>;
    if (match.has("dec"))
      return change<uint32_t, decrement>;
    return integerHandler<uint32_t>(match);
  case Type::S32:
    return integerHandler<int32_t>(match);
  case Type::U64:
    return integerHandler<uint64_t>(match);
  case Type::S64:
    return integerHandler<int64_t>(match);
  case Type::B16:
    return change<uint16_t, compareAndSwap<uint16_t>>;
  case Type::B32:
    return bitsHandler<uint32_t>(match);
  case Type::B64:
    return bitsHandler<uint64_t>(match);
  case Type::B128:
    return match.has("cas") ? change<Wide, compareAndSwap<Wide>>
                            : change<Wide, exchange<Wide>>;
  case Type::F32:
    return shared ? change<float, addFloatShared>
                  : change<float, addFloat, addFloatShared>;
  case Type::F64:
    return change<double, addDouble>;
  case Type::F16:
    return halfHandler<numerics::F16>(match, false);
  case Type::F16x2:
    return halfHandler<numerics::F16>(match, true);
  case Type::BF16:
    return halfHandler<numerics::BF16>(match, false);
  case Type::BF16x2:
    return halfHandler<numerics::BF16>(match, true);
  default:
    return nullptr;
  }
}

static Handler select(const Match &match, Op &op) {
  op.modifiers = uint32_t(match.space);
  if (match.instruction->opcode == "atom")
    op.modifiers |= returnsOld;
  if (match.has("acquire") || match.has("acq_rel"))
    op.modifiers |= 1 << orderShift;
  if (match.has("release") || match.has("acq_rel"))
    op.modifiers |= 2 << orderShift;
  uint32_t scope = match.has("cta")       ? 0
                   : match.has("cluster") ? 1
                   : match.has("sys")     ? 3
                                          : 2;
  op.modifiers |= scope << scopeShift;
  return handlerOfType(match);
}

/// Says what is wrong with the words of an atomic, or nothing.
static std::string checkWords(const Match &match) {
  bool isGlobal =
      match.space == Space::Global || match.space == Space::Generic;
  bool isPacked = match.type() == Type::F16x2 || match.type() == Type::BF16x2;
  bool isHalf = isPacked || match.type() == Type::F16 || match.type() == Type::BF16;
  if (match.vectorSize > 1 && !isGlobal)
    return "global memory beside a vector";
  if (match.vectorSize * ptx::bytesOf(match.type()) > 16)
    return "at most 16 bytes";
  if (isHalf && match.vectorSize == 1 && !match.has("add"))
    return ".v2, .v4 or .v8 beside .min and .max";
  if (match.has("L2::cache_hint") && !isGlobal)
    return "global memory beside .L2::cache_hint";
  return "";
}

static Handler selectChecked(const Match &match, Op &op) {
  if (std::string message = checkWords(match); !message.empty())
    return match.refuse(std::move(message));
  return select(match, op);
}

#define PTXSIM_SCOPE "?.(cta|cluster|gpu|sys)"
#define PTXSIM_SPACE "?.(global|shared|shared::cta|shared::cluster)"
// libcu++ writes the space and order after the operation, LLVM the scope before
// the order: the words come in any order.
#define PTXSIM_ROW(head, types, operands)                                      \
  {head PTXSIM_SCOPE PTXSIM_SPACE types, operands, selectChecked,              \
   OpClass::Atomic, 0, Transfer::Own},                                         \
  {                                                                            \
    head PTXSIM_SCOPE PTXSIM_SPACE ".L2::cache_hint" types, operands " u64",   \
        selectChecked, OpClass::Atomic, 0, Transfer::Own                       \
  }
#define PTXSIM_ATOM(op, types, operands)                                       \
  PTXSIM_ROW("atom ?.(relaxed|acquire|release|acq_rel)" op, types, operands)
#define PTXSIM_BOTH(op, types, result, operands)                               \
  PTXSIM_ATOM(op, types, result " " operands),                                 \
      PTXSIM_ROW("red ?.(relaxed|release)" op, types, operands)

static const Form forms[] = {
    PTXSIM_BOTH(".add", ".(u32|s32|u64|f64)", "=T", "[a] T"),
    PTXSIM_BOTH(".add", "?.(v2|v4).f32", "=*T", "[a] *T"),
    PTXSIM_BOTH(".(add|min|max)", ".noftz?.(v2|v4|v8).(f16|bf16)", "=*T",
                "[a] *T"),
    PTXSIM_BOTH(".(add|min|max)", ".noftz?.(v2|v4).(f16x2|bf16x2)", "=*T",
                "[a] *T"),
    PTXSIM_BOTH(".(min|max)", ".(u32|s32|u64|s64)", "=T", "[a] T"),
    PTXSIM_BOTH(".(inc|dec)", ".u32", "=T", "[a] T"),
    PTXSIM_BOTH(".(and|or|xor)", ".(b32|b64)", "=T", "[a] T"),
    PTXSIM_ATOM(".exch", ".(b32|b64|b128)", "=T [a] T"),
    PTXSIM_ATOM(".cas", ".(b16|b32|b64|b128)", "=T [a] T T"),
};

Family isa::atomicFamily() { return {forms, std::size(forms)}; }
