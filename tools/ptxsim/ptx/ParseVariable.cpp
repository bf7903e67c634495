// Declarations of registers and variables.
//
// Source: PTX ISA 9.0, sections 5.1 to 5.4.

#include "tools/ptxsim/ptx/ModuleParser.h"

#include <optional>

using namespace ptxsim::ptx;

static std::optional<Space> spaceNamed(std::string_view word) {
  for (Space space : {Space::Register, Space::Constant, Space::Global,
                      Space::Local, Space::Parameter, Space::Shared})
    if (word.substr(1) == nameOf(space))
      return space;
  if (word == ".shared::cta")
    return Space::Shared;
  return std::nullopt;
}

/// Types that a register or variable can be declared with.
static bool isFundamental(Type type) {
  return (type >= Type::Pred && type <= Type::F64 && type != Type::BF16) ||
         type == Type::F16x2;
}

bool ModuleParser::parseAlignment(Qualifiers &qualifiers) {
  uint64_t alignment = 0;
  Location location = token.location;
  if (!expectInteger("an alignment", 1, maxAlignment, alignment))
    return false;
  if (alignment & (alignment - 1))
    return fail(location, "expected a power of two as alignment, got " +
                              std::to_string(alignment));
  // After `.ptr` it is that of what the parameter points to.
  if (qualifiers.variable.isPointer)
    return true;
  qualifiers.variable.alignment = uint32_t(alignment);
  qualifiers.hasAlignment = true;
  return true;
}

/// `(.managed)`, `(.unified(1, 2))` and lists of these.
bool ModuleParser::parseAttributes(Qualifiers &qualifiers) {
  if (!expect('(', "after '.attribute'"))
    return false;
  do {
    if (acceptWord(".managed")) {
      qualifiers.variable.isManaged = true;
      continue;
    }
    uint64_t half = 0;
    if (!acceptWord(".unified"))
      return failExpected("the attribute '.managed' or '.unified'");
    if (!expect('(', "after '.unified'") ||
        !expectInteger("a number", 0, ~uint64_t(0), half) ||
        !expect(',', "between the two numbers of '.unified'") ||
        !expectInteger("a number", 0, ~uint64_t(0), half) ||
        !expect(')', "after '.unified'"))
      return false;
  } while (accept(','));
  return expect(')', "after the attributes");
}

bool ModuleParser::parseSpaceOrType(Qualifiers &qualifiers, bool isParameter) {
  std::string_view word = token.text;
  Variable &variable = qualifiers.variable;
  if (std::optional<Space> space = spaceNamed(word)) {
    Space &known = variable.isPointer ? variable.pointerSpace : variable.space;
    bool isKnown =
        variable.isPointer ? known != Space::Generic : qualifiers.hasSpace;
    if (isKnown)
      return failExpected("one state space");
    known = *space;
    qualifiers.hasSpace = true;
    advance();
    return true;
  }
  bool isOpaque =
      word == ".texref" || word == ".samplerref" || word == ".surfref";
  std::optional<Type> type = typeNamed(word.substr(1));
  if (!isOpaque && !(type && isFundamental(*type)))
    return failExpected(isParameter ? "a type or an attribute of the parameter"
                                    : "a state space, a type or an attribute");
  if (qualifiers.hasType)
    return failExpected("one type");
  if (type == Type::B128 &&
      !needVersion(token.location, {8, 3}, "the type .b128"))
    return false;
  variable.type = isOpaque ? Type::B64 : *type;
  variable.isOpaque = isOpaque;
  qualifiers.hasType = true;
  advance();
  return true;
}

bool ModuleParser::parseQualifier(Qualifiers &qualifiers, bool isParameter) {
  Variable &variable = qualifiers.variable;
  if (acceptWord(".align"))
    return parseAlignment(qualifiers);
  if (acceptWord(".attribute"))
    return parseAttributes(qualifiers);
  if (token.text == ".v2" || token.text == ".v4") {
    variable.vectorSize = uint8_t(token.text[2] - '0');
    advance();
    return true;
  }
  if (isParameter && acceptWord(".ptr")) {
    variable.isPointer = true;
    return true;
  }
  return parseSpaceOrType(qualifiers, isParameter);
}

/// Reads the words up to the name. Their order is left to the writer.
bool ModuleParser::parseQualifiers(Qualifiers &qualifiers, bool isParameter) {
  Location location = token.location;
  while (token.isDotWord())
    if (!parseQualifier(qualifiers, isParameter))
      return false;
  if (!qualifiers.hasSpace)
    return fail(location, "expected a state space in the declaration of " +
                              describe(token) + ", got none");
  return checkType(qualifiers, location);
}

bool ModuleParser::checkType(const Qualifiers &qualifiers, Location location) {
  const Variable &variable = qualifiers.variable;
  if (!qualifiers.hasType)
    return failExpected("a type before the name");
  bool isRegister = variable.space == Space::Register;
  if (variable.type == Type::Pred && !isRegister)
    return fail(location, "expected predicates in '.reg', got '." +
                              std::string(nameOf(variable.space)) + "'");
  if (variable.vectorSize > 1 &&
      bitsOf(variable.type) * variable.vectorSize > 128)
    return fail(location, "expected a vector of at most 128 bits, got " +
                              std::to_string(bitsOf(variable.type) *
                                             variable.vectorSize));
  return true;
}

bool ModuleParser::failDeclared(Location location, std::string_view name,
                                Location earlier) {
  std::string message = "expected a new name, got " + quote(name);
  message += ", which is declared";
  if (earlier.line)
    message += " in line " + std::to_string(earlier.line);
  return fail(location, std::move(message));
}

bool ModuleParser::declareName(const Token &name, const Binding &binding) {
  const Binding *earlier = symbols.declare(symbols.intern(name.text), binding);
  return !earlier || failDeclared(name.location, name.text, earlier->location);
}

bool ModuleParser::parseDeclaration(const Linkage &linkage) {
  Qualifiers qualifiers;
  Variable &variable = qualifiers.variable;
  Location location = token.location;
  variable.isExternal = linkage.isExternal;
  variable.isVisible = linkage.isVisible;
  variable.isWeak = linkage.isWeak;
  variable.isCommon = linkage.isCommon;
  if (!parseQualifiers(qualifiers, false))
    return false;
  bool isLocal = variable.space == Space::Register ||
                 variable.space == Space::Parameter ||
                 variable.space == Space::Local;
  // A `.local` of the module is legal, if only old programs have it.
  if (!function && isLocal && variable.space != Space::Local)
    return fail(location, "expected '." + std::string(nameOf(variable.space)) +
                              "' in a function, got it in the module");
  return variable.space == Space::Register ? parseRegisters(qualifiers)
                                           : parseVariables(qualifiers);
}

/// `a, %r<10>;`
bool ModuleParser::parseRegisters(const Qualifiers &qualifiers) {
  do {
    Token name;
    if (!expectName("the name of a register", name))
      return false;
    Binding binding;
    binding.location = name.location;
    binding.type = qualifiers.variable.type;
    binding.width =
        qualifiers.variable.vectorSize > 1 ? qualifiers.variable.vectorSize : 0;
    if (accept('<')) {
      uint64_t count = 0;
      if (!expectInteger("a number of registers", 0, maxRegisterRange, count) ||
          !expect('>', "after the number of registers"))
        return false;
      binding.kind = Binding::Kind::Range;
      binding.count = uint32_t(count);
    }
    if (!declareName(name, binding))
      return false;
  } while (accept(','));
  if (!token.is(';'))
    return failExpected("',' or ';' after a register");
  advance();
  return true;
}

bool ModuleParser::parseVariables(const Qualifiers &qualifiers) {
  do {
    Variable variable = qualifiers.variable;
    if (!qualifiers.hasAlignment)
      variable.alignment =
          std::max(1U, bytesOf(variable.type) * variable.vectorSize);
    if (!parseVariable(std::move(variable)))
      return false;
  } while (accept(','));
  if (!token.is(';'))
    return failExpected("',', '=' or ';' after a variable");
  advance();
  return true;
}

bool ModuleParser::parseDimensions(std::vector<uint64_t> &dimensions) {
  while (accept('[')) {
    uint64_t dimension = 0;
    if (!(token.is(']') && dimensions.empty()) &&
        !expectInteger("a number of elements", 0, maxVariableBytes, dimension))
      return false;
    if (dimensions.size() == maxDimensions)
      return fail(token.location, "expected at most " +
                                      std::to_string(maxDimensions) +
                                      " dimensions, got more");
    dimensions.push_back(dimension);
    if (!expect(']', "after the number of elements"))
      return false;
  }
  return true;
}

/// Sets the bytes of `variable`; 0 if its first dimension is.
bool ModuleParser::sizeVariable(Variable &variable,
                                const std::vector<uint64_t> &dimensions) {
  uint64_t bytes = uint64_t(bytesOf(variable.type)) * variable.vectorSize;
  for (uint64_t dimension : dimensions)
    if (__builtin_mul_overflow(bytes, dimension, &bytes) ||
        bytes > maxVariableBytes)
      return fail(variable.location, "expected a variable of at most " +
                                         std::to_string(maxVariableBytes) +
                                         " bytes, got " + quote(variable.name) +
                                         " with more");
  variable.bytes = bytes;
  variable.isArray = !dimensions.empty();
  return true;
}

bool ModuleParser::parseVariable(Variable variable) {
  Token name;
  std::vector<uint64_t> dimensions;
  if (!expectName("the name of a variable", name))
    return false;
  variable.name = name.text;
  variable.location = name.location;
  if (!parseDimensions(dimensions) || !sizeVariable(variable, dimensions))
    return false;
  if (token.is('=')) {
    if ((variable.space != Space::Global &&
         variable.space != Space::Constant) ||
        variable.isExternal)
      return failExpected(
          "no initial value of '." +
          std::string(variable.isExternal ? "extern" : nameOf(variable.space)) +
          "' variables");
    advance();
    if (!parseInitialiser(variable, std::move(dimensions)))
      return false;
  } else if (variable.bytes == 0 && !variable.isExternal) {
    return fail(name.location, "expected a number of elements of " +
                                   quote(name.text) + ", got none");
  }
  return declareVariable(std::move(variable));
}

/// Makes a definition of what an `.extern` declaration was, or the reverse.
bool ModuleParser::redeclareVariable(Variable &earlier, Variable &variable) {
  if (!earlier.isExternal && !variable.isExternal)
    return failDeclared(variable.location, variable.name, earlier.location);
  bool sameSize = earlier.bytes == variable.bytes || earlier.bytes == 0 ||
                  variable.bytes == 0;
  if (earlier.space != variable.space || earlier.type != variable.type ||
      !sameSize)
    return fail(variable.location, "expected " + quote(variable.name) +
                                       " as in line " +
                                       std::to_string(earlier.location.line) +
                                       ", got another space, type or size");
  if (!variable.isExternal)
    earlier = std::move(variable);
  return true;
}

bool ModuleParser::declareVariable(Variable variable) {
  std::vector<Variable> &variables =
      function ? function->variables : module.variables;
  Binding binding;
  binding.kind =
      function ? Binding::Kind::LocalVariable : Binding::Kind::Variable;
  binding.index = uint32_t(variables.size());
  binding.location = variable.location;
  const Binding *earlier =
      symbols.declare(symbols.intern(variable.name), binding);
  if (earlier && earlier->kind == Binding::Kind::Variable && !function)
    return redeclareVariable(variables[earlier->index], variable);
  if (earlier)
    return failDeclared(variable.location, variable.name, earlier->location);
  variables.push_back(std::move(variable));
  return true;
}
