// wmma: matrix products whose fragments only these instructions understand.
//
// Source: PTX ISA 9.0, section 9.7.14.4.

#include "tools/ptxsim/checks/UndefinedMatrices.h"
#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"
#include "tools/ptxsim/isa/MmaForms.h"
#include "tools/ptxsim/tensor/Fragment.h"

#include <cstring>
#include <optional>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

// Op::modifiers of loads and stores: the space, and these.
static constexpr uint32_t spaceBits = 15;
static constexpr uint32_t isColumn = 16;
static constexpr uint32_t hasStride = 32;
static constexpr uint32_t operandShift = 6; ///< A WmmaOperand.
static constexpr uint32_t typeShift = 8;    ///< An MmaType.
static constexpr uint32_t shapeShift = 12;  ///< Index in `shapes`.

static constexpr ptx::MatrixShape shapes[] = {
    {16, 16, 16}, {8, 32, 16}, {32, 8, 16}, {16, 16, 8},
    {8, 8, 4},    {8, 8, 32},  {8, 8, 128}};

static WmmaFragment fragmentOf(uint32_t modifiers) {
  const ptx::MatrixShape &shape = shapes[modifiers >> shapeShift];
  return {WmmaOperand(modifiers >> operandShift & 3),
          MmaType(modifiers >> typeShift & 15), shape.m, shape.n, shape.k};
}

/// Rows and columns of the operand's matrix.
static ElementPosition extentOf(const WmmaFragment &fragment) {
  switch (fragment.operand) {
  case WmmaOperand::A:
    return {fragment.m, fragment.k};
  case WmmaOperand::B:
    return {fragment.k, fragment.n};
  case WmmaOperand::Accumulator:
    return {fragment.m, fragment.n};
  }
  return {};
}

namespace {
/// A matrix in memory, as the operands of one instruction say.
class MatrixAccess {
public:
  MatrixAccess(Warp &warp, const Op &op, Slot base, Slot stride, AccessKind kind)
      : warp(warp), op(op), fragment(fragmentOf(op.modifiers)) {
    access.space = Space(op.modifiers & spaceBits);
    access.kind = kind;
    access.mask = ~0u;
    bits = elementBits(fragment.type);
    // What one register holds of one row or column is contiguous if it is less
    // than a byte an element.
    parts = (bits == 64 ? 64 : 32) / bits;
    access.bytes = bits < 8 ? 4 : bits / 8;
    access.alignment = access.bytes;
    address = addressOfLane(warp, op, base, 0);
    ElementPosition extent = extentOf(fragment);
    leading = op.modifiers & isColumn ? extent.row : extent.column;
    if (op.modifiers & hasStride)
      leading = *warp.at<uint32_t>(stride);
  }

  /// Calls `body(bytes of the register's part, memory, lane)` for all elements.
  template <typename Body> Next run(const Slot *slots, Body body) {
    unsigned steps = bits < 8 ? 1 : parts;
    bool counts = warp.worker->counters != nullptr;
    std::vector<Access> counted;
    for (unsigned plane = 0; plane < planesOf(fragment); ++plane) {
      uint8_t *registers = warp.at<uint8_t>(slots[plane]);
      unsigned registerBytes = bits == 64 ? 8 : 4;
      for (unsigned part = 0; part < steps; ++part) {
        for (unsigned lane = 0; lane < 32; ++lane) {
          ElementPosition at = positionOf(fragment, plane, part, lane);
          uint64_t element = op.modifiers & isColumn
                                 ? uint64_t(at.column) * leading + at.row
                                 : uint64_t(at.row) * leading + at.column;
          access.addresses[lane] = address + element * bits / 8;
        }
        if (!resolveAddresses(warp, op, access))
          return Next::Stop;
        if (counts)
          counted.push_back(access);
        bool good = !warp.worker->observes || observeElements(warp, op, access);
        if (warp.checks != nullptr)
          good = good && carryPart(slots[plane], registerBytes, part * access.bytes);
        if (!good)
          return Next::Stop;
        for (unsigned lane = 0; lane < 32; ++lane)
          body(registers + size_t(lane) * registerBytes + part * access.bytes,
               access.pointers[lane], access.bytes);
      }
    }
    if (counts)
      observeFragment(warp, counted);
    return Next::Advance;
  }

private:
  /// Carries undefined bytes of a part of the registers.
  bool carryPart(Slot slot, unsigned registerBytes, unsigned offset) {
    if (access.kind == AccessKind::Write)
      return storeElementsUndefined(warp, op, access, slot, registerBytes, offset);
    loadElementsUndefined(warp, op, access, slot, registerBytes, offset);
    return true;
  }

  Warp &warp;
  const Op &op;
  WmmaFragment fragment;
  Access access;
  unsigned bits = 0, parts = 0;
  uint64_t address = 0, leading = 0;
};
} // namespace

/// slots: registers, address [, stride]
static Next loadFragment(Warp &warp, const Op &op, LaneMask) {
  const Slot *slots = warp.slotsOf(op);
  unsigned planes = planesOf(fragmentOf(op.modifiers));
  MatrixAccess matrix(warp, op, slots[planes], slots[planes + 1], AccessKind::Read);
  return matrix.run(slots, [](uint8_t *reg, const uint8_t *memory, size_t bytes) {
    std::memcpy(reg, memory, bytes);
  });
}

/// slots: address, registers [, stride]
static Next storeFragment(Warp &warp, const Op &op, LaneMask) {
  const Slot *slots = warp.slotsOf(op);
  unsigned planes = planesOf(fragmentOf(op.modifiers));
  MatrixAccess matrix(warp, op, slots[0], slots[1 + planes], AccessKind::Write);
  ++warp.block->cluster->changes;
  return matrix.run(slots + 1,
                    [](const uint8_t *reg, uint8_t *memory, size_t bytes) {
                      std::memcpy(memory, reg, bytes);
                    });
}

/// The shape of the instruction, as an index; false if there is none.
static bool readShape(const Match &match, uint32_t &index) {
  for (uint32_t i = 0; i < match.instruction->wordCount; ++i) {
    std::optional<ptx::MatrixShape> named = ptx::shapeNamed(
        match.function->words[match.instruction->firstWord + i]);
    if (!named)
      continue;
    for (index = 0; index < std::size(shapes); ++index)
      if (named->m == shapes[index].m && named->n == shapes[index].n &&
          named->k == shapes[index].k)
        return true;
  }
  return false;
}

static bool readType(const Match &match, MmaType &type) {
  static constexpr std::pair<std::string_view, MmaType> names[] = {
      {"f16", MmaType::F16}, {"bf16", MmaType::BF16}, {"tf32", MmaType::TF32},
      {"f64", MmaType::F64}, {"f32", MmaType::F32},   {"s32", MmaType::S32},
      {"u8", MmaType::U8},   {"s8", MmaType::S8},     {"u4", MmaType::U4},
      {"s4", MmaType::S4},   {"b1", MmaType::B1}};
  for (auto [name, value] : names)
    if (match.has(name)) {
      type = value;
      return true;
    }
  return false;
}

/// Reads what loads and stores have in common; `registers` is the operand that
/// is the vector.
static bool readAccess(const Match &match, Op &op, WmmaOperand operand,
                       uint32_t registers) {
  uint32_t shape = 0;
  MmaType type = MmaType::F16;
  if (!readShape(match, shape) || !readType(match, type))
    return false;
  op.modifiers = uint32_t(match.space) | uint32_t(operand) << operandShift |
                 uint32_t(type) << typeShift | shape << shapeShift;
  if (match.has("col"))
    op.modifiers |= isColumn;
  if (match.instruction->operandCount == 3)
    op.modifiers |= hasStride;
  WmmaFragment fragment = fragmentOf(op.modifiers);
  const ptx::Operand &vector =
      match.function->elements[match.instruction->firstOperand + registers];
  return isSupported(fragment) && vector.elementCount == planesOf(fragment);
}

static Handler selectLoad(const Match &match, Op &op) {
  WmmaOperand operand = match.has("a")   ? WmmaOperand::A
                        : match.has("b") ? WmmaOperand::B
                                         : WmmaOperand::Accumulator;
  bool isSmall = match.first({"s4", "u4", "b1"}) != "";
  if (isSmall && match.has("col") != (operand == WmmaOperand::B))
    return match.refuse(operand == WmmaOperand::B
                            ? ".col, as B has with types below 8 bits"
                            : ".row, as A has with types below 8 bits");
  return readAccess(match, op, operand, 0) ? loadFragment : nullptr;
}
static Handler selectStore(const Match &match, Op &op) {
  return readAccess(match, op, WmmaOperand::Accumulator, 1) ? storeFragment
                                                            : nullptr;
}

/// The layouts are those of the loads and change nothing here: fragments are the
/// same for both. Products of f16 name only the types of D and C.
static Handler selectMultiply(const Match &match, Op &op) {
  MmaForm form;
  form.kind = MmaKind::Wmma;
  uint32_t shape = 0;
  if (!readShape(match, shape))
    return nullptr;
  form.m = shapes[shape].m;
  form.n = shapes[shape].n;
  form.k = shapes[shape].k;
  if (!readMmaForm(match, form)) {
    form.d = match.type(0) == ptx::Type::F32 ? MmaType::F32 : MmaType::F16;
    form.c = match.type(1) == ptx::Type::F32 ? MmaType::F32 : MmaType::F16;
    form.a = form.b = MmaType::F16;
  }
  form.saturates = match.has("satfinite");
  form.isAnd = match.has("and");
  if (match.has("rz"))
    form.rounding = numerics::Rounding::Zero;
  else if (match.has("rm"))
    form.rounding = numerics::Rounding::Down;
  else if (match.has("rp"))
    form.rounding = numerics::Rounding::Up;
  if (!isSupported(form))
    return nullptr;
  MmaPlanes planes = planesOf(form);
  const unsigned wanted[] = {planes.d, planes.a, planes.b, planes.c};
  for (uint32_t i = 0; i < 4; ++i)
    if (match.function->elements[match.instruction->firstOperand + i]
            .elementCount != wanted[i])
      return nullptr;
  op.modifiers = internMmaForm(form);
  return multiplyFragments;
}

static constexpr OpClass kind = OpClass::Matrix;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_SPACE "?.(global|shared|shared::cta)"
#define PTXSIM_LOAD(operand, types)                                            \
  "wmma.load." operand " .sync.aligned.(row|col).m*" PTXSIM_SPACE "." types
#define PTXSIM_STORE(types)                                                    \
  "wmma.store.d .sync.aligned.(row|col).m*" PTXSIM_SPACE "." types
#define PTXSIM_MMA "wmma.mma .sync.aligned.(row|col).(row|col).m*"

static const Form forms[] = {
    {PTXSIM_LOAD("(a|b)", "(f16|bf16|tf32|u8|s8|u4|s4|b1)"), "={b32} [a] u32?",
     selectLoad, kind, opAligned, own},
    {PTXSIM_LOAD("(a|b)", "f64"), "={f64} [a] u32?", selectLoad, kind, opAligned,
     own},
    {PTXSIM_LOAD("c", "f16"), "={b32} [a] u32?", selectLoad, kind, opAligned, own},
    {PTXSIM_LOAD("c", "(f32|s32|f64)"), "={T} [a] u32?", selectLoad, kind,
     opAligned, own},
    {PTXSIM_STORE("f16"), "[a] {b32} u32?", selectStore, kind, opAligned, own},
    {PTXSIM_STORE("(f32|s32|f64)"), "[a] {T} u32?", selectStore, kind, opAligned,
     own},
    {PTXSIM_MMA ".(f16|f32).(f16|f32)?.satfinite", "={b32} {b32} {b32} {b32}",
     selectMultiply, kind, opAligned, own},
    {PTXSIM_MMA ".s32.(u8|s8|u4|s4).(u8|s8|u4|s4).s32?.satfinite",
     "={s32} {b32} {b32} {s32}", selectMultiply, kind, opAligned, own},
    {PTXSIM_MMA ".f32.bf16.bf16.f32", "={f32} {b32} {b32} {f32}", selectMultiply,
     kind, opAligned, own},
    {PTXSIM_MMA ".f32.tf32.tf32.f32", "={f32} {b32} {b32} {f32}", selectMultiply,
     kind, opAligned, own},
    {PTXSIM_MMA "?.(rn|rz|rm|rp).f64.f64.f64.f64", "={f64} {f64} {f64} {f64}",
     selectMultiply, kind, opAligned, own},
    {"wmma.mma .(and|xor).popc.sync.aligned.row.col.m*.s32.b1.b1.s32",
     "={s32} {b32} {b32} {s32}", selectMultiply, kind, opAligned, own},
};

Family isa::wmmaFamily() { return {forms, std::size(forms)}; }
