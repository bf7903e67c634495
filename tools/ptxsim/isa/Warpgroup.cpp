// wgmma: the products of a warpgroup.
//
// Source: PTX ISA 9.0, section 9.7.15.

#include "tools/ptxsim/core/Warpgroups.h"

#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

using namespace ptxsim;
using namespace ptxsim::isa;

// Op::modifiers of mma_async.
static constexpr uint32_t nBits = 63; ///< N / 8
static constexpr uint32_t aShift = 6, bShift = 9, dShift = 12;
static constexpr uint32_t isSparse = 1 << 14;
static constexpr uint32_t saturates = 1 << 15;
static constexpr uint32_t aInRegisters = 1 << 16;
static constexpr uint32_t hasScales = 1 << 17;
static constexpr uint32_t hasTranspositions = 1 << 18;

static WarpgroupShape shapeOf(uint32_t modifiers) {
  WarpgroupShape shape;
  shape.n = (modifiers & nBits) * 8;
  shape.a = WarpgroupType(modifiers >> aShift & 7);
  shape.b = WarpgroupType(modifiers >> bShift & 7);
  shape.d = WarpgroupSum(modifiers >> dShift & 3);
  shape.isSparse = modifiers & isSparse;
  shape.saturates = modifiers & saturates;
  return shape;
}

static Next fail(Warp &warp, const Op &op, const char *check,
                 std::string message, std::string advice = "", int lane = -1) {
  Fault fault;
  fault.code = FaultCode::LaunchFailed;
  fault.check = check;
  fault.message = std::move(message);
  fault.advice = std::move(advice);
  return warp.worker->stop(warp, op, std::move(fault), lane);
}

/// The work of group `number`, made if it is the next one.
static WarpgroupWork &workOf(Warpgroup &group, Warp &warp, const Op &op,
                             uint64_t number) {
  size_t index = number - group.firstNumber;
  while (group.works.size() <= index) {
    auto work = std::make_shared<WarpgroupWork>();
    work->block = warp.block;
    work->firstWarp = warp.index / 4 * 4;
    work->number = group.firstNumber + group.works.size();
    work->origin = Origin::of(warp, op, -1);
    group.works.push_back(std::move(work));
  }
  return *group.works[index];
}

/// The operands of a step that one warp gives, which the others must repeat.
static WarpgroupStep readStep(Warp &warp, const Op &op,
                              const WarpgroupShape &shape, bool &uniform) {
  const Slot *slots = warp.slotsOf(op) + shape.registersOfD();
  WarpgroupStep step;
  step.isAInRegisters = op.modifiers & aInRegisters;
  auto same64 = [&](Slot slot) {
    const uint64_t *values = warp.at<uint64_t>(slot);
    for (int lane = 1; lane < 32; ++lane)
      uniform &= values[lane] == values[0];
    return values[0];
  };
  if (step.isAInRegisters)
    slots += 4;
  else
    step.descriptorA = same64(*slots++);
  step.descriptorB = same64(*slots++);
  if (shape.isSparse) {
    step.metadata[warp.index % 4] = warp.at<uint32_t>(*slots++);
    step.selector = *warp.at<uint32_t>(*slots++);
  }
  LaneMask scale = warp.predicate(*slots++);
  uniform &= scale == 0 || scale == ~0u;
  step.scaleD = scale != 0;
  if (op.modifiers & hasScales) {
    step.isANegated = *warp.at<int32_t>(*slots++) == -1;
    step.isBNegated = *warp.at<int32_t>(*slots++) == -1;
  }
  if (op.modifiers & hasTranspositions) {
    if (!step.isAInRegisters)
      step.isATransposed = *warp.at<uint32_t>(*slots++) == 1;
    step.isBTransposed = *warp.at<uint32_t>(*slots++) == 1;
  }
  return step;
}

/// Marks the registers of a product as its own; they must have been fenced.
static Next takeRegisters(Warp &warp, const Op &op, const WarpgroupShape &shape,
                          uint64_t group) {
  WarpgroupRegisters *registers = warp.warpgroupRegisters.get();
  if (registers == nullptr)
    return Next::Advance;
  registers->reserve(warp.registerBytes);
  if (!registers->anyFence)
    return fail(warp, op, "wgmma fence",
                "expected wgmma.fence before the first wgmma.mma_async",
                "execute wgmma.fence.sync.aligned before it");
  const Slot *slots = warp.slotsOf(op);
  uint32_t sums = shape.registersOfD();
  uint32_t count = sums + (op.modifiers & aInRegisters ? 4 : 0);
  for (uint32_t i = 0; i < count; ++i) {
    if (slots[i] < 0)
      continue;
    uint32_t line = fileOffset(warp, slots[i]) / 64;
    uint8_t &flags = registers->lines[line];
    if (flags & WarpgroupRegisters::isWritten)
      return fail(warp, op, "wgmma fence",
                  std::string("expected wgmma.fence between the write of ") +
                      (i < sums ? "an accumulator" : "a register of A") +
                      " and wgmma.mma_async",
                  "execute wgmma.fence.sync.aligned after the write");
    if (i >= sums && flags & WarpgroupRegisters::accumulates)
      return fail(warp, op, "wgmma registers",
                  "expected a register of A that no wgmma in flight accumulates to",
                  "wait for the group that contains the wgmma");
    if (i >= sums && flags & WarpgroupRegisters::isCopy &&
        !observeCopyAsOperand(warp, op, slots[i]))
      return Next::Stop;
    flags |= i < sums ? WarpgroupRegisters::accumulates
                      : WarpgroupRegisters::isRead;
    registers->take(line, group);
  }
  return Next::Advance;
}

/// True if all 128 threads of the warpgroup are there; warps that have executed
/// the instruction may have exited.
static bool isWhole(const Warp &warp, uint32_t arrived) {
  const Warp *warps = &warp.block->warps[warp.index / 4 * 4];
  for (uint32_t i = 0; i < 4; ++i)
    if (warps[i].live != ~LaneMask(0) && !(arrived >> i & 1))
      return false;
  return true;
}

static Next failWhole(Warp &warp, const Op &op) {
  return fail(warp, op, "wgmma", "expected a warpgroup of four whole warps",
              "let whole warpgroups branch together");
}

static Next multiply(Warp &warp, const Op &op, LaneMask) {
  WarpgroupShape shape = shapeOf(op.modifiers);
  uint32_t member = warp.index % 4;
  if (warp.index / 4 * 4 + 4 > warp.block->warps.size() || warp.live != ~0u)
    return failWhole(warp, op);
  bool uniform = true;
  WarpgroupStep step = readStep(warp, op, shape, uniform);
  if (!uniform)
    return fail(warp, op, "wgmma",
                "expected descriptors and scale that are the same in all lanes");
  std::string message = checkStep(shape, step, warp.block->sharedBytes);
  if (!message.empty())
    return fail(warp, op, "wgmma descriptor", message);
  Warpgroup &group = warpgroupOf(warp);
  uint64_t number = group.committed[member] + 1;
  WarpgroupWork &work = workOf(group, warp, op, number);
  uint32_t index = group.issued[member]++;
  if (index >= work.instructions.size()) {
    work.instructions.emplace_back();
    WarpgroupInstruction &fresh = work.instructions.back();
    fresh.op = &op;
    fresh.code = warp.now.code;
    fresh.shape = shape;
    fresh.step = step;
  }
  WarpgroupInstruction &instruction = work.instructions[index];
  bool same = instruction.op == &op &&
              instruction.step.descriptorA == step.descriptorA &&
              instruction.step.descriptorB == step.descriptorB &&
              instruction.step.scaleD == step.scaleD;
  if (!same)
    return fail(warp, op, "wgmma",
                "expected the same wgmma with the same descriptors in all four "
                "warps of the warpgroup",
                "compute descriptors from the index of the warpgroup, not of the "
                "warp");
  if (!isWhole(warp, instruction.arrived))
    return failWhole(warp, op);
  instruction.arrived |= 1u << member;
  instruction.frame[member] = warp.now.frame;
  observeIssue(warp, work, AsyncKind::Warpgroup, number);
  instruction.knowledgeOf[member] = work.knowledge;
  return takeRegisters(warp, op, shape, number);
}

static Next fence(Warp &warp, const Op &, LaneMask) {
  if (WarpgroupRegisters *registers = warp.warpgroupRegisters.get()) {
    registers->anyFence = true;
    for (uint8_t &line : registers->lines)
      line &= uint8_t(~WarpgroupRegisters::isWritten);
  }
  return Next::Advance;
}

static void dropDone(Warpgroup &group) {
  while (!group.works.empty() && group.works.front()->isDone) {
    group.works.pop_front();
    ++group.firstNumber;
  }
}

static Next commit(Warp &warp, const Op &op, LaneMask) {
  uint32_t member = warp.index % 4;
  Warpgroup &group = warpgroupOf(warp);
  WarpgroupWork &work = workOf(group, warp, op, ++group.committed[member]);
  uint32_t issued = group.issued[member];
  group.issued[member] = 0;
  work.committed |= 1u << member;
  if (work.committed != 1u << member && issued != work.instructions.size())
    return fail(warp, op, "wgmma",
                "expected " + std::to_string(work.instructions.size()) +
                    " wgmma in the group as in the other warps, got " +
                    std::to_string(issued));
  ++warp.block->cluster->progress;
  if (work.committed != 15)
    return Next::Advance;
  for (const WarpgroupInstruction &instruction : work.instructions)
    if (instruction.arrived != 15)
      return fail(warp, op, "wgmma",
                  "expected each wgmma of the group in all four warps of the "
                  "warpgroup, got one that not all have executed",
                  "let whole warpgroups branch together");
  std::shared_ptr<AsyncOperation> shared = group.works[work.number - group.firstNumber];
  if (!warp.block->cluster->async->add(std::move(shared), *warp.worker))
    return Next::Stop;
  dropDone(group);
  return Next::Advance;
}

static Next wait(Warp &warp, const Op &op, LaneMask) {
  uint32_t member = warp.index % 4;
  Warpgroup &group = warpgroupOf(warp);
  uint64_t keep = *warp.at<uint32_t>(op.slots[0]);
  uint64_t committed = group.committed[member];
  uint64_t last = committed > keep ? committed - keep : 0;
  for (uint64_t number = group.firstNumber; number <= last; ++number) {
    std::shared_ptr<WarpgroupWork> work = group.works[number - group.firstNumber];
    if (work->committed != 15)
      return Next::Wait;
    if (!work->isDone && warp.worker->counters != nullptr)
      observePending(*warp.worker);
    if (!warp.block->cluster->async->finish(*work, *warp.worker))
      return Next::Stop;
  }
  if (last != 0) {
    releaseRegisters(warp, last);
    observeGroupWait(warp, AsyncKind::Warpgroup, last);
  }
  dropDone(group);
  return Next::Advance;
}

static bool typeNamed(ptx::Type type, WarpgroupType &result) {
  switch (type) {
  case ptx::Type::F16:
    result = WarpgroupType::F16;
    return true;
  case ptx::Type::BF16:
    result = WarpgroupType::BF16;
    return true;
  case ptx::Type::TF32:
    result = WarpgroupType::TF32;
    return true;
  case ptx::Type::E4M3:
    result = WarpgroupType::E4M3;
    return true;
  case ptx::Type::E5M2:
    result = WarpgroupType::E5M2;
    return true;
  case ptx::Type::S8:
    result = WarpgroupType::S8;
    return true;
  case ptx::Type::U8:
    result = WarpgroupType::U8;
    return true;
  default:
    return false;
  }
}

static Handler selectMultiply(const Match &match, Op &op) {
  WarpgroupShape shape;
  shape.isSparse = match.has("sp");
  shape.saturates = match.has("satfinite");
  ptx::MatrixShape named;
  for (uint32_t i = 0; i < match.instruction->wordCount; ++i)
    named = ptx::shapeNamed(
                match.function->words[match.instruction->firstWord + i])
                .value_or(named);
  const uint32_t n = named.n;
  shape.n = n;
  if (match.has("b1"))
    shape.a = shape.b = WarpgroupType::B1;
  else if (!typeNamed(match.type(1), shape.a) || !typeNamed(match.type(2), shape.b))
    return nullptr;
  shape.d = match.type() == ptx::Type::F32   ? WarpgroupSum::F32
            : match.type() == ptx::Type::F16 ? WarpgroupSum::F16
                                             : WarpgroupSum::S32;
  if (named.m != 64 || n % 8 != 0 || n == 0 || n > 256 ||
      !checkShape(shape).empty() || shape.k() != named.k)
    return nullptr;
  op.modifiers = n / 8 | uint32_t(shape.a) << aShift |
                 uint32_t(shape.b) << bShift | uint32_t(shape.d) << dShift;
  if (shape.isSparse)
    op.modifiers |= isSparse;
  if (shape.saturates)
    op.modifiers |= saturates;
  uint32_t selectors = bitsOf(shape.a) == 8 ? 1 : 2;
  if (shape.isSparse && match.operand(4).bits >= selectors)
    return match.refuse("a sparsity selector below " + std::to_string(selectors));
  std::string_view operands = match.form->operands;
  if (operands.find(" 4") != std::string_view::npos)
    op.modifiers |= aInRegisters;
  size_t numbers = 0;
  for (char c : operands.substr(operands.find(" p")))
    numbers += c == '#';
  uint32_t first = match.instruction->operandCount - uint32_t(numbers);
  for (uint32_t i = 0; i < numbers; ++i) {
    int64_t value = int64_t(match.operand(first + i).bits);
    if (i < 2 ? value != 1 && value != -1 : value != 0 && value != 1)
      return match.refuse(i < 2 ? "1 or -1 to scale a matrix"
                                : "0 or 1 to transpose a matrix");
  }
  if (numbers >= 2)
    op.modifiers |= hasScales;
  if (numbers >= 3)
    op.modifiers |= hasTranspositions;
  const ptx::Operand &d = match.function->elements[match.instruction->firstOperand];
  return d.elementCount == shape.registersOfD() ? multiply : nullptr;
}

static Handler selectFence(const Match &, Op &) { return fence; }
static Handler selectCommit(const Match &, Op &) { return commit; }
static Handler selectWait(const Match &, Op &) { return wait; }

static constexpr OpClass kind = OpClass::Warpgroup;
static constexpr Transfer own = Transfer::Own;

#define PTXSIM_WGMMA "wgmma.mma_async .sync?.aligned.m64*"
#define PTXSIM_SPARSE "wgmma.mma_async .sp.sync?.aligned.m64*"
#define PTXSIM_ROW(syntax, operands)                                           \
  {syntax, operands, selectMultiply, kind, opAligned, own}
/// A by descriptor and A in registers, dense and sparse.
#define PTXSIM_FAMILY(types, d, a, suffix, registerSuffix)                     \
  PTXSIM_ROW(PTXSIM_WGMMA types, "+{" d "} u64 u64 p" suffix),                 \
      PTXSIM_ROW(PTXSIM_WGMMA types, "+{" d "} 4" a " u64 p" registerSuffix),  \
      PTXSIM_ROW(PTXSIM_SPARSE types, "+{" d "} u64 u64 b32 # p" suffix),      \
      PTXSIM_ROW(PTXSIM_SPARSE types, "+{" d "} 4" a " u64 b32 # p"            \
                                      registerSuffix)

static const Form forms[] = {
    {"wgmma.fence .sync?.aligned", "", selectFence, kind, opAligned, own},
    {"wgmma.commit_group .sync?.aligned", "", selectCommit, kind, opAligned, own},
    {"wgmma.wait_group .sync?.aligned", "#", selectWait, kind, opAligned, own},
    PTXSIM_FAMILY(".f32.f16.f16", "f32", "f16x2", " # # # #", " # # #"),
    PTXSIM_FAMILY(".f16.f16.f16", "f16x2", "f16x2", " # # # #", " # # #"),
    PTXSIM_FAMILY(".f32.bf16.bf16", "f32", "f16x2", " # # # #", " # # #"),
    PTXSIM_FAMILY(".f32.tf32.tf32", "f32", "b32", " # #", " # #"),
    PTXSIM_FAMILY(".f32.(e4m3|e5m2).(e4m3|e5m2)", "f32", "b32", " # #", " # #"),
    PTXSIM_FAMILY(".f16.(e4m3|e5m2).(e4m3|e5m2)", "f16x2", "b32", " # #", " # #"),
    PTXSIM_FAMILY(".s32.(s8|u8).(s8|u8)?.satfinite", "s32", "b32", "", ""),
    PTXSIM_ROW(PTXSIM_WGMMA ".s32.b1.b1.and.popc", "+{s32} b64 b64 p"),
    PTXSIM_ROW(PTXSIM_WGMMA ".s32.b1.b1.and.popc", "+{s32} 4b32 b64 p"),
};

Family isa::warpgroupFamily() { return {forms, std::size(forms)}; }
