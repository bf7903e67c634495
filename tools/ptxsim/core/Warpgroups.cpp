// Performing wgmma groups, and the registers that belong to them.

#include "tools/ptxsim/core/Warpgroups.h"

#include "tools/ptxsim/checks/Clock.h"
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
    if (!work.block->cluster->async->finish(*earlier, false, worker))
      return false;
  }
  return true;
}

bool WarpgroupWork::write(Worker &worker) {
  if (!finishEarlier(*this, worker))
    return false;
  bool hopper = block->cluster->grid->options->hopperTensor;
  size_t count = instructions.size();
  std::vector<WarpgroupStep> steps;
  std::vector<uint32_t *> d[4], planes[4];
  auto flush = [&](const WarpgroupShape &shape) {
    uint32_t *const *const all[4] = {d[0].data(), d[1].data(), d[2].data(),
                                     d[3].data()};
    worker.multiplier().multiply(shape, steps.data(), steps.size(), block->shared,
                                 all, hopper);
    steps.clear();
  };
  for (size_t i = 0; i < count; ++i) {
    WarpgroupInstruction &instruction = instructions[i];
    if (!observeReads(*this, i, worker))
      return false;
    WarpgroupStep step = instruction.step;
    setPlanes(*this, instruction, planes, step);
    if (block->warps[firstWarp].checks != nullptr)
      multiplyUndefined(*block, firstWarp, instruction, step,
                        worker.multiplier());
    bool same = !steps.empty() &&
                std::memcmp(&instruction.shape, &instructions[i - 1].shape,
                            sizeof(WarpgroupShape)) == 0 &&
                planes[0] == d[0];
    if (!steps.empty() && !same)
      flush(instructions[i - 1].shape);
    if (steps.empty())
      for (int w = 0; w < 4; ++w)
        d[w] = planes[w];
    steps.push_back(step);
  }
  if (!steps.empty())
    flush(instructions.back().shape);
  for (uint32_t w = 0; w < 4; ++w)
    releaseRegisters(block->warps[firstWarp + w], 0);
  return true;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

void ptxsim::releaseRegisters(Warp &warp, uint64_t group) {
  WarpgroupRegisters *registers = warp.warpgroupRegisters.get();
  if (registers == nullptr || group == 0)
    return;
  for (const WarpgroupRegisters::Copy &copy : registers->copies) {
    if (copy.group > group)
      continue;
    std::memcpy(warp.registers + copy.to, warp.registers + copy.from, copy.bytes);
    if (warp.checks != nullptr)
      copyShadow(*warp.checks, copy.to, copy.from, copy.bytes / 32);
  }
  auto &copies = registers->copies;
  for (size_t i = copies.size(); i-- > 0;)
    if (copies[i].group <= group)
      copies.erase(copies.begin() + ptrdiff_t(i));
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

static bool touched(Warp &warp, const Op &op, const RegisterOperand &operand,
                    bool writes, bool isA) {
  Fault fault;
  fault.code = FaultCode::LaunchFailed;
  fault.check = "wgmma registers";
  const std::vector<ptx::Register> &named = warp.now.code->function->registers;
  std::string name = "a register";
  if (operand.reg >= 0 && size_t(operand.reg) < named.size())
    name = "'" + std::string(named[size_t(operand.reg)].name) + "'";
  fault.message =
      "expected wgmma.wait_group before " + name + " is " +
      (writes ? "written" : "read") + " that " +
      (isA ? "a wgmma in flight reads" : "a wgmma in flight accumulates to");
  fault.advice = "wait for the group that contains the wgmma";
  noteProduct(warp, fileOffset(warp, operand.slot), fault);
  warp.worker->stop(warp, op, std::move(fault), -1);
  return false;
}

bool ptxsim::observeWarpgroupRegisters(Warp &warp, const Op &op,
                                       const OpInfo &info) {
  WarpgroupRegisters &registers = *warp.warpgroupRegisters;
  const RegisterOperand *operands =
      warp.now.code->operands.data() + info.firstSource;
  const RegisterOperand *destinations = operands + info.sources;
  registers.reserve(warp.registerBytes);
  bool isMove = op.opClass == OpClass::Move && info.sources == 1 &&
                info.destinations == 1 &&
                operands[0].bytes == destinations[0].bytes;
  if (registers.inFlight != 0) {
    for (uint32_t i = 0; i < info.sources; ++i) {
      uint32_t offset = fileOffset(warp, operands[i].slot);
      if (!(registers.lines[offset / 64] & WarpgroupRegisters::accumulates))
        continue;
      if (!isMove)
        return touched(warp, op, operands[i], false, false);
      uint32_t to = fileOffset(warp, destinations[0].slot);
      uint64_t group = registers.groupOfLine[offset / 64];
      registers.copies.push_back({offset, to, operands[i].bytes * 32, group});
    }
    for (uint32_t i = 0; i < info.destinations; ++i) {
      uint8_t line =
          registers.lines[fileOffset(warp, destinations[i].slot) / 64];
      if (line & (WarpgroupRegisters::accumulates | WarpgroupRegisters::isRead))
        return touched(warp, op, destinations[i], true,
                       !(line & WarpgroupRegisters::accumulates));
    }
  }
  for (uint32_t i = 0; i < info.destinations; ++i)
    registers.lines[fileOffset(warp, destinations[i].slot) / 64] |=
        WarpgroupRegisters::isWritten;
  return true;
}
