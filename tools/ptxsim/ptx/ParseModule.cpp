// Modules: the header, and the statements outside of functions.
//
// Source: PTX ISA 9.0, chapter 11 (directives).

#include "tools/ptxsim/ptx/ModuleParser.h"

using namespace ptxsim::ptx;

/// What is executed. Newer texts may hold what nobody here knows; the driver of
/// CUDA 13.0 refuses them, too.
static constexpr Version oldestVersion{8, 0}, newestVersion{9, 0};

std::unique_ptr<Module>
ptxsim::ptx::parse(std::string text, std::string name,
                   std::vector<Diagnostic> &diagnostics) {
  auto module = std::make_unique<Module>();
  module->name = std::move(name);
  module->text = std::move(text);
  Diagnostics collected(module->text, diagnostics);
  // Lines, columns and offsets are of 32 bits.
  if (module->text.size() > INT32_MAX) {
    collected.add({1, 1}, "expected a text of less than 2 GiB, got " +
                              std::to_string(module->text.size()) + " bytes");
    return nullptr;
  }
  ModuleParser(*module, collected).parse();
  return collected.isEmpty() ? std::move(module) : nullptr;
}

void ModuleParser::parse() {
  if (!parseVersion() || !parseTarget() || !parseAddressSize())
    return;
  while (!token.isEnd() && !diagnostics.isFull()) {
    statementBraces = openBraces = 0;
    if (!parseModuleStatement()) {
      hasLostNames = true;
      recover(Level::Module);
    }
  }
  resolveAliases();
}

bool ModuleParser::parseVersion() {
  if (!acceptWord(".version"))
    return failExpected("'.version' at the beginning");
  Token version = token;
  std::string_view text = version.text;
  auto readPart = [&](uint32_t &part) {
    size_t digits = 0;
    for (; digits < text.size() && digits < 4 && text[digits] >= '0' &&
           text[digits] <= '9';
         ++digits)
      part = part * 10 + uint32_t(text[digits] - '0');
    text.remove_prefix(digits);
    return digits > 0;
  };
  bool isVersion = version.kind == Token::Kind::Number &&
                   readPart(module.versionMajor) && !text.empty() &&
                   text[0] == '.';
  if (isVersion) {
    text.remove_prefix(1);
    isVersion = readPart(module.versionMinor) && text.empty();
  }
  if (!isVersion)
    return failExpected("a version such as 9.0");
  Version have{module.versionMajor, module.versionMinor};
  if (!(oldestVersion <= have && have <= newestVersion)) {
    diagnostics.add(version.location,
                    "expected a version from 8.0 to 9.0, got " +
                        quote(version.text),
                    /*isVersion=*/true);
    return false;
  }
  advance();
  return true;
}

/// Checks that a program for `target` runs on sm_90a: for any older target,
/// since those are compatible, and for itself.
bool ModuleParser::checkTarget(const Token &target) {
  std::string_view name = target.text;
  bool isKnown = target.isName() && name.substr(0, 3) == "sm_";
  unsigned number = 0;
  size_t end = 3;
  for (; isKnown && end < name.size() && end < 7 && name[end] >= '0' &&
         name[end] <= '9';
       ++end)
    number = number * 10 + unsigned(name[end] - '0');
  bool isPlain = isKnown && end > 3 && end == name.size();
  if (name == "sm_90a" || (isPlain && number >= 20 && number <= 90))
    return true;
  return fail(target.location, "expected the target sm_90a, or sm_90 or an "
                               "older one without a letter, got " +
                                   quote(name));
}

bool ModuleParser::parseTarget() {
  if (!acceptWord(".target"))
    return failExpected("'.target' after '.version'");
  do {
    Token name;
    if (!expectName("a target such as sm_90a", name))
      return false;
    if (name.text == "debug")
      module.debug = true;
    else if (name.text == "texmode_unified" ||
             name.text == "texmode_independent" ||
             name.text == "map_f64_to_f32")
      continue;
    else if (!checkTarget(name))
      return false;
    else if (module.target.empty())
      module.target = name.text;
  } while (accept(','));
  return true;
}

bool ModuleParser::parseAddressSize() {
  if (!acceptWord(".address_size"))
    return true;
  if (token.text != "64")
    return failExpected("an address size of 64");
  advance();
  return true;
}

bool ModuleParser::parseModuleStatement() {
  if (!token.isDotWord())
    return failExpected("a directive");
  if (acceptWord(".file"))
    return parseFile();
  if (acceptWord(".section"))
    return parseSection();
  if (acceptWord(".alias"))
    return parseAlias();
  if (acceptWord(".pragma"))
    return parseModulePragma();
  if (token.text == ".target")
    return parseTarget();
  return parseLinked();
}

/// A function or variable with its linkage.
bool ModuleParser::parseLinked() {
  Linkage linkage;
  bool *flag = nullptr;
  if (token.text == ".extern")
    flag = &linkage.isExternal;
  else if (token.text == ".visible")
    flag = &linkage.isVisible;
  else if (token.text == ".weak")
    flag = &linkage.isWeak;
  else if (token.text == ".common")
    flag = &linkage.isCommon;
  if (flag) {
    *flag = true;
    advance();
  }
  if (token.text == ".entry" || token.text == ".func")
    return parseFunction(linkage);
  return parseDeclaration(linkage);
}

/// `1 "path"[, time, size]`
bool ModuleParser::parseFile() {
  uint64_t number = 0, ignored = 0;
  if (!expectInteger("the number of a file", 0, UINT32_MAX, number))
    return false;
  if (token.kind != Token::Kind::String)
    return failExpected("the path of the file in quotes");
  std::string_view path = token.text.substr(1, token.text.size() - 2);
  module.files.push_back({uint32_t(number), path});
  advance();
  while (accept(','))
    if (!expectInteger("a number", 0, ~uint64_t(0), ignored))
      return false;
  return true;
}

/// `.debug_info { … }`, which is skipped.
bool ModuleParser::parseSection() {
  if (!token.isDotWord() && !token.isName())
    return failExpected("the name of a section");
  advance();
  Location location = token.location;
  if (!token.is('{'))
    return failExpected("'{' after the name of a section");
  skipBlock();
  return openBraces == 0 ||
         fail(location, "expected '}' at the end of a section, got the end of "
                        "the text");
}

/// `"…"[, "…"];` for which nothing is done.
bool ModuleParser::parseModulePragma() {
  struct {
    std::string_view name;
    Version version;
  } const newer[] = {{"used_bytes_mask", {8, 3}},
                     {"enable_smem_spilling", {8, 7}},
                     {"frequency", {9, 0}}};
  do {
    if (token.kind != Token::Kind::String)
      return failExpected("a string after '.pragma'");
    for (const auto &pragma : newer)
      if (token.text.substr(1, pragma.name.size()) == pragma.name &&
          !needVersion(token.location, pragma.version,
                       "the pragma " + quote(pragma.name)))
        return false;
    advance();
  } while (accept(','));
  return expect(';', "after '.pragma'");
}

/// `name, function;`
bool ModuleParser::parseAlias() {
  uint32_t indices[2] = {};
  Token names[2];
  for (int i = 0; i < 2; ++i) {
    if ((i == 1 && !expect(',', "after the alias")) ||
        !expectName("the name of a function", names[i]))
      return false;
    Symbol symbol = symbols.intern(names[i].text);
    const Binding *binding = symbols.find(symbol);
    if (!binding)
      return failUnknown(names[i], symbol);
    if (binding->kind != Binding::Kind::Function ||
        module.functions[binding->index].isEntry)
      return fail(names[i].location,
                  "expected a function, got " + quote(names[i].text));
    indices[i] = binding->index;
  }
  Function &alias = module.functions[indices[0]];
  Function &target = module.functions[indices[1]];
  if (alias.isDefined || alias.aliasOf >= 0)
    return fail(names[0].location, "expected a function without a body as "
                                   "alias, got " +
                                       quote(alias.name));
  std::string reference = " as of " + quote(target.name);
  if (!sameInterface(target.results, alias.results, "result", alias,
                     reference) ||
      !sameInterface(target.parameters, alias.parameters, "parameter", alias,
                     reference))
    return false;
  // That of an alias which is known already is of its function.
  alias.aliasOf = int32_t(target.aliasOf >= 0 ? target.aliasOf : indices[1]);
  hasAliases = true;
  return expect(';', "after '.alias'");
}

/// Makes every mention of an alias one of its function.
void ModuleParser::resolveAliases() {
  if (!hasAliases)
    return;
  std::vector<uint32_t> meaning(module.functions.size());
  for (uint32_t i = 0; i < meaning.size(); ++i) {
    int32_t target = module.functions[i].aliasOf;
    meaning[i] = target < 0 ? i : uint32_t(target);
    if (target >= 0 && module.functions[target].aliasOf >= 0)
      fail(module.functions[i].location,
           "expected the alias of a function, got that of the alias " +
               quote(module.functions[target].name));
  }
  for (Function &user : module.functions)
    for (Operand &operand : user.elements)
      if (operand.kind == Operand::Kind::Function)
        operand.index = meaning[operand.index];
  for (Variable &variable : module.variables)
    for (Relocation &relocation : variable.relocations)
      if (relocation.isFunction)
        relocation.index = meaning[relocation.index];
}
