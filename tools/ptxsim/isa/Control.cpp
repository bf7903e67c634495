// Branches, calls, returns and the end of threads.
//
// Source: PTX ISA 9.0, section 9.7.12 (control flow).

#include "tools/ptxsim/checks/Undefined.h"
#include "tools/ptxsim/core/Handlers.h"
#include "tools/ptxsim/core/Interpreter.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"
#include "tools/ptxsim/isa/Lanes.h"

#include <cstring>

using namespace ptxsim;
using namespace ptxsim::isa;

static Next jump(Warp &warp, const Op &op, LaneMask mask) {
  return branch(warp, mask, warp.now.code->ops.data() + op.immediate);
}

static Handler selectBranch(const Match &, Op &) { return jump; }

/// Lets the lanes of `lanes` go on alone; the others of the group are at `rest`.
static void splitGroup(Warp &warp, LaneMask lanes, const Op *rest) {
  if (lanes == warp.now.mask)
    return;
  Group others = warp.now;
  others.mask &= ~lanes;
  others.pc = rest;
  warp.groups.push_back(std::move(others));
  warp.now.mask = lanes;
}

/// Runs `body` for the lanes of each value of `values`, the first lane's first.
template <typename T, typename Body>
static void forEqual(LaneMask mask, const T *values, Body body) {
  while (mask != 0) {
    T value = values[__builtin_ctz(mask)];
    LaneMask same = 0;
    forLanes(mask, [&](int lane) {
      if (values[lane] == value)
        same |= LaneMask(1) << lane;
    });
    body(value, same);
    mask &= ~same;
  }
}

/// brx.idx index, targets
static Next jumpIndexed(Warp &warp, const Op &op, LaneMask mask) {
  const std::vector<uint32_t> &table = warp.now.code->tables[op.immediate];
  const uint32_t *indices = warp.at<uint32_t>(op.slots[0]);
  Group all = warp.now;
  splitGroup(warp, mask, warp.now.pc + 1);
  Next next = Next::Jump;
  std::vector<Group> parts;
  forEqual(mask, indices, [&](uint32_t index, LaneMask same) {
    if (index >= table.size()) {
      Fault fault;
      fault.code = FaultCode::InvalidPc;
      fault.check = "branch out of table";
      fault.message = "expected an index below " + std::to_string(table.size()) +
                      ", got " + std::to_string(index);
      fault.advice = "clamp the index, or add the missing label to .branchtargets";
      next = warp.worker->stop(warp, op, std::move(fault), __builtin_ctz(same));
      return;
    }
    Group part = all;
    part.mask = same;
    part.pc = all.code->ops.data() + table[index];
    part.turns += part.pc <= all.pc;
    parts.push_back(std::move(part));
  });
  if (next == Next::Stop)
    return next;
  bool parted = mask != all.mask;
  for (const Group &part : parts)
    parted |= part.pc != parts[0].pc;
  if (parted && warp.worker->counters != nullptr)
    observeDivergence(warp);
  warp.now = std::move(parts.back());
  parts.pop_back();
  for (Group &part : parts)
    warp.groups.push_back(std::move(part));
  return Next::Jump;
}

static Handler selectIndexed(const Match &, Op &) { return jumpIndexed; }

/// A value that is passed between caller and callee: in a slot of the frame or
/// in its local memory.
namespace {
struct Passed {
  bool inSlot = false;
  int32_t where = 0; ///< Slot, or offset in the frame's local memory.
  uint32_t bytes = 0;
};
} // namespace

static Passed passed(const Slot *move) {
  return {move[0] == 1, move[1], uint32_t(move[2])};
}

/// The parameter or result `index` of a function.
static Passed formal(const Code &code, bool result, size_t index) {
  const ptx::Variable &variable = result ? code.function->results[index]
                                         : code.function->parameters[index];
  const FrameVariable &place =
      result ? code.results[index] : code.parameters[index];
  if (variable.registerIndex < 0)
    return {false, int32_t(place.offset), uint32_t(place.bytes)};
  ptx::Type type = code.function->registers[size_t(variable.registerIndex)].type;
  Slot slot = result ? code.resultSlots[index] : code.parameterSlots[index];
  return {true, slot, ptx::bytesOf(type)};
}

namespace {
/// Registers and local memory of one frame.
struct FrameView {
  Warp &warp;
  const Code &code;
  uint32_t frame, local;

  uint8_t *lane(const Passed &value, int lane) const {
    if (!value.inSlot)
      return const_cast<uint8_t *>(warp.localStorage.data()) +
             size_t(lane) * warp.localLimit + local + size_t(value.where);
    uint8_t *base = value.where < 0 ? code.constants : warp.registers + frame;
    return base + (value.where & 0x7fffffff) + size_t(lane) * value.bytes;
  }

  PassedPlace place(const Passed &value) const {
    uint64_t offset = uint64_t(value.where & 0x7fffffff);
    return {value.inSlot, value.inSlot && value.where < 0,
            offset + (value.inSlot ? frame : local), value.bytes};
  }
};
} // namespace

static void pass(const FrameView &from, const Passed &source,
                 const FrameView &to, const Passed &target, LaneMask mask) {
  if (from.warp.checks != nullptr)
    passUndefined(from.warp, from.place(source), to.place(target), mask);
  if (source.inSlot && target.inSlot && source.bytes == 0) {
    LaneMask *out = reinterpret_cast<LaneMask *>(to.lane(target, 0));
    LaneMask value = *reinterpret_cast<LaneMask *>(from.lane(source, 0));
    *out = (*out & ~mask) | (value & mask);
    return;
  }
  size_t bytes = std::min(source.bytes, target.bytes);
  forLanes(mask, [&](int lane) {
    uint8_t value[16] = {};
    uint8_t *out = to.lane(target, lane);
    const uint8_t *in = from.lane(source, lane);
    if (bytes > sizeof(value)) {
      std::memcpy(out, in, bytes);
      return;
    }
    std::memcpy(value, in, bytes);
    std::memcpy(out, value, std::min<size_t>(target.bytes, sizeof(value)));
  });
}

static Next overflow(Warp &warp, const Op &op, uint64_t bytes) {
  Fault fault;
  fault.code = FaultCode::HardwareStack;
  fault.check = "stack overflow";
  fault.message = "expected at most " + std::to_string(warp.localLimit) +
                  " bytes of local memory of a thread, got " +
                  std::to_string(bytes) + " in " +
                  std::to_string(warp.now.calls.size() + 1) + " calls";
  fault.advice = "look for endless recursion, or raise CU_LIMIT_STACK_SIZE";
  return warp.worker->stop(warp, op, std::move(fault), __builtin_ctz(warp.now.mask));
}

/// Where local memory is free in the running function.
static uint64_t endOfStack(const Warp &warp) {
  return uint64_t(warp.now.local) + warp.now.code->localBytes + warp.now.stack;
}

/// Begins the call of `callee` for the lanes of the running group.
static Next enterFunction(Warp &warp, const Op &op, const Code &callee) {
  const Code &caller = *warp.now.code;
  uint32_t frame = warp.now.frame + caller.frameBytes;
  uint64_t alignment = std::max(callee.localAlignment, 16u);
  uint64_t local = endOfStack(warp);
  local = (local + alignment - 1) / alignment * alignment;
  // A return address takes room on a real stack even if nothing else does.
  uint64_t bytes = local + callee.localBytes + 16 * warp.now.calls.size();
  if (bytes > warp.localLimit)
    return overflow(warp, op, bytes);
  warp.reserveRegisters(uint64_t(frame) + callee.frameBytes);
  warp.reserveLocal();
  if (warp.checks != nullptr)
    enterUndefined(warp, callee, frame, uint32_t(local), warp.now.mask);
  const Slot *list = caller.lists.data() + op.list;
  size_t count = std::min<size_t>(size_t(list[2]), callee.function->parameters.size());
  FrameView from{warp, caller, warp.now.frame, warp.now.local};
  FrameView to{warp, callee, frame, uint32_t(local)};
  for (size_t i = 0; i < count; ++i)
    pass(from, passed(list + 4 + 3 * i), to, formal(callee, false, i),
         warp.now.mask);
  warp.now.calls.push_back(
      {&caller, warp.now.pc, warp.now.frame, warp.now.local, warp.now.stack});
  warp.now.code = &callee;
  warp.now.pc = callee.ops.data();
  warp.now.frame = frame;
  warp.now.local = uint32_t(local);
  warp.now.stack = 0;
  warp.enter();
  return Next::Jump;
}

static Next badFunction(Warp &warp, const Op &op, uint64_t address, int lane,
                        const std::string &message) {
  Fault fault;
  fault.code = FaultCode::InvalidPc;
  fault.check = "call of no function";
  char text[32];
  snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
  fault.message = message + ", got " + text;
  fault.advice = "look where the pointer comes from, and whether its table was "
                 "initialised";
  return warp.worker->stop(warp, op, std::move(fault), lane);
}

static Next callFunction(Warp &warp, const Op &op, LaneMask mask) {
  const Slot *list = warp.now.code->lists.data() + op.list;
  CodeSource &program = *warp.block->cluster->grid->program;
  std::string message;
  splitGroup(warp, mask, warp.now.pc + 1);
  if (list[0] >= 0) {
    const Code *callee = program.codeOf(uint32_t(list[0]), message);
    if (callee == nullptr)
      return badFunction(warp, op, uint64_t(list[0]), -1, message);
    return enterFunction(warp, op, *callee);
  }
  uint64_t window = warp.worker->memory.functionWindow();
  const uint64_t *addresses = warp.at<uint64_t>(list[1]);
  int first = __builtin_ctz(mask);
  uint64_t address = addresses[first];
  LaneMask same = 0;
  forLanes(mask, [&](int lane) {
    if (addresses[lane] == address)
      same |= LaneMask(1) << lane;
  });
  splitGroup(warp, same, warp.now.pc);
  const Code *callee = nullptr;
  message = "expected the address of a function";
  if (address >= window && address - window < Memory::windowBytes &&
      (address - window) % 16 == 0)
    callee = program.codeOf(uint32_t((address - window) / 16), message);
  if (callee == nullptr || callee->function->isEntry)
    return badFunction(warp, op, address, first, message);
  return enterFunction(warp, op, *callee);
}

Handler isa::call() { return callFunction; }

static Next returnLanes(Warp &warp, const Op &, LaneMask mask) {
  if (warp.now.calls.empty())
    return exitLanes(warp, mask);
  splitGroup(warp, mask, warp.now.pc + 1);
  const Code &callee = *warp.now.code;
  CallFrame back = warp.now.calls.back();
  warp.now.calls.pop_back();
  const Slot *list = back.code->lists.data() + back.op->list;
  size_t count = std::min<size_t>(size_t(list[3]), callee.function->results.size());
  FrameView from{warp, callee, warp.now.frame, warp.now.local};
  FrameView to{warp, *back.code, back.frame, back.local};
  for (size_t i = 0; i < count; ++i)
    pass(from, formal(callee, true, i), to,
         passed(list + 4 + 3 * (size_t(list[2]) + i)), mask);
  warp.now.code = back.code;
  warp.now.pc = back.op + 1;
  warp.now.frame = back.frame;
  warp.now.local = back.local;
  warp.now.stack = back.stack;
  warp.enter();
  return Next::Jump;
}

Handler isa::returnFromFunction() { return returnLanes; }
static Handler selectReturn(const Match &, Op &) { return returnLanes; }

/// slots: d, size. All lanes get the same offset, behind the largest of them.
template <typename T>
static Next allocate(Warp &warp, const Op &op, LaneMask mask) {
  uint64_t alignment = op.modifiers;
  uint64_t first = (endOfStack(warp) + alignment - 1) / alignment * alignment;
  const T *sizes = warp.at<T>(op.slots[1]);
  uint64_t bytes = 0;
  forLanes(mask, [&](int lane) { bytes = std::max<uint64_t>(bytes, sizes[lane]); });
  if (bytes > warp.localLimit || first + bytes > warp.localLimit)
    return overflow(warp, op, first + bytes);
  warp.reserveLocal();
  if (warp.checks != nullptr)
    allocateUndefined(warp, uint32_t(first), uint32_t(bytes), mask);
  warp.now.stack += uint32_t(first + bytes - endOfStack(warp));
  T *target = warp.at<T>(op.slots[0]);
  forLanes(mask, [&](int lane) { target[lane] = T(first); });
  return Next::Advance;
}

static Handler selectAllocate(const Match &match, Op &op) {
  bool hasAlignment = match.instruction->operandCount == 3;
  op.modifiers = hasAlignment ? uint32_t(match.operand(2).bits) : 8;
  if (op.modifiers == 0 || (op.modifiers & (op.modifiers - 1)) != 0)
    return match.refuse("an alignment that is a power of two");
  return match.type() == ptx::Type::U64 ? allocate<uint64_t> : allocate<uint32_t>;
}

/// slots: d
template <typename T>
static Next saveStack(Warp &warp, const Op &op, LaneMask mask) {
  T *target = warp.at<T>(op.slots[0]);
  forLanes(mask, [&](int lane) { target[lane] = T(endOfStack(warp)); });
  return Next::Advance;
}

/// slots: a, of a stacksave in this function
template <typename T>
static Next restoreStack(Warp &warp, const Op &op, LaneMask mask) {
  const T *saved = warp.at<T>(op.slots[0]);
  uint64_t end = endOfStack(warp), first = end - warp.now.stack, most = first;
  int bad = -1;
  forLanes(mask, [&](int lane) {
    most = std::max<uint64_t>(most, saved[lane]);
    if (saved[lane] < first || saved[lane] > end)
      bad = lane;
  });
  if (bad < 0) {
    // Lanes that do not take part keep what they have.
    if (mask == warp.now.mask)
      warp.now.stack = uint32_t(most - first);
    return Next::Advance;
  }
  Fault fault;
  fault.code = FaultCode::HardwareStack;
  fault.check = "stackrestore";
  fault.message = "expected what stacksave gave in this function, got " +
                  std::to_string(saved[bad]);
  return warp.worker->stop(warp, op, std::move(fault), bad);
}

static Handler selectSave(const Match &match, Op &) {
  return match.type() == ptx::Type::U64 ? saveStack<uint64_t> : saveStack<uint32_t>;
}
static Handler selectRestore(const Match &match, Op &) {
  return match.type() == ptx::Type::U64 ? restoreStack<uint64_t>
                                        : restoreStack<uint32_t>;
}

static Next exitThreads(Warp &warp, const Op &, LaneMask mask) {
  return exitLanes(warp, mask);
}

Handler isa::exitThread() { return exitThreads; }
static Handler selectExit(const Match &, Op &) { return exitThreads; }

static Next trap(Warp &warp, const Op &op, LaneMask mask) {
  Fault fault;
  fault.code = FaultCode::LaunchFailed;
  fault.check = "trap";
  fault.message = "the kernel stopped itself";
  fault.advice = "look for the condition that leads to this instruction";
  return warp.worker->stop(warp, op, std::move(fault), __builtin_ctz(mask));
}

static Handler selectTrap(const Match &, Op &) { return trap; }

static Next nothing(Warp &, const Op &, LaneMask) { return Next::Advance; }
static Handler selectNothing(const Match &, Op &) { return nothing; }

static Handler selectEvent(const Match &match, Op &) {
  return match.operand(0).bits < 16 ? nothing : match.refuse("an event below 16");
}

/// nanosleep.u32 t: sleeps at least as long as the shortest of the lanes.
static Next sleep(Warp &warp, const Op &op, LaneMask mask) {
  Group &now = warp.now;
  warp.polls += 64;
  now.turns += 64;
  if (now.wakeTime == 0) {
    uint32_t shortest = ~0u;
    const uint32_t *times = warp.at<uint32_t>(op.slots[0]);
    forLanes(mask, [&](int lane) { shortest = std::min(shortest, times[lane]); });
    now.wakeTime = warp.block->cluster->time() + std::min(shortest, 1000000u) + 1;
    return Next::Wait;
  }
  now.wakeTime = 0;
  now.expired = false;
  return Next::Advance;
}

static Handler selectSleep(const Match &, Op &) { return sleep; }

static const Form forms[] = {
    {"bra?.uni", "L", selectBranch, OpClass::Control},
    {"brx.idx?.uni", "u32 L", selectIndexed, OpClass::Control},
    {"ret?.uni", "", selectReturn, OpClass::Control, 0, Transfer::Own},
    {"exit", "", selectExit, OpClass::Control},
    {"trap", "", selectTrap, OpClass::Control},
    {"brkpt", "", selectNothing, OpClass::Control},
    {"pmevent", "#", selectEvent, OpClass::Other},
    {"pmevent.mask", "#", selectNothing, OpClass::Other},
    {"alloca.(u32|u64)", "=T T #?", selectAllocate, OpClass::Control},
    {"stacksave.(u32|u64)", "=T", selectSave, OpClass::Control},
    {"stackrestore.(u32|u64)", "T", selectRestore, OpClass::Control},
    {"nanosleep.u32", "u32", selectSleep, OpClass::Control},
};

Family isa::controlFamily() { return {forms, std::size(forms)}; }
