// PTX texts: a module or errors come of them, and all that the module refers to
// is in it.

#include "test/fuzz/AllocationLimit.h"
#include "tools/ptxsim/ptx/Parser.h"

using namespace ptxsim::ptx;

static void check(bool condition) {
  if (!condition)
    __builtin_trap();
}

/// Checks that `view` is a part of the module's text.
static void checkText(const Module &module, std::string_view view) {
  const char *begin = module.text.data();
  check(view.data() >= begin &&
        view.data() + view.size() <= begin + module.text.size());
}

static void checkVariable(const Module &module, const Variable &variable) {
  checkText(module, variable.name);
  check(variable.bytes <= uint64_t{1} << 40);
  check(variable.initial.size() <= variable.bytes);
  check(variable.alignment != 0 &&
        (variable.alignment & (variable.alignment - 1)) == 0);
  for (const Relocation &relocation : variable.relocations) {
    check(relocation.offset + relocation.bytes <= variable.initial.size());
    check(relocation.index < (relocation.isFunction ? module.functions.size()
                                                    : module.variables.size()));
  }
}

/// How many there are of what `operand` has the index of.
static size_t countFor(const Module &module, const Function &function,
                       const Operand &operand) {
  using Kind = Operand::Kind;
  switch (operand.kind) {
  case Kind::Register:
    return function.registers.size();
  case Kind::Variable:
    return (operand.ofFunction ? function.variables : module.variables).size();
  case Kind::Parameter:
    return (operand.ofResults ? function.results : function.parameters).size();
  case Kind::Function:
    return module.functions.size();
  case Kind::Label:
    return function.instructions.size() + 1; // One past the last.
  case Kind::Table:
    return function.branchTargets.size();
  case Kind::Prototype:
    return function.prototypes.size();
  default:
    return SIZE_MAX;
  }
}

/// Parts stand before their whole, so that nothing contains itself.
static void checkOperand(const Module &module, const Function &function,
                         size_t position) {
  const Operand &operand = function.elements[position];
  using Kind = Operand::Kind;
  size_t parts = operand.elementCount, first = operand.firstElement;
  bool hasParts = operand.kind >= Kind::Address && operand.kind <= Kind::Pair;
  check(operand.index < countFor(module, function, operand));
  check(hasParts ? first + parts <= position : parts == 0);
  check(operand.kind != Kind::Address || parts == 1);
  check(operand.kind != Kind::Pair || parts == 2);
  check(operand.kind != Kind::Tensor ||
        (parts >= 2 && function.elements[first].kind == Kind::Address));
}

static void checkFunction(const Module &module, const Function &function) {
  checkText(module, function.name);
  for (const auto *list :
       {&function.results, &function.parameters, &function.variables})
    for (const Variable &variable : *list)
      checkVariable(module, variable);
  for (size_t i = 0; i < function.elements.size(); ++i)
    checkOperand(module, function, i);
  for (const Register &entry : function.registers)
    checkText(module, entry.name);
  for (std::string_view word : function.words)
    checkText(module, word);
  for (const BranchTargets &table : function.branchTargets)
    for (uint32_t target : table.targets)
      check(target <= function.instructions.size());
  for (const Instruction &instruction : function.instructions) {
    checkText(module, instruction.text);
    checkText(module, instruction.opcode);
    check(instruction.firstWord + instruction.wordCount <=
          function.words.size());
    check(instruction.firstOperand + instruction.operandCount <=
          function.elements.size());
    check(instruction.guard < 0 ||
          function.registers[size_t(instruction.guard)].type == Type::Pred);
    check(instruction.opcode != "call" || instruction.operandCount == 4);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tcc::AllocationLimit limit(size);
  std::vector<Diagnostic> diagnostics;
  std::unique_ptr<Module> module =
      parse(std::string(reinterpret_cast<const char *>(data), size), "t.ptx",
            diagnostics);
  check((module != nullptr) == diagnostics.empty());
  check(diagnostics.size() <= 20);
  for (const Diagnostic &diagnostic : diagnostics) {
    Location location = diagnostic.location;
    check(location.line != 0 && location.line <= size + 1);
    check(location.column != 0 && location.column <= size + 1);
    check(render(diagnostic, "t.ptx").size() < 2000);
  }
  if (!module)
    return 0;
  for (const Variable &variable : module->variables)
    checkVariable(*module, variable);
  for (const Function &function : module->functions)
    checkFunction(*module, function);
  return 0;
}
