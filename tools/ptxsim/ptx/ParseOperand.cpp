// Operands of instructions.
//
// Source: PTX ISA 9.0, chapter 6 (instruction operands).

#include "tools/ptxsim/ptx/ModuleParser.h"

using namespace ptxsim::ptx;

void ModuleParser::takeElements(size_t start, Operand &operand) {
  operand.firstElement = uint32_t(function->elements.size());
  operand.elementCount = uint32_t(scratch.size() - start);
  function->elements.insert(function->elements.end(), scratch.begin() + start,
                            scratch.end());
  scratch.resize(start);
}

bool ModuleParser::parseOperand(Operand &operand) {
  if (token.isName() && token.text != "WARP_SZ") {
    if (!parseNamedOperand(operand))
      return false;
    if (!token.is('|'))
      return true;
    advance();
    size_t start = scratch.size();
    scratch.push_back(operand);
    Operand second;
    if (!token.isName())
      return failExpected("a register or '_' after '|'");
    if (!parseNamedOperand(second))
      return false;
    scratch.push_back(second);
    operand = Operand();
    operand.kind = Operand::Kind::Pair;
    takeElements(start, operand);
    return true;
  }
  if (token.is('['))
    return parseBrackets(operand);
  if (token.is('{'))
    return parseVector(operand);
  if (token.is('!'))
    return parseNegated(operand);
  if (token.is('-') && startsNegatedRegister())
    return parseNegatedRegister(operand);
  if (startsConstant())
    return parseConstantOperand(operand);
  return failExpected("an operand");
}

bool ModuleParser::parseConstantOperand(Operand &operand) {
  Constant constant;
  if (!parseConstant(constant))
    return false;
  operand.bits = constant.bits;
  switch (constant.kind) {
  case Constant::Kind::Unsigned:
    operand.isUnsigned = true;
    [[fallthrough]];
  case Constant::Kind::Signed:
    operand.kind = Operand::Kind::Integer;
    break;
  case Constant::Kind::Float:
  case Constant::Kind::Float64:
    operand.kind = Operand::Kind::Float;
    break;
  case Constant::Kind::Float32:
    operand.kind = Operand::Kind::Float32;
    break;
  }
  return true;
}

/// `!p`, or a constant that begins with `!`.
bool ModuleParser::parseNegated(Operand &operand) {
  Token sign = token;
  advance();
  if (!token.isName() || token.text == "WARP_SZ") {
    if (!startsConstant() && !token.is('!'))
      return failExpected("a predicate or a constant after '!'");
    Constant constant;
    expressionDepth = 0;
    if (!parseUnary(constant))
      return false;
    if (std::string error = evaluateUnary('!', constant); !error.empty())
      return fail(sign.location, std::move(error));
    if (!parseBinary(constant, 1))
      return false;
    operand.kind = Operand::Kind::Integer;
    operand.bits = constant.bits;
    return true;
  }
  Token name = token;
  advance();
  if (!resolve(name, operand))
    return false;
  bool isPredicate = (operand.kind == Operand::Kind::Register &&
                      function->registers[operand.index].type == Type::Pred) ||
                     (operand.kind == Operand::Kind::Special &&
                      typeOf(operand.special) == Type::Pred);
  if (!isPredicate)
    return fail(name.location,
                "expected a predicate after '!', got " + quote(name.text));
  operand.negated = true;
  return true;
}

/// True if a name comes after the sign that is the token.
bool ModuleParser::startsNegatedRegister() const {
  Token next = Lexer(lexer).next();
  return next.isName() && next.text != "WARP_SZ";
}

/// `-%r`, which only vmad takes.
bool ModuleParser::parseNegatedRegister(Operand &operand) {
  advance();
  Token name = token;
  if (!parseNamedOperand(operand))
    return false;
  if (operand.kind != Operand::Kind::Register ||
      function->registers[operand.index].type == Type::Pred)
    return fail(name.location, "expected a register that is no predicate after "
                               "'-', got " +
                                   quote(name.text));
  operand.negated = true;
  return true;
}

bool ModuleParser::parseVector(Operand &operand) {
  advance();
  size_t start = scratch.size();
  do {
    Operand element;
    if (token.is('{') || token.is('['))
      return failExpected("a register, a constant or '_' in a vector");
    if (!parseOperand(element))
      return false;
    scratch.push_back(element);
  } while (accept(','));
  operand.kind = Operand::Kind::Vector;
  if (!token.is('}'))
    return failExpected("',' or '}' in a vector");
  advance();
  takeElements(start, operand);
  return true;
}

bool ModuleParser::parseNamedOperand(Operand &operand) {
  Token name = token;
  advance();
  if (name.text == "_") {
    operand.kind = Operand::Kind::Sink;
    return true;
  }
  if (!resolve(name, operand))
    return false;
  if (token.isDotWord())
    return parseComponent(name, operand);
  if (token.is('['))
    return parseIndex(operand, name);
  if (token.is('+'))
    return parseOffset(operand);
  return true;
}

/// Returns the number of `.x`, `.y`, `.z`, `.w` or `.r`, `.g`, `.b`, `.a`; 4 if
/// `word` is none.
static unsigned componentNamed(std::string_view word) {
  size_t position = word.size() == 2
                        ? std::string_view("xrygzbwa").find(word[1])
                        : std::string_view::npos;
  return position == std::string_view::npos ? 4 : unsigned(position / 2);
}

/// Returns the bits of the Selector that `word` names, as `.b0` or `.h32`; 0 if it
/// names none.
static uint16_t selectorNamed(std::string_view word) {
  if (word.size() < 3 || (word[1] != 'b' && word[1] != 'h'))
    return 0;
  bool isOfHalves = word[1] == 'h';
  std::string_view digits = word.substr(2);
  if (digits.size() > (isOfHalves ? 2 : 4))
    return 0;
  unsigned bits = unsigned(digits.size()) << 12 | (isOfHalves ? 1u << 15 : 0);
  for (size_t i = 0; i < digits.size(); ++i) {
    char digit = digits[digits.size() - 1 - i];
    if (digit < '0' || digit > (isOfHalves ? '3' : '7'))
      return 0;
    bits |= unsigned(digit - '0') << (3 * i);
  }
  return uint16_t(bits);
}

bool ModuleParser::parseComponent(const Token &name, Operand &operand) {
  uint16_t selector = selectorNamed(token.text);
  if (operand.kind == Operand::Kind::Register && selector != 0) {
    operand.selector = selector;
    advance();
    return true;
  }
  if (operand.kind != Operand::Kind::Vector)
    return failExpected("no component of " + quote(name.text) +
                        ", which is no vector");
  unsigned component = componentNamed(token.text);
  if (component >= operand.elementCount)
    return failExpected(operand.elementCount == 2
                            ? "a component .x or .y"
                            : "a component .x, .y, .z or .w");
  advance();
  // The vector is the last that was added, and nothing else needs it.
  std::vector<Operand> &elements = function->elements;
  size_t first = operand.firstElement;
  operand = Operand(elements[first + component]);
  elements.resize(first);
  return true;
}

const Variable *ModuleParser::variableOf(const Operand &operand) const {
  if (operand.kind == Operand::Kind::Variable)
    return operand.ofFunction ? &function->variables[operand.index]
                              : &module.variables[operand.index];
  if (operand.kind == Operand::Kind::Parameter)
    return operand.ofResults ? &function->results[operand.index]
                             : &function->parameters[operand.index];
  return nullptr;
}

/// `x[3]`, which is the address of an element.
bool ModuleParser::parseIndex(Operand &operand, const Token &name) {
  const Variable *variable = variableOf(operand);
  if (!variable)
    return failExpected("no index of " + quote(name.text) +
                        ", which is no variable");
  advance();
  uint64_t index = 0;
  if (!startsConstant())
    return failExpected("a constant index");
  if (!parseIntegerConstant("index", index) || !expect(']', "after the index"))
    return false;
  size_t start = scratch.size();
  scratch.push_back(operand);
  operand = Operand();
  operand.kind = Operand::Kind::Address;
  operand.bits = index * bytesOf(variable->type) * variable->vectorSize;
  takeElements(start, operand);
  return true;
}

/// The rest of `x + 4` outside of brackets.
bool ModuleParser::parseOffset(Operand &operand) {
  if (!variableOf(operand))
    return failExpected("',' or ';' after the operand");
  advance();
  return parseIntegerConstant("offset", operand.bits);
}

/// `[address]` and `[address, operand…]`.
bool ModuleParser::parseBrackets(Operand &operand) {
  advance();
  if (!parseAddress(operand))
    return false;
  if (accept(']'))
    return true;
  if (!token.is(','))
    return failExpected("'+', ',' or ']' in an address");
  size_t start = scratch.size();
  scratch.push_back(operand);
  while (accept(',')) {
    Operand element;
    if (token.is('['))
      return failExpected("coordinates in an address");
    if (!parseOperand(element))
      return false;
    scratch.push_back(element);
  }
  operand = Operand();
  operand.kind = Operand::Kind::Tensor;
  if (!token.is(']'))
    return failExpected("',' or ']' in an address");
  advance();
  takeElements(start, operand);
  return true;
}

/// The base of an address that is no number.
bool ModuleParser::parseNamedBase(Operand &base) {
  Token name = token;
  advance();
  if (!resolve(name, base) ||
      (token.isDotWord() && !parseComponent(name, base)))
    return false;
  if (base.kind != Operand::Kind::Register && !variableOf(base))
    return fail(name.location, "expected a register, a variable or a number as "
                               "address, got " +
                                   quote(name.text));
  return !token.is('-') || failExpected("a negative offset as '+-'");
}

/// `base + offset`. A negative offset is written `+-4`.
bool ModuleParser::parseAddress(Operand &operand) {
  Operand base;
  Location location = token.location;
  if (token.isName() && token.text != "WARP_SZ") {
    if (!parseNamedBase(base))
      return false;
    if (accept('+') && !parseIntegerConstant("offset", operand.bits))
      return false;
  } else {
    if (!startsConstant())
      return failExpected("an address");
    if (!parseConstantOperand(base))
      return false;
    if (base.kind != Operand::Kind::Integer)
      return fail(location, "expected an integer as address, got a float");
  }
  size_t start = scratch.size();
  scratch.push_back(base);
  operand.kind = Operand::Kind::Address;
  takeElements(start, operand);
  return true;
}
