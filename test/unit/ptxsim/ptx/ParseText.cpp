// Texts for the parser's tests, and what it makes of them as text.

#include "test/unit/ptxsim/ptx/ParseText.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace ptxsim::ptx;

static std::string moduleText(std::string_view statements) {
  return ".version 9.0\n.target sm_90a\n.address_size 64\n" +
         std::string(statements);
}

static std::string bodyText(std::string_view statements) {
  return moduleText(".entry k(.param .u64 a, .param .align 8 .b8 s[16]) {\n"
                    ".reg .pred %p<8>; .reg .b16 %rs<8>; .reg .b32 %r<8>;\n"
                    ".reg .b64 %rd<8>; .reg .f32 %f<8>; .reg .f64 %d<8>;\n") +
         std::string(statements) + "\n}\n";
}

static std::unique_ptr<Module> parseText(std::string text) {
  std::vector<Diagnostic> diagnostics;
  std::unique_ptr<Module> module = parse(std::move(text), "t", diagnostics);
  for (const Diagnostic &diagnostic : diagnostics)
    ADD_FAILURE() << render(diagnostic, "t");
  EXPECT_EQ(module == nullptr, !diagnostics.empty());
  return module ? std::move(module) : std::make_unique<Module>();
}

std::unique_ptr<Module> ptxsim::ptx::parseModule(std::string_view statements) {
  return parseText(moduleText(statements));
}

std::unique_ptr<Module> ptxsim::ptx::parseBody(std::string_view statements) {
  std::unique_ptr<Module> module = parseText(bodyText(statements));
  if (module->functions.empty())
    module->functions.emplace_back();
  return module;
}

std::string ptxsim::ptx::errorsOfText(std::string_view text) {
  std::vector<Diagnostic> diagnostics;
  std::unique_ptr<Module> module = parse(std::string(text), "t", diagnostics);
  EXPECT_EQ(module == nullptr, !diagnostics.empty());
  std::string result;
  for (const Diagnostic &diagnostic : diagnostics)
    result += (result.empty() ? "" : "\n") +
              std::to_string(diagnostic.location.line) + ":" +
              std::to_string(diagnostic.location.column) + ": " +
              diagnostic.message;
  return result;
}

std::string ptxsim::ptx::errorsOf(std::string_view statements) {
  return errorsOfText(moduleText(statements));
}

std::string ptxsim::ptx::errorsOfBody(std::string_view statements) {
  return errorsOfText(bodyText(statements));
}

const Function &ptxsim::ptx::lastFunction(const Module &module) {
  static const Function none;
  return module.functions.empty() ? none : module.functions.back();
}

namespace {
/// Writes operands as text.
class Writer {
public:
  Writer(const Module &module, const Function &function)
      : module(module), function(function) {}

  std::string list(uint32_t first, uint32_t count) const {
    std::string result;
    for (uint32_t i = 0; i < count; ++i)
      result += (i ? ", " : "") + write(function.elements[first + i]);
    return result;
  }

private:
  std::string write(const Operand &operand) const;
  std::string writeName(const Operand &operand) const;
  std::string writeRegister(const Operand &operand) const;
  std::string elements(const Operand &operand) const {
    return list(operand.firstElement, operand.elementCount);
  }
  static std::string offset(const Operand &operand) {
    return operand.bits ? " + " + std::to_string(int64_t(operand.bits)) : "";
  }

  const Module &module;
  const Function &function;
};
} // namespace

static double toDouble(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

static std::string hex(uint64_t bits) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llX",
                static_cast<unsigned long long>(bits));
  return text;
}

std::string Writer::writeRegister(const Operand &operand) const {
  const Register &entry = function.registers[operand.index];
  std::string result = operand.negated ? "!" : "";
  result += entry.name;
  return entry.component < 0
             ? result
             : (result += ".") += "xyzw"[size_t(entry.component)];
}

std::string Writer::writeName(const Operand &operand) const {
  using Kind = Operand::Kind;
  switch (operand.kind) {
  case Kind::Variable:
    return (operand.ofFunction ? "local " : "variable ") +
           std::string((operand.ofFunction ? function.variables
                                           : module.variables)[operand.index]
                           .name) +
           offset(operand);
  case Kind::Parameter:
    return (operand.ofResults ? "result " : "parameter ") +
           std::string((operand.ofResults ? function.results
                                          : function.parameters)[operand.index]
                           .name) +
           offset(operand);
  case Kind::Function:
    return "function " + std::string(module.functions[operand.index].name);
  case Kind::Label:
    return "label " + std::to_string(operand.index);
  case Kind::Table:
    return "table " + std::to_string(operand.index);
  case Kind::Prototype:
    return "prototype " + std::to_string(operand.index);
  default:
    return "?";
  }
}

std::string Writer::write(const Operand &operand) const {
  using Kind = Operand::Kind;
  switch (operand.kind) {
  case Kind::Register:
    return writeRegister(operand);
  case Kind::Special:
    return (operand.negated ? "!special " : "special ") +
           std::to_string(int(operand.special)) + "." +
           std::to_string(operand.component);
  case Kind::Integer:
    return operand.isUnsigned ? hex(operand.bits) + "U"
                              : std::to_string(int64_t(operand.bits));
  case Kind::Float:
    return "f64 " + std::to_string(toDouble(operand.bits));
  case Kind::Float32:
    return "f32 " + hex(operand.bits);
  case Kind::Address:
    return "[" + elements(operand) + offset(operand) + "]";
  case Kind::Tensor:
    return "tensor(" + elements(operand) + ")";
  case Kind::Vector:
    return "{" + elements(operand) + "}";
  case Kind::Pair:
    return "pair(" + elements(operand) + ")";
  case Kind::Sink:
    return "_";
  default:
    return writeName(operand);
  }
}

std::string ptxsim::ptx::operandsOf(const Module &module,
                                    const Function &function,
                                    const Instruction &instruction) {
  return Writer(module, function)
      .list(instruction.firstOperand, instruction.operandCount);
}

std::string ptxsim::ptx::operandsOf(std::string_view statements) {
  std::unique_ptr<Module> module = parseBody(statements);
  const Function &function = lastFunction(*module);
  if (function.instructions.empty())
    return "no instruction";
  return operandsOf(*module, function, function.instructions.back());
}

std::string ptxsim::ptx::registersOf(const Function &function) {
  std::string result;
  for (const Register &entry : function.registers)
    result += (result.empty() ? "" : " ") + std::string(entry.name) + ":" +
              std::string(nameOf(entry.type));
  return result;
}
