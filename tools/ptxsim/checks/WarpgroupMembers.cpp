// Comparing what the warps of a warpgroup do.

#include "tools/ptxsim/checks/WarpgroupMembers.h"

#include "tools/ptxsim/core/Warpgroups.h"

using namespace ptxsim;

/// The warps that a warpgroup has, a bit each: the last one may have fewer than
/// four.
static uint32_t membersOf(const Warp &warp) {
  size_t warps = warp.block->warps.size() - warp.index / 4 * 4;
  return warps >= 4 ? 15 : (1u << warps) - 1;
}

/// Notes which of the warps have executed an op, "at line 7: …, by warp 4, 5".
static void noteOp(const Warp &warp, const Code &code, const Op &op,
                   std::string note, uint32_t warps, Fault &fault) {
  const OpInfo &info = code.infos[size_t(&op - code.ops.data())];
  const ptx::Instruction &instruction =
      code.function->instructions[info.instruction];
  note += " at line " + std::to_string(instruction.location.line) + ": " +
          ptx::onOneLine(instruction);
  const char *separator = ", by warp ";
  for (uint32_t member = 0; member < 4; ++member)
    if (warps >> member & 1) {
      note += separator + std::to_string(warp.index / 4 * 4 + member);
      separator = ", ";
    }
  fault.notes.push_back(std::move(note));
}

static bool isAlike(const RegisterChange &change, uint32_t registers,
                    bool increases) {
  return change.registers == registers && change.increases == increases;
}

static bool failRegisters(const Warp &warp, const RegisterChange &change,
                          std::string message, Fault &fault) {
  fault.code = FaultCode::IllegalInstruction;
  fault.check = "registers";
  fault.message = std::move(message);
  if (uint32_t others = change.warps & ~(1u << warp.index % 4))
    noteOp(warp, *change.code, *change.op, "the other is", others, fault);
  fault.advice =
      "let all warps of the warpgroup execute the same setmaxnreg, and "
      "a barrier before the next one";
  return false;
}

bool ptxsim::changeRegisters(Warp &warp, const Op &op, uint32_t registers,
                             bool increases, Fault &fault) {
  RegisterChange &change = warpgroupOf(warp).change;
  uint32_t bit = 1u << warp.index % 4, members = membersOf(warp);
  if (change.warps == members)
    change.warps = 0;
  if (change.warps == 0)
    change = {&op, warp.now.code, registers, increases, 0};
  if (change.warps & bit)
    return failRegisters(warp, change,
                         "expected the setmaxnreg before in all warps of the "
                         "warpgroup, got another one first",
                         fault);
  if (!isAlike(change, registers, increases))
    return failRegisters(warp, change,
                         "expected the same setmaxnreg in all warps of the "
                         "warpgroup, got another one",
                         fault);
  change.warps |= bit;
  for (uint32_t member = 0; member < 4; ++member)
    if ((members & ~change.warps) >> member & 1 &&
        warp.block->warps[warp.index / 4 * 4 + member].live == 0)
      return failRegisters(warp, change,
                           "expected the same setmaxnreg in all warps of the "
                           "warpgroup, got one after warp " +
                               std::to_string(warp.index / 4 * 4 + member) +
                               " has exited",
                           fault);
  return true;
}

static bool failProduct(const Warp &warp, const WarpgroupInstruction &product,
                        std::string message, std::string advice, Fault &fault) {
  fault.code = FaultCode::LaunchFailed;
  fault.check = "wgmma";
  fault.message = std::move(message);
  noteOp(warp, *product.code, *product.op, "it is", product.arrived, fault);
  fault.advice = std::move(advice);
  return false;
}

bool ptxsim::leaveWarpgroup(const Warp &warp, Fault &fault) {
  const auto &groups = warp.block->warpgroups;
  if (groups.size() <= warp.index / 4 || groups[warp.index / 4] == nullptr)
    return true;
  const Warpgroup &group = *groups[warp.index / 4];
  uint32_t member = warp.index % 4;
  const RegisterChange &change = group.change;
  if (change.warps != 0 && !(change.warps >> member & 1))
    return failRegisters(warp, change,
                         "expected the same setmaxnreg in all warps of the "
                         "warpgroup, got a warp that exits without it",
                         fault);
  for (const std::shared_ptr<WarpgroupWork> &work : group.works)
    for (const WarpgroupInstruction &instruction : work->instructions) {
      if (!(instruction.arrived >> member & 1))
        return failProduct(warp, instruction,
                           "expected each wgmma in all four warps of the "
                           "warpgroup, got a warp that exits without it",
                           "let whole warpgroups branch together", fault);
      if (!(work->committed >> member & 1))
        return failProduct(warp, instruction,
                           "expected wgmma.commit_group before the warp exits, "
                           "got a wgmma that it has not committed",
                           "commit the wgmma, and wait for the group", fault);
    }
  return true;
}
