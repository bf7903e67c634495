// What a kernel says of its launch: dependent grids, registers of warps.
//
// Source: PTX ISA 9.0, sections 9.7.13.16 (griddepcontrol), 9.7.15
// (setmaxnreg), 9.7.19.

#include "tools/ptxsim/core/Interpreter.h"
#include "tools/ptxsim/core/Observe.h"
#include "tools/ptxsim/isa/Families.h"

using namespace ptxsim;
using namespace ptxsim::isa;

/// A block has triggered when all its threads have said so or exited.
static Next launchDependents(Warp &warp, const Op &, LaneMask mask) {
  Block &block = *warp.block;
  warp.triggered |= mask;
  if (warp.worker->observes)
    observeGridTrigger(warp);
  for (const Warp &other : block.warps)
    if ((other.live & ~other.triggered) != 0)
      return Next::Advance;
  block.triggered = true;
  ++block.cluster->changes;
  return Next::Advance;
}

static Next waitForGrids(Warp &warp, const Op &, LaneMask mask) {
  const GridRun &grid = *warp.block->cluster->grid;
  for (const std::shared_ptr<Grid> &prerequisite : grid.prerequisites) {
    if (prerequisite->isFinished())
      continue;
    if (mask == warp.now.mask) {
      warp.now.waitsForGrid = true;
      return Next::Wait;
    }
    Group rest = warp.now;
    rest.mask &= ~mask;
    ++rest.pc;
    warp.groups.push_back(std::move(rest));
    warp.now.mask = mask;
    warp.now.waitsForGrid = true;
    return Next::Wait;
  }
  warp.now.waitsForGrid = false;
  if (warp.worker->observes)
    observeGridWait(warp);
  return Next::Advance;
}

static Handler selectDependents(const Match &, Op &) { return launchDependents; }
static Handler selectWait(const Match &, Op &) { return waitForGrids; }

static Next badRegisters(Warp &warp, const Op &op, std::string message) {
  Fault fault;
  fault.code = FaultCode::IllegalInstruction;
  fault.check = "registers";
  fault.message = std::move(message);
  fault.advice = "start from the registers of .maxnreg or of the launch bounds, "
                 "and let the warpgroups' numbers sum up to no more";
  return warp.worker->stop(warp, op, std::move(fault), -1);
}

/// setmaxnreg: registers are counted, not used. An increase waits until the block
/// has as many free.
static Next setRegisters(Warp &warp, const Op &op, LaneMask) {
  Block &block = *warp.block;
  uint32_t wanted = *warp.at<uint32_t>(op.slots[0]);
  uint32_t have = warp.registersPerThread;
  bool increases = op.modifiers;
  if (warp.now.ticket == 0 && !observeRegisterChange(warp, op, wanted, increases))
    return Next::Stop;
  warp.now.ticket = 0;
  if (have == 0)
    return Next::Advance; // Like ptxas, which cannot tell how many there are.
  if (increases ? wanted < have : wanted > have)
    return badRegisters(warp, op,
                        "expected " + std::string(increases ? "at least" : "at most") +
                            " the " + std::to_string(have) +
                            " registers that the warp has, got " +
                            std::to_string(wanted));
  if (increases && (wanted - have) * 32 > block.freeRegisters) {
    warp.now.ticket = 1; // It has begun.
    return Next::Wait;
  }
  block.freeRegisters += have * 32;
  block.freeRegisters -= wanted * 32;
  warp.registersPerThread = wanted;
  ++block.cluster->progress;
  return Next::Advance;
}

static Handler selectRegisters(const Match &match, Op &op) {
  op.modifiers = match.has("inc");
  const ptx::Operand &count =
      match.function->elements[match.instruction->firstOperand];
  if (count.bits < 24 || count.bits > 256 || count.bits % 8 != 0)
    return nullptr;
  return setRegisters;
}

static const Form forms[] = {
    {"griddepcontrol.launch_dependents", "", selectDependents, OpClass::Control},
    {"griddepcontrol.wait", "", selectWait, OpClass::Control},
    {"setmaxnreg.(inc|dec) .sync.aligned.u32", "#", selectRegisters,
     OpClass::Other, opAligned},
};

Family isa::launchFamily() { return {forms, std::size(forms)}; }
