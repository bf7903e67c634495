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
  if (callee.kind == Operand::Kind::Register ||
      callee.kind == Operand::Kind::Function)
    return true;
  return fail(name.location, "expected a function or a register to call, got " +
                                 quote(name.text));
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

bool ModuleParser::checkCount(Location location, std::string_view what,
                              const std::vector<Variable> &expected,
                              const Operand &list) {
  // `.b8 rest[]` takes any number of bytes, but is still one parameter.
  if (expected.size() == list.elementCount)
    return true;
  return fail(location,
              "expected " + std::to_string(expected.size()) + " " +
                  std::string(what) + (expected.size() == 1 ? "" : "s") +
                  " of the function, got " + std::to_string(list.elementCount));
}

bool ModuleParser::checkCall(Location location, const Operand &results,
                             const Operand &callee, const Operand &arguments,
                             const Operand &interface) {
  bool isIndirect = callee.kind == Operand::Kind::Register;
  const Operand &described = isIndirect ? interface : callee;
  if (described.kind == Operand::Kind::Sink)
    return fail(location, "expected a prototype or call targets after the "
                          "arguments of an indirect call, got none");
  if (described.kind == Operand::Kind::Variable)
    return true; // Of the functions in the array, when it is called.
  if (described.kind == Operand::Kind::Function) {
    const Function &target = module.functions[described.index];
    return checkCount(location, "result", target.results, results) &&
           checkCount(location, "argument", target.parameters, arguments);
  }
  const Prototype &prototype = function->prototypes[described.index];
  return checkCount(location, "result", prototype.results, results) &&
         checkCount(location, "argument", prototype.parameters, arguments);
}
