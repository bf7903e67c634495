// Headers of functions, prototypes and lists of call targets.
//
// Source: PTX ISA 9.0, sections 11.2 (kernel and function directives) and
// 11.4 (performance-tuning directives).

#include "tools/ptxsim/ptx/ModuleParser.h"

#include <algorithm>

using namespace ptxsim::ptx;

/// `.entry …` or `.func …` with the linkage taken.
bool ModuleParser::parseFunction(const Linkage &linkage) {
  Function header;
  header.isEntry = token.text == ".entry";
  header.isExternal = linkage.isExternal;
  header.isVisible = linkage.isVisible;
  header.isWeak = linkage.isWeak;
  header.location = token.location;
  advance();
  Qualifiers ignored; // `.unified` only says where the code lies.
  if (acceptWord(".attribute") && !parseAttributes(ignored))
    return false;
  Token name;
  if (!header.isEntry && token.is('(') &&
      !parseParameters(/*isEntry=*/false, header.results))
    return false;
  if (!expectName("the name of the function", name))
    return false;
  header.name = name.text;
  header.location = name.location;
  if (token.is('(') && !parseParameters(header.isEntry, header.parameters))
    return false;
  for (const Variable &result : header.results)
    if (header.results.size() > 1 && result.space != Space::Register)
      return fail(result.location, "expected one result, or several in '.reg', "
                                   "got several in '.param'");
  if (!parseFunctionDirectives(header) || !checkDirectives(header))
    return false;
  header.isDefined = token.is('{');
  if (!token.is(';') && !token.is('{'))
    return failExpected("'{', ';' or a directive of the function");
  uint32_t index = 0;
  if (!declareFunction(std::move(header), name, index))
    return false;
  if (accept(';'))
    return true;
  function = &module.functions[index];
  parseBody();
  function = nullptr;
  return true;
}

bool ModuleParser::parseParameters(bool isEntry,
                                   std::vector<Variable> &parameters) {
  advance();
  if (accept(')'))
    return true;
  do {
    Variable parameter;
    if (!parseParameter(isEntry, parameter))
      return false;
    parameters.push_back(std::move(parameter));
  } while (accept(','));
  if (!token.is(')'))
    return failExpected("',' or ')' after a parameter");
  advance();
  return true;
}

bool ModuleParser::parseParameter(bool isEntry, Variable &parameter) {
  Qualifiers qualifiers;
  Location location = token.location;
  if (!token.isDotWord())
    return failExpected("a parameter that begins with '.param' or '.reg'");
  if (!parseQualifiers(qualifiers, /*isParameter=*/true))
    return false;
  parameter = qualifiers.variable;
  bool isRegister = parameter.space == Space::Register;
  if (parameter.space != Space::Parameter && (isEntry || !isRegister))
    return fail(location, "expected a parameter in '.param'" +
                              std::string(isEntry ? "" : " or '.reg'") +
                              ", got '." +
                              std::string(nameOf(parameter.space)) + "'");
  if (!qualifiers.hasAlignment)
    parameter.alignment =
        std::max(1U, bytesOf(parameter.type) * parameter.vectorSize);
  Token name;
  if (!expectName("the name of a parameter", name))
    return false;
  parameter.name = name.text;
  parameter.location = name.location;
  std::vector<uint64_t> dimensions;
  if (!isRegister && !parseDimensions(dimensions))
    return false;
  if (isRegister && parameter.vectorSize > 1)
    return fail(location, "expected a scalar as parameter in '.reg', got a "
                          "vector");
  if (isEntry && !dimensions.empty() && dimensions[0] == 0)
    return fail(name.location, "expected a number of elements of " +
                                   quote(name.text) + ", got none");
  return sizeVariable(parameter, dimensions);
}

bool ModuleParser::parseFunctionDirectives(Function &header) {
  while (token.isDotWord())
    if (!parseFunctionDirective(header))
      return false;
  return true;
}

bool ModuleParser::parseCount(uint32_t &result, uint32_t least) {
  uint64_t value = 0;
  if (!expectInteger("a number", least, INT32_MAX, value))
    return false;
  result = uint32_t(value);
  return true;
}

/// One to three extents; those that are not given are 1.
bool ModuleParser::parseThreads(std::array<uint32_t, 3> &result,
                                uint32_t least) {
  result = {1, 1, 1};
  size_t dimension = 0;
  do {
    if (dimension == 3)
      return failExpected("at most 3 extents");
    if (!parseCount(result[dimension++], least))
      return false;
  } while (accept(','));
  return true;
}

bool ModuleParser::parseFunctionDirective(Function &header) {
  uint32_t ignored = 0;
  for (std::string_view newer :
       {".blocksareclusters", ".abi_preserve", ".abi_preserve_control"})
    if (token.text == newer && !needVersion(token.location, {9, 0}, newer))
      return false;
  if (header.isEntry)
    return parseKernelDirective(header);
  if (acceptWord(".abi_preserve") || acceptWord(".abi_preserve_control"))
    return parseCount(ignored, 0);
  header.noReturn = acceptWord(".noreturn");
  return header.noReturn ||
         failExpected("'{', ';' or a directive of device functions");
}

bool ModuleParser::parseKernelDirective(Function &header) {
  if (acceptWord(".maxntid"))
    return parseThreads(header.maxThreads, 1);
  if (acceptWord(".reqntid"))
    return parseThreads(header.requiredThreads, 1);
  if (acceptWord(".reqnctapercluster"))
    return parseThreads(header.requiredCluster, 0);
  if (acceptWord(".minnctapersm"))
    return parseCount(header.minBlocks, 1);
  if (acceptWord(".maxnreg"))
    return parseCount(header.maxRegisters, 1);
  if (acceptWord(".maxclusterrank"))
    return parseCount(header.maxClusterRank, 0);
  if (acceptWord(".pragma"))
    return parseModulePragma();
  if (acceptWord(".explicitcluster"))
    header.explicitCluster = true;
  else if (acceptWord(".blocksareclusters"))
    header.blocksAreClusters = true;
  else
    return failExpected("'{', ';' or a directive of the kernel");
  return true;
}

/// Directives of a kernel that exclude or need each other.
bool ModuleParser::checkDirectives(const Function &header) {
  bool requiresThreads = header.requiredThreads[0] != 0;
  bool requiresCluster = header.requiredCluster[0] != 0;
  if (requiresThreads && header.maxThreads[0] != 0)
    return fail(header.location, "expected '.reqntid' or '.maxntid', got both");
  if (requiresCluster && header.maxClusterRank != 0)
    return fail(header.location, "expected '.reqnctapercluster' or "
                                 "'.maxclusterrank', got both");
  if (header.blocksAreClusters && !(requiresThreads && requiresCluster))
    return fail(header.location, "expected '.reqntid' and '.reqnctapercluster' "
                                 "beside '.blocksareclusters', got none");
  return true;
}

bool ModuleParser::sameInterface(const std::vector<Variable> &earlier,
                                 const std::vector<Variable> &later,
                                 std::string_view what, const Function &header,
                                 std::string_view reference) {
  std::string expected = "expected ";
  if (earlier.size() != later.size())
    return fail(header.location, expected + std::to_string(earlier.size()) +
                                     " " + std::string(what) + "s of " +
                                     quote(header.name) +
                                     std::string(reference) + ", got " +
                                     std::to_string(later.size()));
  for (size_t i = 0; i < earlier.size(); ++i) {
    const Variable &a = earlier[i], &b = later[i];
    bool isSame = a.space == b.space && a.type == b.type &&
                  a.vectorSize == b.vectorSize && a.bytes == b.bytes;
    if (!isSame)
      return fail(b.location, expected + std::string(what) + " " +
                                  std::to_string(i + 1) + " of " +
                                  quote(header.name) + std::string(reference) +
                                  ", got another type");
  }
  return true;
}

/// Brings a declaration and a definition, or two declarations, together.
bool ModuleParser::mergeFunction(Function &earlier, Function &header,
                                 Location location) {
  if (earlier.isDefined && header.isDefined)
    return failDeclared(location, header.name, earlier.location);
  if (earlier.aliasOf >= 0 && header.isDefined)
    return fail(location, "expected no body of " + quote(header.name) +
                              ", which is an alias, got one");
  if (earlier.isEntry != header.isEntry)
    return fail(location, "expected " + quote(header.name) + " as '." +
                              (earlier.isEntry ? "entry" : "func") +
                              "' as in its declaration, got '." +
                              (header.isEntry ? "entry'" : "func'"));
  constexpr std::string_view reference = " as in its declaration";
  if (!sameInterface(earlier.results, header.results, "result", header,
                     reference) ||
      !sameInterface(earlier.parameters, header.parameters, "parameter", header,
                     reference))
    return false;
  header.isVisible |= earlier.isVisible;
  header.isWeak |= earlier.isWeak;
  header.noReturn |= earlier.noReturn;
  if (header.isDefined)
    earlier = std::move(header);
  return true;
}

/// Enters the header into the module, and its parameters into a new scope if a
/// body follows.
bool ModuleParser::declareFunction(Function header, const Token &name,
                                   uint32_t &index) {
  Binding binding;
  binding.kind = Binding::Kind::Function;
  binding.index = uint32_t(module.functions.size());
  binding.location = name.location;
  bool isDefined = header.isDefined;
  const Binding *earlier = symbols.declare(symbols.intern(name.text), binding);
  if (earlier && earlier->kind != Binding::Kind::Function)
    return failDeclared(name.location, name.text, earlier->location);
  index = earlier ? earlier->index : binding.index;
  if (!earlier)
    module.functions.push_back(std::move(header));
  else if (!mergeFunction(module.functions[index], header, name.location))
    return false;
  if (!isDefined)
    return true;
  function = &module.functions[index];
  symbols.enterScope();
  scopeStarts.push_back(uint32_t(pendingLabels.size()));
  declareParameters(function->results, /*areResults=*/true);
  declareParameters(function->parameters, /*areResults=*/false);
  return true;
}

void ModuleParser::declareParameters(std::vector<Variable> &parameters,
                                     bool areResults) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    Variable &parameter = parameters[i];
    Binding binding;
    binding.location = parameter.location;
    binding.index = uint32_t(i);
    binding.kind =
        areResults ? Binding::Kind::Result : Binding::Kind::Parameter;
    if (parameter.space == Space::Register) {
      binding.kind = Binding::Kind::Register;
      binding.type = parameter.type;
      binding.index = uint32_t(function->registers.size());
      parameter.registerIndex = int32_t(binding.index);
      function->registers.push_back({parameter.name, parameter.type, -1});
    }
    Token name;
    name.text = parameter.name;
    name.location = parameter.location;
    if (name.text != "_")
      declareName(name, binding);
  }
}

/// `name: .callprototype (results) _ (parameters);` with the directive taken.
bool ModuleParser::parsePrototype(const Token &name) {
  Prototype prototype;
  Token placeholder;
  if (token.is('(') && !parseParameters(/*isEntry=*/false, prototype.results))
    return false;
  if (!expectName("'_' in a prototype", placeholder))
    return false;
  if (token.is('(') &&
      !parseParameters(/*isEntry=*/false, prototype.parameters))
    return false;
  Function directives;
  if (!parseFunctionDirectives(directives))
    return false;
  prototype.noReturn = directives.noReturn;
  if (!expect(';', "after a prototype"))
    return false;
  Binding binding;
  binding.kind = Binding::Kind::Prototype;
  binding.index = uint32_t(function->prototypes.size());
  binding.location = name.location;
  function->prototypes.push_back(std::move(prototype));
  return declareName(name, binding);
}

static bool haveOneShape(const std::vector<Variable> &a,
                         const std::vector<Variable> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Variable &x, const Variable &y) {
                      return x.bytes == y.bytes && x.isArray == y.isArray;
                    });
}

static bool haveOneShape(const Function &a, const Function &b) {
  return haveOneShape(a.results, b.results) &&
         haveOneShape(a.parameters, b.parameters);
}

/// `name: .calltargets f, g;` with the directive taken.
bool ModuleParser::parseCallTargets(const Token &name) {
  Binding targets;
  targets.kind = Binding::Kind::Targets;
  targets.location = name.location;
  do {
    Token target;
    if (!expectName("the name of a function", target))
      return false;
    Symbol symbol = symbols.intern(target.text);
    const Binding *binding = symbols.find(symbol);
    if (!binding)
      return failUnknown(target, symbol);
    if (binding->kind != Binding::Kind::Function)
      return fail(target.location,
                  "expected a function, got " + quote(target.text));
    if (targets.index == Binding::unused)
      targets.index = binding->index;
    else if (!haveOneShape(module.functions[targets.index],
                           module.functions[binding->index]))
      return fail(target.location, "expected functions with equal parameters and "
                                   "results as call targets, got " +
                                       quote(target.text) + " with others");
  } while (accept(','));
  return expect(';', "after call targets") && declareName(name, targets);
}
