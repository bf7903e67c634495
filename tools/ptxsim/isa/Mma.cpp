// Matrix instructions of a warp: ldmatrix, stmatrix, movmatrix, mma.
//
// Source: PTX ISA 9.0, sections 9.7.14.5 (mma, ldmatrix, stmatrix, movmatrix),
// 9.7.14.6 (mma.sp).

#include "tools/ptxsim/tensor/Mma.h"

#include "tools/ptxsim/checks/UndefinedMatrices.h"
#include "tools/ptxsim/core/Access.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"
#include "tools/ptxsim/isa/MmaForms.h"
#include "tools/ptxsim/tensor/Fragment.h"

#include <optional>

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Space;

// Op::modifiers of ldmatrix and stmatrix.
static constexpr uint32_t spaceBits = 15;
static constexpr uint32_t isTransposed = 16;
static constexpr uint32_t countShift = 8;

/// Resolves the rows of `count` matrices: lane i has the address of row i % 8 of
/// matrix i / 8; further lanes' addresses are not used.
static bool resolveRows(Warp &warp, const Op &op, Slot base, unsigned count,
                        AccessKind kind, Access &access) {
  access.space = Space(op.modifiers & spaceBits);
  access.kind = kind;
  access.bytes = access.alignment = 16;
  access.mask = count == 4 ? ~0u : (1u << 8 * count) - 1;
  return resolve(warp, op, base, access);
}

/// slots: count destinations, address
static Next loadMatrices(Warp &warp, const Op &op, LaneMask) {
  unsigned count = op.modifiers >> countShift;
  Access access;
  if (!resolveRows(warp, op, op.slots[count], count, AccessKind::Read, access))
    return Next::Stop;
  if (warp.worker->observes && !observeMatrixLoad(warp, op, access))
    return Next::Stop;
  if (warp.checks != nullptr)
    loadMatrixUndefined(warp, op, access, count, op.modifiers & isTransposed);
  for (unsigned i = 0; i < count; ++i)
    loadMatrix(access.pointers + 8 * i, op.modifiers & isTransposed,
               warp.at<uint32_t>(op.slots[i]));
  return Next::Advance;
}

/// slots: address, count sources
static Next storeMatrices(Warp &warp, const Op &op, LaneMask) {
  unsigned count = op.modifiers >> countShift;
  Access access;
  if (!resolveRows(warp, op, op.slots[0], count, AccessKind::Write, access))
    return Next::Stop;
  ++warp.block->cluster->changes;
  if (warp.worker->observes && !observeMatrixStore(warp, op, access))
    return Next::Stop;
  if (warp.checks != nullptr)
    storeMatrixUndefined(warp, op, access, count, op.modifiers & isTransposed);
  for (unsigned i = 0; i < count; ++i)
    storeMatrix(warp.at<uint32_t>(op.slots[1 + i]), op.modifiers & isTransposed,
                access.pointers + 8 * i);
  return Next::Advance;
}

/// slots: d, a
static Next moveMatrix(Warp &warp, const Op &op, LaneMask) {
  if (warp.checks != nullptr)
    moveMatrixUndefined(warp, op.slots[0], op.slots[1]);
  transposeMatrix(warp.at<uint32_t>(op.slots[1]), warp.at<uint32_t>(op.slots[0]));
  return Next::Advance;
}

static uint32_t matrixModifiers(const Match &match) {
  uint32_t count = match.has("x4") ? 4 : match.has("x2") ? 2 : 1;
  return uint32_t(match.space) | (match.has("trans") ? isTransposed : 0) |
         count << countShift;
}

static Handler selectLoad(const Match &match, Op &op) {
  op.modifiers = matrixModifiers(match);
  return loadMatrices;
}
static Handler selectStore(const Match &match, Op &op) {
  op.modifiers = matrixModifiers(match);
  return storeMatrices;
}
static Handler selectMove(const Match &, Op &) { return moveMatrix; }

//===----------------------------------------------------------------------===//
// mma
//===----------------------------------------------------------------------===//

Next isa::multiplyFragments(Warp &warp, const Op &op, LaneMask) {
  const MmaForm &form = mmaForm(op.modifiers);
  MmaPlanes planes = planesOf(form);
  const Slot *slots = warp.slotsOf(op);
  void *all[64];
  unsigned total = unsigned(planes.d) + planes.a + planes.b + planes.c;
  for (unsigned i = 0; i < total; ++i)
    all[i] = warp.at<uint8_t>(slots[i]);
  MmaOperands operands;
  operands.d = all;
  operands.a = all + planes.d;
  operands.b = operands.a + planes.a;
  operands.c = operands.b + planes.b;
  if (form.kind == MmaKind::Sparse) {
    operands.metadata = warp.at<uint32_t>(slots[total]);
    operands.selector = *warp.at<uint32_t>(slots[total + 1]);
    uint32_t bits = 0;
    int lane = findInvalidMetadata(form, operands.metadata, operands.selector, bits);
    if (lane >= 0) {
      Fault fault;
      fault.code = FaultCode::IllegalInstruction;
      fault.check = "sparse metadata";
      fault.message = "expected two different indices in ascending order, got "
                      "bits " +
                      std::to_string(bits);
      fault.advice = "let the metadata name the two kept elements of each four, "
                     "the lower one first";
      return warp.worker->stop(warp, op, std::move(fault), lane);
    }
  }
  if (warp.checks != nullptr)
    multiplyUndefined(warp, op, form, operands);
  multiply(form, operands);
  return Next::Advance;
}

static bool typeOf(ptx::Type type, MmaType &result) {
  static constexpr std::pair<ptx::Type, MmaType> names[] = {
      {ptx::Type::F16, MmaType::F16},   {ptx::Type::BF16, MmaType::BF16},
      {ptx::Type::TF32, MmaType::TF32}, {ptx::Type::E4M3, MmaType::E4M3},
      {ptx::Type::E5M2, MmaType::E5M2}, {ptx::Type::F64, MmaType::F64},
      {ptx::Type::F32, MmaType::F32},   {ptx::Type::S32, MmaType::S32},
      {ptx::Type::U8, MmaType::U8},     {ptx::Type::S8, MmaType::S8}};
  for (auto [name, value] : names) {
    if (name != type)
      continue;
    result = value;
    return true;
  }
  return false;
}

/// The type that a word names, also those that are no types of registers.
static bool typeOf(std::string_view word, MmaType &result) {
  if (word == "u4" || word == "s4" || word == "b1") {
    result = word == "u4"   ? MmaType::U4
             : word == "s4" ? MmaType::S4
                            : MmaType::B1;
    return true;
  }
  std::optional<ptx::Type> type = ptx::typeNamed(word);
  return type && typeOf(*type, result);
}

bool isa::readMmaForm(const Match &match, MmaForm &form) {
  MmaType types[4] = {};
  unsigned count = 0;
  for (uint32_t i = 0; i < match.instruction->wordCount; ++i) {
    std::string_view word =
        match.function->words[match.instruction->firstWord + i];
    if (std::optional<ptx::MatrixShape> shape = ptx::shapeNamed(word)) {
      form.m = shape->m;
      form.n = shape->n;
      form.k = shape->k;
    } else if (count < 4 && typeOf(word, types[count])) {
      ++count;
    }
  }
  if (count != 4)
    return false;
  form.d = types[0];
  form.a = types[1];
  form.b = types[2];
  form.c = types[3];
  form.saturates = match.has("satfinite");
  form.isAnd = match.has("and");
  form.isOrdered = match.has("sp::ordered_metadata");
  return true;
}

/// The layouts of A and B, in the order of the words.
static void readLayouts(const Match &match, MmaForm &form) {
  unsigned seen = 0;
  for (uint32_t i = 0; i < match.instruction->wordCount; ++i) {
    std::string_view word =
        match.function->words[match.instruction->firstWord + i];
    if (word != "row" && word != "col")
      continue;
    if (seen++ == 0)
      form.aIsColumn = word == "col";
    else
      form.bIsRow = word == "row";
  }
}

/// The vectors must have as many registers as the form has planes.
static bool countsAgree(const Match &match, const MmaForm &form) {
  MmaPlanes planes = planesOf(form);
  const unsigned wanted[] = {planes.d, planes.a, planes.b, planes.c};
  const ptx::Operand *operands =
      &match.function->elements[match.instruction->firstOperand];
  for (int i = 0; i < 4; ++i) {
    unsigned have = operands[i].kind == ptx::Operand::Kind::Vector
                        ? operands[i].elementCount
                        : 1;
    if (have != wanted[i])
      return false;
  }
  return true;
}

static Handler selectMultiply(const Match &match, Op &op) {
  MmaForm form;
  form.kind = match.has("sp") || match.has("sp::ordered_metadata")
                  ? MmaKind::Sparse
                  : MmaKind::Dense;
  if (!readMmaForm(match, form))
    return nullptr;
  readLayouts(match, form);
  if (match.has("rz"))
    form.rounding = numerics::Rounding::Zero;
  else if (match.has("rm"))
    form.rounding = numerics::Rounding::Down;
  else if (match.has("rp"))
    form.rounding = numerics::Rounding::Up;
  if (!isSupported(form) || !countsAgree(match, form))
    return nullptr;
  if (form.kind == MmaKind::Sparse) {
    const ptx::Operand &selector =
        match.function->elements[match.instruction->firstOperand + 5];
    if (selector.bits >= selectorsOf(form))
      return nullptr;
  }
  op.modifiers = internMmaForm(form);
  return multiplyFragments;
}

static constexpr OpClass kind = OpClass::Matrix;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_SHARED "?.(shared|shared::cta)"
#define PTXSIM_LOAD(count, registers)                                          \
  {"ldmatrix .sync.aligned.m8n8." count "?.trans" PTXSIM_SHARED ".b16",        \
   "=" registers "b32 [a]", selectLoad, kind, opAligned, own}
#define PTXSIM_STORE(count, registers)                                         \
  {"stmatrix .sync.aligned.m8n8." count "?.trans" PTXSIM_SHARED ".b16",        \
   "[a] " registers "b32", selectStore, kind, opAligned, own}
#define PTXSIM_TYPES                                                           \
  "(f16|bf16|tf32|e4m3|e5m2|f32|f64|s32|u8|s8|u4|s4|b1)"
#define PTXSIM_FOUR_TYPES                                                      \
  "." PTXSIM_TYPES "." PTXSIM_TYPES "." PTXSIM_TYPES "." PTXSIM_TYPES
#define PTXSIM_MMA(d, ab, c)                                                   \
  {"mma .sync.aligned.m*.(row|col).(row|col)?.satfinite" PTXSIM_FOUR_TYPES,     \
   "={" d "} {" ab "} {" ab "} {" c "}", selectMultiply, kind, opAligned, own}
#define PTXSIM_SPARSE(d, c)                                                    \
  {"mma .(sp|sp::ordered_metadata).sync.aligned.m*.row.col?.satfinite"          \
   PTXSIM_FOUR_TYPES,                                                          \
   "={" d "} {b32} {b32} {" c "} b32 #", selectMultiply, kind, opAligned, own}

static const Form forms[] = {
    PTXSIM_LOAD("x1", "1"),
    PTXSIM_LOAD("x2", "2"),
    PTXSIM_LOAD("x4", "4"),
    PTXSIM_STORE("x1", "1"),
    PTXSIM_STORE("x2", "2"),
    PTXSIM_STORE("x4", "4"),
    {"movmatrix .sync.aligned.m8n8.trans.b16", "=b32 b32", selectMove, kind,
     opAligned, own},
    PTXSIM_MMA("f32", "b32", "f32"),
    PTXSIM_MMA("b32", "b32", "b32"),
    PTXSIM_MMA("f32", "b32", "b32"),
    PTXSIM_MMA("b32", "b32", "f32"),
    {"mma .sync.aligned.m*.row.col?.(rn|rz|rm|rp).f64.f64.f64.f64",
     "={f64} {f64} {f64} {f64}", selectMultiply, kind, opAligned, own},
    {"mma .sync.aligned.m*.row.col.s32.b1.b1.s32.(and|xor).popc",
     "={b32} {b32} {b32} {b32}", selectMultiply, kind, opAligned, own},
    PTXSIM_SPARSE("f32", "f32"),
    PTXSIM_SPARSE("b32", "b32"),
    PTXSIM_SPARSE("f32", "b32"),
    PTXSIM_SPARSE("b32", "f32"),
};

Family isa::mmaFamily() { return {forms, std::size(forms)}; }
