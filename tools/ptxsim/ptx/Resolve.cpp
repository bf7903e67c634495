// What a name in an operand means.

#include "tools/ptxsim/ptx/ModuleParser.h"

using namespace ptxsim::ptx;

bool ModuleParser::failUnknown(const Token &name, Symbol symbol) {
  if (hasLostNames) // Something else was reported already.
    return false;
  std::string message = "expected a declared name, got " + quote(name.text);
  if (const Binding *range = symbols.findRange(symbol)) {
    std::string_view prefix = symbols.nameOf(range->symbol);
    (message += "; the registers ") += prefix;
    (message += "<") += std::to_string(range->count);
    (message += "> end before it");
  } else {
    NearestName nearest(name.text);
    symbols.suggest(nearest);
    message += nearest.suggestion();
  }
  return fail(name.location, std::move(message));
}

/// Gives the register an index when it is first mentioned.
bool ModuleParser::resolveRegister(const Token &name, Binding &binding,
                                   Operand &operand) {
  if (binding.index == Binding::unused) {
    binding.index = uint32_t(function->registers.size());
    for (int i = 0; i < std::max<int>(binding.width, 1); ++i)
      function->registers.push_back(
          {name.text, binding.type, int8_t(binding.width ? i : -1)});
  }
  operand.kind = Operand::Kind::Register;
  operand.index = binding.index;
  if (binding.width == 0)
    return true;
  size_t start = scratch.size();
  for (unsigned i = 0; i < binding.width; ++i) {
    scratch.push_back(operand);
    ++operand.index;
  }
  operand = Operand();
  operand.kind = Operand::Kind::Vector;
  takeElements(start, operand);
  return true;
}

static void setSpecial(const Binding &binding, Operand &operand) {
  operand.kind = Operand::Kind::Special;
  operand.special = binding.special;
  operand.component = binding.component;
}

bool ModuleParser::resolve(const Token &name, Operand &operand) {
  Symbol symbol = symbols.intern(name.text);
  Binding *binding = symbols.find(symbol);
  if (!binding)
    return failUnknown(name, symbol);
  operand.index = binding->index;
  switch (binding->kind) {
  case Binding::Kind::Register:
    return resolveRegister(name, *binding, operand);
  case Binding::Kind::Special: {
    if (binding->special == SpecialRegister::AggrSmemSize &&
        !needVersion(name.location, {8, 1}, name.text))
      return false;
    size_t start = scratch.size();
    setSpecial(*binding, operand);
    if (binding->width == 0)
      return true;
    for (; operand.component < binding->width; ++operand.component)
      scratch.push_back(operand);
    operand = Operand();
    operand.kind = Operand::Kind::Vector;
    takeElements(start, operand);
    return true;
  }
  case Binding::Kind::LocalVariable:
    operand.ofFunction = true;
    [[fallthrough]];
  case Binding::Kind::Variable:
    operand.kind = Operand::Kind::Variable;
    return true;
  case Binding::Kind::Result:
    operand.ofResults = true;
    [[fallthrough]];
  case Binding::Kind::Parameter:
    operand.kind = Operand::Kind::Parameter;
    return true;
  case Binding::Kind::Function:
  case Binding::Kind::Targets:
    operand.kind = Operand::Kind::Function;
    return true;
  case Binding::Kind::Table:
    operand.kind = Operand::Kind::Table;
    return true;
  case Binding::Kind::Prototype:
    operand.kind = Operand::Kind::Prototype;
    return true;
  case Binding::Kind::WarpSize: // Is read as a constant.
  case Binding::Kind::Range:    // Have a space of names of their own.
  case Binding::Kind::Label:
    return failUnknown(name, symbol);
  }
  return false;
}
