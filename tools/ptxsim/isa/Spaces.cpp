// Variables whose names stand in addresses of another state space, and
// parameters that are written or read the wrong way round.
//
// Source: PTX ISA 9.0, sections 5.1.6 (parameters) and 6.4.1 (addresses), and
// ptxas 13.0, which refuses the same.

#include "tools/ptxsim/isa/Form.h"

using namespace ptxsim;
using namespace ptxsim::isa;
using ptx::Operand;
using ptx::Space;

/// Returns what space a name is in.
static Space spaceOf(const ptx::Module &module, const ptx::Function &function,
                     const Operand &name) {
  if (name.kind == Operand::Kind::Parameter)
    return Space::Parameter;
  return name.ofFunction ? function.variables[name.index].space
                         : module.variables[name.index].space;
}

static std::string quotedName(const ptx::Module &module,
                              const ptx::Function &function,
                              const Operand &name) {
  const ptx::Variable &variable =
      name.kind == Operand::Kind::Parameter
          ? (name.ofResults ? function.results
                            : function.parameters)[name.index]
      : name.ofFunction ? function.variables[name.index]
                        : module.variables[name.index];
  return "'" + std::string(variable.name) + "'";
}

/// Returns the space of the address that is number `index` of the instruction;
/// nothing if its words do not say.
static std::optional<Space> spaceOfAddress(const Match &match, unsigned index) {
  if (index == 0 && match.spaceCount == 0)
    return Space::Generic;
  if (index < match.spaceCount)
    return match.spaces[index];
  if (match.has("mbarrier::complete_tx::bytes"))
    return Space::Shared;
  return std::nullopt;
}

static bool agrees(Space wanted, Space have) {
  if (wanted == Space::Generic)
    return have != Space::Constant && have != Space::Parameter;
  if (wanted == Space::SharedCluster)
    wanted = Space::Shared;
  return wanted == have;
}

/// Says what is wrong if a parameter is written that the caller gives, or read
/// that the caller gets.
static std::string checkParameter(const Match &match, const Operand &name,
                                  const std::string &quoted) {
  if (name.kind != Operand::Kind::Parameter)
    return "";
  bool isStore = match.instruction->opcode == "st";
  if (isStore && !name.ofResults)
    return "expected a result of the function or a variable in .param to "
           "write, got its parameter " +
           quoted;
  if (!isStore && name.ofResults)
    return "expected a parameter of the function or a variable in .param to "
           "read, got its result " +
           quoted;
  return "";
}

std::string isa::checkSpaces(const ptx::Module &module, const Match &match) {
  const ptx::Function &function = *match.function;
  unsigned index = 0;
  for (uint32_t i = 0; i < match.instruction->operandCount; ++i) {
    const Operand *operand = &match.operand(i);
    if (operand->kind == Operand::Kind::Tensor)
      operand = &function.elements[operand->firstElement];
    if (operand->kind != Operand::Kind::Address)
      continue;
    std::optional<Space> wanted = spaceOfAddress(match, index++);
    const Operand &name = function.elements[operand->firstElement];
    if (!wanted || (name.kind != Operand::Kind::Variable &&
                    name.kind != Operand::Kind::Parameter))
      continue;
    std::string place = "operand " + std::to_string(i + 1) + ": ";
    std::string quoted = quotedName(module, function, name);
    Space have = spaceOf(module, function, name);
    if (!agrees(*wanted, have))
      return place + "expected a variable in " +
             (*wanted == Space::Generic
                  ? ".global, .shared or .local for an address without a space"
                  : "." + std::string(ptx::nameOf(*wanted))) +
             ", got " + quoted + " in ." + std::string(ptx::nameOf(have));
    std::string wrong = checkParameter(match, name, quoted);
    if (!wrong.empty())
      return place + wrong;
  }
  return "";
}
