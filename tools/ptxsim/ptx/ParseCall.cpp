// Calls.
//
// Source: PTX ISA 9.0, section 9.7.12.5 (call).

#include "tools/ptxsim/ptx/ModuleParser.h"

using namespace ptxsim::ptx;

/// `[(results),] callee [, (arguments)] [, interface]`; leaves four operands.
bool ModuleParser::parseCall() {
  Operand results, callee, arguments, interface;
  results.kind = arguments.kind = Operand::Kind::Vector;
  Location location = token.location;
  if (token.is('(') &&
      (!parseCallList(results) || !expect(',', "after the results of a call")))
    return false;
  if (!parseCallee(callee))
    return false;
  if (accept(',')) {
    bool hasArguments = token.is('(');
    if (hasArguments && !parseCallList(arguments))
      return false;
    if ((!hasArguments || accept(',')) && !parseCallInterface(interface))
      return false;
  }
  if (!checkCall(location, results, callee, arguments, interface))
    return false;
  for (const Operand &operand : {results, callee, arguments, interface})
    scratch.push_back(operand);
  return true;
}

bool ModuleParser::parseCallList(Operand &list) {
  advance();
  size_t start = scratch.size();
  if (!token.is(')')) {
    do {
      Operand element;
      if (token.is('{') || token.is('['))
        return failExpected("a register, a '.param' variable or a constant in "
                            "the list of a call");
      if (!parseOperand(element))
        return false;
      scratch.push_back(element);
    } while (accept(','));
  }
  if (!token.is(')'))
    return failExpected("',' or ')' in the list of a call");
  advance();
  takeElements(start, list);
  return true;
}

bool ModuleParser::parseCallee(Operand &callee) {
  Token name;
  if (!expectName("a function or a register to call", name) ||
      !resolve(name, callee) ||
      (token.isDotWord() && !parseComponent(name, callee)))
    return false;
  if (callee.kind == Operand::Kind::Function)
    return true;
  if (callee.kind != Operand::Kind::Register)
    return fail(name.location, "expected a function or a register to call, got " +
                                   quote(name.text));
  Type type = function->registers[callee.index].type;
  bool isInteger = classOf(type) == TypeClass::Integer ||
                   classOf(type) == TypeClass::Bits;
  return (isInteger && (bitsOf(type) == 32 || bitsOf(type) == 64)) ||
         fail(name.location, "expected the address of a function in an integer "
                             "register of 32 or 64 bits, got " +
                                 quote(name.text) + " of type ." +
                                 std::string(nameOf(type)));
}

bool ModuleParser::parseCallInterface(Operand &interface) {
  Token name;
  if (!expectName("a prototype or call targets", name) ||
      !resolve(name, interface))
    return false;
  const Variable *array = variableOf(interface);
  if (interface.kind == Operand::Kind::Prototype ||
      interface.kind == Operand::Kind::Function ||
      (array &&
       (array->space == Space::Global || array->space == Space::Constant)))
    return true;
  return fail(name.location,
              "expected a prototype or call targets, got " + quote(name.text));
}

//===----------------------------------------------------------------------===//
// What is passed
//===----------------------------------------------------------------------===//

/// ".param .align 4 .b8[16]"
static std::string textOf(const Variable &variable) {
  std::string result(1, '.');
  result += nameOf(variable.space);
  if (variable.space == Space::Parameter &&
      variable.alignment != bytesOf(variable.type))
    result += " .align " + std::to_string(variable.alignment);
  (result += " .") += nameOf(variable.type);
  uint64_t count = variable.bytes / std::max(bytesOf(variable.type), 1u);
  if (variable.isArray)
    result += "[" + (count == 0 ? "" : std::to_string(count)) + "]";
  return result;
}

/// True if values of these types stand for each other in a call: those of one
/// size of which one is untyped, or both are integers.
static bool typesAgree(Type a, Type b) {
  if (bitsOf(a) != bitsOf(b))
    return false;
  TypeClass first = classOf(a), second = classOf(b);
  return a == b || a == Type::F16x2 || b == Type::F16x2 ||
         first == TypeClass::Bits || second == TypeClass::Bits ||
         (first == TypeClass::Integer && second == TypeClass::Integer);
}

/// True if what is declared as `actual` may be passed as `formal`.
static bool maySubstitute(const Variable &formal, const Variable &actual) {
  if (formal.isArray != actual.isArray)
    return false;
  // A register has the alignment of its size.
  if (formal.space == Space::Parameter && formal.alignment != actual.alignment)
    return false;
  // `.b8 rest[]` takes any number of bytes.
  return formal.isArray ? formal.bytes == actual.bytes || formal.bytes == 0
                        : typesAgree(formal.type, actual.type);
}

static bool takesNumber(const Variable &formal, Operand::Kind kind) {
  TypeClass typeClass = classOf(formal.type);
  if (formal.isArray)
    return false;
  if (formal.type == Type::F16x2)
    return kind == Operand::Kind::Float32;
  return typeClass == TypeClass::Bits ||
         (kind == Operand::Kind::Integer) == (typeClass == TypeClass::Integer);
}

/// True for types that the calling convention of sm_90 has no place for.
static bool hasNoPlace(const Variable &formal) {
  bool isShort = classOf(formal.type) == TypeClass::Integer &&
                 bitsOf(formal.type) < 32;
  return !formal.isArray && (formal.type == Type::Pred || isShort);
}

/// Says what an operand of a call is; false for what cannot be passed.
bool ModuleParser::describePassed(const Operand &operand, Variable &actual,
                                  std::string &text) const {
  if (operand.kind == Operand::Kind::Register) {
    const Register &reg = function->registers[operand.index];
    actual.space = Space::Register;
    actual.type = reg.type;
    actual.bytes = actual.alignment = bytesOf(reg.type);
    text = quote(reg.name) + " of type ." + std::string(nameOf(reg.type));
    return !operand.negated && operand.selector == 0;
  }
  const Variable *variable = variableOf(operand);
  text = "another operand";
  if (variable == nullptr)
    return false;
  text = quote(variable->name) + " of type " + textOf(*variable);
  if (operand.kind == Operand::Kind::Parameter)
    text += ", which is a parameter of the function around it";
  actual.space = variable->space;
  actual.type = variable->type;
  actual.bytes = variable->bytes;
  actual.alignment = variable->alignment;
  actual.isArray = variable->isArray;
  return operand.kind == Operand::Kind::Variable && operand.bits == 0 &&
         variable->space == Space::Parameter;
}

/// Checks an argument, or a result, as which `_` may stand for nothing.
bool ModuleParser::checkPassed(Location location, const std::string &what,
                               const Variable &formal, const Operand &operand,
                               bool isResult) {
  if (hasNoPlace(formal))
    return fail(location, "expected " + what + " of the function to have 32 or "
                          "more bits or the type .b8, .b16 or .f16, got " +
                              textOf(formal));
  std::string expected = "expected ";
  if (isResult && operand.kind == Operand::Kind::Sink)
    return true;
  bool isNumber = operand.kind == Operand::Kind::Integer ||
                  operand.kind == Operand::Kind::Float ||
                  operand.kind == Operand::Kind::Float32;
  if (!isResult && isNumber)
    return takesNumber(formal, operand.kind) ||
           fail(location, expected + textOf(formal) + " as " + what +
                              (operand.kind == Operand::Kind::Integer
                                   ? ", got an integer"
                                   : ", got a floating-point number"));
  Variable actual;
  std::string text;
  if (!describePassed(operand, actual, text))
    return fail(location, expected + "a register" +
                              (isResult ? "" : ", a number") +
                              " or a '.param' variable as " + what + ", got " +
                              text);
  return maySubstitute(formal, actual) ||
         fail(location,
              expected + textOf(formal) + " as " + what + ", got " + text);
}

bool ModuleParser::checkList(Location location, std::string_view what,
                             const std::vector<Variable> &formals,
                             const Operand &list) {
  if (formals.size() != list.elementCount)
    return fail(location,
                "expected " + std::to_string(formals.size()) + " " +
                    std::string(what) + (formals.size() == 1 ? "" : "s") +
                    " of the function, got " +
                    std::to_string(list.elementCount));
  for (uint32_t i = 0; i < list.elementCount; ++i)
    if (!checkPassed(location,
                     std::string(what) + " " + std::to_string(i + 1), formals[i],
                     function->elements[list.firstElement + i],
                     what == "result"))
      return false;
  return true;
}

/// Checks a call through an array against each function in it.
bool ModuleParser::checkArrayCall(Location location, const Variable &array,
                                  const Operand &results,
                                  const Operand &arguments) {
  bool hasFunctions = array.isExternal;
  for (const Relocation &relocation : array.relocations) {
    if (!relocation.isFunction)
      continue;
    hasFunctions = true;
    const Function &target = module.functions[relocation.index];
    if (!checkList(location, "result", target.results, results) ||
        !checkList(location, "argument", target.parameters, arguments))
      return false;
  }
  return hasFunctions ||
         fail(location, "expected an array of functions, got " +
                            quote(array.name) + ", which holds none");
}

bool ModuleParser::checkCall(Location location, const Operand &results,
                             const Operand &callee, const Operand &arguments,
                             const Operand &interface) {
  bool isIndirect = callee.kind == Operand::Kind::Register;
  if (!isIndirect && interface.kind != Operand::Kind::Sink)
    return fail(location, "expected no prototype or call targets of a direct "
                          "call, got some");
  if (isIndirect && interface.kind == Operand::Kind::Sink)
    return fail(location, "expected a prototype or call targets after the "
                          "arguments of an indirect call, got none");
  if (interface.kind == Operand::Kind::Prototype) {
    const Prototype &prototype = function->prototypes[interface.index];
    return checkList(location, "result", prototype.results, results) &&
           checkList(location, "argument", prototype.parameters, arguments);
  }
  if (isIndirect && interface.kind != Operand::Kind::Function)
    return checkArrayCall(location, *variableOf(interface), results, arguments);
  const Function &target =
      module.functions[isIndirect ? interface.index : callee.index];
  if (!isIndirect && target.isEntry)
    return fail(location, "expected a function to call, got the kernel " +
                              quote(target.name));
  return checkList(location, "result", target.results, results) &&
         checkList(location, "argument", target.parameters, arguments);
}
