// Reports of undefined values.

#include "tools/ptxsim/checks/Undefined.h"

#include <cstdio>

using namespace ptxsim;
using ptx::Space;

static std::string hex(uint64_t value) {
  char text[32];
  snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
  return text;
}

static std::string registerName(const Code &code, int32_t reg) {
  if (reg < 0 || size_t(reg) >= code.function->registers.size())
    return "";
  return "'" + std::string(code.function->registers[size_t(reg)].name) + "'";
}

UndefinedUse ptxsim::useOf(const Warp &warp, const RegisterOperand &operand,
                           std::string what) {
  UndefinedUse use;
  use.what = std::move(what);
  use.where = registerName(*warp.now.code, operand.reg);
  if (operand.slot >= 0)
    use.origin = originOf(warp, operand.slot);
  return use;
}

static std::string describeAddress(const Warp &warp,
                                   const UndefinedOrigin &origin) {
  uint64_t address = origin.address;
  uint64_t window = address - warp.worker->memory.sharedWindow();
  switch (origin.space) {
  case Space::Shared:
  case Space::SharedCluster:
    return "shared address " + hex(window < Memory::windowBytes ? window : address);
  case Space::Local:
    window = address - warp.worker->memory.localWindow();
    return "local address " + hex(window < Memory::windowBytes ? window : address);
  default:
    return describeGlobal(warp.worker->memory, address);
  }
}

/// "line 12: ld.shared.u32 %r1, [%r2]" of an op.
static std::string placeOf(const UndefinedOrigin &origin) {
  const Code &code = *origin.code;
  uint32_t index = code.infos[size_t(origin.op - code.ops.data())].instruction;
  if (index >= code.function->instructions.size())
    return "the end of the function";
  const ptx::Instruction &instruction = code.function->instructions[index];
  return "line " + std::to_string(instruction.location.line) + ": " +
         ptx::onOneLine(instruction);
}

/// Says where undefined bits come from and what to do about it.
static void describeOrigin(const Warp &warp, const Op &op,
                           const UndefinedOrigin &origin, Fault &fault) {
  switch (origin.kind) {
  case UndefinedOrigin::Kind::Unknown:
    return;
  case UndefinedOrigin::Kind::Register:
    fault.notes.push_back(
        "they come from the register " + registerName(*origin.code, origin.reg) +
        (origin.isWritten ? ", which nothing wrote on the way here"
                          : ", which no instruction of the function writes"));
    fault.advice = "write the register on every path that leads to its use";
    return;
  case UndefinedOrigin::Kind::Memory:
    fault.address = describeAddress(warp, origin);
    if (origin.op != &op)
      fault.notes.push_back("they come from memory that nothing wrote, by " +
                            placeOf(origin));
    fault.advice = "write the memory before it is read: by a copy or a set of the "
                   "host, or by a store and a barrier";
    return;
  case UndefinedOrigin::Kind::Lane:
    fault.notes.push_back("they come from a lane that did not take part, by " +
                          placeOf(origin));
    fault.advice = "read only lanes that execute the instruction and are in its "
                   "member mask";
    return;
  }
}

bool ptxsim::reportUndefined(Warp &warp, const Op &op, int lane,
                             const UndefinedUse &use) {
  Fault fault;
  fault.code = FaultCode::LaunchFailed;
  fault.check = "undefined value";
  fault.message = "expected " + use.what + " to be defined, got undefined bits";
  if (!use.where.empty())
    fault.message += " in " + use.where;
  describeOrigin(warp, op, use.origin, fault);
  warp.worker->stop(warp, op, std::move(fault), lane);
  return false;
}
