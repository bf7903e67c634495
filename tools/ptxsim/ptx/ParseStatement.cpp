// Bodies of functions: scopes, labels and instructions.
//
// Source: PTX ISA 9.0, sections 4.2 (statements) and 9.7.12 (control flow).

#include "tools/ptxsim/ptx/ModuleParser.h"

using namespace ptxsim::ptx;

/// Parses from `{` to its `}`. Scopes nest as the text has it, so there is a
/// list of them and no recursion.
void ModuleParser::parseBody() {
  Location start = token.location;
  uint32_t outside = symbols.depth() - 1;
  usedBytes = ~uint64_t(0);
  sourceFile = sourceLine = 0;
  bool hadLostNames = hasLostNames;
  advance();
  while (symbols.depth() > outside && !token.isEnd()) {
    statementBraces = openBraces;
    scratch.clear();
    if (accept('}')) {
      leaveScope();
    } else if (token.is('{')) {
      if (symbols.depth() - outside == maxScopes) {
        fail(token.location, "expected at most " + std::to_string(maxScopes) +
                                 " nested scopes, got more");
        skipBlock();
        continue;
      }
      advance();
      symbols.enterScope();
      scopeStarts.push_back(uint32_t(pendingLabels.size()));
    } else if (!parseStatement()) {
      recover(Level::Body);
    }
  }
  if (symbols.depth() > outside)
    fail(start, "expected '}' at the end of " + quote(function->name) +
                    ", got the end of the text");
  while (symbols.depth() > outside)
    leaveScope();
  reportUnknownLabels();
  hasLostNames = hadLostNames;
}

/// Gives the labels of the scope to the branches in it, and forgets its names.
void ModuleParser::leaveScope() {
  uint32_t start = scopeStarts.back();
  scopeStarts.pop_back();
  symbols.leaveScope([&](const Binding &label) {
    if (label.symbol >= lastPending.size())
      return;
    uint32_t &last = lastPending[label.symbol];
    // Those before `start` are uses in outer scopes.
    for (; last > start; last = pendingLabels[last - 1].earlier) {
      PendingLabel &use = pendingLabels[last - 1];
      use.isResolved = true;
      if (use.isTable)
        function->branchTargets[use.element].targets[use.position] =
            label.index;
      else
        function->elements[use.element].index = label.index;
    }
  });
}

void ModuleParser::reportUnknownLabels() {
  for (PendingLabel &use : pendingLabels) {
    lastPending[use.symbol] = 0;
    if (!use.isResolved && !diagnostics.isFull())
      failUnknownLabel(use);
  }
  pendingLabels.clear();
  functionLabels.clear();
}

void ModuleParser::failUnknownLabel(const PendingLabel &use) {
  std::string_view name = symbols.nameOf(use.symbol);
  NearestName nearest(name);
  bool isElsewhere = false;
  for (Symbol label : functionLabels) {
    nearest.consider(symbols.nameOf(label));
    isElsewhere |= label == use.symbol;
  }
  fail(use.location, "expected a label of this scope or one around it, got " +
                         quote(name) +
                         (isElsewhere ? ", which is a label of another scope"
                                      : nearest.suggestion()));
}

/// `pending` says where the label's instruction is to be written.
void ModuleParser::addPendingLabel(std::string_view name, Location location,
                                   PendingLabel pending) {
  pending.symbol = symbols.intern(name);
  pending.location = location;
  if (pending.symbol >= lastPending.size())
    lastPending.resize(pending.symbol * 2 + 1);
  pending.earlier = lastPending[pending.symbol];
  pendingLabels.push_back(pending);
  lastPending[pending.symbol] = uint32_t(pendingLabels.size());
}

bool ModuleParser::parseStatement() {
  if (token.isDotWord()) {
    if (parseBodyDirective())
      return true;
    hasLostNames = true;
    return false;
  }
  Instruction instruction;
  instruction.location = token.location;
  const char *start = token.text.data();
  if (token.is('@') && !parseGuard(instruction))
    return false;
  Token name;
  bool isGuarded = instruction.guard >= 0;
  if (!expectName(isGuarded ? "an instruction after the guard"
                            : "an instruction, a label or a directive",
                  name))
    return false;
  if (token.is(':') && !isGuarded) {
    advance();
    if (parseLabelled(name))
      return true;
    hasLostNames = true;
    return false;
  }
  instruction.opcode = name.text;
  if (!parseInstruction(instruction))
    return false;
  instruction.text = {start, size_t(lastEnd - start)};
  function->instructions.push_back(instruction);
  return expect(';', "after the instruction");
}

bool ModuleParser::parseBodyDirective() {
  if (acceptWord(".loc"))
    return parseLocation();
  if (acceptWord(".pragma"))
    return parsePragma();
  if (acceptWord(".file"))
    return parseFile();
  Linkage linkage;
  if (acceptWord(".extern"))
    linkage.isExternal = true;
  return parseDeclaration(linkage);
}

/// What follows `name:`.
bool ModuleParser::parseLabelled(const Token &name) {
  if (acceptWord(".branchtargets"))
    return parseBranchTargets(name);
  if (acceptWord(".callprototype"))
    return parsePrototype(name);
  if (acceptWord(".calltargets"))
    return parseCallTargets(name);
  Binding label;
  label.kind = Binding::Kind::Label;
  label.index = uint32_t(function->instructions.size());
  label.location = name.location;
  const Binding *earlier = symbols.declare(symbols.intern(name.text), label);
  functionLabels.push_back(symbols.intern(name.text));
  if (earlier)
    failDeclared(name.location, name.text, earlier->location);
  return true; // The instruction behind it may be right.
}

/// `name: .branchtargets L0, L1;` with the directive taken.
bool ModuleParser::parseBranchTargets(const Token &name) {
  Binding binding;
  binding.kind = Binding::Kind::Table;
  binding.index = uint32_t(function->branchTargets.size());
  binding.location = name.location;
  function->branchTargets.emplace_back();
  std::vector<uint32_t> &targets = function->branchTargets.back().targets;
  do {
    Token label;
    if (!expectName("a label", label))
      return false;
    if (token.is('<')) {
      if (!parseLabelRange(label, binding.index))
        return false;
      continue;
    }
    PendingLabel pending;
    pending.isTable = true;
    pending.element = binding.index;
    pending.position = uint32_t(targets.size());
    targets.push_back(0);
    addPendingLabel(label.text, label.location, pending);
  } while (accept(','));
  if (!token.is(';'))
    return failExpected("',' or ';' after a label");
  advance();
  return declareName(name, binding);
}

/// The rest of `L<3>`, which stands for L0, L1, L2.
bool ModuleParser::parseLabelRange(const Token &prefix, uint32_t table) {
  advance();
  uint64_t count = 0;
  if (!expectInteger("a number of labels", 1, maxLabelRanges - labelRanges,
                     count) ||
      !expect('>', "after the number of labels"))
    return false;
  labelRanges += count;
  std::vector<uint32_t> &targets = function->branchTargets[table].targets;
  for (uint64_t i = 0; i < count; ++i) {
    labelNames.push_back(std::string(prefix.text) + std::to_string(i));
    PendingLabel pending;
    pending.isTable = true;
    pending.element = table;
    pending.position = uint32_t(targets.size());
    targets.push_back(0);
    addPendingLabel(labelNames.back(), prefix.location, pending);
  }
  return true;
}

/// `1 20 3[, function_name label[+4]][, inlined_at 1 7 2]`
bool ModuleParser::parseLocation() {
  uint64_t file = 0, line = 0, column = 0;
  if (!expectInteger("the number of a file", 0, UINT32_MAX, file) ||
      !expectInteger("a line", 0, UINT32_MAX, line))
    return false;
  if (token.kind == Token::Kind::Number &&
      !expectInteger("a column", 0, UINT32_MAX, column))
    return false;
  sourceFile = uint32_t(file);
  sourceLine = uint32_t(line);
  return parseLocationOptions();
}

bool ModuleParser::parseLocationOptions() {
  while (accept(',')) {
    Token label;
    uint64_t number = 0;
    bool isInlined = token.isName() && token.text == "inlined_at";
    if (!isInlined && (!token.isName() || token.text != "function_name"))
      return failExpected("'function_name' or 'inlined_at'");
    advance();
    if (isInlined) {
      for (const char *what : {"the number of a file", "a line", "a column"})
        if (!expectInteger(what, 0, UINT32_MAX, number))
          return false;
    } else if (!expectName("a label", label) ||
               (accept('+') &&
                !expectInteger("an offset", 0, UINT32_MAX, number))) {
      return false;
    }
  }
  return true;
}

/// `"used_bytes_mask 0xfff";` says what the next instruction reads; other
/// pragmas change nothing.
bool ModuleParser::parsePragma() {
  constexpr std::string_view prefix = "\"used_bytes_mask ";
  if (token.text.substr(0, prefix.size()) == prefix) {
    std::string_view number = token.text.substr(prefix.size());
    number.remove_suffix(1);
    while (!number.empty() && number.front() == ' ')
      number.remove_prefix(1);
    Constant mask;
    if (readNumber(number, mask) || !mask.isInteger())
      return failExpected("a number after 'used_bytes_mask'");
    usedBytes = mask.bits;
  }
  return parseModulePragma();
}

/// `@p` or `@!p`
bool ModuleParser::parseGuard(Instruction &instruction) {
  advance();
  instruction.guardNegated = accept('!');
  Token name;
  Operand guard;
  if (!expectName("a predicate after '@'", name) || !resolve(name, guard))
    return false;
  if (guard.kind != Operand::Kind::Register ||
      function->registers[guard.index].type != Type::Pred)
    return fail(name.location,
                "expected a predicate after '@', got " + quote(name.text));
  instruction.guard = int32_t(guard.index);
  return true;
}

/// Modifiers and operands, up to the semicolon.
bool ModuleParser::parseInstruction(Instruction &instruction) {
  instruction.usedBytes = usedBytes;
  instruction.sourceFile = sourceFile;
  instruction.sourceLine = sourceLine;
  usedBytes = ~uint64_t(0);
  instruction.firstWord = uint32_t(function->words.size());
  for (; token.isDotWord(); advance())
    function->words.push_back(token.text.substr(1));
  instruction.wordCount =
      uint32_t(function->words.size()) - instruction.firstWord;
  if (instruction.opcode == "call") {
    if (!parseCall())
      return false;
  } else if (instruction.opcode == "bra") {
    return parseBranch(instruction);
  } else if (!token.is(';')) {
    if (token.is('}') || token.isEnd())
      return failExpected("an operand or ';'");
    do {
      Operand operand;
      if (!parseOperand(operand))
        return false;
      scratch.push_back(operand);
    } while (accept(','));
    if (!token.is(';'))
      return failExpected("',' or ';' after an operand");
  }
  Operand all;
  takeElements(0, all);
  instruction.firstOperand = all.firstElement;
  instruction.operandCount = all.elementCount;
  return true;
}

bool ModuleParser::parseBranch(Instruction &instruction) {
  Token label;
  if (!expectName("a label", label))
    return false;
  Operand target;
  target.kind = Operand::Kind::Label;
  instruction.firstOperand = uint32_t(function->elements.size());
  instruction.operandCount = 1;
  PendingLabel pending;
  pending.element = instruction.firstOperand;
  function->elements.push_back(target);
  addPendingLabel(label.text, label.location, pending);
  return true;
}
