// Performing wgmma groups, and the registers that belong to them.

#include "tools/ptxsim/core/Warpgroups.h"

#include "tools/ptxsim/checks/Clock.h"
#include "tools/ptxsim/checks/TransferRules.h"
#include "tools/ptxsim/checks/UndefinedMatrices.h"
#include "tools/ptxsim/core/Observe.h"

#include <algorithm>
#include <cstring>

using namespace ptxsim;

Warpgroup &ptxsim::warpgroupOf(Warp &warp) {
  std::vector<std::unique_ptr<Warpgroup>> &all = warp.block->warpgroups;
  size_t index = warp.index / 4;
  if (all.size() <= index)
    all.resize(index + 1);
  if (all[index] == nullptr)
    all[index] = std::make_unique<Warpgroup>();
  return *all[index];
}

/// Points the planes of a step at the registers of the four warps.
static void setPlanes(const WarpgroupWork &work,
                      const WarpgroupInstruction &instruction,
                      std::vector<uint32_t *> (&d)[4], WarpgroupStep &step) {
  const WarpgroupShape &shape = instruction.shape;
  uint32_t registers = shape.registersOfD();
  const Slot *slots = instruction.op->list == 0
                          ? instruction.op->slots
                          : instruction.code->lists.data() + instruction.op->list;
  for (uint32_t w = 0; w < 4; ++w) {
    Warp &warp = work.block->warps[work.firstWarp + w];
    auto plane = [&](Slot slot) {
      uint8_t *base = slot < 0 ? instruction.code->constants
                               : warp.registers + instruction.frame[w];
      return reinterpret_cast<uint32_t *>(base + (slot & 0x7fffffff));
    };
    d[w].resize(registers);
    for (uint32_t r = 0; r < registers; ++r)
      d[w][r] = plane(slots[r]);
    uint32_t next = registers;
    if (step.isAInRegisters)
      for (uint32_t r = 0; r < 4; ++r)
        step.a[w][r] = plane(slots[next++]);
    else
      ++next;
    if (shape.isSparse)
      step.metadata[w] = plane(slots[next + 1]);
  }
}

/// Returns what all four warps knew when they began a step: what only some of
/// them had waited for, the others may read too early.
static std::shared_ptr<const Knowledge>
commonKnowledge(const WarpgroupInstruction &instruction) {
  auto common = std::make_shared<Knowledge>(*instruction.knowledgeOf[0]);
  for (int w = 1; w < 4; ++w)
    common->intersect(*instruction.knowledgeOf[w]);
  return common;
}

/// Checks what the step with a number reads of shared memory: races, layouts.
static bool observeReads(WarpgroupWork &work, size_t number, Worker &worker) {
  const WarpgroupInstruction &instruction = work.instructions[number];
  if (instruction.knowledgeOf[0] == nullptr)
    return true;
  work.origin.op = instruction.op;
  work.origin.code = instruction.code;
  if (number == 0 || !std::equal(instruction.knowledgeOf,
                                 instruction.knowledgeOf + 4,
                                 work.instructions[number - 1].knowledgeOf))
    work.knowledge = commonKnowledge(instruction);
  std::vector<uint32_t> chunks;
  forEachChunk(instruction.shape, instruction.step,
               [&](uint32_t address) { chunks.push_back(address); });
  return observeMatrixReads(worker, work, *work.block, chunks) &&
         observeDescriptors(worker, work, *work.block, instruction.step, chunks);
}

/// Performs the groups that the warpgroup committed before: products that add to
/// the same registers do so in order.
static bool finishEarlier(const WarpgroupWork &work, Worker &worker) {
  Warpgroup &group = *work.block->warpgroups[work.firstWarp / 4];
  for (const std::shared_ptr<WarpgroupWork> &earlier : group.works) {
    if (earlier->number >= work.number)
      return true;
    if (!work.block->cluster->async->finish(*earlier, worker))
      return false;
  }
  return true;
}

/// Gives the copies of sums of a group their values as they are after `steps` of
/// its products.
static void makeCopies(Warp &warp, uint64_t group, uint32_t steps) {
  if (warp.warpgroupRegisters == nullptr)
    return;
  for (const WarpgroupRegisters::Copy &copy : warp.warpgroupRegisters->copies) {
    if (copy.group != group || copy.steps != steps)
      continue;
    forLanes(copy.lanes, [&](int lane) {
      uint32_t at = uint32_t(lane) * copy.bytes;
      std::memcpy(warp.registers + copy.to + at, warp.registers + copy.from + at,
                  copy.bytes);
    });
    if (warp.checks != nullptr)
      copyShadow(*warp.checks, copy.to, copy.from, copy.bytes, copy.lanes);
  }
}

/// True if a register was copied between the product with this number and the next.
static bool isCopiedAfter(const WarpgroupWork &work, uint32_t steps) {
  for (uint32_t w = 0; w < 4; ++w)
    if (WarpgroupRegisters *registers =
            work.block->warps[work.firstWarp + w].warpgroupRegisters.get())
      for (const WarpgroupRegisters::Copy &copy : registers->copies)
        if (copy.group == work.number && copy.steps == steps)
          return true;
  return false;
}

bool WarpgroupWork::write(Worker &worker) {
  if (!finishEarlier(*this, worker))
    return false;
  bool hopper = block->cluster->grid->options->hopperTensor;
  uint32_t count = uint32_t(instructions.size());
  std::vector<WarpgroupStep> steps;
  std::vector<uint32_t *> d[4], planes[4];
  auto flush = [&](const WarpgroupShape &shape) {
    uint32_t *const *const all[4] = {d[0].data(), d[1].data(), d[2].data(),
                                     d[3].data()};
    worker.multiplier().multiply(shape, steps.data(), steps.size(), block->shared,
                                 all, hopper);
    steps.clear();
  };
  for (uint32_t i = 0; i < count; ++i) {
    WarpgroupInstruction &instruction = instructions[i];
    if (!observeReads(*this, i, worker))
      return false;
    WarpgroupStep step = instruction.step;
    setPlanes(*this, instruction, planes, step);
    bool same = !steps.empty() &&
                std::memcmp(&instruction.shape, &instructions[i - 1].shape,
                            sizeof(WarpgroupShape)) == 0 &&
                planes[0] == d[0];
    if (!steps.empty() && !same)
      flush(instructions[i - 1].shape);
    if (block->warps[firstWarp].checks != nullptr)
      multiplyUndefined(*block, firstWarp, instruction, step,
                        worker.multiplier());
    if (steps.empty())
      for (int w = 0; w < 4; ++w)
        d[w] = planes[w];
    steps.push_back(step);
    if (i + 1 == count || isCopiedAfter(*this, i + 1)) {
      flush(instruction.shape);
      for (uint32_t w = 0; w < 4; ++w)
        makeCopies(block->warps[firstWarp + w], number, i + 1);
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

/// Ends the flight of copies of groups up to `group`.
static void releaseCopies(WarpgroupRegisters &registers, uint64_t group) {
  auto &copies = registers.copies;
  for (const WarpgroupRegisters::Copy &copy : copies)
    registers.lines[copy.to / 64] &= uint8_t(~WarpgroupRegisters::isCopy);
  copies.erase(std::remove_if(copies.begin(), copies.end(),
                              [&](const WarpgroupRegisters::Copy &copy) {
                                return copy.group <= group || copy.lanes == 0;
                              }),
               copies.end());
  for (const WarpgroupRegisters::Copy &copy : copies)
    registers.lines[copy.to / 64] |= WarpgroupRegisters::isCopy;
}

void ptxsim::releaseRegisters(Warp &warp, uint64_t group) {
  WarpgroupRegisters *registers = warp.warpgroupRegisters.get();
  if (registers == nullptr)
    return;
  releaseCopies(*registers, group);
  for (size_t line = 0; line < registers->lines.size(); ++line) {
    uint64_t &user = registers->groupOfLine[line];
    if (user == 0 || user > group)
      continue;
    user = 0;
    --registers->inFlight;
    registers->lines[line] &=
        uint8_t(~(WarpgroupRegisters::accumulates | WarpgroupRegisters::isRead));
  }
}

/// Says which wgmma in flight uses a register at an offset in the file.
static void noteProduct(Warp &warp, uint32_t offset, Fault &fault) {
  uint64_t group = warp.warpgroupRegisters->groupOfLine[offset / 64];
  for (const std::shared_ptr<WarpgroupWork> &work : warpgroupOf(warp).works)
    for (const WarpgroupInstruction &instruction : work->instructions) {
      const Op &op = *instruction.op;
      const Code &code = *instruction.code;
      const OpInfo &info = code.infos[size_t(&op - code.ops.data())];
      const RegisterOperand *operands = code.operands.data() + info.firstSource;
      const RegisterOperand *end = operands + info.sources + info.destinations;
      uint32_t frame = instruction.frame[warp.index % 4];
      bool uses = std::any_of(operands, end, [&](const RegisterOperand &operand) {
        return operand.slot >= 0 && frame + uint32_t(operand.slot) == offset;
      });
      if (work->number != group || !uses)
        continue;
      Warp view;
      view.block = warp.block;
      view.now.code = &code;
      Place place = Worker::placeOf(view, op, -1);
      fault.notes.push_back("the wgmma in flight is at line " +
                            std::to_string(place.line) + ": " + place.text);
      return;
    }
}

/// The name of a register in the text.
static std::string nameOf(const Warp &warp, const RegisterOperand &operand) {
  const std::vector<ptx::Register> &named = warp.now.code->function->registers;
  if (operand.reg < 0 || size_t(operand.reg) >= named.size())
    return "a register";
  return "'" + std::string(named[size_t(operand.reg)].name) + "'";
}

/// \param product Where the register of the wgmma in flight is in the file.
static bool touched(Warp &warp, const Op &op, const std::string &name,
                    const char *how, const char *whose, uint32_t product,
                    LaneMask lanes = 0) {
  Fault fault;
  fault.code = FaultCode::LaunchFailed;
  fault.check = "wgmma registers";
  fault.message =
      "expected wgmma.wait_group before " + name + " is " + how + " that " + whose;
  fault.advice = "wait for the group that contains the wgmma";
  noteProduct(warp, product, fault);
  warp.worker->stop(warp, op, std::move(fault),
                    lanes == 0 ? -1 : __builtin_ctz(lanes));
  return false;
}

static constexpr const char *sums = "a wgmma in flight accumulates to";
static constexpr const char *copiesSums =
    "is a copy of one that a wgmma in flight accumulates to";

/// Where the sum is that a copy in flight at `offset` is of.
static uint32_t sumOfCopy(const WarpgroupRegisters &registers, uint32_t offset) {
  for (const WarpgroupRegisters::Copy &copy : registers.copies)
    if (copy.to == offset && copy.lanes != 0)
      return copy.from;
  return offset;
}

/// The lanes of a register that are copies in flight.
static LaneMask lanesInFlight(const WarpgroupRegisters &registers,
                              uint32_t offset) {
  LaneMask lanes = 0;
  if (registers.lines[offset / 64] & WarpgroupRegisters::isCopy)
    for (const WarpgroupRegisters::Copy &copy : registers.copies)
      lanes |= copy.to == offset ? copy.lanes : 0;
  return lanes;
}

bool ptxsim::observeCopyAsOperand(Warp &warp, const Op &op, Slot slot) {
  const WarpgroupRegisters &registers = *warp.warpgroupRegisters;
  uint32_t offset = fileOffset(warp, slot);
  LaneMask lanes = lanesInFlight(registers, offset);
  return lanes == 0 || touched(warp, op, "a register", "read", copiesSums,
                               sumOfCopy(registers, offset), lanes);
}

namespace {
/// What an ordinary instruction does to the registers of a warp.
class RegisterUse {
public:
  RegisterUse(Warp &warp, const Op &op, const OpInfo &info, LaneMask mask)
      : warp(warp), registers(*warp.warpgroupRegisters), op(op), info(info),
        mask(mask),
        sources(warp.now.code->operands.data() + info.firstSource),
        destinations(sources + info.sources) {}

  bool reads();
  bool writes();
  /// Lets the destination of a mov be in flight as its source is.
  void follow();

private:
  bool isMove() const {
    return op.opClass == OpClass::Move &&
           TransferRule(info.transfer) == TransferRule::Move &&
           info.sources == 1 && info.destinations == 1 &&
           sources[0].bytes == destinations[0].bytes;
  }
  WarpgroupRegisters::Copy copyOfSum(uint32_t from) const;

  Warp &warp;
  WarpgroupRegisters &registers;
  const Op &op;
  const OpInfo &info;
  LaneMask mask;
  const RegisterOperand *sources, *destinations;
  std::vector<WarpgroupRegisters::Copy> fresh;
};
} // namespace

/// A copy of the sum at `from` as the products that were begun make it.
WarpgroupRegisters::Copy RegisterUse::copyOfSum(uint32_t from) const {
  const Warpgroup &group = warpgroupOf(warp);
  uint64_t number = registers.groupOfLine[from / 64];
  uint32_t steps = group.issued[warp.index % 4];
  // One that is done is at its end, and the sum is there.
  if (number <= group.committed[warp.index % 4])
    steps = number < group.firstNumber
                ? 0
                : uint32_t(group.works[number - group.firstNumber]
                               ->instructions.size());
  return {from, 0, sources[0].bytes, mask, number, steps};
}

bool RegisterUse::reads() {
  for (uint32_t i = 0; i < info.sources; ++i) {
    uint32_t offset = fileOffset(warp, sources[i].slot);
    uint8_t line = registers.lines[offset / 64];
    if (!(line & (WarpgroupRegisters::accumulates | WarpgroupRegisters::isCopy)))
      continue;
    if (line & WarpgroupRegisters::accumulates) {
      if (!isMove())
        return touched(warp, op, nameOf(warp, sources[i]), "read", sums, offset);
      fresh.push_back(copyOfSum(offset));
      continue;
    }
    LaneMask lanes = lanesInFlight(registers, offset) & mask;
    if (lanes == 0)
      continue;
    if (!isMove())
      return touched(warp, op, nameOf(warp, sources[i]), "read", copiesSums,
                     sumOfCopy(registers, offset), lanes);
    for (const WarpgroupRegisters::Copy &copy : registers.copies)
      if (copy.to == offset && (copy.lanes & mask) != 0) {
        fresh.push_back(copy);
        fresh.back().lanes &= mask;
      }
  }
  return true;
}

bool RegisterUse::writes() {
  for (uint32_t i = 0; i < info.destinations; ++i) {
    uint32_t offset = fileOffset(warp, destinations[i].slot);
    uint8_t line = registers.lines[offset / 64];
    if (line & WarpgroupRegisters::accumulates)
      return touched(warp, op, nameOf(warp, destinations[i]), "written", sums,
                     offset);
    if (line & WarpgroupRegisters::isRead)
      return touched(warp, op, nameOf(warp, destinations[i]), "written",
                     "a wgmma in flight reads", offset);
    if (line & WarpgroupRegisters::isCopy)
      for (WarpgroupRegisters::Copy &copy : registers.copies)
        if (copy.to == offset)
          copy.lanes &= ~mask;
  }
  return true;
}

void RegisterUse::follow() {
  for (WarpgroupRegisters::Copy &copy : fresh) {
    copy.to = fileOffset(warp, destinations[0].slot);
    registers.lines[copy.to / 64] |= WarpgroupRegisters::isCopy;
    registers.copies.push_back(copy);
  }
}

bool ptxsim::observeWarpgroupRegisters(Warp &warp, const Op &op,
                                       const OpInfo &info, LaneMask mask) {
  WarpgroupRegisters &registers = *warp.warpgroupRegisters;
  registers.reserve(warp.registerBytes);
  if (registers.inFlight != 0) {
    RegisterUse use(warp, op, info, mask);
    if (!use.reads() || !use.writes())
      return false;
    use.follow();
  }
  const RegisterOperand *destinations =
      warp.now.code->operands.data() + info.firstSource + info.sources;
  for (uint32_t i = 0; i < info.destinations; ++i)
    registers.lines[fileOffset(warp, destinations[i].slot) / 64] |=
        WarpgroupRegisters::isWritten;
  return true;
}
